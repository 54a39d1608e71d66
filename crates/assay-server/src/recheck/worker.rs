//! The queue of proofs that wait, and the processes that judge them one after the other.

use super::{Judged, RecheckTask};
use crate::app::App;
use crate::store::{self, JudgeProof};
use assay_types::api::{ProofState, ProofView};
use assay_types::{Digest, FraudProof, recipe};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::sync::watch;

/// Longest time of one proof.
const TIME_MAX: Duration = Duration::from_mins(1);
/// Longest answer of a worker, bytes.
const ANSWER_BYTES_MAX: u64 = 64 << 10;
/// Proofs taken at a time.
const PROOFS_READ: u32 = 8;
/// Pause when nothing waits.
const PAUSE: Duration = Duration::from_secs(2);
/// How often a proof is tried whose archive or document is out of reach; then it is `unreachable`.
const TRIES_MAX: u32 = 5;
/// Pause after the first try; each one after it is twice as long as the one before.
const TRY_PAUSE: Duration = Duration::from_secs(15);
/// Proofs that wait for another try at once; those beyond them get none.
const LATER_MAX: usize = 64;

/// The program that judges one proof from stdin.
#[derive(Debug, Clone)]
pub struct Worker {
    /// Its file.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
}

/// What is known after a try.
enum Tried {
    /// The worker said where the proof stands.
    Judged(Judged),
    /// It could not say, and may another time.
    OutOfReach(String),
}

/// Proofs that are tried again, with their tries and when the next one is due.
#[derive(Debug, Default)]
struct Later(BTreeMap<Digest, (u32, Instant)>);

impl Later {
    fn is_due(&self, proof: &Digest, now: Instant) -> bool {
        self.0.get(proof).is_none_or(|(_, due)| *due <= now)
    }

    /// Where a proof stands after a try; none if it is tried again.
    fn after(&mut self, proof: Digest, tried: Tried, now: Instant) -> Option<Judged> {
        let finding = match tried {
            Tried::Judged(judged) => {
                self.0.remove(&proof);
                return Some(judged);
            }
            Tried::OutOfReach(finding) => finding,
        };
        let tries = self.0.get(&proof).map_or(0, |(tries, _)| *tries) + 1;
        let has_place = self.0.len() < LATER_MAX || self.0.contains_key(&proof);
        if tries < TRIES_MAX && has_place {
            let pause = TRY_PAUSE.saturating_mul(1 << (tries - 1).min(16));
            self.0.insert(proof, (tries, now + pause));
            return None;
        }
        self.0.remove(&proof);
        Some(Judged {
            state: ProofState::Unreachable,
            finding: format!("{finding} (tried {tries} times)"),
        })
    }
}

/// Judges what waits until shutdown.
pub async fn recheck(app: Arc<App>, worker: Worker, mut shutdown: watch::Receiver<bool>) {
    let mut later = Later::default();
    loop {
        let read = PROOFS_READ.saturating_add(u32::try_from(later.0.len()).unwrap_or(u32::MAX));
        let mut waiting = store::queued_proofs(app.database().readers(), read)
            .await
            .unwrap_or_default();
        waiting.retain(|proof| later.is_due(&proof.digest, Instant::now()));
        for proof in &waiting {
            if *shutdown.borrow() {
                return;
            }
            let tried = judge_one(&app, &worker, proof).await;
            let Some(judged) = later.after(proof.digest, tried, Instant::now()) else {
                continue;
            };
            let write = JudgeProof {
                digest: proof.digest,
                state: judged.state,
                finding: judged.finding,
                now_ms: app.clock().now_ms(),
            };
            if let Err(error) = app.writer().write(write).await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a judged proof is not stored"
                );
            }
        }
        if waiting.is_empty() {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                _ = shutdown.changed() => return,
            }
        }
    }
}

async fn judge_one(app: &App, worker: &Worker, view: &ProofView) -> Tried {
    let Some(recipe) = recipe_of(app, view).await else {
        return Tried::OutOfReach("the text of its recipe is not here".to_owned());
    };
    let task = RecheckTask {
        proof: view.line.clone(),
        recipe,
    };
    let input = serde_json::to_vec(&task).unwrap_or_default();
    match tokio::time::timeout(TIME_MAX, run(worker, &input)).await {
        Err(_) => Tried::OutOfReach(format!("re-execution took longer than {} s", TIME_MAX.as_secs())),
        Ok(Err(error)) => Tried::OutOfReach(format!("the worker failed: {error}")),
        Ok(Ok(output)) => match serde_json::from_slice(&output) {
            Ok(judged) => Tried::Judged(judged),
            Err(_) => Tried::OutOfReach(
                "the worker ended without an answer: the archive cannot be read, or the proof is too much for it".to_owned(),
            ),
        },
    }
}

/// The canonical text of the recipe a proof names.
async fn recipe_of(app: &App, view: &ProofView) -> Option<String> {
    let id = FraudProof::parse(view.line.as_bytes()).ok()?.unit.recipe_id;
    let built_in = recipe::builtin_names()
        .into_iter()
        .filter_map(recipe::builtin)
        .find(|recipe| recipe.id() == id);
    if let Some(recipe) = built_in {
        return Some(recipe.to_canonical());
    }
    let stored = store::recipe(app.database().readers(), &id).await.ok()??;
    Some(stored.toml).filter(|toml| !toml.is_empty())
}

async fn run(worker: &Worker, input: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut child = Command::new(&worker.program)
        .args(&worker.args)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input).await?;
    }
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(ANSWER_BYTES_MAX).read_to_end(&mut output).await?;
    }
    child.wait().await?;
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_reach_is_tried_a_few_times_with_growing_pauses() {
        let (mut later, mut now) = (Later::default(), Instant::now());
        let proof = Digest([1; 32]);
        let away = || Tried::OutOfReach("the archive is away".to_owned());
        let mut pauses = Vec::new();
        let judged = loop {
            assert!(later.is_due(&proof, now));
            if let Some(judged) = later.after(proof, away(), now) {
                break judged;
            }
            let begun = now;
            while !later.is_due(&proof, now) {
                now += Duration::from_secs(1);
            }
            pauses.push((now - begun).as_secs());
        };
        assert_eq!(pauses, [15, 30, 60, 120]);
        assert_eq!(judged.state, ProofState::Unreachable);
        assert_eq!(judged.finding, "the archive is away (tried 5 times)");
        assert!(later.0.is_empty());
        // An answer after a failure counts, and what finds no place is judged at once.
        assert!(later.after(proof, away(), now).is_none());
        let listed = Judged {
            state: ProofState::Listed,
            finding: String::new(),
        };
        assert_eq!(
            later.after(proof, Tried::Judged(listed.clone()), now),
            Some(listed)
        );
        for number in 0..LATER_MAX {
            assert!(later.after(Digest([number as u8 + 2; 32]), away(), now).is_none());
        }
        assert!(later.after(proof, away(), now).is_some());
    }
}
