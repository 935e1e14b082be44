// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The command page: the host writes a request, the guest its reply.

/// How many words of the command page are in use.
pub const WORDS: usize = 64;

/// Longest file name of a panic report, bytes.
const FILE_BYTES: usize = 64;
/// Longest message of a panic report, bytes.
const TEXT_BYTES: usize = 192;

pub mod word {
    //! The words of the command page, by index.

    /// [`crate::MAGIC`], once the payload runs.
    pub const MAGIC: usize = 0;
    /// [`crate::VERSION`] of the payload.
    pub const VERSION: usize = 1;
    /// [`crate::Op`] of the request.
    pub const OP: usize = 2;
    /// Nine words of [`crate::Args`].
    pub const ARGS: usize = 3;
    /// [`crate::Status`] of the reply.
    pub const STATUS: usize = 12;
    /// The digest over what the guest saw.
    pub const DIGEST: usize = 13;
    /// How many samples the reply left in the sample buffer.
    pub const SAMPLES: usize = 14;
    /// Four results whose meaning the operation gives.
    pub const OUT: usize = 15;
    /// The line of a panic.
    pub const PANIC_LINE: usize = 19;
    /// Lengths of file name and message, 32 bits each.
    pub const PANIC_LENGTHS: usize = 20;
    /// The file name's bytes.
    pub const PANIC_FILE: usize = 21;
    /// The message's bytes.
    pub const PANIC_TEXT: usize = 29;
}

pub mod step {
    //! Where a driver stopped; smaller numbers are steps of setting the device up.

    /// The device asked to be reset, or took longer than it may.
    pub const GAVE_UP: u64 = 9;
    /// The device was done, but its interrupt did not come.
    pub const NO_INTERRUPT: u64 = 10;
}

/// The table of operations: a name, the number that crosses, and the function of the
/// payload that carries it out, as a path from the payload's `ops`, where `arch` has what
/// only one architecture has. `$with` is a macro that
/// is handed all of it. A new operation is a new line here and a function in the payload.
#[macro_export]
macro_rules! for_each_op {
    ($with:ident) => {
        $with! {
            /// Run `count` iterations of a two-instruction loop; one sample: the ticks
            /// for all of them.
            Spin = 1 => spin::spin,
            /// Read `count` values of `width` bytes at `address`, one sample each.
            MmioRead = 2 => access::read,
            /// Write `count` values of `width` bytes of sequence `seed` at `address`, one
            /// sample each.
            MmioWrite = 3 => access::write,
            /// Read `count` 32-bit values from port [`crate::port::DATA`].
            PortRead = 4 => access::port_read,
            /// Read the TSC `batch` times a sample, `count` samples. `out[0]` counts
            /// steps backwards.
            Tsc = 5 => clock::tsc,
            /// Read kvm-clock at `address`, `batch` times a sample, `count` samples.
            /// `out`: first reading, last reading (ns), steps backwards, version field.
            Pvclock = 6 => clock::pvclock,
            /// Write one word to each of `count` pages from `address`, `stride` bytes
            /// apart, in the order that `shuffle` gives; a sample for every `batch`-th
            /// page. `out[0]`: ticks for all.
            Touch = 7 => memory::touch,
            /// Read one word of each of `count` pages from `address`, `stride` bytes
            /// apart, into the digest.
            Sum = 8 => memory::sum,
            /// Never reply: what the watchdog is for.
            Hang = 9 => misbehave::hang,
            /// Panic with a known message: what the panic report is for.
            Panic = 10 => misbehave::panic,
            /// Read port [`crate::port::DATA`] `count` times, each of which makes the host
            /// have KVM rewrite the kvm-clock at `address`; a sample is the time until
            /// the rewritten clock has been read. `out`: first reading, last reading
            /// (ns), reads after which the version was the old one, version field.
            PvclockUpdate = 11 => clock::pvclock_update,
            /// As [`Op::MmioRead`] of 32 bits, by an instruction that begins on one page
            /// and ends on the next.
            MmioReadAcross = 12 => access::read_across,
            /// Read `count` 32-bit values, each at its own virtual page from `address`
            /// on, the page-table entry of which was not present until right before. The
            /// entry of read `i` leads to page `value(seed, i)` of the MMIO window, modulo
            /// their number.
            MmioReadCold = 13 => access::read_cold,
            /// As [`Op::MmioReadCold`], by `movs` to memory.
            MmioCopyCold = 14 => access::copy_cold,
            /// Write the constant `seed`, 32 bits, at `address`, `count` times.
            Notify = 15 => access::notify,
            /// `count` times `rep stos` of `batch` 32-bit values to `address`, the same
            /// value for all of one: sequence `seed`. A sample each.
            MmioFill = 16 => arch::string::fill,
            /// `count` times `rep movs` of `batch` 32-bit values from `address` to memory.
            MmioCopyIn = 17 => arch::string::copy_in,
            /// `count` times `rep movs` of `batch` 32-bit values of sequence `seed` from
            /// memory to `address`.
            MmioCopyOut = 18 => arch::string::copy_out,
            /// `count` times `rep ins` of `batch` 32-bit values from
            /// [`crate::port::DATA`].
            PortIn = 19 => arch::string::port_in,
            /// `count` times `rep outs` of `batch` 32-bit values of sequence `seed` to
            /// [`crate::port::DATA`].
            PortOut = 20 => arch::string::port_out,
            /// As [`Op::MmioRead`] of 32 bits, without the access: the guest decodes the
            /// instruction itself and asks by a write of port [`crate::port::ASK`], with
            /// all that the host needs in registers.
            MmioAsk = 21 => access::ask,
            /// Read port [`crate::port::DATA`] `count` times, each of which makes KVM
            /// rewrite a structure with a 32-bit version field at `address`; a sample is
            /// the time until the version has been read. `out[0]`: reads after which it
            /// was the old one, or odd; `out[1]`: the last version.
            Rewrite = 22 => clock::rewrite,
            /// Read port [`crate::port::TIMER`] `count` times. `out`: first reading, last
            /// reading, steps backwards.
            Timer = 23 => clock::timer,
            /// Drive the virtio-blk device whose registers are at `address`: `count` times
            /// `batch` requests of `stride` bytes at once, reads of a disk that holds
            /// [`crate::pattern`] of `seed` or (`width` 1) writes that make it hold it; a
            /// sample is the time from the first descriptor to the last completion. The
            /// rings lie from `place` on, the data [`crate::layout::BUFFERS`] behind
            /// [`crate::layout::ARENA`]; where `place` is elsewhere it is copied from and to
            /// buffers there. Completion shows by interrupt `vector`, or to one who polls
            /// (0). The digest is how many interrupts came. `out`: requests with another
            /// status than OK, wrong words read, the device's status at the end, and the
            /// [`crate::step`] at which it went wrong (0: at none).
            Block = 24 => virtio::block::drive,
            /// Drive the virtio-net device whose registers are at `address`: `count` times
            /// send `batch` frames of `stride` bytes at once and wait until all came back; the
            /// rest as [`Op::Block`].
            Net = 25 => virtio::net::drive,
            /// Follow `count` times `batch` pointers from `address` on, through `width` places
            /// that lie `stride` bytes apart and follow each other in the order `shuffle`, in
            /// a circle; see [`crate::chase`]. A sample each. `out`: how many of the places a
            /// round passes, and where the last pointer led.
            Chase = 26 => chase::chase,
            /// Execute CPUID with leaf 0x4000_0000 `count` times, a sample each. The digest is
            /// over EBX, ECX and EDX of each.
            Cpuid = 27 => arch::cpuid::cpuid,
            /// Make hypercall `seed` `count` times, a sample each, by VMCALL or (`width` 1) by
            /// VMMCALL. The digest is over the answers.
            Vmcall = 28 => arch::hypercall::vmcall,
            /// Write a byte of sequence `seed` to the interrupt mask of the first PIC and read
            /// it back, `count` times; a sample for each read.
            PicMask = 29 => arch::pic::mask,
        }
    };
}

macro_rules! define {
    ($($(#[$doc:meta])* $name:ident = $number:literal => $($function:ident)::+,)*) => {
        /// What the guest is asked to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u64)]
        pub enum Op {
            $($(#[$doc])* $name = $number,)*
        }

        impl Op {
            /// Every operation.
            pub const ALL: &[Op] = &[$(Op::$name),*];
        }
    };
}

for_each_op!(define);

/// A word that is no [`Op`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownOp(pub u64);

impl TryFrom<u64> for Op {
    type Error = UnknownOp;

    fn try_from(word: u64) -> Result<Self, UnknownOp> {
        Op::ALL
            .iter()
            .copied()
            .find(|op| *op as u64 == word)
            .ok_or(UnknownOp(word))
    }
}

/// The arguments of a request; [`Op`] says which of them it reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Args {
    /// How many times.
    pub count: u64,
    /// Operations per sample.
    pub batch: u64,
    /// A guest-physical address.
    pub address: u64,
    /// Bytes from one access to the next.
    pub stride: u64,
    /// The sequence of values, see [`crate::value`].
    pub seed: u64,
    /// Bytes of one access: 1, 2, 4 or 8.
    pub width: u64,
    /// The seed of the order, see [`crate::Order`]; 0 is ascending.
    pub shuffle: u64,
    /// Where a driver's rings and headers lie.
    pub place: u64,
    /// The interrupt by which a device says that it is done; 0: by none.
    pub vector: u64,
}

/// What the host asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The operation.
    pub op: Op,
    /// Its arguments.
    pub args: Args,
}

impl Request {
    /// The words from [`word::OP`] on.
    pub fn to_words(self) -> [u64; 10] {
        let a = self.args;
        [
            self.op as u64,
            a.count,
            a.batch,
            a.address,
            a.stride,
            a.seed,
            a.width,
            a.shuffle,
            a.place,
            a.vector,
        ]
    }

    /// The inverse of [`Request::to_words`].
    ///
    /// # Errors
    /// [`UnknownOp`] if the first word names no operation.
    pub fn from_words(words: [u64; 10]) -> Result<Self, UnknownOp> {
        let [
            op,
            count,
            batch,
            address,
            stride,
            seed,
            width,
            shuffle,
            place,
            vector,
        ] = words;
        Ok(Request {
            op: Op::try_from(op)?,
            args: Args {
                count,
                batch,
                address,
                stride,
                seed,
                width,
                shuffle,
                place,
                vector,
            },
        })
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Status {
    /// It was carried out.
    Done = 1,
    /// The payload does not know the operation.
    UnknownOp = 2,
    /// The arguments do not fit: more samples than the buffer holds.
    BadArgs = 3,
}

impl Status {
    /// The status a word stands for, if any.
    pub fn from_word(word: u64) -> Option<Self> {
        [Status::Done, Status::UnknownOp, Status::BadArgs]
            .into_iter()
            .find(|s| *s as u64 == word)
    }
}

/// What the guest answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The digest over what the guest saw.
    pub digest: u64,
    /// How many samples are in the sample buffer.
    pub samples: u64,
    /// Results whose meaning the operation gives.
    pub out: [u64; 4],
}

/// Where and why the payload panicked. Its bytes come from the guest and may
/// be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PanicReport {
    line: u64,
    file: Text<FILE_BYTES>,
    text: Text<TEXT_BYTES>,
}

impl PanicReport {
    /// A report; what does not fit is cut off.
    pub fn new(file: &str, line: u32, message: &mut dyn FnMut(&mut dyn core::fmt::Write)) -> Self {
        let mut report = PanicReport {
            line: line.into(),
            file: Text::EMPTY,
            text: Text::EMPTY,
        };
        let _ = core::fmt::Write::write_str(&mut report.file, file);
        message(&mut report.text);
        report
    }

    /// The source file, as far as it is text.
    pub fn file(&self) -> &str {
        self.file.as_str()
    }

    /// The line in it.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The message, as far as it is text.
    pub fn message(&self) -> &str {
        self.text.as_str()
    }

    /// The words from [`word::PANIC_LINE`] on.
    pub fn to_words(&self) -> [u64; WORDS - word::PANIC_LINE] {
        let mut words = [0; WORDS - word::PANIC_LINE];
        words[0] = self.line;
        words[1] = (self.file.len as u64) << 32 | self.text.len as u64;
        let at = |index: usize| index - word::PANIC_LINE;
        pack(&self.file.bytes, &mut words[at(word::PANIC_FILE)..]);
        pack(&self.text.bytes, &mut words[at(word::PANIC_TEXT)..]);
        words
    }

    /// Reads a report from a whole command page.
    pub fn from_page(page: &[u64; WORDS]) -> Self {
        let lengths = page[word::PANIC_LENGTHS];
        PanicReport {
            line: page[word::PANIC_LINE],
            file: Text::unpack(&page[word::PANIC_FILE..], lengths >> 32),
            text: Text::unpack(&page[word::PANIC_TEXT..], lengths & 0xffff_ffff),
        }
    }
}

/// At most `N` bytes of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    const EMPTY: Self = Text {
        bytes: [0; N],
        len: 0,
    };

    fn unpack(words: &[u64], len: u64) -> Self {
        let mut text = Self::EMPTY;
        for (chunk, word) in text.bytes.chunks_mut(8).zip(words) {
            chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
        }
        text.len = (len as usize).min(N);
        text
    }

    fn as_str(&self) -> &str {
        let bytes = &self.bytes[..self.len];
        match core::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(e) => core::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or(""),
        }
    }
}

impl<const N: usize> core::fmt::Write for Text<N> {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        let n = s.len().min(N - self.len);
        self.bytes[self.len..self.len + n].copy_from_slice(&s.as_bytes()[..n]);
        self.len += n;
        Ok(())
    }
}

fn pack(bytes: &[u8], words: &mut [u64]) {
    for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = chunk.iter().rev().fold(0, |w, b| w << 8 | u64::from(*b));
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;

    use super::*;

    #[test]
    fn every_op_survives_the_crossing() {
        for op in Op::ALL {
            let args = Args {
                count: 1,
                batch: 2,
                address: 3,
                stride: 4,
                seed: 5,
                width: 6,
                shuffle: 7,
                place: 8,
                vector: 9,
            };
            let request = Request { op: *op, args };
            assert_eq!(Request::from_words(request.to_words()), Ok(request));
        }
        assert_eq!(Op::try_from(0), Err(UnknownOp(0)));
        assert_eq!(Op::try_from(u64::MAX), Err(UnknownOp(u64::MAX)));
    }

    fn page(report: &PanicReport) -> [u64; WORDS] {
        let mut page = [0; WORDS];
        page[word::PANIC_LINE..].copy_from_slice(&report.to_words());
        page
    }

    #[test]
    fn a_panic_report_survives_the_crossing() {
        let report = PanicReport::new("guest/src/main.rs", 42, &mut |w| {
            let _ = write!(w, "index {} of {}", 3, 2);
        });
        let read = PanicReport::from_page(&page(&report));
        assert_eq!(
            (read.file(), read.line(), read.message()),
            ("guest/src/main.rs", 42, "index 3 of 2")
        );
    }

    /// The guest may claim any length and send any bytes.
    #[test]
    fn a_hostile_report_is_cut_to_what_is_text() {
        let mut hostile = [u64::MAX; WORDS];
        assert_eq!(PanicReport::from_page(&hostile).message(), "");
        hostile[word::PANIC_TEXT..].fill(u64::from_le_bytes(*b"aaaaaaaa"));
        assert_eq!(PanicReport::from_page(&hostile).message().len(), TEXT_BYTES);
        let long = PanicReport::new(&"é".repeat(FILE_BYTES), 1, &mut |_| {});
        assert_eq!(long.file().len(), FILE_BYTES);
    }
}
