// SPDX-License-Identifier: Apache-2.0
//! What libvirt's hook program asks of policyd, and the answer.

use serde::{Deserialize, Serialize};

use crate::object::Uuid;
use crate::policy::sharing::Common;

/// Which driver of libvirt runs the hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookDriver {
    /// A VM is about to start, has started, stopped, ...
    Qemu,
    /// A network likewise, or a port of it.
    Network,
    /// libvirtd itself starts, reloads or stops.
    Daemon,
}

/// One run of the hook, in libvirt's words: its arguments and what it wrote to standard input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookCall {
    /// The driver.
    pub driver: HookDriver,
    /// The name of the VM or network; `-` for the daemon.
    pub object: String,
    /// `prepare`, `start`, `started`, `stopped`, `release`, `migrate`, `restore`, `reconnect`, `attach`, ...
    pub operation: String,
    /// `begin`, `end` or `-`.
    pub sub_operation: String,
    /// The definition libvirt is about to use; empty where it sends none.
    pub xml: String,
    /// What the hook saw on the host.
    #[serde(default)]
    pub sight: Sight,
}

/// What the hook sees of other VMs: as root, on the host itself, while libvirtd waits and can tell nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Sight {
    /// It had no reason to look.
    #[default]
    NotLooked,
    /// What the VM has in common with others, one for each.
    Looked(Vec<InCommon>),
    /// It could not see all.
    Failed(String),
}

/// What a VM has in common with another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InCommon {
    /// The other.
    pub uuid: Uuid,
    /// Its name.
    pub name: String,
    /// What it is.
    pub common: Vec<Common>,
}

/// What libvirt does with a no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Veto {
    /// What was about to happen does not happen.
    Stops,
    /// Nothing, or harm: it has happened already, or a running VM would be killed for it.
    Ignored,
}

impl HookCall {
    /// Whether it is a VM that is about to start, so that what it has in common with others counts.
    pub fn begins_vm(&self) -> bool {
        matches!(self.operation.as_str(), "prepare" | "start" | "restore" | "migrate")
            && self.driver == HookDriver::Qemu
    }

    /// Whether a no means anything here. An operation that is not known can stop: when in doubt, no.
    pub fn veto(&self) -> Veto {
        match (self.driver, self.operation.as_str()) {
            (HookDriver::Daemon, _)
            | (HookDriver::Qemu, "stopped" | "release" | "reconnect" | "attach")
            | (HookDriver::Network, "stopped" | "updated" | "port-deleted" | "unplugged") => Veto::Ignored,
            (HookDriver::Qemu | HookDriver::Network, _) => Veto::Stops,
        }
    }
}

/// The answer. No answer is a no: the hook refuses when it hears nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum HookAnswer {
    /// Go on.
    Allow,
    /// Stop, and say why: libvirt shows it to whoever asked.
    Deny {
        /// The reason.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn veto(driver: HookDriver, operation: &str) -> Veto {
        HookCall {
            driver,
            object: "vm".into(),
            operation: operation.into(),
            sub_operation: "begin".into(),
            xml: String::new(),
            sight: Sight::default(),
        }
        .veto()
    }

    #[test]
    fn a_start_can_be_stopped_and_a_running_vm_is_never_killed() {
        for operation in ["prepare", "start", "started", "migrate", "restore", "of-the-future"] {
            assert_eq!(veto(HookDriver::Qemu, operation), Veto::Stops, "{operation}");
        }
        for operation in ["reconnect", "attach", "stopped", "release"] {
            assert_eq!(veto(HookDriver::Qemu, operation), Veto::Ignored, "{operation}");
        }
        for operation in ["start", "started", "port-created"] {
            assert_eq!(veto(HookDriver::Network, operation), Veto::Stops, "{operation}");
        }
        for operation in ["stopped", "updated", "port-deleted"] {
            assert_eq!(veto(HookDriver::Network, operation), Veto::Ignored, "{operation}");
        }
        assert_eq!(veto(HookDriver::Daemon, "start"), Veto::Ignored);
    }
}
