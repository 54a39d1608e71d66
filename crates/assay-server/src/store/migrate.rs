//! Bringing a database to the newest schema, or refusing one that is newer or another network's.

use super::schema::MIGRATIONS;
use super::{DatabaseKind, StoreError};
use sqlx::{AnyConnection, AnyPool, Connection as _, Row as _};

/// Applies what is missing, each migration in a transaction of its own.
pub(super) async fn migrate(
    pool: &AnyPool,
    kind: DatabaseKind,
    place: &str,
    network: &str,
) -> Result<(), StoreError> {
    let mut connection = pool.acquire().await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        .execute(&mut *connection)
        .await?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let found = match value(&mut connection, "schema").await? {
        Some(text) => text.parse().map_err(|_| StoreError::Value("schema"))?,
        None => 0,
    };
    if found > known {
        return Err(StoreError::Newer {
            place: place.to_owned(),
            found,
            known,
        });
    }
    for (number, statements) in (1..).zip(MIGRATIONS).skip(usize::try_from(found).unwrap_or(0)) {
        let mut transaction = connection.begin().await?;
        if kind == DatabaseKind::Postgres {
            // Two servers that start at once migrate one after the other.
            sqlx::query("LOCK TABLE meta IN ACCESS EXCLUSIVE MODE")
                .execute(&mut *transaction)
                .await?;
            let now = value(&mut transaction, "schema").await?;
            if now.is_some_and(|text| text.parse::<i64>().is_ok_and(|now| now >= number)) {
                continue;
            }
        }
        for statement in *statements {
            sqlx::query(*statement).execute(&mut *transaction).await?;
        }
        set(&mut transaction, "schema", &number.to_string()).await?;
        transaction.commit().await?;
    }
    match value(&mut connection, "network").await? {
        None => set(&mut connection, "network", network).await,
        Some(found) if found == network => Ok(()),
        Some(found) => Err(StoreError::Foreign {
            place: place.to_owned(),
            found,
            expected: network.to_owned(),
        }),
    }
}

/// A value of the table `meta`.
async fn value(connection: &mut AnyConnection, name: &str) -> Result<Option<String>, StoreError> {
    let row = sqlx::query("SELECT value FROM meta WHERE name = $1")
        .bind(name.to_owned())
        .fetch_optional(connection)
        .await?;
    row.map(|row| row.try_get(0).map_err(StoreError::from))
        .transpose()
}

async fn set(connection: &mut AnyConnection, name: &str, value: &str) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .bind(name.to_owned())
        .bind(value.to_owned())
        .execute(connection)
        .await?;
    Ok(())
}
