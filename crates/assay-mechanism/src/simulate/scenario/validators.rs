//! Validators that collude, copy or do not look (P6, P8).

use super::super::archive::{CONTENT_ROWS, Layout};
use super::super::audit::{Audit, Claim};
use super::super::play::Cast;
use super::super::report::{Outcome, Property};
use super::super::settings::Settings;
use super::super::strategy::Seasonal;
use crate::yuma::{Fixed, Neuron, Stake, Subnet, epoch};
use assay_types::{BlockNumber, Hotkey, Uid, UnitId, Weight, tagged_hash};

/// A validator's vote: thousandths of the stake and its row.
struct Vote {
    stake: u64,
    row: Vec<(u16, u16)>,
}

/// What the chain makes of the votes: incentive by uid, trust of each voter in the order given.
struct Tally {
    incentive: Vec<f64>,
    trust: Vec<f64>,
}

/// Block of the epoch.
const EPOCH_BLOCK: BlockNumber = BlockNumber(100_000);

/// Runs one epoch of Yuma over `miners` uids and the voters behind them.
fn tally(miners: usize, votes: &[Vote]) -> Tally {
    let neuron = |stake: u64, weights: Vec<(u16, u16)>| Neuron {
        stake: Stake::from_rao(stake * 1_000_000_000),
        registered: BlockNumber(1),
        last_update: BlockNumber(EPOCH_BLOCK.0 - 10),
        permit: stake > 0,
        weights,
        ..Neuron::default()
    };
    let neurons = (0..miners)
        .map(|_| neuron(0, Vec::new()))
        .chain(votes.iter().map(|vote| neuron(vote.stake, vote.row.clone())))
        .collect();
    let subnet = Subnet {
        block: EPOCH_BLOCK,
        last_step: BlockNumber(EPOCH_BLOCK.0 - 360),
        tempo: 360,
        neurons,
        ..Subnet::default()
    };
    let outcomes = epoch(&subnet, 1_000_000_000);
    let real = |value: Fixed| value.to_bits() as f64 / Fixed::whole(1).to_bits() as f64;
    Tally {
        incentive: outcomes
            .iter()
            .take(miners)
            .map(|outcome| real(outcome.incentive))
            .collect(),
        trust: outcomes
            .iter()
            .skip(miners)
            .map(|outcome| real(outcome.validator_trust))
            .collect(),
    }
}

fn row(weights: &[(Uid, Weight)]) -> Vec<(u16, u16)> {
    weights.iter().map(|(uid, weight)| (uid.0, weight.0)).collect()
}

/// Stakes of the colluding minority, in thousandths.
const MINORITIES: [u64; 3] = [100, 200, 400];

/// A minority votes for one miner only, and another time for all but one.
pub(super) fn collude(settings: &Settings, rounds: u32) -> Outcome {
    let (mut world, mut played) = Cast::honest(settings).world(settings, 0);
    let mut honest_row = Vec::new();
    for _ in 0..rounds {
        let result = world.play();
        played.take(&result.revenue, &result.cost);
        honest_row = row(&result.weights);
    }
    let uids = settings.miners + 1;
    // Uid 2 is rated nothing by honest validators.
    let (friend, nobody) = (1_u16, 2_u16);
    honest_row.retain(|(uid, _)| *uid != nobody);
    let incentive = |minority: u64, bad_row: Vec<(u16, u16)>, uid: u16| {
        let votes = [
            Vote {
                stake: 1_000 - minority,
                row: honest_row.clone(),
            },
            Vote {
                stake: minority,
                row: bad_row,
            },
        ];
        tally(uids, &votes)
            .incentive
            .get(usize::from(uid))
            .copied()
            .unwrap_or(0.0)
    };
    let mut outcome = played.outcome();
    for minority in MINORITIES {
        let share = minority as f64 / 1_000.0;
        let usual = incentive(minority, honest_row.clone(), friend);
        let lifted = incentive(minority, vec![(friend, u16::MAX)], friend);
        outcome.properties.push(Property::at_most(
            "P6",
            format!("{share} of the stake lifts its miner by at most c/(1−c)"),
            lifted / usual - 1.0,
            // The chain's fixed point rounds to 2^-32.
            share / (1.0 - share) + 1e-6,
        ));
        let bought = incentive(minority, vec![(nobody, u16::MAX)], nobody);
        outcome.properties.push(Property::at_most(
            "P6b",
            format!("{share} of the stake cannot pay a miner that honest validators rate zero"),
            bought,
            0.0,
        ));
    }
    outcome
}

/// Honest validators beside the copier.
const HONEST_VALIDATORS: usize = 15;

/// Rounds the copier lags; one is what commit–reveal over two tempos enforces.
const LAGS: [usize; 3] = [1, 2, 4];

/// A copier among honest validators, while miners' work changes with the season.
pub(super) fn weight_copier(settings: &Settings, rounds: u32) -> Outcome {
    let cast = Cast::crowd(settings, || Box::new(Seasonal)).called("seasonal");
    let (mut world, mut played) = cast.world(settings, 0);
    let mut rows: Vec<Vec<(u16, u16)>> = Vec::new();
    let mut gaps = LAGS.map(|_| Vec::new());
    for _ in 0..rounds {
        let result = world.play();
        played.take(&result.revenue, &result.cost);
        rows.push(row(&result.weights));
        let now = rows.len() - 1;
        if now < 40 {
            continue;
        }
        for (lag, gaps) in LAGS.into_iter().zip(&mut gaps) {
            let vote = |row: Option<&Vec<(u16, u16)>>| Vote {
                stake: 1,
                row: row.cloned().unwrap_or_default(),
            };
            let mut votes: Vec<Vote> = (0..HONEST_VALIDATORS).map(|_| vote(rows.last())).collect();
            votes.push(vote(rows.get(now - lag)));
            let trust = tally(settings.miners + 1, &votes).trust;
            let honest = trust.first().copied().unwrap_or(0.0);
            gaps.push(honest - trust.last().copied().unwrap_or(0.0));
        }
    }
    let mut outcome = played.outcome();
    for (lag, gaps) in LAGS.into_iter().zip(&gaps) {
        let gap = gaps.iter().sum::<f64>() / gaps.len().max(1) as f64;
        outcome.properties.push(Property::at_least(
            "P8",
            format!("a copier {lag} rounds behind loses at least 2 % of validator trust"),
            gap,
            0.02,
        ));
    }
    outcome
}

/// The owner plants a canary with 5 % invented rows each round; one validator reports "pass" without looking.
pub(super) fn canary(settings: &Settings, rounds: u32) -> Outcome {
    let (mut world, mut played) = Cast::honest(settings).world(settings, 0);
    let layout = Layout::new();
    let (mut missed, mut unflagged) = (0_u32, 0_u32);
    for round in 0..rounds {
        let result = world.play();
        played.take(&result.revenue, &result.cost);
        let mut claims: Vec<Claim> = (0..4)
            .map(|number| Claim {
                false_kept: CONTENT_ROWS / 20,
                ..Claim::honest(UnitId::of("cc", &format!("canary/{round}/{number}")))
            })
            .collect();
        claims.sort_by_key(|claim| claim.unit);
        let beacon = tagged_hash(
            "assay/simulate/canary",
            &[&settings.seed.to_le_bytes(), &round.to_le_bytes()],
        );
        let faults = Audit {
            beacon: beacon.as_bytes(),
            hotkey: Hotkey([0xCA; 32]),
            audited: 2,
            auditors: 0,
            layout: &layout,
            values: settings.values(),
        }
        .faults(&claims);
        // An honest report says fraud; the lazy one says pass, which the planted faults contradict.
        missed += u32::from(faults < 2);
        unflagged += u32::from(faults == 0);
    }
    let share = |count: u32| f64::from(count) / f64::from(rounds.max(1));
    let mut outcome = played.outcome();
    outcome.properties = vec![
        Property::at_most(
            "P15f",
            "share of canaries an honest validator misses",
            share(missed),
            0.01,
        ),
        Property::at_most(
            "P15g",
            "share of rounds in which a validator that does not look passes for honest",
            share(unflagged),
            0.01,
        ),
    ];
    outcome
}
