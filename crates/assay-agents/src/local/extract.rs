//! `assay extract`: the main text of one HTML file.
//!
//! Characters are decoded as in refining; the text comes from [`assay_refine::extract`].

use std::path::Path;

use assay_refine::charset;
use assay_refine::extract::{ExtractDrop, ExtractOptions, Metadata, explain_html, extract};
use assay_refine::language::{LanguageOptions, detect};
use serde::Serialize;

use super::error::LocalError;
use super::pack::{read_page, read_page_of_stdin};

/// The main text of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PageText {
    /// The file, as it was named.
    pub file: String,
    /// The page's title.
    pub title: Option<String>,
    /// Its main text; empty if there is none.
    pub text: String,
    /// The comments under it, in the same form; `null` if it has none or they are the text, as in a forum.
    pub comments: Option<String>,
    /// ISO 639-1 code of the text; empty if unknown.
    pub language: String,
    /// What the page says about itself.
    pub metadata: PageFacts,
    /// Why there is no text.
    #[serde(skip)]
    pub dropped: Option<&'static str>,
}

/// What a page says about itself, as far as it does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PageFacts {
    /// Author.
    pub author: Option<String>,
    /// Date of publication as the page writes it.
    pub date: Option<String>,
    /// Name of the site.
    pub site_name: Option<String>,
    /// Address of the licence.
    pub licence: Option<String>,
    /// Type of page.
    pub page_type: Option<&'static str>,
}

fn facts(metadata: Metadata) -> PageFacts {
    PageFacts {
        author: metadata.author,
        date: metadata.date,
        site_name: metadata.site_name,
        licence: metadata.licence,
        page_type: metadata.page_type,
    }
}

/// The bytes of a page, `.gz` inflated; `-` is stdin, inflated if it is gzip or zstd.
fn read(path: &Path) -> Result<Vec<u8>, LocalError> {
    if path == Path::new("-") {
        read_page_of_stdin()
    } else {
        read_page(path)
    }
}

/// The report on the choice of blocks of one file, as HTML; `None` if the page has none or is over a budget.
pub fn explain_file(path: &Path, options: &ExtractOptions) -> Result<Option<String>, LocalError> {
    let bytes = read(path)?;
    let decoded = charset::decode(&bytes, None, None);
    Ok(explain_html(&decoded.text, options).ok())
}

/// Extracts one file, `.gz` inflated; `-` is stdin, inflated if it is gzip or zstd.
pub fn extract_file(path: &Path, options: &ExtractOptions) -> Result<PageText, LocalError> {
    let bytes = read(path)?;
    let file = path.display().to_string();
    let decoded = charset::decode(&bytes, None, None);
    Ok(match extract(&decoded.text, options) {
        Ok(page) => {
            let language = detect(&page.text, &LanguageOptions::default()).code.to_owned();
            PageText {
                file,
                title: page.title,
                text: page.text,
                comments: page.comments,
                language,
                metadata: facts(page.metadata),
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
                comments: None,
                language: String::new(),
                metadata: PageFacts::default(),
                dropped: Some(dropped),
            }
        }
    })
}
