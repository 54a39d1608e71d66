//! Prints what the text rules make of given texts, for comparison with the reference by `bench/parity_fuzz.py`.
//!
//! Reads JSON lines `{"id","text"}` from stdin; writes JSON lines with the fields `words`, `sentences`, `simplify`,
//! `minhash` and `gpt2_tokens` in the forms of `assay filter --steps`.

use std::fmt::Write as _;
use std::io::{BufRead as _, Write as _};

use assay_refine::minhash::{MinHasher, Signature};
use assay_refine::text::gpt2::Gpt2;
use assay_refine::text::python;
use assay_refine::text::sentences::{count_sentences, sentence_spans};
use assay_refine::text::simplify::simplify;
use assay_refine::text::words::Tokenizer;
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut steps = Steps {
        tokenizer: Tokenizer::new(),
        hasher: MinHasher::new(),
        gpt2: Gpt2::new(),
        tokens: Vec::new(),
        normal: String::new(),
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().split(b'\n') {
        let row: Value = serde_json::from_slice(&line?)?;
        let text = row.get("text").and_then(Value::as_str).unwrap_or("");
        let id = row.get("id").cloned().unwrap_or(Value::Null);
        writeln!(out, "{}", steps.of(&id, text))?;
    }
    out.flush()?;
    Ok(())
}

struct Steps {
    tokenizer: Tokenizer,
    hasher: MinHasher,
    gpt2: Gpt2,
    tokens: Vec<assay_refine::text::words::Token>,
    normal: String,
}

impl Steps {
    fn of(&mut self, id: &Value, text: &str) -> Value {
        self.tokenizer.tokenize(text, &mut self.tokens);
        let words: Vec<&str> = self
            .tokens
            .iter()
            .filter(|token| !token.is_space)
            .map(|token| token.text(text))
            .collect();
        let words = json!({"count": words.len(), "sha256": sha256(&words.join("\u{1}")), "list": words});
        let sentences = json!({"count": count_sentences(text, &self.tokens), "spans": self.spans(text)});
        let gpt2_tokens = self.gpt2.count(text);
        simplify(text, &mut self.normal);
        self.tokenizer.tokenize(&self.normal, &mut self.tokens);
        let shingles = self
            .tokens
            .iter()
            .filter(|token| !token.is_space)
            .count()
            .saturating_sub(4);
        let signature = self
            .hasher
            .signature(&self.normal, &self.tokens)
            .as_ref()
            .map(hex);
        json!({
            "id": id,
            "words": words,
            "sentences": sentences,
            "simplify": {"chars": python::len(&self.normal), "sha256": sha256(&self.normal), "text": self.normal},
            "minhash": {"shingles": shingles, "signature": signature},
            "gpt2_tokens": gpt2_tokens,
        })
    }

    /// Sentence spans in code points.
    fn spans(&self, text: &str) -> Vec<[usize; 2]> {
        let chars = |end: u32| python::len(text.get(..end as usize).unwrap_or(""));
        sentence_spans(text, &self.tokens)
            .iter()
            .map(|&(start, end)| [chars(start), chars(end)])
            .collect()
    }
}

fn hex(signature: &Signature) -> String {
    signature.minima().iter().fold(String::new(), |mut hex, minimum| {
        let _ = write!(hex, "{minimum:016x}");
        hex
    })
}

fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
