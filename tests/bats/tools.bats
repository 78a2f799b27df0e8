# ai-complete: tools, their results, and how hard a model thinks.
load helper
load ../stub/stub

setup_file() {
	stub_start
	export AI_BASE_URL=$STUB_URL AI_MODEL=m1
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	stub_reset
}

tools='[{"type":"function","function":{"name":"now","description":"the time","parameters":{"type":"object","properties":{"zone":{"type":"string"}}}}}]'

ask() {
	run --separate-stderr ai-complete -q "$@"
}

# calls: the stub's next answer calls two tools and says $1 (JSON).
calls() {
	stub_script '{"merge":{"choices":[{"index":0,"message":{"role":"assistant","content":'"$1"',"tool_calls":[{"id":"c1","type":"function","function":{"name":"now","arguments":"{\"zone\":\"\\u00e9\"}"}},{"type":"function","function":{"name":"now","arguments":""}}]},"finish_reason":"tool_calls"}]}}'
}

record() {
	jq -nc --argjson t "$tools" \
		'{prompt: "what time is it?", params: {tools: $t, tool_choice: "required"}}'
}

@test "tools of the params go to the provider, and calls come back" {
	calls null
	ask < <(record)
	assert_status 0
	assert_eq "$(stub_log '.body | [.tools, .tool_choice]')" \
		"[$tools,\"required\"]"
	assert_eq "$(jq -c '.completion | [.text, .finish_reason, .tool_calls]' \
		<<<"$output")" \
		'["","tool_calls",[{"id":"c1","type":"function","function":{"name":"now","arguments":"{\"zone\":\"\\u00e9\"}"}},{"id":"call_1","type":"function","function":{"name":"now","arguments":"{}"}}]]'
}

@test "-r writes the text, then each call as a line of JSON" {
	calls '"Let me see.\n"'
	ask -r < <(record)
	assert_status 0
	assert_eq "${lines[0]}" "Let me see."
	assert_eq "$(tail -n +2 <<<"$output" | jq -c .function.name | xargs)" \
		"now now"
	calls null
	ask -r < <(record)
	assert_eq "$(jq -c .id <<<"$output" | xargs)" "c1 call_1"
}

@test "a call and its result go back as they came" {
	calls null
	record | ai-complete -q >first
	jq -c '{params: {tools: .params.tools}, messages: [
		{role: "user", content: .prompt},
		{role: "assistant", content: null,
		 tool_calls: .completion.tool_calls},
		(.completion.tool_calls[] |
		 {role: "tool", tool_call_id: .id, content: "noon"})]}' \
		first >second
	stub_reset
	ask -r <second
	assert_status 0
	assert_eq "$(stub_log '[.body.messages[] | .role, .tool_call_id]')" \
		'["user",null,"assistant",null,"tool","c1","tool","call_1"]'
}

@test "the id of a call goes back whole, however long a gateway makes it" {
	long=$(printf 'x%.0s' {1..5000})
	for o in --no-stream --stream; do
		call='"tool_calls":[{"index":0,"id":"'$long'1","type":"function","function":{"name":"now","arguments":"{}"}},{"index":1,"id":"'$long'2","type":"function","function":{"name":"now","arguments":"{}"}}]'
		case $o in
		--stream) stub_script '{"raw":["HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",'"$(jq -Rn --arg s "data: {\"choices\":[{\"delta\":{$call},\"finish_reason\":\"tool_calls\"}]}" '$s + "\n\ndata: [DONE]\n\n"')"']}' ;;
		*) stub_script '{"merge":{"choices":[{"index":0,"message":{"role":"assistant","content":null,'"$call"'},"finish_reason":"tool_calls"}]}}' ;;
		esac
		ask "$o" --cache write < <(record)
		assert_status 0
		assert_eq "$(jq -c '.completion.tool_calls | map(.id)' \
			<<<"$output")" "[\"${long}1\",\"${long}2\"]"
	done
	ask --cache only < <(record)
	assert_eq "$(jq -r '.completion.tool_calls[1].id' <<<"$output")" \
		"${long}2"
}

@test "tools outside of the params are data; an empty list is none" {
	ask < <(record | jq -c '.tools = .params.tools | .params = {tools: []}')
	assert_status 0
	assert_eq "$(stub_log '.body | has("tools")')" false
}

@test "tools that are none" {
	for p in '{"tools":{}}' '{"tools":["f"]}' '{"tools":[{"name":"f"}]}' \
		'{"tool_choice":"auto"}' \
		"{\"tools\":$tools,\"tool_choice\":\"perhaps\"}" \
		"{\"tools\":$tools,\"tool_choice\":7}"; do
		printf '{"prompt":"x","params":%s}\n' "$p"
	done >in
	jq -nc --argjson t "$tools" \
		'{prompt: "x", params: {tools: [range(129) | $t[0]]}}' >>in
	ask <in
	assert_status 2
	assert_eq "$(jq -r .error.code <<<"$output" | sort | uniq -c | xargs)" \
		"7 invalid_record"
	assert_eq "$(stub_requests)" 0
}

@test "who cannot call tools says so" {
	ask -m local/extract < <(record |
		jq -c '.hits = [{id: "a", text: "It is noon."}]')
	assert_status 2
	assert_has "$output" "local/extract cannot call tools"
	ask --api ollama < <(record)
	assert_status 2
	assert_has "$output" "cannot do 'tool_choice'"
	ask --api responses --seed 1 hello
	assert_status 2
	assert_has "$output" "cannot do 'seed'"
	assert_has "$output" "${STUB_URL:7:9}"
	ask --api cohere --effort low hello
	assert_status 2
	assert_has "$output" "cannot do 'effort'"
	ask --api anthropic --seed 1 hello
	assert_status 2
	assert_has "$output" "cannot do 'seed'"
	assert_eq "$(stub_requests)" 0
}

@test "effort: flag before params before configuration" {
	ask hello
	ask --effort high hello
	ask < <(echo '{"prompt":"x","params":{"effort":"minimal"}}')
	ask --effort none < <(echo '{"prompt":"x","params":{"effort":"low"}}')
	ask --effort default < <(echo '{"prompt":"x","params":{"effort":"low"}}')
	assert_status 0
	assert_eq "$(stub_log .body.reasoning_effort | xargs)" \
		"null high minimal none null"
	ask < <(echo '{"prompt":"x","params":{"effort":"hard"}}')
	assert_status 2
	assert_has "$output" "params.effort is none of default|none|"
	ask --effort hard hello
	assert_status 64
}

@test "numbers that are out of range are named with the range" {
	ask < <(echo '{"prompt":"x","params":{"max_tokens":1000000000}}')
	assert_status 2
	assert_has "$output" \
		"params.max_tokens is not a whole number from 1 to 10000000"
	ask < <(echo '{"prompt":"x","params":{"top_p":-1}}')
	assert_has "$output" "params.top_p is not a number from 0 to 1"
	ask < <(printf '{"prompt":"x","params":{"model":"a\\u0000b"}}\n')
	assert_has "$output" "params.model is not a name"
	assert_eq "$(stub_requests)" 0
}

@test "the signature of a Gemini's thoughts comes with its call, and goes back" {
	stub_script '{"status":200,"body":{"candidates":[{"content":{"parts":[{"functionCall":{"name":"now","args":{}},"thoughtSignature":"c2ln"}]},"finishReason":"STOP"}]}}' \
		'{"status":200,"body":{"candidates":[{"content":{"parts":[{"text":"noon"}]},"finishReason":"STOP"}]}}'
	ask=(ai-complete --base-url "${STUB_URL%/v1}" --api gemini
		-m gemini-3-pro --price free)
	"${ask[@]}" <<<'{"messages":[{"role":"user","content":"when?"}],"params":{"tools":[{"type":"function","function":{"name":"now"}}]}}' >out
	assert_eq "$(jq -c '.completion.tool_calls[0].extra_content' out)" \
		'{"google":{"thought_signature":"c2ln"}}'
	jq -c '.messages += [{role: "assistant", tool_calls: .completion.tool_calls},
		{role: "tool", tool_call_id: .completion.tool_calls[0].id,
		content: "12:00"}] | del(.completion)' out |
		"${ask[@]}" -r >answer
	assert_eq "$(cat answer)" noon
	assert_eq "$(stub_log '.body.contents[1]' | tail -n 1)" \
		'{"role":"model","parts":[{"functionCall":{"name":"now","args":{}},"thoughtSignature":"c2ln"}]}'
}
