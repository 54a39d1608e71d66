//! Language of a text without a model file: whichlang on all of it, whatlang on its head (reference §2.15).
//!
//! English is claimed only when both agree. whichlang knows 16 languages and always answers; whatlang knows 70 and
//! has a confidence, which is the score. Deterministic: whichlang adds `f32` in text order without reordering;
//! whatlang counts integers, and two languages at the same distance give confidence 0, which is "unknown" here,
//! because their order would be that of an unstable sort.

/// A language and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language {
    /// ISO 639-1 code, or the ISO 639-3 code of a language without one; `""` is unknown.
    pub code: &'static str,
    /// Confidence in 1/65,536, rounded down.
    pub score: u32,
}

/// The answer for texts that cannot be judged.
const UNKNOWN: Language = Language { code: "", score: 0 };

/// Options of [`detect`]; the defaults are those of recipe `fineweb-en-v1` (reference §2.15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LanguageOptions {
    /// Texts with fewer letters are unknown.
    pub letters_min: usize,
    /// Bytes from the start given to whatlang, cut at a character.
    pub head_bytes: usize,
}

impl Default for LanguageOptions {
    fn default() -> LanguageOptions {
        LanguageOptions {
            letters_min: 20,
            head_bytes: 4_096,
        }
    }
}

/// Detects the language of a text. English needs both detectors; any other language is whatlang's word.
pub fn detect(text: &str, options: &LanguageOptions) -> Language {
    let head = text
        .get(..text.floor_char_boundary(options.head_bytes))
        .unwrap_or("");
    if text
        .chars()
        .filter(|c| c.is_alphabetic())
        .take(options.letters_min)
        .count()
        < options.letters_min
        || !head.contains(char::is_alphabetic)
    {
        return UNKNOWN;
    }
    let Some(info) = whatlang::detect(head) else {
        return UNKNOWN;
    };
    let confidence = info.confidence();
    if confidence.is_nan() || confidence <= 0.0 {
        return UNKNOWN;
    }
    let score = (confidence.min(1.0) * 65_536.0) as u32;
    let english = info.lang() == whatlang::Lang::Eng;
    if english && whichlang::detect_language(text) != whichlang::Lang::Eng {
        return UNKNOWN;
    }
    Language {
        code: code(info.lang()),
        score,
    }
}

/// Codes of all languages that [`detect`] can give, in no order that means anything.
pub fn codes() -> impl Iterator<Item = &'static str> {
    whatlang::Lang::all().iter().copied().map(code)
}

/// ISO 639-1 where there is one.
fn code(language: whatlang::Lang) -> &'static str {
    let long = language.code();
    CODES
        .iter()
        .find(|(known, _)| *known == long)
        .map_or(long, |(_, short)| short)
}

const CODES: &[(&str, &str)] = &[
    ("epo", "eo"),
    ("eng", "en"),
    ("rus", "ru"),
    ("cmn", "zh"),
    ("spa", "es"),
    ("por", "pt"),
    ("ita", "it"),
    ("ben", "bn"),
    ("fra", "fr"),
    ("deu", "de"),
    ("ukr", "uk"),
    ("kat", "ka"),
    ("ara", "ar"),
    ("hin", "hi"),
    ("jpn", "ja"),
    ("heb", "he"),
    ("yid", "yi"),
    ("pol", "pl"),
    ("amh", "am"),
    ("jav", "jv"),
    ("kor", "ko"),
    ("nob", "nb"),
    ("dan", "da"),
    ("swe", "sv"),
    ("fin", "fi"),
    ("tur", "tr"),
    ("nld", "nl"),
    ("hun", "hu"),
    ("ces", "cs"),
    ("ell", "el"),
    ("bul", "bg"),
    ("bel", "be"),
    ("mar", "mr"),
    ("kan", "kn"),
    ("ron", "ro"),
    ("slv", "sl"),
    ("hrv", "hr"),
    ("srp", "sr"),
    ("mkd", "mk"),
    ("lit", "lt"),
    ("lav", "lv"),
    ("est", "et"),
    ("tam", "ta"),
    ("vie", "vi"),
    ("urd", "ur"),
    ("tha", "th"),
    ("guj", "gu"),
    ("uzb", "uz"),
    ("pan", "pa"),
    ("aze", "az"),
    ("ind", "id"),
    ("tel", "te"),
    ("pes", "fa"),
    ("mal", "ml"),
    ("ori", "or"),
    ("mya", "my"),
    ("nep", "ne"),
    ("sin", "si"),
    ("khm", "km"),
    ("tuk", "tk"),
    ("aka", "ak"),
    ("zul", "zu"),
    ("sna", "sn"),
    ("afr", "af"),
    ("lat", "la"),
    ("slk", "sk"),
    ("cat", "ca"),
    ("tgl", "tl"),
    ("hye", "hy"),
    ("cym", "cy"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, code: &str) {
        assert_eq!(detect(text, &LanguageOptions::default()).code, code, "{text}");
    }

    #[test]
    fn what_is_detected_is_a_known_code() {
        let all: Vec<&str> = codes().collect();
        assert_eq!(all.len(), 70);
        for code in ["en", "de", "zh", "ru"] {
            assert!(all.contains(&code), "{code}");
        }
        assert!(!all.contains(&"") && !all.contains(&"eng"));
    }

    #[test]
    fn plain_cases() {
        check(
            "The quick brown fox jumps over the lazy dog while the others are watching it from afar.",
            "en",
        );
        check(
            "Der schnelle braune Fuchs springt über den faulen Hund, während die anderen zusehen.",
            "de",
        );
        check(
            "Быстрая коричневая лиса прыгает через ленивую собаку, пока остальные смотрят.",
            "ru",
        );
    }

    #[test]
    fn short_or_empty_texts_are_unknown() {
        check("", "");
        check("The end.", "");
        check("1234567890 1234567890 1234567890 !!!", "");
    }

    #[test]
    fn a_head_without_letters_is_unknown() {
        check(
            &format!(
                "{}the rest of the text is written in plain English words",
                "1 ".repeat(4_000)
            ),
            "",
        );
    }

    #[test]
    fn the_score_is_at_most_one() {
        let text = "It was the best of times, it was the worst of times, it was the age of wisdom.";
        let language = detect(text, &LanguageOptions::default());
        assert!(language.score > 0 && language.score <= 65_536);
    }
}
