//! The innovation lane: what the champion, its predecessors and the authors of used recipes earn.
//!
//! Who reigns since when and how much each recipe is used come in; shares of the lane and the part that burns leave for
//! `weights` (mechanism §9.3; worked example §15). Shares are exact complements: they and the burn sum to one.

use assay_types::{ParamValues, Q32};
use std::collections::BTreeMap;

/// How the innovation lane pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneParams {
    /// The champion's part; default .85.
    pub champion: Q32,
    /// The part of the champion before; default .10.
    pub previous: Q32,
    /// The part of the one before that; default .05.
    pub before: Q32,
    /// Rounds in which a reign's pay falls to one half; default 900.
    pub reign_decay: u64,
    /// Royalty as a share of production; default .02.
    pub royalty: Q32,
    /// Rounds in which a royalty falls to nothing; default 900.
    pub royalty_rounds: u64,
    /// Production's part of the split over innovation's, floor; default 4 = 80/20. A royalty on production is paid out of a
    /// lane that is this much smaller.
    pub lane_ratio: u64,
}

impl From<&ParamValues> for LaneParams {
    fn from(values: &ParamValues) -> Self {
        Self {
            champion: Q32(values.pay_champion),
            previous: Q32(values.pay_previous),
            before: Q32(values.pay_before),
            reign_decay: values.reign_decay,
            royalty: Q32(values.royalty),
            royalty_rounds: values.royalty_rounds,
            lane_ratio: values
                .split_production
                .checked_div(values.split_innovation)
                .unwrap_or(0),
        }
    }
}

impl Default for LaneParams {
    /// The first parameter set's.
    fn default() -> Self {
        Self::from(&ParamValues::default())
    }
}

/// Who holds the three paid places. None: nobody yet, or an author without a registered hotkey (the anchor has none).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places<K> {
    /// Author of the champion.
    pub champion: Option<K>,
    /// Author of the champion before.
    pub previous: Option<K>,
    /// Author of the one before that.
    pub before: Option<K>,
    /// Rounds since the champion's activation.
    pub reign_rounds: u64,
}

/// How much of production runs on one recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage<K> {
    /// The recipe's author, if registered.
    pub author: Option<K>,
    /// Share of `Σ P·C²` made with the recipe; all usages sum to at most one.
    pub share: Q32,
    /// Rounds since the recipe's activation.
    pub age_rounds: u64,
}

/// Shares of the lane by author, and what burns; together exactly [`Q32::ONE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneShares<K> {
    /// Share of each author, without zeros.
    pub shares: BTreeMap<K, Q32>,
    /// The rest.
    pub burn: Q32,
}

impl<K> LaneShares<K> {
    /// The whole lane burns: too few duel reports, or no recipe but the anchor.
    pub const fn burnt() -> Self {
        Self {
            shares: BTreeMap::new(),
            burn: Q32::ONE,
        }
    }
}

/// `Roy = mul(mul(4·royalty, usage), ONE − div(min(age, 900), 900))`; 4 is [`LaneParams::lane_ratio`].
pub fn royalty(params: &LaneParams, usage: Q32, age_rounds: u64) -> Q32 {
    let rate = Q32(params.royalty.0.saturating_mul(params.lane_ratio));
    rate.mul(usage)
        .mul(Q32::ONE.saturating_sub(elapsed(age_rounds, params.royalty_rounds)))
}

/// `κ = ONE − mul(ONE/2, div(min(reign, 900), 900))`: what is left of the lane for the places after a reign.
pub fn reign_factor(params: &LaneParams, reign_rounds: u64) -> Q32 {
    let half = Q32(Q32::ONE.0 / 2);
    Q32::ONE.saturating_sub(half.mul(elapsed(reign_rounds, params.reign_decay)))
}

/// `div(min(rounds, of), of)`; a period of zero rounds has wholly elapsed.
fn elapsed(rounds: u64, of: u64) -> Q32 {
    Q32::ratio(rounds.min(of), of).unwrap_or(Q32::ONE)
}

/// `L_a = mul(mul(ONE − ΣRoy, κ), K_a) + Roy_a` for each registered author a, the rest burns.
///
/// Royalties of unregistered authors count in `ΣRoy` and burn. An author with several places or recipes gets the sum.
/// Inputs beyond their range (usages above one) never make the shares exceed the lane: payment stops when it is spent.
pub fn innovation_shares<K: Ord + Copy>(
    params: &LaneParams,
    places: &Places<K>,
    usages: &[Usage<K>],
) -> LaneShares<K> {
    let royalties: Vec<(Option<K>, Q32)> = usages
        .iter()
        .map(|usage| (usage.author, royalty(params, usage.share, usage.age_rounds)))
        .collect();
    let owed = royalties
        .iter()
        .fold(Q32::ZERO, |sum, &(_, due)| sum.saturating_add(due));
    let factor = reign_factor(params, places.reign_rounds);
    let for_places = Q32::ONE.saturating_sub(owed).mul(factor);
    let places = [
        (places.champion, params.champion),
        (places.previous, params.previous),
        (places.before, params.before),
    ];
    let due = places
        .into_iter()
        .map(|(author, part)| (author, for_places.mul(part)))
        .chain(royalties);
    let mut lane = LaneShares::burnt();
    for (author, due) in due {
        let Some(author) = author else { continue };
        let paid = due.min(lane.burn);
        lane.burn = lane.burn.saturating_sub(paid);
        if paid > Q32::ZERO {
            let share = lane.shares.entry(author).or_insert(Q32::ZERO);
            *share = share.saturating_add(paid);
        }
    }
    lane
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NONE: Places<u16> = Places {
        champion: None,
        previous: None,
        before: None,
        reign_rounds: 0,
    };

    #[test]
    fn the_worked_example() {
        // Mechanism §15, weights: champion uid 2 (reign and recipe age 300, usage .6), previous uid 3, no third.
        let params = LaneParams::default();
        let usage = Q32(2_576_980_377);
        assert_eq!(reign_factor(&params, 300), Q32(3_579_139_414));
        assert_eq!(royalty(&params, usage, 300), Q32(137_438_951));
        let places = Places {
            champion: Some(2_u16),
            previous: Some(3),
            reign_rounds: 300,
            ..NONE
        };
        let usages = [Usage {
            author: Some(2),
            share: usage,
            age_rounds: 300,
        }];
        let lane = innovation_shares(&params, &places, &usages);
        let expected = BTreeMap::from([(2, Q32(3_082_354_861)), (3, Q32(346_460_694))]);
        assert_eq!(lane.shares, expected);
        assert_eq!(lane.burn, Q32(866_151_741));
    }

    #[test]
    fn the_lane_burns_without_payees() {
        let params = LaneParams::default();
        assert_eq!(innovation_shares(&params, &NONE, &[]), LaneShares::burnt());
        let anchor_only = [Usage {
            author: None,
            share: Q32::ONE,
            age_rounds: 0,
        }];
        assert_eq!(
            innovation_shares(&params, &NONE, &anchor_only),
            LaneShares::burnt()
        );
    }

    #[test]
    fn pay_decays_to_half_a_reign_and_no_royalty() {
        let params = LaneParams::default();
        assert_eq!(reign_factor(&params, 0), Q32::ONE);
        assert_eq!(reign_factor(&params, 900), Q32(1 << 31));
        assert_eq!(reign_factor(&params, u64::MAX), Q32(1 << 31));
        assert_eq!(royalty(&params, Q32::ONE, 0), Q32(343_597_380));
        assert_eq!(royalty(&params, Q32::ONE, 900), Q32::ZERO);
        let without_period = LaneParams {
            royalty_rounds: 0,
            ..params
        };
        assert_eq!(royalty(&without_period, Q32::ONE, 0), Q32::ZERO);
    }

    #[test]
    fn usages_beyond_one_cannot_overspend() {
        let usages = [Usage {
            author: Some(1_u16),
            share: Q32(u64::MAX),
            age_rounds: 0,
        }; 3];
        let lane = innovation_shares(&LaneParams::default(), &NONE, &usages);
        assert_eq!(lane.shares[&1], Q32::ONE);
        assert_eq!(lane.burn, Q32::ZERO);
    }

    fn lanes() -> impl Strategy<Value = (Places<u16>, Vec<Usage<u16>>)> {
        let author = || prop::option::of(0_u16..5);
        let places = (author(), author(), author(), 0_u64..2_000);
        let places = places.prop_map(|(champion, previous, before, reign_rounds)| Places {
            champion,
            previous,
            before,
            reign_rounds,
        });
        let usage = (author(), 0_u64..1 << 30, 0_u64..2_000);
        let usage = usage.prop_map(|(author, share, age_rounds)| Usage {
            author,
            share: Q32(share),
            age_rounds,
        });
        (places, prop::collection::vec(usage, 0..4))
    }

    proptest! {
        #[test]
        fn shares_and_burn_are_the_whole_lane((places, usages) in lanes()) {
            let lane = innovation_shares(&LaneParams::default(), &places, &usages);
            let sum: u64 = lane.shares.values().map(|share| share.0).sum();
            prop_assert_eq!(sum + lane.burn.0, Q32::ONE.0);
        }

        #[test]
        fn more_use_never_pays_its_author_less((places, mut usages) in lanes(), more in 0_u64..1 << 28) {
            // A royalty is taken from the places, so an author who holds no place gains by all of it.
            let author = 9_u16;
            usages.push(Usage { author: Some(author), share: Q32(1 << 20), age_rounds: 10 });
            let share = |usages: &[Usage<u16>]| {
                let lane = innovation_shares(&LaneParams::default(), &places, usages);
                lane.shares.get(&author).copied().unwrap_or_default()
            };
            let before = share(&usages);
            usages.last_mut().unwrap().share.0 += more;
            prop_assert!(share(&usages) >= before);
        }
    }
}
