//! The sample: HTML documentation that is already on the machine, packed into an archive to try things out on.
//!
//! First the Rust documentation (component `rust-docs` of the toolchain), else HTML documentation of other packages. No
//! network is needed.

use std::path::{Path, PathBuf};
use std::process::Command;

use assay_refine::extract::{ExtractOptions, visible_text};

use super::error::LocalError;
use super::pack::{Packed, PageFile, html_files, pack_pages, read_page};

/// Most pages of the sample.
pub(super) const PAGES_MAX: usize = 1_500;

/// Pages with fewer words are left out.
pub(super) const WORDS_MIN: usize = 100;

/// Largest page of the sample, in bytes: a few generated indexes are far larger than any page of prose.
const PAGE_BYTES_MAX: usize = 1 << 20;

/// Date of the sample's records: a constant, so that the sample's bytes depend on the pages alone.
const DATE: &str = "2000-01-01T00:00:00Z";

/// Folders with HTML documentation of other packages.
const OTHER_FOLDERS: [&str; 4] = [
    "/usr/share/doc",
    "/usr/share/gtk-doc/html",
    "/usr/local/share/doc",
    "/opt/homebrew/share/doc",
];

/// Packs the sample into `out`; returns what was packed and the folder it came from.
///
/// # Errors
/// If no HTML documentation is found, or the archive cannot be written.
pub fn pack_sample(out: &Path) -> Result<(Packed, PathBuf), LocalError> {
    let (folder, base_url, candidates) = rust_docs().or_else(other_docs).ok_or(LocalError::NoSample)?;
    let mut pages = Vec::new();
    for page in candidates {
        if pages.len() == PAGES_MAX {
            break;
        }
        if has_words(&read_page(&page.path)?) {
            pages.push(page);
        }
    }
    if pages.is_empty() {
        return Err(LocalError::NoSample);
    }
    Ok((pack_pages(&pages, out, base_url, DATE)?, folder))
}

fn has_words(html: &[u8]) -> bool {
    if html.len() > PAGE_BYTES_MAX {
        return false;
    }
    let text = visible_text(&String::from_utf8_lossy(html), &ExtractOptions::default());
    text.is_ok_and(|page| page.text.split_whitespace().nth(WORDS_MIN - 1).is_some())
}

type Docs = (PathBuf, &'static str, Vec<PageFile>);

/// Books first, then pages of `std` and `alloc` in an order that mixes their modules.
fn rust_docs() -> Option<Docs> {
    let folder = sysroots()
        .into_iter()
        .map(|root| root.join("share/doc/rust/html"))
        .find(|path| path.is_dir())?;
    let all = html_files(std::slice::from_ref(&folder)).ok()?;
    let is_library = |page: &PageFile| ["std/", "alloc/"].iter().any(|part| page.name.starts_with(part));
    let other_library = [
        "core/",
        "proc_macro/",
        "test/",
        "src/",
        "static.files/",
        "search.index/",
    ];
    let mut library: Vec<PageFile> = all.iter().filter(|page| is_library(page)).cloned().collect();
    library.sort_by_key(|page| *blake3_of(&page.name).as_bytes());
    let is_book = |page: &PageFile| {
        page.name.contains('/')
            && !is_library(page)
            && !other_library.iter().any(|part| page.name.starts_with(part))
            && !page.name.ends_with("/print.html")
    };
    let mut pages: Vec<PageFile> = all.iter().filter(|page| is_book(page)).cloned().collect();
    // Half books, half library, whichever has fewer leaves its places to the other.
    let books = pages
        .len()
        .min((PAGES_MAX / 2).max(PAGES_MAX.saturating_sub(library.len())));
    pages.sort_by_key(|page| *blake3_of(&page.name).as_bytes());
    // Pages with few words are left out later: further books are there in their place.
    let spare = pages.split_off(books);
    pages.extend(library);
    pages.extend(spare);
    (!pages.is_empty()).then_some((folder, "https://doc.rust-lang.org", pages))
}

fn blake3_of(name: &str) -> assay_types::Digest16 {
    assay_types::blake3_16(name.as_bytes())
}

/// The compiler's own answer, then the usual places of toolchains.
fn sysroots() -> Vec<PathBuf> {
    let mut roots = Vec::new();
    if let Ok(output) = Command::new("rustc").args(["--print", "sysroot"]).output()
        && output.status.success()
    {
        roots.push(PathBuf::from(
            String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        ));
    }
    if let Some(home) = std::env::home_dir() {
        let toolchains = home.join(".rustup/toolchains");
        let mut found: Vec<PathBuf> = fs_err::read_dir(toolchains)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        found.sort();
        roots.extend(found);
    }
    roots.push(PathBuf::from("/usr"));
    roots
}

fn other_docs() -> Option<Docs> {
    OTHER_FOLDERS
        .iter()
        .map(PathBuf::from)
        .filter(|folder| folder.is_dir())
        .find_map(|folder| {
            let pages = html_files(std::slice::from_ref(&folder)).ok()?;
            (!pages.is_empty()).then_some((folder, "http://localhost/doc", pages))
        })
}
