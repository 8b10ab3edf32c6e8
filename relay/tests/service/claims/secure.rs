//! A relay that is reached by https: by a certificate that is trusted, and by no other.

use super::{
    programs::{certificate, listening},
    world::{INSURER, World},
};
use std::{path::Path, process::Command};
use suishen_core::contract::Role;
use tokio::{io::copy_bidirectional, net::TcpStream};

/// A proxy that speaks https, before this relay.
async fn before(relay: &str, file: &Path) -> String {
    let (acceptor, listener, url) = listening(file).await;
    let relay = relay.strip_prefix("http://").unwrap().to_owned();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, relay) = (acceptor.clone(), relay.clone());
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut behind = TcpStream::connect(relay).await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut behind).await;
            });
        }
    });
    url
}

/// Runs the program where this certificate is trusted.
async fn trusting(file: &Path, data: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_suishen"));
    command.env("SSL_CERT_FILE", file).arg("--data").arg(data).args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(printed).unwrap())
}

#[tokio::test]
async fn a_relay_is_reached_over_https_where_its_certificate_is_trusted_and_not_otherwise() {
    let world = World::found().await;
    let dir = tempfile::tempdir().unwrap();
    let (trusted, other) = (certificate(dir.path(), "trusted.pem"), certificate(dir.path(), "other.pem"));
    let url = before(&world.relay.base, &trusted).await;
    let data = dir.path().join("insurer");
    let link = world.invite(INSURER, Role::InsurerCommercial, true).await;
    let enrol = ["claims", "--relay", &url, "enrol", &link];
    let (code, printed) = trusting(&other, &data, &enrol).await;
    assert!(
        code == 2 && printed.contains("cannot be reached") && printed.contains("certificate"),
        "{printed}"
    );
    let (code, printed) = trusting(&trusted, &data, &enrol).await;
    assert!(code == 0 && printed.contains("certified until"), "{printed}");

    let audit = ["audit", "--relay", &url];
    let (code, printed) = trusting(&trusted, &dir.path().join("auditor"), &audit).await;
    assert!(
        code == 0 && printed.contains("every signature, transition, root and cosignature holds"),
        "{printed}"
    );
    let (code, printed) = trusting(&other, &dir.path().join("auditor"), &audit).await;
    assert!(code == 2 && printed.contains("certificate"), "{printed}");
    let (code, printed) = trusting(&trusted, &data, &["audit", "--relay", "relay.example.org"]).await;
    assert!(code == 2 && printed.contains("is not a relay's address"), "{printed}");
}
