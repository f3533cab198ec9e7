// SPDX-License-Identifier: Apache-2.0
//! Who may configure his own VMs, within a quota, gets nothing of anybody else's that way.

use std::sync::Arc;

use super::libvirtd::*;
use super::*;
use crate::gate::turns::Matter;
use crate::gate::wake::Wake;
use virtwarden_core::object::Uuid;

const STORE: &str = "/var/lib/libvirt/images";

/// A User who may configure his own VMs, up to 9 virtual CPUs, with volumes of the pool `mine`.
fn owner() -> String {
    let owner = USER.replace("\"connect-removable\"", "\"configure-vms\", \"connect-removable\"");
    let quota =
        "also = [\"operate\"]\npools = [\"mine\"]\nquota = { vms = 9, memory = \"1 GiB\", vcpus = 9 }";
    owner.replace("also = [\"operate\"]", quota)
}

fn disk(file: &str) -> String {
    format!("<disk type='file' device='disk'><source file='{file}'/><target dev='vdb' bus='virtio'/></disk>")
}

/// Of the files in the store `own*` are volumes of `mine`; finance has `own-but-taken.img` and a volume.
fn host() -> Script {
    let taken = format!(
        "<devices>{}<disk type='volume' device='disk'><source pool='mine' volume='own-by-volume.img'/><target dev='vdc'/></disk></devices>",
        disk(&format!("{STORE}/own-but-taken.img"))
    );
    Arc::new(move |heard| match heard.name {
        "DOMAIN_GET_XML_DESC" if heard.payload.windows(16).any(|window| window == FINANCE.0) => {
            Some(vec![good(heard, &[text(&definition(FINANCE, &taken))])])
        }
        "DOMAIN_MANAGED_SAVE_GET_XML_DESC" => Some(vec![good(heard, &[text(&definition(BOBS, ""))])]),
        "STORAGE_VOL_LOOKUP_BY_PATH" if heard.payload.windows(4).any(|window| window == b"/own") => {
            let volume = Value::Record(vec![text("mine"), text("own.img"), text("key")]);
            Some(vec![good(heard, &[volume])])
        }
        "DOMAIN_SNAPSHOT_CREATE_XML" => Some(vec![good(heard, &[Value::Record(vec![text("s"), vm(BOBS)])])]),
        "DOMAIN_ATTACH_DEVICE_FLAGS" | "DOMAIN_SET_VCPUS" | "DOMAIN_MANAGED_SAVE_DEFINE_XML" => {
            Some(vec![good(heard, &[])])
        }
        _ => None,
    })
}

/// Every way to give the VM a disk.
fn ways(client: &mut Client, disk: &str) -> Vec<(&'static str, Status, String)> {
    let whole = definition(BOBS, &format!("<devices>{disk}</devices>"));
    let snapshot = format!(
        "<domainsnapshot><name>s</name><state>shutoff</state><creationTime>1</creationTime>{whole}</domainsnapshot>"
    );
    let calls: [(&str, Vec<Value<'_>>); 4] = [
        ("DOMAIN_ATTACH_DEVICE_FLAGS", vec![vm(BOBS), text(disk), Value::Unsigned(2)]),
        ("DOMAIN_DEFINE_XML", vec![text(&whole)]),
        ("DOMAIN_SNAPSHOT_CREATE_XML", vec![vm(BOBS), text(&snapshot), Value::Unsigned(1)]),
        ("DOMAIN_MANAGED_SAVE_DEFINE_XML", vec![vm(BOBS), text(&whole), Value::Unsigned(0)]),
    ];
    let mut answer = |(name, values): (&'static str, Vec<Value<'_>>)| {
        let (status, payload) = client.call(name, &values);
        (name, status, words(&payload))
    };
    calls.into_iter().map(&mut answer).collect()
}

#[test]
fn a_disk_is_a_volume_of_his_own_and_nobody_elses() {
    let scene = Scene::scripted(&owner(), host());
    let mut client = scene.open_client();
    for (way, status, reason) in ways(&mut client, &disk(&format!("{STORE}/own.img"))) {
        assert_eq!(status, Status::Ok, "{way}: {reason}");
    }
    for (file, why) in [
        ("own-but-taken.img", "(Table 3, 8)"),
        ("own-by-volume.img", "(Table 3, 8)"),
        ("left-behind.img", "administer"),
    ] {
        for (way, status, reason) in ways(&mut client, &disk(&format!("{STORE}/{file}"))) {
            assert_eq!((status, reason.contains(why)), (Status::Error, true), "{way} {file}: {reason}");
        }
    }
}

#[test]
fn a_disk_with_a_header_could_go_on_in_any_file() {
    let scene = Scene::scripted(&owner(), host());
    let mut client = scene.open_client();
    let layered =
        disk(&format!("{STORE}/own.img")).replace("<source", "<driver name='qemu' type='qcow2'/><source");
    for (way, status, reason) in ways(&mut client, &layered) {
        assert_eq!((status, reason.contains("(Table 3, 8)")), (Status::Error, true), "{way}: {reason}");
    }
}

#[test]
fn what_a_disk_builds_upon_may_be_others_too() {
    let scene = Scene::scripted(&owner(), host());
    let commit =
        [vm(BOBS), text("vda"), Value::Absent, Value::Absent, Value::UnsignedHyper(0), Value::Unsigned(0)];
    let (status, answer) = scene.open_client().call("DOMAIN_BLOCK_COMMIT", &commit);
    assert_eq!(
        (status, words(&answer).contains("(Table 3, 8)")),
        (Status::Error, true),
        "{}",
        words(&answer)
    );
}

#[test]
fn no_way_leads_over_the_quota() {
    let scene = Scene::scripted(&owner(), host());
    let mut client = scene.open_client();
    assert_eq!(client.call("DOMAIN_SET_VCPUS", &[vm(BOBS), Value::Unsigned(9)]).0, Status::Ok);
    let whole = definition(BOBS, "<vcpu>10</vcpu>");
    let snapshot = format!(
        "<domainsnapshot><name>s</name><state>shutoff</state><creationTime>1</creationTime>{whole}</domainsnapshot>"
    );
    let calls: [(&str, Vec<Value<'_>>); 3] = [
        ("DOMAIN_SET_VCPUS", vec![vm(BOBS), Value::Unsigned(10)]),
        ("DOMAIN_DEFINE_XML", vec![text(&whole)]),
        ("DOMAIN_SNAPSHOT_CREATE_XML", vec![vm(BOBS), text(&snapshot), Value::Unsigned(1)]),
    ];
    for (name, values) in calls {
        let (status, answer) = client.call(name, &values);
        let reason = words(&answer);
        assert_eq!((status, reason.contains("over the quota")), (Status::Error, true), "{name}: {reason}");
    }
}

#[test]
fn a_vm_that_runs_counts_as_what_it_is_and_as_what_it_will_be() {
    let host = host();
    let running: Script = Arc::new(move |heard| match heard.name {
        "DOMAIN_IS_ACTIVE" => Some(vec![good(heard, &[Value::Int(1)])]),
        "DOMAIN_GET_XML_DESC" if heard.payload.ends_with(&[0, 0, 0, 1]) => {
            Some(vec![good(heard, &[text(&definition(BOBS, "<vcpu>8</vcpu>"))])])
        }
        _ => host(heard),
    });
    let scene = Scene::scripted(&owner(), running);
    let another = "<domain type='kvm'><name>another</name><memory>1024</memory><vcpu>2</vcpu></domain>";
    let (status, answer) = scene.open_client().call("DOMAIN_DEFINE_XML", &[text(another)]);
    assert_eq!(
        (status, words(&answer).contains("over the quota")),
        (Status::Error, true),
        "{}",
        words(&answer)
    );
}

#[test]
fn who_leaves_before_the_answer_owns_what_he_made() {
    let made = Uuid([7; 16]);
    let host = host();
    let slow: Script = Arc::new(move |heard| match heard.name {
        "DOMAIN_CREATE_XML" => {
            std::thread::sleep(Duration::from_millis(300));
            Some(vec![good(heard, &[named_vm(made, "another")])])
        }
        _ => host(heard),
    });
    let scene = Scene::scripted(&owner(), slow);
    let mut client = scene.open_client();
    let another = "<domain type='kvm'><name>another</name><memory>1024</memory><vcpu>1</vcpu></domain>";
    client.send("DOMAIN_CREATE_XML", &[text(another), Value::Unsigned(0)]);
    while !scene.libvirtd.heard().contains(&"DOMAIN_CREATE_XML") {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(client);
    let until = Instant::now() + Duration::from_secs(5);
    while scene.gate.monitor.registry().vm(made).is_none() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(scene.gate.monitor.registry().owned_by(&me()).contains(&made));
    let quota = Matter::Quota(me().uid);
    let bell = Arc::new(Wake::new().unwrap());
    while scene.gate.turns.take(quota, &bell).is_none() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(scene.gate.turns.take(quota, &bell).is_some(), "what counts for the quota is free again");
}

#[test]
fn what_counts_for_a_quota_is_judged_one_after_the_other() {
    let host = host();
    let silent: Script = Arc::new(move |heard| match heard.name {
        "DOMAIN_SET_VCPUS" => Some(vec![]),
        _ => host(heard),
    });
    let scene = Scene::scripted(&owner(), silent);
    let mut client = scene.open_client();
    client.send("DOMAIN_SET_VCPUS", &[vm(BOBS), Value::Unsigned(2)]);
    while !scene.libvirtd.heard().contains(&"DOMAIN_SET_VCPUS") {
        std::thread::sleep(Duration::from_millis(5));
    }
    let quota = Matter::Quota(me().uid);
    let bell = Arc::new(Wake::new().unwrap());
    assert!(scene.gate.turns.take(quota, &bell).is_none());
}

#[test]
fn the_name_of_a_hidden_vm_is_refused_in_words_that_tell_nothing_of_it() {
    let rename: Script = Arc::new(|heard| match heard.name {
        "DOMAIN_RENAME" => Some(vec![good(heard, &[Value::Int(0)])]),
        _ => None,
    });
    let scene = Scene::scripted(&owner(), rename.clone());
    let mut client = scene.open_client();
    let named = |name: &str| [vm(BOBS), text(name), Value::Unsigned(0)];
    let hidden = client.call("DOMAIN_RENAME", &named("finance"));
    assert_eq!(hidden.0, Status::Error);
    assert!(!words(&hidden.1).contains("finance") && words(&hidden.1).contains("(Table 3, 3)"));
    assert!(!scene.libvirtd.heard().contains(&"DOMAIN_RENAME"));
    assert_eq!(scene.records("DOMAIN_RENAME").iter().map(|row| row.0).collect::<Vec<_>>(), [Kind::Denial]);
    let define = "<domain type='kvm'><name>finance</name><memory>1024</memory></domain>";
    assert_eq!(client.call("DOMAIN_DEFINE_XML", &[text(define)]), hidden, "defining says the same");
    assert_eq!(client.call("DOMAIN_RENAME", &named("evening")).0, Status::Ok);

    let without = Scene::scripted(&owner().replace("\"configure-vms\", ", ""), rename);
    let mut client = without.open_client();
    for name in ["finance", "evening"] {
        assert_eq!(
            client.call("DOMAIN_RENAME", &named(name)),
            hidden,
            "as who may not rename at all: {name}"
        );
    }
}
