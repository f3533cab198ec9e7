// SPDX-License-Identifier: Apache-2.0
//! `virtwarden vm create`.

use clap::Args;
use virtwarden_core::control::{Request, VmBelonging, VmWish};

use super::super::ChangeArguments;

pub(crate) const EXAMPLES: &str = "\
Examples:
  virtwarden vm create bobvm --template desktop --disk 20G --network red --information-domain red --assign bob
  virtwarden vm create safe --template sensitive --memory 4G --disk 40G --dry-run
Sizes have a unit: M or MiB, G or GiB, T or TiB. The disk is made in the pool `default`, and starts empty.";

/// The VM to make.
#[derive(Clone, Debug, Args)]
pub(crate) struct VmCreateArguments {
    /// Its name.
    name: String,
    /// The template; without, the one that new VMs follow by default.
    #[arg(long, value_name = "TEMPLATE")]
    template: Option<String>,
    /// Its memory.
    #[arg(long, value_name = "SIZE", value_parser = mebibytes)]
    memory: Option<u64>,
    /// Its virtual CPUs.
    #[arg(long, value_name = "COUNT")]
    vcpus: Option<u32>,
    /// Make a disk of this size for it.
    #[arg(long, value_name = "SIZE", value_parser = mebibytes)]
    disk: Option<u64>,
    /// Plug it into a network.
    #[arg(long, value_name = "NETWORK")]
    network: Option<String>,
    /// Let somebody use it.
    #[arg(long, value_name = "USER")]
    assign: Option<String>,
    /// Put it into an information domain, as the policy defines it.
    #[arg(long, value_name = "NAME")]
    information_domain: Option<String>,
    /// Make the change or show it.
    #[command(flatten)]
    change: ChangeArguments,
}

impl VmCreateArguments {
    /// What policyd is asked.
    pub(crate) fn request(&self) -> Request {
        let wish = VmWish {
            name: self.name.clone(),
            template: self.template.clone(),
            memory: self.memory,
            vcpus: self.vcpus,
            disk: self.disk.map(|size| size << 20),
            network: self.network.clone(),
        };
        let belonging =
            VmBelonging { user: self.assign.clone(), information_domain: self.information_domain.clone() };
        let belonging = (belonging != VmBelonging::default()).then_some(belonging);
        Request::VmCreate { wish, belonging, mode: self.change.mode() }
    }
}

/// A size in MiB.
pub(crate) fn mebibytes(text: &str) -> Result<u64, String> {
    let expected = || "expected a size with its unit, such as `512M` or `20G`".to_owned();
    let end = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(expected)?;
    let (number, unit) = text.split_at_checked(end).ok_or_else(expected)?;
    let shift = match unit.trim_start() {
        "M" | "MiB" => 0,
        "G" | "GiB" => 10,
        "T" | "TiB" => 20,
        _ => return Err(expected()),
    };
    let size = number.parse::<u64>().map_err(|_| expected())?;
    size.checked_mul(1 << shift).filter(|size| (1..=1 << 40).contains(size)).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_and_is_one() {
        for (text, size) in [("512M", 512), ("20G", 20_480), ("20 GiB", 20_480), ("1T", 1 << 20)] {
            assert_eq!(mebibytes(text), Ok(size), "{text}");
        }
        for text in ["", "20", "G", "0G", "-1G", "1.5G", "20GB", "99999999999999999999M", "9999999999999T"] {
            assert!(mebibytes(text).is_err(), "{text}");
        }
    }
}
