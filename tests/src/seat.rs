// SPDX-License-Identifier: Apache-2.0
//! Somebody who sits at a screen of his own on the test host and works with virt-manager.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Child;

use crate::host::{Host, Ran};
use crate::scene::check;

const PLACE: &str = "/opt/virtwarden-seat";

/// Programs that run on the host: one opens the screen, one presses what is on it.
const PROGRAMS: &[(&str, &str)] =
    &[("seat", include_str!("../desktop/seat")), ("hand", include_str!("../desktop/hand"))];

/// A screen with virt-manager on it, connected to the system's libvirt. Ends when dropped.
#[derive(Debug)]
pub struct Seat<'h> {
    host: &'h Host,
    person: &'static str,
    /// The login that virt-manager belongs to: when it ends, nobody administers there any more.
    login: Child,
}

impl<'h> Seat<'h> {
    /// Sits down and starts virt-manager.
    ///
    /// # Errors
    /// The screen did not come up, with what was printed.
    pub fn take(host: &'h Host, person: &'static str) -> Result<Self, String> {
        host.root(&format!("mkdir -p {PLACE}"));
        for (name, text) in PROGRAMS {
            check(name, &host.write(&format!("{PLACE}/{name}"), text))?;
        }
        host.root(&format!("chmod -R 755 {PLACE}"));
        let login = host.begin(person, &format!("cd {PLACE} && ./seat begin && echo seated && exec cat"));
        let mut seat = Self { host, person, login: login.map_err(|error| error.to_string())? };
        seat.sit_down()?;
        seat.does("./seat hand wait QEMU/KVM 60")?;
        Ok(seat)
    }

    /// Waits until the screen is there.
    fn sit_down(&mut self) -> Result<(), String> {
        let says = self.login.stdout.take().ok_or("the login says nothing")?;
        let mut lines = BufReader::new(says).lines().map_while(Result::ok);
        if lines.any(|line| line == "seated") { Ok(()) } else { Err("the screen did not come up".to_owned()) }
    }

    /// Runs steps, one after the other, until one fails; answers with what they printed.
    ///
    /// # Errors
    /// The step that failed and what was on the screen.
    pub fn does(&self, steps: &str) -> Result<String, String> {
        let ran = self.runs(&format!("set -e; cd {PLACE}; {steps}"));
        check(&format!("{}: {steps}", self.person), &ran)?;
        Ok(ran.out)
    }

    /// Presses things by their names, in this order.
    ///
    /// # Errors
    /// Something is not there or cannot be pressed.
    pub fn presses(&self, names: &[&str]) -> Result<(), String> {
        let steps: Vec<_> = names.iter().map(|name| format!("./seat hand press '{name}'")).collect();
        self.does(&steps.join("; ")).map(drop)
    }

    /// Waits until a text is shown.
    ///
    /// # Errors
    /// It did not appear; with what was shown instead.
    pub fn reads(&self, text: &str) -> Result<(), String> {
        self.does(&format!("./seat hand wait '{text}'")).map(drop)
    }

    /// All that can be read on the screen: window, kind and text, one a line.
    ///
    /// # Errors
    /// The screen is gone.
    pub fn screen(&self) -> Result<String, String> {
        self.does("./seat hand see")
    }

    /// What virt-manager wrote into its debug log.
    ///
    /// # Errors
    /// There is none.
    pub fn log(&self) -> Result<String, String> {
        self.does("cat ~/.seat/virt-manager.log")
    }

    /// Keeps a picture of the screen in the directory that `VIRTWARDEN_PICTURES` names, if it does.
    ///
    /// # Errors
    /// The picture could not be taken.
    pub fn picture(&self, name: &str) -> Result<(), String> {
        let Ok(directory) = std::env::var("VIRTWARDEN_PICTURES") else { return Ok(()) };
        let there = format!("/tmp/{}-seat.png", self.person);
        self.does(&format!("sleep 1; ./seat picture {there}"))?;
        let here = Path::new(&directory).join(format!("{name}.png"));
        check("fetch the picture", &self.host.fetch(&there, &here))
    }

    fn runs(&self, script: &str) -> Ran {
        self.host.login(self.person, script)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.runs(&format!("{PLACE}/seat end"));
        let _ended_already = self.login.kill();
        let _reaped = self.login.wait();
    }
}
