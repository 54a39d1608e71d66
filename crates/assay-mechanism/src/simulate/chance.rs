//! What chance does to a submission: rows that a machine gets wrong without meaning to.
//!
//! Submissions of honest and hostile miners come in and leave with some more wrong rows, drawn from the world's seed.

use super::archive::{CONTENT_ROWS, KEPT_ROWS};
use super::strategy::Submission;
use assay_types::Draws;

/// Spoils honest rows with chance `error` each, as a machine that is not bit-exact would.
pub(super) fn spoil(submission: &mut Submission, error: f64, draws: &mut Draws) {
    let claims = submission.claims.len() as u64;
    let expected = error * (claims * CONTENT_ROWS) as f64;
    if expected == 0.0 {
        return;
    }
    for _ in 0..poisson(expected, draws) {
        let at = draws.draw(claims) as usize;
        let kept = draws.draw(CONTENT_ROWS) < KEPT_ROWS;
        if let Some(claim) = submission.claims.get_mut(at) {
            if kept {
                claim.false_kept += 1;
            } else {
                claim.false_dropped += 1;
            }
        }
    }
}

/// A number of rare events of mean `expected`, at most 10,000, by multiplying uniform draws.
fn poisson(expected: f64, draws: &mut Draws) -> u32 {
    let (mut events, mut left) = (0, expected.min(600.0));
    while events < 10_000 {
        left += uniform(draws).ln();
        if left < 0.0 {
            break;
        }
        events += 1;
    }
    events
}

/// A number in (0, 1].
pub(super) fn uniform(draws: &mut Draws) -> f64 {
    ((draws.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64
}
