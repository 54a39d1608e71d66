//! Counts over a piece of text: words, sentence ends, commas, digits, capitals, function words.
//!
//! Input is text with collapsed white space; output feeds the features of a block. One pass, integers only.

use std::sync::LazyLock;

use super::words::Words;

/// Counts of one block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Measure {
    /// Characters that are not white space.
    pub(crate) characters: u32,
    /// White-space separated runs holding a letter or digit.
    pub(crate) words: u32,
    /// Function words of English, German, French and Spanish.
    pub(crate) function_words: u32,
    /// Words ending in `.`, `!`, `?` or their CJK forms.
    pub(crate) stops: u32,
    pub(crate) commas: u32,
    pub(crate) digits: u32,
    /// Words that begin with a capital.
    pub(crate) capitals: u32,
    /// Separators of link bars: `|`, `»`, `›`, `•`, `·`, `/` standing alone.
    pub(crate) bars: u32,
    /// Whether the last character ends a sentence, closing quotes aside.
    pub(crate) ends_sentence: bool,
}

const FUNCTION_WORDS: &str = "a an and are as at au auf aus be been but by can con das de del dem den der des die du ein eine el \
    en er es est et for from für had has have he her his i ich if il im in is ist it its je la las le \
    les los man mit my nicht not of on or our par pas por pour que qui she sich sie so su sur that the \
    their they this to um un una und une von was we were which who will with would y you your zu";

static WORDS: LazyLock<Words> = LazyLock::new(|| Words::new(&[FUNCTION_WORDS]));

fn is_function_word(word: &str) -> bool {
    let mut lower = [0_u8; 6];
    let Some(slot) = lower.get_mut(..word.len()) else {
        return false;
    };
    slot.copy_from_slice(word.as_bytes());
    slot.make_ascii_lowercase();
    WORDS.group(slot).is_some()
}

fn is_closing(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '”' | '’' | '»' | '“')
}

fn is_stop(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？')
}

/// Measures a text.
pub(crate) fn measure(text: &str) -> Measure {
    let mut sum = Measure::default();
    for run in text.split_ascii_whitespace() {
        sum.characters += if run.is_ascii() {
            run.len()
        } else {
            run.chars().count()
        } as u32;
        let body = run.trim_end_matches(is_closing);
        sum.ends_sentence = body.ends_with(is_stop);
        if body.ends_with([',', ';', '、', '，']) {
            sum.commas += 1;
        }
        let word = run.trim_matches(|c: char| !c.is_alphanumeric());
        let Some(first) = word.chars().next() else {
            sum.bars += u32::from(matches!(run, "|" | "»" | "›" | "•" | "·" | "/" | "-" | "–"));
            continue;
        };
        sum.words += 1;
        sum.stops += u32::from(sum.ends_sentence);
        sum.capitals += u32::from(first.is_uppercase());
        sum.digits += word.bytes().filter(u8::is_ascii_digit).count() as u32;
        sum.function_words += u32::from(is_function_word(word));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_counted() {
        let sum = measure("The cat, called “Tom”, is 12. Really?”");
        assert_eq!((sum.words, sum.commas, sum.stops, sum.digits), (7, 2, 2, 2));
        assert_eq!((sum.function_words, sum.ends_sentence), (2, true));
        assert_eq!(measure(""), Measure::default());
        assert_eq!(measure("A | B").bars, 1);
    }
}
