// SPDX-License-Identifier: Apache-2.0
//! What decodes as the arguments of a call is written back as the same bytes, so that libvirtd cannot
//! read them differently.
#![no_main]

use libfuzzer_sys::fuzz_target;
use virtwarden_core::rpc::arguments::Arguments;
use virtwarden_core::rpc::procedure;

const REMOTE: u32 = 0x2000_8086;
const QEMU: u32 = 0x2000_8087;

fuzz_target!(|input: (bool, u16, &[u8])| {
    let (remote, number, bytes) = input;
    let program = if remote { REMOTE } else { QEMU };
    let Some(procedure) = procedure::find(program, u32::from(number)) else { return };
    if let Ok(arguments) = Arguments::decode(procedure, bytes) {
        assert_eq!(arguments.encode().as_deref(), Ok(bytes));
        let _rights = procedure.rights(&arguments);
    }
});
