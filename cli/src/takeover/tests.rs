// SPDX-License-Identifier: Apache-2.0
//! Stories on a host that is a directory and a script.

mod fake;
mod logins;
mod wall;

use std::os::unix::fs::MetadataExt;

use super::administrators;
use super::change::Change;
use super::disable::give_back;
use super::enable::{Enabled, enable};
use super::examine;
use super::finding::Severity;
use super::host::Host;
use super::journal::{Journal, Phase};
use super::plan::{self, Step};
use super::setuid::USB_HELPER;
use super::standing::Standing;
use super::{accounts, connections, libvirt};
use fake::Fake;

fn alice() -> Vec<String> {
    vec!["alice".to_owned()]
}

fn steps(host: &Host<'_>) -> Vec<Step> {
    plan::draw(host, &alice()).unwrap()
}

#[test]
fn enabling_and_disabling_leaves_no_trace() {
    let fake = Fake::new();
    let host = fake.host();
    let before = fake.picture();
    let done = enable(&host, &steps(&host)).unwrap();
    assert!(matches!(done, Enabled::Now));
    assert!(steps(&host).iter().all(|step| step.standing == Standing::InPlace));
    assert!(examine::everything(&host, &steps(&host)).unwrap().iter().all(|f| f.severity == Severity::Good));

    let mut journal = Journal::load(&host).unwrap().unwrap();
    give_back(&host, &mut journal).unwrap();
    assert_eq!(fake.picture(), before);
}

#[test]
fn what_was_there_before_comes_back_with_its_content_and_mode() {
    let fake = Fake::new();
    let host = fake.host();
    fake.write("/etc/systemd/system/libvirtd.socket.d/virtwarden.conf", "[Socket]\nBacklog=7\n", 0o600);
    fake.write("/etc/systemd/system/libvirtd-tls.socket", "[Socket]\nListenStream=9\n", 0o640);
    fake.link("/etc/libvirt/hooks/qemu.d/90-virtwarden", "/opt/own-hook");
    host.run("dpkg-statoverride", &["--update", "--add", "root", "disk", "0700", "/usr/sbin/libvirtd"])
        .unwrap();
    host.run("gpasswd", &["-a", "alice", accounts::ADMINISTRATORS]).unwrap();
    let before = fake.picture();

    assert!(matches!(enable(&host, &steps(&host)).unwrap(), Enabled::Now));
    assert_ne!(fake.picture(), before);
    give_back(&host, &mut Journal::load(&host).unwrap().unwrap()).unwrap();
    assert_eq!(fake.picture(), before);
}

#[test]
fn wherever_it_is_interrupted_disabling_restores_the_host() {
    let count = steps(&Fake::new().host()).len();
    for done in 0..count {
        for last in [Last::Noted, Last::Made] {
            let fake = Fake::new();
            let host = fake.host();
            let before = fake.picture();
            interrupt(&host, done, last);
            give_back(&host, &mut Journal::load(&host).unwrap().unwrap()).unwrap();
            assert_eq!(fake.picture(), before, "after {done} steps, {last:?}");
        }
    }
}

/// How far the last step came.
#[derive(Clone, Copy, Debug)]
enum Last {
    Noted,
    Made,
}

fn interrupt(host: &Host<'_>, done: usize, last: Last) {
    let mut journal = Journal::begin(libvirt::running(host).unwrap());
    for (index, step) in steps(host).iter().enumerate().take(done + 1) {
        journal.note(host, &step.change).unwrap();
        if index < done || matches!(last, Last::Made) {
            step.change.make(host).unwrap();
        }
    }
}

#[test]
fn an_interrupted_disable_is_finished_by_the_next() {
    for done in 0..steps(&Fake::new().host()).len() {
        let fake = Fake::new();
        let host = fake.host();
        let before = fake.picture();
        let _enabled = enable(&host, &steps(&host)).unwrap();
        let journal = Journal::load(&host).unwrap().unwrap();
        for entry in journal.entries.iter().rev().take(done) {
            entry.restore(&host).unwrap();
        }
        give_back(&host, &mut Journal::load(&host).unwrap().unwrap()).unwrap();
        assert_eq!(fake.picture(), before, "after {done} entries");
    }
}

#[test]
fn a_monitor_that_does_not_start_means_no_takeover() {
    let fake = Fake::new();
    let host = fake.host();
    let before = fake.picture();
    fake.break_unit("virtwarden-policyd.service");
    assert!(matches!(enable(&host, &steps(&host)).unwrap(), Enabled::RolledBack(_)));
    assert_eq!(fake.picture(), before);
}

#[test]
fn whichever_program_of_the_host_fails_the_host_can_be_restored() {
    // Not each one: every change costs a sync.
    for working in (0..600).step_by(7) {
        let fake = Fake::new();
        let host = fake.host();
        let before = fake.picture();
        let plan = steps(&host);
        fake.fail_after(working);
        let result = enable(&host, &plan);
        fake.fail_after(usize::MAX);
        if matches!(result, Ok(Enabled::Now)) {
            assert!(working > plan.len(), "it failed nowhere");
            return;
        }
        if let Some(mut journal) = Journal::load(&host).unwrap() {
            give_back(&host, &mut journal).unwrap();
        }
        assert_eq!(fake.picture(), before, "program {working}");
    }
    panic!("it never worked");
}

#[test]
fn a_stop_that_systemd_cancels_is_asked_for_again() {
    let fake = Fake::new();
    let host = fake.host();
    let before = fake.picture();
    let _enabled = enable(&host, &steps(&host)).unwrap();
    fake.cancel_a_stop();
    give_back(&host, &mut Journal::load(&host).unwrap().unwrap()).unwrap();
    assert_eq!(fake.picture(), before);
}

#[test]
fn a_second_enable_repairs_what_drifted_and_remembers_the_first_state() {
    let fake = Fake::new();
    let host = fake.host();
    let before = fake.picture();
    assert!(matches!(enable(&host, &steps(&host)).unwrap(), Enabled::Now));
    assert!(matches!(enable(&host, &steps(&host)).unwrap(), Enabled::Already));

    fake.write("/etc/systemd/system/libvirtd.socket.d/virtwarden.conf", "[Socket]\nSocketMode=0666\n", 0o644);
    let findings = examine::everything(&host, &steps(&host)).unwrap();
    assert!(findings.iter().any(|f| f.severity == Severity::Problem && f.what.contains("libvirtd.socket.d")));
    assert!(matches!(enable(&host, &steps(&host)).unwrap(), Enabled::Now));
    assert!(steps(&host).iter().all(|step| step.standing == Standing::InPlace));

    give_back(&host, &mut Journal::load(&host).unwrap().unwrap()).unwrap();
    assert_eq!(fake.picture(), before);
}

#[test]
fn a_host_in_service_stays_closed_when_a_repair_fails() {
    let fake = Fake::new();
    let host = fake.host();
    let _enabled = enable(&host, &steps(&host)).unwrap();
    fake.break_unit("virtwarden-policyd.service");
    host.run("systemctl", &["stop", "virtwarden-policyd.service"]).unwrap();
    enable(&host, &steps(&host)).unwrap_err();
    assert_eq!(Journal::load(&host).unwrap().unwrap().phase, Phase::Enabling);
    assert!(host.has("/etc/systemd/system/libvirtd.socket.d/virtwarden.conf"));
    assert!(host.has(plan::POLKIT_RULE));
}

#[test]
fn another_administrator_costs_nobody_his_connection() {
    let fake = Fake::new();
    let host = fake.host();
    let _enabled = enable(&host, &steps(&host)).unwrap();
    fake.forget_commands();
    let plan = plan::draw(&host, &["carol".to_owned()]).unwrap();
    assert!(matches!(enable(&host, &plan).unwrap(), Enabled::Now));
    assert!(!fake.commands().iter().any(|command| command.starts_with("systemctl stop")));
    assert!(accounts::members(&host, accounts::ADMINISTRATORS).unwrap().contains("carol"));
}

#[test]
fn somebody_must_be_administrator_and_root_does_not_count() {
    let fake = Fake::new();
    let host = fake.host();
    administrators::check(&host, &[]).unwrap_err();
    administrators::check(&host, &["root".to_owned()]).unwrap_err();
    administrators::check(&host, &["libvirt-qemu".to_owned()]).unwrap_err();
    administrators::check(&host, &["nobody-of-that-name".to_owned()]).unwrap_err();
    administrators::check(&host, &alice()).unwrap();
    host.run("gpasswd", &["-a", "alice", accounts::ADMINISTRATORS]).unwrap();
    administrators::check(&host, &[]).unwrap();
}

#[test]
fn the_policy_says_who_is_administrator() {
    let role = "column = \"administrator\"\nfunctions = \"all\"\nalso = [\"administer\"]\n";
    let fake = Fake::new();
    let host = fake.host();
    fake.write(
        "/etc/virtwarden/policy.d/50-site.toml",
        &format!("[role.boss]\nusers = [\"carol\"]\n{role}"),
        0o644,
    );
    administrators::check(&host, &[]).unwrap();
    assert_eq!(administrators::present(&host).unwrap().into_iter().collect::<Vec<_>>(), ["carol"]);

    fake.write(
        "/etc/virtwarden/policy.d/90-default.toml",
        &format!("[role.a]\nusers = [\"root\"]\n{role}"),
        0o644,
    );
    administrators::check(&host, &alice()).unwrap_err();

    fake.write("/etc/virtwarden/policy.d/50-site.toml", "[role.boss", 0o644);
    administrators::check(&host, &[]).unwrap_err();
}

#[test]
fn separate_daemons_are_refused_and_so_is_a_masked_socket() {
    let fake = Fake::new();
    let host = fake.host();
    libvirt::check(&host).unwrap();
    fake.link("/etc/systemd/system/libvirtd.socket", "/dev/null");
    libvirt::check(&host).unwrap_err();

    let fake = Fake::new();
    let host = fake.host();
    fake.write("/usr/lib/systemd/system/virtqemud.socket", "", 0o644);
    libvirt::check(&host).unwrap();
    host.run("systemctl", &["start", "virtqemud.socket"]).unwrap();
    libvirt::check(&host).unwrap_err();
}

#[test]
fn members_of_strong_groups_are_named() {
    let fake = Fake::new();
    let host = fake.host();
    assert!(accounts::too_strong(&host).unwrap().is_empty(), "libvirt-qemu is a service and belongs to kvm");
    host.run("gpasswd", &["-a", "carol", "kvm"]).unwrap();
    assert!(
        accounts::too_strong(&host).unwrap().iter().any(|line| line.starts_with("carol is in group kvm"))
    );
}

#[test]
fn a_libvirtd_on_the_public_socket_is_found() {
    let fake = Fake::new();
    let host = fake.host();
    fake.answer(
        "ss -xlpnH",
        "u_str LISTEN 0 4096 /run/libvirt/libvirt-sock 77 * 0 users:((\"libvirtd\",pid=9,fd=8))\n",
    );
    let holders = connections::listeners(&host).unwrap();
    assert_eq!(holders.into_iter().collect::<Vec<_>>(), ["libvirtd (process 9)"]);
    assert!(examine::verify(&host).is_err());
}

#[test]
fn connected_programs_are_named() {
    let fake = Fake::new();
    let host = fake.host();
    fake.answer(
        "ss -xpnH",
        "u_str ESTAB 0 0 /run/libvirt/libvirt-sock 71 * 70 users:((\"libvirtd\",pid=9,fd=21))\n\
         u_str ESTAB 0 0 * 70 * 71 users:((\"virsh\",pid=12,fd=5))\n\
         u_str ESTAB 0 0 /run/other 81 * 80 users:((\"x\",pid=1,fd=5))\n\
         u_str ESTAB 0 0 * 80 * 81 users:((\"y\",pid=2,fd=5))\n",
    );
    let clients = connections::clients(&host).unwrap();
    assert_eq!(clients.into_iter().collect::<Vec<_>>(), ["virsh (process 12)"]);
}

#[test]
fn a_rule_that_polkit_asks_earlier_is_found() {
    let fake = Fake::new();
    let host = fake.host();
    let _enabled = enable(&host, &steps(&host)).unwrap();
    fake.write("/etc/polkit-1/rules.d/00-a.rules", "", 0o644);
    let findings = examine::everything(&host, &steps(&host)).unwrap();
    assert!(findings.iter().any(|f| f.severity == Severity::Problem && f.what.contains("00-a.rules")));
}

#[test]
fn what_the_machine_lacks_and_who_listens_on_the_network_is_named() {
    let fake = Fake::new();
    let host = fake.host();
    let _enabled = enable(&host, &steps(&host)).unwrap();
    std::fs::remove_file(host.path("/dev/kvm")).unwrap();
    fake.answer("timedatectl show --property=NTPSynchronized --value", "no\n");
    fake.answer("ss -ltnpH", "LISTEN 0 128 0.0.0.0:16509 0.0.0.0:* users:((\"libvirtd\",pid=9,fd=4))\n");
    let findings = examine::everything(&host, &steps(&host)).unwrap();
    for (severity, what) in [
        (Severity::Warning, "there is no /dev/kvm"),
        (Severity::Warning, "nobody keeps this host's clock right"),
        (Severity::Problem, "libvirtd (0.0.0.0:16509) listens on the network"),
    ] {
        let named = findings.iter().find(|f| f.severity == severity && f.what.contains(what));
        assert!(named.is_some_and(|f| !f.remedy.is_empty()), "{what}: {findings:?}");
    }
}

#[test]
fn a_journal_that_others_can_write_is_not_believed() {
    let fake = Fake::new();
    let host = fake.host();
    let _enabled = enable(&host, &steps(&host)).unwrap();
    fake.set_mode(super::journal::PATH, 0o666);
    Journal::load(&host).unwrap_err();
}

#[test]
fn a_bridge_helper_that_runs_as_root_is_a_problem() {
    let fake = Fake::new();
    let host = fake.host();
    let _enabled = enable(&host, &steps(&host)).unwrap();
    let helper = "/usr/lib/qemu/qemu-bridge-helper";
    for (mode, problems) in [(0o755, 0), (0o4755, 1), (0o4750, 1)] {
        fake.write(helper, "", mode);
        let findings = examine::everything(&host, &steps(&host)).unwrap();
        let named = findings.iter().filter(|f| f.severity == Severity::Problem && f.what.starts_with(helper));
        assert_eq!(named.count(), problems, "{mode:o}");
    }
}

#[test]
fn the_usb_helper_is_closed_whenever_it_comes_and_given_back_as_packaged() {
    for installed in [When::Before, When::Meanwhile] {
        let fake = Fake::new();
        let host = fake.host();
        if installed == When::Before {
            fake.write(USB_HELPER, "", 0o4755);
        }
        let _enabled = enable(&host, &steps(&host)).unwrap();
        if installed == When::Meanwhile {
            // dpkg heeds its list.
            fake.write(USB_HELPER, "", 0o750);
        }
        assert_eq!(mode(&host, USB_HELPER), 0o750);
        give_back(&host, &mut Journal::load(&host).unwrap().unwrap()).unwrap();
        assert_eq!(mode(&host, USB_HELPER), 0o4755, "{installed:?}");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Before,
    Meanwhile,
}

fn mode(host: &Host<'_>, path: &str) -> u32 {
    host.path(path).metadata().unwrap().mode() & 0o7777
}

#[test]
fn every_part_of_the_plan_is_there() {
    let fake = Fake::new();
    let host = fake.host();
    fake.write("/usr/lib/systemd/system/libvirt-dbus.service", "", 0o644);
    let made: Vec<String> = steps(&host).iter().map(|step| step.change.to_string()).collect();
    for wanted in [
        "account alice joins group virtwarden-admin",
        "/etc/systemd/system/libvirtd.socket.d/virtwarden.conf",
        "/etc/systemd/system/libvirtd-ro.socket.d/virtwarden.conf",
        "/etc/systemd/system/libvirtd-admin.socket.d/virtwarden.conf",
        "/etc/systemd/system/libvirtd.service.d/virtwarden.conf",
        "/etc/systemd/system/libvirtd-tcp.socket -> /dev/null",
        "/etc/systemd/system/libvirtd-tls.socket -> /dev/null",
        "/etc/systemd/system/libvirt-dbus.service -> /dev/null",
        "/etc/dbus-1/system.d/virtwarden-libvirt-dbus.conf",
        "/etc/polkit-1/rules.d/00-virtwarden.rules",
        "/usr/bin/qemu-system-x86_64 root:kvm 0750",
        "/usr/bin/qemu-system-site root:kvm 0750",
        "/usr/bin/qemu-system-arm root:kvm 0750",
        "/usr/sbin/libvirtd root:root 0750",
        "/usr/libexec/spice-client-glib-usb-acl-helper root:root 0750",
        "/etc/udev/rules.d/72-virtwarden-kvm.rules",
        "/dev/kvm root:kvm 0660, no access list",
        "/etc/libvirt/hooks/qemu.d/90-virtwarden -> /usr/sbin/virtwarden-hook",
        "/etc/libvirt/hooks/network.d/90-virtwarden -> /usr/sbin/virtwarden-hook",
    ] {
        assert!(made.iter().any(|line| line == wanted), "{wanted}");
    }
    let link = Change::Link { path: "/usr/bin/qemu-system-amd64".into(), target: String::new() };
    assert!(!steps(&host).iter().any(|step| step.change.same_place(&link)), "a link is not an emulator");
}

#[test]
fn images_that_everybody_reads_are_named_and_no_others() {
    let fake = Fake::new();
    let host = fake.host();
    let images = "/var/lib/libvirt/images";
    for (name, mode) in
        [("open.qcow2", 0o644), ("closed.qcow2", 0o600), ("group.img", 0o640), ("debian.iso", 0o644)]
    {
        fake.write(&format!("{images}/{name}"), "", mode);
    }
    fake.set_mode(images, 0o711);
    let found = super::images::look(&host);
    let told: Vec<_> = found.iter().map(|one| (one.severity, one.remedy.as_str())).collect();
    assert_eq!(told, [(Severity::Warning, "`chmod 0600 /var/lib/libvirt/images/open.qcow2`")]);
    fake.set_mode(images, 0o700);
    assert!(super::images::look(&host).is_empty(), "nobody gets there");
    fake.set_mode(images, 0o711);
    (0..9).for_each(|number| fake.write(&format!("{images}/{number}.img"), "", 0o604));
    let found = super::images::look(&host);
    assert_eq!((found.len(), found[5].what.as_str()), (6, "and 5 more such files"));
}
