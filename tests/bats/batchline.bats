# ai-complete: lines that were made for a provider's batch, and such output.
load helper
load ../stub/stub

setup_file() {
	stub_start
	export AI_BASE_URL=$STUB_URL
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	stub_reset
}

ask() {
	run --separate-stderr ai-complete -q "$@"
}

# openai BODY, anthropic PARAMS: a line.
openai() {
	printf '{"custom_id":"r1","method":"POST","url":"%s","body":%s}\n' \
		"${2-/v1/chat/completions}" "$1"
}
anthropic() {
	printf '{"custom_id":"r1","params":%s}\n' "$1"
}

# body: what was asked of the provider.
body() {
	stub_log .body
}

# wrong MESSAGE: the line of stdin is refused so, and nobody is asked.
wrong() {
	ask
	assert_status 2
	assert_has "$(jq -r .error.message <<<"$output")" "$1"
	assert_eq "$(jq -r .error.code <<<"$output")" invalid_record
	assert_eq "$(stub_requests)" 0
}

# ---- OpenAI: chat completions ---------------------------------------------------

@test "a chat line: the whole body, and the completion beside it" {
	openai '{"model":"gpt-4o","messages":[{"role":"system","content":"s"},{"role":"user","content":"hi","name":"n"}],"max_tokens":9,"temperature":0.5,"top_p":1,"seed":3,"stop":["a","b"],"reasoning_effort":"low","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"auto","n":1,"stream":false,"user":"u","metadata":{"a":"b"},"store":true,"logprobs":null,"frequency_penalty":0.0}' >in
	ask <in
	assert_status 0
	assert_eq "$(body)" '{"model":"gpt-4o","messages":[{"role":"system","content":"s"},{"role":"user","content":"hi","name":"n"}],"max_tokens":9,"temperature":0.5,"top_p":1,"seed":3,"stop":["a","b"],"reasoning_effort":"low","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"auto"}'
	assert_eq "$(jq -c '.custom_id, .completion.max_tokens' <<<"$output" |
		xargs)" "r1 9"
	assert_eq "$(sed 's/,"completion":.*/}/' <<<"$output")" "$(cat in)"
}

@test "flag, then params, then the body, then the environment" {
	openai '{"model":"a","messages":[{"role":"user","content":"x"}],"max_completion_tokens":9,"seed":1,"temperature":1}' |
		jq -c '.params = {seed: 2, temperature: 2}' >in
	AI_MODEL=env AI_MAX_TOKENS=5 ask --temperature 0 --system sys <in
	assert_status 0
	assert_eq "$(body)" '{"model":"a","messages":[{"role":"system","content":"sys"},{"role":"user","content":"x"}],"max_tokens":9,"temperature":0,"seed":2}'
	stub_reset
	ask -m flag <in
	assert_eq "$(stub_log .body.model)" '"flag"'
	stub_reset
	openai '{"messages":[{"role":"user","content":"x"}]}' >in
	AI_MODEL="env" ask <in
	assert_eq "$(stub_log .body.model)" '"env"'
}

@test "a name without a provider is one of whose batch it is" {
	unset AI_BASE_URL
	openai '{"model":"gpt-4o","messages":[{"role":"user","content":"x"}]}' |
		OPENAI_BASE_URL=$STUB_URL OPENAI_API_KEY=k ai-complete -q >out
	assert_eq "$(jq -c '.completion.provider' out)" '"openai"'
	assert_eq "$(stub_log '[.path, .body.model]')" \
		'["/v1/chat/completions","gpt-4o"]'
	stub_reset
	anthropic '{"model":"claude-x","max_tokens":5,"messages":[{"role":"user","content":"x"}]}' >in
	ANTHROPIC_BASE_URL=$STUB_URL ANTHROPIC_API_KEY=k ask <in
	assert_eq "$(stub_log '[.path, .body.model, .headers["x-api-key"]]')" \
		'["/v1/messages","claude-x","k"]'
	openai '{"model":"mistral/x","messages":[{"role":"user","content":"x"}]}' >in
	ask <in
	assert_has "$output" "MISTRAL_API_KEY"
	# Outside of a batch line a model in the data is data.
	ask <<<'{"prompt":"x","model":"openai/gpt-4o"}'
	assert_has "$output" "no model"
}

@test "what a chat line asks for and we cannot is named" {
	m='"messages":[{"role":"user","content":"x"}]'
	for x in '"n":2' '"stream":true' '"logprobs":true' '"audio":{}' \
		'"modalities":["text","audio"]' '"presence_penalty":0.5' \
		'"service_tier":"flex"' '"web_search_options":{}' \
		'"prediction":{"type":"content"}' '"functions":[]' \
		'"top_k":4'; do
		wrong "body.$(cut -d'"' -f2 <<<"$x") is " \
			< <(openai "{\"model\":\"a\",$m,$x}")
	done
	wrong "body.response_format is neither text nor a JSON schema" \
		< <(openai "{\"model\":\"a\",$m,\"response_format\":{\"type\":\"json_object\"}}")
	wrong "body.max_tokens is not a whole number" \
		< <(openai "{\"model\":\"a\",$m,\"max_tokens\":1000000000}")
	wrong 'body.ev il' < <(openai "{\"model\":\"a\",$m,\"ev\\u001bil\":1}")
}

@test "a line's schema is that of its answer, whoever's line it is" {
	schema='{"type":"object","required":["a"]}'
	openai "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"strict\":true,\"schema\":$schema}}}" >in
	openai "{\"model\":\"m\",\"input\":\"x\",\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"n\",\"schema\":$schema}}}" \
		/v1/responses >>in
	anthropic "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":$schema}}}" >>in
	stub_script '{"content":"{\"a\":1}"}' '{"content":"{\"b\":1}"}' \
		'{"content":"{\"a\":2}"}'
	ask --schema-retries 0 <in
	assert_status 2
	assert_eq "$(jq -r '.completion.text // .error.code' <<<"$output")" \
		$'{"a":1}\ninvalid_answer\n{"a":2}'
	assert_eq "$(stub_log '.body.response_format.json_schema.schema' |
		sort -u)" "$schema"
}

@test "lines of a wrong shape" {
	m='{"model":"a","messages":[{"role":"user","content":"x"}]}'
	wrong "is one for ai-embed" < <(openai "$m" /v1/embeddings)
	wrong "url '/v1/completions' is neither" < <(openai "$m" /v1/completions)
	wrong "body is not an object" < <(openai '"x"')
	wrong "body is not an object" < <(openai '[]')
	wrong "body.messages is not a list" < <(openai '{"model":"a"}')
	wrong "body.messages is not a list" \
		< <(openai '{"model":"a","messages":"x"}')
	wrong "messages has no messages" \
		< <(openai '{"model":"a","messages":[]}')
	wrong "messages.0 is not a message" \
		< <(openai '{"model":"a","messages":[7]}')
	wrong "body.model is not a string" \
		< <(openai '{"model":7,"messages":[{"role":"user","content":"x"}]}')
	wrong "no url" < <(jq -nc --argjson b "$m" '{body: $b}')
	wrong "method is not POST" < <(openai "$m" | jq -c '.method = "GET"')
	wrong "params.messages is not a list" \
		< <(anthropic '{"model":"a","messages":"x"}')
	wrong "no prompt, query, text or messages" \
		< <(anthropic '{"model":"a"}')
	# As deep as a record may be.
	anthropic "$(jq -nc '{model: "a", tools: [{name: "f", input_schema:
		(reduce range(123) as $i ({}; {a: .}))}],
		messages: [{role: "user", content: "x"}]}')" >in
	ask <in
	assert_status 0
}

@test "a body beside a prompt, or with -p or --template, is data" {
	openai '{"model":"evil","n":7,"messages":[{"role":"user","content":"x"}]}' >in
	AI_MODEL=m1 ask < <(jq -c '.text = "t"' in)
	assert_status 0
	assert_eq "$(stub_log '[.body.model, .body.messages[0].content]')" \
		'["m1","t"]'
	stub_reset
	AI_MODEL=m1 ask -p body.messages.0.content <in
	assert_eq "$(stub_log '[.body.model, .body.messages[0].content]')" \
		'["m1","x"]'
	stub_reset
	echo 'Say {{body.n}}' >t
	AI_MODEL=m1 ask --template t <in
	assert_eq "$(stub_log '[.body.model, .body.messages[0].content]')" \
		'["m1","Say 7"]'
}

# ---- OpenAI: responses -----------------------------------------------------------

@test "a responses line: input, instructions, tools, effort" {
	openai '{"model":"o","instructions":"s","input":"hi","max_output_tokens":7,"reasoning":{"effort":"high","summary":null},"store":false,"text":{"format":{"type":"text"}},"truncation":"disabled"}' \
		/v1/responses >in
	openai '{"model":"o","input":[{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"https://x/y","detail":"low"}]},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"b","annotations":[]}]},{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},{"type":"function_call","call_id":"c2","name":"f","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"c1","output":"r"}],"tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":true}],"tool_choice":{"type":"function","name":"f"}}' \
		/v1/responses >>in
	ask <in
	assert_status 0
	assert_eq "$(body | sed -n 1p)" '{"model":"o","messages":[{"role":"system","content":"s"},{"role":"user","content":"hi"}],"max_tokens":7,"reasoning_effort":"high"}'
	assert_eq "$(body | sed -n 2p | jq -c .messages)" '[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://x/y","detail":"low"}}]},{"role":"assistant","content":[{"type":"text","text":"b"}]},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"c1","content":"r"}]'
	assert_eq "$(body | sed -n 2p | jq -c '[.tools, .tool_choice]')" '[[{"type":"function","function":{"name":"f","parameters":{"type":"object"},"strict":true}}],{"type":"function","function":{"name":"f"}}]'
}

@test "what a responses line asks for and we cannot is named" {
	for x in 'previous_response_id "r"' 'background true' \
		'include ["x"]' 'truncation "auto"' 'conversation "c"'; do
		wrong "body.${x%% *} is " < <(openai \
			"{\"model\":\"o\",\"input\":\"x\",\"${x%% *}\":${x#* }}" \
			/v1/responses)
	done
	wrong "body.input is neither" < <(openai '{"input":7}' /v1/responses)
	wrong "body.input.0 is nothing" < <(openai \
		'{"input":[{"type":"reasoning","summary":[]}]}' /v1/responses)
	wrong "body.input.0 has a part" < <(openai \
		'{"input":[{"role":"user","content":[{"type":"input_file"}]}]}' \
		/v1/responses)
	wrong "body.tools.0.type is set to" < <(openai \
		'{"input":"x","tools":[{"type":"web_search"}]}' /v1/responses)
	wrong "body.reasoning.summary is nothing" < <(openai \
		'{"input":"x","reasoning":{"summary":"auto"}}' /v1/responses)
	wrong "body.text.format is neither" < <(openai \
		'{"input":"x","text":{"format":{"type":"json_object"}}}' \
		/v1/responses)
}

# ---- Anthropic -------------------------------------------------------------------

@test "an Anthropic line in OpenAI's form" {
	anthropic '{"model":"claude-x","max_tokens":9,"system":[{"type":"text","text":"one","cache_control":{"type":"ephemeral"}},{"type":"text","text":"two"}],"stop_sequences":["X"],"temperature":1,"metadata":{"user_id":"u"},"tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}],"tool_choice":{"type":"any"},"messages":[{"role":"user","content":[{"type":"text","text":"see"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QUJD"}},{"type":"image","source":{"type":"url","url":"https://x/y"}}]},{"role":"assistant","content":[{"type":"text","text":"I call"},{"type":"tool_use","id":"t1","name":"f","input":{"a":"\u00e9"}},{"type":"tool_use","id":"t2","name":"f","input":{}}]},{"role":"user","content":[{"type":"text","text":"and?"},{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"r"},{"type":"text","text":"s"}]},{"type":"tool_result","tool_use_id":"t2","is_error":true,"content":"no"}]}]}' >in
	ask <in
	assert_status 0
	assert_eq "$(body | jq -c 'del(.messages)')" '{"model":"claude-x","max_tokens":9,"temperature":1,"stop":["X"],"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}],"tool_choice":"required"}'
	assert_eq "$(body | jq -c '.messages[]')" '{"role":"system","content":"one\n\ntwo"}
{"role":"user","content":[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}},{"type":"image_url","image_url":{"url":"https://x/y"}}]}
{"role":"assistant","content":[{"type":"text","text":"I call"}],"tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\":\"\\u00e9\"}"}},{"id":"t2","type":"function","function":{"name":"f","arguments":"{}"}}]}
{"role":"tool","tool_call_id":"t1","content":"rs"}
{"role":"tool","tool_call_id":"t2","content":"error: no"}
{"role":"user","content":[{"type":"text","text":"and?"}]}'
}

@test "an Anthropic line goes to Anthropic as it was" {
	line='{"model":"claude-x","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QUJD"}}]},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{"a":1}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"r"}]}],"system":"s","stop_sequences":["X"],"tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"f"},"output_config":{"effort":"max"}}'
	anthropic "$line" >in
	ask --api anthropic <in
	assert_eq "$(body | jq -cS .)" "$(jq -cS . <<<"$line")"
}

@test "thinking becomes an effort; one that is named is stronger" {
	# effort WANTED THINKING [MORE]
	effort() {
		stub_reset
		anthropic "{\"model\":\"c\",\"max_tokens\":9000,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"thinking\":$2${3-}}" >in
		ask <in
		assert_status 0
		assert_eq "$(stub_log .body.reasoning_effort)" "$1"
	}
	effort null '{"type":"disabled"}'
	effort '"low"' '{"type":"enabled","budget_tokens":1024}'
	effort '"medium"' '{"type":"enabled","budget_tokens":4500}'
	effort '"high"' '{"type":"enabled","budget_tokens":8000}'
	effort '"medium"' '{"type":"adaptive"}'
	effort '"max"' '{"type":"adaptive"}' ',"output_config":{"effort":"max"}'
	stub_reset
	ask --effort none <in
	assert_eq "$(stub_log .body.reasoning_effort)" '"none"'
}

@test "what an Anthropic line asks for and we cannot is named" {
	m='"messages":[{"role":"user","content":"x"}]'
	for x in '"top_k":5' '"stream":true' '"container":"c"' \
		'"mcp_servers":[]' '"service_tier":"standard_only"'; do
		wrong "params.$(cut -d'"' -f2 <<<"$x") is " \
			< <(anthropic "{\"model\":\"c\",$m,$x}")
	done
	wrong "params.tools.0.type is set to" < <(anthropic \
		"{$m,\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"w\"}]}")
	wrong "params.tool_choice.disable_parallel_tool_use is set" < <(anthropic \
		"{$m,\"tools\":[{\"name\":\"w\"}],\"tool_choice\":{\"type\":\"auto\",\"disable_parallel_tool_use\":true}}")
	# What messages may hold.
	# content CONTENT MESSAGE [ROLE]
	content() {
		wrong "$2" < <(anthropic \
			"{\"messages\":[{\"role\":\"${3-user}\",\"content\":$1}]}")
	}
	content '[{"type":"document"}]' \
		"params.messages.0.content.0 is a block of type 'document'"
	content '[{"type":"thinking","thinking":"t","signature":"s"}]' \
		"block of type 'thinking'" assistant
	content '[{"type":"image","source":{"type":"file","file_id":"f"}}]' \
		"source is neither base64 nor a url"
	content '[{"type":"tool_result","tool_use_id":"t","content":[{"type":"image"}]}]' \
		"is not text"
	content '[{"type":"tool_use","id":"t","name":"f","input":7}]' \
		"input is not an object" assistant
	content '[{"type":"tool_use"}]' "not the assistant's"
	content '[{"type":"image"}]' "only the user can say" assistant
	content '[7]' "block of type ''"
	content 7 "params.messages.0.content is neither a string nor a list"
	content '"x"' "params.messages.0.role is set to" tool
	wrong "params.messages.0 is not an object" \
		< <(anthropic '{"messages":["x"]}')
	wrong "params.system.0 is not text" < <(anthropic \
		"{$m,\"system\":[{\"type\":\"image\"}]}")
}

# ---- what comes out --------------------------------------------------------------

@test "--openai-batch: each answer as a line of a Batch's output" {
	printf '%s\n' \
		'{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":"1"}]}}' \
		'{"custom_id":"a","prompt":"2"}' '{"id":3,"text":"3"}' '{"text":"4"}' >in
	AI_MODEL=m1 ask --openai-batch <in
	assert_status 0
	assert_eq "$(jq -c '[.custom_id, .error, .response.status_code,
		.response.request_id, .response.body.model]' <<<"$output")" \
		'["a",null,200,"req_stub","m-2026-11-22"]
["a",null,200,"req_stub","m1-2026-11-22"]
[3,null,200,"req_stub","m1-2026-11-22"]
[null,null,200,"req_stub","m1-2026-11-22"]'
	assert_eq "$(jq -c '.response.body | del(.id, .created)' \
		<<<"${lines[0]}")" '{"object":"chat.completion","model":"m-2026-11-22","choices":[{"index":0,"message":{"role":"assistant","content":"{\"echo\":\"1\"}","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":5,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":8},"completion_tokens_details":{"reasoning_tokens":2}}}'
	# Each has an id of its own, the same in another run.
	jq -r '.id, .response.body.id' <<<"$output" >ids
	assert_eq "$(sort -u ids | wc -l)" 8
	AI_MODEL=m1 ask --openai-batch <in
	jq -r '.id, .response.body.id' <<<"$output" | cmp - ids
}

@test "--openai-batch: every failure is a line too, and shows in the status" {
	stub_script '{"status":400,"body":{"error":{"message":"no such thing","type":"invalid_request_error","param":"messages","code":null}}}' '{}'
	printf '%s\n' '{"custom_id":"a","prompt":"1"}' '{"custom_id":"b"}' \
		'no json' '{"custom_id":"c","text":"","chunk":{"of":0}}' \
		'{"custom_id":"d","error":{"tool":"ai-x","code":"odd","message":"m"}}' \
		'{"custom_id":"e","prompt":"2"}' >in
	AI_MODEL=m1 ask --openai-batch <in
	assert_status 2
	assert_eq "$(jq -c '[.custom_id, .error.code,
		.response.status_code, .response.body.error.param]' \
		<<<"$output")" '["a","request_rejected",400,"messages"]
["b","invalid_record",null,null]
[null,"invalid_json",null,null]
["c","invalid_record",null,null]
["d","odd",null,null]
["e",null,200,null]'
	assert_eq "$(jq -c 'keys' <<<"$output" | sort -u)" \
		'["custom_id","error","id","response"]'
	assert_has "$(jq -r '.error.message // ""' <<<"$output")" "no such thing"
	# For the next program all of these are records as any other.
	"$BUILDDIR/tests/stub/ai-pass" <<<"$output" >out
	assert_eq "$(cat out)" "$output"
	# All failed for one reason: its status.
	stub_script '{"status":401}' '{"status":401}'
	AI_MODEL=m1 ask --openai-batch < <(head -n 1 in)
	assert_status 77
	assert_eq "$(jq -c '[.response.status_code, .error.code]' \
		<<<"$output")" '[401,"not_allowed"]'
}

@test "--openai-batch: what it does not go with" {
	for o in -r --stream "--as x"; do
		# shellcheck disable=SC2086
		ask -m m1 --openai-batch $o hello
		assert_status 64
		assert_has "$stderr" "--openai-batch and ${o%% *}"
	done
}

@test "--openai-batch of local/extract, and of -j" {
	ask -m local/extract --openai-batch <<<'{"custom_id":"a","query":"how long may a batch be?","hits":[{"id":"1","text":"A batch may be 500 lines long."}]}'
	assert_status 0
	assert_eq "$(jq -c '[.response.body.choices[0].message.content,
		.response.body.usage.prompt_tokens]' <<<"$output")" \
		'["A batch may be 500 lines long. [1]",0]'
	seq 9 | jq -c '{custom_id: "r\(.)", prompt: "p\(.)"}' >in
	AI_MODEL=m1 ask --openai-batch -j 4 <in
	assert_eq "$(jq -r '[.custom_id, .response.body.choices[0].message.content
		| fromjson? // .] | "\(.[0])"' <<<"$output" | xargs)" \
		"r1 r2 r3 r4 r5 r6 r7 r8 r9"
}
