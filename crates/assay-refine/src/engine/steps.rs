//! The recipe's steps on a text: language, filters, MinHash; then tokens and the PII stage.
//!
//! One tokenisation serves all filters of a text; a step that rewrites the text (C4) starts a new one, which the
//! tokenizer's memo makes cheap. Buffers live in [`Scratch`], one a worker thread; no result depends on what they held.

use assay_types::recipe::LanguageParams;
use assay_types::{BandKeys, Step, step_reason};

use super::build::Engine;
use super::outcome::Drop;
use super::refine::Way;
use crate::filter::{FilterScratch, Verdict, c4, fineweb_quality, gopher_quality, gopher_repetition};
use crate::language::{self, LanguageOptions};
use crate::minhash::{self, MinHasher};
use crate::pii;
use crate::text::gpt2::Gpt2;
use crate::text::simplify::simplify;
use crate::text::words::{Token, Tokenizer};

/// Memory of one worker thread.
#[derive(Debug)]
pub struct Scratch {
    pub(super) tokenizer: Tokenizer,
    pub(super) tokens: Vec<Token>,
    pub(super) filters: FilterScratch,
    pub(super) simplified: String,
    pub(super) min_hasher: MinHasher,
    pub(super) gpt2: Gpt2,
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Scratch {
    /// Empty buffers.
    pub fn new() -> Self {
        Self {
            tokenizer: Tokenizer::new(),
            tokens: Vec::new(),
            filters: FilterScratch::default(),
            simplified: String::new(),
            min_hasher: MinHasher::new(),
            gpt2: Gpt2::new(),
        }
    }

    pub(super) fn tokenize(&mut self, text: &str) {
        self.tokens.clear();
        self.tokenizer.tokenize(text, &mut self.tokens);
    }

    /// The signature of a text's normalised words; leaves its tokens behind.
    pub(super) fn signature(&mut self, text: &str) -> Option<minhash::Signature> {
        simplify(text, &mut self.simplified);
        self.tokens.clear();
        self.tokenizer.tokenize(&self.simplified, &mut self.tokens);
        self.min_hasher.signature(&self.simplified, &self.tokens)
    }
}

/// A text that passed all steps.
#[derive(Debug)]
pub(super) struct Passed {
    pub(super) text: String,
    pub(super) language: &'static str,
    pub(super) language_score: u32,
    pub(super) token_count: u32,
    pub(super) bands: Option<BandKeys>,
}

/// A text on its way.
struct Current {
    passed: Passed,
    /// Whether `Scratch::tokens` are those of the text.
    tokenized: bool,
    /// Whether C4 dropped the text, so that there is no rewritten one.
    rewritten_lost: bool,
}

impl Engine {
    /// Runs the steps after extraction. With features all steps run, and the first drop still decides.
    pub(super) fn run_text_steps(
        &self,
        scratch: &mut Scratch,
        text: String,
        way: &mut Way,
    ) -> Result<Passed, Drop> {
        let passed = Passed {
            text,
            language: "",
            language_score: 0,
            token_count: 0,
            bands: None,
        };
        let mut current = Current {
            passed,
            tokenized: false,
            rewritten_lost: false,
        };
        let mut first_drop = None;
        for (k, step) in (0u8..).zip(&self.recipe.steps).skip(self.early_steps()) {
            match Self::step(scratch, step, &mut current, way) {
                Verdict::Kept if first_drop.is_none() && !matches!(step, Step::Minhash(_)) => {
                    way.trail.push(current.passed.text.len() as u64);
                }
                Verdict::Kept => {}
                Verdict::Dropped(why) => {
                    let drop = Drop {
                        reason: step_reason(k),
                        step: step.kind(),
                        why,
                    };
                    if way.features.is_none() {
                        return Err(drop);
                    }
                    first_drop.get_or_insert(drop);
                }
            }
        }
        match first_drop {
            Some(drop) => Err(drop),
            None => Ok(finish(scratch, current.passed, way)),
        }
    }

    fn step(scratch: &mut Scratch, step: &Step, current: &mut Current, way: &mut Way) -> Verdict {
        let needs_tokens = matches!(
            step,
            Step::GopherRepetition(_) | Step::GopherQuality(_) | Step::FinewebQuality(_)
        );
        if needs_tokens && !current.tokenized {
            scratch.tokenize(&current.passed.text);
            current.tokenized = true;
        }
        let text = &current.passed.text;
        match step {
            // It ran before extraction; `Engine::new` refuses one behind other steps.
            Step::UrlFilter(_) => Verdict::Kept,
            Step::Language(params) => {
                let (verdict, code, score) = language_step(text, params);
                (current.passed.language, current.passed.language_score) = (code, score);
                way.facts.language = Some(code);
                way.set("language_score", u64::from(score));
                verdict
            }
            Step::GopherRepetition(params) => {
                let counts = gopher_repetition::features(text, &scratch.tokens, &mut scratch.filters);
                set_repetition(way, &counts);
                gopher_repetition::verdict(&counts, params)
            }
            Step::GopherQuality(params) => {
                let counts = gopher_quality::features(text, &scratch.tokens, params);
                set_quality(way, &counts);
                gopher_quality::verdict(&counts, params)
            }
            Step::C4(params) => {
                let rewritten = c4::rewrite(text, params, &mut scratch.tokenizer, &mut scratch.filters);
                set_c4(way, &rewritten.features);
                let verdict = c4::verdict(&rewritten.features, params);
                if !verdict.is_kept() {
                    current.rewritten_lost = true;
                } else if let std::borrow::Cow::Owned(text) = rewritten.text {
                    current.passed.text = text;
                    current.tokenized = false;
                }
                verdict
            }
            // Without C4's text there is nothing to judge; the drop has been decided already.
            Step::FinewebQuality(_) if current.rewritten_lost => Verdict::Kept,
            Step::FinewebQuality(params) => {
                let counts = fineweb_quality::features(text, &scratch.tokens, params, &mut scratch.filters);
                set_fineweb(way, &counts);
                fineweb_quality::verdict(&counts, params)
            }
            Step::Minhash(_) => {
                let signature = scratch.signature(text);
                current.tokenized = false;
                current.passed.bands = signature.map(|signature| BandKeys(minhash::band_keys(&signature)));
                let words = scratch.tokens.iter().filter(|token| !token.is_space).count() as u64;
                way.set(
                    "minhash_shingles",
                    (words + 1).saturating_sub(minhash::SHINGLE_WORDS as u64),
                );
                Verdict::Kept
            }
        }
    }
}

/// Detects the language; keeps the wanted one above the score.
pub(super) fn language_step(text: &str, params: &LanguageParams) -> (Verdict, &'static str, u32) {
    let options = LanguageOptions {
        letters_min: params.letters_min as usize,
        head_bytes: params.head_bytes as usize,
    };
    let found = language::detect(text, &options);
    let verdict = if found.code != params.keep {
        Verdict::Dropped("other_language")
    } else if u64::from(found.score) * 1_000_000 <= u64::from(params.score_ppm) * 65_536 {
        Verdict::Dropped("low_score")
    } else {
        Verdict::Kept
    };
    (verdict, found.code, found.score)
}

/// Counts tokens, then scrubs: FineWeb counts before it replaces.
fn finish(scratch: &mut Scratch, mut passed: Passed, way: &mut Way) -> Passed {
    passed.token_count = scratch.gpt2.count(&passed.text);
    let scrubbed = pii::scrub(&passed.text);
    way.set("pii_emails", u64::from(scrubbed.emails_changed));
    way.set("pii_ips", u64::from(scrubbed.ips_changed));
    if let std::borrow::Cow::Owned(text) = scrubbed.text {
        passed.text = text;
    }
    way.set("tokens", u64::from(passed.token_count));
    way.set("text_bytes", passed.text.len() as u64);
    if way.features.is_some() {
        way.set("text_characters", passed.text.chars().count() as u64);
        way.set("text_lines", passed.text.split('\n').count() as u64);
    }
    passed
}

fn set_repetition(way: &mut Way, counts: &gopher_repetition::GopherRepetitionFeatures) {
    way.set("gopher_repetition_chars", counts.chars);
    way.set("gopher_repetition_paragraphs", counts.paragraphs);
    way.set("gopher_repetition_dup_paragraphs", counts.dup_paragraphs);
    way.set(
        "gopher_repetition_dup_paragraph_chars",
        counts.dup_paragraph_chars,
    );
    way.set("gopher_repetition_lines", counts.lines);
    way.set("gopher_repetition_dup_lines", counts.dup_lines);
    way.set("gopher_repetition_dup_line_chars", counts.dup_line_chars);
    if way.features.is_some() {
        for (n, chars) in (2..).zip(counts.top_2_3_4_gram_chars) {
            if let Some(chars) = chars {
                way.set(&format!("gopher_repetition_top_{n}_gram_chars"), chars);
            }
        }
        for (n, chars) in (5..).zip(counts.dup_5_to_10_gram_chars) {
            way.set(&format!("gopher_repetition_dup_{n}_gram_chars"), chars);
        }
    }
}

fn set_quality(way: &mut Way, counts: &gopher_quality::GopherQualityFeatures) {
    way.set("gopher_quality_words", counts.words);
    way.set("gopher_quality_non_symbol_words", counts.non_symbol_words);
    way.set("gopher_quality_non_symbol_chars", counts.non_symbol_chars);
    way.set("gopher_quality_hashes", counts.hashes);
    way.set("gopher_quality_ellipses", counts.ellipses);
    way.set("gopher_quality_lines", counts.lines);
    way.set("gopher_quality_bullet_lines", counts.bullet_lines);
    way.set("gopher_quality_ellipsis_lines", counts.ellipsis_lines);
    way.set("gopher_quality_alpha_words", counts.alpha_words);
    way.set("gopher_quality_stop_words", counts.stop_words);
}

fn set_c4(way: &mut Way, counts: &c4::C4Features) {
    way.set("c4_lines", counts.lines);
    way.set("c4_too_long_word", counts.too_long_word);
    way.set("c4_too_few_words", counts.too_few_words);
    way.set("c4_javascript", counts.javascript);
    way.set("c4_policy", counts.policy);
    way.set("c4_kept_lines", counts.kept_lines);
    way.set("c4_sentences", counts.sentences);
    way.set(
        "c4_lorem_ipsum",
        u64::from(counts.line_verdict.reason() == Some("lorem_ipsum")),
    );
    way.set(
        "c4_curly_bracket",
        u64::from(counts.line_verdict.reason() == Some("curly_bracket")),
    );
}

fn set_fineweb(way: &mut Way, counts: &fineweb_quality::FinewebQualityFeatures) {
    way.set("fineweb_quality_lines", counts.lines);
    way.set("fineweb_quality_terminal_lines", counts.terminal_lines);
    way.set("fineweb_quality_short_lines", counts.short_lines);
    way.set("fineweb_quality_dup_line_chars", counts.dup_line_chars);
    way.set(
        "fineweb_quality_chars_without_newlines",
        counts.chars_without_newlines,
    );
    way.set("fineweb_quality_newlines", counts.newlines);
    way.set("fineweb_quality_words", counts.words);
}
