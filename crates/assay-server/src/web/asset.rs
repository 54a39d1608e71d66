//! Files that pages load, embedded in the program and served under names with a hash, so that they never change.

use crate::cache::Rendered;
use assay_types::Digest;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use std::sync::LazyLock;

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const WOFF2: &str = "font/woff2";

/// One file.
#[derive(Debug)]
struct Asset {
    /// Name without the hash.
    name: &'static str,
    /// Name with it.
    hashed: String,
    /// What is sent.
    rendered: Rendered,
}

/// A file's name, media type and bytes.
type File = (&'static str, &'static str, &'static [u8]);

/// Files that name no other.
const PLAIN: &[File] = &[
    ("icon.svg", SVG, include_bytes!("asset/icon.svg")),
    (
        "fonts/bricolage-grotesque.woff2",
        WOFF2,
        include_bytes!("asset/fonts/bricolage-grotesque.woff2"),
    ),
    (
        "fonts/geist.woff2",
        WOFF2,
        include_bytes!("asset/fonts/geist.woff2"),
    ),
    (
        "fonts/geist-mono.woff2",
        WOFF2,
        include_bytes!("asset/fonts/geist-mono.woff2"),
    ),
    ("site.js", SCRIPT, include_bytes!("asset/site.js")),
];

/// Style sheets in order, sent as one; they name fonts.
const STYLES: &[&str] = &[include_str!("asset/assay.css"), include_str!("asset/site.css")];

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let mut assets: Vec<Asset> = PLAIN
        .iter()
        .map(|(name, kind, bytes)| asset(name, kind, bytes.to_vec()))
        .collect();
    let mut style = STYLES.concat();
    for font in assets.iter().filter(|asset| asset.name.starts_with("fonts/")) {
        style = style.replace(
            &format!("url({})", font.name),
            &format!("url(/assets/{})", font.hashed),
        );
    }
    assets.push(asset("assay.css", CSS, style.into_bytes()));
    assets
});

fn asset(name: &'static str, kind: &'static str, bytes: Vec<u8>) -> Asset {
    let hash: String = Digest::of(&bytes).to_string().chars().take(12).collect();
    let file = name.rsplit('/').next().unwrap_or(name);
    let (stem, extension) = file.rsplit_once('.').unwrap_or((file, ""));
    Asset {
        name,
        hashed: format!("{stem}.{hash}.{extension}"),
        rendered: Rendered::new(kind, bytes, 0),
    }
}

/// Address of a file.
pub(crate) fn href(name: &str) -> String {
    let found = ASSETS.iter().find(|asset| asset.name == name);
    format!("/assets/{}", found.map_or(name, |asset| asset.hashed.as_str()))
}

/// Serves a file.
pub(crate) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(found) = ASSETS.iter().find(|asset| asset.hashed == name) else {
        return (StatusCode::NOT_FOUND, "there is no such file\n").into_response();
    };
    let mut response = found.rendered.respond(&headers);
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_the_style_names_is_there() {
        let sheet = STYLES.concat();
        for part in sheet.split("url(").skip(1) {
            let name = part.split(')').next().unwrap();
            assert!(ASSETS.iter().any(|asset| asset.name == name), "{name}");
        }
        assert!(href("assay.css").starts_with("/assets/assay."));
    }

    #[test]
    fn files_of_others_are_the_locked_ones_with_their_licences() {
        use sha2::Digest as _;
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/asset");
        let mut locked = Vec::new();
        for line in include_str!("asset/vendor.lock")
            .lines()
            .filter(|line| !line.starts_with('#'))
        {
            let parts: Vec<&str> = line.split(" | ").collect();
            let [file, _, _, licence, text, expected] = parts.as_slice() else {
                panic!("{line}")
            };
            let bytes = std::fs::read(folder.join(file)).unwrap();
            assert_eq!(
                assay_types::hex::encode(&sha2::Sha256::digest(&bytes)),
                *expected,
                "{file}"
            );
            assert_eq!(*licence, "OFL-1.1");
            assert!(
                std::fs::read_to_string(folder.join(text))
                    .unwrap()
                    .contains("SIL OPEN FONT LICENSE"),
                "{text}"
            );
            locked.push((*file).to_owned());
        }
        for entry in std::fs::read_dir(folder.join("fonts")).unwrap() {
            let name = format!("fonts/{}", entry.unwrap().file_name().to_string_lossy());
            let is_font = matches!(name.rsplit('.').next(), Some("ttf" | "woff2"));
            assert!(!is_font || locked.contains(&name), "`{name}` is not locked");
        }
        for (name, kind, _) in PLAIN {
            assert!(
                *kind != WOFF2 || locked.contains(&(*name).to_owned()),
                "`{name}` is not locked"
            );
        }
    }
}
