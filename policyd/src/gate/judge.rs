// SPDX-License-Identifier: Apache-2.0
//! What a call needs that its name alone does not tell: judged by its arguments and by what they change.

pub mod media;
