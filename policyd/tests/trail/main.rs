// SPDX-License-Identifier: Apache-2.0
//! The audit trail on real files: what is recorded, what is found, and what survives.

mod ordinary;
mod scene;
