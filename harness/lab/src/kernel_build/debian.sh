#!/bin/bash
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Debian's packages, by an apt with a state of its own: the machine's mirrors, keys and proxies, other
# suites. Nothing of the machine's own package lists is touched, and no root is needed.
#
#   debian.sh ETC STATE SUITES offers PATTERN FILE         "package version" of each package, newest first
#   debian.sh ETC STATE SUITES source PACKAGE VERSION TAR  the tarball in a linux-source package
#   debian.sh ETC STATE SUITES unpack SUITE PACKAGE DIR    a package and what it needs and is not installed
#
# ETC is apt's configuration. A line that begins with "E: " says why it failed.
set -euo pipefail
export LC_ALL=C
etc=$1 state=$2 suites=$3 command=$4 failed=
shift 4
# A third party's archive has other suites than these, the security archive has no backports.
debian='(oldoldstable|oldstable|stable|testing|unstable|sid|buster|bullseye|bookworm|trixie|forky|duke)'
debian+='(-updates|-backports)?'

die() { echo "E: $1" && exit 1; }
own() { "$1" -c "$state/apt.conf" "${@:2}"; }

# The Debian mirrors of FILE with our suites, one-line style (sources.list(5)).
one_line() {
    local suite blank='[[:space:]]'
    for suite in $suites; do
        sed -nE "/cdrom:/d; s/#.*//
            s/^$blank*deb($blank*\[([^]]*)\])?$blank+([^[:space:]]+:[^[:space:]]+)$blank+$debian$blank(.*$blank)?main($blank.*)?\$/deb [\2 arch=amd64 target=Packages] \3 $suite main/p" "$1"
    done
}
# The same, deb822 style. Values may go on over lines that begin with a blank.
deb822() {
    awk -v RS= -v suites="$suites" -v debian="$debian" '{
        flat = "\n" tolower($0) "\n"
        gsub(/\n#[^\n]*/, "", flat); gsub(/\n[ \t]+/, " ", flat); gsub(/:[ \t]*/, ": ", flat)
        if (flat !~ /\ntypes:[^\n]* deb[ \n]/ || flat !~ /\ncomponents:[^\n]* main[ \n]/) next
        if (flat !~ ("\nsuites:[^\n]* " debian "[ \n]")) next
        if (flat ~ /\nenabled: (no|false|0)[ \n]/ || flat ~ /\nuris:[^\n]* cdrom:/) next
        n = split($0, lines, "\n")
        for (i = 1; i <= n; i++) {
            if (lines[i] ~ /^#/) continue
            if (lines[i] ~ /^[^ \t]/) keep = tolower(lines[i]) ~ /^(uris|signed-by|trusted):/
            if (keep) print lines[i]
        }
        print "Types: deb\nSuites: " suites "\nComponents: main\nArchitectures: amd64\nTargets: Packages\n"
    }' "$1"
}

set_up() {
    local file key trusted=
    rm -rf "$state/sources"
    mkdir -p "$state"/{state/lists/partial,cache/archives/partial,sources}
    for file in "$etc"/sources.list "$etc"/sources.list.d/*; do
        case $file in
        *.list) [ ! -f "$file" ] || one_line "$file" >>"$state/sources/lab.list" ;;
        *.sources) deb822 "$file" >>"$state/sources/lab.sources" ;;
        esac
    done
    [ -n "$(find "$state/sources" -type f -size +0)" ] || die "apt's configuration has no Debian mirror"
    # Who signs Debian, where an entry does not say it; the name changed once.
    for key in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do [ ! -f "$key" ] || trusted=$key; done
    : >"$state/state/status"
    # On top of the machine's own, which knows of proxies. Its hooks are its own business, and the
    # sandbox user could not write here.
    cat >"$state/apt.conf" <<END
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::State "$state/state"; Dir::State::status "$state/state/status"; Dir::Cache "$state/cache";
Dir::Etc::sourcelist "/dev/null"; Dir::Etc::sourceparts "$state/sources"; Dir::Etc::trusted "$trusted";
Dir::Etc::preferences "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "root"; APT::Update::Error-Mode "any"; Acquire::Languages "none"; Acquire::Retries "3";
END
    # One mirror of several may lack the suite; what is missing then shows by its absence.
    own apt-get update || failed=yes
}

case $command in
offers)
    set_up
    # madison lists a package's newest version first.
    own apt-cache search --names-only "$1" | cut -d' ' -f1 | xargs -r apt-cache -c "$state/apt.conf" madison |
        awk '!seen[$1]++ { print $1, $3 }' | sort -rV >"$2"
    [ -s "$2" ] || [ -z "$failed" ] || die "the mirrors cannot be asked for $suites"
    ;;
source)
    mkdir -p "$state/fetch" && cd "$state/fetch"
    own apt-get download "$1=$2"
    dpkg-deb -x "$1"_*.deb .
    mv usr/src/*.tar.xz "$3"
    rm -rf "$state/fetch"
    ;;
unpack)
    set_up
    rm -f "$state"/cache/archives/*.deb
    # Nothing of the machine's own is touched that a lock would guard.
    own apt-get install --download-only --yes --no-install-recommends --target-release "$1" \
        -o Debug::NoLocking=1 -o Dir::State::status=/var/lib/dpkg/status "$2"
    for file in "$state"/cache/archives/*.deb; do dpkg-deb -x "$file" "$3"; done
    ;;
esac
