// SPDX-License-Identifier: Apache-2.0
//! Whose VM it is: an assignment is of this VM and this person, not of a name, a UUID or a uid.

use virtwarden_tests::host::Host;
use virtwarden_tests::scene::{self, BEHIND, alice, bob, check};

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
