// SPDX-License-Identifier: Apache-2.0
//! `setting confirm`, and what happens without it: the value before comes back after a minute.

use std::sync::Arc;
use std::thread;

use virtwarden_core::control::{Change, Failure, Mode, Reply, Report, Request};
use virtwarden_core::record::{Event, Kind, Outcome};
use virtwarden_core::setting::SettingName;
use virtwarden_core::subject::Subject;

use super::Control;
use super::failure::{failed, usage};
use super::orders::kept_order;
use crate::monitor::Monitor;
use crate::settings::{CONFIRM_WITHIN, Changing, Chosen, Settings};

impl Control {
    /// Keeps the value that waits.
    pub(super) fn setting_confirm(
        &self,
        subject: &Subject,
        request: &Request,
        name: SettingName,
    ) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, "")?;
        let before = self.settings.value(name);
        let (outcome, reply) = match self.settings.change().confirm(name) {
            Ok(Some(chosen)) => {
                let difference = format!("{name}: {before} -> {}", chosen.setting);
                let reply = Change { mode: Mode::Apply, differences: vec![difference.clone()] };
                (Ok(difference), Ok(Reply::Changed(reply)))
            }
            Ok(None) => {
                let why = format!("{name} does not wait to be confirmed; `virtwarden setting show {name}`");
                (Err(why.clone()), Err(usage(why)))
            }
            Err(error) => (Err(error.to_string()), Err(failed(error.to_string()))),
        };
        match outcome {
            Ok(difference) => attempt.finish(Outcome::Success, &difference),
            Err(why) => attempt.finish(Outcome::Failure, &why),
        }
        reply
    }

    /// Lets a value that the host has already wait, and says so.
    pub(super) fn hold(&self, changing: &mut Changing<'_>, chosen: Chosen) -> Result<String, String> {
        let name = chosen.setting.name();
        let waiting = changing.wait(chosen);
        let (settings, monitor) = (self.settings.clone(), self.monitor.clone());
        let give_up = move || {
            thread::sleep(CONFIRM_WITHIN);
            take_back(&settings, &monitor, &waiting);
        };
        let seconds = CONFIRM_WITHIN.as_secs();
        match thread::Builder::new().name("confirm".to_owned()).spawn(give_up) {
            Ok(_) => Ok(format!(
                "not kept yet: `virtwarden setting confirm {name}` within {seconds} s, or it is taken back"
            )),
            Err(error) => {
                changing.end_waiting(name);
                Err(format!("nobody could take it back if it is not confirmed: {error}"))
            }
        }
    }
}

/// Puts the kept value back, if this very one still waits.
pub(super) fn take_back(settings: &Settings, monitor: &Monitor, waiting: &Arc<Chosen>) {
    let mut changing = settings.change();
    if !changing.give_up(waiting) {
        return;
    }
    let name = waiting.setting.name();
    let policy = monitor.policy();
    let order = kept_order(settings, name, policy.policy.media_rules());
    let (outcome, detail) = match settings.components().order(&order) {
        Ok(Report::Done(_) | Report::Drift(_)) => {
            let back = settings.value(name);
            (Outcome::Success, format!("{name}: {} -> {back}: nobody confirmed it", waiting.setting))
        }
        Ok(Report::Failed(why)) => (Outcome::Failure, format!("{name}: {why}")),
        Err(silence) => (Outcome::Unknown, format!("{name}: {silence}")),
    };
    monitor.ledger().note(taken_back(name, outcome, detail));
}

fn taken_back(name: SettingName, outcome: Outcome, detail: String) -> Event {
    Event {
        origin: None,
        kind: Kind::Change,
        outcome,
        actor: None,
        operation: "setting taken back".to_owned(),
        functions: vec![name.function()],
        targets: Vec::new(),
        detail,
        of: None,
        count: None,
    }
}
