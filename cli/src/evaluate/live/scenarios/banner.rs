// SPDX-License-Identifier: Apache-2.0
//! TAB-1: an Administrator sets the words, and whoever comes to a login reads them first.

use virtwarden_core::setting::{Acknowledgement, Setting, SettingName};

use super::Hand;
use super::steps::{Done, not_played, not_taken_back};
use crate::evaluate::live::program::root;
use crate::evaluate::live::settings;
use crate::evaluate::report::{Door, Step, Verdict};
use crate::exit::Failed;
use crate::setting::current;

const WARNING: &str = "TEST TEST Warning Message TEST TEST";

pub(super) fn play(hand: &mut Hand<'_, '_>) -> Result<Vec<Step>, Failed> {
    let row = current(SettingName::Banner, hand.socket)?;
    if let Setting::Banner(banner) = &row.setting {
        let words = banner.text.as_ref().map(|text| text.as_str().to_owned());
        if let (true, Some(words)) = (row.source.is_set(), words) {
            let first = words.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
            return Ok(shown(&first));
        }
        if banner.acknowledgement == Acknowledgement::Required || row.source.is_set() {
            return Ok(not_played("Sets a banner for a moment.", "the host has a banner setting of its own"));
        }
    }
    let completion = settings::prepare(SettingName::Banner, hand.made, hand.socket)?;
    let command = format!("virtwarden banner set '{WARNING}'{}", completion.dry);
    let ran = hand.stage.sshd.within(&hand.stage.administrator.name, &command, Some(hand.stage.interrupt));
    let who = &hand.stage.administrator.name;
    let what = "The Administrator sets the banner.";
    let mut steps = vec![Done { what, who, door: Door::ControlSocket, command, ran }.must_succeed()];
    steps.extend(shown(WARNING));
    let back = completion.noted.map_or(Ok(()), |noted| hand.made.take_back(&noted));
    steps.extend(back.err().map(|why| not_taken_back("The banner is taken back.", &why)));
    Ok(steps)
}

/// The host's own sshd, and what asks for a name on a terminal.
fn shown(words: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let settings = root(&["/usr/sbin/sshd", "-T"]).output;
    let port = settings.lines().find_map(|line| line.strip_prefix("port ")).unwrap_or("22").to_owned();
    if root(&["systemctl", "is-active", "--quiet", "ssh.service"]).succeeded()
        || root(&["systemctl", "is-active", "--quiet", "ssh.socket"]).succeeded()
    {
        let ssh = format!(
            "ssh -F /dev/null -p {port} -o BatchMode=yes -o PreferredAuthentications=none -o StrictHostKeyChecking=no \
             -o UserKnownHostsFile=/dev/null nobody@127.0.0.1"
        );
        steps.push(look(
            "Somebody reaches the host's sshd and has not logged in yet.",
            Door::Ssh,
            &ssh,
            words,
        ));
    }
    let agetty = "timeout 20 script -qec 'agetty -t 2 - vt100' /dev/null < /dev/null";
    steps.push(look("Somebody stands before a terminal.", Door::Host, agetty, words));
    steps
}

fn look(what: &str, door: Door, command: &str, words: &str) -> Step {
    let ran = root(&["sh", "-c", command]);
    let verdict =
        if ran.output.contains(words) { Verdict::Pass } else { Verdict::fail("the banner is not shown") };
    Done { what, who: "nobody", door, command: command.to_owned(), ran }.step(Vec::new(), verdict)
}
