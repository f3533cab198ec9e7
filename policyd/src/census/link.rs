// SPDX-License-Identifier: Apache-2.0
//! libvirtd's list of all VMs and its lifecycle events, on a link of policyd's own.

use virtwarden_core::object::Uuid;
use virtwarden_core::rpc::frame::{self, Frame};
use virtwarden_core::rpc::handle::{Handle, HandleKind};
use virtwarden_core::rpc::procedure::{self, Procedure};
use virtwarden_core::rpc::reader::Reader;
use virtwarden_core::rpc::value::{self, Strings, Value};
use virtwarden_core::rpc::writer::Writer;

use super::known::{Being, Event};
use crate::gate::upstream::{Access, Place, Upstream, UpstreamError};

const CONNECT_LIST_ALL_DOMAINS: u32 = 273;
const REGISTER_ANY: u32 = 316;
const EVENT_CALLBACK_LIFECYCLE: u32 = 318;
const NETWORK_REGISTER_ANY: u32 = 313;
const NETWORK_EVENT_LIFECYCLE: u32 = 315;
/// `VIR_DOMAIN_EVENT_ID_LIFECYCLE` and `VIR_NETWORK_EVENT_ID_LIFECYCLE`.
const LIFECYCLE: i32 = 0;
const POOL_REGISTER_ANY: u32 = 368;
const POOL_EVENT_LIFECYCLE: u32 = 370;
const POOL_EVENT_REFRESH: u32 = 373;
/// Lifecycle, device removed, block job, device added.
const VM_EVENTS: [u32; 4] = [EVENT_CALLBACK_LIFECYCLE, 333, 339, 354];
/// `VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED`, `_BLOCK_JOB_2`, `_DEVICE_ADDED`.
const DEVICES: [i32; 3] = [15, 16, 19];
/// `VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE`, `_REFRESH`.
const POOLS: [i32; 2] = [0, 1];
/// `VIR_CONNECT_LIST_DOMAINS_TRANSIENT`.
const TRANSIENT: u32 = 8;

/// A VM as libvirtd lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) uuid: Uuid,
    pub(super) name: String,
    pub(super) being: Being,
}

/// Opens a link on which libvirtd tells of every change of its VMs from now on.
pub(super) fn open(place: &Place) -> Result<Upstream, UpstreamError> {
    let mut link = Upstream::open_for_itself(place, Access::ReadOnly)?;
    follow(&mut link, REGISTER_ANY, LIFECYCLE)?;
    Ok(link)
}

/// Lets libvirtd tell of what VMs get and lose while they run, and of changes of its pools.
pub(super) fn follow_belongings(link: &mut Upstream) -> Result<(), UpstreamError> {
    DEVICES.iter().try_for_each(|event| follow(link, REGISTER_ANY, *event))?;
    POOLS.iter().try_for_each(|event| follow(link, POOL_REGISTER_ANY, *event))
}

fn follow(link: &mut Upstream, register: u32, event: i32) -> Result<(), UpstreamError> {
    let mut arguments = Writer::with_capacity(8);
    arguments.i32(event);
    arguments.boolean(false);
    link.call(register, arguments).map(drop)
}

/// Lets libvirtd tell of every change of its networks, too.
pub(super) fn follow_networks(link: &mut Upstream) -> Result<(), UpstreamError> {
    follow(link, NETWORK_REGISTER_ANY, LIFECYCLE)
}

/// Whose belongings an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Touched {
    /// One VM's.
    Vm(Uuid),
    /// Anybody's, or nobody knows whose.
    All,
}

/// What of VMs a message tells to have changed; none if it is about something else.
pub(super) fn touched(message: &[u8]) -> Option<Touched> {
    let frame = Frame::parse(message).ok().filter(|frame| frame.header.program == frame::REMOTE)?;
    let procedure = match frame.header.procedure {
        POOL_EVENT_LIFECYCLE | POOL_EVENT_REFRESH => return Some(Touched::All),
        number if VM_EVENTS.contains(&number) => remote(number)?,
        _ => return None,
    };
    let values = value::decode_fields(procedure.reply, &mut Reader::new(frame.payload), Strings::Lossy);
    let values = values.unwrap_or_default();
    // The VM stands in the event itself, or in the message within.
    let told = values.get(1);
    let vm = told.and_then(handle).or_else(|| handle(told?.parts().first()?));
    Some(vm.map_or(Touched::All, |(uuid, ..)| Touched::Vm(uuid)))
}

/// Whether a message tells of a network that came, went, or is up or down.
pub(super) fn is_about_networks(message: &[u8]) -> bool {
    let told = |frame: Frame<'_>| (frame.header.program, frame.header.procedure);
    Frame::parse(message).is_ok_and(|frame| told(frame) == (frame::REMOTE, NETWORK_EVENT_LIFECYCLE))
}

/// All VMs. An answer that is not whole is an error, never a shorter list.
pub(super) fn list(link: &mut Upstream) -> Result<Vec<Listed>, UpstreamError> {
    let transient = handles(&ask(link, TRANSIENT)?).ok_or(PART)?;
    let all = handles(&ask(link, 0)?).ok_or(PART)?;
    let being = |uuid, id| match id {
        _ if transient.iter().any(|(other, ..)| *other == uuid) => Being::Transient,
        ..=-1 => Being::AtRest,
        0.. => Being::Running,
    };
    Ok(all.into_iter().map(|(uuid, name, id)| Listed { uuid, name, being: being(uuid, id) }).collect())
}

const PART: UpstreamError = UpstreamError::Nonsense("the question which VMs there are");

fn ask(link: &mut Upstream, flags: u32) -> Result<Vec<u8>, UpstreamError> {
    let mut arguments = Writer::with_capacity(8);
    arguments.boolean(true);
    arguments.u32(flags);
    link.call(CONNECT_LIST_ALL_DOMAINS, arguments)
}

/// The VMs of an answer; none if its count disagrees with its list or anything follows.
fn handles(answer: &[u8]) -> Option<Vec<(Uuid, String, i32)>> {
    let mut reader = Reader::new(answer);
    let values = value::decode_fields(remote(CONNECT_LIST_ALL_DOMAINS)?.reply, &mut reader, Strings::Lossy);
    let values = values.ok().filter(|_| reader.remaining() == 0)?;
    let [Value::List(vms), Value::Unsigned(count)] = values.as_slice() else { return None };
    let whole = usize::try_from(*count).is_ok_and(|count| count == vms.len());
    whole.then(|| vms.iter().map(handle).collect::<Option<_>>())?
}

fn handle(value: &Value<'_>) -> Option<(Uuid, String, i32)> {
    let vm = Handle::from_value(HandleKind::Vm, value)?.vm()?;
    let Some(Value::Int(id)) = value.parts().get(2) else { return None };
    Some((vm.uuid, vm.name.to_owned(), *id))
}

/// The lifecycle event in a message; none if it is something else.
pub(super) fn event(message: &[u8]) -> Option<Event> {
    let frame = Frame::parse(message).ok()?;
    if (frame.header.program, frame.header.procedure) != (frame::REMOTE, EVENT_CALLBACK_LIFECYCLE) {
        return None;
    }
    let fields = remote(EVENT_CALLBACK_LIFECYCLE)?.reply;
    let values = value::decode_fields(fields, &mut Reader::new(frame.payload), Strings::Lossy).ok()?;
    let [vm, Value::Int(what), Value::Int(why)] = values.get(1)?.parts() else { return None };
    let (uuid, name, _) = handle(vm)?;
    Some(Event { uuid, name, what: (*what, *why) })
}

fn remote(number: u32) -> Option<&'static Procedure> {
    procedure::find(frame::REMOTE, number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(vms: &[(&str, [u8; 16], i32)], count: u32) -> Vec<u8> {
        let mut writer = Writer::with_capacity(64);
        writer.count(vms.len());
        for (name, uuid, id) in vms {
            writer.text(name);
            writer.raw(uuid);
            writer.i32(*id);
        }
        writer.u32(count);
        writer.finish()
    }

    #[test]
    fn a_list_is_whole_or_none() {
        let vms = [("bobvm", [1; 16], 3), ("finance", [2; 16], -1)];
        let whole = answer(&vms, 2);
        let expected = vms.map(|(name, uuid, id)| (Uuid(uuid), name.to_owned(), id));
        assert_eq!(handles(&whole), Some(expected.to_vec()));
        assert_eq!(handles(&answer(&[], 0)), Some(Vec::new()));
        for length in 0..whole.len() {
            assert_eq!(handles(&whole[..length]), None, "{length}");
        }
        assert_eq!(handles(&answer(&vms, 3)), None, "libvirtd left one out");
        assert_eq!(handles(&[whole.as_slice(), &[0]].concat()), None);
    }

    #[test]
    fn an_event_is_read_as_libvirt_writes_it_and_nothing_else_is_one() {
        let mut writer = Writer::with_capacity(64);
        writer.i32(1);
        writer.text("bobvm");
        writer.raw(&[1; 16]);
        [-1, 1, 0].iter().for_each(|number| writer.i32(*number));
        let payload = writer.finish();
        let message = |procedure, payload: &[u8]| {
            let header = crate::gate::upstream::call_header(procedure, 0);
            Frame { header, descriptors: 0, payload }.encode().unwrap()
        };
        let expected = Event { uuid: Uuid([1; 16]), name: "bobvm".to_owned(), what: (1, 0) };
        assert_eq!(event(&message(EVENT_CALLBACK_LIFECYCLE, &payload)), Some(expected));
        assert_eq!(event(&message(319, &payload)), None);
        assert_eq!(touched(&message(EVENT_CALLBACK_LIFECYCLE, &payload)), Some(Touched::Vm(Uuid([1; 16]))));
        assert_eq!(touched(&message(319, &payload)), None);
        assert_eq!(touched(&message(POOL_EVENT_REFRESH, &payload)), Some(Touched::All));
        for length in 0..payload.len() {
            assert_eq!(event(&message(EVENT_CALLBACK_LIFECYCLE, &payload[..length])), None, "{length}");
        }
    }
}
