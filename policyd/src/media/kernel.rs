// SPDX-License-Identifier: Apache-2.0
//! Where the kernel and udev tell what is plugged in and mounted: small files, read bounded.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Where the unit puts the host's `/sys`: a service with a network of its own gets one that shows only that.
const HOSTS_SYS: &str = "/run/virtwarden/sys";
/// Most of an attribute that is looked at.
const ATTRIBUTE: u64 = 4096;
/// Most of a table that is looked at. One that is longer is an error: what is beyond could be what matters.
const TABLE: u64 = 4 << 20;
/// Most entries of a directory. One that has more is an error, too.
const ENTRIES: usize = 65_536;

/// The places, elsewhere in tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// `/sys`, of the host.
    pub sys: PathBuf,
    /// `/proc`.
    pub proc: PathBuf,
    /// `/run/udev/data`.
    pub udev: PathBuf,
}

impl Default for Kernel {
    fn default() -> Self {
        let sys = PathBuf::from(HOSTS_SYS).join("class").is_dir();
        let sys = if sys { HOSTS_SYS } else { "/sys" };
        Self { sys: sys.into(), proc: "/proc".into(), udev: "/run/udev/data".into() }
    }
}

impl Kernel {
    /// Names of the entries of a directory below `/sys`, in order; none if there is no such directory.
    pub(super) fn names(&self, below: &str) -> io::Result<Vec<String>> {
        names(&self.sys.join(below))
    }

    /// A table below `/proc`, whole.
    pub(super) fn table(&self, name: &str) -> io::Result<String> {
        let path = self.proc.join(name);
        whole(&path).map_err(|error| io::Error::new(error.kind(), format!("`{}`: {error}", path.display())))
    }

    /// What udev knows of a block device; nothing if it does not know it yet.
    pub(super) fn udev(&self, (major, minor): (u32, u32)) -> Udev {
        Udev(whole(&self.udev.join(format!("b{major}:{minor}"))).unwrap_or_default())
    }
}

/// udev's record of a device.
#[derive(Debug)]
pub(super) struct Udev(String);

impl Udev {
    /// A property's value.
    pub(super) fn property(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix("E:")?.strip_prefix(name)?.strip_prefix('='))
    }

    /// Names of the device below `/dev`, other than its own.
    pub(super) fn links(&self) -> impl Iterator<Item = &str> {
        self.0.lines().filter_map(|line| line.strip_prefix("S:"))
    }
}

/// An attribute of a device, without the line's end; none if the device has none, or has gone.
pub(super) fn attribute(device: &Path, name: &str) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(device.join(name)).ok()?.take(ATTRIBUTE).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    Some(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

/// The bytes of an attribute.
pub(super) fn bytes(device: &Path, name: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(device.join(name)).ok()?.take(TABLE).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Names in a directory, in order; none if it is not there.
pub(super) fn names(directory: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string());
        if names.len() > ENTRIES {
            return Err(io::Error::other(format!("`{}` has too many entries", directory.display())));
        }
    }
    names.sort();
    Ok(names)
}

fn whole(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    let read = File::open(path)?.take(TABLE + 1).read_to_end(&mut bytes)?;
    if read as u64 > TABLE {
        return Err(io::Error::other("it is too long"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
