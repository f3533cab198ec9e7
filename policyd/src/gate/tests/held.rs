// SPDX-License-Identifier: Apache-2.0
//! What holds a User back one check at a time: each of these fails if its check goes.

use std::sync::Arc;

use virtwarden_core::rpc::frame::{Header, MessageKind, QEMU};

use virtwarden_core::object::Uuid;

use super::libvirtd::*;
use super::*;

const NIC: &str = "<devices><interface type='network'><source network='red'/></interface></devices>";

fn drive(driver: &str, source: &str) -> String {
    format!(
        "<disk type='file' device='cdrom'><driver name='qemu' type='{driver}'/>{source}<target dev='sda' bus='sata'/><readonly/></disk>"
    )
}

/// What libvirtd heard of a call, its arguments as they were sent.
fn heard(scene: &Scene, name: &str) -> Vec<u8> {
    scene
        .libvirtd
        .calls()
        .into_iter()
        .rfind(|heard| heard.name == name)
        .map(|h| h.payload)
        .unwrap_or_default()
}

fn refused(client: &mut Client, name: &str, values: &[Value<'_>]) -> String {
    let (status, answer) = client.call(name, values);
    assert_eq!(status, Status::Error, "{name}");
    words(&answer)
}

/// A policy whose saved states are in a directory that only root may change; none where tests are not root.
fn with_saved_states(policy: &str) -> Option<(tempfile::TempDir, String)> {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::Builder::new().prefix("virtwarden-saved-").tempdir_in("/var/lib").ok()?;
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).ok()?;
    let policy = format!("{policy}[saved]\ndirectory = \"{}\"\n", directory.path().display());
    Some((directory, policy))
}

const LIBRARY: &str = "[media]\nlibrary = [\"/etc\"]\nimage = { rule = \"grant\", granted = \"all-vms\" }\n";

#[test]
fn secrets_in_a_definition_are_asked_for_only_by_who_may_see_them() {
    for (policy, flags) in [(USER, 0), (ADMINISTRATOR, 9)] {
        let scene = Scene::set(policy);
        scene.open_client().call("DOMAIN_GET_XML_DESC", &[vm(BOBS), Value::Unsigned(9)]);
        assert!(heard(&scene, "DOMAIN_GET_XML_DESC").ends_with(&[0, 0, 0, flags]), "{policy}");
    }
    let Some((directory, policy)) = with_saved_states(USER) else { return };
    let scene = Scene::set(&policy);
    let image = format!("{}/{BOBS}/one", directory.path().display());
    scene.open_client().call("DOMAIN_SAVE_IMAGE_GET_XML_DESC", &[text(&image), Value::Unsigned(1)]);
    assert!(heard(&scene, "DOMAIN_SAVE_IMAGE_GET_XML_DESC").ends_with(&[0, 0, 0, 0]));
}

#[test]
fn a_medium_is_read_as_it_is_and_leads_nowhere() {
    let present = definition(BOBS, &format!("<devices>{}</devices>", drive("raw", "")));
    let script: Script = Arc::new(move |heard| match heard.name {
        "DOMAIN_GET_XML_DESC" => Some(vec![good(heard, &[text(&present)])]),
        "DOMAIN_UPDATE_DEVICE_FLAGS" => Some(vec![good(heard, &[])]),
        _ => None,
    });
    let scene = Scene::scripted(&format!("{USER}{LIBRARY}"), script);
    let layered = drive("qcow2", "<source file='/etc/passwd'/>");
    let update = [vm(BOBS), text(&layered), Value::Unsigned(2)];
    let reason = refused(&mut scene.open_client(), "DOMAIN_UPDATE_DEVICE_FLAGS", &update);
    assert!(reason.contains("only `raw` media"), "{reason}");
}

#[test]
fn what_the_emulators_monitor_tells_is_for_administrators() {
    let script: Script = Arc::new(|heard| {
        (heard.name == "CONNECT_GET_HOSTNAME").then(|| {
            let values =
                [Value::Int(1), vm(BOBS), text("RESET"), Value::Hyper(0), Value::Unsigned(0), Value::Absent];
            let payload = written("DOMAIN_MONITOR_EVENT", &values);
            let header = Header { program: QEMU, procedure: 6, serial: 0, ..heard.header };
            let event = message(header, MessageKind::Message, Status::Ok, &payload);
            vec![event, good(heard, &[text("host")])]
        })
    });
    for (policy, first) in [(USER, MessageKind::Reply), (ADMINISTRATOR, MessageKind::Message)] {
        let scene = Scene::scripted(policy, script.clone());
        let mut client = scene.open_client();
        client.send("CONNECT_GET_HOSTNAME", &[]);
        assert_eq!(client.receive().unwrap().0.kind, first, "{policy}");
    }
}

#[test]
fn statistics_of_hidden_vms_are_not_even_asked_for() {
    let script: Script = Arc::new(|heard| {
        (heard.name == "CONNECT_GET_ALL_DOMAIN_STATS").then(|| vec![good(heard, &[Value::List(vec![])])])
    });
    let scene = Scene::scripted(USER, script);
    let both = Value::List(vec![vm(BOBS), vm(FINANCE)]);
    let asked = [both, Value::Unsigned(0), Value::Unsigned(0)];
    assert_eq!(scene.open_client().call("CONNECT_GET_ALL_DOMAIN_STATS", &asked).0, Status::Ok);
    let asked = heard(&scene, "CONNECT_GET_ALL_DOMAIN_STATS");
    let names = |uuid: Uuid| asked.windows(16).any(|window| window == uuid.0);
    assert!(names(BOBS) && !names(FINANCE));
}

#[test]
fn a_vm_is_saved_into_its_own_directory_as_it_is() {
    let Some((directory, policy)) = with_saved_states(USER) else { return };
    let script: Script =
        Arc::new(|heard| heard.name.starts_with("DOMAIN_SAVE").then(|| vec![good(heard, &[])]));
    let scene = Scene::scripted(&policy, script);
    let mut client = scene.open_client();
    let place = |uuid: Uuid| text(&format!("{}/{uuid}/one", directory.path().display()));
    assert_eq!(client.call("DOMAIN_SAVE", &[vm(BOBS), place(BOBS)]).0, Status::Ok);
    refused(&mut client, "DOMAIN_SAVE", &[vm(BOBS), place(FINANCE)]);
    for number in 0..8 {
        std::fs::write(directory.path().join(format!("{BOBS}/{number}")), "").unwrap();
    }
    refused(&mut client, "DOMAIN_SAVE", &[vm(BOBS), place(BOBS)]);
    std::fs::remove_file(directory.path().join(format!("{BOBS}/0"))).unwrap();
    assert_eq!(client.call("DOMAIN_SAVE", &[vm(BOBS), place(BOBS)]).0, Status::Ok);

    let altered = definition(BOBS, NIC);
    for (xml, expected) in [(definition(BOBS, ""), Status::Ok), (altered, Status::Error)] {
        let save = [vm(BOBS), place(BOBS), text(&xml), Value::Unsigned(0)];
        assert_eq!(client.call("DOMAIN_SAVE_FLAGS", &save).0, expected, "{xml}");
    }
}

#[test]
fn a_saved_state_brings_back_its_own_vm_as_it_is_now() {
    let Some((directory, policy)) = with_saved_states(USER) else { return };
    let cases = [(BOBS, "", Status::Ok), (BOBS, NIC, Status::Error), (FINANCE, "", Status::Error)];
    for (uuid, rest, expected) in cases {
        let script: Script = Arc::new(move |heard| match heard.name {
            "DOMAIN_SAVE_IMAGE_GET_XML_DESC" => Some(vec![good(heard, &[text(&definition(uuid, rest))])]),
            "DOMAIN_RESTORE" => Some(vec![good(heard, &[])]),
            _ => None,
        });
        let scene = Scene::scripted(&policy, script);
        let registry = scene.gate.monitor.registry();
        let people = People { users: [me()].into(), ..People::default() };
        registry.apply(&registry.plan_assign(FINANCE, "finance", &people)).unwrap();
        let image = text(&format!("{}/{BOBS}/one", directory.path().display()));
        assert_eq!(scene.open_client().call("DOMAIN_RESTORE", &[image]).0, expected, "{uuid} {rest}");
    }
}

#[test]
fn a_managed_save_brings_nothing_that_could_not_be_configured_now() {
    let domain = "[information-domain.red]\nnetworks = [\"red\"]\n";
    let library = LIBRARY;
    let drive = |source| format!("<devices>{}</devices>", drive("raw", source));
    let (empty, inside, outside) =
        (drive(""), drive("<source file='/etc/passwd'/>"), drive("<source file='/usr/lib/os-release'/>"));
    let cases = [
        ("", "", "", Status::Ok),
        ("", "", NIC, Status::Error),
        ("", NIC, NIC, Status::Ok),
        (domain, NIC, NIC, Status::Error),
        (library, &empty, &inside, Status::Ok),
        (library, &empty, &outside, Status::Error),
    ];
    for (rule, now, saved, expected) in cases {
        let (now, saved) = (definition(BOBS, now), definition(BOBS, saved));
        let script: Script = Arc::new(move |heard| match heard.name {
            "DOMAIN_HAS_MANAGED_SAVE_IMAGE" => Some(vec![good(heard, &[Value::Int(1)])]),
            "DOMAIN_MANAGED_SAVE_GET_XML_DESC" => Some(vec![good(heard, &[text(&saved)])]),
            "DOMAIN_GET_XML_DESC" => Some(vec![good(heard, &[text(&now)])]),
            _ => None,
        });
        let scene = Scene::scripted(&format!("{USER}{rule}"), script);
        let (status, answer) = scene.open_client().call("DOMAIN_CREATE", &[vm(BOBS)]);
        assert_eq!(status, expected, "{rule}: {}", words(&answer));
    }
}

#[test]
fn two_calls_under_way_never_share_a_serial() {
    let script: Script = Arc::new(|heard| (heard.name == "DOMAIN_SUSPEND").then(Vec::new));
    let scene = Scene::scripted(USER, script);
    let mut client = scene.open_client();
    client.send("DOMAIN_SUSPEND", &[vm(BOBS)]);
    client.serial -= 1;
    client.send("DOMAIN_SUSPEND", &[vm(BOBS)]);
    let (header, error) = client.receive().unwrap();
    assert_eq!((header.status, words(&error).contains("this serial is under way")), (Status::Error, true));
    assert!(scene.libvirtd.heard().iter().filter(|name| **name == "DOMAIN_SUSPEND").count() < 2);
}

#[test]
fn a_call_comes_with_the_descriptors_that_belong_to_it() {
    let scene = Scene::set(USER);
    let graphics = [vm(BOBS), Value::Unsigned(0), Value::Unsigned(0)];
    let reason = refused(&mut scene.open_client(), "DOMAIN_OPEN_GRAPHICS", &graphics);
    assert!(reason.contains("file descriptors"), "{reason}");
}

#[test]
fn the_agents_channel_and_emulators_of_ones_own_are_not_for_users() {
    let agent = "<devices><channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel></devices>";
    let script: Script = Arc::new(move |heard| match heard.name {
        "DOMAIN_GET_XML_DESC" => Some(vec![good(heard, &[text(&definition(BOBS, agent))])]),
        "CONNECT_GET_DOMAIN_CAPABILITIES" => Some(vec![good(heard, &[text("<domainCapabilities/>")])]),
        _ => None,
    });
    let scene = Scene::scripted(USER, script);
    let mut client = scene.open_client();
    for name in ["org.qemu.guest_agent.0", "channel0"] {
        refused(&mut client, "DOMAIN_OPEN_CHANNEL", &[vm(BOBS), text(name), Value::Unsigned(0)]);
    }
    assert!(!scene.libvirtd.heard().contains(&"DOMAIN_OPEN_CHANNEL"));
    let capabilities =
        |emulator: &str| [text(emulator), Value::Absent, Value::Absent, Value::Absent, Value::Unsigned(0)];
    let stock = capabilities("/usr/bin/qemu-system-x86_64");
    assert_eq!(client.call("CONNECT_GET_DOMAIN_CAPABILITIES", &stock).0, Status::Ok);
    refused(&mut client, "CONNECT_GET_DOMAIN_CAPABILITIES", &capabilities("/tmp/qemu-system-x86_64"));
}

#[test]
fn nobody_inherits_a_vm_that_was_deleted_or_lost() {
    let gone = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let script: Script = Arc::new(move |heard| match heard.name {
        "DOMAIN_UNDEFINE" => {
            gone.store(true, std::sync::atomic::Ordering::SeqCst);
            Some(vec![good(heard, &[])])
        }
        "DOMAIN_LOOKUP_BY_UUID" if gone.load(std::sync::atomic::Ordering::SeqCst) => {
            let error = super::super::fault::error(42, 10, "no domain");
            Some(vec![reply(heard.header, Status::Error, &error)])
        }
        _ => None,
    });
    let scene = Scene::scripted(ADMINISTRATOR, script);
    let registry = scene.gate.monitor.registry();
    let mut client = scene.open_client();

    let lost = Uuid([8; 16]);
    let people = People { users: [me()].into(), ..People::default() };
    registry.apply(&registry.plan_assign(lost, "lost", &people)).unwrap();
    let again =
        format!("<domain type='kvm'><name>lost</name><uuid>{lost}</uuid><memory>1024</memory></domain>");
    assert_eq!(client.call("DOMAIN_DEFINE_XML", &[text(&again)]).0, Status::Ok);
    assert!(registry.vm(lost).is_none());

    assert_eq!(client.call("DOMAIN_UNDEFINE", &[vm(BOBS)]).0, Status::Ok);
    assert_eq!(client.call("CONNECT_GET_HOSTNAME", &[]).0, Status::Ok);
    assert!(registry.vm(BOBS).is_none());
}

#[test]
fn an_image_is_read_only_when_nobody_can_save_over_it() {
    let Some((directory, policy)) = with_saved_states(USER) else { return };
    let script: Script = Arc::new(|heard| match heard.name {
        "DOMAIN_CREATE" => {
            std::thread::sleep(Duration::from_millis(300));
            Some(vec![good(heard, &[])])
        }
        "DOMAIN_SAVE_IMAGE_GET_XML_DESC" => Some(vec![good(heard, &[text(&definition(BOBS, ""))])]),
        "DOMAIN_RESTORE" => Some(vec![good(heard, &[])]),
        _ => None,
    });
    let scene = Scene::scripted(&policy, script);
    let mut first = scene.open_client();
    first.send("DOMAIN_CREATE", &[vm(BOBS)]);
    while !scene.libvirtd.heard().contains(&"DOMAIN_CREATE") {
        std::thread::yield_now();
    }
    let mut second = scene.open_client();
    let image = text(&format!("{}/{BOBS}/one", directory.path().display()));
    second.send("DOMAIN_RESTORE", &[image]);
    std::thread::sleep(Duration::from_millis(100));
    assert!(!scene.libvirtd.heard().contains(&"DOMAIN_SAVE_IMAGE_GET_XML_DESC"), "the turn is another's");
    assert_eq!(first.receive().unwrap().0.status, Status::Ok);
    assert_eq!(second.receive().unwrap().0.status, Status::Ok);
}

#[test]
fn a_vm_has_no_more_snapshots_than_the_policy_allows_a_user() {
    let taken = "<domainsnapshot><name>one</name></domainsnapshot>";
    let cases = [
        (USER, 1, Status::Ok),
        (USER, 2, Status::Error),
        (USER, -1, Status::Error),
        (ADMINISTRATOR, 2, Status::Ok),
    ];
    for (policy, there, expected) in cases {
        let script: Script = Arc::new(move |heard| match heard.name {
            "DOMAIN_SNAPSHOT_NUM" => Some(vec![good(heard, &[Value::Int(there)])]),
            "DOMAIN_SNAPSHOT_CREATE_XML" => {
                Some(vec![good(heard, &[Value::Record(vec![text("one"), vm(BOBS)])])])
            }
            _ => None,
        });
        let scene = Scene::scripted(&policy.replace("[vm]", "[vm]\nsnapshots = 2"), script);
        let (status, answer) = scene
            .open_client()
            .call("DOMAIN_SNAPSHOT_CREATE_XML", &[vm(BOBS), text(taken), Value::Unsigned(0)]);
        assert_eq!(status, expected, "{there}: {}", words(&answer));
        let told = words(&answer).contains("`snapshots` in [vm]");
        assert_eq!(told, expected == Status::Error);
        let heard = scene.libvirtd.heard().contains(&"DOMAIN_SNAPSHOT_CREATE_XML");
        assert_eq!(heard, expected == Status::Ok);
    }
}
