//! Where models are trained: on this machine's processor at a level of instructions, or on a graphics processor.

#[cfg(feature = "cuda")]
use std::sync::Arc;

#[cfg(feature = "cuda")]
use super::gpu::cuda::Cuda;
use super::gpu::machine::MachineError;
#[cfg(feature = "cuda")]
use super::gpu::trainer::GpuTrainer;
use super::level::Level;
use super::profile::TrainingProfile;
use super::trainer::{CpuTrainer, TrainError, Trainer};

/// A processor of this machine.
#[derive(Debug, Clone)]
pub enum Compute {
    /// The machine's own, at a level of instructions.
    Processor(Level),
    /// One of NVIDIA's.
    #[cfg(feature = "cuda")]
    Cuda(Arc<Cuda>),
}

impl From<Level> for Compute {
    fn from(level: Level) -> Self {
        Self::Processor(level)
    }
}

impl Compute {
    /// The graphics processor of a number, from 0.
    ///
    /// # Errors
    /// [`MachineError`]: this build cannot use one, or driver and libraries are not there.
    #[cfg(feature = "cuda")]
    pub fn cuda(ordinal: usize) -> Result<Self, MachineError> {
        Ok(Self::Cuda(Arc::new(Cuda::open(ordinal)?)))
    }

    /// The graphics processor of a number, from 0.
    ///
    /// # Errors
    /// [`MachineError::NotBuilt`].
    #[cfg(not(feature = "cuda"))]
    pub fn cuda(_ordinal: usize) -> Result<Self, MachineError> {
        Err(MachineError::NotBuilt)
    }

    /// Its name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Processor(level) => level.name(),
            #[cfg(feature = "cuda")]
            Self::Cuda(_) => "cuda",
        }
    }

    /// Whether models share the machine's cores; else they wait for one device.
    pub fn is_processor(&self) -> bool {
        matches!(self, Self::Processor(_))
    }

    /// What results of the same bits have in common: levels with fused multiply-add, or one kind of device.
    pub(crate) fn rounding(&self) -> String {
        match self {
            Self::Processor(level) if level.is_plain() => "plain".to_owned(),
            Self::Processor(_) => "fused".to_owned(),
            #[cfg(feature = "cuda")]
            Self::Cuda(device) => format!("cuda {}", device.kind()),
        }
    }

    /// A model of given start values; `threads` are of the machine's own processor.
    ///
    /// # Errors
    /// [`TrainError`].
    pub fn trainer(
        &self,
        profile: &TrainingProfile,
        values: &[f32],
        threads: usize,
    ) -> Result<Box<dyn Trainer>, TrainError> {
        Ok(match self {
            Self::Processor(level) => {
                Box::new(CpuTrainer::<f32>::new(profile.shape, values, *level, threads)?)
            }
            #[cfg(feature = "cuda")]
            Self::Cuda(device) => {
                let machine = device.machine(profile.products)?;
                Box::new(GpuTrainer::new(profile.shape, values, machine)?)
            }
        })
    }
}
