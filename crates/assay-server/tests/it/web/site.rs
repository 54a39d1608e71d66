//! A server with a database of its own and no chain behind it: what is shown is what a test puts in.

use crate::world::{NETUID, key, params};
use assay_server::store::{Database, Writer};
use assay_server::{
    App, AppParts, ChainIdentity, ChainView, Limits, Server, ServerClock, ServerConfig, start,
};
use assay_types::Digest;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use tokio::sync::watch;

/// The time of every test: 2026-11-28T22:42:18Z.
pub(super) const NOW_MS: u64 = 1_795_905_738_000;

/// The address that people know the site by.
pub(super) const PUBLIC_URL: &str = "https://assay.example.org";

/// A running server.
pub(super) struct Site {
    pub(super) app: Arc<App>,
    pub(super) address: SocketAddr,
    stop: watch::Sender<bool>,
    server: Option<Server>,
    _folder: tempfile::TempDir,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
    /// Digest of the whole answer's body as it came.
    pub(super) digest: Digest,
}

impl Answer {
    /// A header's value; "" if it is not there.
    pub(super) fn header(&self, name: &str) -> &str {
        let begins = format!("{name}: ");
        let line = self
            .head
            .lines()
            .find(|line| line.to_lowercase().starts_with(&begins));
        line.map_or("", |line| &line[begins.len()..])
    }
}

impl Site {
    /// With nothing in it.
    pub(super) async fn empty() -> Self {
        Self::open(tempfile::tempdir().unwrap()).await
    }

    /// With the filled store; it is filled once and copied for each test, because every block is a commit of its own.
    pub(super) async fn filled() -> Self {
        static FILLED: tokio::sync::OnceCell<(tempfile::TempDir, ChainView)> =
            tokio::sync::OnceCell::const_new();
        let (template, view) = FILLED
            .get_or_init(|| async {
                let site = Self::empty().await;
                super::fill::fill(&site).await;
                let folder = tempfile::tempdir().unwrap();
                site.app
                    .database()
                    .backup(&folder.path().join("assay.sqlite"))
                    .await
                    .unwrap();
                let view = (*site.app.view()).clone();
                site.stop().await;
                (folder, view)
            })
            .await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(
            template.path().join("assay.sqlite"),
            folder.path().join("assay.sqlite"),
        )
        .unwrap();
        let site = Self::open(folder).await;
        site.app.set_view(view.clone());
        site
    }

    async fn open(folder: tempfile::TempDir) -> Self {
        let identity = ChainIdentity {
            genesis: Digest([7; 32]),
            netuid: NETUID,
        };
        let place = folder.path().join("assay.sqlite").display().to_string();
        let database = Database::open(&place, &identity.name()).await.unwrap();
        let (writer, _task) = Writer::start(&database);
        let app = Arc::new(App::new(AppParts {
            database,
            writer,
            key: key("server"),
            identity,
            params: params(),
            limits: Limits {
                snapshot_ms_min: 1,
                address_requests_a_minute: 1 << 20,
                ..Limits::default()
            },
            clock: ServerClock::manual(NOW_MS),
            client_address_header: None,
            public_url: PUBLIC_URL.to_owned(),
            batches: None,
            contest: None,
        }));
        let (stop, shutdown) = watch::channel(false);
        let config = ServerConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            metrics_listen: None,
            ..ServerConfig::default()
        };
        let server = start(&app, &config, &shutdown).await.unwrap();
        Self {
            address: server.address(),
            app,
            stop,
            server: Some(server),
            _folder: folder,
        }
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn send(&self, head: &str, body: &str) -> Answer {
        send(self.address, head, body).await
    }

    /// The page in the dark colours: another answer than [`Self::get`]'s, so none that was kept before something changed.
    pub(super) async fn get_dark(&self, path: &str) -> Answer {
        let head = format!("GET {path} HTTP/1.1\r\ncookie: theme=dark");
        self.send(&head, "").await
    }

    /// As somebody who follows a link: what was rendered a moment ago will do.
    pub(super) async fn visit(&self, path: &str) -> Answer {
        let head = format!("GET {path} HTTP/1.1\r\ncache-control: max-age=60");
        self.send(&head, "").await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1"), "").await
    }

    pub(super) async fn stop(mut self) {
        self.stop.send_replace(true);
        self.server.take().unwrap().finished().await;
        self.app.database().close().await;
    }
}

/// Sends a request to a server, as a browser that reloads, and reads the whole answer.
pub(super) async fn send(address: SocketAddr, head: &str, body: &str) -> Answer {
    let (head, body) = (head.to_owned(), body.to_owned());
    tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let newest = if head.contains("cache-control:") {
            ""
        } else {
            "cache-control: no-cache\r\n"
        };
        write!(
            stream,
            "{head}\r\nhost: {address}\r\n{newest}connection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let at = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        Answer {
            digest: Digest::of(&bytes[at..]),
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_owned(),
            body: unchunked(head, body),
        }
    })
    .await
    .unwrap()
}

/// A body without the sizes of its chunks.
fn unchunked(head: &str, body: &str) -> String {
    if !head.to_lowercase().contains("transfer-encoding: chunked") {
        return body.to_owned();
    }
    let (mut out, mut rest) = (String::new(), body);
    while let Some((size, tail)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        out.push_str(tail.get(..size).unwrap_or(tail));
        rest = tail.get(size + 2..).unwrap_or("");
    }
    out
}
