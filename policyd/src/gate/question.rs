// SPDX-License-Identifier: Apache-2.0
//! The numbers of procedures that more than one part of the gate asks.

pub(super) const DOMAIN_DEFINE_XML: u32 = 11;
pub(super) const DOMAIN_GET_XML_DESC: u32 = 14;
pub(super) const DOMAIN_LOOKUP_BY_NAME: u32 = 23;
pub(super) const DOMAIN_LOOKUP_BY_UUID: u32 = 24;
pub(super) const NETWORK_LOOKUP_BY_UUID: u32 = 47;
pub(super) const STORAGE_POOL_LOOKUP_BY_UUID: u32 = 85;
pub(super) const INTERFACE_LOOKUP_BY_NAME: u32 = 128;
pub(super) const NWFILTER_LOOKUP_BY_UUID: u32 = 176;
