//! `assay serve` as a process beside `assay chain run`: followed, recomputed, administered, ended; and killed under load.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::{Answer, assay, folder};

/// A service, killed when dropped.
pub(crate) struct Service {
    child: Child,
    /// The document it printed when it was ready.
    pub(crate) ready: Value,
}

impl Drop for Service {
    fn drop(&mut self) {
        // One that has ended is what this is for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    /// Starts a command that prints one document when it is ready.
    pub(crate) fn start(command: Command) -> Self {
        Self::start_with_log(command, Stdio::null())
    }

    /// The same, whose log goes to `log`.
    pub(crate) fn start_with_log(mut command: Command, log: Stdio) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in `{line}`"));
        assert_eq!(ready["ok"], true, "{ready}");
        Self { child, ready }
    }

    /// Number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it in order; gives its exit code.
    fn end(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap().code()
    }
}

/// Asks until an answer fits.
fn wait(what: &str, mut ask: impl FnMut() -> Option<Value>) -> Value {
    for _ in 0..600 {
        if let Some(answer) = ask() {
            return answer;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{what} did not happen");
}

fn get(url: &str) -> Option<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (base, target) = url
            .split_once("/v1")
            .map(|(base, rest)| (base, format!("/v1{rest}")))?;
        let exchange = assay_hub::Exchange::new(base, std::time::Duration::from_secs(5)).ok()?;
        let request = assay_hub::ExchangeRequest {
            method: "GET",
            target: &target,
            headers: Vec::new(),
            body: Vec::new(),
            bytes_max: 1 << 20,
        };
        let answer = exchange.send(request).await.ok()?;
        (answer.status == 200)
            .then(|| serde_json::from_slice(&answer.body).ok())
            .flatten()
    })
}

fn wallet(words: &[&str], wallets: &Path) {
    let mut command = assay(["wallet"]);
    let answer: Answer = command
        .args(words)
        .arg("--path")
        .arg(wallets)
        .output()
        .unwrap()
        .into();
    answer.with_code(0);
}

/// A server that serves another list than the chain's is told so, with exit code 4.
fn is_caught(database: &Path, compare: &mut Command, honest: &str) {
    let serve_instead = |document: &str| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            sqlx::any::install_default_drivers();
            let address = format!("sqlite://{}", database.display());
            let mut connection = <sqlx::AnyConnection as sqlx::Connection>::connect(&address)
                .await
                .unwrap();
            let done = sqlx::query("UPDATE rounds SET document = $1 WHERE round = 0")
                .bind(document.to_owned())
                .execute(&mut connection)
                .await
                .unwrap();
            assert_eq!(done.rows_affected(), 1);
        });
    };
    // Work is withheld: the last unit is left out.
    let last = honest.trim_end().rfind('\n').unwrap();
    serve_instead(&honest[..=last]);
    let caught = Answer::from(compare.output().unwrap()).with_code(4).json();
    assert_eq!(
        caught["data"]["lie"],
        "the list of units and holders does not follow from its inputs"
    );
    assert_eq!(caught["ok"], false, "{caught}");
    serve_instead(honest);
    Answer::from(compare.output().unwrap()).with_code(0);
}

/// What `assay top` says of a running server, in lines and as documents; and of one that is not there.
fn looked_at(url: &str) {
    let lines = Answer::from(assay(["top", "--connect", url]).output().unwrap()).with_code(0);
    for part in [
        "subnet 1, block ",
        "round 0: ",
        ", 3 units",
        "weights: ",
        "rank\tminer\tuid",
    ] {
        assert!(lines.stdout.contains(part), "`{part}` in\n{}", lines.stdout);
    }
    assert!(!lines.stdout.contains('\u{1b}'), "{}", lines.stdout);
    let args = ["top", "--connect", url, "--json", "--looks", "2", "--every", "1"];
    let documents = Answer::from(assay(args).output().unwrap()).with_code(0);
    let documents: Vec<Value> = documents
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(documents.len(), 2);
    let data = &documents[1]["data"];
    assert_eq!(
        (&documents[1]["schema"], &data["health"]["netuid"]),
        (&"assay.top/1".into(), &1.into())
    );
    assert!(
        data["miners"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["units"] == 3),
        "{data}"
    );
    let block = |document: &Value| document["as_of"]["block"].as_u64().unwrap();
    assert!(
        block(&documents[1]) > block(&documents[0]),
        "a second look is a newer one"
    );
    let args = ["top", "--connect", "http://127.0.0.1:9", "--json"];
    let refused = Answer::from(assay(args).output().unwrap()).with_code(3);
    assert_eq!(refused.json()["code"], "api/unanswered");
}

/// A block of the chain is on a page in less than 15 s.
fn is_fresh(url: &str, network: &str) {
    let status = assay(["chain", "status", "--json", "--network", network]).output();
    let status = Answer::from(status.unwrap()).with_code(0).json();
    let head = status["as_of"]["block"].as_u64().unwrap();
    let begun = std::time::Instant::now();
    wait("the block on the page", || {
        let shown = page(&format!("{url}/status"))?;
        let block = shown
            .split("As of block ")
            .nth(1)
            .or_else(|| shown.split(", block <b>").nth(1))?;
        let digits: String = block
            .chars()
            .take_while(|sign| sign.is_ascii_digit() || *sign == ',')
            .collect();
        (digits.replace(',', "").parse::<u64>().ok()? >= head).then_some(Value::Null)
    });
    let seconds = begun.elapsed().as_secs_f64();
    eprintln!("a block was on the page {seconds:.1} s after it was asked for");
    assert!(seconds < 15.0, "{seconds}");
}

/// A page's text.
fn page(url: &str) -> Option<String> {
    let (base, path) = url
        .rsplit_once('/')
        .map(|(base, path)| (base, format!("/{path}")))?;
    let request = assay_hub::ExchangeRequest {
        method: "GET",
        target: &path,
        headers: Vec::new(),
        body: Vec::new(),
        bytes_max: 1 << 20,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let exchange = assay_hub::Exchange::new(base, std::time::Duration::from_secs(5)).ok()?;
    let answer = runtime.block_on(exchange.send(request)).ok()?;
    (answer.status == 200).then(|| String::from_utf8(answer.body).unwrap())
}

/// Rounds of forty blocks; the first begins at block 80.
fn params(file: &Path) {
    let mut params = assay_types::ParamSet::default();
    for (name, value) in [
        ("genesis_block", 80),
        ("round_blocks", 40),
        ("assign_lead", 5),
        ("commit_offset", 20),
        ("publish_end", 25),
        ("report_cutoff", 30),
        ("effective_offset", 50),
    ] {
        params.values.set(name, value).unwrap();
    }
    fs_err::write(file, params.to_canonical()).unwrap();
}

#[expect(clippy::too_many_lines, reason = "one story, told in order")]
#[test]
fn a_server_follows_a_chain_and_is_recomputed_byte_for_byte() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs_err::write(at("alice"), "//Alice\n").unwrap();
    wallet(
        &["import", "alice", at("alice").to_str().unwrap(), "--no-password"],
        &at("wallets"),
    );
    wallet(&["new", "alice", "--hotkey", "miner"], &at("wallets"));
    wallet(&["new", "alice", "--hotkey", "server"], &at("wallets"));
    params(&at("params.toml"));
    let list: Vec<String> = (0..50)
        .map(|unit| format!("cc:archive-{unit}.warc.gz\t{}", 1_000 + unit))
        .collect();
    fs_err::write(at("units.tsv"), list.join("\n")).unwrap();

    let mut command = assay([
        "chain",
        "run",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--block-time",
        "100ms",
        "--state",
    ]);
    command.arg(at("chain.sqlite"));
    let chain = Service::start(command);
    let network = chain.ready["data"]["url"]
        .as_str()
        .unwrap()
        .replace("ws://", "embedded:");
    let signing = |command: &mut Command, hotkey: &str| {
        command.args([
            "--network",
            &network,
            "--netuid",
            "1",
            "--wallet",
            "alice",
            "--hotkey",
            hotkey,
            "--wallet-path",
        ]);
        command.arg(at("wallets"));
    };
    let mut command = assay(["chain", "register", "--yes", "--json"]);
    signing(&mut command, "miner");
    Answer::from(command.output().unwrap()).with_code(0);
    // The message by which a newcomer asks for three units: tag 3, round 0, want 3.
    let mut command = assay(["chain", "commit", "--hex", "03000000000300", "--json"]);
    signing(&mut command, "miner");
    Answer::from(command.output().unwrap()).with_code(0);

    let serve = || {
        let mut command = assay([
            "serve",
            "--json",
            "--listen",
            "127.0.0.1:0",
            "--metrics-listen",
            "127.0.0.1:0",
        ]);
        signing(&mut command, "server");
        command
            .arg("--params")
            .arg(at("params.toml"))
            .arg("--corpus")
            .arg(at("units.tsv"));
        command
            .arg("--database")
            .arg(at("assay.sqlite"))
            .arg("--admin-socket")
            .arg(at("admin.sock"));
        Service::start(command)
    };
    let server = serve();
    let url = server.ready["data"]["url"].as_str().unwrap().to_owned();
    let round = wait("round 0", || get(&format!("{url}/v1/rounds/0")));
    assert_eq!(round["data"]["units"], 3, "{round}");

    let mut command = assay([
        "chain",
        "assignments",
        "--json",
        "--netuid",
        "1",
        "--round",
        "0",
        "--network",
        &network,
    ]);
    command
        .arg("--params")
        .arg(at("params.toml"))
        .arg("--corpus")
        .arg(at("units.tsv"));
    let alone = Answer::from(command.output().unwrap()).with_code(0).json();
    assert_eq!(
        alone["data"]["digest"], round["data"]["assignment_digest"],
        "{alone}"
    );
    let hotkey = server.ready["data"]["hotkey"].as_str().unwrap().to_owned();
    command.args(["--server", &url, "--server-hotkey", &hotkey]);
    let compared = Answer::from(command.output().unwrap()).with_code(0).json();
    assert_eq!(compared["data"]["document"], alone["data"]["document"]);
    is_caught(
        &at("assay.sqlite"),
        &mut command,
        alone["data"]["document"].as_str().unwrap(),
    );

    looked_at(&url);
    is_fresh(&url, &network);

    // Killed and started again, it goes on; an administrator sees it and takes its state along.
    server.kill();
    let server = serve();
    let url = server.ready["data"]["url"].as_str().unwrap().to_owned();
    wait("round 1", || get(&format!("{url}/v1/rounds/1")));
    let admin = |words: &[&str]| {
        let mut command = assay(["serve", "admin", "--json", "--admin-socket"]);
        Answer::from(command.arg(at("admin.sock")).args(words).output().unwrap())
    };
    assert_eq!(admin(&["health"]).with_code(0).json()["data"]["intake"], true);
    admin(&["export", at("state.jsonl").to_str().unwrap()]).with_code(0);
    admin(&["backup", at("backup.sqlite").to_str().unwrap()]).with_code(0);
    assert_eq!(server.end(), Some(0));
    let copy = at("copy.sqlite");
    let import = [
        "import",
        at("state.jsonl").to_str().unwrap(),
        "--database",
        copy.to_str().unwrap(),
        "--network",
        &network,
    ]
    .map(str::to_owned);
    let import: Vec<&str> = import.iter().map(String::as_str).collect();
    admin(&import).with_code(0);
    assert!(
        admin(&import).code != 0,
        "an import into a database that holds something"
    );
    assert!(admin(&["health"]).code != 0, "a server that has ended answers");
}
