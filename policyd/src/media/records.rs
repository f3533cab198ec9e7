// SPDX-License-Identifier: Apache-2.0
//! What the trail says of media that come, go and change hands without a request.

use virtwarden_core::media::{Id, Medium, Source};
use virtwarden_core::object::Uuid;
use virtwarden_core::record::{Event, Kind, Outcome, Target};
use virtwarden_core::table3::Function;

/// Seen by policyd itself.
pub(super) fn seen(operation: &str, medium: &Id, vm: Option<(Uuid, &str)>, detail: &str) -> Event {
    let mut targets =
        vec![Target { kind: "medium".to_owned(), name: Some(medium.0.clone()), ..Target::default() }];
    targets.extend(vm.map(|(uuid, name)| Target {
        kind: "vm".to_owned(),
        name: Some(name.to_owned()).filter(|name| !name.is_empty()),
        uuid: Some(uuid),
        ..Target::default()
    }));
    Event {
        origin: None,
        kind: Kind::Observation,
        outcome: Outcome::Success,
        actor: None,
        operation: operation.to_owned(),
        functions: vec![Function::ConnectRemovable],
        targets,
        detail: detail.to_owned(),
        of: None,
        count: None,
    }
}

/// Refused by a rule, with nobody asking.
pub(super) fn refused(operation: &str, medium: &Id, vm: (Uuid, &str), reason: &str) -> Event {
    let seen = seen(operation, medium, Some(vm), reason);
    Event { kind: Kind::Denial, outcome: Outcome::Denied, ..seen }
}

/// A medium in words: what changes in them is worth a record.
pub(super) fn described(medium: &Medium) -> String {
    let what = match &medium.source {
        Source::Usb(usb) => {
            let interfaces: Vec<_> = usb
                .interfaces
                .iter()
                .map(|i| format!("{:02x}:{:02x}:{:02x}", i.class, i.subclass, i.protocol))
                .collect();
            format!("at port {}, interfaces {}", usb.port, interfaces.join(" "))
        }
        Source::Block(block) => {
            let content =
                block.content.as_ref().map_or("empty".to_owned(), |content| format!("with `{content}`"));
            format!("as `{}`, {content}", block.node)
        }
        Source::Image { path } => format!("as `{path}`"),
    };
    format!("{} `{}` {what}", medium.kind, medium.name)
}
