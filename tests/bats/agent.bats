#!/usr/bin/env bats
# ai-agent: the loop, its limits, approval, what people do with runs. The model
# is tests/stub/agent-model.mjs, which plays scripts.
load helper
load ../stub/stub

setup_file() {
	cat >"$BATS_FILE_TMPDIR/script.json" <<'END'
{
"sum": [{"calls": [{"name": "calc", "arguments": {"expression": "6*7"}}]},
	{"text": "It is {{calc~(\\d+)}}."}],
"talk": [{"text": "Hello."}],
"both": [{"text": "I look.", "calls": [
	{"name": "read_file", "arguments": {"path": "a.txt"}},
	{"name": "list_files", "arguments": {}}]},
	{"text": "{{read_file~(deep \\w+)}}"}],
"write": [{"calls": [{"name": "write_file", "arguments":
	{"path": "out.txt", "content": "x\n"}}]}, {"text": "written"}],
"two": [{"calls": [
	{"name": "write_file", "arguments": {"path": "1", "content": "1"}},
	{"name": "write_file", "arguments": {"path": "2", "content": "2"}}]},
	{"text": "written"}],
"leave": [{"calls": [{"name": "read_file", "arguments":
	{"path": "../secret"}}]}, {"text": "{{read_file~([^<>]+)}}"}],
"unknown": [{"calls": [{"name": "fly", "arguments": {}}]},
	{"text": "{{There is no tool [^ ]*}}"}],
"broken": [{"calls": [{"name": "calc", "arguments": "{\"expression\":"}]},
	{"text": "I am sorry."}],
"wrong": [{"calls": [{"name": "calc", "arguments": {"expr": 1}}]},
	{"text": "{{cannot be used: .*}}"}],
"silent": [{"text": ""}, {"text": ""}, {"text": ""}, {"text": ""}],
"once": [{"text": ""}, {"text": "Now I speak."}],
"many": [{"calls": [{"name": "calc", "arguments": {"expression": "1"},
	"times": 1000}]}, {"text": "I am sorry."}],
"ask": [{"calls": [{"name": "ask_user", "arguments":
	{"question": "Which colour?"}}]}, {"text": "You like {{ask_user~(\\w+)}}."}],
"find": [{"calls": [{"name": "search_documents", "arguments":
	{"query": "boiler"}}]}, {"text": "{{serviced in \\w+}}"}],
"part": [{"calls": [{"name": "delegate", "arguments":
	{"task": "task:sum please"}}]}, {"text": "They say: {{delegate~It is \\d+}}"}],
"twins": [{"calls": [
	{"name": "calc", "arguments": {"expression": "1+1"}, "id": "x"},
	{"name": "calc", "arguments": {"expression": "2+2"}, "id": "x"}]},
	{"text": "both"}],
"refused": [{"status": 400, "body": {"error": {"message": "no"}}}],
"down": [{"status": 500, "body": {"error": {"message": "no"}}}],
"late": [{"calls": [{"name": "s__bad", "arguments": {"how": "notify"}}]},
	{"text": "fine"}],
"fine": [{"text": "fine"}]
}
END
	jq '.long = [{calls: [{name: "list_files",
		arguments: {path: ("x" * (5 * 1024 * 1024))}}]}]' \
		"$BATS_FILE_TMPDIR/script.json" >"$BATS_FILE_TMPDIR/all.json"
	model_start "$BATS_FILE_TMPDIR/all.json"
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	: >"$STUB/log"
	mkdir work
	echo 'in deep water' >work/a.txt
	echo 'not for you' >secret
}

# agent ARG...: with the scripted model.
agent() {
	run --separate-stderr ai-agent -m m --base-url "$STUB_URL" "$@"
}

# field PATH: of the record that was written.
field() {
	jq -c "$1" <<<"$output"
}

@test "a task becomes a run, and the record keeps what it had" {
	run_sh "printf '%s\n' '{\"id\":7,\"task\":\"task:sum now\",\"n\":1.50}' |
		ai-agent -m m --base-url $STUB_URL"
	assert_status 0
	assert_has "$output" '{"id":7,"task":"task:sum now","n":1.50,"run":{'
	assert_eq "$(field '.run | [.status, .text, .steps, .turns, .calls, .limit]')" \
		'["done","It is 42.",3,2,1,null]'
	refute_eq "$(field .run.usage.input)" 0
}

@test "words are a task, -r writes the answer alone" {
	agent -r task:talk to me
	assert_status 0
	assert_eq "$output" "Hello."
}

@test "text, messages, -p" {
	run_sh "printf '%s\n' '{\"text\":\"task:talk\"}' \
		'{\"messages\":[{\"role\":\"user\",\"content\":\"task:talk\"}]}' |
		ai-agent -m m --base-url $STUB_URL | jq -r .run.text"
	assert_eq "$output" $'Hello.\nHello.'
	run_sh "echo '{\"a\":{\"b\":\"task:talk\"}}' |
		ai-agent -m m --base-url $STUB_URL -p a.b -r"
	assert_eq "$output" "Hello."
}

@test "what is no task is an error that says so" {
	run_sh "printf '%s\n' '{\"id\":1}' '{\"task\":\"\"}' '{\"task\":3}' \
		'{\"messages\":[]}' '{\"task\":\"x\",\"tools\":3}' \
		'{\"task\":\"x\",\"limits\":{\"turn\":3}}' no |
		ai-agent -m m --base-url $STUB_URL -q | jq -r .error.message"
	assert_eq "$output" "there is no task: no member task, text or messages
the task is empty
the member 'task' is not a string
messages is empty
tools is no list of names
limits.'turn' is no limit; did you mean 'turns'?
a value is expected at byte 1"
}

@test "tools of the workdir run side by side; nothing leads out of it" {
	agent -C work -r task:both
	assert_status 0
	assert_eq "$output" "deep water"
	agent -C work -r task:leave
	refute_has "$output" "not for you"
}

@test "a task can have less than there is, never more" {
	run_sh "echo '{\"task\":\"task:sum\",\"tools\":[]}' |
		ai-agent -m m --base-url $STUB_URL --run less | jq -r .run.status"
	assert_eq "$output" "done"
	run_sh "ai-agent show less | jq -r '.result.error // empty'"
	assert_has "$output" "the record offers no tools"
	run_sh "echo '{\"task\":\"task:sum\",\"tools\":[\"read_file\"]}' |
		ai-agent -m m --base-url $STUB_URL -C work --run less2 | jq -r .run.status"
	assert_eq "$output" "done"
	run_sh "ai-agent show less2 | jq -r '.result.text // empty'"
	assert_has "$output" "There is no tool 'calc'. There are: read_file"
	run_sh "echo '{\"task\":\"task:sum\",\"limits\":{\"turns\":1}}' |
		ai-agent -m m --base-url $STUB_URL -l turns=5"
	assert_status 2
	assert_eq "$(field '[.run.limit, .error.code]')" '["turns","limit"]'
	run_sh "echo '{\"task\":\"task:sum\",\"limits\":{\"turns\":9}}' |
		ai-agent -m m --base-url $STUB_URL -l turns=1"
	assert_eq "$(field .run.limit)" '"turns"'
}

@test "a model that calls what there is not, or wrongly, is told" {
	agent -r task:unknown
	assert_eq "$output" "There is no tool 'fly'."
	agent -r task:wrong
	assert_has "$output" "expr"
	agent -r task:broken
	assert_status 0
	assert_eq "$output" "I am sorry."
	agent -r task:many
	assert_status 0
	assert_eq "$output" "I am sorry."
}

@test "a model that says nothing is asked again, and not for ever" {
	agent -r task:once
	assert_eq "$output" "Now I speak."
	agent task:silent
	assert_status 2
	assert_eq "$(field '[.run.status, .error.code]')" '["failed","invalid_answer"]'
}

@test "without a terminal a write waits for a person" {
	agent -C work --with write_file --run w task:write
	assert_status 4
	[ ! -e work/out.txt ]
	assert_eq "$(field '[.run.status, .error.code, .run.waiting[0].tool]')" \
		'["parked","parked","write_file"]'
	agent -C work --with write_file --run w task:write
	assert_status 4
	run --separate-stderr ai-agent approve w -r
	assert_status 0
	assert_eq "$output" written
	assert_eq "$(cat work/out.txt)" x
	run --separate-stderr ai-agent approve w
	assert_status 64
	assert_has "$stderr" "nothing in the run 'w' waits for a decision"
}

@test "a person says no, and to one of two" {
	agent -C work --with write_file --run w task:two
	assert_status 4
	run --separate-stderr ai-agent deny w@2
	assert_status 4
	run --separate-stderr ai-agent approve w@3
	assert_status 0
	[ ! -e work/1 ]
	[ -e work/2 ]
	run_sh "ai-agent show w | jq -r 'select(.step == 2) | .result.text'"
	assert_has "$output" "not allowed"
}

@test "a command approves" {
	agent -C work --with write_file --approve 'cat >asked; exit 0' -r task:write
	assert_eq "$output" written
	assert_eq "$(jq -c '[.tool, .arguments.path, .writes]' asked)" \
		'["write_file","out.txt",true]'
	rm work/out.txt
	agent -C work --with write_file --approve 'exit 1' task:write
	assert_status 0
	agent -C work --with write_file --approve 'exit 2' task:write
	assert_status 4
	[ ! -e work/out.txt ]
	agent --approve alway task:talk
	assert_has "$stderr" "did you mean 'always'?"
	agent --approve always task:sum
	assert_status 4
	agent -C work --with write_file --approve never -r task:write
	assert_eq "$(cat work/out.txt)" x
}

@test "a question to the user parks, and its answer goes on" {
	agent --with ask_user --run q task:ask
	assert_status 4
	assert_has "$(field .run.waiting[0].why)" "Which colour?"
	run --separate-stderr ai-agent approve q
	assert_status 64
	assert_has "$stderr" "step 2 is a question: 'ai-agent approve q@2 --answer TEXT'"
	run --separate-stderr ai-agent approve q --answer green -r
	assert_eq "$output" "You like green."
}

@test "an index is looked up through ai-search" {
	echo '{"text":"The boiler is serviced in May."}' | ai-embed |
		ai-search add -i idx
	agent -i idx -r task:find
	assert_status 0
	assert_eq "$output" "serviced in May"
}

@test "a run within the run" {
	agent --delegate --run outer -r task:part
	assert_status 0
	assert_eq "$output" "They say: It is 42"
	run_sh "ai-agent history | jq -r '[.root, .status] | @csv' | sort | uniq -c"
	assert_has "$output" '2 "outer","done"'
	agent --delegate -l depth=0 task:part
	run_sh "ai-agent tools --delegate -l depth=0 | jq -r .name"
	assert_eq "$output" calc
}

@test "a run of a name is gone on with, and its answer kept" {
	agent --run job -r task:sum
	assert_eq "$output" "It is 42."
	n=$(wc -l <"$STUB/log")
	agent --run job -r task:sum
	assert_eq "$output" "It is 42."
	assert_eq "$(wc -l <"$STUB/log")" "$n"
	agent --run job -q -r task:talk
	assert_status 2
	assert_has "$stderr" "the run 'job' was begun with another task"
}

@test "replay asks nobody, and writes the same record" {
	agent --run job task:sum
	first=$(field '.run | del(.seconds)')
	: >"$STUB/log"
	run --separate-stderr ai-agent replay job
	assert_status 0
	assert_eq "$(field '.run | del(.seconds)')" "$first"
	[ ! -s "$STUB/log" ]
}

@test "fork begins with the steps before one" {
	agent -C work --with write_file --approve never --run job task:write
	rm work/out.txt
	run --separate-stderr ai-agent fork job@3 --run new -r
	assert_eq "$output" written
	[ ! -e work/out.txt ]
	run --separate-stderr ai-agent fork job@2 --run newer -r
	assert_eq "$output" written
	[ -e work/out.txt ]
	run --separate-stderr ai-agent fork job@99
	assert_status 64
	assert_has "$stderr" "has only 3 steps"
}

@test "a limit that is raised lets a run go on" {
	agent --run job -l turns=1 task:sum
	assert_status 2
	run --separate-stderr ai-agent resume job -l turns=5 -r
	assert_status 0
	assert_eq "$output" "It is 42."
}

@test "a provider that is down pauses the run" {
	AI_RETRIES=0 agent --run job task:down
	assert_status 69
	assert_eq "$(field .run.status)" '"paused"'
	run_sh "ai-agent history | jq -r .status"
	assert_eq "$output" paused
	run --separate-stderr ai-agent resume --all
	assert_has "$output" '"id":"job"'
}

@test "history, show and rm" {
	agent --run one task:sum
	agent --run two task:talk
	run_sh "ai-agent history | jq -r '[.id, .status, .steps] | @csv'"
	assert_eq "$output" '"one","done",3
"two","done",1'
	run_sh "ai-agent history -r"
	assert_has "$output" "task:sum"
	run_sh "ai-agent show one | jq -r '[.step, .kind, .state] | @csv'"
	assert_eq "$output" '1,"model","done"
2,"call","done"
3,"model","done"'
	run_sh "ai-agent show o -r"
	assert_has "$output" 'gave: '
	assert_has "$output" 'It is 42.'
	run --separate-stderr ai-agent rm one two
	assert_status 0
	run_sh "ai-agent history"
	assert_eq "$output" ""
	run --separate-stderr ai-agent show one
	assert_status 64
	assert_has "$stderr" "there is no run 'one'"
}

@test "a terminal sees no control characters of a model" {
	printf '{"task":"task:talk \\u001b]0;x\\u0007 \\u202e"}\n' |
		ai-agent -m m --base-url "$STUB_URL" --run job >/dev/null
	run_sh "ai-agent show job -r; ai-agent history -r"
	refute_has "$output" $'\e'
	refute_has "$output" $'\u202e'
	assert_has "$output" '\x1b'
}

@test "an answer does not stand for a call that is to be allowed" {
	agent -C work --with write_file --run w task:write
	run --separate-stderr ai-agent approve w --answer x
	assert_status 64
	assert_has "$stderr" "step 2 waits to be allowed"
	run --separate-stderr ai-agent approve w --done
	assert_status 64
	run --separate-stderr ai-agent approve w --done --again
	assert_has "$stderr" "are one or the other"
}

@test "two calls of one id are told apart" {
	agent -r task:twins
	assert_status 0
	assert_eq "$output" both
}

@test "a run that has failed is gone on with as what it is" {
	agent --run f task:refused
	assert_status 2
	first=$(field '[.run.status, .error.code, .error.message]')
	assert_has "$first" '"failed","request_rejected"'
	for verb in resume replay; do
		run --separate-stderr ai-agent "$verb" f
		assert_status 2
		assert_eq "$(field '[.run.status, .error.code, .error.message]')" \
			"$first"
	done
	agent --run p -l turns=1 task:sum
	run --separate-stderr ai-agent replay p
	assert_eq "$(field '[.run.status, .run.limit]')" '["partial","turns"]'
}

@test "a run goes on where it was begun" {
	mkdir elsewhere
	cd work
	AI_MODEL=m run --separate-stderr ai-agent --base-url "$STUB_URL" \
		--with read_file --run r -l turns=1 task:both
	cd ../elsewhere
	run --separate-stderr ai-agent resume r -l turns=5 -r
	assert_status 0
	assert_eq "$output" "deep water"
}

@test "without a ledger there are no runs" {
	agent --ledger none task:talk
	assert_status 78
	assert_has "$stderr" "keeps its runs in the ledger"
}

@test "options that mean nothing here" {
	agent --done task:talk
	assert_status 64
	assert_has "$stderr" "--done means nothing here"
	agent -l turn=3 task:talk
	assert_status 64
	assert_has "$stderr" "did you mean 'turns'?"
	agent -l turns=x task:talk
	assert_has "$stderr" "'x' is no such limit"
	agent --run 'a b' -q -r task:talk
	assert_has "$stderr" "the id of a run is"
}

@test "several at once" {
	run_sh "for i in 1 2 3 4 5 6 7 8; do
			echo '{\"id\":'\$i',\"task\":\"task:sum\"}'; done |
		ai-agent -m m --base-url $STUB_URL -j 4 |
		jq -c '[.id, .run.text]'"
	assert_status 0
	assert_eq "$output" '[1,"It is 42."]
[2,"It is 42."]
[3,"It is 42."]
[4,"It is 42."]
[5,"It is 42."]
[6,"It is 42."]
[7,"It is 42."]
[8,"It is 42."]'
}

@test "what it costs is the ledger's" {
	AI_PRICE=1,2 agent --run job task:sum
	cost=$(field .run.cost_usd)
	run_sh "ai-cost report --by run --format json | jq -c 'select(.run == \"job\") | .spent_usd'"
	assert_eq "$output" "$cost"
	run_sh "ai-cost budget show | jq -r .scope"
	refute_has "$output" run
	run_sh "ai-cost ledger check"
	assert_status 0
}

@test "a server whose list does not come holds a run no longer than its time" {
	jq -n --arg bad "$SRCDIR/tests/stub/mcp-bad.mjs" '{mcpServers: {s: {
		command: "node", args: [$bad, "lazy"], start_timeout_s: 60}}}' \
		>tools.json
	SECONDS=0
	agent -t tools.json --approve never --taint off -l seconds=5 task:late
	assert_status 2
	assert_eq "$(field .run.limit)" '"seconds"'
	assert [ "$SECONDS" -lt 50 ]
	jq '.mcpServers.s.start_timeout_s = 1' tools.json >short.json
	agent -t short.json --approve never --taint off -r task:late
	assert_eq "$output" fine
}

@test "ai-search or ai-guard that hangs holds a run no longer than its time" {
	local hangs
	echo '{"id":"1","text":"The boiler was serviced in May."}' |
		ai-search add -i idx -m local/hash
	export AI_DATADIR=$BUILDDIR/share/aiutils
	for hangs in search guard; do
		mkdir "$hangs"
		for p in agent complete search guard; do
			cp "$BUILDDIR/bin/ai-$p" "$hangs/"
		done
		printf '#!/bin/sh\nexec sleep 100\n' >"$hangs/ai-$hangs"
		SECONDS=0
		run --separate-stderr "$hangs/ai-agent" -m m --base-url "$STUB_URL" \
			-i idx -l seconds=5 --run "$hangs" task:find
		assert_status 2
		assert_eq "$(field .run.limit)" '"seconds"'
		assert [ "$SECONDS" -lt 60 ]
	done
	assert_has "$(ai-agent show guard)" "this result is withheld"
	run --separate-stderr ai-agent resume search -l seconds=99 -r
	assert_status 0
}

@test "a look-up that SIGTERM cuts short is done again, and no failure" {
	local pid
	echo '{"id":"1","text":"The boiler was serviced in May."}' |
		ai-search add -i idx -m local/hash
	export AI_DATADIR=$BUILDDIR/share/aiutils
	mkdir slow
	for p in agent complete guard; do
		cp "$BUILDDIR/bin/ai-$p" slow/
	done
	printf '#!/bin/sh\n>asked\nexec sleep 100\n' >slow/ai-search
	chmod +x slow/ai-search
	slow/ai-agent -m m --base-url "$STUB_URL" -i idx --run cut task:find \
		>out 2>&1 3>&- &
	pid=$!
	for ((i = 0; i < 600; i++)); do
		[ ! -e asked ] || break
		sleep 0.05
	done
	kill -TERM $pid
	wait $pid || :
	run --separate-stderr ai-agent resume cut
	assert_status 0
	run_sh "ai-agent show cut | jq -r 'select(.kind == \"call\") | .result.text'"
	assert_has "$output" "The boiler was serviced in May."
}

@test "arguments that are too long are said to be" {
	agent -C work -r --approve never task:long
	assert_has "$output" "at most 4194304 are allowed"
}
