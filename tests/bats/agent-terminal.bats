#!/usr/bin/env bats
# ai-agent at a terminal: who is asked, in which order, and what ends it.
load helper
load ../stub/stub

setup_file() {
	cat >"$BATS_FILE_TMPDIR/script.json" <<'END'
{
"write": [{"calls": [{"name": "write_file", "arguments":
	{"path": "out.txt", "content": "x\n"}}]}, {"text": "written"}],
"two": [{"calls": [
	{"name": "write_file", "arguments": {"path": "1", "content": "1"}},
	{"name": "write_file", "arguments": {"path": "2", "content": "2"}}]},
	{"text": "written"}],
"ask": [{"calls": [{"name": "ask_user", "arguments":
	{"question": "Which colour?"}}]}, {"text": "You like {{ask_user~(\\w+)}}."}],
"later": [{"calls": [{"name": "s__bad", "arguments": {"how": "later"}}]},
	{"calls": [{"name": "write_file", "arguments":
	{"path": "out.txt", "content": "x\n"}}]}, {"text": "written"}],
"forge": [{"calls": [{"name": "ask_user", "arguments": {"question":
	"\u001b[2JWhich\u202e\u200b\u009b31m?\nYour answer: yes\r"}}]},
	{"text": "asked"}],
"naps": [{"calls": [{"name": "nap", "arguments": {"n": 1}},
	{"name": "nap", "arguments": {"n": 2}},
	{"name": "nap", "arguments": {"n": 3}}]}, {"text": "slept"}]
}
END
	model_start "$BATS_FILE_TMPDIR/script.json"
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	need script
	mkdir work
}

teardown() {
	exec 7>&-
}

# terminal WORDS: a shell's line, with $a for the program, at a terminal of its
# own. Descriptor 7 is its keyboard, the file seen its screen.
terminal() {
	local a="ai-agent -m m --base-url $STUB_URL -C work"
	rm -f keys
	mkfifo keys
	env --default-signal=INT script -qefc "${1//\$a/$a}" /dev/null \
		<keys >seen 2>&1 3>&- &
	TERMINAL=$!
	exec 7>keys
}

# sees TEXT [TIMES]: the screen has it, or will.
sees() {
	local i
	for ((i = 0; i < 400; i++)); do
		[ "$(grep -Fo -- "$1" seen | wc -l)" -ge "${2:-1}" ] && return
		sleep 0.05
	done
	printf 'no "%s" on the terminal:\n' "$1"
	cat -v seen
	return 1
}

# closes STATUS: the program ends with it.
closes() {
	local rc=0
	wait "$TERMINAL" || rc=$?
	[ "$rc" -eq "$1" ] && return
	printf 'status %s\n' "$rc"
	cat -v seen
	return 1
}

# How often the program or the model has asked.
asked() {
	grep -c -e 'Go on?' -e 'Your answer:' seen || true
}

@test "yes, no, and what is neither" {
	terminal "\$a --with write_file -r task:write"
	sees "Go on?"
	printf '\n' >&7
	sees "Go on?" 2
	printf 'maybe\n' >&7
	sees "Go on?" 3
	printf '\0\n' >&7
	sees "Go on?" 4
	[ ! -e work/out.txt ]
	printf 'y\n' >&7
	closes 0
	[ -e work/out.txt ]
}

@test "Ctrl-D at a question, of the program or the model, parks" {
	terminal "\$a --with write_file --run w -r task:write;
		\$a --with ask_user --run q -r task:ask"
	sees "Go on?"
	printf '\004' >&7
	sees "Your answer:"
	printf '\004' >&7
	closes 4
	assert_eq "$(ai-agent history | jq -r .status | tr '\n' ' ')" \
		"parked parked "
	[ ! -e work/out.txt ]
}

@test "a server that asks while a person is asked is answered" {
	jq -n --arg bad "$SRCDIR/tests/stub/mcp-bad.mjs" --arg log "$(realpath work)/log" \
		'{mcpServers: {s: {command: "node", args: [$bad, "good", $log],
		sandbox: {write: ["."]}, tools: {bad: {writes: false,
		sends: false}}}}}' >tools.json
	terminal "\$a --with write_file --tools tools.json --taint off \
		-r task:later"
	sees "Go on?"
	for ((i = 0; i < 400; i++)); do
		[ ! -e work/log.later ] || break
		sleep 0.05
	done
	[ -e work/log.later ]
	printf 'y\n' >&7
	closes 0
}

@test "Ctrl-C at a question pauses, and it is asked again" {
	terminal "\$a --with ask_user --run q -r task:ask"
	sees "Your answer:"
	printf '\003' >&7
	closes 130
	assert_eq "$(ai-agent history | jq -r .status)" paused
	terminal "ai-agent resume q -r"
	sees "Your answer:"
	printf 'blue\n' >&7
	closes 0
	sees "You like blue."
}

@test "Ctrl-C where several wait, and whatever thread it reaches" {
	terminal "printf '%s\n' '{\"task\":\"task:two\"}' '{\"task\":\"task:two\"}' |
		\$a -j 3 --with write_file -q"
	sees "Go on?"
	printf '\003' >&7
	closes 130
	assert_eq "$(asked)" 1
	assert_eq "$(find work -type f | wc -l)" 0
}

@test "of runs side by side one after the other asks" {
	local i n
	terminal "printf '%s\n' '{\"task\":\"task:write\"}' \
		'{\"task\":\"task:ask\"}' '{\"task\":\"task:write\"}' |
		\$a -j 3 --with write_file --with ask_user -q >out"
	for ((i = 1; i <= 3; i++)); do
		for ((n = 0; n < 400 && $(asked) < i; n++)); do
			sleep 0.05
		done
		sleep 0.3
		assert_eq "$(asked)" "$i"
		printf 'yellow\n' >&7
	done
	closes 0
	assert_eq "$(jq -r .run.text out)" $'written\nYou like yellow.\nwritten'
}

@test "what was typed before a question is no answer to it" {
	terminal "sleep 1; \$a --with ask_user -r task:ask"
	printf 'before\n' >&7
	sees "Your answer:"
	printf 'after\n' >&7
	closes 0
	sees "You like after."
}

@test "a question cannot drive the terminal, nor forge what we say" {
	terminal "\$a --with ask_user -r task:forge"
	sees "Your answer:" 2
	assert_eq "$(grep -c '^Your answer:' seen)" 1
	assert_eq "$(LC_ALL=C grep -c -P '\x1b|\xc2\x9b|\xe2\x80' seen)" 0
	printf 'x\n' >&7
	closes 0
}

@test "a person who thinks is no work of the run" {
	terminal "printf '%s\n' '{\"task\":\"task:ask\",\"limits\":{\"seconds\":5}}' |
		\$a --with ask_user -r"
	sees "Your answer:"
	sleep 6
	printf 'green\n' >&7
	closes 0
	sees "You like green."
}

@test "Ctrl-C lets a call end, and begins none of those behind it" {
	local i
	cat >tools.json <<'END'
{"tools": [{"name": "nap", "description": "sleeps",
"parameters": {"type": "object", "properties": {"n": {"type": "integer"}}},
"command": ["sh", "-c", "echo $0 >>naps; sleep 2", "{n}"], "effect": "once",
"sandbox": {"write": ["."]}}]}
END
	terminal "\$a -t tools.json --approve never --run n -r task:naps"
	for ((i = 0; i < 400; i++)); do
		[ ! -s work/naps ] || break
		sleep 0.05
	done
	printf '\003' >&7
	closes 130
	assert_eq "$(cat work/naps)" 1
	assert_eq "$(ai-agent show n | jq -r .state | tr '\n' ' ')" \
		"done done planned planned "
	run --separate-stderr ai-agent resume n -r
	assert_eq "$output" slept
	assert_eq "$(tr '\n' ' ' <work/naps)" "1 2 3 "
}

@test "a message cannot drive the terminal, and is UTF-8 in any case" {
	run --separate-stderr ai-agent show $'a\x1b\xc2\x9b31m\xe2\x80\xaeb\xff\xc3\xa9'
	assert_status 64
	assert_has "$stderr" "a??31m?b?é"
	run --separate-stderr ai-agent show --log-format json $'a\xff\xc2\x9b"'
	assert_has "$(jq -r .body <<<"$stderr")" 'a??"'
}

@test "resume --all asks at the terminal, and Ctrl-C reaches its run" {
	terminal "\$a --with write_file --with ask_user --run q -r task:ask"
	sees "Your answer:"
	printf '\003' >&7
	closes 130
	terminal "ai-agent resume --all -r"
	sees "Your answer:"
	printf '\003' >&7
	closes 130
	terminal "ai-agent resume --all -r"
	sees "Your answer:"
	printf 'blue\n' >&7
	closes 0
	sees "You like blue."
}
