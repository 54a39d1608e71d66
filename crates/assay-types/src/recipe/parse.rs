//! TOML in any layout to a checked recipe.
//!
//! Foreign text comes in; a [`Recipe`] whose every value is in range leaves, or the first error with its key.

use crate::hash::Digest;
use crate::reason::STEPS_MAX;
use crate::recipe::fields::{Fields, Table, TextForm};
use crate::recipe::model::Header;
use crate::recipe::names::{nearest, quoted};
use crate::recipe::{
    ARTIFACT_BYTES_MAX, ARTIFACTS_MAX, Artifact, ArtifactKind, ExtractParams, RECIPE_BYTES_MAX, ReadParams,
    Recipe, RecipeError, STEP_KINDS, Step,
};
use std::ops::RangeInclusive;
use toml::Value;

/// Most elements of a list.
const LIST_MAX: usize = 64;

/// The tables a recipe may have beside its header.
const TABLES: [&str; 4] = ["read", "extract", "step", "artifact"];

/// The recipe of `text`.
pub(crate) fn recipe(text: &str) -> Result<Recipe, RecipeError> {
    if text.len() > RECIPE_BYTES_MAX {
        return Err(RecipeError::TooLong {
            found: text.len(),
            max: RECIPE_BYTES_MAX,
        });
    }
    let mut top: toml::Table = text.parse().map_err(|error| RecipeError::Toml(Box::new(error)))?;
    let [read, extract, steps, artifacts] = TABLES.map(|name| (name, top.remove(name)));

    let mut header = Header::default();
    Reader::required("the recipe's first lines", top, &TABLES).fill(&mut header)?;
    let mut recipe = Recipe {
        name: header.name,
        version: header.version,
        engine: header.engine,
        licence: header.licence,
        read: ReadParams::default(),
        extract: ExtractParams::default(),
        steps: Vec::new(),
        artifacts: Vec::new(),
    };
    Reader::defaulted("[read]", table(read)?).fill(&mut recipe.read)?;
    Reader::defaulted("[extract]", table(extract)?).fill(&mut recipe.extract)?;
    for keys in tables(steps, STEPS_MAX)? {
        recipe.steps.push(step(keys)?);
    }
    for keys in tables(artifacts, ARTIFACTS_MAX)? {
        recipe.artifacts.push(artifact(keys)?);
    }
    recipe.artifacts.sort_by(|a, b| a.name.cmp(&b.name));
    check_steps(&recipe.steps)?;
    check_artifacts(&recipe)?;
    Ok(recipe)
}

/// One `[[step]]`.
fn step(mut keys: toml::Table) -> Result<Step, RecipeError> {
    let kind = match keys.remove("kind") {
        Some(Value::String(kind)) => kind,
        Some(_) => return Err(wrong_type("[[step]]", "kind", "a string")),
        None => {
            return Err(RecipeError::MissingKey {
                table: "[[step]]".into(),
                key: "kind",
            });
        }
    };
    let mut step = Step::of_kind(&kind).ok_or_else(|| RecipeError::Choice {
        table: "[[step]]".into(),
        key: "kind",
        found: quoted(&kind),
        nearest: nearest(&kind, &STEP_KINDS),
    })?;
    Reader::defaulted(&format!("[[step]] {}", step.kind()), keys).fill(&mut step)?;
    Ok(step)
}

/// One `[[artifact]]`.
fn artifact(keys: toml::Table) -> Result<Artifact, RecipeError> {
    let mut artifact = Artifact {
        name: String::new(),
        kind: ArtifactKind::WordList,
        bytes: 0,
        blake3: Digest::ZERO,
    };
    Reader::required("[[artifact]]", keys, &[]).fill(&mut artifact)?;
    Ok(artifact)
}

/// Each kind once, near-duplicates last: every earlier step looks at one record only.
fn check_steps(steps: &[Step]) -> Result<(), RecipeError> {
    for (k, step) in steps.iter().enumerate() {
        let kind = step.kind();
        if steps.iter().take(k).any(|before| before.kind() == kind) {
            return Err(RecipeError::StepOrder {
                kind,
                what: "stands twice",
            });
        }
        if matches!(step, Step::Minhash(_)) && k + 1 != steps.len() {
            return Err(RecipeError::StepOrder {
                kind,
                what: "is not the last one",
            });
        }
    }
    Ok(())
}

/// Names once, the size together within bounds, and what steps name is there and of the right kind.
fn check_artifacts(recipe: &Recipe) -> Result<(), RecipeError> {
    let wrong = |name: &str, what| {
        Err(RecipeError::Artifact {
            name: name.to_owned(),
            what,
        })
    };
    let mut bytes = 0_u64;
    for (artifact, after) in recipe
        .artifacts
        .iter()
        .zip(recipe.artifacts.iter().skip(1).map(Some).chain([None]))
    {
        if after.is_some_and(|after| after.name == artifact.name) {
            return wrong(&artifact.name, "stands twice");
        }
        bytes = bytes.saturating_add(artifact.bytes);
        if bytes > ARTIFACT_BYTES_MAX {
            return wrong(&artifact.name, "brings the artifacts above 64 MiB");
        }
    }
    for step in &recipe.steps {
        let Step::UrlFilter(lists) = step else { continue };
        for (name, kind) in [
            (&lists.banned_subwords, ArtifactKind::WordList),
            (&lists.banned_words, ArtifactKind::WordList),
            (&lists.domains, ArtifactKind::DomainHashes),
            (&lists.soft_banned_words, ArtifactKind::WordList),
            (&lists.urls, ArtifactKind::DomainHashes),
        ] {
            match recipe.artifact(name) {
                _ if name.is_empty() => {}
                None => return wrong(name, "is named by step `url_filter` but not listed"),
                Some(artifact) if artifact.kind != kind => {
                    return wrong(name, "is of another kind than step `url_filter` needs");
                }
                Some(_) => {}
            }
        }
    }
    Ok(())
}

fn wrong_type(table: &str, key: &str, expected: &'static str) -> RecipeError {
    RecipeError::Type {
        table: table.to_owned(),
        key: quoted(key),
        expected,
    }
}

/// An optional table.
fn table((name, value): (&'static str, Option<Value>)) -> Result<toml::Table, RecipeError> {
    match value {
        None => Ok(toml::Table::new()),
        Some(Value::Table(table)) => Ok(table),
        Some(_) => Err(wrong_type("the recipe", name, "a table")),
    }
}

/// An optional array of at most `max` tables.
fn tables((name, value): (&'static str, Option<Value>), max: usize) -> Result<Vec<toml::Table>, RecipeError> {
    let items = match value {
        None => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(wrong_type("the recipe", name, "an array of tables")),
    };
    if items.len() > max {
        return Err(RecipeError::List {
            table: "the recipe".into(),
            key: name,
        });
    }
    items.into_iter().map(|item| table((name, Some(item)))).collect()
}

/// Fills a table's fields from TOML and remembers which keys there are.
struct Reader {
    table: String,
    keys: toml::Table,
    known: Vec<&'static str>,
    /// Whether a missing key is an error or leaves the default.
    is_required: bool,
    missing: Option<&'static str>,
}

impl Reader {
    fn required(table: &str, keys: toml::Table, also_known: &[&'static str]) -> Self {
        let known = also_known.to_vec();
        Self {
            table: table.to_owned(),
            keys,
            known,
            is_required: true,
            missing: None,
        }
    }

    fn defaulted(table: &str, keys: toml::Table) -> Self {
        Self {
            table: table.to_owned(),
            keys,
            known: Vec::new(),
            is_required: false,
            missing: None,
        }
    }

    /// Reads every key of `into`; what is left over is unknown.
    ///
    /// A misspelt key is told before the missing one that it was meant to be.
    fn fill(mut self, into: &mut dyn Table) -> Result<(), RecipeError> {
        into.fields(&mut self)?;
        if let Some(key) = self.keys.keys().next() {
            let (key, nearest) = (quoted(key), nearest(key, &self.known));
            return Err(RecipeError::UnknownKey {
                table: self.table,
                key,
                nearest,
            });
        }
        match self.missing {
            Some(key) => Err(RecipeError::MissingKey {
                table: self.table,
                key,
            }),
            None => Ok(()),
        }
    }

    /// The value of a key, taken off the table.
    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        let value = self.keys.remove(key);
        if value.is_none() && self.is_required {
            self.missing = self.missing.or(Some(key));
        }
        value
    }

    fn in_range(
        &self,
        key: &'static str,
        value: &Value,
        range: &RangeInclusive<u64>,
    ) -> Result<u64, RecipeError> {
        let found = value
            .as_integer()
            .ok_or_else(|| wrong_type(&self.table, key, "an integer"))?;
        let (min, max) = (*range.start(), *range.end());
        u64::try_from(found)
            .ok()
            .filter(|value| range.contains(value))
            .ok_or_else(|| RecipeError::Range {
                table: self.table.clone(),
                key,
                found,
                min,
                max,
            })
    }

    fn of_form(&self, key: &'static str, value: Value, form: TextForm) -> Result<String, RecipeError> {
        let Value::String(text) = value else {
            return Err(wrong_type(&self.table, key, "a string"));
        };
        if form.allows(&text) {
            return Ok(text);
        }
        Err(RecipeError::Text {
            table: self.table.clone(),
            key,
            expected: form.expected(),
        })
    }

    /// The elements of a list, at least one and not too many.
    fn elements(&self, key: &'static str, value: Value) -> Result<Vec<Value>, RecipeError> {
        let Value::Array(items) = value else {
            return Err(wrong_type(&self.table, key, "an array"));
        };
        if items.is_empty() || items.len() > LIST_MAX {
            return Err(self.bad_list(key));
        }
        Ok(items)
    }

    fn bad_list(&self, key: &'static str) -> RecipeError {
        RecipeError::List {
            table: self.table.clone(),
            key,
        }
    }
}

/// Whether no element stands twice.
fn all_different<T: PartialEq>(items: &[T]) -> bool {
    items
        .iter()
        .enumerate()
        .all(|(i, item)| !items.iter().take(i).any(|before| before == item))
}

impl Fields for Reader {
    fn integer(
        &mut self,
        key: &'static str,
        value: &mut u64,
        range: RangeInclusive<u64>,
    ) -> Result<(), RecipeError> {
        if let Some(found) = self.take(key) {
            *value = self.in_range(key, &found, &range)?;
        }
        Ok(())
    }

    fn text(&mut self, key: &'static str, value: &mut String, form: TextForm) -> Result<(), RecipeError> {
        if let Some(found) = self.take(key) {
            *value = self.of_form(key, found, form)?;
        }
        Ok(())
    }

    fn choice(
        &mut self,
        key: &'static str,
        value: &mut &'static str,
        known: &[&'static str],
    ) -> Result<(), RecipeError> {
        let Some(found) = self.take(key) else {
            return Ok(());
        };
        let Value::String(found) = found else {
            return Err(wrong_type(&self.table, key, "a string"));
        };
        *value = known
            .iter()
            .find(|known| **known == found)
            .copied()
            .ok_or_else(|| RecipeError::Choice {
                table: self.table.clone(),
                key,
                found: quoted(&found),
                nearest: nearest(&found, known),
            })?;
        Ok(())
    }

    fn texts(
        &mut self,
        key: &'static str,
        value: &mut Vec<String>,
        form: TextForm,
    ) -> Result<(), RecipeError> {
        let Some(found) = self.take(key) else {
            return Ok(());
        };
        let items = self.elements(key, found)?;
        *value = items
            .into_iter()
            .map(|item| self.of_form(key, item, form))
            .collect::<Result<_, _>>()?;
        if all_different(value) {
            Ok(())
        } else {
            Err(self.bad_list(key))
        }
    }

    fn integers(
        &mut self,
        key: &'static str,
        value: &mut Vec<u64>,
        range: RangeInclusive<u64>,
    ) -> Result<(), RecipeError> {
        let Some(found) = self.take(key) else {
            return Ok(());
        };
        let items = self.elements(key, found)?;
        *value = items
            .iter()
            .map(|item| self.in_range(key, item, &range))
            .collect::<Result<_, _>>()?;
        if all_different(value) {
            Ok(())
        } else {
            Err(self.bad_list(key))
        }
    }
}
