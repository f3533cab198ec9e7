// SPDX-License-Identifier: Apache-2.0
//! libvirt's XML, read strictly: what a definition contains and what changes between two of them.

pub mod facts;
