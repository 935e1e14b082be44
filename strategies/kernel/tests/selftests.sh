#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs, inside the lab, the KVM selftests beside this script, one line each:
# "begin NAME", then "pass|flaky|skip|FAIL|timeout NAME SECONDS [WHY]". A program that
# fails gets a second chance; if it takes it, it is flaky. One that runs out of
# time gets none: it would take as long again.
#
# selftests.sh LIMIT AFTER [PATTERN]: seconds for one program; the program
# after which to go on (- for all of them); a shell pattern of names.
limit=$1 after=$2 pattern=${3:-*}
cd "$(dirname "$0")" || exit 2
# shellcheck disable=SC3045 # busybox has it
ulimit -l unlimited
sysctl -q -w kernel.hung_task_timeout_secs=0 2>/dev/null

try() {
	timeout -s KILL "$limit" "./$1" </dev/null >/tmp/out 2>&1
	case $? in
	0) result=pass ;;
	4) result=skip ;;
	137) result=timeout ;;
	*) result=FAIL ;;
	esac
}

for name in $(find . -type f -perm -100 ! -name '*.sh' | sed 's|^\./||' | sort); do
	[ "$after" = "$name" ] && after=- && continue
	[ "$after" = - ] || continue
	# shellcheck disable=SC2254
	case $name in $pattern) ;; *) continue ;; esac
	echo "begin $name"
	begun=$(date +%s)
	try "$name"
	case $result in
	timeout) tail -n 15 /tmp/out | cut -c 1-150 | sed 's/^/  | /' ;;
	FAIL)
		tail -n 15 /tmp/out | cut -c 1-150 | sed 's/^/  | /'
		try "$name"
		case $result in pass) result=flaky ;; *) result=FAIL ;; esac
		;;
	esac
	why=
	[ "$result" = skip ] && why=$(tail -n 1 /tmp/out)
	echo "$result $name $(($(date +%s) - begun)) $why"
done
echo "end"
