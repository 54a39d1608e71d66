//! What takedowns hide of rows that validators show: by the record, by its archive, and by the address of its page.

use super::record::is_hidden;
use crate::app::App;
use crate::store::{self, RemovalState, StoreError};
use assay_types::{AuditSample, Composition};

/// The sites and addresses that an administrator listed.
#[derive(Debug, Default)]
pub(crate) struct Removed {
    targets: Vec<String>,
}

impl Removed {
    /// Those of now.
    pub(crate) async fn of(app: &App) -> Result<Self, StoreError> {
        let listed = store::removals(app.database().readers(), RemovalState::Listed).await?;
        let targets = listed
            .into_iter()
            .map(|row| bare(&row.target).to_ascii_lowercase());
        Ok(Self {
            targets: targets.filter(|target| !target.is_empty()).collect(),
        })
    }

    /// Whether an address, or a host alone, is of a listed site or begins with a listed address.
    pub(crate) fn names(&self, url: &str) -> bool {
        let url = bare(url).to_ascii_lowercase();
        let host = url.split(['/', '?', '#', ':']).next().unwrap_or_default();
        self.targets.iter().any(|target| {
            let below = host.strip_suffix(target.as_str());
            let is_site = host == target || below.is_some_and(|rest| rest.ends_with('.'));
            is_site || (target.contains('/') && url.starts_with(target.as_str()))
        })
    }

    /// A sample without what is hidden; its signature is of the whole, so it goes, too.
    pub(crate) async fn without(&self, app: &App, sample: AuditSample) -> Result<AuditSample, StoreError> {
        let mut left = sample.clone();
        left.rows.clear();
        for row in &sample.rows {
            if !self.names(&row.url) && !is_hidden(app, row.unit, row.idx).await? {
                left.rows.push(row.clone());
            }
        }
        left.composition = left.composition.map(|found| self.of_composition(found));
        if left != sample {
            left.signature.clear();
        }
        Ok(left)
    }

    fn of_composition(&self, mut found: Composition) -> Composition {
        found.sites.retain(|site| !self.names(&site.name));
        found
    }
}

/// An address without its scheme and `www.`.
fn bare(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.strip_prefix("www.").unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_and_beginnings_of_addresses_are_named() {
        let removed = Removed {
            targets: vec!["example.org".to_owned(), "b.example/private".to_owned()],
        };
        for named in [
            "https://example.org/",
            "http://www.Example.org:80/x",
            "https://blog.example.org/x?y",
            "example.org",
            "https://b.example/private/1",
        ] {
            assert!(removed.names(named), "{named}");
        }
        for other in [
            "https://notexample.org/",
            "https://b.example/public",
            "https://x.test/example.org",
            "",
        ] {
            assert!(!removed.names(other), "{other}");
        }
    }
}
