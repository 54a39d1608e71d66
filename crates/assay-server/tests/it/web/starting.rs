//! What is answered before the server is there.

use super::site::send;
use assay_server::{ServerConfig, Starting};
use std::net::{SocketAddr, TcpListener};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_says_so_and_gives_its_address_free() {
    let address: SocketAddr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = ServerConfig {
        listen: address,
        ..ServerConfig::default()
    };
    let starting = Starting::begin(&config).await.unwrap();
    assert!(Starting::begin(&config).await.is_err(), "the address is taken");
    for path in ["/", "/leaderboard/miners?q=x", "/no/such/page"] {
        let page = send(address, &format!("GET {path} HTTP/1.1"), "").await;
        assert_eq!((page.status, page.header("retry-after")), (503, "5"), "{path}");
        assert!(page.body.contains("<h1>Starting</h1>"), "{}", page.body);
        assert!(page.body.contains("Network state <b>unknown</b>") && !page.body.contains("none yet"));
        super::pages::check_html(path, &page);
        assert!(
            page.header("content-security-policy")
                .contains("default-src 'none'")
        );
    }
    let page = send(address, "GET / HTTP/1.1", "").await.body;
    let style = page
        .split("href=\"")
        .find(|part| part.starts_with("/assets/assay."));
    let style = style.and_then(|part| part.split('"').next()).unwrap();
    assert_eq!(
        send(address, &format!("GET {style} HTTP/1.1"), "").await.status,
        200
    );
    for (method, path) in [("GET", "/v1/health"), ("POST", "/v1/reports")] {
        let problem = send(address, &format!("{method} {path} HTTP/1.1"), "{}").await;
        assert_eq!(problem.status, 503, "{path}");
        assert!(problem.body.contains("server/not-ready"), "{}", problem.body);
    }
    starting.end().await;
    assert!(TcpListener::bind(address).is_ok(), "the server can have it");
}
