//! Hyper-parameters: which storage entry holds each, and which owner's call sets it.
//!
//! Names: opentensor/subtensor 14bc6f9, `pallets/subtensor/src/lib.rs` and `pallets/admin-utils/src/lib.rs`.

use assay_types::{NetUid, Rao};
use subxt::ext::scale_value::Value;

use crate::subtensor::encode::SUBTENSOR;
use crate::subtensor::node::Node;
use crate::subtensor::view::{View, Wanted};
use crate::{ChainError, Hyperparameters};

/// One hyper-parameter on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setter {
    /// Field of [`Hyperparameters`].
    pub(crate) name: &'static str,
    /// Storage entry of `SubtensorModule`.
    pub(crate) storage: &'static str,
    /// Call of `AdminUtils`.
    pub(crate) call: &'static str,
    /// Form of its value.
    pub(crate) form: Form,
}

/// Form of a hyper-parameter's value on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A whole number.
    Number,
    /// A truth value.
    Truth,
    /// `U64F64`, a number with 64 fraction bits; here in thousandths.
    Milli,
}

impl Form {
    /// The value as an argument of a call.
    pub(crate) fn argument(self, value: u64) -> Value {
        match self {
            Self::Number => Value::from(value),
            Self::Truth => Value::bool(value != 0),
            Self::Milli => Value::named_composite([("bits", Value::u128(fixed(value)))]),
        }
    }
}

/// Thousandths as `U64F64`, rounded up so that multiplying by it and cutting off gives whole results where there are.
const fn fixed(milli: u64) -> u128 {
    ((milli as u128) << 64).div_ceil(1_000)
}

/// `U64F64` in thousandths, rounded to the nearest.
fn milli(bits: u128) -> u128 {
    (bits >> 64) * 1_000 + (((bits & u128::from(u64::MAX)) * 1_000 + (1 << 63)) >> 64)
}

const fn number(name: &'static str, storage: &'static str, call: &'static str) -> Setter {
    Setter {
        name,
        storage,
        call,
        form: Form::Number,
    }
}

const fn truth(name: &'static str, storage: &'static str, call: &'static str) -> Setter {
    Setter {
        name,
        storage,
        call,
        form: Form::Truth,
    }
}

/// All of them, in the order of [`Hyperparameters`].
pub(crate) const SETTERS: &[Setter] = &[
    number("tempo", "Tempo", "sudo_set_tempo"),
    number("uids_max", "MaxAllowedUids", "sudo_set_max_allowed_uids"),
    number(
        "validators_max",
        "MaxAllowedValidators",
        "sudo_set_max_allowed_validators",
    ),
    number("weights_min", "MinAllowedWeights", "sudo_set_min_allowed_weights"),
    number("weight_max", "MaxWeightsLimit", "sudo_set_max_weight_limit"),
    number(
        "weights_rate_limit",
        "WeightsSetRateLimit",
        "sudo_set_weights_set_rate_limit",
    ),
    number("version_key", "WeightsVersionKey", "sudo_set_weights_version_key"),
    number("immunity_period", "ImmunityPeriod", "sudo_set_immunity_period"),
    truth(
        "commit_reveal",
        "CommitRevealWeightsEnabled",
        "sudo_set_commit_reveal_weights_enabled",
    ),
    number(
        "reveal_period_epochs",
        "RevealPeriodEpochs",
        "sudo_set_commit_reveal_weights_interval",
    ),
    truth("yuma3", "Yuma3On", "sudo_set_yuma3_enabled"),
    number("kappa", "Kappa", "sudo_set_kappa"),
    number(
        "bonds_moving_average",
        "BondsMovingAverage",
        "sudo_set_bonds_moving_average",
    ),
    number("bonds_penalty", "BondsPenalty", "sudo_set_bonds_penalty"),
    number("burn_min", "MinBurn", "sudo_set_min_burn"),
    number("burn_max", "MaxBurn", "sudo_set_max_burn"),
    number("burn_half_life", "BurnHalfLife", "sudo_set_burn_half_life"),
    Setter {
        name: "burn_increase_milli",
        storage: "BurnIncreaseMult",
        call: "sudo_set_burn_increase_mult",
        form: Form::Milli,
    },
    truth(
        "registration_allowed",
        "NetworkRegistrationAllowed",
        "sudo_set_network_registration_allowed",
    ),
    number(
        "non_immune_uids_min",
        "MinNonImmuneUids",
        "sudo_set_min_non_immune_uids",
    ),
    number(
        "immune_owner_uids_max",
        "ImmuneOwnerUidsLimit",
        "sudo_set_owner_immune_neuron_limit",
    ),
    number(
        "serving_rate_limit",
        "ServingRateLimit",
        "sudo_set_serving_rate_limit",
    ),
    number("activity_cutoff", "ActivityCutoff", "sudo_set_activity_cutoff"),
    number("mechanisms", "MechanismCountCurrent", "sudo_set_mechanism_count"),
];

/// The hyper-parameter of a name.
pub(crate) fn setter(name: &str) -> Option<&'static Setter> {
    SETTERS.iter().find(|setter| setter.name == name)
}

/// What newer runtimes have in place of `activity_cutoff`.
pub(crate) const CUTOFF_FACTOR_NAME: &str = "activity_cutoff_factor_milli";

/// Share of a tempo after which a validator is inactive, in thousandths; replaces `ActivityCutoff` on newer runtimes.
pub(crate) const CUTOFF_FACTOR: &str = "ActivityCutoffFactorMilli";

/// The value of one hyper-parameter as its setter takes it; `None` where the runtime keeps no such entry.
pub(crate) async fn stored(view: &View<'_>, netuid: NetUid, name: &str) -> Result<Option<u64>, ChainError> {
    let known = setter(name);
    let entry = match known {
        Some(setter) => setter.storage,
        None if name == CUTOFF_FACTOR_NAME => CUTOFF_FACTOR,
        None => return Ok(None),
    };
    if !view.runtime.has_storage(SUBTENSOR, entry) {
        return Ok(None);
    }
    let node = view.value(SUBTENSOR, entry, &[Value::from(netuid.0)]).await?;
    let found = node
        .as_ref()
        .and_then(|node| match known.map(|setter| setter.form) {
            Some(Form::Truth) => node.truth().map(u64::from),
            Some(Form::Milli) => node.number().and_then(|bits| u64::try_from(milli(bits)).ok()),
            Some(Form::Number) | None => node.number(),
        });
    view.required(found, entry).map(Some)
}

/// Reads them; what the runtime does not have keeps the value of a new subnet.
pub(crate) async fn read(view: &View<'_>, netuid: NetUid) -> Result<Hyperparameters, ChainError> {
    let mut wanted: Vec<Wanted<'_>> = SETTERS
        .iter()
        .map(|setter| (SUBTENSOR, setter.storage, vec![Value::from(netuid.0)]))
        .collect();
    wanted.push((SUBTENSOR, CUTOFF_FACTOR, vec![Value::from(netuid.0)]));
    let values = view.values(&wanted).await?;
    let found = |name: &str| {
        let at = SETTERS.iter().position(|setter| setter.name == name)?;
        values.get(at)?.as_ref()
    };
    let fresh = Hyperparameters::default();
    let tempo = kept(found("tempo"), fresh.tempo);
    // max(1, floor(factor * tempo / 1000)), as the chain rounds it (docs/chain.md, "Epochs").
    let by_factor = values
        .last()
        .and_then(|value| value.as_ref()?.number::<u64>())
        .map(|factor| (factor.saturating_mul(u64::from(tempo)) / 1_000).max(1));
    let activity_cutoff = match by_factor {
        Some(blocks) => u32::try_from(blocks).unwrap_or(u32::MAX),
        None => kept(found("activity_cutoff"), fresh.activity_cutoff),
    };
    Ok(Hyperparameters {
        tempo,
        uids_max: kept(found("uids_max"), fresh.uids_max),
        validators_max: kept(found("validators_max"), fresh.validators_max),
        weights_min: kept(found("weights_min"), fresh.weights_min),
        weight_max: kept(found("weight_max"), fresh.weight_max),
        weights_rate_limit: kept(found("weights_rate_limit"), fresh.weights_rate_limit),
        version_key: kept(found("version_key"), fresh.version_key),
        immunity_period: kept(found("immunity_period"), fresh.immunity_period),
        commit_reveal: truth_of(found("commit_reveal"), fresh.commit_reveal),
        reveal_period_epochs: kept(found("reveal_period_epochs"), fresh.reveal_period_epochs),
        yuma3: truth_of(found("yuma3"), fresh.yuma3),
        kappa: kept(found("kappa"), fresh.kappa),
        bonds_moving_average: kept(found("bonds_moving_average"), fresh.bonds_moving_average),
        bonds_penalty: kept(found("bonds_penalty"), fresh.bonds_penalty),
        burn_min: Rao(kept(found("burn_min"), fresh.burn_min.0)),
        burn_max: Rao(kept(found("burn_max"), fresh.burn_max.0)),
        burn_half_life: kept(found("burn_half_life"), fresh.burn_half_life),
        burn_increase_milli: found("burn_increase_milli")
            .and_then(Node::number)
            .and_then(|bits| u32::try_from(milli(bits)).ok())
            .unwrap_or(fresh.burn_increase_milli),
        registration_allowed: truth_of(found("registration_allowed"), fresh.registration_allowed),
        non_immune_uids_min: kept(found("non_immune_uids_min"), fresh.non_immune_uids_min),
        immune_owner_uids_max: kept(found("immune_owner_uids_max"), fresh.immune_owner_uids_max),
        serving_rate_limit: kept(found("serving_rate_limit"), fresh.serving_rate_limit),
        activity_cutoff,
        mechanisms: kept(found("mechanisms"), fresh.mechanisms),
    })
}

fn kept<T: TryFrom<u128>>(found: Option<&Node>, otherwise: T) -> T {
    found.and_then(Node::number).unwrap_or(otherwise)
}

fn truth_of(found: Option<&Node>, otherwise: bool) -> bool {
    found.and_then(Node::truth).unwrap_or(otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_entry() {
        let json = serde_json::to_value(Hyperparameters::default()).unwrap();
        let fields: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(fields.len(), SETTERS.len());
        for field in fields {
            let setter = setter(field).unwrap();
            let is_truth = setter.form == Form::Truth;
            assert_eq!(is_truth, json[field].is_boolean(), "{field}");
        }
    }

    #[test]
    fn thousandths_are_a_fixed_point_number() {
        for (thousandths, bits) in [
            (1_000, 1_u128 << 64),
            (1_500, 3_u128 << 63),
            (3_000, 3_u128 << 64),
        ] {
            assert_eq!(fixed(thousandths), bits);
            assert_eq!(milli(bits), u128::from(thousandths));
        }
        // The nearest double to 1.26, as the runtime's default is written, is the same number of thousandths.
        let of_double = (1.26_f64 * 2_f64.powi(64)) as u128;
        assert_eq!(milli(of_double), 1_260);
        for thousandths in 1_000..=3_000 {
            assert_eq!(milli(fixed(thousandths)), u128::from(thousandths));
            assert_eq!(
                (fixed(thousandths) * 1_000_000) >> 64,
                u128::from(thousandths) * 1_000
            );
        }
    }
}
