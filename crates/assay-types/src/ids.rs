//! Names of things: units, recipes, records, keys, rounds, blocks, and the two counts that must not be mixed.
//!
//! They are made from source paths, chain data and recipe bytes and appear in every stored or sent structure.

use crate::hash::{Digest, Digest16, tagged_hash16};
use crate::hex::hex_newtype;
use serde::{Deserialize, Serialize};

/// BLAKE3 (16 bytes) of the raw archive bytes of a record; zero for records that are no content.
pub type RecordDigest = Digest16;

hex_newtype! {
    /// A miner's or validator's 32-byte public key.
    Hotkey, 32
}

hex_newtype! {
    /// The 32-byte public key of an owner of hotkeys.
    Coldkey, 32
}

/// One archive file (a WARC): `H16("assay/unit/1", "<source>:<path>")` (mechanism §1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnitId(pub Digest16);

impl UnitId {
    /// The id of the archive `path` of `source`, for example `cc` and `crawl-data/…/x.warc.gz`, or `file` and
    /// a file name.
    pub fn of(source: &str, path: &str) -> Self {
        Self(tagged_hash16(
            "assay/unit/1",
            &[source.as_bytes(), b":", path.as_bytes()],
        ))
    }

    /// The raw 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

/// A recipe: BLAKE3-256 of its canonical TOML (mechanism §3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecipeId(pub Digest);

impl RecipeId {
    /// The raw 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

/// A duel: `H16("assay/duel-id/1", round u32 ‖ recipe_id ‖ "<stage>/<profile>")` of its stage's first round and its challenger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DuelId(pub Digest16);

impl DuelId {
    /// The id of the duel of `challenger` in the stage named `stage` that begins with `round`, measured under `profile`.
    ///
    /// It depends on nothing else, so that it is the same on every server and whatever is reported later.
    pub fn of(round: Round, stage: &str, profile: &str, challenger: &RecipeId) -> Self {
        Self(tagged_hash16(
            "assay/duel-id/1",
            &[
                &round.0.to_le_bytes(),
                challenger.as_bytes(),
                stage.as_bytes(),
                b"/",
                profile.as_bytes(),
            ],
        ))
    }
}

/// Text form of a newtype over a digest: the digest's.
macro_rules! digest_text {
    ($name:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::hex::HexError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

/// OpenAPI schema of a newtype over a digest: the digest's.
macro_rules! digest_schema {
    ($name:ident, $digits:literal) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                crate::hex::schema($digits, stringify!($name))
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

digest_schema!(UnitId, 32);
digest_schema!(RecipeId, 64);
digest_schema!(DuelId, 32);
digest_text!(UnitId);
digest_text!(RecipeId);
digest_text!(DuelId);

/// An integer newtype that prints as its number.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Debug,
            Clone,
            Copy,
            PartialEq,
            Eq,
            PartialOrd,
            Ord,
            Hash,
            Default,
            Serialize,
            Deserialize,
            utoipa::ToSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

number! {
    /// A subnet's number on the chain; 0 in local runs.
    NetUid(u16)
}
number! {
    /// A neuron's place in a subnet; reused after a deregistration, so no state is ever keyed by it.
    Uid(u16)
}
number! {
    /// A mechanism of a subnet: 0 production, 1 innovation.
    MechId(u8)
}
number! {
    /// An amount in the smallest unit of the chain's currency, 10^−9 of a coin.
    Rao(u64)
}
number! {
    /// A weight as the chain stores it, relative to the largest of its row, which is 65,535.
    Weight(u16)
}
number! {
    /// A round of the protocol (720 blocks); 0 in local runs.
    Round(u32)
}
number! {
    /// A block's height on the chain; 0 in local runs.
    BlockNumber(u32)
}
number! {
    /// A count of GPT-2 tokens.
    Tokens(u64)
}
number! {
    /// A count of bytes.
    Bytes(u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_id_of_the_worked_example() {
        let unit = UnitId::of("cc", "EXAMPLE/00000");
        assert_eq!(unit.to_string(), "e99f5853d11aa41fcfce6a9a3c0f07ac");
        assert_eq!(unit.to_string().parse(), Ok(unit));
    }

    #[test]
    fn a_duels_id_depends_on_each_of_its_parts() {
        let (a, b) = (RecipeId(Digest([1; 32])), RecipeId(Digest([2; 32])));
        let of = |round, stage, profile, id| DuelId::of(Round(round), stage, profile, id);
        let ids: std::collections::BTreeSet<DuelId> = [
            of(3, "screen", "cpu-v1", &a),
            of(4, "screen", "cpu-v1", &a),
            of(3, "confirm", "cpu-v1", &a),
            of(3, "screen", "cpu-v2", &a),
            of(3, "screen", "cpu-v1", &b),
        ]
        .into();
        assert_eq!(ids.len(), 5);
        let id = of(3, "screen", "cpu-v1", &a);
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn ids_are_text_and_counts_are_numbers_in_json() {
        let id = RecipeId(Digest([0x33; 32]));
        assert_eq!(
            serde_json::to_string(&id).unwrap(),
            format!("\"{}\"", "33".repeat(32))
        );
        assert_eq!(serde_json::to_string(&Round(7)).unwrap(), "7");
        assert_eq!(format!("{:>4}", BlockNumber(12)), "  12");
    }
}
