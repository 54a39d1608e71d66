//! What `assay serve` refuses at start, each with its exit code and its cure; its log; a disk that fills while it runs.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use assay_agents::api::{ClientOptions, TaskApi};
use assay_hub::{Exchange, ExchangeRequest};
#[cfg(all(target_os = "linux", target_env = "gnu"))]
use assay_server::arenas::POOLS_VARIABLE;
use assay_types::api::ProblemKind;
use assay_types::{Digest, Round};
use serde_json::Value;

use crate::disk::namespace;
use crate::serve::Service;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
use crate::served::running;
use crate::served::{chain, command, free_address, hotkey, key, params, prepare};
use crate::support::{Answer, folder};

/// Runs a server that must not come up; its error document.
#[track_caller]
fn refused(mut command: Command, code: i32, kind: &str) -> Value {
    let document = Answer::from(command.output().unwrap()).with_code(code).json();
    assert_eq!(
        (&document["ok"], &document["code"]),
        (&false.into(), &kind.into()),
        "{document}"
    );
    assert_eq!(document["retry"], code == 3, "{document}");
    document
}

#[track_caller]
fn says(document: &Value, parts: &[&str]) {
    let text = format!("{} / {}", document["message"], document["help"]);
    for part in parts {
        assert!(text.contains(part), "`{part}` in {text}");
    }
}

#[expect(clippy::too_many_lines, reason = "one server, told wrong things in turn")]
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_served_is_refused_at_start() {
    let (_node, network, _stop) = chain().await;
    let folder = folder();
    prepare(folder.path());
    let at = |name: &str| folder.path().join(name);
    let database = at("assay.sqlite").display().to_string();
    let serve = |database: &str| command(database, folder.path(), &network, free_address());

    // What lies in the socket's place stays there.
    fs_err::write(at("admin.sock"), "mine").unwrap();
    let document = refused(serve(&database), 2, "serve/admin-socket");
    says(&document, &["admin.sock` is no socket", "--admin-socket"]);
    assert_eq!(fs_err::read_to_string(at("admin.sock")).unwrap(), "mine");
    fs_err::remove_file(at("admin.sock")).unwrap();

    // Databases: a wrong address, one that is away, one in no folder, a file that is none.
    let document = refused(serve("mysql://assay@db/assay"), 2, "serve/database");
    says(&document, &["is no database", "postgres://"]);
    let document = refused(serve("postgres://assay@127.0.0.1:1/assay"), 3, "serve/database");
    says(
        &document,
        &[
            "postgres://127.0.0.1:1/assay` does not answer",
            "start the database server",
        ],
    );
    let missing = at("missing/assay.sqlite").display().to_string();
    let document = refused(serve(&missing), 1, "serve/database");
    says(&document, &["its folder does not exist", "make the folder"]);
    fs_err::write(at("none.sqlite"), vec![7; 8_192]).unwrap();
    let document = refused(
        serve(&at("none.sqlite").display().to_string()),
        1,
        "serve/database",
    );
    says(&document, &["is damaged", "restore a backup"]);

    // A corpus that is another one than before under the same name.
    Service::start(serve(&database)).kill();
    let before = fs_err::read_to_string(at("units.txt")).unwrap();
    fs_err::write(at("units.txt"), format!("{before}\ncc:more")).unwrap();
    let document = refused(serve(&database), 2, "serve/corpus");
    says(
        &document,
        &[
            "corpus `units.txt` has root ",
            "another one of that name has root ",
            "--name NAME",
        ],
    );
    fs_err::write(at("units.txt"), &before).unwrap();

    // A parameter set that pins another index.
    let mut pinned = params();
    pinned.corpus_index_root = Digest([7; 32]);
    fs_err::write(at("params.toml"), pinned.to_canonical()).unwrap();
    let document = refused(serve(&database), 2, "serve/corpus");
    says(
        &document,
        &["pins the corpus index", &Digest([7; 32]).to_string()],
    );
    fs_err::write(at("params.toml"), params().to_canonical()).unwrap();

    // Two servers on one socket.
    let first = Service::start(serve(&database));
    let document = refused(
        serve(&at("other.sqlite").display().to_string()),
        1,
        "serve/admin-socket",
    );
    says(&document, &["another server answers administrators at"]);
    let admin = |words: &[&str]| {
        let mut admin = crate::support::assay(["serve", "admin", "--json", "--admin-socket"]);
        admin.arg(at("admin.sock")).args(words);
        admin
    };
    // What the server refuses is told in its own words, not as a matter of the socket.
    let document = refused(admin(&["requeue"]), 1, "serve/admin");
    assert_eq!(
        document["message"], "ask the server: there are no dead letters",
        "{document}"
    );
    assert!(!document["help"].to_string().contains("socket"), "{document}");
    first.kill();
    let document = refused(admin(&["health"]), 1, "serve/admin");
    says(&document, &["no server answers at", "must name the socket"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_the_log_names_the_request() {
    let (_node, network, _stop) = chain().await;
    let folder = folder();
    prepare(folder.path());
    let database = folder.path().join("assay.sqlite").display().to_string();
    let mut command = command(&database, folder.path(), &network, free_address());
    command.env("ASSAY_LOG", "info");
    let path = folder.path().join("log.jsonl");
    let log = fs_err::File::create(&path).unwrap().into_file();
    let server = Service::start_with_log(command, Stdio::from(log));
    let exchange = Exchange::new(
        server.ready["data"]["url"].as_str().unwrap(),
        Duration::from_secs(5),
    )
    .unwrap();
    let request = ExchangeRequest {
        method: "GET",
        target: "/v1/rounds/999?x=1",
        headers: Vec::new(),
        body: Vec::new(),
        bytes_max: 1 << 20,
    };
    let answer = exchange.send(request).await.unwrap();
    let id = answer.header("x-request-id").unwrap().to_owned();
    assert_eq!((answer.status, id.len()), (404, 24));
    let line = loop {
        let text = fs_err::read_to_string(&path).unwrap();
        if let Some(line) = text.lines().find(|line| line.contains(&id)) {
            break serde_json::from_str::<Value>(line).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(
        (&line["fields"]["message"], &line["fields"]["status"]),
        (&"answered".into(), &404.into()),
        "{line}"
    );
    let span = &line["span"];
    assert_eq!(
        (&span["id"], &span["method"], &span["path"]),
        (&id.into(), &"GET".into(), &"/v1/rounds/999".into()),
        "{line}"
    );
}

/// The command in a namespace where a small disk is mounted at `disk`.
fn on_small_disk(served: &Command, disk: &Path) -> Option<Command> {
    let flags = namespace(disk)?;
    let script = "mount -t tmpfs -o size=2m none \"$0\"; exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(flags).args(["sh", "-ec", script]).arg(disk);
    command.arg(served.get_program()).args(served.get_args());
    for (name, value) in served.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Some(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_whose_disk_fills_keeps_answering_reads() {
    let (_node, network, _stop) = chain().await;
    let folder = folder();
    prepare(folder.path());
    let list: Vec<String> = (0..40).map(|unit| format!("cc:{unit}")).collect();
    fs_err::write(folder.path().join("units.txt"), list.join("\n")).unwrap();
    let disk = folder.path().join("disk");
    fs_err::create_dir(&disk).unwrap();
    let database = disk.join("assay.sqlite").display().to_string();
    let served = command(&database, folder.path(), &network, free_address());
    let Some(small) = on_small_disk(&served, &disk) else {
        return;
    };
    let server = Service::start(small);
    let options = ClientOptions {
        url: server.ready["data"]["url"].as_str().unwrap().to_owned(),
        server: hotkey("server"),
        time_max: Duration::from_secs(10),
    };
    let client = TaskApi::new(&options, key("miner-0")).unwrap();
    while client.assignment(Round(0)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut full = None;
    for _ in 0..5_000 {
        full = client.whoami().await.err().and_then(|error| error.kind());
        if full.is_some() {
            break;
        }
    }
    assert_eq!(
        full,
        Some(ProblemKind::StorageFull),
        "the disk of 2 MiB was never full"
    );
    let health = client.health().await.unwrap();
    assert!(!health.intake && health.status == "degraded", "{health:?}");
    assert!(
        health.problems.iter().any(|problem| problem.contains("disk")),
        "{health:?}"
    );
    let (assignment, _) = client.assignment(Round(0)).await.unwrap();
    assert_eq!(assignment.entries.len(), 40);
    let again = client.whoami().await.unwrap_err();
    assert_eq!(again.kind(), Some(ProblemKind::StorageFull), "{again}");
    server.kill();
}

/// It began once more, with the variable in its environment; that it answers says that it did so only once.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_has_few_pools_of_memory() {
    let server = running().await;
    let environment = fs_err::read(format!("/proc/{}/environ", server.process())).unwrap();
    let expected = format!("{POOLS_VARIABLE}=2").into_bytes();
    let mut variables = environment.split(|byte| *byte == 0);
    assert!(variables.any(|variable| variable == expected));
}
