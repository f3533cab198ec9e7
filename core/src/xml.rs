// SPDX-License-Identifier: Apache-2.0
//! libvirt's XML, read strictly: what a definition contains and what changes between two of them.

pub mod change;
mod characters;
pub mod definition;
pub mod element;
pub mod facts;
mod parser;
pub mod place;
pub mod problem;
pub mod strict;
mod tag;
pub mod vocabulary;
pub mod write;
