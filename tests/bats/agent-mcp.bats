# ai-agent's MCP client: servers that behave, and one with many faults.
load helper
load ../stub/stub

setup() {
	need node
	ai_setup
	export AI_DATADIR=$BUILDDIR/share/aiutils
	mkdir work
	cd work || return
}

bad=$SRCDIR/tests/stub/mcp-bad.mjs

# entry NAME MODE [JSON]: a tools file with one server of that mode; JSON is
# merged into its entry.
entry() {
	local more=${3-}
	jq -n --arg name "$1" --arg bad "$bad" --arg mode "$2" \
		--arg log "$PWD/log" --argjson more "${more:-null}" \
		'{mcpServers: {($name): ({command: "node",
		args: [$bad, $mode, $log], timeout_s: 5,
		sandbox: {write: ["."]}} + $more)}}' >"$1.json"
}

# mcp FILE LINE...: the servers of the file, and what they are told to do.
mcp() {
	local file=$1
	shift
	: >lines
	[ $# -eq 0 ] || printf '%s\n' "$@" >lines
	run --separate-stderr bash -c \
		'"$BUILDDIR/tests/stub/ai-mcp" ${V-} "$0" <lines' "$file"
}

# faulty MODE LINE...: the same with one of mcp-bad's faults.
faulty() {
	entry s "$1"
	shift
	mcp s.json "$@"
}

# call NAME ARGUMENTS: a line with one call.
call() {
	jq -nc --arg n "s__$1" --argjson a "$2" '{calls: [{name: $n, arguments: $a}]}'
}

bad() {
	call bad "{\"how\":\"$1\"}"
}

# names: of the tools in the first line.
names() {
	jq -r '.tools[].name' <<<"${lines[0]}" | xargs
}

# text N: of the call in that line.
text() {
	jq -r .text <<<"${lines[$1]}"
}

echo_hi=$(call echo '{"text":"hi"}')

# ---- the handshake ------------------------------------------------------------

@test "servers that are odd but right are used" {
	local mode
	for mode in good old banner early batch crlf slow late stubborn pages; do
		faulty $mode "$echo_hi"
		assert_status 0
		assert_eq "$(names)" "s__echo s__sleep s__die s__bad"
		assert_eq "$(text 1)" "you said hi"
	done
}

@test "what older servers do when they are asked for 2026-07-28" {
	local mode
	for mode in probemute probedies probeodd probelate; do
		entry s $mode
		mcp s.json "$echo_hi"
		assert_eq "$mode $status $(text 1)" "$mode 0 you said hi"
	done
	assert_eq "$(jq -r 'select(.method == "initialize").params.protocolVersion' \
		log | uniq)" 2025-11-25
	# One that has died of it is not asked again.
	: >log
	faulty probedies "$(call die '{}')" "$echo_hi"
	assert_eq "$(jq -r 'select(.method == "server/discover") | 1' log | wc -l)" 1
}

@test "2026-07-28 over standard input and output" {
	entry s modern
	V=-v mcp s.json "$echo_hi" "$(bad notify)" '{"wait_s":0.2}' \
		'{"refresh":true}' "$(call echo '{"text":"again"}')"
	assert_status 0
	assert_eq "$(text 1) $(text 4)" "you said hi you said again"
	assert_eq "$(jq -r 'select(.id).method' log | uniq | xargs)" \
		"server/discover subscriptions/listen tools/list tools/call tools/list tools/call"
	assert_eq "$(jq -r 'select(.id).params._meta |
		.["io.modelcontextprotocol/protocolVersion"]' log | uniq)" 2026-07-28
	entry s modern '{"tools":{"sleep":{"timeout_s":0.2}}}'
	: >log
	mcp s.json "$(call sleep '{"s":0.5}')" "$echo_hi"
	assert_eq "$(text 2)" "you said hi"
	assert_eq "$(jq -r 'select(.method == "notifications/cancelled") |
		.params.reason' log)" "it took too long"
	entry s good '{"protocol":"2026-07-28"}'
	mcp s.json
	assert_status 69
	assert_has "$stderr" "MCP server 's' does not speak 2026-07-28"
}

@test "a list that has been good for as long as it said is read anew" {
	faulty quiet '{"refresh":true}' '{"wait_s":5.2}' '{"refresh":true}' \
		"$(call new '{}')" '{"refresh":true}'
	assert_status 0
	assert_eq "$(jq '.tools | length' <<<"${lines[0]}") $(jq '.tools | length' \
		<<<"${lines[1]}") $(jq '.tools | length' <<<"${lines[2]}")" "4 4 5"
	assert_eq "$(text 3)" new
	# No more often than that.
	assert_eq "$(jq -r 'select(.method == "tools/list") | 1' log | wc -l)" 2
}

@test "what a server prints besides messages is told once, and skipped" {
	faulty banner "$echo_hi" "$(bad banner)"
	assert_status 0
	assert_eq "$(text 2)" "still fine"
	assert_eq "$(grep -c 'what is no message' <<<"$stderr")" 1
	assert_has "$stderr" "MCP server 's' wrote what is no message"
	assert_has "$stderr" "Welcome to bad 1.0!"
}

@test "what is printed for each call is no flood, however many there are" {
	# shellcheck disable=SC2046
	faulty good $(for _ in $(seq 5); do bad chat; done)
	assert_status 0
	assert_eq "$(jq -r 'select(.text).text' <<<"$output" | sort | uniq -c |
		xargs)" "5 said"
}

@test "a server that cannot be used is named, with why" {
	local mode why
	while read -r mode why; do
		faulty "$mode"
		assert_eq "$mode $status" "$mode 69"
		assert_has "$stderr" "MCP server 's' $why"
	done <<-'END'
		version speaks the protocol '1999-01-01'; known are 2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25 and 2026-07-28
		noversion speaks the protocol ''
		refuse answers initialize with error -32602: Unsupported protocol version (go away)
		exit exited with status 3; it said last: cannot find the database?fatal: no DB
		signal was killed by signal 11
		noise writes too much that is no message
		listerror answers tools/list with error -32603: database is locked
		loop has a list of tools without end
		pagesforever has a list of tools without end
		notalist answers tools/list without a list
		hugelist has a list of tools of over
		deeplist answers tools/list with a line that cannot be read: nested too deep
	END
}

@test "a server that says nothing is waited for no longer than its time" {
	entry s mute '{"start_timeout_s":0.3}'
	mcp s.json
	assert_status 69
	assert_has "$stderr" "MCP server 's' did not shake hands within 0.3 s"
	entry s deaf '{"start_timeout_s":3}'
	mcp s.json
	assert_status 69
	assert_has "$stderr" "MCP server 's' did not list its tools within 3 s"
	entry s good '{"command":"no-such-program"}'
	mcp s.json
	assert_status 66
	assert_has "$stderr" "MCP server 's' cannot be started"
	assert_has "$stderr" "'no-such-program' not found"
}

@test "a line without end takes no memory" {
	not_sanitized
	entry s endless '{"optional":true}'
	mcp s.json '{"peak":true}'
	assert_status 0
	assert_has "$stderr" "wrote a line of over 268435456 bytes"
	assert [ "$(jq .peak_kb <<<"${lines[1]}")" -lt 100000 ]
}

@test "an optional server may be missing, and a disabled one is not started" {
	entry a exit '{"optional":true}'
	entry b good
	entry c exit '{"disabled":true}'
	jq -s '{mcpServers: (map(.mcpServers) | add)}' a.json b.json c.json >all.json
	mcp all.json
	assert_status 0
	assert_eq "$(names)" "b__echo b__sleep b__die b__bad"
	assert_has "$stderr" "MCP server 'a' exited with status 3"
	refute_has "$stderr" "'c'"
}

@test "servers are started side by side" {
	local n
	for n in 1 2 3 4; do
		entry "s$n" late
	done
	jq -s '{mcpServers: (map(.mcpServers) | add)}' s?.json >all.json
	mcp all.json
	assert_status 0
	assert_eq "$(head -n 8 log | jq -r .method | sort -u | xargs)" \
		"initialize server/discover"
	assert_eq "$(names | wc -w)" 16
}

@test "a server without tools is one" {
	faulty nolist
	assert_status 0
	assert_eq "$output" '{"tools":[]}'
}

# ---- tools ------------------------------------------------------------------------

@test "tools that cannot be used are left out by name, the others stay" {
	faulty odd "$(call echo '{"text":"hi"}')"
	assert_status 0
	assert_eq "$(text 1)" "you said hi"
	local hex='[0-9a-f]{8}'
	assert grep -Eqx "s__echo s__a_b_c_d s__a_b_c_d_$hex s____n__code s__(long){13}_$hex s__hidden s__wordy s__titled s__deep" \
		<<<"$(names)"
	assert_eq "$(jq '[.tools[].name | length] | max' <<<"${lines[0]}")" 64
	assert_eq "$(jq -r '.tools[].name' <<<"${lines[0]}" |
		grep -vc '^[a-zA-Z0-9_-]*$')" 0
	local why
	while IFS= read -r why; do
		assert_has "$stderr" "$why"
	done <<-'END'
		tool 'echo' of MCP server 's' is left out: there are two of that name
		tool 'none' of MCP server 's' is left out: its inputSchema is not that of an object
		tool 'noobject' of MCP server 's' is left out: its inputSchema is not that of an object
		tool 'broken' of MCP server 's' is left out: s__broken.parameters: properties.a.type
		tool '' of MCP server 's' is left out: its name is none
		tool 'task' of MCP server 's' is left out: it only runs as a task
	END
	assert_eq "$(jq -r '.tools[] | select(.name == "s__hidden") |
		.description' <<<"${lines[0]}")" "abc[31m"
	assert_eq "$(jq -r '.tools[] | select(.name == "s__wordy") |
		.description | length' <<<"${lines[0]}")" 8195
	assert_eq "$(jq -r '.tools[] | select(.name == "s__titled") |
		.description' <<<"${lines[0]}")" "The title"
}

@test "of more than 1000 tools the rest is left out" {
	faulty many
	assert_status 0
	assert_eq "$(names | wc -w)" 1000
	assert_has "$stderr" "tool 't1000' of MCP server 's' is left out: there are too many"
}

@test "a list that is another one each time grows no further" {
	# shellcheck disable=SC2046
	faulty others $(for _ in $(seq 6); do echo '{"refresh":true}'; done) \
		"$echo_hi"
	assert_status 0
	assert_eq "$(jq -r 'select(.tools).tools | length' <<<"$output" | xargs)" \
		"401 801 1000 1000 1000 1000 1000"
	assert_eq "$(text 7)" "you said hi"
	assert_has "$stderr" "there are too many"
}

@test "what a server says of its tools is believed only if its entry says so" {
	local row='.tools[] | [.name, .effect, .writes, .sends, .trusted]'
	faulty good
	assert_eq "$(jq -c "$row" <<<"${lines[0]}" | xargs)" \
		"[s__echo,once,true,true,false] [s__sleep,once,true,true,false] [s__die,once,true,true,false] [s__bad,once,true,true,false]"
	entry s good '{"trust_annotations":true,"trusted":true,"deny":["die"]}'
	mcp s.json
	assert_eq "$(jq -c "$row" <<<"${lines[0]}" | xargs)" \
		"[s__echo,pure,false,false,true] [s__sleep,idempotent,true,true,true] [s__bad,once,true,true,true]"
	entry s good '{"allow":["echo","die","nine"],"max_output":999,"tools":{
		"echo":{"effect":"pure","writes":false,"targets":["text"],
			"trusted":true,"timeout_s":2,"max_calls":3,"serial":true},
		"die":{"effect":"idempotent","sends":false},"ten":{}}}'
	mcp s.json
	assert_eq "$(jq -c '.tools[] | [.name, .effect, .writes, .sends, .trusted,
		.targets, .timeout_s, .max_calls, .serial, .max_output]' \
		<<<"${lines[0]}" | xargs)" \
		"[s__echo,pure,false,false,true,[text],2,3,true,999] [s__die,idempotent,true,false,false,[],5,-1,false,999]"
	assert_has "$stderr" "MCP server 's' has no tool 'ten', of which its entry speaks"
	assert_has "$stderr" "MCP server 's' has no tool 'nine', which its entry allows"
	# With a network, what a tool is given may leave.
	entry s good '{"sandbox":{"network":true,"write":["."]},"tools":{"echo":{"writes":false}}}'
	mcp s.json
	assert_eq "$(jq -c '.tools[0] | [.writes, .sends]' <<<"${lines[0]}")" \
		"[false,true]"
}

@test "a list that changes: new tools come, gone ones fail, no text is replaced" {
	entry s changes
	entry a good
	jq -s '{mcpServers: (map(.mcpServers) | add)}' s.json a.json >all.json
	mcp all.json "$(call echo '{"text":"a"}')" '{"refresh":true}' \
		"$(call sleep '{"s":0}')" "$(call new '{}')" '{"refresh":true}' \
		'{"calls":[{"name":"a__sleep","arguments":{"s":0}}]}'
	assert_status 0
	assert_eq "$(names)" \
		"s__echo s__sleep s__bad a__echo a__sleep a__die a__bad"
	assert_eq "$(jq -r '.tools[].name' <<<"${lines[2]}" | xargs)" \
		"s__echo s__sleep s__bad a__echo a__sleep a__die a__bad s__new"
	assert_eq "$(jq -r '.tools[0].description' <<<"${lines[2]}")" first
	assert_has "$stderr" "says something else of its tool 'echo' than before"
	assert_eq "$(text 3)" "MCP server 's' does not offer 'sleep' any more"
	assert_eq "$(text 4) $(text 6)" "new slept"
}

@test "a list that does not come again leaves the tools as they were" {
	entry s lazy '{"start_timeout_s":0.3}'
	printf 'x' >note
	mcp s.json "$(bad notify)" '{"refresh":true}' "$echo_hi"
	assert_status 0
	assert_eq "$(jq '.tools | length' <<<"${lines[2]}")" 4
	assert_eq "$(text 3)" "you said hi"
}

# ---- calls --------------------------------------------------------------------------

@test "answers of all kinds" {
	local how want
	while IFS='|' read -r how want; do
		faulty good "$(bad "$how")" '{"wait_s":0.5}' "$echo_hi"
		assert_status 0
		assert_eq "$how $(jq -c '[.text, .failed, .unknown]' <<<"${lines[1]}")" \
			"$how ${want/PWD/$PWD}"
		assert_eq "$how $(text 2)" "$how you said hi"
	done <<-'END'
		wrongid|["this",false,false]
		twice|["one",false,false]
		batch|["in a batch",false,false]
		utf8|["a��b",false,false]
		banner|["still fine",false,false]
		flood|["flooded",false,false]
		stderr|["wrote to stderr",false,false]
		hugenote|["after it",false,false]
		error|["error -32050: no such thing (really)",true,false]
		iserror|["it went wrong",true,false]
		empty|["(no output)",false,false]
		structured|["{\"a\":[1,2]}",false,false]
		number|["7",false,false]
		input|["the server asks for more (input_required), which nobody gives it",true,false]
		parts|["one\n[image, image/png, 3 bytes, not shown]\n[link x: file:///x]\n[resource n://1]\nnote\ntwo",false,false]
		requests|["[[\"r1\",{}],[\"r2\",{\"roots\":[{\"uri\":\"file://PWD\",\"name\":\"workdir\"}]}],[\"r3\",-32601],[4,-32601],[\"r5\",-32601]]",false,false]
		pings|["2000 answers",false,false]
		half|["MCP server 's' exited with status 0; whether the call had its effect is not known",true,true]
		double|["last words",false,false]
		hugenobody|["MCP server 's' wrote a line of 20971520 bytes, more than the 16777216 that one may have; whether the call had its effect is not known",true,true]
	END
}

@test "a result of another form than the tool is said to give says so" {
	faulty gives "$(bad structured)" "$(bad iserror)" "$echo_hi"
	assert_status 0
	assert_eq "$(text 1)" '{"a":[1,2]}
[this is not of the form that the tool is said to give: a.0: expected a string, not 1]'
	assert_eq "$(jq .failed <<<"${lines[1]}")" false
	assert_eq "$(text 2) $(text 3)" "it went wrong you said hi"
}

@test "an answer that is too long fails its call, and no other" {
	not_sanitized
	faulty good '{"calls":[{"name":"s__sleep","arguments":{"s":0.5}},{"name":"s__bad","arguments":{"how":"huge"}}]}' \
		"$echo_hi" '{"peak":true}'
	assert_status 0
	assert_eq "$(text 1)" slept
	assert_has "$(text 2)" "the answer has 20971"
	assert_has "$(text 2)" "more than the 16777216 that one may have"
	assert_eq "$(text 3)" "you said hi"
	assert [ "$(jq .peak_kb <<<"${lines[4]}")" -lt 100000 ]
}

@test "a result is cut where its tool says" {
	entry s good '{"max_output":400}'
	mcp s.json "$(call bad '{"how":"huge","bytes":0}')" \
		"$(call echo "{\"text\":\"$(printf '%0999d' 7)\"}")"
	assert_status 0
	assert_eq "$(text 2 | wc -c)" "$((400 + 1 - $(printf '%s' 400 | wc -c) + 3 - $((400 - $(text 2 | head -c -1 | wc -c)))))"
	assert_has "$(text 2)" "more bytes were left out]"
}

@test "calls at once: each has its own answer, in whatever order" {
	faulty good '{"calls":[{"name":"s__bad","arguments":{"how":"hold","n":1}},{"name":"s__bad","arguments":{"how":"hold","n":2}},{"name":"s__bad","arguments":{"how":"hold","n":3}},{"name":"s__bad","arguments":{"how":"hold","n":4}}]}'
	assert_status 0
	assert_eq "$(text 1) $(text 2) $(text 3) $(text 4)" \
		"held 1 held 2 held 3 held 4"
}

@test "a call that takes too long is cancelled; its late answer is nobody's" {
	entry s good '{"tools":{"sleep":{"timeout_s":0.3}}}'
	mcp s.json "$(call sleep '{"s":0.6}')" "$echo_hi" '{"wait_s":0.6}' "$echo_hi"
	assert_status 0
	assert_eq "$(jq -c '[.text, .failed, .unknown]' <<<"${lines[1]}")" \
		"[\"MCP server 's' did not answer within 0.3 s; whether the call had its effect is not known\",true,true]"
	assert_eq "$(text 2) $(text 3)" "you said hi you said hi"
	refute_has "$stderr" "MCP server"
	local id
	id=$(jq -r 'select(.method == "tools/call").id' log | head -n 1)
	assert_eq "$(jq -c 'select(.method == "notifications/cancelled") |
		.params.requestId' log)" "$id"
}

@test "a call that is stopped is cancelled, and the others go on" {
	faulty good '{"calls":[{"name":"s__sleep","arguments":{"s":3},"stop_s":0.2},{"name":"s__sleep","arguments":{"s":0.5}}]}'
	assert_status 0
	assert_eq "$(jq -c '[.text, .unknown]' <<<"${lines[1]}")" '["(stopped)",true]'
	assert_eq "$(text 2)" slept
	assert_eq "$(jq -c 'select(.method == "notifications/cancelled") |
		.params.reason' log)" '"the run was stopped"'
}

@test "a server that hangs is killed at the end, with what it has started" {
	entry s good '{"tools":{"bad":{"timeout_s":0.3}}}'
	mcp s.json "$(bad stop)"
	assert_status 0
	assert_eq "$(jq .unknown <<<"${lines[1]}")" true
	run pgrep -f "$PWD/log"
	assert_status 1
	faulty stubborn "$echo_hi"
	assert_status 0
	run pgrep -f "$PWD/log"
	assert_status 1
}

@test "a server may end by itself: its input does, then it is told to" {
	faulty saves "$echo_hi"
	assert_status 0
	assert_eq "$(cat log.saved)" "at the end of input"
	rm log.saved
	faulty savesterm "$echo_hi"
	assert_status 0
	assert_eq "$(cat log.saved)" "at SIGTERM"
}

@test "a server that dies is started again, three times" {
	faulty good "$(call die '{}')" "$echo_hi" "$(call die '{}')" \
		"$(call die '{}')" "$(call die '{}')" "$echo_hi"
	assert_status 0
	assert_eq "$(jq -c '[.text, .failed, .unknown]' <<<"${lines[1]}")" \
		"[\"MCP server 's' exited with status 7; it said last: panic: at the disco; whether the call had its effect is not known\",true,true]"
	assert_eq "$(text 2)" "you said hi"
	assert_eq "$(jq -c '[.text, .unknown]' <<<"${lines[6]}")" \
		"[\"MCP server 's' exited with status 7; it said last: panic: at the disco\",false]"
	assert_eq "$(jq -r 'select(.method == "initialize") | 1' log | wc -l)" 4
}

@test "the key of a call, and arguments that go over lines" {
	printf '{"calls":[{"name":"s__echo","key":"00ff","arguments":{"text":"x"}}]}\n' >line
	faulty good "$(cat line)"
	assert_status 0
	assert_eq "$(jq -c 'select(.method == "tools/call") | [.params._meta,
		.params.name, .params.arguments]' log)" \
		'[{"aiutils/idempotencyKey":"00ff"},"echo",{"text":"x"}]'
}

# ---- where it runs ----------------------------------------------------------------------

@test "a server has a clean environment, and what its entry gives" {
	mkdir sub
	SECRET_API_KEY=hush GIVE=me entry s good \
		'{"cwd":"sub","env":{"GIVEN":"<${GIVE}-${MISSING_ONE:-no}>"}}'
	printf '%s\n' "$(bad env)" >lines
	SECRET_API_KEY=hush GIVE=me run --separate-stderr bash -c \
		'"$BUILDDIR/tests/stub/ai-mcp" s.json <lines'
	assert_status 0
	assert_eq "$(text 1 | jq -r '.[2]')" "<me-no>"
	assert_eq "$(text 1 | jq -r '.[0]')" "$PWD/sub"
	refute_has "$output" SECRET
	mcp s.json
	assert_status 78
	assert_has "$stderr" "s.json:3: mcpServers.s.env: the environment has no 'GIVE'"
}

@test "a key that an entry gives is not shown when the server tells it" {
	KEY=hush-hush-hush entry s good \
		'{"env":{"MY_KEY":"${KEY}","GIVEN":"/a/long/path"}}'
	KEY=hush-hush-hush mcp s.json "$(bad leaks)" "$(bad leak)"
	assert_eq "$(text 1)" "[hidden] /a/long/path"
	assert_has "$(text 2)" "it said last: the key is [hidden]"
	assert_has "$stderr" "skipped: key [hidden]"
	refute_has "$output$stderr" hush
}

@test "a server is in a cage: the workdir to be read, the rest not, no network" {
	local d=$BATS_TEST_TMPDIR
	echo secret >"$d/outside"
	echo inside >file
	entry s good "{\"args\":[\"$bad\"],\"sandbox\":{}}"
	mcp s.json "$(call bad "{\"how\":\"read\",\"path\":\"$d/outside\"}")" \
		"$(call bad '{"how":"read","path":"file"}')" \
		"$(call bad '{"how":"write","path":"file"}')" "$(bad connect)"
	assert_status 0
	assert_eq "$(text 1) $(text 2) $(text 3)" "EACCES inside EACCES"
	refute_eq "$(text 4)" ECONNREFUSED
	entry s good '{"sandbox":{"write":["."],"network":true}}'
	mcp s.json "$(call bad '{"how":"write","path":"file"}')" "$(bad connect)"
	assert_eq "$(text 1) $(text 2)" "written ECONNREFUSED"
}

@test "modules beside a script are its own, what lies beside its folder is not" {
	local d=$BATS_TEST_TMPDIR
	mkdir -p "$d/app/node_modules/dep/lib" "$d/app/node_modules/main"
	echo inside >"$d/app/node_modules/dep/lib/x"
	echo beside >"$d/app/private"
	cp "$bad" "$d/app/node_modules/main/index.mjs"
	entry s good "{\"args\":[\"$d/app/node_modules/main/index.mjs\"]}"
	mcp s.json "$(call bad "{\"how\":\"read\",\"path\":\"$d/app/node_modules/dep/lib/x\"}")" \
		"$(call bad "{\"how\":\"read\",\"path\":\"$d/app/private\"}")"
	assert_status 0
	assert_eq "$(text 1) $(text 2)" "inside EACCES"
}

@test "files as other programs write them" {
	local key
	for key in mcpServers servers; do
		TEXT=yes jq -n --arg key "$key" --arg bad "$bad" '{globalShortcut: "",
			inputs: [{type: "promptString", id: "x"}], ($key): {s: {
			type: "stdio", command: "node", args: [$bad, "good"],
			env: {GIVEN: "${env:TEXT}-${env:MISSING_ONE:-no}"},
			alwaysAllow: ["bad"], autoApprove: ["echo"], timeout: 60}}}' \
			>s.json
		TEXT=yes mcp s.json "$(bad env)"
		assert_status 0
		assert_eq "$(text 1 | jq -r '.[2]')" yes-no
	done
	for key in url serverUrl httpUrl; do
		echo "{\"mcpServers\":{\"s\":{\"$key\":\"http://127.0.0.1:9/mcp\"}}}" >s.json
		mcp s.json
		assert_status 69
		assert_has "$stderr" "cannot connect to 127.0.0.1:9"
	done
}

@test "entries with errors: the file, the line, and what to do" {
	local json why
	while IFS='|' read -r json why; do
		printf '{"mcpServers":\n{"s":\n%s}}\n' "$json" >s.json
		mcp s.json
		assert_eq "$json $status" "$json 78"
		assert_has "$stderr" "s.json:3: mcpServers.s"
		assert_has "$stderr" "$why"
	done <<-'END'
		{"command":7}|command
		{"command":"x","denny":["a"]}|did you mean 'deny'?
		{"url":"ftp://x/"}|mcpServers.s.url: 'ftp://x/' is neither http:// nor https://
		{"url":"http://me:pw@x/"}|url
		{"url":"http://x/","command":"y"}|it has both a command and a url
		{"url":"http://x/","sandbox":{}}|runs in no sandbox of ours
		{"url":"http://x/","headers":{"a b":"c"}}|'a b' cannot be the name of one
		{"url":"http://x/","headers":{"a":"b\nc"}}|there is a control character in 'a'
		{"url":"http://x/","headers":{"a":"${NO_SUCH_VARIABLE}"}}|the environment has no 'NO_SUCH_VARIABLE'
		{"url":"http://x/","headers":{"a":"${input:token}"}}|'${input:token}' is asked for by another program
		{"url":"http://x/","protocol":"2099-01-01"}|protocol
		{"args":["x"]}|it has no command and no url
		{"command":"${NO_SUCH_VARIABLE}"}|the environment has no 'NO_SUCH_VARIABLE'; set it, or write "${NO_SUCH_VARIABLE:-...}"
		{"command":"x","tools":{"a":{"effect":"verify"}}}|effect
		{"command":"x","timeout_s":0}|timeout_s
	END
}

# ---- an agent with them ----------------------------------------------------------------

@test "a run calls a server's tools, and has its words in its transcript" {
	cat >model.json <<-'END'
		{"a": [{"calls": [{"name": "s__echo", "arguments": {"text": "hi"}},
			{"name": "s__bad", "arguments": {"how": "iserror"}}]},
			{"calls": [{"name": "s__echo", "arguments": {"text": "ho"}}]},
			{"text": "heard {{you said (\\w+)}}"}],
		"b": [{"calls": [{"name": "s__die", "arguments": {}}]}]}
	END
	model_start "$PWD/model.json"
	entry s good
	run --separate-stderr ai-agent -m openai/stub-model --price free \
		--base-url "$STUB_URL" --tools s.json --approve never \
		--taint off < <(printf '{"text":"task:%s go"}\n' a b)
	stub_stop
	rm -r "$STUB"
	# A call whose end nobody saw is a person's to decide.
	assert_status 4
	assert_eq "$(jq -r .run.text <<<"${lines[0]}")" "heard ho"
	assert_eq "$(jq -c '.run | [.status, .waiting[].tool]' <<<"${lines[1]}")" \
		'["parked","s__die"]'
	assert_eq "$(jq -r 'select(.method == "tools/call") |
		.params._meta["aiutils/idempotencyKey"] | length' log | uniq)" 32
	run pgrep -f "$PWD/log"
	assert_status 1
}

@test "a server that asks while the model thinks is answered at once" {
	jq -n --arg until "$PWD/log.later" '{a: [{calls: [{name: "s__bad",
		arguments: {how: "later"}}]}, {until: $until, text: "answered"}]}' \
		>model.json
	model_start "$PWD/model.json"
	entry s good
	AI_RETRIES=0 run --separate-stderr ai-agent -m openai/stub-model \
		--price free --base-url "$STUB_URL" --tools s.json \
		--approve never --taint off -r task:a
	stub_stop
	rm -r "$STUB"
	assert_eq "$output" answered
	assert_has "$(cat log)" '"id":"later","result":{}'
}

@test "a server that asks while a command decides is answered" {
	echo '{"a": [{"calls": [{"name": "s__bad", "arguments": {"how":
		"watch"}}]}, {"calls": [{"name": "s__echo", "arguments": {"text":
		"hi"}}]}, {"text": "heard {{you said (\\w+)}}"}]}' >model.json
	cat >decide <<-'END'
		#!/bin/sh
		grep -q s__echo || exit 0
		: >log.ask
		for i in $(seq 100); do
			[ ! -e log.later ] || exit 0
			sleep 0.1
		done
		exit 1
	END
	chmod +x decide
	model_start "$PWD/model.json"
	entry s good
	run --separate-stderr ai-agent -m openai/stub-model --price free \
		--base-url "$STUB_URL" --tools s.json --approve ./decide \
		--taint off -r task:a
	stub_stop
	rm -r "$STUB"
	assert_eq "$output" "heard hi"
}

@test "a server whose command has changed is asked about again" {
	echo '{"a": [{"calls": [{"name": "s__echo", "arguments":
		{"text": "hi"}}]}, {"text": "heard {{you said (\\w+)}}"}]}' >model.json
	model_start "$PWD/model.json"
	again() {
		run --separate-stderr ai-agent approve r -q
	}
	entry s good '{"command": "${NODE_HERE:-node}"}'
	run --separate-stderr ai-agent -m openai/stub-model --price free \
		--base-url "$STUB_URL" --tools s.json --run r -q task:a
	assert_status 4
	# What is written stays, what it stands for does not.
	NODE_HERE=$(command -v node) again
	assert_status 4
	assert_has "$output" "changed since it was asked for"
	entry s good '{"env": {"MORE": "1"}}'
	again
	assert_status 4
	assert_has "$output" "changed since it was asked for"
	again
	stub_stop
	assert_status 0
	assert_eq "$(jq -r .run.text <<<"$output")" "heard hi"
}

# ---- servers of others ------------------------------------------------------------------

# peer NAME: sets js to the server's script; skips the test without it.
peer() {
	need_peer "@modelcontextprotocol/server-$1"
	js=${AI_TEST_PEER:-$SRCDIR/tests/peer}/node_modules/@modelcontextprotocol/server-$1/dist/index.js
}

@test "npm's server-everything" {
	local js
	peer everything
	entry s good "{\"args\":[\"$js\"],\"timeout_s\":20,\"tools\":{\"trigger-long-running-operation\":{\"timeout_s\":0.5}}}"
	mcp s.json '{"calls":[{"name":"s__echo","arguments":{"message":"hi"}},{"name":"s__get-sum","arguments":{"a":2,"b":40}}]}' \
		"$(call get-structured-content '{"location":"Chicago"}')" \
		"$(call get-tiny-image '{}')" \
		"$(call trigger-long-running-operation '{"duration":2,"steps":4}')" \
		"$(call get-roots-list '{}')" "$(call echo '{}')" \
		"$(call trigger-sampling-request '{}')" '{"refresh":true}'
	assert_status 0
	assert_has "$(names)" "s__echo s__get-annotated-message"
	assert_eq "$(text 1)" "Echo: hi"
	assert_eq "$(text 2)" "The sum of 2 and 40 is 42."
	assert_eq "$(text 3 | jq -r .conditions)" "Light rain / drizzle"
	assert_has "$(text 4)" "[image, image/png, "
	assert_has "$(text 5)" "did not answer within 0.5 s"
	assert_has "$(text 6)" "file://$PWD"
	assert_has "$(text 7)" "Input validation error"
	assert_eq "$(jq .failed <<<"${lines[7]}")" true
	assert_eq "$(text 8)" "no tool of this name"
}

@test "npm's server-filesystem" {
	local js
	peer filesystem
	echo hello >a.txt
	entry s good "{\"args\":[\"$js\",\"$PWD\"],\"timeout_s\":20}"
	mcp s.json "$(call read_text_file "{\"path\":\"$PWD/a.txt\"}")" \
		"$(call read_text_file '{"path":"/etc/hostname"}')" \
		"$(call write_file "{\"path\":\"$PWD/b.txt\",\"content\":\"x\"}")"
	assert_status 0
	assert_eq "$(text 1)" hello
	assert_has "$(text 2)" "Access denied"
	assert_eq "$(cat b.txt)" x
}

@test "a server that has closed its output is not waited for" {
	entry s good '{"timeout_s":60}'
	SECONDS=0
	mcp s.json "$(bad mute)" "$(call echo '{"text":"again"}')"
	assert_has "$(text 1)" "MCP server 's' has closed its output"
	assert_eq "$(text 2)" "you said again"
	assert [ "$SECONDS" -lt 50 ]
}

@test "an answer that cannot be read ends its call" {
	entry s good '{"timeout_s":60}'
	mcp s.json "$(bad deep)" "$(call echo '{"text":"again"}')"
	assert_has "$(text 1)" "the answer cannot be read: nested too deep"
	assert_eq "$(text 2)" "you said again"
}

@test "of many tools that are left out some are named" {
	faulty same
	assert_status 0
	assert_eq "$(names)" s__echo
	assert_eq "$(grep -c 'there are two of that name' <<<"$stderr")" 10
	assert_has "$stderr" "1989 more tools of MCP server 's' are left out"
}

@test "more tools than a model takes" {
	entry s many
	run --separate-stderr ai-agent -m local/extract -t s.json -q hello
	assert_status 2
	assert_eq "$(jq -r .error.message <<<"$output" | cut -c1-54)" \
		"there are 1001 tools, and a model is told of at most 1"
}
