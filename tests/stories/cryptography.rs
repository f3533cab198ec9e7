// SPDX-License-Identifier: Apache-2.0
//! Which cryptography ssh may use: row 11 of Table 3, with real connections that offer one algorithm each.

use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::table3::Function;
use virtwarden_tests::host::Host;
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{alice, bob, check};
use virtwarden_tests::setting::refusals_of_bob;
use virtwarden_tests::trail;

const SET: &str = "virtwarden setting set ssh-cryptography suite=profile --reason 'site rule 11'";
const UNSET: &str = "virtwarden setting unset ssh-cryptography";

/// A connection that offers nothing but one algorithm of a kind.
fn connects(host: &Host, option: &str) -> Result<bool, String> {
    let ran = host.root(&format!(
        "ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=20 \
         -o {option} bob@127.0.0.1 id -un 2>&1"
    ));
    match (ran.succeeded(), ran.shown()) {
        (true, _) => Ok(true),
        (false, shown) if shown.contains("no matching") => Ok(false),
        (false, shown) => Err(format!("{option}: {shown}")),
    }
}

/// One algorithm of each kind that the profile does not admit, and one that it does.
const OUTSIDE: [&str; 4] = [
    "Ciphers=chacha20-poly1305@openssh.com",
    "MACs=hmac-sha1 -o Ciphers=aes128-ctr",
    "KexAlgorithms=curve25519-sha256",
    "HostKeyAlgorithms=ssh-ed25519",
];
const INSIDE: [&str; 5] = [
    "Ciphers=aes256-gcm@openssh.com",
    "Ciphers=aes128-ctr -o MACs=hmac-sha2-256",
    "KexAlgorithms=ecdh-sha2-nistp384",
    "KexAlgorithms=diffie-hellman-group14-sha256",
    "HostKeyAlgorithms=ecdsa-sha2-nistp256",
];

fn files(host: &Host) -> String {
    host.root("find /etc/ssh -type f | sort | xargs sha256sum; sshd -T | sort").out
}

#[test]
#[ignore = "needs a test host: make stories"]
fn the_profiles_suite_takes_its_algorithms_and_no_others() -> Result<(), String> {
    let host = Host::of_this_run()?;
    check("begin anew", &alice(&host, UNSET))?;
    let before = files(&host);
    chapter("before: OpenSSH's own choice");
    for option in OUTSIDE {
        if !connects(&host, option)? {
            return Err(format!("{option} did not connect before"));
        }
        told("ssh", option, "connects");
    }
    chapter("alice chooses the profile's suite");
    let since = trail::end(&host);
    check("dry run", &alice(&host, &format!("{SET} --dry-run")))?;
    if files(&host) != before {
        return Err("a dry run changed something".to_owned());
    }
    check("set", &alice(&host, SET))?;
    for (options, expected, word) in [(&OUTSIDE[..], false, "refused"), (&INSIDE[..], true, "connects")] {
        for option in options {
            if connects(&host, option)? != expected {
                return Err(format!("{option} should be {word}"));
            }
            told("ssh", option, word);
        }
    }
    let rekey = host.root("sshd -T | grep -i rekeylimit").out;
    if rekey.trim() != "rekeylimit 536870912 3600" {
        return Err(format!("new keys: {rekey}"));
    }
    let records = trail::after(&host, since);
    let done = records.iter().any(|record| {
        record.is_of("alice")
            && record.is(Kind::Outcome, Outcome::Success)
            && record.event.operation == "setting set ssh-cryptography"
            && record.event.functions == [Function::Cryptography]
    });
    if !done {
        return Err(format!("records: {records:?}"));
    }
    check("unset", &alice(&host, UNSET))?;
    if files(&host) == before { Ok(()) } else { Err("unset left a trace".to_owned()) }
}

#[test]
#[ignore = "needs a test host: make stories"]
fn bob_weakens_nothing() -> Result<(), String> {
    let host = Host::of_this_run()?;
    check("set", &alice(&host, SET))?;
    chapter("bob is refused, and his own options weaken only what he asks for");
    let before = files(&host);
    let since = trail::end(&host);
    for (script, said) in [
        ("virtwarden setting set ssh-cryptography suite=distribution", "(Table 3, 11)"),
        (UNSET, "(Table 3, 11)"),
        ("echo 'Ciphers 3des-cbc' > /etc/ssh/sshd_config.d/00-bob.conf", "ermission denied"),
        (
            "mkdir -p ~/.ssh; echo 'Ciphers chacha20-poly1305@openssh.com' > ~/.ssh/config; \
          ssh -o BatchMode=yes -o StrictHostKeyChecking=no bob@127.0.0.1 true; rm ~/.ssh/config",
            "no matching cipher",
        ),
    ] {
        let ran = bob(&host, &format!("{{ {script}; }} 2>&1"));
        if !ran.shown().contains(said) || files(&host) != before {
            return Err(format!("`{script}`: {}", ran.shown()));
        }
        told("bob", script, "refused");
    }
    let records = trail::after(&host, since);
    let count = refusals_of_bob(&records, Function::Cryptography);
    check("tidy", &alice(&host, UNSET))?;
    if count == 2 { Ok(()) } else { Err(format!("{count} refusals on record")) }
}
