//! One forgery and what `verify` must say of it: exit code, classes, proofs that anybody can check.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;

use assay_hub::store::{Body, LocalStore, ObjectPath, Publication, Store as _};
use assay_server::recheck::{Judged, RecheckTask};
use assay_types::api::ProofState;
use assay_types::{
    ColumnClaim, DocsRow, FaultKind, FraudKind, FraudProof, Pointer, Reason, RepoName, blake3_16, hex,
};
use serde_json::Value;

use super::forge::Forgery;
use crate::pages;
use crate::support::{Answer, assay, folder, line};

/// The archive and its clean dataset, made once.
pub(super) struct Clean {
    _folder: tempfile::TempDir,
    pub(super) archive: PathBuf,
    pub(super) dataset: PathBuf,
}

pub(super) static CLEAN: LazyLock<Clean> = LazyLock::new(|| {
    let folder = folder();
    let archive = pages::mixed_archive(folder.path());
    let dataset = folder.path().join("clean");
    line("refine {} --out {} -q", &[&archive, &dataset]).with_code(0);
    Clean {
        _folder: folder,
        archive,
        dataset,
    }
});

/// `assay verify --json` of a dataset with the clean archive.
pub(super) fn verify(dataset: &Path, proof: &Path, flags: &str) -> Answer {
    line(
        &format!("verify {{}} --warc {{}} --proof {{}} --json {flags}"),
        &[dataset, &CLEAN.archive, proof],
    )
}

/// Tampers with a copy, and expects exactly these kinds of faults and, among the proofs, these kinds.
#[track_caller]
pub(super) fn check(tamper: impl FnOnce(&mut Forgery), kinds: &[FaultKind], proved: &[FraudKind]) {
    let folder = folder();
    let mut forgery = Forgery::open(&CLEAN.dataset, &folder.path().join("forged"));
    tamper(&mut forgery);
    let proof_file = folder.path().join("proofs.json");
    let document = verify(&forgery.folder, &proof_file, "").with_code(4).json();
    assert_eq!(document["schema"], "assay.verify/1");
    let found: BTreeSet<&str> = document["data"]["fault_counts"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let wanted: BTreeSet<&str> = kinds.iter().map(|kind| kind.name()).collect();
    assert_eq!(found, wanted, "{:#}", document["data"]["faults"]);
    let proofs = proofs(&proof_file, &document);
    let found: BTreeSet<&str> = proofs.iter().map(|proof| proof.kind.name()).collect();
    for kind in proved {
        assert!(
            found.contains(kind.name()),
            "no proof of `{}` among {found:?}",
            kind.name()
        );
    }
    for proof in &proofs {
        recheck(proof, &forgery);
    }
    judged_alike(&proofs, &forgery);
    // For people the class stands in the list of classes.
    let people = line(
        "verify {} --warc {} --proof {}",
        &[&forgery.folder, &CLEAN.archive, &proof_file],
    )
    .with_code(4);
    for kind in kinds {
        assert!(
            people.stdout.contains(&format!("  {} ", kind.name())),
            "{}",
            people.stdout
        );
    }
}

/// The proofs of the file, parsed from their canonical bytes; the file says what the document says.
pub(super) fn proofs(file: &Path, document: &Value) -> Vec<FraudProof> {
    let report: Value = serde_json::from_slice(&fs_err::read(file).unwrap()).unwrap();
    assert_eq!(report["schema"], "assay.fraud-proofs/1");
    assert_eq!(report["faults"], document["data"]["faults"]);
    assert_eq!(document["data"]["proof_file"], file.display().to_string());
    let proofs = report["proofs"].as_array().unwrap();
    assert_eq!(document["data"]["proofs"], proofs.len());
    let parse = |proof: &Value| {
        let bytes = assay_types::canonical_json::emit(proof).unwrap();
        FraudProof::parse(&bytes).unwrap()
    };
    proofs.iter().map(parse).collect()
}

/// What anybody can check of a proof: structure and Merkle paths, the archive's bytes, the column's values.
pub(super) fn recheck(proof: &FraudProof, forgery: &Forgery) {
    proof.check_structure().unwrap();
    assert_eq!(proof.submission_root, forgery.manifest.submission_root);
    let archive = fs_err::read(&CLEAN.archive).unwrap();
    for source in &proof.sources {
        let end = source.offset as usize + source.length as usize;
        let bytes = &archive[source.offset as usize..end];
        assert!(
            source.digest == blake3_16(bytes) || source.digest.is_zero(),
            "another range of the archive"
        );
    }
    if let Some(claim) = &proof.column {
        let at = proof.rows[0].index as usize;
        let value = |rows: &[DocsRow], at: usize| ColumnClaim::value(&column(&rows[at], &claim.column));
        let folder = folder();
        let clean = Forgery::open(&CLEAN.dataset, &folder.path().join("clean"));
        assert_eq!(claim.row as usize, forgery.document_number(at));
        assert_eq!(
            claim.found,
            value(&forgery.docs, forgery.document_number(at)),
            "{claim:?}"
        );
        assert_eq!(
            claim.expected,
            value(&clean.docs, clean.document_number(at)),
            "{claim:?}"
        );
    }
    // A proof of something else than was published proves nothing.
    let mut other = proof.clone();
    other.rows[0].row.n_tokens ^= 1;
    assert!(other.check_structure().is_err());
}

fn column(row: &DocsRow, name: &str) -> String {
    match name {
        "text" => row.text.clone(),
        "url" => row.url.clone(),
        "date" => row.date.clone(),
        "language" => row.language.clone(),
        "language_score" => row.language_score_f64().to_string(),
        "warc_offset" => row.warc_offset.to_string(),
        "recipe_id" => row.recipe_id.to_string(),
        other => panic!("column `{other}`"),
    }
}

/// Place of the n-th kept row.
pub(super) fn kept(forgery: &Forgery, n: usize) -> usize {
    forgery.kept()[n]
}

/// Place of the row of the near-duplicate.
pub(super) fn duplicate(forgery: &Forgery) -> usize {
    forgery
        .ledger
        .iter()
        .position(|row| row.reason == Reason::Duplicate)
        .unwrap()
}

/// Place of the first row that a step of the recipe dropped.
pub(super) fn dropped(forgery: &Forgery) -> usize {
    forgery
        .ledger
        .iter()
        .position(|row| matches!(row.reason, Reason::Step(_)))
        .unwrap()
}

/// The Task API's limited worker says the same of the first proof of each kind: the fault is there; without it, it is not.
#[track_caller]
fn judged_alike(proofs: &[FraudProof], forgery: &Forgery) {
    let mut seen = BTreeSet::new();
    for proof in proofs.iter().filter(|proof| seen.insert(proof.kind.name())) {
        if proof.kind == FraudKind::ColumnWrong {
            columns_judged(proof, forgery);
            continue;
        }
        assert_eq!(
            judge(proof, None).state,
            ProofState::Listed,
            "{}",
            proof.kind.name()
        );
        let mut framed = proof.clone();
        for source in &mut framed.sources {
            source.digest = blake3_16(b"bytes of another archive");
        }
        if framed != *proof && proof.kind != FraudKind::Gap {
            let judged = judge(&framed, None);
            assert_eq!(judged.state, ProofState::Refuted, "{}", proof.kind.name());
        }
    }
}

/// A wrong column is judged by the document that the accused published; without it nothing is said.
#[track_caller]
fn columns_judged(proof: &FraudProof, forgery: &Forgery) {
    let nowhere = judge(proof, None);
    assert_eq!(nowhere.state, ProofState::Unreachable, "{nowhere:?}");
    let folder = folder();
    let mut proof = proof.clone();
    let of_nothing = judge(&proof, Some(folder.path()));
    assert_eq!(of_nothing.state, ProofState::Unreachable, "{of_nothing:?}");
    proof.payload = published(forgery, folder.path());
    proof.check_structure().unwrap();
    let judged = judge(&proof, Some(folder.path()));
    assert_eq!(judged.state, ProofState::Listed, "{judged:?}");

    // Another value than the published one, and the true value said to be wrong.
    let claim = |column: &str, expected: &str, found: &str| {
        let mut framed = proof.clone();
        let claim = framed.column.as_mut().unwrap();
        column.clone_into(&mut claim.column);
        expected.clone_into(&mut claim.expected);
        found.clone_into(&mut claim.found);
        framed.check_structure().unwrap();
        judge(&framed, Some(folder.path()))
    };
    let named = proof.column.as_ref().unwrap();
    let lie = claim(&named.column, &named.expected, "what was never published");
    assert_eq!(lie.state, ProofState::Refuted, "{lie:?}");
    let honest = forgery.manifest.units[0].warc_path.as_str();
    // A document is known by its place, where that is not what is wrong.
    if named.column != "warc_offset" {
        let framed = claim("file_path", "another archive", honest);
        assert_eq!(framed.state, ProofState::Refuted, "{framed:?}");
    }
    // The document of another record says nothing about this one.
    let mut other = proof.clone();
    let claim = other.column.as_mut().unwrap();
    claim.row = (claim.row + 1) % forgery.docs.len() as u32;
    let judged = judge(&other, Some(folder.path()));
    assert_eq!(judged.state, ProofState::Unreachable, "{judged:?}");
}

/// Publishes a forged dataset as its miner would; gives the pointer that the chain would show, in hexadecimal.
fn published(forgery: &Forgery, store: &Path) -> String {
    let path = |name: &str| ObjectPath::parse(name).unwrap();
    let repo = RepoName::parse("acme/forged").unwrap();
    let unit = &forgery.manifest.units[0];
    let names = [&unit.ledger.path, &unit.bands.path, &unit.docs[0].path];
    let file = |name: &str| Body::File(forgery.folder.join(name));
    let publication = Publication::new(repo.clone(), path("manifest.json"))
        .with(path("manifest.json"), file("manifest.json"));
    let publication = names.into_iter().fold(publication, |publication, name| {
        publication.with(path(name), file(name))
    });
    let store = LocalStore::new(store);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let revision = runtime.block_on(async {
        let revision = store.publish(&publication).await.unwrap();
        store.reveal(&repo, &revision).await.unwrap();
        revision
    });
    let pointer = Pointer {
        round: forgery.manifest.round,
        n_units: 1,
        want_next: 0,
        submission_root: forgery.manifest.submission_root,
        revision,
        repo,
    };
    hex::encode(&pointer.encode())
}

/// `assay serve recheck` on one proof, with a store to read documents from.
fn judge(proof: &FraudProof, store: Option<&Path>) -> Judged {
    let recipe = assay_types::recipe::builtin_names()
        .into_iter()
        .filter_map(assay_types::recipe::builtin)
        .find(|recipe| recipe.id() == proof.unit.recipe_id)
        .unwrap();
    let task = RecheckTask {
        proof: String::from_utf8(proof.to_canonical_bytes().unwrap()).unwrap(),
        recipe: recipe.to_canonical(),
    };
    let mut child = assay(["serve", "recheck", "--archives"])
        .arg(CLEAN.archive.parent().unwrap())
        .args(store.map(|_| "--store"))
        .args(store)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    serde_json::to_writer(child.stdin.take().unwrap(), &task).unwrap();
    let output = child.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}
