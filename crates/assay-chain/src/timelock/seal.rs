//! Sealing and opening: the group operations and the cipher.
//!
//! Q = point of the round, key and sigma 32 bytes each, r = SHA-256(sigma ‖ key) mod order, U = r·G2,
//! V = sigma ⊕ SHA-256(e(Q, r·PK)), W = key ⊕ SHA-256(sigma), body = AES-256-GCM(key). A pulse σ opens it because
//! e(σ, U) = e(Q, r·PK) (Boneh–Franklin 2001, "FullIdent"; drand/kyber `encrypt/ibe/ibe.go`).

use std::fmt;

use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes256Gcm, KeyInit as _};
use ark_bls12_381::{Bls12_381, Fr, G2Affine};
use ark_ec::pairing::{Pairing as _, PairingOutput};
use ark_ec::{AffineRepr as _, CurveGroup as _};
use ark_ff::PrimeField as _;
use ark_serialize::CanonicalSerialize as _;
use zeroize::ZeroizeOnDrop;

use super::beacon::{PUBLIC_KEY_BYTES, g2_point, round_point, sha256, signature_point};
use super::blob::{Blob, MASK_BYTES, NONCE_BYTES, OVERHEAD_BYTES, SEALED_BYTES_MAX};
use super::{Beacon, TimelockError};

/// The random bytes of one ciphertext; never use them twice.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Entropy {
    /// Content key.
    pub key: [u8; 32],
    /// What sigma is the SHA-256 of.
    pub sigma: [u8; 32],
    /// Nonce of the cipher.
    pub nonce: [u8; 12],
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy(***)")
    }
}

impl Entropy {
    /// Fresh bytes from the operating system.
    ///
    /// # Errors
    /// [`TimelockError::Entropy`] if it has none.
    pub fn random() -> Result<Self, TimelockError> {
        let mut entropy = Self {
            key: [0; 32],
            sigma: [0; 32],
            nonce: [0; NONCE_BYTES],
        };
        for part in [entropy.key.as_mut_slice(), &mut entropy.sigma, &mut entropy.nonce] {
            getrandom::fill(part).map_err(|error| TimelockError::Entropy {
                reason: error.to_string(),
            })?;
        }
        Ok(entropy)
    }
}

/// `plaintext` sealed until `beacon` signs `round`: its length + [`OVERHEAD_BYTES`] bytes.
///
/// # Errors
/// [`TimelockError::TooLong`] past [`SEALED_BYTES_MAX`], [`TimelockError::Point`] for an unusable public key.
pub fn seal(
    beacon: &Beacon,
    round: u64,
    plaintext: &[u8],
    entropy: &Entropy,
) -> Result<Vec<u8>, TimelockError> {
    let bytes = plaintext.len().saturating_add(OVERHEAD_BYTES);
    if bytes > SEALED_BYTES_MAX {
        return Err(TimelockError::TooLong {
            found: bytes,
            max: SEALED_BYTES_MAX,
        });
    }
    let sigma = sha256(&[&entropy.sigma]);
    let scalar = scalar_of(&sigma, &entropy.key);
    let shared = Bls12_381::pairing(round_point(round)?, beacon.point()? * scalar);
    let ciphertext = Aes256Gcm::new(&entropy.key.into())
        .encrypt(&entropy.nonce.into(), plaintext)
        .map_err(|_| TimelockError::Layout { part: "plaintext" })?;
    let blob = Blob {
        u: times_generator(scalar)?,
        v: xor(&sigma, &pairing_digest(&shared)?),
        w: xor(&entropy.key, &sha256(&[&sigma])),
        ciphertext,
        nonce: entropy.nonce,
    };
    Ok(blob.to_bytes())
}

/// What `sealed` holds, opened with a pulse's 48-byte signature.
///
/// # Errors
/// [`TimelockError::WrongPulse`] for a pulse of another round or altered bytes; the layout's errors for anything else.
pub fn open(sealed: &[u8], signature: &[u8]) -> Result<Vec<u8>, TimelockError> {
    let blob = Blob::parse(sealed)?;
    let u = g2_point(&blob.u, "U")?;
    let shared = Bls12_381::pairing(signature_point(signature)?, u);
    let sigma = xor(&blob.v, &pairing_digest(&shared)?);
    let key = xor(&blob.w, &sha256(&[&sigma]));
    if times_generator(scalar_of(&sigma, &key))? != blob.u {
        return Err(TimelockError::WrongPulse);
    }
    Aes256Gcm::new(&key.into())
        .decrypt(&blob.nonce.into(), blob.ciphertext.as_slice())
        .map_err(|_| TimelockError::WrongPulse)
}

fn scalar_of(sigma: &[u8; MASK_BYTES], key: &[u8; MASK_BYTES]) -> Fr {
    Fr::from_be_bytes_mod_order(&sha256(&[sigma, key]))
}

fn times_generator(scalar: Fr) -> Result<[u8; PUBLIC_KEY_BYTES], TimelockError> {
    let mut bytes = [0; PUBLIC_KEY_BYTES];
    (G2Affine::generator() * scalar)
        .into_affine()
        .serialize_compressed(bytes.as_mut_slice())
        .map_err(|_| TimelockError::Layout { part: "U" })?;
    Ok(bytes)
}

/// SHA-256 of a pairing in arkworks' compressed form (576 bytes).
fn pairing_digest(shared: &PairingOutput<Bls12_381>) -> Result<[u8; 32], TimelockError> {
    let mut bytes = Vec::with_capacity(shared.compressed_size());
    shared
        .serialize_compressed(&mut bytes)
        .map_err(|_| TimelockError::Layout { part: "pairing" })?;
    Ok(sha256(&[&bytes]))
}

fn xor(left: &[u8; MASK_BYTES], right: &[u8; MASK_BYTES]) -> [u8; MASK_BYTES] {
    let mut bytes = *left;
    for (byte, mask) in bytes.iter_mut().zip(right) {
        *byte ^= mask;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drand::{QUICKNET, test_pulse_1000};
    use crate::timelock::LocalBeacon;
    use proptest::prelude::*;

    fn fixed() -> Entropy {
        Entropy {
            key: [0x11; 32],
            sigma: [0x22; 32],
            nonce: [0x33; 12],
        }
    }

    /// Made with `bittensor-core` 0.1.5's scheme: "assay", quicknet round 1000, the entropy of [`fixed`].
    const VECTOR: &str = "90bcd8720fbfd6f08fff523151f8a1526196c54521ee1e59a74541165383063eca9a57e12cd2e678d7658b1b6af454540073e5d7bf5e5cc45aeb49f48c663e9cc8ef8abcdb80589ec47ebe05b719f5774460b801419db0a4952a97ffc4dd8a692000000000000000e8d271f031f4c1111c154ca3c2dbd21610442b054486a3ba4873d6f012e877d42000000000000000aba392f5e8af60da4788dcad232177fc4b6522217533f72ee4209f3c9b76ab8131000000000000001500000000000000e5f02127b36853798d50b26b32a1b4b0b7ea78cc5e0c0000000000000033333333333333333333333308000000000000004145535f47434d5f";

    #[test]
    fn the_reference_vector_is_made_and_opened() {
        let sealed = seal(&QUICKNET, 1000, b"assay", &fixed()).unwrap();
        assert_eq!(assay_types::hex::encode(&sealed), VECTOR);
        assert_eq!(open(&sealed, &test_pulse_1000().signature).unwrap(), b"assay");
    }

    #[test]
    fn another_rounds_pulse_does_not_open() {
        let local = LocalBeacon::from_seed(&[1; 32]).unwrap();
        let sealed = seal(local.beacon(), 9, b"x", &Entropy::random().unwrap()).unwrap();
        let open_with = |round| open(&sealed, &local.pulse(round).unwrap().signature);
        assert_eq!(open_with(9).unwrap(), b"x");
        assert_eq!(open_with(10), Err(TimelockError::WrongPulse));
        assert_eq!(
            open(&sealed, &test_pulse_1000().signature),
            Err(TimelockError::WrongPulse)
        );
        assert_eq!(
            open(&sealed, &[0; 48]),
            Err(TimelockError::Point { part: "signature" })
        );
    }

    #[test]
    fn entropy_is_fresh_and_not_shown() {
        let (one, two) = (Entropy::random().unwrap(), Entropy::random().unwrap());
        assert_ne!(one.key, two.key);
        assert_ne!(one.nonce, two.nonce);
        assert_eq!(format!("{one:?}"), "Entropy(***)");
    }

    #[test]
    fn what_no_chain_takes_is_not_sealed() {
        let most = vec![0; SEALED_BYTES_MAX - OVERHEAD_BYTES];
        assert_eq!(
            seal(&QUICKNET, 1, &most, &fixed()).unwrap().len(),
            SEALED_BYTES_MAX
        );
        let more = vec![0; most.len() + 1];
        assert!(matches!(
            seal(&QUICKNET, 1, &more, &fixed()),
            Err(TimelockError::TooLong { .. })
        ));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn sealed_bytes_open_again_and_altered_ones_never(
            plaintext in proptest::collection::vec(any::<u8>(), 0..1200),
            round: u64,
            at: proptest::sample::Index,
            flip in 1_u8..,
        ) {
            let local = LocalBeacon::from_seed(&[3; 32]).unwrap();
            let sealed = seal(local.beacon(), round, &plaintext, &Entropy::random().unwrap()).unwrap();
            let signature = local.pulse(round).unwrap().signature;
            prop_assert_eq!(open(&sealed, &signature).unwrap(), plaintext);
            let mut altered = sealed;
            let at = at.index(altered.len());
            altered[at] ^= flip;
            prop_assert!(open(&altered, &signature).is_err());
        }
    }
}
