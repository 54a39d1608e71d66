//! Stage 2 on a graphics processor: the model of `model`, computed by kernels of `kernels.cu` and by the vendor's products.
//!
//! [`machine`] says what a processor must be able to do, `device` puts the model's operations together from it, and
//! [`trainer`] is one step. None of them knows a vendor, and a test runs them all with the kernels compiled for the host
//! (tests/it/emulated.rs). `cuda`, behind the feature of that name, calls driver, compiler and cuBLAS.

#[cfg(feature = "cuda")]
pub mod cuda;
mod device;
pub mod machine;
mod operations;
pub mod trainer;

/// The source of all kernels.
pub const KERNELS: &str = include_str!("kernels.cu");
