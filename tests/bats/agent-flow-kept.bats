#!/usr/bin/env bats
# What a workflow of ai-agent knows when it is gone on with: answers that came
# when nobody was there, how conditions were decided, who fails again and
# again; and what goes with it when it is removed.
load helper
load ../stub/flow

setup_file() {
	cat >"$BATS_FILE_TMPDIR/script.mjs" <<'END'
import { existsSync } from 'node:fs';
const last = (s) => s.messages.filter((m) => m.role === 'user').at(-1).content;
const said = (s, re) => (re.exec(last(s)) ?? [])[1] ?? 'nothing';
const here = process.cwd();
const note = (text) => [{ calls: [{ name: 'notes_write',
	arguments: { key: 'go', text } }] }, { text: 'noted' }];
export default {
	hi: [{ text: 'Hello.' }],
	say: (s) => ({ text: said(s, /<<(.*?)>>/s) }),
	wait: [{ until: here + '/go', text: 'waited' }],
	yes: note('yes'),
	no: note('no'),
	list: note('["a","b"]'),
	boss: [{ calls: [{ name: 'ask_bob',
		arguments: { task: 'task:hi' } }] }, { text: 'asked' }],
	bosswait: [{ calls: [{ name: 'ask_bob',
		arguments: { task: 'task:wait' } }] }, { text: 'asked' }],
	ill: () => existsSync(here + '/well') ? { text: 'well' }
		: { status: 400, body: { error: { message: 'no' } } },
	// In its first turn two at once.
	calc: [1, 2, 3].map((n) => ({ calls: Array.from({ length: n === 1 ? 2 : 1 },
		(_, i) => ({ name: 'calc', arguments: { expression: `${i}+${n}` } })) }))
		.concat({ text: '{{calc~(\\w+)}}' }),
	turns9: Array.from({ length: 9 }, (_, n) => ({ calls: [{ name: 'calc',
		arguments: { expression: `9+${n}` } }] })).concat({ text: 'end' }),
	many: [{ calls: Array.from({ length: 4 }, (_, i) => ({ name: 'ask_bob',
		arguments: { task: `task:say <<${i}>>` } })) }, { text: 'asked' }],
	bossturns: [{ calls: [{ name: 'ask_bob',
		arguments: { task: 'task:turns9' } }] }, { text: 'asked' }],
	askuser: [{ calls: [{ name: 'ask_user', arguments: { question: 'Which?' } }] },
		{ text: 'You said {{ask_user~(\\w+)}}.' }],
	write: [{ calls: [{ name: 'write_file',
		arguments: { path: 'out.txt', content: 'x\n' } }] }, { text: 'written' }],
	bosscalc: [{ calls: [{ name: 'ask_bob',
		arguments: { task: 'task:calc' } }] }, { text: 'asked' }],
};
END
	cd "$BATS_FILE_TMPDIR" || return
	model_start "$BATS_FILE_TMPDIR/script.mjs"
}

setup() {
	ai_setup
	: >"$STUB/log"
	rm -f "$BATS_FILE_TMPDIR"/{go,well}
}

# plan TASKS [MORE [ANN]]: makes flow.json; all are members in JSON, those of
# ANN hers.
plan() {
	cat >flow.json <<-END
	{ ${2:+$2,}
	  "agents": { "ann": { "role": "A"${3:+, $3} }, "bob": { "role": "B" } },
	  "tasks": { $1 } }
	END
}

# until_asked TASK: it was.
until_asked() {
	for ((i = 0; i < 500; i++)); do
		[ "$(asked "$1")" = 0 ] || return 0
		sleep 0.02
	done
	return 1
}

ledger() {
	sqlite3 state/aiutils/ledger.db "$1"
}

# killed TASK: a workflow is killed while the model has this task, and goes on
# while nobody knows for how long; the answer comes after the time in which
# tools are killed.
killed() {
	ai-agent flow flow.json -m m --base-url "$STUB_URL" --run k x 3>&- \
		>/dev/null 2>&1 &
	until_asked "$1"
	kill -KILL $!
	wait $! || true
	ai-agent resume k >out 2>err 3>&- &
	sleep 3.5
	assert_eq "$(asked "$1")" 1
	touch "$BATS_FILE_TMPDIR/go"
	wait $!
	assert_eq "$(asked "$1")" 1
	ai-cost ledger check
	assert_eq "$(ledger 'SELECT count(*) FROM hold')" 0
	assert_eq "$(ledger "SELECT count(*) FROM batch")" 0
}

@test "a workflow that is killed: an answer that is on its way is waited for" {
	plan '"one": {"agent": "ann", "description": "task:wait"},
		"two": {"agent": "ann", "description": "task:say <<{{one}}>>"}'
	killed wait
	assert_eq "$(jq -r .run.text out)" waited
	assert_eq "$(asked)" 2
}

@test "so is one that an agent's agent has asked for" {
	plan '"one": {"agent": "ann", "description": "task:bosswait"}' '' \
		'"agents": ["bob"]'
	killed wait
	assert_eq "$(jq -r .run.text out)" asked
	assert_eq "$(asked)" 3
}

@test "whoever is told to end does so, and what was asked is not kept" {
	plan '"one": {"agent": "ann", "description": "task:wait"}'
	ai-agent flow flow.json -m m --base-url "$STUB_URL" --run k x 3>&- \
		>/dev/null 2>&1 &
	until_asked wait
	kill -TERM $!
	wait $! || true
	touch "$BATS_FILE_TMPDIR/go"
	run --separate-stderr ai-agent resume k
	assert_status 0
	assert_eq "$(field .run.text)" '"waited"'
}

@test "with a workflow go the runs of its agents, but not what a fork names" {
	plan '"one": {"agent": "ann", "description": "task:boss"},
		"two": {"agent": "ann", "needs": ["one"], "description": "task:hi"}' \
		'' '"agents": ["bob"]'
	flow --run r x
	assert_eq "$(ledger 'SELECT count(*) FROM run')" 4
	run --separate-stderr ai-agent fork --run r2 r@2
	assert_eq "$(ledger 'SELECT count(*) FROM run')" 6
	# The fork's first step is that of r: ann, and bob below her.
	run --separate-stderr ai-agent rm r
	assert_status 0
	assert_has "$stderr" "with 'r' went 1 runs within it"
	assert_eq "$(ledger 'SELECT count(*) FROM run')" 4
	run --separate-stderr ai-agent replay r2
	assert_status 0
	run --separate-stderr ai-agent rm r2
	assert_has "$stderr" "with 'r2' went 3 runs within it"
	assert_eq "$(ledger 'SELECT (SELECT count(*) FROM run),
		(SELECT count(*) FROM step)')" '0|0'
	# One that went with another is no mistake.
	flow --run s x
	run --separate-stderr ai-agent rm s "$(ledger \
		"SELECT id FROM run WHERE id LIKE 'd-%' LIMIT 1")"
	assert_status 0
	run_sh "ai-agent history"
	assert_eq "$output" ""
	run --separate-stderr ai-agent rm s
	assert_status 64
}

@test "what notes have decided is not decided anew" {
	plan '"list": {"agent": "ann", "description": "task:list"},
		"each": {"agent": "bob", "description": "task:say <<{{item}}>>",
			"needs": ["list"], "map": {"over": "{{notes.go}}", "max": 9}},
		"one": {"agent": "ann", "needs": ["each"], "description": "task:no"},
		"two": {"agent": "bob", "needs": ["one"], "description": "task:hi",
			"when": {"not": {"value": "{{notes.go}}", "is": "no"}}},
		"loop": {"agent": "bob", "needs": ["two"], "loop": {"max": 2,
			"until": {"value": "{{notes.go}}", "is": "yes"}},
			"guardrail": {"value": "{{notes.go}}", "is": "no"},
			"description": "task:say <<round {{round}}>>"},
		"three": {"agent": "ann", "needs": ["loop"], "description": "task:yes"},
		"four": {"agent": "bob", "needs": ["three"], "description": "task:wait"}' \
		'"output": "{{each}} {{two}} {{loop}} {{four}}"' '"notes": true'
	ai-agent flow flow.json -m m --base-url "$STUB_URL" --run k x 3>&- \
		>/dev/null 2>&1 &
	until_asked wait
	kill -KILL $!
	wait $! || true
	touch "$BATS_FILE_TMPDIR/go"
	run --separate-stderr ai-agent resume k
	assert_status 0
	assert_eq "$(field .run.text)" '"[\"a\",\"b\"]  round 2 waited"'
	assert_eq "$(asked hi)" 0
	assert_eq "$(asked say)" 4
	run --separate-stderr ai-agent replay k
	assert_status 0
	assert_eq "$(field .run.text)" '"[\"a\",\"b\"]  round 2 waited"'
	run_sh "ai-agent show k | jq -c 'select(.intent.tool == \"decision\") |
		[.intent.step, .intent.arguments.of, .result.holds]'"
	assert_eq "$output" '["each[0=","{{notes.go}}",null]
["two=","not {{notes.go}} is \"no\"",false]
["loop#1?0=","{{notes.go}} is \"no\"",true]
["loop#1=","{{notes.go}} is \"yes\"",false]
["loop#2?0=","{{notes.go}} is \"no\"",true]
["loop#2=","{{notes.go}} is \"yes\"",false]'
}

# ill SECONDS: ann fails twice, and after that, for so long, is asked nothing;
# before her next task the workflow is killed.
ill() {
	plan '"one": {"agent": "ann", "description": "task:ill", "optional": true},
		"two": {"agent": "ann", "description": "task:ill two",
			"needs": ["one"], "optional": true},
		"three": {"agent": "bob", "description": "task:wait",
			"needs": ["two"]},
		"four": {"agent": "ann", "description": "task:hi",
			"needs": ["three"], "optional": true},
		"five": {"agent": "ann", "description": "task:say <<five>>",
			"needs": ["four"], "optional": true}' '' \
		"\"breaker\": {\"failures\": 2, \"seconds\": $1}"
	ai-agent flow flow.json -m m --base-url "$STUB_URL" --run k x 3>&- \
		>/dev/null 2>&1 &
	until_asked wait
	kill -KILL $!
	wait $! || true
	touch "$BATS_FILE_TMPDIR/go"
}

@test "an agent that has failed again and again is not asked by who goes on" {
	ill 600
	run --separate-stderr ai-agent resume k
	assert_status 0
	assert_eq "$(asked hi)$(asked say)" 00
	assert_has "$stderr" "has failed 2 times in a row and is asked nothing"
	assert_eq "$(field '.run.tasks | [.done, .failed]')" '[1,4]'
	# That it was not asked is no failure of its own.
	[[ $stderr != *"3 times"* ]]
}

@test "its rest goes on meanwhile; then one question finds out" {
	ill 1
	sleep 1.2
	run --separate-stderr ai-agent resume k
	assert_status 0
	assert_eq "$(asked hi)$(asked say)" 11
	assert_eq "$(field '.run.tasks | [.done, .failed]')" '[3,2]'
}

@test "a fork of an agent's run is one of its own, and can be gone on with" {
	plan '"one": {"agent": "ann", "description": "task:boss"}' '' \
		'"agents": ["bob"], "instructions": "Be brief."'
	flow --run r x
	assert_status 0
	local sub
	sub=$(ledger "SELECT id FROM run WHERE setup LIKE '%\"ann\"%' AND
		id LIKE 'd-%'")
	run --separate-stderr ai-agent fork --run f "$sub@2" -l turns=1
	assert_status 2
	assert_eq "$(field '[.run.id, .run.status]')" '["f","partial"]'
	ai-agent rm r
	echo '{}' >flow.json
	run --separate-stderr ai-agent resume -l turns=9 f
	assert_status 0
	assert_eq "$(field .run.text)" '"asked"'
	run --separate-stderr ai-agent replay f
	assert_status 0
	run --separate-stderr ai-agent fork --run g f@1
	assert_status 0
	assert_eq "$(field '[.run.id, .run.text]')" '["g","asked"]'
}

# How many calls of calc were done, and how many were refused by the whole.
calcs() {
	ledger "SELECT sum(result NOT LIKE '%any more in this workflow%'),
		sum(result LIKE '%any more in this workflow%') FROM step
		WHERE intent LIKE '{\"tool\":\"calc\"%'"
}

@test "calls of one tool are limited for all agents together" {
	local four='"a": {"agent": "ann", "description": "task:bosscalc"},
		"b": {"agent": "bob", "description": "task:calc b"},
		"c": {"agent": "ann", "description": "task:calc c"},
		"d": {"agent": "bob", "description": "task:calc d"}'
	plan "$four" '"limits": {"calls.calc": 6}' '"agents": ["bob"]'
	flow --run r x
	assert_status 0
	assert_eq "$(calcs)" '6|10'
	run --separate-stderr ai-agent replay r
	assert_status 0
	assert_eq "$(calcs)" '6|10'
	ai-agent rm r
	# The command line says another one; 0 is none.
	flow --run r --limit calls.calc=0 x
	assert_eq "$(calcs)" '0|16'
	ai-agent rm r
	flow --run r --limit calls.calc=15 --limit calls.ask_bob=0 x
	assert_eq "$(calcs)" '12|0'
	assert_eq "$(ledger "SELECT count(*) FROM step WHERE result LIKE
		'%ask_bob%any more in this workflow%'")" 1
}

@test "who goes on with a workflow has no more of them" {
	plan '"a": {"agent": "ann", "description": "task:calc"},
		"b": {"agent": "bob", "needs": ["a"], "description": "task:wait"},
		"c": {"agent": "ann", "needs": ["b"], "description": "task:calc"}' \
		'"limits": {"calls.calc": 5}'
	killed wait
	assert_eq "$(calcs)" '5|3'
	ai-agent rm k
	rm "$BATS_FILE_TMPDIR/go"
	: >"$STUB/log"
	ai-agent flow flow.json -m m --base-url "$STUB_URL" --run k x 3>&- \
		>/dev/null 2>&1 &
	until_asked wait
	kill -KILL $!
	wait $! || true
	touch "$BATS_FILE_TMPDIR/go"
	run --separate-stderr ai-agent resume --limit calls.calc=7 k
	assert_eq "$(calcs)" '7|1'
}

@test "a fork has the notes of its steps, and decides what comes behind them" {
	plan '"one": {"agent": "ann", "description": "task:yes"},
		"two": {"agent": "bob", "needs": ["one"], "description": "task:hi",
			"when": {"value": "{{notes.go}}", "is": "yes"}},
		"three": {"agent": "ann", "needs": ["two"], "description": "task:no"}' \
		'"output": "{{two}} {{notes.go}}"' '"notes": true'
	flow --run r x
	assert_eq "$(field .run.text)" '"Hello. no"'
	# After one; after the decision; with all.
	local n
	for n in 2 3 5; do
		run --separate-stderr ai-agent fork --run "f$n" "r@$n"
		assert_status 0
		assert_eq "$(field .run.text)" '"Hello. no"'
		run --separate-stderr ai-agent replay "f$n"
		assert_eq "$(field .run.text)" '"Hello. no"'
	done
	# A journal that was tampered with is no end that was good.
	ledger "UPDATE step SET result=replace(result, 'true', 'false') WHERE
		run=(SELECT n FROM run WHERE id='r') AND intent LIKE '%decision%'"
	run --separate-stderr ai-agent replay r
	assert_status 0
	assert_eq "$(field '.run.tasks.skipped')" 1
	ledger "DELETE FROM step WHERE n=4 AND
		run=(SELECT n FROM run WHERE id='r')"
	run --separate-stderr ai-agent replay r
	assert_status 65
	assert_has "$stderr" "does not lead to its end"
}

# whole LIMITS [TASK]: a workflow that uses nine turns and nine calls of ann.
whole() {
	plan "\"one\": {\"agent\": \"ann\", \"description\": \"task:${2-turns9}\"},
		\"two\": {\"agent\": \"bob\", \"description\": \"task:say <<{{one}}>>\"}" \
		"\"limits\": $1" '"agents": ["bob"]'
	flow --run w x
}

@test "turns, tokens and calls of the whole end it, and it goes on with more" {
	whole '{"turns": 3}'
	assert_status 2
	assert_eq "$(field '[.run.status, .run.limit, .error.code]')" \
		'["partial","turns","limit"]'
	assert_eq "$(asked)" 3
	assert_has "$(field .error.message)" "ai-agent resume --limit turns=N w"
	run --separate-stderr ai-agent resume --limit turns=7 w
	assert_eq "$(asked)" 7
	run --separate-stderr ai-agent resume --limit turns=11 w
	assert_status 0
	assert_eq "$(field .run.text)" '"end"'
	assert_eq "$(asked)" 11
	ai-agent rm w
	: >"$STUB/log"
	whole '{"calls": 2}'
	assert_eq "$(field '[.run.status, .run.limit]')" '["partial","calls"]'
	assert_eq "$(asked)" 3
	# What it has used so far is said as well.
	assert_eq "$(field '[.run.turns, .run.calls, .run.usage.input > 0]')" \
		'[3,3,true]'
	: >"$STUB/log"
	ai-agent rm w
	whole '{"tokens": 500}'
	assert_eq "$(field '[.run.status, .run.limit]')" '["partial","tokens"]'
	[ "$(asked)" -lt 8 ]
	# Those whom others ask count as well.
	ai-agent rm w
	whole '{"turns": 5}' bossturns
	assert_eq "$(field '[.run.status, .run.limit]')" '["partial","turns"]'
	run --separate-stderr ai-agent resume --limit turns=99 w
	assert_eq "$(field .run.text)" '"asked"'
}

@test "of what is under way at once each goes beyond by one reply at most" {
	plan '"one": {"agent": "ann", "description": "task:turns9 {{item}}",
		"map": {"over": "{{input}}", "max": 9}}' '"limits": {"turns": 9},
		"at_once": 6'
	run_sh "echo '{\"input\":[1,2,3,4,5,6]}' | ai-agent flow flow.json -m m \
		--base-url $STUB_URL --run w"
	assert_status 2
	assert_eq "$(field '[.run.status, .run.limit]')" '["partial","turns"]'
	[ "$(asked)" -ge 9 ]
	[ "$(asked)" -le 14 ]
}

@test "fanout and depth of the whole hold for each of its runs" {
	whole '{"fanout": 1}' many
	assert_status 0
	assert_eq "$(ledger "SELECT count(*) FROM run WHERE task LIKE '%task:say <<_>>%'")" 1
	ai-agent rm w
	whole '{"depth": 1}' many
	assert_status 0
	assert_eq "$(ledger "SELECT count(*) FROM run WHERE task LIKE '%task:say <<_>>%'")" 0
	ai-agent rm w
	whole '{"usd": 9}' many
	assert_eq "$(ledger "SELECT count(*) FROM run WHERE task LIKE '%task:say <<_>>%'")" 4
}

@test "that its own limits end it is no failure of an agent" {
	plan '"one": {"agent": "ann", "description": "task:{{item}}",
		"optional": true, "limits": {"turns": 2},
		"map": {"over": "{{input}}", "max": 9, "at_once": 1}}'
	run_sh "echo '{\"input\":[\"turns9 1\",\"turns9 2\",\"turns9 3\",\"turns9 4\",\"hi\"]}' |
		ai-agent flow flow.json -m m --base-url $STUB_URL --run w 2>err"
	assert_status 0
	assert_eq "$(field .run.text)" '"[null,null,null,null,\"Hello.\"]"'
	# To go on with its run would help nobody.
	assert_has "$(<err)" "the task 'one': item 0: the agent 'ann' has reached the limit 'turns'"
	[[ $(<err) != *resume* ]]
}

@test "why all items have failed is said" {
	plan '"one": {"agent": "ann", "description": "task:ill {{item}}",
		"optional": true, "map": {"over": "{{input}}", "max": 9, "at_once": 1}}'
	run_sh "echo '{\"input\":[1,2]}' | ai-agent flow flow.json -m m \
		--base-url $STUB_URL 2>err"
	assert_eq "$(field '.run.failures[0].why[0:55]')" \
		'"each of its 2 items has, such as item 0: the model gave"'
	assert_has "$(<err)" "is left out: each of its 2 items has, such as item 0"
}

@test "what has no good end gives what there is" {
	plan '"one": {"agent": "ann", "description": "task:hi"},
		"two": {"agent": "ann", "needs": ["one"], "description": "task:hi 2"},
		"three": {"agent": "ann", "needs": ["two"], "description": "task:hi 3"}' \
		'"limits": {"turns": 2}, "output": "{{one}}|{{two}}|{{three}}"'
	flow --run a x
	assert_eq "$(field '[.run.status, .run.text]')" '["partial","Hello.|Hello.|"]'
	plan '"one": {"agent": "ann", "description": "task:hi"},
		"two": {"agent": "ann", "description": "task:turns9 <<{{one}}>>"}' \
		'"limits": {"turns": 3}'
	flow --run b x
	assert_eq "$(field '[.run.status, .run.text]')" '["partial","Hello."]'
	plan '"one": {"agent": "ann", "description": "task:hi", "retries": 1,
		"guardrail": {"contains": "Bye"}}'
	flow --run c x
	assert_eq "$(field '[.run.status, .run.text]')" '["failed","Hello."]'
}

@test "who was told to end says nothing of its agents' ends" {
	plan '"one": {"agent": "ann", "description": "task:wait"}'
	# Below nohup nobody would listen to it.
	env --default-signal=HUP ai-agent flow flow.json -m m \
		--base-url "$STUB_URL" --run k x 3>&- >/dev/null 2>err &
	until_asked wait
	kill -HUP $!
	wait $! || true
	[[ $(<err) != *SIGTERM* && $(<err) != *d-* ]]
}

@test "of several that wait those are decided about that the word fits" {
	plan '"one": {"agent": "ann", "description": "task:askuser"},
		"two": {"agent": "ann", "description": "task:write"},
		"three": {"agent": "ann", "description": "task:askuser 3"}' \
		'"output": "{{one}} {{two}} {{three}}"' \
		'"with": ["ask_user", "write_file"]'
	mkdir work
	flow --run p -C work x
	assert_status 4
	run --separate-stderr ai-agent approve p --done
	assert_status 64
	assert_has "$stderr" "is a question: 'ai-agent approve p@1 --answer TEXT'"
	run --separate-stderr ai-agent approve p@2 --answer blue
	assert_status 64
	assert_has "$stderr" "step 2 waits to be allowed: 'ai-agent approve p@2' or 'deny'"
	run --separate-stderr ai-agent approve p@3 --answer green
	assert_status 4
	assert_eq "$(field .run.tasks.done)" 1
	run --separate-stderr ai-agent approve p
	assert_status 4
	assert_eq "$(<work/out.txt)" x
	run --separate-stderr ai-agent approve p --answer blue
	assert_status 0
	assert_eq "$(field .run.text)" '"You said blue. written You said green."'
}
