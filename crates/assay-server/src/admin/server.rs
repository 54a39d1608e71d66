//! The server's end of the socket.

use super::{AdminAnswer, AdminRequest, REQUEST_BYTES_MAX};
use crate::api::health_of;
use crate::app::App;
use crate::corpus::{name_of, read_corpus};
use crate::store::{self, AddCorpora, AddDataset, DatabaseKind, DecideRemoval, RemovalState, TABLES};
use assay_hub::OpenOptions;
use assay_types::{BlockNumber, Message, REQUEUED_UNITS_MAX, Round, UnitId, hex};
use serde_json::{Value, json};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

/// Blocks that a message is given at least to get onto the chain.
const LEAD_BLOCKS: u32 = 5;

/// Why an administrator's wish was not granted.
#[derive(Debug, Error)]
enum Refused {
    #[error(transparent)]
    Store(#[from] store::StoreError),
    #[error(transparent)]
    Corpus(#[from] crate::corpus::CorpusError),
    #[error(transparent)]
    Conflict(#[from] store::CorpusRefusal),
    #[error("the request cannot be read")]
    Request(#[source] serde_json::Error),
    #[error("`{0}` is no dead letter; `dead-letters` lists them")]
    NotDead(UnitId),
    #[error("there are no dead letters")]
    NothingDead,
    #[error("{0} units are more than a message names; name at most {REQUEUED_UNITS_MAX}, or none for all")]
    ManyUnits(usize),
    #[error("there is no takedown request `{0}`")]
    NoRemoval(u64),
    #[error("`{0}` is no state of a takedown request: pending, listed, refused")]
    RemovalState(String),
    #[error("the connection broke")]
    Io(#[from] std::io::Error),
    #[error("the work was interrupted")]
    Interrupted,
}

/// Pause after a connection that could not be taken.
const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// Why administrators cannot be served at a path.
#[derive(Debug, Error)]
pub enum SocketError {
    /// Something else lies there; it is left alone.
    #[error("`{path}` is no socket and is left as it is")]
    NotASocket {
        /// The path.
        path: String,
    },
    /// A server answers there.
    #[error("another server answers administrators at `{path}`")]
    Taken {
        /// The path.
        path: String,
    },
    /// The system refuses.
    #[error("the socket `{path}` cannot be made")]
    Failed {
        /// The path.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// The socket of administrators; its file is gone when this is.
#[derive(Debug)]
pub struct AdminSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        // A file that is gone already is what this is for.
        let _ = fs_err::remove_file(&self.path);
    }
}

impl AdminSocket {
    /// Listens at `path`, mode 0600. A socket that a killed server left behind is replaced, any other file is not touched.
    ///
    /// # Errors
    /// [`SocketError`] naming the path.
    pub async fn bind(path: &Path) -> Result<Self, SocketError> {
        let shown = || path.display().to_string();
        let failed = |source| SocketError::Failed {
            path: shown(),
            source,
        };
        match fs_err::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                return Err(SocketError::NotASocket { path: shown() });
            }
            Ok(_) if UnixStream::connect(path).await.is_ok() => {
                return Err(SocketError::Taken { path: shown() });
            }
            Ok(_) => fs_err::remove_file(path).map_err(failed)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        let socket = Self {
            listener,
            path: path.to_owned(),
        };
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(socket)
    }
}

/// Serves administrators until shutdown.
pub async fn serve_admin(
    app: Arc<App>,
    socket: AdminSocket,
    options: OpenOptions,
    mut shutdown: watch::Receiver<bool>,
) {
    loop {
        let stream = tokio::select! {
            accepted = socket.listener.accept() => accepted,
            _ = shutdown.changed() => return,
        };
        if stream.is_err() {
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
        if let Ok((stream, _)) = stream {
            let (app, options) = (Arc::clone(&app), options.clone());
            tokio::spawn(async move {
                if let Err(error) = serve_one(&app, stream, &options).await {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "an administrator was not answered"
                    );
                }
            });
        }
    }
}

async fn serve_one(app: &App, stream: UnixStream, options: &OpenOptions) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(REQUEST_BYTES_MAX))
        .read_line(&mut line)
        .await?;
    let result = match serde_json::from_str(&line) {
        Ok(AdminRequest::Export) => export(app, &mut write).await,
        Ok(request) => grant(app, request, options).await,
        Err(error) => Err(Refused::Request(error)),
    };
    let answer = match result {
        Ok((message, data)) => AdminAnswer {
            ok: true,
            message,
            data,
        },
        Err(error) => AdminAnswer {
            ok: false,
            message: chain_of(&error),
            data: Value::Null,
        },
    };
    let mut bytes = serde_json::to_vec(&answer)?;
    bytes.push(b'\n');
    write.write_all(&bytes).await?;
    write.shutdown().await
}

fn chain_of(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

async fn grant(app: &App, request: AdminRequest, options: &OpenOptions) -> Result<(String, Value), Refused> {
    let now_ms = app.clock().now_ms();
    let value = |value: Result<Value, serde_json::Error>| value.map_err(Refused::Request);
    Ok(match request {
        AdminRequest::Health => ("health".to_owned(), value(serde_json::to_value(health_of(app)))?),
        AdminRequest::AddCorpus { spec, name } => {
            let name = name.unwrap_or_else(|| name_of(&spec));
            let options = options.clone();
            let read = tokio::task::spawn_blocking(move || read_corpus(&spec, &options));
            let units = read.await.map_err(|_| Refused::Interrupted)??;
            let add = AddCorpora {
                pinned: app.params().corpus_index_root,
                ..AddCorpora::one(&name, units, now_ms)
            };
            let added = app.writer().write(add).await??;
            let (corpus, is_new) = added.into_iter().next().ok_or(Refused::Interrupted)?;
            let done = if is_new { "added" } else { "known already" };
            (
                format!("corpus `{}` {done}", corpus.name),
                value(serde_json::to_value(corpus))?,
            )
        }
        AdminRequest::DeadLetters => {
            let letters = store::dead_letters(app.database().readers()).await?;
            let shown: Vec<Value> = letters
                .iter()
                .map(|letter| json!({"unit": letter.unit, "attempts": letter.attempts, "failed": letter.failed}))
                .collect();
            (format!("{} dead letters", shown.len()), Value::from(shown))
        }
        AdminRequest::Requeue { units } => requeue(app, units).await?,
        AdminRequest::AddDataset { dataset } => {
            let sequence = app.writer().write(AddDataset { dataset, now_ms }).await?;
            ("dataset added".to_owned(), json!({"sequence": sequence}))
        }
        AdminRequest::Backup { file } => {
            app.database().backup(&file).await?;
            (format!("backup written to `{}`", file.display()), Value::Null)
        }
        AdminRequest::Removals { state } => removals(app, state.as_deref()).await?,
        AdminRequest::DecideRemoval { number, listed } => {
            let state = if listed {
                RemovalState::Listed
            } else {
                RemovalState::Refused
            };
            let write = DecideRemoval {
                number,
                state,
                now_ms,
            };
            if !app.writer().write(write).await? {
                return Err(Refused::NoRemoval(number));
            }
            // Pages of the state before would show for a moment what is hidden now.
            app.cache.forget();
            (
                format!("request {number} is {}", state.name()),
                json!({"number": number, "state": state.name()}),
            )
        }
        AdminRequest::Export => (String::new(), Value::Null),
    })
}

/// The message that gives dead letters new attempts. It is the owner's to commit: every node reads it at the assignment's
/// block and re-queues alike, and the server changes nothing by itself.
async fn requeue(app: &App, mut units: Vec<UnitId>) -> Result<(String, Value), Refused> {
    units.sort_unstable();
    units.dedup();
    if units.len() > REQUEUED_UNITS_MAX {
        return Err(Refused::ManyUnits(units.len()));
    }
    let state = store::network_state(app.database().readers()).await?;
    if let Some(alive) = units.iter().find(|unit| !state.dead.contains(unit)) {
        return Err(Refused::NotDead(*alive));
    }
    if state.dead.is_empty() {
        return Err(Refused::NothingDead);
    }
    let count = if units.is_empty() {
        state.dead.len()
    } else {
        units.len()
    };
    let clock = app.rounds();
    // The chain may be ahead of what is final here, and the message needs a block of its own.
    let soon = BlockNumber(app.view().block().0.saturating_add(LEAD_BLOCKS));
    let mut round = Round(state.assigned);
    while clock.assignment_block(round) <= soon {
        round = Round(round.0.saturating_add(1));
    }
    let block = clock.assignment_block(round);
    let owner = app
        .view()
        .metagraph
        .as_ref()
        .and_then(|metagraph| metagraph.owner_hotkey);
    let message = hex::encode(&Message::Requeue { round, units }.encode());
    Ok((
        format!(
            "{count} units come back with the assignment of round {round} if the subnet's owner commits this before block {block}: \
             assay chain commit --netuid {} --hex {message}",
            app.identity().netuid
        ),
        json!({"units": count, "round": round, "before_block": block, "owner": owner, "message": message}),
    ))
}

/// Takedown requests with how to reach who asks: for administrators only.
async fn removals(app: &App, state: Option<&str>) -> Result<(String, Value), Refused> {
    let state = match state {
        None | Some("pending") => RemovalState::Pending,
        Some("listed") => RemovalState::Listed,
        Some("refused") => RemovalState::Refused,
        Some(other) => return Err(Refused::RemovalState(other.to_owned())),
    };
    let found = store::removals(app.database().readers(), state).await?;
    let shown: Vec<Value> = found
        .iter()
        .map(|one| {
            json!({"number": one.number, "received_ms": one.received_ms, "target": one.target,
                "contact": one.contact, "reason": one.reason})
        })
        .collect();
    Ok((
        format!("{} requests are {}", shown.len(), state.name()),
        Value::from(shown),
    ))
}

/// Writes every row of one moment.
async fn export(
    app: &App,
    write: &mut (impl tokio::io::AsyncWrite + Unpin),
) -> Result<(String, Value), Refused> {
    let mut transaction = app
        .database()
        .readers()
        .begin()
        .await
        .map_err(store::StoreError::from)?;
    if app.database().kind() == DatabaseKind::Postgres {
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            .execute(&mut *transaction)
            .await
            .map_err(store::StoreError::from)?;
    }
    let mut count = 0_u64;
    for (table, _, _) in TABLES {
        for line in store::dump_table(&mut transaction, table).await? {
            let mut bytes = serde_json::to_vec(&line).map_err(Refused::Request)?;
            bytes.push(b'\n');
            write.write_all(&bytes).await?;
            count += 1;
        }
    }
    Ok((format!("{count} rows exported"), json!({"rows": count})))
}
