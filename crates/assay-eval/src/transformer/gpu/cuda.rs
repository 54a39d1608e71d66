//! NVIDIA's processors: driver, NVRTC and cuBLAS, loaded when a device is opened, so that a build needs none of them.
//!
//! The one place of the crate with calls into foreign code. Bounds of every operand are checked by `device` before, addresses
//! are looked up in what `reserve` gave, and all work of a machine is in one stream, so calls take effect in their order; copies from
//! this machine's memory are waited for.

#![expect(
    unsafe_code,
    reason = "kernels and cuBLAS are foreign code; nothing else of the crate calls any"
)]

use std::collections::BTreeMap;
use std::ffi::CString;
use std::ffi::c_void;
use std::fmt::Display;
use std::sync::Arc;

use cudarc::cublas::result as blas;
use cudarc::cublas::sys::{
    cublasComputeType_t, cublasGemmAlgo_t, cublasHandle_t, cublasOperation_t, cudaDataType,
};
use cudarc::driver::sys::CUresult;
use cudarc::driver::{
    CudaContext, CudaFunction, CudaModule, CudaSlice, CudaStream, DevicePtr as _, LaunchConfig,
    PushKernelArg as _,
};
use cudarc::nvrtc::{Ptx, compile_ptx, result as nvrtc};

use super::KERNELS;
use super::machine::{Arg, Gemm, Launch, Machine, MachineError, Operand, Place, Products};

/// Threads of a block.
const THREADS: u32 = 256;

/// A device that was opened: its kernels are compiled once, for all models that are trained on it.
#[derive(Debug)]
pub struct Cuda {
    /// What the same bits depend on: device, capability, versions of compiler and cuBLAS.
    kind: String,
    context: Arc<CudaContext>,
    module: Arc<CudaModule>,
}

/// Memory and a stream of calls on a device.
#[derive(Debug)]
pub struct CudaMachine {
    device: Arc<Cuda>,
    products: Products,
    stream: Arc<CudaStream>,
    blas: Blas,
    functions: BTreeMap<&'static str, CudaFunction>,
    /// What is reserved, by address.
    memory: BTreeMap<u64, CudaSlice<u32>>,
}

/// cuBLAS on a stream. A library that fails when it ends is not worth an end of the program.
#[derive(Debug)]
struct Blas(cublasHandle_t);

impl Blas {
    fn new(stream: &CudaStream) -> Result<Self, MachineError> {
        let handle = Self(blas::create_handle().map_err(failed("cublasCreate"))?);
        // SAFETY: the handle was just made, and the stream lives as long as the machine that holds both.
        unsafe { blas::set_stream(handle.0, stream.cu_stream().cast()) }
            .map_err(failed("cublasSetStream"))?;
        Ok(handle)
    }

    fn version(&self) -> i32 {
        let mut version = 0;
        // SAFETY: the handle is open, and the version is written where the call says.
        let _ = unsafe { cudarc::cublas::sys::cublasGetVersion_v2(self.0, &raw mut version) };
        version
    }
}

impl Drop for Blas {
    fn drop(&mut self) {
        // SAFETY: the handle was made by `new` and is given back once.
        let _ = unsafe { blas::destroy_handle(self.0) };
    }
}

/// A failed call.
fn failed<E: Display>(call: &'static str) -> impl Fn(E) -> MachineError {
    move |error| MachineError::Call {
        call,
        why: error.to_string(),
    }
}

/// What brings cuBLAS and NVRTC.
const TOOLKIT: &str = "install the CUDA 12 toolkit, or `nvidia-cublas-cu12` and `nvidia-cuda-nvrtc-cu12` from PyPI, and put their \
    folders on LD_LIBRARY_PATH";

/// The libraries that are not there.
fn missing() -> Option<MachineError> {
    let driver = "install NVIDIA's driver, 525 or later";
    // SAFETY: the three calls try to open shared libraries by name; opening NVIDIA's runs their initialisers only.
    let has = unsafe {
        [
            ("libcuda", driver, cudarc::driver::sys::is_culib_present()),
            ("libcublas", TOOLKIT, cudarc::cublas::sys::is_culib_present()),
            ("libnvrtc", TOOLKIT, cudarc::nvrtc::sys::is_culib_present()),
        ]
    };
    has.into_iter()
        .find(|(_, _, is_there)| !is_there)
        .map(|(library, cure, _)| MachineError::Library { library, cure })
}

/// The kernels as machine code for a device of a compute capability, which every driver of its generation loads.
///
/// # Errors
/// [`MachineError::Library`], [`MachineError::Call`]: the compiler's words.
pub fn compile((major, minor): (i32, i32)) -> Result<Vec<u8>, MachineError> {
    // SAFETY: as in `missing`.
    if !unsafe { cudarc::nvrtc::sys::is_culib_present() } {
        return Err(MachineError::Library {
            library: "libnvrtc",
            cure: TOOLKIT,
        });
    }
    let source = CString::new(KERNELS).map_err(failed("nvrtcCreateProgram"))?;
    let program = nvrtc::create_program(&source, None).map_err(failed("nvrtcCreateProgram"))?;
    let options = [format!("--gpu-architecture=sm_{major}{minor}")];
    // SAFETY: the program was just made and is used by these calls alone; the code is written into as many bytes as it has.
    unsafe {
        let code = nvrtc::compile_program(program, &options).and_then(|()| {
            let mut bytes = 0;
            cudarc::nvrtc::sys::nvrtcGetCUBINSize(program, &raw mut bytes).result()?;
            let mut code = vec![0_u8; bytes];
            cudarc::nvrtc::sys::nvrtcGetCUBIN(program, code.as_mut_ptr().cast()).result()?;
            Ok(code)
        });
        let log = nvrtc::get_program_log(program).unwrap_or_default();
        let _ = nvrtc::destroy_program(program);
        code.map_err(|error| {
            let words = log.iter().map(|byte| char::from(*byte as u8));
            let words: String = words.take_while(|letter| *letter != '\0').collect();
            failed("nvrtcCompileProgram")(format!("{error}: {words}"))
        })
    }
}

/// The compiler's version.
fn compiler_version() -> (i32, i32) {
    let (mut major, mut minor) = (0, 0);
    // SAFETY: both numbers are written where the call says.
    let _ = unsafe { cudarc::nvrtc::sys::nvrtcVersion(&raw mut major, &raw mut minor) };
    (major, minor)
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
        let context = CudaContext::new(ordinal).map_err(failed("cuInit"))?;
        let capability = context
            .compute_capability()
            .map_err(failed("cuDeviceGetAttribute"))?;
        // A compiler older than the device cannot make code for it, but what the driver finishes.
        let code = match compile(capability) {
            Ok(code) => Ptx::from_binary(code),
            Err(_) => compile_ptx(KERNELS).map_err(failed("nvrtcCompileProgram"))?,
        };
        let module = context.load_module(code).map_err(failed("cuModuleLoadData"))?;
        let name = context.name().map_err(failed("cuDeviceGetName"))?;
        let blas = Blas::new(&context.default_stream())?.version();
        Ok(Self {
            kind: format!(
                "{name} {capability:?} nvrtc {:?} cublas {blas}",
                compiler_version()
            ),
            context,
            module,
        })
    }

    /// What the same bits depend on: device, capability, versions of compiler and cuBLAS.
    pub fn kind(&self) -> &str {
        &self.kind
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
            blas: Blas::new(&stream)?,
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
    fn threads(&self) -> u32 {
        THREADS
    }

    fn reserve(&mut self, words: usize) -> Result<Place, MachineError> {
        let memory = self.stream.alloc_zeros::<u32>(words.max(1));
        let memory = memory.map_err(|error| match error.0 {
            CUresult::CUDA_ERROR_OUT_OF_MEMORY => MachineError::Memory {
                needed: 4 * words as u64,
                why: error.to_string(),
            },
            _ => failed("cuMemAllocAsync")(error),
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
            .map_err(failed("cuMemcpyHtoDAsync"))?;
        // The words may go as soon as this returns, and the copy need not be over by then.
        stream.synchronize().map_err(failed("cuStreamSynchronize"))
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
        for arg in launch.args {
            if let Arg::Place(place) = arg {
                self.memory(*place)?;
            }
        }
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
        // SAFETY: every place lies in memory that was reserved and not released. Kernels are those of `kernels.cu`; types, order
        // and sizes of what they are given are run against the same source, with every access checked, in tests/it/emulated.rs.
        unsafe { builder.launch(config) }
            .map(drop)
            .map_err(failed(launch.kernel))
    }

    fn gemm(&mut self, gemm: &Gemm) -> Result<(), MachineError> {
        if !gemm.fits() {
            return Err(MachineError::Bounds { call: "gemm" });
        }
        for operand in [&gemm.a, &gemm.b, &gemm.c] {
            self.memory(operand.place)?;
        }
        let context = &self.device.context;
        context.bind_to_thread().map_err(failed("cuCtxSetCurrent"))?;
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
        // SAFETY: `fits` holds and the places were looked up, so all operands lie in memory that was reserved and not released;
        // the factors are read before the call returns (pointer mode host is the default).
        unsafe {
            blas::gemm_strided_batched_ex(
                self.blas.0,
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
