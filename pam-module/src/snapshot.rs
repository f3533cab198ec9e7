// SPDX-License-Identifier: Apache-2.0
//! The rule for password logins while policyd is silent. FIA_AFL_EXT.1: nobody's lock disappears with it.
//!
//! | why | login | then |
//! |---|---|---|
//! | cannot be asked from this process | any | refused: whoever set the limits may be the one who guesses |
//! | any | over the network | refused: keys still work |
//! | late | by a program that a person runs (su, sudo) | refused: he may be the one who keeps policyd busy |
//! | any other | at the machine | by the snapshot: locked accounts are refused, others go on |

use virtwarden_login::locked::{Standing, standing};
use virtwarden_login::{Claim, Class, Span};

use crate::login::Login;
use crate::monitor::{Asker, Locks, Monitor, Silence};
use crate::words;

const REMOTE: &str =
    "virtwarden-policyd does not answer: password logins over the network are refused until it does";
const BUSY: &str = "virtwarden-policyd does not answer in time; try again, or log in on the console";
const UNABLE: &str = "virtwarden-policyd cannot be asked from this process; check its limits on descriptors";

/// Whether a password login may go on without policyd.
///
/// # Errors
/// It may not; what the person is told.
pub(crate) fn judge(
    login: &impl Login,
    monitor: &impl Monitor,
    silence: &Silence,
    claim: &Claim,
) -> Result<(), String> {
    match (silence, claim.class()) {
        (Silence::Unable(_), Class::Local | Class::Remote) => Err(UNABLE.to_owned()),
        (Silence::Away(_) | Silence::Late | Silence::Nonsense(_), Class::Remote) => Err(REMOTE.to_owned()),
        (Silence::Late, Class::Local) if asker(monitor, claim) == Asker::Person => Err(BUSY.to_owned()),
        (Silence::Away(_) | Silence::Late | Silence::Nonsense(_), Class::Local) => {
            by_locks(login, monitor, claim)
        }
    }
}

/// Some of a person's programs let a service do it, which the kernel does not see as his.
fn asker(monitor: &impl Monitor, claim: &Claim) -> Asker {
    if claim.is_from_inside() { Asker::Person } else { monitor.asker() }
}

fn by_locks(login: &impl Login, monitor: &impl Monitor, claim: &Claim) -> Result<(), String> {
    let locks = match monitor.locks() {
        Locks::Known(locks) => locks,
        Locks::Damaged(why) => return with_damage(login, asker(monitor, claim), &why),
        Locks::Unable(_) => return Err(UNABLE.to_owned()),
    };
    match standing(&locks, &claim.account, claim.class(), monitor.seconds()) {
        Standing::Open => Ok(()),
        Standing::For(left) => Err(words::locked(Span::Seconds(u32::try_from(left).unwrap_or(u32::MAX)))),
        Standing::UntilUnlocked => Err(words::locked(Span::Open)),
    }
}

/// It does not keep the last Administrator from his own console: only root could have damaged
/// it, and somebody must be able to repair it.
fn with_damage(login: &impl Login, asker: Asker, why: &str) -> Result<(), String> {
    login.log(&format!("it is not known who is locked: {why}"));
    match asker {
        Asker::System => Ok(()),
        Asker::Person => Err("it is not known who is locked; log in on the console".to_owned()),
    }
}
