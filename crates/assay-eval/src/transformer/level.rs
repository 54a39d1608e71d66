//! The CPU's vector instructions: found at run time, or named by the caller; every kernel runs inside one dispatch.
//!
//! Each element of a matrix product is one chain of fused multiply-adds in a written order, and everything else is plain
//! arithmetic in a written order, so `avx512` and `avx2` (and any other CPU with fused multiply-add) give the same bits. Only
//! `plain`, which rounds twice where the others round once, differs.

use std::fmt;

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::__m256;

use pulp::{Arch, Scalar256b, Simd, WithSimd};
#[cfg(target_arch = "x86_64")]
use pulp::{cast, x86::V3};

use super::panels::Square;

/// A set of vector instructions.
#[derive(Debug, Clone, Copy)]
pub struct Level(Kind);

#[derive(Debug, Clone, Copy)]
enum Kind {
    Found(Arch),
    Plain,
}

impl Level {
    /// The best level of this CPU.
    pub fn best() -> Self {
        match Arch::new() {
            Arch::Scalar => Self::plain(),
            found => Self(Kind::Found(found)),
        }
    }

    /// No vector instructions beyond those every CPU of the target has.
    pub fn plain() -> Self {
        Self(Kind::Plain)
    }

    /// All levels of this CPU, the best first.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::best()];
        #[cfg(target_arch = "x86_64")]
        if let (Arch::V4(_), Some(v3)) = (Arch::new(), pulp::x86::V3::try_new()) {
            all.push(Self(Kind::Found(Arch::V3(v3))));
        }
        if all.iter().all(|level| level.name() != "plain") {
            all.push(Self::plain());
        }
        all
    }

    /// The level of a name, if this CPU has it.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|level| level.name() == name)
    }

    /// Whether it has no fused multiply-add.
    pub(crate) fn is_plain(self) -> bool {
        matches!(self.0, Kind::Plain)
    }

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Found(Arch::V4(_)) => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kind::Found(Arch::V3(_)) => "avx2",
            Kind::Found(_) => "simd",
            Kind::Plain => "plain",
        }
    }

    /// Runs loops compiled for the level's instructions; the closure must be `#[inline(always)]`.
    ///
    /// `FnMut`, not `FnOnce`: what calls a closure once is a function of its own, which is compiled for every CPU of the target.
    #[inline]
    pub(crate) fn loops<R>(self, body: impl FnMut() -> R) -> R {
        self.run(Loops(body))
    }

    /// Runs `kernel` compiled for the level's instructions.
    #[inline]
    pub(crate) fn run<K: WithSimd>(self, kernel: K) -> K::Output {
        match self.0 {
            Kind::Found(arch) => arch.dispatch(kernel),
            Kind::Plain => Scalar256b.vectorize(kernel),
        }
    }

    /// Rows and columns exchanged. Compilers do not find the shuffles by themselves.
    #[inline(always)]
    pub(super) fn transposed(self, square: Square) -> Square {
        #[cfg(target_arch = "x86_64")]
        match self.0 {
            Kind::Found(Arch::V3(simd)) => return transposed(simd, square),
            Kind::Found(Arch::V4(simd)) => return transposed(*simd, square),
            _ => {}
        }
        std::array::from_fn(|row| square.map(|line| line[row]))
    }
}

/// Eight lines of eight: neighbours, then pairs, then halves change places.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn transposed(simd: V3, square: Square) -> Square {
    /// Of both: first and third pair, second and fourth.
    const LOW: i32 = 0b01_00_01_00;
    const HIGH: i32 = 0b11_10_11_10;
    let avx = simd.avx;
    let lines = square.map(cast::<[f32; 8], __m256>);
    let mut neighbours = lines;
    for (to, of) in neighbours
        .as_chunks_mut::<2>()
        .0
        .iter_mut()
        .zip(lines.as_chunks::<2>().0)
    {
        *to = [
            avx._mm256_unpacklo_ps(of[0], of[1]),
            avx._mm256_unpackhi_ps(of[0], of[1]),
        ];
    }
    let mut pairs = neighbours;
    for (to, of) in pairs
        .as_chunks_mut::<4>()
        .0
        .iter_mut()
        .zip(neighbours.as_chunks::<4>().0)
    {
        *to = [
            avx._mm256_shuffle_ps::<LOW>(of[0], of[2]),
            avx._mm256_shuffle_ps::<HIGH>(of[0], of[2]),
            avx._mm256_shuffle_ps::<LOW>(of[1], of[3]),
            avx._mm256_shuffle_ps::<HIGH>(of[1], of[3]),
        ];
    }
    let (first, second) = pairs.split_at(4);
    let mut whole = pairs;
    for (at, (a, b)) in first.iter().zip(second).enumerate() {
        whole[at] = avx._mm256_permute2f128_ps::<0x20>(*a, *b);
        whole[at + 4] = avx._mm256_permute2f128_ps::<0x31>(*a, *b);
    }
    whole.map(cast)
}

/// Loops that a compiler turns into vector code.
struct Loops<F>(F);

impl<R, F: FnMut() -> R> WithSimd for Loops<F> {
    type Output = R;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) -> R {
        (self.0)()
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
