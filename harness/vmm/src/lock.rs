// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Locks of what threads share.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `shared`. A thread that panicked with the lock held leaves a device or a bus as
/// usable as before: each of its steps is whole.
#[inline]
pub fn lock<T: ?Sized>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
