//! One archive to read, and the name under which its unit is known.
//!
//! Made by [`crate::resolve`] from an argument; read by [`crate::open`]. The name goes into the manifest and the
//! unit id, so it holds neither directories nor credentials.

use std::path::PathBuf;

use reqwest::Url;

use crate::HubError;

/// Where the bytes of one archive are.
#[derive(Clone, PartialEq, Eq)]
pub enum Input {
    /// A file, or anything that opens as one.
    File(PathBuf),
    /// `http://`, `https://` or `s3://`, as the user wrote it; may hold credentials, so it is never shown.
    Url(String),
    /// Standard input.
    Stdin,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Url(url) => f.debug_tuple("Url").field(&public_url(url)).finish(),
            Self::Stdin => f.write_str("Stdin"),
        }
    }
}

/// One archive and its name. Invariant: `name` is `source`, a colon and `path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where the bytes are.
    pub input: Input,
    /// `file:<file name>`, `file:-` for standard input, or the URL without credentials.
    pub name: String,
    /// `file`, `http`, `https` or `s3`.
    pub source: String,
    /// File name, `-`, or what follows the scheme's colon in the URL (`//host/path`).
    pub path: String,
    /// Length in bytes where it is known without a request.
    pub bytes: Option<u64>,
}

impl Source {
    /// Standard input.
    #[must_use]
    pub fn stdin() -> Self {
        Self::named(Input::Stdin, "file", "-", None)
    }

    /// A file of a length in bytes, if it has one (a pipe has none).
    ///
    /// # Errors
    /// [`HubError::NameNotUtf8`] if the last part of the path is none.
    pub fn file(path: PathBuf, bytes: Option<u64>) -> Result<Self, HubError> {
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else {
            return Err(HubError::NameNotUtf8 {
                path: path.to_string_lossy().into_owned(),
            });
        };
        Ok(Self::named(Input::File(path), "file", &name, bytes))
    }

    /// A URL with scheme `http`, `https` or `s3` in any case.
    ///
    /// # Errors
    /// [`HubError::BadUrl`] if it is not one, or names no object.
    pub fn url(url: &str) -> Result<Self, HubError> {
        let bad = |reason: String| HubError::BadUrl {
            url: public_url(url),
            reason,
        };
        let parsed = Url::parse(url).map_err(|error| bad(error.to_string()))?;
        if !parsed.has_host() {
            return Err(bad("host or bucket is missing".to_owned()));
        }
        if parsed.scheme() == "s3" && parsed.path().trim_matches('/').is_empty() {
            return Err(bad("key is missing".to_owned()));
        }
        let public = public_url(url);
        let (source, path) = public
            .split_once(':')
            .ok_or_else(|| bad("scheme is missing".to_owned()))?;
        Ok(Self::named(Input::Url(url.to_owned()), source, path, None))
    }

    /// What a person calls this input: the path, the URL without credentials, or `-`.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.input {
            Input::File(path) => path.to_string_lossy().into_owned(),
            Input::Url(_) => self.name.clone(),
            Input::Stdin => "-".to_owned(),
        }
    }

    fn named(input: Input, source: &str, path: &str, bytes: Option<u64>) -> Self {
        Self {
            input,
            name: format!("{source}:{path}"),
            source: source.to_owned(),
            path: path.to_owned(),
            bytes,
        }
    }
}

/// The URL without user, password, fragment and query parameters that look like credentials.
pub(crate) fn public_url(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else {
        // Not a URL: keep the scheme and what follows the last `@`, without query.
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        return format!("{scheme}://{}", rest.rsplit('@').next().unwrap_or_default());
    };
    // Both fail only where there is no host, and then there is no user either.
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    parsed.set_fragment(None);
    let kept: Vec<(String, String)> = parsed
        .query_pairs()
        .filter(|(key, _)| !is_credential(key))
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    if parsed.query_pairs().count() != kept.len() {
        parsed.set_query(None);
        if !kept.is_empty() {
            parsed.query_pairs_mut().extend_pairs(kept);
        }
    }
    parsed.into()
}

/// Names of query parameters that carry or date a signature: S3, Google, Azure and usual tokens.
fn is_credential(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.starts_with("x-amz-")
        || key.starts_with("x-goog-")
        || matches!(
            key.as_str(),
            "sig" | "se" | "sp" | "sv" | "sr" | "skoid" | "expires" | "policy" | "key-pair-id"
        )
        || [
            "signature",
            "token",
            "secret",
            "password",
            "passwd",
            "credential",
            "accesskey",
            "access_key",
            "apikey",
            "api_key",
            "auth",
        ]
        .iter()
        .any(|part| key.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_no_credentials() {
        let url = "https://user:pw@h.org/a/x.warc.gz?X-Amz-Signature=abc&part=2&access_token=t#f";
        let source = Source::url(url).unwrap();
        assert_eq!(source.name, "https://h.org/a/x.warc.gz?part=2");
        assert_eq!(source.name, format!("{}:{}", source.source, source.path));
        assert_eq!(source.input, Input::Url(url.to_owned()));
        let shown = format!("{source:?}");
        assert!(!shown.contains("pw") && !shown.contains("abc"), "{shown}");
        assert_eq!(public_url("http://u:pw@[bad/x?sig=1"), "http://[bad/x");
    }

    #[test]
    fn addresses_without_an_object_are_errors() {
        for url in ["s3://bucket", "s3://bucket/", "http://", "https:///x"] {
            let source = Source::url(url);
            assert!(
                matches!(source, Err(HubError::BadUrl { .. })) || url == "https:///x",
                "{url} {source:?}"
            );
        }
    }

    #[test]
    fn files_are_named_without_their_directory() {
        let source = Source::file(PathBuf::from("/a/b/x.warc.gz"), Some(3)).unwrap();
        assert_eq!(
            (source.name.as_str(), source.shown().as_str()),
            ("file:x.warc.gz", "/a/b/x.warc.gz")
        );
        assert_eq!(Source::stdin().name, "file:-");
    }
}
