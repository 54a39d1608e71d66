//! Recipes and datasets: what the chain announced, with the texts that were handed in.

use super::audit::append;
use super::row::{json, number, parsed, signed, text, to_json};
use super::{Parts, StoreError, Write};
use assay_types::api::{DatasetView, EventKind, RecipeView};
use assay_types::{BlockNumber, Coldkey, Digest, Hotkey, RecipeId};
use futures_util::future::BoxFuture;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool};
use std::collections::BTreeSet;

/// A recipe's author or text; what is known stays, the earliest commitment wins.
#[derive(Debug, Clone)]
pub struct AddRecipeText {
    /// The recipe.
    pub recipe_id: RecipeId,
    /// Who committed it, at which block.
    pub author: Option<(Hotkey, Coldkey, BlockNumber)>,
    /// Its canonical TOML, "" if only announced.
    pub toml: String,
    /// The server's time.
    pub now_ms: u64,
}

impl Write for AddRecipeText {
    /// Number in the audit log; 0 if nothing was new.
    type Out = u64;

    fn touches(&self) -> Parts {
        Parts::RELEASES
    }

    fn apply<'a>(&'a self, connection: &'a mut AnyConnection) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            let (hotkey, coldkey, block) = self.author.map_or((String::new(), String::new(), 0), |author| {
                (author.0.to_string(), author.1.to_string(), i64::from(author.2.0))
            });
            let inserted = sqlx::query(
                "INSERT INTO recipes (recipe_id, hotkey, coldkey, block, toml) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(self.recipe_id.to_string())
            .bind(hotkey.clone())
            .bind(coldkey.clone())
            .bind(block)
            .bind(self.toml.clone())
            .execute(&mut *connection)
            .await?;
            let mut changed = inserted.rows_affected();
            if changed == 0 && !self.toml.is_empty() {
                let done = sqlx::query("UPDATE recipes SET toml = $2 WHERE recipe_id = $1 AND toml = ''")
                    .bind(self.recipe_id.to_string())
                    .bind(self.toml.clone())
                    .execute(&mut *connection)
                    .await?;
                changed = done.rows_affected();
            }
            if changed == 0 && self.author.is_some() {
                let done = sqlx::query(
                    "UPDATE recipes SET hotkey = $2, coldkey = $3, block = $4 \
                     WHERE recipe_id = $1 AND (hotkey = '' OR block > $4)",
                )
                .bind(self.recipe_id.to_string())
                .bind(hotkey)
                .bind(coldkey)
                .bind(block)
                .execute(&mut *connection)
                .await?;
                changed = done.rows_affected();
            }
            if changed == 0 {
                return Ok(0);
            }
            let event = serde_json::json!({"recipe": self.recipe_id, "text": !self.toml.is_empty()});
            append(connection, EventKind::Release, &event, self.now_ms).await
        })
    }
}

/// Recipes by id, after one.
pub async fn recipes(pool: &AnyPool, after: &str, limit: u32) -> Result<Vec<RecipeView>, StoreError> {
    let rows = sqlx::query("SELECT * FROM recipes WHERE recipe_id > $1 ORDER BY recipe_id LIMIT $2")
        .bind(after.to_owned())
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    rows.iter().map(read_recipe).collect()
}

/// One recipe.
pub async fn recipe(pool: &AnyPool, id: &RecipeId) -> Result<Option<RecipeView>, StoreError> {
    let row = sqlx::query("SELECT * FROM recipes WHERE recipe_id = $1")
        .bind(id.to_string())
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(read_recipe).transpose()
}

/// Those of some recipes that were announced on the chain or are the subnet's own.
pub async fn registered_recipes(
    pool: &AnyPool,
    ids: &BTreeSet<RecipeId>,
) -> Result<BTreeSet<RecipeId>, StoreError> {
    let mut found = BTreeSet::new();
    for id in ids {
        let row = sqlx::query("SELECT block FROM recipes WHERE recipe_id = $1")
            .bind(id.to_string())
            .fetch_optional(pool)
            .await?;
        found.extend(row.map(|_| *id));
    }
    Ok(found)
}

fn read_recipe(row: &AnyRow) -> Result<RecipeView, StoreError> {
    let toml = text(row, "toml")?;
    let name = assay_types::Recipe::parse(&toml)
        .map(|recipe| recipe.name)
        .unwrap_or_default();
    Ok(RecipeView {
        recipe_id: RecipeId(parsed::<Digest>(row, "recipe_id")?),
        name,
        author: match text(row, "hotkey")?.as_str() {
            "" => None,
            author => Some(author.parse().map_err(|_| StoreError::Value("hotkey"))?),
        },
        block: BlockNumber(number(row, "block")?),
        active: false,
        toml,
    })
}

/// A dataset that can be used; one of the same name and release is replaced.
#[derive(Debug, Clone)]
pub struct AddDataset {
    /// What is shown.
    pub dataset: DatasetView,
    /// The server's time.
    pub now_ms: u64,
}

impl Write for AddDataset {
    type Out = u64;

    fn touches(&self) -> Parts {
        Parts::RELEASES
    }

    fn apply<'a>(&'a self, connection: &'a mut AnyConnection) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async move {
            sqlx::query(
                "INSERT INTO datasets (name, release, document, added_ms) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (name, release) DO UPDATE SET document = excluded.document, added_ms = excluded.added_ms",
            )
            .bind(self.dataset.name.clone())
            .bind(self.dataset.release.clone())
            .bind(to_json(&self.dataset))
            .bind(signed(self.now_ms))
            .execute(&mut *connection)
            .await?;
            let event = serde_json::json!({"dataset": self.dataset.name, "release": self.dataset.release});
            append(connection, EventKind::Release, &event, self.now_ms).await
        })
    }
}

/// Datasets by name and release, newest release of each name last.
pub async fn datasets(pool: &AnyPool, name: &str) -> Result<Vec<DatasetView>, StoreError> {
    let rows = sqlx::query(
        "SELECT document FROM datasets WHERE ($1 = '' OR name = $1) ORDER BY name, added_ms, release",
    )
    .bind(name.to_owned())
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| json(row, "document")).collect()
}
