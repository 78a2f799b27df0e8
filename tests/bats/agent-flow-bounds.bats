#!/usr/bin/env bats
# What a workflow may cost, take, and give back at most, and how it ends there.
# The model is tests/stub/agent-model.mjs, which plays scripts.
load helper
load ../stub/flow
# shellcheck disable=SC2034 # the file that flow runs
flow_file=f.json

setup_file() {
	cat >"$BATS_FILE_TMPDIR/script.mjs" <<'END'
const last = (s) => s.messages.filter((m) => m.role === 'user').at(-1).content;
const said = (s, re) => (re.exec(last(s)) ?? [])[1] ?? 'nothing';
const ask = (who, n, task) => Array.from({ length: n }, (_, i) => ({ calls: [{
	name: 'ask_' + who, arguments: { task: `${task} ${i}` } }] }))
	.concat({ text: 'boss end' });
export default {
	hi: [{ text: 'Hello.' }],
	say: (s) => ({ text: said(s, /<<(.*?)>>/s) }),
	askdora: ask('dora', 8, 'task:hi'),
	askring: ask('boss', 2, 'task:askdora'),
	big: (s) => ({ text: 'y'.repeat(900_000) }),
	refuse: [{ status: 400, body: { error: { message: 'no' } } }],
	hang: [{ fault: 'hang' }],
	turns9: [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => ({ calls: [{ name: 'calc',
		arguments: { expression: `1+${n}` } }] })).concat({ text: 'end' }),
};
END
	cd "$BATS_FILE_TMPDIR" || return
	model_start "$BATS_FILE_TMPDIR/script.mjs"
}

setup() {
	ai_setup
	: >"$STUB/log"
}

# fed INPUT ARG...: the same with this record.
fed() {
	local input=$1
	shift
	echo "$input" >in.jsonl
	run --separate-stderr bash -c 'ai-agent flow f.json -m m --base-url \
		"$0" "$@" <in.jsonl' "$STUB_URL" "$@"
}

# between RUN LOW HIGH: whether what all questions "hi" within the run have cost
# lies there, in dollars.
between() {
	run_sh "ai-agent history | jq -sc '[.[] | select(.root == \"$1\" and
		(.task.task | tostring | test(\"task:hi\"))) | .cost_usd] | add |
		[. > $2, . <= $3]'"
	assert_eq "$output" '[true,true]'
}

price=(--price '1,2' --max-tokens 20)

@test "an agent's budget holds, too, when other agents ask it" {
	echo '{"agents": {"boss": {"agents": ["dora"]}, "dora": {"budget": 0.003}},
		"tasks": {"t": {"agent": "boss", "description": "task:askdora {{item}}",
			"map": {"over": "{{input.l}}", "max": 9}}}}' >f.json
	fed '{"input":{"l":[1,2,3,4,5,6,7,8]}}' "${price[@]}" --run all
	assert_status 0
	between all 0.0019 0.003
	run_sh "ai-agent show all | jq -r '.result.text' | sort -u"
	assert_eq "$output" "boss end"
}

@test "what an agent does as a task and when it is asked is added up" {
	echo '{"agents": {"boss": {"agents": ["dora"]}, "dora": {"budget": 0.0016}},
		"tasks": {"a": {"agent": "dora", "description": "task:hi first"},
			"b": {"agent": "boss", "needs": ["a"],
				"description": "task:askdora"},
			"c": {"agent": "dora", "needs": ["b"], "optional": true,
				"description": "task:hi last"}}}' >f.json
	flow "${price[@]}" --run sum x
	assert_status 0
	assert_eq "$(field .run.tasks.failed)" 1
	assert_eq "$(field '.run.failures[0].task')" '"c"'
	between sum 0.0006 0.0016
}

@test "agents that ask each other wait for no money that they have themselves" {
	echo '{"agents": {"boss": {"agents": ["dora"], "budget": 0.002},
			"dora": {"agents": ["boss"], "budget": 0.002}},
		"tasks": {"a": {"agent": "dora", "optional": true,
				"description": "task:askring"},
			"b": {"agent": "boss", "optional": true,
				"description": "task:askdora"}}}' >f.json
	flow "${price[@]}" --limit depth=4 --limit seconds=60 --run ring x
	assert_status 0
	assert_eq "$(field .run.limit)" null
}

# ended PID: it ends long before a question that is never answered would.
ended() {
	for _ in $(seq 120); do
		kill -0 "$1" 2>/dev/null || return 0
		sleep 0.1
	done
	kill -KILL "$1"
	return 1
}

until_asked() {
	for _ in $(seq 200); do
		[ ! -s "$STUB/log" ] || return 0
		sleep 0.05
	done
	return 1
}

one='{"agents": {"ann": {}, "bob": {}}, "tasks": {"t": {"agent": "ann",
	"description": "task:'

@test "a signal, and the time, end a workflow beside a server that hangs" {
	echo "$one"'hang"}}}' >f.json
	for how in TERM HUP 'INT INT'; do
		: >"$STUB/log"
		env --default-signal=INT,HUP ai-agent flow f.json -m m \
			--base-url "$STUB_URL" x >out 2>err 3>&- &
		pid=$!
		until_asked
		for s in $how; do
			kill -"$s" "$pid"
			sleep 0.3
		done
		ended "$pid"
		wait "$pid" || true
		assert_eq "$(jq -r .run.status out)" paused
		run -1 grep -e 'ended by SIGTERM' -e 'line 1' err
	done
	ai-agent flow f.json -m m --base-url "$STUB_URL" --limit seconds=1 x \
		>out 2>err 3>&- &
	pid=$!
	ended "$pid"
	wait "$pid" || true
	assert_eq "$(jq -c '.run | [.status, .limit]' out)" '["partial","seconds"]'
	run -1 grep 'ended by SIGTERM' err
	echo "$one"'hi", "guardrail": {"command": ["sleep", "50"]}}}}' >f.json
	ai-agent flow f.json -m m --base-url "$STUB_URL" --limit seconds=1 \
		--run g x >out 3>&- &
	pid=$!
	ended "$pid"
	wait "$pid" || true
	assert_eq "$(jq -c '.run | [.status, .limit]' out)" '["partial","seconds"]'
}

many='"map": {"over": "{{input.l}}", "max": 99}'

@test "what the items of a map give has no room: found with the item, not behind all" {
	echo '{"agents": {"ann": {}}, "output": "{{c}}", "tasks": {
		"a": {"agent": "ann", "description": "task:big {{item}}",
			"optional": true, '"$many"'},
		"b": {"agent": "ann", "needs": ["a"], "optional": true,
			"description": "task:say <<{{a.0}}>>{{a}}{{a}}"},
		"c": {"agent": "ann", "needs": ["b"],
			"description": "task:say <<fine>>"}}}' >f.json
	fed "{\"l\":[$(seq -s, 40)]}" --run some -q
	assert_status 0
	assert_eq "$(field '.run | [.status, .text, .tasks.done, .tasks.failed]')" \
		'["done","fine",2,1]'
	assert_has "$(field .run.failures)" '"task":"b","why":"a text of the workflow exceeds'
	assert [ "$(asked)" -lt 30 ]
	last=$(asked)
	run --separate-stderr ai-agent replay some
	assert_eq "$(field '.run | [.status, .text]')" '["done","fine"]'
	assert_has "$stderr" "items 18 to 39 are left out"
	assert_eq "$(asked)" "$last"
	sed -i 's/"optional": true, "map"/"map"/' f.json
	fed "{\"l\":[$(seq -s, 40)]}" --run all -q -j 1
	assert_status 2
	assert_eq "$(field '.run | [.id, .status]')" '["all","failed"]'
	assert_has "$(field .error.message)" "the task 'a' has failed: item 18: "
	run_sh "ai-agent history | jq -c 'select(.id == \"all\") | .status'"
	assert_eq "$output" '"failed"'
}

@test "a text that grows too long fails its task, by name" {
	jq -nc '{agents: {ann: {}}, tasks: {t: {agent: "ann",
		description: ("{{input}}" * 2000)}}}' >f.json
	fed "{\"input\":\"$(printf '%9000s' '' | tr ' ' y)\"}" --run long -q
	assert_status 2
	assert_eq "$(field '.run | [.id, .status, .tasks.failed]')" \
		'["long","failed",1]'
	assert_has "$(field .error.message)" "the task 't' has failed: "
	assert_eq "$(asked)" 0
}

@test "what all gives may be too long, and is told as that" {
	jq -nc '{agents: {ann: {}}, tasks: {t: {agent: "ann", description: "task:hi"}},
		output: ("{{input}}" * 2000)}' >f.json
	fed "{\"input\":\"$(printf '%9000s' '' | tr ' ' y)\"}" --run long -q
	assert_status 2
	assert_eq "$(field '.run | [.id, .status, .text, .tasks.done]')" \
		'["long","failed","",1]'
	assert_eq "$(field .error.code)" '"too_long"'
}

# fails JSON_OF_TASK CODE STATUS LIMIT [ARG...]: with that limit as run.limit.
fails() {
	local task=$1 code=$2 rc=$3 limit=$4
	shift 4
	echo '{"agents": {"ann": {}, "poor": {"budget": 0.000001}}, "tasks": {"t": {'"$task"'}}}' \
		>f.json
	flow "$@" x
	assert_status "$rc"
	assert_eq "$(field '[.run.status, .error.code, .run.limit]')" \
		"[\"failed\",\"$code\",$limit]"
}

@test "a task that has failed says of what" {
	local ann='"agent": "ann", "description":'
	fails '"agent": "poor", "description": "task:hi"' budget_exceeded 3 '"usd"' "${price[@]}"
	fails "$ann"' "task:hi", "limits": {"usd": 0.000001}' budget_exceeded 3 \
		'"usd"' "${price[@]}"
	fails "$ann"' "task:turns9", "limits": {"turns": 2}' limit 2 '"turns"'
	fails "$ann"' "task:hang", "limits": {"seconds": 1}' limit 2 '"seconds"'
	fails "$ann"' "task:refuse"' request_rejected 2 null
	fails "$ann"' "task:hi", "guardrail": {"contains": "x"}, "retries": 0' \
		invalid_answer 2 null
	assert_has "$(field .error.message)" "what it gave was not taken: this does not"
	fails '"description": "task:hi", "chat": {"agents": ["ann", "poor"],
		"max": 3}' budget_exceeded 3 '"usd"' "${price[@]}"
	fails "$ann"' "task:hi", "guardrail": {"agent": "poor", "ask": "good?"}' \
		budget_exceeded 3 '"usd"' "${price[@]}"
}

@test "a guardrail's program that cannot tell is no answer that is bad" {
	local ann='"agent": "ann", "description": "task:hi", "guardrail":'
	fails "$ann"' {"command": ["sleep", "50"]}, "limits": {"seconds": 1}' \
		unavailable 69 null
	assert_has "$(field .error.message)" "nobody has judged it: the program took too long"
	# shellcheck disable=SC2016
	fails "$ann"' {"command": ["sh", "-c", "kill -9 $$"]}' unavailable 69 null
	fails "$ann"' {"command": ["sh", "-c", "exit 127"]}' unavailable 69 null
	printf '#!/nonexistent/interpreter\n' >check
	chmod +x check
	fails "$ann"' {"command": ["./check"]}' cannot_open 2 null
	assert_eq "$(asked)" 4
	fails "$ann"' {"command": ["false"]}' invalid_answer 2 null
	assert_eq "$(asked)" 7
}

@test "a run that the machine cannot go on with is named" {
	echo '{"agents": {"ann": {}}, "tasks": {"t": {"agent": "ann",
		"description": "task:hi"}}}' >f.json
	run --separate-stderr bash -c 'ulimit -n 14; ai-agent flow f.json -m m \
		--base-url "$0" --run few x 3>&-' "$STUB_URL"
	assert_eq "$(field '[.run.id, .run.status, .error.code]')" \
		'["few","open","system"]'
	run --separate-stderr ai-agent resume -r few
	assert_status 0
	assert_eq "$output" "Hello."
}

@test "at_once is what can be under way, and threads are for what is" {
	jq -nc '{at_once: 256, agents: {ann: {}, bob: {}}, tasks: {
		one: {agent: "ann", description: "task:hang"},
		all: {agent: "bob", description: "task:hang {{item}}",
			map: {over: "{{input}}", max: 99}}}}' >f.json
	ai-agent flow f.json -m m --base-url "$STUB_URL" \
		<<<'{"input":[1,2,3]}' >out 2>err 3>&- &
	pid=$!
	for _ in $(seq 200); do
		[ "$(asked)" -lt 4 ] || break
		sleep 0.05
	done
	threads=$(for warden in $(cat /proc/$pid/task/*/children); do
		for agent in $(cat "/proc/$warden/task/$warden/children"); do
			awk '/^Threads:/ { print $2 }' "/proc/$agent/status"
		done
	done | sort -n | paste -sd' ')
	kill -TERM "$pid"
	ended "$pid"
	wait "$pid" || true
	# One that reads, and one for each question.
	assert_eq "$threads" "1 4"
	for n in 256 257; do
		jq -c ".at_once = $n" f.json >g.json
		run --separate-stderr ai-agent graph g.json
		assert_status $((n == 256 ? 0 : 78))
	done
	assert_has "$stderr" "at_once: "
}

# chosen WORDS: who speaks when the chair says that.
chosen() {
	jq -nc --arg w "task:say <<$1>>" '{agents: {ann: {}, bob: {}, carl: {},
		chair: {}}, tasks: {t: {description: $w, chat: {
		agents: ["ann", "bob", "carl"], max: 1,
		next: {agent: "chair"}}}}}' >f.json
	flow --run "c${#1}" x
	assert_status 0
	ai-agent show "c${#1}" | jq -r 'select(.intent.step == "t@1") | .intent.tool'
}

@test "who is chosen is not who is named as not to be" {
	assert_eq "$(chosen 'Not ann again, bob should speak.')" bob
	assert_eq "$(chosen 'It is carl, after ann and bob.')" carl
	assert_eq "$(chosen 'That wasn'\''t bob; bob.')" bob
	assert_eq "$(chosen '**carl**')" carl
	chosen 'nobody at all' >who.txt
	assert_eq "$(cat who.txt)" ann
	assert_has "$stderr" "chair was asked who speaks next, and names nobody: it is ann, in turn"
}
