// SPDX-License-Identifier: Apache-2.0
//! A host of files: what is plugged in, mounted, and in which VM.

mod finding;
mod judging;
mod keeping;
mod own;
pub(crate) mod tree;
mod vital;
