//! The name of a step together with the sub-reason by which it dropped a record.
//!
//! The engine makes them; `--explain`, features and the counts `"<step>.<reason>"` of reports print them. The
//! ledger stores only the step, so no sub-reason is part of a digest.

use serde::{Serialize, Serializer};

/// A step's kind and, if it dropped something, the sub-reason (`gopher_repetition.dup_line_frac`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepName {
    /// Kind of the step (`gopher_repetition`), or a stage before the steps (`read`, `extract`).
    pub step: &'static str,
    /// The engine's name of the rule that dropped the record (`dup_line_frac`).
    pub reason: &'static str,
}

impl StepName {
    /// The name of rule `reason` of `step`.
    pub const fn new(step: &'static str, reason: &'static str) -> Self {
        Self { step, reason }
    }
}

impl std::fmt::Display for StepName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.step, self.reason)
    }
}

impl Serialize for StepName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_step_dot_reason() {
        assert_eq!(StepName::new("c4", "lorem_ipsum").to_string(), "c4.lorem_ipsum");
    }
}
