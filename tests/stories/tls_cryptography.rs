// SPDX-License-Identifier: Apache-2.0
//! Who chooses the TLS of connections to the audit server and the directory, and what becomes of hands on it: row 11 of
//! Table 3. What the suites let in is told in the stories of those two servers.

use virtwarden_core::table3::Function;
use virtwarden_tests::host::Host;
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{alice, check};
use virtwarden_tests::setting::{bob_is_refused, is_on_record, must_contain};
use virtwarden_tests::trail;

const SET: &str = "virtwarden setting set tls-cryptography suite=profile --reason 'site rule 11'";
const UNSET: &str = "virtwarden setting unset tls-cryptography";
const SHOW: &str = "virtwarden setting show tls-cryptography";

/// What the setting could touch, and what systemd gives the units.
const STATE: &str = "find /etc/virtwarden /etc/systemd/system /etc/ssl -type f | sort | xargs sha256sum;
    find /etc/virtwarden /etc/systemd/system -type d | sort;
    systemctl show --property=Environment virtwarden-audit-server sssd virtwarden-directory-question; openssl ciphers -s";

fn state(host: &Host) -> String {
    host.root(STATE).out
}

#[test]
#[ignore = "needs a test host: make stories"]
fn alice_chooses_a_suite_and_takes_it_back() -> Result<(), String> {
    let host = Host::of_this_run()?;
    check("begin anew", &alice(&host, UNSET))?;
    let before = state(&host);
    chapter("what makes no sense, and a dry run, change nothing");
    for (value, said) in [
        ("suite=tls1.0", "distribution, profile, profile-256"),
        ("ciphers=RC4", "`suite`"),
        ("suite=", "KEY=VALUE"),
    ] {
        let ran = alice(&host, &format!("virtwarden setting set tls-cryptography {value}"));
        must_contain(value, &ran, said)?;
        if ran.succeeded() || state(&host) != before {
            return Err(format!("`{value}` was taken: {}", ran.shown()));
        }
        told("alice", value, "refused");
    }
    must_contain("dry run", &alice(&host, &format!("{SET} --dry-run")), "MaxProtocol = TLSv1.2")?;
    if state(&host) != before {
        return Err("a dry run changed something".to_owned());
    }
    chapter("alice chooses");
    let since = trail::end(&host);
    check("set", &alice(&host, SET))?;
    is_on_record(&host, since, "setting set tls-cryptography", Function::Cryptography)?;
    let shown = alice(&host, SHOW);
    must_contain("show", &shown, "profile")?;
    if shown.out.contains("DIFFERS") {
        return Err(format!("drift: {}", shown.out));
    }
    chapter("hands are seen");
    for (hand, said, back) in [
        ("sed -i s/TLSv1.2/TLSv1/ $f", "was changed by hand", SET),
        ("sed -i s/^CipherString.*/CipherString=ALL/ $f", "OpenSSL takes", SET),
        ("rm /etc/systemd/system/sssd.service.d/50-virtwarden-tls.conf", "is missing", SET),
        (
            "d=/etc/systemd/system/virtwarden-audit-server.service.d; echo '[Service]\nEnvironment=OPENSSL_CONF=/dev/null' > $d/99.conf; \
             systemctl daemon-reload",
            "does not get",
            "true",
        ),
        (
            "rm /etc/systemd/system/virtwarden-audit-server.service.d/99.conf; systemctl daemon-reload",
            "profile",
            SET,
        ),
        (
            "mkdir -p /etc/sssd/conf.d; echo 'ldap_tls_cipher_suite = ALL' > /etc/sssd/conf.d/zz.conf",
            "instead",
            SET,
        ),
    ] {
        check(hand, &host.root(&format!("f=/etc/virtwarden/tls-cryptography/openssl.cnf; {hand}")))?;
        must_contain(hand, &alice(&host, SHOW), said)?;
        check("set again", &alice(&host, back))?;
        told("root", hand, "is seen");
    }
    check(
        "tidy",
        &host.root("rm /etc/sssd/conf.d/zz.conf; rmdir --ignore-fail-on-non-empty -p /etc/sssd/conf.d; true"),
    )?;
    check("unset", &alice(&host, UNSET))?;
    let after = state(&host);
    if after != before {
        return Err(format!("before:\n{before}\nafter:\n{after}"));
    }
    told("alice", "unset", "as it was, byte for byte");
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn bob_chooses_none() -> Result<(), String> {
    let host = Host::of_this_run()?;
    check("set", &alice(&host, SET))?;
    chapter("bob is refused, through every door");
    let attempts = [
        ("virtwarden setting set tls-cryptography suite=distribution", "(Table 3, 11)"),
        (UNSET, "(Table 3, 11)"),
        ("echo > /etc/virtwarden/tls-cryptography/openssl.cnf", "ermission denied"),
        ("echo > /etc/systemd/system/sssd.service.d/99-bob.conf", "ermission denied"),
        ("systemctl set-environment OPENSSL_CONF=/tmp/bob.cnf", "uthenticat"),
        ("systemctl restart virtwarden-audit-server", "uthenticat"),
        (
            "OPENSSL_CONF=/tmp/bob.cnf virtwarden setting set tls-cryptography suite=distribution",
            "(Table 3, 11)",
        ),
    ];
    bob_is_refused(&host, || state(&host), &attempts, (Function::Cryptography, 3))?;
    check("tidy", &alice(&host, UNSET))
}
