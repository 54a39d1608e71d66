//! Insertion modes of tables (HTML standard, 13.2.6.4.9 to 13.2.6.4.15).

use super::build::{Builder, Mode, Next};
use super::scan::TagToken;
use super::stack::Scope;
use super::tag::Tag;

/// Elements a table, a body and a row are cleared down to.
fn is_table(tag: Tag) -> bool {
    matches!(tag, Tag::Table | Tag::Template | Tag::Html)
}
fn is_body(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::Tbody | Tag::Tfoot | Tag::Thead | Tag::Template | Tag::Html
    )
}
fn is_row(tag: Tag) -> bool {
    matches!(tag, Tag::Tr | Tag::Template | Tag::Html)
}

impl Builder<'_> {
    fn in_table(&mut self, tag: Tag) -> bool {
        self.in_scope(Scope::Table, |found| found == tag)
    }

    pub(super) fn start_in_table(&mut self, token: &TagToken) -> Next {
        match token.tag {
            Tag::Caption => {
                self.clear_to(is_table);
                self.active.push_marker();
                self.insert_html(token);
                self.mode = Mode::InCaption;
            }
            Tag::Colgroup => {
                self.clear_to(is_table);
                self.insert_html(token);
                self.mode = Mode::InColumnGroup;
            }
            Tag::Col => {
                self.clear_to(is_table);
                self.insert_phantom(Tag::Colgroup, "colgroup");
                self.mode = Mode::InColumnGroup;
                return Next::Again;
            }
            Tag::Tbody | Tag::Tfoot | Tag::Thead => {
                self.clear_to(is_table);
                self.insert_html(token);
                self.mode = Mode::InTableBody;
            }
            Tag::Td | Tag::Th | Tag::Tr => {
                self.clear_to(is_table);
                self.insert_phantom(Tag::Tbody, "tbody");
                self.mode = Mode::InTableBody;
                return Next::Again;
            }
            Tag::Table => {
                if self.in_table(Tag::Table) {
                    self.pop_until(|tag| tag == Tag::Table);
                    self.reset_mode();
                    return Next::Again;
                }
            }
            Tag::Style | Tag::Script | Tag::Template => return self.start_head_content(token),
            Tag::Input if self.is_type_hidden(token.attributes) => {
                self.insert_void(token);
            }
            Tag::Form => {
                if self.form.is_none() && !self.has_template() {
                    self.form = Some(self.insert_void(token));
                }
            }
            _ => return self.foster_start(token),
        }
        Next::Done
    }

    /// Content that no table may hold goes before the table.
    fn foster_start(&mut self, token: &TagToken) -> Next {
        self.foster = true;
        let next = self.start_in_body(token);
        self.foster = false;
        next
    }

    pub(super) fn end_in_table(&mut self, token: &TagToken) -> Next {
        match token.tag {
            Tag::Table => {
                if self.in_table(Tag::Table) {
                    self.pop_until(|tag| tag == Tag::Table);
                    self.reset_mode();
                }
            }
            Tag::Template => self.end_template(),
            tag if matches!(tag, Tag::Body | Tag::Html | Tag::Col) || tag.is_table_inner() => {}
            _ => {
                self.foster = true;
                let next = self.end_in_body(token);
                self.foster = false;
                return next;
            }
        }
        Next::Done
    }

    pub(super) fn start_in_caption(&mut self, token: &TagToken) -> Next {
        if token.tag.is_table_inner() || token.tag == Tag::Col {
            return self.leave_caption();
        }
        self.start_in_body(token)
    }

    /// Ends an open caption for a tag that cannot stand in it.
    fn leave_caption(&mut self) -> Next {
        if !self.in_table(Tag::Caption) {
            return Next::Done;
        }
        self.implied_ends(Tag::Other);
        self.pop_until(|tag| tag == Tag::Caption);
        self.active.clear_to_marker();
        self.mode = Mode::InTable;
        Next::Again
    }

    pub(super) fn end_in_caption(&mut self, token: &TagToken) -> Next {
        match token.tag {
            Tag::Caption => {
                self.leave_caption();
                Next::Done
            }
            Tag::Table => self.leave_caption(),
            tag if matches!(tag, Tag::Body | Tag::Html | Tag::Col) || tag.is_table_inner() => Next::Done,
            _ => self.end_in_body(token),
        }
    }

    /// Ends an open column group; `false` when there is none.
    pub(super) fn leave_column_group(&mut self) -> bool {
        let found = self.current().html() == Tag::Colgroup;
        if found {
            self.pop();
            self.mode = Mode::InTable;
        }
        found
    }

    pub(super) fn start_in_column_group(&mut self, token: &TagToken) -> Next {
        match token.tag {
            Tag::Html => return self.merge_attributes(token, 0),
            Tag::Col => {
                self.insert_void(token);
            }
            Tag::Template => return self.start_head_content(token),
            _ if self.leave_column_group() => return Next::Again,
            _ => {}
        }
        Next::Done
    }

    pub(super) fn end_in_column_group(&mut self, token: &TagToken) -> Next {
        match token.tag {
            Tag::Colgroup => {
                self.leave_column_group();
            }
            Tag::Col => {}
            Tag::Template => self.end_template(),
            _ if self.leave_column_group() => return Next::Again,
            _ => {}
        }
        Next::Done
    }

    pub(super) fn start_in_table_body(&mut self, token: &TagToken) -> Next {
        match token.tag {
            Tag::Tr => {
                self.clear_to(is_body);
                self.insert_html(token);
                self.mode = Mode::InRow;
                Next::Done
            }
            Tag::Td | Tag::Th => {
                self.clear_to(is_body);
                self.insert_phantom(Tag::Tr, "tr");
                self.mode = Mode::InRow;
                Next::Again
            }
            Tag::Caption | Tag::Col | Tag::Colgroup | Tag::Tbody | Tag::Tfoot | Tag::Thead => {
                self.leave_table_body()
            }
            _ => self.start_in_table(token),
        }
    }

    fn leave_table_body(&mut self) -> Next {
        if !self.in_scope(Scope::Table, |tag| {
            matches!(tag, Tag::Tbody | Tag::Tfoot | Tag::Thead)
        }) {
            return Next::Done;
        }
        self.clear_to(is_body);
        self.pop();
        self.mode = Mode::InTable;
        Next::Again
    }

    pub(super) fn end_in_table_body(&mut self, token: &TagToken) -> Next {
        match token.tag {
            Tag::Tbody | Tag::Tfoot | Tag::Thead => {
                if self.in_table(token.tag) {
                    self.clear_to(is_body);
                    self.pop();
                    self.mode = Mode::InTable;
                }
                Next::Done
            }
            Tag::Table => self.leave_table_body(),
            Tag::Td | Tag::Th | Tag::Tr => Next::Done,
            _ => self.end_in_table(token),
        }
    }

    pub(super) fn start_in_row(&mut self, token: &TagToken) -> Next {
        match token.tag {
            Tag::Td | Tag::Th => {
                self.clear_to(is_row);
                self.insert_html(token);
                self.mode = Mode::InCell;
                self.active.push_marker();
                Next::Done
            }
            Tag::Caption | Tag::Col | Tag::Colgroup | Tag::Tbody | Tag::Tfoot | Tag::Thead | Tag::Tr => {
                self.leave_row()
            }
            _ => self.start_in_table(token),
        }
    }

    fn leave_row(&mut self) -> Next {
        if !self.in_table(Tag::Tr) {
            return Next::Done;
        }
        self.clear_to(is_row);
        self.pop();
        self.mode = Mode::InTableBody;
        Next::Again
    }

    pub(super) fn end_in_row(&mut self, token: &TagToken) -> Next {
        match token.tag {
            Tag::Tr => {
                self.leave_row();
                Next::Done
            }
            Tag::Table => self.leave_row(),
            Tag::Tbody | Tag::Tfoot | Tag::Thead => {
                if self.in_table(token.tag) {
                    return self.leave_row();
                }
                Next::Done
            }
            Tag::Td | Tag::Th => Next::Done,
            _ => self.end_in_table(token),
        }
    }

    pub(super) fn start_in_cell(&mut self, token: &TagToken) -> Next {
        if token.tag.is_table_inner() || token.tag == Tag::Col {
            if self.in_scope(Scope::Table, |tag| matches!(tag, Tag::Td | Tag::Th)) {
                self.close_cell();
                return Next::Again;
            }
            return Next::Done;
        }
        self.start_in_body(token)
    }

    fn close_cell(&mut self) {
        self.implied_ends(Tag::Other);
        self.pop_until(|tag| matches!(tag, Tag::Td | Tag::Th));
        self.active.clear_to_marker();
        self.mode = Mode::InRow;
    }

    pub(super) fn end_in_cell(&mut self, token: &TagToken) -> Next {
        match token.tag {
            Tag::Td | Tag::Th => {
                if self.in_table(token.tag) {
                    self.implied_ends(Tag::Other);
                    let tag = token.tag;
                    self.pop_until(|found| found == tag);
                    self.active.clear_to_marker();
                    self.mode = Mode::InRow;
                }
                Next::Done
            }
            Tag::Body | Tag::Caption | Tag::Col | Tag::Colgroup | Tag::Html => Next::Done,
            Tag::Table | Tag::Tbody | Tag::Tfoot | Tag::Thead | Tag::Tr => {
                if self.in_table(token.tag) {
                    self.close_cell();
                    return Next::Again;
                }
                Next::Done
            }
            _ => self.end_in_body(token),
        }
    }
}
