// SPDX-License-Identifier: Apache-2.0
//! What the stories share: a host to play on, a scene to play in, and attempts that are looked at
//! from three sides (what the person was told, what changed, what was recorded).

pub mod attempt;
pub mod guessing;
pub mod host;
pub mod narrator;
pub mod raw;
pub mod repertoire;
pub mod scene;
pub mod seat;
pub mod setting;
pub mod shell;
pub mod small_store;
pub mod tls;
pub mod trail;
