// SPDX-License-Identifier: Apache-2.0
//! What libvirt says of an object that does not exist. We say the same of one that is hidden.

use virtwarden_core::rpc::handle::{Handle, HandleKind};
use virtwarden_core::rpc::rule::Rule;
use virtwarden_core::rpc::value::Value;

use super::call::Call;
use super::fault::error;

/// libvirt's "from where": its QEMU driver and the others that we answer for.
mod from {
    pub(super) const QEMU: i32 = 10;
    pub(super) const STORAGE: i32 = 18;
    pub(super) const NETWORK: i32 = 19;
    pub(super) const NODE_DEVICE: i32 = 22;
    pub(super) const INTERFACE: i32 = 26;
    pub(super) const NWFILTER: i32 = 31;
    pub(super) const SECRET: i32 = 29;
}

/// The error payload for a handle that leads nowhere.
pub(super) fn leads_nowhere(handle: &Handle<'_>) -> Vec<u8> {
    match handle {
        Handle::Vm(vm) | Handle::Snapshot(vm, _) | Handle::Checkpoint(vm, _) => {
            domain_uuid(&vm.uuid.to_string(), vm.name)
        }
        Handle::Network(named) | Handle::Port(named, _) => {
            let text = format!("no network with matching uuid '{}' ({})", named.uuid, named.name);
            error(43, from::NETWORK, &format!("Network not found: {text}"))
        }
        Handle::Filter(named) => {
            let text = format!("no nwfilter with matching uuid '{}' ({})", named.uuid, named.name);
            error(62, from::NWFILTER, &format!("Network filter not found: {text}"))
        }
        Handle::Binding(port) => {
            let text = format!("Network filter binding not found: no nwfilter binding for port dev '{port}'");
            error(101, from::NWFILTER, &text)
        }
        Handle::Interface(name) => error(
            57,
            from::INTERFACE,
            &format!("Interface not found: couldn't find interface named '{name}'"),
        ),
        Handle::Pool(named) => {
            let text = format!("no storage pool with matching uuid '{}' ({})", named.uuid, named.name);
            error(49, from::STORAGE, &format!("Storage pool not found: {text}"))
        }
        Handle::Volume { pool, name: _ } => {
            let text = format!("Storage pool not found: no storage pool with matching name '{pool}'");
            error(49, from::STORAGE, &text)
        }
        Handle::Device(name) => {
            let text = format!("Node device not found: no node device with matching name '{name}'");
            error(53, from::NODE_DEVICE, &text)
        }
        Handle::Secret(uuid) => {
            error(66, from::SECRET, &format!("Secret not found: no secret with matching uuid '{uuid}'"))
        }
    }
}

fn domain_uuid(uuid: &str, name: &str) -> Vec<u8> {
    error(42, from::QEMU, &format!("Domain not found: no domain with matching uuid '{uuid}' ({name})"))
}

/// The error payload for a lookup that found nothing, or nothing that the subject may see.
pub(super) fn found_nothing(call: &Call<'_>) -> Vec<u8> {
    let argument = |name| call.arguments.text(name).unwrap_or_default().to_owned();
    let uuid = || match call.arguments.value("uuid") {
        Some(Value::Uuid(uuid)) => uuid.to_string(),
        _ => String::new(),
    };
    let (code, from, text) = match call.procedure.name {
        "DOMAIN_LOOKUP_BY_NAME" => {
            (42, from::QEMU, format!("Domain not found: no domain with matching name '{}'", argument("name")))
        }
        "DOMAIN_LOOKUP_BY_UUID" => {
            (42, from::QEMU, format!("Domain not found: no domain with matching uuid '{}'", uuid()))
        }
        "DOMAIN_LOOKUP_BY_ID" => {
            let id = call.arguments.number("id").unwrap_or_default().cast_signed();
            (42, from::QEMU, format!("Domain not found: no domain with matching id {id}"))
        }
        "NETWORK_LOOKUP_BY_NAME" => {
            let text = format!("Network not found: no network with matching name '{}'", argument("name"));
            (43, from::NETWORK, text)
        }
        "NETWORK_LOOKUP_BY_UUID" => {
            (43, from::NETWORK, format!("Network not found: no network with matching uuid '{}'", uuid()))
        }
        "NETWORK_PORT_LOOKUP_BY_UUID" => {
            (107, from::NETWORK, format!("network port not found: no port with matching uuid '{}'", uuid()))
        }
        "STORAGE_POOL_LOOKUP_BY_NAME" => {
            let text = format!("no storage pool with matching name '{}'", argument("name"));
            (49, from::STORAGE, format!("Storage pool not found: {text}"))
        }
        "STORAGE_POOL_LOOKUP_BY_UUID" => (
            49,
            from::STORAGE,
            format!("Storage pool not found: no storage pool with matching uuid '{}'", uuid()),
        ),
        "STORAGE_POOL_LOOKUP_BY_TARGET_PATH" => {
            let text = format!("no storage pool with matching target path '{}'", argument("path"));
            (49, from::STORAGE, format!("Storage pool not found: {text}"))
        }
        "STORAGE_VOL_LOOKUP_BY_NAME" => {
            let text = format!("no storage vol with matching name '{}'", argument("name"));
            (50, from::STORAGE, format!("Storage volume not found: {text}"))
        }
        "STORAGE_VOL_LOOKUP_BY_KEY" => {
            let text = format!("no storage vol with matching key {}", argument("key"));
            (50, from::STORAGE, format!("Storage volume not found: {text}"))
        }
        "STORAGE_VOL_LOOKUP_BY_PATH" => {
            let text = format!("no storage vol with matching path '{}'", argument("path"));
            (50, from::STORAGE, format!("Storage volume not found: {text}"))
        }
        "NWFILTER_LOOKUP_BY_NAME" => {
            let text = format!("no nwfilter with matching name '{}'", argument("name"));
            (62, from::NWFILTER, format!("Network filter not found: {text}"))
        }
        "NWFILTER_LOOKUP_BY_UUID" => (
            62,
            from::NWFILTER,
            format!("Network filter not found: no nwfilter with matching uuid '{}'", uuid()),
        ),
        "NODE_DEVICE_LOOKUP_BY_NAME" => {
            let text = format!("no node device with matching name '{}'", argument("name"));
            (53, from::NODE_DEVICE, format!("Node device not found: {text}"))
        }
        "INTERFACE_LOOKUP_BY_NAME" => {
            let text = format!("couldn't find interface named '{}'", argument("name"));
            (57, from::INTERFACE, format!("Interface not found: {text}"))
        }
        "SECRET_LOOKUP_BY_UUID" => {
            (66, from::SECRET, format!("Secret not found: no secret with matching uuid '{}'", uuid()))
        }
        _ => return of_kind(call),
    };
    error(code, from, &text)
}

/// For lookups by other things than name or UUID.
fn of_kind(call: &Call<'_>) -> Vec<u8> {
    let kind = if let Rule::Lookup(kind) = call.procedure.rule { Some(kind) } else { None };
    match kind {
        Some(HandleKind::Pool) => error(49, from::STORAGE, "Storage pool not found"),
        Some(HandleKind::Device) => error(53, from::NODE_DEVICE, "Node device not found"),
        Some(HandleKind::Interface) => error(57, from::INTERFACE, "Interface not found"),
        Some(HandleKind::Binding) => error(101, from::NWFILTER, "Network filter binding not found"),
        Some(HandleKind::Secret) => error(66, from::SECRET, "Secret not found"),
        _ => error(42, from::QEMU, "Domain not found"),
    }
}
