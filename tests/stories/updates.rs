// SPDX-License-Identifier: Apache-2.0
//! Row 1, FPT_TUD_EXT.1: what is genuine is installed, what is not is refused with nothing changed and a record; Users do
//! neither. With packages, keys and a repository that are made here.

use std::path::{Path, PathBuf};
use std::process::Command;

use virtwarden_core::record::{Kind, Outcome};
use virtwarden_tests::host::{Host, Ran};
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{self, alice, bob, check};
use virtwarden_tests::trail;

/// A package of the family that `update` looks after, of no other consequence.
const PACKAGE: &str = "virtwarden-story";
const PLACE: &str = "/srv/update";
const SOURCE: &str = "/etc/apt/sources.list.d/virtwarden-story.list";
const KEY: &str = "/etc/virtwarden/update-keys/story.gpg";

/// Who makes packages: two keys, of which the host trusts one, outside the host.
struct Maker {
    place: PathBuf,
}

impl Maker {
    fn new() -> Result<Self, String> {
        let place = std::env::temp_dir().join(format!("virtwarden-updates-{}", std::process::id()));
        let maker = Self { place };
        let made = "mkdir -p gpg && chmod 700 gpg && export GNUPGHOME=$PWD/gpg &&
            for who in maker stranger; do
                gpg --batch --quiet --passphrase '' --quick-generate-key $who@example.org rsa3072 sign never || exit 1
                gpg --batch --export $who@example.org > $who.gpg || exit 1
            done";
        std::fs::create_dir_all(&maker.place).map_err(|error| error.to_string())?;
        maker.run(made).map(|_| maker)
    }

    fn run(&self, script: &str) -> Result<String, String> {
        let ran = Command::new("sh").arg("-ec").arg(script).current_dir(&self.place).output();
        let ran = Ran::from(ran.map_err(|error| error.to_string())?);
        check("the maker", &ran).map(|()| ran.out)
    }

    /// Signs a file of the host's and puts the signature beside it.
    fn sign(&self, host: &Host, who: &str, file: &str, kind: &str) -> Result<(), String> {
        let end = if kind == "--clearsign" { "in" } else { "sig" };
        let script = format!(
            "rm -f signed; GNUPGHOME=$PWD/gpg gpg --batch --yes --quiet --local-user {who}@example.org {kind} --output signed given"
        );
        get(host, file, &self.place.join("given"))?;
        self.run(&script)?;
        let to = if end == "in" { format!("{PLACE}/repo/InRelease") } else { format!("{file}.{who}.sig") };
        check("put", &host.put(&self.place.join("signed").display().to_string(), &to))
    }
}

impl Drop for Maker {
    fn drop(&mut self) {
        let _best_effort = Command::new("sh")
            .arg("-c")
            .arg("GNUPGHOME=$PWD/gpg gpgconf --kill all; cd / && rm -rf \"$OLDPWD\"")
            .current_dir(&self.place)
            .status();
        let _best_effort = std::fs::remove_dir_all(&self.place);
    }
}

fn get(host: &Host, from: &str, to: &Path) -> Result<(), String> {
    let read = host.root(&format!("base64 -w0 {from}"));
    check("get", &read)?;
    let decoded = Command::new("sh")
        .args(["-c", "printf %s \"$1\" | base64 -d > \"$2\"", "sh", read.out.trim()])
        .arg(to)
        .status();
    if decoded.is_ok_and(|status| status.success()) { Ok(()) } else { Err(format!("cannot get {from}")) }
}

/// Packages of two versions, built on the host.
const BUILD: &str = "set -e; rm -rf /srv/update; mkdir -p /srv/update/repo; cd /srv/update
for version in 1.0 2.0; do
    d=$(mktemp -d); mkdir $d/DEBIAN
    printf 'Package: virtwarden-story\\nVersion: %s\\nArchitecture: all\\nMaintainer: Maker <maker@example.org>\\nDescription: a story\\n' $version > $d/DEBIAN/control
    dpkg-deb --build $d virtwarden-story_${version}_all.deb > /dev/null; rm -r $d
done";

#[test]
#[ignore = "needs a test host: make stories"]
fn only_what_is_genuine_is_installed() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let maker = Maker::new()?;
    scene::set(&host)?;
    check("packages", &host.root(BUILD))?;
    let story = users(&host)
        .and_then(|()| files(&host, &maker))
        .and_then(|()| repository(&host, &maker))
        .and_then(|()| versions(&host));
    let tidy = format!(
        "dpkg --purge {PACKAGE}; rm -rf {PLACE} {SOURCE} {KEY} /etc/apt/keyrings/story.gpg; \
                        rm -f /var/lib/apt/lists/*srv_update*"
    );
    host.root(&tidy);
    story
}

/// What is installed of the package now; empty if nothing is.
fn version(host: &Host) -> String {
    host.root(&format!("dpkg-query -Wf '${{Version}}' {PACKAGE} 2>/dev/null")).out
}

/// As alice, whose sudo asks for her password.
fn update(host: &Host, words: &str) -> Ran {
    alice(host, &format!("echo alice-password | sudo -S -p '' virtwarden update {words}"))
}

/// Refused with these words, nothing changed, on record as begun and failed with alice behind it.
fn refused(host: &Host, what: &str, words: &str, why: &str) -> Result<(), String> {
    let (before, end) = (version(host), trail::end(host));
    let ran = update(host, words);
    told("alice", what, ran.err.trim());
    if ran.succeeded() || !ran.err.contains(why) {
        return Err(format!("{what}: not refused with `{why}`: {}", ran.shown()));
    }
    if version(host) != before {
        return Err(format!("{what}: {} is installed now", version(host)));
    }
    trail::until(host, end, |records| {
        let ended =
            records.iter().find(|r| r.is(Kind::Outcome, Outcome::Failure) && r.event.detail.contains(why));
        let ended = ended.ok_or(format!("{what}: the failure is not on record"))?;
        let login = ended.event.actor.as_ref().and_then(|actor| actor.login.as_ref());
        if login.is_some_and(|login| login.account.name == "alice") {
            Ok(())
        } else {
            Err("who was it?".to_owned())
        }
    })
}

fn users(host: &Host) -> Result<(), String> {
    chapter("Users update nothing");
    let deb = format!("{PLACE}/{PACKAGE}_1.0_all.deb");
    for words in ["status", "check", "install", &format!("install {deb} --sha256 00")] {
        let ran = bob(host, &format!("virtwarden update {words}"));
        told("bob", words, ran.err.trim());
        if ran.code != 3 || !ran.err.contains("update the virtualization system (Table 3, 1)") {
            return Err(format!("bob: update {words}: {}", ran.shown()));
        }
    }
    for command in [format!("dpkg -i {deb}"), "apt-get -y update".to_owned(), "apt-get -y upgrade".to_owned()]
    {
        if bob(host, &command).succeeded() {
            return Err(format!("bob could `{command}`"));
        }
    }
    let without = alice(host, &format!("virtwarden update install {deb} --sha256 00"));
    if without.succeeded() || !without.err.contains("only root") {
        return Err(format!("alice without root: {}", without.shown()));
    }
    polkit(host)?;
    if version(host).is_empty() { Ok(()) } else { Err("something was installed".to_owned()) }
}

/// The actions of PackageKit and fwupd, as they come with them: open to whoever sits at the seat.
fn polkit(host: &Host) -> Result<(), String> {
    let actions = "/usr/share/polkit-1/actions/org.freedesktop.packagekit.story.policy";
    let action = |id: &str| {
        format!(
            "<action id='{id}'><description>s</description><message>s</message><defaults><allow_any>yes</allow_any>\
             <allow_inactive>yes</allow_inactive><allow_active>yes</allow_active></defaults></action>"
        )
    };
    let ids = ["org.freedesktop.packagekit.trigger-offline-update", "org.freedesktop.fwupd.update-internal"];
    let text = format!(
        "<?xml version='1.0'?><!DOCTYPE policyconfig PUBLIC '-//freedesktop//DTD PolicyKit Policy Configuration 1.0//EN' \
         'http://www.freedesktop.org/standards/PolicyKit/1.0/policyconfig.dtd'><policyconfig>{}{}</policyconfig>",
        action(ids[0]),
        action(ids[1])
    );
    check("actions", &host.write(actions, &text))?;
    let ask =
        |who: fn(&Host, &str) -> Ran, id: &str| who(host, &format!("pkcheck --action-id {id} --process $$"));
    let answers: Vec<_> = ids.iter().map(|id| (ask(bob, id), ask(alice, id))).collect();
    host.root(&format!("rm -f {actions}"));
    for ((bobs, alices), id) in answers.iter().zip(ids) {
        told("polkit", id, bobs.shown().trim());
        if bobs.succeeded() || !alices.succeeded() {
            return Err(format!("{id}: bob {}, alice {}", bobs.shown(), alices.shown()));
        }
    }
    Ok(())
}

fn files(host: &Host, maker: &Maker) -> Result<(), String> {
    chapter("TUD-2: a file that nobody vouches for is not installed");
    let deb = format!("{PLACE}/{PACKAGE}_1.0_all.deb");
    maker.sign(host, "maker", &deb, "--detach-sign")?;
    maker.sign(host, "stranger", &deb, "--detach-sign")?;
    let signed = |who: &str| format!("install {deb} --signature {deb}.{who}.sig");
    refused(host, "no key is trusted yet", &signed("maker"), "there is no key")?;
    let key = maker.place.join("maker.gpg").display().to_string();
    check("key", &host.put(&key, KEY))?;
    refused(host, "no signature", &format!("install {deb}"), "nobody vouches")?;
    refused(host, "a stranger's signature", &signed("stranger"), "verification failed")?;
    check("alter", &host.root(&format!("cp {deb} {PLACE}/bad.deb; printf x >> {PLACE}/bad.deb")))?;
    let bad = format!("install {PLACE}/bad.deb --signature {deb}.maker.sig");
    refused(host, "an altered byte", &bad, "verification failed")?;
    let hash = host.root(&format!("sha256sum {deb} | cut -d' ' -f1")).out.trim().to_owned();
    refused(
        host,
        "another hash",
        &format!("install {PLACE}/bad.deb --sha256 {hash}"),
        "verification failed",
    )?;
    check("open the keyring", &host.root(&format!("chmod 666 {KEY}")))?;
    refused(host, "a keyring that others can write", &signed("maker"), "written by nobody else")?;
    check("close the keyring", &host.root(&format!("chmod 644 {KEY}")))?;
    check("shown", &update(host, &format!("{} --dry-run", signed("maker"))))?;
    installs(host, "", "the genuine one", &signed("maker"), "1.0")?;
    check("remove", &host.root(&format!("dpkg --purge {PACKAGE}")))?;
    installs(host, "", "the genuine one, by its hash", &format!("install {deb} --sha256 {hash}"), "1.0")
}

/// It was not installed before, is now, and that is on record.
fn installs(host: &Host, before: &str, what: &str, words: &str, after: &str) -> Result<(), String> {
    let end = trail::end(host);
    if version(host) != before {
        return Err(format!("{what}: {} is installed already", version(host)));
    }
    let ran = update(host, words);
    check(what, &ran)?;
    told("alice", what, ran.out.trim());
    if version(host) != after {
        return Err(format!("{what}: {} is installed", version(host)));
    }
    trail::until(host, end, |records| {
        let done =
            |r: &&trail::Recorded| r.is(Kind::Outcome, Outcome::Success) && r.event.detail.contains(PACKAGE);
        records.iter().find(done).map(|_| ()).ok_or(format!("{what}: it is not on record"))
    })
}

fn repository(host: &Host, maker: &Maker) -> Result<(), String> {
    chapter("apt's signed path, with a repository on this disk");
    let key = maker.place.join("maker.gpg").display().to_string();
    check("keyrings", &host.root("mkdir -p /etc/apt/keyrings /srv/aside; mv /etc/apt/sources.list /srv/aside/ 2> /dev/null; mv /etc/apt/sources.list.d/* /srv/aside/ 2> /dev/null; true"))?;
    let story = check("key", &host.put(&key, "/etc/apt/keyrings/story.gpg"))
        .and_then(|()| from_repository(host, maker));
    host.root("cd /srv/aside && { [ ! -e sources.list ] || mv sources.list /etc/apt/; } && mv ./* /etc/apt/sources.list.d/ 2> /dev/null; rm -rf /srv/aside");
    story
}

fn from_repository(host: &Host, maker: &Maker) -> Result<(), String> {
    let source = |options: &str| {
        check(
            "source",
            &host.write(
                SOURCE,
                &format!("deb [{options} signed-by=/etc/apt/keyrings/story.gpg] file:{PLACE}/repo ./"),
            ),
        )
    };
    let release = |valid: &str| {
        check(
            "lists",
            &host.root(&format!(
                "cd {PLACE}/repo && cp -f ../{PACKAGE}_2.0_all.deb . && rm -f InRelease Release && apt-ftparchive packages . > Packages &&
                 {{ printf 'Valid-Until: %s\\n' \"$(date -u -R -d '{valid}')\"; apt-ftparchive release .; }} > ../Release"
            )),
        )
    };
    let sign = |who: &str| maker.sign(host, who, &format!("{PLACE}/Release"), "--clearsign");
    source("")?;
    release("1 day")?;
    refused(host, "lists without a signature", "check", "verification failed")?;
    sign("stranger")?;
    refused(host, "lists that a stranger signed", "check", "verification failed")?;
    release("1 day ago")?;
    sign("maker")?;
    refused(host, "genuine lists of yesterday, replayed", "check", "verification failed")?;
    release("1 day")?;
    sign("maker")?;
    source("trusted=yes")?;
    refused(host, "a source that need not be signed", "install", "need not be signed")?;
    source("")?;
    let checked = update(host, "check");
    check("genuine lists", &checked)?;
    if !checked.out.contains(&format!("{PACKAGE} 1.0 -> 2.0")) {
        return Err(format!("the newer version is not shown: {}", checked.out));
    }
    check("alter", &host.root(&format!("printf x >> {PLACE}/repo/{PACKAGE}_2.0_all.deb")))?;
    refused(host, "a package that the lists do not know", "install", "verification failed")?;
    check("mend", &host.root(&format!("cp -f {PLACE}/{PACKAGE}_2.0_all.deb {PLACE}/repo/")))?;
    installs(host, "1.0", "the genuine one", "install", "2.0")
}

fn versions(host: &Host) -> Result<(), String> {
    chapter("TUD-1: what is installed and what runs");
    let status = update(host, "status");
    check("status", &status)?;
    for line in [
        "libvirt-daemon",
        "qemu-system-x86",
        PACKAGE,
        "running kernel:",
        "running policyd:",
        "running libvirt",
    ] {
        if !status.out.contains(line) {
            return Err(format!("it does not say `{line}`: {}", status.out));
        }
    }
    check(
        "a VM that runs",
        &alice(host, "virsh define /srv/vms/bobvm.xml > /dev/null 2>&1; virsh start bobvm"),
    )?;
    let replaced = host.root("cp -p /usr/bin/qemu-system-x86_64 /usr/bin/qemu.new && mv /usr/bin/qemu.new /usr/bin/qemu-system-x86_64");
    let status = update(host, "status");
    check("stop", &alice(host, "virsh destroy bobvm"))?;
    check("replaced", &replaced)?;
    told("alice", "update status", status.out.lines().last().unwrap_or_default());
    if status.out.contains("OUTDATED: VM bobvm") {
        Ok(())
    } else {
        Err(format!("bobvm's emulator: {}", status.shown()))
    }
}
