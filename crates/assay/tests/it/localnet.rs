//! `assay localnet` as a person runs it: processes of their own, real archives, the summary.

use std::io::Write as _;
use std::path::Path;

use assay_refine::warc::{Page, PageRecords, WarcWriter};

use crate::support::{data, run};
use crate::web_server::WebServer;

/// Common words, enough of them that sentences differ.
const WORDS: &str = "the of and to in is that for it as was with be by on not he his but at are this have from or had an they which \
    one you were all her she there would their we him been has when who will no more if out so up said what its about than into \
    them can only other time new some could these two may first then do any like my now over such our man me even most made after \
    also did many off before must well back through years where much your way down should because long each just state people \
    those too little good world make very year still see work men day under never another house while last right might great old \
    since against place came part school few house small water between city church night country family money story letter";

/// An archive of pages in plain English, each with sentences of its own.
fn archive(path: &Path, pages: u64) {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut writer = WarcWriter::new(Vec::new());
    for page in 0..pages {
        let mut state = page.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut word = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            words[(state >> 33) as usize % words.len()]
        };
        let mut paragraphs = Vec::new();
        for _ in 0..12 {
            let sentences: Vec<String> = (0..4)
                .map(|_| {
                    let sentence: Vec<&str> = (0..14).map(|_| word()).collect();
                    format!("{}.", sentence.join(" "))
                })
                .collect();
            paragraphs.push(format!("<p>{}</p>", sentences.join(" ")));
        }
        let text = paragraphs.concat();
        let html = format!("<html><title>Page {page}</title><body><article>{text}</article></body></html>");
        let page = Page {
            uri: &format!("https://example.org/{page}"),
            date: "2026-01-01T00:00:00Z",
            content_type: "text/html; charset=utf-8",
            body: html.as_bytes(),
        };
        writer.page(page, PageRecords::Response).unwrap();
    }
    std::fs::write(path, writer.finish().unwrap()).unwrap();
}

/// What validators show of the round's submissions was taken: nothing waits, nothing was refused.
fn shown_is_taken(state: &Path) {
    for validator in ["validator-1", "validator-2"] {
        // Those of the next round wait for its cutoff.
        let waiting = state.join("agents").join(validator).join("samples");
        assert!(
            waiting.exists() && !waiting.join("0.jsonl").exists(),
            "{validator}"
        );
        let log = std::fs::read_to_string(state.join(format!("{validator}.log"))).unwrap();
        assert!(!log.contains("does not take it"), "{log}");
    }
}

/// Whether a process is there and no zombie.
fn lives(process: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit_once(')')
            .is_some_and(|(_, rest)| rest.starts_with(" Z"))
    })
}

#[test]
fn a_localnet_that_is_told_to_end_takes_its_processes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let warc = folder.path().join("pages.warc.gz");
    archive(&warc, 96);
    let state = folder.path().join("state");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_assay"))
        .args([
            "localnet",
            "--miners",
            "honest=1",
            "--validators",
            "1",
            "--port",
            "0",
            "--warc",
        ])
        .arg(&warc)
        .arg("--dir")
        .arg(&state)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let parent = child.id();
    // A child is listed with the thread that started it.
    let children = || -> Vec<u32> {
        let threads = std::fs::read_dir(format!("/proc/{parent}/task")).unwrap();
        let listed = threads.map(|thread| thread.unwrap().path().join("children"));
        let texts: String = listed
            .map(|path| std::fs::read_to_string(path).unwrap_or_default())
            .collect();
        texts.split_whitespace().map(|id| id.parse().unwrap()).collect()
    };
    // Chain, Task API, miner and validator.
    let mut started = Vec::new();
    for _ in 0..600 {
        started = children();
        if started.len() >= 4 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(started.len() >= 4, "{started:?}");
    let told = std::process::Command::new("kill")
        .args(["-TERM", &parent.to_string()])
        .status();
    assert!(told.unwrap().success());
    assert!(!child.wait().unwrap().success());
    for _ in 0..100 {
        if !started.iter().any(|process| lives(*process)) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("these go on: {started:?}");
}

#[test]
fn a_round_is_played_by_processes_and_the_fabricator_earns_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let warc = folder.path().join("pages.warc.gz");
    archive(&warc, 144);
    let state = folder.path().join("state");
    let output = run([
        "localnet",
        "--json",
        "--rounds",
        "1",
        "--miners",
        "honest=1,fabricator=1",
        "--validators",
        "2",
        "--block-time",
        "40ms",
        "--warc",
        warc.to_str().unwrap(),
        "--dir",
        state.to_str().unwrap(),
        "--port",
        "0",
    ]);
    let output = output.with_code(0);
    let (answer, stderr) = (output.json(), output.stderr.clone());
    let data = &answer["data"];
    assert_eq!(data["rounds"], 1, "{data}");
    assert_eq!(data["validators_equal"], true, "{data}\n{stderr}");
    assert_eq!(data["server_equal"], true, "{data}\n{stderr}");
    let of = |name: &str| {
        let miners = data["miners"].as_array().unwrap();
        miners.iter().find(|miner| miner["name"] == name).unwrap().clone()
    };
    let (honest, fabricator) = (of("honest-1"), of("fabricator-1"));
    assert!(
        honest["verified_units"].as_u64().unwrap() > 0,
        "{honest}\n{stderr}"
    );
    assert!(honest["incentive"].as_f64().unwrap() > 0.0, "{honest}");
    assert_eq!(honest["faults"], serde_json::json!([]));
    assert_eq!(
        fabricator["faults"],
        serde_json::json!(["text_changed"]),
        "{fabricator}"
    );
    assert_eq!(fabricator["incentive"], 0.0);
    // Each validator proves what it found; the server has recomputed and listed the proofs by now.
    assert!(
        fabricator["proofs"].as_u64().unwrap() >= 4,
        "{fabricator}\n{stderr}"
    );
    assert_eq!(honest["proofs"], 0, "{honest}");
    for validator in ["validator-1", "validator-2"] {
        let proofs = state.join("agents").join(validator).join("proofs");
        let count = |state: &str| std::fs::read_dir(proofs.join(state)).unwrap().count();
        assert!(count("filed") >= 2 && count("refused") == 0, "{validator}");
    }
    shown_is_taken(&state);
    for agent in ["honest-1", "fabricator-1", "validator-1", "validator-2"] {
        let agent_folder = state.join("agents").join(agent);
        assert!(agent_folder.exists());
        assert!(
            !agent_folder.join("evidence").exists(),
            "the server assigns what {agent} computes"
        );
        let log = std::fs::read_to_string(state.join(format!("{agent}.log"))).unwrap();
        assert!(!log.contains("ERROR") && !log.contains("WARN"), "{log}");
    }
    // A folder that is used is refused, before anything starts.
    let again = run(["localnet", "--rounds", "1", "--dir", state.to_str().unwrap()]);
    again.with_code(2);
}

/// Common Crawl as a newcomer with a network meets it, on this machine: the list of a crawl, then ranges of its archives.
#[test]
fn a_crawl_is_read_from_its_list_and_its_pages_are_verified() {
    let Some(archive) = data("warc/built-train.warc.gz") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let web = folder.path().join("web");
    let (crawl, path) = (
        "CC-MAIN-2026-05",
        "crawl-data/CC-MAIN-2026-05/segments/1.5/warc/a-00000.warc.gz",
    );
    std::fs::create_dir_all(web.join(path).parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(archive, web.join(path)).unwrap();
    let list = std::fs::File::create(web.join(format!("crawl-data/{crawl}/warc.paths.gz"))).unwrap();
    let mut list = flate2::write::GzEncoder::new(list, flate2::Compression::default());
    // The second archive is never asked for: there is none.
    writeln!(list, "{path}\n{}", path.replace("00000", "00001")).unwrap();
    list.finish().unwrap();
    let server = WebServer::start(web);
    let address = format!("http://{}", server.address);
    let state = folder.path().join("state");
    let play = |crawl: &str, rounds: &str| {
        let state = state.to_str().unwrap().to_owned();
        let words = [
            "localnet",
            "--json",
            "--rounds",
            rounds,
            "--miners",
            "honest=1",
            "--validators",
            "1",
        ];
        let rest = [
            "--block-time",
            "40ms",
            "--port",
            "0",
            "--crawl-url",
            &address,
            "--crawl",
            crawl,
            "--dir",
            &state,
        ];
        run([&words[..], &rest[..]].concat())
    };
    let unknown = play("CC-MAIN-1999-01", "1").with_code(1);
    assert!(
        unknown.stderr.contains("CC-MAIN-1999-01/warc.paths.gz"),
        "{}",
        unknown.stderr
    );
    assert!(!state.exists(), "nothing is started without archives");
    let played = play(crawl, "1").with_code(0);
    let miner = &played.json()["data"]["miners"][0];
    assert!(
        miner["verified_records"].as_u64().unwrap() > 0,
        "{miner}\n{}",
        played.stderr
    );
    assert!(miner["incentive"].as_f64().unwrap() > 0.0, "{miner}");
    assert_eq!(miner["faults"], serde_json::json!([]), "{miner}");
    for agent in ["honest-1", "validator-1"] {
        let log = std::fs::read_to_string(state.join(format!("{agent}.log"))).unwrap();
        assert!(!log.contains("ERROR") && !log.contains("WARN"), "{log}");
    }
}

#[test]
fn a_unit_file_runs_the_same_command() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("my miner");
    let output = run([
        "miner",
        "up",
        "--subnet",
        "subnet.json",
        "--dir",
        place.to_str().unwrap(),
        "--wallet",
        "w",
        "--print-unit",
    ]);
    let unit = output.with_code(0).stdout.clone();
    let line = unit.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
    assert!(line.contains("miner up --subnet subnet.json --dir \""), "{unit}");
    assert!(line.ends_with("--wallet w"), "{unit}");
    assert!(!place.exists(), "nothing was done");
}

/// Processes started by `parent` that still run.
fn children(parent: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap() {
        let Ok(pid) = entry.unwrap().file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        // pid (name) state parent …; one that has just ended has none.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let mut words = behind_name.split_whitespace();
        let is_alive = words.next().is_some_and(|state| state != "Z");
        if is_alive && words.next() == Some(&parent.to_string()) {
            found.push(pid);
        }
    }
    found.sort_unstable();
    found
}

/// Rounds a miner's journals say it committed, with the blocks.
fn committed(state: &Path, miner: &str) -> Vec<(u64, u64)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(state.join("agents").join(miner).join("rounds")).unwrap() {
        let journal = std::fs::read(entry.unwrap().path().join("journal.json")).unwrap_or_default();
        let Ok(journal) = serde_json::from_slice::<serde_json::Value>(&journal) else {
            continue;
        };
        if let (Some(round), Some(block)) = (journal["round"].as_u64(), journal["committed"].as_u64()) {
            all.push((round, block));
        }
    }
    all.sort_unstable();
    all
}

#[test]
#[ignore = "takes minutes; .ci/long runs it"]
fn processes_killed_at_random_lose_nothing_and_nobody_is_blamed() {
    const KILLS: usize = 20;
    let folder = tempfile::tempdir().unwrap();
    let warc = folder.path().join("pages.warc.gz");
    archive(&warc, 600);
    let state = folder.path().join("state");
    let mut command = crate::support::assay(["localnet", "--json", "--rounds", "6", "--block-time", "100ms"]);
    command.args([
        "--miners",
        "honest=2,fabricator=1",
        "--validators",
        "2",
        "--port",
        "0",
    ]);
    command.arg("--warc").arg(&warc).arg("--dir").arg(&state);
    command.stdout(std::process::Stdio::piped());
    let mut localnet = command.spawn().unwrap();
    let mut draws: u64 = 20_261_128;
    let mut killed = 0;
    while killed < KILLS && localnet.try_wait().unwrap().is_none() {
        draws = draws
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(std::time::Duration::from_millis(5_000 + (draws >> 33) % 8_000));
        let processes = children(localnet.id());
        let Some(pid) = processes.get((draws >> 40) as usize % processes.len().max(1)) else {
            continue;
        };
        let status = std::process::Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status();
        killed += usize::from(status.unwrap().success());
    }
    let output = localnet.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert_eq!(killed, KILLS);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let data = &answer["data"];
    println!("{data:#}");
    assert_eq!(data["validators_equal"], true, "{data}");
    assert_eq!(data["server_equal"], true, "{data}");
    for miner in data["miners"].as_array().unwrap() {
        let name = miner["name"].as_str().unwrap();
        let blocks = committed(&state, name);
        assert!(!blocks.is_empty(), "{name}");
        // Blocks ascend: nothing was committed twice for one round, or for a round that had passed.
        assert!(
            blocks.windows(2).all(|pair| pair[0].1 < pair[1].1),
            "{name}: {blocks:?}"
        );
        if miner["strategy"] == "honest" {
            assert_eq!(miner["faults"], serde_json::json!([]), "{miner}");
            // At most one deadline of the six is missed by being killed.
            assert!(blocks.len() >= 5, "{name}: {blocks:?}");
            assert!(miner["verified_units"].as_u64().unwrap() >= 10, "{miner}");
        } else {
            assert_eq!(miner["verified_units"], 0, "{miner}");
        }
    }
}
