//! NVIDIA's compiler on the kernels, and a device where there is one: losses beside the processor's.
//!
//! NVRTC needs no device: with its folder on `LD_LIBRARY_PATH` the kernels are compiled on every machine (.ci/long).

use std::sync::Arc;

use assay_eval::transformer::gpu::cuda::{Cuda, compile};
use assay_eval::transformer::gpu::machine::{MachineError, Products};
use assay_eval::transformer::gpu::trainer::GpuTrainer;
use assay_eval::transformer::profile::CPU_V1;
use assay_eval::transformer::run::Run;
use assay_eval::transformer::{CpuTrainer, Level, Trainer as _, initial};

use crate::data;
use crate::training::{TINY, course, ids, stream, values};

/// Volta, Ampere and Hopper.
const CAPABILITIES: [(i32, i32); 3] = [(7, 0), (8, 0), (9, 0)];

#[test]
fn nvidias_compiler_takes_every_kernel() {
    for (major, minor) in CAPABILITIES {
        let compiled = match compile((major, minor)) {
            Ok(compiled) => compiled.to_src(),
            Err(MachineError::Library { library, .. }) => return data::skip(&format!("no `{library}`")),
            Err(error) => panic!("{error}"),
        };
        assert!(
            compiled.contains(&format!(".target sm_{major}{minor}")),
            "compiled for the device, not for an older one"
        );
        let kernels = compiled.matches(".visible .entry").count();
        assert_eq!(kernels, 15, "every kernel of kernels.cu");
    }
}

/// A device, or one line that there is none: nobody is asked to have one.
fn device() -> Option<Arc<Cuda>> {
    match Cuda::open(0) {
        Ok(device) => Some(Arc::new(device)),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}

#[test]
fn a_device_trains_as_the_processor_does() {
    let Some(device) = device() else {
        return;
    };
    for (products, close) in [(Products::Exact, 1e-4), (Products::Bf16, 5e-2)] {
        for shape in [TINY, CPU_V1.shape] {
            let start = values(&shape);
            let machine = device.machine(products).unwrap();
            let mut on_device = GpuTrainer::new(shape, &start, machine).unwrap();
            let mut processor = CpuTrainer::<f32>::new(shape, &start, Level::best(), 2).unwrap();
            for step in 0..8 {
                let (inputs, targets) = ids(&shape, step);
                let found = on_device.step(&inputs, &targets, 1e-3).unwrap();
                let expected = processor.step(&inputs, &targets, 1e-3).unwrap();
                eprintln!("{products:?} {step}: {found} {expected}");
                assert!(
                    (found - expected).abs() < close,
                    "step {step}: {found} {expected}"
                );
            }
        }
    }
    // Twice the same bits.
    let start = initial(&TINY, b"seed");
    let (stream, documents) = (stream(&TINY), [vec![1, 2, 3, 1, 2, 3], vec![290; 85]]);
    let runs = [(); 2].map(|()| {
        let machine = device.machine(Products::Exact).unwrap();
        let mut run = Run::new(
            course(&stream, &documents),
            GpuTrainer::new(TINY, &start, machine).unwrap(),
        );
        while run.advance().unwrap() {}
        run.finish().unwrap()
    });
    assert_eq!(runs[0], runs[1]);
}
