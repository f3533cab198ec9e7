// SPDX-License-Identifier: Apache-2.0
//! libvirt's XML, read strictly: what a definition contains and what changes between two of them.

pub mod change;
mod characters;
pub mod complete;
pub mod definition;
pub mod device;
pub mod element;
mod expansion;
pub mod facts;
mod form;
pub mod host_device;
pub mod ignored;
mod limits;
mod link;
mod media;
pub mod metadata;
#[cfg(test)]
mod mutations;
pub mod needs;
pub mod network;
pub mod nic;
mod normal;
mod parser;
mod paths;
mod pci;
pub mod place;
pub mod plug;
pub mod problem;
pub mod reach;
pub mod redirection;
pub mod reference;
mod section;
pub mod snapshot;
pub mod storage;
pub mod strict;
mod tag;
pub mod template;
pub mod uses;
pub mod vocabulary;
pub mod write;
