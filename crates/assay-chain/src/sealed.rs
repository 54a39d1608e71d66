//! Commitments and weights that nobody can read before their time, ready to submit.
//!
//! Two ways to hide a commitment: sealed until a drand round, which the chain opens itself, or salted and hashed, which the
//! author opens by publishing payload and salt (docs/mechanism.md, the way without drand).

use assay_types::{Digest, Hotkey, MechId, NetUid, Uid, Weight};
use blake2::digest::{Digest as _, consts::U32};

use crate::timelock::{Beacon, Entropy, TimelockError, WeightsPayload, seal};
use crate::{Call, CommitmentField, TIMELOCKED_BYTES_MAX};

/// `CommitRevealWeightsVersion` of the chain (opentensor/subtensor 14bc6f9): the layout of [`crate::timelock`].
pub const COMMIT_REVEAL_VERSION: u16 = 4;
/// Bytes of a salt.
pub const SALT_BYTES: usize = 32;

/// Until when, and by whose pulse, something is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal<'a> {
    /// Whose pulse opens it.
    pub beacon: &'a Beacon,
    /// Of which round.
    pub round: u64,
}

/// A field that the chain opens when it stores the pulse.
///
/// # Errors
/// [`TimelockError::TooLong`] past [`TIMELOCKED_BYTES_MAX`] with the seal, or an unusable beacon.
pub fn sealed_field(
    payload: &[u8],
    seal_to: Seal<'_>,
    entropy: &Entropy,
) -> Result<CommitmentField, TimelockError> {
    let ciphertext = seal(seal_to.beacon, seal_to.round, payload, entropy)?;
    if ciphertext.len() > TIMELOCKED_BYTES_MAX {
        return Err(TimelockError::TooLong {
            found: ciphertext.len(),
            max: TIMELOCKED_BYTES_MAX,
        });
    }
    Ok(CommitmentField::Timelocked {
        ciphertext,
        reveal_round: seal_to.round,
    })
}

/// A field that only payload and salt together explain: BLAKE2b-256 of payload, salt and hotkey.
///
/// The hotkey is inside, so that nobody can commit to another's hash and reveal it as his own.
pub fn salted_field(payload: &[u8], salt: &[u8; SALT_BYTES], hotkey: &Hotkey) -> CommitmentField {
    let digest = blake2::Blake2b::<U32>::new()
        .chain_update(payload)
        .chain_update(salt)
        .chain_update(hotkey.as_bytes());
    CommitmentField::Blake2(Digest(digest.finalize().into()))
}

/// A call that commits to `weights` until the seal opens.
///
/// # Errors
/// [`TimelockError`] for too many weights or an unusable beacon.
pub fn sealed_weights(
    (netuid, mecid): (NetUid, MechId),
    (hotkey, version_key): (&Hotkey, u64),
    weights: &[(Uid, Weight)],
    seal_to: Seal<'_>,
    entropy: &Entropy,
) -> Result<Call, TimelockError> {
    let payload = WeightsPayload {
        hotkey: *hotkey,
        weights: weights.to_vec(),
        version_key,
    };
    Ok(Call::CommitTimelockedWeights {
        netuid,
        mecid,
        commit: seal(seal_to.beacon, seal_to.round, &payload.encode()?, entropy)?,
        reveal_round: seal_to.round,
        version: COMMIT_REVEAL_VERSION,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timelock::{LocalBeacon, open};

    const ME: Hotkey = Hotkey([1; 32]);

    #[test]
    fn sealed_weights_open_to_what_was_meant() {
        let local = LocalBeacon::from_seed(&[5; 32]).unwrap();
        let seal_to = Seal {
            beacon: local.beacon(),
            round: 12,
        };
        let weights = [(Uid(1), Weight(65_535)), (Uid(2), Weight(3))];
        let entropy = Entropy::random().unwrap();
        let call = sealed_weights((NetUid(3), MechId(1)), (&ME, 7), &weights, seal_to, &entropy).unwrap();
        let Call::CommitTimelockedWeights {
            commit,
            reveal_round,
            version,
            ..
        } = call
        else {
            panic!("{call:?}")
        };
        assert_eq!((reveal_round, version), (12, 4));
        let opened = open(&commit, &local.pulse(12).unwrap().signature).unwrap();
        let payload = WeightsPayload::decode(&opened).unwrap();
        assert_eq!(payload.hotkey, ME);
        assert_eq!(payload.weights, weights);
        assert_eq!(payload.version_key, 7);
    }

    #[test]
    fn a_submission_fits_a_field_and_more_does_not() {
        let local = LocalBeacon::from_seed(&[5; 32]).unwrap();
        let seal_to = Seal {
            beacon: local.beacon(),
            round: 1,
        };
        let entropy = Entropy::random().unwrap();
        let field = sealed_field(&[7; 124], seal_to, &entropy).unwrap();
        let CommitmentField::Timelocked { ciphertext, .. } = field else {
            panic!("{field:?}")
        };
        assert_eq!(ciphertext.len(), 124 + crate::timelock::OVERHEAD_BYTES);
        assert!(sealed_field(&[7; 780], seal_to, &entropy).is_ok());
        assert_eq!(
            sealed_field(&[7; 781], seal_to, &entropy),
            Err(TimelockError::TooLong {
                found: 1025,
                max: 1024
            })
        );
    }

    #[test]
    fn a_salted_hash_binds_payload_salt_and_author() {
        // BLAKE2b-256 of 0x61, 32 × 0x02, 32 × 0x01 by Python's hashlib.
        let expected = "249d57e7ab55b2edc86c29b4ed8e4d5a88217b11ea3666ccc5adbc672fa3fc1a";
        let field = salted_field(b"a", &[2; 32], &ME);
        assert_eq!(field, CommitmentField::Blake2(expected.parse().unwrap()));
        assert_ne!(field, salted_field(b"b", &[2; 32], &ME));
        assert_ne!(field, salted_field(b"a", &[3; 32], &ME));
        assert_ne!(field, salted_field(b"a", &[2; 32], &Hotkey([9; 32])));
    }
}
