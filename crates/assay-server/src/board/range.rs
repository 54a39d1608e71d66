//! The rounds that figures of a board are summed over.

use crate::app::App;
use crate::store::StoreError;
use assay_types::Round;

/// A time range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Range {
    /// The newest round with a verdict.
    Round,
    /// A day.
    Day,
    /// A week.
    #[default]
    Week,
    /// Thirty days.
    Month,
}

/// Seconds of a day.
const DAY_SECONDS: u64 = 86_400;

impl Range {
    /// All, in the order of the control.
    pub(crate) const ALL: [Self; 4] = [Self::Round, Self::Day, Self::Week, Self::Month];

    /// As in a query.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Round => "round",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// On the control.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Round => "Round",
            Self::Day => "24 h",
            Self::Week => "7 d",
            Self::Month => "30 d",
        }
    }

    /// The range of a name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|range| range.name() == name)
    }

    const fn days(self) -> u64 {
        match self {
            Self::Round => 0,
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
        }
    }

    /// First and last round, up to `to`.
    pub(crate) fn rounds(self, app: &App, to: Round) -> (Round, Round) {
        let seconds = app.params().values.round_blocks.max(1) * assay_mechanism::clock::BLOCK_SECONDS;
        let count = u32::try_from(self.days() * DAY_SECONDS / seconds.max(1)).unwrap_or(u32::MAX);
        (Round(to.0.saturating_sub(count.saturating_sub(1))), to)
    }
}

/// Whether bodies of reports on a round are public: nobody can commit to a copy of one any more.
pub(crate) fn is_public(app: &App, round: Round) -> bool {
    app.view().block() > app.rounds().report_cutoff(round)
}

/// The newest round whose reports are public; none before the first.
pub(crate) fn newest_public(app: &App) -> Option<Round> {
    let mut round = app.rounds().round_of(app.view().block())?;
    while !is_public(app, round) {
        round = Round(round.0.checked_sub(1)?);
    }
    Some(round)
}

/// The newest round that has a verdict; none before the first.
pub(super) async fn newest_judged(app: &App) -> Result<Option<Round>, StoreError> {
    let newest = super::known::newest_judged(app).await?;
    Ok(newest.as_ref().as_ref().map(|(round, _)| *round))
}
