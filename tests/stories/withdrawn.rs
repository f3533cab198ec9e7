// SPDX-License-Identifier: Apache-2.0
//! A right that is taken away is gone from the next command on, also in a virsh that is open.

use virtwarden_tests::host::Host;
use virtwarden_tests::scene::{self, alice, check};
use virtwarden_tests::shell::Shell;

/// How hidden VMs look.
const MISSING: &[&str] = &["failed to get domain", "not found"];

#[test]
#[ignore = "needs a test host: make stories"]
fn an_assignment_taken_away_hides_the_vm_in_an_open_shell() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let mut shell = Shell::open(&host, "bob")?;
    shell.must_show("domstate bobvm", &["shut off"])?;
    check("unassign", &alice(&host, "virtwarden vm unassign bobvm bob"))?;
    shell.must_show("start bobvm", MISSING)?;
    let listed = shell.ask("list --all")?;
    if listed.contains("bobvm") {
        return Err(format!("bob still lists {listed}"));
    }
    check("assign", &alice(&host, "virtwarden vm assign bobvm bob"))?;
    shell.must_show("start bobvm", &["started"])
}

#[test]
#[ignore = "needs a test host: make stories"]
fn whoever_leaves_the_group_is_refused_in_an_open_shell() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let mut shell = Shell::open(&host, "bob")?;
    shell.must_show("start bobvm", &["started"])?;
    check("leave", &host.root("gpasswd -d bob libvirt"))?;
    let refused = shell.must_show("suspend bobvm", &["access denied", "failed to get domain"]);
    check("join", &host.root("gpasswd -a bob libvirt"))?;
    refused?;
    check("untouched", &alice(&host, "virsh domstate bobvm | grep -q running"))?;
    shell.must_show("suspend bobvm", &["suspended"])
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_function_taken_from_the_role_is_refused_in_an_open_shell() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let mut shell = Shell::open(&host, "bob")?;
    let without_start = "[role.user]\ncolumn = \"user\"\ngroups = [\"libvirt\"]\nvms = \"assigned\"\n\
        functions = [\"connect-removable\", \"stop\", \"checkpoint\", \"suspend\", \"resume\"]\nalso = [\"operate\"]";
    check("rules", &host.write("/etc/virtwarden/policy.d/10-without-start.toml", without_start))?;
    check("reload", &alice(&host, "virtwarden policy reload"))?;
    let refused = shell.must_show("start bobvm", &["(Table 3, 22)"]);
    check("rules", &host.root("rm /etc/virtwarden/policy.d/10-without-start.toml"))?;
    check("reload", &alice(&host, "virtwarden policy reload"))?;
    refused?;
    shell.must_show("start bobvm", &["started"])
}

#[test]
#[ignore = "needs a test host: make stories"]
fn an_open_event_loop_hears_no_more_of_a_vm_taken_away() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let listen = "virsh -c qemu:///system event --event lifecycle --loop --timeout 8";
    let listener = host.begin("bob", listen).map_err(|e| e.to_string())?;
    std::thread::sleep(std::time::Duration::from_secs(2));
    let taken = "virsh start bobvm && virtwarden vm unassign bobvm bob && virsh destroy bobvm";
    check("taken away", &alice(&host, taken))?;
    let heard = listener.wait_with_output().map_err(|e| e.to_string())?;
    let heard = String::from_utf8_lossy(&heard.stdout).into_owned();
    if heard.contains("Started") && !heard.contains("Stopped") {
        Ok(())
    } else {
        Err(format!("bob heard {heard}"))
    }
}
