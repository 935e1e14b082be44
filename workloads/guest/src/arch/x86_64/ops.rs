// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Operations that only x86-64 has: string instructions, ports.

// One module for each file in `ops/`, found by the build script.
include!(concat!(env!("OUT_DIR"), "/arch_ops.rs"));
