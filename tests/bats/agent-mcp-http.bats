# ai-agent's MCP client over HTTP: servers of both eras, and one with many
# faults (tests/stub/mcp-http.mjs).
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

# server MODE [JSON]: starts one; s.json is its tools file, with JSON in the
# entry; $at its folder, $url its address.
server() {
	local more=${2-}
	at=$PWD/h$((n = ${n-0} + 1))
	stub_serve "$at" mcp-http.mjs "$1"
	pids+=("$STUB_PID")
	: >>"$at/log"
	url=http://127.0.0.1:$(cat "$at/port")/mcp
	jq -n --arg url "$url" --argjson more "${more:-null}" \
		'{mcpServers: {s: ({url: $url, timeout_s: 5} + $more)}}' >s.json
}

# mcp LINE...: the server, and what is done with it.
mcp() {
	: >lines
	[ $# -eq 0 ] || printf '%s\n' "$@" >lines
	run --separate-stderr bash -c \
		'"$BUILDDIR/tests/stub/ai-mcp" ${V-} s.json <lines'
}

call() {
	jq -nc --arg n "s__$1" --argjson a "$2" '{calls: [{name: $n, arguments: $a}]}'
}

bad() {
	call bad "{\"how\":\"$1\"}"
}

text() {
	jq -r .text <<<"${lines[$1]}"
}

names() {
	jq -r '.tools[].name' <<<"${lines[0]}" | xargs
}

# log FILTER: of the requests that came.
log() {
	jq -c "$1" "$at/log"
}

echo_hi=$(call echo '{"text":"hi"}')

# ---- what they speak ------------------------------------------------------------

@test "servers of all revisions, over JSON and streams" {
	local mode
	for mode in legacy json modern events old; do
		server $mode
		mcp "$echo_hi" "$(call read_resource '{"uri":"n://7"}')" \
			"$(call list_resources '{}')" \
			"$(call list_resources '{"cursor":"p2"}')" \
			"$(call list_resources '{"templates":true}')"
		assert_status 0
		assert_eq "$mode $(names)" \
			"$mode s__echo s__bad s__list_resources s__read_resource"
		assert_eq "$(text 1) / $(text 2)" "echo hi / this is n://7"
		assert_eq "$(text 3)" "n://1  note (text/plain)
there is more, with the cursor 'p2'"
		assert_eq "$(text 4) / $(text 5)" \
			"n://2  note (text/plain) / n://{n}  notes"
		assert_eq "$stderr" ""
	done
}

@test "a session has its id in each request, and an end" {
	server legacy
	mcp "$echo_hi"
	assert_eq "$(log 'select(.body.method == "initialize") |
		.headers | [.["mcp-session-id"], .["mcp-protocol-version"]]')" \
		'[null,null]'
	assert_eq "$(log 'select(.body.method != "initialize" and
		.body.method != "server/discover") | .headers |
		[.["mcp-session-id"], .["mcp-protocol-version"]]' | sort -u)" \
		'["s-1","2025-11-25"]'
	assert_eq "$(log .http | tail -n 1)" '"DELETE"'
	assert_eq "$(log 'select(.http == "POST").headers.accept' | sort -u)" \
		'"application/json, text/event-stream"'
	assert_eq "$(log 'select(.http == "GET").headers.accept')" \
		'"text/event-stream"'
}

@test "2026-07-28: each request says all, in its body and its headers" {
	server modern
	mcp "$(call echo '{"text":" ü\n"}')" \
		"$(call echo '{"text":"=?base64?x?="}')" \
		"$(call echo '{"text":""}')" "$(call echo '{}')" \
		"$(call read_resource '{"uri":"n://ä"}')"
	assert_status 0
	assert_eq "$(log '.body.params._meta |
		.["io.modelcontextprotocol/protocolVersion"],
		.["io.modelcontextprotocol/clientInfo"].name,
		.["io.modelcontextprotocol/clientCapabilities"]' | sort -u | xargs)" \
		"2026-07-28 ai-agent {roots:{}}"
	assert_eq "$(log 'select(.headers["mcp-method"] != .body.method or
		.headers["mcp-protocol-version"] != "2026-07-28" or
		.headers["mcp-session-id"] != null)')" ""
	assert_eq "$(log 'select(.body.method == "tools/call") | .headers |
		[.["mcp-name"], .["mcp-param-text"]]')" \
		'["echo","=?base64?IMO8Cg==?="]
["echo","=?base64?PT9iYXNlNjQ/eD89?="]
["echo",""]
["echo",null]'
	assert_eq "$(log 'select(.body.method == "resources/read") |
		.headers["mcp-name"]')" '"=?base64?bjovL8Ok?="'
	assert_eq "$(log 'select(.http != "POST")')" ""
}

@test "an entry's headers go with each request, with variables in them" {
	TOKEN=hush server legacy '{"headers":{"Authorization":"Bearer ${TOKEN}"}}'
	TOKEN=hush mcp "$echo_hi"
	assert_status 0
	assert_eq "$(log '.headers.authorization' | sort -u)" '"Bearer hush"'
	refute_has "$output$stderr" hush
}

@test "what an entry hides stays hidden when the server says it" {
	local how
	TOKEN=hush-hush-hush server legacy '{"headers":{"Authorization":
		"Bearer ${TOKEN}","X-Plain":"plain-and-simple"}}'
	for how in tells401 tells500 tells tellserror tellsnoise; do
		TOKEN=hush-hush-hush V=-v mcp "$(bad $how)" "$echo_hi"
		assert_eq "$how $(text 2)" "$how echo hi"
		refute_has "$output$stderr" hush
		[ "$how" != tells ] ||
			assert_eq "$(text 1)" "Bearer [hidden] plain-and-simple"
	done
	TOKEN=hush-hush-hush run --separate-stderr ai-agent mcp call bad \
		'{"how":"tells"}' -t s.json
	assert_has "$(jq -r '.result.content[0].text' <<<"$output")" "[hidden]"
	refute_has "$output$stderr" hush
	# What a gateway says of itself is no message.
	server legacy
	mcp "$(bad tells401)"
	refute_has "$stderr" "no message"
}

@test "headers do not go to another machine unencrypted" {
	local host
	for host in 192.0.2.1 localhost.example.com; do
		jq -n --arg url "http://$host/mcp" '{mcpServers: {s: {url: $url,
			headers: {Authorization: "Bearer hush"}}}}' >s.json
		mcp
		assert_status 77
		assert_has "$stderr" "mcpServers.s: its headers would go to $host unencrypted"
		refute_has "$stderr" hush
	done
	jq -n '{mcpServers: {s: {url: "http://no-such-host.invalid/mcp",
		insecure_http: true, headers: {A: "b"}}}}' >s.json
	mcp
	assert_status 69
}

@test "what an entry says of the protocol is not tried otherwise" {
	server legacy '{"protocol":"2026-07-28"}'
	mcp
	assert_status 69
	assert_has "$stderr" "MCP server 's' does not speak 2026-07-28"
	server legacy '{"protocol":"2025-11-25"}'
	mcp "$echo_hi"
	assert_status 0
	assert_eq "$(log 'select(.http == "POST").body.method' | head -n 1)" \
		'"initialize"'
	server old '{"type":"sse"}'
	mcp "$echo_hi"
	assert_status 0
	assert_eq "$(log .http | head -n 1) $(text 1)" '"GET" echo hi'
}

@test "a server that cannot be used is named, with why" {
	local mode why
	while IFS='|' read -r mode why; do
		# Only one that says nothing is waited for.
		server "$mode" "{\"start_timeout_s\":$([ "$mode" = hang ] &&
			echo 1 || echo 60)}"
		mcp
		assert_eq "$mode $status" "$mode 69"
		assert_has "$stderr" "MCP server 's' $why"
	done <<-'END'
		hang|did not shake hands within 1 s
		s401|answers server/discover with HTTP 401 (it wants other "headers" in its entry)
		s500|answers initialize with HTTP 500: no
		html|answers with 'text/html'
		redirect|answers initialize with HTTP 302
		hugediscover|answers server/discover with a line that has 20971
		future|speaks none of the protocols that are known
		again|answers server/discover with error -32022: Unsupported protocol version
		headers|answers server/discover with error -32020: Header mismatch
		longsession|has a session id that is too long
	END
	server elsewhere '{"type":"sse"}'
	mcp
	assert_has "$stderr" "wants to be asked at another address, 'http://example.com/steal'"
	jq -n '{mcpServers: {s: {url: "http://127.0.0.1:9/mcp"}}}' >s.json
	mcp
	assert_status 69
	assert_has "$stderr" "MCP server 's' cannot be reached: cannot connect to 127.0.0.1:9"
}

# ---- calls --------------------------------------------------------------------------

@test "answers of all kinds, of servers of before 2026-07-28" {
	local how want
	server legacy
	while IFS='|' read -r how want; do
		mcp "$(bad "$how")" "$echo_hi"
		assert_status 0
		assert_eq "$how $(jq -c '[.text, .failed, .unknown]' <<<"${lines[1]}")" \
			"$how $want"
		assert_eq "$how $(text 2)" "$how echo hi"
	done <<-'END'
		wrongid|["this",false,false]
		twice|["one",false,false]
		garbage|["after it",false,false]
		batch|["in it",false,false]
		utf8|["a�b",false,false]
		resume|["resumed",false,false]
		resume3|["resumed",false,false]
		ping|["{}",false,false]
		e400|["error -32602: no such place",true,false]
		e400null|["error -32600: not so",true,false]
		badjson|["the answer cannot be read: a value is expected at byte 12",true,false]
		ask|["-32601",false,false]
		nothing|["MCP server 's' answers with nothing; whether the call had its effect is not known",true,true]
		empty|["MCP server 's' answers with nothing; whether the call had its effect is not known",true,true]
		html|["MCP server 's' answers with 'text/html'; whether the call had its effect is not known",true,true]
		cut|["MCP server 's' has ended its stream without the answer; whether the call had its effect is not known",true,true]
		s500|["MCP server 's' answers tools/call with HTTP 500: it is on fire; whether the call had its effect is not known",true,true]
		s429|["MCP server 's' answers tools/call with HTTP 429 (it wants to be asked again in 60 s): slowly",true,false]
		redirect|["MCP server 's' answers tools/call with HTTP 307",true,false]
		onlywrong|["MCP server 's' answers something else; whether the call had its effect is not known",true,true]
		input|["the server asks for more (input_required), which nobody gives it",true,false]
	END
	mcp "$(bad deep)" "$(bad broken)" "$(bad drop)" "$echo_hi"
	assert_has "$(text 1)" "the answer cannot be read: nested too deep"
	assert_has "$(text 2)" "MCP server 's' cannot be reached: no answer from 127.0.0.1"
	assert_eq "$(jq -c .unknown <<<"${lines[2]}${lines[3]}" | xargs)" "true true"
	assert_eq "$(text 4)" "echo hi"
}

@test "answers of all kinds, of servers of 2026-07-28" {
	local how want
	server events
	while IFS='|' read -r how want; do
		mcp "$(bad "$how")" "$echo_hi"
		assert_status 0
		assert_eq "$how $(jq -c '[.text, .failed, .unknown]' <<<"${lines[1]}")" \
			"$how $want"
		assert_eq "$how $(text 2)" "$how echo hi"
	done <<-'END'
		request|["asked",false,false]
		state|["went",false,false]
		forever|["the server asks for more again and again",true,false]
		sample|["the server asks for more (input_required), which nobody gives it",true,false]
		othertype|["the server answers with a result of a kind that is not known, 'later'",true,false]
		resume|["MCP server 's' has ended its stream without the answer; whether the call had its effect is not known",true,true]
		mismatch|["error -32020: Header mismatch",true,false]
	END
	assert_eq "$(log 'select(.http == "GET")')" ""
	# Each of the rounds had an id of its own.
	assert_eq "$(log 'select(.body.params.requestState == "again").body.id' |
		sort | uniq -d)" ""
}

@test "what is too long, or has no end, costs its call and no memory" {
	not_sanitized
	server legacy '{"timeout_s":60}'
	mcp "$(bad huge)" "$(bad hugeevent)" "$(bad hugeerror)" "$echo_hi" \
		'{"peak":true}'
	assert_status 0
	assert_has "$(text 1)" "the answer has 20971"
	assert_has "$(text 2)" "the answer has more than the 16777216 bytes"
	assert_eq "$(jq .unknown <<<"${lines[3]}") $(text 4)" "true echo hi"
	assert [ "$(jq .peak_kb <<<"${lines[5]}")" -lt 120000 ]
	server legacy '{"tools":{"bad":{"timeout_s":1}}}'
	mcp "$(bad endless)" "$(bad dots)" "$echo_hi" '{"peak":true}'
	assert_has "$(text 1)" "did not answer within 1 s"
	assert_has "$(text 2)" "did not answer within 1 s"
	assert_eq "$(text 3)" "echo hi"
	assert [ "$(jq .peak_kb <<<"${lines[4]}")" -lt 60000 ]
	assert_eq "$(log 'select(.body.method == "notifications/cancelled")' |
		wc -l)" 2
}

@test "a stream goes on where it broke, after the time that the server names" {
	server legacy
	mcp "$(bad resume)"
	assert_eq "$(log 'select(.headers["last-event-id"] != null) |
		[.http, .headers["last-event-id"], .headers["mcp-session-id"]]')" \
		'["GET","e1","s-1"]'
	assert [ "$(jq -s '(map(select(.headers["last-event-id"])) | .[0].at) -
		(map(select(.body.params.arguments.how == "resume")) | .[0].at)' \
		"$at/log")" -ge 200 ]
	: >"$at/log"
	server legacy
	mcp "$(bad never)"
	assert_has "$(text 1)" "breaks the stream of its answer off again and again"
	assert_eq "$(jq .unknown <<<"${lines[1]}")" true
	assert [ "$(log 'select(.headers["last-event-id"] != null) | 1' | wc -l)" -le 11 ]
}

@test "a server that asks on and on, and takes no answer, is ended" {
	not_sanitized
	server legacy '{"timeout_s":60}'
	mcp "$(bad storm)" "$echo_hi" '{"peak":true}'
	assert_status 0
	assert_has "$(text 1)" "asks on and on, and takes no answer"
	assert_eq "$(text 2)" "echo hi"
	assert [ "$(jq .peak_kb <<<"${lines[3]}")" -lt 60000 ]
	assert [ "$(log 'select(.body.method == null and .http == "POST") | 1' |
		wc -l)" -le 64 ]
}

@test "a session that has ended begins anew, and the call is not lost" {
	server legacy
	mcp "$(bad forget)" "$echo_hi" "$echo_hi"
	assert_status 0
	assert_eq "$(text 1) $(text 2) $(text 3)" "goodbye echo hi echo hi"
	assert_eq "$(log 'select(.body.method == "initialize") | 1' | wc -l)" 2
	assert_eq "$(log 'select(.http == "DELETE").headers["mcp-session-id"]')" \
		'"s-2"'
}

@test "a session may end as often as it likes, if it was of any use" {
	server legacy
	# shellcheck disable=SC2046
	mcp $(for _ in $(seq 7); do bad forget; echo "$echo_hi"; done)
	assert_status 0
	assert_eq "$(jq -r 'select(.text).text' <<<"$output" | sort | uniq -c |
		xargs)" "7 echo hi 7 goodbye"
	assert_eq "$(log 'select(.body.method == "initialize") | 1' | wc -l)" 8
	server useless
	mcp "$echo_hi" "$echo_hi"
	assert_has "$(text 1)" "has ended the session"
	assert_eq "$(log 'select(.body.method == "initialize") | 1' | wc -l)" 4
}

@test "who is refused for now asks again when the server says, if it may" {
	local mode
	for mode in legacy modern; do
		server $mode
		mcp "$(bad busy429)"
		assert_eq "$mode $(text 1)" "$mode done after 3"
		assert_eq "$(log 'select(.body.method == "tools/call").body.id' |
			uniq -c | wc -l)" 1
		assert [ "$(jq -s 'map(select(.body.method == "tools/call").at) |
			.[2] - .[0]' "$at/log")" -ge 400 ]
	done
	# What may be done once only is not done again for a 503.
	server legacy
	mcp "$(bad busy503)"
	assert_eq "$(jq -c .unknown <<<"${lines[1]}")" true
	assert_has "$(text 1)" "with HTTP 503 (it wants to be asked again in 0.2 s): full"
	server legacy '{"tools":{"bad":{"effect":"idempotent"}}}'
	mcp "$(bad busy503)"
	assert_eq "$(text 1)" "done after 3"
	# Nobody waits for what comes too late; nor for ever.
	server legacy '{"timeout_s":20}'
	mcp "$(bad s429)"
	assert_has "$(text 1)" "with HTTP 429 (it wants to be asked again in 60 s): slowly"
	server legacy '{"timeout_s":2}'
	mcp "$(bad full)"
	assert_has "$(text 1)" "answers tools/call with HTTP 429"
	assert [ "$(log 'select(.body.method == "tools/call") | 1' | wc -l)" -le 2 ]
}

@test "a stream of its own that does not last is asked for again, more seldom" {
	server closing
	V=-v mcp '{"wait_s":6}' "$echo_hi"
	assert_eq "$(text 1)" "echo hi"
	assert_has "$stderr" "does not keep its stream: it is asked for one every 30 s"
	assert_eq "$(log 'select(.http == "GET") | 1' | wc -l)" 11
	server fullget
	mcp '{"wait_s":1.5}' "$(bad notify)" '{"wait_s":0.3}' '{"refresh":true}'
	assert_eq "$(jq -r '.tools[].name' <<<"${lines[2]}" | tail -n 1)" s__more
}

@test "calls at once: each has its own request" {
	server events
	mcp '{"calls":[{"name":"s__bad","arguments":{"how":"slow"}},{"name":"s__echo","arguments":{"text":"a"}},{"name":"s__bad","arguments":{"how":"slow"}},{"name":"s__echo","arguments":{"text":"b"}}]}'
	assert_status 0
	assert_eq "$(text 1) $(text 2) $(text 3) $(text 4)" \
		"slow echo a slow echo b"
}

@test "many calls take no more memory than few" {
	local one many
	not_sanitized
	one=$(jq -nc '{calls: [range(50) | {name: "s__echo", arguments: {text: "x\(.)"}}]}')
	many=$(for _ in $(seq 40); do printf '%s\n' "$one"; done)
	server events
	mcp "$one" '{"peak":true}' "$many" '{"peak":true}'
	assert_status 0
	assert_eq "$(jq -r 'select(.text) | select(.failed or
		(.text | startswith("echo x") | not))' <<<"$output")" ""
	assert_eq "$(jq -r 'select(.text) | 1' <<<"$output" | wc -l)" 2050
	assert [ "$(jq -s 'map(select(.peak_kb).peak_kb) | .[1] - .[0]' \
		<<<"$output")" -lt 4000 ]
}

@test "a call that is stopped is told: by a message before 2026-07-28, by the end of its stream since" {
	local mode
	for mode in legacy modern; do
		server $mode
		mcp '{"calls":[{"name":"s__bad","arguments":{"how":"slow"},"stop_s":0.2}]}' \
			"$echo_hi"
		assert_eq "$(jq -c '[.text, .unknown]' <<<"${lines[1]}")" \
			'["(stopped)",true]'
		assert_eq "$mode $(log 'select(.body.method ==
			"notifications/cancelled").body.params.reason')" \
			"$mode $([ $mode = modern ] || echo '"the run was stopped"')"
	done
}

@test "a list that changes is told of by a stream of its own, in both eras" {
	local mode
	for mode in legacy modern; do
		server $mode
		V=-v mcp "$(bad notify)" '{"wait_s":1}' '{"refresh":true}' \
			"$(call more '{}')"
		assert_status 0
		assert_eq "$(jq -r '.tools[].name' <<<"${lines[2]}" | xargs)" \
			"s__echo s__bad s__list_resources s__read_resource s__more"
		assert_eq "$(text 3)" "more undefined"
		assert_has "$stderr" "MCP server 's' has other resources than before"
	done
	assert_eq "$(log 'select(.body.method == "subscriptions/listen") |
		.body.params.notifications')" \
		'{"toolsListChanged":true,"resourcesListChanged":true}'
}

@test "progress is told with -v, of calls that are under way" {
	server legacy
	mcp "$(bad progress)"
	assert_eq "$(text 1)" "token undefined"
	V=-v mcp "$(bad progress)"
	assert_eq "$(text 1)" "token number"
	assert_has "$stderr" "s__bad: 1 of 4, a quarter"
	assert_eq "$(grep -c 's__bad: ' <<<"$stderr")" 1
}

@test "headers of arguments: what is wrong in a schema leaves its tool out" {
	server modern
	cat >wrong.mjs <<-'END'
		import { createServer } from 'node:http';
		import { writeFileSync } from 'node:fs';
		const o = (properties, more) => ({ type: 'object', properties, ...more });
		const h = (name, type = 'string') => ({ type, 'x-mcp-header': name });
		const schemas = { good: o({ a: o({ 'b.c': h('Deep', 'integer') }), d: { enum: [{ 'x-mcp-header': 1 }] } }),
			named: o({ 'x-mcp-header': { type: 'string' } }),
			empty: o({ a: h('') }), number: o({ a: h('A', 'number') }), array: o({ a: { type: 'array', items: h('A') } }),
			any: o({}, { anyOf: [o({ a: h('A') })] }), defs: o({}, { $defs: { a: h('A') } }),
			root: { ...o({}), 'x-mcp-header': 'A' }, twice: o({ a: h('A'), b: h('a') }), colon: o({ a: h('A:') }),
			line: o({ a: h('A\r\nX') }), nostring: o({ a: h(7) }), item: o({ a: { type: 'string', not: h('A') } }) };
		createServer((q, s) => { let b = ''; q.on('data', (d) => b += d); q.on('end', () => {
			const m = JSON.parse(b); s.setHeader('Content-Type', 'application/json');
			const result = m.method === 'server/discover' ? { supportedVersions: ['2026-07-28'], capabilities: {} }
				: m.method === 'tools/list' ? { tools: Object.entries(schemas).map(([name, inputSchema]) => ({ name, inputSchema })) }
				: { content: [{ type: 'text', text: String(q.headers['mcp-param-deep']) }] };
			s.end(JSON.stringify({ jsonrpc: '2.0', id: m.id, result })); }); })
			.listen(0, '127.0.0.1', function () { writeFileSync('port', String(this.address().port)); });
	END
	node wrong.mjs 3>&- &
	pids+=($!)
	for _ in $(seq 600); do [ -s port ] && break || sleep 0.05; done
	jq -n --arg url "http://127.0.0.1:$(cat port)/" \
		'{mcpServers: {s: {url: $url}}}' >s.json
	mcp "$(call good '{"a":{"b.c":-7}}')" "$(call good '{"a":{"b.c":4e2}}')" \
		"$(call good '{"a":{}}')"
	assert_status 0
	assert_eq "$(names)" "s__good s__named"
	assert_eq "$(text 1) $(text 2) $(text 3)" "-7 400 undefined"
	assert_eq "$(grep -c 'is left out: an x-mcp-header' <<<"$stderr")" 10
}

# ---- an agent with one --------------------------------------------------------------

@test "a run calls a tool over HTTP while others are asked, and may not send there what it was not told" {
	cat >model.json <<-'END'
		{"a": [{"calls": [{"name": "s__echo", "arguments": {"text": "hi"}},
			{"name": "s__read_resource", "arguments": {"uri": "n://3"}}]},
			{"text": "heard {{this is (\\S+)}}"}]}
	END
	server legacy
	model_start "$PWD/model.json"
	pids+=("$STUB_PID")
	run --separate-stderr ai-agent -m openai/stub-model --price free \
		--base-url "$STUB_URL" --tools s.json --approve never \
		--taint off -r task:a
	assert_status 0
	assert_eq "$output" "heard n://3"
	assert_eq "$(log 'select(.body.method == "tools/call") |
		.body.params._meta["aiutils/idempotencyKey"] | length')" 32
	assert_eq "$(log .http | tail -n 1)" '"DELETE"'
	# Under taint, what nobody who is trusted has named is not asked for.
	: >"$at/log"
	run --separate-stderr ai-agent -m openai/stub-model --price free \
		--base-url "$STUB_URL" --tools s.json --approve never -q task:a
	rm -r "$STUB"
	assert_has "$output" "heard missing"
	assert_eq "$(log 'select(.body.method == "resources/read")')" ""
}

# ---- servers of others ------------------------------------------------------------------

@test "npm's server-everything over streamable HTTP, and over the HTTP of 2024-11-05" {
	local js port mode
	need_peer @modelcontextprotocol/server-everything
	js=${AI_TEST_PEER:-$SRCDIR/tests/peer}/node_modules/@modelcontextprotocol/server-everything/dist/index.js
	for mode in streamableHttp sse; do
		PORT=0 PORT_FILE=$PWD/$mode.port node --import "$SRCDIR/tests/stub/loopback.mjs" "$js" \
			$mode >$mode.out 2>&1 3>&- &
		pids+=($!)
		for _ in $(seq 900); do
			[ -s $mode.port ] && break || sleep 0.05
		done
		port=$(cat $mode.port)
		jq -n --arg url "http://127.0.0.1:$port/$([ $mode = sse ] && echo sse || echo mcp)" \
			'{mcpServers: {s: {url: $url, timeout_s: 20, tools:
			{"trigger-long-running-operation": {timeout_s: 0.5}}}}}' >s.json
		mcp '{"calls":[{"name":"s__echo","arguments":{"message":"hi"}},{"name":"s__get-sum","arguments":{"a":2,"b":40}}]}' \
			"$(call get-structured-content '{"location":"Chicago"}')" \
			"$(call trigger-long-running-operation '{"duration":2,"steps":4}')" \
			"$(call get-roots-list '{}')" "$(call list_resources '{}')" \
			"$(call read_resource '{"uri":"demo://resource/dynamic/text/1"}')" \
			'{"refresh":true}'
		assert_status 0
		assert_has "$(names)" "s__echo s__get-annotated-message"
		assert_eq "$(text 1) $(text 2)" "Echo: hi The sum of 2 and 40 is 42."
		assert_eq "$(text 3 | jq -r .conditions)" "Light rain / drizzle"
		assert_has "$(text 4)" "did not answer within 0.5 s"
		assert_has "$(text 5)" "file://$PWD"
		assert_has "$(text 6)" "demo://resource/"
		assert_has "$(text 7)" "Resource 1: This is a plaintext resource"
	done
}
