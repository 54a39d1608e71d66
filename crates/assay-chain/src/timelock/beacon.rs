//! Beacons: who signs rounds, what a pulse must look like, and a beacon of one's own for chains without drand.
//!
//! Signed message of a round = SHA-256 of its number, u64 big-endian, hashed to G1 (drand scheme
//! `bls-unchained-g1-rfc9380`: drand/drand, `crypto/schemes.go`).

use std::fmt;

use ark_bls12_381::{Bls12_381, Fr, G1Affine, G1Projective, G2Affine, g1};
use ark_ec::hashing::HashToCurve as _;
use ark_ec::hashing::curve_maps::wb::WBMap;
use ark_ec::hashing::map_to_curve_hasher::MapToCurveBasedHasher;
use ark_ec::pairing::Pairing as _;
use ark_ec::{AffineRepr as _, CurveGroup as _};
use ark_ff::field_hashers::DefaultFieldHasher;
use ark_ff::{PrimeField as _, Zero as _};
use ark_serialize::{CanonicalDeserialize as _, CanonicalSerialize as _};
use assay_types::Digest;
use sha2_010::{Digest as _, Sha256};

use super::TimelockError;
use crate::Pulse;

/// A compressed point of G2.
pub const PUBLIC_KEY_BYTES: usize = 96;
/// A compressed point of G1.
pub const SIGNATURE_BYTES: usize = 48;

/// Domain of the hash to G1, as drand quicknet uses it (trailing underscore included).
const DOMAIN: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";
/// Domain of the scalar a local beacon derives from its seed.
const LOCAL_SEED_DOMAIN: &[u8] = b"assay/local-beacon/1";

/// A beacon by its public key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Beacon {
    /// Compressed G2 point.
    pub public_key: [u8; PUBLIC_KEY_BYTES],
}

impl fmt::Debug for Beacon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Beacon({})", assay_types::hex::encode(&self.public_key))
    }
}

impl Beacon {
    /// Whether `pulse` is this beacon's: signature over its round, randomness over the signature.
    ///
    /// # Errors
    /// [`TimelockError::Signature`], [`TimelockError::Randomness`] or [`TimelockError::Point`].
    pub fn verify(&self, pulse: &Pulse) -> Result<(), TimelockError> {
        let signature = signature_point(&pulse.signature)?;
        let signed = round_point(pulse.round)?;
        // e(signature, G2) = e(signed, key), as one product with one final exponentiation.
        let product = Bls12_381::multi_pairing([signature, -signed], [G2Affine::generator(), self.point()?]);
        if !product.is_zero() {
            return Err(TimelockError::Signature { round: pulse.round });
        }
        if pulse.randomness != randomness(&pulse.signature) {
            return Err(TimelockError::Randomness { round: pulse.round });
        }
        Ok(())
    }

    pub(super) fn point(&self) -> Result<G2Affine, TimelockError> {
        g2_point(&self.public_key, "public key")
    }
}

/// A beacon whose secret key we hold: stands in for drand on the embedded chain.
#[derive(Clone)]
pub struct LocalBeacon {
    secret: Fr,
    beacon: Beacon,
}

impl fmt::Debug for LocalBeacon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalBeacon(secret ***, {:?})", self.beacon)
    }
}

impl LocalBeacon {
    /// The beacon of a seed; the same seed gives the same pulses.
    ///
    /// # Errors
    /// [`TimelockError::Layout`] if the public key cannot be written, which no seed causes.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, TimelockError> {
        // 64 bytes reduced modulo the 255-bit order: bias below 2^-256.
        let mut wide = [0_u8; 64];
        let halves = wide.as_chunks_mut::<32>().0;
        for (counter, half) in (0_u8..).zip(halves) {
            *half = sha256(&[LOCAL_SEED_DOMAIN, &[counter], seed]);
        }
        let secret = Fr::from_be_bytes_mod_order(&wide);
        let mut public_key = [0; PUBLIC_KEY_BYTES];
        (G2Affine::generator() * secret)
            .into_affine()
            .serialize_compressed(public_key.as_mut_slice())
            .map_err(|_| TimelockError::Layout { part: "public key" })?;
        Ok(Self {
            secret,
            beacon: Beacon { public_key },
        })
    }

    /// What others need to seal and to verify.
    pub const fn beacon(&self) -> &Beacon {
        &self.beacon
    }

    /// The pulse of `round`.
    ///
    /// # Errors
    /// [`TimelockError::Point`] if the round cannot be hashed, which no number causes.
    pub fn pulse(&self, round: u64) -> Result<Pulse, TimelockError> {
        let mut signature = Vec::with_capacity(SIGNATURE_BYTES);
        (round_point(round)? * self.secret)
            .into_affine()
            .serialize_compressed(&mut signature)
            .map_err(|_| TimelockError::Layout { part: "signature" })?;
        Ok(Pulse {
            round,
            randomness: randomness(&signature),
            signature,
        })
    }
}

/// Randomness of a pulse: SHA-256 of its signature.
fn randomness(signature: &[u8]) -> Digest {
    Digest(sha256(&[signature]))
}

/// SHA-256 over the parts in order.
pub(super) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The point of G1 that the beacon signs for `round`.
pub(super) fn round_point(round: u64) -> Result<G1Affine, TimelockError> {
    type Hasher = MapToCurveBasedHasher<G1Projective, DefaultFieldHasher<Sha256, 128>, WBMap<g1::Config>>;
    let failed = |_| TimelockError::Point { part: "round" };
    let message = sha256(&[&round.to_be_bytes()]);
    Hasher::new(DOMAIN)
        .map_err(failed)?
        .hash(&message)
        .map_err(failed)
}

/// A pulse's signature as a point, subgroup checked.
pub(super) fn signature_point(bytes: &[u8]) -> Result<G1Affine, TimelockError> {
    let refused = TimelockError::Point { part: "signature" };
    if bytes.len() != SIGNATURE_BYTES {
        return Err(refused);
    }
    let point = G1Affine::deserialize_compressed(bytes).map_err(|_| refused.clone())?;
    if point.is_zero() { Err(refused) } else { Ok(point) }
}

/// A point of G2, subgroup checked and not the identity.
pub(super) fn g2_point(
    bytes: &[u8; PUBLIC_KEY_BYTES],
    part: &'static str,
) -> Result<G2Affine, TimelockError> {
    let refused = TimelockError::Point { part };
    let point = G2Affine::deserialize_compressed(bytes.as_slice()).map_err(|_| refused.clone())?;
    if point.is_zero() { Err(refused) } else { Ok(point) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drand;

    #[test]
    fn quicknets_pulse_verifies_and_altered_ones_do_not() {
        let pulse = drand::test_pulse_1000();
        assert_eq!(drand::QUICKNET.verify(&pulse), Ok(()));
        let mut other = pulse.clone();
        other.round = 1001;
        assert_eq!(
            drand::QUICKNET.verify(&other),
            Err(TimelockError::Signature { round: 1001 })
        );
        other = pulse.clone();
        other.randomness.0[0] ^= 1;
        assert_eq!(
            drand::QUICKNET.verify(&other),
            Err(TimelockError::Randomness { round: 1000 })
        );
        other = pulse;
        other.signature.pop();
        assert_eq!(
            drand::QUICKNET.verify(&other),
            Err(TimelockError::Point { part: "signature" })
        );
    }

    #[test]
    fn a_local_beacon_signs_what_it_verifies() {
        let local = LocalBeacon::from_seed(&[7; 32]).unwrap();
        for round in [0, 1, 1000, u64::MAX] {
            let pulse = local.pulse(round).unwrap();
            assert_eq!(local.beacon().verify(&pulse), Ok(()));
            assert_eq!(
                drand::QUICKNET.verify(&pulse),
                Err(TimelockError::Signature { round })
            );
        }
        assert_ne!(local.beacon(), LocalBeacon::from_seed(&[8; 32]).unwrap().beacon());
    }

    #[test]
    fn a_local_beacons_secret_is_not_shown() {
        let local = LocalBeacon::from_seed(&[7; 32]).unwrap();
        let shown = format!("{local:?}");
        assert!(
            shown.contains("***") && !shown.contains(&local.secret.to_string()),
            "{shown}"
        );
    }

    #[test]
    fn the_identity_is_no_key_and_no_signature() {
        let mut identity = [0; PUBLIC_KEY_BYTES];
        identity[0] = 0xC0;
        assert!(Beacon { public_key: identity }.point().is_err());
        assert!(signature_point(&identity[..SIGNATURE_BYTES]).is_err());
    }
}
