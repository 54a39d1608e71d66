//! Stage 2: trains the transformer on every arm and seed, cell by cell, and looks at 4, 6 and 8 seeds whether that decides.
//!
//! Samples and held-out text come in; a caller trains [`Cell`]s in any order and on any number of threads and gives back what
//! they found; [`Trained`] leaves. Seeds, start values and positions are the same in all arms (docs/evaluation.md).

use std::collections::BTreeMap;
use std::ops::Range;

use assay_types::{Digest, tagged_hash};

use crate::benchmark::{Benchmark, passages};
use crate::held_out::HeldOutSet;
use crate::interval::{Bootstrap, Interval};
use crate::profile::{NGRAM_SMALL, NGRAM_V1, Profile, SMOKE, TRAINING};
use crate::sample::Sample;
use crate::stage1::ArmBits;
use crate::tokenizer::{TokenId, Tokenizer};
use crate::transformer::profile::{self, TrainingProfile};
use crate::transformer::run::{Course, Finished, Run};
use crate::transformer::{Compute, Passage, Stream, TRAINER_VERSION, TrainError, initial};

/// Seeds at which a result is looked at.
const LOOKS: [usize; 3] = [4, 6, 8];

/// Quantiles of the looks when there are three, which share .05: t(1 − .05/6) of 3, 5 and 7 degrees of freedom
/// (docs/evaluation.md). Two looks take the same, which is careful.
const QUANTILES: [f64; 3] = [4.857, 3.534, 3.128];

/// t(.975) of 3 degrees of freedom: a single look at four seeds.
const QUANTILE_SINGLE: f64 = 3.182;

/// What is trained and how its text is sampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainingPlan {
    /// Budget and order of documents.
    pub sample: Profile,
    /// The model.
    pub model: &'static TrainingProfile,
}

/// The plan of evaluations and duels.
pub const CPU_PLAN: TrainingPlan = TrainingPlan {
    sample: TRAINING,
    model: &profile::CPU_V1,
};

/// The plan that shows whether everything runs.
pub const SMOKE_PLAN: TrainingPlan = TrainingPlan {
    sample: SMOKE,
    model: &profile::SMOKE,
};

impl TrainingPlan {
    /// Whether its results say which dataset is better.
    pub fn decides(&self) -> bool {
        *self != SMOKE_PLAN
    }

    /// What an arm samples for: both profiles of stage 1, then this.
    pub fn profiles(&self) -> [Profile; 3] {
        [NGRAM_V1, NGRAM_SMALL, self.sample]
    }
}

/// Everything stage 2 needs of one evaluation.
#[derive(Debug)]
pub struct Stage2<'a> {
    profile: &'static TrainingProfile,
    held_out: &'a HeldOutSet,
    documents: Vec<Vec<TokenId>>,
    benchmarks: &'a [Benchmark],
    passages: Vec<Passage>,
    /// The first arms, which answer them.
    answering: usize,
    samples: Vec<&'a Sample>,
    budget_tokens: u64,
    seed: Vec<u8>,
}

/// One model to train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// Place of its arm.
    pub arm: usize,
    /// Its seed, from 0.
    pub seed: u32,
}

/// A cell, ready to be trained.
#[derive(Debug)]
pub struct Prepared<'a> {
    /// Digest of everything the result depends on: what a finished cell is kept under.
    pub key: Digest,
    profile: &'static TrainingProfile,
    documents: &'a [Vec<TokenId>],
    passages: &'a [Passage],
    stream: Stream,
    start: Vec<f32>,
}

/// Results of all cells of some seeds.
#[derive(Debug, Clone)]
pub struct Trained {
    /// Bits of every arm, seeds as folds.
    pub arms: Vec<ArmBits>,
    /// Mean loss curve of every arm, bits a token.
    pub curves: Vec<Vec<f64>>,
    /// Bits of every option of the benchmarks, by arm and seed.
    pub answers: Vec<Vec<Vec<u64>>>,
    /// Looks taken.
    pub looks: u32,
    /// Standard errors on each side of a difference.
    pub quantile: f64,
    /// Tokens of a run.
    pub budget_tokens: u64,
    /// Name of the profile.
    pub profile: &'static str,
    /// Vector instructions of this call, or `cuda`; kept models may have been trained with others of the same bits.
    pub instructions: &'static str,
}

impl<'a> Stage2<'a> {
    /// Of the samples of all arms; `seed` is the evaluation's.
    pub fn new(
        profile: &'static TrainingProfile,
        held_out: &'a HeldOutSet,
        samples: Vec<&'a Sample>,
        budget_tokens: u64,
        seed: &[u8],
    ) -> Self {
        let texts: Vec<String> = held_out.texts().map(str::to_owned).collect();
        Self {
            profile,
            held_out,
            documents: Tokenizer::default().encode_all(&texts),
            benchmarks: &[],
            passages: Vec::new(),
            answering: 0,
            samples,
            budget_tokens,
            seed: seed.to_vec(),
        }
    }

    /// With benchmarks that models of the first `arms` arms answer.
    #[must_use]
    pub fn with_benchmarks(mut self, benchmarks: &'a [Benchmark], arms: usize) -> Self {
        self.answering = arms;
        self.passages = passages(benchmarks, self.profile.shape.context);
        self.benchmarks = benchmarks;
        self
    }

    /// What is trained.
    pub fn profile(&self) -> &'static TrainingProfile {
        self.profile
    }

    /// Arms.
    pub fn arms(&self) -> usize {
        self.samples.len()
    }

    /// Text, start values and key of a cell.
    pub fn prepare(&self, cell: Cell, on: &Compute) -> Prepared<'_> {
        let seed = [&self.seed[..], &cell.seed.to_le_bytes()].concat();
        let windows = self
            .samples
            .get(cell.arm)
            .map(|sample| sample.windows(cell.seed as usize, self.budget_tokens))
            .unwrap_or_default();
        let shape = &self.profile.shape;
        let stream = Stream::new(windows.into_iter(), shape, self.budget_tokens, &seed);
        let text = stream.digest();
        let rounding = on.rounding();
        let (version, budget) = (TRAINER_VERSION.to_le_bytes(), self.budget_tokens.to_le_bytes());
        let mut parts: Vec<&[u8]> = vec![
            &version,
            self.profile.name.as_bytes(),
            rounding.as_bytes(),
            &seed,
            self.held_out.id.as_bytes(),
            &budget,
            text.as_bytes(),
        ];
        let passages = self.passages_of(cell);
        let benchmarks = self.benchmarks.iter().filter(|_| !passages.is_empty());
        parts.extend(benchmarks.map(|benchmark| benchmark.digest.as_bytes().as_slice()));
        Prepared {
            key: tagged_hash("assay/cell/2", &parts),
            profile: self.profile,
            documents: &self.documents,
            passages,
            start: initial(shape, &seed),
            stream,
        }
    }

    /// Documents of the held-out text: every finished cell has bits of each.
    pub fn documents(&self) -> usize {
        self.documents.len()
    }

    /// Options of the benchmarks that a cell answers: when it is finished it has bits of each.
    pub fn passages_of(&self, cell: Cell) -> &[Passage] {
        if cell.arm < self.answering {
            &self.passages
        } else {
            &[]
        }
    }

    /// Puts the cells of some seeds together; none if one is missing or was scored on other text.
    pub fn gather(
        &self,
        found: &BTreeMap<Cell, Finished>,
        seeds: Range<u32>,
        look: &Look,
        on: &Compute,
    ) -> Option<Trained> {
        let mut arms = Vec::new();
        let mut curves = Vec::new();
        let mut answers = Vec::new();
        for arm in 0..self.arms() {
            let cells: Option<Vec<&Finished>> =
                seeds.clone().map(|seed| found.get(&Cell { arm, seed })).collect();
            let cells = cells?;
            let bits: Vec<Vec<u64>> = cells.iter().map(|cell| cell.bits.clone()).collect();
            arms.push(ArmBits::of_documents(&bits, self.held_out)?);
            let points = cells.iter().map(|cell| cell.curve.len()).min().unwrap_or(0);
            let mean = |point: usize| {
                let of_cell = |cell: &&Finished| cell.curve.get(point).copied().unwrap_or(0.0);
                cells.iter().map(of_cell).fold(0.0, |sum, loss| sum + loss) / cells.len().max(1) as f64
            };
            curves.push((0..points).map(mean).collect());
            answers.push(cells.iter().map(|cell| cell.answers.clone()).collect());
        }
        Some(Trained {
            arms,
            curves,
            answers,
            looks: look.number,
            quantile: look.quantile,
            budget_tokens: self.budget_tokens,
            profile: self.profile.name,
            instructions: on.name(),
        })
    }

    /// The difference of two arms at a look.
    pub fn difference(&self, trained: &Trained, first: usize, last: usize) -> Option<Interval> {
        let (first, last) = (trained.arms.get(first)?, trained.arms.get(last)?);
        let difference = Bootstrap::new(self.held_out).difference(first, last);
        Some(difference.within(trained.quantile))
    }
}

impl Prepared<'_> {
    /// Steps of the run.
    pub fn steps(&self) -> u64 {
        self.stream.steps()
    }

    /// The run, from its first step.
    ///
    /// # Errors
    /// [`TrainError::Machine`]; nothing else for a profile of ours.
    pub fn run(&self, on: &Compute, threads: usize) -> Result<Run<'_>, TrainError> {
        let course = Course {
            shape: self.profile.shape,
            rate_max: self.profile.rate_max,
            stream: &self.stream,
            documents: self.documents,
            passages: self.passages,
        };
        let trainer = on.trainer(self.profile, &self.start, threads)?;
        Ok(Run::new(course, trainer))
    }
}

/// A look at the result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Its number, from 1.
    pub number: u32,
    /// Seeds that are looked at.
    pub seeds: usize,
    /// Standard errors on each side of the difference.
    pub quantile: f64,
}

/// The looks of a plan of at most `seeds` seeds, at least four; a plan of four is looked at once.
pub fn looks(seeds: usize) -> Vec<Look> {
    let planned = LOOKS.iter().zip(QUANTILES).zip(1..);
    let planned = planned.filter(|((look, _), _)| **look <= seeds.max(SEEDS_MIN));
    let mut looks: Vec<Look> = planned
        .map(|((seeds, quantile), number)| Look {
            number,
            seeds: *seeds,
            quantile,
        })
        .collect();
    if let [single] = looks.as_mut_slice() {
        single.quantile = QUANTILE_SINGLE;
    }
    looks
}

/// Fewest seeds of a plan.
pub const SEEDS_MIN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_share_their_error() {
        let seeds = |plan| looks(plan).iter().map(|look| look.seeds).collect::<Vec<_>>();
        assert_eq!(seeds(4), [4]);
        assert_eq!(seeds(0), [4]);
        assert_eq!(seeds(7), [4, 6]);
        assert_eq!(seeds(8), [4, 6, 8]);
        assert!((looks(4)[0].quantile - 3.182).abs() < 1e-9);
        assert!((looks(8)[0].quantile - 4.857).abs() < 1e-9);
        assert_eq!(looks(8)[2].number, 3);
    }
}
