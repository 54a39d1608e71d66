//! Radix sort of packed n-grams by their ids: one stable counting pass an id.
//!
//! Keys are packed by [`super::count`], 11 bits an id. Two buffers of the keys' size, no comparison, no recursion.

/// Bits of a token id in a key.
pub(super) const ID_BITS: u32 = 11;

/// Ids a digit can hold.
const IDS: usize = 1 << ID_BITS;

/// Something that is sorted by the packed ids in it.
pub(super) trait Keyed: Copy {
    /// The packed ids.
    fn key(&self) -> u64;
}

impl Keyed for u64 {
    fn key(&self) -> u64 {
        *self
    }
}

/// The id at place `digit` of a key, from the least significant.
pub(super) fn id_at(key: u64, digit: u32) -> usize {
    (key >> (digit * ID_BITS)) as usize & (IDS - 1)
}

/// Sorts stably by the given digits, the last one most significant.
pub(super) fn sort_by_digits<T: Keyed + Default>(items: &mut Vec<T>, digits: &[u32]) {
    let mut other = vec![T::default(); items.len()];
    for &digit in digits {
        pass(items, &mut other, digit);
        std::mem::swap(items, &mut other);
    }
}

/// One stable counting pass from `from` to `to`, which are of one length.
fn pass<T: Keyed>(from: &[T], to: &mut [T], digit: u32) {
    let mut places = [0_usize; IDS];
    for item in from {
        if let Some(count) = places.get_mut(id_at(item.key(), digit)) {
            *count += 1;
        }
    }
    let mut start = 0;
    for place in &mut places {
        start += std::mem::replace(place, start);
    }
    for item in from {
        if let Some(place) = places.get_mut(id_at(item.key(), digit)) {
            if let Some(slot) = to.get_mut(*place) {
                *slot = *item;
            }
            *place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn all_digits_sort_like_integers(mut keys in prop::collection::vec(0_u64..1 << 33, 0..300)) {
            let mut expected = keys.clone();
            expected.sort_unstable();
            sort_by_digits(&mut keys, &[0, 1, 2]);
            prop_assert_eq!(keys, expected);
        }
    }
}
