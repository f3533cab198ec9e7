// SPDX-License-Identifier: Apache-2.0
//! Removable devices and media, and which information domain may have which: FPT_RDM_EXT.1, rows 10 and 21.
//!
//! Words: a *medium* is whatever can be taken out of one place and put into another, be it a stick, a disc, a card,
//! a USB device or an image file. A *party* is who can have it: an information domain, a VM that is in none, the host.

pub mod library;
pub mod medium;
pub mod rule;
pub mod transfer;

pub use medium::{BlockDevice, Id, Kind, Medium, Source, UsbDevice, UsbInterface};
pub use rule::{Access, Choice, Class, Granted, Pattern, Rule, Rules};
pub use transfer::{Asker, Clearance, Party, Transfer, Verdict};
