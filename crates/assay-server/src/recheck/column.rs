//! Whether a value in a published document is the record's: the document is read from where the accused published it.
//!
//! The proof's payload names repository and revision, its claim the file by SHA-256; both hang under the root on the chain.
//! A document that cannot be had, or is not told apart from another's, leaves the proof `unreachable`.

use super::judge::{Archive, OTHER_BYTES, listed, refuted, unreachable};
use super::{Judged, RecheckError};
use assay_hub::store::{ObjectPath, PathError, Store, StoreError};
use assay_refine::engine::Outcome;
use assay_refine::output::{DocsReader, TableError};
use assay_refine::unit::UnitIdentity;
use assay_refine::verify::{column_value, document_row, expected_row};
use assay_types::{
    ColumnClaim, DocsRow, FraudProof, LedgerRow, POINTER_BYTES, Pointer, PointerError, Sha256Digest, hex,
};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// Longest docs file that is read, bytes: it is held in memory.
const DOCS_BYTES_MAX: u64 = 512 << 20;

/// Where the accused's documents are.
#[derive(Debug, Clone, Copy)]
pub struct Published<'a> {
    /// The subnet's store.
    pub store: &'a dyn Store,
    /// What waits for it.
    pub runtime: &'a tokio::runtime::Handle,
}

/// Why a document is not to be had.
#[derive(Debug, Error)]
enum ColumnError {
    #[error("the proof names no pointer of the chain, so no repository")]
    NoPointer,
    #[error("the proof's pointer is none")]
    Hex(#[from] hex::HexError),
    #[error("the proof's pointer is none")]
    Pointer(#[from] PointerError),
    #[error("the proof names no file of documents")]
    NoFile,
    #[error("the docs file's path is none")]
    Path(#[from] PathError),
    #[error("the published documents cannot be read")]
    Store(#[from] StoreError),
    #[error("another file is published now than the one the proof is about")]
    OtherFile,
    #[error("the published documents are no table")]
    Table(#[from] TableError),
    #[error("the published documents have no such row")]
    NoRow,
}

/// Judges a proof of a wrong column.
pub(super) fn column_wrong(
    proof: &FraudProof,
    archive: &Archive<'_>,
    published: Option<Published<'_>>,
) -> Result<Judged, RecheckError> {
    let ([row], [range], Some(claim)) = (&*proof.rows, &*proof.sources, &proof.column) else {
        return Ok(refuted("the proof shows no column".to_owned()));
    };
    if claim.column == "dump" {
        return Ok(unreachable(
            "the crawl's name is checked by whoever has the dataset".to_owned(),
        ));
    }
    let Some(published) = published else {
        return Ok(unreachable(
            "this server knows no store to read the documents from".to_owned(),
        ));
    };
    let document = match published
        .runtime
        .block_on(document(proof, claim, published.store))
    {
        Ok(document) => document,
        // Asking again may help.
        Err(ColumnError::Store(error)) if error.retry_is_safe() => return Err(error.into()),
        Err(error) => return Ok(unreachable(chain_of(&error))),
    };
    if !is_of(&document, &row.row, &claim.column) {
        return Ok(unreachable(
            "the document cannot be told to be the row's".to_owned(),
        ));
    }
    let found = column_value(&document, &claim.column);
    if found != claim.found {
        return Ok(refuted(
            "the published document has another value there".to_owned(),
        ));
    }
    let Some(bytes) = archive.bytes(range)? else {
        return Ok(refuted(OTHER_BYTES.to_owned()));
    };
    let refined = archive.refine(row, &bytes);
    let Outcome::Passed(passed) = &refined.outcome else {
        return Ok(refuted(
            "the record has no document: its row is what is wrong".to_owned(),
        ));
    };
    let identity = UnitIdentity {
        source: proof.unit.source.clone(),
        path: proof.unit.warc_path.clone(),
        dump: String::new(),
        recipe_id: proof.unit.recipe_id,
    };
    let expected = document_row(&identity, &expected_row(&refined, None), passed);
    Ok(if column_value(&expected, &claim.column) == found {
        refuted("re-execution gives the published value".to_owned())
    } else {
        listed("re-execution gives another value than the published one")
    })
}

/// Whether a document is that of a row; by its place in the archive, or its digest where the place is what is said to be wrong.
fn is_of(document: &DocsRow, row: &LedgerRow, column: &str) -> bool {
    if column == "warc_offset" {
        document.record_digest == row.record_digest
    } else {
        document.warc_offset == row.offset
    }
}

/// The document that a claim is about.
async fn document(
    proof: &FraudProof,
    claim: &ColumnClaim,
    store: &dyn Store,
) -> Result<DocsRow, ColumnError> {
    if proof.payload.is_empty() {
        return Err(ColumnError::NoPointer);
    }
    let pointer = Pointer::parse(&hex::decode::<POINTER_BYTES>(&proof.payload)?)?;
    let file = usize::try_from(claim.file)
        .ok()
        .and_then(|file| claim.docs.get(file))
        .ok_or(ColumnError::NoFile)?;
    let view = store.open(&pointer.repo, &pointer.revision).await?;
    let bytes = view.get(&ObjectPath::parse(&file.path)?, DOCS_BYTES_MAX).await?;
    if Sha256Digest(Sha256::digest(&bytes).into()) != file.sha256 {
        return Err(ColumnError::OtherFile);
    }
    let mut left = claim.row as usize;
    for rows in DocsReader::new(Bytes::from(bytes))? {
        let mut rows = rows?;
        if left < rows.len() {
            return Ok(rows.swap_remove(left));
        }
        left -= rows.len();
    }
    Err(ColumnError::NoRow)
}

fn chain_of(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
