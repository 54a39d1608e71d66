//! The CPU's vector instructions: found at run time, or named by the caller; every kernel runs inside one dispatch.
//!
//! Each element of a matrix product is one chain of fused multiply-adds in a written order, and everything else is plain
//! arithmetic in a written order, so `avx512` and `avx2` (and any other CPU with fused multiply-add) give the same bits. Only
//! `plain`, which rounds twice where the others round once, differs.

use std::fmt;

use pulp::{Arch, Scalar256b, Simd as _, WithSimd};

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

    /// Runs `kernel` compiled for the level's instructions.
    #[inline]
    pub fn run<K: WithSimd>(self, kernel: K) -> K::Output {
        match self.0 {
            Kind::Found(arch) => arch.dispatch(kernel),
            Kind::Plain => Scalar256b.vectorize(kernel),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
