// SPDX-License-Identifier: Apache-2.0
//! Removable media that are not the host's: nobody mounts them there, nothing offers them, and no driver
//! touches them. Row 10, FPT_RDM_EXT.1 with the host as a party.
//!
//! udev decides what becomes of a device, so the value is a file of rules for it. They speak of what is
//! plugged in already, too: udev looks at every device anew. Where udev does not run (in a container that
//! sees its host's devices), the files are written and there is nothing to look at.

mod disks;
mod rules;
pub(crate) mod usb;

use virtwarden_core::setting::{HostLevel, HostMedia, SettingName};

use super::{Derived, Provider, Rendered};
use crate::host::Host;
use crate::program::Input;

const SYSTEMCTL: &str = "/usr/bin/systemctl";
const UDEVADM: &str = "/usr/bin/udevadm";
/// udev listens there.
const UDEV: &str = "/run/udev/control";
/// The version of systemd whose udevadm can look at rules before they are used.
const VERIFIES: u32 = 254;
/// What udev looks at again when the rules have changed.
const LOOKED_AT: [&str; 4] = ["block", "scsi_generic", "bsg", "usb"];

/// The files of rules.
pub(crate) struct HostMediaFiles;

impl Provider for HostMediaFiles {
    type Value = HostMedia;
    const NAME: SettingName = SettingName::HostMedia;
    const FILES: &'static [&'static str] = &[rules::MARK, rules::CLOSE, rules::DRIVER];
    const DERIVED: &'static [Derived] = &[];

    /// What the host itself lives on is not taken away from it, nor is anything that is mounted torn out.
    fn examine(host: &Host, value: &HostMedia) -> Result<(), String> {
        let own = disks::of_the_host(host, &value.closed())?;
        match own.into_iter().find(|disk| disk.is_lived_on() || value.level == HostLevel::NoDriver) {
            None => Ok(()),
            Some(disk) => Err(format!(
                "the host uses {disk}: unmount it first, or grant `{kind}` to the host (`granted = [\"host\"]` in \
                 [media.{kind}] of the policy)",
                kind = disk.kind
            )),
        }
    }

    fn render(_host: &Host, value: &HostMedia) -> Result<Vec<Rendered>, String> {
        Ok(rules::render(value))
    }

    fn try_out(host: &Host, rendered: &[Rendered]) -> Result<(), String> {
        if !can_verify(host) {
            return Ok(());
        }
        rendered.iter().try_for_each(|file| {
            host.with_candidate(&file.text, |path| host.must(&[UDEVADM, "verify", path]).map(drop))
                .map_err(|why| format!("udev does not take `{}`: {why}", file.path))
        })
    }

    fn take_effect(host: &Host) -> Result<(), String> {
        if !is_running(host) {
            return Ok(());
        }
        host.must(&[UDEVADM, "control", "--reload"])?;
        if host.has(rules::DRIVER) {
            usb::remember(host)?
        } else {
            usb::open(host)?
        };
        let mut words = vec![UDEVADM, "trigger", "--action=change"];
        let subsystems = LOOKED_AT.map(|subsystem| format!("--subsystem-match={subsystem}"));
        words.extend(subsystems.iter().map(String::as_str));
        host.must(&words)?;
        settle(host)?;
        for place in disks::looked_at(host) {
            // What somebody still uses stays mounted, and is a remark below.
            let _busy = host.run(&[SYSTEMCTL, "stop", &place], Input::Nothing);
        }
        Ok(())
    }

    fn read_back(host: &Host, value: &HostMedia) -> Vec<String> {
        let rendered = rules::render(value);
        let stray = |path: &&&str| host.has(path) && !rendered.iter().any(|file| file.path == **path);
        let left = Self::FILES.iter().filter(stray).map(|path| format!("`{path}` closes what is open"));
        let mut differences: Vec<_> = left.collect();
        if !is_running(host) {
            return differences;
        }
        differences.extend(disks::differences(host, &value.closed()));
        if value.takes_drivers_away() {
            differences.extend(usb::differences(host));
        }
        differences
    }

    /// A stick that somebody works with is not torn out of his hands, but he should know.
    fn remarks(host: &Host, _value: &HostMedia) -> Vec<String> {
        if !is_running(host) {
            return Vec::new();
        }
        let line =
            |place| format!("`{place}` is still mounted, somebody uses it; unmount it, or pull it out");
        disks::looked_at(host).into_iter().map(line).collect()
    }
}

/// udev has decided about everything. A busy host takes longer than a program of ours may run.
fn settle(host: &Host) -> Result<(), String> {
    let settled = || host.must(&[UDEVADM, "settle", "--timeout=8"]).map(drop);
    settled().or_else(|_| settled()).or_else(|_| settled())
}

fn is_running(host: &Host) -> bool {
    host.has(UDEVADM) && host.has(UDEV)
}

fn can_verify(host: &Host) -> bool {
    let version = || host.run(&[UDEVADM, "--version"], Input::Nothing).ok()?.said.trim().parse::<u32>().ok();
    host.has(UDEVADM) && version().is_some_and(|version| version >= VERIFIES)
}

/// What udev knows of a device.
fn properties(host: &Host, path: &str) -> Result<String, String> {
    host.must(&[UDEVADM, "info", "--query=property", &format!("--path={path}")])
}
