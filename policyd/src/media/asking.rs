// SPDX-License-Identifier: Apache-2.0
//! What VMs have, asked of libvirtd on a link of policyd's own.

use virtwarden_core::object::Uuid;
use virtwarden_core::rpc::reader::{Reader, XdrError};
use virtwarden_core::rpc::writer::Writer;
use virtwarden_core::xml::definition::Definition;

use super::vms::{Connected, Having};
use crate::gate::upstream::{Access, Place, Upstream, UpstreamError};

const DOMAIN_GET_XML_DESC: u32 = 14;
const CONNECT_LIST_ALL_DOMAINS: u32 = 273;
/// `VIR_CONNECT_LIST_DOMAINS_ACTIVE`.
const ACTIVE: u32 = 1;
/// libvirt's own bounds: for a string, and for a list of VMs.
const TEXT: u32 = 4 << 20;
const MOST: u32 = 16_384;
/// The least that a VM takes in a list: an empty name, a UUID, an id.
const LEAST: usize = 4 + 16 + 4;

/// Asks a libvirtd, each time anew.
#[derive(Clone, Debug)]
pub struct Asking(pub Place);

impl Connected for Asking {
    /// A VM that stops between two answers makes the first try fail.
    fn running(&self) -> Result<Vec<Having>, String> {
        self.ask(ACTIVE, |_| true).or_else(|_| self.ask(ACTIVE, |_| true))
    }

    fn vm(&self, uuid: Uuid) -> Result<Option<Having>, String> {
        let ask = || self.ask(0, |vm| vm.uuid == uuid);
        Ok(ask().or_else(|_| ask())?.pop())
    }
}

impl Asking {
    /// What a VM that runs has now; none if it does not run.
    pub(super) fn definition_of(&self, uuid: Uuid) -> Result<Option<Definition>, String> {
        let mut link =
            Upstream::open_for_itself(&self.0, Access::ReadOnly).map_err(|error| error.to_string())?;
        let listed = list(&mut link, ACTIVE).map_err(|error| error.to_string())?;
        let Some(vm) = listed.iter().find(|vm| vm.uuid == uuid) else { return Ok(None) };
        let definition = definition(&mut link, vm).map_err(|error| error.to_string())?;
        Definition::parse(definition).map(Some).map_err(|error| error.to_string())
    }

    fn ask(&self, flags: u32, which: impl Fn(&Listed) -> bool) -> Result<Vec<Having>, String> {
        let mut link =
            Upstream::open_for_itself(&self.0, Access::ReadOnly).map_err(|error| error.to_string())?;
        let listed = list(&mut link, flags).map_err(|error| error.to_string())?;
        listed.iter().filter(|vm| which(vm)).map(|vm| having(&mut link, vm)).collect()
    }
}

/// A VM as libvirtd names it.
struct Listed {
    uuid: Uuid,
    name: String,
    id: i32,
}

/// VMs by their state. An answer that is not whole is an error, never a shorter list.
fn list(link: &mut Upstream, flags: u32) -> Result<Vec<Listed>, UpstreamError> {
    let mut arguments = Writer::with_capacity(8);
    arguments.boolean(true);
    arguments.u32(flags);
    let answer = link.call(CONNECT_LIST_ALL_DOMAINS, arguments)?;
    let mut reader = Reader::new(&answer);
    let count = reader.count(MOST, LEAST)?;
    let vms = (0..count).map(|_| listed(&mut reader)).collect::<Result<Vec<_>, _>>()?;
    match reader.u32() {
        Ok(told) if usize::try_from(told) == Ok(count) => Ok(vms),
        _ => Err(UpstreamError::Nonsense("the question which VMs there are")),
    }
}

fn listed(reader: &mut Reader<'_>) -> Result<Listed, XdrError> {
    let name = String::from_utf8_lossy(reader.opaque(TEXT)?).into_owned();
    Ok(Listed { name, uuid: Uuid(reader.array()?), id: reader.i32()? })
}

fn having(link: &mut Upstream, vm: &Listed) -> Result<Having, String> {
    let definition = definition(link, vm).map_err(|error| error.to_string())?;
    let definition =
        Definition::parse(definition).map_err(|error| format!("the definition of a VM: {error}"))?;
    Having::of(&definition).ok_or_else(|| "the definition of a VM has no UUID".to_owned())
}

/// A VM's definition as it runs, or as it would start.
fn definition(link: &mut Upstream, vm: &Listed) -> Result<Vec<u8>, UpstreamError> {
    let mut arguments = Writer::with_capacity(64);
    arguments.text(&vm.name);
    arguments.raw(&vm.uuid.0);
    arguments.i32(vm.id);
    arguments.u32(0);
    let answer = link.call(DOMAIN_GET_XML_DESC, arguments)?;
    Ok(Reader::new(&answer).opaque(TEXT)?.to_vec())
}
