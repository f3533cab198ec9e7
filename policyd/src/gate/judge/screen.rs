// SPDX-License-Identifier: Apache-2.0
//! Ways to operate a VM: its screen, and channels into it. The agent's channel is power inside the guest.

use virtwarden_core::object::Object;
use virtwarden_core::policy::request::Right;
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::element::Element;

use super::{need, needs};
use crate::gate::call::{Call, Forward};
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;

/// Channels of this name lead to the guest agent.
const AGENT: &str = "org.qemu.guest_agent";

impl Connection {
    /// DOMAIN_OPEN_GRAPHICS: whoever operates the VM sees its screen; a password on it guards other ways there.
    pub(super) fn judge_graphics(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (object, replaced) = self.object_of(call, &[Right::Operate])?;
        Ok(Forward { replaced, ..Forward::from(vec![need(Right::Operate, &object)]) })
    }

    /// DOMAIN_OPEN_CHANNEL: the channel is looked for as libvirt does, by alias and by name.
    pub(super) fn judge_channel(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (vm, replaced) = self.vm_of(call)?;
        let turn = self.take_turn(vm.uuid)?;
        let present = self.present(&vm)?;
        let current = present.running.as_ref().unwrap_or(&present.stored);
        let mut wanted = vec![Right::Operate];
        if leads_to_agent(current, call.arguments.text("name")) {
            wanted.extend([Right::Guest, Right::Raw]);
        }
        Ok(Forward { replaced, turn: Some(turn), ..Forward::from(needs(wanted, &Object::Vm(vm))) })
    }
}

/// Whether a channel may be the agent's. Without a name it is the first one, and that may be; a name that
/// no channel has yet, such as the alias of one that is only there when the VM runs, may be too.
fn leads_to_agent(definition: &Definition, name: Option<&str>) -> bool {
    let channels = definition.devices().filter(|device| device.is("channel"));
    let is_meant = |channel: &&Element| {
        name.is_none_or(|name| target(channel) == Some(name) || alias(channel) == Some(name))
    };
    let mut meant = channels.filter(is_meant).peekable();
    let unknown = name.is_some() && meant.peek().is_none();
    unknown || meant.any(|channel| target(channel).is_some_and(|target| target.starts_with(AGENT)))
}

fn target(channel: &Element) -> Option<&str> {
    channel.child("target")?.attribute("name")
}

fn alias(channel: &Element) -> Option<&str> {
    channel.child("alias")?.attribute("name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agents_channel_is_found_under_all_its_names() {
        let text = "<domain type='kvm'><name>vm</name><devices>\
             <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/><alias name='channel0'/></channel>\
             <channel type='pty'><target type='virtio' name='com.example.log'/><alias name='channel1'/></channel>\
             </devices></domain>";
        let definition = Definition::parse(text).unwrap();
        for name in [None, Some("org.qemu.guest_agent.0"), Some("channel0"), Some("org.qemu.guest_agent.1")] {
            assert!(leads_to_agent(&definition, name), "{name:?}");
        }
        for name in [Some("com.example.log"), Some("channel1")] {
            assert!(!leads_to_agent(&definition, name), "{name:?}");
        }
    }

    #[test]
    fn a_channel_that_gets_its_alias_only_when_the_vm_runs_may_be_the_agents() {
        let text = "<domain type='kvm'><name>vm</name><devices>\
             <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel></devices></domain>";
        assert!(leads_to_agent(&Definition::parse(text).unwrap(), Some("channel0")));
    }
}
