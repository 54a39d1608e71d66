//! The list of active formatting elements and its markers (HTML standard, 13.2.4.3).
//!
//! Bounded: at most [`ELEMENTS_MAX`] elements and as many links, which the tree builder sees to by leaving start tags out, and at most
//! [`MARKERS_MAX`] markers, since pages can leave them behind without end (`<td><object></td>`).

use super::arena::NodeId;
use super::stack::Open;

/// Active formatting elements at once; the standard itself keeps at most three equal ones.
pub(super) const ELEMENTS_MAX: usize = 64;
/// Equal elements that are kept active at once (13.2.4.3).
const EQUAL_MAX: usize = 3;
/// Markers at once; further ones are not set.
const MARKERS_MAX: usize = 1_024;

/// An entry of the list.
#[derive(Clone, Copy, Debug)]
enum Entry {
    /// Elements before it are out of reach.
    Marker,
    /// An element and a print of its attributes.
    Element(Open, u64),
}

/// The list; positions count from its start.
#[derive(Debug, Default)]
pub(super) struct ActiveList {
    entries: Vec<Entry>,
    elements: usize,
}

impl ActiveList {
    /// Entries, markers included: what a search costs at most.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no further element may be listed.
    pub(super) fn is_full(&self) -> bool {
        self.elements >= ELEMENTS_MAX
    }

    /// Whether no further link may be: each ends the one before it, so that links have as much room again.
    pub(super) fn is_full_of_links(&self) -> bool {
        self.elements >= 2 * ELEMENTS_MAX
    }

    /// The element at a position with its print; `None` for a marker.
    pub(super) fn element(&self, at: usize) -> Option<(Open, u64)> {
        match self.entries.get(at) {
            Some(Entry::Element(open, print)) => Some((*open, *print)),
            _ => None,
        }
    }

    /// The elements after the last marker from the newest on.
    pub(super) fn reachable(&self) -> impl Iterator<Item = (usize, Open, u64)> {
        let entries = self.entries.iter().enumerate().rev();
        entries.map_while(|(at, entry)| match entry {
            Entry::Element(open, print) => Some((at, *open, *print)),
            Entry::Marker => None,
        })
    }

    /// Where an element stands.
    pub(super) fn position(&self, id: NodeId) -> Option<usize> {
        let is = |entry: &Entry| matches!(entry, Entry::Element(open, _) if open.id == id);
        self.entries.iter().position(is)
    }

    /// Puts what comes before out of reach.
    pub(super) fn push_marker(&mut self) {
        if self.entries.len() - self.elements < MARKERS_MAX {
            self.entries.push(Entry::Marker);
        }
    }

    /// Lists an element as the newest; of more than [`EQUAL_MAX`] equal ones the earliest is forgotten.
    pub(super) fn push(&mut self, open: Open, print: u64) {
        let earliest = self
            .reachable()
            .filter(|(_, other, own)| other.name == open.name && *own == print)
            .nth(EQUAL_MAX - 1)
            .map(|(at, ..)| at);
        if let Some(at) = earliest {
            self.remove(at);
        }
        self.insert(self.entries.len(), open, print);
    }

    /// Lists an element at a position.
    pub(super) fn insert(&mut self, at: usize, open: Open, print: u64) {
        let at = at.min(self.entries.len());
        self.entries.insert(at, Entry::Element(open, print));
        self.elements += 1;
    }

    /// Puts another element in the place of one.
    pub(super) fn replace(&mut self, at: usize, other: Open) {
        if let Some(Entry::Element(open, _)) = self.entries.get_mut(at) {
            *open = other;
        }
    }

    /// Takes an element out.
    pub(super) fn remove(&mut self, at: usize) {
        if self.element(at).is_some() {
            self.entries.remove(at);
            self.elements -= 1;
        }
    }

    /// Takes out the elements after the last marker, and the marker.
    pub(super) fn clear_to_marker(&mut self) {
        while let Some(Entry::Element(..)) = self.entries.pop() {
            self.elements -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(id: NodeId) -> Open {
        Open { id, ..Open::NOTHING }
    }

    #[test]
    fn markers_hide_and_are_bounded() {
        let mut list = ActiveList::default();
        list.push(element(1), 0);
        list.push_marker();
        list.push(element(2), 0);
        assert_eq!(
            list.reachable().map(|(_, open, _)| open.id).collect::<Vec<_>>(),
            [2]
        );
        list.clear_to_marker();
        assert_eq!(
            (list.len(), list.position(1), list.position(2)),
            (1, Some(0), None)
        );
        (0..5_000).for_each(|_| list.push_marker());
        assert_eq!(list.len(), 1 + MARKERS_MAX);
        list.remove(7);
        assert_eq!(list.len(), 1 + MARKERS_MAX, "a marker is no element");
        (0..9).for_each(|at| list.push(element(at + 10), 7));
        assert_eq!(
            list.reachable().map(|(_, open, _)| open.id).collect::<Vec<_>>(),
            [18, 17, 16]
        );
        (0..ELEMENTS_MAX).for_each(|at| list.push(element(at as NodeId + 20), at as u64));
        assert!(list.is_full());
    }
}
