// SPDX-License-Identifier: Apache-2.0
//! A device of the host as libvirt describes it (`virsh nodedev-dumpxml`): which one a call acts on.

use super::definition::{DefinitionError, expect};
use super::element::Element;

/// Where a device of the host is, as far as its description tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The PCI function that it is, such as `0000:00:14.0`: what libvirt detaches, gives back and resets.
    pub pci: Option<String>,
    /// Its directory below `/sys`; none for what the kernel knows nothing of.
    pub directory: Option<String>,
}

impl Place {
    /// Reads the description that libvirt gives of a device.
    ///
    /// # Errors
    /// It is none, or a PCI function without an address.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, DefinitionError> {
        let root = expect(text, "device")?;
        let function = root.all("capability").find(|capability| capability.attribute("type") == Some("pci"));
        let pci =
            function.map(|it| address(it).ok_or(DefinitionError::Missing("PCI address"))).transpose()?;
        Ok(Self { pci, directory: root.text_of("path") })
    }
}

/// Unlike in definitions of VMs, all numbers are decimal.
fn address(function: &Element) -> Option<String> {
    let number = |name| function.text_of(name)?.parse::<u16>().ok();
    let (domain, bus) = (number("domain")?, number("bus")?);
    Some(format!("{domain:04x}:{bus:02x}:{:02x}.{:x}", number("slot")?, number("function")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pci_function_is_known_by_its_address_and_its_directory() {
        let described = "<device><name>pci_0000_1a_0b_2</name><path>/sys/devices/pci0000:1a/0000:1a:0b.2</path>\
            <parent>computer</parent><driver><name>ahci</name></driver><capability type='pci'>\
            <class>0x010601</class><domain>0</domain><bus>26</bus><slot>11</slot><function>2</function>\
            <product id='0x2922'>SATA &amp; more</product><capability type='virt_functions'/></capability></device>";
        let place = Place::parse(described).unwrap();
        assert_eq!(place.pci.as_deref(), Some("0000:1a:0b.2"));
        assert_eq!(place.directory.as_deref(), Some("/sys/devices/pci0000:1a/0000:1a:0b.2"));
    }

    #[test]
    fn other_devices_have_a_directory_or_nothing() {
        let disk = "<device><name>block_sda</name><path>/sys/devices/a/block/sda</path>\
            <capability type='storage'><block>/dev/sda</block></capability></device>";
        let place = Place::parse(disk).unwrap();
        assert_eq!((place.pci, place.directory.as_deref()), (None, Some("/sys/devices/a/block/sda")));
        let computer = "<device><name>computer</name><capability type='system'/></device>";
        assert_eq!(Place::parse(computer).unwrap(), Place { pci: None, directory: None });
    }

    #[test]
    fn a_pci_function_of_no_address_is_an_error() {
        for address in ["", "<domain>0</domain><bus>0</bus><slot>0x1f</slot><function>2</function>"] {
            let described = format!("<device><capability type='pci'>{address}</capability></device>");
            assert!(Place::parse(described).is_err(), "{address}");
        }
        assert!(Place::parse("<domain/>").is_err());
    }
}
