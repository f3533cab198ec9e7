// SPDX-License-Identifier: Apache-2.0
//! What decodes as a control message means the same after it was written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use virtwarden_core::control::{Request, decode, encode};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = decode::<Request>(bytes) {
        let written = encode(&request).expect("what fitted once fits again");
        assert_eq!(decode::<Request>(&written).expect("what we write, we read"), request);
    }
});
