// SPDX-License-Identifier: Apache-2.0
//! What the machine itself gives or does not: virtualization, and the time.

use crate::takeover::finding::Finding;
use crate::takeover::host::Host;

/// Where KVM is, if the processor and the kernel have it.
const KVM: &str = "/dev/kvm";

/// Everything about it.
pub(crate) fn look(host: &Host<'_>) -> Vec<Finding> {
    [kvm(host), clock(host)].into_iter().flatten().collect()
}

fn kvm(host: &Host<'_>) -> Option<Finding> {
    (!host.has(KVM)).then(|| {
        Finding::warning(
            format!("there is no {KVM}: VMs of type kvm do not start, and others are emulated, many times slower"),
            "switch virtualization on in the firmware (in a VM: nested virtualization); `modprobe kvm_intel` or \
             `modprobe kvm_amd` says what is missing",
        )
    })
}

/// The kernel knows whether somebody keeps its clock right.
fn clock(host: &Host<'_>) -> Option<Finding> {
    let said = host.run("timedatectl", &["show", "--property=NTPSynchronized", "--value"]).ok()?;
    (said.trim() == "no").then(|| {
        Finding::warning(
            "nobody keeps this host's clock right: records may have a wrong time, and certificates seem invalid",
            "`virtwarden setting set time-servers servers=NAME`; `chronyc tracking` or `timedatectl` says more",
        )
    })
}
