#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# run.sh BZIMAGE SMP "extra cmdline" [qemu args]: boot the lab
K=$1; SMP=$2; EXTRA=$3; shift 3
exec nice -n 19 qemu-system-x86_64 -accel tcg,thread=single -cpu EPYC-v3,+svm,-rdrand,-rdseed,-xsave \
 ${ICOUNT--icount shift=0,sleep=off} -rtc base=2026-01-01T00:00:00,clock=vm -seed 1 -smp $SMP -m ${MEM:-1024} -machine q35 \
 -nodefaults -display none -serial stdio -no-reboot -kernel $K -initrd ${INITRD:-init.cpio.gz} \
 -append "console=ttyS0 norandmaps nokaslr tsc=reliable kvm.tsc_tolerance_ppm=20000 panic=-1 oops=panic quiet loglevel=5 $EXTRA" "$@"
