// SPDX-License-Identifier: Apache-2.0
//! libvirtd's VMs, asked over a link of our own that nothing of a client's passes.

use std::collections::HashMap;

use virtwarden_core::control::VmState;
use virtwarden_core::object::Uuid;
use virtwarden_core::rpc::reader::{Reader, XdrError};
use virtwarden_core::rpc::writer::Writer;
use virtwarden_core::subject::Subject;
use virtwarden_core::xml::definition::Definition;

use super::hypervisor::{Defined, Hypervisor, Seen};
use crate::gate::upstream::{Access, Place, Upstream, UpstreamError};

const DOMAIN_GET_XML_DESC: u32 = 14;
/// `VIR_DOMAIN_XML_INACTIVE`.
const INACTIVE: u32 = 2;
const CONNECT_GET_LIB_VERSION: u32 = 157;
const DOMAIN_GET_STATE: u32 = 212;
const CONNECT_LIST_ALL_DOMAINS: u32 = 273;

/// The most VMs that libvirt lists.
const MOST: u32 = 16_384;
/// libvirt's own bound for a string.
const TEXT: u32 = 4 << 20;
/// The least that a VM takes in a list: an empty name, a UUID, an id.
const LEAST: usize = 4 + 16 + 4;

/// Flags of CONNECT_LIST_ALL_DOMAINS, with the state of what each lists.
const BY_STATE: [(u32, VmState); 3] =
    [(1 << 4, VmState::Running), (1 << 5, VmState::Paused), (1 << 6, VmState::ShutOff)];

/// A VM's handle: what a call about it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Handle {
    pub(super) name: String,
    pub(super) uuid: Uuid,
    id: i32,
}

/// libvirtd.
#[derive(Clone, Debug)]
pub struct Libvirt {
    place: Place,
}

impl Libvirt {
    /// The libvirtd at a place.
    pub fn at(place: Place) -> Self {
        Self { place }
    }

    pub(super) fn open(&self, caller: &Subject, access: Access) -> Result<Upstream, UpstreamError> {
        Upstream::open(&self.place, access, caller)
    }

    fn ask_version(&self, caller: &Subject) -> Result<u64, UpstreamError> {
        let answer =
            self.open(caller, Access::ReadOnly)?.call(CONNECT_GET_LIB_VERSION, Writer::with_capacity(0))?;
        Ok(Reader::new(&answer).u64()?)
    }

    fn ask_definitions(&self, caller: &Subject) -> Result<Vec<Defined>, UpstreamError> {
        let mut link = self.open(caller, Access::ReadOnly)?;
        let mut all = Vec::new();
        for vm in list(&mut link, 0)? {
            let running = if vm.id < 0 { None } else { definition(&mut link, &vm, 0)? };
            let stored = definition(&mut link, &vm, INACTIVE)?;
            all.push(Defined { uuid: vm.uuid, name: vm.name, stored, running });
        }
        Ok(all)
    }

    /// One list of all, then one for each common state: a VM that changes its state between them is
    /// still listed, and asked for by itself.
    fn ask_vms(&self, caller: &Subject) -> Result<Vec<Seen>, UpstreamError> {
        let mut link = self.open(caller, Access::ReadOnly)?;
        let all = list(&mut link, 0)?;
        let mut states = HashMap::new();
        for (flag, state) in BY_STATE {
            states.extend(list(&mut link, flag)?.into_iter().map(|vm| (vm.uuid, state)));
        }
        let see = |vm: Handle| {
            let state = states.get(&vm.uuid).copied().unwrap_or_else(|| state(&mut link, &vm));
            Seen { uuid: vm.uuid, name: vm.name, state }
        };
        Ok(all.into_iter().map(see).collect())
    }
}

impl Hypervisor for Libvirt {
    fn version(&self, caller: &Subject) -> Result<String, String> {
        let version = self.ask_version(caller).map_err(|error| error.to_string())?;
        Ok(format!("libvirt {}.{}.{}", version / 1_000_000, version / 1000 % 1000, version % 1000))
    }

    fn vms(&self, caller: &Subject) -> Result<Vec<Seen>, String> {
        self.ask_vms(caller).map_err(|error| error.to_string())
    }

    fn definitions(&self, caller: &Subject) -> Result<Vec<Defined>, String> {
        self.ask_definitions(caller).map_err(|error| error.to_string())
    }
}

/// A definition of a VM; none if it has none of the kind, or is gone.
fn definition(link: &mut Upstream, vm: &Handle, flags: u32) -> Result<Option<Definition>, UpstreamError> {
    let mut arguments = Writer::with_capacity(64);
    arguments.text(&vm.name);
    arguments.raw(&vm.uuid.0);
    arguments.i32(vm.id);
    arguments.u32(flags);
    let answer = match link.call(DOMAIN_GET_XML_DESC, arguments) {
        Ok(answer) => answer,
        Err(UpstreamError::Refused(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let text = Reader::new(&answer).opaque(TEXT)?.to_vec();
    Ok(Definition::parse(text).ok())
}

pub(super) fn list(link: &mut Upstream, flags: u32) -> Result<Vec<Handle>, UpstreamError> {
    let mut arguments = Writer::with_capacity(8);
    arguments.boolean(true);
    arguments.u32(flags);
    Ok(handles(&link.call(CONNECT_LIST_ALL_DOMAINS, arguments)?)?)
}

fn handles(answer: &[u8]) -> Result<Vec<Handle>, XdrError> {
    let mut reader = Reader::new(answer);
    (0..reader.count(MOST, LEAST)?).map(|_| handle(&mut reader)).collect()
}

fn handle(reader: &mut Reader<'_>) -> Result<Handle, XdrError> {
    let name = String::from_utf8_lossy(reader.opaque(TEXT)?).into_owned();
    Ok(Handle { name, uuid: Uuid(reader.array()?), id: reader.i32()? })
}

/// The state of one VM; one that is gone meanwhile has none that is known.
fn state(link: &mut Upstream, vm: &Handle) -> VmState {
    let mut arguments = Writer::with_capacity(64);
    arguments.text(&vm.name);
    arguments.raw(&vm.uuid.0);
    arguments.i32(vm.id);
    arguments.u32(0);
    let answer = link.call(DOMAIN_GET_STATE, arguments).unwrap_or_default();
    word(Reader::new(&answer).i32().unwrap_or_default())
}

/// libvirt's number for a state.
fn word(number: i32) -> VmState {
    match number {
        1 | 2 => VmState::Running,
        3 => VmState::Paused,
        4 => VmState::ShuttingDown,
        5 => VmState::ShutOff,
        6 => VmState::Crashed,
        7 => VmState::Suspended,
        _ => VmState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(vms: &[(&[u8], [u8; 16], i32)]) -> Vec<u8> {
        let mut writer = Writer::with_capacity(64);
        writer.count(vms.len());
        for (name, uuid, id) in vms {
            writer.opaque(name);
            writer.raw(uuid);
            writer.i32(*id);
        }
        writer.u32(u32::try_from(vms.len()).unwrap());
        writer.finish()
    }

    #[test]
    fn a_list_is_read_as_libvirt_writes_it() {
        let listed = handles(&answer(&[(b"bobvm", [1; 16], 3), (b"caf\xe9", [2; 16], -1)])).unwrap();
        assert_eq!(listed[0], Handle { name: "bobvm".into(), uuid: Uuid([1; 16]), id: 3 });
        assert_eq!((listed[1].name.as_str(), listed[1].id), ("caf\u{fffd}", -1));
        assert_eq!(handles(&answer(&[])), Ok(Vec::new()));
    }

    #[test]
    fn a_list_that_lies_about_its_length_is_refused() {
        let whole = answer(&[(b"bobvm", [1; 16], 3)]);
        for length in 0..whole.len() - 4 {
            assert!(handles(&whole[..length]).is_err(), "{length}");
        }
        assert!(handles(&u32::MAX.to_be_bytes()).is_err());
    }

    #[test]
    fn states_are_libvirts() {
        assert_eq!((0..=8).map(word).filter(|state| *state == VmState::Unknown).count(), 2);
        assert_eq!((word(1), word(5)), (VmState::Running, VmState::ShutOff));
    }
}
