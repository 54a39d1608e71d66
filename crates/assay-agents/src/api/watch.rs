//! What a server shows of its network without a key: round, miners, validators, faults; each with the block it is of.

use super::ApiError;
use super::client::{read, unusable};
use assay_hub::Exchange;
use assay_types::api::{
    Answer, Health, MinerRow, Observed, Problem, ProblemKind, ReportView, RoundView, ValidatorRow,
};
use assay_types::{AuditReport, Hotkey, Round};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Rows of a board: a subnet has at most 256 neurons.
const ROWS: u32 = 500;
/// Reports of a round that are read for their faults; each names every row it rebuilt.
const REPORTS: u32 = 64;
/// Rounds before the newest in which reports that are public are looked for.
const ROUNDS_BACK: i64 = 4;

/// A network at a moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Look {
    /// The block that the figures are of.
    pub as_of: Observed,
    /// How the server is.
    pub health: Health,
    /// The newest assigned round; none before the first.
    pub round: Option<RoundView>,
    /// Miners by rank.
    pub miners: Vec<MinerRow>,
    /// Validators by rank.
    pub validators: Vec<ValidatorRow>,
    /// The newest round with public reports, and the kinds of faults its first reports name, by miner.
    pub faults: Option<(Round, BTreeMap<Hotkey, BTreeSet<String>>)>,
}

impl Look {
    /// Blocks since a validator last set or committed weights; none without validators.
    #[must_use]
    pub fn weights_age_blocks(&self) -> Option<u32> {
        self.validators.iter().map(|row| row.weights_age_blocks).min()
    }
}

/// Reads a server without a key; answers are not signed, so this is for looking, not for deciding.
#[derive(Debug)]
pub struct Watcher {
    exchange: Exchange,
}

impl Watcher {
    /// A reader of the server at an address; nothing is asked yet. Every exchange ends within `time_max`.
    ///
    /// # Errors
    /// [`ApiError::Exchange`] for an address that is none.
    pub fn new(url: &str, time_max: Duration) -> Result<Self, ApiError> {
        Ok(Self {
            exchange: Exchange::new(url, time_max)?,
        })
    }

    /// The network now. The parts are asked one after the other, so a block may come in between; `as_of` is that of the
    /// miners.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn look(&self) -> Result<Look, ApiError> {
        let health = self.get::<Health>("/v1/health").await?.data;
        let round = none_yet(self.get::<RoundView>("/v1/rounds/current").await)?.map(|answer| answer.data);
        let miners = none_yet(
            self.get::<Vec<MinerRow>>(&format!("/v1/leaderboard/miners?limit={ROWS}"))
                .await,
        )?;
        let validators = none_yet(
            self.get::<Vec<ValidatorRow>>(&format!("/v1/leaderboard/validators?limit={ROWS}"))
                .await,
        )?;
        let faults = match &round {
            Some(round) => self.faults(round.round).await?,
            None => None,
        };
        let (as_of, miners) = miners.map_or_else(
            || (Observed::default(), Vec::new()),
            |answer| (answer.as_of, answer.data),
        );
        Ok(Look {
            as_of,
            health,
            round,
            miners,
            validators: validators.map_or_else(Vec::new, |answer| answer.data),
            faults,
        })
    }

    /// Kinds of faults by miner of the newest round with public reports.
    async fn faults(
        &self,
        newest: Round,
    ) -> Result<Option<(Round, BTreeMap<Hotkey, BTreeSet<String>>)>, ApiError> {
        for back in 0..ROUNDS_BACK {
            let Ok(number) = u32::try_from(i64::from(newest.0) - back) else {
                return Ok(None);
            };
            let target = format!("/v1/reports?round={number}&limit={REPORTS}");
            let views = self.get::<Vec<ReportView>>(&target).await?.data;
            if views.is_empty() {
                continue;
            }
            let mut kinds = BTreeMap::<Hotkey, BTreeSet<String>>::new();
            // A cell of a duel is a report too, and no audit.
            for report in views
                .iter()
                .filter_map(|view| AuditReport::parse(view.line.as_bytes()).ok())
            {
                let names = report.faults.iter().map(|fault| fault.kind.name().to_owned());
                kinds.entry(report.miner).or_default().extend(names);
            }
            kinds.retain(|_, names| !names.is_empty());
            return Ok(Some((Round(number), kinds)));
        }
        Ok(None)
    }

    async fn get<T: DeserializeOwned>(&self, target: &str) -> Result<Answer<T>, ApiError> {
        let answer = read(&self.exchange, target).await?;
        serde_json::from_slice(&answer.body).map_err(|error| unusable(target, &error))
    }
}

/// What is not there before the first block or round is nothing, not a failure.
fn none_yet<T>(answer: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(ApiError::Problem(problem)) if is_early(&problem) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_early(problem: &Problem) -> bool {
    matches!(
        ProblemKind::parse(&problem.code),
        Some(ProblemKind::NotReady | ProblemKind::UnknownRound)
    )
}
