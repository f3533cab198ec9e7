// SPDX-License-Identifier: Apache-2.0
//! What a VM is at this moment: its definitions, fetched from libvirtd for this judgement and kept by its turn.

use std::time::{Duration, Instant};

use virtwarden_core::object::{Object, Uuid, Vm};
use virtwarden_core::rpc::handle::{Handle, HandleKind};
use virtwarden_core::rpc::value::Value;
use virtwarden_core::xml::definition::{Definition, DefinitionError};

use crate::gate::call::{Call, Replaced};
use crate::gate::connection::Connection;
use crate::gate::fault::{Fault, code, code_of};
use crate::gate::question;
use crate::gate::turns::{Matter, Turn};
use crate::gate::upstream::Access;

/// The longest wait for a turn.
const PATIENCE: Duration = Duration::from_secs(30);
const DOMAIN_IS_ACTIVE: u32 = 150;
const SECURE: u32 = 1;
const INACTIVE: u32 = 2;

/// A VM as libvirtd has it now.
#[derive(Debug)]
pub(super) struct Present {
    /// For the next start.
    pub(super) stored: Definition,
    /// If it runs.
    pub(super) running: Option<Definition>,
}

impl Present {
    /// All that the VM is at present.
    pub(super) fn all(&self) -> Vec<&Definition> {
        self.running.iter().chain(std::iter::once(&self.stored)).collect()
    }

    /// The definitions that a call with AFFECT flags touches: LIVE 1, CONFIG 2, neither for whichever counts now.
    pub(super) fn affected(&self, flags: u32) -> Vec<&Definition> {
        let running = self.running.as_ref().unwrap_or(&self.stored);
        match flags & 3 {
            2 => vec![&self.stored],
            3 => vec![running, &self.stored],
            _ => vec![running],
        }
    }
}

impl Connection {
    /// Waits for the VM's turn while serving everything else.
    pub(super) fn take_turn(&mut self, vm: Uuid) -> Result<Turn, Fault> {
        self.take_turn_at(Matter::Vm(vm))
    }

    /// Waits for a turn while serving everything else.
    pub(super) fn take_turn_at(&mut self, matter: Matter) -> Result<Turn, Fault> {
        let until = Instant::now() + PATIENCE;
        loop {
            let (turns, bell) = (self.gate.turns.clone(), self.link.bell.clone());
            if let Some(turn) = turns.take(matter, &bell) {
                return Ok(turn);
            }
            if Instant::now() >= until {
                let text = "another change of this VM is under way, try again when it is done";
                return Err(Fault::Failed(code::TIMEOUT, text.to_owned()));
            }
            if !self.sort()? {
                self.wait(Some(until))?;
            }
        }
    }

    /// The VM of a call under its true name, with the handle put right.
    pub(super) fn vm_of(&mut self, call: &Call<'_>) -> Result<(Vm, Replaced), Fault> {
        match self.object_of_named(call)? {
            (Object::Vm(vm), replaced) => Ok((vm, replaced)),
            _ => Err(Fault::Failed(code::INTERNAL, format!("{} names no VM", call.procedure.name))),
        }
    }

    /// The definitions of a VM.
    pub(super) fn present(&mut self, vm: &Vm) -> Result<Present, Fault> {
        let handle = handle_of(vm);
        let answer = self.ask(DOMAIN_IS_ACTIVE, std::slice::from_ref(&handle))?;
        let active = answer.values()?.first() != Some(&Value::Int(0));
        let secure = match self.access {
            Access::Full => SECURE,
            Access::ReadOnly => 0,
        };
        let running = match active {
            true => Some(self.definition_of(&handle, secure)?),
            false => None,
        };
        Ok(Present { stored: self.definition_of(&handle, secure | INACTIVE)?, running })
    }

    fn definition_of(&mut self, handle: &Value<'_>, flags: u32) -> Result<Definition, Fault> {
        let answer = self.ask(question::DOMAIN_GET_XML_DESC, &[handle.clone(), Value::Unsigned(flags)])?;
        Definition::parse(answer.text("xml")?).map_err(not_understood)
    }

    /// The VM with a UUID, or else of a name; none if there is neither.
    pub(in crate::gate) fn find_vm(&mut self, uuid: Option<Uuid>, name: &str) -> Result<Option<Vm>, Fault> {
        let by_uuid = uuid.map(|uuid| (question::DOMAIN_LOOKUP_BY_UUID, Value::Uuid(uuid)));
        let by_name = (question::DOMAIN_LOOKUP_BY_NAME, Value::Text(name.to_owned().into()));
        for (number, key) in by_uuid.into_iter().chain([by_name]) {
            let answer = match self.ask(number, &[key]) {
                Err(Fault::Theirs(error)) if code_of(&error) == Some(code::NO_DOMAIN) => continue,
                other => other?,
            };
            let values = answer.values()?;
            let found = values.first().and_then(|value| Handle::from_value(HandleKind::Vm, value));
            if let Some(found) = found.and_then(|handle| handle.vm()) {
                return Ok(Some(self.gate.monitor.known_vm(found.uuid, found.name)));
            }
        }
        Ok(None)
    }
}

/// A handle that leads to the VM.
pub(super) fn handle_of(vm: &Vm) -> Value<'static> {
    Value::Record(vec![Value::Text(vm.name.clone().into()), Value::Uuid(vm.uuid), Value::Int(-1)])
}

/// What libvirtd has is outside what we understand: nothing can be compared with it.
fn not_understood(error: DefinitionError) -> Fault {
    let text = format!("access denied: the VM's present definition is not understood: {error}");
    Fault::Failed(code::ACCESS_DENIED, text)
}
