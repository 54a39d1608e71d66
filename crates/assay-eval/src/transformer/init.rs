//! Start values: integers from the seed's stream, scaled once, so every backend starts from the same bits.
//!
//! Gains are 1; matrices .02·z, those back into the stream .02·z/√(2·layers); `z = (Σ of 12 u32)/2^32 − 6`, the low half of
//! each u64 of the stream `H("assay/init/1", seed ‖ tensor index)` first, row by row (docs/evaluation.md).

use assay_types::{Draws, tagged_hash};

use super::shape::{Role, Shape};

/// Standard deviation of matrices.
const DEVIATION: f64 = 0.02;

/// Pairs of u32 in a value.
const PAIRS: usize = 6;

/// The start values of all parameters.
pub fn initial(shape: &Shape, seed: &[u8]) -> Vec<f32> {
    let mut values = Vec::with_capacity(shape.parameters());
    for (index, tensor) in (0_u32..).zip(shape.tensors()) {
        let scale = match tensor.role {
            Role::Gain => {
                values.extend(std::iter::repeat_n(1.0, tensor.columns));
                continue;
            }
            Role::Inner => DEVIATION,
            Role::Outer => DEVIATION / ((2 * shape.layers) as f64).sqrt(),
        };
        let stream = tagged_hash("assay/init/1", &[seed, &index.to_le_bytes()]);
        let mut draws = Draws::new(stream.as_bytes());
        values.extend((0..tensor.rows * tensor.columns).map(|_| (scale * normal(&mut draws)) as f32));
    }
    values
}

/// Nearly normal with variance 1: twelve uniform values less six.
fn normal(draws: &mut Draws) -> f64 {
    let sum: u64 = (0..PAIRS)
        .map(|_| {
            let both = draws.next_u64();
            (both & 0xFFFF_FFFF) + (both >> 32)
        })
        .sum();
    sum as f64 / (1_u64 << 32) as f64 - 6.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transformer::profile::CPU_V1;

    #[test]
    fn values_have_the_deviation_and_depend_on_the_seed() {
        let shape = CPU_V1.shape;
        let values = initial(&shape, b"seed");
        assert_eq!(values.len(), shape.parameters());
        for tensor in shape.tensors() {
            let part = &values[tensor.range()];
            let squares = part.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / part.len() as f64;
            let expected = match tensor.role {
                Role::Gain => 1.0,
                Role::Inner => 0.02,
                Role::Outer => 0.01,
            };
            assert!((squares.sqrt() / expected - 1.0).abs() < 0.05, "{}", tensor.name);
        }
        assert_eq!(values, initial(&shape, b"seed"));
        assert_ne!(values, initial(&shape, b"other"));
    }
}
