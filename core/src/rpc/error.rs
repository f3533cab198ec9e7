// SPDX-License-Identifier: Apache-2.0
//! Error replies, and what libvirt says of an object that does not exist.
//!
//! Of an object that somebody may not see, the same is said, word for word. Codes, origins and texts are
//! those of libvirt 9.0 and 11.3 in the C locale; both answered the calls in the tests below like this.
//! (The format string that comes with a message is spelt as in 9.0; no client shows it. What matters is
//! that a hidden object and a missing one get the same bytes, and both come from here.)

use crate::rpc::arguments::Arguments;
use crate::rpc::handle::{Handle, HandleKind};
use crate::rpc::procedure::Procedure;
use crate::rpc::rule::Rule;
use crate::rpc::value::Value;
use crate::rpc::writer::Writer;

/// libvirt's level for errors; there is also one for warnings.
const LEVEL_ERROR: i32 = 2;

/// An error as a reply carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// libvirt's number for what went wrong.
    pub code: i32,
    /// libvirt's number for the part of it that says so.
    pub origin: i32,
    /// What went wrong, in general: `Domain not found`.
    pub title: &'static str,
    /// What went wrong, in particular.
    pub detail: String,
}

impl Failure {
    /// A refusal by access control: `access denied: DETAIL`.
    pub const fn denied(detail: String) -> Self {
        Self { code: 88, origin: 55, title: "access denied", detail }
    }

    /// The message that people see.
    pub fn message(&self) -> String {
        format!("{}: {}", self.title, self.detail)
    }

    /// The payload of a reply with status [`Error`](crate::rpc::frame::Status::Error).
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(64 + 2 * (self.title.len() + self.detail.len()));
        writer.i32(self.code);
        writer.i32(self.origin);
        writer.optional_text(Some(&self.message()));
        writer.i32(LEVEL_ERROR);
        let (no_vm, no_network) = (false, false);
        writer.boolean(no_vm);
        writer.optional_text(Some(&format!("{}: %s", self.title)));
        writer.optional_text(Some(&self.detail));
        writer.optional_text(None);
        writer.i32(-1);
        writer.i32(-1);
        writer.boolean(no_network);
        writer.finish()
    }
}

/// What libvirt says of a handle that leads nowhere.
pub fn leads_nowhere(handle: &Handle<'_>) -> Failure {
    match handle {
        Handle::Vm(vm) | Handle::Snapshot(vm, _) | Handle::Checkpoint(vm, _) => {
            no(HandleKind::Vm, format!("no domain with matching uuid '{}' ({})", vm.uuid, vm.name))
        }
        Handle::Network(network) | Handle::Port(network, _) => no(
            HandleKind::Network,
            format!("no network with matching uuid '{}' ({})", network.uuid, network.name),
        ),
        Handle::Filter(filter) => {
            no(HandleKind::Filter, format!("no nwfilter with matching uuid '{}'", filter.uuid))
        }
        Handle::Binding(port) => {
            no(HandleKind::Binding, format!("no nwfilter binding for port dev '{port}'"))
        }
        Handle::Interface(name) => {
            no(HandleKind::Interface, format!("couldn't find interface named '{name}'"))
        }
        Handle::Pool(pool) => no(
            HandleKind::Pool,
            format!("no storage pool with matching uuid '{}' ({})", pool.uuid, pool.name),
        ),
        Handle::Volume { pool, .. } => {
            no(HandleKind::Pool, format!("no storage pool with matching name '{pool}'"))
        }
        Handle::Device(name) => no(HandleKind::Device, format!("no node device with matching name '{name}'")),
        Handle::Secret(uuid) => no(HandleKind::Secret, format!("no secret with matching uuid '{uuid}'")),
    }
}

/// What libvirt says of a volume that is not in its pool, where the pool may be seen.
pub fn no_volume(name: &str) -> Failure {
    no(HandleKind::Volume, format!("no storage vol with matching name '{name}'"))
}

/// What libvirt says when a lookup finds nothing.
pub fn found_nothing(procedure: &Procedure, arguments: &Arguments<'_>) -> Failure {
    let Rule::Lookup(kind) = procedure.rule else {
        return arguments.handle().map_or_else(|| no(HandleKind::Vm, String::new()), |h| leads_nowhere(&h));
    };
    let detail = by_name(kind, arguments).or_else(|| by_other(kind, arguments));
    no(kind, detail.unwrap_or_else(|| by_id(kind, arguments)))
}

fn by_name(kind: HandleKind, arguments: &Arguments<'_>) -> Option<String> {
    let name = arguments.text("name")?;
    Some(if kind == HandleKind::Interface {
        format!("couldn't find interface named '{name}'")
    } else if kind == HandleKind::Binding {
        format!("no nwfilter binding for port dev '{name}'")
    } else {
        format!("no {} with matching name '{name}'", noun(kind))
    })
}

/// Each lookup goes by one argument, so the first that is there is the one.
fn by_other(kind: HandleKind, arguments: &Arguments<'_>) -> Option<String> {
    let noun = noun(kind);
    let text = |argument| arguments.text(argument);
    if let Some(Value::Uuid(uuid)) = arguments.value("uuid") {
        Some(format!("no {noun} with matching uuid '{uuid}'"))
    } else if let Some(path) = text("path") {
        let what = if kind == HandleKind::Pool { "target path" } else { "path" };
        Some(format!("no {noun} with matching {what} '{path}'"))
    } else if let Some(key) = text("key") {
        Some(format!("no {noun} with matching key {key}"))
    } else if let Some(mac) = text("mac") {
        Some(format!("couldn't find interface with MAC address '{mac}'"))
    } else if let Some(usage) = text("usageID") {
        Some(format!("no {noun} with matching usage '{usage}'"))
    } else if let Some(Handle::Volume { pool, .. }) = arguments.handle() {
        Some(format!("no {noun} with matching name '{pool}'"))
    } else {
        let (node, port) = (text("wwnn")?, text("wwpn")?);
        Some(format!("no node device with matching wwnn '{node}' and wwpn '{port}'"))
    }
}

fn by_id(kind: HandleKind, arguments: &Arguments<'_>) -> String {
    let id = arguments.number("id").unwrap_or_default().cast_signed();
    format!("no {} with matching id {id}", noun(kind))
}

fn no(kind: HandleKind, detail: String) -> Failure {
    const QEMU: i32 = 10;
    const STORAGE: i32 = 18;
    const NETWORK: i32 = 19;
    let (code, origin, title) = match kind {
        HandleKind::Vm => (42, QEMU, "Domain not found"),
        HandleKind::Snapshot => (72, QEMU, "Domain snapshot not found"),
        HandleKind::Checkpoint => (103, QEMU, "Domain checkpoint not found"),
        HandleKind::Network => (43, NETWORK, "Network not found"),
        HandleKind::Port => (107, NETWORK, "network port not found"),
        HandleKind::Filter => (62, 33, "Network filter not found"),
        HandleKind::Binding => (101, 33, "Network filter binding not found"),
        HandleKind::Interface => (57, 26, "Interface not found"),
        HandleKind::Pool => (49, STORAGE, "Storage pool not found"),
        HandleKind::Volume => (50, STORAGE, "Storage volume not found"),
        HandleKind::Device => (53, 22, "Node device not found"),
        HandleKind::Secret => (66, 30, "Secret not found"),
    };
    Failure { code, origin, title, detail }
}

const fn noun(kind: HandleKind) -> &'static str {
    match kind {
        HandleKind::Vm => "domain",
        HandleKind::Snapshot => "domain snapshot",
        HandleKind::Checkpoint => "domain checkpoint",
        HandleKind::Network => "network",
        HandleKind::Port => "network port",
        HandleKind::Filter => "nwfilter",
        HandleKind::Binding => "nwfilter binding",
        HandleKind::Interface => "interface",
        HandleKind::Pool => "storage pool",
        HandleKind::Volume => "storage vol",
        HandleKind::Device => "node device",
        HandleKind::Secret => "secret",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::procedure;
    use crate::rpc::sample;

    const UUID: &str = "00010203-0405-0607-0809-0a0b0c0d0e0f";

    /// The answer to a call whose strings are all `ghost` and whose UUIDs are [`UUID`].
    fn answer(name: &str) -> (i32, i32, String) {
        let procedure = procedure::by_name(name).unwrap();
        let payload = sample::call(procedure);
        let arguments = Arguments::decode(procedure, &payload).unwrap();
        let failure = match (procedure.rule, arguments.handle()) {
            (Rule::Lookup(_), _) => found_nothing(procedure, &arguments),
            (_, handle) => leads_nowhere(&handle.unwrap()),
        };
        (failure.code, failure.origin, failure.message())
    }

    #[test]
    fn a_hidden_object_is_missed_in_libvirts_own_words() {
        let by_uuid = |what| format!("no {what} with matching uuid '{UUID}'");
        let rows = [
            ("DOMAIN_GET_INFO", 42, 10, format!("Domain not found: {} (ghost)", by_uuid("domain"))),
            ("DOMAIN_SNAPSHOT_DELETE", 42, 10, format!("Domain not found: {} (ghost)", by_uuid("domain"))),
            ("NETWORK_GET_AUTOSTART", 43, 19, format!("Network not found: {} (ghost)", by_uuid("network"))),
            ("NETWORK_PORT_DELETE", 43, 19, format!("Network not found: {} (ghost)", by_uuid("network"))),
            (
                "STORAGE_POOL_GET_INFO",
                49,
                18,
                format!("Storage pool not found: {} (ghost)", by_uuid("storage pool")),
            ),
            ("NWFILTER_GET_XML_DESC", 62, 33, format!("Network filter not found: {}", by_uuid("nwfilter"))),
            ("SECRET_GET_VALUE", 66, 30, format!("Secret not found: {}", by_uuid("secret"))),
            ("DOMAIN_LOOKUP_BY_UUID", 42, 10, format!("Domain not found: {}", by_uuid("domain"))),
            ("NETWORK_LOOKUP_BY_UUID", 43, 19, format!("Network not found: {}", by_uuid("network"))),
            (
                "STORAGE_POOL_LOOKUP_BY_UUID",
                49,
                18,
                format!("Storage pool not found: {}", by_uuid("storage pool")),
            ),
            ("SECRET_LOOKUP_BY_UUID", 66, 30, format!("Secret not found: {}", by_uuid("secret"))),
        ];
        for (name, code, origin, message) in rows {
            assert_eq!(answer(name), (code, origin, message), "{name}");
        }
    }

    #[test]
    fn a_lookup_that_finds_nothing_says_what_it_looked_for() {
        let rows = [
            ("DOMAIN_LOOKUP_BY_NAME", 42, 10, "Domain not found: no domain with matching name 'ghost'"),
            ("DOMAIN_LOOKUP_BY_ID", 42, 10, "Domain not found: no domain with matching id 0"),
            ("NETWORK_LOOKUP_BY_NAME", 43, 19, "Network not found: no network with matching name 'ghost'"),
            (
                "STORAGE_POOL_LOOKUP_BY_NAME",
                49,
                18,
                "Storage pool not found: no storage pool with matching name 'ghost'",
            ),
            (
                "STORAGE_POOL_LOOKUP_BY_VOLUME",
                49,
                18,
                "Storage pool not found: no storage pool with matching name 'ghost'",
            ),
            (
                "STORAGE_POOL_LOOKUP_BY_TARGET_PATH",
                49,
                18,
                "Storage pool not found: no storage pool with matching target path 'ghost'",
            ),
            (
                "STORAGE_VOL_LOOKUP_BY_NAME",
                50,
                18,
                "Storage volume not found: no storage vol with matching name 'ghost'",
            ),
            (
                "STORAGE_VOL_LOOKUP_BY_KEY",
                50,
                18,
                "Storage volume not found: no storage vol with matching key ghost",
            ),
            (
                "STORAGE_VOL_LOOKUP_BY_PATH",
                50,
                18,
                "Storage volume not found: no storage vol with matching path 'ghost'",
            ),
            (
                "STORAGE_VOL_GET_INFO",
                49,
                18,
                "Storage pool not found: no storage pool with matching name 'ghost'",
            ),
            (
                "NODE_DEVICE_LOOKUP_BY_NAME",
                53,
                22,
                "Node device not found: no node device with matching name 'ghost'",
            ),
            (
                "NODE_DEVICE_GET_XML_DESC",
                53,
                22,
                "Node device not found: no node device with matching name 'ghost'",
            ),
            (
                "INTERFACE_LOOKUP_BY_NAME",
                57,
                26,
                "Interface not found: couldn't find interface named 'ghost'",
            ),
            (
                "INTERFACE_LOOKUP_BY_MAC_STRING",
                57,
                26,
                "Interface not found: couldn't find interface with MAC address 'ghost'",
            ),
            ("SECRET_LOOKUP_BY_USAGE", 66, 30, "Secret not found: no secret with matching usage 'ghost'"),
            (
                "NWFILTER_LOOKUP_BY_NAME",
                62,
                33,
                "Network filter not found: no nwfilter with matching name 'ghost'",
            ),
            (
                "NWFILTER_BINDING_LOOKUP_BY_PORT_DEV",
                101,
                33,
                "Network filter binding not found: no nwfilter binding for port dev 'ghost'",
            ),
            (
                "NWFILTER_BINDING_GET_XML_DESC",
                101,
                33,
                "Network filter binding not found: no nwfilter binding for port dev 'ghost'",
            ),
        ];
        for (name, code, origin, message) in rows {
            assert_eq!(answer(name), (code, origin, message.to_owned()), "{name}");
        }
    }

    /// As libvirt 9.0 answered DOMAIN_LOOKUP_BY_NAME for a VM named `x` that did not exist.
    #[test]
    fn the_payload_is_what_libvirtd_would_send() {
        let failure = no(HandleKind::Vm, "no domain with matching name 'x'".to_owned());
        let expected = b"\0\0\0\x2a\0\0\0\x0a\0\0\0\x01\0\0\0\x32Domain not found: no domain with matching name 'x'\0\0\
            \0\0\0\x02\0\0\0\0\0\0\0\x01\0\0\0\x14Domain not found: %s\
            \0\0\0\x01\0\0\0\x20no domain with matching name 'x'\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0";
        assert_eq!(failure.encode(), expected);
    }
}
