//! Re-execution of a dataset: does every row follow from the archive and the recipe?
//!
//! [`UnitTables`] checks what the files say of each other; [`Recheck`] compares them with records refined anew, all of
//! an archive in order or single rows; [`proofs`] turns faults into fraud proofs. docs/verify.md tells it for people.

mod compare;
mod proof;
mod recheck;
mod tables;

pub use compare::{ColumnDifference, column_value, document_row, expected_row};
pub use proof::{PROOFS_MAX, proofs};
pub use recheck::{Finding, Recheck};
pub use tables::{Columns, UnitTables};
