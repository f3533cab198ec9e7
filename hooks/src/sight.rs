// SPDX-License-Identifier: Apache-2.0
//! What a VM that is about to start has in common with others, looked at on the host itself.
//!
//! libvirtd cannot be asked while it waits for its hook. What it keeps of its VMs is in its files: one for each
//! definition, one for each VM that runs, with all that its disks build upon.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use virtwarden_core::control::{HookCall, InCommon, Sight};
use virtwarden_core::policy::sharing::{Held, Own, hold, in_common};
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::strict;
use virtwarden_core::xml::uses::{Medium, Use};

use crate::look::look;

/// Where libvirtd keeps what it knows.
pub(crate) struct Places<'a> {
    /// Definitions of VMs, and what is known of those that run.
    pub(crate) vms: &'a [&'a str],
    /// Definitions of storage pools.
    pub(crate) pools: &'a [&'a str],
}

/// libvirtd's own.
pub(crate) const PLACES: Places<'_> = Places {
    vms: &["/etc/libvirt/qemu", "/run/libvirt/qemu"],
    pools: &["/etc/libvirt/storage", "/run/libvirt/storage"],
};

/// Looks, if the call is about a VM that begins.
pub(crate) fn with_sight(call: HookCall, places: &Places<'_>) -> HookCall {
    if !call.begins_vm() {
        return call;
    }
    let sight = see(&call.xml, places).map_or_else(Sight::Failed, Sight::Looked);
    HookCall { sight, ..call }
}

fn see(xml: &str, places: &Places<'_>) -> Result<Vec<InCommon>, String> {
    let vm = Definition::parse(xml).map_err(|error| format!("the VM's definition: {error}"))?;
    let held = hold(&located(&vm, places), Own::Judged, &look)?;
    let mut seen = Vec::new();
    for place in places.vms {
        for other in definitions(Path::new(place))? {
            seen.extend(common_with(&vm, &held, &other, places));
        }
    }
    Ok(seen)
}

/// What a VM uses, volumes by their files where their pool is a directory.
fn located(vm: &Definition, places: &Places<'_>) -> Vec<Use> {
    let locate = |usage: Use| {
        let path = match &usage.medium {
            Some(Medium::Volume { pool, name }) => volume(pool, name, places),
            Some(Medium::Path(_) | Medium::Name(_)) | None => None,
        };
        match path {
            Some(path) => Use { medium: Some(Medium::Path(path)), ..usage },
            None => usage,
        }
    };
    vm.facts().uses.into_iter().map(locate).collect()
}

fn volume(pool: &str, name: &str, places: &Places<'_>) -> Option<String> {
    let files = places.pools.iter().map(|place| Path::new(place).join(format!("{pool}.xml")));
    let pool = files.filter_map(|file| strict::parse(fs::read(file).ok()?).ok()).next()?;
    let pool = if pool.is("pool") { pool } else { pool.child("pool")?.clone() };
    let path = Path::new(pool.at(&["target", "path"])?.text().trim()).join(name);
    path.try_exists().ok().filter(|there| *there).and_then(|_| path.to_str().map(str::to_owned))
}

fn common_with(vm: &Definition, held: &[Held], other: &Definition, places: &Places<'_>) -> Option<InCommon> {
    let uuid = other.uuid().filter(|uuid| vm.uuid() != Some(*uuid))?;
    let theirs = hold(&located(other, places), Own::Present, &look).ok()?;
    let common = in_common(held, &theirs);
    (!common.is_empty()).then(|| InCommon { uuid, name: other.name().to_owned(), common })
}

/// All definitions in a directory. One that goes meanwhile is a VM that is gone.
fn definitions(place: &Path) -> Result<Vec<Definition>, String> {
    let entries = match fs::read_dir(place) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| format!("`{}`: {error}", place.display()))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| format!("`{}`: {error}", place.display()))?.path();
        if path.extension().is_none_or(|end| end != "xml") {
            continue;
        }
        match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            text => found.push(
                text.map_err(|error| error.to_string())
                    .and_then(|text| definition(&text))
                    .map_err(|error| format!("`{}`: {error}", path.display()))?,
            ),
        }
    }
    Ok(found)
}

/// A definition, or the one within what libvirtd keeps of a VM that runs.
fn definition(text: &[u8]) -> Result<Definition, String> {
    let root = strict::parse(text).map_err(|error| error.to_string())?;
    let inner = if root.is("domstatus") { root.child("domain").cloned() } else { None };
    Definition::new(inner.unwrap_or(root)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use virtwarden_core::control::HookDriver;
    use virtwarden_core::policy::sharing::Channel;

    use super::*;

    const OTHER: &str = "0b0b0b0b-0b0b-0b0b-0b0b-0b0b0b0b0b0b";

    fn domain(uuid: &str, name: &str, disk: &Path) -> String {
        format!(
            "<domain><name>{name}</name><uuid>{uuid}</uuid><devices><disk><source file='{}'/></disk></devices></domain>",
            disk.display()
        )
    }

    /// What the hook sees when a VM with the disk `disk` starts, and another has it by a hard link.
    fn sight(disk: &str, other: impl Fn(&Path) -> String) -> Sight {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("disk"), "").unwrap();
        fs::write(at("own"), "").unwrap();
        fs::hard_link(at("disk"), at("link")).unwrap();
        fs::create_dir(at("qemu")).unwrap();
        fs::write(at("qemu/b.xml"), other(&at("link"))).unwrap();
        fs::write(at("qemu/b.pid"), "7").unwrap();
        let call = HookCall {
            driver: HookDriver::Qemu,
            object: "a".into(),
            operation: "prepare".into(),
            sub_operation: "begin".into(),
            xml: domain("0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a", "a", &at(disk)),
            sight: Sight::default(),
        };
        let places = [at("qemu"), at("nowhere")];
        let vms = [places[0].to_str().unwrap(), places[1].to_str().unwrap()];
        with_sight(call, &Places { vms: &vms, pools: &[] }).sight
    }

    #[test]
    fn a_disk_that_another_vm_has_is_seen_in_its_definition_and_while_it_runs() {
        let stored = |link: &Path| format!("<!-- made by libvirtd -->\n{}", domain(OTHER, "b", link));
        let running = |link: &Path| {
            let noted = "<metadata><x:note xmlns:x='urn:x'/></metadata><devices>";
            let vm = domain(OTHER, "b", link).replace("<devices>", noted);
            format!("<domstatus state='running' pid='7'><monitor path='/m'/>{vm}</domstatus>")
        };
        for other in [&stored as &dyn Fn(&Path) -> String, &running] {
            let Sight::Looked(seen) = sight("disk", other) else { panic!("it saw nothing") };
            assert_eq!((seen.len(), seen[0].name.as_str()), (1, "b"));
            assert_eq!(seen[0].common[0].channel, Channel::Disk);
            assert_eq!(sight("own", other), Sight::Looked(Vec::new()));
        }
    }

    #[test]
    fn what_cannot_be_read_is_no_sight() {
        assert!(matches!(sight("disk", |_| "<domain".to_owned()), Sight::Failed(_)));
        assert!(matches!(sight("disk", |_| "<domain/>".to_owned()), Sight::Failed(_)));
    }
}
