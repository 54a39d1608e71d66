//! What the words of a block talk about, as bits: labels such as "Related", "Leave a reply", "Add to cart".
//!
//! Only the first words of a block are looked at; the bits are features like any other and decide nothing alone.

use std::sync::LazyLock;

use super::words::Words;

/// Words looked at.
const WORDS_MAX: usize = 12;
/// Number of bits.
pub(crate) const TOPICS: usize = 19;

/// The index of a group is its bit.
const GROUPS: [&str; TOPICS] = [
    "related more also recommended trending popular latest mehr lesen leia mais lire recent similar \
     ähnliche verwandte beliebt gostar veja relacionadas relacionados relacionado também también \
     similaires aussi recientes recentes neueste correlati leggi anche популярные похожие также читайте",
    "subscribe newsletter sign signup email inbox join subscription abonnieren",
    "share follow tweet facebook twitter instagram linkedin pinterest whatsapp youtube teilen \
     compartilhe partager telegram print",
    "comment comments reply replies leave kommentar kommentare comentários comentarios comentar respond \
     commentaires commenti discussion отзывы комментарии",
    "copyright rights reserved terms privacy policy cookie cookies impressum datenschutz disclaimer \
     ©",
    "advertisement sponsored ad ads promo anzeige affiliate commission donate",
    "login log register account password username member members",
    "by author written posted published updated editor staff von por writer",
    "click here download view see learn continue reading show load watch explore discover",
    "tags tagged filed category categories topics tag schlagwörter topic",
    "cart buy shop price shipping add wishlist sale checkout quantity stock delivery returns order",
    "photo image credit getty courtesy pictured ap reuters images foto video",
    "menu home search skip back next previous top close open toggle",
    "contact phone address call fax tel hours directions",
    "features specifications details description overview about summary introduction",
    "reviews rating stars review rated votes likes views",
    "january february march april june july august september october november december jan feb mar \
     apr jun jul aug sep oct nov dec ago",
    "we our us you your",
    "faq faqs questions question answer how what why when who",
];

static WORDS: LazyLock<Words> = LazyLock::new(|| Words::new(&GROUPS));

/// The topics of a text's first words.
pub(crate) fn topics(text: &str) -> u32 {
    let mut bits = 0;
    let mut lower = String::with_capacity(32);
    let runs = text
        .split(|c: char| !(c.is_alphanumeric() || c == '©'))
        .filter(|run| !run.is_empty());
    for run in runs.take(WORDS_MAX).filter(|run| run.len() <= 32) {
        lower.clear();
        if run.is_ascii() {
            lower.push_str(run);
            lower.make_ascii_lowercase();
        } else {
            lower.extend(run.chars().flat_map(char::to_lowercase));
        }
        bits |= WORDS.group(lower.as_bytes()).map_or(0, |bit| 1 << bit);
    }
    bits
}

/// Hashes of four consecutive words of texts that the page's structured data quotes.
#[derive(Debug, Default)]
pub(crate) struct Quoted {
    hashes: std::collections::BTreeSet<u64>,
}

/// Words of structured data taken.
const QUOTED_MAX: usize = 50_000;

impl Quoted {
    /// Adds a JSON string as it stands in the page, escapes included.
    pub(crate) fn add(&mut self, json: &str) {
        let mut plain = String::with_capacity(json.len());
        let mut rest = json;
        while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
            plain.push_str(rest.get(..at).unwrap_or(""));
            plain.push(' ');
            let skip = if rest.as_bytes().get(at + 1) == Some(&b'u') {
                6
            } else {
                2
            };
            rest = rest.get(rest.ceil_char_boundary(at + skip)..).unwrap_or("");
        }
        plain.push_str(rest);
        let room = QUOTED_MAX.saturating_sub(self.hashes.len());
        windows(&plain).take(room).for_each(|hash| {
            self.hashes.insert(hash);
        });
    }

    /// Thousandths of a text's word windows that are quoted; -1 for a text too short or a page without quotes.
    pub(crate) fn share(&self, text: &str) -> i32 {
        if self.hashes.is_empty() {
            return -1;
        }
        let (mut all, mut found) = (0_i64, 0_i64);
        for hash in windows(text) {
            all += 1;
            found += i64::from(self.hashes.contains(&hash));
        }
        if all == 0 {
            -1
        } else {
            (found * 1_000 / all) as i32
        }
    }
}

/// Hashes of four consecutive ASCII words; anything else separates words.
fn windows(text: &str) -> impl Iterator<Item = u64> {
    let words = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let mut last = [0_u64; 4];
    let mut seen = 0;
    words.filter_map(move |word| {
        let step = |hash: u64, byte: u8| {
            (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
        };
        last.rotate_left(1);
        last[3] = word.bytes().fold(0xcbf2_9ce4_8422_2325, step);
        seen += 1;
        let mix = |hash: u64, word: &u64| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        (seen >= 4).then(|| last.iter().fold(0, mix))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_has_two_topics() {
        assert_eq!(super::super::words::repeated(&GROUPS), None);
    }

    #[test]
    fn topics_are_found() {
        assert_eq!(topics("Related ARTICLES"), 1);
        assert_eq!(topics("© 2020 All rights reserved"), 1 << 4);
        assert_eq!(topics("plain text"), 0);
    }

    #[test]
    fn quoted_text_is_recognised_through_escapes() {
        let mut quoted = Quoted::default();
        quoted.add(r"One two don\u2019t stop\nnow please");
        assert_eq!(quoted.share("two don’t stop now please"), 1_000);
        assert_eq!(quoted.share("too short"), -1);
        assert_eq!(Quoted::default().share("one two three four five"), -1);
    }
}
