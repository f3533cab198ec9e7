// SPDX-License-Identifier: Apache-2.0
//! A device that is taken from the host, given back to it, reset or destroyed: FDP_PPR_EXT.1 keeps what the host cannot
//! do without from all of them, as from being given to a VM. Detached, its disk is gone as well.

use virtwarden_core::policy::request::Need;
use virtwarden_core::rpc::handle::Handle;
use virtwarden_core::rpc::value::Value;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::host_device::Place;
use virtwarden_core::xml::reference::Reference;

use super::{needs, row};
use crate::gate::call::{Call, Forward};
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;
use crate::media::{HostDevice, Unclear};

const NODE_DEVICE_GET_XML_DESC: u32 = 114;

impl Connection {
    /// NODE_DEVICE_DETTACH, _DETACH_FLAGS, _RE_ATTACH, _RESET and _DESTROY: 7, but for what stays with the host.
    pub(super) fn judge_host_device(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (object, replaced) = self.object_of_named(call)?;
        let needed = needs([row(Function::ConfigureDevices)], &object);
        // Who may not is refused for that, and told nothing of the host.
        if self.may(call, &needed) {
            let place = self.place_of_device(call, &needed)?;
            let why = self.why_it_stays(&place).unwrap_or_else(|unclear| Some(unclear.to_string()));
            if let Some(why) = why {
                return Err(self.forbidden(call, &why, needed));
            }
        }
        Ok(Forward { replaced, ..Forward::from(needed) })
    }

    /// By libvirt's own word, which is what it will act on.
    fn place_of_device(&mut self, call: &Call<'_>, needed: &[Need]) -> Result<Place, Fault> {
        let Some(Handle::Device(name)) = call.arguments.handle() else {
            return Err(self.forbidden(call, "it is no device of the host", needed.to_vec()));
        };
        let device = Value::Record(vec![Value::Text(name.to_owned().into())]);
        let described = self.ask(NODE_DEVICE_GET_XML_DESC, &[device, Value::Unsigned(0)]);
        let described = described.inspect_err(|_| {
            let _recorded = self.forbidden(call, "libvirt does not describe it", needed.to_vec());
        })?;
        Place::parse(described.text("xml")?).map_err(|error| self.unreadable(call, &error))
    }

    fn why_it_stays(&self, place: &Place) -> Result<Option<String>, Unclear> {
        let media = self.gate.monitor.media();
        if let Some(function) = &place.pci
            && let Some(why) = media.stays(&Reference::Pci(function.clone()))?
        {
            return Ok(Some(why));
        }
        let directory = place.directory.as_deref().map(HostDevice::Directory);
        directory.map_or(Ok(None), |directory| media.is_hosts_own(&directory))
    }
}
