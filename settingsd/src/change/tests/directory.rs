// SPDX-License-Identifier: Apache-2.0
//! The directory server: asked before anything is written, and sssd alone reads what is.

use std::os::unix::fs::PermissionsExt;

use virtwarden_core::setting::{Certificates, DirectoryServer, SearchBase, ServerName};

use super::*;

fn scene() -> (Scene, Setting) {
    let scene = Scene::new();
    for file in [
        "usr/sbin/sssd",
        "usr/lib/x86_64-linux-gnu/sssd/libsss_ldap.so",
        "usr/bin/openssl",
        "usr/bin/ldapsearch",
    ] {
        scene.write(file, "");
    }
    scene.write("etc/nsswitch.conf", "passwd: files sss\n");
    scene.write("etc/pam.d/common-auth", "auth [success=1 default=ignore] pam_sss.so use_first_pass\n");
    let ca = Certificates::new("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n").ok();
    let address = ServerName::new("ldap.example.org").ok();
    let base = SearchBase::new("dc=example,dc=org").ok();
    (scene, Setting::DirectoryServer(DirectoryServer { address, base, ca, ..DirectoryServer::default() }))
}

#[test]
fn it_goes_on_and_comes_off_byte_for_byte() {
    let (scene, server) = scene();
    let before = scene.etc();
    assert!(matches!(scene.apply(&server), Report::Done(_)), "{:?}", scene.apply(&server));
    let text = scene.read("etc/sssd/conf.d/50-virtwarden.conf");
    for part in
        ["ldap_uri = ldaps://ldap.example.org:636\n", "ldap_tls_reqcert = demand\n", "min_id = 1000\n"]
    {
        assert!(text.contains(part), "{text}");
    }
    let file = scene.root.path().join("etc/sssd/conf.d/50-virtwarden.conf");
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(scene.drift(&server), Vec::<String>::new());
    assert!(matches!(scene.withdraw(server.name()), Report::Done(_)));
    assert_eq!(scene.etc(), before);
}

#[test]
fn people_of_another_directory_are_forgotten_while_sssd_stands_still() {
    let (scene, server) = scene();
    let memory = "var/lib/sss/db/cache_virtwarden.ldb";
    let steps = |report: Report| -> Vec<String> {
        assert!(matches!(report, Report::Done(_)), "{report:?}");
        let heard = std::mem::take(&mut *scene.components.heard.lock().unwrap());
        let is_step = |line: &String| {
            ["stop sssd", "start sssd"]
                .iter()
                .any(|words| line.starts_with("/usr/bin/systemctl") && line.contains(words))
        };
        heard.into_iter().filter(is_step).collect()
    };
    scene.write(memory, "dora");
    let set = steps(scene.apply(&server));
    assert!(!scene.root.path().join(memory).exists());
    scene.write(memory, "dora");
    let unset = steps(scene.withdraw(server.name()));
    assert!(!scene.root.path().join(memory).exists());
    let (stop, start) = ("/usr/bin/systemctl stop sssd.service", "/usr/bin/systemctl start sssd.service");
    assert_eq!((set, unset), (vec![stop.to_owned(), start.to_owned()], vec![stop.to_owned()]));
}

#[test]
fn a_server_that_does_not_answer_is_refused_before_anything_is_written() {
    let (scene, server) = scene();
    let before = scene.etc();
    scene.fail(Some("/usr/bin/systemctl start virtwarden-directory-question"));
    scene.write("run/virtwarden/settingsd/directory-answer", "Can't contact LDAP server (-1)\n");
    let Report::Failed(why) = scene.apply(&server) else { panic!("taken") };
    assert!(why.contains("does not answer as it must") && why.contains("(-1)"), "{why}");
    assert_eq!(scene.etc(), before);
    assert!(!scene.components.heard.lock().unwrap().iter().any(|line| line.contains("sssd.service")));
}

#[test]
fn a_host_that_would_not_ask_it_or_would_ask_others_is_refused() {
    for (file, text, said) in [
        ("etc/sssd/sssd.conf", "[sssd]\n", "is your own"),
        ("etc/nsswitch.conf", "passwd: files\n", "install libnss-sss"),
        ("etc/pam.d/common-auth", "# auth pam_sss.so\n", "install libpam-sss"),
    ] {
        let (scene, server) = scene();
        scene.write(file, text);
        let before = scene.etc();
        let Report::Failed(why) = scene.apply(&server) else { panic!("taken") };
        assert!(why.contains(said), "{why}");
        assert_eq!(scene.etc(), before);
    }
}
