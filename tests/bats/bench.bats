#!/usr/bin/env bats
# The ratios that must hold, on little data; make bench and make check-long
# print the tables on much.
load helper

setup() {
	ai_setup
	not_sanitized
	need jq curl
}

# One more try: another process may have had the machine.
twice() {
	run "$@"
	[ "$status" -eq 0 ] || run "$@"
	assert_status 0
}

@test "programs start in little time" {
	twice "$SRCDIR/tests/bench/startup.sh" 40
}

@test "records pass through at least 3 times as fast as through jq" {
	twice "$SRCDIR/tests/bench/passthrough.sh" 20000
}

@test "anonymous memory stays flat" {
	twice "$SRCDIR/tests/bench/memory.sh" 40
	# 40 MB of records, and nobody holds a tenth of it.
	awk '/ai-/ { n++; if ($(NF - 2) > 4) exit 1 } END { exit n < 2 }' \
		<<<"$output"
}
