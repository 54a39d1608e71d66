//! Duels: whether a challenger's recipe trains better models than the champion's.
//!
//! Signed reports of cells (arm, seed, domain) come in; a decision by a two-stage test leaves for the round's state. The
//! order: `cells` (median of reports, complete seeds), [`crate::paired`] (points and standard error), `decide` (lead, z,
//! screen, confirmation). `trial` plays duels with known truth for the simulator (mechanism §9.2, P14 of §12).

mod cells;
mod decide;
mod trial;

pub use cells::{ArmValues, CellReport, DuelPoints, cell_value, duel_points, mean_bits};
pub use decide::{Confirmed, DuelParams, Outcome, best, decide, epsilon, outcome, z_score};
pub use trial::{Frequency, Stages, Trial};
