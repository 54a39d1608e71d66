//! Steps on a given text, without archive and extraction: the recipe's decision, and each filter alone.
//!
//! Used by `assay filter`. The keys and forms of [`steps`] are those of the parity fixture (docs/parity.md), so that
//! another implementation can be compared text by text, whatever the filters before it say.

use std::fmt::Write as _;

use assay_types::Step;
use assay_types::recipe::{C4Params, FinewebQualityParams, GopherQualityParams, GopherRepetitionParams};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::build::Engine;
use super::refine::{Detail, Way};
use super::steps::Scratch;
use crate::filter::fineweb_quality::FinewebQualityFeatures;
use crate::filter::url::UrlFilter;
use crate::filter::{Verdict, c4, fineweb_quality, gopher_quality, gopher_repetition};
use crate::pii;
use crate::text::sentences::sentence_spans;

impl Engine {
    /// Applies the recipe's steps to a text: `{"kept","reason","step","features","text"}`; the text is the final one,
    /// null if dropped.
    pub fn filter_text(&self, scratch: &mut Scratch, url: &str, text: &str) -> Value {
        let mut way = Way::new(Detail::Features);
        let mut first = None;
        for filter in &self.url_filters {
            let outcome = filter.check(url);
            way.set("url_filter_soft_words", u64::from(outcome.features.soft_words));
            if let (Verdict::Dropped(why), None) = (outcome.verdict, first) {
                first = Some(("url_filter", why));
            }
        }
        let result = self.run_text_steps(scratch, text.to_owned(), &mut way);
        let text = match (result, first) {
            (Ok(passed), None) => Some(passed.text),
            (Ok(_), Some(_)) => None,
            (Err(drop), _) => {
                first.get_or_insert((drop.step, drop.why));
                None
            }
        };
        let (step, reason) = first.unzip();
        let features: Map<String, Value> = crate::output::FEATURE_COLUMNS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), way.features.as_ref()?.get(name)?.into())))
            .collect();
        json!({ "kept": text.is_some(), "reason": reason, "step": step, "features": features, "text": text })
    }
}

/// Each filter alone on the text, with words, sentences, normalised text, signature and tokens.
pub fn steps(
    scratch: &mut Scratch,
    engine: &Engine,
    lists: Option<&UrlFilter>,
    url: &str,
    text: &str,
) -> Value {
    let params = Params::of(engine);
    let mut out = Map::new();
    if let Some(lists) = lists {
        let outcome = lists.check(url);
        out.insert("url_filter".into(), verdict(outcome.verdict, &outcome.features));
        out.insert(
            "url_filter_custom".into(),
            json!({ "kept": outcome.verdict.is_kept(), "reason": outcome.verdict }),
        );
    }
    scratch.tokenize(text);
    let repetition = gopher_repetition::features(text, &scratch.tokens, &mut scratch.filters);
    let decision = gopher_repetition::verdict(&repetition, &params.repetition);
    // datatrove counts nothing on the empty text, so there are no features either.
    let repetition = match decision {
        Verdict::Dropped("empty") => json!({ "kept": false, "reason": decision }),
        _ => verdict(decision, &repetition),
    };
    out.insert("gopher_repetition".into(), repetition);
    let quality = gopher_quality::features(text, &scratch.tokens, &params.quality);
    out.insert(
        "gopher_quality".into(),
        verdict(gopher_quality::verdict(&quality, &params.quality), &quality),
    );
    let raw = fineweb_quality::features(text, &scratch.tokens, &params.fineweb, &mut scratch.filters);
    out.insert("fineweb_quality_raw".into(), fineweb(&raw, &params.fineweb));
    out.insert("words".into(), words(text, scratch));
    out.insert("sentences".into(), sentences(text, scratch));
    rewritten(scratch, &params, text, &mut out);
    let scrubbed = pii::scrub(text);
    let changed = scrubbed.text != text;
    let mut pii = json!({
        "changed": changed, "emails_changed": scrubbed.emails_changed > 0, "ips_changed": scrubbed.ips_changed > 0
    });
    if let (true, Value::Object(pii)) = (changed, &mut pii) {
        pii.insert("sha256".into(), sha256(&scrubbed.text).into());
    }
    out.insert("pii".into(), pii);
    out.insert("gpt2_tokens".into(), scratch.gpt2.count(text).into());
    signature(scratch, text, &mut out);
    Value::Object(out)
}

/// Thresholds of the recipe's steps; a step the recipe lacks has its defaults.
#[derive(Default)]
struct Params {
    repetition: GopherRepetitionParams,
    quality: GopherQualityParams,
    c4: C4Params,
    fineweb: FinewebQualityParams,
}

impl Params {
    fn of(engine: &Engine) -> Self {
        let mut params = Self::default();
        for step in &engine.recipe().steps {
            match step {
                Step::GopherRepetition(found) => params.repetition = found.clone(),
                Step::GopherQuality(found) => params.quality = found.clone(),
                Step::C4(found) => params.c4 = found.clone(),
                Step::FinewebQuality(found) => params.fineweb = found.clone(),
                Step::UrlFilter(_) | Step::Language(_) | Step::Minhash(_) => {}
            }
        }
        params
    }
}

fn verdict<T: Serialize>(verdict: Verdict, features: &T) -> Value {
    json!({ "kept": verdict.is_kept(), "reason": verdict, "features": features })
}

/// C4, and FineWeb's filter on the text C4 leaves.
fn rewritten(scratch: &mut Scratch, params: &Params, text: &str, out: &mut Map<String, Value>) {
    let outcome = c4::rewrite(text, &params.c4, &mut scratch.tokenizer, &mut scratch.filters);
    let c4_verdict = c4::verdict(&outcome.features, &params.c4);
    let mut value = verdict(c4_verdict, &outcome.features);
    let mut after_c4 = Value::Null;
    if c4_verdict.is_kept() {
        if let Value::Object(value) = &mut value {
            value.insert("sha256".into(), sha256(&outcome.text).into());
            value.insert("changed".into(), (outcome.text != text).into());
        }
        scratch.tokenize(&outcome.text);
        let counts = fineweb_quality::features(
            &outcome.text,
            &scratch.tokens,
            &params.fineweb,
            &mut scratch.filters,
        );
        after_c4 = fineweb(&counts, &params.fineweb);
    }
    out.insert("c4".into(), value);
    out.insert("fineweb_quality".into(), after_c4);
}

/// FineWeb's entry; of a text without lines datatrove counts nothing but these.
fn fineweb(counts: &FinewebQualityFeatures, params: &FinewebQualityParams) -> Value {
    match fineweb_quality::verdict(counts, params) {
        empty @ Verdict::Dropped("empty") => verdict(empty, &json!({ "lines": 0 })),
        decision => verdict(decision, counts),
    }
}

fn words(text: &str, scratch: &Scratch) -> Value {
    let mut hasher = Sha256::new();
    let mut count = 0u64;
    for token in scratch.tokens.iter().filter(|token| !token.is_space) {
        if count > 0 {
            hasher.update(b"\x01");
        }
        hasher.update(
            text.get(token.start as usize..token.end as usize)
                .unwrap_or_default(),
        );
        count += 1;
    }
    json!({ "count": count, "sha256": hex(&hasher.finalize()) })
}

/// Count and spans in code points.
fn sentences(text: &str, scratch: &Scratch) -> Value {
    // Byte offsets become code points in one walk: spans are ascending.
    let (mut bytes, mut characters) = (0, 0);
    let mut characters_at = |at: u32| {
        characters += text.get(bytes..at as usize).unwrap_or_default().chars().count();
        bytes = at as usize;
        characters
    };
    let spans = sentence_spans(text, &scratch.tokens);
    let spans: Vec<[usize; 2]> = spans
        .iter()
        .map(|(start, end)| [characters_at(*start), characters_at(*end)])
        .collect();
    json!({ "count": spans.len().max(1), "spans": spans })
}

fn signature(scratch: &mut Scratch, text: &str, out: &mut Map<String, Value>) {
    let signature = scratch.signature(text);
    let words = scratch.tokens.iter().filter(|token| !token.is_space).count();
    let shingles = (words + 1).saturating_sub(crate::minhash::SHINGLE_WORDS);
    let signature = signature.map(|signature| {
        let mut hex = String::with_capacity(crate::minhash::HASHES * 16);
        for minimum in signature.minima() {
            let _ = write!(hex, "{minimum:016x}");
        }
        hex
    });
    let simplified = &scratch.simplified;
    out.insert(
        "simplify".into(),
        json!({ "chars": simplified.chars().count(), "sha256": sha256(simplified) }),
    );
    out.insert(
        "minhash".into(),
        json!({ "shingles": shingles, "signature": signature }),
    );
}

fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    assay_types::hex::encode(bytes)
}

#[cfg(test)]
mod tests {
    use assay_types::recipe::builtin;

    use super::*;
    use crate::url_lists::UrlLists;

    fn of(text: &str) -> Value {
        let engine = Engine::new(builtin("fineweb-en-v1").unwrap(), &UrlLists::default()).unwrap();
        steps(&mut Scratch::new(), &engine, None, "", text)
    }

    #[test]
    fn the_empty_text_has_no_counts_as_in_datatrove() {
        let steps = of("");
        assert_eq!(
            steps["gopher_repetition"],
            json!({ "kept": false, "reason": "empty" })
        );
        let empty = json!({ "kept": false, "reason": "empty", "features": { "lines": 0 } });
        assert_eq!(steps["fineweb_quality_raw"], empty);
        assert_eq!(
            (&steps["fineweb_quality"], &steps["sentences"]["count"]),
            (&Value::Null, &json!(1))
        );
    }

    #[test]
    fn a_text_that_citations_leave_empty_has_no_counts_after_c4() {
        let steps = of(&"[1] [2] [3]\n".repeat(5));
        assert_eq!(steps["c4"]["kept"], true);
        let empty = json!({ "kept": false, "reason": "empty", "features": { "lines": 0 } });
        assert_eq!(steps["fineweb_quality"], empty);
    }
}
