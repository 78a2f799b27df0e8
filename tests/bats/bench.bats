#!/usr/bin/env bats
# Memory that stays flat, on little data. What takes time is no test here: make
# bench and make check-long print those tables and their ratios.
load helper

setup() {
	ai_setup
	not_sanitized
	need jq
}

@test "anonymous memory stays flat" {
	run "$SRCDIR/tests/bench/memory.sh" 40
	assert_status 0
	# 40 MB of records, and nobody holds a tenth of it.
	awk '/ai-/ { n++; if ($(NF - 2) > 4) exit 1 } END { exit n < 2 }' \
		<<<"$output"
}
