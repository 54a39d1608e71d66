//! What a simulation is run with: the parameter set, the size of the world, and which defences are on.
//!
//! `assay simulate --set name=value` and `--without name` change it by name; scenarios read it. An ablation is a
//! change of parameters wherever the defence is one, so that the real functions run in both worlds.

use assay_types::{PARAMETERS, ParamError, ParamSet, ParamValues, Q32};
use thiserror::Error;

/// Most miners of a world.
const MINERS_MAX: u64 = 250;
/// Fewest units of a miner: one unit cannot be split over hotkeys, so `sybil` would have nothing to show.
const UNITS_MIN: u64 = 2;
/// Most rounds of a run.
pub const ROUNDS_MAX: u32 = 10_000;

/// Why a setting cannot be changed so.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SettingError {
    /// No such setting or parameter.
    #[error("setting `{name}` is unknown; settings are {known}, and every parameter")]
    Unknown {
        /// Name given.
        name: String,
        /// The simulator's own names.
        known: String,
    },
    /// Another form or range.
    #[error("setting `{name}` is `{found}`, must be {expected}")]
    Value {
        /// Its name.
        name: String,
        /// Text given.
        found: String,
        /// What it must be.
        expected: String,
    },
    /// A parameter out of its range, or two that contradict each other.
    #[error(transparent)]
    Parameter(#[from] ParamError),
    /// No such defence.
    #[error("defence `{name}` is unknown; known are {known}")]
    Defence {
        /// Name given.
        name: String,
        /// The known names.
        known: String,
    },
}

/// A defence that can be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defence {
    /// Its name.
    pub name: &'static str,
    /// What is missing without it.
    pub without: &'static str,
}

/// Defences by name, for `--without`.
pub const DEFENCES: &[Defence] = &[
    Defence {
        name: "lockstep",
        without: "work is public before the deadline and any unit may be submitted",
    },
    Defence {
        name: "credibility",
        without: "every miner is always fully trusted: a fault costs its round and no more",
    },
    Defence {
        name: "ledger",
        without: "only kept rows are checked: an omission is no fault",
    },
    Defence {
        name: "private-audit",
        without: "validators look at the common sample only",
    },
    Defence {
        name: "two-stage",
        without: "the confirmation alone, at level .01, dethrones a champion",
    },
];

/// The simulator's own settings: name, unit and meaning.
const OWN: &[(&str, &str)] = &[
    ("miners", "honest miners, 2 to 250"),
    ("units", "units a miner can do in a round, 2 to 256"),
    ("cost", "cost of a round's honest work, in mean revenue"),
    ("auditors", "validators with a private sample"),
    ("error", "chance that an honest row is wrong"),
    ("tickets", "challengers a duel cycle"),
    ("stages", "1 or 2 stages of a duel"),
];

/// A simulation's settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// Rounds to play; none for the scenario's own number.
    pub rounds: Option<u32>,
    /// Honest miners.
    pub miners: usize,
    /// Units a miner can do in a round.
    pub units: u32,
    /// Cost of a round's honest work, in mean revenue.
    pub cost: f64,
    /// Validators with a private sample where a scenario has any; none for the scenario's own number.
    pub auditors: Option<u32>,
    /// Chance that an honest row is wrong.
    pub error: f64,
    /// Challengers a duel cycle; none for the scenario's own number.
    pub tickets: Option<u32>,
    /// Whether a duel must be confirmed.
    pub two_stage: bool,
    /// Whether rounds are in lockstep: timelocked, beacon-assigned, private until the deadline.
    pub lockstep: bool,
    /// Whether validators look at private samples.
    pub private_audit: bool,
    /// The parameter set.
    pub params: ParamSet,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            rounds: None,
            miners: 40,
            units: 16,
            cost: 0.6,
            auditors: None,
            error: 1e-6,
            tickets: None,
            two_stage: true,
            lockstep: true,
            private_audit: true,
            params: ParamSet::default(),
        }
    }
}

impl Settings {
    /// The parameters' values.
    pub fn values(&self) -> &ParamValues {
        &self.params.values
    }

    /// Private auditors of a run for which the scenario wants `usual`.
    pub fn auditors_or(&self, usual: u32) -> u32 {
        if self.private_audit {
            self.auditors.unwrap_or(usual)
        } else {
            0
        }
    }

    /// Sets one setting, parameter or defence by name; fractions in Q32 may be written as decimals.
    ///
    /// # Errors
    /// [`SettingError`] naming the setting and the rule it breaks.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), SettingError> {
        if DEFENCES.iter().any(|defence| defence.name == name) {
            return match text {
                "off" => self.without(name),
                "on" => Ok(()),
                _ => Err(wrong(name, text, "`on` or `off`")),
            };
        }
        match name {
            "miners" => self.miners = whole(name, text, 2, MINERS_MAX)? as usize,
            "units" => self.units = whole(name, text, UNITS_MIN, 256)? as u32,
            "cost" => self.cost = fraction(name, text, 10.0)?,
            "auditors" => self.auditors = Some(whole(name, text, 0, 64)? as u32),
            "error" => self.error = fraction(name, text, 1.0)?,
            "tickets" => self.tickets = Some(whole(name, text, 1, 1_000)? as u32),
            "stages" => self.two_stage = whole(name, text, 1, 2)? == 2,
            _ => self.set_parameter(name, text)?,
        }
        Ok(())
    }

    fn set_parameter(&mut self, name: &str, text: &str) -> Result<(), SettingError> {
        let parameter = PARAMETERS
            .iter()
            .find(|parameter| parameter.name == name)
            .ok_or_else(|| SettingError::Unknown {
                name: name.chars().take(64).collect(),
                known: OWN
                    .iter()
                    .map(|(name, about)| format!("{name} ({about})"))
                    .collect::<Vec<_>>()
                    .join(", "),
            })?;
        let value = if parameter.unit == "Q32" && text.contains('.') {
            // Exact: a double holds 53 bits, and the product with 2^32 only moves its exponent.
            (fraction(name, text, 1024.0)? * Q32::ONE.0 as f64).floor() as u64
        } else {
            whole(name, text, 0, u64::MAX)?
        };
        let mut values = self.params.values.clone();
        values.set(name, value)?;
        values.check()?;
        self.params.values = values;
        Ok(())
    }

    /// Switches one defence off.
    ///
    /// # Errors
    /// [`SettingError::Defence`].
    pub fn without(&mut self, name: &str) -> Result<(), SettingError> {
        let values = &mut self.params.values;
        match name {
            "lockstep" => self.lockstep = false,
            "private-audit" => self.private_audit = false,
            "two-stage" => self.two_stage = false,
            "credibility" => {
                let one = Q32::ONE.0;
                (values.cred_0, values.one_fault, values.no_show, values.fraud_keep) = (one, one, one, one);
                values.audit_units = values.audit_units_min;
            }
            "ledger" => (values.probes_index, values.probes_byte) = (0, 0),
            _ => {
                return Err(SettingError::Defence {
                    name: name.chars().take(64).collect(),
                    known: DEFENCES
                        .iter()
                        .map(|defence| defence.name)
                        .collect::<Vec<_>>()
                        .join(", "),
                });
            }
        }
        Ok(())
    }
}

fn wrong(name: &str, found: &str, expected: &str) -> SettingError {
    SettingError::Value {
        name: name.to_owned(),
        found: found.chars().take(64).collect(),
        expected: expected.to_owned(),
    }
}

fn whole(name: &str, text: &str, min: u64, max: u64) -> Result<u64, SettingError> {
    text.parse()
        .ok()
        .filter(|value| (min..=max).contains(value))
        .ok_or_else(|| wrong(name, text, &format!("a whole number from {min} to {max}")))
}

fn fraction(name: &str, text: &str, max: f64) -> Result<f64, SettingError> {
    text.parse()
        .ok()
        .filter(|value| (0.0..=max).contains(value))
        .ok_or_else(|| wrong(name, text, &format!("a number from 0 to {max}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_parameters_and_defences_are_set_by_name() {
        let mut settings = Settings::default();
        settings.set("miners", "10").unwrap();
        settings.set("alpha", "0.5").unwrap();
        settings.set("probes_index", "512").unwrap();
        settings.set("lockstep", "off").unwrap();
        settings.set("stages", "1").unwrap();
        assert_eq!(settings.values().alpha, 1 << 31);
        assert_eq!(settings.values().probes_index, 512);
        assert!(!settings.lockstep && !settings.two_stage && settings.miners == 10);
        settings.without("credibility").unwrap();
        assert_eq!(settings.values().cred_0, Q32::ONE.0);
    }

    #[test]
    fn errors_name_the_setting_and_the_rule() {
        let mut settings = Settings::default();
        for (name, text, message) in [
            (
                "miners",
                "1",
                "`miners` is `1`, must be a whole number from 2 to 250",
            ),
            (
                "units",
                "1",
                "`units` is `1`, must be a whole number from 2 to 256",
            ),
            ("cost", "-1", "`cost` is `-1`, must be a number from 0"),
            ("cost", "NaN", "must be a number"),
            ("lockstep", "maybe", "must be `on` or `off`"),
            ("alpha", "0", "`alpha` is `0`, must be 1 to"),
            ("publish_end", "2", "`commit_offset` must come before publish_end"),
            ("gravity", "1", "`gravity` is unknown; settings are miners"),
        ] {
            let error = settings.set(name, text).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        assert!(settings.without("luck").is_err());
        assert_eq!(settings, Settings::default(), "nothing changed");
    }
}
