// SPDX-License-Identifier: Apache-2.0
//! An auditor and an Administrator at their work: the trail is read by who may read it, deleted by who may delete it,
//! and every other hand is found. FAU_SAR.1, FAU_STG.1, row 6 of Table 3.

use virtwarden_core::record::{Kind, Outcome};
use virtwarden_tests::host::{Host, Ran};
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{self, alice, bob, check};
use virtwarden_tests::trail;

/// A site's own roles: bob audits and manages nothing; carol manages the trail and does not read it.
const HALVES: &str = "[role.auditor]
column = \"administrator\"
users = [\"bob\"]
also = [\"review\"]
vms = \"assigned\"
networks = []
pools = []
devices = []
[role.trail-keeper]
column = \"administrator\"
users = [\"carol\"]
functions = [\"manage-audit\"]
vms = \"assigned\"
networks = []
pools = []
devices = []";
const RULES: &str = "/etc/virtwarden/policy.d/15-halves.toml";
const SITE: &str = "/etc/virtwarden/policy.d/16-site.toml";
/// Users start nothing, and may configure networks of their own choice.
const CANDIDATE: &str = "[role.user]
column = \"user\"
groups = [\"libvirt\"]
vms = \"assigned\"
networks = \"all\"
functions = [\"stop\", \"configure-networks\"]
also = [\"operate\"]";
const SEGMENTS: &str = "/var/log/virtwarden/audit";

#[test]
#[ignore = "needs a test host: make stories"]
fn the_trail_is_read_by_one_and_deleted_by_another() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    host.root("rm -rf /srv/audit; mkdir -m 1777 /srv/audit");
    let story = refused_to_users(&host)
        .and_then(|()| halves(&host))
        .and_then(|()| archive(&host))
        .and_then(|()| deletion(&host))
        .and_then(|()| foreign_hands(&host))
        .and_then(|()| access(&host))
        .and_then(|()| policies(&host));
    host.root(&format!("rm -rf {RULES} {SITE} /srv/audit"));
    let tidied = alice(&host, "virtwarden policy reload");
    story.and_then(|()| check("tidy", &tidied))
}

/// The exit code and what was said are those of a refusal.
fn refuses(what: &str, ran: &Ran) -> Result<(), String> {
    told("policyd", what, ran.shown().trim());
    if ran.code == 3 && ran.shown().contains("access denied") {
        return Ok(());
    }
    Err(format!("{what}: exit code {}: {}", ran.code, ran.shown()))
}

fn segments(host: &Host) -> Vec<String> {
    host.root(&format!("ls {SEGMENTS} | grep jsonl")).out.lines().map(str::to_owned).collect()
}

/// Each run of policyd begins a segment.
fn more_segments(host: &Host) -> Result<(), String> {
    let restart = "systemctl restart virtwarden-policyd.service";
    check("segments", &host.root(&format!("{restart} && {restart}")))
}

fn refused_to_users(host: &Host) -> Result<(), String> {
    chapter("SAR-2, STG-1: a User reads nothing, deletes nothing");
    let (before, files) = (trail::end(host), segments(host));
    for command in [
        "virtwarden audit list",
        "virtwarden audit export",
        "virtwarden audit export --archive /tmp/bob.tar",
        "virtwarden audit verify",
        "virtwarden audit delete --before 1000 --yes",
        "virtwarden audit delete --before 1d --dry-run",
    ] {
        refuses(command, &bob(host, command))?;
    }
    for command in ["cat", "truncate -s 0", "rm -f", "mv -t /tmp"] {
        let ran = bob(host, &format!("{command} {SEGMENTS}/00000001.jsonl"));
        if ran.succeeded() && command != "rm -f" {
            return Err(format!("bob could `{command}` a segment"));
        }
    }
    if files != segments(host) {
        return Err("segments have changed".to_owned());
    }
    trail::until(host, before, |records| {
        let denied =
            |record: &&trail::Recorded| record.is_of("bob") && record.event.outcome == Outcome::Denied;
        let counted: u64 = records.iter().filter(denied).map(trail::Recorded::weight).sum();
        if counted >= 6 { Ok(()) } else { Err(format!("{counted} of 6 refusals are on record")) }
    })
}

fn halves(host: &Host) -> Result<(), String> {
    chapter("an auditor reads and does not delete; a keeper deletes and does not read");
    let carol = "id carol || useradd -m -s /bin/bash carol; echo carol:carol-password | chpasswd";
    check("carol", &host.root(carol))?;
    check("halves", &host.write(RULES, HALVES))?;
    check("policy", &alice(host, "virtwarden policy reload"))?;
    let before = trail::end(host);
    check("bob lists", &bob(host, "virtwarden audit list --person alice --outcome denied"))?;
    check("bob verifies", &bob(host, "virtwarden audit verify"))?;
    refuses("bob deletes", &bob(host, "virtwarden audit delete --before 1000 --yes"))?;
    refuses("carol lists", &host.login("carol", "virtwarden audit list"))?;
    refuses("carol exports", &host.login("carol", "virtwarden audit export"))?;
    check("carol deletes", &host.login("carol", "virtwarden audit delete --before 1 --dry-run"))?;
    trail::until(host, before, |records| {
        let reads: Vec<_> = records
            .iter()
            .filter(|r| r.is_of("bob") && r.event.kind == Kind::Attempt && r.event.operation == "audit list")
            .collect();
        match reads.as_slice() {
            [read] if read.event.detail == "person alice, outcome denied" => Ok(()),
            other => Err(format!("bob's one look is on record as {other:?}")),
        }
    })
}

fn archive(host: &Host) -> Result<(), String> {
    chapter("the whole trail as one file, checked without policyd");
    check("export", &alice(host, "virtwarden audit export --archive /srv/audit/trail.tar"))?;
    check("tar reads it", &host.root("tar tf /srv/audit/trail.tar | grep -q '^audit/0.*jsonl$'"))?;
    let key = "/var/lib/virtwarden/trail.pub";
    let verify = |options: &str| {
        let alone = "unshare --mount sh -c 'mount -t tmpfs none /run/virtwarden";
        host.root(&format!("{alone} && virtwarden audit verify /srv/audit/trail.tar {options}'"))
    };
    check("by its own key", &verify(""))?;
    check("by the host's key", &verify(&format!("--key {key}")))?;
    let strange = "openssl genpkey -algorithm ed25519 | openssl pkey -pubout -out /srv/audit/strange.pub";
    check("another key", &host.root(strange))?;
    expect(&verify("--key /srv/audit/strange.pub"), 13)?;
    check("alter", &host.root("sed -i '0,/alice/s//alicf/' /srv/audit/trail.tar"))?;
    expect(&verify(""), 10)
}

fn expect(ran: &Ran, code: i32) -> Result<(), String> {
    told("verify", ran.shown().lines().next().unwrap_or_default(), &format!("exit code {}", ran.code));
    if ran.code == code {
        Ok(())
    } else {
        Err(format!("exit code {}, not {code}: {}", ran.code, ran.shown()))
    }
}

fn deletion(host: &Host) -> Result<(), String> {
    chapter("STG-2: alice deletes the documented way");
    more_segments(host)?;
    let files = segments(host);
    let (before, keep) = (trail::end(host), files.len().saturating_sub(2));
    let first_kept = files.get(keep).and_then(|name| name.strip_suffix(".jsonl")).unwrap_or_default();
    let number = first_kept.trim_start_matches('0');
    let shown = alice(host, &format!("virtwarden audit delete --before {number} --dry-run"));
    check("shown", &shown)?;
    let asked = alice(host, &format!("echo no | virtwarden audit delete --before {number}"));
    check("asked", &asked)?;
    if !asked.shown().contains("nothing is deleted") || segments(host) != files {
        return Err(format!("it was not asked, or did it all the same: {}", asked.shown()));
    }
    check("deleted", &alice(host, &format!("virtwarden audit delete --before {number} --yes")))?;
    let left = segments(host);
    if left.first().map(String::as_str) != files.get(keep).map(String::as_str) {
        return Err(format!("{left:?} is left of {files:?}"));
    }
    let verified = alice(host, "virtwarden audit verify");
    check("whole", &verified)?;
    if !verified.out.contains("removed by order") || !verified.out.contains("alice") {
        return Err(format!("verify does not say what was removed: {}", verified.out));
    }
    trail::until(host, before, |records| {
        let of = |kind| {
            records
                .iter()
                .filter(move |r| r.event.kind == kind && r.event.operation == "audit delete")
                .count()
        };
        let (begun, ended) = (of(Kind::Attempt), of(Kind::Outcome));
        if begun >= 3 && ended >= 3 { Ok(()) } else { Err(format!("{begun} attempts, {ended} outcomes")) }
    })
}

fn access(host: &Host) -> Result<(), String> {
    chapter("an access review: who can do what on bobvm, and who past every role");
    refuses("bob reviews", &bob(host, "virtwarden role review"))?;
    for mistyped in ["--vm bobvn", "--person bobb"] {
        let ran = alice(host, &format!("virtwarden role review {mistyped}"));
        if ran.code != 4 || !ran.out.is_empty() {
            return Err(format!("{mistyped}: exit code {}: {}", ran.code, ran.shown()));
        }
    }
    check("a dangerous membership", &host.root("gpasswd -a bob kvm"))?;
    let before = trail::end(host);
    let review = alice(host, "virtwarden role review --by vm --vm bobvm --csv && virtwarden role review");
    check("undo", &host.root("gpasswd -d bob kvm"))?;
    check("review", &review)?;
    for line in [
        "alice,every VM,",
        "bob,bobvm,\"21-26,operate\",user,user,group libvirt,assigned to bob",
        "DANGEROUS: bob is in group kvm",
        "alice (an Administrator) is in group sudo",
    ] {
        if !review.out.contains(line) {
            return Err(format!("the review does not say `{line}`: {}", review.out));
        }
    }
    trail::until(host, before, |records| {
        let reviews =
            records.iter().filter(|r| r.event.operation == "role review" && r.event.kind == Kind::Outcome);
        if reviews.count() == 2 { Ok(()) } else { Err("the reviews are not on record".to_owned()) }
    })
}

fn policies(host: &Host) -> Result<(), String> {
    chapter("a candidate: what it changes, what it would have answered, and the way back");
    let candidate = "/srv/audit/16-site.toml";
    check("candidate", &host.write(candidate, CANDIDATE))?;
    check(
        "bob works",
        &bob(host, "virsh start bobvm && virsh destroy bobvm && virsh start bobvm && virsh destroy bobvm"),
    )?;
    let red = bob(host, "virsh net-define /srv/vms/red.xml");
    if red.succeeded() {
        return Err("bob made a network".to_owned());
    }
    says(
        &alice(host, &format!("virtwarden policy diff {candidate}")),
        &["role `user` may `start` (row 22) no longer", "role `user` may `configure-networks` (row 5) now"],
    )?;
    let late = "/srv/audit/site.toml";
    check("a name that comes late", &host.write(late, CANDIDATE))?;
    says(
        &alice(host, &format!("virtwarden policy diff {late}")),
        &["nothing to change", "[role.user] does not count"],
    )?;
    trail::eventually(|| {
        let simulated = alice(host, &format!("virtwarden policy simulate {candidate} --since 1h --json"));
        let rows: serde_json::Value = serde_json::from_str(&simulated.out).map_err(|_| simulated.shown())?;
        let found = |verdict: &str, right: &str, least: u64| {
            let rows = rows.pointer("/rows").and_then(serde_json::Value::as_array).into_iter().flatten();
            let is = |row: &&serde_json::Value| {
                row["person"] == "bob" && row["verdict"] == verdict && row["right"] == right
            };
            rows.filter(is).filter_map(|row| row["count"].as_u64()).sum::<u64>() >= least
        };
        let expected = found("denied", "start", 2) && found("allowed", "configure-networks", 1);
        if expected { Ok(()) } else { Err(simulated.out.clone()) }
    })?;
    refuses("bob simulates", &bob(host, &format!("virtwarden policy simulate {candidate}")))?;
    check("bob's own", &host.root(&format!("cp {candidate} {SITE} && chown bob {SITE}")))?;
    for command in ["virtwarden policy check", "virtwarden policy reload", "virtwarden policy diff"] {
        let ran = alice(host, command);
        if ran.succeeded() || !ran.err.contains("can be written by others than root") {
            return Err(format!("{command} takes a file of bob's: {}", ran.shown()));
        }
    }
    check("in force", &host.root(&format!("chown root {SITE}")))?;
    check("in force", &alice(host, "virtwarden policy reload"))?;
    let list = alice(host, "virtwarden policy rollback --json");
    let former: serde_json::Value = serde_json::from_str(&list.out).map_err(|_| list.shown())?;
    let number = former.pointer("/0/number").and_then(serde_json::Value::as_u64).unwrap_or(0);
    if former.pointer("/0/by").and_then(serde_json::Value::as_str) != Some("alice") {
        return Err(format!("the list does not say who: {}", list.out));
    }
    let rollback = format!("virtwarden policy rollback {number}");
    let would_remove = format!("would remove: {SITE}");
    says(
        &alice(host, &format!("{rollback} --dry-run")),
        &[
            &would_remove,
            "role `user` may `start` (row 22) now",
            "may `configure-networks` (row 5) no longer",
        ],
    )?;
    let json = alice(host, &format!("{rollback} --dry-run --json")).out;
    serde_json::from_str::<serde_json::Value>(&json).map_err(|_| json.clone())?;
    refuses("bob goes back", &bob(host, &format!("{rollback} --dry-run")))?;
    refuses_without_root(&alice(host, &rollback))?;
    says(&host.login("root", &rollback), &["role.user: start: - -> granted"])?;
    check("the file is gone", &host.root(&format!("test ! -e {SITE} && test -e {RULES}")))?;
    check("bob works again", &bob(host, "virsh start bobvm && virsh destroy bobvm"))
}

fn refuses_without_root(ran: &Ran) -> Result<(), String> {
    let told = ran.code == 3 && ran.err.contains("only root can write policy files");
    if told { Ok(()) } else { Err(format!("without root: {}", ran.shown())) }
}

fn says(ran: &Ran, lines: &[&str]) -> Result<(), String> {
    check("it works", ran)?;
    match lines.iter().find(|line| !ran.out.contains(**line)) {
        None => Ok(()),
        Some(line) => Err(format!("it does not say `{line}`: {}", ran.out)),
    }
}

fn foreign_hands(host: &Host) -> Result<(), String> {
    chapter("root's own rm is found, and nothing is deleted after it");
    more_segments(host)?;
    let first = segments(host).first().cloned().unwrap_or_default();
    check("put aside", &host.root(&format!("mv {SEGMENTS}/{first} /root/{first}")))?;
    let verified = alice(host, "virtwarden audit verify");
    let refused = alice(host, "virtwarden audit delete --before 100000 --yes");
    check("put back", &host.root(&format!("mv /root/{first} {SEGMENTS}/{first}")))?;
    expect(&verified, 11)?;
    if refused.succeeded() || !refused.err.contains("not whole") {
        return Err(format!("evidence was deleted: {}", refused.shown()));
    }
    check("whole again", &alice(host, "virtwarden audit verify"))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_diagnostic_bundle_names_nobody() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    chapter("doctor --bundle: what somebody who helps would ask for");
    let said = scene::bob(
        &host,
        "virsh -c qemu:///system start finance; logger -t virtwarden-story bob looked at bobvm",
    );
    host.root("rm -f /root/bundle.tar; virtwarden doctor --bundle /root/bundle.tar");
    check("root's alone", &host.root("test \"$(stat -c %a:%U /root/bundle.tar)\" = 600:root"))?;
    let members = host.root("tar -tf /root/bundle.tar").out;
    for member in
        ["README", "findings.txt", "journal.txt", "packages.txt", "units.txt", "etc.pam.d.common-auth"]
    {
        if !members.lines().any(|line| line == member) {
            return Err(format!("no {member} in: {members}"));
        }
    }
    check(
        "it tells of the monitor",
        &host.root("tar -xOf /root/bundle.tar units.txt | grep -q virtwarden-policyd.service"),
    )?;
    let named =
        host.root("tar -xOf /root/bundle.tar | grep -nwE 'alice|bob|bobvm|finance|PRIVATE KEY' | head");
    host.root("rm -f /root/bundle.tar");
    if !named.out.is_empty() {
        return Err(format!("it names somebody (bob had said: {}): {}", said.shown(), named.out));
    }
    told("root", "virtwarden doctor --bundle", "no name is in it");
    Ok(())
}
