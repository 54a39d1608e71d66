//! The corpus index in the database: every unit has a place that never changes.

use super::audit::append;
use super::row::{Value, insert_rows, number, parsed, signed, text};
use super::{StoreError, Write};
use assay_types::api::{CorpusView, EventKind};
use assay_types::{Bytes, Digest, MerkleBuilder, UnitId, WorkUnit, corpus_index_root};
use futures_util::future::BoxFuture;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool};
use std::collections::BTreeMap;
use thiserror::Error;

/// Rows read at a time when every leaf is needed.
const LEAF_ROWS: i64 = 10_000;

/// Ids looked up in one statement.
const IDS_ASKED: usize = 5_000;

/// A list of archives under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedUnits {
    /// The name.
    pub name: String,
    /// Its units, in their order.
    pub units: Vec<WorkUnit>,
}

/// Why lists of archives are not added. A unit's place never changes, so what is in the index stays in it as it is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CorpusRefusal {
    /// Another list was added under this name.
    #[error(
        "corpus `{name}` has root {given}, and another one of that name has root {here}: a corpus never changes; \
         give the list as it was, or what is new as a corpus of its own (`assay serve admin add-corpus SPEC --name NAME`)"
    )]
    OtherRoot {
        /// The name.
        name: String,
        /// Root of the one that is there.
        here: Digest,
        /// Root of what was given.
        given: Digest,
    },
    /// An archive that has a place already.
    #[error(
        "`{unit}` of corpus `{name}` is in corpus `{holder}` already: each archive is one unit; leave it out of the list"
    )]
    Taken {
        /// The archive, `source:path`.
        unit: String,
        /// The corpus it was to be added with.
        name: String,
        /// The corpus that holds it.
        holder: String,
    },
    /// An index that is not the one of the parameter set.
    #[error(
        "the parameter set pins the corpus index `{pinned}`, and with these corpora it is `{found}`: give the corpora it was \
         made from, in their order, or the parameter set that goes with them (and an empty database if other units are in it)"
    )]
    Pinned {
        /// What the parameter set says.
        pinned: Digest,
        /// What the index would be.
        found: Digest,
    },
}

/// Adds lists of archives behind all others, all of them or none.
#[derive(Debug)]
pub struct AddCorpora {
    /// The lists, in the order in which they are work.
    pub corpora: Vec<NamedUnits>,
    /// Root that the index must have afterwards; zero if any will do.
    pub pinned: Digest,
    /// The server's time.
    pub now_ms: u64,
}

impl Write for AddCorpora {
    /// Each corpus and whether it is new; one of the same name and root is taken once.
    type Out = Result<Vec<(CorpusView, bool)>, CorpusRefusal>;

    fn apply<'a>(
        &'a self,
        connection: &'a mut AnyConnection,
    ) -> BoxFuture<'a, Result<Self::Out, StoreError>> {
        Box::pin(async move {
            let mut known = BTreeMap::new();
            for corpus in &self.corpora {
                if let Some(refusal) = self.other_of_its_name(corpus) {
                    return Ok(Err(refusal));
                }
                match known_as(connection, corpus).await? {
                    Some(Err(refusal)) => return Ok(Err(refusal)),
                    Some(Ok(view)) => {
                        known.insert(corpus.name.as_str(), view);
                    }
                    None => {}
                }
            }
            let fresh = || {
                self.corpora
                    .iter()
                    .filter(|corpus| !known.contains_key(corpus.name.as_str()))
            };
            if let Some(taken) = taken(connection, &fresh().collect::<Vec<_>>()).await? {
                return Ok(Err(taken));
            }
            let mut index = index_of(connection).await?;
            let mut all = index.clone();
            fresh()
                .flat_map(|corpus| &corpus.units)
                .for_each(|unit| all.push(unit.leaf()));
            if !self.pinned.is_zero() && !all.is_empty() && all.root() != self.pinned {
                return Ok(Err(CorpusRefusal::Pinned {
                    pinned: self.pinned,
                    found: all.root(),
                }));
            }
            let mut views = Vec::with_capacity(self.corpora.len());
            for corpus in &self.corpora {
                match known.get(corpus.name.as_str()) {
                    Some(view) => views.push((view.clone(), false)),
                    None => views.push((corpus.insert(connection, &mut index, self.now_ms).await?, true)),
                }
            }
            Ok(Ok(views))
        })
    }
}

impl AddCorpora {
    /// That another of the lists, before this one, has its name.
    fn other_of_its_name(&self, corpus: &NamedUnits) -> Option<CorpusRefusal> {
        let first = self.corpora.iter().find(|other| other.name == corpus.name)?;
        let roots = (corpus_index_root(&first.units), corpus_index_root(&corpus.units));
        (roots.0 != roots.1).then(|| CorpusRefusal::OtherRoot {
            name: corpus.name.clone(),
            here: roots.0,
            given: roots.1,
        })
    }

    /// One list, whatever the index becomes.
    pub fn one(name: &str, units: Vec<WorkUnit>, now_ms: u64) -> Self {
        let name = name.to_owned();
        Self {
            corpora: vec![NamedUnits { name, units }],
            pinned: Digest::ZERO,
            now_ms,
        }
    }
}

impl NamedUnits {
    /// Writes the list behind `index`, and its leaves into it.
    async fn insert(
        &self,
        connection: &mut AnyConnection,
        index: &mut MerkleBuilder,
        now_ms: u64,
    ) -> Result<CorpusView, StoreError> {
        let first = index.len();
        self.insert_units(connection, first).await?;
        self.units.iter().for_each(|unit| index.push(unit.leaf()));
        let bytes = self.units.iter().map(|unit| unit.bytes.0);
        let view = CorpusView {
            name: self.name.clone(),
            root: corpus_index_root(&self.units),
            index_root: index.root(),
            first,
            units: self.units.len() as u64,
            bytes: Bytes(bytes.fold(0, u64::saturating_add)),
        };
        sqlx::query(
            "INSERT INTO corpora (name, root, index_root, first, units, bytes, added_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(view.name.clone())
        .bind(view.root.to_string())
        .bind(view.index_root.to_string())
        .bind(signed(view.first))
        .bind(signed(view.units))
        .bind(signed(view.bytes.0))
        .bind(signed(now_ms))
        .execute(&mut *connection)
        .await?;
        let event = serde_json::json!({"corpus": view.name, "root": view.root, "units": view.units,
            "index_root": view.index_root});
        append(connection, EventKind::Health, &event, now_ms).await?;
        Ok(view)
    }

    async fn insert_units(&self, connection: &mut AnyConnection, first: u64) -> Result<(), StoreError> {
        let rows: Vec<Vec<Value>> = (first..)
            .zip(&self.units)
            .map(|(position, unit)| {
                vec![
                    Value::Number(signed(position)),
                    Value::Text(unit.unit_id.to_string()),
                    Value::Text(unit.source.clone()),
                    Value::Text(unit.path.clone()),
                    Value::Number(signed(unit.bytes.0)),
                    Value::Text(unit.leaf().to_string()),
                ]
            })
            .collect();
        let columns = ["position", "unit_id", "source", "path", "bytes", "leaf"];
        insert_rows(connection, ("units", &columns), &rows).await
    }
}

/// The corpus of the same name, or that it is another one.
async fn known_as(
    connection: &mut AnyConnection,
    corpus: &NamedUnits,
) -> Result<Option<Result<CorpusView, CorpusRefusal>>, StoreError> {
    let row = sqlx::query("SELECT * FROM corpora WHERE name = $1")
        .bind(corpus.name.clone())
        .fetch_optional(connection)
        .await?;
    let Some(view) = row.as_ref().map(read_corpus).transpose()? else {
        return Ok(None);
    };
    let given = corpus_index_root(&corpus.units);
    Ok(Some(if view.root == given {
        Ok(view)
    } else {
        Err(CorpusRefusal::OtherRoot {
            name: view.name,
            here: view.root,
            given,
        })
    }))
}

/// The first unit of new corpora that has a place already, there or in another of them.
async fn taken(
    connection: &mut AnyConnection,
    fresh: &[&NamedUnits],
) -> Result<Option<CorpusRefusal>, StoreError> {
    let refusal = |unit: &WorkUnit, name: &str, holder: &str| CorpusRefusal::Taken {
        unit: format!("{}:{}", unit.source, unit.path),
        name: name.to_owned(),
        holder: holder.to_owned(),
    };
    let mut seen = BTreeMap::<UnitId, &str>::new();
    for corpus in fresh {
        for unit in &corpus.units {
            if let Some(holder) = seen.insert(unit.unit_id, &corpus.name) {
                return Ok(Some(refusal(unit, &corpus.name, holder)));
            }
        }
        for units in corpus.units.chunks(IDS_ASKED) {
            let places: Vec<String> = (1..=units.len()).map(|at| format!("${at}")).collect();
            let statement = format!(
                "SELECT unit_id, (SELECT name FROM corpora WHERE first <= units.position ORDER BY first DESC LIMIT 1) AS holder \
                 FROM units WHERE unit_id IN ({}) ORDER BY position LIMIT 1",
                places.join(", ")
            );
            let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
            for unit in units {
                query = query.bind(unit.unit_id.to_string());
            }
            let Some(row) = query.fetch_optional(&mut *connection).await? else {
                continue;
            };
            let id: UnitId = parsed(&row, "unit_id")?;
            let unit = units.iter().find(|unit| unit.unit_id == id);
            let unit = unit.ok_or(StoreError::Value("unit_id"))?;
            return Ok(Some(refusal(unit, &corpus.name, &text(&row, "holder")?)));
        }
    }
    Ok(None)
}

/// The tree over all units.
async fn index_of(connection: &mut AnyConnection) -> Result<MerkleBuilder, StoreError> {
    let mut builder = MerkleBuilder::default();
    let mut from = 0;
    loop {
        let rows = sqlx::query("SELECT leaf FROM units WHERE position >= $1 ORDER BY position LIMIT $2")
            .bind(from)
            .bind(LEAF_ROWS)
            .fetch_all(&mut *connection)
            .await?;
        for row in &rows {
            builder.push(parsed(row, "leaf")?);
        }
        if (rows.len() as i64) < LEAF_ROWS {
            return Ok(builder);
        }
        from += LEAF_ROWS;
    }
}

/// Corpora in the order of their units.
pub async fn corpora(pool: &AnyPool) -> Result<Vec<CorpusView>, StoreError> {
    let rows = sqlx::query("SELECT * FROM corpora ORDER BY first")
        .fetch_all(pool)
        .await?;
    rows.iter().map(read_corpus).collect()
}

/// Root of the whole index; zero if there is no corpus.
pub async fn index_root(pool: &AnyPool) -> Result<Digest, StoreError> {
    Ok(corpora(pool)
        .await?
        .last()
        .map_or(Digest::ZERO, |corpus| corpus.index_root))
}

/// How many units there are.
pub async fn unit_count(pool: &AnyPool) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT COUNT(*) AS count FROM units")
        .fetch_one(pool)
        .await?;
    number(&row, "count")
}

/// How many units each source has and how long they are. Units are only ever added, so newer sums follow from older ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// First place that is not in the sums.
    next: u64,
    /// Units and bytes by source.
    of: BTreeMap<String, (u64, u64)>,
}

impl Sources {
    /// Adds up all units, or those behind the ones that are known.
    pub async fn read(pool: &AnyPool, known: Option<&Self>) -> Result<Self, StoreError> {
        let mut sources = known.cloned().unwrap_or_default();
        // All of them in the table's own order: by the index over places it takes half as long again.
        let newer = if sources.next == 0 {
            "CAST($1 AS BIGINT) = 0"
        } else {
            "position >= $1"
        };
        let statement = format!(
            "SELECT source, COUNT(*) AS count, CAST(SUM(bytes) AS BIGINT) AS bytes, MAX(position) AS last FROM units \
             WHERE {newer} GROUP BY source"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(signed(sources.next))
            .fetch_all(pool)
            .await?;
        for row in &rows {
            let (units, bytes) = sources.of.entry(text(row, "source")?).or_default();
            *units += number::<u64>(row, "count")?;
            *bytes = bytes.saturating_add(number(row, "bytes")?);
            sources.next = sources.next.max(number::<u64>(row, "last")? + 1);
        }
        Ok(sources)
    }

    /// Mean length of a source's archives, bytes, rounded down; 0 if it has none.
    pub fn mean(&self, source: &str) -> u64 {
        self.of
            .get(source)
            .map_or(0, |(units, bytes)| bytes / (*units).max(1))
    }

    /// Units of all sources.
    pub fn units(&self) -> u64 {
        self.of.values().map(|(units, _)| units).sum()
    }
}

/// Ids of units from a place on.
pub async fn units_from(pool: &AnyPool, position: u64, limit: u64) -> Result<Vec<UnitId>, StoreError> {
    let rows = sqlx::query("SELECT unit_id FROM units WHERE position >= $1 ORDER BY position LIMIT $2")
        .bind(signed(position))
        .bind(signed(limit))
        .fetch_all(pool)
        .await?;
    rows.iter().map(|row| parsed(row, "unit_id")).collect()
}

/// Leaves of all units, in order.
pub async fn unit_leaves(pool: &AnyPool) -> Result<Vec<Digest>, StoreError> {
    let rows = sqlx::query("SELECT leaf FROM units ORDER BY position")
        .fetch_all(pool)
        .await?;
    rows.iter().map(|row| parsed(row, "leaf")).collect()
}

/// Units from a place on, with that place.
pub async fn corpus_units(
    pool: &AnyPool,
    position: u64,
    limit: u32,
) -> Result<Vec<(u64, WorkUnit)>, StoreError> {
    let rows = sqlx::query("SELECT * FROM units WHERE position >= $1 ORDER BY position LIMIT $2")
        .bind(signed(position))
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    rows.iter().map(read_unit).collect()
}

/// A unit with its place.
pub async fn unit(pool: &AnyPool, id: &UnitId) -> Result<Option<(u64, WorkUnit)>, StoreError> {
    let row = sqlx::query("SELECT * FROM units WHERE unit_id = $1")
        .bind(id.to_string())
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(read_unit).transpose()
}

/// Units whose path or file name begins with a text, by path. Read by indexes that compare bytes: on PostgreSQL that is so in a
/// database with collation `C` or `C.UTF-8`; under another one some are not found.
pub async fn units_by_path(
    pool: &AnyPool,
    part: &str,
    limit: u32,
) -> Result<Vec<(UnitId, String)>, StoreError> {
    let mut found = Vec::new();
    for of in [
        "substr(path, 1, 256)",
        "substr(replace(path, rtrim(path, replace(path, '/', '')), ''), 1, 256)",
    ] {
        let statement = format!(
            "SELECT unit_id, path FROM units WHERE {of} >= $1 AND {of} < $2 ORDER BY {of}, position LIMIT $3"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(part.to_owned())
            .bind(format!("{part}\u{10FFFF}"))
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await?;
        for row in &rows {
            let (id, path): (UnitId, String) = (parsed(row, "unit_id")?, text(row, "path")?);
            let name = path.rsplit('/').next().unwrap_or_default();
            if (path.starts_with(part) || name.starts_with(part)) && !found.contains(&(id, path.clone())) {
                found.push((id, path));
            }
        }
    }
    found.truncate(limit as usize);
    Ok(found)
}

fn read_unit(row: &AnyRow) -> Result<(u64, WorkUnit), StoreError> {
    let unit = WorkUnit {
        unit_id: parsed(row, "unit_id")?,
        source: text(row, "source")?,
        path: text(row, "path")?,
        bytes: Bytes(number(row, "bytes")?),
    };
    Ok((number(row, "position")?, unit))
}

fn read_corpus(row: &AnyRow) -> Result<CorpusView, StoreError> {
    Ok(CorpusView {
        name: text(row, "name")?,
        root: parsed(row, "root")?,
        index_root: parsed(row, "index_root")?,
        first: number(row, "first")?,
        units: number(row, "units")?,
        bytes: Bytes(number(row, "bytes")?),
    })
}
