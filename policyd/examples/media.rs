// SPDX-License-Identifier: Apache-2.0
//! How long one decision on a medium takes with 10,000 rules and 200 devices plugged in:
//! `cargo run --release -p virtwarden-policyd --example media`.
//!
//! The devices are files laid out as in `/sys`, so what is measured is policyd's own work and that of an ordinary
//! file system; what libvirt needs to say who has what comes on top.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use virtwarden_core::media::{Asker, Party, Transfer};
use virtwarden_core::object::{Uuid, Vm};
use virtwarden_core::policy::{Policy, Source};
use virtwarden_policyd::media::{Having, Kernel, Media, Wanted};
use virtwarden_policyd::registry::Registry;

const RULES: u32 = 10_000;
/// A policy file holds 256 KiB.
const RULES_OF_A_FILE: u32 = 1_000;
const DEVICES: u16 = 200;
const ROUNDS: usize = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    plug(directory.path())?;
    let registry = Arc::new(Registry::open(&directory.path().join("registry.json"))?);
    let kernel = Kernel {
        sys: directory.path().join("sys"),
        proc: directory.path().join("proc"),
        udev: directory.path().join("udev"),
    };
    let media = Media::open(&directory.path().join("media.json"), kernel, registry)?;
    let texts = (0..RULES / RULES_OF_A_FILE).map(rules).collect::<Result<Vec<_>, _>>()?;
    let names: Vec<_> = (0..texts.len()).map(|number| format!("{number:02}-site.toml")).collect();
    let sources = names.iter().zip(&texts).map(|(name, text)| Source { name, text });
    let policy = Policy::load(&sources.collect::<Vec<_>>());
    let policy = policy.map_err(|mistakes| format!("{mistakes:?}"))?;
    let nobody: Vec<Having> = Vec::new();
    let vm = Vm { uuid: Uuid([1; 16]), name: "redvm".to_owned(), assignment: None };
    let wanted = Wanted::Usb { vendor: None, product: None, address: Some((1, DEVICES)), port: None };
    let medium = media.find(&[], &wanted)?;
    let receiver = Party::of(&vm);
    report("rules alone", || {
        let transfer =
            Transfer { medium: &medium, holder: None, receiver: &receiver, asker: Asker::Administrator };
        let _verdict = policy.media_rules().transfer(&transfer);
        Ok(())
    })?;
    report("find one of all devices", || {
        media.find(&[], &wanted).map(drop).map_err(|error| error.to_string())
    })?;
    report("judge, from the kernel's files to the verdict", || {
        let judged = media.judge(&policy, &vm, Asker::Administrator, &wanted, &nobody);
        judged.map(drop).map_err(|refused| refused.to_string())
    })?;
    report("list all with who has them", || media.present(&[], &nobody).map(drop))?;
    Ok(())
}

fn report(what: &str, mut act: impl FnMut() -> Result<(), String>) -> Result<(), Box<dyn Error>> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        act()?;
        times.push(begun.elapsed());
    }
    times.sort();
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or(Duration::ZERO);
    println!("{what}: median {:?}, 99 of 100 below {:?}", at(50), at(99));
    Ok(())
}

/// A class for each of as many devices, of which the last are plugged in: those of one file.
fn rules(file: u32) -> Result<String, std::fmt::Error> {
    let mut text = String::from(if file == 0 { "[role.user]\ncolumn = \"user\"\n" } else { "" });
    for number in file * RULES_OF_A_FILE..(file + 1) * RULES_OF_A_FILE {
        let serial = RULES - number;
        write!(
            text,
            "[device-class.class-{number:05}]\nmatch = [{{ vendor = \"0951\", serial = \"S{serial}\" }}]\n\
             rule = \"grant\"\naccess = \"read-write\"\ngranted = \"all-vms\"\n"
        )?;
    }
    Ok(text)
}

fn plug(root: &Path) -> std::io::Result<()> {
    let write = |below: String, text: &str| {
        let path = root.join(below);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, format!("{text}\n"))
    };
    write("proc/1/mountinfo".to_owned(), "21 1 254:1 / / rw - ext4 /dev/vda1 rw")?;
    write("proc/swaps".to_owned(), "Filename")?;
    fs::create_dir_all(root.join("sys/block"))?;
    fs::create_dir_all(root.join("sys/bus/usb/devices"))?;
    for number in 1..=DEVICES {
        let directory = format!("sys/devices/pci0000:00/0000:00:14.0/usb1/1-{number}");
        for (name, value) in [
            ("idVendor", "0951"),
            ("idProduct", "1666"),
            ("busnum", "1"),
            ("devnum", &number.to_string()),
            ("serial", &format!("S{number}")),
            ("manufacturer", "Kingston"),
            ("product", "DataTraveler 3.0"),
        ] {
            write(format!("{directory}/{name}"), value)?;
        }
        for (name, value) in
            [("bInterfaceClass", "08"), ("bInterfaceSubClass", "06"), ("bInterfaceProtocol", "50")]
        {
            write(format!("{directory}/1-{number}:1.0/{name}"), value)?;
        }
        symlink(root.join(&directory), root.join(format!("sys/bus/usb/devices/1-{number}")))?;
    }
    Ok(())
}
