// SPDX-License-Identifier: Apache-2.0
//! The images of the library: files that nobody but root can put there, so that what was judged is what is used.

use std::path::{Path, PathBuf};

use virtwarden_core::media::{Asker, Id, Kind, Medium, Party, Source, Transfer, Verdict};
use virtwarden_core::object::Vm;
use virtwarden_core::policy::Policy;
use virtwarden_core::trail::escape::printable;

use super::drive::images;
use super::keeper::{Cleared, Found, Having, Holder, Keeper, Refused};
use crate::gate::judge::media::check;

/// Most files of a library that are looked at.
const MOST: usize = 10_000;

/// The images of the library.
#[derive(Clone, Copy, Debug)]
pub struct Library;

impl Keeper for Library {
    fn present(&self, policy: &Policy, vms: &[Having]) -> Result<Vec<Found>, String> {
        let found = |medium: Medium| {
            let holder =
                holder(&medium, vms).map_or(Holder::Nobody, |vm| Holder::Vm(vm.uuid, vm.name.clone()));
            Found { medium, holder, last: None }
        };
        Ok(media(policy.media()).into_iter().map(found).collect())
    }

    fn find(&self, policy: &Policy, typed: &str) -> Result<Medium, String> {
        let fitting: Vec<_> = media(policy.media()).into_iter().filter(|medium| is(medium, typed)).collect();
        match fitting.as_slice() {
            [medium] => Ok(medium.clone()),
            [] => Err(format!("there is no medium `{typed}`; `virtwarden media list` shows what there is")),
            several => {
                let ids: Vec<_> = several.iter().map(|medium| format!("`{}`", medium.id)).collect();
                Err(format!("`{typed}` could be {}; name one of these", ids.join(" or ")))
            }
        }
    }

    fn judge(
        &self,
        policy: &Policy,
        vm: &Vm,
        asker: Asker,
        medium: &Medium,
        vms: &[Having],
    ) -> Result<Cleared, Refused> {
        let receiver = Party::of(vm);
        let holder = holder(medium, vms).map(Party::of);
        let transfer = Transfer { medium, holder: holder.as_ref(), receiver: &receiver, asker };
        match policy.media_rules().transfer(&transfer) {
            Verdict::Allow(clearance) => Ok(Cleared { access: clearance.access, rule: clearance.rule }),
            Verdict::Ask { rule } => Err(Refused::Ask { rule }),
            Verdict::Deny { reason } => Err(Refused::Denied(reason)),
        }
    }

    fn given(&self, _medium: &Id, _vm: &Vm) -> Result<(), String> {
        Ok(())
    }

    fn taken(&self, _medium: &Id) -> Result<(), String> {
        Ok(())
    }
}

/// The files directly in the libraries, in the order of their names.
fn media(libraries: &[PathBuf]) -> Vec<Medium> {
    let entries = libraries.iter().filter_map(|library| std::fs::read_dir(library).ok()).flatten().flatten();
    let mut paths: Vec<_> = entries.take(MOST).map(|entry| entry.path()).collect();
    paths.sort_unstable();
    let paths = paths.into_iter().filter_map(|path| path.to_str().map(str::to_owned));
    paths.filter(|path| check(path, libraries).is_ok()).map(image).collect()
}

fn image(path: String) -> Medium {
    let name = printable(file_name(&path));
    Medium { id: Id(format!("image:{path}")), kind: Kind::Image, name, source: Source::Image { path } }
}

/// Its id, its path, or its name in the library.
fn is(medium: &Medium, typed: &str) -> bool {
    let Source::Image { path } = &medium.source else { return false };
    medium.id.0 == typed || path == typed || file_name(path) == typed
}

fn file_name(path: &str) -> &str {
    Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or(path)
}

/// A VM that has the image in a drive.
fn holder<'v>(medium: &Medium, vms: &'v [Having]) -> Option<&'v Vm> {
    let Source::Image { path } = &medium.source else { return None };
    let has =
        |(_, definitions): &&Having| definitions.iter().any(|one| images(one).any(|image| image == path));
    vms.iter().find(has).map(|(vm, _)| vm)
}
