//! Why something cannot be sealed, opened or verified.

use thiserror::Error;

/// A timelock operation that failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TimelockError {
    /// The bytes end before a part is complete.
    #[error("ciphertext ends inside its `{part}`: it was cut or is no timelock ciphertext")]
    Truncated {
        /// Part of the layout.
        part: &'static str,
    },
    /// More bytes than a chain takes.
    #[error("`{found}` bytes are too many for a timelock ciphertext, at most `{max}` are allowed")]
    TooLong {
        /// Bytes given.
        found: usize,
        /// Most allowed.
        max: usize,
    },
    /// A length or a name in the layout is another one.
    #[error("`{part}` of the ciphertext is not what AES_GCM timelock ciphertexts hold")]
    Layout {
        /// Part of the layout.
        part: &'static str,
    },
    /// Bytes that are no point of the curve, or not of the right subgroup.
    #[error("`{part}` is no point of BLS12-381")]
    Point {
        /// What was read.
        part: &'static str,
    },
    /// The pulse belongs to another round or beacon, or the ciphertext was changed.
    #[error("the pulse does not open this ciphertext: another round, another beacon, or altered bytes")]
    WrongPulse,
    /// A pulse whose signature does not verify.
    #[error("pulse of round `{round}` is not signed by the beacon")]
    Signature {
        /// Round claimed.
        round: u64,
    },
    /// A pulse whose randomness is not the hash of its signature.
    #[error("randomness of round `{round}` is not the hash of its signature")]
    Randomness {
        /// Round claimed.
        round: u64,
    },
    /// The operating system gives no random bytes.
    #[error("no random bytes from the operating system: {reason}")]
    Entropy {
        /// What it says.
        reason: String,
    },
    /// A payload that is not SCALE of hotkey, uids, values and version key.
    #[error("weights payload: `{part}` is malformed")]
    Payload {
        /// Field.
        part: &'static str,
    },
}
