//! Submissions made to harm: each is refused or found at fault for its reason, and nobody else's round suffers.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use assay_agents::miner::{Conduct, Stage};
use assay_hub::store::{Body, LocalStore, ObjectPath, Publication, Store as _};
use assay_types::{Bytes, Digest, Manifest, RepoName, Revision, Round, Sha256Digest, Tokens, Verdict, hex};
use sha2::{Digest as _, Sha256};

use crate::world::{World, hotkey, key, repo, revision};

/// What is done to a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attack {
    /// Nothing.
    None,
    /// A documents file that claims a footer of 2 GiB.
    HugeFooter,
    /// Documents of which each inflates to 16 MiB of one letter.
    Bomb,
    /// Ten thousand tokens more than there are.
    CountLie,
    /// A file outside the submission.
    PathTrick,
    /// A pointer to a revision that does not exist.
    WrongRevision,
    /// Another manifest than the one committed.
    WrongRoot,
    /// A file changed once it was public.
    Changed,
    /// Taken away once the pointer was on the chain.
    Deleted,
}

const ATTACKS: [(&str, Attack); 9] = [
    ("honest", Attack::None),
    ("footer", Attack::HugeFooter),
    ("bomb", Attack::Bomb),
    ("liar", Attack::CountLie),
    ("climber", Attack::PathTrick),
    ("elsewhere", Attack::WrongRevision),
    ("swapper", Attack::WrongRoot),
    ("changer", Attack::Changed),
    ("eraser", Attack::Deleted),
];

/// A miner's files, refined and about to be committed.
struct Submission<'a> {
    world: &'a World,
    name: &'static str,
    data: PathBuf,
    manifest: Manifest,
}

impl<'a> Submission<'a> {
    fn open(world: &'a World, name: &'static str) -> Self {
        let data = world.folder.path().join(name).join("rounds/0/data");
        let manifest = Manifest::parse(&std::fs::read(data.join("manifest.json")).unwrap()).unwrap();
        Self {
            world,
            name,
            data,
            manifest,
        }
    }

    fn repo(&self) -> RepoName {
        repo(self.name)
    }

    /// Replaces a unit's documents.
    fn docs(&mut self, bytes: &[u8]) {
        let docs = &mut self.manifest.units[0].docs[0];
        std::fs::write(self.data.join(&docs.path), bytes).unwrap();
        docs.bytes = Bytes(bytes.len() as u64);
        docs.sha256 = Sha256Digest(Sha256::digest(bytes).into());
    }

    /// Makes roots and the owner's signature fit, publishes, and commits to that instead.
    async fn publish(mut self) {
        for unit in &mut self.manifest.units {
            unit.unit_root = unit.expected_root();
        }
        self.manifest.submission_root = self.manifest.expected_root();
        let bytes = self.manifest.to_canonical_bytes().unwrap();
        std::fs::write(self.data.join("manifest.json"), &bytes).unwrap();
        std::fs::write(self.data.join("OWNER.sig"), self.signature()).unwrap();
        let mut publication = Publication::folder(self.repo(), &self.data, path("manifest.json")).unwrap();
        publication = publication.with(path("manifest.json"), Body::Bytes(bytes.into()));
        let store = LocalStore::new(self.world.folder.path().join("store"));
        let revision = store.publish(&publication).await.unwrap();
        self.commit_to(revision, self.manifest.submission_root);
    }

    fn signature(&self) -> String {
        let manifest = &self.manifest;
        let message = [
            b"assay/owner/1\0".as_slice(),
            &manifest.netuid.0.to_le_bytes(),
            &manifest.round.0.to_le_bytes(),
            manifest.hotkey.as_bytes(),
            manifest.submission_root.as_bytes(),
        ]
        .concat();
        hex::encode(&key(self.name).sign(&message).0)
    }

    /// Changes what the miner is about to commit.
    fn commit_to(&self, revision: Revision, root: Digest) {
        let path = self.data.parent().unwrap().join("journal.json");
        let mut journal: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        journal["revision"] = serde_json::to_value(revision).unwrap();
        journal["submission_root"] = serde_json::to_value(root).unwrap();
        std::fs::write(path, serde_json::to_vec(&journal).unwrap()).unwrap();
    }
}

fn path(text: &str) -> ObjectPath {
    ObjectPath::parse(text).unwrap()
}

/// Documents with the columns of ours, each text 16 MiB of one letter: small in the file, large in memory.
fn bomb(docs: &[u8]) -> Vec<u8> {
    use arrow_array::{ArrayRef, RecordBatch, StringArray};
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::basic::{Compression, ZstdLevel};
    use parquet::file::properties::WriterProperties;
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::copy_from_slice(docs)).unwrap();
    let batch = builder.build().unwrap().next().unwrap().unwrap();
    let text = "a".repeat(1 << 24);
    let schema = batch.schema();
    let columns = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| {
            let bombed: ArrayRef =
                std::sync::Arc::new(StringArray::from(vec![text.as_str(); batch.num_rows()]));
            let column = if field.name() == "text" {
                bombed
            } else {
                column.clone()
            };
            (field.name().clone(), column)
        });
    let bombed = RecordBatch::try_from_iter(columns.collect::<Vec<_>>()).unwrap();
    let compressed = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), bombed.schema(), Some(compressed)).unwrap();
    writer.write(&bombed).unwrap();
    writer.into_inner().unwrap()
}

/// Does what can be done before the commitment.
async fn before_commitment(world: &World, name: &'static str, attack: Attack) {
    let mut forged = Submission::open(world, name);
    let docs = forged.data.join(&forged.manifest.units[0].docs[0].path);
    match attack {
        Attack::HugeFooter => {
            let mut bytes = std::fs::read(docs).unwrap();
            let end = bytes.len();
            bytes[end - 8..end - 4].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
            forged.docs(&bytes);
        }
        Attack::Bomb => forged.docs(&bomb(&std::fs::read(docs).unwrap())),
        Attack::CountLie => {
            let unit = &mut forged.manifest.units[0];
            unit.n_tokens = Tokens(unit.n_tokens.0 + 10_000);
        }
        Attack::PathTrick => forged.manifest.units[0].docs[0].path = "../../../secret".to_owned(),
        Attack::WrongRevision => {
            return forged.commit_to(Revision([7; 20]), forged.manifest.submission_root);
        }
        Attack::WrongRoot => {
            let journal = forged.data.parent().unwrap().join("journal.json");
            let journal: serde_json::Value =
                serde_json::from_slice(&std::fs::read(journal).unwrap()).unwrap();
            let revision = serde_json::from_value(journal["revision"].clone()).unwrap();
            return forged.commit_to(revision, Digest([9; 32]));
        }
        Attack::None | Attack::Changed | Attack::Deleted => return,
    }
    forged.publish().await;
}

/// Does what can be done to a public revision.
fn once_public(world: &World, name: &str, attack: Attack) {
    let revision = revision(world, name);
    let writable = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    writable(&revision, 0o755);
    match attack {
        Attack::Changed => {
            let manifest = revision.join("manifest.json");
            let mut bytes = std::fs::read(&manifest).unwrap();
            let at = bytes.iter().position(u8::is_ascii_digit).unwrap();
            bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
            writable(&manifest, 0o644);
            std::fs::write(manifest, bytes).unwrap();
        }
        Attack::Deleted => std::fs::remove_dir_all(revision).unwrap(),
        _ => {}
    }
}

/// Everybody filed something, and it is what the attack says: who did not show up is told apart from who was refused.
async fn check_filed(world: &World) {
    let rounds = world.rounds();
    let store = LocalStore::new(world.folder.path().join("store"));
    for (name, attack) in ATTACKS {
        let pointer = rounds.pointer(Round(0), &hotkey(name)).await.unwrap();
        let pointer = pointer.unwrap_or_else(|refusal| panic!("{name} committed nothing: {refusal}"));
        let bytes = match store.open(&pointer.repo, &pointer.revision).await {
            Ok(view) => view.get(&path("manifest.json"), 1 << 22).await.ok(),
            Err(_) => None,
        };
        let manifest = bytes.as_ref().map(|bytes| Manifest::parse(bytes));
        let is_as_filed = match attack {
            Attack::WrongRevision => pointer.revision == Revision([7; 20]) && bytes.is_none(),
            Attack::WrongRoot => {
                let found = manifest.unwrap().unwrap();
                found.submission_root != pointer.submission_root
            }
            Attack::PathTrick => manifest
                .unwrap()
                .is_err_and(|error| error.to_string().contains("path")),
            // The store notices other bytes, or that there are none.
            Attack::Changed | Attack::Deleted => bytes.is_none(),
            Attack::None | Attack::HugeFooter | Attack::Bomb | Attack::CountLie => {
                manifest.unwrap().unwrap().submission_root == pointer.submission_root
            }
        };
        assert!(is_as_filed, "{name}: {pointer:?}");
    }
}

#[tokio::test]
async fn each_hostile_submission_is_refused_for_its_reason() {
    let world = World::new(&ATTACKS.map(|(name, _)| name), &["validator"]).await;
    let mut miners = ATTACKS.map(|(name, _)| world.miner(name, Conduct::Honest));
    let mut validator = world.validator("validator");
    for miner in &mut miners {
        assert!(miner.join().await.unwrap());
    }
    let clock = world.setup.clock;
    let (mut forged, mut spoiled, mut filed) = (false, false, false);
    while world.head().await <= clock.effective_block(Round(0)) {
        world.node.seal(2).await.unwrap();
        for (miner, (_, attack)) in miners.iter_mut().zip(ATTACKS) {
            let stepped = miner.step(world.head().await).await;
            // Who forges stumbles over it: there is no revision to open.
            assert!(stepped.is_ok() || attack == Attack::WrongRevision, "{stepped:?}");
        }
        let block = world.head().await;
        let journals = assay_agents::miner::RoundJournal::all(&world.folder.path().join("honest")).unwrap();
        let is_published = journals
            .first()
            .is_some_and(|journal| journal.stage == Stage::Published);
        if !forged && is_published {
            forged = true;
            for (name, attack) in ATTACKS {
                before_commitment(&world, name, attack).await;
            }
        }
        if !spoiled && block.0 >= clock.publish_end(Round(0)).0 - 4 {
            spoiled = true;
            once_public(&world, "changer", Attack::Changed);
            once_public(&world, "eraser", Attack::Deleted);
        }
        // While the chain still keeps the states of that window.
        if !filed && block > clock.publish_end(Round(0)) {
            filed = true;
            check_filed(&world).await;
        }
        validator.step(block).await.unwrap();
    }
    assert!(forged && spoiled && filed);
    let results = validator.tracker().results(Round(0)).unwrap();
    for (name, attack) in ATTACKS {
        let found = results.iter().find(|one| one.hotkey == hotkey(name)).unwrap();
        let faults: Vec<&str> = found.faults.iter().map(|fault| fault.kind.name()).collect();
        let (verdict, fault) = match attack {
            Attack::None => (Verdict::Pass, None),
            Attack::HugeFooter | Attack::Bomb => (Verdict::OneFault, Some("unreadable")),
            Attack::CountLie => (Verdict::OneFault, Some("count_lied")),
            Attack::PathTrick
            | Attack::WrongRevision
            | Attack::WrongRoot
            | Attack::Changed
            | Attack::Deleted => (Verdict::NoShow, None),
        };
        assert_eq!(faults.first().copied(), fault, "{name}: {faults:?}");
        assert_eq!(found.passed.is_empty(), attack != Attack::None, "{name}");
        let fraud = faults.len() > 1;
        assert_eq!(
            found.verdict,
            if fraud { Verdict::Fraud } else { verdict },
            "{name}"
        );
    }
}
