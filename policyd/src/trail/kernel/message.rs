// SPDX-License-Identifier: Apache-2.0
//! One event as the text of an audit message, in the field names that audit's own tools know. Numbers in fields that
//! those do not know stand in quotes: else `ausearch -i` takes them for hexadecimal text.

use std::fmt::Write as _;

use virtwarden_core::record::{Event, Kind, Outcome};

/// The longest value, in bytes. The kernel refuses messages of more than about 8 KiB.
const VALUE: usize = 256;

/// The message of an event; none for an attempt, whose outcome follows.
pub(super) fn of(seq: u64, event: &Event) -> Option<String> {
    let result = result(event)?;
    let mut text = format!("virt=virtwarden op={}", untrusted(&event.operation));
    if let Some(actor) = &event.actor {
        let _ = write!(text, " acct={} id={}", untrusted(&actor.account.name), actor.account.uid);
        let _ = write!(text, " apid=\"{}\"", actor.process.pid);
        if let Some(login) = &actor.login {
            let _ = write!(text, " aacct={} aauid=\"{}\"", untrusted(&login.account.name), login.account.uid);
            let _ = write!(text, " ases=\"{}\"", login.session);
        }
    }
    if let Some(target) = event.targets.first() {
        let field = if target.kind == "vm" { "vm" } else { "obj" };
        let _ = write!(text, " {field}={}", untrusted(target.name.as_deref().unwrap_or("?")));
        if let Some(uuid) = target.uuid {
            let _ = write!(text, " uuid={uuid}");
        }
    }
    let functions: Vec<_> = event.functions.iter().map(|function| function.slug()).collect();
    if !functions.is_empty() {
        let _ = write!(text, " functions={}", functions.join(","));
    }
    if !event.detail.is_empty() {
        let _ = write!(text, " reason={}", untrusted(&event.detail));
    }
    if let Some(count) = event.count {
        let _ = write!(text, " count=\"{count}\"");
    }
    let _ = write!(
        text,
        " seq=\"{seq}\" exe=\"/usr/lib/virtwarden/virtwarden-policyd\" hostname=? addr=? terminal=? res={result}"
    );
    Some(text)
}

fn result(event: &Event) -> Option<&'static str> {
    match (event.kind, event.outcome) {
        (Kind::Attempt, _) | (_, Outcome::Pending) => None,
        (_, Outcome::Success) => Some("success"),
        (_, Outcome::Failure | Outcome::Denied | Outcome::Unknown) => Some("failed"),
    }
}

/// A value that somebody else chose: in quotes if it is harmless, else in hexadecimal, as audit does it.
fn untrusted(value: &str) -> String {
    let bytes = value.as_bytes();
    let bytes = bytes.get(..VALUE).unwrap_or(bytes);
    if bytes.iter().all(|byte| matches!(byte, b'!' | b'#'..=b'&' | b'('..=b'~')) {
        return format!("\"{}\"", String::from_utf8_lossy(bytes));
    }
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use virtwarden_core::record::{Actor, Target};
    use virtwarden_core::subject::{Account, Door, Login, Process};
    use virtwarden_core::table3::Function;

    fn denial(name: &str) -> Event {
        Event {
            origin: None,
            kind: Kind::Denial,
            outcome: Outcome::Denied,
            actor: Some(Actor {
                authenticated: None,
                account: Account { name: "root".into(), uid: 0 },
                login: Some(Login { account: Account { name: "bob".into(), uid: 1001 }, session: 7 }),
                roles: Vec::new(),
                process: Process { pid: 42, start_time: 1 },
                door: Door::Libvirt,
            }),
            operation: "DOMAIN_CREATE".into(),
            functions: vec![Function::Start, Function::Stop],
            targets: vec![Target { kind: "vm".into(), name: Some(name.into()), ..Target::default() }],
            detail: "not assigned".into(),
            of: None,
            count: None,
        }
    }

    #[test]
    fn a_denial_reads_as_audit_tools_expect() {
        assert_eq!(
            of(9, &denial("bobvm")).unwrap(),
            "virt=virtwarden op=\"DOMAIN_CREATE\" acct=\"root\" id=0 apid=\"42\" aacct=\"bob\" \
             aauid=\"1001\" ases=\"7\" vm=\"bobvm\" functions=start,stop reason=6E6F742061737369676E6564 seq=\"9\" \
             exe=\"/usr/lib/virtwarden/virtwarden-policyd\" hostname=? addr=? terminal=? res=failed"
        );
    }

    #[test]
    fn a_name_cannot_forge_fields() {
        for name in ["x\" res=success", "x' res=success", "x res=success", "x\nres=success", "x\u{202e}", "ü"]
        {
            let text = of(9, &denial(name)).unwrap();
            let hex = name.bytes().map(|byte| format!("{byte:02X}")).collect::<String>();
            assert!(text.contains(&format!("vm={hex} ")), "{text}");
            assert_eq!(text.matches("res=").count(), 1);
        }
    }

    #[test]
    fn the_longest_event_stays_below_the_kernels_limit() {
        let long = "\u{1}".repeat(100_000);
        let event = Event { operation: long.clone(), detail: long.clone(), ..denial(&long) };
        assert!(of(u64::MAX, &event).unwrap().len() < 8000);
    }

    #[test]
    fn an_attempt_waits_for_its_outcome() {
        let attempt = Event { kind: Kind::Attempt, outcome: Outcome::Pending, ..denial("bobvm") };
        assert_eq!(of(9, &attempt), None);
    }
}
