//! Ways to spoil a dataset: each changes a share of the documents, chosen by their ids, so that 5 % lie within 10 %.

use std::fmt::Write as _;

use assay_types::{Draws, tagged_hash, u64_le};

use crate::data::{Document, folder};

/// Whether a document is among the first `percent`.
fn is_chosen(id: &str, percent: u64) -> bool {
    u64_le(&tagged_hash("test/choose", &[id.as_bytes()])) % 100 < percent
}

fn draws(tag: &str, id: &str) -> Draws {
    Draws::new(tagged_hash(tag, &[id.as_bytes()]).as_bytes())
}

fn changed(documents: &[Document], percent: u64, change: impl Fn(&Document) -> String) -> Vec<Document> {
    documents
        .iter()
        .map(|document| {
            let text = if is_chosen(&document.id, percent) {
                change(document)
            } else {
                document.text.clone()
            };
            Document {
                id: document.id.clone(),
                text,
            }
        })
        .collect()
}

/// Words permuted, white space left where it is.
pub(crate) fn shuffled(documents: &[Document], percent: u64) -> Vec<Document> {
    changed(documents, percent, |document| {
        let words: Vec<&str> = document.text.split_whitespace().collect();
        let count = words.len() as u64;
        let mut order = draws("test/shuffle", &document.id)
            .partial_fisher_yates(count, count)
            .into_iter();
        let mut text = String::new();
        let mut is_word = false;
        for character in document.text.chars() {
            if character.is_whitespace() {
                is_word = false;
                text.push(character);
            } else if !is_word {
                is_word = true;
                text.push_str(words[order.next().unwrap() as usize]);
            }
        }
        text
    })
}

/// Menus and cookie notices up to 30 % of the bytes.
pub(crate) fn with_boilerplate(documents: &[Document]) -> Vec<Document> {
    const LINES: [&str; 8] = [
        "Home | About us | Products | Contact | Sitemap\n",
        "We use cookies to improve your experience. Accept all  Reject  Settings\n",
        "Sign in to your account or register for free\n",
        "Share on Facebook  Tweet this  Pin it  Email\n",
        "Copyright 2024 All rights reserved. Terms of use. Privacy policy\n",
        "Subscribe to our newsletter! Enter your e-mail address\n",
        "Skip to main content\n",
        "Related posts: Read more  Leave a comment (0)\n",
    ];
    changed(documents, 100, |document| {
        let mut draws = draws("test/boilerplate", &document.id);
        let mut text = String::new();
        let mut added = 0;
        for line in document.text.split_inclusive('\n') {
            text.push_str(line);
            while added * 10 < text.len() * 3 {
                let extra = LINES[draws.draw(8) as usize];
                text.push_str(extra);
                added += extra.len();
            }
        }
        text
    })
}

/// One phrase of the text over and over, in 30 % of the documents.
pub(crate) fn with_spam(documents: &[Document]) -> Vec<Document> {
    changed(documents, 30, |document| {
        let mut draws = draws("test/spam", &document.id);
        let words: Vec<&str> = document.text.split_whitespace().collect();
        let length = 4 + draws.draw(6) as usize;
        let start = draws.draw(words.len().saturating_sub(length).max(1) as u64) as usize;
        let phrase = words[start..(start + length).min(words.len())].join(" ") + " ";
        phrase.repeat(document.text.len() / phrase.len() + 1)
    })
}

/// Tags with random attributes around words, in 30 % of the documents.
pub(crate) fn with_markup(documents: &[Document]) -> Vec<Document> {
    changed(documents, 30, |document| {
        let mut draws = draws("test/markup", &document.id);
        let mut text = String::new();
        for word in document.text.split_inclusive(' ') {
            if draws.draw(5) == 0 {
                let tag = ["div", "span", "a", "li"][draws.draw(4) as usize];
                let attribute = ["class", "id", "href", "style"][draws.draw(4) as usize];
                write!(
                    text,
                    "<{tag} {attribute}=\"{:08x}\">{word}</{tag}>",
                    draws.next_u64() as u32
                )
                .unwrap();
            } else {
                text.push_str(word);
            }
        }
        text
    })
}

/// Text of five other languages in place of 30 % of the documents.
pub(crate) fn with_other_languages(documents: &[Document]) -> Vec<Document> {
    let languages = ["finnish", "french", "german", "portuguese", "swedish"].map(|language| {
        let path = folder("lm/other_lang")
            .unwrap()
            .join(format!("genesis_{language}.txt"));
        String::from_utf8_lossy(&fs_err::read(path).unwrap()).into_owned()
    });
    changed(documents, 30, |document| {
        let mut draws = draws("test/language", &document.id);
        let text = &languages[draws.draw(5) as usize];
        let start = text.floor_char_boundary(draws.draw(text.len() as u64 - 3_000) as usize);
        let end = text.ceil_char_boundary(start + document.text.len().min(2_900));
        text[start..end].to_owned()
    })
}

/// Every second piece says what the piece before it said.
pub(crate) fn with_duplicates(documents: &[Document]) -> Vec<Document> {
    documents
        .iter()
        .enumerate()
        .map(|(place, document)| Document {
            id: document.id.clone(),
            text: documents[place - place % 2].text.clone(),
        })
        .collect()
}
