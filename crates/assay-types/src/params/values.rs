//! The table of parameters: name, default, range and unit of each, in one place.
//!
//! `set.rs` reads and writes them as TOML, the simulator changes them by name, `docs/mechanism.md` lists them. All
//! are integers; fractions are Q32 (units of 2^−32, floor) or shares of 65,535. Defaults are those of mechanism §2.

use crate::params::ParamError;

/// One parameter, described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its key.
    pub name: &'static str,
    /// The value of the first parameter set.
    pub default: u64,
    /// Least value.
    pub min: u64,
    /// Greatest value.
    pub max: u64,
    /// What one counts.
    pub unit: &'static str,
    /// What it does.
    pub about: &'static str,
}

/// Defines the struct, its defaults and the table from one list.
macro_rules! parameters {
    ($($(#[doc = $about:literal])+ $name:ident = $default:expr, $min:expr => $max:expr, $unit:literal;)+) => {
        /// The values of a parameter set.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct ParamValues {
            $($(#[doc = $about])+ pub $name: u64,)+
        }

        impl Default for ParamValues {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        /// Every parameter, by group.
        pub const PARAMETERS: &[Parameter] = &[$(Parameter {
            name: stringify!($name),
            default: $default,
            min: $min,
            max: $max,
            unit: $unit,
            about: concat!($($about),+),
        },)+];

        impl ParamValues {
            /// The value of the parameter `name`; none if there is no such parameter.
            pub fn get(&self, name: &str) -> Option<u64> {
                match name {
                    $(stringify!($name) => Some(self.$name),)+
                    _ => None,
                }
            }

            /// The place of the parameter `name`.
            fn place(&mut self, name: &str) -> Option<&mut u64> {
                match name {
                    $(stringify!($name) => Some(&mut self.$name),)+
                    _ => None,
                }
            }
        }
    };
}

/// 1 in Q32.
const ONE: u64 = 1 << 32;
/// Greatest number of blocks: 2^24, about six years.
const BLOCKS_MAX: u64 = 1 << 24;

parameters! {
    /// First block of round 0.
    genesis_block = 0, 0 => u32::MAX as u64, "block";
    /// Length of a round.
    round_blocks = 720, 2 => BLOCKS_MAX, "blocks";
    /// How long before a round its beacon block stands.
    assign_lead = 10, 1 => BLOCKS_MAX, "blocks";
    /// From the start of a round to its deadline.
    commit_offset = 540, 1 => BLOCKS_MAX, "blocks";
    /// How long after the pulse is stored a reveal counts.
    reveal_grace = 5, 0 => BLOCKS_MAX, "blocks";
    /// From the start of a round until repositories must be public.
    publish_end = 600, 1 => BLOCKS_MAX, "blocks";
    /// From the start of a round until digests of reports must be on the chain.
    report_cutoff = 1_080, 1 => BLOCKS_MAX, "blocks";
    /// From the start of a round until it changes credibility and weights.
    effective_offset = 1_200, 1 => BLOCKS_MAX, "blocks";

    /// Units a newcomer may hold.
    cap_first = 4, 1 => 65_535, "units";
    /// Units anyone may hold.
    cap_max = 256, 1 => 65_535, "units";
    /// Chance that a unit is given to a second holder.
    replica_rate = 1_844_674_407_370_955_161, 0 => i64::MAX as u64, "2^-64";
    /// Attempts before a unit is a dead letter.
    attempts_max = 3, 1 => 255, "attempts";
    /// Units wanted a round, 0 for no limit.
    demand_units = 0, 0 => ONE, "units";
    /// One unit in this many is kept for duels.
    reserve_mod = 64, 1 => ONE, "units";

    /// Units audited at the start and after a fault.
    audit_units = 8, 1 => 65_535, "units";
    /// Units audited at least.
    audit_units_min = 2, 1 => 65_535, "units";
    /// Kept rows recomputed by every validator.
    rows_kept = 64, 0 => 65_535, "rows";
    /// Content rows recomputed by every validator.
    probes_index = 128, 0 => 65_535, "rows";
    /// Byte offsets looked up by every validator.
    probes_byte = 128, 0 => 65_535, "offsets";
    /// Bytes read at a byte offset to find a member.
    window = 262_144, 1_024 => 1 << 30, "bytes";
    /// Longest gzip member read.
    member_max = 16 << 20, 1_024 => 1 << 30, "bytes";

    /// Longest manifest.
    manifest_bytes_max = 4 << 20, 1_024 => 1 << 30, "bytes";
    /// Longest Parquet footer.
    footer_bytes_max = 1 << 20, 1_024 => 1 << 30, "bytes";
    /// Greatest ratio of inflated to stored bytes.
    compression_ratio_max = 50, 1 => 65_535, "ratio";
    /// Rows of a group of documents.
    docs_group_rows = 1_000, 1 => 1 << 20, "rows";
    /// Rows of a group of ledger or band rows.
    ledger_group_rows = 10_000, 1 => 1 << 20, "rows";
    /// Longest file of documents.
    docs_bytes_max = 1 << 30, 1_024 => 1 << 40, "bytes";
    /// Artifacts of a recipe in all.
    artifact_bytes_max = 64 << 20, 0 => 1 << 40, "bytes";

    /// Share of a new round in the average of production.
    alpha = 1 << 30, 1 => ONE, "Q32";
    /// Share of the missing credibility that a full pass restores.
    cred_up = 858_993_459, 0 => ONE, "Q32";
    /// Credibility of a newcomer.
    cred_0 = 1 << 31, 0 => ONE, "Q32";
    /// What one fault leaves of credibility.
    one_fault = 3_865_470_566, 0 => ONE, "Q32";
    /// What a no-show leaves of credibility.
    no_show = 3_435_973_836, 0 => ONE, "Q32";
    /// What fraud leaves of credibility and of the average.
    fraud_keep = 1 << 30, 0 => ONE, "Q32";
    /// Least delivered share of a pass.
    delivered_min = 1 << 31, 0 => ONE, "Q32";
    /// Stake share of "unreachable" below which the others' verdict is taken.
    unreachable_low = 1_431_655_765, 0 => ONE, "Q32";
    /// Stake share of "unreachable" from which it is a no-show.
    unreachable_high = 2_863_311_530, 0 => ONE, "Q32";
    /// Attempts of a validator before it says "unreachable".
    retries = 3, 1 => 255, "attempts";
    /// How long files must stay readable and proofs count.
    retention = 140, 1 => 65_535, "rounds";
    /// Share of known documents that costs nothing.
    novelty_tol = 1 << 31, 0 => ONE - 1, "Q32";

    /// Production's part of the split.
    split_production = 52_428, 0 => 65_535, "1/65535";
    /// Innovation's part of the split.
    split_innovation = 13_107, 0 => 65_535, "1/65535";
    /// Tempos until weights are revealed.
    reveal_period_epochs = 2, 1 => 255, "tempos";
    /// Blocks a newcomer cannot be replaced.
    immunity_period = 10_080, 0 => 65_535, "blocks";

    /// Length of a duel cycle.
    duel_cycle = 10, 2 => 65_535, "rounds";
    /// Entries of a cycle, first come.
    duel_entries = 4, 1 => 255, "entries";
    /// Archives of a stage.
    duel_warcs = 8, 1 => 255, "archives";
    /// Seeds of the screen.
    duel_seeds_screen = 4, 4 => 16, "seeds";
    /// Seeds of the confirmation.
    duel_seeds_confirm = 8, 4 => 16, "seeds";
    /// Reports of a cell, from different coldkeys.
    duel_reports = 2, 1 => 255, "reports";
    /// Lead a challenger needs over a new champion.
    eps_first = 12, 0 => 1_000, "points";
    /// Lead a challenger needs over an old champion.
    eps_floor = 4, 0 => 1_000, "points";
    /// Rounds from the first lead to the last.
    eps_decay = 300, 1 => 65_535, "rounds";
    /// Standard error above which a duel decides nothing.
    se_max = 4, 1 => 1_000, "points";
    /// Standard error assumed at least.
    se_min = 1, 1 => 1_000, "points";
    /// Fee of an entry, in rao of alpha.
    entry_fee_rao = 1_000_000_000, 0 => i64::MAX as u64, "rao";
    /// Greatest fuel of a recipe as a multiple of the anchor's.
    fuel_ratio_max = 4, 1 => 255, "ratio";

    /// The champion's part of the innovation lane.
    pay_champion = 3_650_722_201, 0 => ONE, "Q32";
    /// The part of the one before.
    pay_previous = 429_496_729, 0 => ONE, "Q32";
    /// The part of the one before that.
    pay_before = 214_748_364, 0 => ONE, "Q32";
    /// Rounds in which a reign's pay falls to one half.
    reign_decay = 900, 1 => 65_535, "rounds";
    /// Royalty as a share of production.
    royalty = 85_899_345, 0 => ONE, "Q32";
    /// Rounds in which a royalty falls to nothing.
    royalty_rounds = 900, 1 => 65_535, "rounds";
    /// Least gain of a recipe.
    gain_min = 1 << 31, 0 => ONE, "Q32";
    /// Greatest gain of a recipe.
    gain_max = 2 << 32, 1 << 32 => 1 << 40, "Q32";
}

impl ParamValues {
    /// Sets the parameter `name`.
    ///
    /// # Errors
    /// [`ParamError::Unknown`] or [`ParamError::Range`]; rules between parameters are those of [`Self::check`].
    pub fn set(&mut self, name: &str, value: u64) -> Result<(), ParamError> {
        let parameter = PARAMETERS
            .iter()
            .find(|parameter| parameter.name == name)
            .ok_or_else(|| ParamError::Unknown(name.chars().take(64).collect()))?;
        if !(parameter.min..=parameter.max).contains(&value) {
            return Err(ParamError::Range {
                name: parameter.name,
                found: value,
                min: parameter.min,
                max: parameter.max,
            });
        }
        if let Some(place) = self.place(name) {
            *place = value;
        }
        Ok(())
    }

    /// Whether the values agree with each other.
    ///
    /// # Errors
    /// [`ParamError::Rule`] for the first rule that is broken.
    pub fn check(&self) -> Result<(), ParamError> {
        let rules = [
            (
                "assign_lead",
                "stand within the round before: assign_lead < round_blocks",
                self.assign_lead < self.round_blocks,
            ),
            (
                "commit_offset",
                "come before publish_end",
                self.commit_offset < self.publish_end,
            ),
            (
                "publish_end",
                "come before report_cutoff",
                self.publish_end < self.report_cutoff,
            ),
            (
                "report_cutoff",
                "come before effective_offset",
                self.report_cutoff < self.effective_offset,
            ),
            ("cap_first", "not exceed cap_max", self.cap_first <= self.cap_max),
            (
                "audit_units_min",
                "not exceed audit_units",
                self.audit_units_min <= self.audit_units,
            ),
            (
                "unreachable_low",
                "not exceed unreachable_high",
                self.unreachable_low <= self.unreachable_high,
            ),
            (
                "split_production",
                "give 65535 together with split_innovation",
                self.split_production + self.split_innovation == 65_535,
            ),
            (
                "eps_floor",
                "not exceed eps_first",
                self.eps_floor <= self.eps_first,
            ),
            ("se_min", "not exceed se_max", self.se_min <= self.se_max),
            (
                "pay_champion",
                "not exceed 1 together with pay_previous and pay_before",
                self.pay_champion + self.pay_previous + self.pay_before <= ONE,
            ),
        ];
        match rules.into_iter().find(|(_, _, holds)| !holds) {
            Some((name, rule, _)) => Err(ParamError::Rule { name, rule }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_within_range_and_agree() {
        let values = ParamValues::default();
        for parameter in PARAMETERS {
            assert_eq!(values.get(parameter.name), Some(parameter.default));
            assert!(
                (parameter.min..=parameter.max).contains(&parameter.default),
                "{}",
                parameter.name
            );
            assert!(
                i64::try_from(parameter.max).is_ok(),
                "{} fits TOML",
                parameter.name
            );
        }
        values.check().unwrap();
    }

    #[test]
    fn decimal_fractions_are_floors() {
        let values = ParamValues::default();
        for (value, decimal) in [
            (values.cred_up, 0.2),
            (values.one_fault, 0.9),
            (values.no_show, 0.8),
            (values.pay_champion, 0.85),
            (values.pay_previous, 0.1),
            (values.pay_before, 0.05),
            (values.royalty, 0.02),
        ] {
            assert_eq!(value, (decimal * 4_294_967_296.0_f64).floor() as u64, "{decimal}");
        }
        assert_eq!(u128::from(values.replica_rate), (1_u128 << 64) / 10);
    }

    #[test]
    fn a_value_is_set_by_name_within_its_range() {
        let mut values = ParamValues::default();
        values.set("probes_index", 512).unwrap();
        assert_eq!(values.probes_index, 512);
        assert!(matches!(values.set("alpha", 0), Err(ParamError::Range { .. })));
        assert!(matches!(values.set("beta", 0), Err(ParamError::Unknown(_))));
        values.set("split_innovation", 0).unwrap();
        let error = values.check().unwrap_err().to_string();
        assert!(error.contains("split_production"), "{error}");
    }
}
