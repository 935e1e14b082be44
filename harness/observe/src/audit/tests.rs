// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Readers made of closures for every judgement; then the real ones on ordinary
//! memory, which no reader may call hidden.

use super::*;

const A: [u8; SECRET] = [0xa5; SECRET];
const B: [u8; SECRET] = [0x5a; SECRET];

fn pages() -> Pages {
    Pages {
        address: PAGE,
        secret: A,
        ordinary: 0,
        control: B,
    }
}

#[test]
fn a_reader_is_believed_after_its_control() {
    fn check(control: Attempt, attempt: Attempt, verdict: Verdict, seen: &str) {
        let read = |page| match page {
            0 => control.clone(),
            _ => attempt.clone(),
        };
        let finding = pages().finding(Reader::DirectMap, read);
        assert_eq!(finding.verdict, verdict, "{finding:?}");
        assert!(finding.seen.contains(seen), "{finding:?}");
    }
    use Attempt::{Bytes, Refused, Unable};
    use Verdict::{Hidden, Readable, Unknown};
    let (unable, refused) = (Unable("no file".into()), Refused("EFAULT".into()));
    check(Bytes(B), Bytes(A), Readable, "the secret");
    check(Bytes(B), Bytes([0; SECRET]), Hidden, "zeroes");
    check(Bytes(B), Bytes(B), Hidden, "other bytes");
    check(Bytes(B), refused.clone(), Hidden, "EFAULT");
    check(Bytes(B), unable.clone(), Unknown, "no file");
    // A blind reader that "finds" the secret has proved nothing either.
    for attempt in [Bytes(A), Bytes([0; SECRET]), refused.clone()] {
        check(unable.clone(), attempt.clone(), Unknown, "no file");
        let blind = "control page not found through /proc/kcore: ";
        check(refused.clone(), attempt.clone(), Unknown, blind);
        check(Bytes(A), attempt.clone(), Unknown, blind);
        check(Bytes([0; SECRET]), attempt, Unknown, "zeroes");
    }
}

#[test]
fn a_page_without_the_secret_is_not_examined() {
    #[track_caller]
    fn check(address: *mut u8, reason: &str) {
        let findings = examine(address, &A);
        assert_eq!(findings.len(), 3);
        for finding in findings {
            assert_eq!(finding.verdict, Verdict::Unknown);
            assert!(finding.seen.contains(reason), "{finding:?}");
        }
    }
    let mut page = Page::zeroed();
    let address = page.0.as_mut_ptr();
    check(address, "not in the page");
    check(address.wrapping_add(1), "not that of a page");
    check(
        std::ptr::null_mut(),
        "not readable by its owner: Bad address",
    );
}

/// On any machine: what can be tried finds ordinary memory readable, what cannot
/// says why. The outcome is printed, so that a run shows what it did not check.
#[test]
fn ordinary_memory_is_never_called_hidden() {
    let mut page = Page::zeroed();
    page.0[..SECRET].copy_from_slice(&A);
    for finding in examine(page.0.as_mut_ptr(), &A) {
        let Finding {
            reader,
            verdict,
            seen,
        } = finding;
        match verdict {
            Verdict::Readable => assert_eq!(seen, "the secret"),
            Verdict::Unknown => eprintln!("skipped: {reader:?}: {seen}"),
            Verdict::Hidden => panic!("{reader:?}: {seen}"),
        }
    }
}
