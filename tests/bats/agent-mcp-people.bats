# ai-agent mcp: what MCP servers have, for people; and npm's servers by it.
load helper
load ../stub/stub

setup() {
	need node
	ai_setup
	export AI_DATADIR=$BUILDDIR/share/aiutils
	mkdir work
	cd work || return
	pids=()
}

teardown() {
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || :
}

bad=$SRCDIR/tests/stub/mcp-bad.mjs

# http MODE: starts a server, whose address is $url.
http() {
	at=$PWD/h$((n = ${n-0} + 1))
	stub_serve "$at" mcp-http.mjs "$1"
	pids+=("$STUB_PID")
	: >>"$at/log"
	url=http://127.0.0.1:$(cat "$at/port")/mcp
}

mcp() {
	run --separate-stderr ai-agent mcp "$@"
}

# both: t.json has a program, p, and a server over HTTP, h.
both() {
	http modern
	jq -n --arg bad "$bad" --arg url "$url" '{mcpServers: {
		p: {command: "node", args: [$bad, "good", "log"],
		sandbox: {write: ["."]}}, h: {url: $url}}}' >t.json
}

@test "mcp list: tools, resources, templates and prompts" {
	both
	mcp list -t t.json
	assert_status 0
	assert_eq "$(jq -r '"\(.server) \(.kind) \(.name)"' <<<"$output")" \
		"p tool echo
p tool sleep
p tool die
p tool bad
h tool echo
h tool bad
h resource n://1
h resource n://2
h template n://{n}
h prompt greet"
	assert_eq "$(jq -c 'select(.kind == "prompt").is.arguments' <<<"$output")" \
		'[{"name":"who","required":true}]'
	mcp list h -t t.json -r
	assert_eq "$(head -n 1 <<<"$output")" \
		"tool      h             echo                              says it"
	refute_has "$output" sleep
	mcp list nobody -t t.json
	assert_status 64
	assert_has "$stderr" "there is no such server"
}

@test "mcp call: the text and the result, by the server's name and the tool's" {
	both
	mcp call p__echo '{"text":"hi"}' -t t.json
	assert_status 0
	assert_eq "$(jq -c '[.server, .tool, .failed, .text, .result.content[0].text]' \
		<<<"$output")" '["p","echo",false,"you said hi","you said hi"]'
	mcp call h__echo '{"text":"hi"}' -t t.json -r
	assert_eq "$output" "echo hi"
	# What is asked for is started, and nothing else.
	assert_eq "$(jq -r 'select(.method == "initialize") | 1' log | wc -l)" 1
	run_sh 'echo "{\"text\":\"in\"}" | ai-agent mcp call h__echo - -t t.json -r'
	assert_eq "$output" "echo in"
	mcp call p__bad '{"how":"iserror"}' -t t.json -r
	assert_eq "$status $output" "2 it went wrong"
	assert_eq "$stderr" "ai-agent: 'bad' of the MCP server 'p' failed"
	mcp call p__fly -t t.json
	assert_status 64
	assert_has "$stderr" "the MCP server 'p' offers no tool 'fly'"
	mcp call echo -t t.json
	assert_has "$stderr" "'echo' is of no server"
	mcp call p__echo '[1]' -t t.json
	assert_has "$stderr" "the arguments are no JSON object"
	mcp call p__echo '{' -t t.json
	assert_status 64
	mcp fly -t t.json
	assert_status 64
	assert_has "$stderr" "usage: ai-agent mcp list [SERVER] | call"
	mcp list
	assert_status 64
	assert_has "$stderr" "no server: name a file"
	run --separate-stderr ai-agent --server x hello
	assert_status 64
	assert_has "$stderr" "--server means nothing here"
}

@test "mcp read and mcp prompt" {
	both
	mcp read h n://5 -t t.json -r
	assert_eq "$output" "this is n://5"
	mcp read n://5 -t t.json
	assert_has "$stderr" "of which server?"
	mcp prompt h__greet '{"who":"Ada"}' -t t.json -r
	assert_eq "$output" "user: Greet Ada"
	mcp prompt greet '{"who":"Ada"}' --server "$url"
	assert_eq "$(jq -c '[.prompt, .result.messages[0].content.text]' \
		<<<"$output")" '["greet","Greet Ada"]'
}

@test "mcp --server: a command with quotes, or an address" {
	mkdir 'a b'
	cp "$bad" 'a b/s.mjs'
	mcp call echo '{"text":"hi"}' --server "node 'a b/s.mjs' \"go\"od" -r
	assert_eq "$output" "you said hi"
	mcp list --server "node 'a b"
	assert_status 64
	assert_has "$stderr" "is no command: it is empty, or a quote is open"
	# The shell has replaced what it would.
	cp "$bad" 'a b/${HOME}.mjs'
	mcp call echo '{"text":"hi"}' --server "node 'a b/\${HOME}.mjs'" -r
	assert_eq "$output" "you said hi"
	http legacy
	mcp call echo '{"text":"hi"}' --server "$url" -r
	assert_eq "$output" "echo hi"
}

@test "mcp: words that are no JSON, and a list without end" {
	http loops
	mcp call echo '{bad' --server "$url"
	assert_status 64
	assert_has "$stderr" "the arguments are no JSON: "
	run --separate-stderr bash -c 'echo "{bad" | ai-agent mcp call echo - \
		--server "$0"' "$url"
	assert_status 65
	mcp call echo --answer nothing --server "$url"
	assert_status 64
	assert_has "$stderr" "--answer is no JSON: "
	mcp call echo --answer '["x"]' --server "$url"
	assert_status 64
	mcp list --server "$url"
	assert_status 0
	assert_eq "$(jq -r 'select(.kind == "template").name' <<<"$output" |
		xargs)" "x x"
	assert_has "$stderr" "the list of resourceTemplates of MCP server 'server' has no end"
}

@test "what a server says drives no terminal" {
	need script
	http legacy
	mcp call bad '{"how":"escapes"}' --server "$url" -r
	assert_eq "$output" $'red \e[31m\e]0;t\a\ngo'
	terminal "ai-agent mcp call bad '{\"how\":\"escapes\"}' --server $url -r"
	sees 'red \x1b[31m\x1b]0;t\x07'
	exec 7>&-
	wait "$TERMINAL"
	refute_has "$(cat seen)" $'\e]0;t'
}

# ---- servers that ask ------------------------------------------------------------

@test "what servers ask is answered by --answer, with defaults, or not at all" {
	http legacy
	mcp call bad '{"how":"ask"}' --server "$url" --answer '{"name":"Ada"}' -r
	assert_eq "$output" '{"action":"accept","content":{"name":"Ada","age":7}}'
	mcp call bad '{"how":"ask"}' --server "$url" --answer '{}' -r
	assert_eq "$output" '{"action":"cancel"}'
	# Nobody is there: it is not offered.
	mcp call bad '{"how":"ask"}' --server "$url" -r
	assert_eq "$output" -32601
	http modern
	mcp call bad '{"how":"input"}' --server "$url" -r \
		--answer '{"name":"Ada","age":8,"other":1}'
	assert_eq "$output" '["sé\"1",{"action":"accept","content":{"name":"Ada","age":8}},1]'
	# Another id, the same parameters, and what was asked for.
	assert_eq "$(jq -c 'select(.body.method == "tools/call").body |
		[.params.arguments.how, (.params | has("requestState"))]' "$at/log")" \
		'["input",false]
["input",true]'
	mcp call bad '{"how":"input"}' --server "$url" -r
	assert_status 2
	assert_has "$output" "which nobody gives it"
}

# terminal COMMAND: at a terminal of its own. Descriptor 7 is its keyboard, the
# file seen its screen.
terminal() {
	rm -f keys
	mkfifo keys
	: >seen # what was on the one before is not on this one
	script -qefc "$1" /dev/null <keys >seen 2>&1 3>&- &
	TERMINAL=$!
	exec 7>keys
}

# sees TEXT: the screen has it, or will.
sees() {
	local i
	for ((i = 0; i < 400; i++)); do
		grep -Fq -- "$1" seen && return
		sleep 0.05
	done
	printf 'no "%s" on the terminal:\n' "$1"
	cat -v seen
	return 1
}

@test "at a terminal the person is asked, field by field" {
	need script
	http legacy
	terminal "ai-agent mcp call bad '{\"how\":\"ask\"}' --server $url -r"
	sees "The MCP server 'server' asks: Who is it?"
	sees "name: "
	printf '\n' >&7
	sees "That is none; again:"
	printf 'Ada\n' >&7
	sees "age [7]: "
	printf '9\n' >&7
	sees '{"action":"accept","content":{"name":"Ada","age":9}}'
	exec 7>&-
	wait "$TERMINAL"
}

@test "a person may give no answer, by a dot, or by Ctrl-D" {
	need script
	http modern
	terminal "ai-agent mcp call bad '{\"how\":\"input\"}' --server $url -r"
	sees "name: "
	printf '.\n' >&7
	sees '{"action":"decline"}'
	exec 7>&-
	wait "$TERMINAL"
	terminal "ai-agent mcp call bad '{\"how\":\"input\"}' --server $url -r"
	sees "name: "
	printf '\004' >&7
	sees '{"action":"cancel"}'
	exec 7>&-
	wait "$TERMINAL"
}

@test "a person who thinks is no work of the run, whoever asks" {
	need script
	http legacy
	# Nor of the call.
	jq -n --arg url "$url" '{mcpServers: {s: {url: $url, timeout_s: 4}}}' >s.json
	echo '{"a": [{"calls": [{"name": "s__bad", "arguments": {"how": "ask"}}]},
		{"text": "heard {{\"name\":\"(\\w+)}}"}]}' >model.json
	model_start "$PWD/model.json"
	pids+=("$STUB_PID")
	# Were it the run's, it would be over by then.
	terminal "ai-agent -m openai/stub-model --price free --base-url $STUB_URL -t s.json --taint off --no-guard -l seconds=5 --run r -r task:a"
	sees "Go on? [y]es"
	printf 'y\n' >&7
	sees "The MCP server 's' asks: Who is it?"
	sees "name: "
	sleep 5.5
	printf 'Ada\n' >&7
	sees "age [7]: "
	printf '\n' >&7
	sees 'heard Ada'
	exec 7>&-
	wait "$TERMINAL"
	rm -r "$STUB"
	# The server was told that it may.
	assert_eq "$(jq -c 'select(.body.method == "initialize").body.params.capabilities' \
		"$at/log")" '{"roots":{},"elicitation":{}}'
}

# ---- servers of others -------------------------------------------------------------

# peer NAME [ARG...]: sets server to the command.
peer() {
	need_peer "@modelcontextprotocol/server-$1"
	server="node ${AI_TEST_PEER:-$SRCDIR/tests/peer}/node_modules/@modelcontextprotocol/server-$1/dist/index.js ${*:2}"
}

@test "npm's server-memory" {
	local server
	peer memory
	jq -n --arg js "${server#node }" --arg file "$PWD/memory.jsonl" '{mcpServers:
		{m: {command: "node", args: [$js | rtrimstr(" ")], env:
		{MEMORY_FILE_PATH: $file}, sandbox: {write: ["."]}}}}' >m.json
	mcp list -t m.json
	assert_status 0
	assert_eq "$(jq -r 'select(.kind == "tool").name' <<<"$output" | wc -l)" 9
	mcp call create_entities '{"entities":[{"name":"Ada","entityType":"person","observations":["wrote notes"]}]}' -t m.json
	assert_status 0
	mcp call search_nodes '{"query":"Ada"}' -t m.json
	assert_eq "$(jq -r '.result.structuredContent.entities[0].observations[0]' \
		<<<"$output")" "wrote notes"
}

@test "npm's server-sequential-thinking" {
	local server
	peer sequential-thinking
	mcp call sequentialthinking '{"thought":"first","nextThoughtNeeded":true,"thoughtNumber":1,"totalThoughts":2}' \
		--server "$server" -r
	assert_status 0
	assert_eq "$(jq -c '[.thoughtNumber, .totalThoughts]' <<<"$output")" "[1,2]"
}

@test "npm's server-filesystem and server-everything" {
	local server
	peer filesystem "$PWD"
	echo hello >a.txt
	mcp call read_text_file "{\"path\":\"$PWD/a.txt\"}" --server "$server" -r
	assert_eq "$output" hello
	peer everything
	mcp list --server "$server"
	assert_status 0
	assert_eq "$(jq -r .kind <<<"$output" | sort -u | xargs)" \
		"prompt resource template tool"
	mcp prompt args-prompt '{"city":"Bern"}' --server "$server" -r
	assert_has "$output" "Bern"
	mcp call trigger-elicitation-request --server "$server" -r --answer \
		'{"name":"Ada","check":true}'
	assert_has "$output" "Name: Ada"
	run --separate-stderr ai-agent mcp call trigger-long-running-operation \
		'{"duration":1,"steps":4}' --server "$server" -r -v
	assert_has "$stderr" "trigger-long-running-operation: 4 of 4"
}
