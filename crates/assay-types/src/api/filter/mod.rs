//! The filter grammar of lists: one parser for pages, API and command line; text in, terms out.
//!
//! ```text
//! query  = term *( SP term )            term   = ["-"] ( field op value | field ":" set | word )
//! op     = ">" | ">=" | "<" | "<=" | "=" | "!="          set = value *( "," value ) | value ".." value
//! value  = number [ "k" | "M" | "B" | "T" | "%" ] | word | DQUOTE text DQUOTE
//! ```
//!
//! All terms must hold. `field:unknown` selects missing values; every other comparison with a missing value is false.

mod error;
mod parse;
mod print;

pub use error::{FilterError, FilterErrorKind};

/// Longest query in bytes.
pub const FILTER_BYTES_MAX: usize = 256;
/// Most terms of a query.
pub const FILTER_TERMS_MAX: usize = 16;

/// A field that a list can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterField {
    /// Its name in queries.
    pub name: &'static str,
    /// Whether it holds numbers, which have an order; else texts, which have none.
    pub is_number: bool,
}

/// How a number is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterOp {
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
}

impl FilterOp {
    /// As it is written.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Equal => "=",
            Self::NotEqual => "!=",
        }
    }
}

/// A number with its unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterNumber {
    /// Digits, sign and point as written.
    pub digits: String,
    /// `k`, `M`, `B`, `T` or `%`.
    pub unit: Option<char>,
}

impl FilterNumber {
    /// Its value: `1k` is 1,000, `5%` is 0.05.
    pub fn value(&self) -> f64 {
        let factor = match self.unit {
            Some('k') => 1e3,
            Some('M') => 1e6,
            Some('B') => 1e9,
            Some('T') => 1e12,
            Some('%') => 1e-2,
            _ => 1.0,
        };
        self.digits
            .parse::<f64>()
            .map_or(f64::NAN, |value| value * factor)
    }
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterValue {
    /// A number.
    Number(FilterNumber),
    /// A word or a quoted text.
    Text(String),
}

impl FilterValue {
    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number.value()),
            Self::Text(_) => None,
        }
    }

    fn is_text(&self, text: &str) -> bool {
        match self {
            Self::Number(number) => {
                let unit = number.unit.map(String::from).unwrap_or_default();
                text.eq_ignore_ascii_case(&format!("{}{unit}", number.digits))
            }
            Self::Text(own) => text.to_lowercase() == own.to_lowercase(),
        }
    }
}

/// A condition without its sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterCondition {
    /// `field op value`.
    Compare(&'static str, FilterOp, FilterValue),
    /// `field:a,b`: one of these; `field:unknown` is a missing value.
    Any(&'static str, Vec<FilterValue>),
    /// `field:a..b`, both ends included.
    Range(&'static str, FilterNumber, FilterNumber),
    /// A bare word: part of a name, a whole number, or the beginning of a key.
    Word(String),
}

/// A condition that must hold, or must not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterTerm {
    /// Whether it must not hold.
    pub negated: bool,
    /// The condition.
    pub condition: FilterCondition,
}

/// A query.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Its terms, at most [`FILTER_TERMS_MAX`].
    pub terms: Vec<FilterTerm>,
}

/// What a row holds in a field.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue {
    /// Nothing is known.
    Missing,
    /// A number.
    Number(f64),
    /// Texts, one of which has to fit.
    Texts(Vec<String>),
}

/// A row that can be filtered.
pub trait Filtered {
    /// Its value in a field of the registry.
    fn field(&self, name: &str) -> FieldValue;

    /// Whether a bare word, in lower case, means it.
    fn has_word(&self, word: &str) -> bool;
}

impl Filter {
    /// Whether all terms hold.
    pub fn matches(&self, row: &impl Filtered) -> bool {
        self.terms
            .iter()
            .all(|term| holds(&term.condition, row) != term.negated)
    }
}

fn holds(condition: &FilterCondition, row: &impl Filtered) -> bool {
    match condition {
        FilterCondition::Word(word) => row.has_word(&word.to_lowercase()),
        FilterCondition::Compare(field, op, value) => match row.field(field) {
            FieldValue::Missing => false,
            FieldValue::Number(number) => value.number().is_some_and(|value| compare(number, *op, value)),
            FieldValue::Texts(texts) => {
                let is_one = texts.iter().any(|text| value.is_text(text));
                is_one == (*op == FilterOp::Equal)
            }
        },
        FilterCondition::Any(field, values) => match row.field(field) {
            FieldValue::Missing => values.iter().any(|value| value.is_text("unknown")),
            FieldValue::Number(number) => values.iter().any(|value| {
                value
                    .number()
                    .is_some_and(|value| compare(number, FilterOp::Equal, value))
            }),
            FieldValue::Texts(texts) => values
                .iter()
                .any(|value| texts.iter().any(|text| value.is_text(text))),
        },
        FilterCondition::Range(field, low, high) => match row.field(field) {
            FieldValue::Number(number) => low.value() <= number && number <= high.value(),
            _ => false,
        },
    }
}

fn compare(left: f64, op: FilterOp, right: f64) -> bool {
    let equal = left.total_cmp(&right).is_eq();
    match op {
        FilterOp::Greater => left > right,
        FilterOp::GreaterEqual => left >= right,
        FilterOp::Less => left < right,
        FilterOp::LessEqual => left <= right,
        FilterOp::Equal => equal,
        FilterOp::NotEqual => !equal,
    }
}

#[cfg(test)]
mod tests;
