// SPDX-License-Identifier: Apache-2.0
//! Who wants in, from what the program told libpam.

use virtwarden_login::{Claim, LONGEST_ACCOUNT};

use crate::code::Code;
use crate::login::{Item, Login};

/// A claim that can be sent, and whether this host can have such an account at all.
pub(crate) struct Claimed {
    pub(crate) claim: Claim,
    pub(crate) name: Name,
}

/// Whether an account can have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// It can.
    Possible,
    /// It is too long. policyd is told of the attempt, but its answer cannot help.
    Impossible,
}

/// Asks libpam who wants in.
pub(crate) fn claim(login: &mut impl Login) -> Result<Claimed, Code> {
    let account = login.account()?;
    let name = if account.len() > LONGEST_ACCOUNT { Name::Impossible } else { Name::Possible };
    let claim = Claim {
        account,
        service: login.item(Item::Service),
        tty: login.item(Item::Tty),
        remote_host: login.item(Item::RemoteHost),
        remote_user: login.item(Item::RemoteUser),
    };
    Ok(Claimed { claim: claim.cut(), name })
}
