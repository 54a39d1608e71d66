//! Who plays: so many miners of each kind, with names and keys decided by the seed.

use std::fmt;
use std::str::FromStr;

use crate::miner::Conduct;

/// Most miners of a cast.
const MINERS_MAX: u32 = 64;

/// A kind of miner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// As the protocol says, with the anchor's recipe.
    Honest,
    /// Honest, with the best recipe.
    Better,
    /// Leaves out half of the records.
    Lazy,
    /// Files another unit's rows as its own.
    Copycat,
    /// Invents a fifth of the texts.
    Fabricator,
}

impl Role {
    const ALL: [Self; 5] = [
        Self::Honest,
        Self::Better,
        Self::Lazy,
        Self::Copycat,
        Self::Fabricator,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Honest => "honest",
            Self::Better => "better",
            Self::Lazy => "lazy",
            Self::Copycat => "copycat",
            Self::Fabricator => "fabricator",
        }
    }

    /// What it does to the rows it files.
    #[must_use]
    pub const fn conduct(self) -> Conduct {
        match self {
            Self::Honest | Self::Better => Conduct::Honest,
            Self::Lazy => Conduct::Lazy,
            Self::Copycat => Conduct::Copycat,
            Self::Fabricator => Conduct::Fabricator,
        }
    }

    /// Whether it does what the protocol says.
    #[must_use]
    pub const fn is_honest(self) -> bool {
        matches!(self, Self::Honest | Self::Better)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Why a text names no cast.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CastError {
    /// Not `kind=number`.
    #[error("`{0}` is not KIND=NUMBER with a kind of honest, better, lazy, copycat, fabricator")]
    Part(String),
    /// Nobody, or too many.
    #[error("{0} miners; play 1 to {MINERS_MAX}")]
    Count(u32),
}

/// Miners by kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cast(Vec<(Role, u32)>);

impl Cast {
    /// Each miner: kind and name (`honest-1`).
    pub fn miners(&self) -> impl Iterator<Item = (Role, String)> + '_ {
        self.0
            .iter()
            .flat_map(|&(role, count)| (1..=count).map(move |number| (role, format!("{role}-{number}"))))
    }
}

impl FromStr for Cast {
    type Err = CastError;

    /// `honest=2,better=1,lazy=1`; a number alone is so many honest miners.
    fn from_str(text: &str) -> Result<Self, CastError> {
        let part = |part: &str| {
            let bad = || CastError::Part(part.chars().take(40).collect());
            let (name, number) = part.trim().split_once('=').unwrap_or(("honest", part.trim()));
            let role = Role::ALL
                .into_iter()
                .find(|role| role.name() == name)
                .ok_or_else(bad)?;
            Ok((role, number.parse::<u32>().map_err(|_| bad())?))
        };
        let parts = text.split(',').map(part).collect::<Result<Vec<_>, _>>()?;
        let count = parts
            .iter()
            .fold(0_u32, |sum, (_, number)| sum.saturating_add(*number));
        if count == 0 || count > MINERS_MAX {
            return Err(CastError::Count(count));
        }
        Ok(Self(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cast_is_kinds_and_numbers() {
        let cast: Cast = "honest=2, lazy=1".parse().unwrap();
        let names: Vec<String> = cast.miners().map(|(_, name)| name).collect();
        assert_eq!(names, ["honest-1", "honest-2", "lazy-1"]);
        assert_eq!("3".parse::<Cast>().unwrap().miners().count(), 3);
        for wrong in ["", "x=1", "honest=-1", "honest=0", "honest=65", "lazy"] {
            assert!(wrong.parse::<Cast>().is_err(), "{wrong}");
        }
    }
}
