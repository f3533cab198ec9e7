// SPDX-License-Identifier: Apache-2.0
//! `virtwarden network`.

use clap::{Args, Subcommand, ValueEnum};
use virtwarden_core::control::{Request, WayOut};
use virtwarden_core::xml::reach::Ports;

use super::ChangeArguments;

/// What to do with networks.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum NetworkVerb {
    /// List networks: whose they are, where they lead, who is on them.
    ///
    /// HOST is the address by which the network's VMs reach this host, or `-`. PORTS says whether VMs on the
    /// network reach each other. A network of state `direct` is none of libvirt's: a bridge or device of this host
    /// that VMs are plugged into past the networks. What is against the rules is told below the table.
    List,
    /// Show who can talk to whom, by the networks that VMs are on, running or not.
    ///
    /// An `x` stands where two VMs reach each other. With more VMs than fit, or with --pairs, each pair has a line
    /// of its own, with the networks that it talks over. Network filters are not looked at: they only take away.
    Who {
        /// One line for each pair.
        #[arg(long)]
        pairs: bool,
    },
    /// Show one network, with each VM on it.
    Show {
        /// Name or UUID.
        network: String,
    },
    /// Make a network of an information domain, and start it.
    Create(NetworkCreateArguments),
    /// Put a network into an information domain. The policy's own lists come first.
    Assign {
        /// Name or UUID.
        network: String,
        /// The information domain, as the policy defines it.
        information_domain: String,
        /// Make the change or show it.
        #[command(flatten)]
        change: ChangeArguments,
    },
    /// Take a network out of the information domain that it was put into.
    Unassign {
        /// Name or UUID.
        network: String,
        /// Make the change or show it.
        #[command(flatten)]
        change: ChangeArguments,
    },
    /// Stop a network that no VM is plugged into, and remove it.
    Delete {
        /// Name or UUID.
        network: String,
        /// Make the change or show it.
        #[command(flatten)]
        change: ChangeArguments,
    },
}

/// The network to make.
#[derive(Clone, Debug, Args)]
pub(crate) struct NetworkCreateArguments {
    /// Its name.
    name: String,
    /// The information domain that it belongs to, as the policy defines it.
    #[arg(long, value_name = "NAME")]
    information_domain: String,
    /// How it leads out.
    #[arg(long, value_enum, default_value_t = ForwardWord::None)]
    forward: ForwardWord,
    /// Let its VMs reach each other. Without this, each is alone with what the network leads to.
    #[arg(long)]
    open_ports: bool,
    /// Make the change or show it.
    #[command(flatten)]
    change: ChangeArguments,
}

/// How a network leads out.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ForwardWord {
    /// Nowhere; the host is not on it either.
    None,
    /// Out through the host, behind its address; the host gives addresses and names and nothing else.
    Nat,
}

impl NetworkCreateArguments {
    /// What policyd is asked.
    pub(crate) fn request(&self) -> Request {
        Request::NetworkCreate {
            network: self.name.clone(),
            information_domain: self.information_domain.clone(),
            way_out: match self.forward {
                ForwardWord::None => WayOut::Nowhere,
                ForwardWord::Nat => WayOut::Nat,
            },
            ports: if self.open_ports { Ports::Open } else { Ports::Isolated },
            mode: self.change.mode(),
        }
    }
}
