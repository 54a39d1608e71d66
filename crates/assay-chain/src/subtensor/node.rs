//! A decoded value of the chain, read by field name: unknown fields are ignored, newtypes seen through.
//!
//! [`super::runtime`] decodes storage, API results and events into [`Node`]s; the files of `decode/` read them. So a
//! runtime that adds a field or wraps a `u16` into `PerU16` changes nothing here.

use std::marker::PhantomData;

use subxt::ext::scale_decode::visitor::{self, DecodeError, Visitor, types};
use subxt::ext::scale_type_resolver::TypeResolver;

use crate::ChainErrorKind;
use crate::subtensor::runtime::answer;

/// Deepest nesting of a value.
const DEPTH_MAX: u8 = 48;
/// Most elements of one list; a commitment has 1,024 bytes, a metagraph 256 neurons.
const ELEMENTS_MAX: usize = 1 << 20;

/// A value. Newtypes without field names are gone; `Compact` is the number it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// An unsigned number of more than 8 bits, or a signed one that is not negative.
    Number(u128),
    /// A byte.
    Byte(u8),
    /// A negative number.
    Negative(i128),
    /// Truth.
    Truth(bool),
    /// Text, or a character.
    Text(String),
    /// A list or array of bytes, not empty.
    Bytes(Vec<u8>),
    /// A list or array of anything else.
    List(Vec<Node>),
    /// Values without names.
    Tuple(Vec<Node>),
    /// Values with names.
    Struct(Vec<(String, Node)>),
    /// A variant of an enum: its name, and a [`Node::Struct`] or [`Node::Tuple`] of its fields.
    Variant(String, Box<Node>),
    /// What is never read here: 256-bit numbers and bit sequences.
    Other,
}

impl Node {
    /// Decodes all of `bytes` as `type_id`.
    pub(crate) fn decode<R: TypeResolver>(
        bytes: &[u8],
        type_id: R::TypeId,
        types: &R,
    ) -> Result<Self, String> {
        let mut rest = bytes;
        let node = visitor::decode_with_visitor(&mut rest, type_id, types, Reader::new(0))
            .map_err(|error| error.to_string())?;
        if rest.is_empty() {
            Ok(node)
        } else {
            Err(format!("{} bytes too many", rest.len()))
        }
    }

    /// The value inside structs of one field.
    fn inner(&self) -> &Self {
        match self {
            Self::Struct(fields) => match fields.as_slice() {
                [(_, only)] => only.inner(),
                _ => self,
            },
            _ => self,
        }
    }

    /// The field `name` of a struct, of a variant, or of what an `Option` holds.
    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Struct(fields) => fields
                .iter()
                .find(|(found, _)| found == name)
                .map(|(_, node)| node),
            Self::Variant(_, fields) => match &**fields {
                Self::Tuple(only) => only.first()?.field(name),
                fields => fields.field(name),
            },
            _ => None,
        }
    }

    /// The field at `index` of a tuple, struct or variant.
    pub(crate) fn nth(&self, index: usize) -> Option<&Self> {
        match self {
            Self::Tuple(nodes) | Self::List(nodes) => nodes.get(index),
            Self::Struct(fields) => fields.get(index).map(|(_, node)| node),
            Self::Variant(_, fields) => fields.nth(index),
            _ => None,
        }
    }

    /// Name of the variant, through newtypes.
    pub(crate) fn variant(&self) -> Option<&str> {
        match self.inner() {
            Self::Variant(name, _) => Some(name),
            _ => None,
        }
    }

    /// What an `Option` holds; a value that is no `Option` stands for itself.
    pub(crate) fn optional(&self) -> Option<&Self> {
        match self {
            Self::Variant(name, _) if name == "None" => None,
            Self::Variant(name, fields) if name == "Some" => fields.nth(0),
            _ => Some(self),
        }
    }

    /// The elements of a list.
    pub(crate) fn list(&self) -> Option<&[Self]> {
        match self.inner() {
            Self::List(nodes) => Some(nodes),
            _ => None,
        }
    }

    /// An unsigned number of the type wanted.
    pub(crate) fn number<T: TryFrom<u128>>(&self) -> Option<T> {
        match self.inner() {
            Self::Number(number) => T::try_from(*number).ok(),
            Self::Byte(byte) => T::try_from(u128::from(*byte)).ok(),
            _ => None,
        }
    }

    /// Numbers of a list, in order; bytes are numbers too.
    pub(crate) fn numbers<T: TryFrom<u128>>(&self) -> Option<Vec<T>> {
        match self.inner() {
            Self::List(nodes) => nodes.iter().map(Self::number).collect(),
            Self::Bytes(bytes) => bytes
                .iter()
                .map(|byte| T::try_from(u128::from(*byte)).ok())
                .collect(),
            _ => None,
        }
    }

    /// A truth value.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self.inner() {
            Self::Truth(truth) => Some(*truth),
            _ => None,
        }
    }

    /// Bytes.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        match self.inner() {
            Self::Bytes(bytes) => Some(bytes.clone()),
            Self::List(nodes) if nodes.is_empty() => Some(Vec::new()),
            Self::List(nodes) => nodes.iter().map(Self::number).collect(),
            _ => None,
        }
    }

    /// 32 bytes: an account or a hash.
    pub(crate) fn bytes32(&self) -> Option<[u8; 32]> {
        match self.inner() {
            Self::Bytes(bytes) => bytes.as_slice().try_into().ok(),
            _ => None,
        }
    }

    /// Text: UTF-8 bytes, with replacement characters for what is none.
    pub(crate) fn text(&self) -> Option<String> {
        match self.inner() {
            Self::Text(text) => Some(text.clone()),
            other => other
                .bytes()
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        }
    }
}

/// `found`, or the error that `what` is not as expected.
pub(crate) fn required<T>(found: Option<T>, what: &str) -> Result<T, ChainErrorKind> {
    found.ok_or_else(|| answer(format!("`{what}` is missing or of another kind")))
}

/// Builds a [`Node`] at a depth.
struct Reader<R> {
    depth: u8,
    resolver: PhantomData<R>,
}

impl<R> Reader<R> {
    const fn new(depth: u8) -> Self {
        Self {
            depth,
            resolver: PhantomData,
        }
    }

    const fn deeper(&self) -> Self {
        Self::new(self.depth.saturating_add(1))
    }

    fn check(&self, elements: usize) -> Result<(), DecodeError> {
        if self.depth >= DEPTH_MAX || elements > ELEMENTS_MAX {
            return Err(DecodeError::CodecError(
                "a value nested too deep or too long".into(),
            ));
        }
        Ok(())
    }
}

/// Bytes are kept as bytes.
fn sequence(nodes: Vec<Node>) -> Node {
    let bytes: Option<Vec<u8>> = nodes
        .iter()
        .map(|node| match node {
            Node::Byte(byte) => Some(*byte),
            _ => None,
        })
        .collect();
    match bytes {
        Some(bytes) if !bytes.is_empty() => Node::Bytes(bytes),
        _ => Node::List(nodes),
    }
}

impl<R: TypeResolver> Reader<R> {
    /// All items that `next` gives, each read one level deeper.
    fn items(
        &self,
        remaining: usize,
        mut next: impl FnMut(Self) -> Option<Result<Node, DecodeError>>,
    ) -> Result<Vec<Node>, DecodeError> {
        self.check(remaining)?;
        let mut nodes = Vec::new();
        while let Some(node) = next(self.deeper()) {
            nodes.push(node?);
        }
        Ok(nodes)
    }

    fn fields(&self, fields: &mut types::Composite<'_, '_, R>) -> Result<Node, DecodeError> {
        self.check(fields.remaining())?;
        if fields.has_unnamed_fields() {
            return self
                .items(fields.remaining(), |reader| fields.decode_item(reader))
                .map(Node::Tuple);
        }
        let mut named = Vec::new();
        loop {
            let name = fields.peek_name().unwrap_or_default().to_owned();
            match fields.decode_item(self.deeper()) {
                Some(node) => named.push((name, node?)),
                None => return Ok(Node::Struct(named)),
            }
        }
    }
}

/// The methods for numbers, which differ in the type only.
macro_rules! numbers {
    ($($method:ident: $type:ty => $node:expr;)*) => {$(
        fn $method<'scale, 'resolver>(
            self,
            value: $type,
            _: visitor::TypeIdFor<Self>,
        ) -> Result<Self::Value<'scale, 'resolver>, Self::Error> {
            Ok($node(value))
        }
    )*};
}

fn signed(value: impl Into<i128>) -> Node {
    let value = value.into();
    u128::try_from(value).map_or(Node::Negative(value), Node::Number)
}

impl<R: TypeResolver> Visitor for Reader<R> {
    type Value<'scale, 'resolver> = Node;
    type Error = DecodeError;
    type TypeResolver = R;

    numbers! {
        visit_bool: bool => Node::Truth;
        visit_u8: u8 => Node::Byte;
        visit_u16: u16 => |value| Node::Number(u128::from(value));
        visit_u32: u32 => |value| Node::Number(u128::from(value));
        visit_u64: u64 => |value| Node::Number(u128::from(value));
        visit_u128: u128 => Node::Number;
        visit_i8: i8 => signed;
        visit_i16: i16 => signed;
        visit_i32: i32 => signed;
        visit_i64: i64 => signed;
        visit_i128: i128 => signed;
        visit_char: char => |value: char| Node::Text(value.to_string());
    }

    fn visit_u256<'resolver>(
        self,
        _: &'_ [u8; 32],
        _: visitor::TypeIdFor<Self>,
    ) -> Result<Self::Value<'_, 'resolver>, Self::Error> {
        Ok(Node::Other)
    }

    fn visit_i256<'resolver>(
        self,
        _: &'_ [u8; 32],
        _: visitor::TypeIdFor<Self>,
    ) -> Result<Self::Value<'_, 'resolver>, Self::Error> {
        Ok(Node::Other)
    }

    fn visit_bitsequence<'scale, 'resolver>(
        self,
        value: &mut types::BitSequence<'scale>,
        _: visitor::TypeIdFor<Self>,
    ) -> Result<Self::Value<'scale, 'resolver>, Self::Error> {
        for bit in value.decode()? {
            bit?;
        }
        Ok(Node::Other)
    }

    fn visit_str<'scale, 'resolver>(
        self,
        value: &mut types::Str<'scale>,
        _: visitor::TypeIdFor<Self>,
    ) -> Result<Self::Value<'scale, 'resolver>, Self::Error> {
        Ok(Node::Text(value.as_str()?.to_owned()))
    }

    fn visit_sequence<'scale, 'resolver>(
        self,
        value: &mut types::Sequence<'scale, 'resolver, R>,
        _: visitor::TypeIdFor<Self>,
    ) -> Result<Self::Value<'scale, 'resolver>, Self::Error> {
        let nodes = self.items(value.remaining(), |reader| value.decode_item(reader))?;
        Ok(sequence(nodes))
    }

    fn visit_array<'scale, 'resolver>(
        self,
        value: &mut types::Array<'scale, 'resolver, R>,
        _: visitor::TypeIdFor<Self>,
    ) -> Result<Self::Value<'scale, 'resolver>, Self::Error> {
        let nodes = self.items(value.remaining(), |reader| value.decode_item(reader))?;
        Ok(sequence(nodes))
    }

    fn visit_tuple<'scale, 'resolver>(
        self,
        value: &mut types::Tuple<'scale, 'resolver, R>,
        _: visitor::TypeIdFor<Self>,
    ) -> Result<Self::Value<'scale, 'resolver>, Self::Error> {
        self.items(value.remaining(), |reader| value.decode_item(reader))
            .map(Node::Tuple)
    }

    fn visit_composite<'scale, 'resolver>(
        self,
        value: &mut types::Composite<'scale, 'resolver, R>,
        _: visitor::TypeIdFor<Self>,
    ) -> Result<Self::Value<'scale, 'resolver>, Self::Error> {
        Ok(match self.fields(value)? {
            Node::Tuple(nodes) if nodes.len() == 1 => nodes.into_iter().next().unwrap_or(Node::Other),
            node => node,
        })
    }

    fn visit_variant<'scale, 'resolver>(
        self,
        value: &mut types::Variant<'scale, 'resolver, R>,
        _: visitor::TypeIdFor<Self>,
    ) -> Result<Self::Value<'scale, 'resolver>, Self::Error> {
        let name = value.name().to_owned();
        Ok(Node::Variant(name, Box::new(self.fields(value.fields())?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_through_newtypes() {
        let plain = Node::Number(65_535);
        let wrapped = Node::Struct(vec![("inner".to_owned(), plain.clone())]);
        for node in [plain, wrapped] {
            assert_eq!(node.number::<u16>(), Some(65_535));
            assert_eq!(node.number::<u8>(), None);
            assert_eq!(node.truth(), None);
        }
    }

    #[test]
    fn fields_are_found_by_name_and_unknown_ones_ignored() {
        let fields = vec![
            ("new".to_owned(), Node::Number(1)),
            ("tempo".to_owned(), Node::Number(360)),
        ];
        let some = Node::Variant(
            "Some".to_owned(),
            Box::new(Node::Tuple(vec![Node::Struct(fields)])),
        );
        assert_eq!(some.field("tempo").and_then(Node::number), Some(360_u16));
        assert!(some.field("gone").is_none());
        let none = Node::Variant("None".to_owned(), Box::new(Node::Struct(Vec::new())));
        assert!(none.optional().is_none());
    }

    #[test]
    fn a_list_of_one_pair_is_not_taken_for_the_pair() {
        let pair = Node::Tuple(vec![Node::Number(1), Node::Number(65_535)]);
        let list = Node::List(vec![pair.clone()]);
        assert_eq!(list.list(), Some(&[pair][..]));
    }

    #[test]
    fn bytes_are_bytes_and_an_empty_list_is_no_bytes() {
        assert_eq!(
            sequence(vec![Node::Byte(1), Node::Byte(2)]).bytes(),
            Some(vec![1, 2])
        );
        assert_eq!(sequence(Vec::new()).bytes(), Some(Vec::new()));
        assert_eq!(sequence(vec![Node::Number(256)]).bytes(), None);
        assert_eq!(Node::Bytes(vec![7; 31]).bytes32(), None);
        assert_eq!(
            required::<u8>(None, "x"),
            Err(answer("`x` is missing or of another kind"))
        );
    }
}
