//! The trainer for graphics processors, its kernels compiled for the host: everything but the driver, cuBLAS and real threads.
//!
//! `fixtures/host.cpp` runs the very source that NVRTC compiles, so losses, gradients and moments can be held against those of
//! the processor's trainer, which is held against PyTorch. Needs a C++ compiler.

use std::cell::Cell;
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;

use assay_eval::transformer::gpu::machine::{Arg, Gemm, Launch, Machine, MachineError, Operand, Place};
use assay_eval::transformer::gpu::trainer::{GpuTrainer, Pieces};
use assay_eval::transformer::run::Run;
use assay_eval::transformer::{CpuTrainer, Level, Shape, TrainError, Trainer, document_bits, initial};
use tempfile::TempDir;

use crate::data;
use crate::training::{TINY, course, ids, stream, values};

/// Threads of a block: few, so that rows are longer than a block is wide.
const THREADS: u32 = 16;

/// The kernels in a process of their own.
#[derive(Debug)]
struct Emulated {
    child: Child,
    calls: BufWriter<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// Words reserved and not released.
    words: Rc<Cell<usize>>,
}

/// The compiled kernels, or one line that says the test was skipped.
fn compiled() -> Option<(TempDir, PathBuf)> {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("host");
    let crate_folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let kernels = crate_folder.join("src/transformer/gpu/kernels.cu");
    let compile = |rest: &[&str]| {
        let mut command = Command::new("c++");
        command.args([
            "-std=c++17",
            "-O1",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-ffp-contract=off",
        ]);
        command.arg(format!("-DKERNELS=\"{}\"", kernels.display()));
        command.args(rest).arg("-o").arg(&program);
        command.arg(crate_folder.join("tests/fixtures/host.cpp"));
        command.output()
    };
    let Ok(plain) = compile(&[]) else {
        data::skip("no C++ compiler `c++`");
        return None;
    };
    assert!(
        plain.status.success(),
        "{}",
        String::from_utf8_lossy(&plain.stderr)
    );
    // Without the sanitizer's library the plain program stays.
    if !compile(&["-fsanitize=address"]).is_ok_and(|checked| checked.status.success()) {
        assert!(compile(&[]).unwrap().status.success());
    }
    Some((folder, program))
}

impl Emulated {
    fn new(program: &PathBuf) -> Self {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            calls: BufWriter::new(child.stdin.take().unwrap()),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
            words: Rc::default(),
        }
    }

    fn call(&mut self, call: u8, words: &[u64]) -> Result<(), MachineError> {
        let words = words.iter().flat_map(|word| word.to_le_bytes());
        let bytes: Vec<u8> = std::iter::once(call).chain(words).collect();
        self.send(&bytes)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), MachineError> {
        self.calls.write_all(bytes).map_err(|error| gone(&error))
    }

    fn answer(&mut self, bytes: usize) -> Result<Vec<u8>, MachineError> {
        self.calls.flush().map_err(|error| gone(&error))?;
        let mut answer = vec![0; bytes];
        self.answers
            .read_exact(&mut answer)
            .map_err(|error| gone(&error))?;
        Ok(answer)
    }
}

impl Drop for Emulated {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The process stopped: it said why on standard error.
fn gone(error: &std::io::Error) -> MachineError {
    MachineError::Call {
        call: "host",
        why: error.to_string(),
    }
}

impl Machine for Emulated {
    fn threads(&self) -> u32 {
        THREADS
    }

    fn reserve(&mut self, words: usize) -> Result<Place, MachineError> {
        self.call(b'R', &[words as u64])?;
        let address = self.answer(8)?.try_into().map(u64::from_le_bytes).unwrap();
        self.words.set(self.words.get() + words);
        Ok(Place { address, words })
    }

    fn release(&mut self, place: Place) -> Result<(), MachineError> {
        self.words.set(self.words.get() - place.words);
        self.call(b'F', &[place.address])
    }

    fn write(&mut self, place: Place, words: &[u32]) -> Result<(), MachineError> {
        assert!(words.len() <= place.words);
        self.call(b'W', &[place.address, words.len() as u64])?;
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.send(&bytes)
    }

    fn read(&mut self, place: Place) -> Result<Vec<u32>, MachineError> {
        self.call(b'G', &[place.address, place.words as u64])?;
        let bytes = self.answer(4 * place.words)?;
        let words = bytes.as_chunks::<4>().0.iter();
        Ok(words.map(|word| u32::from_le_bytes(*word)).collect())
    }

    fn launch(&mut self, launch: Launch<'_>) -> Result<(), MachineError> {
        self.call(b'L', &[launch.kernel.len() as u64])?;
        self.send(launch.kernel.as_bytes())?;
        let sizes = [launch.blocks, launch.threads].map(u64::from);
        for word in [sizes[0], sizes[1], launch.args.len() as u64] {
            self.send(&word.to_le_bytes())?;
        }
        for arg in launch.args {
            let (kind, raw) = match arg {
                Arg::Place(place) => (b'p', place.address),
                Arg::Count(count) => (b'c', *count),
                Arg::Size(size) => (b's', u64::from(*size)),
                Arg::Number(number) => (b'n', u64::from(number.to_bits())),
            };
            self.send(&[kind])?;
            self.send(&raw.to_le_bytes())?;
        }
        Ok(())
    }

    fn gemm(&mut self, gemm: &Gemm) -> Result<(), MachineError> {
        let of = |operand: &Operand| {
            let Operand {
                place,
                step,
                stride,
                is_transposed,
            } = *operand;
            [
                place.address,
                step as u64,
                stride as u64,
                u64::from(is_transposed),
            ]
        };
        let operands = [of(&gemm.a), of(&gemm.b), of(&gemm.c)].concat();
        let sizes = [gemm.m, gemm.n, gemm.k, gemm.batch].map(|size| size as u64);
        let rest = [u64::from(gemm.beta > 0.0)];
        self.call(b'M', &[&operands[..], &sizes, &rest].concat())
    }
}

fn close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs();
        assert!(
            error <= 2e-5 * largest,
            "{what} at {at}: {found}, expected {expected} of at most {largest}"
        );
    }
}

#[test]
fn losses_gradients_and_moments_are_those_of_the_processor() {
    let Some((_folder, program)) = compiled() else {
        return;
    };
    // Three heads of an odd number of pairs, an odd context, a perceptron narrower than a block.
    let odd = Shape {
        width: 30,
        layers: 2,
        heads: 3,
        hidden: 11,
        context: 37,
        batch: 4,
        vocabulary: 53,
    };
    // Two sequences at a time, and logits of 20 rows: the last of 74 rows' chunks is short.
    let small = Pieces {
        tokens: 2 * odd.context,
        logit_rows: 20,
    };
    for (shape, pieces) in [(TINY, Pieces::default()), (odd, Pieces::default()), (odd, small)] {
        let start = values(&shape);
        let machine = Emulated::new(&program);
        let mut host = GpuTrainer::in_pieces(shape, &start, machine, pieces).unwrap();
        let mut processor = CpuTrainer::<f32>::new(shape, &start, Level::best(), 1).unwrap();
        for step in 0..4 {
            let (inputs, targets) = ids(&shape, step);
            let found = host.gradient(&inputs, &targets).unwrap();
            let expected = processor.gradient(&inputs, &targets);
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
            let (found, expected) = (host.gradient_values().unwrap(), processor.summed_gradient());
            for tensor in shape.tensors() {
                let range = tensor.range();
                close(&found[range.clone()], &expected[range], &tensor.name);
            }
            let rate = 3e-3 * (step + 1) as f64;
            let (found, expected) = (
                host.step(&inputs, &targets, rate).unwrap(),
                processor.step(&inputs, &targets, rate).unwrap(),
            );
            assert!((found - expected).abs() < 1e-5, "step {step}: {found} {expected}");
        }
        let (found, expected) = (host.state().unwrap(), processor.state().unwrap());
        assert_eq!((found.steps, expected.steps), (4, 4));
        close(&found.first, &expected.first, "first moments");
        close(&found.second, &expected.second, "second moments");
        // Where a gradient is nearly 0, AdamW's first steps divide rounding by rounding: the mean is what must agree.
        let apart = found.values.iter().zip(&expected.values);
        let apart = apart.map(|(a, b)| f64::from((a - b).abs())).sum::<f64>() / start.len() as f64;
        assert!(apart < 1e-5, "{apart}");
    }
}

#[test]
fn a_run_is_scored_as_on_the_processor_and_goes_on_after_a_kill() {
    let Some((_folder, program)) = compiled() else {
        return;
    };
    let start = initial(&TINY, b"seed");
    let (stream, documents) = (
        stream(&TINY),
        [vec![1, 2, 3, 1, 2, 3, 1, 2, 3], vec![290; 85], vec![]],
    );
    let host = || Box::new(GpuTrainer::new(TINY, &start, Emulated::new(&program)).unwrap());
    let mut whole = Run::new(course(&stream, &documents), host());
    let mut killed = None;
    while whole.advance().unwrap() {
        if whole.step() == 9 {
            killed = Some(whole.snapshot().unwrap());
        }
    }
    let whole = whole.finish().unwrap();
    let mut second = Run::new(course(&stream, &documents), host());
    second.resume(killed.unwrap()).unwrap();
    while second.advance().unwrap() {}
    assert_eq!(second.finish().unwrap(), whole, "the same bits, killed or not");

    let processor = CpuTrainer::<f32>::new(TINY, &start, Level::best(), 1).unwrap();
    let mut of_processor = Run::new(course(&stream, &documents), Box::new(processor));
    while of_processor.advance().unwrap() {}
    let of_processor = of_processor.finish().unwrap();
    assert_eq!(whole.bits[2], 0);
    for (found, expected) in whole.bits.iter().zip(&of_processor.bits).take(2) {
        let ratio = *found as f64 / *expected as f64;
        assert!((ratio - 1.0).abs() < 1e-3, "{found} {expected}");
    }
}

#[test]
fn what_cannot_be_trained_is_an_error_and_memory_is_bounded() {
    let Some((_folder, program)) = compiled() else {
        return;
    };
    let start = values(&TINY);
    let new = |shape, values: &[f32]| GpuTrainer::new(shape, values, Emulated::new(&program));
    let odd = Shape { heads: 3, ..TINY };
    assert_eq!(new(odd, &start).unwrap_err(), TrainError::Shape(odd));
    assert!(matches!(new(TINY, &start[1..]), Err(TrainError::Size { .. })));

    let mut broken = start.clone();
    broken[TINY.parameters() - 1] = f32::INFINITY;
    let (inputs, targets) = ids(&TINY, 0);
    let diverged = new(TINY, &broken).unwrap().step(&inputs, &targets, 1e-3);
    assert_eq!(diverged, Err(TrainError::NotFinite { step: 0 }));

    // An id that the model does not have is refused before a kernel could read beyond the embedding.
    let mut trainer = new(TINY, &start).unwrap();
    let mut foreign = inputs.clone();
    foreign[7] = 300;
    let refused = trainer.step(&foreign, &targets, 1e-3).unwrap_err();
    assert_eq!(
        refused,
        TrainError::Machine(MachineError::Bounds { call: "take" })
    );
    assert_eq!(
        trainer.step(&inputs, &targets, 1e-3).unwrap_err(),
        refused,
        "nothing is computed after a failure"
    );

    // Fewer rows, then more, then fewer again: room is given back before more is taken, and then it is enough.
    let machine = Emulated::new(&program);
    let words = Rc::clone(&machine.words);
    let mut trainer = GpuTrainer::new(TINY, &start, machine).unwrap();
    let documents = [vec![5_u16; 200], vec![6; 3]];
    let before = document_bits(&mut trainer, &TINY, &documents).unwrap();
    let at_first = words.get();
    trainer.step(&inputs, &targets, 0.0).unwrap();
    let most = words.get();
    assert!(at_first < most, "{at_first} {most}");
    for _ in 0..2 {
        assert_eq!(document_bits(&mut trainer, &TINY, &documents).unwrap(), before);
        trainer.step(&inputs, &targets, 0.0).unwrap();
        assert_eq!(words.get(), most, "steps and scoring take no more");
    }
}
