//! What boards and pages read again and again, kept until it changes: verdicts change once a round, not with every lease.

use crate::app::App;
use crate::store::{self, DeclaredRow, MinerRecord, Parts, StoreError, VerdictRow, Verified, WorkSum};
use assay_chain::Metagraph;
use assay_mechanism::network::NetworkState;
use assay_types::api::{Assignment, DeclaredWork};
use assay_types::{BlockNumber, Hotkey, Round};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Metagraphs kept: 2^4, and what spreads blocks over their places (Knuth, The Art of Computer Programming 3, 6.4).
const METAGRAPHS_BITS: u32 = 4;
const SPREAD: u32 = 2_654_435_769;
/// Assignments kept: miners' newest verdicts are on few rounds.
const ASSIGNMENTS: u32 = 2;

/// Verdicts on each miner, newest first.
pub(super) type Verdicts = BTreeMap<Hotkey, Vec<VerdictRow>>;
/// What each miner has declared newest, and on which round.
pub(super) type Declared = BTreeMap<Hotkey, (Round, Vec<DeclaredWork>)>;

/// The network's state behind the newest settled round.
pub(crate) async fn network_state(app: &App) -> Result<Arc<NetworkState>, StoreError> {
    let read = store::network_state(app.database().readers());
    app.memo
        .get(app.memo.of(Parts::ROUNDS), "network".to_owned(), read)
        .await
}

/// The newest round that has a verdict, with its verdicts; none before the first.
pub(crate) async fn newest_judged(app: &App) -> Result<Arc<Option<(Round, Vec<VerdictRow>)>>, StoreError> {
    let readers = app.database().readers();
    let read = async {
        let newest = store::verdicts(readers, None, 1).await?;
        let Some(round) = newest.first().map(|row| row.round) else {
            return Ok(None);
        };
        Ok(Some((round, store::verdicts_of_round(readers, round).await?)))
    };
    app.memo
        .get(app.memo.of(Parts::VERDICTS), "newest judged".to_owned(), read)
        .await
}

/// What is known of miners, by hotkey and registration.
pub(super) async fn miner_records(
    app: &App,
) -> Result<Arc<BTreeMap<(Hotkey, BlockNumber), MinerRecord>>, StoreError> {
    let read = async {
        let records = store::miner_records(app.database().readers()).await?;
        let by_key = records
            .into_iter()
            .map(|record| ((record.hotkey, record.registered), record));
        Ok(by_key.collect())
    };
    app.memo
        .get(app.memo.of(Parts::VERDICTS), "miners".to_owned(), read)
        .await
}

/// The newest verdicts on every miner, so many of each.
pub(super) async fn verdicts(app: &App, each: u32) -> Result<Arc<Verdicts>, StoreError> {
    let read = verdicts_to(app, (Round(i32::MAX as u32), each));
    app.memo
        .get(app.memo.of(Parts::VERDICTS), format!("verdicts {each}"), read)
        .await
}

/// The same up to a round; not kept.
pub(super) async fn verdicts_to(app: &App, (to, each): (Round, u32)) -> Result<Verdicts, StoreError> {
    let mut verdicts = Verdicts::new();
    for row in store::newest_verdicts(app.database().readers(), to, each).await? {
        verdicts.entry(row.record.hotkey).or_default().push(row);
    }
    Ok(verdicts)
}

/// What every miner has declared newest.
pub(super) async fn declared(app: &App) -> Result<Arc<Declared>, StoreError> {
    let read = declared_to(app, Round(i32::MAX as u32));
    let parts = Parts::SUBMISSIONS;
    app.memo
        .get(app.memo.of(parts), "declared".to_owned(), read)
        .await
}

/// The same up to a round; not kept.
pub(super) async fn declared_to(app: &App, to: Round) -> Result<Declared, StoreError> {
    let mut declared = Declared::new();
    for row in store::declared_newest(app.database().readers(), to).await? {
        let of = declared.entry(row.hotkey).or_insert((row.round, Vec::new()));
        of.1.push(row.work);
    }
    Ok(declared)
}

/// What miners declared of rounds that passed: nothing is added to a round once it is judged.
pub(super) async fn passed(app: &App, rounds: (Round, Round)) -> Result<Arc<Vec<DeclaredRow>>, StoreError> {
    let read = store::declared_sums(app.database().readers(), rounds, Verified::Passed);
    let question = format!("passed {}", rounds.1.0.saturating_sub(rounds.0.0));
    app.memo
        .get(app.memo.as_of(Parts::VERDICTS, rounds.1), question, read)
        .await
}

/// All that was declared in passed rounds, in one sum.
pub(crate) async fn passed_in_all(app: &App) -> Result<WorkSum, StoreError> {
    let all = (Round(0), Round(i32::MAX as u32));
    let read = store::declared_total(app.database().readers(), all, Verified::Passed);
    let sum = app
        .memo
        .get(app.memo.of(Parts::VERDICTS), "passed in all".to_owned(), read);
    Ok(*sum.await?)
}

/// All that was declared, in one sum. Manifests come every second while a round is handed in, so only the rounds from the newest
/// judged one but one are added up each time; what somebody hands in later of one before them counts from the next verdicts on.
pub(crate) async fn declared_in_all(app: &App) -> Result<WorkSum, StoreError> {
    let readers = app.database().readers();
    let judged = newest_judged(app).await?;
    let open = judged
        .as_ref()
        .as_ref()
        .map_or(0, |(round, _)| round.0.saturating_sub(1));
    let mut sum = WorkSum::default();
    if let Some(closed) = open.checked_sub(1).map(Round) {
        let read = store::declared_total(readers, (Round(0), closed), Verified::Any);
        let state = app.memo.as_of(Parts::VERDICTS, closed);
        sum = *app
            .memo
            .get(state, "declared and judged".to_owned(), read)
            .await?;
    }
    let newest = (Round(open), Round(i32::MAX as u32));
    sum.add_sum(&store::declared_total(readers, newest, Verified::Any).await?);
    Ok(sum)
}

/// The newest metagraph kept up to a block.
pub(crate) async fn metagraph_before(
    app: &App,
    block: BlockNumber,
) -> Result<Option<Arc<Metagraph>>, StoreError> {
    let readers = app.database().readers();
    let Some(kept) = store::metagraph_block(readers, block).await? else {
        return Ok(None);
    };
    let read = async { Ok::<_, StoreError>(store::metagraph_at(readers, kept).await?.map(Arc::new)) };
    // What was kept of a final block stays. A few are: those of a day ago and of the newest weights are asked for by every page,
    // and whoever asks for many others displaces no more than these.
    let place = kept.0.wrapping_mul(SPREAD) >> (u32::BITS - METAGRAPHS_BITS);
    let found = app
        .memo
        .get(u64::from(kept.0), format!("metagraph {place}"), read)
        .await?;
    Ok(found.as_ref().clone())
}

/// The assignment of a round, if it is here.
pub(crate) async fn assignment(app: &App, round: Round) -> Result<Arc<Option<Assignment>>, StoreError> {
    let read = async {
        let found = store::round(app.database().readers(), round).await?;
        Ok(found.and_then(|(_, document)| Assignment::parse(document.as_bytes()).ok()))
    };
    let question = format!("assignment {}", round.0 % ASSIGNMENTS);
    app.memo
        .get(app.memo.as_of(Parts::ROUNDS, round), question, read)
        .await
}

/// Mean length of the archives of each source, bytes.
pub(crate) async fn source_means(app: &App) -> Result<Arc<BTreeMap<String, u64>>, StoreError> {
    let read = store::source_means(app.database().readers());
    app.memo
        .get(app.memo.of(Parts::CORPORA), "source means".to_owned(), read)
        .await
}

/// Units of all corpora.
pub(crate) async fn unit_count(app: &App) -> Result<u64, StoreError> {
    let read = store::unit_count(app.database().readers());
    Ok(*app
        .memo
        .get(app.memo.of(Parts::CORPORA), "units".to_owned(), read)
        .await?)
}
