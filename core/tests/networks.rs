// SPDX-License-Identifier: Apache-2.0
//! What networks, pools and volumes need.
#![allow(clippy::unwrap_used, reason = "a failed test is a panic")]

use virtwarden_core::policy::request::Right::{self, Administer, Function as F, Raw};
use virtwarden_core::table3::Function::{
    ConfigureDevices as Devices, ConfigureNetworks as Networks, ConfigureSharing as Sharing,
    ConfigureVms as Vms, Cryptography,
};
use virtwarden_core::xml::change::Change;
use virtwarden_core::xml::metadata::{NAMESPACE, needs_for};
use virtwarden_core::xml::network::{self, Forward, NetworkDefinition};
use virtwarden_core::xml::storage::{PoolDefinition, VolumeDefinition, pool_changes, volume_changes};

const SAMPLES: [(&str, &str, &str); 2] = [
    (
        include_str!("xml/9.0/net-live.xml"),
        include_str!("xml/9.0/pool.xml"),
        include_str!("xml/9.0/volume.xml"),
    ),
    (
        include_str!("xml/11.3/net-live.xml"),
        include_str!("xml/11.3/pool.xml"),
        include_str!("xml/11.3/volume.xml"),
    ),
];

fn rights(changes: &[Change]) -> Vec<Right> {
    changes.iter().map(|change| change.right).collect()
}

fn network(inner: &str) -> NetworkDefinition {
    NetworkDefinition::parse(format!("<network><name>red</name>{inner}</network>")).unwrap()
}

fn created(inner: &str) -> Vec<Right> {
    rights(&network::changes(None, &network(inner)))
}

#[test]
fn a_network_needs_row_5_and_row_7_where_it_leads_onto_devices() {
    assert_eq!(created(""), [F(Networks)]);
    assert_eq!(created("<forward mode='nat'/>"), [F(Networks)]);
    for mode in ["bridge", "private", "vepa", "passthrough", "hostdev", "new"] {
        assert_eq!(created(&format!("<forward mode='{mode}'/>")), [F(Networks), F(Devices)]);
    }
    assert_eq!(created("<forward mode='nat'><pf dev='eth0'/></forward>"), [F(Networks), F(Devices)]);
    assert_eq!(created("<surprise/>"), [F(Networks), Administer]);
    let dnsmasq = "<d:options xmlns:d='http://libvirt.org/schemas/network/dnsmasq/1.0'><d:option value='x'/></d:options>";
    assert_eq!(created(dnsmasq), [F(Networks), Raw]);
    assert_eq!(created(&format!("<metadata><a xmlns='{NAMESPACE}'/></metadata>")), [F(Networks), Administer]);
    assert_eq!(created("<metadata><a xmlns='urn:other'/></metadata>"), [F(Networks)]);
}

#[test]
fn a_change_counts_for_what_the_network_was_too() {
    let (nat, bridge) = (network("<forward mode='nat'/>"), network("<forward mode='bridge'/>"));
    assert_eq!(rights(&network::changes(Some(&bridge), &nat)), [F(Networks), F(Devices)]);
    assert!(network::changes(Some(&nat), &nat).is_empty());
    let own = network(&format!("<metadata><a xmlns='{NAMESPACE}'/></metadata>"));
    assert_eq!(rights(&network::changes(Some(&own), &network(""))), [F(Networks), Administer]);
    assert_eq!(rights(&network::changes(Some(&own), &own)), []);
}

#[test]
fn a_network_is_known_by_where_it_leads() {
    let real = NetworkDefinition::parse(SAMPLES[1].0).unwrap();
    assert_eq!((real.name(), real.bridge()), ("default", Some("virbr0")));
    assert_eq!(real.forward(), Forward::Host("nat".into()));
    assert!(real.uuid().is_some());
    assert_eq!(network("").forward(), Forward::Isolated);
    assert_eq!(network("<forward mode='hostdev'/>").forward(), Forward::Device("hostdev".into()));
}

#[test]
fn an_update_needs_the_row_of_its_section() {
    let judge = |section, text: &str| rights(&network::update(section, text).unwrap().1);
    assert_eq!(judge(4, "<host mac='52:54:00:00:00:01' ip='192.0.2.2'/>"), [F(Networks)]);
    assert_eq!(judge(7, "<interface dev='eth0'/>"), [F(Networks), F(Devices)]);
    assert_eq!(judge(99, "<host/>"), [F(Networks), Administer]);
    assert_eq!(judge(4, "<host surprise='1'/>"), [F(Networks), Administer]);
    assert!(network::update(4, "<host/><host/>").is_err());
}

#[test]
fn a_pool_is_for_an_administrator() {
    let pool =
        |kind: &str| PoolDefinition::parse(format!("<pool type='{kind}'><name>p</name></pool>")).unwrap();
    for kind in ["dir", "fs", "netfs"] {
        assert_eq!(rights(&pool_changes(None, &pool(kind))), [F(Vms), Administer]);
    }
    for kind in ["disk", "logical", "iscsi", "iscsi-direct", "scsi", "mpath", "rbd", "zfs", "new"] {
        assert_eq!(rights(&pool_changes(None, &pool(kind))), [F(Vms), F(Devices), Administer]);
    }
    assert!(pool_changes(Some(&pool("disk")), &pool("disk")).is_empty());
    assert!(rights(&pool_changes(Some(&pool("disk")), &pool("dir"))).contains(&F(Devices)));
    for (_, real, _) in SAMPLES {
        let real = PoolDefinition::parse(real).unwrap();
        assert_eq!((real.name(), real.kind(), real.is_physical()), ("default", "dir", false));
        assert_eq!(real.target().as_deref(), Some("/var/lib/libvirt/images"));
        assert!(real.uuid().is_some());
    }
}

#[test]
fn a_volume_needs_more_where_it_shows_something_else() {
    let judge = |inner: &str| {
        let text = format!("<volume><name>v</name>{inner}</volume>");
        rights(&volume_changes(&VolumeDefinition::parse(text).unwrap()))
    };
    let backing = |path: &str| format!("<backingStore><path>{path}</path></backingStore>");
    let target = |inner: &str| format!("<target><permissions>{inner}</permissions></target>");
    assert_eq!(judge("<capacity>1</capacity><target><format type='qcow2'/></target>"), [F(Vms)]);
    assert_eq!(judge("<backingStore/>"), [F(Vms)]);
    assert_eq!(judge(&backing("/var/lib/libvirt/images/other")), [F(Vms), F(Sharing)]);
    assert_eq!(judge(&backing("/dev/sda")), [F(Vms), F(Devices), F(Sharing)]);
    assert_eq!(judge(&backing("/etc/shadow")), [F(Vms), F(Sharing), Administer]);
    assert_eq!(judge(&backing("etc/shadow")), [F(Vms), F(Sharing), Administer]);
    assert_eq!(judge(&target("<mode>0600</mode><owner>0</owner><group>0</group>")), [F(Vms)]);
    assert_eq!(judge(&target("<mode>0666</mode>")), [F(Vms), Administer]);
    assert_eq!(judge(&target("<mode>x</mode>")), [F(Vms), Administer]);
    assert_eq!(judge(&target("<owner>1001</owner>")), [F(Vms), Administer]);
    assert_eq!(judge(&target("<group>1001</group>")), [F(Vms), Administer]);
    assert_eq!(judge(&target("<label>x</label>")), [F(Vms), Administer]);
    assert_eq!(judge("<target><encryption format='luks'/></target>"), [F(Vms), F(Cryptography)]);
    assert_eq!(judge("<surprise/>"), [F(Vms), Administer]);
    for (_, _, real) in SAMPLES {
        let real = VolumeDefinition::parse(real).unwrap();
        assert_eq!(real.target().as_deref(), Some("/var/lib/libvirt/images/rich.qcow2"));
        assert_eq!((real.name(), real.backing()), ("rich.qcow2", None));
    }
}

#[test]
fn only_an_administrator_writes_what_says_whose_a_vm_is() {
    assert_eq!(needs_for(None), F(Vms));
    assert_eq!(needs_for(Some("urn:other")), F(Vms));
    assert_eq!(needs_for(Some(NAMESPACE)), Administer);
    assert_eq!(needs_for(Some("urn:virtwarden:vm:2")), Administer);
}
