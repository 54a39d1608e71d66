//! What tells one version of a remote object from another: its length and entity tag, as far as its server gives them.
//!
//! Noted when an object is read, asked again before what was made of it is taken for the present object's.

/// Length and entity tag of a remote object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectVersion {
    /// Length in bytes.
    pub bytes: Option<u64>,
    /// `ETag`, as the server writes it.
    pub etag: Option<String>,
}
