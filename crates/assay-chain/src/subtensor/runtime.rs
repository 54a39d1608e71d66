//! One runtime of the chain: its version and live metadata, by which names become bytes and bytes become values.
//!
//! Architecture invariant: no pallet, call, storage or error index stands in this crate; all are looked up here by name.

use std::collections::BTreeSet;

use scale_info::TypeDef;
use subxt::Metadata;
use subxt::ext::frame_decode::{runtime_apis, storage};
use subxt::ext::scale_value::Value;
use subxt::metadata::ArcMetadata;

use crate::ChainErrorKind;
use crate::subtensor::node::Node;

/// Most bytes of metadata that are accepted.
const METADATA_BYTES_MAX: usize = 16 << 20;
/// Most types looked through for a variant.
const TYPES_MAX: usize = 64;

/// Variants of an `Option`, which is looked into; the enums of calls and events are not.
const OPTION_VARIANTS: usize = 2;

/// Metadata with the versions that go into signatures.
#[derive(Debug, Clone)]
pub struct Runtime {
    spec_version: u32,
    transaction_version: u32,
    metadata: ArcMetadata,
}

impl Runtime {
    /// Reads the metadata of a runtime (versions 14 to 16).
    ///
    /// # Errors
    /// [`ChainErrorKind::Answer`] for bytes that are no metadata.
    pub fn decode(spec_version: u32, transaction_version: u32, bytes: &[u8]) -> Result<Self, ChainErrorKind> {
        if bytes.len() > METADATA_BYTES_MAX {
            return Err(answer(format!("metadata of {} bytes", bytes.len())));
        }
        let metadata = Metadata::decode_from(bytes)
            .map_err(|error| answer(format!("metadata of runtime {spec_version}: {error}")))?;
        Ok(Self {
            spec_version,
            transaction_version,
            metadata: metadata.arc(),
        })
    }

    /// `spec_version`.
    pub const fn spec_version(&self) -> u32 {
        self.spec_version
    }

    /// `transaction_version`.
    pub const fn transaction_version(&self) -> u32 {
        self.transaction_version
    }

    /// The metadata.
    pub const fn metadata(&self) -> &ArcMetadata {
        &self.metadata
    }

    /// The value of a constant that is a little-endian `u64`.
    pub fn constant_u64(&self, pallet: &str, name: &str) -> Option<u64> {
        let constant = self.metadata.pallet_by_name(pallet)?.constant_by_name(name)?;
        Some(u64::from_le_bytes(*constant.value().first_chunk()?))
    }

    /// Whether a storage entry is there.
    pub fn has_storage(&self, pallet: &str, entry: &str) -> bool {
        self.metadata
            .pallet_by_name(pallet)
            .and_then(|pallet| pallet.storage())
            .is_some_and(|storage| storage.entry_by_name(entry).is_some())
    }

    /// Names of all fields inside the value of a storage entry, however deep; `None` where the entry is missing.
    pub(crate) fn storage_fields(&self, pallet: &str, entry: &str) -> Option<Vec<String>> {
        let types = self.metadata.types();
        let mut open = vec![self.storage_entry(pallet, entry)?.value_ty()];
        let (mut names, mut seen) = (Vec::new(), BTreeSet::new());
        while let Some(id) = open.pop() {
            if seen.len() >= TYPES_MAX || !seen.insert(id) {
                continue;
            }
            match types.resolve(id).map(|found| &found.type_def) {
                Some(TypeDef::Composite(composite)) => {
                    for field in &composite.fields {
                        names.extend(field.name.clone());
                        open.push(field.ty.id);
                    }
                }
                Some(TypeDef::Variant(variants)) if variants.variants.len() <= OPTION_VARIANTS => {
                    let fields = variants.variants.iter().flat_map(|variant| &variant.fields);
                    open.extend(fields.map(|field| field.ty.id));
                }
                Some(TypeDef::Sequence(sequence)) => open.push(sequence.type_param.id),
                _ => {}
            }
        }
        Some(names)
    }

    /// Whether a call is there.
    pub fn has_call(&self, pallet: &str, call: &str) -> bool {
        self.metadata
            .pallet_by_name(pallet)
            .is_some_and(|pallet| pallet.call_variant_by_name(call).is_some())
    }

    /// Names of the arguments of a call; `None` where the call is missing.
    pub fn call_fields(&self, pallet: &str, call: &str) -> Option<Vec<String>> {
        let variant = self
            .metadata
            .pallet_by_name(pallet)?
            .call_variant_by_name(call)?
            .clone();
        Some(
            variant
                .fields
                .into_iter()
                .map(|field| field.name.unwrap_or_default())
                .collect(),
        )
    }

    /// Whether some enum inside the arguments of a call has `variant`.
    pub(crate) fn has_call_variant(&self, pallet: &str, call: &str, variant: &str) -> bool {
        let types = self.metadata.types();
        let Some(call) = self
            .metadata
            .pallet_by_name(pallet)
            .and_then(|pallet| pallet.call_variant_by_name(call))
        else {
            return false;
        };
        let mut open: Vec<u32> = call.fields.iter().map(|field| field.ty.id).collect();
        for _ in 0..TYPES_MAX {
            let Some(found) = open.pop().and_then(|id| types.resolve(id)) else {
                return false;
            };
            match &found.type_def {
                TypeDef::Variant(variants) if variants.variants.iter().any(|found| found.name == variant) => {
                    return true;
                }
                TypeDef::Composite(composite) => {
                    open.extend(composite.fields.iter().map(|field| field.ty.id));
                }
                TypeDef::Sequence(sequence) => open.push(sequence.type_param.id),
                _ => {}
            }
        }
        false
    }

    /// Whether a runtime API method is there.
    pub fn has_api(&self, api: &str, method: &str) -> bool {
        self.metadata
            .runtime_api_trait_by_name(api)
            .is_some_and(|api| api.method_by_name(method).is_some())
    }

    /// Names of the fields of the struct that a runtime API method answers with, through `Option` and newtypes; none if
    /// it answers with a plain value. `None` where the method is missing.
    pub fn api_fields(&self, api: &str, method: &str) -> Option<Vec<String>> {
        let method = self
            .metadata
            .runtime_api_trait_by_name(api)?
            .method_by_name(method)?;
        let types = self.metadata.types();
        let mut type_id = method.output_ty();
        for _ in 0..TYPES_MAX {
            let next = match &types.resolve(type_id)?.type_def {
                TypeDef::Composite(composite) => match composite.fields.as_slice() {
                    [only] if only.name.is_none() => only.ty.id,
                    fields => return Some(fields.iter().filter_map(|field| field.name.clone()).collect()),
                },
                TypeDef::Variant(variants) => {
                    variants
                        .variants
                        .iter()
                        .find_map(|variant| variant.fields.first())?
                        .ty
                        .id
                }
                _ => return Some(Vec::new()),
            };
            type_id = next;
        }
        Some(Vec::new())
    }

    /// Whether an event is there.
    pub fn has_event(&self, pallet: &str, event: &str) -> bool {
        self.metadata
            .pallet_by_name(pallet)
            .and_then(|pallet| pallet.event_variants())
            .is_some_and(|variants| variants.iter().any(|variant| variant.name == event))
    }

    /// The key of a storage entry; fewer keys than the entry has give a prefix.
    pub(crate) fn storage_key(
        &self,
        pallet: &str,
        entry: &str,
        keys: &[Value],
    ) -> Result<Vec<u8>, ChainErrorKind> {
        storage::encode_storage_key(
            pallet,
            entry,
            keys.to_vec(),
            &*self.metadata,
            self.metadata.types(),
        )
        .map_err(|error| answer(format!("key of {pallet}.{entry}: {error}")))
    }

    /// The values of a storage key that can be read back from it (hashers that keep them).
    pub(crate) fn decode_key(
        &self,
        pallet: &str,
        entry: &str,
        key: &[u8],
    ) -> Result<Vec<Node>, ChainErrorKind> {
        let wrong = |error: String| answer(format!("key of {pallet}.{entry}: {error}"));
        let types = self.metadata.types();
        let decoded = storage::decode_storage_key(pallet, entry, &mut &*key, &*self.metadata, types)
            .map_err(|error| wrong(error.to_string()))?;
        let mut values = Vec::new();
        for part in decoded.parts() {
            if let Some(info) = part.value() {
                let bytes = key
                    .get(info.range())
                    .ok_or_else(|| wrong("truncated".to_owned()))?;
                values.push(Node::decode(bytes, *info.ty(), types).map_err(wrong)?);
            }
        }
        Ok(values)
    }

    /// The value of a storage entry.
    pub(crate) fn decode_storage(
        &self,
        pallet: &str,
        entry: &str,
        bytes: &[u8],
    ) -> Result<Node, ChainErrorKind> {
        let wrong = |error: String| answer(format!("{pallet}.{entry}: {error}"));
        let type_id = self
            .storage_entry(pallet, entry)
            .ok_or_else(|| self.lacks(format!("{pallet}.{entry}")))?
            .value_ty();
        self.decode_type(type_id, bytes).map_err(wrong)
    }

    /// What the metadata says an absent entry holds; `None` for optional entries.
    pub(crate) fn storage_default(&self, pallet: &str, entry: &str) -> Result<Option<Node>, ChainErrorKind> {
        let Some(found) = self.storage_entry(pallet, entry) else {
            return Ok(None);
        };
        found
            .default_value()
            .map(|bytes| self.decode_type(found.value_ty(), bytes))
            .transpose()
            .map_err(|error| answer(format!("default of {pallet}.{entry}: {error}")))
    }

    /// The arguments of a runtime API call.
    pub(crate) fn encode_api(
        &self,
        api: &str,
        method: &str,
        arguments: &[Value],
    ) -> Result<Vec<u8>, ChainErrorKind> {
        runtime_apis::encode_runtime_api_inputs(
            api,
            method,
            arguments.to_vec(),
            &*self.metadata,
            self.metadata.types(),
        )
        .map_err(|error| answer(format!("arguments of {api}.{method}: {error}")))
    }

    /// The result of a runtime API call.
    pub(crate) fn decode_api(&self, api: &str, method: &str, bytes: &[u8]) -> Result<Node, ChainErrorKind> {
        let type_id = self
            .metadata
            .runtime_api_trait_by_name(api)
            .and_then(|api| api.method_by_name(method).map(|method| method.output_ty()))
            .ok_or_else(|| self.lacks(format!("{api}.{method}")))?;
        self.decode_type(type_id, bytes)
            .map_err(|error| answer(format!("{api}.{method}: {error}")))
    }

    /// Name of a dispatch error: pallet and variant of `index` and the first byte of `error`.
    pub(crate) fn module_error(&self, index: u8, error: u8) -> (String, String) {
        let Some(pallet) = self.metadata.pallet_by_error_index(index) else {
            return (format!("pallet {index}"), format!("error {error}"));
        };
        let name = pallet
            .error_variant_by_index(error)
            .map_or_else(|| format!("error {error}"), |variant| variant.name.clone());
        (pallet.name().to_owned(), name)
    }

    /// The error of a name the runtime does not have.
    pub(crate) fn lacks(&self, name: String) -> ChainErrorKind {
        ChainErrorKind::Unsupported {
            spec_version: self.spec_version,
            missing: vec![name],
        }
    }

    fn storage_entry(&self, pallet: &str, entry: &str) -> Option<&subxt::metadata::StorageEntryMetadata> {
        self.metadata
            .pallet_by_name(pallet)
            .and_then(|pallet| pallet.storage())
            .and_then(|storage| storage.entry_by_name(entry))
    }

    /// Decodes all of `bytes`.
    fn decode_type(&self, type_id: u32, bytes: &[u8]) -> Result<Node, String> {
        Node::decode(bytes, type_id, self.metadata.types())
    }
}

/// An answer that makes no sense.
pub(crate) fn answer(reason: impl Into<String>) -> ChainErrorKind {
    ChainErrorKind::Answer {
        reason: reason.into(),
    }
}
