// SPDX-License-Identifier: Apache-2.0
//! Names and addresses, replaced: each by the same word everywhere, so that what belongs together still reads so.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::takeover::accounts;
use crate::takeover::host::Host;
use crate::takeover::trouble::Trouble;

/// Where libvirt keeps a file for each VM.
const VMS: &str = "/etc/libvirt/qemu";

/// What stands for what.
#[derive(Debug, Default)]
pub(super) struct Redaction {
    /// The longest names first, so that `web-2` is not taken for `web` and a rest.
    names: Vec<(String, String)>,
    addresses: BTreeMap<IpAddr, String>,
}

impl Redaction {
    /// For what this host calls its people, its VMs and itself.
    ///
    /// # Errors
    /// They cannot be listed: then nothing may be handed over.
    pub(super) fn of(host: &Host<'_>) -> Result<Self, Trouble> {
        let vms = host.list(VMS).into_iter().filter_map(|name| name.strip_suffix(".xml").map(str::to_owned));
        let itself = host.run("uname", &["-n"])?;
        Ok(Self::new(&accounts::names_of_people(host)?, &vms.collect::<Vec<_>>(), itself.trim()))
    }

    fn new(people: &[String], vms: &[String], host: &str) -> Self {
        let person = numbered("person", people);
        let mut names: Vec<_> = person.chain(numbered("vm", vms)).collect();
        names.extend(
            Some(host).filter(|host| !host.is_empty()).map(|host| (host.to_owned(), "host".to_owned())),
        );
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        Self { names, addresses: BTreeMap::new() }
    }

    /// The text without them.
    pub(super) fn apply(&mut self, text: &str) -> String {
        let named = self.names.iter().fold(text.to_owned(), |text, (name, word)| replaced(&text, name, word));
        self.without_addresses(&named)
    }

    fn without_addresses(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(|c: char| !is_of_address(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            out.push_str(&self.address(word));
            let between = after.find(is_of_address).unwrap_or(after.len());
            let (other, next) = after.split_at(between);
            out.push_str(other);
            rest = next;
        }
        out
    }

    /// A word that is an address, perhaps with a port or a full stop after it; addresses of this host alone stay.
    fn address(&mut self, word: &str) -> String {
        let bare = word.trim_end_matches(['.', ':']);
        let port = bare.rsplit_once(':').map(|(address, _)| address);
        let found = [Some(bare), port].into_iter().flatten().find_map(|text| {
            text.parse::<IpAddr>().ok().map(|address| (address, word.get(text.len()..).unwrap_or_default()))
        });
        let Some((address, rest)) = found.filter(|(a, _)| !a.is_loopback() && !a.is_unspecified()) else {
            return word.to_owned();
        };
        let next = self.addresses.len() + 1;
        let known = self.addresses.entry(address).or_insert_with(|| format!("address-{next}"));
        format!("{known}{rest}")
    }
}

fn numbered<'a>(what: &'a str, names: &'a [String]) -> impl Iterator<Item = (String, String)> + 'a {
    names.iter().zip(1..).map(move |(name, number): (_, u32)| (name.clone(), format!("{what}-{number}")))
}

fn is_of_address(c: char) -> bool {
    c.is_ascii_hexdigit() || matches!(c, '.' | ':')
}

/// Replaces a name where it is a word of its own.
fn replaced(text: &str, name: &str, word: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let (before, found) = rest.split_at(at);
        let after = found.get(name.len()..).unwrap_or_default();
        let joined = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let inside = joined(out.chars().chain(before.chars()).next_back()) || joined(after.chars().next());
        out.push_str(before);
        out.push_str(if inside { name } else { word });
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    fn redacted(text: &str) -> String {
        Redaction::new(&names(&["bob", "al"]), &names(&["web", "web-2", "Finanz Büro"]), "host7").apply(text)
    }

    #[test]
    fn names_go_where_they_are_words_and_stay_where_they_are_parts_of_others() {
        for (text, expected) in [
            ("bob started `web-2` on host7.", "person-1 started `vm-2` on host."),
            ("bobby, bob_2, kebob", "bobby, bob_2, kebob"),
            ("al: total, al/al", "person-2: total, person-2/person-2"),
            ("VM `Finanz Büro` denied to bob@host7", "VM `vm-3` denied to person-1@host"),
            ("web2 web web", "web2 vm-1 vm-1"),
            ("", ""),
        ] {
            assert_eq!(redacted(text), expected);
        }
    }

    #[test]
    fn an_address_is_one_word_everywhere_and_the_hosts_own_stay() {
        let text = "from 192.0.2.7:22 and 2001:db8::1, again 192.0.2.7. On 127.0.0.1:5900, ::1; at 10:20:30, 1.2.3, added";
        assert_eq!(
            redacted(text),
            "from address-1:22 and address-2, again address-1. On 127.0.0.1:5900, ::1; at 10:20:30, 1.2.3, added"
        );
    }
}
