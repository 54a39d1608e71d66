//! Terms to text, so that reading it gives the same terms.

use super::parse::{ends_word, number};
use super::{Filter, FilterCondition, FilterNumber, FilterTerm, FilterValue};
use std::fmt::{Display, Formatter, Result};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (at, term) in self.terms.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{term}")?;
        }
        Ok(())
    }
}

impl Display for FilterTerm {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if self.negated {
            f.write_str("-")?;
        }
        match &self.condition {
            FilterCondition::Compare(field, op, value) => write!(f, "{field}{}{value}", op.sign()),
            FilterCondition::Any(field, values) => {
                write!(f, "{field}:")?;
                for (at, value) in values.iter().enumerate() {
                    let comma = if at > 0 { "," } else { "" };
                    write!(f, "{comma}{value}")?;
                }
                Ok(())
            }
            FilterCondition::Range(field, low, high) => write!(f, "{field}:{low}..{high}"),
            FilterCondition::Word(word) if is_bare(word) && !word.starts_with('-') => f.write_str(word),
            FilterCondition::Word(word) => write!(f, "\"{word}\""),
        }
    }
}

impl Display for FilterNumber {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(&self.digits)?;
        self.unit.map_or(Ok(()), |unit| write!(f, "{unit}"))
    }
}

impl Display for FilterValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) if is_bare(text) && number(text).is_none() => f.write_str(text),
            Self::Text(text) => write!(f, "\"{text}\""),
        }
    }
}

/// Whether a text can stand without quotes.
fn is_bare(text: &str) -> bool {
    !text.is_empty() && !text.contains("..") && !text.ends_with('.') && !text.chars().any(ends_word)
}
