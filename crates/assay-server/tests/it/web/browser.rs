//! A real browser over a filled server: Playwright with the system's Chromium, when it is there.
//!
//! `ASSAY_REQUIRE=browser` (or `all`) makes a missing browser a failure; `ASSAY_WEB_SHOTS` names a folder for screenshots.

use super::fill::next_block;
use super::pages::{PAGES, entity_pages};
use super::site::Site;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

const CHROMIUM: &str = "/usr/bin/chromium";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/web/browser")
}

/// The pinned packages, installed into the target folder once; none if there is no npm or it cannot fetch.
fn installed() -> Option<PathBuf> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    std::fs::create_dir_all(&place).ok()?;
    for file in ["package.json", "package-lock.json", "check.mjs", "live.mjs"] {
        std::fs::copy(folder().join(file), place.join(file)).ok()?;
    }
    let is_there = place.join("node_modules/playwright-core").is_dir()
        && place.join("node_modules/@axe-core/playwright").is_dir();
    let done = is_there
        || Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&place)
            .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
            .stdout(std::process::Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
    done.then_some(place)
}

/// Says loudly that nothing was checked, or fails where it must be.
fn skip(why: &str) {
    let required = std::env::var("ASSAY_REQUIRE").unwrap_or_default();
    let is_required = required
        .split(',')
        .any(|name| matches!(name, "browser" | "all" | "1"));
    assert!(!is_required, "the browser test is required: {why}");
    eprintln!("SKIPPED: the browser test did not run: {why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_in_a_browser() {
    if !Path::new(CHROMIUM).exists() {
        return skip("there is no /usr/bin/chromium");
    }
    let Some(place) = installed() else {
        return skip("npm could not install the pinned packages");
    };
    let site = Site::filled().await;
    let shots =
        std::env::var("ASSAY_WEB_SHOTS").unwrap_or_else(|_| place.join("shots").display().to_string());
    let pages: Vec<String> = PAGES
        .iter()
        .map(ToString::to_string)
        .chain(entity_pages())
        .collect();
    let output = tokio::process::Command::new("node")
        .arg("check.mjs")
        .arg(format!("http://{}", site.address))
        .arg(&shots)
        .arg(serde_json::to_string(&pages).unwrap())
        .current_dir(&place)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    site.stop().await;
}

/// Longest time from an event to an open page that shows it, milliseconds (docs/website.md).
const LIVE_MS_MAX: &str = "2000";

#[tokio::test(flavor = "multi_thread")]
async fn open_pages_follow_the_chain_within_two_seconds() {
    if !Path::new(CHROMIUM).exists() {
        return skip("there is no /usr/bin/chromium");
    }
    let Some(place) = installed() else {
        return skip("npm could not install the pinned packages");
    };
    let site = Site::filled().await;
    let pages = ["/", "/leaderboard/miners", "/rounds/current", "/status"];
    // Somebody has just looked at them: what was rendered for him is not what an event leads to.
    for page in pages {
        assert_eq!(site.get(page).await.status, 200, "{page}");
    }
    let (next, words) = next_block();
    let mut browser = tokio::process::Command::new("node")
        .arg("live.mjs")
        .arg(format!("http://{}", site.address))
        .args([LIVE_MS_MAX, &words])
        .arg(serde_json::to_string(&pages).unwrap())
        .current_dir(&place)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(browser.stdout.take().unwrap()).lines();
    assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("open"));
    let mut stdin = browser.stdin.take().unwrap();
    next.take_in(&site.app).await;
    stdin.write_all(b"taken in\n").await.unwrap();
    let mut said = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        said.push(line);
    }
    assert!(browser.wait().await.unwrap().success(), "{said:?}");
    site.stop().await;
}
