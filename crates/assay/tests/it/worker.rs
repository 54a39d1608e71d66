//! `assay worker audit` on files made to harm: each is a fault, found by a process that stays below a gibibyte.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use assay_agents::localnet::localnet_params;
use assay_agents::subnet::Archives;
use assay_agents::validator::{AuditJob, Audited};
use assay_hub::OpenOptions;
use assay_refine::output::LedgerWriter;
use assay_types::recipe::builtin;
use assay_types::{
    Bytes, Decision, Digest, Digest16, FaultKind, LOCAL_MANIFEST_BYTES_MAX, LedgerRow, Manifest, Reason,
    Sha256Digest, WorkUnit, corpus_index_root,
};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::pages;
use crate::support::{assay, folder, held_kb, line};

/// What a worker may use, kB.
const MEMORY_KB_MAX: u64 = 1 << 20;

/// A dataset of one unit, and how it is audited.
struct Scene {
    folder: tempfile::TempDir,
    manifest: Manifest,
    archive_bytes: u64,
}

impl Scene {
    fn new() -> Self {
        let folder = folder();
        let archives = folder.path().join("archives");
        std::fs::create_dir(&archives).unwrap();
        let archive = pages::archive(&archives, "00.warc.gz", 0, 6);
        let data = folder.path().join("data");
        line(
            "refine {} --out {} -q --recipe fineweb-en-v1-nolang",
            &[&archive, &data],
        )
        .with_code(0);
        let bytes = std::fs::read(data.join("manifest.json")).unwrap();
        Self {
            manifest: Manifest::parse_within(&bytes, LOCAL_MANIFEST_BYTES_MAX).unwrap(),
            archive_bytes: std::fs::metadata(archive).unwrap().len(),
            folder,
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Files the manifest as it is now, with roots that fit.
    fn file(&mut self) {
        for unit in &mut self.manifest.units {
            unit.unit_root = unit.expected_root();
        }
        self.manifest.submission_root = self.manifest.expected_root();
        let bytes = self.manifest.to_canonical_bytes().unwrap();
        std::fs::write(self.data().join("manifest.json"), bytes).unwrap();
    }

    /// Replaces the unit's documents.
    fn docs(&mut self, bytes: &[u8]) {
        let docs = &mut self.manifest.units[0].docs[0];
        std::fs::write(self.folder.path().join("data").join(&docs.path), bytes).unwrap();
        (docs.bytes, docs.sha256) = named(bytes);
        self.file();
    }

    /// Replaces the unit's ledger.
    fn ledger(&mut self, bytes: &[u8]) {
        let ledger = &mut self.manifest.units[0].ledger;
        std::fs::write(self.folder.path().join("data").join(&ledger.path), bytes).unwrap();
        (ledger.bytes, ledger.sha256) = named(bytes);
        self.file();
    }

    fn old_docs(&self) -> Vec<u8> {
        std::fs::read(self.data().join(&self.manifest.units[0].docs[0].path)).unwrap()
    }

    fn job(&self) -> AuditJob {
        let unit = WorkUnit::new("file", "00.warc.gz", Bytes(self.archive_bytes)).unwrap();
        let units = vec![unit];
        AuditJob {
            folder: self.data(),
            archives: Archives::from(self.folder.path().join("archives").as_path()),
            open: OpenOptions::default(),
            audited: 1,
            seed: Digest([3; 32]),
            params: localnet_params(0, corpus_index_root(&units)).to_canonical(),
            recipes: vec![builtin("fineweb-en-v1-nolang").unwrap().to_canonical()],
            units,
            show: false,
        }
    }

    /// What a worker finds, and the most memory it held, kB.
    fn audit(&self) -> (Audited, u64) {
        let mut child = assay(["worker", "audit"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let proc = PathBuf::from(format!("/proc/{}", child.id()));
        let question = serde_json::to_vec(&self.job()).unwrap();
        child.stdin.take().unwrap().write_all(&question).unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let answer = std::thread::spawn(move || {
            let mut answer = Vec::new();
            stdout.read_to_end(&mut answer).unwrap();
            answer
        });
        let (mut peak, mut limit) = (0, None);
        let status = loop {
            peak = peak.max(held_kb(&proc).unwrap_or_default());
            limit = limit.max(address_space(&proc));
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        };
        assert!(status.success(), "{status}");
        assert!(
            peak > 0 && limit == Some(MEMORY_KB_MAX << 10),
            "{peak} kB, {limit:?}"
        );
        (serde_json::from_slice(&answer.join().unwrap()).unwrap(), peak)
    }
}

fn named(bytes: &[u8]) -> (Bytes, Sha256Digest) {
    use sha2::Digest as _;
    (
        Bytes(bytes.len() as u64),
        Sha256Digest(sha2::Sha256::digest(bytes).into()),
    )
}

/// The limit on address space, bytes; none while there is none.
fn address_space(proc: &Path) -> Option<u64> {
    let limits = std::fs::read_to_string(proc.join("limits")).ok()?;
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max address space"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

/// The documents with other texts, written as the settings say.
fn rewritten(docs: &[u8], rows: usize, text: &str, settings: WriterProperties) -> Vec<u8> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(docs).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let batch = reader.build().unwrap().next().unwrap().unwrap();
    let (first, schema) = (batch.slice(0, 1), batch.schema());
    let columns = schema
        .fields()
        .iter()
        .zip(first.columns())
        .map(|(field, column)| {
            let texts: ArrayRef = std::sync::Arc::new(StringArray::from(vec![text]));
            let column = if field.name() == "text" {
                texts
            } else {
                column.clone()
            };
            (field.name().clone(), column)
        });
    let row = RecordBatch::try_from_iter(columns.collect::<Vec<_>>()).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), row.schema(), Some(settings)).unwrap();
    for _ in 0..rows {
        writer.write(&row).unwrap();
    }
    writer.into_inner().unwrap()
}

#[test]
fn files_made_to_harm_are_faults_and_the_worker_stays_below_a_gibibyte() {
    let mut scene = Scene::new();
    let (honest, peak) = scene.audit();
    assert_eq!(honest.faults, []);
    assert!(!honest.probes.is_empty() && peak < MEMORY_KB_MAX, "{peak} kB");
    println!("honest: {peak} kB");
    let (docs, old) = (scene.old_docs(), scene.manifest.clone());
    let zstd = || WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()));
    let mut huge_footer = docs.clone();
    let end = huge_footer.len();
    huge_footer[end - 8..end - 4].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    let cases = [
        // 384 MiB of one letter in some kilobytes.
        ("bomb", rewritten(&docs, 24, &"a".repeat(1 << 24), zstd().build())),
        ("footer", huge_footer),
        (
            "groups",
            rewritten(
                &docs,
                10_000,
                "a",
                zstd().set_max_row_group_row_count(Some(1)).build(),
            ),
        ),
    ];
    for (name, bytes) in cases {
        scene.docs(&bytes);
        let (found, peak) = scene.audit();
        println!("{name}: {} bytes, {peak} kB, {:?}", bytes.len(), found.faults);
        assert_eq!(
            found.faults[0].kind,
            FaultKind::Unreadable,
            "{name}: {:?}",
            found.faults
        );
        assert!(peak < MEMORY_KB_MAX, "{name}: {peak} kB");
    }
    scene.manifest = old;
    scene.docs(&docs);
    scene.manifest.units[0].n_records = u32::MAX;
    scene.ledger(&long_ledger());
    let (found, peak) = scene.audit();
    println!("ledger: {peak} kB, {:?}", found.faults);
    assert_eq!(found.faults[0].kind, FaultKind::Unreadable, "{:?}", found.faults);
    assert!(peak < MEMORY_KB_MAX / 2, "no row of it was read: {peak} kB");
}

/// A ledger of more rows than any archive has, whose manifest says even more.
fn long_ledger() -> Vec<u8> {
    let mut writer = LedgerWriter::new(Vec::new()).unwrap();
    for idx in 0..1_200_000_u32 {
        let digest = assay_types::blake3_16(&idx.to_le_bytes());
        let row = LedgerRow {
            idx,
            offset: u64::from(idx) * 100,
            length: 100,
            record_digest: digest,
            decision: Decision::Drop,
            reason: Reason::Empty,
            dup_of: None,
            text_hash: Digest16([0; 16]),
            n_tokens: 0,
        };
        writer.push(row).unwrap();
    }
    writer.finish().unwrap()
}
