//! Reads at one block: storage by name, prefixes in pages, runtime APIs, all decoded with that block's runtime.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use subxt::ext::scale_value::Value;

use crate::subtensor::connection::Connection;
use crate::subtensor::header::{RawHead, hex0x, unhex};
use crate::subtensor::node::{Node, required};
use crate::subtensor::runtime::{Runtime, answer};
use crate::{ChainError, ChainErrorKind};

/// Keys a node is asked for at once (the most it gives).
const PAGE_KEYS: usize = 1_000;
/// Most entries under one prefix; a subnet has 256 neurons, a validator ten open commits an epoch.
const ENTRIES_MAX: usize = 65_536;

/// A storage entry to read: pallet, name, keys.
pub(crate) type Wanted<'a> = (&'a str, &'a str, Vec<Value>);

/// One block of a node.
#[derive(Debug)]
pub(crate) struct View<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) head: RawHead,
    pub(crate) operation: String,
}

/// What `state_queryStorageAt` answers.
#[derive(Debug, Deserialize)]
struct ChangeSet {
    changes: Vec<(String, Option<String>)>,
}

impl View<'_> {
    /// `kind` while doing what this view is for.
    pub(crate) fn error(&self, kind: ChainErrorKind) -> ChainError {
        ChainError::new(self.operation.as_str(), kind)
    }

    /// `found`, or the error that `what` is not as expected.
    pub(crate) fn required<T>(&self, found: Option<T>, what: &str) -> Result<T, ChainError> {
        required(found, what).map_err(|kind| self.error(kind))
    }

    /// A storage entry, or what the metadata says an absent one holds; `None` for an absent optional one.
    ///
    /// # Errors
    /// [`ChainErrorKind::Unsupported`] where the runtime has no such entry.
    pub(crate) async fn value(
        &self,
        pallet: &str,
        entry: &str,
        keys: &[Value],
    ) -> Result<Option<Node>, ChainError> {
        if !self.runtime.has_storage(pallet, entry) {
            return Err(self.error(self.runtime.lacks(format!("{pallet}.{entry}"))));
        }
        let mut values = self.values(&[(pallet, entry, keys.to_vec())]).await?;
        Ok(values.pop().flatten())
    }

    /// Storage entries in one question; `None` also for those the runtime does not have.
    pub(crate) async fn values(&self, wanted: &[Wanted<'_>]) -> Result<Vec<Option<Node>>, ChainError> {
        let kinded = |kind| self.error(kind);
        let mut keys = Vec::new();
        for (pallet, entry, parts) in wanted {
            keys.push(if self.runtime.has_storage(pallet, entry) {
                let key = self.runtime.storage_key(pallet, entry, parts).map_err(kinded)?;
                Some(hex0x(&key))
            } else {
                None
            });
        }
        let asked: Vec<&String> = keys.iter().flatten().collect();
        let found = self.query(&asked).await?;
        let mut values = Vec::new();
        for ((pallet, entry, _), key) in wanted.iter().zip(keys) {
            let Some(key) = key else {
                values.push(None);
                continue;
            };
            let stored = found
                .iter()
                .find(|(found, _)| *found == key)
                .and_then(|(_, value)| value.as_deref());
            values.push(match stored {
                Some(text) => Some(self.decode(pallet, entry, text)?),
                None => self.runtime.storage_default(pallet, entry).map_err(kinded)?,
            });
        }
        Ok(values)
    }

    /// All entries under `keys`, in key order: the keys that can be read back, and the value.
    pub(crate) async fn entries(
        &self,
        pallet: &str,
        entry: &str,
        keys: &[Value],
    ) -> Result<Vec<(Vec<Node>, Node)>, ChainError> {
        if !self.runtime.has_storage(pallet, entry) {
            return Err(self.error(self.runtime.lacks(format!("{pallet}.{entry}"))));
        }
        let prefix = self
            .runtime
            .storage_key(pallet, entry, keys)
            .map_err(|kind| self.error(kind))?;
        let (prefix, at) = (hex0x(&prefix), hex0x(&self.head.hash.0));
        let mut entries = Vec::new();
        let mut after: Option<String> = None;
        let mut seen = 0;
        loop {
            let params = [json!(prefix), json!(PAGE_KEYS), json!(after), json!(at)];
            let page: Vec<String> = self
                .connection
                .read(&self.operation, "state_getKeysPaged", &params)
                .await?;
            // A node that repeats itself would keep us here for ever, one that strays would mix subnets.
            let page: Vec<String> = page
                .into_iter()
                .filter(|key| key.starts_with(&prefix) && after.as_ref().is_none_or(|after| key > after))
                .collect();
            // Keys count, not values: a node could send keys without values for ever.
            seen += page.len();
            let asked: Vec<&String> = page.iter().collect();
            for (key, value) in self.query(&asked).await? {
                let (Some(value), true) = (value, page.contains(&key)) else {
                    continue;
                };
                let bytes = unhex(&key).map_err(|reason| self.error(answer(reason)))?;
                let parts = self
                    .runtime
                    .decode_key(pallet, entry, &bytes)
                    .map_err(|kind| self.error(kind))?;
                entries.push((parts, self.decode(pallet, entry, &value)?));
            }
            if seen > ENTRIES_MAX {
                let reason = format!("more than {ENTRIES_MAX} entries of {pallet}.{entry}");
                return Err(self.error(answer(reason)));
            }
            if page.len() < PAGE_KEYS {
                return Ok(entries);
            }
            after = page.into_iter().next_back();
        }
    }

    /// A runtime API's answer; `None` where the runtime lacks the method.
    pub(crate) async fn api(
        &self,
        api: &str,
        method: &str,
        arguments: &[Value],
    ) -> Result<Option<Node>, ChainError> {
        if !self.runtime.has_api(api, method) {
            return Ok(None);
        }
        let kinded = |kind| self.error(kind);
        let arguments = self.runtime.encode_api(api, method, arguments).map_err(kinded)?;
        let params = [
            json!(format!("{api}_{method}")),
            json!(hex0x(&arguments)),
            json!(hex0x(&self.head.hash.0)),
        ];
        let text: String = self
            .connection
            .read(&self.operation, "state_call", &params)
            .await?;
        let bytes = unhex(&text).map_err(|reason| self.error(answer(reason)))?;
        self.runtime
            .decode_api(api, method, &bytes)
            .map(Some)
            .map_err(kinded)
    }

    /// Values of storage keys, some `None`.
    async fn query(&self, keys: &[&String]) -> Result<Vec<(String, Option<String>)>, ChainError> {
        let mut found = Vec::new();
        for page in keys.chunks(PAGE_KEYS) {
            let params = [json!(page), json!(hex0x(&self.head.hash.0))];
            let sets: Vec<ChangeSet> = self
                .connection
                .read(&self.operation, "state_queryStorageAt", &params)
                .await?;
            found.extend(sets.into_iter().flat_map(|set| set.changes));
        }
        if found.len() > keys.len() {
            let reason = format!("{} values for {} keys", found.len(), keys.len());
            return Err(self.error(answer(reason)));
        }
        Ok(found)
    }

    fn decode(&self, pallet: &str, entry: &str, text: &str) -> Result<Node, ChainError> {
        let bytes =
            unhex(text).map_err(|reason| self.error(answer(format!("{pallet}.{entry}: {reason}"))))?;
        self.runtime
            .decode_storage(pallet, entry, &bytes)
            .map_err(|kind| self.error(kind))
    }
}
