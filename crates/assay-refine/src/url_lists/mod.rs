//! Block lists of the URL filter: from list files or a datatrove wheel to sets that can be asked and digested.
//!
//! The lists are third-party and not part of this repository. A recipe names each by the BLAKE3 digest of its
//! artifact encoding ([`HashedSet::encode`], [`WordList::encode`]); a list that is absent is an empty one.
mod hashed_set;
mod lines;
mod lists;
mod tarball;
mod wheel;
mod word_list;

pub use hashed_set::HashedSet;
pub use lines::{LINE_BYTES_MAX, LIST_LINES_MAX};
pub use lists::{UrlListError, UrlListKind, UrlLists};
pub use tarball::read_tarball;
pub use wheel::read_wheel;
pub use word_list::WordList;
pub(crate) use word_list::normalize;
