//! The queue of proofs that wait, and the processes that judge them one after the other.

use super::{Judged, RecheckTask};
use crate::app::App;
use crate::store::{self, JudgeProof};
use assay_types::api::{ProofState, ProofView};
use assay_types::{FraudProof, recipe};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
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

/// The program that judges one proof from stdin.
#[derive(Debug, Clone)]
pub struct Worker {
    /// Its file.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
}

/// Judges what waits until shutdown.
pub async fn recheck(app: Arc<App>, worker: Worker, mut shutdown: watch::Receiver<bool>) {
    loop {
        let waiting = store::queued_proofs(app.database().readers(), PROOFS_READ)
            .await
            .unwrap_or_default();
        for proof in &waiting {
            if *shutdown.borrow() {
                return;
            }
            let judged = judge_one(&app, &worker, proof).await;
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

async fn judge_one(app: &App, worker: &Worker, view: &ProofView) -> Judged {
    let unreachable = |finding: String| Judged {
        state: ProofState::Unreachable,
        finding,
    };
    let Some(recipe) = recipe_of(app, view).await else {
        return unreachable("the text of its recipe is not here".to_owned());
    };
    let task = RecheckTask {
        proof: view.line.clone(),
        recipe,
    };
    let input = serde_json::to_vec(&task).unwrap_or_default();
    match tokio::time::timeout(TIME_MAX, run(worker, &input)).await {
        Err(_) => unreachable(format!("re-execution took longer than {} s", TIME_MAX.as_secs())),
        Ok(Err(error)) => unreachable(format!("the worker failed: {error}")),
        Ok(Ok(output)) => serde_json::from_slice(&output)
            .unwrap_or_else(|_| unreachable("the worker ended without an answer".to_owned())),
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
