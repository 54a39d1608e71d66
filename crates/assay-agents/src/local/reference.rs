//! Reference records: pages made from a rule, refined, and the root that every machine must come to.
//!
//! A validator recomputes what a miner filed; a machine on which one float rounds otherwise would accuse honest miners, or
//! be accused. The pages touch every step of the recipe: English and German prose, short, repeated and listed text, code.

use std::path::Path;

use assay_hub::{Input, OpenOptions, Source};
use assay_refine::engine::Engine;
use assay_refine::unit::Format;
use assay_refine::warc::{Page, PageRecords, WarcWriter};
use assay_types::Digest;
use flate2::read::MultiGzDecoder;

use super::error::LocalError;
use super::output::write_atomically;
use super::refine::{RefineJob, Silent, refine};

/// Reference pages.
pub const REFERENCE_PAGES: u32 = 500;

/// Root of the reference unit under recipe `fineweb-en-v1`.
pub const REFERENCE_ROOT: &str = "817487deeaf0239f6eeb3d29f7a6b1e9e1bc1d029f6a0ddacb0375874ea49868";

/// Name of the reference archive, a part of its unit's id.
const NAME: &str = "assay-reference.warc";

/// Words of prose: what, does, to what, how, where.
const ENGLISH: [&[&str]; 5] = [
    &[
        "the old river",
        "a careful reader",
        "the second engine",
        "her garden",
        "this long report",
        "the small harbour",
        "a patient teacher",
        "the winter market",
        "their new bridge",
        "the quiet library",
    ],
    &[
        "carries",
        "remembers",
        "would not change",
        "has been watching",
        "finally explains",
        "keeps",
        "describes",
    ],
    &[
        "the boats that come from the north",
        "every page of the book",
        "what the neighbours said",
        "more than a hundred small stones",
        "a letter which nobody had opened",
        "the names of those who left",
    ],
    &[
        "with great care",
        "in the early morning",
        "as it always did",
        "for the first time",
        "without a word",
        "again",
    ],
    &[
        "near the station",
        "behind the hill",
        "at the end of the road",
        "on both sides of the water",
        "in the town",
    ],
];

const GERMAN: [&[&str]; 5] = [
    &[
        "der alte Fluss",
        "eine geduldige Lehrerin",
        "das kleine Haus",
        "ihr neuer Nachbar",
    ],
    &["beschreibt", "vergisst", "kennt seit langem", "sieht"],
    &[
        "die Namen der Straßen",
        "jeden Brief aus dem Norden",
        "was niemand sagen wollte",
    ],
    &["mit großer Sorgfalt", "am frühen Morgen", "ohne ein Wort"],
    &["hinter dem Hügel", "an der Brücke", "in der Stadt"],
];

/// Refines the reference pages in `folder` with so many threads; gives the unit's root.
///
/// # Errors
/// [`LocalError`] if the folder cannot be written.
pub fn reference_root(engine: &Engine, folder: &Path, threads: usize) -> Result<Digest, LocalError> {
    let path = folder.join(NAME);
    let bytes = archive(&path)?;
    write_atomically(&path, &bytes)?;
    let source = Source {
        input: Input::File(path),
        name: format!("file:{NAME}"),
        source: "file".to_owned(),
        path: NAME.to_owned(),
        bytes: Some(bytes.len() as u64),
    };
    let job = RefineJob {
        sources: &[source],
        open: &OpenOptions::default(),
        out: folder.join(format!("refined-{threads}")),
        engine,
        threads,
        limit: None,
        format: Format::Parquet,
        features: false,
        alter: None,
    };
    let mut run = refine(&job, &Silent)?;
    if let Some(failed) = run.failed.pop() {
        return Err(failed.error);
    }
    Ok(run
        .manifest
        .units
        .first()
        .map_or(Digest::ZERO, |unit| unit.unit_root))
}

/// The pages as an uncompressed archive: no packer's choices in its bytes.
fn archive(path: &Path) -> Result<Vec<u8>, LocalError> {
    let mut writer = WarcWriter::new(Vec::new());
    for number in 0..REFERENCE_PAGES {
        let html = html(number);
        let page = Page {
            uri: &format!("https://reference.example/{number}"),
            date: "2026-01-01T00:00:00Z",
            content_type: "text/html; charset=utf-8",
            body: html.as_bytes(),
        };
        writer
            .page(page, PageRecords::Response)
            .map_err(|source| LocalError::Pack {
                path: path.to_owned(),
                source,
            })?;
    }
    let packed = writer.finish().map_err(LocalError::io(path))?;
    let mut plain = Vec::new();
    std::io::copy(&mut MultiGzDecoder::new(packed.as_slice()), &mut plain).map_err(LocalError::io(path))?;
    Ok(plain)
}

/// SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators", figure 16).
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound.max(1) as u64) as usize
    }

    fn sentence(&mut self, words: &[&[&str]; 5]) -> String {
        let parts = words.map(|group| group.get(self.below(group.len())).copied().unwrap_or(""));
        let text = parts.join(" ");
        let mut characters = text.chars();
        let first = characters.next().into_iter().flat_map(char::to_uppercase);
        first.chain(characters).chain(['.']).collect()
    }

    fn paragraphs(&mut self, words: &[&[&str]; 5], count: usize) -> String {
        let paragraph = |draws: &mut Self| {
            let sentences = 3 + draws.below(4);
            let text: Vec<String> = (0..sentences).map(|_| draws.sentence(words)).collect();
            format!("<p>{}</p>\n", text.join(" "))
        };
        (0..count).map(|_| paragraph(self)).collect()
    }
}

/// One page; its number decides its kind.
fn html(number: u32) -> String {
    let mut draws = Draws(u64::from(number));
    let count = 4 + draws.below(9);
    let prose = draws.paragraphs(&ENGLISH, count);
    let body = match number % 10 {
        0 => draws.paragraphs(&GERMAN, count),
        1 => draws.sentence(&ENGLISH),
        2 => format!(
            "<p>{}</p>",
            "The same line comes back again and again. ".repeat(30)
        ),
        3 => format!("{prose}<pre>fn main() {{ println!(\"{number}\"); }}</pre>{prose}"),
        4 => {
            let items: Vec<String> = (0..40)
                .map(|at| format!("<li>item {at}, {}</li>", number + at))
                .collect();
            format!("<ul>{}</ul>", items.concat())
        }
        5 => format!(
            "{prose}<p>Write to someone@example.com or 203.0.113.{}.</p>",
            number % 256
        ),
        // Pages of the same text, for near-duplicates.
        6 => Draws(7).paragraphs(&ENGLISH, 8),
        _ => prose,
    };
    format!(
        "<!doctype html><html lang=en><title>Page {number}</title><body><nav><a href=/>Home</a> <a href=/a>About us</a>\
         </nav><article><h1>Page {number}</h1>{body}</article><footer>Imprint</footer></body></html>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_refine::url_lists::UrlLists;
    use assay_types::recipe::builtin;

    #[test]
    fn one_and_many_threads_come_to_the_root_of_every_machine() {
        let engine = Engine::new(builtin("fineweb-en-v1").unwrap(), &UrlLists::default()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for threads in [1, 4] {
            let root = reference_root(&engine, folder.path(), threads).unwrap();
            assert_eq!(root.to_string(), REFERENCE_ROOT, "{threads} threads");
        }
    }
}
