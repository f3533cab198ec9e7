// SPDX-License-Identifier: Apache-2.0
//! A directory for the time of an evaluation: LDAP (RFC 4511) with one person in it, whom anybody may look up and nobody may
//! log in as.

mod ber;
mod entry;

use self::ber::Element;
use self::entry::{Entry, Scope};
use super::authority::{Authority, Peer};
use crate::exit::Failed;

/// Where people are in it.
pub(super) const BASE: &str = "dc=vweval,dc=invalid";
/// Longer than anything that is asked.
const LONGEST: usize = 64 * 1024;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const TEXT: u8 = 0x04;
const RESULT: u8 = 0x0a;
const BIND: u8 = 0x60;
const BOUND: u8 = 0x61;
const SEARCH: u8 = 0x63;
const FOUND: u8 = 0x64;
const SEARCHED: u8 = 0x65;
const EXTENDED: u8 = 0x77;
const EXTENDED_ANSWER: u8 = 0x78;

/// resultCode of RFC 4511, 4.1.9.
#[derive(Clone, Copy)]
enum Code {
    Success = 0,
    ProtocolError = 2,
    NoSuchObject = 32,
    InvalidCredentials = 49,
}

/// Listens; gives the port.
pub(super) fn listen(authority: &Authority, person: &str) -> Result<u16, Failed> {
    let entries = entry::all(BASE, person);
    authority.listen(move |peer| converse(peer, &entries))
}

/// One client, until it has nothing more to say or says what is no LDAP.
fn converse(client: &mut dyn Peer, entries: &[Entry]) {
    let (mut heard, mut piece) = (Vec::new(), [0; 4096]);
    while heard.len() < LONGEST {
        if let Some((message, rest)) = ber::first(&heard) {
            let Some(answer) = answer(message, entries) else { return };
            if client.write_all(&answer).is_err() {
                return;
            }
            heard = rest.to_vec();
            continue;
        }
        match client.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(length) => heard.extend(piece.iter().take(length)),
        }
    }
}

/// What is said to a message; none if that ends it.
fn answer(message: Element<'_>, entries: &[Entry]) -> Option<Vec<u8>> {
    let mut parts = ber::all(message.content);
    let (number, asked) = (parts.next()?, parts.next()?);
    let say = |content: Vec<u8>| {
        ber::element(SEQUENCE, &[ber::element(number.tag, number.content), content].concat())
    };
    match asked.tag {
        BIND => Some(say(result(BOUND, bind(asked)?))),
        EXTENDED => Some(say(result(EXTENDED_ANSWER, Code::ProtocolError))),
        SEARCH => {
            let (found, code) = search(asked, entries)?;
            let found = found.into_iter().map(|entry| say(shown(entry)));
            Some(found.chain([say(result(SEARCHED, code))]).collect::<Vec<_>>().concat())
        }
        // Unbinding, and what is not needed here.
        _ => None,
    }
}

fn result(tag: u8, code: Code) -> Vec<u8> {
    let nothing = ber::element(TEXT, &[]);
    ber::element(tag, &[ber::element(RESULT, &[code as u8]), nothing.clone(), nothing].concat())
}

/// Whoever names nobody and has no password may read. Nobody has one.
fn bind(asked: Element<'_>) -> Option<Code> {
    let parts: Vec<_> = ber::all(asked.content).collect();
    let [_version, name, credentials] = parts.as_slice() else { return None };
    let is_nobody = name.content.is_empty() && credentials.content.is_empty();
    Some(if is_nobody { Code::Success } else { Code::InvalidCredentials })
}

/// Whatever attributes are asked for, all are told: there is nothing to hide.
fn search<'e>(asked: Element<'_>, entries: &'e [Entry]) -> Option<(Vec<&'e Entry>, Code)> {
    let parts: Vec<_> = ber::all(asked.content).collect();
    let [base, scope, _aliases, _most, _longest, _types, filter, _attributes] = parts.as_slice() else {
        return None;
    };
    let base = String::from_utf8_lossy(base.content);
    if !entries.iter().any(|entry| entry.is(&base)) {
        return Some((Vec::new(), Code::NoSuchObject));
    }
    let scope = Scope::from_code(scope.content)?;
    let fits = |entry: &&Entry| entry.is_within(&base, scope) && entry.fits(*filter);
    Some((entries.iter().filter(fits).collect(), Code::Success))
}

fn shown(entry: &Entry) -> Vec<u8> {
    let text = |text: &str| ber::element(TEXT, text.as_bytes());
    let attributes = entry
        .attributes
        .iter()
        .map(|(name, value)| ber::element(SEQUENCE, &[text(name), ber::element(SET, &text(value))].concat()));
    let attributes = ber::element(SEQUENCE, &attributes.collect::<Vec<_>>().concat());
    ber::element(FOUND, &[text(&entry.name), attributes].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(operation: &[u8]) -> Option<Vec<u8>> {
        let message = ber::element(SEQUENCE, &[ber::element(2, &[7]), operation.to_vec()].concat());
        let (message, _) = ber::first(&message).unwrap();
        answer(message, &entry::all(BASE, "dora"))
    }

    /// The tags of all answers, and the last one's result.
    fn heard(answer: &[u8]) -> (Vec<u8>, u8) {
        let operations: Vec<_> =
            ber::all(answer).map(|message| ber::all(message.content).nth(1).unwrap()).collect();
        let code = ber::first(operations.last().unwrap().content).unwrap().0.content[0];
        (operations.iter().map(|operation| operation.tag).collect(), code)
    }

    fn search_for(base: &str, scope: u8, filter: &[u8]) -> Vec<u8> {
        let number = |tag, number: u8| ber::element(tag, &[number]);
        let parts = [
            ber::element(TEXT, base.as_bytes()),
            number(RESULT, scope),
            number(RESULT, 0),
            number(2, 0),
            number(2, 0),
            number(1, 0),
            filter.to_vec(),
            ber::element(SEQUENCE, &[]),
        ];
        ber::element(SEARCH, &parts.concat())
    }

    #[test]
    fn anybody_may_look_and_nobody_logs_in() {
        let bind = |name: &[u8], password: &[u8]| {
            let parts = [ber::element(2, &[3]), ber::element(TEXT, name), ber::element(0x80, password)];
            heard(&ask(&ber::element(BIND, &parts.concat())).unwrap())
        };
        assert_eq!(bind(b"", b""), (vec![BOUND], 0));
        for (name, password) in
            [(&b"uid=dora,dc=vweval,dc=invalid"[..], &b"x"[..]), (b"uid=dora", b""), (b"", b"x")]
        {
            assert_eq!(bind(name, password), (vec![BOUND], Code::InvalidCredentials as u8));
        }
    }

    #[test]
    fn what_is_there_is_found_and_the_rest_is_not() {
        let present = ber::element(0x87, b"objectClass");
        let found = |base, scope| heard(&ask(&search_for(base, scope, &present)).unwrap());
        assert_eq!(found("", 0), (vec![FOUND, SEARCHED], 0));
        assert_eq!(found(BASE, 2), (vec![FOUND, FOUND, SEARCHED], 0));
        assert_eq!(found("dc=other", 2), (vec![SEARCHED], Code::NoSuchObject as u8));
    }

    #[test]
    fn what_is_no_question_ends_it() {
        assert!(ask(&ber::element(0x42, &[])).is_none());
        assert!(ask(&ber::element(SEARCH, &[])).is_none());
        assert!(ask(&[]).is_none());
    }
}
