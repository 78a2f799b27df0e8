# shellcheck shell=bash
# stub.bash: a provider for bats tests.  `load ../stub/stub`, then call
# stub_start in setup_file, stub_stop in teardown_file and stub_reset in
# setup.  See openai.mjs.

# stub_serve DIR PROGRAM [ARG...]: starts tests/stub/PROGRAM on the folder DIR;
# STUB_PID is its number.
stub_serve() {
	local i dir=$1 program=$2
	shift 2
	need node
	mkdir "$dir"
	node "$SRCDIR/tests/stub/$program" "$dir" "$@" 3>&- &
	STUB_PID=$!
	for ((i = 0; i < 200; i++)); do
		[ -s "$dir/port" ] && break
		sleep 0.05
	done
}

# One server a file; STUB_URL is its base address.
stub_start() {
	STUB=$BATS_FILE_TMPDIR/stub
	stub_serve "$STUB" openai.mjs
	STUB_URL=http://127.0.0.1:$(cat "$STUB/port")/v1
	# Nobody bills a stub; what a ledger does is tested in ledger.bats.
	AI_PRICE=free
	export STUB STUB_PID STUB_URL AI_PRICE
}

# model_start SCRIPT...: the model of agent-model.mjs instead; its log is
# $STUB/log as well.
model_start() {
	STUB=$BATS_FILE_TMPDIR/stub
	stub_serve "$STUB" agent-model.mjs "$@"
	: >"$STUB/log"
	STUB_URL=http://127.0.0.1:$(cat "$STUB/port")/v1
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
