// SPDX-License-Identifier: Apache-2.0
//! `virtwarden evaluate`, as whoever has just installed it runs it: every cell that is exercised passes, nothing remains
//! on the host, and a door that somebody opened is found at the cell it leads to.

use std::time::Instant;

use serde_json::Value;
use virtwarden_tests::host::Host;
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{self, check};

/// A host that has no dictionary for libpwquality says so, as its message advises.
const DICTIONARY: &str = "c=/etc/security/pwquality.conf; test -e /var/cache/cracklib/cracklib_dict.pwd ||
    grep -q '^dictcheck = 0' $c || echo 'dictcheck = 0' >> $c";

/// What sends the trail; the base has it to hand.
const RSYSLOG: &str =
    "command -v rsyslogd > /dev/null || dpkg -i /usr/local/lib/testhost/packages/rsyslog/*.deb > /dev/null";

/// What asks a directory; the base has it to hand. slapd is not needed.
const SSSD: &str = "cd /usr/local/lib/testhost/packages/directory && DEBIAN_FRONTEND=noninteractive \
    dpkg -i $(ls *.deb | grep -v ^slapd) > /dev/null 2>&1; systemctl stop virtwarden-settingsd.service 2> /dev/null; \
    command -v sssd ldapsearch && grep -q sss /etc/nsswitch.conf";
const NO_SSSD: &str = "DEBIAN_FRONTEND=noninteractive dpkg --purge sssd-ldap sssd-krb5-common sssd-common libnss-sss \
    libpam-sss python3-sss ldap-utils > /dev/null 2>&1; rm -rf /etc/sssd; ! grep -q pam_sss /etc/pam.d/common-auth";

/// What an evaluation could leave behind, and nothing else does.
const REMAINS: &str = "getent passwd; getent group; virsh -q -c qemu:///system list --all; \
    virsh -q -c qemu:///system net-list --all; virtwarden role list; virtwarden vm list; virtwarden setting list; \
    ls /var/lib/virtwarden-evaluate /var/lib/libvirt/images /var/lib/virtwarden/media 2>&1; \
    systemctl list-units --all --no-legend 'vweval*'; dpkg-query -W 'vweval*' 2>&1; \
    find /etc -type f ! -name '*-' ! -name .pwd.lock ! -name resolv.conf | sort | xargs sha256sum";

fn begin() -> Result<Host, String> {
    let host = Host::of_this_run()?;
    check("dictionary", &host.root(DICTIONARY))?;
    check("rsyslog", &host.root(RSYSLOG))?;
    scene::set(&host)?;
    let unset = "virtwarden banner unset; for s in password-policy remote-timeout lockout audit-server; do
        virtwarden setting unset $s; done";
    check("settings", &host.login("root", unset))?;
    Ok(host)
}

/// Runs it as root in a login session, and reads its report.
fn evaluate(host: &Host, options: &str) -> Result<(i32, Value), String> {
    let ran = host.login("root", &format!("virtwarden evaluate {options} --json"));
    let report = serde_json::from_str(&ran.out).map_err(|error| format!("{error}: {}", ran.shown()))?;
    Ok((ran.code, report))
}

/// `pass`, `fail` or `not-exercised`.
fn result(cell: &Value) -> &str {
    let verdict = &cell["verdict"];
    let word = verdict.as_str().or_else(|| verdict.as_object()?.keys().next().map(String::as_str));
    word.unwrap_or_default()
}

fn cells(report: &Value) -> impl Iterator<Item = &Value> {
    report["cells"].as_array().into_iter().flatten()
}

fn failed(report: &Value) -> Vec<String> {
    let wrong = cells(report).filter(|cell| result(cell) == "fail");
    wrong.map(|cell| format!("{} {}", cell["function"], cell["column"]).replace('"', "")).collect()
}

fn must_be(what: &str, found: &[String], expected: &[&str], report: &Value) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    let steps = cells(report).flat_map(|cell| cell["steps"].as_array().into_iter().flatten());
    let wrong: Vec<String> = steps.filter(|step| result(step) == "fail").map(Value::to_string).collect();
    Err(format!("{what}: failed are {found:?}, not {expected:?}: {}", wrong.join("\n")))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn the_plan_passes_in_seconds_and_changes_nothing() -> Result<(), String> {
    let host = begin()?;
    chapter("root looks before he leaps");
    let before = host.login("root", REMAINS).out;
    let (code, report) = evaluate(&host, "--plan")?;
    must_be("plan", &failed(&report), &[], &report)?;
    if code != 0 || cells(&report).count() != 54 || host.login("root", REMAINS).out != before {
        return Err(format!("exit code {code}, or something changed"));
    }
    told("root", "evaluate --plan", "54 cells");
    let ran = host.login("bob", "virtwarden evaluate --plan");
    if ran.code != 3 {
        return Err(format!("bob evaluated the host: {}", ran.shown()));
    }
    told("bob", "evaluate --plan", "refused");
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn every_cell_is_played_and_nothing_remains() -> Result<(), String> {
    let host = begin()?;
    check("sssd", &host.root(SSSD))?;
    chapter("every function, by both roles, in real logins");
    let before = host.login("root", REMAINS).out;
    let begun = Instant::now();
    let (code, report) = evaluate(&host, "--live --yes")?;
    must_be("live", &failed(&report), &[], &report)?;
    let passed = cells(&report).filter(|cell| result(cell) == "pass").count();
    told("root", &format!("evaluate --live in {} s", begun.elapsed().as_secs()), &format!("{passed} pass"));
    every_test_passes(&report)?;
    if code != 0 || passed < 48 || report["leftovers"].as_array().is_none_or(|left| !left.is_empty()) {
        return Err(format!("exit code {code}, {passed} passed, left: {}", report["leftovers"]));
    }
    refusals_are_shown_from_three_sides(&report)?;
    let after = host.login("root", REMAINS).out;
    if after != before {
        return Err(format!("something remained:\n{before}\n--- became ---\n{after}"));
    }
    check("no sssd", &host.root(NO_SSSD))?;
    what_is_missing_is_named(&host)
}

/// Without sssd nobody can name a directory, and that is no failure.
fn what_is_missing_is_named(host: &Host) -> Result<(), String> {
    let (code, report) = evaluate(host, "--live --yes --row 17")?;
    must_be("without sssd", &failed(&report), &[], &report)?;
    let of_row = cells(&report).filter(|cell| cell["function"] == "configure-directory-server");
    let said: Vec<String> = of_row.map(|cell| cell["verdict"].to_string()).collect();
    let is_named =
        said.iter().any(|said| said.contains("not-exercised") && said.contains("install sssd-ldap"));
    if code != 0 || !is_named || said.len() != 2 {
        return Err(format!("exit code {code}, row 17: {said:?}"));
    }
    told("root", "evaluate --row 17 without sssd", "says what to install");
    Ok(())
}

/// The tests of the base profile.
fn every_test_passes(report: &Value) -> Result<(), String> {
    let tests: Vec<&Value> = report["scenarios"].as_array().into_iter().flatten().collect();
    for test in &tests {
        told("root", test["id"].as_str().unwrap_or_default(), result(test));
    }
    match tests.iter().find(|test| result(test) != "pass") {
        Some(test) => Err(format!("{test}")),
        None if tests.len() < 10 => Err(format!("only {} tests", tests.len())),
        None => Ok(()),
    }
}

/// Each step through a socket of ours has its record, and each refusal says that nothing changed.
fn refusals_are_shown_from_three_sides(report: &Value) -> Result<(), String> {
    let users = cells(report).filter(|cell| cell["column"] == "user");
    let steps = users.flat_map(|cell| cell["steps"].as_array().into_iter().flatten());
    let refused = |step: &&Value| step["exit"].as_i64().is_some_and(|code| code != 0);
    let mut seen = 0;
    for step in steps.filter(refused) {
        seen += 1;
        let unchanged = step["state"].get("unchanged").is_some();
        let silent = step["output"].as_str().is_none_or(str::is_empty);
        if !unchanged || (silent && step["door"] != "file") {
            return Err(format!("a refusal without its sides: {step}"));
        }
    }
    if seen < 100 { Err(format!("only {seen} refusals")) } else { Ok(()) }
}

/// It is ended in the middle, once so that it can still act and once not.
#[test]
#[ignore = "needs a test host: make stories"]
fn what_is_ended_half_way_leaves_nothing_for_long() -> Result<(), String> {
    let host = begin()?;
    chapter("an evaluation is interrupted, another is killed");
    let before = host.login("root", REMAINS).out;
    let ended = |signal: &str| {
        let script = format!(
            "virtwarden evaluate --live --yes --row 22 > /tmp/evaluation 2>&1 & \
             for try in $(seq 600); do grep -q 'row 22' /tmp/evaluation && break; sleep 0.1; done; \
             kill -{signal} $!; wait $!; cat /tmp/evaluation"
        );
        host.login("root", &script).shown()
    };
    let said = ended("INT");
    if !said.contains("everything is taken back") || host.login("root", REMAINS).out != before {
        return Err(format!("interrupted, it said {said} and left something"));
    }
    told("root", "Ctrl-C", "taken back");
    ended("KILL");
    let left = host.root("getent passwd").out;
    if !left.contains("vweval-user-") {
        return Err("it was killed too early for this story".to_owned());
    }
    check("the next one", &host.login("root", "virtwarden evaluate --live --yes --row 9"))?;
    let after = host.login("root", REMAINS).out;
    if after != before {
        return Err(format!("the next one left:\n{after}\n--- it was ---\n{before}"));
    }
    told("root", "kill -9, then the next evaluation", "taken back");
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn what_somebody_opened_is_found_at_its_cell() -> Result<(), String> {
    let host = begin()?;
    chapter("somebody opens a file to everybody, and the evaluation finds where it leads");
    let door = "/etc/issue";
    check("open", &host.root(&format!("cp -a {door} /root/issue.kept; chmod 666 {door}")))?;
    let found = evaluate(&host, "--live --yes --row 20 --row 15");
    check("close", &host.root(&format!("cp -a /root/issue.kept {door}; rm /root/issue.kept")))?;
    let (code, report) = found?;
    must_be("mutation", &failed(&report), &["configure-banner user"], &report)?;
    if code != 1 {
        return Err(format!("exit code {code}"));
    }
    told("root", "evaluate --row 20", "found: a User writes what terminals show");
    Ok(())
}
