//! Profiles of stage 2: how large a model is trained on how much text; results of two profiles do not compare.

use super::gpu::machine::Products;
use super::shape::Shape;

/// What a stage-2 measurement trains.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainingProfile {
    /// Its name in reports.
    pub name: &'static str,
    /// The model and its batches.
    pub shape: Shape,
    /// Most tokens of one document: twice the context or 512, whichever is more (docs/evaluation.md).
    pub window_tokens: u32,
    /// Tokens of a run.
    pub tokens: u64,
    /// Highest learning rate.
    pub rate_max: f64,
    /// How a graphics processor multiplies.
    pub products: Products,
}

/// `cpu-v1`: a quarter of a million parameters, a million tokens (docs/evaluation.md).
pub const CPU_V1: TrainingProfile = TrainingProfile {
    name: "cpu-v1",
    shape: Shape {
        width: 64,
        layers: 2,
        heads: 2,
        hidden: 192,
        context: 128,
        batch: 8,
        vocabulary: 2_048,
    },
    window_tokens: 512,
    tokens: 1 << 20,
    rate_max: 3e-3,
    products: Products::Exact,
};

/// `smoke`: a run of a second that shows whether everything works; nothing is ever decided by it.
pub const SMOKE: TrainingProfile = TrainingProfile {
    name: "smoke",
    shape: Shape {
        width: 16,
        layers: 1,
        heads: 2,
        hidden: 32,
        context: 64,
        batch: 4,
        vocabulary: 2_048,
    },
    window_tokens: 512,
    tokens: 1 << 15,
    rate_max: 3e-3,
    products: Products::Exact,
};

/// `gpu-v1`: 33 million parameters, GPT-2 tokens; described here, trained where a graphics processor is at hand.
pub const GPU_V1: TrainingProfile = TrainingProfile {
    name: "gpu-v1",
    shape: Shape {
        width: 384,
        layers: 8,
        heads: 6,
        hidden: 1_024,
        context: 1_024,
        batch: 64,
        vocabulary: 50_257,
    },
    window_tokens: 2_048,
    tokens: 200_000_000,
    rate_max: 1e-3,
    products: Products::Bf16,
};

/// `audit-v1`: 152 million parameters, a billion tokens.
pub const AUDIT_V1: TrainingProfile = TrainingProfile {
    name: "audit-v1",
    shape: Shape {
        width: 768,
        layers: 16,
        heads: 12,
        hidden: 2_048,
        context: 1_024,
        batch: 128,
        vocabulary: 50_257,
    },
    window_tokens: 2_048,
    tokens: 1_000_000_000,
    rate_max: 6e-4,
    products: Products::Bf16,
};

/// Shape A of the speed comparison (docs/evaluation.md).
pub const BENCH_A: Shape = Shape {
    width: 128,
    layers: 4,
    heads: 4,
    hidden: 352,
    context: 256,
    batch: 8,
    vocabulary: 4_096,
};

/// Shape B of the speed comparison.
pub const BENCH_B: Shape = Shape {
    width: 256,
    layers: 6,
    heads: 8,
    hidden: 704,
    context: 256,
    batch: 8,
    vocabulary: 4_096,
};
