//! Boards: miners, recipes, validators and datasets as rows, from the store and the newest metagraph; pages and API read these.
//!
//! `select` filters, sorts and cuts any of them by one registry of columns, so a new column is sortable, filterable and in
//! the CSV at once.

mod cells;
mod dataset;
mod duel;
mod known;
mod miner;
mod range;
mod recipe;
mod record;
mod removed;
mod sample;
mod search;
mod select;
mod state;
mod sums;
mod validator;
mod warm;

pub(crate) use dataset::dataset_rows;
pub(crate) use duel::{Duels, all_duels, estimate, middle};
pub(crate) use known::{assignment, metagraph_before, newest_judged, sources};
pub(crate) use miner::{MinerLine, miner_lines, result};
pub(crate) use range::{Range, is_public, newest_public};
pub(crate) use recipe::{RecipeLine, active, recipe_lines};
pub(crate) use record::{audit_command, record, record_named, record_path, verify_command};
pub(crate) use removed::Removed;
pub(crate) use sample::{Agreed, Shown, newest_shown, shown_of};
pub(crate) use search::{SEARCH_BYTES_MAX, search};
pub(crate) use select::{BoardRow, Column, Select, Selected, columns_of, csv, sorting};
pub(crate) use state::{StateKind, verdict_words};
pub(crate) use sums::{declared_in_all, passed_in_all};
pub(crate) use validator::{newest_weights, validator_rows};
pub(crate) use warm::warm_up;
