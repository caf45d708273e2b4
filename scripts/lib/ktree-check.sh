# Whether the patches are fit to be read by kernel people; sourced by scripts/ktree.
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # common.sh sets the directories

max_changed_lines=80

check() {
	local failed=0
	check_overlay || failed=1
	check_hooks || failed=1
	check_size || failed=1
	check_applies || failed=1
	((failed == 0)) || exit 1
}

# What checkpatch is not asked about:
#   UNCOMMENTED_DEFINITION   kernel-doc says what a lock protects; "spinlock_t *ptl" is the kernel's usual local
#   ENOSYS                   said where a system call is executed, as in the entry code
#   STATIC_CONST_CHAR_ARRAY  call_usermodehelper() takes char **
ignored=FILE_PATH_CHANGES,SPDX_LICENSE_TAG,UNCOMMENTED_DEFINITION,ENOSYS,STATIC_CONST_CHAR_ARRAY
#   the others               what every header in include/trace/events looks like
ignored_events=$ignored,COMPLEX_MACRO,MACRO_ARG_UNUSED,TRAILING_SEMICOLON,PARENTHESIS_ALIGNMENT,OPEN_ENDED_LINE
#   BIT_MACRO                flags next to existing ones are written as those are
ignored_hooks=FILE_PATH_CHANGES,BIT_MACRO

checkpatch() { perl "$tree/scripts/checkpatch.pl" --strict --terse --no-summary --root="$tree" "$@"; }

# MAINTAINERS cannot list an overlay, and nobody writes what YNL generates.
check_overlay() {
	local all files events
	all=$(overlay_files | grep -E '\.([chS]|sh|rst|yaml)$|/(Kconfig|Makefile)$' | grep -v '_gen\.[ch]$')
	mapfile -t files < <(grep -v ^include/trace/events/ <<<"$all")
	mapfile -t events < <(grep ^include/trace/events/ <<<"$all")
	(cd "$patches/overlay" && checkpatch --ignore "$ignored" -f "${files[@]}" &&
		checkpatch --ignore "$ignored_events" -f "${events[@]}") ||
		{ say "overlay: checkpatch complains"; return 1; }
	say "overlay: $((${#files[@]} + ${#events[@]})) files clean"
}

check_hooks() {
	local name failed=0
	for name in $(series); do
		checkpatch --ignore "$ignored_hooks" "$patches/hooks/$name" || failed=1
	done
	((failed == 0)) || { say "hooks: checkpatch complains"; return 1; }
	say "hooks: $(series | wc -l) patches clean"
}

check_size() {
	local lines
	lines=$(cat "$patches"/hooks/*.patch 2>/dev/null | grep -cE '^(\+|-)([^+-]|$)' || true)
	((lines < max_changed_lines)) || { say "hooks: $lines changed lines, at most $max_changed_lines allowed"; return 1; }
	say "hooks: $lines changed lines in existing files (limit $max_changed_lines)"
}

# Applied to an index of the base alone, so that the work tree plays no part.
check_applies() {
	local index name
	index=$(mktemp -u)
	GIT_INDEX_FILE=$index ktree_git read-tree "$(base_commit)"
	for name in $(series); do
		GIT_INDEX_FILE=$index ktree_git apply --cached "$patches/hooks/$name" || {
			rm -f "$index"
			say "series: $name does not apply"
			return 1
		}
	done
	rm -f "$index"
	say "series: applies to $(used_base), made for $(<"$patches/BASE")"
}
