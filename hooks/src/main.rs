// SPDX-License-Identifier: Apache-2.0
//! libvirt's hook program: asks the monitor whether a VM or network may start.
//!
//! libvirt runs it as root before what it does, with the definition on standard input. It knows
//! nothing itself but what it sees on the host. Where a no stops something, no answer is a no. Where a no would only do harm (a
//! VM that runs already), it reports and agrees.

mod ask;
mod call;
mod look;
mod sight;
mod wall;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use virtwarden_core::control::{HookAnswer, HookCall, SOCKET, Veto};

/// How long libvirt, and whoever waits for it, is kept waiting.
const DEADLINE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    match call::named(&arguments) {
        Ok(call) => judge(call),
        Err(why) => refuse(&why),
    }
}

fn judge(call: HookCall) -> ExitCode {
    let veto = call.veto();
    let answer = call::with_definition(call, std::io::stdin()).and_then(consider);
    match (veto, answer) {
        (Veto::Ignored, _) | (Veto::Stops, Ok(HookAnswer::Allow)) => ExitCode::SUCCESS,
        (Veto::Stops, Ok(HookAnswer::Deny { reason })) => refuse(&reason),
        (Veto::Stops, Err(why)) => refuse(&format!(
            "the monitor does not answer ({why}); ask an Administrator to look at `virtwarden doctor`"
        )),
    }
}

/// What the monitor allows happens behind the wall that it needs, or not at all.
fn consider(call: HookCall) -> Result<HookAnswer, String> {
    let call = sight::with_sight(call, &sight::PLACES);
    match ask::ask(Path::new(SOCKET), call.clone(), DEADLINE)? {
        HookAnswer::Allow => Ok(match wall::raise(&call) {
            Ok(()) => HookAnswer::Allow,
            Err(reason) => HookAnswer::Deny { reason },
        }),
        denied @ HookAnswer::Deny { .. } => Ok(denied),
    }
}

/// libvirt shows this to whoever asked.
fn refuse(why: &str) -> ExitCode {
    eprintln!("virtwarden: {why}");
    ExitCode::FAILURE
}
