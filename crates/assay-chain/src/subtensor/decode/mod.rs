//! What reads return, built from decoded storage by field name: one file per kind of answer.

pub(crate) mod commitments;
pub(crate) mod epoch;
pub(crate) mod events;
pub(crate) mod identity;
pub(crate) mod metagraph;
pub(crate) mod neurons;
pub(crate) mod weights;
