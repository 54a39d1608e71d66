//! Admission of a submission: what the chain and the manifest alone decide (stages V0 and V1).
//!
//! The revealed message, its times and the assignment come in; either a submission to audit or the reason why the
//! round is a no-show goes out (mechanism §7.2). Never an error of the validator: every refusal names chain data.

use crate::assign::Assigned;
use crate::clock::{Clock, CommitmentTimes};
use assay_types::{Hotkey, Manifest, Message, MessageError, Pointer, RecipeId, Round, UnitId};
use std::collections::BTreeSet;
use thiserror::Error;

/// Why a submission does not count.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No commitment field is a submission.
    #[error("no submission was revealed")]
    Absent,
    /// The field with the tag of a submission is none.
    #[error("the submission cannot be read")]
    Payload(#[from] MessageError),
    /// Committed after the deadline or opened too late.
    #[error("committed or opened too late")]
    Late,
    /// Another round.
    #[error("submission for round `{found}`, not `{expected}`")]
    Round {
        /// The round that is judged.
        expected: Round,
        /// The round it names.
        found: Round,
    },
    /// The manifest disagrees with the chain.
    #[error("`{0}` of the manifest is not the chain's")]
    Manifest(&'static str),
    /// Work that was not assigned to this hotkey in this round: closed, someone else's, or never given.
    #[error("unit `{0}` was not assigned")]
    NotAssigned(UnitId),
    /// A recipe that is not active.
    #[error("recipe `{0}` is not active")]
    Recipe(RecipeId),
    /// Nothing is delivered.
    #[error("the submission holds no unit")]
    Empty,
}

/// What a round expects of one miner.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The round.
    pub round: Round,
    /// The miner.
    pub hotkey: Hotkey,
    /// The whole round's assignment.
    pub assignment: &'a [Assigned],
    /// Recipes that may be used.
    pub active: &'a [RecipeId],
}

/// The pointer among the fields of one commitment; fields with unknown tags are ignored.
///
/// # Errors
/// [`Refusal::Absent`], or [`Refusal::Payload`] if the field with that tag is malformed.
pub fn find_pointer(fields: &[Vec<u8>]) -> Result<Pointer, Refusal> {
    for field in fields {
        match Message::parse(field) {
            Ok(Message::Submission(pointer)) => return Ok(pointer),
            Ok(_) | Err(MessageError::Tag(_) | MessageError::Empty) => {}
            Err(error) if field.first() == Some(&assay_types::POINTER_TAG) => return Err(error.into()),
            Err(_) => {}
        }
    }
    Err(Refusal::Absent)
}

/// V0: whether a pointer counts for a round.
///
/// # Errors
/// [`Refusal::Late`], [`Refusal::Round`] or [`Refusal::Empty`].
pub fn admit_pointer(
    pointer: &Pointer,
    round: Round,
    clock: &Clock,
    times: &CommitmentTimes,
) -> Result<(), Refusal> {
    if !clock.counts(times) {
        return Err(Refusal::Late);
    }
    if pointer.round != round {
        return Err(Refusal::Round {
            expected: round,
            found: pointer.round,
        });
    }
    if pointer.n_units == 0 {
        return Err(Refusal::Empty);
    }
    Ok(())
}

/// Whether a manifest that already validates by itself is the one the chain binds, of assigned units and active
/// recipes.
///
/// # Errors
/// [`Refusal`] naming the first field or unit that does not fit.
pub fn admit_manifest(
    manifest: &Manifest,
    pointer: &Pointer,
    expected: &Expected<'_>,
) -> Result<(), Refusal> {
    let fields = [
        ("round", manifest.round == expected.round),
        ("hotkey", manifest.hotkey == expected.hotkey),
        (
            "submission_root",
            manifest.submission_root == pointer.submission_root,
        ),
        (
            "units",
            u32::try_from(manifest.units.len()).ok() == Some(pointer.n_units),
        ),
    ];
    if let Some((name, _)) = fields.into_iter().find(|(_, agrees)| !agrees) {
        return Err(Refusal::Manifest(name));
    }
    let units: Vec<UnitId> = manifest.units.iter().map(|unit| unit.unit_id).collect();
    admit_units(&units, expected)?;
    match manifest
        .units
        .iter()
        .find(|unit| !expected.active.contains(&unit.recipe_id))
    {
        Some(unit) => Err(Refusal::Recipe(unit.recipe_id)),
        None => Ok(()),
    }
}

/// Whether every unit was assigned to the miner in this round.
///
/// # Errors
/// [`Refusal::Empty`] or [`Refusal::NotAssigned`].
pub fn admit_units(units: &[UnitId], expected: &Expected<'_>) -> Result<(), Refusal> {
    if units.is_empty() {
        return Err(Refusal::Empty);
    }
    let mine: BTreeSet<UnitId> = expected
        .assignment
        .iter()
        .filter(|assigned| assigned.is_held_by(&expected.hotkey))
        .map(|assigned| assigned.unit)
        .collect();
    match units.iter().find(|unit| !mine.contains(unit)) {
        Some(unit) => Err(Refusal::NotAssigned(*unit)),
        None => Ok(()),
    }
}
