// SPDX-License-Identifier: Apache-2.0
use std::sync::Arc;

use virtwarden_core::object::Uuid;
use virtwarden_core::record::Outcome;
use virtwarden_core::rpc::frame::{Header, KEEPALIVE, MessageKind, PING, PONG, REMOTE};
use virtwarden_core::rpc::procedure::find;

use super::libvirtd::*;
use super::*;

const AFTER_GREETING: usize = 3;

#[test]
fn libvirtd_gets_one_literal_name_whatever_the_client_asks() {
    for name in [Value::Absent, text(""), text("qemu:///system")] {
        let scene = Scene::set(ADMINISTRATOR);
        let mut client = scene.client();
        assert_eq!(client.call("CONNECT_OPEN", &[name, Value::Unsigned(0)]).0, Status::Ok);
        let opening = &scene.libvirtd.calls()[1];
        assert_eq!(opening.name, "CONNECT_OPEN");
        assert_eq!(opening.payload, *b"\0\0\0\x01\0\0\0\x0eqemu:///system\0\0\0\0\0\0");
    }
}

#[test]
fn another_name_gets_a_plain_error_and_libvirtd_hears_nothing() {
    let scene = Scene::set(ADMINISTRATOR);
    let mut client = scene.client();
    let (status, error) = client.call("CONNECT_OPEN", &[text("test:///default"), Value::Unsigned(0)]);
    assert_eq!((status, words(&error).contains("test:///default")), (Status::Error, true));
    assert!(scene.libvirtd.calls().is_empty());
}

#[test]
fn a_connection_opens_once() {
    let scene = Scene::set(ADMINISTRATOR);
    let mut client = scene.open_client();
    let again = client.call("CONNECT_OPEN", &[text("qemu:///system"), Value::Unsigned(0)]);
    assert_eq!(again.0, Status::Error);
    assert_eq!(scene.libvirtd.calls().len(), AFTER_GREETING);
    assert_eq!(client.call("CONNECT_GET_HOSTNAME", &[]).0, Status::Ok);
}

#[test]
fn whoever_holds_no_role_does_not_get_in() {
    let scene = Scene::set(&USER.replace("ME", "somebody-else"));
    let mut client = scene.client();
    let (status, error) = client.call("CONNECT_OPEN", &[text(""), Value::Unsigned(0)]);
    assert_eq!((status, words(&error).contains("holds no role")), (Status::Error, true));
    assert!(scene.libvirtd.calls().is_empty());
}

#[test]
fn the_identity_that_libvirtd_hears_is_the_kernels() {
    let scene = Scene::set(ADMINISTRATOR);
    let mut client = scene.open_client();
    let identity = &scene.libvirtd.calls()[2];
    assert_eq!(identity.name, "CONNECT_SET_IDENTITY");
    let name = me().name;
    assert!(identity.payload.windows(name.len()).any(|window| window == name.as_bytes()));
    let forged = [Value::List(vec![]), Value::Unsigned(0)];
    assert_eq!(client.call("CONNECT_SET_IDENTITY", &forged).0, Status::Error);
    assert_eq!(scene.libvirtd.calls().len(), AFTER_GREETING);
}

#[test]
fn an_attempt_is_recorded_before_libvirtd_hears_of_it_and_its_outcome_after() {
    let scene = Scene::set(USER);
    let mut client = scene.open_client();
    assert_eq!(client.call("DOMAIN_SUSPEND", &[vm(BOBS)]).0, Status::Ok);
    let records = scene.records("DOMAIN_SUSPEND");
    let at = scene.libvirtd.calls().iter().position(|heard| heard.name == "DOMAIN_SUSPEND").unwrap();
    assert_eq!(records, [(Kind::Attempt, at), (Kind::Outcome, at + 1)]);
}

#[test]
fn what_is_denied_never_reaches_libvirtd() {
    let scene = Scene::set(USER);
    let mut client = scene.open_client();
    let (status, error) = client.call("DOMAIN_UNDEFINE", &[vm(BOBS)]);
    assert_eq!(status, Status::Error);
    assert!(words(&error).contains("(Table 3, 3)"), "{}", words(&error));
    assert!(!scene.libvirtd.heard().contains(&"DOMAIN_UNDEFINE"));
    assert_eq!(scene.records("DOMAIN_UNDEFINE").first().map(|record| record.0), Some(Kind::Denial));
}

#[test]
fn a_hidden_vm_answers_exactly_like_a_missing_one() {
    let scene = Scene::set(USER);
    let mut client = scene.open_client();
    let missing = Uuid([9; 16]);
    let name = |text: Vec<u8>, of: &str| String::from_utf8_lossy(&text).replace(of, "X");
    for call in ["DOMAIN_GET_INFO", "DOMAIN_CREATE", "DOMAIN_UNDEFINE", "DOMAIN_SUSPEND"] {
        let hidden = client.call(call, &[named_vm(FINANCE, "x")]);
        let absent = client.call(call, &[named_vm(missing, "x")]);
        assert_eq!(hidden.0, absent.0, "{call}");
        assert_eq!(name(hidden.1, &FINANCE.to_string()), name(absent.1, &missing.to_string()), "{call}");
    }
    let hidden = client.call("DOMAIN_LOOKUP_BY_NAME", &[text("finance")]);
    let absent = client.call("DOMAIN_LOOKUP_BY_NAME", &[text("missing")]);
    assert_eq!(name(hidden.1, "finance"), name(absent.1, "missing"));
}

#[test]
fn lists_and_counts_hold_what_the_subject_sees() {
    let scene = Scene::set(USER);
    let mut client = scene.open_client();
    let list = [Value::Boolean(true), Value::Unsigned(0)];
    let expected = written("CONNECT_LIST_ALL_DOMAINS", &[Value::List(vec![vm(BOBS)]), Value::Unsigned(1)]);
    assert_eq!(client.call("CONNECT_LIST_ALL_DOMAINS", &list).1, expected);
    assert_eq!(client.call("CONNECT_NUM_OF_DEFINED_DOMAINS", &[]).1, [0, 0, 0, 1]);
    let names = client.call("CONNECT_LIST_DEFINED_DOMAINS", &[Value::Int(10)]).1;
    assert_eq!(names, *b"\0\0\0\x01\0\0\0\x05bobvm\0\0\0");

    let scene = Scene::set(ADMINISTRATOR);
    let both = [Value::List(vec![vm(BOBS), vm(FINANCE)]), Value::Unsigned(2)];
    let all = scene.open_client().call("CONNECT_LIST_ALL_DOMAINS", &list).1;
    assert_eq!(all, written("CONNECT_LIST_ALL_DOMAINS", &both));
}

#[test]
fn a_false_name_in_a_handle_is_put_right_on_its_way() {
    let scene = Scene::set(USER);
    let mut client = scene.open_client();
    assert_eq!(client.call("DOMAIN_SUSPEND", &[named_vm(BOBS, "finance")]).0, Status::Ok);
    let calls = scene.libvirtd.calls();
    let suspended = calls.iter().find(|heard| heard.name == "DOMAIN_SUSPEND").unwrap();
    assert!(suspended.payload.starts_with(b"\0\0\0\x05bobvm"));
}

#[test]
fn events_of_hidden_vms_do_not_arrive() {
    let event = find(REMOTE, 318).unwrap();
    let lifecycle = |header: Header, uuid| {
        let message_of = Value::Record(vec![vm(uuid), Value::Int(3), Value::Int(0)]);
        let payload = written(event.name, &[Value::Int(7), message_of]);
        let header = Header { procedure: 318, serial: 0, ..header };
        message(header, MessageKind::Message, Status::Ok, &payload)
    };
    let script: Script = Arc::new(move |heard| {
        (heard.name == "CONNECT_GET_HOSTNAME").then(|| {
            let events = [FINANCE, BOBS].map(|uuid| lifecycle(heard.header, uuid));
            events.into_iter().chain([good(heard, &[text("host")])]).collect()
        })
    });
    let scene = Scene::scripted(USER, script);
    let mut client = scene.open_client();
    client.send("CONNECT_GET_HOSTNAME", &[]);
    let (header, payload) = client.receive().unwrap();
    assert_eq!(header.procedure, 318);
    assert!(payload.windows(16).any(|window| window == BOBS.0));
    assert_eq!(client.receive().unwrap().0.kind, MessageKind::Reply);
}

#[test]
fn answers_may_come_in_any_order() {
    let held: Arc<Mutex<Option<Vec<u8>>>> = Arc::default();
    let script: Script = Arc::new(move |heard| match heard.name {
        "DOMAIN_SUSPEND" => {
            *held.lock().unwrap() = Some(good(heard, &[]));
            Some(vec![])
        }
        "CONNECT_GET_HOSTNAME" => Some(
            [Some(good(heard, &[text("host")])), held.lock().unwrap().take()].into_iter().flatten().collect(),
        ),
        _ => None,
    });
    let scene = Scene::scripted(USER, script);
    let mut client = scene.open_client();
    let suspend = client.send("DOMAIN_SUSPEND", &[vm(BOBS)]);
    let hostname = client.send("CONNECT_GET_HOSTNAME", &[]);
    assert_eq!(client.receive().unwrap().0.serial, hostname);
    assert_eq!(client.receive().unwrap().0.serial, suspend);
}

#[test]
fn pings_are_answered_while_libvirtd_thinks() {
    let script: Script = Arc::new(|heard| (heard.name == "DOMAIN_SUSPEND").then(Vec::new));
    let scene = Scene::scripted(USER, script);
    let mut client = scene.open_client();
    client.send("DOMAIN_SUSPEND", &[vm(BOBS)]);
    client.send_frame(Header::keepalive(PING), &[]);
    let (header, _) = client.receive().unwrap();
    assert_eq!((header.program, header.procedure), (KEEPALIVE, PONG));
    assert!(!scene.libvirtd.calls().iter().any(|heard| heard.header.program == KEEPALIVE));
}

#[test]
fn when_libvirtd_goes_the_client_is_told() {
    let script: Script = Arc::new(|heard| (heard.name == "DOMAIN_SUSPEND").then(|| vec![vec![]]));
    let scene = Scene::scripted(USER, script);
    let mut client = scene.open_client();
    assert_eq!(client.call("CONNECT_REGISTER_CLOSE_CALLBACK", &[]).0, Status::Ok);
    let (status, error) = client.call("DOMAIN_SUSPEND", &[vm(BOBS)]);
    assert_eq!((status, words(&error).contains("libvirtd is gone")), (Status::Error, true));
    assert_eq!(client.receive().unwrap().0.procedure, 362);
    assert!(client.receive().is_none());
    assert_eq!(scene.records("DOMAIN_SUSPEND").len(), 2, "the attempt and that its end is unknown");
}

#[test]
fn a_client_that_breaks_the_protocol_is_cut_off_and_recorded() {
    let scene = Scene::set(USER);
    let mut client = scene.open_client();
    let header = call_header(3, 9);
    client.send_frame(Header { kind: MessageKind::Reply, ..header }, &[]);
    assert!(client.receive().is_none());
    assert_eq!(scene.records("CONNECTION").len(), 1);
}

#[test]
fn what_is_not_spelled_as_libvirt_spells_it_does_not_pass() {
    let scene = Scene::set(ADMINISTRATOR);
    let mut client = scene.open_client();
    let bad: [(&str, &[u8]); 3] = [
        ("CONNECT_GET_HOSTNAME", b"more"),
        ("DOMAIN_LOOKUP_BY_NAME", b"\0\0\0\x06bob\0vm\0\0"),
        ("DOMAIN_LOOKUP_BY_NAME", b"\0\0\0\x05bobvm\0\0\x01"),
    ];
    for (name, payload) in bad {
        client.send_raw(name, payload);
        let (header, error) = client.receive().unwrap();
        assert_eq!((header.status, words(&error).contains("malformed")), (Status::Error, true), "{name}");
    }
    assert!(scene.libvirtd.heard().is_empty());
}

#[test]
fn a_stream_flows_until_it_ends_and_ends_when_the_policy_says_so() {
    let script: Script = Arc::new(|heard| match (heard.header.kind, heard.name) {
        (MessageKind::Call, "DOMAIN_OPEN_CONSOLE") => {
            let data = message(heard.header, MessageKind::Stream, Status::Continue, b"login: ");
            Some(vec![good(heard, &[]), data])
        }
        (MessageKind::Stream, _) => Some(vec![]),
        _ => None,
    });
    let scene = Scene::scripted(USER, script);
    let mut client = scene.open_client();
    let console = [vm(BOBS), Value::Absent, Value::Unsigned(0)];
    assert_eq!(client.call("DOMAIN_OPEN_CONSOLE", &console).0, Status::Ok);
    let (header, data) = client.receive().unwrap();
    assert_eq!((header.kind, data.as_slice()), (MessageKind::Stream, &b"login: "[..]));

    client.send_frame(Header { kind: MessageKind::Stream, status: Status::Continue, ..header }, b"bob");
    let stray = Header { serial: 99, kind: MessageKind::Stream, status: Status::Continue, ..header };
    client.send_frame(stray, b"late");
    scene.libvirtd.wait_for(MessageKind::Stream);
    scene.reload(&USER.replace("also = [\"operate\"]", "also = []"));
    let (header, error) = client.receive().unwrap();
    assert_eq!((header.kind, header.status), (MessageKind::Stream, Status::Error));
    assert!(words(&error).contains("may not operate"), "{}", words(&error));

    let packets: Vec<_> =
        scene.libvirtd.calls().into_iter().filter(|h| h.header.kind == MessageKind::Stream).collect();
    assert_eq!(packets.first().map(|packet| packet.payload.clone()), Some(b"bob".to_vec()));
    assert!(packets.iter().all(|packet| packet.payload != b"late"));
}

#[test]
fn a_stream_that_overtakes_its_reply_loses_nothing() {
    let script: Script = Arc::new(|heard| match (heard.header.kind, heard.name) {
        (MessageKind::Call, "DOMAIN_SCREENSHOT") => {
            let packet = |data: &[u8]| message(heard.header, MessageKind::Stream, Status::Continue, data);
            Some(vec![packet(b"picture"), packet(b""), good(heard, &[text("image/png")])])
        }
        (MessageKind::Stream, _) => Some(vec![message(heard.header, MessageKind::Stream, Status::Ok, b"")]),
        _ => None,
    });
    let scene = Scene::scripted(USER, script);
    let mut client = scene.open_client();
    client.send("DOMAIN_SCREENSHOT", &[vm(BOBS), Value::Unsigned(0), Value::Unsigned(0)]);
    let came: Vec<_> = (0..3).map(|_| client.receive().unwrap()).collect();
    assert_eq!(came[0].1, b"picture");
    assert_eq!((came[1].0.kind, came[1].1.len()), (MessageKind::Stream, 0));
    assert_eq!((came[2].0.kind, came[2].0.status), (MessageKind::Reply, Status::Ok));

    client.send_frame(Header { kind: MessageKind::Stream, status: Status::Ok, ..came[0].0 }, b"");
    let (header, _) = client.receive().unwrap();
    assert_eq!((header.kind, header.status), (MessageKind::Stream, Status::Ok), "it is open after the reply");
}

#[test]
fn a_role_withdrawn_counts_from_the_next_call() {
    let scene = Scene::set(USER);
    let mut client = scene.open_client();
    assert_eq!(client.call("DOMAIN_SUSPEND", &[vm(BOBS)]).0, Status::Ok);
    scene.reload(&USER.replace("\"suspend\", ", ""));
    assert_eq!(client.call("DOMAIN_SUSPEND", &[vm(BOBS)]).0, Status::Error);
}

#[test]
fn a_start_is_bound_by_the_information_domain() {
    let script: Script = Arc::new(|heard| {
        let nic = "<devices><interface type='network'><source network='red'/></interface></devices>";
        (heard.name == "DOMAIN_GET_XML_DESC").then(|| vec![good(heard, &[text(&definition(BOBS, nic))])])
    });
    let domain = "[information-domain.red]\nnetworks = [\"red\"]\n";
    for (policy, expected) in [(USER.to_owned(), Status::Ok), (format!("{USER}{domain}"), Status::Error)] {
        let scene = Scene::scripted(&policy, script.clone());
        let mut client = scene.open_client();
        assert_eq!(client.call("DOMAIN_CREATE", &[vm(BOBS)]).0, expected, "{policy}");
        assert_eq!(scene.libvirtd.heard().contains(&"DOMAIN_CREATE"), expected == Status::Ok);
    }
}

#[test]
fn a_definition_is_judged_by_what_it_changes() {
    let owner = format!(
        "{}quota = {{ vms = 9, memory = \"1 GiB\", vcpus = 9 }}\n",
        USER.split("[vm]").next().unwrap()
    );
    let owner = owner.replace("\"connect-removable\"", "\"configure-vms\", \"connect-removable\"");
    let owner = format!("{owner}[vm]\nraw = \"administrator\"\n");
    let nic = "<devices><interface type='network'><source network='default'/></interface></devices>";
    let cases = [
        ("", Status::Ok, ""),
        ("<vcpu>2</vcpu>", Status::Ok, ""),
        (nic, Status::Error, "(Table 3, 5)"),
        ("<vcpu>99</vcpu>", Status::Error, "over the quota"),
    ];
    for (rest, expected, reason) in cases {
        let scene = Scene::set(&owner);
        let mut client = scene.open_client();
        let (status, answer) = client.call("DOMAIN_DEFINE_XML", &[text(&definition(BOBS, rest))]);
        assert_eq!(status, expected, "{rest}: {}", words(&answer));
        if status == Status::Error {
            assert!(words(&answer).contains(reason), "{rest}: {}", words(&answer));
        }
        assert_eq!(scene.libvirtd.heard().contains(&"DOMAIN_DEFINE_XML"), expected == Status::Ok);
    }
}

#[test]
fn what_libvirtd_gets_as_xml_is_our_spelling() {
    let scene = Scene::set(ADMINISTRATOR);
    let mut client = scene.open_client();
    let spaced = definition(BOBS, "").replace("<memory>", "<!-- x -->  <memory >");
    assert_eq!(client.call("DOMAIN_DEFINE_XML", &[text(&spaced)]).0, Status::Ok);
    let calls = scene.libvirtd.calls();
    let defined = calls.iter().find(|heard| heard.name == "DOMAIN_DEFINE_XML").unwrap();
    let sent = String::from_utf8_lossy(&defined.payload).into_owned();
    assert!(!sent.contains("<!--") && sent.contains("<memory>1024</memory>"), "{sent}");
}

#[test]
fn too_many_connections_of_one_account_are_turned_away() {
    for (limits, setting) in
        [("connections = 10\nper-account = 2", "`per-account`"), ("connections = 2", "`connections`")]
    {
        let scene = Scene::set(&format!("{USER}[gate]\n{limits}\n"));
        let _first = scene.open_client();
        let _second = scene.open_client();
        let mut third = scene.client();
        let (status, error) = third.call("AUTH_LIST", &[]);
        assert_eq!((status, words(&error).contains(setting)), (Status::Error, true), "{}", words(&error));
        assert!(third.receive().is_none(), "that was all");
        assert_eq!(scene.records("CONNECTION").first().map(|record| record.0), Some(Kind::Denial));
    }
}

#[test]
fn the_last_places_are_kept_for_those_who_administer() {
    for (role, places) in [(USER, 7), (ADMINISTRATOR, 8)] {
        let scene = Scene::set(&format!("{role}[gate]\nconnections = 8\nper-account = 8\n"));
        let _inside: Vec<_> = (0..places).map(|_| scene.open_client()).collect();
        let (status, answer) = scene.client().call("AUTH_LIST", &[]);
        assert_eq!(status, Status::Error);
        assert!(words(&answer).contains("too many connections"), "{}", words(&answer));
    }
}

#[test]
fn who_is_turned_away_and_says_nothing_is_not_waited_for() {
    let scene = Scene::set(&format!("{USER}[gate]\nconnections = 10\nper-account = 1\n"));
    let _first = scene.open_client();
    assert!(scene.client().receive().is_none());
}

#[test]
fn when_libvirtd_is_not_there_the_client_learns_where_to_look() {
    let scene = Scene::set(USER);
    std::fs::remove_file(&scene.libvirtd.path).unwrap();
    let (status, error) = scene.client().call("CONNECT_OPEN", &[text(""), Value::Unsigned(0)]);
    let told = words(&error).contains("systemctl status libvirtd");
    assert_eq!((status, told), (Status::Error, true), "{}", words(&error));
}

#[test]
fn a_saved_state_is_restored_from_its_vms_own_directory_or_not_at_all() {
    let scene = Scene::set(&format!("{USER}[saved]\ndirectory = \"/var/lib\"\n"));
    let mut client = scene.open_client();
    let elsewhere =
        ["/tmp/image".to_owned(), format!("/var/lib/{FINANCE}/one"), format!("/var/lib/{BOBS}/../one")];
    for path in elsewhere {
        let (status, answer) = client.call("DOMAIN_RESTORE", &[text(&path)]);
        assert_eq!(
            (status, words(&answer).contains("directory of saved states")),
            (Status::Error, true),
            "{path}"
        );
    }
    assert!(scene.libvirtd.heard().is_empty(), "libvirtd does not even look at the file");
}

#[test]
fn a_definition_that_a_snapshot_brings_back_is_judged() {
    let nic = "<devices><interface type='network'><source network='default'/></interface></devices>";
    for (rest, expected) in [("", Status::Ok), (nic, Status::Error)] {
        let script: Script = Arc::new(move |heard| match heard.name {
            "DOMAIN_SNAPSHOT_GET_XML_DESC" => {
                let domain = definition(BOBS, rest);
                let snapshot =
                    format!("<domainsnapshot><name>s</name><state>shutoff</state>{domain}</domainsnapshot>");
                Some(vec![good(heard, &[text(&snapshot)])])
            }
            "DOMAIN_REVERT_TO_SNAPSHOT" => Some(vec![good(heard, &[])]),
            _ => None,
        });
        let scene = Scene::scripted(USER, script);
        let mut client = scene.open_client();
        let snapshot = Value::Record(vec![text("s"), vm(BOBS)]);
        let (status, answer) = client.call("DOMAIN_REVERT_TO_SNAPSHOT", &[snapshot, Value::Unsigned(0)]);
        assert_eq!(status, expected, "{}", words(&answer));
    }
}

#[test]
fn a_medium_must_be_in_the_library() {
    let drive = |source: &str| {
        format!(
            "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>{source}<target dev='sda' bus='sata'/><readonly/></disk>"
        )
    };
    let present = definition(BOBS, &format!("<devices>{}</devices>", drive("")));
    let script: Script = Arc::new(move |heard| match heard.name {
        "DOMAIN_GET_XML_DESC" => Some(vec![good(heard, &[text(&present)])]),
        "DOMAIN_UPDATE_DEVICE_FLAGS" => Some(vec![good(heard, &[])]),
        _ => None,
    });
    let scene = Scene::scripted(
        &format!(
            "{USER}[media]\nlibrary = [\"/etc\"]\nimage = {{ rule = \"grant\", granted = \"all-vms\" }}\n"
        ),
        script,
    );
    let mut client = scene.open_client();
    for (path, expected) in [("/etc/passwd", Status::Ok), ("/usr/lib/os-release", Status::Error)] {
        let device = drive(&format!("<source file='{path}'/>"));
        let (status, answer) =
            client.call("DOMAIN_UPDATE_DEVICE_FLAGS", &[vm(BOBS), text(&device), Value::Unsigned(2)]);
        assert_eq!(status, expected, "{path}: {}", words(&answer));
    }
}

#[test]
fn the_handle_of_an_interface_is_looked_up_before_it_is_used() {
    let eth0 = Value::Record(vec![text("eth0"), text("52:54:00:00:00:01")]);
    let known = eth0.clone();
    let script: Script = Arc::new(move |heard| match heard.name {
        "INTERFACE_LOOKUP_BY_NAME" if heard.payload.windows(4).any(|name| name == b"eth0") => {
            Some(vec![good(heard, std::slice::from_ref(&known))])
        }
        "INTERFACE_IS_ACTIVE" => Some(vec![good(heard, &[Value::Int(1)])]),
        "INTERFACE_DESTROY" => Some(vec![good(heard, &[])]),
        _ => None,
    });
    let scene = Scene::scripted(ADMINISTRATOR, script);
    let mut client = scene.open_client();
    assert_eq!(client.call("INTERFACE_IS_ACTIVE", std::slice::from_ref(&eth0)).0, Status::Ok);
    assert_eq!(client.call("INTERFACE_DESTROY", &[eth0, Value::Unsigned(0)]).0, Status::Ok);
    let heard = scene.libvirtd.heard();
    let gone = Value::Record(vec![text("gone"), text("52:54:00:00:00:01")]);
    for (call, flags) in [("INTERFACE_IS_ACTIVE", None), ("INTERFACE_DESTROY", Some(Value::Unsigned(0)))] {
        let arguments: Vec<_> = std::iter::once(gone.clone()).chain(flags).collect();
        let (status, error) = client.call(call, &arguments);
        let told = words(&error).contains("couldn't find interface named 'gone'");
        assert_eq!((status, told), (Status::Error, true), "{call}: {}", words(&error));
    }
    assert_eq!(scene.libvirtd.heard()[heard.len()..], ["INTERFACE_LOOKUP_BY_NAME"; 2]);
}

/// Waits until there are so many records about an operation, and returns their outcomes.
fn outcomes(scene: &Scene, operation: &str, count: usize) -> Vec<Outcome> {
    let until = Instant::now() + Duration::from_secs(10);
    while scene.records(operation).len() < count && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    let events = scene.notebook.events.lock().unwrap();
    events.iter().filter(|(event, _)| event.operation == operation).map(|(event, _)| event.outcome).collect()
}

#[test]
fn what_a_client_began_before_it_was_killed_has_its_true_outcome() {
    let script: Script = Arc::new(|heard| match heard.name {
        "DOMAIN_OPEN_CONSOLE" if heard.header.kind == MessageKind::Call => Some(vec![good(heard, &[])]),
        "DOMAIN_OPEN_CONSOLE" => Some(vec![]),
        "DOMAIN_SUSPEND" => {
            std::thread::sleep(Duration::from_millis(300));
            Some(vec![good(heard, &[])])
        }
        _ => None,
    });
    let scene = Scene::scripted(USER, script);
    let mut client = scene.open_client();
    let console = [vm(BOBS), Value::Absent, Value::Unsigned(0)];
    assert_eq!(client.call("DOMAIN_OPEN_CONSOLE", &console).0, Status::Ok);
    client.send("DOMAIN_SUSPEND", &[vm(BOBS)]);
    while !scene.libvirtd.heard().contains(&"DOMAIN_SUSPEND") {
        std::thread::yield_now();
    }
    drop(client);
    assert_eq!(outcomes(&scene, "DOMAIN_SUSPEND", 2), [Outcome::Pending, Outcome::Success]);
    let ended =
        |heard: &Heard| heard.header.kind == MessageKind::Stream && heard.header.status == Status::Error;
    let until = Instant::now() + Duration::from_secs(5);
    while !scene.libvirtd.calls().iter().any(ended) {
        assert!(Instant::now() < until, "the console is free for somebody else");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_client_that_broke_the_protocol_is_cut_off_before_its_outcomes_are_known() {
    let script: Script = Arc::new(|heard| (heard.name == "DOMAIN_SUSPEND").then(Vec::new));
    let scene = Scene::scripted(USER, script);
    let mut client = scene.open_client();
    client.send("DOMAIN_SUSPEND", &[vm(BOBS)]);
    while !scene.libvirtd.heard().contains(&"DOMAIN_SUSPEND") {
        std::thread::yield_now();
    }
    client.send_frame(Header { kind: MessageKind::Reply, ..call_header(3, 9) }, &[]);
    assert!(client.receive().is_none());
    assert_eq!(scene.records("CONNECTION").len(), 1);
    scene.gate.stop();
    assert_eq!(outcomes(&scene, "DOMAIN_SUSPEND", 2), [Outcome::Pending, Outcome::Unknown]);
}

#[test]
fn the_deepest_definition_fits_on_the_stack() {
    let depth = virtwarden_core::xml::strict::MAX_DEPTH;
    for (levels, expected) in [(depth - 3, Status::Ok), (depth * 100, Status::Error)] {
        let deep =
            format!("<x:a xmlns:x='urn:a'>{}{}</x:a>", "<x:a>".repeat(levels), "</x:a>".repeat(levels));
        let xml = definition(BOBS, &format!("<metadata>{deep}</metadata>"));
        let present = xml.clone();
        let script: Script = Arc::new(move |heard| {
            (heard.name == "DOMAIN_GET_XML_DESC").then(|| vec![good(heard, &[text(&present)])])
        });
        let scene = Scene::scripted(ADMINISTRATOR, script);
        let (status, answer) = scene.open_client().call("DOMAIN_DEFINE_XML", &[text(&xml)]);
        assert_eq!(status, expected, "{levels}: {}", words(&answer));
    }
}

#[test]
fn who_undefines_a_vm_makes_the_registry_forget_it_on_record() {
    let undefined = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let script: Script = Arc::new(move |heard| match heard.name {
        "DOMAIN_UNDEFINE" => {
            undefined.store(true, std::sync::atomic::Ordering::SeqCst);
            Some(vec![good(heard, &[])])
        }
        "DOMAIN_LOOKUP_BY_UUID" if undefined.load(std::sync::atomic::Ordering::SeqCst) => {
            let missing = super::super::fault::error(42, 10, "no domain");
            Some(vec![super::libvirtd::reply(heard.header, Status::Error, &missing)])
        }
        _ => None,
    });
    let scene = Scene::scripted(ADMINISTRATOR, script);
    assert_eq!(scene.open_client().call("DOMAIN_UNDEFINE", &[vm(BOBS)]).0, Status::Ok);
    assert_eq!(outcomes(&scene, "registry forget", 1), [Outcome::Success]);
    assert!(scene.gate.monitor.registry().vm(BOBS).is_none());
}

/// Defined before today's rules, or past the gate.
#[test]
fn a_redirection_without_the_filter_gets_it_when_the_vm_starts() {
    let rest = "<devices><redirdev bus='usb' type='spicevmc'/></devices>";
    let script: Script = Arc::new(move |heard| {
        (heard.name == "DOMAIN_GET_XML_DESC").then(|| vec![good(heard, &[text(&definition(BOBS, rest))])])
    });
    let scene = Scene::scripted(USER, script);
    assert_eq!(scene.open_client().call("DOMAIN_CREATE", &[vm(BOBS)]).0, Status::Ok);
    let changes = ["DOMAIN_DEFINE_XML", "DOMAIN_CREATE"];
    let heard: Vec<_> =
        scene.libvirtd.calls().into_iter().filter(|call| changes.contains(&call.name)).collect();
    assert_eq!(heard.iter().map(|call| call.name).collect::<Vec<_>>(), changes);
    let written = String::from_utf8_lossy(&heard[0].payload).into_owned();
    assert!(written.contains("<redirfilter>") && written.contains("<redirdev "), "{written}");
    let events = scene.notebook.events.lock().unwrap();
    let (attempt, before) = &events.iter().find(|(event, _)| event.kind == Kind::Attempt).unwrap();
    assert_eq!(attempt.detail, "completed: filter of USB redirection");
    assert!(
        scene.libvirtd.calls()[..*before].iter().all(|call| call.name != "DOMAIN_DEFINE_XML"),
        "recorded first"
    );
}

#[test]
fn a_vm_whose_completed_definition_libvirtd_does_not_take_does_not_start() {
    let rest = "<devices><redirdev bus='usb' type='spicevmc'/></devices>";
    let script: Script = Arc::new(move |heard| match heard.name {
        "DOMAIN_GET_XML_DESC" => Some(vec![good(heard, &[text(&definition(BOBS, rest))])]),
        "DOMAIN_DEFINE_XML" => {
            let error = crate::gate::fault::error(1, 10, "no");
            Some(vec![reply(heard.header, Status::Error, &error)])
        }
        _ => None,
    });
    let scene = Scene::scripted(USER, script);
    assert_eq!(scene.open_client().call("DOMAIN_CREATE", &[vm(BOBS)]).0, Status::Error);
    assert!(!scene.libvirtd.heard().contains(&"DOMAIN_CREATE"));
    let events = scene.notebook.events.lock().unwrap();
    assert!(events.iter().any(|(event, _)| event.kind == Kind::Outcome && event.outcome == Outcome::Failure));
}
