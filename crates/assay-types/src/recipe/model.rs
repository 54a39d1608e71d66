//! The recipe as a value: header, reading, extraction, steps, artifacts.
//!
//! `parse.rs` fills it from TOML, `builtin.rs` from constants; the engine reads the typed fields.

use crate::hash::Digest;
use crate::ids::RecipeId;
use crate::recipe::fields::{Fields, Table, TextForm};
use crate::recipe::{RecipeError, Step, canonical, parse};

/// The `format` of declarative recipes.
pub const RECIPE_FORMAT: u32 = 1;

/// The engine version that this crate's built-in recipes name.
pub const ENGINE: &str = "2.0.0";

/// Most bytes of a recipe's TOML.
pub const RECIPE_BYTES_MAX: usize = 1 << 20;

/// Most bytes of all artifacts together (mechanism §2).
pub const ARTIFACT_BYTES_MAX: u64 = 64 << 20;

/// Most artifacts of a recipe.
pub const ARTIFACTS_MAX: usize = 64;

/// Largest budget of bytes or characters: 256 Mi, over ten times what `fineweb-en-v1` allows. A recipe comes from
/// strangers, and whoever runs it must be able to hold a record.
const BUDGET_MAX: u64 = 1 << 28;

/// Largest budget of a header block or an attribute value: 16 MiB.
const HEADER_BYTES_MAX: u64 = 16 << 20;

/// Largest budget of nodes: 16 Mi, about 1 GiB of tree.
const NODES_MAX: u64 = 1 << 24;

/// Largest budget of work: 2^34 units, 40 times that of `fineweb-en-v1`; minutes a page at the worst.
const FUEL_MAX: u64 = 1 << 34;

/// A whole recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// Its name, `[a-z0-9._+-]`.
    pub name: String,
    /// Its own version, three numbers.
    pub version: String,
    /// Version of the engine that gives these bytes their meaning, three numbers.
    pub engine: String,
    /// Licence of the recipe.
    pub licence: String,
    /// Which records are read, and how bytes become characters.
    pub read: ReadParams,
    /// How text is found, with budgets.
    pub extract: ExtractParams,
    /// What drops a document, in order.
    pub steps: Vec<Step>,
    /// Files the steps use, by ascending name.
    pub artifacts: Vec<Artifact>,
}

impl Recipe {
    /// The recipe of a TOML text in any layout; keys left out take the value of `fineweb-en-v1`.
    ///
    /// # Errors
    /// [`RecipeError`] for the first thing that is wrong, naming the key.
    pub fn parse(toml: &str) -> Result<Self, RecipeError> {
        parse::recipe(toml)
    }

    /// The recipe of a TOML text that is its canonical form, byte for byte.
    ///
    /// # Errors
    /// As [`Self::parse`], and [`RecipeError::NotCanonical`] for another layout.
    pub fn parse_canonical(toml: &str) -> Result<Self, RecipeError> {
        let recipe = Self::parse(toml)?;
        canonical::check_same(&recipe.to_canonical(), toml)?;
        Ok(recipe)
    }

    /// The canonical TOML: tables in fixed order, every key, keys by ascending bytes, LF, no blank lines.
    pub fn to_canonical(&self) -> String {
        canonical::emit(self)
    }

    /// BLAKE3-256 of the canonical TOML.
    pub fn id(&self) -> RecipeId {
        RecipeId(Digest::of(self.to_canonical().as_bytes()))
    }

    /// Whether every value is one that [`Self::parse`] would accept.
    ///
    /// # Errors
    /// [`RecipeError`] for the first thing that is wrong.
    pub fn check(&self) -> Result<(), RecipeError> {
        Self::parse_canonical(&self.to_canonical()).map(|_| ())
    }

    /// The artifact of a name.
    pub fn artifact(&self, name: &str) -> Option<&Artifact> {
        self.artifacts.iter().find(|artifact| artifact.name == name)
    }

    /// Number of the first step of a kind, from 0; its reason in the ledger is 16 more.
    pub fn step_index(&self, kind: &str) -> Option<u8> {
        self.steps
            .iter()
            .position(|step| step.kind() == kind)
            .and_then(|k| u8::try_from(k).ok())
    }

    /// The name of a reason under this recipe: the step's kind for steps, else the fixed name.
    pub fn reason_name(&self, reason: crate::Reason) -> &'static str {
        match reason {
            crate::Reason::Step(k) => self.steps.get(usize::from(k)).map_or("unknown_step", Step::kind),
            fixed => fixed.name(),
        }
    }
}

/// The keys before the first table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Header {
    pub(crate) format: u32,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) engine: String,
    pub(crate) licence: String,
}

impl Table for Header {
    fn fields(&mut self, f: &mut dyn Fields) -> Result<(), RecipeError> {
        f.text("engine", &mut self.engine, TextForm::Version)?;
        f.small("format", &mut self.format, RECIPE_FORMAT..=RECIPE_FORMAT)?;
        f.text("licence", &mut self.licence, TextForm::Line)?;
        f.text("name", &mut self.name, TextForm::Name)?;
        f.text("version", &mut self.version, TextForm::Version)
    }
}

/// One stage of finding out a page's character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CharsetStage {
    /// A byte order mark.
    Bom,
    /// The whole body is valid UTF-8.
    Utf8,
    /// The label in the HTTP header.
    Header,
    /// A `<meta>` in the first 1,024 bytes.
    Meta,
    /// Statistical detection with the top-level domain as hint.
    Detect,
    /// windows-1252, which never fails.
    Windows1252,
}

impl CharsetStage {
    /// All stages in FineWeb-en's order with their names.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Bom, "bom"),
        (Self::Utf8, "utf-8"),
        (Self::Header, "header"),
        (Self::Meta, "meta"),
        (Self::Detect, "detect"),
        (Self::Windows1252, "windows-1252"),
    ];

    /// The stage's name in a recipe.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(stage, _)| *stage == self)
            .map_or("bom", |(_, name)| name)
    }

    /// The stage of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(stage, _)| *stage)
    }
}

/// `[read]`: which records are content, and how their bytes become characters (deviations D1–D3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadParams {
    /// Order in which the character set is looked for; the first stage with an answer wins.
    pub charset: Vec<CharsetStage>,
    /// Most bytes of an HTTP header block.
    pub http_header_bytes_max: u64,
    /// HTTP status codes of pages that are read.
    pub http_status: Vec<u64>,
    /// Media types read in `response` and `resource` records.
    pub mime: Vec<String>,
    /// Media types read in `conversion` records beside those of `mime`.
    pub mime_conversion: Vec<String>,
    /// Largest share of U+FFFD among the decoded characters, parts per million.
    pub replacement_ppm: u32,
    /// Most bytes of a WARC header block.
    pub warc_header_bytes_max: u64,
}

impl Default for ReadParams {
    fn default() -> Self {
        Self {
            charset: CharsetStage::ALL.iter().map(|(stage, _)| *stage).collect(),
            http_header_bytes_max: 256 << 10,
            http_status: vec![200],
            mime: vec!["application/xhtml+xml".into(), "text/html".into()],
            mime_conversion: vec!["text/plain".into()],
            // Proposal: mixed encodings leave a few replacements on good pages, 1 % is unreadable.
            replacement_ppm: 10_000,
            warc_header_bytes_max: 64 << 10,
        }
    }
}

impl Table for ReadParams {
    fn fields(&mut self, f: &mut dyn Fields) -> Result<(), RecipeError> {
        let mut charset = self.charset.iter().map(|stage| stage.name().to_owned()).collect();
        f.texts("charset", &mut charset, TextForm::Token)?;
        let stages: Option<Vec<_>> = charset.iter().map(|name| CharsetStage::from_name(name)).collect();
        self.charset = stages.ok_or(RecipeError::Text {
            table: "[read]".into(),
            key: "charset",
            expected: "a list of bom, utf-8, header, meta, detect, windows-1252",
        })?;
        f.integer(
            "http_header_bytes_max",
            &mut self.http_header_bytes_max,
            1..=HEADER_BYTES_MAX,
        )?;
        f.integers("http_status", &mut self.http_status, 100..=599)?;
        f.texts("mime", &mut self.mime, TextForm::Token)?;
        f.texts("mime_conversion", &mut self.mime_conversion, TextForm::Token)?;
        f.ppm("replacement_ppm", &mut self.replacement_ppm)?;
        f.integer(
            "warc_header_bytes_max",
            &mut self.warc_header_bytes_max,
            1..=HEADER_BYTES_MAX,
        )
    }
}

/// Which blocks of a page are its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// Little else than main text, at the price of some of it.
    #[default]
    Precision,
    /// The best mean F1 over all page types.
    Balanced,
    /// More of the main text, at the price of some words around it.
    Recall,
    /// Every block that may be main text.
    Union,
}

impl Profile {
    /// All profiles' names.
    pub const NAMES: [&'static str; 4] = ["precision", "balanced", "recall", "union"];

    /// The profile's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Precision => "precision",
            Self::Balanced => "balanced",
            Self::Recall => "recall",
            Self::Union => "union",
        }
    }

    /// The profile of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Precision, Self::Balanced, Self::Recall, Self::Union]
            .into_iter()
            .find(|profile| profile.name() == name)
    }
}

/// How the chosen blocks are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TextOutput {
    /// Lines of plain text.
    #[default]
    Plain,
    /// Markdown without the targets of links.
    Markdown,
    /// Markdown with them.
    MarkdownLinks,
}

impl TextOutput {
    /// All forms' names.
    pub const NAMES: [&'static str; 3] = ["plain", "markdown", "markdown-links"];

    /// The form's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Markdown => "markdown",
            Self::MarkdownLinks => "markdown-links",
        }
    }

    /// The form of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Plain, Self::Markdown, Self::MarkdownLinks]
            .into_iter()
            .find(|output| output.name() == name)
    }
}

/// `[extract]`: the extractor's profile and budgets; a record over a budget is dropped with that reason, never
/// cut. Defaults are the proposals of the recipe's budget table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractParams {
    /// Most bytes kept of an attribute's value.
    pub attribute_bytes_max: u64,
    /// Most attributes kept of an element.
    pub attributes_max: u64,
    /// Most bytes of a decoded body.
    pub bytes_max: u64,
    /// Largest `colspan` believed.
    pub colspan_max: u64,
    /// Deepest nesting of elements; deeper ones are attached here.
    pub depth_max: u64,
    /// Most units of work: one per byte scanned, node visited and rule tried.
    pub fuel_max: u64,
    /// Most nodes of a document.
    pub nodes_max: u64,
    /// How the text is written.
    pub output: TextOutput,
    /// The extractor's profile.
    pub profile: Profile,
    /// Largest `rowspan` believed.
    pub rowspan_max: u64,
    /// Most cells of a table after spans.
    pub table_cells_max: u64,
    /// Most characters of extracted text.
    pub text_max: u64,
}

impl Default for ExtractParams {
    fn default() -> Self {
        Self {
            attribute_bytes_max: 4 << 10,
            attributes_max: 64,
            bytes_max: 20_000_000,
            colspan_max: 1_000,
            depth_max: 512,
            // Twenty units for each byte of the largest body.
            fuel_max: 400_000_000,
            nodes_max: 1_000_000,
            output: TextOutput::Plain,
            profile: Profile::Precision,
            rowspan_max: 65_534,
            table_cells_max: 200_000,
            text_max: 2_000_000,
        }
    }
}

impl Table for ExtractParams {
    fn fields(&mut self, f: &mut dyn Fields) -> Result<(), RecipeError> {
        f.integer(
            "attribute_bytes_max",
            &mut self.attribute_bytes_max,
            1..=HEADER_BYTES_MAX,
        )?;
        f.integer("attributes_max", &mut self.attributes_max, 1..=65_535)?;
        f.integer("bytes_max", &mut self.bytes_max, 1..=BUDGET_MAX)?;
        f.integer("colspan_max", &mut self.colspan_max, 1..=1_000)?;
        f.integer("depth_max", &mut self.depth_max, 1..=65_535)?;
        f.integer("fuel_max", &mut self.fuel_max, 1..=FUEL_MAX)?;
        f.integer("nodes_max", &mut self.nodes_max, 1..=NODES_MAX)?;
        let mut output = self.output.name();
        f.choice("output", &mut output, &TextOutput::NAMES)?;
        self.output = TextOutput::from_name(output).unwrap_or_default();
        let mut profile = self.profile.name();
        f.choice("profile", &mut profile, &Profile::NAMES)?;
        self.profile = Profile::from_name(profile).unwrap_or_default();
        f.integer("rowspan_max", &mut self.rowspan_max, 1..=65_534)?;
        f.integer("table_cells_max", &mut self.table_cells_max, 1..=BUDGET_MAX)?;
        f.integer("text_max", &mut self.text_max, 1..=BUDGET_MAX)
    }
}

/// How an artifact's bytes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArtifactKind {
    /// Sorted 64-bit hashes of domains.
    DomainHashes,
    /// An integer-quantised fastText model.
    FasttextInt,
    /// Integer weights of a linear model.
    Linear,
    /// Sorted hashes of word n-grams.
    NgramSet,
    /// Lines of UTF-8.
    WordList,
}

impl ArtifactKind {
    /// All kinds' names.
    pub const NAMES: [&'static str; 5] = [
        "domain_hashes",
        "fasttext_int",
        "linear",
        "ngram_set",
        "word_list",
    ];

    /// The kind's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DomainHashes => "domain_hashes",
            Self::FasttextInt => "fasttext_int",
            Self::Linear => "linear",
            Self::NgramSet => "ngram_set",
            Self::WordList => "word_list",
        }
    }

    /// The kind of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::DomainHashes,
            Self::FasttextInt,
            Self::Linear,
            Self::NgramSet,
            Self::WordList,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

/// `[[artifact]]`: a file that steps name and the digest it must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The name by which steps use it.
    pub name: String,
    /// How it is read.
    pub kind: ArtifactKind,
    /// Its length.
    pub bytes: u64,
    /// BLAKE3-256 of its bytes.
    pub blake3: Digest,
}

impl Table for Artifact {
    fn fields(&mut self, f: &mut dyn Fields) -> Result<(), RecipeError> {
        let mut digest = self.blake3.to_string();
        f.text("blake3", &mut digest, TextForm::Digest)?;
        self.blake3 = digest.parse().unwrap_or_default();
        f.integer("bytes", &mut self.bytes, 0..=ARTIFACT_BYTES_MAX)?;
        let mut kind = self.kind.name();
        f.choice("kind", &mut kind, &ArtifactKind::NAMES)?;
        self.kind = ArtifactKind::from_name(kind).unwrap_or(self.kind);
        f.text("name", &mut self.name, TextForm::Name)
    }
}
