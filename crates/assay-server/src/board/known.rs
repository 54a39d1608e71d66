//! What boards and pages read again and again, kept until it changes: verdicts change once a round, not with every lease.

use crate::app::App;
use crate::store::{self, MinerRecord, Parts, Sources, StoreError, VerdictRow};
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
        let Some(round) = store::newest_judged_round(readers).await? else {
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

/// The newest verdicts on every miner up to a round.
#[derive(Debug, Default)]
pub(super) struct Newest {
    to: Round,
    /// By miner, newest first.
    pub(super) of: BTreeMap<Hotkey, Vec<VerdictRow>>,
}

/// The newest verdicts on every miner, so many of each. A settled round is put before those that are known.
pub(super) async fn verdicts(app: &App, each: u32) -> Result<Arc<Newest>, StoreError> {
    let Some(to) = super::range::newest_judged(app).await? else {
        return Ok(Arc::default());
    };
    let read = |before: Option<Arc<Newest>>| async move {
        let readers = app.database().readers();
        let before = before.filter(|before| before.to <= to && to.0 - before.to.0 <= each);
        let Some(before) = before else {
            return verdicts_to(app, (to, each)).await;
        };
        let mut of = before.of.clone();
        for round in before.to.0 + 1..=to.0 {
            for row in store::verdicts_of_round(readers, Round(round)).await? {
                let rows = of.entry(row.record.hotkey).or_default();
                rows.insert(0, row);
                rows.truncate(each as usize);
            }
        }
        Ok(Newest { to, of })
    };
    let question = format!("verdicts {each}");
    app.memo.carry(u64::from(to.0), question, read).await
}

/// The same up to a round; not kept.
pub(super) async fn verdicts_to(app: &App, (to, each): (Round, u32)) -> Result<Newest, StoreError> {
    let mut of = BTreeMap::<Hotkey, Vec<VerdictRow>>::new();
    for row in store::newest_verdicts(app.database().readers(), to, each).await? {
        of.entry(row.record.hotkey).or_default().push(row);
    }
    Ok(Newest { to, of })
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

/// Units of all corpora and their mean lengths.
pub(crate) async fn sources(app: &App) -> Result<Arc<Sources>, StoreError> {
    let read = |before: Option<Arc<Sources>>| async move {
        Sources::read(app.database().readers(), before.as_deref()).await
    };
    app.memo
        .carry(app.memo.of(Parts::CORPORA), "sources".to_owned(), read)
        .await
}
