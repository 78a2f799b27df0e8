#!/usr/bin/env bats
# ai-agent's runs: signals, several at once, and what is gone on with.
load helper
load ../stub/stub

setup_file() {
	cat >"$BATS_FILE_TMPDIR/script.json" <<'END'
{
"sum": [{"calls": [{"name": "calc", "arguments": {"expression": "6*7"}}]},
	{"text": "It is {{calc~(\\d+)}}."}],
"speak": [{"calls": [{"name": "speak", "arguments": {}}]},
	{"text": "{{speak~said \\w+}}"}],
"pay": [{"calls": [{"name": "pay", "arguments": {}}]},
	{"text": "{{pay~paid|This was done}}"}],
"write": [{"calls": [{"name": "write_file", "arguments":
	{"path": "out.txt", "content": "x"}}]}, {"text": "written"}],
"slow": [{"delay_ms": 1500, "calls": [{"name": "calc",
	"arguments": {"expression": "6*7"}}]}, {"text": "It is {{calc~(\\d+)}}."}]
}
END
	model_start "$BATS_FILE_TMPDIR/script.json"
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	: >"$STUB/log"
}

# signalled NAME RUN: a run whose model is slow, ended by this signal.
signalled() {
	local i
	: >"$STUB/log"
	# A shell's background ignores SIGINT; env undoes it.
	env --default-signal="$1" ai-agent -m m --base-url "$STUB_URL" \
		--run "$2" task:slow >out 2>err &
	pid=$!
	for ((i = 0; i < 400; i++)); do
		[ ! -s "$STUB/log" ] || break
		sleep 0.05
	done
	kill -"$1" "$pid"
	status=0
	wait "$pid" || status=$?
}

@test "a signal pauses a run, which goes on with what was under way" {
	signalled INT i
	assert_status 130
	assert_eq "$(jq -c '[.run.status, .run.turns, .error.code]' out)" \
		'["paused",1,"try_later"]'
	run_sh "ai-agent resume i -r"
	assert_eq "$output" "It is 42."
}

@test "SIGTERM does not wait for the model" {
	signalled TERM t
	assert_status 143
	assert_eq "$(jq -c '[.run.status, .run.turns]' out)" '["paused",0]'
}

@test "-j works on several tasks at once" {
	printf '%s\n' '{"task":"task:slow"}' '{"task":"task:slow"}' >in
	ai-agent -m m --base-url "$STUB_URL" -j 2 <in >out
	# The second was asked about before the first had its answer.
	run_sh "jq -r '.n // \"end\"' $STUB/log | head -2 | tr '\n' ' '"
	refute_has "$output" end
}

@test "a run that is gone on with keeps the limits it was begun with" {
	echo '{"task":"task:sum","limits":{"turns":1,"usd":0.01}}' |
		ai-agent -m m --base-url "$STUB_URL" --run l -l usd=5 -l calls=7 -q \
			>/dev/null || :
	run_sh "ai-agent resume l -q"
	assert_status 2
	assert_eq "$(jq -r .run.limit <<<"$output")" turns
	run_sh "ai-agent resume l -l turns=9 -r"
	assert_eq "$output" "It is 42."
}

@test "a ledger that has moved is the one that is named now" {
	ai-agent -m m --base-url "$STUB_URL" --ledger l --run e -l turns=1 -q \
		task:sum >/dev/null || :
	mkdir elsewhere
	mv l* elsewhere
	run_sh "AI_LEDGER=$PWD/elsewhere/l ai-agent resume e -l turns=9 -r"
	assert_eq "$output" "It is 42."
	[ ! -e l ]
}

@test "what is allowed is the tool that was asked about" {
	speak() {
		jq -n --arg say "$1" '{tools: [{name: "speak", description: "speaks",
			command: ["echo", "said", $say]}]}' >tools.json
	}
	speak one
	run --separate-stderr ai-agent -m m --base-url "$STUB_URL" \
		--tools tools.json --run s task:speak
	assert_status 4
	speak another
	run --separate-stderr ai-agent approve s
	assert_status 4
	assert_has "$output" "the tool has been changed since it was asked for"
	run --separate-stderr ai-agent approve s -r
	assert_status 0
	assert_eq "$output" "said another"
}

# paying EFFECT: a run named job of a tool that pays and then takes its time;
# its process stands in $pid when it has paid.
paying() {
	cat >pay <<'END'
#!/bin/sh
echo "$AI_IDEMPOTENCY_KEY" >>paid
[ -e fast ] || sleep 60
echo paid
END
	printf '#!/bin/sh\ngrep -q "$AI_IDEMPOTENCY_KEY" paid\n' >look
	chmod +x pay look
	jq -n --argjson effect "$1" --arg dir "$PWD" '{tools: [{name: "pay",
		description: "pays", command: ["\($dir)/pay"], effect: $effect,
		sandbox: {write: ["."]}}]}' >tools.json
	ai-agent -m m --base-url "$STUB_URL" --tools tools.json --run job \
		--approve never task:pay >out 2>err &
	pid=$!
	timeout 20 sh -c "until [ -s paid ]; do sleep 0.05; done"
}

@test "a fork behind a call whose end nobody saw waits for a decision" {
	paying '"once"'
	run --separate-stderr ai-agent fork job --run early
	assert_status 75
	assert_has "$stderr" "step 2 of the run 'job' is under way"
	kill -9 "$pid"
	wait "$pid" || :
	touch fast
	run --separate-stderr ai-agent fork job --run new
	assert_status 4
	assert_eq "$(wc -l <paid)" 1
	run --separate-stderr ai-agent approve new
	assert_status 64
	assert_has "$stderr" "is a call whose end nobody saw"
	run --separate-stderr ai-agent approve new --again -r
	assert_status 0
	assert_eq "$output" paid
	assert_eq "$(sort -u paid | wc -l)" 2
	run --separate-stderr ai-agent fork job --run newer
	run --separate-stderr ai-agent approve newer --done -r
	assert_eq "$output" "This was done"
	assert_eq "$(wc -l <paid)" 2
}

@test "a fork finds out under the older run's key what can be found out" {
	paying "$(jq -n --arg dir "$PWD" '{verify: ["\($dir)/look"]}')"
	kill -9 "$pid"
	wait "$pid" || :
	touch fast
	run --separate-stderr ai-agent fork job --run new
	assert_status 0
	assert_eq "$(wc -l <paid)" 1
	: >paid
	run --separate-stderr ai-agent fork job --run newer -r
	assert_status 0
	assert_eq "$output" paid
	first=$(cat paid)
	: >paid
	run --separate-stderr ai-agent resume job -r
	assert_eq "$output" paid
	[ "$(cat paid)" != "$first" ]
}

@test "names of runs are whole, or refused before anything is paid for" {
	long=$(printf 'n%.0s' {1..42})
	printf '{"task":"task:sum"}\n%.0s' 1 2 |
		ai-agent -m m --base-url "$STUB_URL" --run "$long" >out
	assert_eq "$(jq -r .run.id out | tr '\n' ' ')" "$long $long.2 "
	: >"$STUB/log"
	run_sh "echo '{\"task\":\"task:sum\"}' | ai-agent -m m \
		--base-url $STUB_URL --run ${long}o"
	assert_status 64
	assert_has "$stderr" "for records a name has at most 42 bytes"
	[ ! -s "$STUB/log" ]
	run --separate-stderr ai-agent -m m --base-url "$STUB_URL" \
		--run "$long${long:21}" task:sum
	assert_eq "$(jq -r .run.id <<<"$output")" "$long${long:21}"
	run --separate-stderr ai-agent fork "$long" --run "$long${long:20}"
	assert_status 64
	assert_has "$stderr" "a run's name has at most 63 bytes"
}

# tool NAME: a tools file with one that says its name.
tool() {
	jq -n --arg name "$1" '{tools: [{name: $name, description: "speaks",
		command: ["echo", $name], effect: "pure"}]}' >"$1.json"
}

# offered: the tools that the model was offered last.
offered() {
	stub_log 'select(.body) | [.body.tools[].function.name] | sort |
		join(" ")' | tail -1 | tr -d '"'
}

@test "a run that is gone on with has the tools that it was begun with" {
	tool one
	tool two
	tool three
	touch "$STUB/bodies"
	export AI_CONFIG=$PWD/config.json
	config=$AI_CONFIG
	configured() {
		jq -n '{agent: {tools: $ARGS.positional, with: ["calc"],
			model: "m"}}' --args "$@" >"$config"
	}
	configured "$PWD/one.json"
	begin() {
		ai-agent --base-url "$STUB_URL" --run "$1" -l turns=1 -q \
			"${@:2}" task:sum >out || :
	}
	begin given --tools two.json
	assert_eq "$(offered)" "calc two"
	begin configured
	assert_eq "$(offered)" "calc one"
	echo '{}' >"$config"
	begin bare -m m
	assert_eq "$(offered)" calc
	configured "$PWD/one.json" "$PWD/three.json"
	for run in "given calc two" "configured calc one" "bare calc"; do
		: >"$STUB/log"
		run_sh "ai-agent resume ${run%% *} -l turns=9 -r"
		assert_eq "$output" "It is 42."
		assert_eq "$(offered)" "${run#* }"
	done
	begin more
	run_sh "ai-agent resume more -l turns=9 -r --tools two.json"
	assert_eq "$(offered)" "calc two"
	rm "$STUB/bodies"
}

@test "folders for temporary files: the dead leave none, the living keep theirs" {
	mkdir tmp
	export TMPDIR=$PWD/tmp
	# What only looks like one stays.
	mkdir -m 755 tmp/ai-agent-public
	mkdir -m 700 tmp/ai-agent-longername elsewhere
	ln -s "$PWD/elsewhere" tmp/ai-agent-linked
	touch elsewhere/kept
	paying '"idempotent"'
	living=$(find tmp -mindepth 1 -newer pay -name 'ai-agent-??????' -perm 700 \
		-type d)
	[ -d "$living" ]
	mkdir -m 700 tmp/ai-agent-abcdef
	ln -s "$PWD/elsewhere" tmp/ai-agent-abcdef/link
	touch fast
	run --separate-stderr ai-agent -m m --base-url "$STUB_URL" \
		--tools tools.json --run other --approve never -r task:pay
	assert_eq "$output" paid
	[ -d "$living" ]
	[ ! -e tmp/ai-agent-abcdef ]
	kill -9 "$pid"
	wait "$pid" || :
	[ -d "$living" ]
	run --separate-stderr ai-agent resume job -r
	assert_eq "$output" paid
	assert_eq "$(find tmp -mindepth 1 -printf '%P\n' | sort | xargs)" \
		"ai-agent-linked ai-agent-longername ai-agent-public"
	[ -e elsewhere/kept ]
}

@test "a verb behind options is no task to pay for" {
	behind() {
		run --separate-stderr ai-agent -m m --base-url "$STUB_URL" "$@"
	}
	for words in "resume x" "resume --all" "approve x@3" "deny x" history \
		"show x" "replay x" "fork x@2" "rm x y" tools; do
		# shellcheck disable=SC2086 # they are words
		behind $words
		assert_status 64
		assert_has "$stderr" "write 'ai-agent ${words%% *} ...' with the"
	done
	[ ! -s "$STUB/log" ]
	behind "resume x"
	assert_has "$output" '"status":"done"'
	behind resume work on task:sum
	assert_has "$output" "It is 42."
	behind -r -- show it: task:sum
	assert_eq "$output" "It is 42."
	run --separate-stderr ai-agent history -m m
	assert_status 0
}

@test "approve and deny at the same moment: who goes on has had the word" {
	local i
	mkdir work
	for i in 1 2 3 4 5 6; do
		run ai-agent -m m --base-url "$STUB_URL" -C work \
			--with write_file --run "w$i" task:write </dev/null
		ai-agent approve "w$i" >yes 2>&1 &
		pid=$!
		status=0
		ai-agent deny "w$i" >no 2>&1 || status=$?
		wait "$pid" || :
		if [ "$status" -eq 0 ]; then
			[ ! -e work/out.txt ]
		else
			[ -e work/out.txt ]
		fi
		rm -f work/out.txt
	done
}

@test "resume --all twice at once goes on with each run once" {
	local i
	for i in 1 2 3; do
		signalled INT "p$i"
	done
	ai-agent resume --all >a 2>a.err &
	pid=$!
	ai-agent resume --all >b 2>b.err || :
	wait "$pid" || :
	assert_eq "$(cat a b | jq -r 'select(.run.status == "done") | .run.id' |
		sort | tr '\n' ' ')" "p1 p2 p3 "
	assert_eq "$(ai-agent history | jq -r .status | sort -u)" "done"
}

@test "resume --all hands its options on" {
	signalled INT p
	run --separate-stderr ai-agent resume --all --limit turns=1
	assert_status 2
	assert_eq "$(jq -r .run.limit <<<"$output")" turns
	assert_has "$stderr" "the run 'p' ended with status 2"
	run --separate-stderr ai-agent resume p -r --limit turns=5
	assert_eq "$output" "It is 42."
}

@test "where nothing was run, history is empty" {
	run --separate-stderr ai-agent history
	assert_status 0
	assert_eq "$output$stderr" ""
	run --separate-stderr ai-agent show x
	assert_status 64
	assert_has "$stderr" "there is no ledger yet"
	run --separate-stderr ai-agent history --ledger none
	assert_status 64
	[ ! -e state ]
}

@test "a run whose person is forgotten while it is worked on leaves nothing" {
	ai-agent -m m --base-url "$STUB_URL" --run live --user eve task:slow \
		>out 2>err &
	pid=$!
	sleep 0.7
	ai-cost forget --user eve
	status=0
	wait "$pid" || status=$?
	assert_status 2
	assert_eq "$(jq -r .error.message out)" "the run 'live' is not in the \
ledger any more: somebody has removed it"
	assert_eq "$(ai-agent history)" ""
	run_sh "ai-cost ledger check"
	assert_status 0
	assert_eq "$(ai-cost ledger export | jq -c 'select(.step)')" ""
}

@test "resume ends by SIGPIPE, quietly, and says why it cannot write" {
	signalled INT p
	signalled INT q
	mkfifo pipe
	# A pipe that nobody reads any more, however slow this machine is.
	for what in --all p; do
		run_sh "exec 8<>pipe 9>pipe 8>&-
			env --default-signal=PIPE ai-agent resume $what >&9"
		assert_status 141
		assert_eq "$stderr" ""
	done
	run_sh "ai-agent resume p >/dev/full"
	assert_status 74
	assert_has "$stderr" "No space left on device"
	run_sh "ai-agent resume --all >/dev/full"
	assert_status 74
	assert_has "$stderr" "No space left on device"
}

@test "a task that is too long says so" {
	{
		printf '{"task":"'
		head -c $((16 * 1024 * 1024 - 24)) /dev/zero | tr '\0' x
		echo '"}'
	} >long
	run_sh "ai-agent -m m --base-url $STUB_URL -q <long | jq -r .error.code"
	assert_eq "$output" too_long
}

@test "a model that cannot be asked: the record says where the reason stands" {
	run --separate-stderr ai-agent -m openai/gpt-5-mini --run k hello
	assert_status 77
	assert_has "$stderr" "OPENAI_API_KEY"
	assert_eq "$(jq -r .error.message <<<"$output")" "ai-complete ended with \
status 77; why, it has said on standard error"
	run --separate-stderr ai-agent resume --all
	assert_status 77
	assert_has "$stderr" "the run 'k' ended with status 77"
}

@test "SIGTERM does not wait for the command that approves" {
	local i
	mkdir work
	env --default-signal=TERM ai-agent -m m --base-url "$STUB_URL" -C work \
		--with write_file --approve "touch asked; exec sleep 500" \
		--run c task:write >out 2>err &
	pid=$!
	for ((i = 0; i < 400; i++)); do
		[ ! -e asked ] || break
		sleep 0.05
	done
	SECONDS=0
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	assert_status 143
	assert [ "$SECONDS" -lt 100 ]
	assert_eq "$(jq -r .run.status out)" parked
	[ ! -e work/out.txt ]
}
