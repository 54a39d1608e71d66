//! Whether earlier submissions are still there: one file of one public revision a miner and round (stage V6).
//!
//! ```text
//! S_t, hotkey ─► a round of the last `retention` ─► its pointer, remembered ─► manifest, one documents file ─► there, or a fault
//! ```
//!
//! Only submissions that were read whole and found clean are remembered, so that what is missing now was there once. A store
//! that does not answer says nothing: only one that answers, and lacks or changed what the revision names, makes a fault, and
//! that counts by stake (docs/mechanism.md). Costs a manifest and at most [`WHOLE_BYTES_MAX`] a miner.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use assay_hub::store::{ObjectPath, Side, Store, StoreError, View};
use assay_mechanism::sample::retention_seed;
use assay_types::{
    Digest, Draws, Fault, FaultKind, Hotkey, MANIFEST_BYTES_MAX, MANIFEST_FILE, Manifest, POINTER_BYTES,
    ParamValues, Pointer, Round, Sha256Digest, UnitId, hex,
};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::local::{read_bounded, write_atomically};
use crate::subnet::AgentError;

/// Longest file that is read whole and held against its digest; of a longer one a window is read, which shows that it is
/// there at its length.
pub(super) const WHOLE_BYTES_MAX: u64 = 16 << 20;

/// Longest look at one miner: a slow store must not hold up the reports.
const LOOK_TIME_MAX: Duration = Duration::from_secs(30);

/// Most bytes of a round's file: 256 submissions.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A submission that was public and clean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    /// The pointer, 124 bytes in hexadecimal.
    pointer: String,
    /// Its first unit: what a fault names if not even the manifest is there.
    unit: UnitId,
}

/// Clean submissions of the latest rounds, one file a round.
#[derive(Debug)]
pub(super) struct Retention {
    folder: PathBuf,
    rounds: BTreeMap<u32, BTreeMap<Hotkey, Known>>,
}

/// What a look gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Look {
    /// It is there, or there is nothing to look for.
    There,
    /// The store answers and does not have it.
    Gone(Fault),
    /// Nothing can be said.
    Unknown(String),
}

impl Retention {
    pub(super) fn open(folder: &Path) -> Result<Self, AgentError> {
        fs::create_dir_all(folder).map_err(AgentError::file(folder))?;
        let mut rounds = BTreeMap::new();
        for entry in fs::read_dir(folder).map_err(AgentError::file(folder))? {
            let name = entry.map_err(AgentError::file(folder))?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".json"));
            let Some(round) = number.and_then(|number| number.parse().ok()) else {
                continue;
            };
            let path = folder.join(&name);
            let bytes = read_bounded(&path, FILE_BYTES_MAX).map_err(AgentError::file(&path))?;
            let known = serde_json::from_slice(&bytes).map_err(|error| AgentError::invalid(&path, error))?;
            rounds.insert(round, known);
        }
        Ok(Self {
            folder: folder.to_owned(),
            rounds,
        })
    }

    /// Remembers the clean submissions of a round and forgets rounds nobody asks for any more.
    pub(super) fn remember<'a>(
        &mut self,
        round: Round,
        clean: impl Iterator<Item = (Hotkey, &'a Pointer, UnitId)>,
        values: &ParamValues,
    ) -> Result<(), AgentError> {
        let known: BTreeMap<Hotkey, Known> = clean
            .map(|(hotkey, pointer, unit)| {
                let pointer = hex::encode(&pointer.encode());
                (hotkey, Known { pointer, unit })
            })
            .collect();
        let path = self.path(round.0);
        let bytes = serde_json::to_vec(&known).map_err(|error| AgentError::invalid(&path, error))?;
        write_atomically(&path, &bytes)?;
        self.rounds.insert(round.0, known);
        let oldest = u64::from(round.0).saturating_sub(values.retention);
        while let Some((first, _)) = self
            .rounds
            .first_key_value()
            .filter(|(at, _)| u64::from(**at) < oldest)
        {
            let path = self.path(*first);
            self.rounds.pop_first();
            fs::remove_file(&path).map_err(AgentError::file(&path))?;
        }
        Ok(())
    }

    fn path(&self, round: u32) -> PathBuf {
        self.folder.join(format!("{round}.json"))
    }

    /// The submission drawn for a look in `round`: of the drawn round, or the nearest one before it, or else behind it.
    fn drawn(
        &self,
        round: Round,
        hotkey: &Hotkey,
        (draws, values): (&mut Draws, &ParamValues),
    ) -> Option<(u32, &Known)> {
        let kept = u64::from(round.0).min(values.retention);
        if kept == 0 {
            return None;
        }
        let age = u32::try_from(draws.draw(kept)).unwrap_or(u32::MAX);
        let first = u32::try_from(u64::from(round.0) - kept).unwrap_or(0);
        let at = round.0.saturating_sub(1).saturating_sub(age);
        let of =
            |(at, known): (&u32, &'_ BTreeMap<Hotkey, Known>)| known.get(hotkey).is_some().then_some(*at);
        let before = self.rounds.range(first..=at).rev().find_map(of);
        let found = before.or_else(|| self.rounds.range(at..round.0).find_map(of))?;
        Some((found, self.rounds.get(&found)?.get(hotkey)?))
    }

    /// Looks at one earlier submission of a miner.
    pub(super) async fn look(
        &self,
        store: &dyn Store,
        (round, hotkey): (Round, Hotkey),
        beacon: &Digest,
        values: &ParamValues,
    ) -> Look {
        let mut draws = Draws::new(retention_seed(&beacon.0, &hotkey).as_bytes());
        let Some((of, known)) = self.drawn(round, &hotkey, (&mut draws, values)) else {
            return Look::There;
        };
        let Some(pointer) = pointer_of(known) else {
            return Look::Unknown("what is remembered of it cannot be read".to_owned());
        };
        let kept = Kept {
            store,
            pointer: &pointer,
            round: of,
            window: values.window,
        };
        let mut gone = Look::There;
        for _ in 0..values.retries.max(1) {
            let looked = tokio::time::timeout(LOOK_TIME_MAX, kept.look(draws.clone())).await;
            gone = match looked {
                Ok(Ok(())) => return Look::There,
                Ok(Err(error)) if error.side() == Side::Publisher => {
                    Look::Gone(kept.fault(known.unit, &error))
                }
                Ok(Err(error)) => return Look::Unknown(error.to_string()),
                Err(_) => return Look::Unknown("the store is too slow".to_owned()),
            };
        }
        gone
    }
}

fn pointer_of(known: &Known) -> Option<Pointer> {
    let bytes = hex::decode::<POINTER_BYTES>(&known.pointer).ok()?;
    Pointer::parse(&bytes).ok()
}

/// A submission that must still be there.
struct Kept<'a> {
    store: &'a dyn Store,
    pointer: &'a Pointer,
    round: u32,
    window: u64,
}

impl Kept<'_> {
    /// Reads the manifest and one drawn file of a drawn unit.
    async fn look(&self, mut draws: Draws) -> Result<(), StoreError> {
        let view = self
            .store
            .open(&self.pointer.repo, &self.pointer.revision)
            .await?;
        let path = ObjectPath::parse(MANIFEST_FILE)?;
        let bytes = view.get(&path, MANIFEST_BYTES_MAX as u64).await?;
        let manifest = Manifest::parse(&bytes).ok();
        let manifest = manifest.filter(|found| found.submission_root == self.pointer.submission_root);
        let Some(manifest) = manifest else {
            let root = self.pointer.submission_root.to_string();
            return Err(differs(&view, path, root, "another manifest".to_owned()));
        };
        let Some(unit) = pick(&manifest.units, &mut draws) else {
            return Ok(());
        };
        let (path, bytes, sha256) = match pick(&unit.docs, &mut draws) {
            Some(docs) => (&docs.path, docs.bytes.0, docs.sha256),
            None => (&unit.ledger.path, unit.ledger.bytes.0, unit.ledger.sha256),
        };
        self.file(&view, (ObjectPath::parse(path)?, bytes, sha256), &mut draws)
            .await
    }

    /// Whether a file is there as the manifest says.
    async fn file(
        &self,
        view: &View,
        (path, bytes, sha256): (ObjectPath, u64, Sha256Digest),
        draws: &mut Draws,
    ) -> Result<(), StoreError> {
        let found = view.head(&path)?.bytes;
        if found != bytes {
            let [expected, found] = [bytes, found].map(|bytes| format!("{bytes} bytes"));
            return Err(differs(view, path, expected, found));
        }
        if bytes > WHOLE_BYTES_MAX {
            let len = self.window.min(bytes);
            let at = draws.draw(bytes - len + 1);
            return view.get_range(&path, at, len).await.map(|_| ());
        }
        let body = view.get(&path, bytes).await?;
        let found = Sha256Digest(Sha256::digest(&body).into());
        if found == sha256 {
            return Ok(());
        }
        Err(differs(
            view,
            path,
            format!("sha256 {sha256}"),
            format!("sha256 {found}"),
        ))
    }

    /// The fault, in words that are the same on every machine.
    fn fault(&self, unit: UnitId, error: &StoreError) -> Fault {
        let is_gone = matches!(
            error,
            StoreError::NotPublished { .. } | StoreError::NoFile { .. } | StoreError::Gone { .. }
        );
        let Pointer { repo, revision, .. } = self.pointer;
        Fault {
            kind: FaultKind::NotRetained,
            unit,
            idx: None,
            offset: None,
            expected: format!(
                "round {} as published: `{}` at revision {revision}",
                self.round,
                repo.as_str()
            ),
            found: if is_gone { "it is gone" } else { "it was changed" }.to_owned(),
        }
    }
}

fn differs(view: &View, path: ObjectPath, expected: String, found: String) -> StoreError {
    StoreError::Differs {
        revision: *view.revision(),
        path,
        expected,
        found,
    }
}

fn pick<'a, T>(all: &'a [T], draws: &mut Draws) -> Option<&'a T> {
    all.get(usize::try_from(draws.draw(all.len() as u64)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::{RepoName, Revision};

    fn pointer(round: u32) -> Pointer {
        Pointer {
            round: Round(round),
            n_units: 1,
            want_next: 1,
            submission_root: Digest([1; 32]),
            revision: Revision([2; 20]),
            repo: RepoName::parse("a/b").unwrap(),
        }
    }

    #[test]
    fn what_is_drawn_is_remembered_within_its_time_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let values = ParamValues {
            retention: 4,
            ..ParamValues::default()
        };
        let (hotkey, other) = (Hotkey([1; 32]), Hotkey([2; 32]));
        let unit = UnitId::of("file", "a");
        let mut retention = Retention::open(folder.path()).unwrap();
        for round in [0, 1, 3, 6] {
            let pointer = pointer(round);
            let clean = std::iter::once((hotkey, &pointer, unit));
            retention.remember(Round(round), clean, &values).unwrap();
        }
        // Rounds 0 and 1 are over: what is looked at in round 7 lies in rounds 3 to 6.
        assert_eq!(retention.rounds.keys().copied().collect::<Vec<_>>(), [3, 6]);
        let again = Retention::open(folder.path()).unwrap();
        assert_eq!(again.rounds, retention.rounds);
        let mut met = BTreeMap::new();
        for seed in 0_u64..200 {
            let mut draws = Draws::new(&seed.to_le_bytes());
            let (round, known) = again.drawn(Round(7), &hotkey, (&mut draws, &values)).unwrap();
            assert_eq!(pointer_of(known), Some(pointer(round)));
            *met.entry(round).or_insert(0) += 1;
            assert_eq!(again.drawn(Round(7), &other, (&mut draws, &values)), None);
            assert_eq!(again.drawn(Round(0), &hotkey, (&mut draws, &values)), None);
        }
        // Three of the four rounds that are drawn lead to round 3.
        assert!(met[&3] > 110 && met[&6] > 20, "{met:?}");
    }
}
