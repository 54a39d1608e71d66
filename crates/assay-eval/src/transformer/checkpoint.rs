//! Models and runs as safetensors: named tensors of f32 and f64, never code.
//!
//! A model is its tensors by name; a [`Snapshot`] adds both moments, the bits and losses summed so far and the number of steps.

use std::collections::HashMap;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors, serialize};
use thiserror::Error;

use super::shape::Shape;
use super::trainer::TrainerState;

/// Most bytes that are read: the largest profile with both moments has 1.8 GB.
pub const CHECKPOINT_BYTES_MAX: usize = 4 << 30;

/// Prefixes of the moments' names.
const FIRST: &str = "first.";
const SECOND: &str = "second.";

/// Names of what a run has summed.
const BITS: &str = "run.bits";
const CURVE: &str = "run.curve";
const STEPS: &str = "run.steps";

/// A run between two steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Parameters, moments, steps.
    pub trainer: TrainerState,
    /// Bits of every document, summed over checkpoints.
    pub bits: Vec<f64>,
    /// Losses summed in parts of the run.
    pub curve: Vec<f64>,
}

/// Why bytes are no checkpoint of a model.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// No safetensors, or they could not be written.
    #[error("no safetensors: {0}")]
    Form(#[from] SafeTensorError),
    /// Longer than [`CHECKPOINT_BYTES_MAX`].
    #[error("a checkpoint of `{0}` bytes, at most {CHECKPOINT_BYTES_MAX} are read")]
    TooLarge(usize),
    /// A tensor is not what the model needs.
    #[error("tensor `{name}` is {found}, the model needs {expected}")]
    Tensor {
        /// Its name.
        name: String,
        /// What it is.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// A value is infinite or no number.
    #[error("tensor `{0}` holds a value that is not finite")]
    NotFinite(String),
}

/// Tensors to write.
#[derive(Default)]
struct Writer {
    tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
}

impl Writer {
    fn add_model(&mut self, shape: &Shape, prefix: &str, values: &[f32]) {
        for tensor in shape.tensors() {
            let sizes = if tensor.rows == 1 {
                vec![tensor.columns]
            } else {
                vec![tensor.rows, tensor.columns]
            };
            let part = values.get(tensor.range()).unwrap_or_default();
            let bytes = part.iter().flat_map(|value| value.to_le_bytes()).collect();
            let name = format!("{prefix}{}", tensor.name);
            self.tensors.push((name, Dtype::F32, sizes, bytes));
        }
    }

    fn add_wide(&mut self, name: &str, values: &[f64]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensors
            .push((name.to_owned(), Dtype::F64, vec![values.len()], bytes));
    }

    fn finish(&self) -> Result<Vec<u8>, CheckpointError> {
        let mut views = Vec::new();
        for (name, dtype, sizes, bytes) in &self.tensors {
            views.push((name.as_str(), TensorView::new(*dtype, sizes.clone(), bytes)?));
        }
        Ok(serialize(views, None::<HashMap<String, String>>)?)
    }
}

/// Writes a model.
///
/// # Errors
/// [`CheckpointError::Form`].
pub fn save_model(shape: &Shape, values: &[f32]) -> Result<Vec<u8>, CheckpointError> {
    let mut writer = Writer::default();
    writer.add_model(shape, "", values);
    writer.finish()
}

/// Reads a model.
///
/// # Errors
/// [`CheckpointError`]: what is wrong with it.
pub fn load_model(shape: &Shape, bytes: &[u8]) -> Result<Vec<f32>, CheckpointError> {
    read_model(shape, "", &open(bytes)?)
}

/// Writes a run between two steps.
///
/// # Errors
/// [`CheckpointError::Form`].
pub fn save_snapshot(shape: &Shape, snapshot: &Snapshot) -> Result<Vec<u8>, CheckpointError> {
    let mut writer = Writer::default();
    writer.add_model(shape, "", &snapshot.trainer.values);
    writer.add_model(shape, FIRST, &snapshot.trainer.first);
    writer.add_model(shape, SECOND, &snapshot.trainer.second);
    writer.add_wide(BITS, &snapshot.bits);
    writer.add_wide(CURVE, &snapshot.curve);
    writer.add_wide(STEPS, &[snapshot.trainer.steps as f64]);
    writer.finish()
}

/// Reads a run between two steps.
///
/// # Errors
/// [`CheckpointError`]: what is wrong with it.
pub fn load_snapshot(shape: &Shape, bytes: &[u8]) -> Result<Snapshot, CheckpointError> {
    let tensors = open(bytes)?;
    let steps = read_wide(STEPS, &tensors)?;
    Ok(Snapshot {
        trainer: TrainerState {
            values: read_model(shape, "", &tensors)?,
            first: read_model(shape, FIRST, &tensors)?,
            second: read_model(shape, SECOND, &tensors)?,
            steps: steps.first().copied().unwrap_or(0.0).max(0.0) as u64,
        },
        bits: read_wide(BITS, &tensors)?,
        curve: read_wide(CURVE, &tensors)?,
    })
}

fn open(bytes: &[u8]) -> Result<SafeTensors<'_>, CheckpointError> {
    if bytes.len() > CHECKPOINT_BYTES_MAX {
        return Err(CheckpointError::TooLarge(bytes.len()));
    }
    Ok(SafeTensors::deserialize(bytes)?)
}

fn read_model(shape: &Shape, prefix: &str, tensors: &SafeTensors<'_>) -> Result<Vec<f32>, CheckpointError> {
    let mut values = Vec::new();
    for tensor in shape.tensors() {
        let name = format!("{prefix}{}", tensor.name);
        let view = tensors.tensor(&name)?;
        let expected = tensor.rows * tensor.columns;
        let (numbers, _) = view.data().as_chunks::<4>();
        if view.dtype() != Dtype::F32 || numbers.len() != expected {
            return Err(CheckpointError::Tensor {
                name,
                found: format!("{:?} of {:?}", view.dtype(), view.shape()),
                expected: format!("F32 of {expected} values"),
            });
        }
        let before = values.len();
        values.extend(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)));
        if values.iter().skip(before).any(|value| !value.is_finite()) {
            return Err(CheckpointError::NotFinite(name));
        }
    }
    Ok(values)
}

fn read_wide(name: &str, tensors: &SafeTensors<'_>) -> Result<Vec<f64>, CheckpointError> {
    let view = tensors.tensor(name)?;
    if view.dtype() != Dtype::F64 {
        return Err(CheckpointError::Tensor {
            name: name.to_owned(),
            found: format!("{:?}", view.dtype()),
            expected: "F64".to_owned(),
        });
    }
    let (numbers, _) = view.data().as_chunks::<8>();
    let values: Vec<f64> = numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    if values.iter().any(|value| !value.is_finite()) {
        return Err(CheckpointError::NotFinite(name.to_owned()));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transformer::initial;
    use crate::transformer::profile::CPU_V1;

    fn snapshot(shape: &Shape) -> Snapshot {
        let values = initial(shape, b"s");
        Snapshot {
            trainer: TrainerState {
                first: values.iter().map(|value| value * 0.5).collect(),
                second: values.iter().map(|value| value * value).collect(),
                values,
                steps: 77,
            },
            bits: vec![1.5, 0.1],
            curve: vec![0.3; 64],
        }
    }

    #[test]
    fn what_is_saved_is_loaded_and_other_bytes_are_refused() {
        let shape = CPU_V1.shape;
        let snapshot = snapshot(&shape);
        let bytes = save_snapshot(&shape, &snapshot).unwrap();
        assert_eq!(load_snapshot(&shape, &bytes).unwrap(), snapshot);
        assert_eq!(load_model(&shape, &bytes).unwrap(), snapshot.trainer.values);
        let model = save_model(&shape, &snapshot.trainer.values).unwrap();
        assert!(model.len() < bytes.len() / 2);
        let of_model = load_snapshot(&shape, &model).unwrap_err();
        assert!(of_model.to_string().contains("run.steps"), "{of_model}");
        let other = Shape { width: 128, ..shape };
        assert!(matches!(
            load_model(&other, &model),
            Err(CheckpointError::Tensor { .. })
        ));
        for cut in [0, 7, 100, model.len() - 1] {
            assert!(matches!(
                load_model(&shape, &model[..cut]),
                Err(CheckpointError::Form(_))
            ));
        }
        let mut values = snapshot.trainer.values;
        values[5] = f32::NAN;
        let broken = save_model(&shape, &values).unwrap();
        assert!(matches!(
            load_model(&shape, &broken),
            Err(CheckpointError::NotFinite(_))
        ));
    }
}
