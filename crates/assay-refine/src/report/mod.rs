//! What people see of a run: the funnel as table and picture, and statistics of a dataset as text and HTML.
//!
//! Everything here turns counts into strings; nothing is measured and nothing is written here.

mod format;
mod funnel;
mod html;
mod plot;
mod stats;

pub use format::{bytes, count, counted, share};
pub use funnel::{drops_table, funnel_svg, funnel_table};
pub use html::stats_html;
pub use stats::{DatasetStats, Histogram, host_of, stats_table};
