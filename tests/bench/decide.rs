// SPDX-License-Identifier: Apache-2.0
//! How long the policy takes for a decision, with ten thousand assigned VMs asked about in turn.

use std::collections::BTreeSet;
use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use virtwarden_core::authentication::{Authenticated, Authentication, Factor, Origin};
use virtwarden_core::object::{Assignment, Object, Uuid, Vm};
use virtwarden_core::policy::decision::Decision;
use virtwarden_core::policy::request::{Need, Request, Right};
use virtwarden_core::policy::{Policy, Source};
use virtwarden_core::subject::{Account, Door, Group, Process, Subject};
use virtwarden_core::table3::Function;

use crate::line::Line;

const VMS: u32 = 10_000;
const ROUNDS: u32 = 100;

/// Decides for an Administrator, for a User about VMs of his own and about VMs of others.
pub(crate) fn run(policy: &str) -> Result<(), Box<dyn Error>> {
    let text = std::fs::read_to_string(policy)?;
    let policy = Policy::load(&[Source { name: policy, text: &text }]);
    let policy = policy.map_err(|errors| format!("{} mistakes in the policy", errors.len()))?;
    let start = Right::Function(Function::Start);
    let scenes = [
        ("administrator", member("alice", 1000, "virtwarden-admin"), "bob", start),
        ("user-allowed", member("bob", 1001, "libvirt"), "bob", start),
        ("user-view", member("bob", 1001, "libvirt"), "bob", Right::View),
        ("user-refused", member("bob", 1001, "libvirt"), "carol", start),
    ];
    for (way, subject, owner, right) in scenes {
        let needs: Vec<_> = (0..VMS).map(|number| vec![Need { right, object: vm(number, owner) }]).collect();
        let times: Vec<_> = (0..ROUNDS).map(|_| time(&policy, &subject, &needs)).collect();
        Line::new(way, "decide").with("vms", VMS).with_times(times).print();
    }
    Ok(())
}

/// The mean of one round.
fn time(policy: &Policy, subject: &Subject, needs: &[Vec<Need>]) -> Duration {
    let begin = Instant::now();
    for needs in needs {
        match black_box(policy.decide(&Request { subject, needs })) {
            Decision::Allow(permit) => drop(black_box(permit)),
            Decision::Deny(denial) => drop(black_box(denial)),
        }
    }
    begin.elapsed() / VMS
}

fn member(name: &str, uid: u32, group: &str) -> Subject {
    let groups = ["users", "audio", group].map(|name| Group { name: name.to_owned(), gid: 100 });
    Subject {
        account: Account { name: name.to_owned(), uid },
        groups: groups.to_vec(),
        login: None,
        authentication: Authentication::Person(Authenticated {
            origin: Origin::Local { terminal: "tty1".to_owned() },
            service: "login".to_owned(),
            factors: vec![Factor::Pam],
        }),
        process: Process { pid: 1, start_time: 1 },
        door: Door::Libvirt,
    }
}

fn vm(number: u32, owner: &str) -> Object {
    let account = Account { name: owner.to_owned(), uid: if owner == "bob" { 1001 } else { 1002 } };
    let assignment = Assignment { users: BTreeSet::from([account]), ..Assignment::default() };
    let mut uuid = [0; 16];
    uuid.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
    Object::Vm(Vm { uuid: Uuid(uuid), name: format!("vm-{number}"), assignment: Some(Arc::new(assignment)) })
}
