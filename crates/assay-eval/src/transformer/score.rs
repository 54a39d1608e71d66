//! Bits of texts under a trained model: every token predicted once, in windows of the context; what is given costs nothing.
//!
//! Losses are f32 in natural units, summed in f64 in document order and divided by ln 2. Windows of unlike length share a
//! batch: what lies behind a window's end cannot be seen from it, so filling up changes no bit.

use super::shape::Shape;
use super::trainer::{TrainError, Trainer};
use crate::tokenizer::{START, TokenId};

/// A text whose beginning may be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Its ids, without a start id.
    pub ids: Vec<TokenId>,
    /// So many of the first ids are given: they are seen and cost nothing.
    pub given: usize,
}

/// One window of a text.
struct Window<'a> {
    text: usize,
    /// The id before the first target: the start id, or the last of the window before.
    before: TokenId,
    targets: &'a [TokenId],
    /// So many of its first targets cost nothing.
    given: usize,
}

/// Bits of every document, in their order.
///
/// # Errors
/// [`TrainError::Machine`].
pub fn document_bits(
    trainer: &mut dyn Trainer,
    shape: &Shape,
    documents: &[Vec<TokenId>],
) -> Result<Vec<f64>, TrainError> {
    let texts = documents.iter().map(|ids| (ids.as_slice(), 0));
    bits(trainer, shape, &windows(texts, shape.context), documents.len())
}

/// Bits of what is not given of every passage, in their order.
///
/// # Errors
/// [`TrainError::Machine`].
pub fn passage_bits(
    trainer: &mut dyn Trainer,
    shape: &Shape,
    passages: &[Passage],
) -> Result<Vec<f64>, TrainError> {
    let texts = passages
        .iter()
        .map(|passage| (passage.ids.as_slice(), passage.given));
    bits(trainer, shape, &windows(texts, shape.context), passages.len())
}

fn bits(
    trainer: &mut dyn Trainer,
    shape: &Shape,
    windows: &[Window<'_>],
    texts: usize,
) -> Result<Vec<f64>, TrainError> {
    let mut order: Vec<usize> = (0..windows.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(windows[*at].targets.len()));
    let mut sums = vec![0.0; windows.len()];
    let (mut inputs, mut targets, mut losses) = (Vec::new(), Vec::new(), Vec::new());
    for batch in order.chunks(shape.batch) {
        let length = batch.first().map_or(0, |at| windows[*at].targets.len());
        inputs.clear();
        targets.clear();
        for at in batch {
            let window = &windows[*at];
            let end = inputs.len() + length;
            inputs.push(window.before);
            inputs.extend_from_slice(&window.targets[..window.targets.len() - 1]);
            inputs.resize(end, START);
            targets.extend_from_slice(window.targets);
            targets.resize(end, START);
        }
        trainer.losses(&inputs, &targets, length, &mut losses)?;
        for (at, losses) in batch.iter().zip(losses.chunks(length)) {
            let window = &windows[*at];
            let of_window = losses.iter().take(window.targets.len()).skip(window.given);
            sums[*at] = of_window.fold(0.0, |sum, loss| sum + f64::from(*loss));
        }
    }
    let mut bits = vec![0.0; texts];
    for (window, sum) in windows.iter().zip(sums) {
        bits[window.text] += sum;
    }
    Ok(bits.iter().map(|nats| nats / std::f64::consts::LN_2).collect())
}

/// Windows of texts, each with the number of its ids that are given.
fn windows<'a>(texts: impl Iterator<Item = (&'a [TokenId], usize)>, context: usize) -> Vec<Window<'a>> {
    let mut windows = Vec::new();
    for (text, (ids, mut given)) in texts.enumerate() {
        let mut before = START;
        for targets in ids.chunks(context) {
            windows.push(Window {
                text,
                before,
                targets,
                given: given.min(targets.len()),
            });
            given = given.saturating_sub(targets.len());
            before = targets.last().copied().unwrap_or(START);
        }
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transformer::profile::CPU_V1;
    use crate::transformer::{CpuTrainer, Level, initial};

    #[test]
    fn each_document_has_the_bits_it_has_alone() {
        let shape = Shape {
            context: 16,
            batch: 4,
            ..CPU_V1.shape
        };
        let mut trainer = CpuTrainer::<f32>::new(shape, &initial(&shape, b"s"), Level::best(), 1).unwrap();
        let documents: Vec<Vec<TokenId>> = [40_u16, 3, 0, 16, 17, 1]
            .iter()
            .map(|length| (0..*length).map(|id| 1 + id * 37 % 2_000).collect())
            .collect();
        let together = document_bits(&mut trainer, &shape, &documents).unwrap();
        for (document, bits) in documents.iter().zip(&together) {
            let alone = document_bits(&mut trainer, &shape, std::slice::from_ref(document)).unwrap();
            assert_eq!(alone[0].to_bits(), bits.to_bits(), "{} ids", document.len());
            // An untrained model knows nothing: 11 bits an id.
            let each = bits / document.len().max(1) as f64;
            assert!(document.is_empty() || (each - 11.0).abs() < 0.2, "{each}");
        }
    }

    #[test]
    fn what_is_given_costs_nothing_and_is_seen() {
        let shape = Shape {
            context: 16,
            batch: 4,
            ..CPU_V1.shape
        };
        let mut trainer = CpuTrainer::<f32>::new(shape, &initial(&shape, b"s"), Level::best(), 1).unwrap();
        let ids: Vec<TokenId> = (0..40).map(|id| 1 + id * 37 % 2_000).collect();
        let passage = |given| Passage {
            ids: ids.clone(),
            given,
        };
        let passages = [0, 3, 16, 20, 40].map(passage);
        let found = passage_bits(&mut trainer, &shape, &passages).unwrap();
        let whole = document_bits(&mut trainer, &shape, std::slice::from_ref(&ids)).unwrap()[0];
        assert_eq!(found[0].to_bits(), whole.to_bits());
        assert_eq!(found[4].to_bits(), 0, "all is given");
        // Each id costs about 11 bits, so what is left tells how many were not given.
        for (bits, left) in found.iter().zip([40.0, 37.0, 24.0, 20.0]) {
            assert!((bits / left - 11.0).abs() < 0.2, "{bits} of {left}");
        }
        // Other ids before change the bits of the same rest.
        let mut other = passage(3);
        other.ids[1] += 1;
        let changed = passage_bits(&mut trainer, &shape, &[other]).unwrap()[0];
        assert_ne!(changed.to_bits(), found[1].to_bits());
    }
}
