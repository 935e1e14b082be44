// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A driver made of the fuzzer's bytes, against the virtio devices. On a stable
//! toolchain, without sanitizers: `cargo fuzz run device -s none` in `harness/vmm`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    vmm::virtio::exercise(input);
});
