//! Pages under load: 500 requests a second for pages of a subnet with all places held and months of history, while blocks
//! come, miners report progress and hand in manifests, and validators report, so that what was rendered is out of date all the time.
//!
//! `cargo bench -p assay-server --bench pages [-- SECONDS [DAYS [RATE [FOLDER]]]]`, by default 60 s, 90 days and 500 a second.
//! The history is written by a process of its own, so that the memory printed is that of server and clients; a folder keeps it
//! for other runs (ninety days are 3.5 GB and ten minutes). Requests are due at
//! fixed times whatever the answers before them took (an answer that is late is counted from when it was due). Half of them
//! ask for one of the site's pages, half for the page of one of 248 miners, a validator, a recipe, a round or a submission;
//! then every kind of page is asked for alone, as nobody has rendered it: behind a block, and as the first page behind a settled
//! round. A history that was kept grows by these rounds.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints and stops at the first error"
)]

#[path = "../load/line.rs"]
mod line;

mod chain;
mod duels;
mod history;

use assay_chain::wallet::{KeyPair, Scheme};
use assay_server::arenas::{POOLS_VARIABLE, begin_with_few_pools};
use assay_server::store::{Database, NonceOnly, Signed, Writer, newest_round};
use assay_server::{App, AppParts, ChainIdentity, Limits, ServerClock, ServerConfig, start};
use assay_types::{Digest, Verdict};
use history::{BLOCK_MS, History, MINERS, NETUID, VALIDATORS, hotkey, params, recipe_of, root};
use line::{Line, Measured};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// Connections that requests are sent over.
const CONNECTIONS: usize = 64;
/// Reports of progress a second: one of each miner in half a minute.
const PROGRESS_A_SECOND: u64 = 8;
/// What is bounded (docs/website.md): milliseconds of a page, and of one that nobody has rendered.
const P99_MS_MAX: f64 = 20.0;
const COLD_MS_MAX: f64 = 50.0;
/// Resident memory, MB.
const MEMORY_MB_MAX: u64 = 200;

/// Pages that are not about one thing.
const PAGES: [&str; 20] = [
    "/",
    "/leaderboard/miners",
    "/leaderboard/miners?sort=tokens&t=30d",
    "/leaderboard/miners?q=cred+%3E+0.9&per=25",
    "/leaderboard/recipes",
    "/leaderboard/validators",
    "/leaderboard/datasets",
    "/duels",
    "/datasets",
    "/datasets/assay-en",
    "/rounds/current",
    "/compare?m=0&m=1&m=5",
    "/search?q=credibility",
    "/status",
    "/start",
    "/docs/mechanism",
    "/docs/faq",
    "/changelog",
    "/community",
    "/api",
];

/// A place in a row of numbers that look random and are the same in every run.
fn drawn(at: u64, of: u64) -> u64 {
    let digest = Digest::of(&at.to_le_bytes());
    u64::from_le_bytes(*digest.0.first_chunk().unwrap()) % of
}

/// The page of the `at`th request.
fn page(history: &History, at: u64) -> String {
    let pick = drawn(at, 1 << 32);
    let of = |count: u64| drawn(at ^ (1 << 60), count);
    let settled = u64::from(history.rounds() - 2);
    match pick % 20 {
        0..10 => PAGES[of(PAGES.len() as u64) as usize].to_owned(),
        10..16 => format!("/miners/{}", hotkey(of(u64::from(MINERS)) as u16).to_ss58()),
        16 => format!(
            "/validators/{}",
            hotkey(MINERS + of(u64::from(VALIDATORS)) as u16).to_ss58()
        ),
        17 => format!("/recipes/{}", recipe_of(of(6) as u16)),
        18 => format!("/rounds/{}", settled.saturating_sub(of(10))),
        _ => submission(of(32) as u16, settled as u32),
    }
}

/// The page of a submission of a round by a miner from `uid` on that was there.
fn submission(uid: u16, round: u32) -> String {
    let was_there = |uid: &u16| history::verdict(*uid, round) != Verdict::NoShow;
    format!(
        "/submissions/{}",
        root((uid..MINERS).find(was_there).unwrap(), round)
    )
}

/// A request of who follows a link, or of one that wants the newest state.
fn request(path: &str, reloads: bool) -> Vec<u8> {
    let newest = if reloads {
        "cache-control: no-cache\r\n"
    } else {
        ""
    };
    format!("GET {path} HTTP/1.1\r\nhost: x\r\naccept-encoding: br\r\n{newest}\r\n").into_bytes()
}

async fn app(folder: &Path, limits: Limits) -> App {
    let identity = ChainIdentity {
        genesis: Digest([7; 32]),
        netuid: NETUID,
    };
    let place = folder.join("assay.sqlite").display().to_string();
    let database = Database::open(&place, &identity.name()).await.unwrap();
    let (writer, _task) = Writer::start(&database);
    App::new(AppParts {
        database,
        writer,
        key: KeyPair::from_uri("//server", Scheme::Sr25519).unwrap(),
        identity,
        params: params(),
        limits,
        clock: ServerClock::default(),
        client_address_header: None,
        public_url: "https://assay.example".to_owned(),
        batches: None,
        contest: None,
    })
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

/// Blocks and progress until told otherwise.
async fn live(app: Arc<App>, history: History, mut stop: watch::Receiver<bool>) {
    let begun = Instant::now();
    let (mut ticks, mut blocks) = (0, 0);
    while !*stop.borrow() {
        ticks += 1;
        let progress = Signed {
            hotkey: hotkey(ticks as u16 % MINERS),
            // Another one in every run over a kept history.
            nonce: (now_ms() << 8 | ticks & 255) as i64,
            write: NonceOnly,
        };
        app.writer().write(progress).await.unwrap().unwrap();
        if begun.elapsed().as_millis() as u64 / BLOCK_MS >= blocks {
            blocks += 1;
            let number = history.last + blocks as u32;
            // A kept history may have it already.
            let _ = app.writer().write(history.block(number)).await.unwrap();
            app.set_view(history.view(number));
        }
        if ticks % PROGRESS_A_SECOND == 0 {
            // What the newest round's validators and miners hand in is new to what pages keep.
            let at = ticks / PROGRESS_A_SECOND;
            let _ = app.writer().write(history.late_report(at)).await.unwrap();
            let _ = app.writer().write(history.late_manifest(at)).await.unwrap();
            let _ = app.writer().write(duels::late_cell(&history, at)).await.unwrap();
        }
        let pause = Duration::from_millis(1_000 / PROGRESS_A_SECOND);
        let _ = tokio::time::timeout(pause, stop.changed()).await;
    }
}

/// Requests at fixed times: what each took from when it was due, with its path, slowest last.
async fn load(
    url: &str,
    history: &History,
    (seconds, rate): (u64, u64),
    reloads: bool,
) -> Vec<(f64, String)> {
    let (next, times) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(Vec::new())));
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (next, times, url, history) = (
            Arc::clone(&next),
            Arc::clone(&times),
            url.to_owned(),
            history.clone(),
        );
        tasks.spawn(async move {
            let mut line = Line::open(&url).await;
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= seconds * rate {
                    return;
                }
                let path = page(&history, at);
                let due = begun + Duration::from_micros(at * 1_000_000 / rate);
                tokio::time::sleep_until(due.into()).await;
                let status = line.ask(&request(&path, reloads)).await;
                assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&line.buffer));
                times
                    .lock()
                    .unwrap()
                    .push((due.elapsed().as_secs_f64() * 1_000.0, path));
            }
        });
    }
    tasks.join_all().await;
    let mut times = std::mem::take(&mut *times.lock().unwrap());
    times.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    times
}

/// One of each kind of page, and what else is made of boards.
fn kinds(history: &History) -> Vec<String> {
    let mut paths: Vec<String> = PAGES.map(str::to_owned).to_vec();
    let settled = history.rounds() - 3;
    paths.extend([
        format!("/miners/{}", hotkey(7).to_ss58()),
        format!("/validators/{}", hotkey(MINERS).to_ss58()),
        format!("/validators/{}", hotkey(MINERS + VALIDATORS - 1).to_ss58()),
        format!("/recipes/{}", recipe_of(0)),
        format!("/rounds/{settled}"),
        submission(7, settled),
        "/v1/leaderboard/miners?limit=256".to_owned(),
        "/leaderboard/miners.csv".to_owned(),
    ]);
    paths
}

/// How long a page takes whose newest state is asked for, milliseconds.
async fn ask(line: &mut Line, path: &str) -> f64 {
    let sent = Instant::now();
    assert_eq!(line.ask(&request(path, true)).await, 200, "{path}");
    sent.elapsed().as_secs_f64() * 1_000.0
}

/// Until a change is noticed: the server looks once a second.
async fn noticed() {
    tokio::time::sleep(Duration::from_millis(1_200)).await;
}

/// The median time of each kind of page that nobody has rendered, behind a block, milliseconds, the slowest first.
async fn behind_a_block(url: &str, app: &App, history: &History) -> Vec<(f64, String)> {
    let paths = kinds(history);
    let mut line = Line::open(url).await;
    let mut times = vec![Vec::new(); paths.len()];
    for _ in 0..5 {
        app.set_view(history.view(history.last));
        noticed().await;
        for (path, times) in paths.iter().zip(&mut times) {
            times.push(ask(&mut line, path).await);
        }
    }
    medians(times, paths)
}

/// The same of each as the first one behind a settled round: before every page a round is given out, handed in and judged.
async fn behind_a_round(url: &str, app: &App, history: &History) -> Vec<(f64, String)> {
    let paths = kinds(history);
    let mut line = Line::open(url).await;
    let mut times = vec![Vec::new(); paths.len()];
    for _ in 0..3 {
        for (path, times) in paths.iter().zip(&mut times) {
            let newest = newest_round(app.database().readers()).await.unwrap().unwrap();
            let next = (newest.round.0 + 1, newest.next_cursor);
            let block = history.one_more(app, next).await;
            app.set_view(history.view(block));
            noticed().await;
            times.push(ask(&mut line, path).await);
            // As the follower does behind each round: the next page finds sums that are one round behind.
            app.warm_up().await;
        }
    }
    medians(times, paths)
}

fn medians(times: Vec<Vec<f64>>, paths: Vec<String>) -> Vec<(f64, String)> {
    let medians = times.into_iter().map(|times| Measured::of(times, 1.0).p50_ms);
    let mut medians: Vec<(f64, String)> = medians.zip(paths).collect();
    medians.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    medians
}

/// The most memory this process has held, MB.
fn memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok())
        .map_or(0, |kilobytes| kilobytes / 1_000)
}

async fn fill(folder: &Path, history: &History) {
    let app = app(folder, Limits::default()).await;
    history.fill(&app).await;
    duels::fill(&app, history).await;
    app.database().close().await;
}

/// The history in a folder, written by this program run once more if it is not there yet.
fn filled(folder: &Path, days: u32) -> History {
    let (database, ended) = (folder.join("assay.sqlite"), folder.join("now_ms"));
    let kept = std::fs::read_to_string(&ended)
        .ok()
        .and_then(|text| text.parse().ok());
    let history = History::new(days, kept.unwrap_or_else(now_ms));
    let begun = Instant::now();
    if kept.is_none() {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--fill".into(), folder.as_os_str().to_owned()])
            .args([days.to_string(), history.now_ms.to_string()])
            .status();
        assert!(status.unwrap().success());
        std::fs::write(&ended, history.now_ms.to_string()).unwrap();
    }
    println!(
        "history of {days} days, {} rounds: {} MB, written in {:.0} s",
        history.rounds(),
        std::fs::metadata(database).unwrap().len() / 1_000_000,
        begun.elapsed().as_secs_f64()
    );
    history
}

/// Measures and prints.
async fn measure(url: &str, app: &App, history: &History, (seconds, rate): (u64, u64)) -> (Measured, f64) {
    load(url, history, (10, rate / 5), false).await;
    let times = load(url, history, (seconds, rate), false).await;
    let slowest: Vec<String> = times
        .iter()
        .rev()
        .take(5)
        .map(|(ms, path)| format!("{ms:.0} ms {path}"))
        .collect();
    let measured = Measured::of(times.into_iter().map(|(ms, _)| ms).collect(), seconds as f64);
    measured.print("pages under load");
    println!("slowest: {}", slowest.join(", "));

    let seconds = seconds.min(20);
    let times = load(url, history, (seconds, rate / 5), true).await;
    Measured::of(times.into_iter().map(|(ms, _)| ms).collect(), seconds as f64)
        .print("a fifth of them, all reloading");

    let others = behind_a_block(url, app, history).await;
    println!("pages behind a block, each alone:");
    for (ms, path) in &others {
        println!("  {ms:6.1} ms {path}");
    }
    (measured, others.first().map_or(0.0, |(ms, _)| *ms))
}

/// What was measured beside what is bounded.
async fn conclude(url: &str, app: &App, history: &History, (loaded, slow): (Measured, f64)) {
    let others = behind_a_round(url, app, history).await;
    println!("the slowest as the first page behind a settled round:");
    for (ms, path) in others.iter().take(10) {
        println!("  {ms:6.1} ms {path}");
    }
    let settled = others.first().map_or(0.0, |(ms, _)| *ms);
    let memory = memory_mb();
    println!("memory of server and clients: {memory} MB");
    for (what, is_met) in [
        ("p99 under load", loaded.p99_ms <= P99_MS_MAX),
        ("a page behind a block", slow <= COLD_MS_MAX),
        ("a page behind a settled round", settled <= COLD_MS_MAX),
        ("memory", memory <= MEMORY_MB_MAX),
    ] {
        println!("{what}: {}", if is_met { "met" } else { "MISSED" });
    }
}

fn main() {
    begin_with_few_pools(std::env::var_os(POOLS_VARIABLE).is_some());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(run());
}

async fn run() {
    // Cargo hands `--bench` through.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |at: usize, otherwise: u64| {
        args.get(at)
            .and_then(|text| text.parse().ok())
            .unwrap_or(otherwise)
    };
    if args.first().is_some_and(|arg| arg == "--fill") {
        return fill(
            Path::new(&args[1]),
            &History::new(number(2, 90) as u32, number(3, 0)),
        )
        .await;
    }
    let (seconds, days, rate) = (number(0, 60), number(1, 90) as u32, number(2, 500));
    let own = tempfile::tempdir().unwrap();
    let folder = args.get(3).map_or(own.path(), Path::new);
    let history = filled(folder, days);
    let limits = Limits {
        address_requests_a_minute: u32::MAX,
        address_connections_max: usize::MAX,
        ..Limits::default()
    };
    let app = Arc::new(app(folder, limits).await);
    let begun = Instant::now();
    app.warm_up().await;
    println!(
        "sums read in {:.1} s, as a server does that starts",
        begun.elapsed().as_secs_f64()
    );
    app.set_view(history.view(history.last));
    let (stop, shutdown) = watch::channel(false);
    let config = ServerConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        metrics_listen: None,
        ..ServerConfig::default()
    };
    let server = start(&app, &config, &shutdown).await.unwrap();
    let url = format!("http://{}", server.address());
    let alive = tokio::spawn(live(Arc::clone(&app), history.clone(), shutdown.clone()));

    let measured = measure(&url, &app, &history, (seconds, rate)).await;
    // Blocks stop; the server does not.
    alive.abort();
    conclude(&url, &app, &history, measured).await;
    stop.send_replace(true);
    server.finished().await;
}
