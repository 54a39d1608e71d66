//! Amounts, keys, shares and times as people read them.

use assay_types::{Hotkey, Rao};

use crate::exit::UsageError;

/// Rao of one TAO.
const TAO: u64 = 1_000_000_000;
/// Characters shown at each end of a key.
const KEY_ENDS: usize = 4;

/// An amount in TAO with the nine digits it has.
pub(super) fn tao(amount: Rao) -> String {
    format!("{}.{:09}", amount.0 / TAO, amount.0 % TAO)
}

/// The amount that `text` spells in TAO, to nine digits after the point.
pub(super) fn parse_tao(text: &str) -> Result<Rao, UsageError> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = !whole.is_empty()
        && [whole, part]
            .iter()
            .all(|half| half.bytes().all(|b| b.is_ascii_digit()));
    let read = || {
        let part: u64 = format!("{part:0<9}").parse().ok()?;
        whole.parse::<u64>().ok()?.checked_mul(TAO)?.checked_add(part)
    };
    (is_number && part.len() <= 9)
        .then(read)
        .flatten()
        .map(Rao)
        .ok_or_else(|| UsageError::new(format!("`{text}` is no amount"), "give TAO, such as 0.5"))
}

/// A ratio of 65,535 to four digits.
pub(super) fn share(ratio: u16) -> String {
    let units = u32::from(ratio) * 10_000 / u32::from(u16::MAX);
    format!("{}.{:04}", units / 10_000, units % 10_000)
}

/// A key by its ends: `5Grw…utQY`.
pub(super) fn short_key(key: &Hotkey) -> String {
    let text = key.to_ss58();
    let (head, tail) = (
        text.get(..KEY_ENDS),
        text.get(text.len().saturating_sub(KEY_ENDS)..),
    );
    format!("{}…{}", head.unwrap_or_default(), tail.unwrap_or_default())
}

/// A time of the chain in ISO 8601.
pub(super) fn utc(time_ms: u64) -> String {
    i64::try_from(time_ms)
        .ok()
        .and_then(|time_ms| jiff::Timestamp::from_millisecond(time_ms).ok())
        .map_or_else(
            || "-".to_owned(),
            |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_shares_and_times_are_exact() {
        assert_eq!(tao(Rao(1)), "0.000000001");
        assert_eq!(tao(Rao(12_500_000_000)), "12.500000000");
        assert_eq!(parse_tao("12.5").unwrap(), Rao(12_500_000_000));
        assert_eq!(parse_tao("0.000000001").unwrap(), Rao(1));
        for wrong in ["", ".5", "-1", "1.0000000001", "1,5", "20000000000", "+1"] {
            assert!(parse_tao(wrong).is_err(), "{wrong}");
        }
        assert_eq!(share(65_535), "1.0000");
        assert_eq!(share(32_767), "0.4999");
        assert_eq!(utc(1_750_000_000_000), "2025-06-15T15:06:40Z");
        assert_eq!(utc(u64::MAX), "-");
        assert_eq!(short_key(&Hotkey([0; 32])).chars().count(), 9);
    }
}
