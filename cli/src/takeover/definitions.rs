// SPDX-License-Identifier: Apache-2.0
//! VMs that were defined before the host was taken over and that will not start as they are.
//!
//! A look at the text, to tell people early; what really decides is the monitor, at each start.

use crate::takeover::finding::Finding;
use crate::takeover::host::Host;

const DEFINITIONS: &str = "/etc/libvirt/qemu";

/// One warning for each VM and reason.
pub(crate) fn look(host: &Host<'_>) -> Vec<Finding> {
    let files = host.list(DEFINITIONS).into_iter();
    let named = files.filter_map(|file| Some((file.strip_suffix(".xml")?.to_owned(), file)));
    named
        .flat_map(|(vm, file)| {
            let text =
                std::fs::read_to_string(host.path(&format!("{DEFINITIONS}/{file}"))).unwrap_or_default();
            reasons(&vm, &text)
        })
        .collect()
}

fn reasons(vm: &str, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    if text.contains("<redirdev") && !text.contains("<redirfilter") {
        found.push(Finding::warning(
            format!("VM `{vm}` redirects USB devices without a filter, so it will not start"),
            format!(
                "an Administrator defines it once more, which adds the filter: \
                 `virsh dumpxml --inactive {vm} > {vm}.xml; virsh define {vm}.xml`"
            ),
        ));
    }
    if shares_screen(text) {
        found.push(Finding::warning(
            format!("VM `{vm}` shares clipboard or files through SPICE, so it will not start"),
            format!(
                "`virtwarden sharing list` shows what; open it with `virtwarden sharing allow clipboard {vm} host`, \
                 or turn it off in the VM's definition"
            ),
        ));
    }
    found
}

/// SPICE carries both unless told otherwise.
fn shares_screen(text: &str) -> bool {
    let off = |part: &str, setting: &str| {
        text.contains(&format!("<{part} {setting}='no'"))
            || text.contains(&format!("<{part} {setting}=\"no\""))
    };
    (text.contains("<graphics type='spice'") || text.contains("<graphics type=\"spice\""))
        && !(off("clipboard", "copypaste") && off("filetransfer", "enable"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_will_not_start_is_named_with_the_way_out() {
        let plain = "<domain><devices><graphics type='vnc'/></devices></domain>";
        assert!(reasons("a", plain).is_empty());
        let usual = "<domain><devices><graphics type='spice' autoport='yes'/><redirdev bus='usb' type='spicevmc'/></devices></domain>";
        let told: Vec<_> = reasons("a", usual).into_iter().map(|finding| finding.what).collect();
        assert!(told[0].contains("USB") && told[1].contains("clipboard"), "{told:?}");
        let shut = "<domain><devices><graphics type='spice'><clipboard copypaste='no'/><filetransfer enable='no'/></graphics>
            <redirfilter/><redirdev bus='usb' type='spicevmc'/></devices></domain>";
        assert!(reasons("a", shut).is_empty());
    }
}
