//! What takes long to read, read before anybody asks: when a server starts, and behind every block that it takes in.

use super::range::Range;
use super::{cells, duel, known, miner, sums, validator};
use crate::app::App;
use crate::failure::Failure;
use crate::store;

/// Brings all that is carried from answer to answer up to date, so that each is one round behind at most, however rarely somebody
/// looks at it and whichever server settled the round. Pages do without, only slower: what fails is told to the log.
pub(crate) async fn warm_up(app: &App) {
    if let Err(failure) = read(app).await {
        tracing::warn!(problem = ?failure.problem, "what pages need cannot be read ahead");
    }
}

async fn read(app: &App) -> Result<(), Failure> {
    for range in Range::ALL {
        sums::passed(app, range).await?;
    }
    sums::passed_in_all(app).await?;
    sums::declared_in_all(app).await?;
    known::verdicts(app, miner::VERDICTS_SHOWN).await?;
    known::sources(app).await?;
    validator::audit_counts(app).await?;
    // While a server starts nothing is public, for it knows no block; but cells can be read.
    if let Some(newest) = store::newest_round(app.database().readers()).await? {
        cells::cells(app, newest.round, duel::DUEL_ROUNDS).await?;
    }
    duel::all_duels(app).await.map(drop)
}
