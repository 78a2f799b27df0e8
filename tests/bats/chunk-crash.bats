#!/usr/bin/env bats
# ai-chunk --state, killed with SIGKILL at any moment, and with calls that fail
# and readers that go: a tree changes at random, and after each run that ended
# well a reader of all that came knows what stands in it.
# make check-long (AI_TEST_LONG=1) goes on for longer.
load helper

# histories MODE ROUNDS SEED [OPTION...]
histories() {
	local rounds=$2
	need_peer ajv # npm packages are installed: so is node
	[ -z "${AI_TEST_LONG-}" ] || rounds=$((rounds * 20))
	[ -z "${AI_SANITIZED-}" ] || rounds=$((rounds / 3))
	SHIM=$PWD/shim.so run node "$SRCDIR/tests/stub/chunk-crash.mjs" "$1" \
		"$rounds" "$3" "${@:4}"
	assert_status 0
	echo "# $output" >&3
}

# faults HOW ROUNDS SEED [OPTION...]
faults() {
	not_sanitized
	cp "$BUILDDIR/tests/fault/shim.so" shim.so
	histories "$@"
}

@test "killed at any moment" {
	histories kill 60 1
}

@test "killed at any moment, with threads and near copies" {
	histories kill 50 2 -j 3 --dedup 0.9
}

@test "a reader that goes" {
	histories pipe 40 3
}

@test "killed before each write" {
	faults write:KILL 60 4
}

@test "killed before each sync, with near copies" {
	faults fsync:KILL 30 5 --dedup 0.9
}

@test "killed before each open" {
	faults open:KILL 80 6
}

@test "a full disk" {
	faults write:ENOSPC 40 7
}

@test "no memory" {
	faults malloc:ENOMEM 150 8 --dedup 0.9
}

@test "failing reads and opens" {
	faults read:EIO 30 9
	rm -rf d s fifo
	faults open:EMFILE 60 10
}
