#!/usr/bin/env bats
# Standard input and output in every bad state: full, closed, gone half-way.
load helper

setup() {
	ai_setup
	PATH=$BUILDDIR/tests/stub:$PATH
	records 3000 >in
	head -n 5 in >few
	make_index
}

# Waits up to 5 s for N lines in out.
wait_for() { # N
	local i
	for ((i = 0; i < 100; i++)); do
		[ "$(wc -l <out)" -lt "$1" ] || return 0
		sleep 0.05
	done
	echo "fewer than $1 lines came"
	return 1
}

# $f gets the signal when two records came, its input still open; the exit
# status is left in status.
end_half_way() { # SIGNAL
	mkfifo fifo
	: >out
	# shellcheck disable=SC2086 # a program and its arguments
	timeout 20 env "--default-signal=$1" $f <fifo >out 2>err &
	local pid=$!
	exec 9>fifo
	head -n 2 in >&9
	wait_for 2
	kill "-$1" "$pid"
	status=0
	wait "$pid" || status=$?
	exec 9>&-
	rm fifo
}

@test "a full disk: 74 and a message" {
	each 'run --separate-stderr bash -c "$f <few >/dev/full"
		assert_status 74
		assert_has "$stderr" "No space left on device"'
}

@test "a full disk after some of it: 74" {
	each 'run --separate-stderr bash -c "$f <in >/dev/full"
		assert_status 74'
}

@test "a reader that goes away: SIGPIPE, quietly" {
	each 'bash -c "{ $f <in; echo \$? >status; } 2>err | head -n 1 >first"
		assert_eq "$(cat status)" 141
		assert_eq "$(cat err)" ""
		assert [ -s first ]'
}

@test "SIGPIPE ignored by the parent: 74, not an endless loop" {
	each 'bash -c "trap \"\" PIPE; { timeout 20 $f <in; echo \$? >status; } 2>err | head -n 1 >first"
		assert_eq "$(cat status)" 74'
}

@test "SIGTERM half-way: what came is written, then 143" {
	each 'end_half_way TERM
		assert_eq "$status" 143
		assert [ "$(wc -l <out)" -ge 2 ]'
}

@test "SIGINT half-way: 130" {
	each 'end_half_way INT
		assert_eq "$status" 130'
}

@test "standard input closed: 74, not an empty success" {
	each 'run --separate-stderr bash -c "$f <&-"
		assert_status 74
		assert [ -n "$stderr" ]'
}

@test "standard output closed: 74" {
	each 'run --separate-stderr bash -c "$f <few >&-"
		assert_status 74'
}

@test "standard error closed: records come all the same" {
	each 'run bash -c "$f <few 2>&-"
		assert_status 0
		assert_eq "${#lines[@]}" 5'
}

@test "an empty input is no error" {
	each 'run --separate-stderr bash -c "$f </dev/null"
		assert_status 0
		assert_eq "$output" ""
		assert_eq "$stderr" ""'
}

@test "records come out as soon as they are done, with the input still open" {
	each ': >out
		{ head -n 3 in; sleep 2; } | $f >out & pid=$!
		wait_for 3
		assert kill -0 "$pid"
		wait "$pid"'
}
