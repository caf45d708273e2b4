# Keeping the kernel tree and kernel-patches/ in step; sourced by scripts/ktree.
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # common.sh sets the directories

# Commits here are steps on the way to patches; only the author of a hook matters, and that is in its patch.
export GIT_COMMITTER_NAME=procshare GIT_COMMITTER_EMAIL=procshare@localhost
anonymous=(-c user.name=procshare -c user.email=procshare@localhost)

ktree_git() { git -C "$tree" "$@"; }
base_commit() { ktree_git rev-list --max-parents=0 HEAD; }
hook_commits() { ktree_git rev-list --reverse "$(base_commit)..HEAD"; }
series() { sed 's/#.*//;/^[[:space:]]*$/d' "$patches/series" 2>/dev/null || true; }
overlay_files() { (cd "$patches/overlay" 2>/dev/null && find . -type f -printf '%P\n' | sort); }
edited_files() { ktree_git diff --name-only HEAD; }

# What the hooks in the tree were made from: when this differs from hooks_now, someone else changed the patches.
applied_record() { echo "$tree/.git/procshare-applied"; }
hooks_now() {
	local name
	for name in $(series); do
		sha256sum <"$patches/hooks/$name"
	done | sha256sum
}

# The source that is installed, as BASE says it; and the one that the tree was made from.
installed_base() { dpkg-query -W -f='${Package} ${Version}' linux-source-6.12; }
used_base() { ktree_git log -1 --format=%s "$(base_commit)"; }

prepare() {
	[[ -d $tree/.git ]] || unpack
	apply_hooks
	link_overlay
}

unpack() {
	local archive=/usr/src/linux-source-6.12.tar.xz fresh=$tree.new
	[[ ! -e $tree ]] || die "$tree is not a tree of mine: move it away or name another with --tree"
	"$root/scripts/lib/deps" linux-source-6.12 xz-utils git
	[[ $(installed_base) == "$(<"$patches/BASE")" ]] ||
		say "the hooks were made for $(<"$patches/BASE"), this is $(installed_base): if one does not apply, install that version"
	say "unpacking $archive into $tree (a minute)"
	rm -rf "$fresh"
	mkdir -p "$fresh"
	tar -xf "$archive" --strip-components=1 -C "$fresh"
	say "committing the base"
	git -C "$fresh" init -q -b procshare
	# The repository is only a way to make patches: speed counts, its size does not.
	git -C "$fresh" config gc.auto 0
	git -C "$fresh" config core.compression 0
	git -C "$fresh" add -f .
	git -C "$fresh" "${anonymous[@]}" commit -q -m "$(installed_base)"
	mv "$fresh" "$tree"
}

apply_hooks() {
	local record name
	record=$(applied_record)
	if [[ ! -e $record ]]; then
		[[ -z $(hook_commits) ]] || {
			say "the tree has commits of its own and no patches were applied to it yet: left alone; scripts/ktree refresh turns them into hooks"
			return
		}
	elif [[ $(<"$record") == "$(hooks_now)" ]]; then
		return
	fi
	[[ -n $(series) ]] || return 0
	[[ -z $(edited_files) ]] ||
		die "the hooks changed but $tree has edits of its own: save them (git -C $tree diff), undo them, prepare again"
	ktree_git reset -q --hard "$(base_commit)"
	for name in $(series); do
		ktree_git am -q --keep-non-patch "$patches/hooks/$name" || {
			ktree_git am --abort
			die "hook $name does not apply to $(used_base), the hooks were made for $(<"$patches/BASE"): install that version and remove $tree"
		}
	done
	hooks_now >"$record"
	say "applied $(series | wc -l) hooks"
}

# Every overlay file is a link in the tree, so that editing either side edits the one source.
link_overlay() {
	local list=$tree/.git/procshare-overlay file
	touch "$list"
	while read -r file; do
		[[ -e $tree/$file || ! -L $tree/$file ]] || rm "$tree/$file"
	done <"$list"
	overlay_files >"$list"
	while read -r file; do
		[[ $tree/$file -ef $patches/overlay/$file ]] || {
			[[ ! -e $tree/$file || -L $tree/$file ]] ||
				die "overlay/$file exists in the base: changes to existing files belong into a hook"
			mkdir -p "$tree/$(dirname "$file")"
			ln -sfn "$(realpath -m --relative-to="$tree/$(dirname "$file")" "$patches/overlay/$file")" "$tree/$file"
		}
	done <"$list"
	# Debian's .gitignore ignores the top level only once it is untracked; name the links to be sure.
	sed 's,^,/,' "$list" >"$tree/.git/info/exclude"
}

# A second work tree: its files keep their times as long as the base stays, so nothing is built twice.
plain() {
	local dir=$tree-plain base
	[[ -d $tree/.git ]] || unpack
	base=$(base_commit)
	[[ ! -e $dir/.git || $(git -C "$dir" rev-parse HEAD 2>/dev/null) != "$base" ]] || return 0
	say "checking the unpatched source out into $dir"
	rm -rf "$dir"
	ktree_git worktree prune
	ktree_git worktree add -q --detach "$dir" "$base"
}

status() {
	local file
	ktree_git --no-pager log --oneline --stat "$(base_commit)..HEAD"
	for file in $(edited_files); do
		say "edited: $file (belongs to $(owner_of "$file" | grep . || echo 'no hook yet'))"
	done
}

# owner_of FILE: the last hook commit that touches it.
owner_of() { ktree_git rev-list -1 "$(base_commit)..HEAD" -- "$1"; }

refresh() {
	fold_edits
	[[ -n $(hook_commits) ]] || die "the tree has no hook commits: commit your change in $tree first"
	mkdir -p "$patches/hooks"
	rm -f "$patches"/hooks/*.patch
	ktree_git format-patch -q --zero-commit --no-signature --no-numbered -o "$patches/hooks" \
		"$(base_commit)..HEAD"
	(cd "$patches/hooks" && printf '%s\n' *.patch) >"$patches/series"
	hooks_now >"$(applied_record)"
	say "wrote $(series | wc -l) hooks"
}

# Uncommitted edits go into the hook that last touched the file, as git's autosquash does it.
fold_edits() {
	local file owner orphans=()
	for file in $(edited_files); do
		[[ -n $(owner_of "$file") ]] || orphans+=("$file")
	done
	((${#orphans[@]} == 0)) ||
		die "no hook touches ${orphans[*]}: git -C $tree commit -s these first, with a message that says why"
	[[ -n $(edited_files) ]] || return 0
	local before
	before=$(ktree_git rev-parse HEAD)
	for file in $(edited_files); do
		owner=$(ktree_git rev-list -1 "$(base_commit)..$before" -- "$file")
		ktree_git "${anonymous[@]}" commit -q --fixup="$owner" -- "$file"
	done
	squash
}

# The rebase happens in a second, empty work tree: the files here keep their times, so nothing is rebuilt for it.
squash() {
	local side=$tree/.git/procshare-squash
	rm -rf "$side"
	ktree_git worktree prune
	ktree_git worktree add -q --no-checkout --detach "$side" HEAD
	git -C "$side" sparse-checkout set --no-cone /COPYING
	git -C "$side" read-tree -mu HEAD
	GIT_SEQUENCE_EDITOR=true git -C "$side" rebase -q -i --autosquash "$(base_commit)" ||
		die "folding conflicts: look at git -C $side status; the edits are safe as fixup commits in $tree"
	ktree_git reset -q --soft "$(git -C "$side" rev-parse HEAD)"
	ktree_git worktree remove --force "$side"
}

# overlay_onto COMMIT: print the tree object that has the overlay's files added to those of COMMIT.
overlay_onto() {
	local index file
	index=$(mktemp -u)
	GIT_INDEX_FILE=$index ktree_git read-tree "$1"
	while read -r file; do
		printf '%s %s\t%s\n' "$(overlay_mode "$file")" "$(ktree_git hash-object -w "$patches/overlay/$file")" "$file"
	done < <(overlay_files) | GIT_INDEX_FILE=$index ktree_git update-index --add --index-info
	GIT_INDEX_FILE=$index ktree_git write-tree
	rm -f "$index"
}

overlay_mode() { [[ -x $patches/overlay/$1 ]] && echo 100755 || echo 100644; }

# The overlay comes first: nothing builds it until the last hook does, so every step of the series compiles.
export_series() {
	local out commit tip author
	out=$(realpath -m "$1")
	author=$(git -C "$root" config user.name) || die "git needs to know you: git config --global user.name NAME"
	tip=$(ktree_git commit-tree "$(overlay_onto "$(base_commit)")" -p "$(base_commit)" -F - <<-MESSAGE
		procshare: share one process between machines

		The subsystem, its documentation and its tests; the hooks that follow connect it.

		Signed-off-by: $author <$(git -C "$root" config user.email)>
	MESSAGE
	)
	for commit in $(hook_commits); do
		tip=$(ktree_git log -1 --format=%B "$commit" |
			ktree_git commit-tree "$(overlay_onto "$commit")" -p "$tip" -F -)
	done
	ktree_git format-patch -q --no-signature -o "$out" "$(base_commit)..$tip"
	say "wrote $(find "$out" -name '*.patch' | wc -l) patches into $out"
}
