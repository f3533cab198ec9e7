// SPDX-License-Identifier: Apache-2.0
//! What is in the directory, and what of it a search means (RFC 4511, 4.5.1).

use super::ber::{self, Element};

/// Filters inside filters, at most.
const DEEPEST: u8 = 16;
const AND: u8 = 0xa0;
const OR: u8 = 0xa1;
const NOT: u8 = 0xa2;
const EQUAL: u8 = 0xa3;
const PRESENT: u8 = 0x87;

/// The person's number, which no local account has.
const NUMBER: &str = "1999000001";

/// One entry; attributes with several values have several lines.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) attributes: Vec<(&'static str, String)>,
}

/// How far below its base a search looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Base,
    OneLevel,
    Subtree,
}

impl Scope {
    /// As it is written; none if it is none.
    pub(super) fn from_code(code: &[u8]) -> Option<Self> {
        match code {
            [0] => Some(Scope::Base),
            [1] => Some(Scope::OneLevel),
            [2] => Some(Scope::Subtree),
            _ => None,
        }
    }
}

/// The root, the base, and the person.
pub(super) fn all(base: &str, person: &str) -> Vec<Entry> {
    let entry = |name: String, attributes: &[(&'static str, &str)]| Entry {
        name,
        attributes: attributes.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
    };
    vec![
        entry(
            String::new(),
            &[("objectClass", "top"), ("supportedLDAPVersion", "3"), ("namingContexts", base)],
        ),
        entry(base.to_owned(), &[("objectClass", "domain"), ("dc", "vweval")]),
        entry(
            format!("uid={person},{base}"),
            &[
                ("objectClass", "posixAccount"),
                ("uid", person),
                ("cn", person),
                ("uidNumber", NUMBER),
                ("gidNumber", NUMBER),
                ("homeDirectory", "/nonexistent"),
                ("loginShell", "/usr/sbin/nologin"),
            ],
        ),
    ]
}

impl Entry {
    /// Whether it is the one of this name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether a search from there comes by it.
    pub(super) fn is_within(&self, base: &str, scope: Scope) -> bool {
        let above = self.name.split_once(',').map_or("", |(_, above)| above);
        let is_below =
            !base.is_empty() && self.name.to_lowercase().ends_with(&format!(",{}", base.to_lowercase()));
        match scope {
            Scope::Base => self.is(base),
            Scope::OneLevel => is_below && above.eq_ignore_ascii_case(base),
            Scope::Subtree => self.is(base) || is_below,
        }
    }

    /// Whether a filter means it. A filter of a kind that is not known here means nothing.
    pub(super) fn fits(&self, filter: Element<'_>) -> bool {
        self.fits_within(filter, DEEPEST).unwrap_or(false)
    }

    /// None is what RFC 4511 calls undefined: its negation is no more true.
    fn fits_within(&self, filter: Element<'_>, depth: u8) -> Option<bool> {
        let depth = depth.checked_sub(1)?;
        let each = || ber::all(filter.content).map(|part| self.fits_within(part, depth));
        match filter.tag {
            AND => each().try_fold(true, |all, part| Some(all && part?)),
            OR => Some(each().any(|part| part == Some(true))),
            NOT => each().next()?.map(|fits| !fits),
            PRESENT => Some(self.values(filter.content).next().is_some()),
            EQUAL => {
                let mut parts = ber::all(filter.content);
                let (name, value) = (parts.next()?, parts.next()?);
                Some(self.values(name.content).any(|own| own.as_bytes().eq_ignore_ascii_case(value.content)))
            }
            _ => None,
        }
    }

    fn values(&self, name: &[u8]) -> impl Iterator<Item = &str> {
        let named = move |(own, _): &&(&str, String)| own.as_bytes().eq_ignore_ascii_case(name);
        self.attributes.iter().filter(named).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(name: &str, value: &str) -> Vec<u8> {
        let text = |text: &str| ber::element(4, text.as_bytes());
        ber::element(EQUAL, &[text(name), text(value)].concat())
    }

    fn found(filter: &[u8]) -> Vec<String> {
        let (filter, _) = ber::first(filter).unwrap();
        let entries = all("dc=a", "dora").into_iter();
        entries
            .filter(|entry| entry.is_within("DC=a", Scope::Subtree) && entry.fits(filter))
            .map(|e| e.name)
            .collect()
    }

    #[test]
    fn a_filter_means_whom_it_says() {
        let dora = ["uid=dora,dc=a".to_owned()];
        let nobody: [String; 0] = [];
        let present = ber::element(PRESENT, b"uidNumber");
        let zero = ber::element(NOT, &equal("uidNumber", "0"));
        let asked =
            |uid: &str| ber::element(AND, &[equal("uid", uid), present.clone(), zero.clone()].concat());
        assert_eq!(found(&asked("Dora")), dora);
        assert_eq!(found(&asked("bob")), nobody);
        assert_eq!(found(&ber::element(OR, &[equal("uid", "bob"), equal("cn", "dora")].concat())), dora);
        assert_eq!(found(&ber::element(PRESENT, b"objectClass")).len(), 2);
    }

    #[test]
    fn what_is_not_known_means_nothing_nor_does_its_negation() {
        let unknown = ber::element(0xa9, b"");
        assert_eq!(found(&unknown), Vec::<String>::new());
        assert_eq!(found(&ber::element(NOT, &unknown)), Vec::<String>::new());
        let deep = (0..40).fold(equal("uid", "dora"), |inner, _| ber::element(AND, &inner));
        assert_eq!(found(&deep), Vec::<String>::new());
    }

    #[test]
    fn a_search_looks_as_far_as_its_scope() {
        let names = |scope| {
            let entries = all("dc=a", "dora").into_iter();
            entries.filter(|entry| entry.is_within("dc=a", scope)).count()
        };
        assert_eq!((names(Scope::Base), names(Scope::OneLevel), names(Scope::Subtree)), (1, 1, 2));
        assert!(Scope::from_code(&[3]).is_none());
    }
}
