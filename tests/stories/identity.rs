// SPDX-License-Identifier: Apache-2.0
//! Whose VM it is: an assignment is of this VM and this person, not of a name, a UUID or a uid.

use virtwarden_core::record::Kind;
use virtwarden_tests::host::Host;
use virtwarden_tests::scene::{self, BEHIND, alice, bob, check};
use virtwarden_tests::shell::Shell;
use virtwarden_tests::trail;

#[test]
#[ignore = "needs a test host: make stories"]
fn a_renamed_vm_stays_his() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    check("rename", &alice(&host, "virsh domrename bobvm evening"))?;
    check("his", &bob(&host, "virsh start evening && virsh destroy evening"))?;
    check("listed", &alice(&host, "virtwarden vm list | grep -q 'evening.*bob'"))?;
    insist_hidden(&host, "bobvm")?;
    check("rename", &alice(&host, "virsh domrename evening bobvm"))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_new_vm_with_the_uuid_of_his_old_one_is_not_his() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let again = "virsh dumpxml bobvm > /tmp/again.xml && virsh undefine bobvm && virsh define /tmp/again.xml; \
        r=$?; rm /tmp/again.xml; exit $r";
    check("anew", &alice(&host, again))?;
    insist_hidden(&host, "bobvm")
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_vm_that_root_defines_behind_the_gate_is_nobodys() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let definition = scene::definition("behind", &scene::vm_type(&host));
    check("write", &host.write("/srv/vms/behind.xml", &definition))?;
    check("define", &host.root(&format!("virsh -c '{BEHIND}' define /srv/vms/behind.xml")))?;
    insist_hidden(&host, "behind")?;
    check("alice sees it", &alice(&host, "virsh domstate behind"))
}

/// Undefines bobvm past the gate and defines another VM with its UUID; both through one virsh, without a pause.
const REPLACE: &str = "set -e; cd /srv/vms; virsh -c \"$B\" dumpxml bobvm > same.xml; \
    sed 's/bobvm/other/g' same.xml > other.xml; virsh -c \"$B\" 'undefine bobvm; define /srv/vms/other.xml'";

#[test]
#[ignore = "needs a test host: make stories"]
fn a_vm_that_root_replaces_behind_the_gate_is_not_his() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let mut shell = Shell::open(&host, "bob")?;
    shell.must_show("domstate bobvm", &["shut off"])?;
    let begin = trail::end(&host);
    check("replace", &host.root(&format!("B='{BEHIND}'; {REPLACE}")))?;
    insist_hidden(&host, "other")?;
    insist_hidden(&host, "bobvm")?;
    shell.must_show("domstate other", &["failed to get domain"])?;
    check("alice sees it", &alice(&host, "virsh domstate other"))?;
    trail::until(&host, begin, |records| {
        let seen = || records.iter().filter(|record| record.event.kind == Kind::Observation);
        let about = |operation: &str, vm: &str, words: &str| {
            let mut about =
                seen().filter(|record| record.event.operation == operation && record.is_about(vm));
            about.any(|record| record.event.detail.contains(words))
        };
        if about("registry forget", "bobvm", "-user bob") && about("vm appeared", "other", "") {
            return Ok(());
        }
        Err(format!("on record: {:?}", seen().collect::<Vec<_>>()))
    })
}

#[test]
#[ignore = "needs a test host: make stories"]
fn what_root_does_while_the_monitor_is_away_is_noticed_when_it_is_back() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    check("bob's transient VM", &alice(&host, "virsh start bobvm && virsh undefine bobvm"))?;
    let units = "virtwarden-policyd.service virtwarden-policyd.socket virtwarden-policyd-ro.socket \
        virtwarden-control.socket";
    check("away", &host.root(&format!("systemctl stop {units}")))?;
    let undefined = host.root(&format!("virsh -c '{BEHIND}' undefine finance"));
    check("back", &host.root(&format!("systemctl start {units}")))?;
    check("undefined", &undefined)?;
    check("still his", &bob(&host, "virsh domstate bobvm | grep -q running"))?;
    trail::eventually(|| {
        let listed = alice(&host, "virtwarden vm list; virtwarden status");
        check("listed", &listed)?;
        if listed.shown().contains("finance") { Err(listed.shown()) } else { Ok(()) }
    })
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_transient_vm_that_is_saved_stays_his() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    check("transient", &alice(&host, "virsh start bobvm && virsh undefine bobvm"))?;
    let uuid = bob(&host, "virsh domuuid bobvm").out.trim().to_owned();
    let image = format!("/var/lib/virtwarden/saved/{uuid}/one");
    check("save", &bob(&host, &format!("virsh save bobvm {image}")))?;
    check("restart", &host.root("systemctl restart virtwarden-policyd"))?;
    let restored = alice(&host, &format!("virsh restore {image}"));
    host.root(&format!("rm -f {image}"));
    check("restore", &restored)?;
    check("his", &bob(&host, "virsh domstate bobvm | grep -q running"))?;
    check("gone", &bob(&host, "virsh destroy bobvm"))?;
    let listed = alice(&host, "virtwarden vm list");
    if listed.shown().contains(&uuid) { Err(listed.shown()) } else { Ok(()) }
}

#[test]
#[ignore = "needs a test host: make stories"]
fn an_account_that_inherits_a_uid_inherits_no_vm() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    host.root("userdel carol; userdel successor");
    check("account", &host.root("useradd -u 4242 -G libvirt carol"))?;
    check("assign", &alice(&host, "virtwarden vm assign bobvm carol"))?;
    check("hers", &host.root("runuser -u carol -- virsh -c qemu:///system domstate bobvm"))?;
    check("account", &host.root("userdel carol && useradd -u 4242 -G libvirt successor"))?;
    let seen = host.root("runuser -u successor -- virsh -c qemu:///system list --all --name");
    check("lists", &seen)?;
    host.root("userdel successor");
    if seen.out.trim().is_empty() { Ok(()) } else { Err(format!("the successor sees {}", seen.out)) }
}

fn insist_hidden(host: &Host, vm: &str) -> Result<(), String> {
    let ran = bob(host, &format!("virsh start {vm}"));
    let listed = bob(host, "virsh list --all --name");
    if ran.shown().contains("failed to get domain") && !listed.out.lines().any(|name| name == vm) {
        Ok(())
    } else {
        Err(format!("bob sees `{vm}`: {} {}", ran.shown(), listed.out))
    }
}
