// SPDX-License-Identifier: Apache-2.0
//! What parses as a frame is written back as the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use virtwarden_core::rpc::frame::Frame;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(frame) = Frame::parse(bytes) {
        assert_eq!(frame.encode().as_deref(), Ok(bytes));
    }
});
