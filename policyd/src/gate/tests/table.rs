// SPDX-License-Identifier: Apache-2.0
//! Every procedure of the table, called on a VM that the caller may see but not change, and on one that is hidden.

use virtwarden_core::object::Uuid;
use virtwarden_core::policy::request::Right;
use virtwarden_core::rpc::layout::Layout;
use virtwarden_core::rpc::procedure::{Procedure, all};
use virtwarden_core::rpc::rule::Rule;
use virtwarden_core::rpc::writer::Writer;
use virtwarden_core::table3::Function;

use super::libvirtd::*;
use super::*;

/// What the gate itself asks, so that libvirtd may hear it from anybody.
const QUESTIONS: [&str; 8] = [
    "DOMAIN_SNAPSHOT_GET_XML_DESC",
    "DOMAIN_LOOKUP_BY_UUID",
    "NETWORK_LOOKUP_BY_UUID",
    "NWFILTER_LOOKUP_BY_UUID",
    "STORAGE_POOL_LOOKUP_BY_UUID",
    "DOMAIN_GET_XML_DESC",
    "DOMAIN_IS_ACTIVE",
    "DOMAIN_HAS_MANAGED_SAVE_IMAGE",
];

/// The least that can be said in a form: zeros, the UUID where one is wanted.
fn least(layout: &Layout, uuid: Uuid) -> Value<'static> {
    match layout {
        Layout::Int | Layout::Narrow(..) | Layout::Typed => Value::Int(0),
        Layout::Unsigned => Value::Unsigned(0),
        Layout::Hyper => Value::Hyper(0),
        Layout::UnsignedHyper => Value::UnsignedHyper(0),
        Layout::Double => Value::Double(0),
        Layout::Boolean => Value::Boolean(false),
        Layout::Text => text("x"),
        Layout::Uuid => Value::Uuid(uuid),
        Layout::Opaque(_) => Value::Opaque(Vec::new().into()),
        Layout::Optional(_) => Value::Absent,
        Layout::List(..) => Value::List(Vec::new()),
        Layout::Array(element, count) => Value::List((0..*count).map(|_| least(element, uuid)).collect()),
        Layout::Record(record) => {
            Value::Record(record.fields.iter().map(|f| least(&f.layout, uuid)).collect())
        }
    }
}

pub(super) fn arguments(procedure: &Procedure, uuid: Uuid) -> Vec<u8> {
    let values: Vec<_> = procedure.arguments.iter().map(|field| least(&field.layout, uuid)).collect();
    let mut writer = Writer::with_capacity(64);
    encode_fields(procedure.arguments, &values, &mut writer).unwrap();
    writer.finish()
}

/// What a call must be refused, whoever asks, by the rule of its procedure: all that needs more than looking,
/// and what libvirtd alone says or nobody may.
fn is_closed_to_onlookers(procedure: &Procedure) -> bool {
    match procedure.rule {
        Rule::Needs { rights, .. } => rights.iter().any(|right| *right != Right::View),
        Rule::Register { right, .. } => right != Right::View,
        Rule::Judged(_) => {
            !procedure.name.contains("CAPABILITIES") && !procedure.name.contains("HYPERVISOR_CPU")
        }
        Rule::Event(_) | Rule::Closed | Rule::Refused(_) => true,
        Rule::Own(_)
        | Rule::Describe { .. }
        | Rule::List(_)
        | Rule::Recast(_)
        | Rule::Lookup(_)
        | Rule::Deregister => false,
    }
}

/// Calls everything that is closed to onlookers and returns what libvirtd heard of it.
fn what_passes(policy: &str, uuid: Uuid) -> Vec<&'static str> {
    let scene = Scene::set(policy);
    let mut client = scene.open_client();
    for procedure in all().filter(|procedure| is_closed_to_onlookers(procedure)) {
        client.send_raw(procedure.name, &arguments(procedure, uuid));
        let (header, _) = client.receive().unwrap();
        assert_eq!(header.status, Status::Error, "{}", procedure.name);
    }
    scene.libvirtd.heard().into_iter().filter(|name| !QUESTIONS.contains(name)).collect()
}

#[test]
fn an_onlooker_can_do_nothing() {
    let onlooker = "[role.user]\ncolumn = \"user\"\nusers = [\"ME\"]\nvms = \"assigned\"\nfunctions = []\n";
    assert_eq!(what_passes(onlooker, BOBS), Vec::<&str>::new());
}

#[test]
fn nothing_can_be_done_to_a_hidden_vm() {
    assert_eq!(what_passes(USER, FINANCE), Vec::<&str>::new());
}

/// Rows 21 to 26 and operating: nothing else of what has a fixed need may pass, on a VM of one's own either.
#[test]
fn a_user_can_do_what_his_rows_say_and_nothing_else() {
    let own = [
        Function::ConnectRemovable,
        Function::Start,
        Function::Stop,
        Function::Checkpoint,
        Function::Suspend,
        Function::Resume,
    ];
    let held = |right: &Right| match right {
        Right::Function(function) => own.contains(function),
        Right::View | Right::Operate => true,
        Right::Guest | Right::Administer | Right::Review | Right::Raw => false,
    };
    for procedure in all() {
        let Rule::Needs { rights, .. } = procedure.rule else { continue };
        let scene = Scene::set(USER);
        let mut client = scene.open_client();
        client.send_raw(procedure.name, &arguments(procedure, BOBS));
        let _answered = client.receive().unwrap();
        let passed = scene.libvirtd.heard().contains(&procedure.name);
        let about_vm_or_host =
            procedure.handle.is_none_or(|(_, kind)| kind.object() == virtwarden_core::rpc::rule::On::Vm);
        let expected = about_vm_or_host && rights.iter().all(held);
        let unsound = procedure.check.is_some();
        assert!(passed == expected || unsound, "{} passed: {passed}, expected: {expected}", procedure.name);
    }
}
