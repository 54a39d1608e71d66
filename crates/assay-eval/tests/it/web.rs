//! Real web pages: human text before extracted and filtered before only extracted before everything visible.

use std::collections::BTreeSet;
use std::io::Read as _;

use assay_eval::held_out::{Domain, HeldOutDocument, HeldOutSet};
use assay_eval::interval::Bootstrap;
use assay_eval::ngram::Order;
use assay_eval::ore::visible_text;
use assay_eval::profile::NGRAM_SMALL;
use assay_eval::stage1::measure;
use assay_refine::charset;
use assay_refine::engine::{Engine, Scratch};
use assay_refine::extract::{ExtractOptions, Profile, extract};
use assay_refine::html::{ParseLimits, parse};
use assay_refine::http::{decoded_body, parse_response};
use assay_refine::media::{Media, media_type};
use assay_refine::url_lists::UrlLists;
use assay_refine::warc::{ArchiveReader, ReadLimits, RecordContent, RecordKind};
use assay_types::recipe;
use serde::Deserialize;
use sha2::Digest as _;

use crate::data::{Document, folder};
use crate::fixture::sample;

#[derive(Deserialize)]
struct Page {
    id: String,
    url: String,
    #[serde(rename = "page_type")]
    kind: Option<String>,
    gold: Option<String>,
}

/// The last two labels of the lower-cased host.
fn site(url: &str) -> String {
    let host = url
        .split("://")
        .nth(1)
        .unwrap_or(url)
        .split(['/', '?', '#', ':'])
        .next()
        .unwrap();
    let labels: Vec<&str> = host.split('.').collect();
    labels[labels.len().saturating_sub(2)..].join(".").to_lowercase()
}

fn is_held_out(site: &str) -> bool {
    let digest = sha2::Sha256::digest([b"assay-split/1\n", site.as_bytes()].concat());
    u32::from_be_bytes(*digest.first_chunk().unwrap()).is_multiple_of(5)
}

fn pages() -> Option<Vec<Page>> {
    let bytes = fs_err::read(folder("extraction/pages.jsonl.gz")?).unwrap();
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    Some(
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

/// Address and decoded HTML of every page of the archives that is not of a held-out site.
fn archived(mut each: impl FnMut(&str, &str)) {
    let mut files: Vec<_> = fs_err::read_dir(folder("warc").unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains(".warc"))
        .collect();
    files.sort();
    let limits = ReadLimits::default();
    for file in files {
        let Ok(reader) = ArchiveReader::new(fs_err::File::open(file).unwrap(), limits) else {
            continue;
        };
        for record in reader.map_while(Result::ok) {
            let RecordContent::Record(record) = &record.content else {
                continue;
            };
            let Some(url) = record.target_uri().filter(|url| !is_held_out(&site(url))) else {
                continue;
            };
            if record.kind != RecordKind::Response {
                continue;
            }
            let Ok(response) = parse_response(&record.block, &limits) else {
                continue;
            };
            let Ok(body) = decoded_body(&response, &limits) else {
                continue;
            };
            let media = media_type(None, response.content_type(), &body);
            if matches!(media, Media::Html | Media::Xhtml) && response.status == 200 {
                each(url, &charset::decode(&body, response.content_type(), None).text);
            }
        }
    }
}

fn held_out(pages: &[Page]) -> HeldOutSet {
    let of = |is_article: bool| Domain {
        name: if is_article { "article" } else { "other" }.to_owned(),
        documents: pages
            .iter()
            .filter(|page| {
                (page.kind.as_deref() == Some("article")) == is_article && is_held_out(&site(&page.url))
            })
            .filter_map(|page| {
                Some(HeldOutDocument {
                    id: page.id.clone(),
                    cluster: site(&page.url),
                    text: page.gold.clone()?,
                })
            })
            .collect(),
    };
    HeldOutSet::choose(vec![of(true), of(false)], b"web", Order::V1).unwrap()
}

/// Extracted and filtered, only extracted, and all visible text of the same pages.
fn arms_of_archives() -> [(&'static str, Vec<Document>); 3] {
    let engine = Engine::new(recipe::fineweb_en_v1(), &UrlLists::default()).unwrap();
    let mut scratch = Scratch::default();
    let options = ExtractOptions {
        profile: Profile::Precision,
        ..ExtractOptions::default()
    };
    let (mut ore, mut extracted, mut filtered) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    archived(|url, html| {
        // Every arm is made of the same pages; a page that was fetched twice counts once for each fetch.
        let id = format!("{url} {}", seen.len());
        seen.insert(id.clone());
        if let Ok(page) = parse(html, &ParseLimits::default()) {
            ore.push(Document {
                id: id.clone(),
                text: visible_text(&page),
            });
        }
        let Ok(page) = extract(html, &options) else {
            return;
        };
        if let Some(text) = engine.filter_text(&mut scratch, url, &page.text)["text"].as_str() {
            filtered.push(Document {
                id: id.clone(),
                text: text.to_owned(),
            });
        }
        extracted.push(Document { id, text: page.text });
    });
    [
        ("extracted and filtered", filtered),
        ("extracted", extracted),
        ("ore", ore),
    ]
}

/// Real ordering (docs/evaluation.md, "Real pages"): three folds of 65,536 tokens, integers only, so the same figures everywhere.
#[test]
#[ignore = "a hundred megabytes of pages: .ci/long runs it"]
fn better_refining_of_real_pages_scores_better() {
    let Some(pages) = pages() else {
        return;
    };
    let [filtered, extracted, ore] = arms_of_archives();
    let gold: Vec<Document> = pages
        .iter()
        .filter(|page| !is_held_out(&site(&page.url)))
        .filter_map(|page| {
            Some(Document {
                id: page.id.clone(),
                text: page.gold.clone()?,
            })
        })
        .collect();
    let held_out = held_out(&pages);
    let arms = [("gold", gold), filtered, extracted, ore];
    let samples = arms
        .each_ref()
        .map(|(_, documents)| sample(NGRAM_SMALL, documents));
    let smallest = samples
        .iter()
        .map(|sample| sample.smallest_fold().0)
        .min()
        .unwrap();
    let budget = NGRAM_SMALL.budget(smallest).unwrap();
    eprintln!(
        "smallest fold {smallest} tokens, budget {budget}, {} held-out texts",
        held_out.texts().count()
    );
    let bits = samples
        .each_ref()
        .map(|sample| measure(sample, budget, &held_out));
    let bootstrap = Bootstrap::new(&held_out);
    let gains = bits.each_ref().map(|arm| bootstrap.difference(arm, &bits[3]));
    for ((name, documents), gain) in arms.iter().zip(&gains) {
        let (count, level) = (documents.len(), gain.point);
        eprintln!(
            "{name}: {count} documents, against ore {level:.4} [{:.4}, {:.4}]",
            gain.low, gain.high
        );
    }
    let points = gains.map(|gain| gain.point);
    assert!(points.is_sorted_by(|better, worse| better < worse), "{points:?}");
    for (gain, (name, _)) in gains.iter().zip(&arms).take(3) {
        assert!(gain.high < 0.0, "{name} is not better than ore: {gain:?}");
    }
    // Each against the next, with an interval that excludes 0.
    for pair in [0, 1, 2] {
        let names = (arms[pair].0, arms[pair + 1].0);
        let found = bootstrap.difference(&bits[pair], &bits[pair + 1]);
        eprintln!(
            "{} − {}: {:.4} [{:.4}, {:.4}]",
            names.0, names.1, found.point, found.low, found.high
        );
        assert!(found.high < 0.0, "{names:?}: {found:?}");
    }
}
