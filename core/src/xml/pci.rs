// SPDX-License-Identifier: Apache-2.0
//! PCI addresses.

use super::element::Element;

/// A PCI address in the one spelling that is compared.
pub(super) fn pci(address: &Element) -> Option<String> {
    let number = |name| {
        let text = address.attribute(name).unwrap_or("0");
        u32::from_str_radix(text.trim_start_matches("0x"), 16).ok()
    };
    let (domain, bus) = (number("domain")?, number("bus")?);
    Some(format!("{domain:04x}:{bus:02x}:{:02x}.{}", number("slot")?, number("function")?))
}
