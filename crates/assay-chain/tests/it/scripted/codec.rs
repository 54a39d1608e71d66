//! SCALE bytes of storage, events and API answers, made from metadata by name; what is not given is zero.

use scale_info::{PortableRegistry, TypeDef, TypeDefPrimitive};
use subxt::Metadata;
use subxt::ext::frame_decode::storage;
use subxt::ext::scale_value::{Composite, Primitive, Value, ValueDef, scale};

pub(crate) fn hex(bytes: &[u8]) -> String {
    format!("0x{}", assay_types::hex::encode(bytes))
}

/// Encodes with one runtime's metadata.
#[derive(Debug)]
pub(crate) struct Codec(Metadata);

impl Codec {
    pub(crate) fn new(metadata: &[u8]) -> Self {
        Self(Metadata::decode_from(metadata).unwrap())
    }

    /// The key of an entry, or with fewer keys its prefix.
    pub(crate) fn key(&self, pallet: &str, entry: &str, keys: &[Value]) -> String {
        let types = self.0.types();
        hex(&storage::encode_storage_key(pallet, entry, keys.to_vec(), &self.0, types).unwrap())
    }

    /// A value of an entry, laid over zeros.
    pub(crate) fn value(&self, pallet: &str, entry: &str, value: &Value) -> String {
        let entry = self
            .0
            .pallet_by_name(pallet)
            .unwrap()
            .storage()
            .unwrap()
            .entry_by_name(entry);
        self.encode(entry.unwrap().value_ty(), value)
    }

    /// The answer of a runtime API, laid over zeros.
    pub(crate) fn answer(&self, api: &str, method: &str, value: &Value) -> String {
        let api = self.0.runtime_api_trait_by_name(api).unwrap();
        self.encode(api.method_by_name(method).unwrap().output_ty(), value)
    }

    /// `System.Events` of a block: (transaction, or none for the block's own, pallet, event, fields).
    pub(crate) fn events(&self, events: &[(Option<u32>, &str, &str, Value)]) -> String {
        let records = events.iter().map(|(extrinsic, pallet, name, fields)| {
            let fields = match &fields.value {
                ValueDef::Composite(fields) => fields.clone(),
                _ => Composite::unnamed([]),
            };
            let phase = extrinsic.map_or_else(
                || Value::unnamed_variant("Initialization", []),
                |extrinsic| Value::unnamed_variant("ApplyExtrinsic", [Value::from(extrinsic)]),
            );
            Value::named_composite([
                ("phase", phase),
                (
                    "event",
                    Value::unnamed_variant(*pallet, [Value::variant(*name, fields)]),
                ),
            ])
        });
        self.value("System", "Events", &Value::unnamed_composite(records))
    }

    /// Index of a pallet's errors, and of one error.
    pub(crate) fn error_index(&self, pallet: &str, error: &str) -> (u8, u8) {
        let pallet = self.0.pallet_by_name(pallet).unwrap();
        let variants = pallet.error_variants().unwrap();
        let variant = variants.iter().find(|variant| variant.name == error).unwrap();
        (pallet.error_index(), variant.index)
    }

    fn encode(&self, type_id: u32, value: &Value) -> String {
        let types = self.0.types();
        let whole = fill(value, type_id, types);
        let mut bytes = Vec::new();
        scale::encode_as_type(&whole, type_id, types, &mut bytes).unwrap();
        hex(&bytes)
    }
}

fn named(
    fields: &[scale_info::Field<scale_info::form::PortableForm>],
    given: &Composite<()>,
    types: &PortableRegistry,
) -> Composite<()> {
    let of = |at: usize, name: Option<&String>| match given {
        Composite::Named(named) => named
            .iter()
            .find(|(found, _)| Some(found) == name)
            .map(|(_, value)| value.clone()),
        Composite::Unnamed(values) => values.get(at).cloned(),
    };
    let nothing = Value::unnamed_composite([]);
    let mut values = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        let value = of(at, field.name.as_ref());
        values.push((
            field.name.clone().unwrap_or_default(),
            fill(value.as_ref().unwrap_or(&nothing), field.ty.id, types),
        ));
    }
    if fields.iter().all(|field| field.name.is_some()) {
        Composite::named(values)
    } else {
        Composite::unnamed(values.into_iter().map(|(_, value)| value))
    }
}

/// `value` with everything it leaves out as zero; `()` is zero itself.
fn fill(value: &Value, type_id: u32, types: &PortableRegistry) -> Value {
    let definition = &types.resolve(type_id).unwrap().type_def;
    let given = match &value.value {
        ValueDef::Composite(given) => Some(given),
        _ => None,
    };
    match definition {
        TypeDef::Composite(composite) => match given {
            // A newtype's content may be given bare.
            None | Some(Composite::Unnamed(_)) if composite.fields.len() == 1 => {
                Value::unnamed_composite([fill(value, composite.fields[0].ty.id, types)])
            }
            Some(given) => named(&composite.fields, given, types).into(),
            None => panic!("{value:?} is no struct"),
        },
        TypeDef::Variant(variants) => {
            if let ValueDef::Variant(variant) = &value.value {
                let found = variants.variants.iter().find(|found| found.name == variant.name);
                let found = found.unwrap_or_else(|| panic!("no variant {}", variant.name));
                Value::variant(variant.name.clone(), named(&found.fields, &variant.values, types))
            } else {
                let first = variants
                    .variants
                    .iter()
                    .min_by_key(|variant| variant.index)
                    .unwrap();
                Value::variant(
                    first.name.clone(),
                    named(&first.fields, &Composite::unnamed([]), types),
                )
            }
        }
        TypeDef::Sequence(sequence) => Value::unnamed_composite(given.map_or_else(Vec::new, |given| {
            given
                .values()
                .map(|value| fill(value, sequence.type_param.id, types))
                .collect()
        })),
        TypeDef::Array(array) => {
            let nothing = Value::unnamed_composite([]);
            let values: Vec<&Value> = given.map(|given| given.values().collect()).unwrap_or_default();
            Value::unnamed_composite((0..array.len as usize).map(|at| {
                fill(
                    values.get(at).copied().unwrap_or(&nothing),
                    array.type_param.id,
                    types,
                )
            }))
        }
        TypeDef::Tuple(tuple) => {
            let nothing = Value::unnamed_composite([]);
            let values: Vec<&Value> = given.map(|given| given.values().collect()).unwrap_or_default();
            Value::unnamed_composite(
                tuple
                    .fields
                    .iter()
                    .enumerate()
                    .map(|(at, field)| fill(values.get(at).copied().unwrap_or(&nothing), field.id, types)),
            )
        }
        TypeDef::Compact(compact) => fill(value, compact.type_param.id, types),
        TypeDef::Primitive(primitive) => match (&value.value, primitive) {
            (ValueDef::Primitive(_), _) => value.clone(),
            (_, TypeDefPrimitive::Bool) => Value::bool(false),
            (_, TypeDefPrimitive::Str) => Value::string(""),
            (_, TypeDefPrimitive::U256) => Value::primitive(Primitive::U256([0; 32])),
            _ => Value::u128(0),
        },
        TypeDef::BitSequence(_) => value.clone(),
    }
}
