# A shell's day: pipelines, subshells, background jobs, here-documents, traps and exit statuses.
# SPDX-License-Identifier: GPL-2.0-only

set -o pipefail
directory=$(mktemp -d)
trap 'rm -r "$directory"; echo cleaned' EXIT

seq 1 2000 | awk '{ sum += $1 } END { print "sum", sum }'
seq 200 -1 1 | sort -n | head -3 | tr '\n' ' ' && echo
for i in 1 2 3; do (seq "$i" 50 | md5sum >"$directory/$i") & done
wait
cat "$directory"/[123]
tr a-z A-Z <<<"here"
false | true
echo "status $? and ${PIPESTATUS[*]}"
trap 'echo told' USR1
(kill -USR1 $$)
sleep 1000 &
# Before its exec the child is still this shell, with its traps: it might ignore the signal or obey them.
until read -r name <"/proc/$!/comm" && [ "$name" = sleep ]; do :; done
kill $! && wait $! 2>/dev/null
echo "killed $?"
diff <(echo one) <(echo one) && echo same
exit 0
