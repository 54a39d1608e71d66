//! Where a request for an object goes: a plain URL, or one that is signed anew for each request.
//!
//! Made from the URL of a [`crate::Source`] and the S3 options; asked by `Connection` before every request.

use std::fmt;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::signer::Signer as _;
use reqwest::{Method, Url};

use crate::source::public_url;
use crate::{HubError, S3Options};

/// How long a signed URL is valid: longer than any one request with its idle time.
const SIGNATURE_SECONDS: u64 = 3_600;

/// Where requests for one object go.
pub(crate) enum Address {
    /// The same URL every time.
    Plain(Url),
    /// An object of a bucket that wants signatures.
    Signed {
        /// Holds the keys; cheap to clone.
        store: AmazonS3,
        /// The key.
        path: Path,
    },
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(url) => f.debug_tuple("Plain").field(&public_url(url.as_str())).finish(),
            Self::Signed { path, .. } => f.debug_tuple("Signed").field(&path.as_ref()).finish(),
        }
    }
}

impl Address {
    /// The address of a URL with scheme `http`, `https` or `s3`.
    pub(crate) fn new(url: &str, options: &S3Options) -> Result<Self, HubError> {
        let bad = |reason: String| HubError::BadUrl {
            url: public_url(url),
            reason,
        };
        let parsed = Url::parse(url).map_err(|error| bad(error.to_string()))?;
        if parsed.scheme() != "s3" {
            return Ok(Self::Plain(parsed));
        }
        // The key is what was written, not what a URL parser makes of `..`, `?` or `%`.
        let (bucket, key) = url
            .split_once("://")
            .and_then(|(_, rest)| rest.split_once('/'))
            .filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
            .ok_or_else(|| bad("bucket or key is missing".to_owned()))?;
        match (&options.access_key_id, &options.secret_access_key) {
            (Some(id), Some(secret)) => {
                let mut builder = AmazonS3Builder::new()
                    .with_bucket_name(bucket)
                    .with_region(&options.region)
                    .with_access_key_id(id.reveal())
                    .with_secret_access_key(secret.reveal())
                    .with_allow_http(true);
                if let Some(endpoint) = &options.endpoint {
                    builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
                }
                if let Some(token) = &options.session_token {
                    builder = builder.with_token(token.reveal());
                }
                let store = builder.build().map_err(|_| HubError::BadOption {
                    option: "s3",
                    reason: "keys, region or endpoint are not of the form S3 wants".to_owned(),
                })?;
                let path = Path::parse(key).map_err(|_| bad("key has empty or relative parts".to_owned()))?;
                Ok(Self::Signed { store, path })
            }
            (None, None) => anonymous(bucket, key, options).map(Self::Plain),
            _ => Err(HubError::BadOption {
                option: "s3.access_key_id",
                reason: "it needs `s3.secret_access_key` beside it, and the reverse".to_owned(),
            }),
        }
    }

    /// The address of another object of the same bucket or server, without making a signer anew.
    pub(crate) fn of_sibling(&self, url: &str, options: &S3Options) -> Result<Self, HubError> {
        let Self::Signed { store, .. } = self else {
            return Self::new(url, options);
        };
        let bad = || HubError::BadUrl {
            url: public_url(url),
            reason: "key has empty or relative parts".to_owned(),
        };
        let key = url
            .split_once("://")
            .and_then(|(_, rest)| rest.split_once('/'))
            .ok_or_else(bad)?
            .1;
        Ok(Self::Signed {
            store: store.clone(),
            path: Path::parse(key).map_err(|_| bad())?,
        })
    }

    /// The URL of the next request.
    pub(crate) async fn url(&self, name: &str) -> Result<Url, HubError> {
        match self {
            Self::Plain(url) => Ok(url.clone()),
            Self::Signed { store, path } => {
                // The error of the signer may quote keys, so it is not passed on.
                let valid = Duration::from_secs(SIGNATURE_SECONDS);
                store
                    .signed_url(Method::GET, path, valid)
                    .await
                    .map_err(|_| HubError::BadUrl {
                        url: name.to_owned(),
                        reason: "it cannot be signed with the keys given".to_owned(),
                    })
            }
        }
    }
}

/// The HTTPS URL under which S3, an S3-compatible store or a mirror serves an object to everybody.
fn anonymous(bucket: &str, key: &str, options: &S3Options) -> Result<Url, HubError> {
    let (option, base, in_path) = match (&options.endpoint, options.public_mirrors.get(bucket)) {
        (Some(endpoint), _) => ("s3.endpoint", endpoint.clone(), true),
        (None, Some(mirror)) => ("s3.public_mirrors", mirror.clone(), false),
        // A dot in the bucket's name does not fit the certificate of the virtual host.
        (None, None) if bucket.contains('.') => (
            "s3.region",
            format!("https://s3.{}.amazonaws.com", options.region),
            true,
        ),
        (None, None) => (
            "s3.region",
            format!("https://{bucket}.s3.{}.amazonaws.com", options.region),
            false,
        ),
    };
    let bad = |reason: String| HubError::BadOption { option, reason };
    let mut url = Url::parse(&base).map_err(|error| bad(error.to_string()))?;
    let mut segments = url
        .path_segments_mut()
        .map_err(|()| bad("it is not a base URL".to_owned()))?;
    segments
        .pop_if_empty()
        .extend(in_path.then_some(bucket))
        .extend(key.split('/'));
    drop(segments);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    fn plain(url: &str, options: &S3Options) -> String {
        match Address::new(url, options).unwrap() {
            Address::Plain(url) => url.into(),
            Address::Signed { .. } => panic!("signed"),
        }
    }

    #[test]
    fn anonymous_addresses_lead_to_mirror_endpoint_or_amazon() {
        let mut options = S3Options::default();
        assert_eq!(
            plain("s3://commoncrawl/a/b c.gz", &options),
            "https://data.commoncrawl.org/a/b%20c.gz"
        );
        assert_eq!(
            plain("s3://bk/a?b", &options),
            "https://bk.s3.us-east-1.amazonaws.com/a%3Fb"
        );
        assert_eq!(
            plain("s3://b.k/a", &options),
            "https://s3.us-east-1.amazonaws.com/b.k/a"
        );
        options.endpoint = Some("http://127.0.0.1:9/base/".to_owned());
        assert_eq!(
            plain("s3://commoncrawl/a", &options),
            "http://127.0.0.1:9/base/commoncrawl/a"
        );
    }

    #[test]
    fn keys_sign_and_are_not_shown() {
        let options = S3Options {
            access_key_id: Some(Secret::new("AKIAEXAMPLE")),
            secret_access_key: Some(Secret::new("verysecret")),
            ..S3Options::default()
        };
        let address = Address::new("s3://bk/dir/x.gz", &options).unwrap();
        assert_eq!(format!("{address:?}"), "Signed(\"dir/x.gz\")");
        let url = super::super::runtime()
            .unwrap()
            .block_on(address.url("s3://bk/dir/x.gz"))
            .unwrap();
        assert!(
            url.as_str().contains("X-Amz-Signature=") && url.path().ends_with("/dir/x.gz"),
            "{url}"
        );
        let half = S3Options {
            secret_access_key: None,
            ..options
        };
        assert!(matches!(
            Address::new("s3://bk/x", &half),
            Err(HubError::BadOption { .. })
        ));
    }
}
