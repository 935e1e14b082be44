# SPDX-License-Identifier: Apache-2.0 OR MIT
# shellcheck shell=bash
# Sourced by kernel-selftests and kernel-stress: kernels, headers and test
# programs, kept in unmapbench's cache.

# What running kernel tests takes.
kernel_tests_prepare() {
    need cc gcc
    need git git
    need qemu-system-x86_64 qemu-system-x86
    need busybox busybox-static
    need_rust
    cargo build --release --locked --bin unmapbench
}

# built_kernel FIELD [OPTION]...: a field of the kernel that `lab build` makes.
built_kernel() {
    local field=$1
    shift
    # shellcheck disable=SC2154 # prepare.sh knows where it is
    "$bin" lab build --json "$@" | sed -n "s/^ *\"$field\": \"\(.*\)\",\?$/\1/p"
}

# kernel_tree: the unpatched source, with its headers made, in the cache.
kernel_tree() {
    local source tree
    source=$(built_kernel source --stock)
    tree=$(dirname "$(dirname "$source")")/tests/$(basename "$source")
    if [[ ! -e $tree/.made ]]; then
        rm -rf "$tree"
        mkdir -p "$tree"
        echo "unpacking $source for its tests" >&2
        tar -C "$tree" --strip-components=1 -xf "$source"
        make -s -C "$tree" headers >&2
        touch "$tree/.made"
    fi
    echo "$tree"
}

# kvm_selftests: a directory "selftests" of the KVM selftests, linked statically.
kvm_selftests() {
    local tree kvm out
    tree=$(kernel_tree)
    kvm=$tree/tools/testing/selftests/kvm
    out=$tree/selftests
    if [[ ! -e $out/.made ]]; then
        echo "building the KVM selftests" >&2
        make -s -C "$kvm" ARCH=x86 -j"$(nproc)" LDFLAGS="-static -pthread -no-pie" >&2
        rm -rf "$out"
        mkdir -p "$out"
        (cd "$kvm" && find . -maxdepth 2 -type f -perm -100 -exec sh -c \
            'head -c4 "$1" | grep -q ELF && install -sD "$1" "$2/$1"' _ {} "$out" \;)
        touch "$out/.made"
    fi
    install -m 755 strategies/kernel/tests/selftests.sh "$out/"
    echo "$out"
}

# series_tests: a directory "series" of the series' own tests.
series_tests() {
    local tree out
    tree=$(kernel_tree)
    out=$tree/series
    mkdir -p "$out"
    gcc -O2 -Wall -Werror -static -pthread -I "$tree/usr/include" \
        -o "$out/ktest" strategies/kernel/tests/*.c
    echo "$out"
}
