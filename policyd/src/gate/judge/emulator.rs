// SPDX-License-Identifier: Apache-2.0
//! Calls that make libvirtd run an emulator to ask it something: only the distribution's own, else a raw door.

use virtwarden_core::policy::request::Right;
use virtwarden_core::table3::Function;

use super::{row, spelled};
use crate::gate::call::{Call, Forward, on_host};
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;

impl Connection {
    /// Capabilities, and comparisons of CPUs.
    pub(super) fn judge_capabilities(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let emulator = call.arguments.text("emulatorbin").or_else(|| call.arguments.text("emulator"));
        let right = match emulator {
            Some(path) if !is_stock(path) => Right::Raw,
            Some(_) | None => Right::View,
        };
        Ok(Forward::from(vec![on_host(right)]))
    }

    /// CONNECT_DOMAIN_XML_TO_NATIVE: 3, and what the definition's raw parts need.
    pub(super) fn judge_native(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let mut needed = vec![on_host(row(Function::ConfigureVms))];
        if !self.may(call, &needed) {
            return Ok(Forward::from(needed));
        }
        let definition = self.read_definition(call, call.required("domainXml")?)?;
        if !definition.facts().raw.is_empty() {
            needed.push(on_host(Right::Raw));
        }
        Ok(Forward { replaced: vec![("domainXml", spelled(definition.root()))], ..Forward::from(needed) })
    }
}

/// Whether a path is an emulator of the distribution.
fn is_stock(path: &str) -> bool {
    let name = path.strip_prefix("/usr/bin/").unwrap_or_default();
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    plain && (name == "kvm" || name.strip_prefix("qemu-system-").is_some_and(|rest| !rest.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_distributions_emulators_are_stock() {
        assert!(is_stock("/usr/bin/qemu-system-x86_64"));
        assert!(is_stock("/usr/bin/kvm"));
        for path in [
            "",
            "/tmp/qemu-system-x86_64",
            "/usr/bin/qemu-system-",
            "/usr/bin/../../tmp/kvm",
            "/usr/bin/qemu-system-/x",
        ] {
            assert!(!is_stock(path), "{path}");
        }
    }
}
