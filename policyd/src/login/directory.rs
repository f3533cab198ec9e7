// SPDX-License-Identifier: Apache-2.0
//! The account database, asked by names that somebody typed.

use std::ffi::CString;
use std::path::PathBuf;

use nix::unistd::{Gid, Group, User, getgrouplist};

/// An account that there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name as the database writes it: a directory may take it in other letters.
    pub name: String,
    /// Its number.
    pub uid: u32,
    /// Its primary group.
    pub gid: u32,
    /// What runs when it logs in.
    pub shell: PathBuf,
}

/// The account database.
pub trait Directory: Send + Sync {
    /// The account of a name.
    fn find(&self, name: &str) -> Option<Found>;
    /// The names of the groups that an account is in.
    fn groups(&self, account: &Found) -> Vec<String>;
    /// The accounts that a group lists.
    fn members(&self, group: &str) -> Vec<String>;
}

/// The host's.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostDirectory;

impl Directory for HostDirectory {
    fn find(&self, name: &str) -> Option<Found> {
        let user = User::from_name(name).ok()??;
        Some(Found { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw(), shell: user.shell })
    }

    fn groups(&self, account: &Found) -> Vec<String> {
        let Ok(name) = CString::new(account.name.as_str()) else { return Vec::new() };
        let gids = getgrouplist(&name, Gid::from_raw(account.gid)).unwrap_or_default();
        gids.into_iter().filter_map(|gid| Group::from_gid(gid).ok()?).map(|group| group.name).collect()
    }

    fn members(&self, group: &str) -> Vec<String> {
        Group::from_name(group).ok().flatten().map(|group| group.mem).unwrap_or_default()
    }
}
