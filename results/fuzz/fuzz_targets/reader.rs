// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A record made of the fuzzer's bytes. On a stable toolchain, without sanitizers:
//! `cargo fuzz run reader -s none` in `results`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    results::store::exercise(input);
});
