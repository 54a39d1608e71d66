//! Why a call failed on the chain, by the runtime's own names.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// `Pallet.Name` of a failed call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DispatchError {
    /// Pallet.
    pub(crate) pallet: Cow<'static, str>,
    /// The error's name.
    pub(crate) name: Cow<'static, str>,
}

impl DispatchError {
    /// An error of pallet `SubtensorModule`.
    pub(crate) const fn subtensor(name: &'static str) -> Self {
        Self::new("SubtensorModule", name)
    }

    /// An error of pallet `Commitments`.
    pub(crate) const fn commitments(name: &'static str) -> Self {
        Self::new("Commitments", name)
    }

    /// An error of pallet `AdminUtils`.
    pub(crate) const fn admin(name: &'static str) -> Self {
        Self::new("AdminUtils", name)
    }

    /// The call is not for this signer.
    pub(crate) const fn bad_origin() -> Self {
        Self::new("System", "BadOrigin")
    }

    const fn new(pallet: &'static str, name: &'static str) -> Self {
        Self {
            pallet: Cow::Borrowed(pallet),
            name: Cow::Borrowed(name),
        }
    }
}
