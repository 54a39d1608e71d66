//! One block of the chain with everything the server keeps of it.

use super::{FollowError, plan};
use crate::app::App;
use crate::store::{self, AddRecipeText, CommitmentRow, HeadRow, RevealedRow, TakeBlock};
use assay_chain::{At, Chain, Commitment, CommitmentField, Head, Metagraph, RevealedCommitment, offers};
use assay_mechanism::admit::admit_pointer;
use assay_mechanism::clock::{Clock, CommitmentTimes};
use assay_mechanism::contest::Offer;
use assay_types::{BlockNumber, MechId, Message, Pointer, Round};

/// Most mechanisms of a subnet whose weights are kept.
const MECHANISMS_MAX: u8 = 2;

/// Rounds back whose reports may still be open: a cutoff lies within the round or the next ones.
const CUTOFF_ROUNDS: u32 = 4;

/// Everything of block `number`, which follows `known`.
pub(super) async fn read_block(
    app: &App,
    chain: &dyn Chain,
    known: Option<HeadRow>,
    number: BlockNumber,
) -> Result<(TakeBlock, Metagraph), FollowError> {
    let netuid = app.identity().netuid;
    let head = chain.head(At::Number(number)).await?;
    let at = At::Hash(head.hash);
    let since = known.map(|row| row.head.number);
    let metagraph = chain.metagraph(netuid, at).await?;
    let standing = chain.commitments(netuid, at).await?;
    let opened = chain.revealed_commitments(netuid, at).await?;
    let is_epoch = is_epoch(app, chain, since, at).await?;
    let assigned = plan::round_assigned_by(&app.rounds(), number);
    let round = match assigned {
        Some(round) => Some(plan::plan_round(app, round, &head, (&metagraph, &standing, &opened)).await?),
        None => None,
    };
    let mut weights = Vec::new();
    if is_epoch {
        for mechanism in (0..MECHANISMS_MAX).map(MechId) {
            let rows = chain.weights(netuid, mechanism, at).await?;
            if mechanism.0 == 0 || !rows.is_empty() {
                weights.push((mechanism, rows));
            }
        }
    }
    let pulse = pulse_stored(app, chain, &head).await?;
    let fresh: Vec<&RevealedCommitment> = opened
        .iter()
        .filter(|opened| since.is_none_or(|since| opened.block > since))
        .collect();
    let (revealed, mut recipes) =
        consequences(app, &fresh, &metagraph, pulse.map(|round| (round, number))).await?;
    recipes.extend(offered(app, &metagraph, &standing, since));
    let block = TakeBlock {
        head,
        metagraph: if assigned.is_some() {
            Some(("assignment", metagraph.clone()))
        } else if is_cutoff(&app.rounds(), number) {
            Some(("cutoff", metagraph.clone()))
        } else {
            is_epoch.then(|| ("epoch", metagraph.clone()))
        },
        weights,
        commitments: rows(&standing, &fresh, since),
        pulse,
        revealed,
        recipes,
        round,
        now_ms: app.clock().now_ms(),
    };
    Ok((block, metagraph))
}

/// Whether the reports on some round close at a block: its permits and stakes are the ones that count.
fn is_cutoff(clock: &Clock, block: BlockNumber) -> bool {
    let newest = clock.round_of(block).map_or(0, |round| round.0);
    (newest.saturating_sub(CUTOFF_ROUNDS)..=newest).any(|round| clock.report_cutoff(Round(round)) == block)
}

/// Whether an epoch ran since the block before; the first block taken in counts as one.
async fn is_epoch(
    app: &App,
    chain: &dyn Chain,
    since: Option<BlockNumber>,
    at: At,
) -> Result<bool, FollowError> {
    let Some(since) = since else { return Ok(true) };
    let state = chain.epoch_state(app.identity().netuid, at).await?;
    Ok(match state.last_epoch {
        Some(last) => last > since && last <= state.block,
        None => state.blocks_since_last_step == 0,
    })
}

/// The round whose pulse is stored for the first time.
async fn pulse_stored(app: &App, chain: &dyn Chain, head: &Head) -> Result<Option<Round>, FollowError> {
    let clock = app.rounds();
    let readers = app.database().readers();
    let Some(round) = clock.round_of(head.number) else {
        return Ok(None);
    };
    let values = &app.params().values;
    let offset = u64::from(head.number.0.saturating_sub(clock.start(round).0));
    if offset < values.commit_offset || offset > values.publish_end {
        return Ok(None);
    }
    let (Some(pulse), None) = (
        round_pulse(app, round).await?,
        store::pulse_block(readers, round).await?,
    ) else {
        return Ok(None);
    };
    let stored = chain.last_pulse_round(At::Hash(head.hash)).await?;
    Ok((stored >= pulse).then_some(round))
}

/// `R_t`, if the round's first block was taken in.
async fn round_pulse(app: &App, round: Round) -> Result<Option<u64>, FollowError> {
    let clock = app.rounds();
    let start = store::head_time(app.database().readers(), clock.start(round)).await?;
    Ok(start.and_then(|ms| Clock::pulse_after(clock.deadline_seconds(ms / 1_000))))
}

/// Fields as they are stored.
fn rows(
    standing: &[Commitment],
    opened: &[&RevealedCommitment],
    since: Option<BlockNumber>,
) -> Vec<CommitmentRow> {
    let is_new = |block: BlockNumber| since.is_none_or(|since| block > since);
    let mut rows = Vec::new();
    for commitment in standing.iter().filter(|commitment| is_new(commitment.block)) {
        for (place, field) in (0..).zip(&commitment.fields) {
            let (kind, bytes) = match field {
                CommitmentField::Plain(bytes) => ("plain", bytes.clone()),
                CommitmentField::Timelocked { .. } => ("sealed", Vec::new()),
                CommitmentField::Blake2(_) => continue,
            };
            rows.push(CommitmentRow {
                hotkey: commitment.hotkey,
                kind,
                block: commitment.block,
                place,
                bytes,
            });
        }
    }
    for (place, opened) in (0..).zip(opened) {
        rows.push(CommitmentRow {
            hotkey: opened.hotkey,
            kind: "revealed",
            block: opened.block,
            place,
            bytes: opened.bytes.clone(),
        });
    }
    rows
}

/// Submissions and recipes among what was opened.
async fn consequences(
    app: &App,
    opened: &[&RevealedCommitment],
    metagraph: &Metagraph,
    pulse: Option<(Round, BlockNumber)>,
) -> Result<(Vec<RevealedRow>, Vec<AddRecipeText>), FollowError> {
    let (mut revealed, mut recipes) = (Vec::new(), Vec::new());
    for opened in opened {
        match Message::parse(&opened.bytes) {
            Ok(Message::Submission(pointer)) => {
                let refusal = refusal(app, opened, &pointer, pulse).await?;
                revealed.push(RevealedRow {
                    hotkey: opened.hotkey,
                    pointer,
                    block: opened.block,
                    refusal,
                    now_ms: app.clock().now_ms(),
                });
            }
            Ok(Message::Recipe(message)) => {
                let committed =
                    store::sealed_at(app.database().readers(), &opened.hotkey, opened.block).await?;
                let author = metagraph
                    .neuron(&opened.hotkey)
                    .map(|neuron| (neuron.hotkey, neuron.coldkey, committed.unwrap_or(opened.block)));
                recipes.push(AddRecipeText {
                    recipe_id: message.recipe_id,
                    author,
                    toml: String::new(),
                    now_ms: app.clock().now_ms(),
                });
            }
            _ => {}
        }
    }
    Ok((revealed, recipes))
}

/// Recipes that are offered in the clear since a block: they duel like those that were sealed.
fn offered(
    app: &App,
    metagraph: &Metagraph,
    standing: &[Commitment],
    since: Option<BlockNumber>,
) -> Vec<AddRecipeText> {
    let is_new = |offer: &Offer| since.is_none_or(|since| offer.author.block > since);
    let offers = offers(metagraph, standing, &[]).into_iter().filter(is_new);
    let add = |offer: Offer| AddRecipeText {
        recipe_id: offer.message.recipe_id,
        author: Some((offer.author.hotkey, offer.author.coldkey, offer.author.block)),
        toml: String::new(),
        now_ms: app.clock().now_ms(),
    };
    offers.map(add).collect()
}

/// Why a submission does not count (stage V0); "" if it does.
async fn refusal(
    app: &App,
    opened: &RevealedCommitment,
    pointer: &Pointer,
    pulse: Option<(Round, BlockNumber)>,
) -> Result<String, FollowError> {
    let readers = app.database().readers();
    let clock = app.rounds();
    let round = pointer.round;
    let Some(start_ms) = store::head_time(readers, clock.start(round)).await? else {
        return Ok("its round has not begun".to_owned());
    };
    let pulse_block = match pulse {
        Some((of, block)) if of == round => Some(block),
        _ => store::pulse_block(readers, round).await?,
    };
    let committed = store::sealed_at(readers, &opened.hotkey, opened.block).await?;
    let committed_ms = match committed {
        Some(block) => store::head_time(readers, block).await?,
        None => None,
    };
    let (Some(pulse_block), Some(committed_ms)) = (pulse_block, committed_ms) else {
        return Ok("it was opened without a sealed commitment or before the round's pulse".to_owned());
    };
    let times = CommitmentTimes {
        committed_seconds: committed_ms / 1_000,
        deadline_seconds: clock.deadline_seconds(start_ms / 1_000),
        reveal_block: opened.block,
        pulse_block,
    };
    Ok(admit_pointer(pointer, round, &clock, &times)
        .err()
        .map(|refusal| refusal.to_string())
        .unwrap_or_default())
}
