//! Every query that is read prints to one that reads the same; rows are selected as the grammar says.

use super::*;
use proptest::prelude::*;

const FIELDS: &[FilterField] = &[
    FilterField {
        name: "fineness",
        is_number: true,
    },
    FilterField {
        name: "units",
        is_number: true,
    },
    FilterField {
        name: "cred",
        is_number: true,
    },
    FilterField {
        name: "recipe",
        is_number: false,
    },
    FilterField {
        name: "state",
        is_number: false,
    },
];

struct Row {
    units: Option<f64>,
    state: &'static str,
    name: &'static str,
}

impl Filtered for Row {
    fn field(&self, name: &str) -> FieldValue {
        match name {
            "units" => self.units.map_or(FieldValue::Missing, FieldValue::Number),
            "state" => FieldValue::Texts(vec![self.state.to_owned()]),
            _ => FieldValue::Missing,
        }
    }

    fn has_word(&self, word: &str) -> bool {
        self.name.contains(word)
    }
}

fn check(query: &str, expected: bool) {
    let row = Row {
        units: Some(5_000.0),
        state: "passed",
        name: "ostrava data",
    };
    let filter = Filter::parse(query, FIELDS).unwrap();
    assert_eq!(filter.matches(&row), expected, "{query}");
    assert_eq!(
        Filter::parse(&filter.to_string(), FIELDS).unwrap(),
        filter,
        "{query} as {filter}"
    );
}

#[test]
fn terms_select_rows() {
    for query in [
        "",
        "units > 4k",
        "units>=5k units<=5000 units = 5k",
        "units:1k..10k",
        "units:1,5000",
        "state:failed,passed",
        "state = PASSED",
        "-state:fraud",
        "state != fraud",
        "ostrava",
        "Ostrava \"data\"",
        "fineness:unknown",
        "-units:unknown",
    ] {
        check(query, true);
    }
    for query in [
        "units > 5k",
        "units:unknown",
        "fineness > 0",
        "fineness < 1",
        "-ostrava",
        "state:fraud",
        "units:6k..10k",
    ] {
        check(query, false);
    }
}

#[test]
fn errors_name_code_column_and_nearest_field() {
    for (query, kind, column, nearest) in [
        (
            "ostrava fines > 700",
            FilterErrorKind::UnknownField,
            9,
            Some("fineness"),
        ),
        ("units > many", FilterErrorKind::BadNumber, 9, None),
        ("state > 5", FilterErrorKind::BadNumber, 9, None),
        ("units:a..b", FilterErrorKind::BadNumber, 7, None),
        ("\"open", FilterErrorKind::Malformed, 1, None),
        ("units >", FilterErrorKind::Malformed, 8, None),
        ("> 5", FilterErrorKind::Malformed, 1, None),
        ("zzzzzzzzzzzz:1", FilterErrorKind::UnknownField, 1, None),
    ] {
        let error = Filter::parse(query, FIELDS).unwrap_err();
        assert_eq!(
            (error.kind, error.column, error.nearest),
            (kind, column, nearest),
            "{query}"
        );
    }
    let long = "a".repeat(FILTER_BYTES_MAX + 1);
    assert_eq!(
        Filter::parse(&long, FIELDS).unwrap_err().kind,
        FilterErrorKind::TooLong
    );
    let many = "a ".repeat(FILTER_TERMS_MAX + 1);
    assert_eq!(
        Filter::parse(&many, FIELDS).unwrap_err().kind,
        FilterErrorKind::TooLong
    );
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_and_what_is_read_prints_the_same(text in "\\PC{0,60}") {
        if let Ok(filter) = Filter::parse(&text, FIELDS) {
            prop_assert_eq!(Filter::parse(&filter.to_string(), FIELDS).unwrap(), filter);
        }
    }

    #[test]
    fn queries_print_as_they_are_read(
        text in "(-?(units|fineness|cred)( ?(>=|<|=|!=) ?|:)-?[0-9]{1,4}(\\.[0-9])?[kMBT%]?|-?(recipe|state):[a-z0-9.-]{1,8}(,\"[ a-z.:-]{0,5}\")?|-?[a-z.-]{1,5})( -?(units:1..2|\"a b\"|abc)){0,3}",
    ) {
        if let Ok(filter) = Filter::parse(&text, FIELDS) {
            let printed = filter.to_string();
            prop_assert_eq!(Filter::parse(&printed, FIELDS).unwrap(), filter, "{}", printed);
        }
    }
}
