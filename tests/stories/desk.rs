// SPDX-License-Identifier: Apache-2.0
//! A person and his media: bob by names that he understands, and by nothing that is not his. Rows 10 and 21,
//! FPT_RDM_EXT.1.

use virtwarden_tests::attempt::{newest_record, state};
use virtwarden_tests::host::{Host, Ran};
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{self, BEHIND, LIBRARY, alice, bob, check};
use virtwarden_tests::trail::{self, Recorded, eventually};

use virtwarden_core::record::{Kind, Outcome};

const RULES: &str = "/etc/virtwarden/policy.d/10-media.toml";

/// What is in the drive of a VM, by libvirt's own word.
fn in_drive(host: &Host, vm: &str) -> String {
    let script = format!("virsh -c '{BEHIND}' domblklist {vm} | awk '$1 == \"hdc\" {{ print $2 }}'");
    host.root(&script).out.trim().to_owned()
}

fn insist(what: &str, is: bool) -> Result<(), String> {
    if is { Ok(()) } else { Err(what.to_owned()) }
}

fn says(ran: &Ran, code: i32, text: &str) -> Result<(), String> {
    insist(
        &format!("expected exit code {code} and `{text}`, got {}: {}", ran.code, ran.shown()),
        ran.code == code && ran.shown().contains(text),
    )
}

/// A record of this operation about this medium, that ended so.
fn recorded(host: &Host, since: u64, operation: &str, medium: &str, outcome: Outcome) -> Result<(), String> {
    let id = format!("image:{LIBRARY}/{medium}");
    let fits = |record: &Recorded| {
        let event = &record.event;
        let named =
            event.targets.iter().any(|target| target.kind == "medium" && target.name.as_deref() == Some(&id));
        event.operation == operation && event.outcome == outcome && (named || medium.is_empty())
    };
    eventually(|| {
        let all = trail::after(host, since);
        insist(&format!("no `{operation}` of `{medium}` that ended as {outcome:?}"), all.iter().any(fits))
    })
}

fn set(host: &Host, rules: &str) -> Result<(), String> {
    host.root(&format!("rm -f {RULES}; cp {LIBRARY}/tools.iso {LIBRARY}/twin.iso; cp {LIBRARY}/notes.iso {LIBRARY}/odd-name.iso"));
    scene::set(host)?;
    check("rules", &host.write(RULES, rules))?;
    check("reload", &alice(host, "virtwarden policy reload"))
}

fn clear(host: &Host) {
    host.root(&format!("rm -f {RULES}"));
    alice(host, "virtwarden policy reload");
}

const NO_RULES: &str = "";
const ASK: &str = "[device-class.discs]\nmatch = [{ kind = \"image\" }]\nrule = \"ask-user\"";

#[test]
#[ignore = "needs a test host: make stories"]
fn bob_inserts_and_ejects_by_name() -> Result<(), String> {
    let host = Host::of_this_run()?;
    chapter("bob inserts and ejects a disc by its name");
    set(&host, NO_RULES)?;
    for running in ["true", "virsh start bobvm"] {
        check("start", &alice(&host, running))?;
        let since = newest_record(&host);
        says(&bob(&host, "virtwarden media list bobvm"), 0, "tools.iso")?;
        says(
            &bob(&host, "virtwarden media insert bobvm tools.iso"),
            0,
            "changed: +image `tools.iso` in drive `hdc`",
        )?;
        insist("it is not in the drive", in_drive(&host, "bobvm") == format!("{LIBRARY}/tools.iso"))?;
        recorded(&host, since, "media insert", "tools.iso", Outcome::Success)?;
        says(&bob(&host, "virtwarden media insert bobvm notes.iso"), 1, "eject it first")?;
        says(&bob(&host, "virtwarden media eject bobvm --dry-run"), 0, "would change")?;
        insist("a dry run ejected it", in_drive(&host, "bobvm") == format!("{LIBRARY}/tools.iso"))?;
        says(&bob(&host, "virtwarden media eject bobvm"), 0, "changed: -")?;
        insist("it is in the drive still", in_drive(&host, "bobvm") == "-")?;
        recorded(&host, since, "media eject", "tools.iso", Outcome::Success)?;
        says(&bob(&host, "virtwarden media eject bobvm"), 4, "nothing is in a drive")?;
        told("bob", "inserts and ejects tools.iso", if running == "true" { "at rest" } else { "running" });
    }
    says(&alice(&host, &format!("virtwarden media history image:{LIBRARY}/tools.iso")), 0, "media insert")?;
    insist("bob reads the trail", bob(&host, "virtwarden media history tools.iso").code == 3)?;
    clear(&host);
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn bob_is_refused_what_is_not_one_medium_or_not_his_vm() -> Result<(), String> {
    let host = Host::of_this_run()?;
    chapter("bob is refused");
    set(&host, NO_RULES)?;
    let before = state(&host);
    let since = newest_record(&host);
    for (script, code, text) in [
        ("virtwarden media insert bobvm /etc/passwd", 4, "/etc/passwd"),
        ("virtwarden media insert bobvm ../../../etc/passwd", 4, "passwd"),
        ("virtwarden media insert bobvm link.iso", 4, "link.iso"),
        ("virtwarden media insert bobvm /tmp/elsewhere.iso", 4, "elsewhere.iso"),
        ("virtwarden media insert bobvm tools.iso --drive vda", 1, "no drive `vda`"),
        ("virtwarden media insert finance tools.iso", 4, "there is no VM `finance`"),
        ("virtwarden media eject finance", 4, "there is no VM `finance`"),
        ("virtwarden media list finance", 4, "there is no VM `finance`"),
        ("virtwarden device classes", 3, "(Table 3, 10)"),
    ] {
        says(&bob(&host, script), code, text)?;
    }
    insist("something changed", state(&host) == before)?;
    recorded(&host, since, "media insert", "", Outcome::Failure)?;
    recorded(&host, since, "media insert", "", Outcome::Denied)?;
    recorded(&host, since, "media eject", "", Outcome::Denied)?;
    recorded(&host, since, "device classes", "", Outcome::Denied)?;
    clear(&host);
    Ok(())
}

/// The number that a refusal tells.
fn number(ran: &Ran) -> Result<String, String> {
    let shown = ran.shown();
    let rest = shown.split("media confirm ").nth(1).ok_or_else(|| format!("no number in: {shown}"))?;
    Ok(rest.chars().take_while(char::is_ascii_digit).collect())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_transfer_happens_when_its_user_confirms_it() -> Result<(), String> {
    let host = Host::of_this_run()?;
    chapter("bob confirms, and nobody else does");
    set(&host, ASK)?;
    let since = newest_record(&host);
    let asked = bob(&host, "virtwarden media insert bobvm tools.iso");
    says(&asked, 3, "ask-user")?;
    insist("it is in the drive unconfirmed", in_drive(&host, "bobvm") == "-")?;
    recorded(&host, since, "media insert", "tools.iso", Outcome::Denied)?;
    let number = number(&asked)?;
    says(&bob(&host, "virtwarden media pending"), 0, "tools.iso")?;
    says(&alice(&host, &format!("virtwarden media confirm {number}")), 3, "only a User of the VM confirms")?;
    insist("alice confirmed it", in_drive(&host, "bobvm") == "-")?;
    let service = format!("systemd-run --quiet --wait --pipe --uid=bob virtwarden media confirm {number}");
    insist("a service confirmed it", !host.root(&service).succeeded() && in_drive(&host, "bobvm") == "-")?;
    told("alice, a service as bob", &format!("media confirm {number}"), "refused");
    says(&bob(&host, &format!("virtwarden media confirm {number}")), 0, "tools.iso")?;
    insist("it is not in the drive", in_drive(&host, "bobvm") == format!("{LIBRARY}/tools.iso"))?;
    recorded(&host, since, "media confirm", "tools.iso", Outcome::Success)?;
    check("eject", &bob(&host, "virtwarden media eject bobvm"))?;
    says(&bob(&host, &format!("virtwarden media confirm {number}")), 4, "no transfer")?;
    insist("replayed", in_drive(&host, "bobvm") == "-")?;
    told("bob", &format!("media confirm {number}"), "once, and not twice");
    let by_virsh = bob(&host, &format!("virsh change-media bobvm hdc --insert {LIBRARY}/notes.iso"));
    insist(&by_virsh.shown(), !by_virsh.succeeded() && in_drive(&host, "bobvm") == "-")?;
    let number = self::number(&by_virsh)?;
    says(&bob(&host, &format!("virtwarden media confirm {number}")), 0, "notes.iso")?;
    insist("it is not in the drive", in_drive(&host, "bobvm") == format!("{LIBRARY}/notes.iso"))?;
    recorded(&host, since, "media confirm", "notes.iso", Outcome::Success)?;
    check("eject", &bob(&host, "virtwarden media eject bobvm"))?;
    told("bob", "virsh change-media", "asked for, confirmed, done by policyd");
    says(&alice(&host, "virtwarden media insert bobvm tools.iso"), 0, "changed")?;
    told("alice", "media insert", "her own act is a grant");
    clear(&host);
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_confirmation_that_comes_too_late_is_none() -> Result<(), String> {
    let host = Host::of_this_run()?;
    set(&host, ASK)?;
    let number = number(&bob(&host, "virtwarden media insert bobvm tools.iso"))?;
    std::thread::sleep(std::time::Duration::from_secs(121));
    says(&bob(&host, &format!("virtwarden media confirm {number}")), 4, "no transfer")?;
    insist("it is in the drive", in_drive(&host, "bobvm") == "-")?;
    clear(&host);
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn who_watches_is_told_of_each_wish() -> Result<(), String> {
    let host = Host::of_this_run()?;
    set(&host, ASK)?;
    let watch = host.begin("bob", "timeout 8 virtwarden media watch").map_err(|error| error.to_string())?;
    std::thread::sleep(std::time::Duration::from_secs(2));
    let number = number(&bob(&host, "virtwarden media insert bobvm notes.iso"))?;
    let heard = watch.wait_with_output().map_err(|error| error.to_string())?;
    let heard = String::from_utf8_lossy(&heard.stdout).into_owned();
    clear(&host);
    insist(&format!("heard: {heard}"), heard.contains(&format!("media confirm {number}")))
}

const GREEN: &str = "/etc/virtwarden/policy.d/60-green.toml";

#[test]
#[ignore = "needs a test host: make stories"]
fn a_policy_that_nobody_confirms_goes_again() -> Result<(), String> {
    let host = Host::of_this_run()?;
    chapter("alice tries a policy");
    set(&host, NO_RULES)?;
    let since = newest_record(&host);
    check("file", &host.write(GREEN, "[information-domain.green]\nnetworks = [\"green\"]"))?;
    says(&bob(&host, "virtwarden policy reload --revert-after 5"), 3, "access denied")?;
    says(&alice(&host, "virtwarden policy reload --revert-after 5"), 0, "green")?;
    says(&alice(&host, "virtwarden policy show"), 0, "information-domain.green")?;
    std::thread::sleep(std::time::Duration::from_secs(8));
    says(&alice(&host, "virtwarden policy diff"), 0, "green")?;
    recorded(&host, since, "policy revert", "", Outcome::Success)?;
    told("alice", "policy reload --revert-after 5", "nobody confirmed: reverted");
    says(&alice(&host, "virtwarden policy confirm"), 2, "no policy is on trial")?;
    says(&alice(&host, "virtwarden policy reload --revert-after 120"), 0, "green")?;
    let since = newest_record(&host);
    host.root("systemctl reload virtwarden-policyd");
    recorded(&host, since, "policy reload", "", Outcome::Failure)?;
    check("restart", &host.root("systemctl restart virtwarden-policyd"))?;
    says(&alice(&host, "virtwarden policy diff"), 0, "green")?;
    told(
        "root",
        "systemctl reload, systemctl restart",
        "no confirmation: the policy from before is in force",
    );
    says(&alice(&host, "virtwarden policy reload --revert-after 20; virtwarden policy confirm"), 0, "stays")?;
    std::thread::sleep(std::time::Duration::from_secs(22));
    says(&alice(&host, "virtwarden policy diff"), 0, "nothing to change")?;
    told("alice", "policy confirm", "it stays");
    host.root(&format!("rm -f {GREEN}"));
    clear(&host);
    Ok(())
}

/// What is proposed is taken by the policy's own reader; what is not plugged in is not proposed.
#[test]
#[ignore = "needs a test host: make stories"]
fn alice_lets_a_class_be_proposed() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let learned = alice(&host, "virtwarden device learn --class office-sticks --grant red");
    if learned.code == 4 {
        told("alice", "device learn", "nothing is plugged in on this host");
        return says(&learned, 4, "nothing is plugged in");
    }
    check("learn", &learned)?;
    host.root("rm -rf /tmp/learned; mkdir /tmp/learned");
    let with_domain = format!("[information-domain.red]\nnetworks = [\"red\"]\n{}", learned.out);
    check("write", &host.write("/tmp/learned/50.toml", &with_domain))?;
    says(&alice(&host, "virtwarden policy check /tmp/learned"), 0, "no mistakes")
}

/// What the kernel shows of the host's devices, in a trail that stays whole.
#[test]
#[ignore = "needs a test host: make stories"]
fn the_trail_is_whole_after_all_of_it() -> Result<(), String> {
    let host = Host::of_this_run()?;
    check("verify", &alice(&host, "virtwarden audit verify"))?;
    let attempts = trail::after(&host, 0);
    let unfinished = attempts.iter().filter(|one| one.is(Kind::Attempt, Outcome::Unknown)).count();
    insist(&format!("{unfinished} unfinished"), unfinished == 0)
}
