// SPDX-License-Identifier: Apache-2.0
//! The control protocol: what one end says the other hears, whatever stands in the names.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test is a panic")]

use proptest::prelude::*;
use virtwarden_core::control::{
    AuditFilter, AuditRange, Change, Failure, FailureKind, HookAnswer, HookCall, HookDriver, LineReader,
    Marks, Membership, Mode, ObjectName, Presence, Reply, Request, Sight, VmBelonging, VmRow, VmState,
    VmWish, decode, encode,
};
use virtwarden_core::object::{Assignment, Sensitivity, Uuid};
use virtwarden_core::policy::request::Right;
use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::setting::SettingName;
use virtwarden_core::subject::{Account, Group};
use virtwarden_core::table3::Function;

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Apply), Just(Mode::DryRun)]
}

fn names() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(any::<String>(), 0..4)
}

fn function() -> impl Strategy<Value = Function> {
    (1..=27_u8).prop_map(|number| Function::from_number(number).unwrap())
}

fn right() -> impl Strategy<Value = Right> {
    let all: Vec<_> = Right::all().collect();
    prop::sample::select(all)
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop::sample::select(vec![
        Outcome::Pending,
        Outcome::Success,
        Outcome::Failure,
        Outcome::Denied,
        Outcome::Unknown,
    ])
}

fn object() -> impl Strategy<Value = ObjectName> {
    prop_oneof![
        Just(ObjectName::Host),
        Just(ObjectName::Policy),
        Just(ObjectName::Trail),
        any::<String>().prop_map(ObjectName::Vm),
        any::<String>().prop_map(ObjectName::Network),
        any::<String>().prop_map(ObjectName::Device),
        any::<[u8; 16]>().prop_map(|bytes| ObjectName::Secret(Uuid(bytes))),
        any::<(String, String)>().prop_map(|(pool, name)| ObjectName::Volume { pool, name }),
    ]
}

fn filter() -> impl Strategy<Value = AuditFilter> {
    let who = any::<(Option<String>, Option<String>)>();
    let when = any::<(Option<u64>, Option<u64>, Option<u32>)>();
    let medium = (any::<Option<String>>(), prop::option::of(Just(SettingName::Lockout)));
    let marks = prop_oneof![Just(Marks::Hidden), Just(Marks::Shown)];
    let kind = prop_oneof![Just(None), Just(Some(Kind::Login)), Just(Some(Kind::Denial))];
    let rest = (prop::option::of(function()), kind, prop::option::of(outcome()), marks);
    (who, medium, when, rest).prop_map(
        |((person, vm), (medium, setting), (since, until, limit), (function, kind, outcome, marks))| {
            AuditFilter { person, vm, medium, setting, function, kind, outcome, since, until, limit, marks }
        },
    )
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        Just(Request::Status),
        Just(Request::VmList),
        Just(Request::AuditVerify),
        (any::<String>(), any::<Option<u64>>(), any::<Option<u32>>(), any::<Option<String>>(), mode())
            .prop_map(|(name, memory, vcpus, network, mode)| Request::VmCreate {
                wish: VmWish { template: network.clone(), disk: memory, name, memory, vcpus, network },
                belonging: vcpus.map(|_| VmBelonging::default()),
                mode
            }),
        any::<String>().prop_map(|vm| Request::VmShow { vm }),
        (any::<String>(), names(), names(), mode()).prop_map(|(vm, users, groups, mode)| Request::VmAssign {
            vm,
            users,
            groups,
            mode
        }),
        (any::<String>(), names(), names(), mode())
            .prop_map(|(vm, users, groups, mode)| Request::VmUnassign { vm, users, groups, mode }),
        (any::<String>(), any::<Option<String>>(), mode())
            .prop_map(|(vm, information_domain, mode)| Request::VmDomain { vm, information_domain, mode }),
        (any::<String>(), any::<String>(), mode()).prop_map(|(role, user, mode)| Request::RoleChange {
            role,
            user,
            membership: Membership::Removed,
            mode
        }),
        (outcome(), any::<String>()).prop_map(|(outcome, detail)| Request::RoleDone { outcome, detail }),
        (any::<String>(), right(), object()).prop_map(|(user, right, object)| Request::PolicyExplain {
            user,
            right,
            object
        }),
        filter().prop_map(|filter| Request::AuditList { filter }),
        any::<(Option<String>, Option<String>)>().prop_map(|(medium, vm)| Request::MediaList { medium, vm }),
        (any::<String>(), any::<String>(), any::<Option<String>>(), mode())
            .prop_map(|(vm, medium, drive, mode)| Request::MediaInsert { vm, medium, drive, mode }),
        any::<u32>().prop_map(|number| Request::MediaConfirm { number }),
        any::<(Option<u64>, Option<u64>)>()
            .prop_map(|(from, to)| Request::AuditExport { range: AuditRange { from, to } }),
        any::<(String, String, String, String)>().prop_map(|(object, operation, sub_operation, xml)| {
            Request::Hook(HookCall {
                driver: HookDriver::Qemu,
                object,
                operation,
                sub_operation,
                xml,
                sight: Sight::default(),
            })
        }),
    ]
}

fn assignment() -> impl Strategy<Value = Assignment> {
    let people = prop::collection::btree_set(any::<(String, u32)>(), 0..3);
    let groups = prop::collection::btree_set(any::<(String, u32)>(), 0..3);
    let sensitivity = prop_oneof![Just(Sensitivity::Ordinary), Just(Sensitivity::Sensitive)];
    let whose = (people, groups, any::<Option<String>>(), sensitivity);
    whose.prop_map(|(users, groups, information_domain, sensitivity)| Assignment {
        users: users.into_iter().map(|(name, uid)| Account { name, uid }).collect(),
        groups: groups.into_iter().map(|(name, gid)| Group { name, gid }).collect(),
        information_domain,
        sensitivity,
    })
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        any::<u64>().prop_map(|replies| Reply::End { replies }),
        any::<String>().prop_map(|line| Reply::Record { line }),
        any::<String>().prop_map(|reason| Reply::Hook(HookAnswer::Deny { reason })),
        any::<String>().prop_map(|message| Reply::Failed(Failure { kind: FailureKind::Denied, message })),
        (mode(), names()).prop_map(|(mode, differences)| Reply::Changed(Change { mode, differences })),
        (any::<[u8; 16]>(), any::<String>(), prop::option::of(assignment())).prop_map(
            |(uuid, name, assignment)| Reply::Vm(VmRow {
                uuid: Uuid(uuid),
                name,
                state: VmState::Paused,
                presence: Presence::Missing,
                assignment,
            })
        ),
    ]
}

proptest! {
    #[test]
    fn requests_read_back_as_written(requests in prop::collection::vec(request(), 1..5)) {
        let bytes: Vec<u8> = requests.iter().flat_map(|request| encode(request).unwrap()).collect();
        let mut lines = LineReader::new(bytes.as_slice());
        for request in requests {
            prop_assert_eq!(lines.receive::<Request>().unwrap(), Some(request));
        }
        prop_assert_eq!(lines.receive::<Request>().unwrap(), None);
    }

    #[test]
    fn replies_read_back_as_written(reply in reply()) {
        let bytes = encode(&reply).unwrap();
        prop_assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 1);
        prop_assert_eq!(decode::<Reply>(&bytes).unwrap(), reply);
    }

    #[test]
    fn nonsense_is_refused_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _refused = decode::<Request>(&bytes);
        let _refused = LineReader::new(bytes.as_slice()).receive::<Request>();
    }

    /// What is heard is what would be said: no request has two spellings that differ in meaning.
    #[test]
    fn a_request_that_lost_a_byte_is_refused_or_another_request(request in request(), at in any::<prop::sample::Index>()) {
        let mut bytes = encode(&request).unwrap();
        bytes.remove(at.index(bytes.len() - 1));
        if let Ok(heard) = decode::<Request>(&bytes) {
            prop_assert_eq!(decode::<Request>(&encode(&heard).unwrap()).unwrap(), heard);
        }
    }
}
