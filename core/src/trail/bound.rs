// SPDX-License-Identifier: Apache-2.0
//! Bounds on what one event may put into the trail, so that nobody fills it with long names.

use crate::record::{Event, Target};
use crate::subject::Account;

/// The longest line that a trail can hold, in bytes, its line feed included.
pub const LINE: usize = 256 * 1024;
/// The longest name or detail, in bytes, before it is cut.
const TEXT: usize = 1024;
/// The longest word that we choose ourselves: operations, kinds, role names.
const WORD: usize = 128;
/// How many targets or roles one event names.
const LIST: usize = 16;

/// The event with everything in it bounded. What was cut ends in `...[+N bytes]`.
pub fn bound(event: Event) -> Event {
    let actor = event.actor.map(|mut actor| {
        cut_account(&mut actor.account);
        actor.login.iter_mut().for_each(|login| cut_account(&mut login.account));
        actor.roles = shorten(actor.roles, |left| format!("...[+{left} roles]"));
        actor.roles.iter_mut().for_each(|role| cut(role, WORD));
        actor
    });
    let mut bounded = Event { actor, targets: shorten(event.targets, more_targets), ..event };
    bounded.targets.iter_mut().for_each(cut_target);
    bounded.functions.truncate(crate::table3::Function::ALL.len());
    cut(&mut bounded.operation, WORD);
    cut(&mut bounded.detail, TEXT);
    bounded
}

fn cut_account(account: &mut Account) {
    cut(&mut account.name, TEXT);
}

fn cut_target(target: &mut Target) {
    cut(&mut target.kind, WORD);
    target.name.iter_mut().for_each(|name| cut(name, TEXT));
}

fn more_targets(left: usize) -> Target {
    Target { kind: "more".to_owned(), name: Some(format!("...[+{left} targets]")), ..Target::default() }
}

fn shorten<T>(mut list: Vec<T>, more: impl Fn(usize) -> T) -> Vec<T> {
    if list.len() > LIST {
        let left = list.len() - (LIST - 1);
        list.truncate(LIST - 1);
        list.push(more(left));
    }
    list
}

/// Cuts a text to so many bytes plus a marker that says how many are missing.
fn cut(text: &mut String, limit: usize) {
    if text.len() > limit {
        let end = (0..=limit).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let missing = text.len() - end;
        text.truncate(end);
        text.push_str(&format!("...[+{missing} bytes]"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Actor, Kind, Outcome};
    use crate::subject::{Door, Login, Process};
    use crate::trail::escape::json;

    fn worst(length: usize) -> Event {
        let name = "\u{1}".repeat(length);
        let account = Account { name: name.clone(), uid: u32::MAX };
        let target = Target { kind: name.clone(), name: Some(name.clone()), ..Target::default() };
        Event {
            origin: None,
            kind: Kind::Denial,
            outcome: Outcome::Denied,
            actor: Some(Actor {
                account: account.clone(),
                login: Some(Login { account, session: u32::MAX }),
                authenticated: None,
                roles: vec![name.clone(); length],
                process: Process { pid: u32::MAX, start_time: u64::MAX },
                door: Door::LibvirtReadOnly,
            }),
            operation: name.clone(),
            functions: crate::table3::Function::ALL.repeat(length),
            targets: vec![target; length],
            detail: name,
            of: Some(u64::MAX),
            count: Some(u64::MAX),
        }
    }

    #[test]
    fn the_worst_event_fits_into_a_line() {
        let text = json(&bound(worst(3000))).unwrap();
        assert!(text.len() < LINE - 1024, "{}", text.len());
    }

    #[test]
    fn what_is_cut_says_so() {
        let event = bound(worst(3000));
        assert!(event.detail.ends_with("...[+1976 bytes]"));
        assert_eq!(event.targets.len(), LIST);
        assert_eq!(event.targets.last().unwrap().name.as_deref(), Some("...[+2985 targets]"));
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let event = worst(5);
        let functions = crate::table3::Function::ALL.to_vec();
        assert_eq!(bound(event.clone()), Event { functions, ..event });
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        let mut text = "ü".repeat(600);
        cut(&mut text, 1023);
        assert!(text.starts_with('ü') && text.ends_with("ü...[+178 bytes]"), "{text}");
    }
}
