// SPDX-License-Identifier: Apache-2.0
//! Which rights the parts of a definition other than devices need.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

use virtwarden_core::policy::request::Right::{self, Administer, Function as F, Raw};
use virtwarden_core::table3::Function::{
    ConfigureDevices as Devices, ConfigureNetworks as Networks, ConfigureSharing as Sharing,
    ConfigureVms as Vms, Cryptography, Hypercalls,
};
use virtwarden_core::xml::change::{Form, changes, changes_from_any};
use virtwarden_core::xml::definition::Definition;

fn vm(inner: &str) -> Definition {
    Definition::parse(format!("<domain type='kvm'><name>bobvm</name>{inner}</domain>")).unwrap()
}

fn rights(old: &str, new: &str) -> Vec<Right> {
    let mut rights: Vec<Right> =
        changes(Some(&vm(old)), &vm(new), Form::Stored).iter().map(|change| change.right).collect();
    rights.sort();
    rights.dedup();
    rights
}

/// Adding it, removing it and having it from the start need the same.
fn assert_needs(table: &[(&str, &[Right])]) {
    for (inner, expected) in table {
        let mut expected = expected.to_vec();
        expected.sort();
        assert_eq!(rights("", inner), expected, "added: {inner}");
        assert_eq!(rights(inner, ""), expected, "removed: {inner}");
        assert!(rights(inner, inner).is_empty());
    }
}

#[test]
fn parts_of_a_vm() {
    assert_needs(&[
        ("<title>t</title>", &[F(Vms)]),
        ("<memory>1</memory>", &[F(Vms)]),
        ("<vcpu>1</vcpu>", &[F(Vms)]),
        ("<on_crash>destroy</on_crash>", &[F(Vms)]),
        ("<cputune><shares>1</shares></cputune>", &[F(Vms)]),
        ("<cputune><surprise/></cputune>", &[F(Vms), Administer]),
        ("<blkiotune><device><path>/dev/sda</path></device></blkiotune>", &[F(Vms), F(Devices)]),
        ("<metadata><a xmlns='urn:other'/></metadata>", &[F(Vms)]),
        ("<metadata><a xmlns='urn:virtwarden:vm:1'/></metadata>", &[F(Vms), Administer]),
        (
            "<metadata><a xmlns='urn:other'><b xmlns='urn:virtwarden:vm:1'/></a></metadata>",
            &[F(Vms), Administer],
        ),
        ("<memoryBacking><hugepages/></memoryBacking>", &[F(Vms)]),
        ("<memoryBacking><access mode='shared'/></memoryBacking>", &[F(Vms), F(Sharing)]),
        ("<memoryBacking><source type='file'/></memoryBacking>", &[F(Vms), F(Sharing)]),
        ("<features><acpi/></features>", &[F(Vms)]),
        ("<features><hyperv mode='passthrough'/></features>", &[F(Vms), F(Hypercalls)]),
        ("<features><kvm><hidden state='on'/></kvm></features>", &[F(Vms), F(Hypercalls)]),
        ("<features><surprise/></features>", &[F(Vms), Administer]),
        ("<clock offset='utc'/>", &[F(Vms)]),
        ("<clock><timer name='hypervclock' present='yes'/></clock>", &[F(Vms), F(Hypercalls)]),
        ("<cpu mode='host-model'/>", &[F(Vms)]),
        ("<cpu><feature policy='require' name='hv-relaxed'/></cpu>", &[F(Vms), F(Hypercalls)]),
        ("<sysinfo type='smbios'/>", &[F(Vms)]),
        ("<sysinfo type='fwcfg'><entry name='a' file='x'/></sysinfo>", &[F(Vms), Administer]),
        ("<seclabel type='dynamic' model='dac' relabel='yes'/>", &[F(Vms)]),
        ("<seclabel type='none'/>", &[F(Vms), Administer]),
        ("<seclabel type='static' model='dac'><label>0:0</label></seclabel>", &[F(Vms), Administer]),
        ("<resource><partition>/machine</partition></resource>", &[F(Vms)]),
        ("<resource><partition>/</partition></resource>", &[F(Vms), Administer]),
        ("<keywrap><cipher name='aes' state='on'/></keywrap>", &[F(Cryptography)]),
        ("<launchSecurity type='sev'/>", &[F(Cryptography), Administer]),
        ("<bootloader>/bin/sh</bootloader>", &[Raw]),
        ("<idmap/>", &[F(Vms), Administer]),
        ("<surprise/>", &[F(Vms), Administer]),
    ]);
}

#[test]
fn what_boots_a_vm() {
    assert_needs(&[
        ("<os><type>hvm</type><boot dev='hd'/></os>", &[F(Vms)]),
        ("<os firmware='efi'/>", &[F(Vms)]),
        ("<os><loader type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader></os>", &[F(Vms)]),
        ("<os><loader>/tmp/x</loader></os>", &[F(Vms), Administer]),
        ("<os><loader>x</loader></os>", &[F(Vms), Administer]),
        ("<os><nvram/></os>", &[F(Vms)]),
        ("<os><nvram template='/tmp/x'/></os>", &[F(Vms), Administer]),
        ("<os><nvram>/var/lib/libvirt/qemu/nvram/other_VARS.fd</nvram></os>", &[F(Vms), Administer]),
        ("<os><nvram type='file'><source file='x'/></nvram></os>", &[F(Vms), Administer]),
        ("<os><kernel>vmlinuz</kernel></os>", &[F(Vms), Administer]),
        ("<os><initrd>x</initrd></os>", &[F(Vms), Administer]),
        ("<os><dtb>x</dtb></os>", &[F(Vms), Administer]),
        ("<os><shim>x</shim></os>", &[F(Vms), Administer]),
        ("<os><acpi><table type='slic'>x</table></acpi></os>", &[F(Vms), Administer]),
        ("<os><init>/bin/sh</init></os>", &[F(Vms), Administer]),
        ("<os><surprise/></os>", &[F(Vms), Administer]),
    ]);
}

#[test]
fn extensions_are_raw() {
    let qemu = "http://libvirt.org/schemas/domain/qemu/1.0";
    for part in ["commandline", "capabilities", "override", "deprecation"] {
        assert_needs(&[(&format!("<q:{part} xmlns:q='{qemu}'/>"), &[Raw])]);
        assert_eq!(vm(&format!("<q:{part} xmlns:q='{qemu}'/>")).facts().raw, [format!("qemu:{part}")]);
    }
    assert_needs(&[("<commandline/>", &[F(Vms), Administer])]);
}

#[test]
fn a_vm_may_be_made_with_an_identity_but_not_given_another() {
    let uuid = |first| format!("<uuid>{first}f1c9ad4-0b1e-4a39-9e0b-7d6a0c5a1f22</uuid>");
    let made = changes(None, &vm(&uuid(6)), Form::Stored);
    assert!(made.iter().all(|change| change.right == F(Vms)));
    assert_eq!(rights(&uuid(6), &uuid(7)), [F(Vms), Administer]);
    assert_eq!(rights(&uuid(6), ""), [F(Vms), Administer]);
}

#[test]
fn a_name_is_what_people_see() {
    for name in ["", " ", " bobvm", "bobvm\n", "bob\tvm"] {
        assert!(Definition::parse(format!("<domain><name>{name}</name></domain>")).is_err(), "{name:?}");
    }
    assert!(Definition::parse("<domain/>").is_err());
    assert!(Definition::parse("<domain><name>a</name><uuid>x</uuid></domain>").is_err());
    assert!(Definition::parse("<network><name>a</name></network>").is_err());
}

#[test]
fn order_and_layout_do_not_matter() {
    let (nic, sound) = ("<interface type='user'/>", "<sound model='ich9'/>");
    let one = vm(&format!("<memory unit='KiB'>1</memory><devices>{nic}{sound}{nic}</devices>"));
    let other = vm(&format!("<devices>{nic} {nic}\n{sound}</devices><memory unit='KiB'>1</memory>"));
    assert!(changes(Some(&one), &other, Form::Stored).is_empty());
    let fewer = vm(&format!("<devices>{nic}{sound}</devices><memory unit='KiB'>1</memory>"));
    let found = changes(Some(&one), &fewer, Form::Stored);
    assert_eq!(
        found.iter().map(|c| (c.right, c.summary.as_str())).collect::<Vec<_>>(),
        [(F(Networks), "removed: interface: user")]
    );
    let boot = |order: &str| vm(&format!("<os>{order}</os>"));
    let (disk_first, net_first) =
        (boot("<boot dev='hd'/><boot dev='network'/>"), boot("<boot dev='network'/><boot dev='hd'/>"));
    assert!(!changes(Some(&disk_first), &net_first, Form::Stored).is_empty());
}

#[test]
fn what_any_present_definition_is_already_is_no_change() {
    let (a, b, c) = (vm("<memory>1</memory>"), vm("<memory>2</memory>"), vm("<memory>3</memory>"));
    assert!(changes_from_any(&[&a, &b], &b, Form::Stored).is_empty());
    assert_eq!(changes_from_any(&[&a, &b], &c, Form::Stored), changes(Some(&a), &c, Form::Stored));
    assert_eq!(changes_from_any(&[], &c, Form::Stored), changes(None, &c, Form::Stored));
}

#[test]
fn a_flood_of_changes_stays_short_and_keeps_every_right() {
    let flood: String = (0..20_000).map(|n| format!("<surprise{n}/>")).collect();
    let nic = "<devices><interface type='user'/></devices><memory>1</memory>";
    let found = changes(Some(&vm("")), &vm(&format!("{flood}{nic}")), Form::Stored);
    assert!(found.len() < 300, "{}", found.len());
    for right in [Administer, F(Vms), F(Networks)] {
        assert!(found.iter().any(|change| change.right == right));
    }
    assert!(found.iter().all(|change| change.summary.chars().count() <= 200));
}
