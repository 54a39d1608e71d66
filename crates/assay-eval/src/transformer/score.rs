//! Bits of held-out documents under a trained model: every token predicted once, in windows of the context.
//!
//! Losses are f32 in natural units, summed in f64 in document order and divided by ln 2. Windows of unlike length share a
//! batch: what lies behind a window's end cannot be seen from it, so filling up changes no bit.

use super::shape::Shape;
use super::trainer::{TrainError, Trainer};
use crate::tokenizer::{START, TokenId};

/// One window of a document.
struct Window<'a> {
    document: usize,
    /// The id before the first target: the start id, or the last of the window before.
    before: TokenId,
    targets: &'a [TokenId],
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
    let windows = windows(documents, shape.context);
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
            let of_window = losses.iter().take(windows[*at].targets.len());
            sums[*at] = of_window.fold(0.0, |sum, loss| sum + f64::from(*loss));
        }
    }
    let mut bits = vec![0.0; documents.len()];
    for (window, sum) in windows.iter().zip(sums) {
        bits[window.document] += sum;
    }
    Ok(bits.iter().map(|nats| nats / std::f64::consts::LN_2).collect())
}

fn windows(documents: &[Vec<TokenId>], context: usize) -> Vec<Window<'_>> {
    let mut windows = Vec::new();
    for (document, ids) in documents.iter().enumerate() {
        let mut before = START;
        for targets in ids.chunks(context) {
            windows.push(Window {
                document,
                before,
                targets,
            });
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
}
