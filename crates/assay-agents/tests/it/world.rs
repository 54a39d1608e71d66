//! A small subnet in this process: a chain that makes a block when told to, archives of our own pages, and its agents.

use std::path::{Path, PathBuf};

use assay_agents::localnet::localnet_params;
use assay_agents::miner::{Conduct, Miner, MinerOptions};
use assay_agents::subnet::{About, ActiveRecipe, Archives, Rounds, Setup, Signer, SubnetFile};
use assay_agents::validator::{PrivateAudit, Validator, ValidatorOptions, Worker};
use assay_chain::embedded::{Clock, EmbeddedChain, Genesis, Node, NodeOptions};
use assay_chain::{At, Call, Chain as _};
use assay_hub::store::StoreOptions;
use assay_refine::warc::{Page, PageRecords, WarcWriter};
use assay_types::recipe::{Step, builtin};
use assay_types::{
    BlockNumber, Bytes, Coldkey, Hotkey, NetUid, ParamSet, Q32, Rao, Recipe, RepoName, Round, WorkUnit,
    corpus_index_root, hex, tagged_hash,
};
use subxt_signer::SecretUri;
use subxt_signer::sr25519::{Keypair, dev};

pub(crate) const NETUID: NetUid = NetUid(1);
const TAO: u64 = 1_000_000_000;
const UNITS: usize = 80;

pub(crate) fn key(name: &str) -> Keypair {
    let uri: SecretUri = format!("//{name}").parse().unwrap();
    Keypair::from_uri(&uri).unwrap()
}

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) node: Node,
    pub(crate) chain: EmbeddedChain,
    pub(crate) setup: Setup,
}

impl World {
    /// A subnet whose round 0 starts soon, with these hotkeys registered and validators staked.
    pub(crate) async fn new(miners: &[&str], validators: &[&str]) -> Self {
        Self::over(miners, validators, (recipe(), fill)).await
    }

    /// A subnet with this recipe whose archives `fill` puts into a folder.
    pub(crate) async fn over(
        miners: &[&str],
        validators: &[&str],
        (recipe, fill): (Recipe, impl FnOnce(&Path) -> Vec<WorkUnit>),
    ) -> Self {
        Self::with_params(miners, validators, (recipe, fill), &[]).await
    }

    /// The same with other parameters than a localnet's.
    pub(crate) async fn with_params(
        miners: &[&str],
        validators: &[&str],
        work: (Recipe, impl FnOnce(&Path) -> Vec<WorkUnit>),
        params: &[(&str, u64)],
    ) -> Self {
        Self::with_clock((miners, validators), work, params, Clock::Instant).await
    }

    /// The same with blocks that are made only by [`Node::seal`], and whose hashes follow from their numbers.
    pub(crate) async fn stepped(miners: &[&str], validators: &[&str]) -> Self {
        Self::with_clock((miners, validators), (recipe(), fill), &[], Clock::Manual).await
    }

    async fn with_clock(
        (miners, validators): (&[&str], &[&str]),
        (recipe, fill): (Recipe, impl FnOnce(&Path) -> Vec<WorkUnit>),
        params: &[(&str, u64)],
        clock: Clock,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let everybody: Vec<&str> = miners
            .iter()
            .chain(validators)
            .copied()
            .chain(["owner"])
            .collect();
        let cold = |name: &str| key(&format!("{name}-cold"));
        let genesis = Genesis {
            root: Some(Coldkey(dev::alice().public_key().0)),
            accounts: everybody
                .iter()
                .map(|name| (Coldkey(cold(name).public_key().0), Rao(100_000 * TAO)))
                .collect(),
            network_rate_limit_blocks: 0,
            block_seed: Some(tagged_hash("assay/test/blocks", &[])),
            ..Genesis::default()
        };
        let options = NodeOptions {
            genesis: genesis.clone(),
            clock,
            ..NodeOptions::default()
        };
        let node = Node::start(&options).await.unwrap();
        let chain = EmbeddedChain::from(node.clone());
        populate(&node, miners, validators).await;
        let first = chain.head(At::Head).await.unwrap().number.0 + 220;
        let archives = folder.path().join("archives");
        std::fs::create_dir_all(&archives).unwrap();
        let corpus = fill(&archives);
        let mut set = localnet_params(first, corpus_index_root(&corpus));
        for (name, value) in params {
            set.values.set(name, *value).unwrap();
        }
        let setup = write_subnet(folder.path(), &genesis, &set, (recipe, corpus));
        Self {
            folder,
            node,
            chain,
            setup,
        }
    }

    pub(crate) fn miner(&self, name: &str, conduct: Conduct) -> Miner<'_> {
        Miner::open(&self.chain, &self.setup, self.miner_options(name, conduct)).unwrap()
    }

    pub(crate) fn miner_options(&self, name: &str, conduct: Conduct) -> MinerOptions {
        MinerOptions {
            folder: self.folder.path().join(name),
            signer: Signer(key(name)),
            want: 4,
            threads: 1,
            recipe: None,
            conduct,
        }
    }

    pub(crate) fn validator(&self, name: &str) -> Validator<'_> {
        Validator::open(&self.chain, &self.setup, self.validator_options(name)).unwrap()
    }

    pub(crate) fn validator_options(&self, name: &str) -> ValidatorOptions {
        ValidatorOptions {
            folder: self.folder.path().join(name),
            signer: Signer(key(name)),
            worker: Worker::Here,
            private: PrivateAudit::default(),
        }
    }

    pub(crate) async fn head(&self) -> BlockNumber {
        self.chain.head(At::Head).await.unwrap().number
    }

    /// The subnet's rounds on the chain.
    pub(crate) fn rounds(&self) -> Rounds<'_> {
        Rounds {
            chain: &self.chain,
            netuid: NETUID,
            clock: self.setup.clock,
        }
    }

    /// What a validator's batch on round 0 must be about.
    pub(crate) fn about(&self, validator: &str) -> About {
        About {
            netuid: NETUID,
            params: self.setup.params_digest,
            validator: hotkey(validator),
            round: Round(0),
        }
    }

    /// The block at which weights made of `round` have been counted.
    pub(crate) fn end(&self, round: u32) -> BlockNumber {
        BlockNumber(self.setup.clock.effective_block(Round(round)).0 + 3 * 180)
    }
}

/// A recipe that keeps the pages of [`fill`].
pub(crate) fn recipe() -> Recipe {
    let mut recipe = builtin("fineweb-en-v1-nolang").unwrap();
    recipe.steps.retain(|step| matches!(step, Step::Minhash(_)));
    recipe
}

/// Archives of pages whose words nobody else's pages have.
pub(crate) fn fill(archives: &Path) -> Vec<WorkUnit> {
    (0..UNITS).map(|number| write_unit(archives, number)).collect()
}

pub(crate) fn hotkey(name: &str) -> Hotkey {
    Hotkey(key(name).public_key().0)
}

/// Where a miner publishes its first round.
pub(crate) fn repo(name: &str) -> RepoName {
    let head = hex::encode(&hotkey(name).0[..16]);
    RepoName::parse(&format!("m-{head}/r0")).unwrap()
}

/// The folder of a miner's first public revision.
pub(crate) fn revision(world: &World, name: &str) -> PathBuf {
    let folder = world.folder.path().join("store").join(repo(name).as_str());
    std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.'))
        .unwrap()
}

/// The subnet, its owner's settings, and everybody on it.
async fn populate(node: &Node, miners: &[&str], validators: &[&str]) {
    let cold = |name: &str| key(&format!("{name}-cold"));
    let chain = EmbeddedChain::from(node.clone());
    // A block for each, and one more where blocks are made by transactions.
    let send = async |call: Call, signer: Keypair| {
        chain.send(&call, &signer).await.unwrap();
        node.seal(1).await.unwrap();
    };
    let owner = Call::RegisterNetwork {
        hotkey: hotkey("owner"),
        identity: None,
    };
    send(owner, cold("owner")).await;
    for (name, value) in [
        ("tempo", 180),
        ("weights_rate_limit", 20),
        ("reveal_period_epochs", 2),
    ] {
        let call = Call::SetHyperparameter {
            netuid: NETUID,
            name: name.to_owned(),
            value,
        };
        send(call, dev::alice()).await;
    }
    send(Call::StartCall { netuid: NETUID }, cold("owner")).await;
    for name in miners.iter().chain(validators) {
        let call = Call::Register {
            netuid: NETUID,
            hotkey: hotkey(name),
            limit_price: Rao(u64::MAX),
        };
        send(call, cold(name)).await;
    }
    for name in validators {
        let (hotkey, amount) = (hotkey(name), Rao(10_000 * TAO));
        let netuid = NETUID;
        send(
            Call::AddStake {
                hotkey,
                netuid,
                amount,
            },
            cold(name),
        )
        .await;
    }
}

fn write_subnet(
    folder: &Path,
    genesis: &Genesis,
    params: &ParamSet,
    (recipe, corpus): (Recipe, Vec<WorkUnit>),
) -> Setup {
    let archives = folder.join("archives");
    let file = SubnetFile {
        netuid: NETUID,
        genesis: genesis.hash(),
        params: params.to_canonical(),
        archives: Archives::from(archives.as_path()),
        store: folder.join("store").to_string_lossy().into_owned(),
        corpus,
        recipes: vec![ActiveRecipe {
            toml: recipe.to_canonical(),
            gain: Q32::ONE,
        }],
        duels: None,
    };
    let path: PathBuf = folder.join("subnet.json");
    std::fs::write(&path, serde_json::to_vec(&file).unwrap()).unwrap();
    Setup::load(&path, &StoreOptions::default()).unwrap()
}

/// An archive of eight pages whose words nobody else's pages have.
fn write_unit(archives: &Path, number: usize) -> WorkUnit {
    let name = format!("unit-{number:03}.warc.gz");
    let mut writer = WarcWriter::new(Vec::new());
    for page in 0..8 {
        let words: Vec<String> = (0..120_u32)
            .map(|word| {
                let place = [number as u32, page, word].map(u32::to_le_bytes).concat();
                let digest = tagged_hash("assay/test/word", &[&place]);
                digest
                    .0
                    .iter()
                    .take(6)
                    .map(|byte| char::from(b'a' + byte % 26))
                    .collect()
            })
            .collect();
        let lines: Vec<String> = words
            .chunks(12)
            .map(|line| format!("<p>{}.</p>", line.join(" ")))
            .collect();
        let html = format!(
            "<html><title>{page}</title><body><article>{}</article></body></html>",
            lines.concat()
        );
        let page = Page {
            uri: &format!("https://example.org/{number}/{page}"),
            date: "2026-01-01T00:00:00Z",
            content_type: "text/html; charset=utf-8",
            body: html.as_bytes(),
        };
        writer.page(page, PageRecords::Response).unwrap();
    }
    let bytes = writer.finish().unwrap();
    std::fs::write(archives.join(&name), &bytes).unwrap();
    WorkUnit::new("file", &name, Bytes(bytes.len() as u64)).unwrap()
}
