#!/usr/bin/env bats
# ai-agent: every limit, what it leaves, and that a run's processes are gone
# when it ends: by a limit, by a signal, by a terminal that goes.
# make check-long (AI_TEST_LONG=1): 100 trees instead of 20.
load helper
load ../stub/stub

setup_file() {
	cat >"$BATS_FILE_TMPDIR/script.json" <<'END'
{
"count": {"forever": true, "steps": [{"text": "I count.", "calls":
	[{"name": "calc", "arguments": {"expression": "1+{{#}}"}}]}]},
"same": {"forever": true, "steps": [{"text": "Again.", "calls":
	[{"name": "calc", "arguments": {"expression": "1+1"}}]}]},
"turns": {"steps": [
	{"calls": [{"name": "calc", "arguments": {"expression": "1"}}]},
	{"calls": [{"name": "calc", "arguments": {"expression": "2"}}]},
	{"calls": [{"name": "calc", "arguments": {"expression": "1"}}]},
	{"calls": [{"name": "calc", "arguments": {"expression": "2"}}]},
	{"calls": [{"name": "calc", "arguments": {"expression": "1"}}]},
	{"calls": [{"name": "calc", "arguments": {"expression": "2"}}]},
	{"text": "never said"}]},
"three": [{"calls": [{"name": "calc", "arguments": {"expression": "1"}},
	{"name": "calc", "arguments": {"expression": "2"}},
	{"name": "calc", "arguments": {"expression": "3"}}]},
	{"text": "{{may not be called[^.]*}}"}],
"parts": [{"calls": [
	{"name": "delegate", "arguments": {"task": "task:fine 1"}},
	{"name": "delegate", "arguments": {"task": "task:fine 2"}},
	{"name": "delegate", "arguments": {"task": "task:fine 3"}}]},
	{"text": "{{may not be called[^.]*}}"}],
"deep": [{"calls": [{"name": "delegate", "arguments": {"task": "task:deep"}}]},
	{"text": "{{There is no tool 'delegate'|Bottom}} Bottom"}],
"fine": [{"text": "fine"}],
"cut": [{"text": "half an answ", "finish_reason": "length"}],
"sleep": [{"text": "I wait.", "calls": [{"name": "nap", "arguments": {}}]},
	{"text": "slept"}],
"long": [{"text": "I wait long.", "calls": [{"name": "long", "arguments": {}}]},
	{"text": "slept long"}],
"deaf": [{"calls": [{"name": "deaf", "arguments": {}}]}],
"away": [{"calls": [{"name": "away", "arguments": {}}]}],
"flood": [{"calls": [{"name": "flood", "arguments": {}}]}],
"many": [{"calls": [{"name": "many", "arguments": {}},
	{"name": "deaf", "arguments": {}}]}],
"hang": [{"fault": "hang"}],
"inner": [{"calls": [{"name": "delegate", "arguments": {"task": "task:away"}}]}]
}
END
	model_start "$BATS_FILE_TMPDIR/script.json"
	unset AI_PRICE
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	: >"$STUB/log"
	ask=(ai-agent -m openai/m --base-url "$STUB_URL" --price "1,2"
		--max-tokens 50
		--approve never --no-guard --mark off)
}

# limited TASK LIMIT...: a run with these limits.
limited() {
	local task=$1 args=()
	shift
	while [ $# -gt 0 ]; do
		args+=(--limit "$1")
		shift
	done
	run --separate-stderr "${ask[@]}" --delegate "${args[@]}" "task:$task"
}

# ends FILTER: what is so of the record.
ends() {
	assert_eq "$(jq -c "$1" <<<"$output")" "$2"
}

# The tools "nap" and "long" write to began when they begin.
naps() {
	cat >tools.json <<'END'
{"tools": [{"name": "nap", "description": "waits", "effect": "idempotent",
	"command": ["/bin/sh", "-c", "echo x >>began; sleep 1"],
	"sandbox": {"write": ["."]}},
{"name": "long", "description": "waits long", "effect": "idempotent",
	"command": ["/bin/sh", "-c",
		"echo x >>began; [ -e brief ] || exec sleep 777"],
	"sandbox": {"write": ["."]}}]}
END
	ask+=(--tools tools.json -C . --taint off --run r)
}

# The tool has begun, and the run has a process.
wait_begun() {
	local i
	for ((i = 0; i < 400; i++)); do
		[ ! -s began ] || return 0
		sleep 0.02
	done
	return 1
}

long_sleeps() {
	grep -lsz '^777$' /proc/[0-9]*/cmdline | wc -l
}

@test "each limit is named, and leaves what was said" {
	local what task limit name code exit
	while read -r task limit name code exit; do
		what="$task with $limit"
		limited "$task" "$limit"
		echo "$what: $status"
		assert_status "$exit"
		ends '[.run.limit, .error.code, .run.status]' \
			"[\"$name\",\"$code\",\"partial\"]"
		ends '.run.text | length > 0' true
	done <<-'END'
	count turns=2 turns limit 2
	count tokens=300 tokens limit 2
	count calls=2 calls limit 2
	count output=3 output limit 2
	count usd=0.0020 usd budget_exceeded 3
	same repeat=3 repeat limit 2
	turns repeat=3 repeat limit 2
	cut turns=5 max_tokens limit 2
	END
}

@test "the turns, calls and repeats of a limit are as many as it says" {
	limited count turns=3
	ends '[.run.turns, .run.calls]' '[3,3]'
	assert_eq "$(stub_log 'select(.hash)' | wc -l)" 3
	limited count calls=4
	ends '[.run.turns, .run.calls]' '[5,4]'
	limited same repeat=3
	ends '[.run.turns, .run.calls]' '[3,2]'
	limited same repeat=5
	ends '[.run.turns, .run.calls]' '[5,4]'
	limited same repeat=70 turns=100
	ends '[.run.turns, .run.calls]' '[70,69]'
	limited turns repeat=2
	ends '[.run.turns, .run.calls]' '[4,3]'
}

@test "a tool's own limit is told the model, and the run goes on" {
	limited three calls.calc=2
	assert_status 0
	ends '[.run.limit, .run.calls]' '[null,2]'
	ends .run.text '"may not be called any more in this run: its limit is reached"'
}

@test "runs within runs: so many, and so deep" {
	limited parts fanout=2
	assert_status 0
	ends '[.run.calls, .run.text]' \
		'[2,"may not be called any more in this run: its limit is reached"]'
	assert_eq "$(ai-agent history | jq -s length)" 3
	rm -r state
	limited deep depth=2
	assert_status 0
	assert_eq "$(ai-agent history | jq -s length)" 3
	rm -r state
	limited parts depth=0
	assert_eq "$(ai-agent history | jq -s length)" 1
}

@test "many runs under one budget spend no more than it" {
	local i pids=()
	ai-cost budget set project:p total 0.02
	for i in 1 2 3 4 5 6; do
		"${ask[@]}" --project p --limit repeat=99 \
			--limit turns=99 --run "r$i" task:count >"out$i" \
			2>/dev/null &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		status=0
		wait "$i" || status=$?
		assert_status 3
	done
	assert_eq "$(jq -sc 'map([.run.limit, .error.code]) | unique' out?)" \
		'[["usd","budget_exceeded"]]'
	need sqlite3
	assert_eq "$(sqlite3 state/aiutils/ledger.db \
		'SELECT sum(amount) BETWEEN 5000000 AND 20000000 FROM transfer
			WHERE kind=2')" 1
	ai-cost ledger check
}

@test "what a run and its parts spend is one sum" {
	limited parts
	assert_status 0
	need sqlite3
	assert_eq "$(sqlite3 state/aiutils/ledger.db \
		'SELECT count(*), count(DISTINCT l.run) FROM transfer t
			JOIN label l ON l.n=t.label WHERE t.kind=1')" '5|1'
}

@test "within a second of its time nothing of a run is alive" {
	not_sanitized
	local trials=18 how
	[ -z "${AI_TEST_LONG-}" ] || trials=102
	for how in off on; do
		run node "$SRCDIR/tests/stub/agent-limits.mjs" "$trials" 0.4 \
			"$STUB_URL" --sandbox "$how"
		assert_status 0
		echo "# sandbox $how: ${lines[-1]}" >&3
	done
}

@test "the time of a run is that of all processes that worked on it" {
	naps
	run --separate-stderr "${ask[@]}" --limit seconds=4 task:long
	assert_status 2
	ends '[.run.limit, .run.text]' '["seconds","I wait long."]'
	run --separate-stderr ai-agent resume r
	refute_eq "$status" 0
	ends .run.limit '"seconds"'
	touch brief
	run --separate-stderr ai-agent resume --limit seconds=99 r
	assert_status 0
	ends '[.run.limit, .run.text]' '[null,"slept long"]'
}

# signalled SIGNAL...: a run whose tool has begun gets them; its status.
signalled() {
	local pid name
	# A shell that is no terminal's has its jobs ignore SIGINT, and who runs
	# the tests may ignore SIGHUP.
	env --default-signal=INT,HUP "${ask[@]}" "task:$task" >out 2>messages &
	pid=$!
	wait_begun
	for name in "$@"; do
		kill "-$name" "$pid"
		sleep 0.2
	done
	status=0
	wait "$pid" || status=$?
	output=$(cat out)
}

@test "SIGINT and SIGTERM: what is under way ends, and the run is paused" {
	local name code begun task=sleep
	naps
	while read -r name code begun; do
		rm -rf began state
		signalled "$name"
		assert_status "$code"
		ends '[.run.status, .error.code]' '["paused","try_later"]'
		run --separate-stderr ai-agent resume r
		assert_status 0
		ends '[.run.text, .run.calls]' '["slept",1]'
		assert_eq "$(wc -l <began)" "$begun"
	done <<-'END'
	INT 130 1
	TERM 143 2
	HUP 129 2
	END
}

@test "a second SIGINT: at once, and nothing of it is alive" {
	local task=long before
	naps
	before=$(long_sleeps)
	signalled INT INT
	assert_status 130
	assert_eq "$(long_sleeps)" "$before"
	touch brief
	run --separate-stderr ai-agent resume r
	assert_status 0
	ends .run.text '"slept long"'
	assert_eq "$(wc -l <began)" 2
}

@test "a terminal that goes pauses the run" {
	need script
	local i pid
	naps
	env --default-signal=HUP script -qec "${ask[*]} task:sleep" /dev/null >/dev/null 2>&1 </dev/null &
	pid=$!
	wait_begun
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || true
	for ((i = 0; i < 200; i++)); do
		[ "$(ai-agent history | jq -r .status)" = running ] || break
		sleep 0.05
	done
	assert_eq "$(ai-agent history | jq -r .status)" paused
	run --separate-stderr ai-agent resume r
	assert_status 0
	ends .run.text '"slept"'
}
