//! The subnet between rounds as the mechanism keeps it: one document, written with the step that changes it.

use super::StoreError;
use super::row::{json, to_json};
use assay_mechanism::network::NetworkState;
use sqlx::{AnyConnection, AnyPool};

/// The state after the newest step; that of a new subnet before the first.
pub async fn network_state(pool: &AnyPool) -> Result<NetworkState, StoreError> {
    let mut connection = pool.acquire().await?;
    read_network_state(&mut connection).await
}

/// The same within a transaction.
pub(super) async fn read_network_state(connection: &mut AnyConnection) -> Result<NetworkState, StoreError> {
    let row = sqlx::query("SELECT document FROM network WHERE id = 0")
        .fetch_optional(connection)
        .await?;
    let state = row.as_ref().map(|row| json(row, "document")).transpose()?;
    Ok(state.unwrap_or_default())
}

/// Replaces the state that a step was computed from by what follows from it.
///
/// # Errors
/// [`StoreError::Stale`] if the state is another one by now: another server on the same database took a step.
pub(super) async fn follow_network_state(
    connection: &mut AnyConnection,
    before: &NetworkState,
    state: &NetworkState,
) -> Result<(), StoreError> {
    if read_network_state(connection).await? != *before {
        return Err(StoreError::Stale);
    }
    put_network_state(connection, state).await
}

/// Replaces the state.
pub(super) async fn put_network_state(
    connection: &mut AnyConnection,
    state: &NetworkState,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO network (id, document) VALUES (0, $1) ON CONFLICT (id) DO UPDATE SET document = excluded.document",
    )
    .bind(to_json(state))
    .execute(connection)
    .await?;
    Ok(())
}
