//! Text to terms; never panics, names the column of what it cannot read.

use super::error::distance;
use super::{
    FILTER_BYTES_MAX, FILTER_TERMS_MAX, Filter, FilterCondition, FilterError, FilterErrorKind, FilterField,
    FilterNumber, FilterOp, FilterTerm, FilterValue,
};
use std::iter::Peekable;
use std::str::Chars;

/// Farthest name that is still suggested, in edits.
const NEAREST_EDITS_MAX: usize = 4;

impl Filter {
    /// Reads a query over these fields.
    ///
    /// # Errors
    /// [`FilterError`] with the column and, for an unknown field, the nearest one.
    pub fn parse(text: &str, fields: &[FilterField]) -> Result<Self, FilterError> {
        if text.len() > FILTER_BYTES_MAX {
            return Err(error(
                FilterErrorKind::TooLong,
                FILTER_BYTES_MAX + 1,
                format!("a filter has at most {FILTER_BYTES_MAX} bytes"),
            ));
        }
        let mut reader = Reader {
            rest: text.chars().peekable(),
            column: 1,
            fields,
        };
        let mut terms = Vec::new();
        loop {
            reader.skip_spaces();
            if reader.peek().is_none() {
                return Ok(Self { terms });
            }
            if terms.len() == FILTER_TERMS_MAX {
                let message = format!("a filter has at most {FILTER_TERMS_MAX} terms");
                return Err(error(FilterErrorKind::TooLong, reader.column, message));
            }
            terms.push(reader.term()?);
        }
    }
}

fn error(kind: FilterErrorKind, column: usize, message: String) -> FilterError {
    FilterError {
        kind,
        column,
        message,
        nearest: None,
    }
}

/// Whether a character ends a word.
pub(super) fn ends_word(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character, '<' | '>' | '=' | '!' | ':' | ',' | '"')
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    column: usize,
    fields: &'a [FilterField],
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<char> {
        self.rest.peek().copied()
    }

    fn next(&mut self) -> Option<char> {
        self.column += 1;
        self.rest.next()
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    fn term(&mut self) -> Result<FilterTerm, FilterError> {
        let negated = self.peek() == Some('-') && {
            self.next();
            true
        };
        let column = self.column;
        if self.peek() == Some('"') {
            let condition = FilterCondition::Word(self.quoted()?);
            return Ok(FilterTerm { negated, condition });
        }
        let name = self.word();
        if name.is_empty() {
            return Err(error(
                FilterErrorKind::Malformed,
                column,
                "a term begins with a field or a word".to_owned(),
            ));
        }
        let condition = self.condition(name, column)?;
        Ok(FilterTerm { negated, condition })
    }

    fn condition(&mut self, name: String, column: usize) -> Result<FilterCondition, FilterError> {
        if self.peek() == Some(':') {
            self.next();
            let field = self.field(&name, column)?;
            return self.set(field);
        }
        // Spaces may stand before an operator; without one the word stands alone.
        let before = (self.rest.clone(), self.column);
        self.skip_spaces();
        if let Some(op) = self.operator() {
            let field = self.field(&name, column)?;
            self.skip_spaces();
            let at = self.column;
            let value = self.value()?;
            let is_ordered = !matches!(op, FilterOp::Equal | FilterOp::NotEqual);
            if field.is_number != matches!(value, FilterValue::Number(_)) && (field.is_number || is_ordered) {
                return Err(not_a_number(field, at));
            }
            if is_ordered && !field.is_number {
                return Err(not_a_number(field, at));
            }
            return Ok(FilterCondition::Compare(field.name, op, value));
        }
        (self.rest, self.column) = before;
        Ok(FilterCondition::Word(name))
    }

    fn field(&self, name: &str, column: usize) -> Result<FilterField, FilterError> {
        if let Some(field) = self.fields.iter().find(|field| field.name == name) {
            return Ok(*field);
        }
        let nearest = self
            .fields
            .iter()
            .map(|field| (distance(name, field.name), field.name))
            .min()
            .filter(|(edits, _)| *edits <= NEAREST_EDITS_MAX);
        Err(FilterError {
            nearest: nearest.map(|(_, name)| name),
            ..error(
                FilterErrorKind::UnknownField,
                column,
                format!("no field `{name}`"),
            )
        })
    }

    fn operator(&mut self) -> Option<FilterOp> {
        let first = self
            .peek()
            .filter(|first| matches!(first, '<' | '>' | '=' | '!'))?;
        let mut ahead = self.rest.clone();
        ahead.next();
        let is_double = ahead.peek() == Some(&'=');
        let op = match (first, is_double) {
            ('>', true) => FilterOp::GreaterEqual,
            ('>', false) => FilterOp::Greater,
            ('<', true) => FilterOp::LessEqual,
            ('<', false) => FilterOp::Less,
            ('=', _) => FilterOp::Equal,
            ('!', true) => FilterOp::NotEqual,
            _ => return None,
        };
        self.next();
        if is_double && first != '=' {
            self.next();
        }
        Some(op)
    }

    fn set(&mut self, field: FilterField) -> Result<FilterCondition, FilterError> {
        let column = self.column;
        let first = self.value()?;
        if self.dots() {
            let last = self.value()?;
            return match (field.is_number, first, last) {
                (true, FilterValue::Number(low), FilterValue::Number(high)) => {
                    Ok(FilterCondition::Range(field.name, low, high))
                }
                _ => Err(not_a_number(field, column)),
            };
        }
        let mut values = vec![first];
        while self.peek() == Some(',') {
            self.next();
            values.push(self.value()?);
        }
        let is_unknown = |value: &FilterValue| matches!(value, FilterValue::Text(text) if text == "unknown");
        let is_number = |value: &FilterValue| matches!(value, FilterValue::Number(_));
        if field.is_number && !values.iter().all(|value| is_number(value) || is_unknown(value)) {
            return Err(not_a_number(field, column));
        }
        Ok(FilterCondition::Any(field.name, values))
    }

    fn dots(&mut self) -> bool {
        let mut ahead = self.rest.clone();
        let found = ahead.next() == Some('.') && ahead.next() == Some('.');
        if found {
            self.next();
            self.next();
        }
        found
    }

    fn value(&mut self) -> Result<FilterValue, FilterError> {
        let column = self.column;
        if self.peek() == Some('"') {
            return Ok(FilterValue::Text(self.quoted()?));
        }
        let word = self.word();
        if word.is_empty() {
            return Err(error(
                FilterErrorKind::Malformed,
                column,
                "a value is missing".to_owned(),
            ));
        }
        Ok(number(&word).map_or(FilterValue::Text(word), FilterValue::Number))
    }

    /// A word; two points in a row end it, because they make a range.
    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(character) = self.peek().filter(|character| !ends_word(*character)) {
            let mut ahead = self.rest.clone();
            if character == '.' && ahead.next().is_some() && ahead.peek() == Some(&'.') {
                break;
            }
            word.push(character);
            self.next();
        }
        word
    }

    fn quoted(&mut self) -> Result<String, FilterError> {
        let column = self.column;
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(text),
                Some(character) if !character.is_control() => text.push(character),
                _ => {
                    return Err(error(
                        FilterErrorKind::Malformed,
                        column,
                        "a quotation has no end".to_owned(),
                    ));
                }
            }
        }
    }
}

fn not_a_number(field: FilterField, column: usize) -> FilterError {
    let message = if field.is_number {
        format!("`{}` is compared with a number", field.name)
    } else {
        format!("`{}` is a text: use `=`, `!=` or `:`", field.name)
    };
    error(FilterErrorKind::BadNumber, column, message)
}

/// `-1.5k` and such.
pub(super) fn number(word: &str) -> Option<FilterNumber> {
    let unit = word
        .chars()
        .last()
        .filter(|last| matches!(last, 'k' | 'M' | 'B' | 'T' | '%'));
    let digits = unit.map_or(word, |unit| word.strip_suffix(unit).unwrap_or(word));
    let plain = digits.strip_prefix('-').unwrap_or(digits);
    let (whole, fraction) = plain.split_once('.').map_or((plain, "0"), |parts| parts);
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_digits(whole) && is_digits(fraction)).then(|| FilterNumber {
        digits: digits.to_owned(),
        unit,
    })
}
