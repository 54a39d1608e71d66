//! What a localnet starts from: units, keys, genesis, registrations, the subnet's file.

use std::path::PathBuf;
use std::time::Duration;

use assay_chain::embedded::{EmbeddedChain, Genesis};
use assay_chain::wallet::{KeyName, KeyPair, Overwrite, Scheme, WalletError, Wallets};
use assay_chain::{At, Call, Chain as _};
use assay_types::recipe::{Step, builtin};
use assay_types::{
    Coldkey, Digest, Hotkey, NetUid, ParamSet, ParamValues, Q32, Rao, Recipe, WorkUnit, corpus_index_root,
    tagged_hash,
};
use fs_err as fs;
use subxt_signer::sr25519::{Keypair, dev};

use super::corpus::cut;
use super::duel::{Offering, challenger, plain, set_aside, with_duel};
use super::processes::network;
use super::{LocalnetOptions, Role};
use crate::api::{ClientOptions, TaskApi};
use crate::local::write_atomically;
use crate::subnet::{ActiveRecipe, AgentError, Archives, DuelRules, SubnetFile};

/// Blocks between epochs.
pub(super) const TEMPO_BLOCKS: u32 = 180;

/// Blocks between the last registration and round 0: an epoch gives permits, and everybody asks to join.
const SETTLING_BLOCKS: u32 = TEMPO_BLOCKS + 40;

/// Rounds that are assigned while the last one is still being settled and paid.
const ROUNDS_BEHIND: u64 = 4;

/// Units beside those that can be given out: the draw of reserved ones is not even.
const UNITS_SPARE: u64 = 16;

/// Longest wait for the Task API.
const API_TIME_MAX: Duration = Duration::from_secs(5);

/// What each coldkey starts with, rao.
const COLDKEY_RAO: Rao = Rao(100_000_000_000_000);

/// What each validator stakes, rao.
const STAKE_RAO: Rao = Rao(10_000_000_000_000);

/// `g` of the second recipe: 1 % fewer bits than the anchor's, which is assumed here and measured by a duel elsewhere.
const SECOND_GAIN: Q32 = Q32(4_724_463_980);

/// Somebody with keys and a process.
#[derive(Debug)]
pub(super) struct Person {
    /// Name of the wallet, the log and the row of the summary.
    pub(super) name: String,
    /// Kind of miner; none for a validator.
    pub(super) role: Option<Role>,
    /// The hotkey.
    pub(super) hotkey: Hotkey,
    coldkey: Keypair,
}

/// Who wants the throne, and how that is measured.
#[derive(Debug)]
struct Contest {
    rules: DuelRules,
    author: Person,
    anchor: Recipe,
    challenger: Recipe,
}

/// Everything before the first block.
#[derive(Debug)]
pub(super) struct World {
    pub(super) corpus: Vec<WorkUnit>,
    pub(super) pages: usize,
    pub(super) miners: Vec<Person>,
    pub(super) validators: Vec<Person>,
    /// Who signs the Task API's answers; no neuron.
    pub(super) server: Person,
    pub(super) wallets: PathBuf,
    pub(super) genesis_path: PathBuf,
    genesis: Genesis,
    owner: Person,
    contest: Option<Contest>,
    netuid: NetUid,
    first_block: u32,
}

impl World {
    /// Cuts units, makes keys, writes wallets and genesis.
    pub(super) fn new(options: &LocalnetOptions) -> Result<Self, AgentError> {
        let folder = &options.folder;
        let is_used = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
        if is_used {
            let reason = "it is not empty; give another with --dir";
            return Err(AgentError::invalid(folder, reason));
        }
        fs::create_dir_all(folder).map_err(AgentError::file(folder))?;
        let place = folder.join("archives");
        let (mut corpus, pages) = cut(&place, (&options.archives, &options.open), units_wanted(options))?;
        let wallets = folder.join("wallets");
        let keys = Keys {
            seed: options.seed,
            wallets: Wallets::new(&wallets),
        };
        let miners = options
            .cast
            .miners()
            .map(|(role, name)| keys.person(name, Some(role)))
            .collect::<Result<Vec<_>, _>>()?;
        let validators = (1..=options.validators)
            .map(|number| keys.person(format!("validator-{number}"), None))
            .collect::<Result<Vec<_>, _>>()?;
        let owner = keys.person("owner".to_owned(), None)?;
        let server = keys.person("server".to_owned(), None)?;
        let mut contest = None;
        if let (true, Some(anchor)) = (options.duel, localnet_anchor()) {
            let (left, rules) = set_aside(folder, corpus, &anchor)?;
            corpus = left;
            contest = Some(Contest {
                rules,
                author: keys.person("author-1".to_owned(), None)?,
                challenger: challenger(&anchor),
                anchor,
            });
        }
        let author = contest.iter().map(|contest| &contest.author);
        let everybody = miners.iter().chain(&validators).chain([&owner]).chain(author);
        let genesis = Genesis {
            beacon_seed: keys.digest("beacon"),
            block_seed: Some(keys.digest("blocks")),
            accounts: everybody
                .map(|person| (Coldkey(person.coldkey.public_key().0), COLDKEY_RAO))
                .collect(),
            root: Some(Coldkey(dev::alice().public_key().0)),
            network_rate_limit_blocks: 0,
            ..Genesis::default()
        };
        let genesis_path = folder.join("genesis.json");
        let bytes =
            serde_json::to_vec_pretty(&genesis).map_err(|error| AgentError::invalid(&genesis_path, error))?;
        write_atomically(&genesis_path, &bytes)?;
        Ok(Self {
            corpus,
            pages,
            miners,
            validators,
            server,
            wallets,
            genesis_path,
            genesis,
            owner,
            contest,
            netuid: NetUid(1),
            first_block: 0,
        })
    }

    /// Registers the subnet and everybody on it, and gives validators stake.
    pub(super) async fn settle_in(&mut self, chain: &EmbeddedChain) -> Result<(), AgentError> {
        let owner = Call::RegisterNetwork {
            hotkey: self.owner.hotkey,
            identity: None,
        };
        chain.submit(&owner, &self.owner.coldkey).await?;
        let netuid = self.netuid;
        for (name, value) in [
            ("tempo", u64::from(TEMPO_BLOCKS)),
            ("weights_rate_limit", 20),
            ("reveal_period_epochs", 2),
            ("immunity_period", 2_520),
            ("burn_max", 1_000_000_000),
        ] {
            let call = Call::SetHyperparameter {
                netuid,
                name: name.to_owned(),
                value,
            };
            chain.submit(&call, &dev::alice()).await?;
        }
        chain
            .submit(&Call::StartCall { netuid }, &self.owner.coldkey)
            .await?;
        let author = self.contest.iter().map(|contest| &contest.author);
        for person in self.miners.iter().chain(&self.validators).chain(author) {
            let call = Call::Register {
                netuid,
                hotkey: person.hotkey,
                limit_price: Rao(u64::MAX),
            };
            chain.submit(&call, &person.coldkey).await?;
        }
        for person in &self.validators {
            let call = Call::AddStake {
                hotkey: person.hotkey,
                netuid,
                amount: STAKE_RAO,
            };
            chain.submit(&call, &person.coldkey).await?;
        }
        self.first_block = chain.head(At::Head).await?.number.0 + SETTLING_BLOCKS;
        Ok(())
    }

    /// A client of the Task API at an address, for looking on.
    pub(super) fn client(&self, url: &str) -> Result<TaskApi, AgentError> {
        let unexpected = |reason: String| AgentError::Unexpected {
            what: "task API",
            reason,
        };
        let key = KeyPair::from_seed(&self.genesis.beacon_seed.0, Scheme::Sr25519)
            .map_err(|error| unexpected(error.to_string()))?;
        let options = ClientOptions {
            url: url.to_owned(),
            server: self.server.hotkey,
            time_max: API_TIME_MAX,
        };
        TaskApi::new(&options, key).map_err(|error| unexpected(error.to_string()))
    }

    /// Writes the subnet's file; gives its path.
    pub(super) fn write_subnet(&self, options: &LocalnetOptions) -> Result<PathBuf, AgentError> {
        let mut params = localnet_params(self.first_block, corpus_index_root(&self.corpus));
        let mut recipes = localnet_recipes();
        if let Some(contest) = &self.contest {
            recipes = vec![ActiveRecipe {
                toml: contest.anchor.to_canonical(),
                gain: Q32::ONE,
            }];
            params.values = with_duel(&params.values, options.validators);
        }
        let file = SubnetFile {
            netuid: self.netuid,
            genesis: self.genesis.hash(),
            params: params.to_canonical(),
            archives: Archives::from(options.folder.join("archives").as_path()),
            store: options.folder.join("store").to_string_lossy().into_owned(),
            corpus: self.corpus.clone(),
            recipes,
            duels: self.contest.as_ref().map(|contest| contest.rules.clone()),
        };
        let path = options.folder.join("subnet.json");
        let bytes = serde_json::to_vec_pretty(&file).map_err(|error| AgentError::invalid(&path, error))?;
        write_atomically(&path, &bytes)?;
        Ok(path)
    }
}

impl World {
    /// The challenger's way to the chain at an address; none on a localnet without a duel.
    pub(super) fn offering(
        &self,
        options: &LocalnetOptions,
        url: &str,
    ) -> Result<Option<Offering>, AgentError> {
        let Some(contest) = &self.contest else {
            return Ok(None);
        };
        let author = (contest.author.name.as_str(), self.wallets.as_path());
        Offering::new(options, author, &contest.challenger, &network(url)).map(Some)
    }
}

/// The recipe that reigns at first on a localnet with a duel.
fn localnet_anchor() -> Option<Recipe> {
    let strict = localnet_recipes().into_iter().next()?;
    Recipe::parse(&strict.toml).ok().as_ref().map(plain)
}

/// Units that the rounds can use up: as many as every miner may get in each, and in those that begin before the last is over.
fn units_wanted(options: &LocalnetOptions) -> usize {
    let mut values = localnet_params(0, Digest::ZERO).values;
    if options.duel {
        values = with_duel(&values, options.validators);
    }
    let rounds = u64::from(options.rounds).saturating_add(ROUNDS_BEHIND);
    let miners = options.cast.miners().count() as u64;
    let mut units = rounds.saturating_mul(miners).saturating_mul(values.cap_max);
    if options.duel {
        // Some are set aside as evaluation text.
        units += units / 4;
    }
    // What is kept for duels is not given out.
    let kept = units / values.reserve_mod.max(1) + UNITS_SPARE;
    usize::try_from(units.saturating_add(kept)).unwrap_or(usize::MAX)
}

/// The rules of a localnet: about half of a mainnet round, one lane, small units (docs/localnet.md has the table).
#[must_use]
pub fn localnet_params(genesis_block: u32, corpus_index_root: Digest) -> ParamSet {
    ParamSet {
        corpus_index_root,
        store: "localnet".to_owned(),
        values: ParamValues {
            genesis_block: u64::from(genesis_block),
            round_blocks: 360,
            commit_offset: 240,
            publish_end: 280,
            report_cutoff: 540,
            effective_offset: 600,
            cap_first: 2,
            cap_max: 4,
            audit_units: 4,
            rows_kept: 32,
            probes_index: 32,
            probes_byte: 32,
            split_production: 65_535,
            split_innovation: 0,
            ..ParamValues::default()
        },
        ..ParamSet::default()
    }
}

/// The recipes of a localnet: FineWeb's without C4, whose rule on curly braces drops every page with code, and one without
/// the quality filters, which keeps more.
#[must_use]
pub fn localnet_recipes() -> Vec<ActiveRecipe> {
    let without = |name: &str, dropped: fn(&Step) -> bool| {
        let mut recipe: Recipe = builtin("fineweb-en-v1")?;
        name.clone_into(&mut recipe.name);
        recipe.steps.retain(|step| !dropped(step));
        Some(recipe.to_canonical())
    };
    let strict = without("localnet-strict", |step| matches!(step, Step::C4(_)));
    let plenty = without("localnet-plenty", |step| {
        matches!(
            step,
            Step::C4(_) | Step::GopherQuality(_) | Step::FinewebQuality(_)
        )
    });
    let gains = [Q32::ONE, SECOND_GAIN];
    [strict, plenty]
        .into_iter()
        .zip(gains)
        .filter_map(|(toml, gain)| Some(ActiveRecipe { toml: toml?, gain }))
        .collect()
}

/// Keys decided by the seed.
struct Keys {
    seed: u64,
    wallets: Wallets,
}

impl Keys {
    fn digest(&self, name: &str) -> Digest {
        tagged_hash(
            "assay/localnet/key/1",
            &[&self.seed.to_le_bytes(), name.as_bytes()],
        )
    }

    /// A person with a wallet of one hotkey; the coldkey stays with the driver.
    fn person(&self, name: String, role: Option<Role>) -> Result<Person, AgentError> {
        let failed = |error: WalletError| AgentError::Unexpected {
            what: "wallet",
            reason: error.to_string(),
        };
        let pair = |kind: &str| {
            let seed = self.digest(&format!("{name}/{kind}"));
            KeyPair::from_seed(&seed.0, Scheme::Sr25519).map_err(failed)
        };
        let (hot, cold) = (pair("hotkey")?, pair("coldkey")?);
        let wallet: KeyName = name.parse().map_err(failed)?;
        let hotkey: KeyName = "default".parse().map_err(failed)?;
        self.wallets
            .write_hotkey(&wallet, &hotkey, &hot, Overwrite::No)
            .map_err(failed)?;
        Ok(Person {
            role,
            hotkey: Hotkey(hot.signer().map_err(failed)?.public_key().0),
            coldkey: cold.signer().map_err(failed)?,
            name,
        })
    }
}
