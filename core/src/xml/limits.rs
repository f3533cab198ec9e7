// SPDX-License-Identifier: Apache-2.0
//! How much XML is read at most: what is larger is refused before it costs anything.

/// Longest document in bytes: libvirt's own bound for a string in a call.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Deepest nesting. A backing chain nests once for each file; libvirt's own bound is 256.
pub const MAX_DEPTH: usize = 128;
/// Most attributes of one element, declarations of namespaces included.
pub const MAX_ATTRIBUTES: usize = 64;
/// Most namespaces declared around any element.
pub const MAX_NAMESPACES: usize = 64;
/// Most elements and pieces of text in a document.
pub const MAX_NODES: usize = 100_000;
