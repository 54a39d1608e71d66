//! Pictures for links: what is drawn for whom, the same for the same state, and what pages say of them.

use super::site::{PUBLIC_URL, Site};
use crate::web::fill::other_recipe;
use crate::world::hotkey;

#[tokio::test(flavor = "multi_thread")]
async fn pages_name_pictures_that_are_there() {
    let site = Site::filled().await;
    let miner = hotkey("kiln").to_ss58();
    let pages = [
        "/".to_owned(),
        format!("/miners/{miner}"),
        format!("/recipes/{}", other_recipe().id()),
        "/datasets/assay-en".to_owned(),
        "/datasets/assay-en/2026.10.1".to_owned(),
    ];
    let mut seen = std::collections::BTreeSet::new();
    for path in &pages {
        let page = site.get(path).await.body;
        let place = page.split("property=\"og:image\" content=\"").nth(1).unwrap();
        let place = place.split('"').next().unwrap().strip_prefix(PUBLIC_URL).unwrap();
        for tag in [
            "property=\"og:image:width\" content=\"1200\"",
            "property=\"og:image:height\" content=\"630\"",
            "name=\"twitter:card\" content=\"summary_large_image\"",
        ] {
            assert!(page.contains(tag), "{path}: {tag}");
        }
        let begun = std::time::Instant::now();
        let picture = site.get(place).await;
        let cold = begun.elapsed();
        assert_eq!(
            (picture.status, picture.header("content-type")),
            (200, "image/png"),
            "{place}"
        );
        let length: usize = picture.header("content-length").parse().unwrap();
        assert!((8_000..150_000).contains(&length), "{place}: {length} bytes");
        assert_eq!(site.get(place).await.digest, picture.digest, "{place}");
        eprintln!("{place}: {length} bytes, {} ms", cold.as_millis());
        if let Ok(folder) = std::env::var("ASSAY_WEB_SHOTS") {
            save(&site, place, std::path::Path::new(&folder)).await;
        }
        seen.insert(picture.digest.to_string());
    }
    // A release shows its dataset's picture.
    assert_eq!(seen.len(), pages.len() - 1);
    site.stop().await;
}

/// Keeps a picture beside the browser's, for review.
async fn save(site: &Site, place: &str, folder: &std::path::Path) {
    use std::io::{Read as _, Write as _};
    let (address, request) = (
        site.address,
        format!("GET {place} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"),
    );
    let bytes = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    });
    let bytes = bytes.await.unwrap();
    let at = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    std::fs::create_dir_all(folder).unwrap();
    let name = place.trim_start_matches("/cards/").replace('/', "-");
    std::fs::write(folder.join(format!("card-{name}")), &bytes[at..]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_has_no_picture() {
    let site = Site::filled().await;
    let stranger = hotkey("nobody-of-this-name").to_ss58();
    for path in [
        format!("/cards/miners/{stranger}.png"),
        format!("/cards/miners/{}", hotkey("kiln").to_ss58()),
        "/cards/miners/x.png".to_owned(),
        format!("/cards/recipes/{}.png", "0".repeat(64)),
        "/cards/datasets/none.png".to_owned(),
        "/cards/datasets/%00.png".to_owned(),
        "/cards/other.png".to_owned(),
    ] {
        assert_eq!(site.get(&path).await.status, 404, "{path}");
    }
    let plain = site.get("/docs").await.body;
    assert!(
        plain.contains("content=\"summary\"") && !plain.contains("og:image"),
        "{plain}"
    );
    site.stop().await;

    let empty = Site::empty().await;
    assert_eq!(empty.get("/cards/overview.png").await.status, 200);
    assert_eq!(
        empty.get(&format!("/cards/miners/{stranger}.png")).await.status,
        503,
        "nobody is known before the first block"
    );
    empty.stop().await;
}
