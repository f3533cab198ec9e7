// SPDX-License-Identifier: Apache-2.0
//! UIA-1: without a person who has authenticated there is no Administrator, whichever way his account is used.

use std::thread;
use std::time::Duration;

use serde_json::Value;
use virtwarden_tests::attempt::{newest_record, records, state};
use virtwarden_tests::host::Host;
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{self, check};
use virtwarden_tests::trail::eventually;

/// What only an Administrator may do, at the gate and at the control socket.
const ADMINISTRATIVE: &[&str] = &[
    "virsh -c qemu:///system net-define /srv/uia/net.xml",
    "virsh -c qemu:///system define /srv/uia/vm.xml",
    "virsh -c qemu:///system vol-delete secret.img store",
    "virtwarden vm assign finance bob",
    "virtwarden vm domain bobvm blue",
    "virtwarden policy reload",
    "virtwarden policy show",
    "virtwarden audit list",
    "virtwarden audit verify",
    "virtwarden lockout list",
    "virtwarden lockout unlock bob",
    "virtwarden lockout set --attempts 100 --period 1h --unlock 1s --reason test",
    "virtwarden banner set intruder --reason test",
    "virtwarden setting set password-policy minimum-length=8 --reason test",
    "virtwarden setting set remote-timeout idle=1h --reason test",
];

/// One way to have alice's account run something although alice has not just logged in.
struct Way {
    name: &'static str,
    /// As whom the host is asked; none is root without a login.
    by: Option<&'static str>,
    /// `$RUN` is the command that tries everything and takes the file for what it found.
    script: &'static str,
}

const WAYS: &[Way] = &[
    Way { name: "service", by: None, script: "systemd-run --quiet --wait --uid=alice $RUN" },
    Way { name: "runuser", by: None, script: "runuser -u alice -- $RUN" },
    Way {
        name: "cron",
        by: None,
        script: "echo \"* * * * * alice [ -e $OUT ] || $RUN\" > /etc/cron.d/uia; systemctl start cron",
    },
    Way { name: "at", by: None, script: "systemctl start atd; echo \"$RUN\" | runuser -u alice -- at now" },
    Way {
        name: "linger",
        by: None,
        script: "loginctl enable-linger alice; \
                 for try in $(seq 200); do systemctl -q is-active user@$(id -u alice) && break; sleep 0.3; done; \
                 systemd-run -M alice@ --user --quiet --wait $RUN; \
                 loginctl disable-linger alice",
    },
    Way {
        name: "automatic",
        by: None,
        script: "timeout 120 python3 /usr/local/lib/console.py alice - \"$RUN\"",
    },
    Way { name: "su", by: Some("bob"), script: "echo alice-password | su - alice -c \"$RUN\"" },
    Way {
        name: "ended",
        by: Some("alice"),
        script: "setsid nohup sh -c \"sleep 15; $RUN\" < /dev/null > /dev/null 2>&1 &",
    },
];

const PLACE: &str = "/srv/uia";

#[test]
#[ignore = "needs a test host: make stories"]
fn an_account_without_its_person_administers_nothing() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let result = without_its_person(&host);
    // alice did what she may: a banner, limits and a lockout rule are set.
    let settings = ["lockout", "password-policy", "remote-timeout"];
    let unset: String = settings.iter().map(|name| format!(" && virtwarden setting unset {name}")).collect();
    let tidied = host.login("alice", &format!("virtwarden banner unset{unset}"));
    result.and_then(|()| check("tidy", &tidied))
}

fn without_its_person(host: &Host) -> Result<(), String> {
    scene::set(host)?;
    chapter("alice's account without alice (UIA-1)");
    prepare(host)?;
    check(
        "alice herself",
        &host.login("alice", &format!("{PLACE}/try {PLACE}/alice; grep -q WORKED {PLACE}/alice")),
    )?;
    scene::set(host)?;
    let before = state(host);
    let since = newest_record(host);
    for way in WAYS {
        begin(host, way);
    }
    let found = WAYS.iter().map(|way| wait(host, way)).collect::<Result<Vec<_>, _>>();
    host.root("rm -f /etc/cron.d/uia");
    for (way, found) in WAYS.iter().zip(found?) {
        told("alice", way.name, if found.is_empty() { "refused" } else { &found });
        if !found.is_empty() {
            return Err(format!("{}: {found}", way.name));
        }
    }
    if before != state(host) {
        return Err(format!("something changed the state, which was:\n{before}"));
    }
    all_are_recorded(host, since)
}

/// The program that tries everything, and what it needs.
fn prepare(host: &Host) -> Result<(), String> {
    host.root(&format!("rm -rf {PLACE}; mkdir -m 1777 {PLACE}"));
    let tries = ADMINISTRATIVE.iter().map(|command| {
        format!("if {command} < /dev/null > /dev/null 2>&1; then echo 'WORKED: {command}' >> $1; fi\n")
    });
    let program = format!("#!/bin/sh\n: > $1\n{}echo done >> $1", tries.collect::<String>());
    check("program", &host.write(&format!("{PLACE}/try"), &program))?;
    check("program", &host.root(&format!("chmod 755 {PLACE}/try")))?;
    check("hand", &host.write("/usr/local/lib/console.py", include_str!("../src/console.py")))?;
    check("network", &host.write("/srv/uia/net.xml", "<network><name>uia</name></network>"))?;
    let definition = scene::definition("uia", &scene::vm_type(host));
    check("vm", &host.write("/srv/uia/vm.xml", &definition))
}

fn begin(host: &Host, way: &Way) {
    let out = format!("{PLACE}/{}", way.name);
    let script = format!("OUT={out} RUN='{PLACE}/try {out}'; {}", way.script);
    match way.by {
        Some(person) => host.login(person, &script),
        None => host.root(&script),
    };
}

/// What worked, which should be nothing. cron takes up to a minute to look.
fn wait(host: &Host, way: &Way) -> Result<String, String> {
    let out = format!("{PLACE}/{}", way.name);
    for _ in 0..120 {
        let text = host.root(&format!("cat {out}")).out;
        if let Some(worked) = text.strip_suffix("done\n") {
            return Ok(worked.to_owned());
        }
        thread::sleep(Duration::from_secs(2));
    }
    Err(format!("{}: alice's account never ran", way.name))
}

/// Each way must have left as many denials as it tried things, none with a person who authenticated.
fn all_are_recorded(host: &Host, since: u64) -> Result<(), String> {
    let counted = eventually(|| recorded(host, since))?;
    told("policyd", &format!("{counted} refusals recorded"), "nobody authenticated");
    Ok(())
}

fn recorded(host: &Host, since: u64) -> Result<u64, String> {
    let mut denials = records(host, "--outcome denied --limit 2000");
    denials.retain(|record| record["seq"].as_u64().unwrap_or(0) > since);
    let hers = denials.iter().filter(|record| text(record, "/record/actor/account/name") == "alice");
    let (mut counted, mut authenticated) = (0, 0);
    for record in hers {
        counted += record.pointer("/record/count").and_then(Value::as_u64).unwrap_or(1);
        authenticated += u64::from(record.pointer("/record/actor/authenticated").is_some());
    }
    let least = u64::try_from(WAYS.len() * ADMINISTRATIVE.len()).unwrap_or(u64::MAX);
    if counted < least || authenticated > 0 {
        return Err(format!(
            "{counted} refusals, {authenticated} of them authenticated, for {least} attempts"
        ));
    }
    Ok(counted)
}

fn text<'r>(record: &'r Value, pointer: &str) -> &'r str {
    record.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
