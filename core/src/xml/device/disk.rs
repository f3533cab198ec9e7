// SPDX-License-Identifier: Apache-2.0
//! Disks and drives.

use crate::policy::request::Right;
use crate::xml::element::Element;
use crate::xml::needs::{CONFIGURE, CRYPTOGRAPHY, DEVICE, MEDIA_POLICY, Needs, SHARING};
use crate::xml::paths::{Place, is_medium, place};

pub(super) fn needs(disk: &Element) -> Needs {
    let has = |name| disk.child(name).is_some();
    let target = |name| disk.child("target").is_some_and(|t| t.attribute(name).is_some());
    let physical = disk.attribute("device") == Some("lun")
        || ["sgio", "rawio"].iter().any(|a| disk.attribute(a).is_some());
    Needs::of(CONFIGURE)
        .with(source(disk))
        .when(!is_raw(disk), SHARING, "its content can name other files as a part of it")
        .when(physical, DEVICE, "it gives raw access to a device")
        .when(is_drive(disk) || target("removable"), MEDIA_POLICY, "it is a drive for removable media")
        .when(has("shareable"), SHARING, "it can be shared between VMs")
        .when(has("encryption"), CRYPTOGRAPHY, "it uses a secret")
        .when(has("mirror") || has("backenddomain"), Right::Administer, "its data goes elsewhere")
        .when(has("privateData"), Right::Administer, "it has parts that are libvirt's own")
}

/// Where the content of a disk, of a file in its backing chain or of a copy comes from.
pub(in crate::xml) fn source(holder: &Element) -> Needs {
    let below = ["backingStore", "mirror", "dataStore"].iter().flat_map(|name| holder.all(name));
    let inner = holder.child("source").into_iter().flat_map(|s| s.all("dataStore"));
    below.chain(inner).fold(own_source(holder), |needs, part| needs.with(source(part)))
}

fn own_source(holder: &Element) -> Needs {
    let Some(source) = holder.child("source") else { return Needs::default() };
    let has = |name| source.child(name).is_some();
    let medium = !is_drive(holder) && source.attribute("file").is_some_and(is_medium);
    let needs = match holder.attribute("type").unwrap_or("file") {
        "file" => file(source.attribute("file").unwrap_or_default()),
        "block" | "nvme" | "vhostvdpa" => Needs::default().and(DEVICE, "it is a device of the host"),
        "volume" => Needs::default().and(DEVICE, "its pool may be a device of the host"),
        "vhostuser" => {
            Needs::default().and(SHARING, "").and(Right::Administer, "it names a socket of the host")
        }
        "dir" => Needs::default().and(SHARING, "").and(Right::Administer, "it is a directory of the host"),
        "network" => Needs::default().and(Right::Administer, "libvirt would fetch it over the network"),
        _ => Needs::default().and(Right::Administer, "its type is not understood"),
    };
    let needs = needs.when(medium, MEDIA_POLICY, "it would write to a medium of the library");
    needs.when(has("encryption") || has("auth"), CRYPTOGRAPHY, "it uses a secret").when(
        has("reservations"),
        Right::Administer,
        "it talks to a helper on the host",
    )
}

fn file(path: &str) -> Needs {
    let images = place(path) == Place::Images;
    Needs::default().when(!images, Right::Administer, "it names a file outside the image store")
}

/// A format without a header. Every other one has what the guest, or whoever filled the file, wrote there:
/// it can say that the disk goes on in any file of the host.
fn is_raw(disk: &Element) -> bool {
    let format = disk.child("driver").and_then(|driver| driver.attribute("type"));
    disk.child("source").is_none() || matches!(format, None | Some("raw"))
}

/// A drive whose medium can be changed.
pub(in crate::xml) fn is_drive(disk: &Element) -> bool {
    disk.is("disk") && matches!(disk.attribute("device"), Some("cdrom" | "floppy"))
}

/// A disk that the guest sees as a USB stick.
pub(super) fn is_stick(disk: &Element) -> bool {
    disk.child("target").is_some_and(|target| target.attribute("bus") == Some("usb"))
}

pub(super) fn describe(disk: &Element) -> String {
    let device = disk.attribute("device").unwrap_or("disk");
    let target = disk.child("target").and_then(|t| t.attribute("dev")).unwrap_or("?");
    format!("{device} `{target}`: {}", source_name(disk))
}

/// The source in words, as far as one attribute says it.
pub(in crate::xml) fn source_name(disk: &Element) -> String {
    let Some(source) = disk.child("source") else { return "empty".to_owned() };
    let attribute = |name| source.attribute(name);
    match (attribute("pool"), attribute("volume"), attribute("protocol"), attribute("name")) {
        (Some(pool), Some(volume), _, _) => format!("volume `{pool}/{volume}`"),
        (_, _, Some(protocol), name) => format!("{protocol} `{}`", name.unwrap_or_default()),
        _ => ["file", "dev", "dir", "path"]
            .iter()
            .find_map(|name| attribute(name))
            .map_or_else(|| "another source".to_owned(), |value| format!("`{value}`")),
    }
}
