#!/usr/bin/env bats
# A workflow of ai-agent, killed with SIGKILL at any moment, gone on with, and
# killed again: in the end it gives what one gives that nobody killed, and no
# answer that was kept is paid for again.
# make check-long (AI_TEST_LONG=1): 1,000 of them, or as many as fit in
# AI_TEST_SECONDS.
load helper

setup() {
	ai_setup
	need node
	need sqlite3
	not_sanitized
	cp "$BUILDDIR/tests/fault/shim.so" shim.so
	trials=8 seconds=0
	[ -z "${AI_TEST_LONG-}" ] ||
		trials=500 seconds=${AI_TEST_SECONDS:-1800}
	# A kill needs no disk, and a disk makes each of them slow.
	folder=$(mktemp -d /dev/shm/ai-XXXXXX 2>/dev/null) || folder=$PWD
}

teardown() {
	[ "$folder" = "$PWD" ] || rm -rf "$folder"
}

# crash SEED: in a folder of its own.
crash() {
	mkdir "$folder/$1"
	(cd "$folder/$1" && SHIM=$BATS_TEST_TMPDIR/shim.so exec node \
		"$SRCDIR/tests/stub/agent-flow-crash.mjs" "$trials" "$1" \
		"$seconds")
}

@test "a workflow that is killed at any moment ends as one that was not" {
	local seed=${AI_TEST_SEED:-1} first rc=0
	crash "$seed" >one 2>&1 &
	first=$!
	crash "$((seed + 1))" >two 2>&1 || rc=$?
	wait "$first" || rc=$?
	cat one two
	tail -qn 1 one two | sed 's/^/# /' >&3
	assert_eq "$rc" 0
}
