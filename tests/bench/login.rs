// SPDX-License-Identifier: Apache-2.0
//! How long a login takes through a PAM stack: authenticate the account, ask whether it may be entered.

use std::error::Error;
use std::ffi::CString;
use std::io;
use std::time::{Duration, Instant};

use pam_virtwarden::{Application, Converse, Echo, Tone};

use crate::line::Line;

/// Accounts of a test host have this behind their name as their password.
const PASSWORD: &str = "-password";

/// Logs in again and again, each time from the beginning, and prints the line.
pub(crate) fn run(way: &str, service: &str, account: &str, count: usize) -> Result<(), Box<dyn Error>> {
    let (service, name) = (CString::new(service)?, CString::new(account)?);
    let mut person = Knows(format!("{account}{PASSWORD}"));
    let mut times: Vec<Duration> = Vec::with_capacity(count);
    for _ in 0..count {
        let begin = Instant::now();
        let mut login = Application::start(&service, &name, &mut person).map_err(|code| code.meaning())?;
        login.authenticate().map_err(|code| code.meaning())?;
        drop(login);
        times.push(begin.elapsed());
    }
    Line::new(way, "login").with_times(times).print();
    Ok(())
}

/// Somebody who answers every question with his password.
struct Knows(String);

impl Converse for Knows {
    fn tell(&mut self, _tone: Tone, _text: &str) -> io::Result<()> {
        Ok(())
    }

    fn ask(&mut self, _echo: Echo, _text: &str) -> io::Result<String> {
        Ok(self.0.clone())
    }
}
