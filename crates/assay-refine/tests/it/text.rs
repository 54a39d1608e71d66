//! Words and sentences of the parity fixture: what spaCy made of 2,551 texts against what we make of them.

use std::fmt::Write as _;
use std::io::Read as _;

use assay_refine::minhash::{MinHasher, Signature};
use assay_refine::text::gpt2::Gpt2;
use assay_refine::text::python;
use assay_refine::text::sentences::{count_sentences, sentence_spans};
use assay_refine::text::simplify::simplify;
use assay_refine::text::words::{Token, Tokenizer};
use serde_json::Value;

/// The rows of a gzipped JSONL file of `parity`.
pub(crate) fn rows(name: &str) -> Vec<Value> {
    let Some(data) = crate::assay_data() else {
        return Vec::new();
    };
    let file = fs_err::File::open(data.join("parity").join(name)).unwrap();
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    text.split('\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
}

/// Names of the rows `same` says no to, the first few printed.
pub(crate) fn differing(rows: &[Value], mut same: impl FnMut(&str, &Value) -> bool) -> Vec<String> {
    let bad: Vec<String> = rows
        .iter()
        .filter(|row| !same(row["text"].as_str().unwrap(), row))
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect();
    eprintln!(
        "{} of {} differ: {:?}",
        bad.len(),
        rows.len(),
        bad.iter().take(20).collect::<Vec<_>>()
    );
    bad
}

pub(crate) fn words<'a>(tokenizer: &mut Tokenizer, text: &'a str) -> (Vec<&'a str>, Vec<Token>) {
    let mut tokens = Vec::new();
    tokenizer.tokenize(text, &mut tokens);
    let words = tokens
        .iter()
        .filter(|token| !token.is_space)
        .map(|token| token.text(text))
        .collect();
    (words, tokens)
}

#[test]
fn words_are_spacys() {
    let rows = rows("filters.jsonl.gz");
    let mut tokenizer = Tokenizer::new();
    let bad = differing(&rows, |text, row| {
        let (words, _) = words(&mut tokenizer, text);
        let same = row["words"]["sha256"] == sha256_hex(words.join("\u{1}").as_bytes());
        if !same && let Some(list) = row["words"]["list"].as_array() {
            let list: Vec<&str> = list.iter().map(|word| word.as_str().unwrap()).collect();
            let at = words.iter().zip(&list).position(|(a, b)| a != b).unwrap_or(0);
            eprintln!(
                "{:?} expected {:?}",
                &words[at..(at + 6).min(words.len())],
                &list[at..(at + 6).min(list.len())]
            );
        }
        same
    });
    // datatrove drops the literal `IS_ALPHA` from texts on which spaCy fails (reference §1).
    assert!(
        rows.iter()
            .filter(|row| bad.iter().any(|id| row["id"] == **id))
            .all(|row| { row["text"].as_str().unwrap().contains("IS_ALPHA") })
    );
    assert!(bad.len() <= 2);
}

#[test]
fn sentences_are_spacys() {
    let rows = rows("filters.jsonl.gz");
    let mut tokenizer = Tokenizer::new();
    let bad = differing(&rows, |text, row| {
        let (_, tokens) = words(&mut tokenizer, text);
        let spans: Vec<Value> = sentence_spans(text, &tokens)
            .into_iter()
            .map(|(start, end)| {
                let start_chars = python::len(&text[..start as usize]);
                Value::from(vec![
                    start_chars,
                    start_chars + python::len(&text[start as usize..end as usize]),
                ])
            })
            .collect();
        let expected = &row["sentences"];
        // datatrove removed the literal from the text before it cut this one (reference §1).
        let cut = text.contains("IS_ALPHA");
        let same_spans = cut
            || expected
                .get("spans")
                .is_none_or(|list| *list == Value::from(spans));
        expected["count"] == count_sentences(text, &tokens) && same_spans
    });
    assert_eq!(bad, Vec::<String>::new());
}

#[test]
fn normalised_texts_and_signatures_are_datatroves() {
    let rows = rows("filters.jsonl.gz");
    let mut tokenizer = Tokenizer::new();
    let mut hasher = MinHasher::new();
    let mut normal = String::new();
    let bad = differing(&rows, |text, row| {
        simplify(text, &mut normal);
        let (words, tokens) = words(&mut tokenizer, &normal);
        let shingles = words.len().saturating_sub(4);
        let signature = hasher.signature(&normal, &tokens);
        let expected = row["minhash"]["signature"].as_str();
        row["simplify"]["sha256"] == sha256_hex(normal.as_bytes())
            && row["simplify"]["chars"] == python::len(&normal)
            && row["minhash"]["shingles"] == shingles
            && expected.map(str::to_owned) == signature.as_ref().map(hex)
    });
    assert_eq!(bad, Vec::<String>::new());
}

/// 16 hexadecimal digits a minimum, as the fixture writes a signature.
pub(crate) fn hex(signature: &Signature) -> String {
    signature.minima().iter().fold(String::new(), |mut hex, minimum| {
        write!(hex, "{minimum:016x}").unwrap();
        hex
    })
}

#[test]
fn gpt2_counts_are_the_references() {
    let rows = rows("filters.jsonl.gz");
    let mut gpt2 = Gpt2::new();
    let bad = differing(&rows, |text, row| row["gpt2_tokens"] == gpt2.count(text));
    assert_eq!(bad, Vec::<String>::new());
}
