// SPDX-License-Identifier: Apache-2.0
//! What policyd's control socket speaks: one JSON object per line in each direction.
//!
//! The subject of a request is never in it: policyd takes it from the socket's peer.
