//! `assay extract`: the main text of one HTML file.
//!
//! Characters are decoded as in refining; the text comes from [`assay_refine::extract`].

use std::path::Path;

use assay_refine::charset;
use assay_refine::extract::{ExtractDrop, ExtractOptions, Profile, extract};
use assay_refine::language::{LanguageOptions, detect};
use serde::Serialize;

use super::error::LocalError;
use super::pack::read_page;

/// The main text of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PageText {
    /// The file, as it was named.
    pub file: String,
    /// The page's title.
    pub title: Option<String>,
    /// Its main text; empty if there is none.
    pub text: String,
    /// ISO 639-1 code of the text; empty if unknown.
    pub language: String,
    /// Why there is no text.
    #[serde(skip)]
    pub dropped: Option<&'static str>,
}

/// Extracts one file, `.gz` inflated; `-` is stdin.
pub fn extract_file(path: &Path, profile: Profile) -> Result<PageText, LocalError> {
    let bytes = if path == Path::new("-") {
        read_stdin()?
    } else {
        read_page(path)?
    };
    let file = path.display().to_string();
    let options = ExtractOptions {
        profile,
        ..ExtractOptions::default()
    };
    let decoded = charset::decode(&bytes, None, None);
    Ok(match extract(&decoded.text, &options) {
        Ok(page) => {
            let language = detect(&page.text, &LanguageOptions::default()).code.to_owned();
            PageText {
                file,
                title: page.title,
                text: page.text,
                language,
                dropped: None,
            }
        }
        Err(drop) => {
            let dropped = match drop {
                ExtractDrop::OverBudget(budget) => budget,
                ExtractDrop::Empty => "empty",
            };
            PageText {
                file,
                title: None,
                text: String::new(),
                language: String::new(),
                dropped: Some(dropped),
            }
        }
    })
}

fn read_stdin() -> Result<Vec<u8>, LocalError> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let limit = super::pack::PAGE_BYTES_MAX;
    std::io::stdin()
        .lock()
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(LocalError::io("stdin"))?;
    Ok(bytes)
}
