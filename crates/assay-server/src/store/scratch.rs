//! A database of its own for a unit test, filled by statements.

use super::{Database, StoreError, Write, Writer};
use futures_util::future::BoxFuture;
use sqlx::{AnyConnection, AssertSqlSafe};

/// A new SQLite database with its writer; gone with this.
pub(crate) struct Scratch {
    pub(crate) database: Database,
    pub(crate) writer: Writer,
    _folder: tempfile::TempDir,
}

/// Statements that follow from no write of the program, in one commit.
struct Statements(Vec<String>);

impl Write for Statements {
    type Out = ();

    fn apply<'a>(&'a self, connection: &'a mut AnyConnection) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            for statement in &self.0 {
                sqlx::query(AssertSqlSafe(statement.clone()))
                    .execute(&mut *connection)
                    .await?;
            }
            Ok(())
        })
    }
}

impl Scratch {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("assay.sqlite").display().to_string();
        let database = Database::open(&place, "test").await.unwrap();
        let (writer, _task) = Writer::start(&database);
        Self {
            database,
            writer,
            _folder: folder,
        }
    }

    pub(crate) async fn run(&self, statements: impl IntoIterator<Item = String>) {
        let statements = Statements(statements.into_iter().collect());
        self.writer.write(statements).await.unwrap();
    }
}
