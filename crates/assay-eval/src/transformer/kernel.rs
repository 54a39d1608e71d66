//! Everything between the matrix products, row by row: normalisation, rotation, gate, softmax; each with its gradient.
//!
//! Plain loops over slices that compilers turn into vector code. Sums run in [`LANES`] lanes that are added in a written
//! order, so the width of the machine's vectors changes no bit.

use super::real::Real;

/// Lanes of a sum.
const LANES: usize = 16;

/// Added to a mean square before its root is taken (docs/evaluation.md).
pub(crate) const NORM_EPSILON: f64 = 1e-5;

/// `Σ of(a, b)` in lanes.
#[inline(always)]
pub(crate) fn sum<T: Real>(a: &[T], b: &[T], of: impl Fn(T, T) -> T) -> T {
    let mut lanes = [T::ZERO; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += of(*a, *b);
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
        *lane += of(*a, *b);
    }
    folded(lanes, |a, b| a + b)
}

/// The lanes as one, halves onto halves.
#[inline(always)]
fn folded<T: Real>(mut lanes: [T; LANES], both: impl Fn(T, T) -> T) -> T {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = both(lanes[lane], lanes[lane + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// The largest value.
#[inline(always)]
fn largest<T: Real>(values: &[T]) -> T {
    let larger = |a: T, b: T| if b > a { b } else { a };
    let mut lanes = [T::of(f64::from(f32::MIN)); LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, *value);
        }
    }
    for (lane, value) in lanes.iter_mut().zip(rest) {
        *lane = larger(*lane, *value);
    }
    folded(lanes, larger)
}

/// `to = x / √(mean(x²) + ε) · gain` for every row; `scales` keeps `1/√…`.
#[inline(always)]
pub(crate) fn normalise<T: Real>(x: &[T], gain: &[T], to: &mut [T], scales: &mut [T]) {
    let width = gain.len();
    let rows = x.chunks_exact(width).zip(to.chunks_exact_mut(width));
    for ((x, to), scale) in rows.zip(scales) {
        let mean = sum(x, x, |a, b| a * b) / T::of(width as f64);
        let s = T::ONE / (mean + T::of(NORM_EPSILON)).sqrt();
        *scale = s;
        for ((to, x), gain) in to.iter_mut().zip(x).zip(gain) {
            *to = *x * s * *gain;
        }
    }
}

/// What a normalisation had and gave.
#[derive(Debug)]
pub(crate) struct Normalised<'a, T> {
    pub(crate) x: &'a [T],
    pub(crate) scales: &'a [T],
    pub(crate) gain: &'a [T],
}

/// Adds the gradient of a normalisation to `dx` and to `dgain`.
#[inline(always)]
pub(crate) fn normalise_back<T: Real>(of: &Normalised<'_, T>, dy: &[T], dx: &mut [T], dgain: &mut [T]) {
    let width = of.gain.len();
    let rows = of.x.chunks_exact(width).zip(dy.chunks_exact(width));
    for (((x, dy), dx), scale) in rows.zip(dx.chunks_exact_mut(width)).zip(of.scales) {
        let s = *scale;
        let mut lanes = [T::ZERO; LANES];
        for (at, ((x, dy), gain)) in x.iter().zip(dy).zip(of.gain).enumerate() {
            lanes[at % LANES] += *dy * *gain * *x;
        }
        let dot = folded(lanes, |a, b| a + b);
        let pull = dot * s * s * s / T::of(width as f64);
        let values = dx.iter_mut().zip(dgain.iter_mut()).zip(x).zip(dy).zip(of.gain);
        for ((((dx, dgain), x), dy), gain) in values {
            *dx += *dy * *gain * s - *x * pull;
            *dgain += *dy * *x * s;
        }
    }
}

/// Rotates the two halves of one head of one position by its angles.
#[inline(always)]
pub(crate) fn rotate<T: Real>(head: &mut [T], cosines: &[T], sines: &[T]) {
    let (first, second) = head.split_at_mut(cosines.len());
    for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cosines).zip(sines) {
        let (x, y) = (*a, *b);
        *a = x * *cos - y * *sin;
        *b = y * *cos + x * *sin;
    }
}

/// Rotates back: the gradient of [`rotate`].
#[inline(always)]
pub(crate) fn rotate_back<T: Real>(head: &mut [T], cosines: &[T], sines: &[T]) {
    let (first, second) = head.split_at_mut(cosines.len());
    for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cosines).zip(sines) {
        let (x, y) = (*a, *b);
        *a = x * *cos + y * *sin;
        *b = y * *cos - x * *sin;
    }
}

/// `to = silu(a) · c`, a and c side by side in every row of `ac`.
#[inline(always)]
pub(crate) fn gate<T: Real>(ac: &[T], to: &mut [T], hidden: usize) {
    for (ac, to) in ac.chunks_exact(2 * hidden).zip(to.chunks_exact_mut(hidden)) {
        let (a, c) = ac.split_at(hidden);
        for ((to, a), c) in to.iter_mut().zip(a).zip(c) {
            *to = *a / (T::ONE + (-*a).exp()) * *c;
        }
    }
}

/// The gradient of [`gate`]: `d` holds a and c and takes their gradients.
#[inline(always)]
pub(crate) fn gate_back<T: Real>(d: &mut [T], dy: &[T], hidden: usize) {
    for (d, dy) in d.chunks_exact_mut(2 * hidden).zip(dy.chunks_exact(hidden)) {
        let (a, c) = d.split_at_mut(hidden);
        let (a, a_rest) = a.as_chunks_mut::<LANES>();
        let (c, c_rest) = c.as_chunks_mut::<LANES>();
        let (dy, dy_rest) = dy.as_chunks::<LANES>();
        for ((a, c), dy) in a.iter_mut().zip(c).zip(dy) {
            // Copies: a compiler does not see that places of `a` and `c` never meet.
            let (mut of_a, mut of_c) = (*a, *c);
            for ((a, c), dy) in of_a.iter_mut().zip(&mut of_c).zip(dy) {
                (*a, *c) = gate_slopes(*a, *c, *dy);
            }
            (*a, *c) = (of_a, of_c);
        }
        for ((a, c), dy) in a_rest.iter_mut().zip(c_rest).zip(dy_rest) {
            (*a, *c) = gate_slopes(*a, *c, *dy);
        }
    }
}

/// Gradients of a and c.
#[inline(always)]
fn gate_slopes<T: Real>(a: T, c: T, dy: T) -> (T, T) {
    let sigmoid = T::ONE / (T::ONE + (-a).exp());
    let silu = a * sigmoid;
    let slope = sigmoid * (T::ONE + a - silu);
    (dy * c * slope, dy * silu)
}

/// Softmax of a row's first values; the others become 0.
#[inline(always)]
pub(crate) fn softmax_prefix<T: Real>(row: &mut [T], length: usize) {
    let (seen, hidden) = row.split_at_mut(length);
    let (_, total) = exponentials(seen);
    let scale = T::ONE / total;
    for value in seen {
        *value *= scale;
    }
    hidden.fill(T::ZERO);
}

/// The gradient of a softmax: `dp` becomes `p·(dp − Σ dp·p)`.
#[inline(always)]
pub(crate) fn softmax_back<T: Real>(p: &[T], dp: &mut [T]) {
    let dot = sum(p, dp, |a, b| a * b);
    for (p, dp) in p.iter().zip(dp) {
        *dp = *p * (*dp - dot);
    }
}

/// Replaces values by `e^(x − largest)`; gives the largest and the sum.
#[inline(always)]
pub(crate) fn exponentials<T: Real>(row: &mut [T]) -> (T, T) {
    let top = largest(row);
    let mut lanes = [T::ZERO; LANES];
    let (chunks, rest) = row.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *value = (*value - top).exp();
            *lane += *value;
        }
    }
    for (lane, value) in lanes.iter_mut().zip(rest) {
        *value = (*value - top).exp();
        *lane += *value;
    }
    (top, folded(lanes, |a, b| a + b))
}
