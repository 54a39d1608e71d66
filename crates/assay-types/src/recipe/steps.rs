//! The steps of a recipe and their thresholds; defaults are FineWeb's.
//!
//! Source of every default: datatrove @a649de79, `examples/fineweb.py` and the filter named at each struct. A
//! share is an integer in parts per million and compared as `count·1,000,000 > ppm·total`.

use crate::recipe::RecipeError;
use crate::recipe::fields::{Fields, Table, TextForm};

/// Kinds of steps, in the order of `fineweb-en-v1`.
pub const STEP_KINDS: [&str; 7] = [
    "url_filter",
    "language",
    "gopher_repetition",
    "gopher_quality",
    "c4",
    "fineweb_quality",
    "minhash",
];

/// Largest threshold in words, lines or characters.
const COUNT_MAX: u32 = 1_000_000_000;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Drops by URL.
    UrlFilter(UrlFilterParams),
    /// Keeps one language.
    Language(LanguageParams),
    /// Drops texts that repeat themselves.
    GopherRepetition(GopherRepetitionParams),
    /// Drops texts that are not prose.
    GopherQuality(GopherQualityParams),
    /// Rewrites the text line by line, drops what is left too short.
    C4(C4Params),
    /// Drops lists and fragments.
    FinewebQuality(FinewebQualityParams),
    /// Drops near-duplicates inside the unit; always the last step.
    Minhash(MinhashParams),
}

impl Step {
    /// The step's kind, one of [`STEP_KINDS`].
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::UrlFilter(_) => "url_filter",
            Self::Language(_) => "language",
            Self::GopherRepetition(_) => "gopher_repetition",
            Self::GopherQuality(_) => "gopher_quality",
            Self::C4(_) => "c4",
            Self::FinewebQuality(_) => "fineweb_quality",
            Self::Minhash(_) => "minhash",
        }
    }

    /// The step of a kind with FineWeb's thresholds.
    pub fn of_kind(kind: &str) -> Option<Self> {
        Some(match kind {
            "url_filter" => Self::UrlFilter(UrlFilterParams::default()),
            "language" => Self::Language(LanguageParams::default()),
            "gopher_repetition" => Self::GopherRepetition(GopherRepetitionParams::default()),
            "gopher_quality" => Self::GopherQuality(GopherQualityParams::default()),
            "c4" => Self::C4(C4Params::default()),
            "fineweb_quality" => Self::FinewebQuality(FinewebQualityParams::default()),
            "minhash" => Self::Minhash(MinhashParams::default()),
            _ => return None,
        })
    }
}

impl Table for Step {
    fn fields(&mut self, f: &mut dyn Fields) -> Result<(), RecipeError> {
        match self {
            Self::UrlFilter(params) => params.fields(f),
            Self::Language(params) => params.fields(f),
            Self::GopherRepetition(params) => params.fields(f),
            Self::GopherQuality(params) => params.fields(f),
            Self::C4(params) => params.fields(f),
            Self::FinewebQuality(params) => params.fields(f),
            Self::Minhash(params) => params.fields(f),
        }
    }
}

/// Lists of the URL filter by artifact name, "" for an empty list (`filters/url_filter.py`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlFilterParams {
    /// Substrings (word list) that drop an URL once it is stripped of everything but letters and digits.
    pub banned_subwords: String,
    /// Words (word list) of which one drops the URL.
    pub banned_words: String,
    /// Registered and full domains (domain hashes) that drop the URL.
    pub domains: String,
    /// Words (word list) of which `soft_words_min` different ones drop the URL.
    pub soft_banned_words: String,
    /// Different soft-banned words that drop an URL: 2.
    pub soft_words_min: u32,
    /// Whole URLs (word list) that are dropped.
    pub urls: String,
}

impl Default for UrlFilterParams {
    fn default() -> Self {
        Self {
            banned_subwords: String::new(),
            banned_words: String::new(),
            domains: String::new(),
            soft_banned_words: String::new(),
            soft_words_min: 2,
            urls: String::new(),
        }
    }
}

impl Table for UrlFilterParams {
    fn fields(&mut self, f: &mut dyn Fields) -> Result<(), RecipeError> {
        f.text("banned_subwords", &mut self.banned_subwords, TextForm::NameOrNone)?;
        f.text("banned_words", &mut self.banned_words, TextForm::NameOrNone)?;
        f.text("domains", &mut self.domains, TextForm::NameOrNone)?;
        f.text(
            "soft_banned_words",
            &mut self.soft_banned_words,
            TextForm::NameOrNone,
        )?;
        f.small("soft_words_min", &mut self.soft_words_min, 1..=COUNT_MAX)?;
        f.text("urls", &mut self.urls, TextForm::NameOrNone)
    }
}

/// The language step without a model file (deviation D6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanguageParams {
    /// First bytes of the text that the second detector reads, cut at a character.
    pub head_bytes: u32,
    /// Language kept, two-letter code.
    pub keep: String,
    /// Fewest letters of a text whose language is believed.
    pub letters_min: u32,
    /// Detectors that must agree.
    pub model: String,
    /// The score must be above this, parts per million (0.65 in `filters/language_filter.py`).
    pub score_ppm: u32,
}

impl Default for LanguageParams {
    fn default() -> Self {
        Self {
            head_bytes: 4_096,
            keep: "en".into(),
            letters_min: 20,
            model: "whichlang+whatlang".into(),
            score_ppm: 650_000,
        }
    }
}

impl Table for LanguageParams {
    fn fields(&mut self, f: &mut dyn Fields) -> Result<(), RecipeError> {
        f.small("head_bytes", &mut self.head_bytes, 64..=1 << 24)?;
        f.text("keep", &mut self.keep, TextForm::Name)?;
        f.small("letters_min", &mut self.letters_min, 0..=COUNT_MAX)?;
        f.text("model", &mut self.model, TextForm::Name)?;
        f.ppm("score_ppm", &mut self.score_ppm)
    }
}

/// Shares above which a text repeats itself (`filters/gopher_repetition_filter.py`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GopherRepetitionParams {
    /// Repeated lines: .30.
    pub dup_line_ppm: u32,
    /// Characters of repeated lines: .20.
    pub dup_line_char_ppm: u32,
    /// Repeated paragraphs: .30.
    pub dup_para_ppm: u32,
    /// Characters of repeated paragraphs: .20.
    pub dup_para_char_ppm: u32,
    /// Characters of the commonest 2-, 3-, 4-gram: .20, .18, .16.
    pub top_gram_ppm: [u32; 3],
    /// Characters of repeated 5- to 10-grams: .15, .14, .13, .12, .11, .10.
    pub duplicated_gram_ppm: [u32; 6],
}

impl Default for GopherRepetitionParams {
    fn default() -> Self {
        Self {
            dup_line_ppm: 300_000,
            dup_line_char_ppm: 200_000,
            dup_para_ppm: 300_000,
            dup_para_char_ppm: 200_000,
            top_gram_ppm: [200_000, 180_000, 160_000],
            duplicated_gram_ppm: [150_000, 140_000, 130_000, 120_000, 110_000, 100_000],
        }
    }
}

impl Table for GopherRepetitionParams {
    fn fields(&mut self, f: &mut dyn Fields) -> Result<(), RecipeError> {
        f.ppm("dup_line_char_ppm", &mut self.dup_line_char_ppm)?;
        f.ppm("dup_line_ppm", &mut self.dup_line_ppm)?;
        f.ppm("dup_para_char_ppm", &mut self.dup_para_char_ppm)?;
        f.ppm("dup_para_ppm", &mut self.dup_para_ppm)?;
        let [two, three, four] = &mut self.top_gram_ppm;
        f.ppm("top_2_gram_ppm", two)?;
        f.ppm("top_3_gram_ppm", three)?;
        f.ppm("top_4_gram_ppm", four)?;
        let [five, six, seven, eight, nine, ten] = &mut self.duplicated_gram_ppm;
        f.ppm("duplicated_5_n_grams_ppm", five)?;
        f.ppm("duplicated_6_n_grams_ppm", six)?;
        f.ppm("duplicated_7_n_grams_ppm", seven)?;
        f.ppm("duplicated_8_n_grams_ppm", eight)?;
        f.ppm("duplicated_9_n_grams_ppm", nine)?;
        f.ppm("duplicated_10_n_grams_ppm", ten)
    }
}

/// What prose looks like (`filters/gopher_quality_filter.py`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GopherQualityParams {
    /// Smallest share of words with a letter: .8.
    pub alpha_words_ppm: u32,
    /// Largest share of lines that start with a bullet: .9.
    pub bullet_lines_ppm: u32,
    /// Largest number of ellipses per word: .1.
    pub ellipsis_ppm: u32,
    /// Largest share of lines that end with an ellipsis: .3.
    pub ellipsis_lines_ppm: u32,
    /// Largest number of `#` per word: .1.
    pub hash_ppm: u32,
    /// The stop words, compared with their case.
    pub stop_words: Vec<String>,
    /// Fewest different stop words: 2.
    pub stop_words_min: u32,
    /// Largest mean length of a word in characters: 10.
    pub word_chars_mean_max: u32,
    /// Smallest mean length of a word in characters: 3.
    pub word_chars_mean_min: u32,
    /// Most words that are no symbols: 100,000.
    pub words_max: u32,
    /// Fewest words that are no symbols: 50.
    pub words_min: u32,
}

impl Default for GopherQualityParams {
    fn default() -> Self {
        let stop_words = ["the", "be", "to", "of", "and", "that", "have", "with"];
        Self {
            alpha_words_ppm: 800_000,
            bullet_lines_ppm: 900_000,
            ellipsis_ppm: 100_000,
            ellipsis_lines_ppm: 300_000,
            hash_ppm: 100_000,
            stop_words: stop_words.map(String::from).to_vec(),
            stop_words_min: 2,
            word_chars_mean_max: 10,
            word_chars_mean_min: 3,
            words_max: 100_000,
            words_min: 50,
        }
    }
}

impl Table for GopherQualityParams {
    fn fields(&mut self, f: &mut dyn Fields) -> Result<(), RecipeError> {
        f.ppm("alpha_words_ppm", &mut self.alpha_words_ppm)?;
        f.ppm("bullet_lines_ppm", &mut self.bullet_lines_ppm)?;
        f.ppm("ellipsis_lines_ppm", &mut self.ellipsis_lines_ppm)?;
        f.ppm("ellipsis_ppm", &mut self.ellipsis_ppm)?;
        f.ppm("hash_ppm", &mut self.hash_ppm)?;
        f.texts("stop_words", &mut self.stop_words, TextForm::Line)?;
        f.small("stop_words_min", &mut self.stop_words_min, 0..=64)?;
        f.small(
            "word_chars_mean_max",
            &mut self.word_chars_mean_max,
            1..=COUNT_MAX,
        )?;
        f.small(
            "word_chars_mean_min",
            &mut self.word_chars_mean_min,
            0..=COUNT_MAX,
        )?;
        f.small("words_max", &mut self.words_max, 1..=COUNT_MAX)?;
        f.small("words_min", &mut self.words_min, 0..=COUNT_MAX)?;
        let crossed = |low, high| RecipeError::Crossed {
            table: "[[step]] gopher_quality".into(),
            low,
            high,
        };
        if self.words_min > self.words_max {
            return Err(crossed("words_min", "words_max"));
        }
        if self.word_chars_mean_min > self.word_chars_mean_max {
            return Err(crossed("word_chars_mean_min", "word_chars_mean_max"));
        }
        Ok(())
    }
}

/// Line rules of C4 as FineWeb uses them: without the terminal-punctuation rule (`filters/c4_filters.py`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct C4Params {
    /// Fewest words of a line: 3.
    pub line_words_min: u32,
    /// Fewest sentences of the rewritten text: 5.
    pub sentences_min: u32,
    /// Longest word of a line in characters: 1,000.
    pub word_chars_max: u32,
}

impl Default for C4Params {
    fn default() -> Self {
        Self {
            line_words_min: 3,
            sentences_min: 5,
            word_chars_max: 1_000,
        }
    }
}

impl Table for C4Params {
    fn fields(&mut self, f: &mut dyn Fields) -> Result<(), RecipeError> {
        f.small("line_words_min", &mut self.line_words_min, 0..=COUNT_MAX)?;
        f.small("sentences_min", &mut self.sentences_min, 0..=COUNT_MAX)?;
        f.small("word_chars_max", &mut self.word_chars_max, 1..=COUNT_MAX)
    }
}

/// FineWeb's own rules (`filters/fineweb_quality_filter.py`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinewebQualityParams {
    /// Largest share of characters in repeated lines: .01.
    pub char_dup_ppm: u32,
    /// Smallest share of lines that end with terminal punctuation: .12.
    pub line_punct_ppm: u32,
    /// Largest number of line ends per word: .3.
    pub list_ppm: u32,
    /// Longest short line in characters: 30.
    pub short_line_chars: u32,
    /// Largest share of short lines: .67.
    pub short_line_ppm: u32,
}

impl Default for FinewebQualityParams {
    fn default() -> Self {
        Self {
            char_dup_ppm: 10_000,
            line_punct_ppm: 120_000,
            list_ppm: 300_000,
            short_line_chars: 30,
            short_line_ppm: 670_000,
        }
    }
}

impl Table for FinewebQualityParams {
    fn fields(&mut self, f: &mut dyn Fields) -> Result<(), RecipeError> {
        f.ppm("char_dup_ppm", &mut self.char_dup_ppm)?;
        f.ppm("line_punct_ppm", &mut self.line_punct_ppm)?;
        f.ppm("list_ppm", &mut self.list_ppm)?;
        f.small("short_line_chars", &mut self.short_line_chars, 0..=COUNT_MAX)?;
        f.ppm("short_line_ppm", &mut self.short_line_ppm)
    }
}

/// MinHash inside the unit (`pipeline/dedup/minhash.py`); bands and rows are fixed by the format of `bands.parquet`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinhashParams {
    /// Bands: 14.
    pub bands: u32,
    /// Minima of a band: 8.
    pub band_minima: u32,
    /// Seed of the permutations: 1.
    pub seed: u32,
    /// Words of a shingle: 5.
    pub shingle_words: u32,
}

impl Default for MinhashParams {
    fn default() -> Self {
        Self {
            bands: 14,
            band_minima: 8,
            seed: 1,
            shingle_words: 5,
        }
    }
}

impl Table for MinhashParams {
    fn fields(&mut self, f: &mut dyn Fields) -> Result<(), RecipeError> {
        f.small("band_minima", &mut self.band_minima, 8..=8)?;
        f.small("bands", &mut self.bands, 14..=14)?;
        f.small("seed", &mut self.seed, 0..=u32::MAX)?;
        f.small("shingle_words", &mut self.shingle_words, 1..=64)
    }
}
