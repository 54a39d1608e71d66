//! Numbers, times and texts as pages print them.

use assay_types::Hotkey;

/// Characters shown of a text from outside.
const TEXT_CHARS_MAX: usize = 200;

/// `7,214,090`.
pub(crate) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `39.5 B`; whole numbers below ten thousand.
pub(crate) fn short(value: u64) -> String {
    if value < 10_000 {
        return grouped(value);
    }
    let units = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")];
    let value = value as f64;
    for (size, unit) in units {
        if value >= size {
            let scaled = value / size;
            return if scaled >= 100.0 {
                format!("{scaled:.0} {unit}")
            } else if scaled >= 10.0 {
                format!("{scaled:.1} {unit}")
            } else {
                format!("{scaled:.2} {unit}")
            };
        }
    }
    format!("{value:.0}")
}

/// Bytes in powers of 1,024.
pub(crate) fn bytes(value: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut scaled = value as f64;
    let mut unit = 0;
    while scaled >= 1_024.0 && unit + 1 < units.len() {
        scaled /= 1_024.0;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or("B");
    if unit == 0 {
        format!("{value} B")
    } else {
        format!("{scaled:.1} {name}")
    }
}

/// `2.62%`; small shares as less than the least that is shown.
pub(crate) fn percent(share: f64) -> String {
    let value = share * 100.0;
    if value > 0.0 && value < 0.01 {
        "< 0.01%".to_owned()
    } else if value >= 99.995 || value == 0.0 {
        format!("{value:.0}%")
    } else {
        format!("{value:.2}%")
    }
}

/// A length of time in its largest unit.
pub(crate) fn span(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `10:42:18` of a time in milliseconds since 1970, UTC.
pub(crate) fn clock(time_ms: u64) -> String {
    let seconds = time_ms / 1_000 % 86_400;
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// `2026-11-28` of a time in milliseconds since 1970, UTC.
pub(crate) fn date(time_ms: u64) -> String {
    let (mut days, mut year) = (time_ms / 86_400_000, 1970_u64);
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if days < length || year >= 9_999 {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", days.min(30) + 1)
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// `2026-11-28T22:42:18Z`.
pub(crate) fn timestamp(time_ms: u64) -> String {
    format!("{}T{}Z", date(time_ms), clock(time_ms))
}

/// Text from outside: without control and direction characters, at most 200 characters.
pub(crate) fn clean(text: &str) -> String {
    clean_to(text, TEXT_CHARS_MAX)
}

/// The same with another bound.
pub(crate) fn clean_to(text: &str, characters: usize) -> String {
    let is_shown = |character: &char| {
        !character.is_control()
            && !matches!(*character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let mut shown: String = text.chars().filter(is_shown).take(characters).collect();
    if text.chars().filter(is_shown).nth(characters).is_some() {
        shown.push('…');
    }
    shown
}

/// `5RokJZ…V1B4`.
pub(crate) fn key(hotkey: &Hotkey) -> String {
    let text = hotkey.to_ss58();
    let head: String = text.chars().take(6).collect();
    let tail: String = text
        .chars()
        .skip(text.chars().count().saturating_sub(4))
        .collect();
    format!("{head}…{tail}")
}

/// The beginning of a digest.
pub(crate) fn digest(text: &str) -> String {
    let head: String = text.chars().take(8).collect();
    format!("{head}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_whole() {
        for (value, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (17_843, "17.8 k"),
            (39_500_000_000, "39.5 B"),
            (5_820_000_000_000, "5.82 T"),
        ] {
            assert_eq!(short(value), expected);
        }
        assert_eq!(grouped(7_214_090), "7,214,090");
        assert_eq!(
            [percent(0.0), percent(0.000_01), percent(0.0262), percent(1.0)],
            ["0%", "< 0.01%", "2.62%", "100%"]
        );
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!([span(90_000), span(180_000)], ["90 s", "3 min"]);
    }

    #[test]
    fn days_are_counted() {
        for (time_ms, expected) in [
            (0, "1970-01-01"),
            (951_782_400_000, "2000-02-29"),
            (1_709_251_199_000, "2024-02-29"),
            (1_735_689_599_000, "2024-12-31"),
            (1_795_867_200_000, "2026-11-28"),
        ] {
            assert_eq!(date(time_ms), expected);
        }
        assert_eq!(timestamp(1_795_905_738_000), "2026-11-28T22:42:18Z");
        assert_eq!(date(u64::MAX).len(), 10);
    }

    #[test]
    fn text_from_outside_cannot_turn_the_line_around() {
        assert_eq!(clean("a\u{202e}b\nc\0d"), "abcd");
        assert_eq!(clean_to("abcdef", 3), "abc…");
    }
}
