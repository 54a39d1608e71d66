//! The WebSocket side of the scripted node.

use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value as Json, json};
use subxt::ext::futures::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

use super::script::{Reply, Script};

/// What all connections are told.
#[derive(Debug, Clone)]
enum Signal {
    /// A block was made.
    Block(usize),
    /// Close.
    Close,
}

/// A node that serves a [`Script`].
#[derive(Debug)]
pub(crate) struct ScriptedNode {
    pub(crate) url: String,
    script: Arc<Mutex<Script>>,
    signals: broadcast::Sender<Signal>,
    /// Connections accepted so far, and whether new ones are.
    accepted: watch::Sender<usize>,
    open: Arc<Mutex<bool>>,
    task: JoinHandle<()>,
}

impl Drop for ScriptedNode {
    fn drop(&mut self) {
        self.task.abort();
        let _ = self.signals.send(Signal::Close);
    }
}

impl ScriptedNode {
    /// Listens on a free port of loopback.
    pub(crate) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(script));
        let signals = broadcast::Sender::new(1_024);
        let accepted = watch::Sender::new(0);
        let open = Arc::new(Mutex::new(true));
        let (served, sent, count, is_open) =
            (script.clone(), signals.clone(), accepted.clone(), open.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if *is_open.lock().unwrap() {
                    count.send_modify(|count| *count += 1);
                    tokio::spawn(serve(stream, served.clone(), sent.subscribe()));
                }
            }
        });
        Self {
            url,
            script,
            signals,
            accepted,
            open,
            task,
        }
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// Makes blocks and announces each.
    pub(crate) fn make_blocks(&self, count: usize) {
        for _ in 0..count {
            let number = self.script().make_block();
            let _ = self.signals.send(Signal::Block(number));
        }
    }

    /// Makes blocks that nobody is told of.
    pub(crate) fn make_blocks_unheard(&self, count: usize) {
        for _ in 0..count {
            self.script().make_block();
        }
    }

    /// Makes a block as soon as `count` transactions were submitted.
    pub(crate) async fn make_block_after(&self, count: usize) {
        while self.script().submitted.len() < count {
            tokio::task::yield_now().await;
        }
        self.make_blocks(1);
    }

    /// Closes all connections.
    pub(crate) fn close(&self) {
        let _ = self.signals.send(Signal::Close);
    }

    /// Accepts new connections, or closes them unheard.
    pub(crate) fn set_open(&self, open: bool) {
        *self.open.lock().unwrap() = open;
    }

    /// Waits until `count` connections have been accepted in all.
    pub(crate) async fn accepted(&self, count: usize) {
        let mut accepted = self.accepted.subscribe();
        accepted.wait_for(|found| *found >= count).await.unwrap();
    }
}

async fn serve(stream: TcpStream, script: Arc<Mutex<Script>>, mut signals: broadcast::Receiver<Signal>) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else {
        return;
    };
    let mut heads: Option<String> = None;
    let mut watched: Vec<(String, String)> = Vec::new();
    loop {
        let mut out = Vec::new();
        tokio::select! {
            message = socket.next() => {
                let Some(Ok(message)) = message else { return };
                let Message::Text(text) = message else { continue };
                let request: Json = serde_json::from_str(&text).unwrap();
                let id = request["id"].clone();
                let params = request["params"].as_array().cloned().unwrap_or_default();
                let reply = script.lock().unwrap().answer(request["method"].as_str().unwrap(), &params);
                match reply {
                    Reply::Result(result) => out.push(json!({"jsonrpc": "2.0", "id": id, "result": result})),
                    Reply::Error(code, message, data) => out.push(json!({
                        "jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message, "data": data},
                    })),
                    Reply::Silence => {}
                    Reply::Close => return,
                    Reply::Heads => {
                        let name = format!("heads{id}");
                        out.push(json!({"jsonrpc": "2.0", "id": id, "result": name}));
                        let best = script.lock().unwrap().blocks.last().unwrap().header.clone();
                        out.push(notice("chain_newHead", &name, &best));
                        heads = Some(name);
                    }
                    Reply::Watch(bytes, statuses) => {
                        let name = format!("watch{id}");
                        out.push(json!({"jsonrpc": "2.0", "id": id, "result": name}));
                        for status in statuses {
                            out.push(notice("author_extrinsicUpdate", &name, &status));
                        }
                        watched.push((name, bytes));
                    }
                }
            }
            signal = signals.recv() => match signal {
                Ok(Signal::Block(number)) => {
                    let block = script.lock().unwrap().blocks[number].clone();
                    if let Some(heads) = &heads {
                        out.push(notice("chain_newHead", heads, &block.header));
                    }
                    for (name, _) in watched.iter().filter(|(_, bytes)| block.extrinsics.contains(bytes)) {
                        out.push(notice("author_extrinsicUpdate", name, &json!({"inBlock": block.hash})));
                    }
                }
                _ => return,
            },
        }
        for message in out {
            if socket.send(Message::text(message.to_string())).await.is_err() {
                return;
            }
        }
    }
}

fn notice(method: &str, subscription: &str, result: &Json) -> Json {
    json!({"jsonrpc": "2.0", "method": method, "params": {"subscription": subscription, "result": result}})
}
