//! A small dataset of two units with everything that hangs on it, built from its rows upwards.
//!
//! Used by the tests of manifests, fraud proofs and stored forms.

use assay_types::{
    Addressing, Bytes, Decision, Digest, Digest16, DocsEntry, Executed, FRAUD_PROOF_VERSION, FileEntry,
    FraudKind, FraudProof, Hotkey, LedgerEntry, LedgerRow, Manifest, ManifestUnit, MerkleTree, ProofRow,
    ProofUnit, Reason, Sha256Digest, SourceRange, Tokens, Tool, UnitId, blake3_16,
};

/// Rows of one unit: no content, kept, dropped by step 1, duplicate of the kept one, malformed end.
pub(crate) fn rows() -> Vec<LedgerRow> {
    let row = |idx: u32, reason: Reason| LedgerRow {
        idx,
        offset: u64::from(idx) * 1_000,
        length: 1_000,
        record_digest: if reason == Reason::NotContent {
            Digest16::ZERO
        } else {
            record_digest(idx)
        },
        decision: reason.decision(),
        reason,
        dup_of: (reason == Reason::Duplicate).then_some(1),
        text_hash: match reason {
            Reason::Kept | Reason::Duplicate => blake3_16(b"hello"),
            _ => Digest16::ZERO,
        },
        n_tokens: if reason == Reason::Kept { 2 } else { 0 },
    };
    let reasons = [
        Reason::NotContent,
        Reason::Kept,
        Reason::Step(1),
        Reason::Duplicate,
        Reason::Malformed,
    ];
    reasons
        .into_iter()
        .zip(0..)
        .map(|(reason, idx)| row(idx, reason))
        .collect()
}

/// The digest of made-up record `idx`.
pub(crate) fn record_digest(idx: u32) -> Digest16 {
    blake3_16(&idx.to_le_bytes())
}

/// A unit of [`rows`] with made-up files.
pub(crate) fn unit(path: &str) -> ManifestUnit {
    let unit_id = UnitId::of("file", path);
    let leaves: Vec<Digest> = rows().iter().map(|row| row.leaf(&unit_id)).collect();
    let sha256 = Sha256Digest([0x5a; 32]);
    let mut unit = ManifestUnit {
        unit_id,
        source: "file".into(),
        warc_path: path.into(),
        warc_len: Bytes(5_000),
        addressing: Addressing::Member,
        recipe_id: assay_types::recipe::fineweb_en_v1().id(),
        n_records: 5,
        n_kept: 1,
        n_tokens: Tokens(2),
        ledger: LedgerEntry {
            path: format!("units/{unit_id}/ledger.parquet"),
            bytes: Bytes(700),
            sha256,
            root: MerkleTree::root(&leaves),
        },
        bands: FileEntry {
            path: format!("units/{unit_id}/bands.parquet"),
            bytes: Bytes(800),
            sha256,
        },
        docs: vec![DocsEntry {
            path: format!("units/{unit_id}/docs-00000.parquet"),
            bytes: Bytes(900),
            rows: 1,
            sha256,
        }],
        unit_root: Digest::ZERO,
    };
    unit.unit_root = unit.expected_root();
    unit
}

/// The manifest of two such units.
pub(crate) fn manifest() -> Manifest {
    let tool = Tool {
        name: "assay".into(),
        version: "0.1.0".into(),
        git: String::new(),
    };
    Manifest::local(vec![unit("b.warc.gz"), unit("a.warc.gz")], tool, "ODC-By-1.0")
}

/// A proof about rows `indices` of the unit `a.warc.gz`, whose ledger holds `rows` instead of the honest ones.
pub(crate) fn proof(kind: FraudKind, rows: &[LedgerRow], indices: &[u32]) -> FraudProof {
    let mut manifest = manifest();
    let unit_id = UnitId::of("file", "a.warc.gz");
    let leaves: Vec<Digest> = rows.iter().map(|row| row.leaf(&unit_id)).collect();
    for unit in &mut manifest.units {
        if unit.unit_id == unit_id {
            unit.n_records = rows.len() as u32;
            unit.ledger.root = MerkleTree::root(&leaves);
            unit.unit_root = unit.expected_root();
        }
    }
    let roots: Vec<Digest> = manifest.units.iter().map(|unit| unit.unit_root).collect();
    let index = manifest
        .units
        .iter()
        .position(|unit| unit.unit_id == unit_id)
        .unwrap() as u32;
    let unit = manifest.unit(&unit_id).unwrap();
    let parts = unit.root_parts();
    let chosen = indices.iter().map(|&index| (index, rows[index as usize]));
    FraudProof {
        version: FRAUD_PROOF_VERSION,
        kind,
        netuid: manifest.netuid,
        round: manifest.round,
        hotkey: manifest.hotkey,
        payload: String::new(),
        submission_root: manifest.expected_root(),
        unit: ProofUnit {
            unit_id,
            source: unit.source.clone(),
            warc_path: unit.warc_path.clone(),
            recipe_id: parts.recipe_id,
            n_records: parts.n_records,
            n_kept: parts.n_kept,
            ledger_root: parts.ledger_root,
            files_digest: parts.files_digest,
            index,
            n_units: roots.len() as u32,
            path: MerkleTree::proof(&roots, u64::from(index)).unwrap(),
        },
        rows: chosen
            .clone()
            .map(|(index, row)| ProofRow {
                index,
                row,
                path: MerkleTree::proof(&leaves, u64::from(index)).unwrap(),
            })
            .collect(),
        sources: chosen
            .map(|(_, row)| SourceRange {
                offset: row.offset,
                length: row.length,
                digest: record_digest(row.idx),
            })
            .collect(),
        executed: None,
        column: None,
        prover: Hotkey::ZERO,
        signature: String::new(),
    }
}

/// A proof that row 1 of the ledger claims another text than its record gives.
pub(crate) fn changed_text_proof() -> FraudProof {
    let mut lied = rows();
    lied[1].text_hash = blake3_16(b"goodbye");
    let mut proof = proof(FraudKind::RowWrong, &lied, &[1]);
    proof.executed = Some(Executed {
        decision: Decision::Keep,
        reason: Reason::Kept,
        text_hash: blake3_16(b"hello"),
        n_tokens: 2,
    });
    proof
}
