#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# checkcfg.sh .config fragment...: did every requested option stick (the last fragment wins)?
C=$1; shift
cat "$@" | grep '^CONFIG_' | awk -F= '{v[$1]=$0} END{for(k in v) print v[k]}' | while IFS= read -r l; do k=${l%%=*}
case $l in *=n) grep -q "^$k=" $C && echo "stuck on: $l ($(grep ^$k= $C))";; *) grep -qxF "$l" $C || echo "missing: $l ($(grep -w $k $C))";; esac; done
