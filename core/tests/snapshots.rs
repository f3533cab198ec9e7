// SPDX-License-Identifier: Apache-2.0
//! What snapshots, checkpoints and backups need.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test is a panic")]

use virtwarden_core::policy::request::Right::{self, Administer, Function as F};
use virtwarden_core::table3::Function::{
    Checkpoint, ConfigureDevices as Devices, ConfigureNetworks as Networks, ConfigureSharing as Sharing,
    ConfigureVms as Vms, Stop,
};
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::snapshot::{SnapshotRequest, backup, checkpoint, snapshot};

const REDEFINE: u32 = 1;
const UUID: &str = "<uuid>6f1c9ad4-0b1e-4a39-9e0b-7d6a0c5a1f22</uuid>";

fn vm(devices: &str) -> String {
    format!("<domain type='kvm'><name>bobvm</name>{UUID}<devices>{devices}</devices></domain>")
}

fn present() -> Definition {
    Definition::parse(vm("<sound model='ich9'/>")).unwrap()
}

fn rights(request: &SnapshotRequest) -> Vec<Right> {
    let mut rights: Vec<Right> = request.changes.iter().map(|change| change.right).collect();
    rights.sort();
    rights.dedup();
    rights
}

fn assert_snapshot(flags: u32, inner: &str, expected: &[Right]) {
    let request =
        snapshot(format!("<domainsnapshot>{inner}</domainsnapshot>"), flags, &[&present()]).unwrap();
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(rights(&request), expected, "flags {flags}: {inner}");
}

#[test]
fn a_snapshot_inside_the_disks_needs_the_right_to_checkpoint() {
    for inner in [
        "",
        "<name>s</name><description>before the update</description>",
        "<memory snapshot='internal'/>",
        "<memory snapshot='no'/><disks><disk name='vda' snapshot='internal'/><disk name='vdb' snapshot='no'/></disks>",
    ] {
        assert_snapshot(0, inner, &[F(Checkpoint)]);
        assert_snapshot(2 | 64 | 128 | 256 | 512, inner, &[F(Checkpoint)]);
    }
}

#[test]
fn files_and_flags_need_more() {
    let table: &[(u32, &str, &[Right])] = &[
        (0, "<memory snapshot='external'/>", &[F(Vms)]),
        (0, "<memory file='/var/lib/libvirt/images/m'/>", &[F(Vms), Administer]),
        (0, "<memory file='/tmp/m'/>", &[F(Vms), Administer]),
        (0, "<memory file='m'/>", &[F(Vms), Administer]),
        (0, "<memory snapshot='new'/>", &[F(Vms)]),
        (0, "<disks><disk name='vda' snapshot='external'/></disks>", &[F(Vms)]),
        (0, "<disks><disk name='vda'><source file='/var/lib/libvirt/images/d'/></disk></disks>", &[F(Vms)]),
        (0, "<disks><disk name='vda'><source file='/tmp/d'/></disk></disks>", &[F(Vms), Administer]),
        (0, "<disks><disk name='vda'><source file='d'/></disk></disks>", &[F(Vms), Administer]),
        (
            0,
            "<disks><disk name='vda' type='block'><source dev='/dev/sda'/></disk></disks>",
            &[F(Vms), F(Devices)],
        ),
        (0, "<disks><surprise/></disks>", &[Administer]),
        (0, "<surprise/>", &[Administer]),
        (0, "<memory surprise='1'/>", &[Administer]),
        (0, "<state>running</state>", &[F(Vms)]),
        (REDEFINE, "", &[F(Vms)]),
        (4, "", &[F(Vms)]),
        (8, "", &[F(Stop)]),
        (16, "", &[F(Vms)]),
        (32, "", &[Administer]),
        (1 << 30, "", &[Administer]),
    ];
    for (flags, inner, expected) in table {
        assert_snapshot(*flags, inner, &[&[F(Checkpoint)], *expected].concat());
    }
}

#[test]
fn a_redefined_snapshot_brings_its_definitions_into_the_judgement() {
    let same = vm("<sound model='ich9'/>");
    assert_snapshot(REDEFINE, &same, &[F(Checkpoint), F(Vms)]);
    let nic = vm("<sound model='ich9'/><interface type='network'/>");
    assert_snapshot(REDEFINE, &nic, &[F(Checkpoint), F(Vms), F(Networks)]);
    let inactive = nic.replace("domain type", "inactiveDomain type").replace("/domain>", "/inactiveDomain>");
    assert_snapshot(REDEFINE, &format!("{same}{inactive}"), &[F(Checkpoint), F(Vms), F(Networks)]);
    let other = same.replace("6f1c9ad4", "00000000");
    assert_snapshot(REDEFINE, &other, &[F(Checkpoint), F(Vms), Administer]);
}

#[test]
fn what_an_earlier_snapshot_already_holds_is_no_change() {
    let text = format!("<domainsnapshot>{}</domainsnapshot>", vm("<interface type='network'/>"));
    let earlier = Definition::parse(vm("<interface type='network'/>")).unwrap();
    let request = snapshot(text, REDEFINE, &[&present(), &earlier]).unwrap();
    assert_eq!(rights(&request), [F(Vms), F(Checkpoint)]);
    assert_eq!(request.definitions, [earlier]);
}

#[test]
fn a_redefined_snapshot_without_a_known_vm_is_a_new_one() {
    let text = format!("<domainsnapshot>{}</domainsnapshot>", vm("<interface type='network'/>"));
    assert!(rights(&snapshot(text, REDEFINE, &[]).unwrap()).contains(&F(Networks)));
}

#[test]
fn a_checkpoint_needs_the_right_to_checkpoint() {
    let judge = |flags, inner: &str| {
        let text = format!("<domaincheckpoint>{inner}</domaincheckpoint>");
        rights(&checkpoint(text, flags, &[&present()]).unwrap())
    };
    assert_eq!(
        judge(0, "<name>c</name><disks><disk name='vda' checkpoint='bitmap'/></disks>"),
        [F(Checkpoint)]
    );
    assert_eq!(judge(2 | 4, ""), [F(Checkpoint)]);
    assert_eq!(judge(1, ""), [F(Vms), F(Checkpoint)]);
    assert_eq!(judge(8, ""), [F(Checkpoint), Administer]);
    assert_eq!(judge(0, "<surprise/>"), [F(Checkpoint), Administer]);
    assert_eq!(judge(1, &vm("<interface type='network'/>")), [F(Vms), F(Networks), F(Checkpoint)]);
}

#[test]
fn a_backup_takes_the_content_away() {
    let push = backup("<domainbackup mode='push'><disks><disk name='vda'/></disks></domainbackup>").unwrap();
    assert_eq!(rights(&push), [F(Sharing), F(Checkpoint), Administer]);
    let block = "<domainbackup><disks><disk name='vda' type='block'><target dev='/dev/sdb'/></disk></disks></domainbackup>";
    assert!(rights(&backup(block).unwrap()).contains(&F(Devices)));
}

#[test]
fn another_document_is_refused() {
    assert!(snapshot("<domain/>", 0, &[]).is_err());
    assert!(checkpoint("<domainsnapshot/>", 0, &[]).is_err());
    assert!(backup("<domaincheckpoint/>").is_err());
    assert!(snapshot("<domainsnapshot><domain/></domainsnapshot>", 0, &[]).is_err());
}
