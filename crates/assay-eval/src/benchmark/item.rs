//! Items of benchmarks: what a model is given, what it may continue with, what is right.
//!
//! One line of JSON comes in, an [`Item`] leaves. Layouts and prompts are those of MosaicML's evaluation gauntlet
//! (mosaicml/llm-foundry, `scripts/eval/local_data`, 8c8dd48), and HellaSwag's own (docs/evaluation.md, "Benchmarks").

use std::collections::HashSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// Most options of an item.
const OPTIONS_MAX: usize = 16;

/// Longest line of an item in bytes: the longest of the known sets has 6 KB.
const LINE_BYTES_MAX: usize = 32 << 10;

/// What stands before the answer of a question that does not ask for it itself.
const ANSWER: &str = "Answer:";

/// Words that name parts of an item where they begin a line.
const LABELS: [&str; 4] = ["Question:", "Context:", "Passage:", ANSWER];

/// Longest label that an error repeats, in characters.
const LABEL_CHARS_MAX: usize = 40;

/// First line of options that are named by letters.
const CHOICES: &str = "Choices:";

/// Why a line is no item.
#[derive(Debug, Error)]
pub enum ItemError {
    /// Not JSON, or other keys.
    #[error(
        "an item has `query`, `choices` and `gold`, or `context_options`, `continuation` and `gold`, or `ctx`, `endings` and \
         `label`, or `context` and `continuation`"
    )]
    Layout,
    /// A wrong option that says what the right one says: nobody can tell them apart.
    #[error("option `{0}`, counted from 0, says the same as the right one")]
    Twin(usize),
    /// Longer than any question.
    #[error("the line has `{0}` bytes, an item at most {LINE_BYTES_MAX}")]
    Long(usize),
    /// The right answer is no number.
    #[error("the right answer is `{0}`, not a number counted from 0")]
    Label(String),
    /// The right answer is none of the options.
    #[error("the right answer is number `{gold}`, counted from 0, of `{options}` options")]
    Gold {
        /// Its number.
        gold: usize,
        /// Options there are.
        options: usize,
    },
    /// Nothing to choose from, or far too much.
    #[error("`{0}` options are not 2 to {OPTIONS_MAX}")]
    Options(usize),
    /// An option without text.
    #[error("option `{0}`, counted from 0, is empty")]
    Empty(usize),
    /// A choice in a set of continuations, or the other way round.
    #[error("the first item of the set {} among options, this one does not", if *.0 { "chooses" } else { "does not choose" })]
    Kind(bool),
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The ways to go on; a single one if nothing is chosen.
    pub options: Vec<Asked>,
    /// Place of the right one.
    pub gold: usize,
    /// Whether it is answered by yes or no: bits of these words say little about the text before them.
    pub is_yes_no: bool,
}

/// A continuation of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What is given.
    pub context: Arc<str>,
    /// What is predicted, with its leading blank.
    pub continuation: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Layout {
    Choices {
        query: String,
        choices: Vec<String>,
        gold: Value,
    },
    Contexts {
        context_options: Vec<String>,
        continuation: String,
        gold: Value,
    },
    Endings {
        ctx: String,
        endings: Vec<String>,
        label: Value,
    },
    Continuation {
        context: String,
        continuation: String,
    },
}

impl Item {
    /// Reads a line of JSON.
    ///
    /// # Errors
    /// [`ItemError`], but for [`ItemError::Kind`].
    pub fn parse(line: &str) -> Result<Self, ItemError> {
        if line.len() > LINE_BYTES_MAX {
            return Err(ItemError::Long(line.len()));
        }
        let layout: Layout = serde_json::from_str(line).map_err(|_| ItemError::Layout)?;
        let (options, label) = match layout {
            Layout::Choices { query, choices, gold } => (chosen(&query, &choices), Some(gold)),
            Layout::Contexts {
                context_options,
                continuation,
                gold,
            } => {
                let asked = |context: &String| Asked::new(&given(context), &continuation);
                (context_options.iter().map(asked).collect(), Some(gold))
            }
            Layout::Endings { ctx, endings, label } => {
                let context = given(&ctx);
                let asked = |ending: &String| Asked::new(&context, ending);
                (endings.iter().map(asked).collect(), Some(label))
            }
            Layout::Continuation {
                context,
                continuation,
            } => (vec![Asked::new(&given(&context), &continuation)], None),
        };
        Self::of(options, label.as_ref())
    }

    fn of(options: Vec<Asked>, label: Option<&Value>) -> Result<Self, ItemError> {
        let count = options.len();
        if label.is_some() && !(2..=OPTIONS_MAX).contains(&count) {
            return Err(ItemError::Options(count));
        }
        let gold = label.map_or(Ok(0), number)?;
        if gold >= count {
            return Err(ItemError::Gold { gold, options: count });
        }
        if let Some(empty) = options
            .iter()
            .position(|asked| asked.continuation.trim().is_empty())
        {
            return Err(ItemError::Empty(empty));
        }
        let is_twin = |(place, asked): (usize, &Asked)| place != gold && options.get(gold) == Some(asked);
        if let Some(twin) = options.iter().enumerate().position(is_twin) {
            return Err(ItemError::Twin(twin));
        }
        let is_yes_no = count == 2
            && options.iter().all(|asked| {
                matches!(
                    asked.continuation.trim().to_ascii_lowercase().as_str(),
                    "yes" | "no"
                )
            });
        Ok(Self {
            options,
            gold,
            is_yes_no,
        })
    }

    /// Whether one of several options is chosen.
    pub fn is_chosen(&self) -> bool {
        self.options.len() > 1
    }

    /// What is asked with the right answer behind it.
    fn answered(&self) -> Option<String> {
        let Asked {
            context,
            continuation,
        } = self.options.get(self.gold)?;
        Some(format!("{context}{continuation}"))
    }
}

/// Texts in which a line of a benchmark may lie in training text: its question with its right answer as they are printed, as they
/// are asked, and as they are asked without the words that only name parts. Of an object in no known layout all strings; nothing
/// of what is no object.
pub fn texts_of_line(line: &str) -> Vec<String> {
    let Ok(object) = serde_json::from_str::<serde_json::Map<String, Value>>(line) else {
        return Vec::new();
    };
    let mut texts = vec![printed(&object)];
    if let Some(asked) = Item::parse(line).ok().and_then(|item| item.answered()) {
        texts.extend([unlabelled(&asked), asked]);
    }
    // The same words in other blanks are one text.
    let words = |text: &String| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    let mut seen = HashSet::new();
    texts.retain(|text| seen.insert(words(text)));
    texts
}

/// A text without the words that name its parts at the beginning of a line.
fn unlabelled(text: &str) -> String {
    let bare = |line: &str| {
        let label = LABELS.iter().find_map(|label| line.strip_prefix(label));
        label.unwrap_or(line).trim().to_owned()
    };
    text.lines().map(bare).collect::<Vec<String>>().join(" ")
}

/// A question with its right answer, as it would stand in a text; all strings of an object of other keys.
fn printed(object: &serde_json::Map<String, Value>) -> String {
    let string = |key: &str| object.get(key).and_then(Value::as_str);
    let gold = object.get("gold").or_else(|| object.get("label"));
    let gold = gold.and_then(|gold| number(gold).ok()).unwrap_or(0);
    let list = |key: &str| object.get(key).and_then(Value::as_array)?.get(gold)?.as_str();
    let question = string("query")
        .or_else(|| string("context"))
        .or_else(|| string("ctx"))
        .or_else(|| list("context_options"));
    let answer = list("choices")
        .or_else(|| list("endings"))
        .or_else(|| string("continuation"));
    if let (Some(question), Some(answer)) = (question, answer) {
        return format!("{question} {answer}");
    }
    let strings: Vec<&str> = object.values().filter_map(Value::as_str).collect();
    strings.join("\n")
}

/// A place, as a number or its digits.
fn number(label: &Value) -> Result<usize, ItemError> {
    let found = match label {
        Value::String(digits) => digits.trim().parse().ok(),
        other => other.as_u64().and_then(|number| usize::try_from(number).ok()),
    };
    found.ok_or_else(|| {
        let shown = label.to_string();
        let shown = shown.trim_matches('"').chars().filter(char::is_ascii_graphic);
        ItemError::Label(shown.take(LABEL_CHARS_MAX).collect())
    })
}

/// A context without blanks at its end: the blank belongs to the continuation.
fn given(context: &str) -> Arc<str> {
    context.trim_end().into()
}

impl Asked {
    fn new(context: &Arc<str>, continuation: &str) -> Self {
        Self {
            context: Arc::clone(context),
            continuation: format!(" {}", continuation.trim()),
        }
    }
}

/// Options of a question. Options that are letters stand for lines of the question, which are cut from it.
fn chosen(query: &str, choices: &[String]) -> Vec<Asked> {
    let (query, choices) = match lettered(query, choices) {
        Some((query, choices)) => (query, choices),
        None => (query.to_owned(), choices.to_vec()),
    };
    let mut context = query.trim_end().to_owned();
    let is_question = context.lines().any(|line| line.starts_with("Question:"));
    if is_question && !context.ends_with(ANSWER) {
        context.push('\n');
        context.push_str(ANSWER);
    }
    let context = given(&context);
    choices
        .iter()
        .map(|choice| Asked::new(&context, choice))
        .collect()
}

/// The question without its lines of options, and the options; none if options are no letters or lines are missing.
fn lettered(query: &str, choices: &[String]) -> Option<(String, Vec<String>)> {
    let is_letter = |(place, choice): (usize, &String)| choice.as_bytes() == [b'A' + place as u8];
    if choices.is_empty() || choices.len() > OPTIONS_MAX || !choices.iter().enumerate().all(is_letter) {
        return None;
    }
    let mut lines: Vec<&str> = query.lines().collect();
    let head = lines.iter().rposition(|line| line.trim() == CHOICES)?;
    let of = |(line, letter): (&&str, &String)| {
        let text = line
            .trim_start()
            .strip_prefix(letter.as_str())?
            .strip_prefix('.')?;
        Some(text.trim().to_owned())
    };
    let options: Option<Vec<String>> = lines.get(head + 1..)?.iter().zip(choices).map(of).collect();
    let options = options.filter(|options| options.len() == choices.len())?;
    lines.drain(head..=head + options.len());
    Some((lines.join("\n"), options))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Vec<(String, String)> {
        let item = Item::parse(line).unwrap();
        let both = |asked: Asked| (asked.context.to_string(), asked.continuation);
        item.options.into_iter().map(both).collect()
    }

    fn both(context: &str, continuation: &str) -> (String, String) {
        (context.to_owned(), continuation.to_owned())
    }

    #[test]
    fn each_layout_gives_contexts_and_continuations() {
        assert_eq!(
            asked(r#"{"query": "Question: ice box\n", "choices": ["water ", "soda"], "gold": 1}"#),
            [
                both("Question: ice box\nAnswer:", " water"),
                both("Question: ice box\nAnswer:", " soda")
            ]
        );
        assert_eq!(
            asked(r#"{"query": "Passage: a\nQuestion: is it?", "choices": ["no", "yes"], "gold": 1}"#)[1],
            both("Passage: a\nQuestion: is it?\nAnswer:", " yes")
        );
        assert_eq!(
            asked(
                r#"{"query": "He opened the tap, therefore", "choices": ["it ran.", "it froze."], "gold": 0}"#
            )[0],
            both("He opened the tap, therefore", " it ran.")
        );
        assert_eq!(
            asked(
                r#"{"context_options": ["Ann, so Ann", "Ann, so Eve"], "continuation": "won.", "gold": 1}"#
            ),
            [both("Ann, so Ann", " won."), both("Ann, so Eve", " won.")]
        );
        assert_eq!(
            asked(r#"{"context": "Meet me, said ", "continuation": "Shane"}"#),
            [both("Meet me, said", " Shane")]
        );
        let endings =
            r#"{"ctx": "A man sits.", "endings": ["He stands.", "He flies."], "label": "1", "ind": 4}"#;
        assert_eq!((asked(endings).len(), Item::parse(endings).unwrap().gold), (2, 1));
    }

    #[test]
    fn letters_stand_for_lines_that_are_cut_from_the_question() {
        let line = r#"{"query": "Question: Where?\nChoices:\nA. bank\nB. new york\nAnswer:", "choices": ["A", "B"], "gold": 0}"#;
        assert_eq!(
            asked(line),
            [
                both("Question: Where?\nAnswer:", " bank"),
                both("Question: Where?\nAnswer:", " new york")
            ]
        );
        // Letters that stand for nothing are the answers themselves.
        let line = r#"{"query": "Grade?\nChoices:\nA. good", "choices": ["A", "B"], "gold": 0}"#;
        assert_eq!(asked(line)[1].1, " B");
    }

    #[test]
    fn yes_and_no_are_told() {
        let of = |choices: &str| {
            let line = format!(r#"{{"query": "Is it?", "choices": {choices}, "gold": 0}}"#);
            Item::parse(&line).unwrap().is_yes_no
        };
        assert!(of(r#"["no", "Yes"]"#));
        assert!(!of(r#"["no", "maybe"]"#) && !of(r#"["yes", "no", "no"]"#));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |line: &str| Item::parse(line).unwrap_err().to_string();
        assert!(error("{").contains("`query`, `choices` and `gold`"));
        assert!(error(r#"{"text": "a"}"#).contains("`context` and `continuation`"));
        let of = |choices: &str, gold: &str| {
            error(&format!(
                r#"{{"query": "q", "choices": [{choices}], "gold": {gold}}}"#
            ))
        };
        assert!(of(r#""a", "b""#, "2").contains("number `2`"));
        assert!(of(r#""a", "b""#, "-1").contains("is `-1`, not a number"));
        assert!(of(r#""a", "b""#, r#""B""#).contains("is `B`, not a number"));
        assert!(of(r#""a""#, "0").contains("`1` options"));
        assert!(of(r#""a", " ""#, "0").contains("option `1`"));
        assert!(of(r#""a", "b", " a ""#, "0").contains("option `2`, counted from 0, says the same"));
        assert!(of(r#""a", "b""#, &format!("[{}]", ["1"; 999].join(","))).len() < 120);
        assert!(of(&vec![r#""x""#; 17].join(","), "0").contains("`17`"));
        assert!(
            of(&format!(r#""a", "{}""#, "b".repeat(LINE_BYTES_MAX)), "0").contains("bytes, an item at most")
        );
    }

    /// Found by review: only the asked form was looked for, where a word stands between question and answer.
    #[test]
    fn an_item_is_looked_for_in_every_form_it_may_have() {
        let line =
            r#"{"query": "Question: ice box\n", "choices": ["will turn into a cooler", "soda"], "gold": 0}"#;
        assert_eq!(
            texts_of_line(line),
            [
                "Question: ice box\n will turn into a cooler",
                "ice box will turn into a cooler",
                "Question: ice box\nAnswer: will turn into a cooler"
            ]
        );
        let line = r#"{"query": "Context: Tim sat.\nQuestion: Where?\nChoices:\nA. bank\nB. town\nAnswer:", "choices": ["A", "B"], "gold": 0}"#;
        assert_eq!(
            texts_of_line(line),
            [
                "Context: Tim sat.\nQuestion: Where?\nChoices:\nA. bank\nB. town\nAnswer: A",
                "Tim sat. Where? bank",
                "Context: Tim sat.\nQuestion: Where?\nAnswer: bank"
            ]
        );
        assert_eq!(
            texts_of_line(r#"{"context": "Said ", "continuation": "Ann"}"#),
            ["Said  Ann"]
        );
        assert_eq!(
            texts_of_line(r#"{"a": "one", "b": 2, "c": "three"}"#),
            ["one\nthree"]
        );
        assert!(texts_of_line("no object").is_empty());
    }
}
