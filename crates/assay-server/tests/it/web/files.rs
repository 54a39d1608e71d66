//! Files for machines: robots, sitemap and feed name whole addresses of the site that was asked.

use super::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn robots_sitemap_and_feed_name_whole_addresses() {
    let site = Site::filled().await;
    let base = super::site::PUBLIC_URL;
    let robots = site.get("/robots.txt").await.body;
    assert!(
        robots.contains(&format!("\nSitemap: {base}/sitemap.xml\n")),
        "{robots}"
    );

    let map = site.get("/sitemap.xml").await.body;
    let places: Vec<&str> = map
        .split("<loc>")
        .skip(1)
        .map(|part| part.split("</loc>").next().unwrap())
        .collect();
    assert!(places.len() > 30, "{map}");
    for place in &places {
        let path = place.strip_prefix(base).unwrap();
        assert!([200, 303].contains(&site.get(path).await.status), "{path}");
    }
    // The time of the newest block of the filled store.
    assert!(
        map.contains("/duels</loc><lastmod>2026-11-28T22:42:18Z</lastmod>")
            && map.contains("/docs/faq</loc></url>"),
        "{map}"
    );

    let feed = site.get("/feed.atom").await.body;
    for words in [
        format!("xml:base=\"{base}/\""),
        format!("<link rel=\"self\" href=\"{base}/feed.atom\"/>"),
    ] {
        assert!(feed.contains(&words), "{words}\n{feed}");
    }
    let ids: Vec<&str> = feed.split("<id>").skip(1).collect();
    assert!(
        ids.len() > 50 && ids.iter().all(|id| id.starts_with("urn:assay:0707")),
        "{feed}"
    );
    let news = site.get("/news.atom").await;
    assert_eq!(news.header("content-type"), "application/atom+xml; charset=utf-8");
    for words in [
        "<updated>2026-11-28T00:00:00Z</updated>".to_owned(),
        format!("<link rel=\"alternate\" href=\"{base}/news/2026-11-28-engine-2\"/>"),
        "&lt;a href=&quot;/docs/extraction&quot;&gt;".to_owned(),
    ] {
        assert!(news.body.contains(&words), "{words}\n{}", news.body);
    }
    let map_of_news = map.contains("/news/2026-11-28-engine-2</loc>");
    assert!(
        map_of_news && !news.body.contains("<content type=\"html\"></content>"),
        "{}",
        news.body
    );
    let unique: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len());
    site.stop().await;
}
