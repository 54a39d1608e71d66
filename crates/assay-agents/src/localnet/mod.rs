//! A whole subnet on one machine: chain, miners and validators as processes of their own, talking over loopback.
//!
//! ```text
//! corpus ─► units ─► subnet.json        keys ─► wallets, genesis ─► chain process ─► registrations
//!                        └──────────► miners, validators (processes) ─► rounds ─► Summary
//! ```
//!
//! The driver only sets up, starts, watches and adds up; what agents do is their own code, the same as on any network. The
//! chain's clock is virtual (12 s a block whatever its real block time), so no rule changes (docs/localnet.md).

mod corpus;
mod crawl;
mod duel;
mod people;
mod processes;
mod summary;
mod view;
mod world;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use assay_chain::embedded::Remote;
use assay_chain::{At, Chain as _};
use assay_hub::store::StoreOptions;
use assay_hub::{OpenOptions, Source};
use assay_types::{BlockNumber, Round};

pub use crawl::crawl_archives;
pub use duel::DuelSummary;
pub use people::{Cast, CastError, Role};
pub use summary::{MinerSummary, Summary};
pub use view::{MinerLook, View};
pub use world::{localnet_params, localnet_recipes};

use crate::api::TaskApi;
use crate::subnet::{AgentError, Setup, Tracker};
use processes::Processes;
use world::World;

/// How often the driver looks at the chain.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How often the view is made.
const SHOW_EVERY: Duration = Duration::from_secs(1);

/// Blocks between two lines of progress.
const NEWS_EVERY_BLOCKS: u32 = 60;

/// What to play.
#[derive(Debug, Clone)]
pub struct LocalnetOptions {
    /// This program.
    pub program: PathBuf,
    /// State folder; must be empty or new.
    pub folder: PathBuf,
    /// Miners by kind.
    pub cast: Cast,
    /// Validators.
    pub validators: u32,
    /// Rounds to play.
    pub rounds: u32,
    /// Real time of a block.
    pub block_time: Duration,
    /// Decides keys, beacons and hence everything else.
    pub seed: u64,
    /// Archives to cut units from; documentation on this machine if none are given.
    pub archives: Vec<Source>,
    /// How archives behind addresses are read.
    pub open: OpenOptions,
    /// Whether a recipe duels for a place.
    pub duel: bool,
    /// Port of the Task API and website; 0 for any free one.
    pub port: u16,
}

/// Who watches a run.
pub trait Watcher: Sync {
    /// Something happened.
    fn note(&self, line: &str);

    /// How things are, about once a second; for who shows that.
    fn show(&self, _view: &View) {}
}

/// Plays the rounds and adds up.
///
/// # Errors
/// [`AgentError`] if the machine lacks something or a process cannot be started. An agent that fails during the run is named
/// in the notes and started again.
pub async fn localnet(options: &LocalnetOptions, watcher: &dyn Watcher) -> Result<Summary, AgentError> {
    let began = Instant::now();
    let mut world = World::new(options)?;
    watcher.note(&format!(
        "{} units of {} pages, kept in {}",
        world.corpus.len(),
        world.pages,
        options.folder.display()
    ));
    let mut processes = Processes::default();
    let url = processes.chain(options, &world).await?;
    let chain = Remote::connect(&url, None).await?.chain();
    world.settle_in(&chain).await?;
    let path = world.write_subnet(options)?;
    let setup = Setup::load(&path, &StoreOptions::default())?;
    watcher.note(&format!(
        "subnet {} at {url}: {} miners, {} validators; round 0 starts at block {}",
        setup.netuid,
        world.miners.len(),
        world.validators.len(),
        setup.clock.start(Round(0))
    ));
    let api = processes.server(options, &world, &path, &url)?;
    watcher.note(&format!("Task API and website at {api}"));
    processes.agents(options, &world, (&path, &url, &api))?;
    let mut offering = world.offering(options, &url)?;
    let mut play = Play {
        tracker: Tracker::open(&options.folder.join("driver"), &setup)?,
        chain: &chain,
        setup: &setup,
        api: world.client(&api)?,
        address: api.clone(),
        folder: &options.folder,
        began,
        first_score_s: None,
        first_weights_s: None,
        shown: 0,
    };
    let rounds = options.rounds.max(1);
    let end = play.end(rounds);
    let mut shown: Option<Instant> = None;
    loop {
        let looked = play.look(watcher).await;
        if shown.is_none_or(|at| at.elapsed() >= SHOW_EVERY) {
            shown = Some(Instant::now());
            // A chain that does not answer now is shown the next time.
            if let Ok(view) = play.view(&world, rounds).await {
                watcher.show(&view);
            }
        }
        processes.revive(watcher)?;
        if let Some(offering) = &mut offering {
            offering.advance().await?;
        }
        match looked {
            Ok(head) if head >= end && play.tracker.state().settled >= rounds => break,
            // The chain may have been killed; it comes back.
            Err(error) if !error.retry_is_safe() => return Err(error),
            _ => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
    let summary = play.summary(&world, rounds).await?;
    processes.stop().await;
    Ok(summary)
}

/// A run being watched.
struct Play<'a> {
    tracker: Tracker,
    chain: &'a assay_chain::embedded::EmbeddedChain,
    setup: &'a Setup,
    api: TaskApi,
    address: String,
    folder: &'a Path,
    began: Instant,
    first_score_s: Option<f64>,
    first_weights_s: Option<f64>,
    shown: u32,
}

impl Play<'_> {
    /// The block by which weights made of the last round are revealed and counted.
    fn end(&self, rounds: u32) -> BlockNumber {
        let effective = self.setup.clock.effective_block(Round(rounds - 1)).0;
        BlockNumber(effective + 3 * world::TEMPO_BLOCKS)
    }

    /// Looks at the newest block, tells what is new, and gives the block.
    async fn look(&mut self, watcher: &dyn Watcher) -> Result<BlockNumber, AgentError> {
        let head = self.chain.head(At::Head).await?.number;
        let before = self.tracker.state().settled;
        let advanced = self.tracker.advance(self.chain, self.setup, head).await;
        for round in (before..self.tracker.state().settled).map(Round) {
            let results = self.tracker.results(round).unwrap_or_default();
            let passed = results.iter().filter(|one| !one.passed.is_empty()).count();
            let units: usize = results.iter().map(|one| one.passed.len()).sum();
            let faults: usize = results.iter().map(|one| one.faults.len()).sum();
            if units > 0 && self.first_score_s.is_none() {
                self.first_score_s = Some(self.began.elapsed().as_secs_f64());
            }
            watcher.note(&format!(
                "round {round}: {passed} of {} miners passed with {units} units, {faults} faults found",
                results.len()
            ));
        }
        advanced?;
        self.learn().await;
        if self.first_weights_s.is_none() {
            let rows = self
                .chain
                .weights(self.setup.netuid, assay_types::MechId(0), At::Head)
                .await?;
            if rows.iter().any(|row| !row.weights.is_empty()) {
                self.first_weights_s = Some(self.began.elapsed().as_secs_f64());
                watcher.note("first weights are on the chain");
            }
        }
        if head.0 >= self.shown + NEWS_EVERY_BLOCKS {
            self.shown = head.0;
            if let Some(round) = self.setup.clock.round_of(head) {
                let phase = self.setup.clock.phase(round, head);
                let phase = phase.map_or_else(String::new, |phase| format!("{phase:?}").to_lowercase());
                watcher.note(&format!("block {head}: round {round}, {phase}"));
            }
        }
        Ok(head)
    }
}
