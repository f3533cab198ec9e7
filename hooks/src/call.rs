// SPDX-License-Identifier: Apache-2.0
//! What libvirt tells its hook: its own path, four words, and a definition.

use std::io::Read;
use std::path::Path;

use virtwarden_core::control::{HookCall, HookDriver, MAX_LINE, Sight};

/// Longer definitions would not fit into a message, with room for what quoting adds.
const MAX_XML: u64 = (MAX_LINE / 2) as u64;

/// Reads what the arguments say. The first is the path that libvirt found the hook under.
///
/// # Errors
/// Why they are not libvirt's.
pub(crate) fn named(arguments: &[String]) -> Result<HookCall, String> {
    let [path, object, operation, sub_operation, ..] = arguments else {
        return Err("this program is run by libvirt, with an object, an operation and a sub-operation".into());
    };
    let driver = driver(Path::new(path)).ok_or_else(|| format!("`{path}` is not a place for a hook"))?;
    Ok(HookCall {
        driver,
        object: object.clone(),
        operation: operation.clone(),
        sub_operation: sub_operation.clone(),
        xml: String::new(),
        sight: Sight::default(),
    })
}

/// Adds the definition that libvirt sends along.
///
/// # Errors
/// When it cannot be read whole.
pub(crate) fn with_definition(call: HookCall, input: impl Read) -> Result<HookCall, String> {
    Ok(HookCall { xml: definition(input)?, ..call })
}

/// `/etc/libvirt/hooks/qemu` or `/etc/libvirt/hooks/qemu.d/90-x`.
fn driver(path: &Path) -> Option<HookDriver> {
    let itself = path.file_name()?.to_str()?;
    let directory =
        path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
    match directory.strip_suffix(".d").unwrap_or(itself) {
        "qemu" => Some(HookDriver::Qemu),
        "network" => Some(HookDriver::Network),
        "daemon" => Some(HookDriver::Daemon),
        _ => None,
    }
}

fn definition(input: impl Read) -> Result<String, String> {
    let mut text = String::new();
    let read = input.take(MAX_XML + 1).read_to_string(&mut text);
    let count = read.map_err(|error| format!("the definition cannot be read: {error}"))?;
    if count as u64 > MAX_XML {
        Err(format!("the definition is longer than {MAX_XML} bytes"))
    } else {
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(path: &str) -> Vec<String> {
        [path, "bobvm", "start", "begin", "-"].map(str::to_owned).to_vec()
    }

    #[test]
    fn the_place_of_the_link_says_which_driver_asks() {
        for (path, driver) in [
            ("/etc/libvirt/hooks/qemu.d/90-virtwarden", HookDriver::Qemu),
            ("/etc/libvirt/hooks/network.d/90-virtwarden", HookDriver::Network),
            ("/etc/libvirt/hooks/qemu", HookDriver::Qemu),
            ("/etc/libvirt/hooks/daemon", HookDriver::Daemon),
        ] {
            let call = named(&arguments(path)).unwrap();
            let call = with_definition(call, "<domain/>".as_bytes()).unwrap();
            assert_eq!((call.driver, call.xml.as_str()), (driver, "<domain/>"), "{path}");
            assert_eq!((call.object.as_str(), call.operation.as_str()), ("bobvm", "start"));
        }
        assert!(named(&arguments("/usr/sbin/virtwarden-hook")).is_err());
        assert!(named(&arguments("/etc/libvirt/hooks/qemu.d/90-x")[..2]).is_err());
    }

    #[test]
    fn what_cannot_be_read_whole_is_refused() {
        let call = named(&arguments("/etc/libvirt/hooks/qemu.d/90-virtwarden")).unwrap();
        let long = vec![b'x'; MAX_LINE / 2 + 1];
        assert!(with_definition(call.clone(), long.as_slice()).is_err());
        assert!(with_definition(call.clone(), &long[1..]).is_ok());
        assert!(with_definition(call, &b"\xff<domain/>"[..]).is_err());
    }
}
