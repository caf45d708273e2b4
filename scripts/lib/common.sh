# What every shell script here shares: where things are, how to speak, how to show progress.
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # the sourcing scripts use what is set here

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$root/build
tree=${KTREE_DIR:-$build/linux}
patches=$root/kernel-patches

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# die MESSAGE: one line that names the cause and the remedy.
die() {
	say "$*"
	exit 1
}

# usage: print the block of comments that follows the first line of the calling script.
usage() { sed -n '2,/^$/{/SPDX/d;s/^# \{0,1\}//p}' "$0"; }

# watched LOG LABEL PATTERN COMMAND...: run COMMAND into LOG and say every few seconds how many lines match PATTERN.
watched() {
	local log=$1 label=$2 pattern=$3 pid started=$SECONDS
	shift 3
	say "$label, log in ${log#"$root"/}"
	"$@" >"$log" 2>&1 &
	pid=$!
	trap 'kill "$pid" 2>/dev/null || true' INT TERM
	while kill -0 "$pid" 2>/dev/null; do
		sleep 1
		(((SECONDS - started) % 10)) ||
			say "$label: $(grep -cE "$pattern" "$log" || true) steps, $((SECONDS - started)) s"
	done
	trap - INT TERM
	if ! wait "$pid"; then
		grep -E 'error|Error|\*\*\*' "$log" | head -20 >&2 || tail -5 "$log" >&2
		die "$label failed: see $log"
	fi
	say "$label: done in $((SECONDS - started)) s"
}
