# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# Sourced by the other scripts: makes sure that what they need is there.

# The program, once it is built.
bin=target/x86_64-unknown-linux-gnu/release/unmapbench

# need COMMAND PACKAGE: installs the Debian package if the command is missing
# and we may, else names exactly what to install.
need() {
    command -v "$1" >/dev/null && return
    if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
        echo "installing $2 (for $1)" >&2
        apt-get install -y --no-install-recommends "$2" >/dev/null ||
            { apt-get update >/dev/null && apt-get install -y --no-install-recommends "$2" >/dev/null; }
    fi
    command -v "$1" >/dev/null && return
    echo "$0: $1 is missing: install Debian's package $2 (as root: apt-get install $2)" >&2
    exit 2
}

# need_rust: cargo of the version that Cargo.toml asks for.
need_rust() {
    local wanted have
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    if ! command -v cargo >/dev/null; then
        echo "$0: cargo is missing: install Rust $wanted or later by rustup" >&2
        exit 2
    fi
    have=$(cargo --version | cut -d' ' -f2)
    if [[ $(printf '%s\n' "$wanted" "$have" | sort -V | head -1) != "$wanted" ]]; then
        echo "$0: this is cargo $have, and Rust $wanted or later is needed: rustup update" >&2
        exit 2
    fi
}

# lab_or_reason: everything that the lab takes. A lab that cannot be built or run is
# left out, with its reason.
lab_or_reason() {
    (need qemu-system-x86_64 qemu-system-x86 && need busybox busybox-static) && "$bin" lab build ||
        echo "$0: the lab is left out" >&2
}

# huge_pages_for_memfd: memfd-thp needs huge pages for shared memory, which are
# off by default. As root, they are allowed on request (advise) until the end of
# the script; otherwise memfd-thp is a missing row that names the remedy.
huge_pages_for_memfd() {
    local knob=/sys/kernel/mm/transparent_hugepage/shmem_enabled
    if [[ -w $knob && $(<"$knob") == *"[never]"* ]]; then
        echo "allowing huge pages for memfd on request until the end ($knob: never -> advise)" >&2
        echo advise >"$knob"
        # shellcheck disable=SC2064
        trap "echo never >$knob" EXIT
    fi
}
