//! Charts: numbers to SVG, coloured by class only, so one drawing serves both themes; any length, also none and one.

mod bars;
mod columns;
mod drawing;
mod funnel;
mod phase;
mod steps;
mod strip;
mod waterfall;

pub(crate) use bars::{Bar, bars};
pub(crate) use columns::{RoundBar, columns};
pub(crate) use funnel::{Stage, funnel};
pub(crate) use phase::{PhaseTrack, phase_track};
pub(crate) use steps::{Measured, steps};
pub(crate) use strip::{Band, bands};
pub(crate) use waterfall::{Step, waterfall};

#[cfg(test)]
mod tests;
