// SPDX-License-Identifier: Apache-2.0
//! What another VM has comes into no VM, unless that was opened.

use std::sync::Arc;

use super::libvirtd::*;
use super::*;

const LIBRARY: &str = "[media]\nlibrary = [\"/etc\"]\nimage = { rule = \"grant\", granted = \"all-vms\" }\n";

fn disc(source: &str) -> String {
    format!(
        "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>{source}<target dev='sda' bus='sata'/><readonly/></disk>"
    )
}

/// A libvirtd whose VMs have these devices, and that says yes.
fn with(bobs: String, finances: String) -> Script {
    Arc::new(move |heard| match heard.name {
        "DOMAIN_GET_XML_DESC" => {
            let is_bobs = heard.payload.windows(16).any(|w| w == BOBS.0);
            let (uuid, devices) = if is_bobs { (BOBS, &bobs) } else { (FINANCE, &finances) };
            Some(vec![good(heard, &[text(&definition(uuid, &format!("<devices>{devices}</devices>")))])])
        }
        "DOMAIN_UPDATE_DEVICE_FLAGS" => Some(vec![good(heard, &[])]),
        _ => None,
    })
}

#[test]
fn a_disc_that_another_vm_writes_goes_into_no_drive_by_any_call() {
    let image = "<source file='/etc/passwd'/>";
    let written = format!("<disk type='file'>{image}<target dev='vda' bus='virtio'/></disk>");
    let inserted = disc(image);
    let redefined = definition(BOBS, &format!("<devices>{inserted}</devices>"));
    let calls = [
        ("DOMAIN_UPDATE_DEVICE_FLAGS", vec![vm(BOBS), text(&inserted), Value::Unsigned(2)]),
        ("DOMAIN_DEFINE_XML", vec![text(&redefined)]),
    ];
    for (finances, expected) in [(written, Status::Error), (String::new(), Status::Ok)] {
        for (call, arguments) in &calls {
            let scene = Scene::scripted(&format!("{USER}{LIBRARY}"), with(disc(""), finances.clone()));
            let (status, answer) = scene.open_client().call(call, arguments);
            assert_eq!(status, expected, "{call}: {}", words(&answer));
            let refused = expected == Status::Error;
            assert_eq!(words(&answer).contains("virtwarden sharing allow disk"), refused, "{call}");
            assert_eq!(scene.libvirtd.heard().contains(call), !refused, "{call}");
            let denied = scene.records(call).iter().any(|(kind, _)| *kind == Kind::Denial);
            assert_eq!(denied, refused, "{call} on record");
        }
    }
}
