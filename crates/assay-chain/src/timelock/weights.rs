//! What is sealed when weights are committed: SCALE of hotkey, uids, values and version key.
//!
//! `{hotkey: Vec<u8>, uids: Vec<u16>, values: Vec<u16>, version_key: u64}` (opentensor/subtensor 14bc6f9,
//! `WeightsTlockPayload`); the chain drops a commit whose hotkey is not the committer's.

use assay_types::{Hotkey, Uid, Weight};

use super::TimelockError;

/// Most targets of one payload: what fits a commit ([`super::SEALED_BYTES_MAX`]).
pub const PAYLOAD_WEIGHTS_MAX: usize = 1024;

/// Weights as they are sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightsPayload {
    /// Who commits.
    pub hotkey: Hotkey,
    /// Targets and weights.
    pub weights: Vec<(Uid, Weight)>,
    /// The validator's version.
    pub version_key: u64,
}

impl WeightsPayload {
    /// The bytes to seal.
    ///
    /// # Errors
    /// [`TimelockError::Payload`] for more than [`PAYLOAD_WEIGHTS_MAX`] targets.
    pub fn encode(&self) -> Result<Vec<u8>, TimelockError> {
        if self.weights.len() > PAYLOAD_WEIGHTS_MAX {
            return Err(TimelockError::Payload { part: "uids" });
        }
        let mut bytes = Vec::with_capacity(48 + 4 * self.weights.len());
        push_compact(&mut bytes, 32);
        bytes.extend_from_slice(self.hotkey.as_bytes());
        push_compact(&mut bytes, self.weights.len() as u32);
        for (uid, _) in &self.weights {
            bytes.extend_from_slice(&uid.0.to_le_bytes());
        }
        push_compact(&mut bytes, self.weights.len() as u32);
        for (_, weight) in &self.weights {
            bytes.extend_from_slice(&weight.0.to_le_bytes());
        }
        bytes.extend_from_slice(&self.version_key.to_le_bytes());
        Ok(bytes)
    }

    /// The payload of opened bytes; nothing may follow it.
    ///
    /// # Errors
    /// [`TimelockError::Payload`] naming the field that is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, TimelockError> {
        let mut rest = bytes;
        let key_bytes = compact(&mut rest, "hotkey")?;
        let hotkey = take::<32>(&mut rest, "hotkey")?;
        let uids = numbers(&mut rest, "uids")?;
        let values = numbers(&mut rest, "values")?;
        let version_key = u64::from_le_bytes(take(&mut rest, "version_key")?);
        let malformed = |part| Err(TimelockError::Payload { part });
        if key_bytes != 32 {
            return malformed("hotkey");
        }
        if uids.len() != values.len() {
            return malformed("values");
        }
        if !rest.is_empty() {
            return malformed("end");
        }
        let targets = uids.into_iter().map(Uid);
        Ok(Self {
            hotkey: Hotkey(hotkey),
            weights: targets.zip(values.into_iter().map(Weight)).collect(),
            version_key,
        })
    }
}

/// SCALE compact form of a count below 2^30.
fn push_compact(bytes: &mut Vec<u8>, count: u32) {
    match count {
        0..0x40 => bytes.push((count as u8) << 2),
        0x40..0x4000 => bytes.extend_from_slice(&((count as u16) << 2 | 1).to_le_bytes()),
        _ => bytes.extend_from_slice(&(count << 2 | 2).to_le_bytes()),
    }
}

fn take<const N: usize>(rest: &mut &[u8], part: &'static str) -> Result<[u8; N], TimelockError> {
    let (head, tail) = rest
        .split_first_chunk::<N>()
        .ok_or(TimelockError::Payload { part })?;
    *rest = tail;
    Ok(*head)
}

/// A compact count in its shortest form (SCALE refuses longer ones).
fn compact(rest: &mut &[u8], part: &'static str) -> Result<usize, TimelockError> {
    let first = rest.first().copied().ok_or(TimelockError::Payload { part })?;
    let (count, least) = match first & 3 {
        0 => (u32::from(u8::from_le_bytes(take(rest, part)?)), 0),
        1 => (u32::from(u16::from_le_bytes(take(rest, part)?)), 0x40),
        2 => (u32::from_le_bytes(take(rest, part)?), 0x4000),
        _ => return Err(TimelockError::Payload { part }),
    };
    let count = count >> 2;
    if count < least {
        return Err(TimelockError::Payload { part });
    }
    Ok(count as usize)
}

fn numbers(rest: &mut &[u8], part: &'static str) -> Result<Vec<u16>, TimelockError> {
    let count = compact(rest, part)?;
    if count > PAYLOAD_WEIGHTS_MAX {
        return Err(TimelockError::Payload { part });
    }
    (0..count)
        .map(|_| take(rest, part).map(u16::from_le_bytes))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// //Alice, [1, 2], [65535, 3], 7: made by an independent SCALE encoder.
    const VECTOR: &str = "80d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d080100020008ffff03000700000000000000";

    fn alice() -> WeightsPayload {
        WeightsPayload {
            hotkey: Hotkey::from_ss58("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY").unwrap(),
            weights: vec![(Uid(1), Weight(65_535)), (Uid(2), Weight(3))],
            version_key: 7,
        }
    }

    #[test]
    fn the_reference_vector_is_written_and_read() {
        let bytes = alice().encode().unwrap();
        assert_eq!(assay_types::hex::encode(&bytes), VECTOR);
        assert_eq!(WeightsPayload::decode(&bytes), Ok(alice()));
    }

    #[test]
    fn a_subnet_of_256_neurons_fits_a_commit() {
        let mut payload = alice();
        payload.weights = (0..256).map(|uid| (Uid(uid), Weight(1))).collect();
        let bytes = payload.encode().unwrap().len() + super::super::OVERHEAD_BYTES;
        assert_eq!(bytes, 1313);
        payload.weights = vec![(Uid(0), Weight(1)); PAYLOAD_WEIGHTS_MAX];
        assert!(
            payload.encode().unwrap().len() + super::super::OVERHEAD_BYTES <= super::super::SEALED_BYTES_MAX
        );
        payload.weights.push((Uid(0), Weight(1)));
        assert_eq!(payload.encode(), Err(TimelockError::Payload { part: "uids" }));
    }

    #[test]
    fn a_cut_anywhere_and_odd_fields_are_refused() {
        let bytes = alice().encode().unwrap();
        for end in 0..bytes.len() {
            assert!(WeightsPayload::decode(&bytes[..end]).is_err(), "cut at {end}");
        }
        let check = |at: usize, to: u8, part| {
            let mut altered = alice().encode().unwrap();
            altered[at] = to;
            assert_eq!(
                WeightsPayload::decode(&altered),
                Err(TimelockError::Payload { part })
            );
        };
        check(0, 0x7C, "hotkey");
        check(0, 0x03, "hotkey");
        check(33, 0x04, "values");
        let mut longer = bytes;
        longer.push(0);
        assert_eq!(
            WeightsPayload::decode(&longer),
            Err(TimelockError::Payload { part: "end" })
        );
    }

    proptest! {
        #[test]
        fn payloads_survive_the_round_trip(
            key: [u8; 32],
            weights in proptest::collection::vec((any::<u16>(), any::<u16>()), 0..300),
            version_key: u64,
        ) {
            let payload = WeightsPayload {
                hotkey: Hotkey(key),
                weights: weights.into_iter().map(|(uid, weight)| (Uid(uid), Weight(weight))).collect(),
                version_key,
            };
            prop_assert_eq!(WeightsPayload::decode(&payload.encode().unwrap()), Ok(payload));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(payload) = WeightsPayload::decode(&bytes) {
                prop_assert_eq!(payload.encode().unwrap(), bytes);
            }
        }
    }
}
