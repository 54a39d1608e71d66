//! `assay duel` with the smoke profile: two recipes on one archive, decision, interval and z, killed and taken up again.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::pages;
use crate::support::{assay, folder, line};

/// Pages of the archive, of which half are kept by both recipes: each gives one window of 512 tokens, a model needs 128.
const PAGES: u64 = 320;

/// Works of the evaluation text, of which one in five is held out.
const WORKS: u64 = 220;

/// Models of a screen: four arms, four seeds.
const MODELS: usize = 16;

/// t(.975) of four seeds.
const T: f64 = 3.182;

/// Longest wait for the first models.
const PATIENCE: Duration = Duration::from_mins(3);

/// An archive whose pages have long menus of names nobody knows, and a pack of text as the articles are.
fn scene(folder: &Path) -> (PathBuf, PathBuf) {
    let html = folder.join("pages");
    fs_err::create_dir(&html).unwrap();
    let text = |number: u64| [pages::paragraphs(number), pages::paragraphs(number + 100_000)].concat();
    for number in 0..PAGES {
        let mut links = String::new();
        for link in 0..220_u64 {
            let name = (number * 1_009 + link).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            write!(links, "<li><a href=/{link}>{name:016x}</a></li>").unwrap();
        }
        // Every third page is short: the challenger drops it.
        let mut paragraphs = text(number);
        if number % 3 == 0 {
            paragraphs.truncate(4);
        }
        let page = pages::html(&format!("Report {number}"), &paragraphs);
        let page = page.replacen("<nav>", &format!("<nav><ul>{links}</ul>"), 1);
        fs_err::write(html.join(format!("{number:04}.html")), page).unwrap();
    }
    let archive = folder.join("crawl.warc.gz");
    line(
        "pack {} --out {} --base-url https://example.org/ -q",
        &[&html, &archive],
    )
    .with_code(0);
    let works: String = (0..WORKS)
        .map(|work| {
            let text = text(500_000 + work).join("\n\n");
            json!({"id": format!("work{work}#0"), "text": text}).to_string() + "\n"
        })
        .collect();
    let (texts, pack) = (folder.join("reports.jsonl"), folder.join("eval.pack"));
    fs_err::write(&texts, works).unwrap();
    line("evaluate pack {} --out {}", &[&texts, &pack]).with_code(0);
    (archive, pack)
}

/// Arguments of the duel in `out` against a recipe that asks for longer pages.
fn args(archive: &Path, pack: &Path, out: &Path) -> Vec<String> {
    let challenger = archive.with_file_name("longer.toml");
    let recipe = assay_types::recipe::fineweb_en_v1().to_canonical();
    let recipe = recipe.replace("\nwords_min = 50\n", "\nwords_min = 300\n");
    fs_err::write(&challenger, recipe.replace("\"fineweb-en-v1\"", "\"longer\"")).unwrap();
    let words = "duel --champion fineweb-en-v1 --profile smoke --age 300 --json";
    let mut args: Vec<String> = words.split(' ').map(str::to_owned).collect();
    let paths = [
        ("--challenger", challenger.as_path()),
        ("--warc", archive),
        ("--pack", pack),
        ("--out", out),
    ];
    for (name, path) in paths {
        args.extend([name.to_owned(), path.display().to_string()]);
    }
    args
}

fn play(args: &[String]) -> Value {
    let answer = crate::support::run(args).with_code(0).json();
    assert_eq!(answer["schema"], "assay.duel/1");
    let mut data = answer["data"].clone();
    data.as_object_mut().unwrap().remove("seconds").unwrap();
    data
}

fn finished(out: &Path) -> usize {
    let Ok(models) = fs_err::read_dir(out.join("models")) else {
        return 0;
    };
    let is_finished = |entry: &fs_err::DirEntry| entry.path().extension().is_some_and(|end| end == "json");
    models
        .filter(|entry| is_finished(entry.as_ref().unwrap()))
        .count()
}

#[test]
fn two_recipes_are_decided_and_a_killed_duel_goes_on() {
    let folder = folder();
    let (archive, pack) = scene(folder.path());
    let [whole, killed] = ["whole", "killed"].map(|name| folder.path().join(name));
    let found = play(&args(&archive, &pack, &whole));
    assert_eq!(
        (&found["profile"], &found["budget_tokens"]),
        (&json!("smoke"), &json!(32_768))
    );
    for recipe in ["champion", "challenger"] {
        assert!(found[recipe]["documents"].as_u64() > Some(128), "{found}");
        assert!(found[recipe]["tokens_per_gb"].as_u64() > Some(0), "{found}");
        assert!(
            found[recipe]["gates"]["repetition"]["passed"].is_boolean(),
            "{found}"
        );
    }
    let documents = |recipe: &str| found[recipe]["documents"].as_u64().unwrap();
    assert!(documents("champion") > documents("challenger"), "{found}");
    let screen = &found["stages"][0];
    let number = |name: &str| screen[name].as_f64().unwrap();
    assert_eq!(
        (&screen["stage"], &screen["seeds"]),
        (&json!("screen"), &json!(4))
    );
    // After 300 rounds the lead asked for is 4 points; z is the lead over it in standard errors of a point at least.
    assert!((number("epsilon") - 4.0).abs() < 1e-9, "{found}");
    let half = (number("high") - number("low")) / 2.0;
    assert!(
        half > 0.0 && (number("points") - half - number("low")).abs() < 1e-6,
        "{found}"
    );
    let z = (number("points") - 4.0) / (half / T).max(1.0);
    assert!((number("z") - z).abs() < 1e-2, "{z}: {found}");
    // Seeds and documents are in the standard error.
    assert!((half / T - number("standard_error")).abs() < 1e-6, "{found}");
    let documents = number("document_standard_error");
    assert!(documents > 0.0 && documents < number("standard_error"), "{found}");
    let gates = found["challenger"]["gates"].as_object().unwrap();
    let is_gated = gates.values().any(|gate| gate["passed"] == json!(false));
    let last = found["stages"].as_array().unwrap().last().unwrap();
    let winner = match last["outcome"].as_str().unwrap() {
        "lost" => json!("champion"),
        "won" if is_gated => json!("champion"),
        "won" => json!("challenger"),
        "inconclusive" => Value::Null,
        other => panic!("a stage is won, lost or inconclusive, not {other}"),
    };
    assert_eq!(found["winner"], winner, "{found}");
    assert!(!found["why"].as_str().unwrap().is_empty());

    let mut child = assay(args(&archive, &pack, &killed))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while finished(&killed) < 2 {
        assert!(started.elapsed() < PATIENCE, "no model was finished");
        assert!(child.try_wait().unwrap().is_none(), "the duel ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = finished(&killed);
    assert!((2..MODELS).contains(&before), "{before} models before the kill");
    assert_eq!(
        play(&args(&archive, &pack, &killed)),
        found,
        "killed and taken up"
    );
}
