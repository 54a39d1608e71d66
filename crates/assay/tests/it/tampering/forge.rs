//! A dataset opened for tampering: its tables as values, and a seal that makes all digests fit again, as a cheater would.

use std::path::{Path, PathBuf};

use assay_refine::output::{
    BandsWriter, DigestingWriter, DocsWriter, LedgerWriter, read_bands, read_docs, read_ledger,
};
use assay_types::{
    BandRow, Bytes, Decision, DocsRow, LedgerRow, Manifest, ManifestUnit, MerkleBuilder, Sha256Digest, Tokens,
};

/// One unit's dataset as values.
pub(crate) struct Forgery {
    pub(crate) folder: PathBuf,
    pub(crate) manifest: Manifest,
    pub(crate) ledger: Vec<LedgerRow>,
    pub(crate) bands: Vec<BandRow>,
    pub(crate) docs: Vec<DocsRow>,
}

impl Forgery {
    /// Copies a dataset of one unit into `to` and opens the copy.
    pub(crate) fn open(dataset: &Path, to: &Path) -> Self {
        copy(dataset, to);
        let manifest = Manifest::parse(&fs_err::read(to.join("manifest.json")).unwrap()).unwrap();
        assert_eq!(manifest.units.len(), 1);
        let unit = &manifest.units[0];
        let open = |path: &str| fs_err::File::open(to.join(path)).unwrap().into_file();
        assert_eq!(unit.docs.len(), 1);
        Self {
            folder: to.to_owned(),
            ledger: read_ledger(open(&unit.ledger.path), u64::MAX).unwrap(),
            bands: read_bands(open(&unit.bands.path), u64::MAX).unwrap(),
            docs: read_docs(open(&unit.docs[0].path)).unwrap(),
            manifest,
        }
    }

    pub(crate) fn unit(&mut self) -> &mut ManifestUnit {
        &mut self.manifest.units[0]
    }

    /// Number of a row's document: kept rows before it.
    pub(crate) fn document_number(&self, at: usize) -> usize {
        self.ledger[..at]
            .iter()
            .filter(|row| row.decision == Decision::Keep)
            .count()
    }

    /// The kept rows' places.
    pub(crate) fn kept(&self) -> Vec<usize> {
        (0..self.ledger.len())
            .filter(|at| self.ledger[*at].decision == Decision::Keep)
            .collect()
    }

    /// Numbers the rows anew; documents and bands keep their rows.
    pub(crate) fn renumber(&mut self) {
        let old: Vec<u32> = self.ledger.iter().map(|row| row.idx).collect();
        let new_of = |idx: u32| old.iter().position(|found| *found == idx).map(|at| at as u32);
        self.bands
            .retain_mut(|band| new_of(band.idx).map(|idx| band.idx = idx).is_some());
        for (idx, row) in (0..).zip(&mut self.ledger) {
            row.idx = idx;
            row.dup_of = row.dup_of.and_then(new_of);
        }
    }

    /// Writes all tables and makes every length, digest, count and root fit them.
    pub(crate) fn seal(&mut self) {
        let tokens = self.ledger.iter().map(|row| u64::from(row.n_tokens)).sum();
        let kept = self
            .ledger
            .iter()
            .filter(|row| row.decision == Decision::Keep)
            .count();
        self.seal_with_counts(kept as u32, tokens);
    }

    /// As [`Self::seal`], with declared counts that need not be the true ones.
    pub(crate) fn seal_with_counts(&mut self, n_kept: u32, n_tokens: u64) {
        let mut ledger = LedgerWriter::new(Vec::new()).unwrap();
        let mut bands = BandsWriter::new(Vec::new()).unwrap();
        let mut docs = DocsWriter::new(Vec::new()).unwrap();
        let mut leaves = MerkleBuilder::default();
        let unit = &mut self.manifest.units[0];
        for row in &self.ledger {
            leaves.push(row.leaf(&unit.unit_id));
            ledger.push(*row).unwrap();
        }
        self.bands.iter().for_each(|band| bands.push(*band).unwrap());
        self.docs.iter().for_each(|row| docs.push(row.clone()).unwrap());
        let at = |path: &str| self.folder.join(path);
        (unit.ledger.bytes, unit.ledger.sha256) = sealed(&ledger.finish().unwrap(), &at(&unit.ledger.path));
        (unit.bands.bytes, unit.bands.sha256) = sealed(&bands.finish().unwrap(), &at(&unit.bands.path));
        let file = &mut unit.docs[0];
        (file.bytes, file.sha256) = sealed(&docs.finish().unwrap(), &self.folder.join(&file.path));
        file.rows = self.docs.len() as u32;
        unit.ledger.root = leaves.root();
        unit.n_records = self.ledger.len() as u32;
        unit.n_kept = n_kept;
        unit.n_tokens = Tokens(n_tokens);
        self.seal_manifest();
    }

    /// Makes the roots of the manifest fit its entries, and writes it.
    pub(crate) fn seal_manifest(&mut self) {
        let unit = &mut self.manifest.units[0];
        unit.unit_root = unit.expected_root();
        self.manifest.submission_root = self.manifest.expected_root();
        let bytes = self.manifest.to_canonical_bytes().unwrap();
        fs_err::write(self.folder.join("manifest.json"), bytes).unwrap();
    }
}

/// Writes a file; its length and digest.
pub(super) fn sealed(file: &[u8], path: &Path) -> (Bytes, Sha256Digest) {
    let mut digesting = DigestingWriter::new(std::io::sink());
    std::io::Write::write_all(&mut digesting, file).unwrap();
    fs_err::write(path, file).unwrap();
    let (_, digested) = digesting.finish();
    (Bytes(digested.bytes), digested.sha256)
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs_err::copy(entry.path(), target).unwrap();
        }
    }
}
