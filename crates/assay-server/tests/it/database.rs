//! Databases that must be refused, writes in groups, export and import, a full disk.

use crate::postgres;
use crate::world::{Place, World, corpus, hotkey};
use assay_server::store::{
    AddCorpora, Append, Database, DumpLine, NonceOnly, Signed, Sources, StoreError, TABLES, Writer,
    dump_table,
};
use assay_server::{admin, store};
use assay_types::api::{EventKind, ProblemKind};
use assay_types::{Bytes, WorkUnit};

async fn open(address: &str) -> Result<Database, StoreError> {
    Database::open(address, "test/1").await
}

#[tokio::test]
async fn corrupt_newer_and_foreign_databases_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite").display().to_string();
    fs_err::write(&path, vec![7; 8_192]).unwrap();
    let error = open(&path).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert!(
        error.to_string().contains(&path) && error.to_string().contains("backup"),
        "{error}"
    );

    let path = folder.path().join("b.sqlite").display().to_string();
    let database = open(&path).await.unwrap();
    sqlx::query("UPDATE meta SET value = '99' WHERE name = 'schema'")
        .execute(database.readers())
        .await
        .unwrap();
    database.close().await;
    let error = open(&path).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");

    let path = folder.path().join("c.sqlite").display().to_string();
    open(&path).await.unwrap().close().await;
    let error = Database::open(&path, "other/1").await.unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");

    // A page torn in the middle of a table is damage too.
    let path = folder.path().join("d.sqlite").display().to_string();
    let database = open(&path).await.unwrap();
    let (writer, task) = Writer::start(&database);
    let units = corpus(2_000);
    writer
        .write(AddCorpora::one("x", units, 1))
        .await
        .unwrap()
        .unwrap();
    drop(writer);
    task.await.unwrap();
    database.close().await;
    let mut bytes = fs_err::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4_096].fill(0xA5);
    fs_err::write(&path, bytes).unwrap();
    let error = open(&path).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

async fn writes(address: &str) {
    let database = open(address).await.unwrap();
    let (writer, task) = Writer::start(&database);
    // The same nonce from many at once counts for one.
    let signed = |nonce| Signed {
        hotkey: hotkey("a"),
        nonce,
        write: NonceOnly,
    };
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let writer = writer.clone();
        let write = signed(5);
        tasks.spawn(async move { writer.write(write).await.unwrap() });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(results.contains(&Err(ProblemKind::ReplayedRequest)));
    // It is remembered by the next process, until it is too old to matter.
    drop(writer);
    task.await.unwrap();
    database.close().await;
    let database = open(address).await.unwrap();
    let (writer, _task) = Writer::start(&database);
    assert_eq!(
        writer.write(signed(5)).await.unwrap(),
        Err(ProblemKind::ReplayedRequest)
    );
    assert_eq!(writer.write(store::ForgetNonces { before: 6 }).await.unwrap(), 1);
    assert_eq!(writer.write(signed(5)).await.unwrap(), Ok(()));
    // A failing write takes nobody with it: the audit log's number is taken twice here.
    let event = || Append {
        kind: EventKind::Health,
        document: serde_json::json!({"x": 1}),
        now_ms: 1,
    };
    let first = writer.write(event()).await.unwrap();
    assert_eq!(writer.write(event()).await.unwrap(), first + 1);
    sources(&database, &writer).await;
    database.close().await;
}

/// Corpora that are added one by one are added to the sums.
async fn sources(database: &Database, writer: &Writer) {
    let mut known = Sources::default();
    for (at, lengths) in [vec![10, 20], vec![], vec![40, 41, 70]].into_iter().enumerate() {
        let units = lengths.into_iter().map(|bytes| {
            let source = if bytes > 40 { "crawl" } else { "file" };
            WorkUnit::new(source, &format!("{at}/{bytes}.warc.gz"), Bytes(bytes)).unwrap()
        });
        let units: Vec<WorkUnit> = units.collect();
        if !units.is_empty() {
            let corpus = AddCorpora::one(&format!("corpus {at}"), units, 1);
            writer.write(corpus).await.unwrap().unwrap();
        }
        known = Sources::read(database.readers(), Some(&known)).await.unwrap();
        assert_eq!(known, Sources::read(database.readers(), None).await.unwrap());
    }
    // (10 + 20 + 40) / 3 and (41 + 70) / 2, rounded down.
    let means = ["file", "crawl", "none"].map(|source| known.mean(source));
    assert_eq!((known.units(), means), (5, [23, 55, 0]));
    assert_eq!(store::unit_count(database.readers()).await.unwrap(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    writes(&folder.path().join("a.sqlite").display().to_string()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_on_postgres() {
    if let Some(url) = postgres::database("writes").await {
        writes(&url).await;
    }
}

/// Every row of every table that is state.
pub(crate) async fn dump(database: &Database) -> Vec<DumpLine> {
    let mut connection = database.readers().acquire().await.unwrap();
    let mut lines = Vec::new();
    for (table, _, _) in TABLES {
        lines.extend(dump_table(&mut connection, table).await.unwrap());
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_moves_between_databases_without_loss() {
    let world = World::new(&Place::Sqlite, &["miner-a", "miner-b"]).await;
    world.begin(1).await;
    let lines = dump(world.app.database()).await;
    let tables: std::collections::BTreeSet<&str> = lines.iter().map(|line| line.table.as_str()).collect();
    assert!(tables.len() >= 8, "{tables:?}");
    let mut text = Vec::new();
    for line in &lines {
        serde_json::to_writer(&mut text, line).unwrap();
        text.push(b'\n');
    }
    let folder = tempfile::tempdir().unwrap();
    let mut places = vec![folder.path().join("copy.sqlite").display().to_string()];
    places.extend(postgres::database("import").await);
    for place in places {
        let copy = open(&place).await.unwrap();
        let count = admin::import(&copy, text.as_slice()).await.unwrap();
        assert_eq!(count as usize, lines.len());
        assert_eq!(dump(&copy).await, lines, "{place}");
        let again = admin::import(&copy, text.as_slice()).await.unwrap_err();
        assert!(again.to_string().contains("not empty"), "{again}");
        copy.close().await;
    }
    let backup = folder.path().join("backup.sqlite");
    world.app.database().backup(&backup).await.unwrap();
    let copy = Database::open(&backup.display().to_string(), &world.identity.name())
        .await
        .unwrap();
    assert_eq!(dump(&copy).await, lines);
    copy.close().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_intake_and_keeps_serving_reads() {
    let world = World::new(&Place::Sqlite, &["miner-a"]).await;
    world.begin(0).await;
    world.app.writer().write(LimitPages).await.unwrap();
    let client = world.client("miner-a");
    let mut refused = None;
    for _ in 0..2_000 {
        if let Err(error) = client.whoami().await {
            refused = error.kind();
            break;
        }
    }
    assert_eq!(refused, Some(ProblemKind::StorageFull));
    let health = client.health().await.unwrap();
    assert!(!health.intake && health.status == "degraded", "{health:?}");
    assert!(client.assignment(assay_types::Round(0)).await.is_ok());
    world.stop().await;
}

/// Leaves the database no room to grow.
struct LimitPages;

impl store::Write for LimitPages {
    type Out = ();

    fn apply<'a>(
        &'a self,
        connection: &'a mut sqlx::AnyConnection,
    ) -> futures_util::future::BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            sqlx::query("PRAGMA max_page_count = 1")
                .execute(connection)
                .await?;
            Ok(())
        })
    }
}
