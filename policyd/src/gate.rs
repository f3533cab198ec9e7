// SPDX-License-Identifier: Apache-2.0
//! The libvirt gate: every call between a client and libvirtd is decoded, judged and recorded here.

pub mod judge;
pub mod link;
pub mod turns;
pub mod wake;
pub mod wire;
