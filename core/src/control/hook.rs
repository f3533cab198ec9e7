// SPDX-License-Identifier: Apache-2.0
//! What libvirt's hook program asks of policyd, and the answer.

use serde::{Deserialize, Serialize};

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
