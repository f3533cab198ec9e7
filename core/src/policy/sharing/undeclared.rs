// SPDX-License-Identifier: Apache-2.0
//! What is shared beyond what was opened, in words that say how it could be.

use std::error::Error;
use std::fmt;

use super::media::Common;
use super::member::Member;
use crate::policy::channel::Channel;
use crate::xml::uses::Use;

/// A channel that nobody opened. Binds everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undeclared {
    /// The channel.
    pub channel: Channel,
    /// The VM whose definition has it.
    pub vm: String,
    /// The other VM; none where any other end would do.
    pub other: Option<String>,
    /// What in the definition it is.
    pub what: String,
    /// The one of them that is sensitive, so that no opening would help.
    pub sensitive: Option<String>,
}

impl Undeclared {
    pub(super) fn way_out(vm: Member<'_>, usage: &Use) -> Self {
        let sensitive = sensitive(&[vm]);
        let vm = vm.name.to_owned();
        Self { channel: usage.channel, vm, other: None, what: usage.what.clone(), sensitive }
    }

    pub(super) fn common(vm: Member<'_>, other: Member<'_>, common: &Common) -> Self {
        let sensitive = sensitive(&[vm, other]);
        let (vm, other) = (vm.name.to_owned(), Some(other.name.to_owned()));
        Self { channel: common.channel, vm, other, what: common.what.clone(), sensitive }
    }
}

fn sensitive(members: &[Member<'_>]) -> Option<String> {
    let kept = members.iter().find(|member| !member.sensitivity.is_ordinary());
    kept.map(|member| member.name.to_owned())
}

impl fmt::Display for Undeclared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { channel, vm, other, what, sensitive } = self;
        if let Some(sensitive) = sensitive {
            return write!(
                f,
                "VM `{vm}` may not have {what}: VM `{sensitive}` is sensitive and shares nothing; an Administrator may end \
                 that with `virtwarden vm sensitive {sensitive} off`"
            );
        }
        match other {
            Some(other) => write!(
                f,
                "VM `{vm}` may not share {what} with VM `{other}`: no `{channel}` channel is open between them; \
                 an Administrator opens it with `virtwarden sharing allow {channel} {vm} {other}`"
            ),
            None => write!(
                f,
                "VM `{vm}` may not have {what}: no `{channel}` channel is open for it; \
                 an Administrator opens it with `virtwarden sharing allow {channel} {vm} host`"
            ),
        }
    }
}

impl Error for Undeclared {}
