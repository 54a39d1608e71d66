//! `assay dataset show|pull|verify`: what a stranger does with a published dataset, from stores on disk and behind HTTP.

use std::path::{Path, PathBuf};
use std::time::Duration;

use assay_hub::store::{LocalStore, Publication, Store as _};
use assay_types::{LOCAL_MANIFEST_BYTES_MAX, Manifest, Pointer, RepoName, Revision, Round};

use crate::chain::{Running, alice};
use crate::pages;
use crate::support::{Answer, assay, assert_same_files, files_of, folder, line, run};
use crate::web_server::WebServer;

/// Longest wait for a pulse of a chain that makes a block every 50 ms.
const PATIENCE: Duration = Duration::from_mins(1);

/// A dataset in a store of its own folder.
struct Scene {
    folder: tempfile::TempDir,
    archives: Vec<PathBuf>,
    manifest: Manifest,
    revision: Revision,
}

fn repo() -> RepoName {
    RepoName::parse("acme/r1").unwrap()
}

fn publish(store: &Path, dataset: &Path) -> Revision {
    let store = LocalStore::new(store);
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(async {
            let publication = Publication::dataset(repo(), dataset).unwrap();
            let revision = store.publish(&publication).await.unwrap();
            store.reveal(&repo(), &revision).await.unwrap();
            revision
        })
}

fn manifest_of(dataset: &Path) -> Manifest {
    let bytes = fs_err::read(dataset.join("manifest.json")).unwrap();
    Manifest::parse_within(&bytes, LOCAL_MANIFEST_BYTES_MAX).unwrap()
}

impl Scene {
    /// Three archives of different lengths, refined and published.
    fn new() -> Self {
        let folder = folder();
        let archives: Vec<PathBuf> = [(0, 4), (20, 6), (40, 9)]
            .into_iter()
            .map(|(first, count)| pages::archive(folder.path(), &format!("{first:02}.warc.gz"), first, count))
            .collect();
        let out = folder.path().join("made");
        line(
            "refine {} {} {} --out {} -q",
            &[&archives[0], &archives[1], &archives[2], &out],
        )
        .with_code(0);
        let revision = publish(&folder.path().join("store"), &out);
        Self {
            manifest: manifest_of(&out),
            folder,
            archives,
            revision,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn target(&self) -> String {
        format!("{}@{}", self.path("store/acme/r1").display(), self.revision)
    }

    /// `assay dataset COMMAND TARGET … --json`; `{}` stands for each of `paths` in turn.
    fn ask(&self, command: &str, words: &str, paths: &[&Path]) -> Answer {
        line(
            &format!("dataset {command} {} {words} --json", self.target()),
            paths,
        )
    }

    fn pointer(&self) -> Pointer {
        Pointer {
            round: Round(0),
            n_units: 3,
            want_next: 4,
            submission_root: self.manifest.submission_root,
            revision: self.revision,
            repo: repo(),
        }
    }

    /// A file of the published revision.
    fn stored(&self, path: &str) -> PathBuf {
        self.path("store/acme/r1")
            .join(self.revision.to_string())
            .join(path)
    }
}

/// Puts other bytes in a read-only file's place.
fn overwrite(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs_err::read(file).unwrap();
    change(&mut bytes);
    fs_err::remove_file(file).unwrap();
    fs_err::write(file, bytes).unwrap();
}

#[test]
fn a_published_dataset_is_shown_fetched_and_recomputed_by_a_stranger() {
    let scene = Scene::new();
    let shown = scene.ask("show", "", &[]).with_code(0).json();
    assert_eq!(shown["schema"], "assay.dataset-show/1");
    assert_eq!(shown["data"]["units"].as_array().unwrap().len(), 3);
    assert_eq!(shown["data"]["documents"], 19);
    assert_eq!(shown["data"]["target"]["revision"], scene.revision.to_string());
    assert_eq!(shown["data"]["target"]["pointer_checked"], false);

    let out = scene.path("pulled");
    let pulled = scene.ask("pull", "--out {}", &[&out]).with_code(0).json();
    assert_eq!(
        (&pulled["data"]["units"], &pulled["data"]["documents"]),
        (&3.into(), &19.into())
    );
    let again = scene.ask("pull", "--out {}", &[&out]).with_code(0).json();
    assert_eq!(again["data"]["bytes_transferred"], 0);
    let mut files = files_of(&out);
    assert_eq!(
        files.remove("published.json"),
        Some(fs_err::read(out.join("manifest.json")).unwrap())
    );
    let mut made = files_of(&scene.path("made"));
    made.retain(|name, _| files.contains_key(name));
    assert_same_files(&files, &made, "pulled");
    assert!(files.len() > 3 * 3);

    let [first, second, third] = [&scene.archives[0], &scene.archives[1], &scene.archives[2]];
    let verified = scene
        .ask("verify", "--warc {} {} {}", &[first, second, third])
        .with_code(0)
        .json();
    assert_eq!(
        verified["data"]["checked"],
        scene
            .manifest
            .units
            .iter()
            .map(|unit| unit.n_records)
            .sum::<u32>()
    );
    assert_eq!(verified["data"]["faults"], serde_json::json!([]));
    assert_eq!(verified["data"]["target"]["repo"], "acme/r1");
    line("verify {} --warc {} {} {} -q", &[&out, first, second, third]).with_code(0);
    line(
        "dataset verify {} --warc {} {} {} --sample 5 -q",
        &[&out, first, second, third],
    )
    .with_code(0);
    line("dataset show {} -q", &[&out]).with_code(0);
}

#[test]
fn a_token_budget_takes_whole_units_and_can_grow() {
    let scene = Scene::new();
    let out = scene.path("part");
    let mut tokens: Vec<u64> = scene.manifest.units.iter().map(|unit| unit.n_tokens.0).collect();
    tokens.sort_unstable();
    let refused = scene
        .ask("pull", &format!("--out {{}} --tokens {}", tokens[0] - 1), &[&out])
        .with_code(2)
        .json();
    assert_eq!(refused["code"], "dataset/budget");
    assert!(!out.exists());

    let budget = tokens[0] + tokens[1];
    let part = scene
        .ask("pull", &format!("--out {{}} --tokens {budget} --seed 1"), &[&out])
        .with_code(0)
        .json();
    let units = part["data"]["units"].as_u64().unwrap();
    assert!(
        (1..3).contains(&units) && part["data"]["tokens"].as_u64().unwrap() <= budget,
        "{part}"
    );
    let manifest = manifest_of(&out);
    assert_eq!(manifest.units.len() as u64, units);
    let archives: Vec<&Path> = scene.archives.iter().map(PathBuf::as_path).collect();
    line(
        "verify {} --warc {} {} {} -q",
        &[&out, archives[0], archives[1], archives[2]],
    )
    .with_code(0);

    let whole = scene.ask("pull", "--out {}", &[&out]).with_code(0).json();
    assert_eq!(whole["data"]["units"], 3);
    assert_eq!(manifest_of(&out), scene.manifest);
}

#[test]
fn a_pointer_binds_the_whole_dataset() {
    let scene = Scene::new();
    let hex = |pointer: &Pointer| assay_types::hex::encode(&pointer.encode());
    let honest = scene.pointer();
    let shown = scene
        .ask("show", &format!("--pointer {}", hex(&honest)), &[])
        .with_code(0)
        .json();
    assert_eq!(shown["data"]["target"]["pointer_checked"], true);
    // The pointer names the revision, so the target need not.
    let bare = format!("file://{}", scene.path("store/acme/r1").display());
    run(["dataset", "show", &bare, "--pointer", &hex(&honest), "-q"]).with_code(0);
    let mut other = honest.clone();
    other.submission_root.0[0] ^= 1;
    let lies = [
        ("submission_root", other),
        (
            "units",
            Pointer {
                n_units: 4,
                ..honest.clone()
            },
        ),
        (
            "round",
            Pointer {
                round: Round(7),
                ..honest.clone()
            },
        ),
        (
            "revision",
            Pointer {
                revision: Revision([1; 20]),
                ..honest.clone()
            },
        ),
        (
            "repository",
            Pointer {
                repo: RepoName::parse("acme/r2").unwrap(),
                ..honest
            },
        ),
    ];
    for (what, pointer) in lies {
        for command in ["show", "pull --out {}", "verify"] {
            let (command, words) = command.split_once(' ').unwrap_or((command, ""));
            let (out, proof) = (scene.path("never"), scene.path("proof.json"));
            let words = format!("{words} --pointer {}", hex(&pointer));
            let words = if command == "verify" {
                format!("{words} --proof {{}}")
            } else {
                words
            };
            let paths: Vec<&Path> = match command {
                "show" => vec![],
                "pull" => vec![&out],
                _ => vec![&proof],
            };
            let answer = scene.ask(command, &words, &paths).with_code(4).json();
            assert_eq!(
                answer["data"]["target"]["differences"][0]["what"], what,
                "{command}: {answer}"
            );
            assert!(!out.exists());
        }
    }
}

#[test]
fn the_pointer_that_the_chain_opens_is_found_by_its_hotkey() {
    let scene = Scene::new();
    let (wallets, state) = (scene.path("wallets"), scene.path("chain.sqlite"));
    alice(&wallets, &scene.path("alice"));
    let chain = Running::start(&state);
    chain.ask("register --yes", Some(&wallets)).with_code(0);
    let status = chain.ask("status", None).with_code(0).json();
    let round = status["data"]["last_drand_round"].as_u64().unwrap() + 20;
    let pointer = assay_types::hex::encode(&scene.pointer().encode());
    let words = format!("commit --hex {pointer} --seal-until {round}");
    let committed = chain.ask(&words, Some(&wallets)).with_code(0).json();
    let hotkey = committed["data"]["hotkey"].as_str().unwrap().to_owned();
    let ask = format!("--from-hotkey {hotkey} --netuid 1 --network {}", chain.network);
    let start = std::time::Instant::now();
    let shown = loop {
        let answer = scene.ask("show", &ask, &[]);
        // Before its pulse the pointer is sealed, and that is said.
        if answer.code != 2 || start.elapsed() > PATIENCE {
            break answer.with_code(0).json();
        }
        assert!(
            answer.json()["message"]
                .as_str()
                .unwrap()
                .contains("has opened no pointer")
        );
    };
    assert_eq!(shown["data"]["target"]["pointer_checked"], true);
    let other = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    let ask = ask.replace(&hotkey, other);
    assert_eq!(
        scene.ask("show", &ask, &[]).with_code(2).json()["code"],
        "usage/invalid"
    );
}

#[test]
fn a_file_changed_after_publishing_is_found_and_nothing_is_left_to_use() {
    let scene = Scene::new();
    let docs = scene.manifest.units[1].docs[0].path.clone();
    let honest = fs_err::read(scene.stored(&docs)).unwrap();
    overwrite(&scene.stored(&docs), |bytes| bytes[100] ^= 1);
    let out = scene.path("pulled");
    let answer = scene.ask("pull", "--out {}", &[&out]).with_code(4).json();
    assert_eq!(answer["code"], "store/differs");
    assert!(answer["message"].as_str().unwrap().contains(&docs), "{answer}");
    assert!(!out.join("manifest.json").exists() && !out.join(&docs).exists());
    // Mended, the same call takes up what is missing.
    overwrite(&scene.stored(&docs), |bytes| *bytes = honest);
    scene.ask("pull", "--out {}", &[&out]).with_code(0);

    overwrite(&scene.stored("manifest.json"), |bytes| bytes[100] ^= 1);
    let answer = scene.ask("show", "", &[]).with_code(4).json();
    assert_eq!(answer["code"], "store/differs");
}

#[test]
fn rows_that_their_archives_do_not_give_fail() {
    let scene = Scene::new();
    let other = scene.path("other");
    fs_err::create_dir(&other).unwrap();
    let archives: Vec<PathBuf> = ["00", "20", "40"]
        .iter()
        .map(|name| pages::archive(&other, &format!("{name}.warc.gz"), 70, 9))
        .collect();
    let proof = scene.path("proof.json");
    let paths = [archives[0].as_path(), &archives[1], &archives[2], &proof];
    let answer = scene
        .ask("verify", "--warc {} {} {} --proof {}", &paths)
        .with_code(4)
        .json();
    assert!(!answer["data"]["faults"].as_array().unwrap().is_empty() && proof.exists());
}

#[test]
fn calls_that_cannot_work_say_why() {
    let scene = Scene::new();
    let (out, made) = (scene.path("out"), scene.path("made"));
    let store = scene.path("store");
    let cases = [
        (
            format!("dataset show {}/acme/r1@{}", store.display(), "ab".repeat(20)),
            1,
            "store/not-published",
        ),
        (
            format!(
                "dataset show {}/acme/r1@{}",
                scene.path("nowhere").display(),
                scene.revision
            ),
            2,
            "store/address",
        ),
        (
            format!("dataset show {}/acme/none@{}", store.display(), scene.revision),
            1,
            "store/not-published",
        ),
        (
            format!("dataset pull {} --out {}", made.display(), out.display()),
            2,
            "usage/invalid",
        ),
        (
            format!("dataset show {} --pointer 00", scene.target()),
            2,
            "usage/invalid",
        ),
        (
            format!("dataset show {} --pointer {}", made.display(), "00".repeat(124)),
            2,
            "usage/invalid",
        ),
        ("dataset show ftp://h/acme/r1".to_owned(), 2, "store/address"),
        ("dataset show hf://acme".to_owned(), 2, "store/address"),
        (
            format!("dataset show file://{}/acme/none", store.display()),
            2,
            "usage/invalid",
        ),
        (
            format!("dataset pull {} --out {}", scene.target(), made.display()),
            2,
            "output/other-dataset",
        ),
        (format!("dataset show {}", out.display()), 1, "dataset/missing"),
    ];
    for (words, code, name) in cases {
        let answer = line(&format!("{words} --json"), &[]).with_code(code).json();
        assert_eq!(answer["code"], name, "{words}: {answer}");
        assert!(!answer["help"].as_str().unwrap().is_empty());
    }
    let mut command = assay(["dataset", "show", "hf://acme/r1", "--json"]);
    command.env("HF_ENDPOINT", "ftp://h").env("HF_TOKEN", "hf_secret");
    let answer = Answer::from(command.output().unwrap()).with_code(2);
    assert!(!format!("{answer:?}").contains("hf_secret"));
}

#[test]
fn a_dataset_and_its_archive_behind_http_are_recomputed_without_any_file() {
    let folder = folder();
    let server = WebServer::start(folder.path().to_owned());
    pages::archive(folder.path(), "crawl.warc.gz", 0, 6);
    let url = format!("http://{}", server.address);
    let out = folder.path().join("made");
    line(&format!("refine {url}/crawl.warc.gz --out {{}} -q"), &[&out]).with_code(0);
    // The local store's layout behind a web server is a store.
    let revision = publish(&folder.path().join("store"), &out);
    let target = format!("{url}/store/acme/r1@{revision}");
    let verified = run(["dataset", "verify", &target, "--json"]).with_code(0).json();
    let records = manifest_of(&out).units[0].n_records;
    assert_eq!(verified["data"]["checked"], records);
    let sampled = run(["dataset", "verify", &target, "--sample", "4", "--json"])
        .with_code(0)
        .json();
    // Two kept rows, one of all rows and one by a byte, of which some may be the same.
    assert!((2..=4).contains(&sampled["data"]["checked"].as_u64().unwrap()));
    let pulled = folder.path().join("pulled");
    line(&format!("dataset pull {target} --out {{}} -q"), &[&pulled]).with_code(0);
    drop(server);
    let answer = run(["dataset", "show", &target, "--json"]).with_code(3).json();
    assert_eq!(
        (&answer["code"], &answer["retry"]),
        (&"store/unreachable".into(), &true.into())
    );
}
