//! Which chain to talk to: the values of `--network`, with endpoints, genesis and what of a URL may be shown.
//!
//! Endpoints and genesis of finney: docs/chain.md, "Networks".

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Endpoints of the main network, tried in turn.
const FINNEY: &[&str] = &[
    "wss://entrypoint-finney.opentensor.ai:443",
    "wss://lite.chain.opentensor.ai:443",
];
/// Endpoint of the test network.
const TEST: &[&str] = &["wss://test.finney.opentensor.ai:443"];
/// A node on this machine.
const LOCAL: &[&str] = &["ws://127.0.0.1:9944"];
/// Genesis hash of the main network.
pub const FINNEY_GENESIS: &str = "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03";
/// Most endpoints of one `--network`.
const ENDPOINTS_MAX: usize = 16;

/// A chain by name or address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// The main network; its genesis is checked.
    Finney,
    /// The test network.
    Test,
    /// A node on this machine.
    Local,
    /// Nodes by address, `ws://` or `wss://`, tried in turn.
    Urls(Vec<Endpoint>),
    /// Our own chain: in this process, in a state file, or at the loopback address where `assay chain run` listens.
    Embedded(Option<String>),
}

/// The WebSocket address of a node. Shown without user, password, path and query, which may hold keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(String);

/// Why a text names no network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NetworkError {
    /// Neither a name nor an address.
    #[error("`{0}` is no network; give finney, test, local, embedded, or ws:// or wss:// addresses")]
    Unknown(String),
    /// An address without a host.
    #[error("`{0}` names no host")]
    NoHost(String),
    /// Too many addresses.
    #[error("{0} endpoints are more than {ENDPOINTS_MAX}")]
    TooMany(usize),
}

impl Endpoint {
    /// The whole address, credentials included: for connecting only.
    pub(crate) fn secret_url(&self) -> &str {
        &self.0
    }

    /// Scheme, host and port.
    pub fn shown(&self) -> String {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("ws", &self.0));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        format!("{scheme}://{host}")
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.shown())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl FromStr for Endpoint {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let endpoint = Self(text.to_owned());
        let shown = endpoint.shown();
        match shown.split_once("://") {
            Some(("ws" | "wss", "")) => Err(NetworkError::NoHost(shown)),
            Some(("ws" | "wss", host)) if !host.starts_with(':') && text.contains("://") => Ok(endpoint),
            Some(("ws" | "wss", _)) if text.contains("://") => Err(NetworkError::NoHost(shown)),
            _ => Err(NetworkError::Unknown(shown)),
        }
    }
}

impl Network {
    /// Addresses to connect to, in order; none for the embedded chain.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        let known = |urls: &[&str]| urls.iter().map(|url| Endpoint((*url).to_owned())).collect();
        match self {
            Self::Finney => known(FINNEY),
            Self::Test => known(TEST),
            Self::Local => known(LOCAL),
            Self::Urls(endpoints) => endpoints.clone(),
            Self::Embedded(_) => Vec::new(),
        }
    }

    /// The genesis hash every endpoint must have, where it is known beforehand.
    pub const fn genesis(&self) -> Option<&'static str> {
        match self {
            Self::Finney => Some(FINNEY_GENESIS),
            _ => None,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finney => f.write_str("finney"),
            Self::Test => f.write_str("test"),
            Self::Local => f.write_str("local"),
            Self::Urls(endpoints) => {
                let shown: Vec<String> = endpoints.iter().map(Endpoint::shown).collect();
                f.write_str(&shown.join(","))
            }
            Self::Embedded(None) => f.write_str("embedded"),
            Self::Embedded(Some(place)) => write!(f, "embedded:{place}"),
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    /// A name, `embedded:` with a state file or loopback address, or addresses separated by commas.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "finney" => return Ok(Self::Finney),
            "test" => return Ok(Self::Test),
            "local" => return Ok(Self::Local),
            "embedded" => return Ok(Self::Embedded(None)),
            _ => {}
        }
        if let Some(place) = text.strip_prefix("embedded:") {
            return Ok(Self::Embedded(Some(place.to_owned())));
        }
        if !text.contains("://") {
            return Err(NetworkError::Unknown(text.to_owned()));
        }
        let endpoints = text
            .split(',')
            .map(str::parse)
            .collect::<Result<Vec<Endpoint>, _>>()?;
        if endpoints.len() > ENDPOINTS_MAX {
            return Err(NetworkError::TooMany(endpoints.len()));
        }
        Ok(Self::Urls(endpoints))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_networks() {
        for (text, endpoints) in [("finney", 2), ("test", 1), ("local", 1), ("embedded", 0)] {
            let network: Network = text.parse().unwrap();
            assert_eq!(network.endpoints().len(), endpoints, "{text}");
            assert_eq!(network.to_string(), text);
        }
        let two: Network = "ws://127.0.0.1:1,wss://node.example:443".parse().unwrap();
        assert_eq!(two.endpoints().len(), 2);
        assert_eq!(
            "embedded:/var/lib/assay/chain.db".parse(),
            Ok(Network::Embedded(Some("/var/lib/assay/chain.db".to_owned())))
        );
        assert_eq!(two.genesis(), None);
        assert!(Network::Finney.genesis().is_some());
    }

    #[test]
    fn credentials_of_an_address_are_never_shown() {
        let text = "wss://user:sekret@node.example:443/sekret-key?token=sekret";
        let network: Network = text.parse().unwrap();
        for shown in [network.to_string(), format!("{network:?}")] {
            assert!(shown.contains("node.example:443"), "{shown}");
            assert!(!shown.contains("sekret"), "{shown}");
        }
        assert_eq!(network.endpoints()[0].secret_url(), text);
    }

    #[test]
    fn other_texts_are_refused_without_their_secrets() {
        assert!(matches!(
            "finey".parse::<Network>(),
            Err(NetworkError::Unknown(_))
        ));
        assert!(matches!("ws://".parse::<Network>(), Err(NetworkError::NoHost(_))));
        assert!(matches!(
            "ws://:9944".parse::<Network>(),
            Err(NetworkError::NoHost(_))
        ));
        let error = "http://u:sekret@h/".parse::<Network>().unwrap_err();
        assert!(!error.to_string().contains("sekret"), "{error}");
        let many = vec!["ws://h"; ENDPOINTS_MAX + 1].join(",");
        assert!(matches!(many.parse::<Network>(), Err(NetworkError::TooMany(17))));
    }
}
