#!/bin/sh
# Makes a repository, packs it with several threads, and looks through it with several threads.
# SPDX-License-Identifier: GPL-2.0-only
# Usage: repository.sh DIRECTORY     prints the same every time

set -e
cd "$1"
export HOME="$1" GIT_CONFIG_NOSYSTEM=1
git init --quiet --bare repository
cd repository
awk 'BEGIN {
	for (commit = 1; commit <= 30; commit++) {
		print "commit refs/heads/main"
		print "committer Tester <tester@example.org> " 1000000000 + commit " +0000"
		print "data 7\nchange "
		for (file = 0; file < 3; file++) {
			text = ""
			for (line = 0; line < 60; line++)
				text = text (line * 7919 * (file + 1) + (line % 40 == commit % 40 ? commit : 0)) " is a line of " file "\n"
			print "M 644 inline file" (file * 7 + commit) % 20 "\ndata " length(text) "\n" text
		}
	}
}' | git fast-import --quiet
git config pack.threads 3
git repack -a -d -f --quiet --window=20 --depth=20
git cat-file --batch --batch-all-objects | md5sum
git fsck --full --strict --no-progress
git -c gc.auto=0 gc --quiet --prune=now
git index-pack --threads=3 --strict -o "$1/again.idx" objects/pack/*.pack >"$1/name"
cmp "$1/again.idx" objects/pack/*.idx && git count-objects -v | grep -E '^(count|in-pack|packs|garbage)'
