//! A PostgreSQL server for tests: the one of `ASSAY_TEST_POSTGRES`, or one started from the Debian package.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

/// The user as whom the server runs where root starts it: it refuses to run as root.
const USER: &str = "postgres";

/// What the name of each database begins with: the server may be somebody's, with databases of his own.
const PREFIX: &str = "assay_test_";

struct Started {
    child: Mutex<Option<Child>>,
    url: String,
}

/// Whether a commit waits for the disk; only a benchmark does.
pub(crate) static SYNCS: AtomicBool = AtomicBool::new(false);

static SERVER: OnceLock<Option<Started>> = OnceLock::new();

/// The folder of the newest installed server.
fn binaries() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    versions.sort();
    versions.pop().filter(|folder| folder.join("initdb").is_file())
}

fn is_root() -> bool {
    let who = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8_lossy(&who.stdout).trim() == "0"
}

/// A program as a user that is not root.
fn as_user(program: &Path) -> Command {
    let mut command = Command::new(if is_root() { Path::new("runuser") } else { program });
    if is_root() {
        command.args(["-u", USER, "--"]).arg(program);
    }
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn start() -> Option<Started> {
    if let Ok(url) = std::env::var("ASSAY_TEST_POSTGRES") {
        return Some(Started {
            child: Mutex::new(None),
            url,
        });
    }
    let Some(binaries) = binaries() else {
        assert!(
            std::env::var_os("ASSAY_REQUIRE").is_none(),
            "ASSAY_REQUIRE is set: PostgreSQL is not installed and ASSAY_TEST_POSTGRES names none"
        );
        eprintln!("skipped: PostgreSQL is not installed and ASSAY_TEST_POSTGRES names none");
        return None;
    };
    let folder = tempfile::tempdir().unwrap().keep();
    if is_root() {
        let owned = Command::new("chown").arg("-R").arg(USER).arg(&folder).status();
        assert!(owned.unwrap().success());
    }
    let data = folder.join("data");
    let made = as_user(&binaries.join("initdb"))
        .arg("-D")
        .arg(&data)
        .args(["-A", "trust", "-U", "assay"])
        .status()
        .unwrap();
    assert!(made.success(), "initdb failed");
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    // Ends with this process, however that ends: then the pipe to the shell closes.
    let child = as_user(Path::new("sh"))
        .args(["-c", r#""$@" & pid=$!; cat; kill -QUIT $pid"#, "sh"])
        .arg(binaries.join("postgres"))
        .arg("-D")
        .arg(&data)
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-k", ""])
        .args((!SYNCS.load(Ordering::Relaxed)).then_some("-F"))
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    Some(Started {
        child: Mutex::new(Some(child)),
        url: format!("postgres://assay@127.0.0.1:{port}"),
    })
}

/// The address of a new, empty database; none where there is no server.
pub(crate) async fn database(name: &str) -> Option<String> {
    let server = tokio::task::spawn_blocking(|| SERVER.get_or_init(start).as_ref())
        .await
        .unwrap()?;
    assert!(server.child.lock().is_ok());
    let name = format!("{PREFIX}{name}");
    sqlx::any::install_default_drivers();
    let mut last = None;
    for _ in 0..100 {
        match <sqlx::AnyConnection as sqlx::Connection>::connect(&format!("{}/postgres", server.url)).await {
            Ok(mut connection) => {
                for statement in [
                    format!("DROP DATABASE IF EXISTS {name}"),
                    format!("CREATE DATABASE {name}"),
                ] {
                    sqlx::query(sqlx::AssertSqlSafe(statement))
                        .execute(&mut connection)
                        .await
                        .unwrap();
                }
                return Some(format!("{}/{name}", server.url));
            }
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("PostgreSQL does not answer: {last:?}");
}
