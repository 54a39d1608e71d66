//! What a validator shows of a submission it audited: how its units are composed, and a few rows beside their pages.
//!
//! For people, so that a dataset can be judged by eye; nothing is paid by it. Rows are what re-execution gave, not what the
//! miner delivered; the composition is counted in the audited units' files and left out when the audit found a fault.
//! One canonical JSON document a miner and round, signed, bounded in every part (docs/api.md, "Audited rows to look at").

use crate::audit::{ReportError, check_rules, signature_form};
use crate::canonical_json::{emit, parse_as};
use crate::hash::{Digest, tagged_hash};
use crate::ids::{Hotkey, NetUid, Round, UnitId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The `version` of this form.
pub const AUDIT_SAMPLE_VERSION: u32 = 1;
/// Most bytes of a document.
pub const AUDIT_SAMPLE_BYTES_MAX: usize = 256 * 1_024;
/// Most rows of one.
pub const SAMPLE_ROWS_MAX: usize = 8;
/// Most blocks of a row's page.
pub const SAMPLE_BLOCKS_MAX: usize = 64;
/// Most bytes of a row's kept text, and of its page's blocks together.
pub const SAMPLE_TEXT_BYTES_MAX: usize = 8 * 1_024;
/// Most bytes of an address or a reason.
pub const SAMPLE_NAME_BYTES_MAX: usize = 1_024;
/// Most entries of each table of a composition.
pub const COMPOSITION_ENTRIES_MAX: usize = 32;
/// Bins of the length histogram: bin `n` counts documents of `2^n` to `2^(n+1) - 1` tokens, the last one all longer.
pub const LENGTH_BINS: usize = 20;

/// A name with how often it was met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedCount {
    /// Language code, host name, or what dropped a record.
    pub name: String,
    /// Documents or records.
    pub count: u64,
}

impl NamedCount {
    /// The most frequent names, at most [`COMPOSITION_ENTRIES_MAX`], those met equally often by name.
    pub fn most_frequent<N: Into<String>>(counts: impl IntoIterator<Item = (N, u64)>) -> Vec<Self> {
        let named = |(name, count): (N, u64)| Self {
            name: name.into(),
            count,
        };
        let mut entries: Vec<Self> = counts.into_iter().map(named).collect();
        entries.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        entries.truncate(COMPOSITION_ENTRIES_MAX);
        entries
    }
}

/// What the audited units of a submission are made of, by their own files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Composition {
    /// Units audited.
    pub units: u32,
    /// Rows of their ledgers that are content.
    pub records: u64,
    /// Kept documents.
    pub kept: u64,
    /// GPT-2 tokens of these.
    pub tokens: u64,
    /// What dropped records, most frequent first.
    pub dropped: Vec<NamedCount>,
    /// Languages of kept documents, most frequent first; "" without a language step.
    pub languages: Vec<NamedCount>,
    /// Hosts of kept documents, most frequent first.
    pub sites: Vec<NamedCount>,
    /// Kept documents by tokens, [`LENGTH_BINS`] bins.
    pub lengths: Vec<u64>,
}

/// A piece of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleBlock {
    /// Its text, cut at a character if it is long.
    pub text: String,
    /// Why extraction left it out; "" if it is main text.
    pub cut: String,
}

/// One row as re-execution gave it, beside its page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleRow {
    /// The unit.
    pub unit: UnitId,
    /// The ledger row.
    pub idx: u32,
    /// `WARC-Target-URI`.
    pub url: String,
    /// `kept`, or `<step>.<reason>`.
    pub decision: String,
    /// Language code; "" if no step looked for it.
    pub language: String,
    /// GPT-2 tokens of a kept row.
    pub tokens: u32,
    /// The final text of a kept row, its beginning if it is long; "" for others.
    pub text: String,
    /// Bytes of the whole final text.
    pub text_bytes: u64,
    /// The page in its order: main text and what extraction left out. Empty if it was not parsed.
    pub blocks: Vec<SampleBlock>,
    /// Whether the page has more blocks than these, or longer ones.
    pub is_cut: bool,
}

/// What a validator shows of one submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditSample {
    /// [`AUDIT_SAMPLE_VERSION`].
    pub version: u32,
    /// The subnet.
    pub netuid: NetUid,
    /// The round.
    pub round: Round,
    /// Who shows it.
    pub validator: Hotkey,
    /// Whose submission.
    pub miner: Hotkey,
    /// Which.
    pub submission_root: Digest,
    /// Of the audited units; null if the audit found a fault.
    pub composition: Option<Composition>,
    /// Rows, in the order of units and numbers.
    pub rows: Vec<SampleRow>,
    /// sr25519 over [`Self::signed_digest`], hexadecimal.
    pub signature: String,
}

impl AuditSample {
    /// The document of canonical bytes, at most [`AUDIT_SAMPLE_BYTES_MAX`].
    ///
    /// # Errors
    /// [`ReportError`] naming the field and the rule it breaks.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReportError> {
        let sample: Self = parse_as(bytes, AUDIT_SAMPLE_BYTES_MAX)?;
        if sample.version != AUDIT_SAMPLE_VERSION {
            return Err(ReportError::Version(sample.version));
        }
        sample.check()?;
        Ok(sample)
    }

    fn check(&self) -> Result<(), ReportError> {
        let ascending = self.rows.is_sorted_by(|a, b| (a.unit, a.idx) < (b.unit, b.idx));
        let composition = self.composition.as_ref();
        let rules = [
            (
                "rows",
                "be at most 8, ascending by unit and number",
                self.rows.len() <= SAMPLE_ROWS_MAX && ascending,
            ),
            (
                "rows",
                "hold at most 64 blocks, 8 KiB of text, 8 KiB of blocks and 1 KiB of each name",
                self.rows.iter().all(SampleRow::is_bounded),
            ),
            (
                "composition",
                "hold at most 32 entries a table, 1 KiB a name and 20 bins",
                composition.is_none_or(Composition::is_bounded),
            ),
            (
                "composition",
                "count no more kept documents than records",
                composition.is_none_or(|found| found.kept <= found.records),
            ),
            (
                "signature",
                "be 128 lower-case hexadecimal digits, or empty",
                signature_form(&self.signature),
            ),
        ];
        check_rules(rules)
    }

    /// The sample with as much of it as may be handed in, still to be signed: rows go first, the last one first, then the
    /// composition. None if what is left breaks another rule.
    pub fn fitted(mut self) -> Option<Self> {
        const SIGNATURE_BYTES: usize = 128;
        self.signature.clear();
        loop {
            let bytes = self.to_canonical_bytes().ok()?;
            if bytes.len() + SIGNATURE_BYTES <= AUDIT_SAMPLE_BYTES_MAX {
                return self.check().is_ok().then_some(self);
            }
            if self.rows.pop().is_none() && self.composition.take().is_none() {
                return None;
            }
        }
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// [`ReportError::Json`] for a number that canonical JSON does not have.
    pub fn to_canonical_bytes(&self) -> Result<Vec<u8>, ReportError> {
        Ok(emit(self)?)
    }

    /// What is signed: a tagged hash of the canonical bytes with an empty signature.
    ///
    /// # Errors
    /// As [`Self::to_canonical_bytes`].
    pub fn signed_digest(&self) -> Result<Digest, ReportError> {
        let unsigned = Self {
            signature: String::new(),
            ..self.clone()
        };
        Ok(tagged_hash(
            "assay/audit-sample/1",
            &[&unsigned.to_canonical_bytes()?],
        ))
    }
}

impl SampleRow {
    fn is_bounded(&self) -> bool {
        let names = [&self.url, &self.decision, &self.language];
        let blocks: usize = self.blocks.iter().map(|block| block.text.len()).sum();
        names.iter().all(|name| name.len() <= SAMPLE_NAME_BYTES_MAX)
            && self.text.len() <= SAMPLE_TEXT_BYTES_MAX
            && blocks <= SAMPLE_TEXT_BYTES_MAX
            && self.blocks.len() <= SAMPLE_BLOCKS_MAX
            && self
                .blocks
                .iter()
                .all(|block| block.cut.len() <= SAMPLE_NAME_BYTES_MAX)
    }
}

impl Composition {
    fn is_bounded(&self) -> bool {
        let tables = [&self.dropped, &self.languages, &self.sites];
        self.lengths.len() <= LENGTH_BINS
            && tables.iter().all(|table| {
                table.len() <= COMPOSITION_ENTRIES_MAX
                    && table
                        .iter()
                        .all(|entry| entry.name.len() <= SAMPLE_NAME_BYTES_MAX)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(idx: u32) -> SampleRow {
        SampleRow {
            unit: UnitId::default(),
            idx,
            url: "https://example.org/".to_owned(),
            decision: "kept".to_owned(),
            language: "en".to_owned(),
            tokens: 3,
            text: "Bread rises.".to_owned(),
            text_bytes: 12,
            blocks: vec![SampleBlock {
                text: "Home".to_owned(),
                cut: "not main text".to_owned(),
            }],
            is_cut: false,
        }
    }

    fn sample() -> AuditSample {
        AuditSample {
            version: AUDIT_SAMPLE_VERSION,
            netuid: NetUid(1),
            round: Round(3),
            validator: Hotkey([1; 32]),
            miner: Hotkey([2; 32]),
            submission_root: Digest([3; 32]),
            composition: Some(Composition {
                records: 2,
                kept: 1,
                ..Composition::default()
            }),
            rows: vec![row(1), row(4)],
            signature: String::new(),
        }
    }

    #[test]
    fn what_is_written_is_read_and_the_signature_is_not_signed() {
        let mut one = sample();
        let digest = one.signed_digest().unwrap();
        one.signature = "ab".repeat(64);
        assert_eq!(one.signed_digest().unwrap(), digest);
        let bytes = one.to_canonical_bytes().unwrap();
        assert_eq!(AuditSample::parse(&bytes).unwrap(), one);
        one.rows[0].tokens = 4;
        assert_ne!(one.signed_digest().unwrap(), digest);
    }

    #[test]
    fn what_is_too_large_is_shortened_until_it_is_taken() {
        let mut one = sample();
        let fitted = one.clone().fitted().unwrap();
        assert_eq!(fitted, one, "nothing is taken from what fits");
        one.rows = (0..8).map(row).collect();
        for row in &mut one.rows {
            row.text = "\u{1}".repeat(SAMPLE_TEXT_BYTES_MAX);
            row.blocks[0].text = "\"".repeat(SAMPLE_TEXT_BYTES_MAX);
        }
        assert!(one.to_canonical_bytes().unwrap().len() > AUDIT_SAMPLE_BYTES_MAX);
        let mut fitted = one.clone().fitted().unwrap();
        assert!(!fitted.rows.is_empty() && fitted.rows.len() < 8);
        fitted.signature = "ab".repeat(64);
        AuditSample::parse(&fitted.to_canonical_bytes().unwrap()).unwrap();
        one.rows = vec![row(3), row(3)];
        assert_eq!(one.fitted(), None, "a row is shown once");
    }

    #[test]
    fn everything_has_a_bound() {
        type Change = fn(&mut AuditSample);
        let changes: [(&str, Change); 8] = [
            ("rows", |one| one.rows = (0..9).map(row).collect()),
            ("rows", |one| one.rows.reverse()),
            ("rows", |one| {
                one.rows[0].text = "x".repeat(SAMPLE_TEXT_BYTES_MAX + 1);
            }),
            ("rows", |one| {
                one.rows[0].blocks = vec![one.rows[0].blocks[0].clone(); 65];
            }),
            ("rows", |one| {
                one.rows[0].blocks[0].text = "x".repeat(SAMPLE_TEXT_BYTES_MAX + 1);
            }),
            ("rows", |one| {
                one.rows[0].url = "x".repeat(SAMPLE_NAME_BYTES_MAX + 1);
            }),
            ("composition", |one| {
                one.composition.as_mut().unwrap().lengths = vec![0; 21];
            }),
            ("composition", |one| one.composition.as_mut().unwrap().kept = 3),
        ];
        for (expected, change) in changes {
            let mut one = sample();
            change(&mut one);
            let bytes = one.to_canonical_bytes().unwrap();
            let found = AuditSample::parse(&bytes);
            assert!(
                matches!(found, Err(ReportError::Field { field, .. }) if field == expected),
                "{found:?}"
            );
        }
    }
}
