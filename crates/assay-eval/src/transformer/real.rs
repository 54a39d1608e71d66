//! The number a model computes in: `f32` trains, `f64` proves the same code's gradients against central differences.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub};

use super::level::Level;
use super::matmul::{Matrix, MatrixMut, Old, product};
use super::panels::Panels;

/// Terms of the exponential's series beyond the first two: 1/2! to 1/7!.
const SERIES: [f32; 6] = [
    1.0 / 2.0,
    1.0 / 6.0,
    1.0 / 24.0,
    1.0 / 120.0,
    1.0 / 720.0,
    1.0 / 5_040.0,
];

/// ln 2 in two parts: the first has so few bits that its product with a small integer is exact (Cody and Waite).
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// Adding 1.5·2^23 leaves the nearest integer in the low bits.
const ROUNDING: f32 = 12_582_912.0;

/// Exponents with a normal result.
const EXPONENT_MIN: f32 = -87.0;
const EXPONENT_MAX: f32 = 88.0;

/// A floating-point number.
pub trait Real:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + MulAssign
{
    /// Memory for packed panels.
    type Panels: Default + Debug + Send;

    /// 0.
    const ZERO: Self;

    /// 1.
    const ONE: Self;

    /// The nearest value.
    fn of(value: f64) -> Self;

    /// As `f64`.
    fn wide(self) -> f64;

    /// e to the power of it, within 2 units of the last place; never libm in `f32`, so the same on every machine.
    #[must_use]
    fn exp(self) -> Self;

    /// Square root.
    #[must_use]
    fn sqrt(self) -> Self;

    /// `dst = a · b`, or `dst += a · b`.
    fn product(
        level: Level,
        panels: &mut Self::Panels,
        to: (MatrixMut<'_, Self>, Old),
        a: Matrix<'_, Self>,
        b: Matrix<'_, Self>,
    );
}

impl Real for f32 {
    type Panels = Panels;

    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn exp(self) -> Self {
        // Comparisons, not `clamp`: they keep NaN and become one instruction.
        let held = if self < EXPONENT_MIN { EXPONENT_MIN } else { self };
        let held = if held > EXPONENT_MAX { EXPONENT_MAX } else { held };
        let rounded = held * std::f32::consts::LOG2_E + ROUNDING;
        let whole = rounded - ROUNDING;
        let rest = (held - whole * LN_2_HIGH) - whole * LN_2_LOW;
        let tail = SERIES.iter().rev().fold(0.0, |sum, term| sum * rest + *term);
        let fraction = 1.0 + (rest + rest * rest * tail);
        let power = f32::from_bits((rounded.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
        fraction * power
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }

    fn product(
        level: Level,
        panels: &mut Panels,
        to: (MatrixMut<'_, f32>, Old),
        a: Matrix<'_, f32>,
        b: Matrix<'_, f32>,
    ) {
        product(level, panels, to, a, b);
    }
}

impl Real for f64 {
    type Panels = ();

    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }

    #[inline(always)]
    fn exp(self) -> Self {
        f64::exp(self)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }

    fn product(
        _: Level,
        (): &mut (),
        (mut dst, old): (MatrixMut<'_, f64>, Old),
        a: Matrix<'_, f64>,
        b: Matrix<'_, f64>,
    ) {
        let (rows, columns) = dst.shape();
        for row in 0..rows {
            for column in 0..columns {
                let sum = (0..a.columns()).fold(0.0, |sum, k| sum + a.at(row, k) * b.at(k, column));
                let to = dst.at(row, column);
                *to = if old == Old::Kept { *to + sum } else { sum };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_within_two_units_of_the_last_place() {
        for step in -870_000..880_000 {
            let x = step as f32 / 10_000.0;
            let (found, exact) = (Real::exp(x), f64::from(x).exp());
            assert!(
                (f64::from(found) / exact - 1.0).abs() < 2.5e-7,
                "{x}: {found} {exact}"
            );
        }
        assert!(Real::exp(f32::NAN).is_nan());
        assert!(Real::exp(-1e9_f32) > 0.0 && Real::exp(-1e9_f32) < 2e-38);
        assert!((Real::exp(0.0_f32) - 1.0).abs() < f32::EPSILON);
    }
}
