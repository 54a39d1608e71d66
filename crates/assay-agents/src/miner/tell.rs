//! What a miner tells the Task API of a round, and when: leases taken, units done, the submission once it is open.

use assay_types::api::ProblemKind;
use assay_types::{MANIFEST_FILE, Manifest, Round, UnitId};
use serde::{Deserialize, Serialize};
use std::path::Path;

use super::journal::{RoundJournal, Stage};
use crate::api::{ApiError, TaskApi};
use crate::local::read_bounded;
use crate::subnet::AgentError;

/// How much of a round the server knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Nothing.
    #[default]
    Nothing,
    /// That the units are being worked on.
    Taken,
    /// That they are done, with their roots.
    Completed,
    /// The manifest. Also where the server does not take more.
    Submitted,
}

/// What the server should know next; none if it knows all there is.
#[must_use]
pub fn due(stage: Stage, told: Told) -> Option<Told> {
    match (told, stage) {
        (Told::Nothing, Stage::Missed) | (Told::Submitted, _) => None,
        (Told::Nothing, _) => Some(Told::Taken),
        (Told::Taken, Stage::Refined | Stage::Published | Stage::Committed | Stage::Open) => {
            Some(Told::Completed)
        }
        (Told::Completed, Stage::Open) => Some(Told::Submitted),
        (Told::Taken | Told::Completed, _) => None,
    }
}

/// Tells it; each part may be repeated.
pub(super) async fn tell(
    api: &TaskApi,
    what: Told,
    journal: &RoundJournal,
    data: &Path,
) -> Result<Result<(), ApiError>, AgentError> {
    let sent = match what {
        Told::Nothing => Ok(()),
        Told::Taken => take(api, journal.round, &journal.units).await,
        Told::Completed => complete(api, journal.round, &manifest(data)?).await,
        Told::Submitted => api.submit(&manifest(data)?).await.map(|_| ()),
    };
    Ok(sent)
}

async fn take(api: &TaskApi, round: Round, units: &[UnitId]) -> Result<(), ApiError> {
    for unit in units {
        match api.take(round, unit).await {
            // Taken before the answer was lost, or before a restart.
            Err(error) if error.kind() == Some(ProblemKind::LeaseState) => {}
            taken => {
                taken?;
            }
        }
    }
    Ok(())
}

async fn complete(api: &TaskApi, round: Round, manifest: &Manifest) -> Result<(), ApiError> {
    for unit in &manifest.units {
        api.complete(round, &unit.unit_id, unit.unit_root).await?;
    }
    Ok(())
}

/// The round's manifest as it was published.
fn manifest(data: &Path) -> Result<Manifest, AgentError> {
    let path = data.join(MANIFEST_FILE);
    let bytes =
        read_bounded(&path, assay_types::MANIFEST_BYTES_MAX as u64).map_err(AgentError::file(&path))?;
    Manifest::parse(&bytes).map_err(|error| AgentError::invalid(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_told_each_thing_once_it_is_true() {
        for (stage, told, expected) in [
            (Stage::Assigned, Told::Nothing, Some(Told::Taken)),
            (Stage::Assigned, Told::Taken, None),
            (Stage::Refined, Told::Taken, Some(Told::Completed)),
            (Stage::Committed, Told::Completed, None),
            (Stage::Open, Told::Nothing, Some(Told::Taken)),
            (Stage::Open, Told::Completed, Some(Told::Submitted)),
            (Stage::Open, Told::Submitted, None),
            (Stage::Missed, Told::Nothing, None),
            (Stage::Missed, Told::Taken, None),
        ] {
            assert_eq!(due(stage, told), expected, "{stage:?} {told:?}");
        }
    }
}
