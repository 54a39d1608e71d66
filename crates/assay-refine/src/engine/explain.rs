//! One record's way, step by step, with every feature against its threshold: what `--explain` shows.
//!
//! Made from the same run that decides ([`Detail::Features`]), so that the explanation cannot differ from the decision.

use std::fmt::Write as _;

use assay_types::Step;
use assay_types::recipe::{FinewebQualityParams, GopherQualityParams, GopherRepetitionParams};
use serde::Serialize;

use super::build::Engine;
use super::outcome::{Outcome, Refined};
use super::page::ReadFacts;
use super::refine::{Detail, Facts};
use super::steps::Scratch;
use crate::output::FeatureRow;
use crate::warc::{ArchiveRecord, RecordContent};

/// One rule of a step: the value, the bound, and whether it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TracedFeature {
    /// Rule or count, as in docs/filters.md.
    pub name: String,
    /// What the record has.
    pub value: String,
    /// What is asked for; empty for a count without a rule of its own.
    pub bound: String,
    /// Whether the rule holds.
    pub holds: bool,
}

/// One stage of the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageTrace {
    /// Stage, as in the funnel.
    pub stage: String,
    /// `passed`, the reason of the drop, or `not reached`.
    pub result: String,
    /// Its rules.
    pub features: Vec<TracedFeature>,
}

/// A record's whole way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Record number.
    pub idx: u32,
    /// Offset in the archive.
    pub offset: u64,
    /// Length in the archive.
    pub length: u32,
    /// `WARC-Target-URI`.
    pub url: String,
    /// `kept` or `<step>.<reason>`; deduplication looks at neighbours and is not part of this.
    pub decision: String,
    /// What would still drop a kept record: its neighbours, where the recipe looks for near-duplicates.
    pub unless: Option<String>,
    /// The stages in order.
    pub stages: Vec<StageTrace>,
    /// The final text of a kept record.
    pub text: Option<String>,
}

impl Engine {
    /// Explains the decision on one record.
    pub fn explain(&self, scratch: &mut Scratch, record: &ArchiveRecord) -> Explanation {
        let (refined, facts) = self.refine_with_facts(scratch, record, Detail::Features);
        let url = match &record.content {
            RecordContent::Record(warc) => warc.target_uri().unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        let (decision, text, has_bands) = match &refined.outcome {
            Outcome::Dropped(drop) => (drop.key(), None, false),
            Outcome::Passed(document) => {
                let text = Some(document.text.clone());
                ("kept".to_owned(), text, document.bands.is_some())
            }
        };
        let stages = self.traces(&refined, &facts, &decision);
        Explanation {
            idx: refined.idx,
            offset: refined.offset,
            length: refined.length,
            url,
            decision,
            unless: has_bands.then(|| "an earlier record of the archive shares a band".to_owned()),
            stages,
            text,
        }
    }

    fn traces(&self, refined: &Refined, facts: &Facts, decision: &str) -> Vec<StageTrace> {
        let none = FeatureRow::default();
        let row = refined.features.as_ref().unwrap_or(&none);
        let survived = refined.trail.len();
        let stages = self.stages();
        let mut traces = Vec::new();
        for (at, stage) in stages.iter().enumerate() {
            let result = match at.cmp(&survived) {
                std::cmp::Ordering::Less => "passed".to_owned(),
                std::cmp::Ordering::Equal => decision.to_owned(),
                std::cmp::Ordering::Greater if decision == "kept" => "passed".to_owned(),
                std::cmp::Ordering::Greater => "after the drop".to_owned(),
            };
            let step = self.recipe.steps.iter().find(|step| step.kind() == *stage);
            let features = match step {
                Some(step) => step_features(step, row, facts),
                None => self.read_features(stage, row, &facts.read),
            };
            traces.push(StageTrace {
                stage: (*stage).to_owned(),
                result,
                features,
            });
        }
        traces
    }

    /// What was found before the text steps. Characters are decoded after the address was looked at, so they stand at
    /// extraction.
    fn read_features(&self, stage: &str, row: &FeatureRow, facts: &ReadFacts) -> Vec<TracedFeature> {
        let mut rules = Rules { row, out: Vec::new() };
        match stage {
            "html" => self.message_features(&mut rules, facts),
            "extract" => {
                if let (Some(characters), Some(replaced)) = (facts.characters, facts.replacements) {
                    rules.ratio_at_most(
                        "replacement_characters",
                        (replaced, characters),
                        self.recipe.read.replacement_ppm,
                    );
                }
                return rules.plain("extract_characters").out;
            }
            _ => {}
        }
        rules.out
    }

    /// Status, length and media type of what the record holds.
    fn message_features(&self, rules: &mut Rules<'_>, facts: &ReadFacts) {
        let read = &self.recipe.read;
        if let Some(status) = facts.http_status {
            let wanted: Vec<String> = read.http_status.iter().map(u64::to_string).collect();
            let holds = read.http_status.contains(&u64::from(status));
            rules.push("http_status", status.to_string(), wanted.join(", "), holds);
        }
        let max = self.read_limits.bytes_max;
        let bytes = match facts.bytes {
            Some(bytes) => Some((bytes.to_string(), bytes <= max)),
            None => facts.is_over_bytes.then(|| (format!("over {max}"), false)),
        };
        if let Some((shown, holds)) = bytes {
            rules.push("bytes", shown, format!("≤ {max}"), holds);
        }
        if let Some(media) = facts.media_type {
            let wanted = if facts.is_conversion {
                [read.mime.as_slice(), read.mime_conversion.as_slice()].concat()
            } else {
                read.mime.clone()
            };
            let holds = wanted.iter().any(|name| name == media);
            let found = if media.is_empty() { "another" } else { media };
            rules.push("media_type", found.to_owned(), wanted.join(", "), holds);
        }
    }
}

fn count(row: &FeatureRow, name: &str) -> Option<TracedFeature> {
    let value = row.get(name)?.to_string();
    Some(TracedFeature {
        name: name.to_owned(),
        value,
        bound: String::new(),
        holds: true,
    })
}

fn step_features(step: &Step, row: &FeatureRow, facts: &Facts) -> Vec<TracedFeature> {
    let rules = Rules { row, out: Vec::new() };
    match step {
        Step::UrlFilter(params) => rules.less(
            "url_filter_soft_words",
            "url_filter_soft_words",
            params.soft_words_min,
        ),
        Step::Language(params) => {
            let mut rules = rules;
            if let Some(code) = facts.language {
                let found = if code.is_empty() { "unknown" } else { code };
                rules.push(
                    "language",
                    found.to_owned(),
                    params.keep.clone(),
                    code == params.keep,
                );
            }
            if let Some(score) = row.get("language_score") {
                let ppm = score as u64 * 1_000_000 / 65_536;
                rules.push(
                    "score",
                    percent(ppm),
                    format!("> {}", percent(u64::from(params.score_ppm))),
                    ppm > u64::from(params.score_ppm),
                );
            }
            rules
        }
        Step::GopherRepetition(params) => repetition(rules, params),
        Step::GopherQuality(params) => quality(rules, params),
        Step::C4(params) => rules
            .at_least("sentences", "c4_sentences", params.sentences_min)
            .less("lorem_ipsum", "c4_lorem_ipsum", 1)
            .less("curly_bracket", "c4_curly_bracket", 1)
            .plain("c4_lines")
            .plain("c4_kept_lines")
            .plain("c4_too_long_word")
            .plain("c4_too_few_words")
            .plain("c4_javascript")
            .plain("c4_policy"),
        Step::FinewebQuality(params) => fineweb(rules, params),
        Step::Minhash(_) => rules.plain("minhash_shingles"),
    }
    .out
}

fn repetition<'r>(rules: Rules<'r>, params: &GopherRepetitionParams) -> Rules<'r> {
    let chars = "gopher_repetition_chars";
    let mut rules = rules
        .at_most(
            "dup_para_frac",
            "gopher_repetition_dup_paragraphs",
            "gopher_repetition_paragraphs",
            params.dup_para_ppm,
        )
        .at_most(
            "dup_para_char_frac",
            "gopher_repetition_dup_paragraph_chars",
            chars,
            params.dup_para_char_ppm,
        )
        .at_most(
            "dup_line_frac",
            "gopher_repetition_dup_lines",
            "gopher_repetition_lines",
            params.dup_line_ppm,
        )
        .at_most(
            "dup_line_char_frac",
            "gopher_repetition_dup_line_chars",
            chars,
            params.dup_line_char_ppm,
        );
    for (n, ppm) in (2..).zip(params.top_gram_ppm) {
        rules = rules.at_most(
            &format!("top_{n}_gram"),
            &format!("gopher_repetition_top_{n}_gram_chars"),
            chars,
            ppm,
        );
    }
    for (n, ppm) in (5..).zip(params.duplicated_gram_ppm) {
        rules = rules.at_most(
            &format!("duplicated_{n}_n_grams"),
            &format!("gopher_repetition_dup_{n}_gram_chars"),
            chars,
            ppm,
        );
    }
    rules
}

fn quality<'r>(rules: Rules<'r>, params: &GopherQualityParams) -> Rules<'r> {
    let words = "gopher_quality_words";
    let lines = "gopher_quality_lines";
    rules
        .at_least(
            "gopher_short_doc",
            "gopher_quality_non_symbol_words",
            params.words_min,
        )
        .mean(
            "mean word length",
            "gopher_quality_non_symbol_chars",
            "gopher_quality_non_symbol_words",
            params,
        )
        .at_most(
            "gopher_too_many_hashes",
            "gopher_quality_hashes",
            words,
            params.hash_ppm,
        )
        .at_most(
            "gopher_too_many_ellipsis",
            "gopher_quality_ellipses",
            words,
            params.ellipsis_ppm,
        )
        .at_most(
            "gopher_too_many_bullets",
            "gopher_quality_bullet_lines",
            lines,
            params.bullet_lines_ppm,
        )
        .at_most(
            "gopher_too_many_end_ellipsis",
            "gopher_quality_ellipsis_lines",
            lines,
            params.ellipsis_lines_ppm,
        )
        .share_at_least(
            "gopher_below_alpha_threshold",
            "gopher_quality_alpha_words",
            words,
            params.alpha_words_ppm,
        )
        .at_least(
            "gopher_enough_stop_words",
            "gopher_quality_stop_words",
            params.stop_words_min,
        )
}

fn fineweb<'r>(rules: Rules<'r>, params: &FinewebQualityParams) -> Rules<'r> {
    let lines = "fineweb_quality_lines";
    rules
        .share_at_least(
            "line_punct_ratio",
            "fineweb_quality_terminal_lines",
            lines,
            params.line_punct_ppm,
        )
        .at_most(
            "short_line_ratio",
            "fineweb_quality_short_lines",
            lines,
            params.short_line_ppm,
        )
        .at_most(
            "char_dup_ratio",
            "fineweb_quality_dup_line_chars",
            "fineweb_quality_chars_without_newlines",
            params.char_dup_ppm,
        )
        .at_most(
            "list_ratio",
            "fineweb_quality_newlines",
            "fineweb_quality_words",
            params.list_ppm,
        )
}

/// Collects rules whose features the record has.
struct Rules<'r> {
    row: &'r FeatureRow,
    out: Vec<TracedFeature>,
}

impl Rules<'_> {
    fn push(&mut self, name: &str, value: String, bound: String, holds: bool) {
        self.out.push(TracedFeature {
            name: name.to_owned(),
            value,
            bound,
            holds,
        });
    }

    fn get(&self, name: &str) -> Option<u64> {
        self.row.get(name).map(|value| value as u64)
    }

    fn plain(mut self, name: &str) -> Self {
        self.out.extend(count(self.row, name));
        self
    }

    fn less(mut self, name: &str, feature: &str, bound: u32) -> Self {
        if let Some(value) = self.get(feature) {
            self.push(
                name,
                value.to_string(),
                format!("< {bound}"),
                value < u64::from(bound),
            );
        }
        self
    }

    fn at_least(mut self, name: &str, feature: &str, bound: u32) -> Self {
        if let Some(value) = self.get(feature) {
            self.push(
                name,
                value.to_string(),
                format!("≥ {bound}"),
                value >= u64::from(bound),
            );
        }
        self
    }

    fn at_most(mut self, name: &str, part: &str, whole: &str, ppm: u32) -> Self {
        if let (Some(part), Some(whole)) = (self.get(part), self.get(whole)) {
            self.ratio_at_most(name, (part, whole), ppm);
        }
        self
    }

    fn ratio_at_most(&mut self, name: &str, (part, whole): (u64, u64), ppm: u32) {
        let holds = u128::from(part) * 1_000_000 <= u128::from(ppm) * u128::from(whole);
        let bound = format!("≤ {}", percent(u64::from(ppm)));
        self.push(name, ratio(part, whole), bound, holds);
    }

    fn share_at_least(mut self, name: &str, part: &str, whole: &str, ppm: u32) -> Self {
        if let (Some(part), Some(whole)) = (self.get(part), self.get(whole)) {
            let holds = u128::from(part) * 1_000_000 >= u128::from(ppm) * u128::from(whole);
            self.push(
                name,
                ratio(part, whole),
                format!("≥ {}", percent(u64::from(ppm))),
                holds,
            );
        }
        self
    }

    fn mean(mut self, name: &str, chars: &str, words: &str, params: &GopherQualityParams) -> Self {
        if let (Some(chars), Some(words)) = (self.get(chars), self.get(words)) {
            let (min, max) = (
                u64::from(params.word_chars_mean_min),
                u64::from(params.word_chars_mean_max),
            );
            let holds = chars >= min * words && chars <= max * words;
            let hundredths = (chars * 100).checked_div(words).unwrap_or(0);
            let value = format!("{}.{:02}", hundredths / 100, hundredths % 100);
            self.push(name, value, format!("{min} to {max}"), holds);
        }
        self
    }
}

/// `3/40 = 7.5 %`.
fn ratio(part: u64, whole: u64) -> String {
    let ppm = (u128::from(part) * 1_000_000)
        .checked_div(u128::from(whole))
        .unwrap_or(0);
    format!("{part}/{whole} = {}", percent(ppm as u64))
}

/// Parts per million as per cent with one decimal.
fn percent(ppm: u64) -> String {
    let tenths = (ppm + 500) / 1000;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

impl std::fmt::Display for Explanation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = String::new();
        let _ = writeln!(
            out,
            "record {} at {}+{}  {}",
            self.idx, self.offset, self.length, self.url
        );
        for stage in &self.stages {
            let _ = writeln!(out, "\n{:<18} {}", stage.stage, stage.result);
            for feature in &stage.features {
                let mark = if feature.holds { " " } else { "✗" };
                let line = format!(
                    "  {mark} {:<32} {:>24}  {}",
                    feature.name, feature.value, feature.bound
                );
                // A feature that only informs has no bound.
                let _ = writeln!(out, "{}", line.trim_end());
            }
        }
        let unless = self.unless.iter().map(|why| format!(" unless {why}"));
        let unless: String = unless.collect();
        let _ = writeln!(out, "\ndecision: {}{unless}", self.decision);
        f.write_str(&out)
    }
}
