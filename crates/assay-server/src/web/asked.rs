//! What a page is asked: path, query, theme; parameters that the page does not have are left out, all of it bounded.

use crate::cache::Stands;
use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use std::convert::Infallible;
use std::fmt::Write as _;

/// Bytes of a query that are read; the rest is ignored.
const QUERY_BYTES_MAX: usize = 2_048;
/// Bytes of a host that are repeated: a name (RFC 1035: 253) and a port.
const HOST_BYTES_MAX: usize = 259;
/// Pairs of a query that are read.
const PAIRS_MAX: usize = 32;
/// Parameter that every page has.
const THEME: &str = "theme";
/// Parameters of a board, in the order of its canonical address.
const BOARD: &[&str] = &["q", "sort", "dir", "t", "at", "cols", "page", "per"];
/// Parameters that may be given again.
const REPEATED: &[&str] = &["m", "r", "d"];
/// Parameters of pages by route. An answer is kept under path and query, so any other name, order or repetition would be
/// a way to have the same page rendered again and again.
const PARAMETERS: &[(&str, &[&str])] = &[
    ("/leaderboard", BOARD),
    ("/leaderboard/{name}", BOARD),
    ("/compare", REPEATED),
    ("/search", &["q"]),
    ("/opt-out", &["target", "filed"]),
];

/// Colours of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system has it.
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// The name in cookie and page.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Auto, Self::Light, Self::Dark]
            .into_iter()
            .find(|theme| theme.name() == name)
    }

    /// The theme of a request for another one.
    pub(crate) fn asked(name: &str, now: Self) -> Self {
        match name {
            "toggle" if now == Self::Dark => Self::Light,
            "toggle" => Self::Dark,
            name => Self::parse(name).unwrap_or(now),
        }
    }
}

/// A request for a page.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Path, percent-encoded as it came, with one slash at its beginning.
    pub(crate) path: String,
    /// Query, decoded, in order.
    pub(crate) pairs: Vec<(String, String)>,
    /// Colours.
    pub(crate) theme: Theme,
    /// Headers.
    pub(crate) headers: HeaderMap,
    /// Whether the page is rendered once more behind an answer.
    is_again: bool,
}

/// Marks a request by which the server renders a page once more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Again;

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        let query = query.get(..QUERY_BYTES_MAX).unwrap_or(query);
        let query: String = query.chars().take(QUERY_BYTES_MAX).collect();
        Ok(Self {
            path: own_path(parts.uri.path()),
            pairs: known(route_of(parts), &pairs(&query)),
            theme: theme_of(&parts.headers),
            headers: parts.headers.clone(),
            is_again: parts.extensions.get::<Again>().is_some(),
        })
    }
}

/// A path that stays on this site in a link or a redirection: `//host` and `/\host` are addresses of another one.
fn own_path(path: &str) -> String {
    format!("/{}", path.trim_start_matches(['/', '\\']))
}

/// The route that answers; "" where none does.
fn route_of(parts: &Parts) -> &str {
    parts
        .extensions
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str)
}

/// Pairs with a name that the route's page has, in the page's order; of those that mean one thing the first.
fn known(route: &str, pairs: &[(String, String)]) -> Vec<(String, String)> {
    let own = PARAMETERS.iter().find(|(of, _)| *of == route);
    let names = own.map_or(&[] as &[&str], |(_, names)| *names);
    let mut found = Vec::new();
    for name in names.iter().copied().chain([THEME]) {
        let of_name = pairs.iter().filter(|(given, _)| given == name);
        let most = if REPEATED.contains(&name) { PAIRS_MAX } else { 1 };
        found.extend(of_name.take(most).cloned());
    }
    found
}

fn theme_of(headers: &HeaderMap) -> Theme {
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().strip_prefix("theme="))
        .find_map(Theme::parse)
        .unwrap_or(Theme::Auto)
}

/// Pairs of a query or of a form.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .take(PAIRS_MAX)
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// `+` and `%41` as the characters they stand for; bytes that are no UTF-8 as signs of replacement.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                let digits =
                    [ahead.next(), ahead.next()].map(|digit| digit.and_then(|d| (d as char).to_digit(16)));
                if let [Some(high), Some(low)] = digits {
                    bytes.push((high * 16 + low) as u8);
                    rest = ahead;
                } else {
                    bytes.push(byte);
                }
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text as part of an address.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(byte as char);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Whether who asks wants the newest state: a browser that reloads, or the site's script behind an event.
fn wants_newest(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| {
            let newest = ["no-cache", "no-store", "max-age=0"];
            newest.iter().any(|name| part.trim().eq_ignore_ascii_case(name))
        })
}

impl Asked {
    /// Which answer will do at `now_ms`.
    pub(super) fn stands(&self, now_ms: u64) -> Stands {
        if self.is_again {
            Stands::Again(now_ms)
        } else if wants_newest(&self.headers) {
            Stands::Newest(now_ms)
        } else {
            Stands::Recent(now_ms)
        }
    }

    /// Scheme and host of this site as they were asked for, for files that must name whole addresses. The scheme is `https`
    /// but for this machine itself: a server that others reach stands behind a proxy.
    pub(crate) fn base(&self) -> String {
        let host = self.headers.get(header::HOST);
        let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".:-[]".contains(&byte);
        if host.is_empty() || host.len() > HOST_BYTES_MAX || !host.bytes().all(is_plain) {
            return "http://localhost".to_owned();
        }
        let is_local = ["localhost", "127.", "[::1]"]
            .iter()
            .any(|name| host.starts_with(name));
        format!("{}://{host}", if is_local { "http" } else { "https" })
    }

    /// The first value of a name; "" if there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        let found = self.pairs.iter().find(|(own, _)| own == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// All values of a name.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let values = self.pairs.iter().filter(|(own, _)| own == name);
        values.map(|(_, value)| value.as_str()).collect()
    }

    /// The address of this page with some values set; "" takes one away. The rest stays, in order.
    pub(crate) fn with(&self, changes: &[(&str, &str)]) -> String {
        let mut query = String::new();
        let mut push = |name: &str, value: &str| {
            query.push(if query.is_empty() { '?' } else { '&' });
            query.push_str(&encode(name));
            query.push('=');
            query.push_str(&encode(value));
        };
        for (name, value) in &self.pairs {
            if name != "theme" && !changes.iter().any(|(changed, _)| changed == name) && !value.is_empty() {
                push(name, value);
            }
        }
        for (name, value) in changes.iter().filter(|(_, value)| !value.is_empty()) {
            push(name, value);
        }
        format!("{}{query}", self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_link_keeps_what_it_does_not_change() {
        let asked = Asked {
            path: "/a".to_owned(),
            pairs: pairs("q=x+%3C&sort=b&theme=dark&%zz=%"),
            theme: Theme::Auto,
            headers: HeaderMap::new(),
            is_again: false,
        };
        assert_eq!(asked.get("q"), "x <");
        assert_eq!(asked.with(&[("sort", "c")]), "/a?q=x%20%3C&%25zz=%25&sort=c");
        assert_eq!(asked.with(&[("sort", ""), ("q", ""), ("%zz", "")]), "/a");
        assert_eq!(Theme::asked("toggle", Theme::Dark), Theme::Light);
        assert_eq!(Theme::asked("nonsense", Theme::Dark), Theme::Dark);
    }

    #[test]
    fn a_reload_wants_the_newest_state() {
        for (value, newest) in [
            ("no-cache", true),
            ("max-age=0", true),
            ("private, No-Store", true),
            ("max-age=60", false),
        ] {
            let value = axum::http::HeaderValue::from_static(value);
            let headers = HeaderMap::from_iter([(header::CACHE_CONTROL, value)]);
            assert_eq!(wants_newest(&headers), newest, "{headers:?}");
        }
        assert!(!wants_newest(&HeaderMap::new()));
    }

    #[test]
    fn a_path_never_leads_to_another_host() {
        for (path, own) in [
            ("/", "/"),
            ("/a//b", "/a//b"),
            ("//evil/", "/evil/"),
            ("/\\evil", "/evil"),
            ("/\\/\\/evil/x", "/evil/x"),
            ("", "/"),
        ] {
            assert_eq!(own_path(path), own);
        }
    }

    #[test]
    fn whole_addresses_name_a_host_that_is_one() {
        let base = |host: &str| {
            let value = axum::http::HeaderValue::from_str(host).unwrap();
            let asked = Asked {
                path: "/".to_owned(),
                pairs: Vec::new(),
                theme: Theme::Auto,
                headers: HeaderMap::from_iter([(header::HOST, value)]),
                is_again: false,
            };
            asked.base()
        };
        assert_eq!(base("data.example:8443"), "https://data.example:8443");
        assert_eq!(base("127.0.0.1:8470"), "http://127.0.0.1:8470");
        for bad in ["", "a b", "evil\"><script>", "a/b", &"x".repeat(300)] {
            assert_eq!(base(bad), "http://localhost", "{bad}");
        }
    }

    #[test]
    fn parameters_that_a_page_does_not_have_are_left_out() {
        let asked = "utm_source=x&m=1&sort=s&q=a&Q=b&=c&q=z&m=2&theme=dark";
        for (route, kept) in [
            ("/leaderboard/{name}", "q=a sort=s theme=dark"),
            ("/compare", "m=1 m=2 theme=dark"),
            ("/search", "q=a theme=dark"),
            ("/docs/{*name}", "theme=dark"),
            ("", "theme=dark"),
        ] {
            let pairs = known(route, &pairs(asked));
            let pairs: Vec<String> = pairs
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            assert_eq!(pairs.join(" "), kept, "{route}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text in "\\PC{0,40}") {
            prop_assert_eq!(decode(&encode(&text)), text);
        }
    }
}
