//! Makes a recipe ready to run, and refuses one this engine cannot run exactly as it is written.
//!
//! Takes a [`Recipe`] and its URL lists; the [`Engine`] is shared by all worker threads.

use assay_types::recipe::{
    CharsetStage, ENGINE, ExtractParams, MinhashParams, Profile as RecipeProfile, TextOutput,
};
use assay_types::{Recipe, RecipeId, Step};

use crate::extract::{ExtractOptions, MarkdownOptions, Output, Profile};
use crate::filter::url::UrlFilter;
use crate::html::ParseLimits;
use crate::url_lists::{UrlListError, UrlListKind, UrlLists};
use crate::warc::{RECORD_OVERHEAD_BYTES, ReadLimits};

/// Why a recipe cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Made for another engine version.
    #[error("recipe `{recipe}` is for engine {wanted}, this is {ENGINE}")]
    Version {
        /// The recipe's name.
        recipe: String,
        /// The engine version it names.
        wanted: String,
    },
    /// A key has a value that this engine version has only one way to do.
    #[error("recipe `{recipe}`: engine {ENGINE} does not support this `{key}`")]
    Unsupported {
        /// The recipe's name.
        recipe: String,
        /// The key, with its table.
        key: &'static str,
    },
    /// A list that the recipe names was not given.
    #[error("recipe `{recipe}` needs the artifact `{artifact}`")]
    MissingArtifact {
        /// The recipe's name.
        recipe: String,
        /// The artifact's name.
        artifact: String,
    },
    /// A list differs from the one the recipe names.
    #[error("artifact `{artifact}` has digest {found}, recipe `{recipe}` names {wanted}")]
    OtherArtifact {
        /// The recipe's name.
        recipe: String,
        /// The artifact's name.
        artifact: String,
        /// The digest of what was given.
        found: String,
        /// The digest in the recipe.
        wanted: String,
    },
    /// A list cannot be searched.
    #[error(transparent)]
    Lists(#[from] UrlListError),
}

/// A recipe, ready to run.
#[derive(Debug)]
pub struct Engine {
    pub(super) recipe: Recipe,
    recipe_id: RecipeId,
    pub(super) read_limits: ReadLimits,
    pub(super) extract: ExtractOptions,
    /// One for each `url_filter` step, in order.
    pub(super) url_filters: Vec<UrlFilter>,
}

impl Engine {
    /// Makes `recipe` ready; `lists` are the URL lists it names (empty for recipes without).
    ///
    /// # Errors
    /// If the recipe is for another engine, asks for something this one cannot do, or its lists are missing or others.
    pub fn new(recipe: Recipe, lists: &UrlLists) -> Result<Self, EngineError> {
        check_supported(&recipe)?;
        let mut url_filters = Vec::new();
        for step in &recipe.steps {
            if let Step::UrlFilter(params) = step {
                let own = lists_of(&recipe, params, lists)?;
                url_filters.push(UrlFilter::new(own, params)?);
            }
        }
        Ok(Self {
            recipe_id: recipe.id(),
            read_limits: read_limits(&recipe),
            extract: extract_options(&recipe),
            url_filters,
            recipe,
        })
    }

    /// The recipe's id: what rows and manifests carry.
    pub fn recipe_id(&self) -> RecipeId {
        self.recipe_id
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Budgets for reading archives.
    pub fn read_limits(&self) -> ReadLimits {
        self.read_limits
    }

    /// Names of the funnel's stages in order; `kept` comes after them.
    pub fn stages(&self) -> Vec<&'static str> {
        let (early, late) = self.recipe.steps.split_at(self.early_steps());
        let mut stages = vec!["records", "content", "html"];
        stages.extend(early.iter().map(Step::kind));
        stages.push("extract");
        // Deduplication looks at neighbours: its survivors are the last stage, `kept`.
        stages.extend(
            late.iter()
                .filter(|step| !matches!(step, Step::Minhash(_)))
                .map(Step::kind),
        );
        stages
    }

    /// Steps that need no text and run before extraction: the leading `url_filter` steps.
    pub(super) fn early_steps(&self) -> usize {
        self.recipe
            .steps
            .iter()
            .take_while(|step| matches!(step, Step::UrlFilter(_)))
            .count()
    }
}

fn check_supported(recipe: &Recipe) -> Result<(), EngineError> {
    if recipe.engine != ENGINE {
        return Err(EngineError::Version {
            recipe: recipe.name.clone(),
            wanted: recipe.engine.clone(),
        });
    }
    let unsupported = |key| {
        Err(EngineError::Unsupported {
            recipe: recipe.name.clone(),
            key,
        })
    };
    let charsets: Vec<CharsetStage> = CharsetStage::ALL.iter().map(|(stage, _)| *stage).collect();
    if recipe.read.charset != charsets {
        return unsupported("[read] charset");
    }
    let known = ["text/html", "application/xhtml+xml"];
    if recipe
        .read
        .mime
        .iter()
        .any(|mime| !known.contains(&mime.as_str()))
    {
        return unsupported("[read] mime");
    }
    if recipe
        .read
        .mime_conversion
        .iter()
        .any(|mime| mime != "text/plain")
    {
        return unsupported("[read] mime_conversion");
    }
    // Budgets of tables with resolved spans, which only Markdown writes.
    let tables = |params: &ExtractParams| (params.colspan_max, params.rowspan_max, params.table_cells_max);
    let is_plain = recipe.extract.output == TextOutput::Plain;
    if is_plain && tables(&recipe.extract) != tables(&ExtractParams::default()) {
        return unsupported("[extract] colspan_max, rowspan_max, table_cells_max");
    }
    let mut after_minhash = false;
    let mut after_others = false;
    for step in &recipe.steps {
        if after_minhash {
            return unsupported("[[step]] after minhash");
        }
        match step {
            // Addresses are looked at before the page is decoded.
            Step::UrlFilter(_) if after_others => {
                return unsupported("[[step]] url_filter after another step");
            }
            Step::Minhash(params) if *params != MinhashParams::default() => {
                return unsupported("[[step]] minhash");
            }
            Step::Minhash(_) => after_minhash = true,
            Step::Language(params) if params.model != "whichlang+whatlang" => {
                return unsupported("[[step]] language model");
            }
            _ => {}
        }
        after_others |= !matches!(step, Step::UrlFilter(_));
    }
    Ok(())
}

/// Exactly the lists that a `url_filter` step names, checked against the recipe's digests.
fn lists_of(
    recipe: &Recipe,
    params: &assay_types::recipe::UrlFilterParams,
    given: &UrlLists,
) -> Result<UrlLists, EngineError> {
    let mut own = UrlLists::default();
    for (kind, name) in [
        (UrlListKind::Domains, &params.domains),
        (UrlListKind::Urls, &params.urls),
        (UrlListKind::BannedWords, &params.banned_words),
        (UrlListKind::SoftBannedWords, &params.soft_banned_words),
        (UrlListKind::BannedSubwords, &params.banned_subwords),
    ] {
        if name.is_empty() {
            continue;
        }
        let missing = || EngineError::MissingArtifact {
            recipe: recipe.name.clone(),
            artifact: name.clone(),
        };
        let artifact = recipe.artifact(name).ok_or_else(missing)?;
        if given.len(kind) == 0 && artifact.bytes > 0 {
            return Err(missing());
        }
        let found = assay_types::Digest(given.digest(kind));
        if found != artifact.blake3 {
            return Err(EngineError::OtherArtifact {
                recipe: recipe.name.clone(),
                artifact: name.clone(),
                found: found.to_string(),
                wanted: artifact.blake3.to_string(),
            });
        }
        match kind {
            UrlListKind::Domains => own.domains = given.domains.clone(),
            UrlListKind::Urls => own.urls = given.urls.clone(),
            UrlListKind::BannedWords => own.banned_words = given.banned_words.clone(),
            UrlListKind::SoftBannedWords => own.soft_banned_words = given.soft_banned_words.clone(),
            UrlListKind::BannedSubwords => own.banned_subwords = given.banned_subwords.clone(),
        }
    }
    Ok(own)
}

fn read_limits(recipe: &Recipe) -> ReadLimits {
    ReadLimits {
        bytes_max: recipe.extract.bytes_max,
        warc_header_bytes_max: recipe.read.warc_header_bytes_max as usize,
        http_header_bytes_max: recipe.read.http_header_bytes_max as usize,
        inflated_bytes_max: recipe.extract.bytes_max + RECORD_OVERHEAD_BYTES,
        ..ReadLimits::default()
    }
}

fn extract_options(recipe: &Recipe) -> ExtractOptions {
    let params = &recipe.extract;
    let markdown = MarkdownOptions {
        links: true,
        colspan_max: params.colspan_max as u32,
        rowspan_max: params.rowspan_max as u32,
        table_cells_max: params.table_cells_max as u32,
    };
    ExtractOptions {
        profile: match params.profile {
            RecipeProfile::Precision => Profile::Precision,
            RecipeProfile::Balanced => Profile::Balanced,
            RecipeProfile::Recall => Profile::Recall,
            RecipeProfile::Union => Profile::Union,
        },
        limits: ParseLimits {
            nodes_max: params.nodes_max as u32,
            depth_max: params.depth_max as u16,
            attributes_max: params.attributes_max as usize,
            attribute_bytes_max: params.attribute_bytes_max as usize,
            fuel_max: params.fuel_max,
        },
        text_max: params.text_max as usize,
        fuel_max: params.fuel_max,
        output: match params.output {
            TextOutput::Plain => Output::Plain,
            TextOutput::Markdown => Output::Markdown(MarkdownOptions {
                links: false,
                ..markdown
            }),
            TextOutput::MarkdownLinks => Output::Markdown(markdown),
        },
    }
}

#[cfg(test)]
mod tests {
    use assay_types::recipe::{builtin, builtin_names, fineweb_en_v1};

    use super::*;

    fn error_of(recipe: Recipe) -> String {
        Engine::new(recipe, &UrlLists::default()).unwrap_err().to_string()
    }

    #[test]
    fn built_in_recipes_run() {
        for name in builtin_names() {
            let recipe = builtin(name).unwrap();
            let id = recipe.id();
            assert_eq!(
                Engine::new(recipe, &UrlLists::default()).unwrap().recipe_id(),
                id,
                "{name}"
            );
        }
    }

    /// Found by review: such a filter was counted as a step and never ran.
    #[test]
    fn a_url_filter_behind_another_step_is_refused() {
        for places in [1, 3] {
            let mut recipe = fineweb_en_v1();
            recipe.steps[..=places].rotate_left(1);
            assert_eq!(recipe.check(), Ok(()), "the recipe itself is sound");
            assert_eq!(
                error_of(recipe),
                format!(
                    "recipe `fineweb-en-v1`: engine {ENGINE} does not support this `[[step]] url_filter after another step`"
                )
            );
        }
    }

    #[test]
    fn another_engine_is_refused() {
        let recipe = Recipe {
            engine: "9.0.0".to_owned(),
            ..fineweb_en_v1()
        };
        assert_eq!(
            error_of(recipe),
            format!("recipe `fineweb-en-v1` is for engine 9.0.0, this is {ENGINE}")
        );
    }
}
