// SPDX-License-Identifier: Apache-2.0
//! `virtwarden screen`: one's own.

use std::path::Path;

use virtwarden_core::control::{Change, Mode, Reply, Request, ScreenRow, ScreenWish};
use virtwarden_core::setting::{OwnIdle, ScreenIdle};

use crate::arguments::{ScreenVerb, ShortenArguments};
use crate::client::{ask, unexpected};
use crate::duration::spelled;
use crate::exit::Failed;
use crate::output::{Format, Output};
use crate::vm::print_change;

/// Does what the verb says.
pub(crate) fn run(verb: &ScreenVerb, socket: &Path, output: &Output) -> Result<(), Failed> {
    match verb {
        ScreenVerb::Show => show(socket, output),
        ScreenVerb::Shorten(ShortenArguments { idle, delay, change }) => {
            let wish = Some(ScreenWish { seconds: *idle, delay: *delay });
            let changed = change_own(wish, change.mode(), socket, output)?;
            if changed.mode == Mode::Apply
                && !changed.differences.is_empty()
                && output.format() != Format::Json
            {
                output.remark("holds where you log in from now on; what is open keeps what it has")?;
            }
            Ok(())
        }
        ScreenVerb::Restore { change } => change_own(None, change.mode(), socket, output).map(drop),
    }
}

fn show(socket: &Path, output: &Output) -> Result<(), Failed> {
    let Reply::Screen(row) = ask(socket, &Request::ScreenShow)? else { return Err(unexpected()) };
    match output.format() {
        Format::Json => output.json(&row),
        Format::Table | Format::Rows => output.rows(lines(&row)),
    }
}

fn change_own(
    wish: Option<ScreenWish>,
    mode: Mode,
    socket: &Path,
    output: &Output,
) -> Result<Change, Failed> {
    let Reply::Changed(change) = ask(socket, &Request::ScreenOwn { wish, mode })? else {
        return Err(unexpected());
    };
    print_change(&change, output)?;
    Ok(change)
}

fn lines(row: &ScreenRow) -> Vec<[String; 2]> {
    let own =
        row.own.as_ref().map(|OwnIdle { seconds, delay, .. }| ("yours at most", times(*seconds, *delay)));
    let lines = [
        ("lock", row.locking.word().to_owned()),
        ("yours", idle(row.holds)),
        ("everybody's", idle(row.everybody)),
    ];
    lines.into_iter().chain(own).map(|(name, value)| [name.to_owned(), value]).collect()
}

fn idle(idle: ScreenIdle) -> String {
    match idle {
        ScreenIdle::Personal => "as you have it in your desktop's settings".to_owned(),
        ScreenIdle::After { seconds, delay } => times(seconds, delay),
    }
}

/// When it goes dark, and when it is locked.
pub(crate) fn times(seconds: u32, delay: u32) -> String {
    format!("dark after {}, locked {} later", spelled(seconds.into()), spelled(delay.into()))
}

#[cfg(test)]
mod tests {
    use virtwarden_core::setting::Locking;

    use super::*;

    #[test]
    fn what_holds_comes_first_and_why_after_it() {
        let (everybody, holds) =
            (ScreenIdle::After { seconds: 600, delay: 20 }, ScreenIdle::After { seconds: 300, delay: 20 });
        let own = Some(OwnIdle { account: "bob".into(), seconds: 300, delay: 60 });
        let told = |row: &ScreenRow| lines(row).iter().map(|line| line.join(": ") + "\n").collect::<String>();
        let row = ScreenRow { locking: Locking::Enabled, everybody, own, holds };
        assert_eq!(
            told(&row),
            "lock: enabled\nyours: dark after 5 min, locked 20 s later\n\
             everybody's: dark after 10 min, locked 20 s later\nyours at most: dark after 5 min, locked 1 min later\n"
        );
        let personal = ScreenIdle::Personal;
        let row = ScreenRow { locking: Locking::Personal, everybody: personal, own: None, holds: personal };
        assert!(told(&row).contains("yours: as you have it in your desktop's settings"));
    }
}
