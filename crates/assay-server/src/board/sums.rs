//! Sums over settled rounds, carried from round to round: what was declared of a settled round stands (`store/submission.rs`), so
//! a newer window's sum is the one before with the rounds that enter and without those that leave. Adding up a month of a full
//! subnet takes a second (docs/performance.md, "Pages").

use super::range::{Range, newest_judged};
use crate::app::App;
use crate::store::{self, DeclaredSum, StoreError, Verified, WorkSum};
use assay_types::{Hotkey, RecipeId, Round};
use sqlx::AnyPool;
use std::collections::BTreeMap;
use std::sync::Arc;

/// First and last round.
type Rounds = (Round, Round);

/// What was declared of the passed rounds of a window, by miner and recipe; nothing before a round is judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Passed {
    rounds: Rounds,
    sums: BTreeMap<(Hotkey, RecipeId), DeclaredSum>,
}

impl Passed {
    /// Each miner's sum with each recipe.
    pub(super) fn iter(&self) -> impl Iterator<Item = &DeclaredSum> {
        self.sums.values()
    }

    /// Reads the sums of a window, or what is new of it.
    async fn read(pool: &AnyPool, before: Option<Arc<Self>>, rounds: Rounds) -> Result<Self, StoreError> {
        let sums = async |rounds| store::declared_sums(pool, rounds, Verified::Passed).await;
        let carried = before.and_then(|before| Some((moved(before.rounds, rounds)?, before)));
        let Some((Moved { left, entered }, before)) = carried else {
            let mut passed = Self {
                rounds,
                sums: BTreeMap::new(),
            };
            passed.add(sums(rounds).await?);
            return Ok(passed);
        };
        let mut passed = before.as_ref().clone();
        passed.rounds = rounds;
        if let Some(left) = left {
            passed.take(&sums(left).await?);
        }
        if let Some(entered) = entered {
            passed.add(sums(entered).await?);
        }
        Ok(passed)
    }

    fn add(&mut self, sums: Vec<DeclaredSum>) {
        for sum in sums {
            self.sums
                .entry((sum.hotkey, sum.recipe_id))
                .and_modify(|known| {
                    known.rounds = known.rounds.saturating_add(sum.rounds);
                    known.work.add_sum(&sum.work);
                })
                .or_insert(sum);
        }
    }

    fn take(&mut self, sums: &[DeclaredSum]) {
        for sum in sums {
            let key = (sum.hotkey, sum.recipe_id);
            if let Some(known) = self.sums.get_mut(&key) {
                known.rounds = known.rounds.saturating_sub(sum.rounds);
                known.work.take_sum(&sum.work);
                if known.rounds == 0 {
                    self.sums.remove(&key);
                }
            }
        }
    }
}

/// How a window moved.
#[derive(Debug, PartialEq, Eq)]
struct Moved {
    left: Option<Rounds>,
    entered: Option<Rounds>,
}

/// How a window moved to a later one that it overlaps; none if it did not.
fn moved(from: Rounds, to: Rounds) -> Option<Moved> {
    let overlaps = from.0 <= to.0 && from.1 <= to.1 && to.0 <= from.1;
    let some = |first: u32, behind: u32| (first < behind).then(|| (Round(first), Round(behind - 1)));
    overlaps.then(|| Moved {
        left: some(from.0.0, to.0.0),
        entered: some(from.1.0 + 1, to.1.0 + 1),
    })
}

/// What miners declared of the rounds of a range that passed, up to the newest judged one.
pub(super) async fn passed(app: &App, range: Range) -> Result<Arc<Passed>, StoreError> {
    let Some(judged) = newest_judged(app).await? else {
        return Ok(Arc::default());
    };
    let rounds = range.rounds(app, judged);
    let question = format!("passed {}", range.name());
    let read = |before| Passed::read(app.database().readers(), before, rounds);
    app.memo.carry(u64::from(rounds.1.0), question, read).await
}

/// All that was declared up to a round.
#[derive(Debug, Clone, Copy)]
struct Total {
    to: Round,
    sum: WorkSum,
}

/// All that was declared up to a settled round, in one sum.
async fn total(app: &App, to: Round, verified: Verified) -> Result<WorkSum, StoreError> {
    let read = |before: Option<Arc<Total>>| async move {
        let before = before.filter(|before| before.to <= to);
        let (first, mut sum) = before.map_or((0, WorkSum::default()), |before| (before.to.0 + 1, before.sum));
        let newer = (Round(first), to);
        sum.add_sum(&store::declared_total(app.database().readers(), newer, verified).await?);
        Ok::<_, StoreError>(Total { to, sum })
    };
    let question = format!("total {verified:?}");
    Ok(app.memo.carry(u64::from(to.0), question, read).await?.sum)
}

/// All that was declared in passed rounds, in one sum.
pub(crate) async fn passed_in_all(app: &App) -> Result<WorkSum, StoreError> {
    match newest_judged(app).await? {
        Some(judged) => total(app, judged, Verified::Passed).await,
        None => Ok(WorkSum::default()),
    }
}

/// All that was declared, in one sum. Manifests come every second while a round is handed in, so rounds that are not judged are
/// added up each time.
pub(crate) async fn declared_in_all(app: &App) -> Result<WorkSum, StoreError> {
    let (mut sum, mut open) = (WorkSum::default(), 0);
    if let Some(judged) = newest_judged(app).await? {
        sum = total(app, judged, Verified::Any).await?;
        open = judged.0 + 1;
    }
    let open = (Round(open), Round(i32::MAX as u32));
    sum.add_sum(&store::declared_total(app.database().readers(), open, Verified::Any).await?);
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::scratch::Scratch;
    use assay_types::Digest;

    fn rounds(from: u32, to: u32) -> Rounds {
        (Round(from), Round(to))
    }

    #[test]
    fn a_window_moves_forward_over_what_it_overlaps() {
        let none = Moved {
            left: None,
            entered: None,
        };
        let by_one = Moved {
            left: Some(rounds(3, 3)),
            entered: Some(rounds(10, 10)),
        };
        let grown = Moved {
            left: None,
            entered: Some(rounds(10, 12)),
        };
        assert_eq!(moved(rounds(3, 9), rounds(3, 9)), Some(none));
        assert_eq!(moved(rounds(3, 9), rounds(4, 10)), Some(by_one));
        assert_eq!(moved(rounds(0, 9), rounds(0, 12)), Some(grown));
        for to in [rounds(10, 16), rounds(2, 9), rounds(3, 8)] {
            assert_eq!(moved(rounds(3, 9), to), None, "{to:?}");
        }
    }

    /// Two miners that declared of each of twenty rounds and passed most of these; with a second recipe in a few, so that it leaves a
    /// window.
    fn declared() -> Vec<String> {
        let mut statements = Vec::new();
        for (round, miner) in (0..20).flat_map(|round| [(round, 1_u8), (round, 2)]) {
            let hotkey = Hotkey([miner; 32]);
            let verdict = if round % 5 == miner { "no_show" } else { "pass" };
            statements.push(format!(
                "INSERT INTO verdicts (round, hotkey, verdict, delivered, faults, reports, credibility, cap, assigned, units, \
                 records, produced, average) VALUES ({round}, '{hotkey}', '{verdict}', 0, 0, '[]', 0, 0, 0, 0, 0, 0, 0)"
            ));
            for recipe in 0..=u8::from(round % 7 < 2) {
                let (recipe, tokens) = (Digest([recipe; 32]), round * 7 + miner);
                statements.push(format!(
                    "INSERT INTO declared (round, hotkey, recipe_id, units, records, kept, tokens, bytes) \
                     VALUES ({round}, '{hotkey}', '{recipe}', 1, {tokens}, 2, {tokens}, 3)"
                ));
            }
        }
        statements
    }

    #[tokio::test]
    async fn a_carried_window_is_the_one_that_is_read() {
        let store = Scratch::new().await;
        store.run(declared()).await;
        let pool = store.database.readers();
        let mut before = None;
        for to in [
            rounds(0, 3),
            rounds(0, 5),
            rounds(1, 6),
            rounds(4, 9),
            rounds(5, 9),
            rounds(9, 12),
            rounds(14, 19),
        ] {
            let carried = Arc::new(Passed::read(pool, before, to).await.unwrap());
            let read = Passed::read(pool, None, to).await.unwrap();
            assert!(
                read.iter().any(|sum| sum.rounds > 1 && sum.work.tokens > 0),
                "{to:?}"
            );
            assert_eq!(*carried, read, "{to:?}");
            before = Some(carried);
        }
    }
}
