# shellcheck shell=bash
# stub.bash: a provider for bats tests.  `load ../stub/stub`, then call
# stub_start in setup_file, stub_stop in teardown_file and stub_reset in
# setup.  See openai.mjs.

# One server a file; STUB_URL is its base address.
stub_start() {
	need node
	STUB=$BATS_FILE_TMPDIR/stub
	mkdir "$STUB"
	node "$SRCDIR/tests/stub/openai.mjs" "$STUB" 3>&- &
	STUB_PID=$!
	local i
	for ((i = 0; i < 200; i++)); do
		[ -s "$STUB/port" ] && break
		sleep 0.05
	done
	STUB_URL=http://127.0.0.1:$(cat "$STUB/port")/v1
	# Nobody bills a stub; what a ledger does is tested in ledger.bats.
	AI_PRICE=free
	export STUB STUB_PID STUB_URL AI_PRICE
}

stub_stop() {
	[ -z "${STUB_PID-}" ] || kill "$STUB_PID"
}

stub_reset() {
	rm -f "$STUB/limit"
	: >"$STUB/script"
	: >"$STUB/log"
}

# stub_script LINE...: how the next requests are answered.
stub_script() {
	printf '%s\n' "$@" >"$STUB/script"
}

# stub_log FILTER: jq over the requests so far, each on a line of its own.
stub_log() {
	jq -c "$1" "$STUB/log"
}

# stub_requests: how many there were.
stub_requests() {
	wc -l <"$STUB/log"
}
