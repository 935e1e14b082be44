#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# mkinit.sh HDR_DIR OUT.cpio.gz: build ktest and pack it as the initramfs of a lab machine.
# HDR_DIR is the INSTALL_HDR_PATH of the patched kernel's "make headers_install".
set -e
here=$(dirname "$0"); dir=$(mktemp -d)
gcc -O2 -Wall -static -pthread -I "$1/include" -o "$dir/init" "$here/ktest.c"
mkdir "$dir/dev"; mknod "$dir/dev/console" c 5 1 2>/dev/null || true
out=$(realpath "$2")
(cd "$dir"; find . | cpio -o -H newc --quiet | gzip -1) > "$out"
rm -r "$dir"
