// SPDX-License-Identifier: Apache-2.0
//! Making a thing under a name: the answer tells nobody whether a hidden thing has that name already.

use virtwarden_core::object::Uuid;

use super::libvirtd::*;
use super::*;

const NEW: Uuid = Uuid([7; 16]);

/// Who may configure networks, but only the red one; and VMs, but only his own.
fn builder() -> String {
    let rows = "\"configure-vms\", \"configure-networks\", \"connect-removable\"";
    USER.replace("\"connect-removable\"", rows).replace(
        "also = [\"operate\"]",
        "networks = [\"red\"]\nalso = [\"operate\"]\nquota = { vms = 9, memory = \"1 GiB\", vcpus = 9 }",
    )
}

fn network(name: &str) -> Value<'static> {
    text(&format!("<network><name>{name}</name></network>"))
}

fn pool(name: &str) -> Value<'static> {
    text(&format!("<pool type='dir'><name>{name}</name><target><path>/srv/{name}</path></target></pool>"))
}

/// Answers `blue` with a network or pool of that name, and every other name with its absence.
fn with_blue() -> Script {
    Arc::new(|heard| {
        let blue = heard.payload.windows(4).any(|window| window == b"blue");
        let handle = Value::Record(vec![text("blue"), Value::Uuid(NEW)]);
        let looks = heard.name.contains("LOOKUP_BY_NAME") && !heard.name.starts_with("DOMAIN");
        (looks && blue).then(|| vec![good(heard, &[handle])])
    })
}

#[test]
fn a_network_or_pool_that_is_out_of_reach_is_denied_whether_or_not_it_exists() {
    let calls = [
        ("NETWORK_DEFINE_XML", network as fn(&str) -> Value<'static>, "(Table 3, 5)"),
        ("NETWORK_CREATE_XML", network, "(Table 3, 5)"),
        ("STORAGE_POOL_DEFINE_XML", pool, "administer pool"),
        ("STORAGE_POOL_CREATE_XML", pool, "administer pool"),
    ];
    for policy in [USER.to_owned(), builder()] {
        let scene = Scene::scripted(&policy, with_blue());
        let mut client = scene.open_client();
        for (call, xml, reason) in calls {
            let mut answer = |name: &str| {
                let mut arguments = vec![xml(name)];
                arguments.extend(call.starts_with("STORAGE").then_some(Value::Unsigned(0)));
                let (status, error) = client.call(call, &arguments);
                assert_eq!(status, Status::Error, "{call}");
                words(&error).replace(name, "NAME")
            };
            let (there, absent) = (answer("blue"), answer("green"));
            assert!(there.contains("access denied") && there.contains(reason), "{call}: {there}");
            assert_eq!(there, absent, "{call}");
        }
        assert!(scene.libvirtd.heard().is_empty(), "libvirtd is not even asked");
    }
}

#[test]
fn a_network_is_not_taken_over_by_its_uuid() {
    let script: Script = Arc::new(|heard| {
        let handle = Value::Record(vec![text("blue"), Value::Uuid(NEW)]);
        (heard.name == "NETWORK_LOOKUP_BY_UUID").then(|| vec![good(heard, &[handle])])
    });
    let scene = Scene::scripted(&builder(), script);
    let xml = format!("<network><name>red</name><uuid>{NEW}</uuid></network>");
    let (status, error) = scene.open_client().call("NETWORK_DEFINE_XML", &[text(&xml)]);
    let error = words(&error);
    assert_eq!((status, error.contains("(Table 3, 5)")), (Status::Error, true), "{error}");
    assert!(!error.contains("blue"), "{error}");
    assert_eq!(scene.libvirtd.heard(), ["NETWORK_LOOKUP_BY_UUID"], "its definition is not read");
}

#[test]
fn a_vm_under_the_name_or_uuid_of_a_hidden_one_is_denied_and_not_compared() {
    let named =
        format!("<domain type='kvm'><name>finance</name><uuid>{NEW}</uuid><memory>1</memory></domain>");
    let keyed =
        format!("<domain type='kvm'><name>new</name><uuid>{FINANCE}</uuid><memory>1</memory></domain>");
    for (policy, asked) in [(USER.to_owned(), false), (builder(), true)] {
        for xml in [&named, &keyed] {
            for (call, flags) in
                [("DOMAIN_DEFINE_XML", None), ("DOMAIN_CREATE_XML", Some(Value::Unsigned(0)))]
            {
                let scene = Scene::set(&policy);
                let arguments: Vec<_> = std::iter::once(text(xml)).chain(flags).collect();
                let (status, error) = scene.open_client().call(call, &arguments);
                let error = words(&error);
                let denied = error.starts_with("access denied") && error.contains("(Table 3, 3)");
                assert_eq!((status, denied), (Status::Error, true), "{error}");
                assert!(!error.contains("finance"), "{error}");
                let heard = scene.libvirtd.heard();
                assert!(
                    heard.iter().all(|name| name.contains("LOOKUP")) && heard.is_empty() != asked,
                    "{heard:?}"
                );
            }
        }
    }
}

#[test]
fn what_is_the_whole_hosts_is_not_made_by_who_reaches_a_part_of_it() {
    let calls = [
        ("NWFILTER_DEFINE_XML", "<filter name='clean-traffic'/>", None, "(Table 3, 5)"),
        ("SECRET_DEFINE_XML", "<secret/>", Some(Value::Unsigned(0)), "(Table 3, 11)"),
        ("NODE_DEVICE_CREATE_XML", "<device/>", Some(Value::Unsigned(0)), "(Table 3, 7)"),
    ];
    let rows = "\"configure-networks\", \"configure-devices\", ";
    let part = builder().replace("\"configure-networks\", ", rows);
    for (policy, passes) in [(USER, false), (part.as_str(), false), (ADMINISTRATOR, true)] {
        let scene = Scene::set(policy);
        let mut client = scene.open_client();
        for (call, xml, flags, row) in calls.clone() {
            let arguments: Vec<_> = std::iter::once(text(xml)).chain(flags).collect();
            let (status, error) = client.call(call, &arguments);
            let error = words(&error);
            let denied = error.starts_with("access denied") && error.contains(row);
            assert_eq!((status, denied), (Status::Error, !passes), "{call}: {error}");
            assert_eq!(scene.libvirtd.heard().contains(&call), passes, "{call}");
        }
    }
}
