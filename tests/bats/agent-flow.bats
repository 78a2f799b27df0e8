#!/usr/bin/env bats
# ai-agent flow: workflows from their files to their ends. The model is
# tests/stub/agent-model.mjs, which plays scripts.
load helper
load ../stub/flow

setup_file() {
	cat >"$BATS_FILE_TMPDIR/script.mjs" <<'END'
const last = (s) => s.messages.filter((m) => m.role === 'user').at(-1).content;
const said = (s, re) => (re.exec(last(s)) ?? [])[1] ?? 'nothing';
const speeches = (s) => (last(s).match(/^\w+: \w/gm) ?? []).length;
export default {
	hi: [{ text: 'Hello.' }],
	// Says what stands between brackets.
	say: (s) => ({ text: said(s, /<<(.*?)>>/s) }),
	system: (s) => ({ text: s.messages[0].content }),
	all: (s) => ({ text: last(s) }),
	json: [{ text: 'Here:\n```json\n{"n": 7, "list": ["x", "y", "z"]}\n```' }],
	bad: (s) => /not taken/.test(last(s))
		? { text: '{"n": 1}' } : { text: 'no JSON' },
	never: [{ text: 'no JSON' }],
	count: (s) => ({ text: String(Number(said(s, /<<(\d*)>>/) || 0) + 1) }),
	better: (s) => ({ text: /not taken/.test(last(s)) ? 'long enough' : 'short' }),
	judge: (s) => ({ text: /given for it:\s+long/.test(last(s))
		? 'Yes.' : 'No: it is too short.' }),
	judgejson: (s) => ({ text: JSON.stringify({
		pass: /given for it:\s+long/.test(last(s)) }) }),
	talk: (s) => ({ text: /You are (\w+)/.exec(last(s))[1] + ' ' +
		(speeches(s) + 1) }),
	choose: (s) => ({ text: /name of the one/.test(last(s))
		? (speeches(s) === 2 ? 'It is carl.' : 'bob') : 'spoken' }),
	hand: [{ calls: [{ name: 'hand_off_to_bob',
		arguments: { task: 'task:all do it' } }] }],
	ping: [{ calls: [{ name: 'hand_off_to_bob', arguments: { task: 'task:pong' } }] }],
	pong: [{ calls: [{ name: 'hand_off_to_ann', arguments: { task: 'task:ping' } }] }],
	ask: [{ calls: [{ name: 'ask_user', arguments: { question: 'Which?' } }] },
		{ text: 'You said {{ask_user~(\\w+)}}.' }],
	write: [{ calls: [{ name: 'write_file',
		arguments: { path: 'out.txt', content: 'x\n' } }] }, { text: 'written' }],
	refuse: [{ status: 400, body: { error: { message: 'no' } } }],
	down: [{ status: 500, body: { error: { message: 'no' } } }],
	slow: [{ delay_ms: 500, text: 'slow' }],
	wait: [{ until: process.cwd() + '/go', text: 'waited' }],
	boss: [{ calls: [{ name: 'ask_ann',
		arguments: { task: 'task:say <<from ann>>' } }] },
		{ text: 'ann says: {{ask_ann~(from \\w+)}}' }],
	file: [{ calls: [{ name: 'read_file', arguments: { path: 'a.txt' } }] },
		{ text: '{{read_file~(deep \\w+)}}' }],
	note: [{ calls: [{ name: 'notes_write',
		arguments: { key: 'colour', text: 'blue' } }] }, { text: 'noted' }],
	loop9: [1, 2, 3, 4].map((n) => ({ calls: [{ name: 'calc',
		arguments: { expression: `1+${n}` } }] })).concat({ text: 'end' }),
};
END
	cd "$BATS_FILE_TMPDIR" || return
	model_start "$BATS_FILE_TMPDIR/script.mjs"
}

setup() {
	ai_setup
	: >"$STUB/log"
	mkdir work
	echo 'in deep water' >work/a.txt
}

# plan TASKS [MORE [ANN [AGENTS]]]: makes flow.json; all are members in JSON,
# those of ANN hers.
plan() {
	cat >flow.json <<-END
	{ "name": "test", ${2:+$2,}
	  "agents": { "ann": {"role": "A" ${3:+, $3}}, "bob": {"role": "B"},
		"carl": {"role": "C"} ${4:+, $4} },
	  "tasks": { $1 } }
	END
}

# Whether the model was asked (true) or had answered, in their order.
order() {
	jq -sc 'map(.n != null)' "$STUB/log"
}

until_asked() {
	for _ in $(seq 200); do
		[ ! -s "$STUB/log" ] || return 0
		sleep 0.05
	done
	return 1
}

@test "tasks run in the order of their needs, and texts have what they gave" {
	plan '"two": {"agent": "bob", "description": "task:all two <{{one}}> {{input.who}}"},
		"one": {"agent": "ann", "description": "task:say <<1 {{input.who}}>>"}' \
		'"output": "so: {{two}}"'
	run_sh "echo '{\"id\":7,\"who\":\"you\",\"n\":1.50}' |
		ai-agent flow flow.json -m m --base-url $STUB_URL"
	assert_status 0
	assert_has "$output" '{"id":7,"who":"you","n":1.50,"run":{'
	assert_eq "$(field '.run | [.status, .text, .steps, .turns, .calls, .limit,
		.tasks.done]')" '["done","so: task:all two <1 you> you",2,2,0,null,2]'
}

@test "words are the input, -r writes what the last task gave" {
	plan '"one": {"agent": "ann", "description": "task:say <<{{input}}>>"}'
	flow -r so many words
	assert_status 0
	assert_eq "$output" "so many words"
}

@test "an agent is told its role, goal and instructions" {
	plan '"one": {"agent": "dora", "description": "task:system"}' '' '' \
		'"dora": {"role": "the role", "goal": "the goal", "instructions": "be brief"}'
	flow -r x
	assert_has "$output" "the role"
	assert_has "$output" "the goal"
	assert_has "$output" "be brief"
}

@test "an input that the file does not want is refused before anything runs" {
	plan '"one": {"agent": "ann", "description": "task:say <<{{input.a}}>>"}' \
		'"input": {"type": "object", "required": ["a"]}'
	run_sh "echo '{\"b\":1}' | ai-agent flow flow.json -m m --base-url $STUB_URL"
	assert_status 2
	assert_has "$output" "invalid_record"
	assert_eq "$(asked)" 0
	run --separate-stderr ai-agent flow nope.json x
	assert_status 66
	run --separate-stderr ai-agent flow
	assert_status 64
}

@test "independent tasks are under way at once; sequential ones are not" {
	local three='"a": {"agent": "ann", "description": "task:slow a"},
		"b": {"agent": "bob", "description": "task:slow b"},
		"c": {"agent": "ann", "description": "task:slow c"}'
	plan "$three"
	flow x
	assert_status 0
	assert_eq "$(order)" '[true,true,true,false,false,false]'
	: >"$STUB/log"
	plan "$three" '"process": "sequential"'
	flow x
	assert_status 0
	assert_eq "$(order)" '[true,false,true,false,true,false]'
	: >"$STUB/log"
	plan "$three" '"at_once": 2'
	flow x
	assert_eq "$(order | jq -c '.[0:3]')" '[true,true,false]'
	: >"$STUB/log"
	flow -j 1 x
	assert_eq "$(order)" '[true,false,true,false,true,false]'
}

@test "a schema: JSON in a fence is taken, and its members can be named" {
	plan '"one": {"agent": "ann", "description": "task:json", "schema":
		{"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"},
		"list": {"type": "array", "items": {"type": "string"}}}}},
		"two": {"agent": "bob", "description": "task:say <<{{one.n}} {{one.list.1}}>>"}'
	flow -r x
	assert_status 0
	assert_eq "$output" "7 y"
}

@test "what does not satisfy the schema is asked for anew, so often and no more" {
	plan '"one": {"agent": "ann", "description": "task:bad", "retries": 1,
		"schema": {"type": "object"}}'
	flow -r x
	assert_status 0
	assert_eq "$output" '{"n": 1}'
	assert_eq "$(asked)" 2
	plan '"one": {"agent": "ann", "description": "task:never", "retries": 2,
		"schema": {"type": "object"}}'
	flow x
	assert_status 2
	assert_has "$(field .error.message)" "what it gave was not taken, 3 times"
	assert_eq "$(field .run.status)" '"failed"'
	assert_eq "$(asked)" 5
}

@test "guardrails: a condition, a command, a judge" {
	plan '"one": {"agent": "ann", "description": "task:better", "retries": 1,
		"guardrail": {"contains": "long"}}'
	flow -r x
	assert_eq "$output" "long enough"
	plan '"one": {"agent": "ann", "description": "task:better", "retries": 1,
		"guardrail": {"command": ["/bin/sh", "-c",
			"grep -q long || { echo {too} short; exit 1; }"]}},
		"two": {"agent": "bob", "description": "task:say <<ok {{one}}>>"}'
	flow -r --run g x
	assert_eq "$output" "ok long enough"
	run_sh "ai-agent show g | jq -r 'select(.intent.tool==\"guardrail\") |
		.result | [.failed, .text] | @tsv'"
	assert_has "$output" "{too} short"
	run_sh "ai-agent show g | jq -r '.intent.arguments.task // empty'"
	assert_has "$output" "It was not taken: the program exited with status 1"
	assert_has "$output" "{too} short"
	for j in judge judgejson; do
		plan '"one": {"agent": "ann", "description": "task:better", "retries": 1,
			"guardrail": {"agent": "bob", "ask": "task:'$j' is it good?"}}'
		flow -r x
		assert_eq "$output" "long enough"
	done
	plan '"one": {"agent": "ann", "description": "task:better", "retries": 0,
		"guardrail": [{"agent": "bob", "ask": "task:judge is it good?"}]}'
	flow x
	assert_status 2
	assert_has "$(field .error.message)" "No: it is too short."
}

@test "a condition leaves a task out; what names it has nothing" {
	plan '"one": {"agent": "ann", "description": "task:say <<no>>"},
		"two": {"agent": "bob", "description": "task:hi", "when":
			{"value": "{{one}}", "is": "yes"}},
		"three": {"agent": "bob", "description": "task:say <<[{{two}}]>>"}'
	flow x
	assert_status 0
	assert_eq "$(field '.run | [.text, .tasks.skipped, .tasks.done]')" '["[]",1,2]'
}

@test "a loop ends when its condition holds, or at its bound" {
	plan '"one": {"agent": "ann",
		"description": "task:count <<{{last}}>> in round {{round}}",
		"loop": {"max": 9, "until": {"value": "{{output}}", "is": "4"}}}'
	flow x
	assert_eq "$(field '.run | [.text, .steps]')" '["4",4]'
	plan '"one": {"agent": "ann", "description": "task:count <<{{last}}>>",
		"loop": {"max": 3}}'
	flow x
	assert_eq "$(field '.run | [.text, .steps]')" '["3",3]'
}

@test "a map does a task for each item, and gives a list in their order" {
	plan '"one": {"agent": "ann", "description": "task:json", "schema":
		{"type": "object", "properties": {"list": {"type": "array",
		"items": {"type": "string"}}}}},
		"each": {"agent": "bob", "description": "task:say <<{{index}}{{item}}>>",
			"map": {"over": "{{one.list}}", "max": 5, "at_once": 2}},
		"end": {"agent": "ann", "description": "task:say <<{{each}} {{each.1}}>>"}'
	flow -r x
	assert_status 0
	assert_eq "$output" '["0x","1y","2z"] 1y'
}

# mapped INPUT ARG...: what a map over it gives.
mapped() {
	local input=$1
	shift
	run_sh "echo '$input' | ai-agent flow flow.json -m m --base-url $STUB_URL $*"
}

@test "a map over the input: objects, none, too many, no list" {
	plan '"each": {"agent": "bob", "description": "task:say <<{{item.a}}>>",
			"map": {"over": "{{input.l}}", "max": 2}}'
	mapped '{"l":[{"a":1},{"a":[2]}]}' -r
	assert_eq "$output" '["1","[2]"]'
	mapped '{"l":[]}' -r
	assert_eq "$output" '[]'
	mapped '{"l":[1,2,3]}'
	assert_status 2
	assert_has "$(field .error.message)" "it has 3 elements"
	mapped '{"l":3}'
	assert_status 2
	plan '"one": {"agent": "ann", "description": "task:json", "schema": {}},
		"each": {"agent": "bob", "description": "task:hi",
			"map": {"over": "{{one.list}}", "max": 2}}'
	flow x
	assert_has "$(field .error.message)" "there are 3 items"
	sed -i 's/one.list/one.n/' flow.json
	flow x
	assert_has "$(field .error.message)" "is no list"
}

@test "an optional task may fail; its reason is told" {
	plan '"one": {"agent": "ann", "description": "task:refuse", "optional": true},
		"two": {"agent": "bob", "description": "task:say <<[{{one}}]>>"}'
	flow x
	assert_status 0
	assert_eq "$(field '.run | [.text, .tasks.failed, .failures[0].task]')" \
		'["[]",1,"one"]'
	plan '"each": {"agent": "bob", "description": "task:{{item}}", "optional": true,
			"map": {"over": "{{input}}", "max": 9}}'
	mapped '{"input":["hi","refuse","hi"]}' -r
	assert_status 0
	assert_eq "$output" '["Hello.",null,"Hello."]'
	sed -i 's/"optional": true,//' flow.json
	mapped '{"input":["hi","refuse","hi"]}'
	assert_status 2
	assert_has "$(field .error.message)" "the task 'each' has failed: item 1:"
}

@test "a chat: in turn, until a condition of it holds" {
	plan '"talk": {"description": "task:talk about {{input}}", "chat":
		{"agents": ["ann", "bob", "carl"], "next": "turn", "max": 9,
		 "until": {"any": [{"value": "{{messages}}", "is": 5},
			{"value": "{{message}}", "contains": "TERMINATE"}]}}}'
	flow x
	assert_status 0
	assert_eq "$(field '.run | [.text, .steps]')" '["bob 5",5]'
	plan '"talk": {"description": "task:talk about {{input}}", "chat":
		{"agents": ["ann", "bob", "carl"], "next": "turn", "max": 4}}'
	flow --run c x
	assert_eq "$(field '.run | [.text, .steps]')" '["ann 4",4]'
	run_sh "ai-agent show c | jq -r '.intent.step' | paste -sd' '"
	assert_eq "$output" "talk@1 talk@2 talk@3 talk@4"
}

@test "a chat whose speaker somebody chooses" {
	plan '"talk": {"description": "task:choose", "chat":
		{"agents": ["ann", "bob", "carl"], "next": {"agent": "ann"}, "max": 3}}'
	flow --run c x
	assert_status 0
	run_sh "ai-agent show c | jq -r '.intent | .step + \":\" + .tool' | paste -sd' '"
	assert_eq "$output" \
		"talk@1?:ann talk@1:bob talk@2?:ann talk@2:bob talk@3?:ann talk@3:carl"
}

@test "an agent hands its task on, with what was said; not for ever" {
	plan '"one": {"agent": "ann", "description": "task:hand the thing"}' '' \
		'"handoffs": ["bob"]'
	sed -i 's/{"role": "B"}/{"role": "B", "handoffs": ["ann"]}/' flow.json
	flow x
	assert_status 0
	assert_has "$(field .run.text)" "task:all do it"
	assert_has "$(field .run.text)" "task:hand the thing"
	assert_eq "$(field .run.steps)" 2
	sed -i 's/task:hand the thing/task:ping/' flow.json
	flow x
	assert_status 2
	assert_has "$(field .error.message)" "handed on more than 8 times"
	assert_eq "$(field .run.steps)" 9
}

@test "a manager does what nobody is named for, and may ask the others" {
	plan '"one": {"description": "task:boss"}' \
		'"process": "hierarchical", "manager": "boss"' '' '"boss": {"role": "M"}'
	flow -r x
	assert_status 0
	assert_eq "$output" "ann says: from ann"
}

@test "what is written down is not asked again" {
	plan '"one": {"agent": "ann", "description": "task:say <<1>>"},
		"two": {"agent": "bob", "description": "task:say <<{{one}}2>>"}'
	flow --run r x
	assert_eq "$(asked)" 2
	first=$output
	flow --run r x
	assert_status 0
	assert_eq "$(field .run.text)" '"12"'
	assert_eq "$(asked)" 2
	run --separate-stderr ai-agent replay r
	assert_eq "$(field .run.text)" '"12"'
	assert_eq "$(field '.run | del(.seconds)')" \
		"$(jq -c '.run | del(.seconds)' <<<"$first")"
	flow --run r other words
	assert_status 2
	assert_eq "$(field .error.code)" '"usage"'
}

@test "what becomes of the file later changes nothing of a run" {
	plan '"one": {"agent": "ann", "description": "task:ask"},
		"two": {"agent": "bob", "description": "task:say <<{{one}}>>"}' '' \
		'"with": ["ask_user"]'
	flow --run p x
	assert_status 4
	echo '{}' >flow.json
	run --separate-stderr ai-agent approve p --answer blue
	assert_status 0
	assert_eq "$(field .run.text)" '"You said blue."'
}

@test "a fork begins with the steps of another run" {
	plan '"one": {"agent": "ann", "description": "task:say <<1>>"},
		"two": {"agent": "bob", "description": "task:say <<{{one}}2>>"}'
	flow --run r x
	run --separate-stderr ai-agent fork --run r2 r@2
	assert_status 0
	assert_eq "$(field '.run | [.id, .text, .steps]')" '["r2","12",2]'
	assert_eq "$(asked)" 3
}

@test "a person's word is waited for, and given on to whoever asked" {
	plan '"one": {"agent": "ann", "description": "task:ask"},
		"two": {"agent": "bob", "description": "task:say <<{{one}} so>>"},
		"three": {"agent": "bob", "description": "task:hi"}' \
		'"output": "{{two}}"' '"with": ["ask_user"]'
	flow --run p x
	assert_status 4
	assert_eq "$(field '.run | [.status, .tasks.done]')" '["parked",1]'
	assert_eq "$(field '.run.waiting[0] | [.name, .tool, .waiting[0].tool]')" \
		'["one","ann","ask_user"]'
	run --separate-stderr ai-agent resume p
	assert_status 4
	run --separate-stderr ai-agent approve p
	assert_status 64
	run --separate-stderr ai-agent approve p --answer blue
	assert_status 0
	assert_eq "$(field '.run | [.status, .text]')" '["done","You said blue. so"]'
}

@test "a call that needs approval parks the workflow; deny goes on without" {
	plan '"one": {"agent": "ann", "description": "task:write"}' '' \
		'"with": ["write_file"]'
	flow --run w -C work x
	assert_status 4
	assert [ ! -e work/out.txt ]
	run --separate-stderr ai-agent approve w
	assert_status 0
	assert [ -e work/out.txt ]
	rm work/out.txt
	flow --run v -C work x
	assert_status 4
	run --separate-stderr ai-agent deny v
	assert_status 0
	assert [ ! -e work/out.txt ]
}

@test "an agent's budget holds for all that it does" {
	plan '"one": {"agent": "dora", "description": "task:hi 1"},
		"two": {"agent": "dora", "needs": ["one"], "optional": true,
			"description": "task:hi 2"},
		"three": {"agent": "ann", "description": "task:hi 3"}' '' '' \
		'"dora": {"role": "D", "budget": 0.003}'
	flow --price 1,2 --max-tokens 20 --run b x
	assert_status 0
	assert_eq "$(field .run.tasks.failed)" 0
	sed -i 's/0.003/0.001/' flow.json
	flow --price 1,2 --max-tokens 20 --run b2 x
	assert_eq "$(field .run.tasks.failed)" 1
	run_sh "ai-agent show b2 | jq -s '[.[] | select(.intent.tool==\"dora\") |
		.cost_usd] | add | . > 0 and . <= 0.001'"
	assert_eq "$output" true
}

@test "an agent's budget holds for what is under way at once, and is used" {
	plan '"each": {"agent": "dora", "description": "task:hi {{index}}",
			"optional": true, "map": {"over": "{{input}}", "max": 40}}' '' '' \
		'"dora": {"role": "D", "budget": 0.0036, "limits": {"usd": 0.0015}}'
	mapped "{\"input\":[$(seq -s, 30)]}" --price 1,2 --max-tokens 20 --run b -q -j 8
	assert_status 0
	run_sh "ai-agent show b | jq -sc '[([.[].cost_usd] | add | . <= 0.0036),
		([.[] | select(.result.failed != true)] | length > 20 and length < 30)]'"
	assert_eq "$output" '[true,true]'
}

@test "the money of the whole: it stands, and goes on with more" {
	plan '"one": {"agent": "ann", "description": "task:hi 1"},
		"two": {"agent": "ann", "needs": ["one"], "description": "task:hi 2"}' \
		'"limits": {"usd": 0.0004}'
	flow --price 1,2 --max-tokens 20 --run m x
	assert_status 3
	assert_eq "$(field '.run | [.status, .limit]')" '["partial","usd"]'
	run --separate-stderr ai-agent resume --limit usd=1 m
	assert_status 0
	assert_eq "$(field '.run | [.status, .text]')" '["done","Hello."]'
	assert_eq "$(asked)" 2
}

@test "turns and time of the whole are limits" {
	plan '"one": {"agent": "ann", "description": "task:hi 1"},
		"two": {"agent": "ann", "needs": ["one"], "description": "task:hi 2"}'
	flow --limit turns=1 --run t x
	assert_status 2
	assert_eq "$(field '.run | [.status, .limit]')" '["partial","turns"]'
	run --separate-stderr ai-agent resume --limit turns=9 t
	assert_status 0
	plan '"one": {"agent": "ann", "description": "task:wait"}'
	flow --limit seconds=1 --run s x
	assert_status 2
	assert_eq "$(field '.run | [.status, .limit]')" '["partial","seconds"]'
}

@test "a task's own limit ends the task" {
	plan '"one": {"agent": "ann", "description": "task:loop9", "limits": {"turns": 2},
		"optional": true}'
	flow x
	assert_status 0
	assert_has "$(field '.run.failures[0].why')" "turns"
}

@test "an agent that fails again and again is asked no more for a while" {
	plan '"each": {"agent": "dora", "description": "task:refuse {{index}}",
			"optional": true,
			"map": {"over": "{{input}}", "max": 20, "at_once": 1}}' '' '' \
		'"dora": {"role": "D", "breaker": {"failures": 3, "seconds": 60}}'
	mapped '{"input":[1,2,3,4,5,6,7,8,9,10]}' --run b
	assert_eq "$(asked)" 3
	run_sh "ai-agent show b | jq -r .result.text | grep -c 'asked nothing for a while'"
	assert_eq "$output" 7
}

@test "a provider that is down pauses the workflow" {
	plan '"one": {"agent": "ann", "description": "task:hi"},
		"two": {"agent": "bob", "needs": ["one"], "description": "task:down"}'
	flow --timeout 1 --run d -q x
	assert_status 69
	assert_eq "$(field '.run | [.status, .tasks.done]')" '["paused",1]'
}

@test "what an agent has read from elsewhere taints who is told of it" {
	plan '"one": {"agent": "ann", "description": "task:file"},
		"two": {"agent": "bob", "description": "task:say <<{{one}}>>"}' '' \
		'"with": ["read_file"]'
	flow --run t -C work x
	assert_status 0
	assert_eq "$(field .run.text)" '"deep water"'
	run_sh "ai-agent show t | jq -c 'select(.intent.step==\"two\") | .intent.taint'"
	assert_eq "$output" '{"by":"read_file","trusted":"task:say <<>>"}'
	run_sh "ai-agent replay t"
	refute_eq "$(field .run.tainted_by)" null
}

@test "a shared note stands in texts" {
	plan '"one": {"agent": "ann", "description": "task:note"},
		"two": {"agent": "bob", "needs": ["one"],
			"description": "task:say <<{{notes.colour}}{{notes.none}}>>"}' '' \
		'"notes": true'
	flow x
	assert_status 0
	assert_eq "$(field .run.text)" '"blue"'
}

@test "Ctrl-C pauses a workflow; what was asked is finished" {
	plan '"one": {"agent": "ann", "description": "task:slow"},
		"two": {"agent": "bob", "needs": ["one"], "description": "task:hi"}'
	run bash -c "env --default-signal=INT ai-agent flow flow.json -m m --base-url '$STUB_URL' --run s x \
		>out 2>err & pid=\$!
		for _ in \$(seq 200); do [ ! -s '$STUB/log' ] || break; sleep 0.05; done
		kill -INT \$pid; wait \$pid"
	run_sh "jq -r .run.status out"
	assert_eq "$output" paused
	run --separate-stderr ai-agent resume s
	assert_status 0
	assert_eq "$(field .run.text)" '"Hello."'
	assert_eq "$(asked)" 2
}

# The child of a process's child: an agent's process below its warden.
grandchild() {
	local warden
	for warden in $(cat "/proc/$1/task/$1/children"); do
		cat "/proc/$warden/task/$warden/children"
	done
}

@test "an agent whose process is killed is started again" {
	plan '"one": {"agent": "ann", "description": "task:slow"},
		"two": {"agent": "ann", "needs": ["one"], "description": "task:hi"}'
	ai-agent flow flow.json -m m --base-url "$STUB_URL" --run k x >out 3>&- &
	pid=$!
	until_asked
	# shellcheck disable=SC2046
	kill -KILL $(grandchild $pid)
	wait $pid
	run_sh "jq -r .run.text out"
	assert_eq "$output" Hello.
}
