//! The audit log and the events made from it.

use crate::hash::{Digest, tagged_hash};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A final block was taken in.
    Block,
    /// A round was assigned or changed its phase.
    Round,
    /// A submission was revealed or completed.
    Submission,
    /// A report was accepted.
    Report,
    /// A fraud proof was accepted, listed or refuted.
    Proof,
    /// A cell or decision of a duel.
    Duel,
    /// Weights of an epoch.
    Weights,
    /// A dataset or recipe was released.
    Release,
    /// The server's own state changed: corpus added, dead letter re-queued, intake stopped.
    Health,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Block,
        Self::Round,
        Self::Submission,
        Self::Report,
        Self::Proof,
        Self::Duel,
        Self::Weights,
        Self::Release,
        Self::Health,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Round => "round",
            Self::Submission => "submission",
            Self::Report => "report",
            Self::Proof => "proof",
            Self::Duel => "duel",
            Self::Weights => "weights",
            Self::Release => "release",
            Self::Health => "health",
        }
    }

    /// The kind of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// An entry of the audit log; each names the digest of the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Number, from 1, without gaps.
    pub sequence: u64,
    /// When, milliseconds since 1970 by the server's clock.
    pub time_ms: u64,
    /// What kind.
    pub kind: EventKind,
    /// What happened, canonical JSON.
    pub document: String,
    /// Digest of the entry before; zero for the first.
    pub previous: Digest,
    /// Digest of this entry, see [`Self::expected_digest`].
    pub digest: Digest,
}

impl AuditEntry {
    /// `H("assay/audit-log/1", previous ‖ sequence u64 ‖ time_ms u64 ‖ kind ‖ 0x00 ‖ document)`.
    pub fn expected_digest(&self) -> Digest {
        tagged_hash(
            "assay/audit-log/1",
            &[
                self.previous.as_bytes(),
                &self.sequence.to_le_bytes(),
                &self.time_ms.to_le_bytes(),
                self.kind.name().as_bytes(),
                &[0],
                self.document.as_bytes(),
            ],
        )
    }

    /// The first entry whose number, digest or link does not fit; `entries` in order, `previous` the digest before them.
    pub fn first_break(previous: Digest, entries: &[Self]) -> Option<u64> {
        let mut before = (entries.first()?.sequence.wrapping_sub(1), previous);
        for entry in entries {
            let fits = entry.previous == before.1
                && entry.sequence == before.0.wrapping_add(1)
                && entry.digest == entry.expected_digest();
            if !fits {
                return Some(entry.sequence);
            }
            before = (entry.sequence, entry.digest);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(count: u64) -> Vec<AuditEntry> {
        let mut entries = Vec::new();
        let mut previous = Digest::ZERO;
        for sequence in 1..=count {
            let mut entry = AuditEntry {
                sequence,
                time_ms: sequence * 10,
                kind: EventKind::Block,
                document: format!("{{\"block\":{sequence}}}"),
                previous,
                digest: Digest::ZERO,
            };
            entry.digest = entry.expected_digest();
            previous = entry.digest;
            entries.push(entry);
        }
        entries
    }

    #[test]
    fn a_changed_missing_or_moved_entry_breaks_the_log() {
        let entries = chain(5);
        assert_eq!(AuditEntry::first_break(Digest::ZERO, &entries), None);
        assert_eq!(AuditEntry::first_break(entries[1].digest, &entries[2..]), None);
        let mut changed = entries.clone();
        changed[2].document.push(' ');
        assert_eq!(AuditEntry::first_break(Digest::ZERO, &changed), Some(3));
        let mut missing = entries.clone();
        missing.remove(2);
        assert_eq!(AuditEntry::first_break(Digest::ZERO, &missing), Some(4));
        let mut moved = entries;
        moved.swap(0, 1);
        assert_eq!(AuditEntry::first_break(Digest::ZERO, &moved), Some(2));
    }
}
