//! Honest work, and the one dishonest step of each adversary of a local network.
//!
//! Adversaries run the real miner and differ in what is filed, so that what catches them is what catches anybody
//! (docs/localnet.md lists the faults they are caught for).

use std::sync::Mutex;

use assay_refine::engine::{Outcome, Refined};
use assay_types::blake3_16;

use crate::local::Alter;

/// One text in this many is invented by the fabricator: 20 %.
const INVENTED_MOD: u32 = 5;

/// How a miner behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Conduct {
    /// As the protocol says.
    #[default]
    Honest,
    /// Leaves out half of the records.
    Lazy,
    /// Files the rows of another unit, which everybody can read, under its own assignment.
    Copycat,
    /// Invents the text of every fifth kept row.
    Fabricator,
}

impl Conduct {
    /// What is done to records, if anything.
    pub(super) fn alter(self) -> Option<Box<dyn Alter>> {
        match self {
            Self::Honest | Self::Copycat => None,
            Self::Lazy => Some(Box::new(HalfOfThem::default())),
            Self::Fabricator => Some(Box::new(Invented::default())),
        }
    }
}

/// Leaves out every second record of a unit and numbers the rest as if nothing had happened.
#[derive(Debug, Default)]
struct HalfOfThem(Mutex<u32>);

impl Alter for HalfOfThem {
    fn alter(&self, mut refined: Refined) -> Option<Refined> {
        let mut next = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if refined.idx == 0 {
            *next = 0;
        }
        if refined.idx % 2 == 1 {
            return None;
        }
        refined.idx = *next;
        *next += 1;
        Some(refined)
    }
}

/// Replaces every fifth text of a unit by words of its own, and hashes them as they are. It counts from each unit's first record,
/// so that a unit that is refined again is the same.
#[derive(Debug, Default)]
struct Invented(Mutex<u32>);

impl Alter for Invented {
    fn alter(&self, mut refined: Refined) -> Option<Refined> {
        let mut kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if refined.idx == 0 {
            *kept = 0;
        }
        if let Outcome::Passed(document) = &mut refined.outcome {
            *kept += 1;
            if *kept % INVENTED_MOD == 1 {
                let text = "Nobody ever wrote this page, and nobody will miss it. ";
                document.text = text.repeat(document.text.len() / text.len() + 1);
                document.text_hash = blake3_16(document.text.as_bytes());
            }
        }
        Some(refined)
    }
}
