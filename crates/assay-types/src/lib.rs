//! Ids, digests, Merkle trees, ledger rows, recipes and manifests: the words every other crate speaks.
