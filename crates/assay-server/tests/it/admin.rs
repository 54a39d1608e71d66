//! The socket of administrators: what it replaces, what it leaves alone.

use assay_server::admin::{AdminSocket, SocketError};
use std::os::unix::fs::PermissionsExt as _;

#[tokio::test]
async fn only_a_socket_that_nobody_answers_at_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs_err::write(at("file"), "mine").unwrap();
    fs_err::create_dir(at("folder")).unwrap();
    std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
    for name in ["file", "folder", "link"] {
        let error = AdminSocket::bind(&at(name)).await.unwrap_err();
        assert!(matches!(error, SocketError::NotASocket { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
    assert_eq!(fs_err::read_to_string(at("link")).unwrap(), "mine");
    assert!(at("folder").is_dir());

    let socket = AdminSocket::bind(&at("socket")).await.unwrap();
    let mode = fs_err::metadata(at("socket")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let error = AdminSocket::bind(&at("socket")).await.unwrap_err();
    assert!(matches!(error, SocketError::Taken { .. }), "{error}");
    assert!(at("socket").exists(), "the first one's socket stays");
    drop(socket);
    assert!(!at("socket").exists());

    // What a killed server leaves behind.
    drop(std::os::unix::net::UnixListener::bind(at("left")).unwrap());
    assert!(at("left").exists());
    drop(AdminSocket::bind(&at("left")).await.unwrap());

    let error = AdminSocket::bind(&at("missing/socket")).await.unwrap_err();
    assert!(
        matches!(&error, SocketError::Failed { path, .. } if path.ends_with("missing/socket")),
        "{error}"
    );
}
