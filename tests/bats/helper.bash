# shellcheck shell=bash
# helper.bash: what all bats files share.  `load helper` comes first in each;
# the environment is that of tests/env.sh.
bats_require_minimum_version 1.5.0

: "${SRCDIR:?run the tests with make check}" "${BUILDDIR:?}"

# Each test works in a folder of its own.  A file with a setup() of its own
# calls this first.
ai_setup() {
	cd "$BATS_TEST_TMPDIR" || return
	XDG_STATE_HOME=$PWD/state
	export XDG_STATE_HOME
}

setup() {
	ai_setup
}

# What a test prints when it fails: what ran, how it ended, what it said.
ai_show() {
	printf 'status: %s\n' "${status-}"
	printf 'stdout:\n%s\n' "${output-}"
	[ -z "${stderr-}" ] || printf 'stderr:\n%s\n' "$stderr"
}

# assert COMMAND...: fails with the last run's context.
assert() {
	"$@" && return
	printf 'failed: %s\n' "$*"
	ai_show
	return 1
}

# assert_eq GOT WANTED
assert_eq() {
	[ "$1" = "$2" ] && return
	printf 'got:    %s\nwanted: %s\n' "$1" "$2"
	ai_show
	return 1
}

# refute_eq GOT UNWANTED
refute_eq() {
	[ "$1" != "$2" ] && return
	printf "unwanted: %s\n" "$1"
	ai_show
	return 1
}

# assert_has TEXT PART: PART occurs in TEXT, as it is.
assert_has() {
	case $1 in *"$2"*) return 0 ;; esac
	printf 'no "%s" in:\n%s\n' "$2" "$1"
	return 1
}

# refute_has TEXT PART
refute_has() {
	case $1 in *"$2"*) ;; *) return ;; esac
	printf '"%s" in:\n%s\n' "$2" "$1"
	return 1
}

# assert_status N: of the last run.
assert_status() {
	[ "$status" -eq "$1" ] && return
	printf 'wanted status %s\n' "$1"
	ai_show
	return 1
}

# A pipeline in bash with pipefail; its status and stdout as run has them.
run_sh() {
	run --separate-stderr bash -o pipefail -c "$@"
}

# missing WHY: skips, but fails where everything must be there (CI).
missing() {
	if [ "${AI_REQUIRE_SHARED-}" = 1 ]; then
		printf 'missing: %s\n' "$*"
		return 1
	fi
	skip "$*"
}

# need COMMAND...: the test needs these commands.
need() {
	local c
	for c; do
		command -v "$c" >/dev/null || missing "$c is not installed"
	done
}

# need_shared PATH: the test needs this file or folder below AI_SHARED.
need_shared() {
	[ -e "$AI_SHARED/$1" ] || missing "no $1 in ${AI_SHARED}"
}

# need_peer PACKAGE: the test needs this npm package in tests/peer.
need_peer() {
	need node
	[ -d "${AI_TEST_PEER:-$SRCDIR/tests/peer}/node_modules/$1" ] ||
		missing "npm package $1 is not installed in tests/peer"
}

# Timing, memory and preloading mean nothing under a sanitizer.
not_sanitized() {
	[ -z "${AI_SANITIZED-}" ] || skip "means nothing under a sanitizer"
}

# The programs of this build, one a line.
programs() {
	local p
	for p in "$BUILDDIR"/bin/ai-*; do
		[ -x "$p" ] && printf '%s\n' "${p##*/}"
	done
}

# The command lines that turn records into records, one or two a program.
# ai-search needs an index: see make_index.
filters() {
	local p
	echo ai-pass
	echo ai-pass -j 3
	for p in $(programs); do
		case $p in
		ai-chunk | ai-tokens) echo "$p" && echo "$p -j 3" ;;
		ai-embed) echo "$p" ;;
		ai-guard) echo "$p" && echo "$p -j 3" ;;
		ai-search) echo "$p -i idx" ;;
		ai-complete) echo "$p -m local/extract" ;;
		esac
	done
}

# A small index in idx, if the programs for it are built.
make_index() {
	[ -x "$BUILDDIR/bin/ai-search" ] || return 0
	records 5 | ai-search add -i idx -m local/hash
}

# N records that every filter can work on: text, query and hits.
records() {
	seq "$1" | sed 's/.*/{"id":"&","query":"the fox","text":"the quick brown fox number & jumps","hits":[{"rank":1,"id":"a","text":"The fox jumps.","score":1,"confidence":0.9}]}/'
}

# each CODE: runs CODE for every filter in $f, and says for which it failed. (Bash
# turns set -e off within a condition, hence the dance.)
each() {
	local f rc bad=0
	while IFS= read -r f; do
		set +e
		(set -e; eval "$1")
		rc=$?
		set -e
		[ "$rc" -ne 0 ] || continue
		echo "failed: $f"
		bad=1
	done < <(filters)
	[ "$bad" -eq 0 ]
}
