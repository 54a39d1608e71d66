//! `assay pack` and the sample: HTML files into a WARC archive.
//!
//! Files come from folders in sorted order; records go through [`assay_refine::warc::WarcWriter`]. The archive's bytes depend only
//! on the files, the base address and the date.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use assay_refine::warc::{Page, PageRecords, WarcWriter};
use fs_err as fs;
use serde::Serialize;

use super::error::LocalError;
use super::texts::inflated;

/// Largest HTML file packed, in bytes (after inflating `.gz`).
pub(super) const PAGE_BYTES_MAX: u64 = 100 << 20;

/// Most files packed at once.
pub(super) const FILES_MAX: usize = 1_000_000;

/// What to pack.
#[derive(Debug, Clone, Copy)]
pub struct PackJob<'a> {
    /// HTML files, and folders that are searched for them.
    pub input: &'a [PathBuf],
    /// The WARC file to write.
    pub out: &'a Path,
    /// Address of a packed folder; relative paths are appended.
    pub base_url: &'a str,
    /// WARC-Date of every record.
    pub date: &'a str,
}

/// What was packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Packed {
    /// Pages written.
    pub pages: u64,
    /// Their HTML, in bytes.
    pub html_bytes: u64,
    /// The archive, in bytes.
    pub bytes: u64,
}

/// One page to pack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PageFile {
    /// Path relative to the folder it was found in, `/` between parts.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// Packs every HTML file of the input.
pub fn pack(job: &PackJob<'_>) -> Result<Packed, LocalError> {
    let pages = html_files(job.input)?;
    if pages.is_empty() {
        let first = job.input.first().cloned().unwrap_or_default();
        return Err(LocalError::NoPages { path: first });
    }
    pack_pages(&pages, job.out, job.base_url, job.date)
}

/// Packs the given pages in the given order.
pub(super) fn pack_pages(
    pages: &[PageFile],
    out: &Path,
    base_url: &str,
    date: &str,
) -> Result<Packed, LocalError> {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = out.with_file_name(name);
    let file = fs::File::create(&partial).map_err(LocalError::io(&partial))?;
    let write_error = |error| LocalError::Pack {
        path: out.to_owned(),
        source: error,
    };
    let mut writer = WarcWriter::new(BufWriter::new(file));
    let fields = [
        ("software", concat!("assay/", env!("CARGO_PKG_VERSION"))),
        ("format", "WARC File Format 1.1"),
    ];
    writer.warcinfo(date, &fields).map_err(write_error)?;
    let mut packed = Packed {
        pages: 0,
        html_bytes: 0,
        bytes: 0,
    };
    for page in pages {
        let html = read_page(&page.path)?;
        let url = format!("{}/{}", base_url.trim_end_matches('/'), encode_path(&page.name));
        let body = Page {
            uri: &url,
            date,
            content_type: "text/html",
            body: &html,
        };
        writer
            .page(body, PageRecords::RequestAndResponse)
            .map_err(write_error)?;
        packed.pages += 1;
        packed.html_bytes += html.len() as u64;
    }
    let finish = || -> io::Result<u64> {
        let mut buffered = writer.finish()?;
        buffered.flush()?;
        let file = buffered.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        let bytes = file.metadata()?.len();
        fs::rename(&partial, out)?;
        Ok(bytes)
    };
    packed.bytes = finish().map_err(LocalError::io(out))?;
    Ok(packed)
}

/// A page's bytes; `.gz` files are inflated.
pub(super) fn read_page(path: &Path) -> Result<Vec<u8>, LocalError> {
    let file = fs::File::open(path).map_err(LocalError::io(path))?;
    let is_gzip = path.extension().is_some_and(|extension| extension == "gz");
    let reader: Box<dyn io::Read> = if is_gzip {
        Box::new(inflated(Box::new(file)).map_err(LocalError::io(path))?)
    } else {
        Box::new(file)
    };
    let mut html = Vec::new();
    reader
        .take(PAGE_BYTES_MAX + 1)
        .read_to_end(&mut html)
        .map_err(LocalError::io(path))?;
    if html.len() as u64 > PAGE_BYTES_MAX {
        let error = io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("more than {PAGE_BYTES_MAX} bytes"),
        );
        return Err(LocalError::io(path)(error));
    }
    Ok(html)
}

/// Named files as they are, folders searched for `.html`, `.htm`, `.xhtml` and the same with `.gz`; sorted by name.
pub(super) fn html_files(input: &[PathBuf]) -> Result<Vec<PageFile>, LocalError> {
    let mut found = BTreeSet::new();
    for path in input {
        if path.is_dir() {
            walk(path, &mut found)?;
        } else {
            fs::metadata(path).map_err(LocalError::io(path))?;
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            found.insert(PageFile {
                name,
                path: path.clone(),
            });
        }
    }
    Ok(found.into_iter().collect())
}

fn walk(root: &Path, found: &mut BTreeSet<PageFile>) -> Result<(), LocalError> {
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(LocalError::io(&folder))? {
            let entry = entry.map_err(LocalError::io(&folder))?;
            let path = entry.path();
            // Links are not followed: a link to a parent folder would never end.
            let kind = entry.file_type().map_err(LocalError::io(&path))?;
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() && is_html(&path) && found.len() < FILES_MAX {
                let relative = path.strip_prefix(root).unwrap_or(&path);
                let parts: Vec<_> = relative
                    .components()
                    .map(|part| part.as_os_str().to_string_lossy().into_owned())
                    .collect();
                found.insert(PageFile {
                    name: parts.join("/"),
                    path,
                });
            }
        }
    }
    Ok(())
}

fn is_html(path: &Path) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".html", ".htm", ".xhtml"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// Everything but unreserved characters (RFC 3986, section 2.3) and `/` percent-encoded.
fn encode_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
