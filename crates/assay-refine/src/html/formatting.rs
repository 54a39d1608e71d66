//! Formatting elements and the adoption agency (HTML standard, 13.2.4.3 and 13.2.6.4.7).
//!
//! Clones share the attributes of their model, so that they cost one node each. Searches in the list and in the stack cost
//! fuel: one a step.

use super::arena::NodeId;
use super::build::Builder;
use super::scan::TagToken;
use super::stack::{Open, Space};

/// Rounds of the adoption agency, and elements between that are kept in one (13.2.6.4.7).
const ROUNDS: usize = 8;
const KEPT_BETWEEN: usize = 3;

/// What the adoption agency works on: positions in the stack.
struct Adoption {
    formatting: Open,
    furthest: Open,
    /// Position of the formatting element.
    low: usize,
    /// Position of the furthest block.
    high: usize,
}

impl Builder<'_> {
    /// The innermost active element of a name after the last marker.
    fn active_named(&mut self, name: u64) -> Option<(usize, Open)> {
        self.fuel += 1;
        let mut reachable = self.active.reachable();
        let found = reachable.find(|(_, open, _)| open.name == name);
        found.map(|(at, open, _)| (at, open))
    }

    fn active_position(&mut self, id: NodeId) -> Option<usize> {
        self.fuel += self.active.len() as u64;
        self.active.position(id)
    }

    fn forget(&mut self, id: NodeId) {
        if let Some(at) = self.active_position(id) {
            self.active.remove(at);
        }
    }

    /// Opens a formatting element and lists it.
    pub(super) fn insert_formatting(&mut self, token: &TagToken) {
        self.insert_html(token);
        let open = self.current();
        let print = self.print(token);
        self.active.push(open, print);
    }

    /// Opens again the active elements that were closed by what closed around them.
    pub(super) fn reconstruct(&mut self) {
        let mut first = self.active.len();
        while let Some((open, _)) = first.checked_sub(1).and_then(|at| self.active.element(at)) {
            if self.position(open.id).is_some() {
                break;
            }
            first -= 1;
        }
        for at in first..self.active.len() {
            let Some((open, _)) = self.active.element(at) else {
                continue;
            };
            if self.stack.len() >= usize::from(self.limits.depth_max) {
                return;
            }
            let copy = self.copy(open);
            self.insert_at(self.current(), copy.id);
            self.push(copy);
            self.active.replace(at, copy);
        }
    }

    /// A detached element of the same name and attributes.
    fn copy(&mut self, model: Open) -> Open {
        let (start, end) = self.tree.attribute_range(model.id);
        self.fuel += 1;
        Open {
            id: self.tree.push_element(model.tag, start, end),
            ..model
        }
    }

    /// The end tag of a formatting element.
    pub(super) fn adopt(&mut self, name: u64) {
        let current = self.current();
        let is_current = current.space == Space::Html && current.name == name;
        if is_current && self.active_position(current.id).is_none() {
            self.pop();
            return;
        }
        for _ in 0..ROUNDS {
            let Some((at, formatting)) = self.active_named(name) else {
                self.end_any(name);
                return;
            };
            let Some(low) = self.position(formatting.id) else {
                self.active.remove(at);
                return;
            };
            if !self.node_in_scope(formatting.id) {
                return;
            }
            let above = self.stack.get(low..).unwrap_or_default();
            let Some(offset) = above.iter().position(Open::is_special) else {
                self.truncate(low);
                self.active.remove(at);
                return;
            };
            let high = low + offset;
            let furthest = self.stack.get(high).copied().unwrap_or(Open::NOTHING);
            self.adopt_round(&Adoption {
                formatting,
                furthest,
                low,
                high,
            });
        }
    }

    /// One round: what stands between the formatting element and the furthest block is copied around the block.
    fn adopt_round(&mut self, work: &Adoption) {
        let ancestor = work.low.checked_sub(1).and_then(|at| self.stack.get(at)).copied();
        let (mut last, mut bookmark) = (work.furthest.id, None);
        for (between, at) in (work.low + 1..work.high).rev().enumerate() {
            self.fuel += 1;
            let Some(node) = self.stack.get(at).copied() else {
                continue;
            };
            let listed = self.active_position(node.id);
            let Some(entry) = listed.filter(|_| between < KEPT_BETWEEN) else {
                self.forget(node.id);
                self.remove_at(at);
                continue;
            };
            let copy = self.copy(node);
            if let Some(slot) = self.stack.get_mut(at) {
                *slot = copy;
            }
            self.active.replace(entry, copy);
            if bookmark.is_none() {
                bookmark = Some(copy.id);
            }
            self.tree.append(copy.id, last);
            last = copy.id;
        }
        self.tree.detach(last);
        self.insert_at(ancestor.unwrap_or(Open::NOTHING), last);
        let copy = self.copy(work.formatting);
        self.fuel += self.tree.reparent(work.furthest.id, copy.id);
        self.tree.append(work.furthest.id, copy.id);
        self.relist(work.formatting.id, copy, bookmark);
        self.remove(work.formatting.id);
        if let Some(at) = self.position(work.furthest.id) {
            self.stack.insert(at + 1, copy);
        }
    }

    /// Puts the copy of a formatting element into the list: in its place, or after the bookmark.
    fn relist(&mut self, id: NodeId, copy: Open, bookmark: Option<NodeId>) {
        let Some(old) = self.active_position(id) else {
            return;
        };
        let Some((_, print)) = self.active.element(old) else {
            return;
        };
        match bookmark.and_then(|mark| self.active_position(mark)) {
            Some(at) => {
                self.active.insert(at + 1, copy, print);
                self.forget(id);
            }
            None => self.active.replace(old, copy),
        }
    }

    /// A second `a` ends the first.
    pub(super) fn end_open_link(&mut self, name: u64) {
        if let Some((_, open)) = self.active_named(name) {
            self.adopt(name);
            self.forget(open.id);
            self.remove(open.id);
        }
    }
}
