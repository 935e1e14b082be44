// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Volatile access to guest memory by address. The VMM and KVM write the same
//! memory, so no access here may be cached or left out by the compiler.

// UNSAFETY: guest memory is reached by its address; there is no other way.
#![expect(unsafe_code)]

use core::ptr::{
    read_volatile, with_exposed_provenance, with_exposed_provenance_mut, write_volatile,
};

/// A range of 64-bit words that this side may read and write.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    base: u64,
    len: u64,
}

impl Words {
    /// The `len` words from `base`.
    ///
    /// # Safety
    /// `base` is 8-byte aligned, and `len` words from it are mapped, readable
    /// and writable, for as long as the value or a copy of it is in use.
    pub const unsafe fn new(base: u64, len: u64) -> Self {
        Words { base, len }
    }

    /// How many words.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Where the first is.
    pub fn address(&self) -> u64 {
        self.base
    }

    /// The 32 bits of half word `index`.
    ///
    /// # Panics
    /// If there is no such half word.
    #[inline(always)]
    pub fn half(&self, index: u64) -> u64 {
        self.get(index / 2) >> (32 * (index % 2)) & 0xffff_ffff
    }

    /// Sets half word `index` to the low 32 bits of `value`.
    ///
    /// # Panics
    /// If there is no such half word.
    #[inline(always)]
    pub fn set_half(&self, index: u64, value: u64) {
        let shift = 32 * (index % 2);
        let kept = self.get(index / 2) & !(0xffff_ffff << shift);
        self.set(index / 2, kept | (value & 0xffff_ffff) << shift);
    }

    /// The 16 bits of quarter word `index`.
    ///
    /// # Panics
    /// If there is no such quarter word.
    #[inline(always)]
    pub fn quarter(&self, index: u64) -> u16 {
        (self.get(index / 4) >> (16 * (index % 4))) as u16
    }

    /// Sets quarter word `index`, and no other byte.
    ///
    /// # Panics
    /// If there is no such quarter word.
    #[inline(always)]
    pub fn set_quarter(&self, index: u64, value: u16) {
        assert!(
            index / 4 < self.len,
            "quarter {index} of {} words",
            self.len
        );
        // SAFETY: in range by the line above, valid by the contract of `new`.
        unsafe {
            write_volatile(
                with_exposed_provenance_mut((self.base + index * 2) as usize),
                value,
            )
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Word `index`.
    ///
    /// # Panics
    /// If there is no such word.
    #[inline(always)]
    pub fn get(&self, index: u64) -> u64 {
        assert!(index < self.len, "word {index} of {}", self.len);
        // SAFETY: in range by the line above, valid by the contract of `new`.
        unsafe { read_volatile(with_exposed_provenance((self.base + index * 8) as usize)) }
    }

    /// Sets word `index`.
    ///
    /// # Panics
    /// If there is no such word.
    #[inline(always)]
    pub fn set(&self, index: u64, value: u64) {
        assert!(index < self.len, "word {index} of {}", self.len);
        // SAFETY: in range by the line above, valid by the contract of `new`.
        unsafe {
            write_volatile(
                with_exposed_provenance_mut((self.base + index * 8) as usize),
                value,
            )
        }
    }
}
