//! Reading fixed-length fields off a byte slice.
//!
//! The decoders of `ledger.rs` and `payload.rs` call this on foreign bytes.

/// The next `N` bytes, taken off `rest`; none if fewer are left.
pub(crate) fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}
