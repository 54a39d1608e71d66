//! NVIDIA's processors: driver, NVRTC and cuBLAS, loaded when a device is opened, so that a build needs none of them.
//!
//! The one place of the crate with calls into foreign code. Bounds of every operand are checked by `device` before, addresses
//! come from `reserve` alone, and all work of a machine is in one stream, so calls take effect in their order.

#![expect(
    unsafe_code,
    reason = "kernels and cuBLAS are foreign code; nothing else of the crate calls any"
)]

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::fmt::Display;
use std::sync::Arc;

use cudarc::cublas::sys::{cublasComputeType_t, cublasGemmAlgo_t, cublasOperation_t, cudaDataType};
use cudarc::cublas::{CudaBlas, result as blas};
use cudarc::driver::{
    CudaContext, CudaFunction, CudaModule, CudaSlice, CudaStream, DevicePtr as _, LaunchConfig,
    PushKernelArg as _,
};
use cudarc::nvrtc::{CompileOptions, Ptx, compile_ptx_with_opts};

use super::KERNELS;
use super::machine::{Arg, Gemm, Launch, Machine, MachineError, Operand, Place, Products};

/// Threads of a block.
const THREADS: u32 = 256;

/// A device that was opened: its kernels are compiled once, for all models that are trained on it.
#[derive(Debug)]
pub struct Cuda {
    name: String,
    context: Arc<CudaContext>,
    module: Arc<CudaModule>,
}

/// Memory and a stream of calls on a device.
#[derive(Debug)]
pub struct CudaMachine {
    device: Arc<Cuda>,
    products: Products,
    stream: Arc<CudaStream>,
    blas: CudaBlas,
    functions: BTreeMap<&'static str, CudaFunction>,
    /// What is reserved, by address.
    memory: BTreeMap<u64, CudaSlice<u32>>,
}

/// A failed call.
fn failed<E: Display>(call: &'static str) -> impl Fn(E) -> MachineError {
    move |error| MachineError::Call {
        call,
        why: error.to_string(),
    }
}

/// The libraries that are not there.
fn missing() -> Option<MachineError> {
    let driver = "install NVIDIA's driver, 525 or later";
    let toolkit = "install it with the CUDA 12 toolkit, or from PyPI, and put its folder on LD_LIBRARY_PATH";
    // SAFETY: the three calls try to open shared libraries by name; opening NVIDIA's runs their initialisers only.
    let has = unsafe {
        [
            ("libcuda", driver, cudarc::driver::sys::is_culib_present()),
            ("libcublas", toolkit, cudarc::cublas::sys::is_culib_present()),
            ("libnvrtc", toolkit, cudarc::nvrtc::sys::is_culib_present()),
        ]
    };
    has.into_iter()
        .find(|(_, _, is_there)| !is_there)
        .map(|(library, cure, _)| MachineError::Library { library, cure })
}

/// The kernels for a device of a compute capability.
///
/// # Errors
/// [`MachineError::Library`], [`MachineError::Call`]: the compiler's words.
pub fn compile((major, minor): (i32, i32)) -> Result<Ptx, MachineError> {
    // SAFETY: as in `missing`.
    if !unsafe { cudarc::nvrtc::sys::is_culib_present() } {
        return Err(MachineError::Library {
            library: "libnvrtc",
            cure: "install it with the CUDA 12 toolkit, or from PyPI, and put its folder on LD_LIBRARY_PATH",
        });
    }
    let options = |options| CompileOptions {
        options,
        ..CompileOptions::default()
    };
    let of_device = vec![format!("--gpu-architecture=compute_{major}{minor}")];
    // A compiler older than the device knows older architectures; the driver takes those too.
    compile_ptx_with_opts(KERNELS, options(of_device))
        .or_else(|_| compile_ptx_with_opts(KERNELS, options(Vec::new())))
        .map_err(failed("nvrtcCompileProgram"))
}

impl Cuda {
    /// Opens a device by its number.
    ///
    /// # Errors
    /// [`MachineError::Library`]: what is missing and what brings it; [`MachineError::Call`].
    pub fn open(ordinal: usize) -> Result<Self, MachineError> {
        if let Some(missing) = missing() {
            return Err(missing);
        }
        let context = CudaContext::new(ordinal).map_err(failed("cuDevicePrimaryCtxRetain"))?;
        let capability = context
            .compute_capability()
            .map_err(failed("cuDeviceGetAttribute"))?;
        let module = context
            .load_module(compile(capability)?)
            .map_err(failed("cuModuleLoadData"))?;
        Ok(Self {
            name: context.name().map_err(failed("cuDeviceGetName"))?,
            context,
            module,
        })
    }

    /// The device's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A stream of its own on the device.
    ///
    /// # Errors
    /// [`MachineError::Call`].
    pub fn machine(self: &Arc<Self>, products: Products) -> Result<CudaMachine, MachineError> {
        let stream = self.context.new_stream().map_err(failed("cuStreamCreate"))?;
        Ok(CudaMachine {
            device: Arc::clone(self),
            products,
            blas: CudaBlas::new(Arc::clone(&stream)).map_err(failed("cublasCreate"))?,
            stream,
            functions: BTreeMap::new(),
            memory: BTreeMap::new(),
        })
    }
}

impl CudaMachine {
    fn function(&mut self, kernel: &'static str) -> Result<CudaFunction, MachineError> {
        if let Some(function) = self.functions.get(kernel) {
            return Ok(function.clone());
        }
        let function = self
            .device
            .module
            .load_function(kernel)
            .map_err(failed("cuModuleGetFunction"))?;
        self.functions.insert(kernel, function.clone());
        Ok(function)
    }

    /// The reserved memory that holds a place, and the first word of it there.
    fn memory(&mut self, place: Place) -> Result<(&mut CudaSlice<u32>, usize), MachineError> {
        let outside = MachineError::Bounds { call: "memory" };
        let Some((start, slice)) = self.memory.range_mut(..=place.address).next_back() else {
            return Err(outside);
        };
        let from = ((place.address - start) / 4) as usize;
        if from + place.words > slice.len() {
            return Err(outside);
        }
        Ok((slice, from))
    }
}

/// An operand as cuBLAS takes it: pointer, step, stride.
fn operand_of(operand: &Operand) -> Result<(*mut c_void, i32, i64), MachineError> {
    Ok((
        operand.place.address as *mut c_void,
        small(operand.step)?,
        i64::try_from(operand.stride).map_err(|_| MachineError::Bounds { call: "gemm" })?,
    ))
}

fn small(value: usize) -> Result<i32, MachineError> {
    i32::try_from(value).map_err(|_| MachineError::Bounds { call: "gemm" })
}

impl Machine for CudaMachine {
    fn name(&self) -> &str {
        self.device.name()
    }

    fn threads(&self) -> u32 {
        THREADS
    }

    fn reserve(&mut self, words: usize) -> Result<Place, MachineError> {
        let memory = self.stream.alloc_zeros::<u32>(words.max(1));
        let memory = memory.map_err(|error| MachineError::Memory {
            needed: 4 * words as u64,
            why: error.to_string(),
        })?;
        let address = {
            let (address, _in_order) = memory.device_ptr(&self.stream);
            address
        };
        self.memory.insert(address, memory);
        Ok(Place { address, words })
    }

    fn release(&mut self, place: Place) -> Result<(), MachineError> {
        // Freed in the stream's order: behind the calls that still use it.
        self.memory.remove(&place.address);
        Ok(())
    }

    fn write(&mut self, place: Place, words: &[u32]) -> Result<(), MachineError> {
        if words.len() > place.words {
            return Err(MachineError::Bounds { call: "write" });
        }
        if words.is_empty() {
            return Ok(());
        }
        let stream = Arc::clone(&self.stream);
        let (memory, from) = self.memory(place)?;
        let mut to = memory.slice_mut(from..from + words.len());
        stream
            .memcpy_htod(words, &mut to)
            .map_err(failed("cuMemcpyHtoDAsync"))
    }

    fn read(&mut self, place: Place) -> Result<Vec<u32>, MachineError> {
        let stream = Arc::clone(&self.stream);
        let mut words = vec![0_u32; place.words];
        if place.words > 0 {
            let (memory, from) = self.memory(place)?;
            let of = memory.slice(from..from + words.len());
            stream
                .memcpy_dtoh(&of, &mut words)
                .map_err(failed("cuMemcpyDtoHAsync"))?;
            stream.synchronize().map_err(failed("cuStreamSynchronize"))?;
        }
        Ok(words)
    }

    fn launch(&mut self, launch: Launch<'_>) -> Result<(), MachineError> {
        let function = self.function(launch.kernel)?;
        let mut builder = self.stream.launch_builder(&function);
        for arg in launch.args {
            match arg {
                Arg::Place(place) => builder.arg(&place.address),
                Arg::Count(count) => builder.arg(count),
                Arg::Size(size) => builder.arg(size),
                Arg::Number(number) => builder.arg(number),
            };
        }
        let config = LaunchConfig {
            grid_dim: (launch.blocks, 1, 1),
            block_dim: (launch.threads, 1, 1),
            shared_mem_bytes: 0,
        };
        // SAFETY: kernels are those of `kernels.cu`, their parameters have the types and the order that `operations` gives
        // (run against the same source in tests/it/emulated.rs), and every place holds the values they touch: `device` checks.
        unsafe { builder.launch(config) }
            .map(drop)
            .map_err(failed(launch.kernel))
    }

    fn gemm(&mut self, gemm: &Gemm) -> Result<(), MachineError> {
        if !gemm.fits() {
            return Err(MachineError::Bounds { call: "gemm" });
        }
        let operation = |operand: &Operand| {
            if operand.is_transposed {
                cublasOperation_t::CUBLAS_OP_T
            } else {
                cublasOperation_t::CUBLAS_OP_N
            }
        };
        let compute = match self.products {
            Products::Exact => cublasComputeType_t::CUBLAS_COMPUTE_32F,
            Products::Bf16 => cublasComputeType_t::CUBLAS_COMPUTE_32F_FAST_16BF,
        };
        let number = cudaDataType::CUDA_R_32F;
        let (one, beta) = (1.0_f32, gemm.beta);
        let [a, b, c] = [operand_of(&gemm.a)?, operand_of(&gemm.b)?, operand_of(&gemm.c)?];
        let sizes = [small(gemm.m)?, small(gemm.n)?, small(gemm.k)?];
        let batch = small(gemm.batch)?;
        // SAFETY: `fits` holds, so all operands lie in memory that `reserve` gave and `release` did not take; the factors are
        // read before the call returns (pointer mode host is the default).
        unsafe {
            blas::gemm_strided_batched_ex(
                *self.blas.handle(),
                operation(&gemm.a),
                operation(&gemm.b),
                sizes[0],
                sizes[1],
                sizes[2],
                (&raw const one).cast(),
                a.0,
                number,
                a.1,
                a.2,
                b.0,
                number,
                b.1,
                b.2,
                (&raw const beta).cast(),
                c.0,
                number,
                c.1,
                c.2,
                batch,
                compute,
                cublasGemmAlgo_t::CUBLAS_GEMM_DEFAULT,
            )
        }
        .map_err(failed("cublasGemmStridedBatchedEx"))
    }
}
