// SPDX-License-Identifier: Apache-2.0
//! The audit server: known by a name and a signer, looked at by OpenSSL and rsyslogd before anything is written.

use virtwarden_core::setting::{AuditServer, Certificates, ServerName};

use super::*;

fn scene() -> (Scene, Setting) {
    let scene = Scene::new();
    for file in ["usr/sbin/rsyslogd", "usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_ossl.so", "usr/bin/openssl"] {
        scene.write(file, "");
    }
    let ca = Certificates::new("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n").ok();
    let address = ServerName::new("log.example.org").ok();
    (scene, Setting::AuditServer(AuditServer { address, ca, ..AuditServer::default() }))
}

#[test]
fn it_goes_on_and_comes_off_byte_for_byte() {
    let (scene, server) = scene();
    let before = scene.etc();
    assert!(matches!(scene.apply(&server), Report::Done(_)));
    let text = scene.read("etc/virtwarden/audit-server/rsyslog.conf");
    for part in [
        "target=\"log.example.org\"",
        "PermittedPeers=\"log.example.org\"",
        "AuthMode=\"x509/name\"",
        "Mode=\"1\"",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(scene.drift(&server), Vec::<String>::new());
    scene.write("etc/virtwarden/audit-server/ca.pem", "another");
    assert!(scene.drift(&server)[0].contains("changed by hand"));
    assert!(matches!(scene.withdraw(server.name()), Report::Done(_)));
    assert_eq!(scene.etc(), before);
}

#[test]
fn whatever_does_not_like_it_the_host_is_as_it_was() {
    for start in [
        "/usr/sbin/rsyslogd -N1",
        "/usr/bin/openssl",
        "/usr/bin/systemctl restart",
        "/usr/bin/systemctl is-active",
    ] {
        let (scene, server) = scene();
        let before = scene.etc();
        scene.fail(Some(start));
        assert!(matches!(scene.apply(&server), Report::Failed(_)), "{start}");
        scene.fail(None);
        assert_eq!(scene.etc(), before, "{start}");
    }
    let (scene, server) = scene();
    fs::remove_file(scene.root.path().join("usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_ossl.so")).unwrap();
    let Report::Failed(why) = scene.apply(&server) else { panic!("without TLS") };
    assert!(why.contains("install rsyslog and rsyslog-openssl"), "{why}");
}
