// SPDX-License-Identifier: Apache-2.0
//! The policy: roles, what they may do on which objects, and the rules that bind everybody.

pub mod decision;
pub mod request;
