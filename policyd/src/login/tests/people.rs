// SPDX-License-Identifier: Apache-2.0
//! alice and carol are Administrators, bob and dave are Users. Names in capitals are the same names.

use crate::login::{Directory, Found};

const PEOPLE: [(&str, u32); 5] =
    [("root", 0), ("alice", 1000), ("bob", 1001), ("carol", 1002), ("dave", 1003)];

pub(super) fn uid(name: &str) -> u32 {
    PEOPLE.iter().find(|(known, _)| *known == name).unwrap().1
}

pub(super) struct People;

impl Directory for People {
    fn find(&self, name: &str) -> Option<Found> {
        let name = name.to_lowercase();
        let (_, uid) = PEOPLE.iter().find(|(known, _)| *known == name)?;
        Some(Found { name, uid: *uid, gid: *uid, shell: "/bin/bash".into() })
    }

    fn groups(&self, account: &Found) -> Vec<String> {
        let groups =
            [("virtwarden-admin", self.members("virtwarden-admin")), ("libvirt", self.members("libvirt"))];
        let of = groups.into_iter().filter(|(_, members)| members.contains(&account.name));
        of.map(|(group, _)| group.to_owned()).collect()
    }

    fn members(&self, group: &str) -> Vec<String> {
        let members: &[&str] = match group {
            "virtwarden-admin" => &["alice", "carol"],
            "libvirt" => &["bob", "dave"],
            _ => &[],
        };
        members.iter().map(|name| (*name).to_owned()).collect()
    }
}
