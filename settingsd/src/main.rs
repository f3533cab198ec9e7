// SPDX-License-Identifier: Apache-2.0
//! The only part that writes the files of the host's other components: it puts typed settings into
//! them, as root, and does nothing else.
//!
//! Mediated: nothing; policyd has decided and recorded before it orders. Trusted: root and policyd's
//! account, by the kernel's word on the socket. Whatever they order, only the files that a provider
//! names are written, with what it renders from a legal value; what was there before is kept and can
//! be given back.

mod change;
mod file;
mod host;
mod journal;
mod order;
mod plan;
mod program;
mod provider;
mod serve;
mod session;
mod takeover;

use std::io;
use std::process::ExitCode;

use listenfd::ListenFd;

use crate::host::Host;
use crate::serve::{Masters, serve};

const USAGE: &str = "\
usage: virtwarden-settingsd [OPTION]

Puts settings into the host's components for virtwarden-policyd. Started by systemd when there is an order.

  --desktop-profile ACCOUNT
                   give the account of this number what its desktop must read (its unit does it)
  --apply-all      put into force what Administrators have set (`virtwarden enable` does it)
  --withdraw-all   give every file back as it was (`virtwarden disable` does it)
  --help, --version
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args_os().skip(1).map(|w| w.to_string_lossy().into_owned()).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => served(),
        ["--desktop-profile", account] => match account.parse() {
            Ok(account) => provider::give_profile(&Host::this(), account)
                .map_or_else(failed::<String>, |()| ExitCode::SUCCESS),
            Err(error) => failed(format!("`{account}` is no number of an account: {error}")),
        },
        ["--apply-all"] => told(takeover::apply_all(&Host::this())),
        ["--withdraw-all"] => told(takeover::withdraw_all(&Host::this())),
        ["--help" | "-h"] => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        ["--version" | "-V"] => {
            println!("virtwarden-settingsd {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        _ => {
            eprint!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn served() -> ExitCode {
    let listener = match ListenFd::from_env().take_unix_listener(0) {
        Ok(Some(listener)) => listener,
        Ok(None) => return failed("systemd passed no socket; start virtwarden-settingsd.socket"),
        Err(error) => return failed(error),
    };
    serve(&listener, &Host::this(), Masters::of_host())
        .map_or_else(failed::<io::Error>, |()| ExitCode::SUCCESS)
}

fn failed<E: std::fmt::Display>(error: E) -> ExitCode {
    eprintln!("virtwarden-settingsd: {error}");
    ExitCode::FAILURE
}

/// What was done goes out, what was not is complained about.
fn told(result: Result<Vec<String>, Vec<String>>) -> ExitCode {
    match result {
        Ok(lines) => {
            lines.iter().for_each(|line| println!("{line}"));
            ExitCode::SUCCESS
        }
        Err(failures) => {
            failures.iter().for_each(|why| eprintln!("virtwarden-settingsd: {why}"));
            ExitCode::FAILURE
        }
    }
}
