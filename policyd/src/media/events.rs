// SPDX-License-Identifier: Apache-2.0
//! What libvirtd tells of drives, devices and VMs, on a link of policyd's own.

use virtwarden_core::object::Uuid;
use virtwarden_core::rpc::frame::{self, Frame};
use virtwarden_core::rpc::handle::{Handle, HandleKind};
use virtwarden_core::rpc::procedure;
use virtwarden_core::rpc::reader::Reader;
use virtwarden_core::rpc::value::{self, Strings, Value};
use virtwarden_core::rpc::writer::Writer;

use super::keeper::State;
use crate::gate::upstream::{Access, Place, Upstream, UpstreamError};

const REGISTER_ANY: u32 = 316;
const CALLBACK_LIFECYCLE: u32 = 318;
const CALLBACK_TRAY_CHANGE: u32 = 328;
const CALLBACK_DEVICE_REMOVED: u32 = 333;
const CALLBACK_DEVICE_ADDED: u32 = 354;
/// `VIR_DOMAIN_EVENT_ID_*`: lifecycle, tray change, device removed, device added.
const WANTED: [i32; 4] = [0, 10, 15, 19];
/// `VIR_DOMAIN_EVENT_TRAY_CHANGE_OPEN` and `_CLOSE`.
const OPENED: i32 = 0;
const CLOSED: i32 = 1;

/// What a message tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// A drive was opened or closed.
    Tray { vm: Uuid, name: String, alias: String, state: State },
    /// A VM began or ended, or a device came or went.
    Changed,
}

/// Opens a link on which libvirtd tells it from now on.
pub(super) fn open(place: &Place) -> Result<Upstream, UpstreamError> {
    let mut link = Upstream::open_for_itself(place, Access::ReadOnly)?;
    for event in WANTED {
        let mut arguments = Writer::with_capacity(8);
        arguments.i32(event);
        arguments.boolean(false);
        link.call(REGISTER_ANY, arguments)?;
    }
    Ok(link)
}

/// What a message tells; none if it is of something else, or not understood.
pub(super) fn news(message: &[u8]) -> Option<News> {
    let frame = Frame::parse(message).ok()?;
    match (frame.header.program, frame.header.procedure) {
        (frame::REMOTE, CALLBACK_LIFECYCLE | CALLBACK_DEVICE_REMOVED | CALLBACK_DEVICE_ADDED) => {
            Some(News::Changed)
        }
        (frame::REMOTE, CALLBACK_TRAY_CHANGE) => tray(frame.payload),
        _ => None,
    }
}

fn tray(payload: &[u8]) -> Option<News> {
    let fields = procedure::find(frame::REMOTE, CALLBACK_TRAY_CHANGE)?.reply;
    let values = value::decode_fields(fields, &mut Reader::new(payload), Strings::Lossy).ok()?;
    let [vm, alias, Value::Int(reason)] = values.get(1)?.parts() else { return None };
    let vm = Handle::from_value(HandleKind::Vm, vm)?.vm()?;
    let state = match *reason {
        OPENED => State::Open,
        CLOSED => State::Closed,
        _ => return None,
    };
    Some(News::Tray { vm: vm.uuid, name: vm.name.to_owned(), alias: alias.as_text()?.to_owned(), state })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(procedure: u32, payload: &[u8]) -> Vec<u8> {
        let header = crate::gate::upstream::call_header(procedure, 0);
        Frame { header, descriptors: 0, payload }.encode().unwrap()
    }

    #[test]
    fn an_opened_drive_is_read_as_libvirt_writes_it() {
        let payload = |reason| {
            let mut writer = Writer::with_capacity(64);
            writer.i32(7);
            writer.text("bobvm");
            writer.raw(&[1; 16]);
            writer.i32(3);
            writer.text("sata0-0-0");
            writer.i32(reason);
            writer.finish()
        };
        let told =
            |state| News::Tray { vm: Uuid([1; 16]), name: "bobvm".into(), alias: "sata0-0-0".into(), state };
        assert_eq!(news(&message(CALLBACK_TRAY_CHANGE, &payload(0))), Some(told(State::Open)));
        assert_eq!(news(&message(CALLBACK_TRAY_CHANGE, &payload(1))), Some(told(State::Closed)));
        assert_eq!(news(&message(CALLBACK_TRAY_CHANGE, &payload(2))), None);
        for length in 0..payload(0).len() {
            assert_eq!(news(&message(CALLBACK_TRAY_CHANGE, &payload(0)[..length])), None, "{length}");
        }
    }

    #[test]
    fn whatever_else_happens_to_a_vm_is_a_reason_to_look() {
        assert_eq!(news(&message(CALLBACK_DEVICE_REMOVED, &[])), Some(News::Changed));
        assert_eq!(news(&message(319, &[])), None);
        assert_eq!(news(&[1, 2, 3]), None);
    }
}
