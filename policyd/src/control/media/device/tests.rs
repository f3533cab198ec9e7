// SPDX-License-Identifier: Apache-2.0
//! The device that was judged is the device that is named, and no other.

use virtwarden_core::media::Id;

use super::*;

fn stick(bus: u16, device: u16) -> Medium {
    let usb = UsbDevice {
        vendor: 0x0951,
        product: 0x1666,
        serial: Some("E0D55E".to_owned()),
        port: "1-2".to_owned(),
        bus,
        device,
        interfaces: Vec::new(),
    };
    Medium {
        id: Id("usb:0951:1666:E0D55E".to_owned()),
        kind: Kind::UsbStorage,
        name: "Kingston".to_owned(),
        source: Source::Usb(usb),
    }
}

fn card() -> Medium {
    let block =
        BlockDevice { node: "/dev/mmcblk0".to_owned(), number: (179, 0), serial: None, content: None };
    Medium {
        id: Id("sd:1".to_owned()),
        kind: Kind::SdCard,
        name: "SD".to_owned(),
        source: Source::Block(block),
    }
}

fn with(devices: &str) -> Definition {
    Definition::parse(format!("<domain type='kvm'><name>bobvm</name><devices>{devices}</devices></domain>"))
        .unwrap()
}

#[test]
fn a_usb_device_is_named_by_its_address_alone() {
    let element = to_attach(&stick(1, 5), Access::ReadWrite, &with("")).unwrap();
    let text = element.to_string();
    assert!(
        text.contains("<address bus=\"1\" device=\"5\"/>") || text.contains("<address bus='1' device='5'/>"),
        "{text}"
    );
    assert!(!text.contains("vendor") && !text.contains("product"), "{text}");
    assert!(to_attach(&stick(1, 5), Access::ReadOnly, &with("")).unwrap_err().contains("read-only"));
}

#[test]
fn a_twin_is_not_taken_for_it() {
    let twins = with(
        "<hostdev mode='subsystem' type='usb' managed='yes'><source><vendor id='0x0951'/><product id='0x1666'/>\
         <address bus='1' device='4'/></source></hostdev>\
         <hostdev mode='subsystem' type='usb' managed='yes'><source><vendor id='0x0951'/><product id='0x1666'/>\
         <address bus='1' device='5'/></source></hostdev>",
    );
    let found = attached(&stick(1, 5), &twins).unwrap();
    assert_eq!(found.at(&["source", "address"]).unwrap().attribute("device"), Some("5"));
    assert!(attached(&stick(2, 5), &twins).is_none());
    assert!(attached(&stick(1, 6), &twins).is_none());
}

#[test]
fn a_card_gets_a_free_name_and_may_be_read_only() {
    let definition = with("<disk type='file' device='disk'><target dev='sda' bus='sata'/></disk>");
    let text = to_attach(&card(), Access::ReadOnly, &definition).unwrap().to_string();
    assert!(text.contains("sdb") && text.contains("<readonly/>") && text.contains("/dev/mmcblk0"), "{text}");
    let text = to_attach(&card(), Access::ReadWrite, &definition).unwrap().to_string();
    assert!(!text.contains("readonly"), "{text}");
}
