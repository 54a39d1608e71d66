//! Random damage to valid bytes, for the parsers of foreign input.

use proptest::prelude::*;

/// One edit: overwrite, insert or delete a byte, or cut the end off.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Overwrite(usize, u8),
    Insert(usize, u8),
    Delete(usize),
    Cut(usize),
}

/// Up to four edits; positions count modulo the length.
pub(crate) fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let one = prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Edit::Overwrite(at, byte)),
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Edit::Insert(at, byte)),
        any::<usize>().prop_map(Edit::Delete),
        any::<usize>().prop_map(Edit::Cut),
    ];
    proptest::collection::vec(one, 0..4)
}

/// `bytes` after the edits.
pub(crate) fn apply(bytes: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for edit in edits {
        let len = bytes.len();
        if len == 0 {
            break;
        }
        match *edit {
            Edit::Overwrite(at, byte) => bytes[at % len] = byte,
            Edit::Insert(at, byte) => bytes.insert(at % len, byte),
            Edit::Delete(at) => {
                bytes.remove(at % len);
            }
            Edit::Cut(at) => bytes.truncate(at % len),
        }
    }
    bytes
}
