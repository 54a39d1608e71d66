//! NVIDIA's compiler on the kernels, and a device where there is one: losses beside the processor's.
//!
//! NVRTC needs no device: with its folder on `LD_LIBRARY_PATH` the kernels are compiled on every machine (.ci/long).

use std::sync::Arc;

use assay_eval::transformer::gpu::KERNELS;
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
            Ok(compiled) => compiled,
            Err(MachineError::Library { library, .. }) => return data::skip(&format!("no `{library}`")),
            Err(error) => panic!("{error}"),
        };
        assert!(
            compiled.starts_with(b"\x7fELF"),
            "machine code of {major}.{minor}"
        );
        let has = |name: &str| {
            let section = format!(".text.{name}\0");
            compiled
                .windows(section.len())
                .any(|part| part == section.as_bytes())
        };
        let kernels = KERNELS.match_indices("__global__ void ").map(|(at, what)| {
            let name = &KERNELS[at + what.len()..];
            name.split('(').next().unwrap()
        });
        let kernels: Vec<&str> = kernels.collect();
        assert_eq!(kernels.len(), 15);
        assert!(kernels.iter().all(|name| has(name)), "{kernels:?}");
    }
}

/// A device, or one line that there is none: nobody is asked to have one, but whoever has must be able to use it.
fn device() -> Option<Arc<Cuda>> {
    match Cuda::open(0) {
        Ok(device) => Some(Arc::new(device)),
        Err(
            error @ MachineError::Library {
                library: "libcuda", ..
            },
        ) => {
            eprintln!("skipped: {error}");
            None
        }
        Err(MachineError::Call { call: "cuInit", why }) => {
            eprintln!("skipped: a driver without a device: {why}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// The largest difference of two tensors over the largest value of the second.
fn apart(found: &[f32], expected: &[f32]) -> f32 {
    let largest =
        |values: &mut dyn Iterator<Item = f32>| values.fold(0.0_f32, |most, value| most.max(value.abs()));
    let differences = largest(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    differences / largest(&mut expected.iter().copied())
}

#[test]
fn a_device_trains_as_the_processor_does() {
    let Some(device) = device() else {
        return;
    };
    for (products, close) in [(Products::Exact, 1e-4_f32), (Products::Bf16, 5e-2)] {
        for shape in [TINY, CPU_V1.shape] {
            let start = values(&shape);
            let machine = device.machine(products).unwrap();
            let mut on_device = GpuTrainer::new(shape, &start, machine).unwrap();
            let mut processor = CpuTrainer::<f32>::new(shape, &start, Level::best(), 2).unwrap();
            let (inputs, targets) = ids(&shape, 0);
            on_device.gradient(&inputs, &targets).unwrap();
            processor.gradient(&inputs, &targets);
            let (found, expected) = (on_device.gradient_values().unwrap(), processor.summed_gradient());
            for tensor in shape.tensors() {
                let range = tensor.range();
                let apart = apart(&found[range.clone()], &expected[range]);
                eprintln!("{products:?} {}: {apart:.1e}", tensor.name);
                assert!(apart < close, "{}: {apart}", tensor.name);
            }
            for step in 0..8 {
                let (inputs, targets) = ids(&shape, step);
                let found = on_device.step(&inputs, &targets, 1e-3).unwrap();
                let expected = processor.step(&inputs, &targets, 1e-3).unwrap();
                eprintln!("{products:?} {step}: {found} {expected}");
                assert!(
                    (found - expected).abs() < f64::from(close),
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
            Box::new(GpuTrainer::new(TINY, &start, machine).unwrap()),
        );
        while run.advance().unwrap() {}
        run.finish().unwrap()
    });
    assert_eq!(runs[0], runs[1]);
}
