// SPDX-License-Identifier: Apache-2.0
//! Handles: how calls, replies and events name objects.
//!
//! libvirt goes by the UUID where a handle has one, by the names otherwise. The other parts are what
//! the client remembers of the object; nothing may be decided on them.

use crate::object::Uuid;
use crate::rpc::value::Value;

pub use crate::rpc::handle_kind::HandleKind;

/// A VM as a client names it. Only the UUID counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VmHandle<'a> {
    /// Its identity.
    pub uuid: Uuid,
    /// What the client believes its name to be.
    pub name: &'a str,
    /// Its number while it runs, -1 otherwise; numbers are used again.
    pub id: i32,
}

/// A named object with a UUID. Only the UUID counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named<'a> {
    /// Its identity.
    pub uuid: Uuid,
    /// What the client believes its name to be.
    pub name: &'a str,
}

/// What a call, reply or event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handle<'a> {
    /// A VM.
    Vm(VmHandle<'a>),
    /// A snapshot, by name within its VM.
    Snapshot(VmHandle<'a>, &'a str),
    /// A checkpoint, by name within its VM.
    Checkpoint(VmHandle<'a>, &'a str),
    /// A virtual network.
    Network(Named<'a>),
    /// A port of a virtual network, by UUID within it.
    Port(Named<'a>, Uuid),
    /// A network filter.
    Filter(Named<'a>),
    /// A filter binding, by the name of the VM's port on the host.
    Binding(&'a str),
    /// An interface of the host, by name.
    Interface(&'a str),
    /// A storage pool.
    Pool(Named<'a>),
    /// A volume, by the name of its pool and its own.
    Volume {
        /// The pool's name.
        pool: &'a str,
        /// The volume's name.
        name: &'a str,
    },
    /// A device of the host, by name.
    Device(&'a str),
    /// A secret.
    Secret(Uuid),
}

impl<'a> Handle<'a> {
    /// Understands a decoded value as a handle; none if it is not of that form.
    pub fn from_value(kind: HandleKind, value: &'a Value<'_>) -> Option<Self> {
        Some(match (kind, value.parts()) {
            (HandleKind::Vm, parts) => Handle::Vm(vm(parts)?),
            (HandleKind::Snapshot, [name, dom]) => Handle::Snapshot(vm(dom.parts())?, name.as_text()?),
            (HandleKind::Checkpoint, [name, dom]) => Handle::Checkpoint(vm(dom.parts())?, name.as_text()?),
            (HandleKind::Network, parts) => Handle::Network(named(parts)?),
            (HandleKind::Port, [network, Value::Uuid(uuid)]) => Handle::Port(named(network.parts())?, *uuid),
            (HandleKind::Filter, parts) => Handle::Filter(named(parts)?),
            (HandleKind::Binding, [port, _]) => Handle::Binding(port.as_text()?),
            (HandleKind::Interface, [name, _]) => Handle::Interface(name.as_text()?),
            (HandleKind::Pool, parts) => Handle::Pool(named(parts)?),
            (HandleKind::Volume, [pool, name, _]) => {
                Handle::Volume { pool: pool.as_text()?, name: name.as_text()? }
            }
            (HandleKind::Device, [name]) => Handle::Device(name.as_text()?),
            (HandleKind::Secret, [Value::Uuid(uuid), ..]) => Handle::Secret(*uuid),
            _ => return None,
        })
    }

    /// The VM that it is, or is part of.
    pub const fn vm(&self) -> Option<VmHandle<'a>> {
        match self {
            Handle::Vm(vm) | Handle::Snapshot(vm, _) | Handle::Checkpoint(vm, _) => Some(*vm),
            Handle::Network(_)
            | Handle::Port(..)
            | Handle::Filter(_)
            | Handle::Binding(_)
            | Handle::Interface(_)
            | Handle::Pool(_)
            | Handle::Volume { .. }
            | Handle::Device(_)
            | Handle::Secret(_) => None,
        }
    }
}

fn vm<'a>(parts: &'a [Value<'_>]) -> Option<VmHandle<'a>> {
    match parts {
        [Value::Text(name), Value::Uuid(uuid), Value::Int(id)] => {
            Some(VmHandle { uuid: *uuid, name, id: *id })
        }
        _ => None,
    }
}

fn named<'a>(parts: &'a [Value<'_>]) -> Option<Named<'a>> {
    match parts {
        [Value::Text(name), Value::Uuid(uuid)] => Some(Named { uuid: *uuid, name }),
        _ => None,
    }
}
