//! What the server is told by its file and by variables; flags come on top in `run`.

use std::path::Path;

use assay_server::ServerConfig;

use crate::config;
use crate::exit::UsageError;

/// Variable over file over default.
pub(crate) fn configured(file: Option<&Path>) -> anyhow::Result<ServerConfig> {
    let mut config = match file {
        Some(file) => toml::from_str(&fs_err::read_to_string(file)?).map_err(|error| {
            UsageError::new(
                format!("`{}`: {}", file.display(), error.message()),
                "docs/configuration.md lists the keys",
            )
        })?,
        None => ServerConfig::default(),
    };
    config.public_url = config.public_url.as_deref().map(public_url).transpose()?;
    if let Some(database) = config::serve_database() {
        config.database = database;
    }
    Ok(config)
}

/// The site's address without a slash at its end, if it is one: it stands in pages and files.
fn public_url(text: &str) -> Result<String, UsageError> {
    let text = text.trim_end_matches('/');
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".:-[]".contains(&byte);
    match host {
        Some(host) if !host.is_empty() && host.bytes().all(is_plain) => Ok(text.to_owned()),
        _ => Err(UsageError::new(
            format!("`public_url` is no address of a site: `{text}`"),
            "give https:// and a host, such as https://assay.example.org",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_is_a_host_without_a_path() {
        let taken = |text: &str| public_url(text).ok();
        assert_eq!(
            taken("https://assay.example.org/").as_deref(),
            Some("https://assay.example.org")
        );
        assert_eq!(taken("http://[::1]:8470").as_deref(), Some("http://[::1]:8470"));
        for bad in [
            "",
            "assay.example.org",
            "https://",
            "ftp://a",
            "https://a/b",
            "https://a\"><script>",
            "https://a b",
        ] {
            assert_eq!(taken(bad), None, "{bad}");
        }
    }
}
