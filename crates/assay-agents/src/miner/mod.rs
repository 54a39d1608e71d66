//! The miner: each round's units refined, published, committed and opened in time, whatever happens in between.
//!
//! ```text
//! Tracker ─► assignment ─► plan(journal, block) ─► perform ─► journal        one round after the other
//!                          refine ► publish sealed ► commit timelocked ► open
//! ```
//!
//! [`plan`] is pure; every effect can be repeated (a finished unit is taken over, a revision that exists is found, a commitment
//! that stands is not made again), and the journal is written after each, so that a killed miner goes on where it was.

mod conduct;
mod journal;
mod rehearse;
mod submission;
mod suspect;
mod tell;

use std::path::PathBuf;
use std::time::Duration;

use assay_chain::{At, Chain, Commitment, CommitmentField};
use assay_hub::store::Publication;
use assay_types::{BlockNumber, Message, Pointer, Recipe, RecipeId, RepoName, Round};
use fs_err as fs;

pub use conduct::Conduct;
pub use journal::{Action, RoundJournal, Stage, plan};
pub use rehearse::Rehearsal;
pub use tell::{Told, due};

use crate::api::TaskApi;
use crate::subnet::{
    AgentError, Courier, OnItsWay, Rounds, Sending, Setup, Signer, Tracker, is_committed, is_pruned,
    sealed_fields,
};
use submission::Work;
pub(crate) use submission::{OWNER_FILE, owner_message};

/// What a request to join is remembered as while it is on its way.
const JOIN: &str = "join";

/// Longest that telling the server may hold up a step: less than a block.
const TELL_TIME_MAX: Duration = Duration::from_secs(5);

/// Who mines, and how.
#[derive(Debug, Clone)]
pub struct MinerOptions {
    /// Folder of state, journals and work.
    pub folder: PathBuf,
    /// The hotkey.
    pub signer: Signer,
    /// Units wanted a round.
    pub want: u16,
    /// Threads that refine.
    pub threads: usize,
    /// The recipe used; the best active one if none is named.
    pub recipe: Option<RecipeId>,
    /// Honest, but for adversaries of a local network.
    pub conduct: Conduct,
}

/// A miner at work.
#[derive(Debug)]
pub struct Miner<'a> {
    chain: &'a dyn Chain,
    setup: &'a Setup,
    options: MinerOptions,
    tracker: Tracker,
    sending: Sending,
    courier: Option<Courier>,
}

/// What a round's pointer is remembered as while it is on its way.
fn pointer_of(round: Round) -> String {
    format!("pointer of round {round}")
}

/// What a step did, for logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Did {
    /// Round.
    pub round: Round,
    /// Where it stands now.
    pub stage: Stage,
}

impl<'a> Miner<'a> {
    /// Opens the miner's folder.
    ///
    /// # Errors
    /// [`AgentError`] for a folder of another subnet, or one that cannot be used.
    pub fn open(chain: &'a dyn Chain, setup: &'a Setup, options: MinerOptions) -> Result<Self, AgentError> {
        fs::create_dir_all(options.folder.join("rounds")).map_err(AgentError::file(&options.folder))?;
        setup.keep_learned(&options.folder.join("recipes"));
        let tracker = Tracker::open(&options.folder, setup)?;
        let sending = Sending::open(&options.folder)?;
        Ok(Self {
            chain,
            setup,
            options,
            tracker,
            sending,
            courier: None,
        })
    }

    /// Tells a Task API how rounds go, and compares what it assigns.
    #[must_use]
    pub fn with_courier(self, courier: Courier) -> Self {
        Self {
            courier: Some(courier),
            ..self
        }
    }

    /// Where the subnet is, as the miner knows it.
    #[must_use]
    pub fn tracker(&self) -> &Tracker {
        &self.tracker
    }

    /// Asks to join, if the hotkey is not known yet and has not asked. A request that was handed over and is in no block yet
    /// is looked after by [`Self::step`].
    ///
    /// # Errors
    /// [`AgentError::Chain`], for an unregistered hotkey too.
    pub async fn join(&mut self) -> Result<bool, AgentError> {
        let hotkey = self.options.signer.hotkey();
        if self.tracker.state().miners.contains_key(&hotkey) {
            return Ok(false);
        }
        let standing = self.chain.commitments(self.setup.netuid, At::Head).await?;
        if standing.iter().any(|commitment| commitment.hotkey == hotkey) || self.sending.holds(JOIN) {
            return Ok(false);
        }
        let head = self.chain.head(At::Head).await?.number;
        let message = Message::Join {
            round: self.setup.clock.round_of(head).unwrap_or_default(),
            want: self.options.want,
        };
        let fields = vec![CommitmentField::Plain(message.encode())];
        self.commit(JOIN, fields).await?;
        Ok(true)
    }

    async fn commit(&mut self, what: &str, fields: Vec<CommitmentField>) -> Result<BlockNumber, AgentError> {
        let who = (self.setup.netuid, &self.options.signer.0);
        self.sending.send(self.chain, who, (what, fields)).await
    }

    /// What became of a commitment that an earlier process may have handed over.
    async fn take_up(&mut self, what: &str, last: BlockNumber) -> Result<OnItsWay, AgentError> {
        let who = (self.setup.netuid, &self.options.signer.0);
        self.sending.take_up(self.chain, who, (what, last)).await
    }

    /// Sees to it that a request to join reaches the chain, if an earlier process was killed over it.
    async fn finish_joining(&mut self) -> Result<(), AgentError> {
        if !self.sending.holds(JOIN) {
            return Ok(());
        }
        let hotkey = self.options.signer.hotkey();
        let standing = self.chain.commitments(self.setup.netuid, At::Head).await?;
        if standing.iter().any(|commitment| commitment.hotkey == hotkey) {
            return self.sending.forget();
        }
        self.take_up(JOIN, BlockNumber(u32::MAX)).await.map(|_| ())
    }

    /// Does everything that is due at `block`.
    ///
    /// # Errors
    /// [`AgentError`] of the first thing that failed; what was done before is in the journal.
    pub async fn step(&mut self, block: BlockNumber) -> Result<Vec<Did>, AgentError> {
        self.tracker.advance(self.chain, self.setup, block).await?;
        self.finish_joining().await?;
        let newest = self.tracker.state().assigned;
        let mut did = Vec::new();
        // The round before may still have to be opened.
        for round in (newest.saturating_sub(2)..newest).map(Round) {
            self.compare(round).await?;
            let Some(mut journal) = self.journal(round)? else {
                continue;
            };
            loop {
                self.tell(&mut journal).await?;
                let head = self.chain.head(At::Head).await?.number;
                let Some(action) = plan(&journal, head, &self.setup.clock) else {
                    break;
                };
                if action == Action::Open && !self.is_opened(round).await? {
                    break;
                }
                if !self.perform(action, &mut journal).await? {
                    break;
                }
                journal.store(&self.folder(round))?;
                did.push(Did {
                    round,
                    stage: journal.stage,
                });
            }
        }
        Ok(did)
    }

    /// Compares the server's assignment with the own one, which is followed in any case.
    async fn compare(&mut self, round: Round) -> Result<(), AgentError> {
        if let Some(courier) = &mut self.courier {
            courier.compare(round, &self.tracker).await?;
        }
        Ok(())
    }

    /// Tells the server what it should know by now; a server that does not answer is told later.
    async fn tell(&mut self, journal: &mut RoundJournal) -> Result<(), AgentError> {
        let folder = self.folder(journal.round);
        while let (Some(courier), Some(what)) = (&mut self.courier, due(journal.stage, journal.told)) {
            let Some(api) = courier.api() else { return Ok(()) };
            let data = folder.join("data");
            let told = tokio::time::timeout(TELL_TIME_MAX, tell::tell(api, what, journal, &data)).await;
            match told {
                Ok(Ok(Ok(()))) => journal.told = what,
                Ok(Ok(Err(error))) if courier.is_final("round", &error) => journal.told = Told::Submitted,
                Ok(Ok(Err(_))) => return Ok(()),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the server is not told of the round");
                    journal.told = Told::Submitted;
                }
                // What was said is said; the rest comes later.
                Err(_) => {
                    courier.pause();
                    return Ok(());
                }
            }
            journal.store(&folder)?;
        }
        Ok(())
    }

    fn folder(&self, round: Round) -> PathBuf {
        self.options.folder.join("rounds").join(round.0.to_string())
    }

    /// The journal of a round in which the miner holds units.
    fn journal(&self, round: Round) -> Result<Option<RoundJournal>, AgentError> {
        let folder = self.folder(round);
        if let Some(journal) = RoundJournal::load(&folder)? {
            return Ok(Some(journal));
        }
        let hotkey = self.options.signer.hotkey();
        let assignment = self.tracker.assignment(round).unwrap_or_default();
        let held = assignment.iter().filter(|one| one.is_held_by(&hotkey));
        let units: Vec<_> = held.map(|one| one.unit).collect();
        if units.is_empty() {
            return Ok(None);
        }
        let journal = RoundJournal::new(round, units);
        journal.store(&folder)?;
        Ok(Some(journal))
    }

    /// Whether the chain has stored the pulse that opens the round's pointers: from then on nobody can copy.
    async fn is_opened(&self, round: Round) -> Result<bool, AgentError> {
        let reveal = self.rounds().reveal_round(round).await?;
        Ok(self.chain.last_pulse_round(At::Head).await? >= reveal)
    }

    fn rounds(&self) -> Rounds<'_> {
        Rounds {
            chain: self.chain,
            netuid: self.setup.netuid,
            clock: self.setup.clock,
        }
    }

    /// Takes one step of a round; false if the chain has yet to say what became of an earlier one.
    async fn perform(&mut self, action: Action, journal: &mut RoundJournal) -> Result<bool, AgentError> {
        match action {
            Action::Refine => self.refine(journal).await?,
            Action::Publish => {
                let data = self.folder(journal.round).join("data");
                let publication = Publication::dataset(self.repo(journal.round)?, &data)?;
                journal.revision = Some(self.setup.store.publish(&publication).await?);
                journal.stage = Stage::Published;
            }
            Action::Commit => {
                let Some(block) = self.commit_pointer(journal).await? else {
                    return Ok(false);
                };
                journal.committed = Some(block);
                journal.stage = Stage::Committed;
            }
            Action::Open => {
                if let Some(revision) = &journal.revision {
                    let repo = self.repo(journal.round)?;
                    self.setup.store.reveal(&repo, revision).await?;
                }
                journal.stage = Stage::Open;
            }
            Action::Miss => match self.committed_in_time(journal).await? {
                Some(block) => {
                    journal.committed = Some(block);
                    journal.stage = Stage::Committed;
                }
                None => journal.stage = Stage::Missed,
            },
        }
        Ok(true)
    }

    async fn refine(&self, journal: &mut RoundJournal) -> Result<(), AgentError> {
        let before = Round(journal.round.0.saturating_sub(1));
        let public = self.tracker.assignment(before).filter(|_| before < journal.round);
        let public: Vec<_> = public.unwrap_or_default().iter().map(|one| one.unit).collect();
        if self.options.conduct == Conduct::Copycat && public.is_empty() {
            // Nothing to copy yet.
            journal.stage = Stage::Missed;
            return Ok(());
        }
        let chosen = match journal.recipe {
            Some(recipe) => recipe,
            None => self.recipe(journal.round).await?,
        };
        if journal.recipe.is_none() {
            journal.recipe = Some(chosen);
            journal.store(&self.folder(journal.round))?;
        }
        self.learn(journal.round, &[chosen]).await;
        let work = Work {
            setup: self.setup.clone(),
            recipe: chosen,
            options: self.options.clone(),
            round: journal.round,
            units: journal.units.clone(),
            folder: self.folder(journal.round).join("data"),
            created: self.setup.clock.start(journal.round),
            public,
        };
        let root = tokio::task::spawn_blocking(move || work.refine())
            .await
            .map_err(|error| AgentError::Worker(error.to_string()))??;
        journal.submission_root = Some(root);
        journal.stage = Stage::Refined;
        Ok(())
    }

    fn api(&self) -> Option<&TaskApi> {
        self.courier.as_ref().and_then(Courier::api)
    }

    /// Reads texts of recipes; what cannot be read is not known.
    async fn learn(&self, round: Round, recipes: &[RecipeId]) {
        if let Some(contest) = self.tracker.contest(round)
            && let Err(error) = self.setup.learn(contest, recipes, self.api()).await
        {
            tracing::warn!(round = round.0, %error, "an active recipe cannot be read");
        }
    }

    /// The recipe of a round: the one that was asked for, else the active one of the largest gain; the anchor if its text
    /// cannot be read.
    async fn recipe(&self, round: Round) -> Result<RecipeId, AgentError> {
        let contest = self.tracker.contest(round);
        let active = self.setup.active(contest, round);
        self.learn(round, &active).await;
        let best = self.setup.best(contest, round);
        let chosen = self.options.recipe.filter(|id| active.contains(id)).or(best);
        let known = chosen.filter(|id| self.setup.recipe(id).is_some());
        let anchor = || self.setup.anchor().map(Recipe::id);
        known.or_else(anchor).ok_or(AgentError::Unexpected {
            what: "recipe",
            reason: "none is active".to_owned(),
        })
    }

    /// The block of a commitment that was in time though the journal does not know it: the miner was killed between the two
    /// and stayed away until the deadline had passed.
    async fn committed_in_time(&self, journal: &RoundJournal) -> Result<Option<BlockNumber>, AgentError> {
        let round = journal.round;
        if journal.stage != Stage::Published || !self.sending.holds(&pointer_of(round)) {
            return Ok(None);
        }
        let reveal = self.rounds().reveal_round(round).await?;
        let deadline = At::Number(self.setup.clock.deadline_block(round));
        let standing = self.chain.commitments(self.setup.netuid, deadline).await;
        match standing.map_err(AgentError::from) {
            Ok(standing) => Ok(self.standing(&standing, reveal)),
            // Away for longer than states are kept: the round is long over.
            Err(error) if is_pruned(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The block of the own pointer among commitments.
    fn standing(&self, commitments: &[Commitment], reveal: u64) -> Option<BlockNumber> {
        let hotkey = self.options.signer.hotkey();
        let own = commitments.iter().find(|one| one.hotkey == hotkey);
        own.filter(|_| is_committed(commitments, &hotkey, reveal))
            .map(|one| one.block)
    }

    /// Commits the pointer, unless it stands on the chain already or may still come: a crash may have come in between. None in
    /// the latter case.
    async fn commit_pointer(&mut self, journal: &RoundJournal) -> Result<Option<BlockNumber>, AgentError> {
        let reveal = self.rounds().reveal_round(journal.round).await?;
        let standing = self.chain.commitments(self.setup.netuid, At::Head).await?;
        let what = pointer_of(journal.round);
        if let Some(block) = self.standing(&standing, reveal) {
            self.sending.forget()?;
            return Ok(Some(block));
        }
        let deadline = self.setup.clock.deadline_block(journal.round);
        match self.take_up(&what, deadline).await? {
            OnItsWay::No => {}
            OnItsWay::Yes => return Ok(None),
            OnItsWay::Arrived(block) => return Ok(Some(block)),
        }
        let (Some(revision), Some(submission_root)) = (journal.revision, journal.submission_root) else {
            return Err(AgentError::Unexpected {
                what: "journal",
                reason: format!("round {} was published without a revision", journal.round),
            });
        };
        let pointer = Pointer {
            round: journal.round,
            n_units: u32::try_from(journal.units.len()).unwrap_or(u32::MAX),
            want_next: self.options.want,
            submission_root,
            revision,
            repo: self.repo(journal.round)?,
        };
        let beacon = self.chain.beacon(At::Head).await?;
        let fields = sealed_fields(&pointer, &beacon, reveal)?;
        self.commit(&what, fields).await.map(Some)
    }

    /// Where a round is published: `m-<first 32 hex digits of the hotkey>/r<round>`.
    fn repo(&self, round: Round) -> Result<RepoName, AgentError> {
        let hotkey = self.options.signer.hotkey();
        let (head, _) = hotkey.0.split_at(16);
        let name = format!("m-{}/r{}", assay_types::hex::encode(head), round.0);
        RepoName::parse(&name).map_err(|error| AgentError::Unexpected {
            what: "repository",
            reason: error.to_string(),
        })
    }
}
