#!/usr/bin/env bats
# What can be asked for, by each format: it is in what is sent, or the record is
# an error that names it.  Nothing in between.
load helper
load ../stub/stub

setup_file() {
	stub_start
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	stub_reset
	export AI_LEDGER=none AWS_ACCESS_KEY_ID=
	printf '\x89PNG\r\n\x1a\n1234' >a.png
}

apis=(openai anthropic bedrock cohere gemini mistral ollama responses)
tool='{"type":"function","function":{"name":"look_up","parameters":{"type":"object","properties":{"x":{"type":"string"}}}}}'

# sends RECORD EXPECTED...: for each of the formats, in this order, a jq filter
# that is true of the body, or "!" and words of the error.  The stub answers as
# OpenAI does; what the others make of that is no matter here.
sends() {
	local record=$1 api want body
	shift
	for api in "${apis[@]}"; do
		want=$1
		shift
		: >"$STUB/log"
		run --separate-stderr ai-complete -q --base-url "$STUB_URL" \
			-m gemini-2.5-x --retries 0 --schema-retries 0 \
			--media-tokens 100 --api "$api" <<<"$record"
		if [ "${want:0:1}" = '!' ]; then
			assert_status 2
			assert_eq "$(stub_requests)" 0
			assert_has "$(jq -r .error.message <<<"$output")" \
				"${want:1}"
			continue
		fi
		assert_eq "$api $(stub_requests)" "$api 1"
		body=$(stub_log .body)
		jq -e "$want" <<<"$body" >/dev/null || {
			echo "$api: not $want: $body"
			false
		}
	done
}

params() {
	printf '{"prompt":"q","params":{%s}}' "$1"
}

messages() {
	printf '{"messages":[%s]}' "$1"
}

@test "the system's text, limits and sampling" {
	sends "$(params '"system":"S"')" \
		'.messages[0]=={role:"system",content:"S"}' '.system=="S"' \
		'.system==[{text:"S"}]' '.messages[0]=={role:"system",content:"S"}' \
		'.systemInstruction=={parts:[{text:"S"}]}' \
		'.messages[0]=={role:"system",content:"S"}' \
		'.messages[0]=={role:"system",content:"S"}' '.instructions=="S"'
	sends "$(params '"max_tokens":77')" '.max_tokens==77' '.max_tokens==77' \
		'.inferenceConfig.maxTokens==77' '.max_tokens==77' \
		'.generationConfig.maxOutputTokens==77' '.max_tokens==77' \
		'.options.num_predict==77' '.max_output_tokens==77'
	sends "$(params '"temperature":0.25')" '.temperature==0.25' \
		'.temperature==0.25' '.inferenceConfig.temperature==0.25' \
		'.temperature==0.25' '.generationConfig.temperature==0.25' \
		'.temperature==0.25' '.options.temperature==0.25' \
		'.temperature==0.25'
	sends "$(params '"top_p":0.125')" '.top_p==0.125' '.top_p==0.125' \
		'.inferenceConfig.topP==0.125' '.p==0.125' \
		'.generationConfig.topP==0.125' '.top_p==0.125' \
		'.options.top_p==0.125' '.top_p==0.125'
	sends "$(params '"seed":9')" '.seed==9' "!cannot do 'seed'" \
		"!cannot do 'seed'" '.seed==9' '.generationConfig.seed==9' \
		'.random_seed==9' '.options.seed==9' "!cannot do 'seed'"
	sends "$(params '"stop":["E","F"]')" '.stop==["E","F"]' \
		'.stop_sequences==["E","F"]' \
		'.inferenceConfig.stopSequences==["E","F"]' \
		'.stop_sequences==["E","F"]' \
		'.generationConfig.stopSequences==["E","F"]' \
		'.stop==["E","F"]' '.options.stop==["E","F"]' "!cannot do 'stop'"
}

@test "efforts" {
	sends "$(params '"effort":"low"')" '.reasoning_effort=="low"' \
		'.output_config.effort=="low"' '.outputConfig.effort=="low"' \
		"!cannot do 'effort'" \
		'.generationConfig.thinkingConfig.thinkingBudget==1024' \
		'.reasoning_effort=="low"' '.think=="low"' \
		'.reasoning.effort=="low"'
	sends "$(params '"effort":"none"')" '.reasoning_effort=="none"' \
		"!no effort 'none'" "!no effort 'none'" "!cannot do 'effort'" \
		'.generationConfig.thinkingConfig.thinkingBudget==0' \
		'.reasoning_effort=="none"' '.think==false' \
		'.reasoning.effort=="none"'
	sends "$(params '"effort":"max"')" '.reasoning_effort=="max"' \
		'.output_config.effort=="max"' '.outputConfig.effort=="max"' \
		"!cannot do 'effort'" "!no effort 'max'" \
		'.reasoning_effort=="max"' '.think=="max"' \
		'.reasoning.effort=="max"'
}

@test "tools, and which one is called" {
	local strict=${tool/'"name"'/'"strict":true,"name"'}
	local named='{"type":"function","function":{"name":"look_up"}}'
	sends "$(params "\"tools\":[$tool]")" \
		'.tools[0].function.name=="look_up"' '.tools[0].name=="look_up"' \
		'.toolConfig.tools[0].toolSpec.name=="look_up"' \
		'.tools[0].function.name=="look_up"' \
		'.tools[0].functionDeclarations[0].name=="look_up"' \
		'.tools[0].function.name=="look_up"' \
		'.tools[0].function.name=="look_up"' '.tools[0].name=="look_up"'
	sends "$(params "\"tools\":[$strict]")" '.tools[0].function.strict' \
		'.tools[0].strict' '.toolConfig.tools[0].toolSpec.strict' \
		.strict_tools "!leave 'strict' of tools.0 out" \
		'.tools[0].function.strict' "!leave 'strict' of tools.0 out" \
		'.tools[0].strict'
	choice() {
		params "\"tools\":[$tool],\"tool_choice\":$1"
	}
	sends "$(choice '"auto"')" '.tool_choice=="auto"' \
		'.tool_choice.type=="auto"' '.toolConfig.toolChoice=={auto:{}}' \
		'has("tool_choice")|not' \
		'.toolConfig.functionCallingConfig.mode=="AUTO"' \
		'.tool_choice=="auto"' 'has("tools")' '.tool_choice=="auto"'
	sends "$(choice '"required"')" '.tool_choice=="required"' \
		'.tool_choice.type=="any"' '.toolConfig.toolChoice=={any:{}}' \
		'.tool_choice=="REQUIRED"' \
		'.toolConfig.functionCallingConfig.mode=="ANY"' \
		'.tool_choice=="any"' "!cannot do 'tool_choice'" \
		'.tool_choice=="required"'
	sends "$(choice '"none"')" '.tool_choice=="none"' \
		'.tool_choice.type=="none"' "!cannot do 'tool_choice' none" \
		'.tool_choice=="NONE"' \
		'.toolConfig.functionCallingConfig.mode=="NONE"' \
		'.tool_choice=="none"' "!cannot do 'tool_choice'" \
		'.tool_choice=="none"'
	sends "$(choice "$named")" ".tool_choice==$named" \
		'.tool_choice=={type:"tool",name:"look_up"}' \
		'.toolConfig.toolChoice=={tool:{name:"look_up"}}' \
		"!cannot do 'tool_choice' with a tool's name" \
		'.toolConfig.functionCallingConfig.allowedFunctionNames==["look_up"]' \
		".tool_choice==$named" "!cannot do 'tool_choice'" \
		'.tool_choice=={type:"function",name:"look_up"}'
}

@test "schemas: by the provider, or told to the model" {
	local closed='{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}'
	local open='{"type":"object","properties":{"a":{"type":"string"}}}'
	local told='test("satisfies this JSON Schema")'
	sends "$(params "\"schema\":$closed")" \
		".response_format.json_schema|.schema==$closed and .strict" \
		".output_config.format.schema==$closed" \
		".outputConfig.textFormat.structure.jsonSchema.schema|fromjson==$closed" \
		".response_format.json_schema==$closed" \
		".generationConfig.responseJsonSchema==$closed" \
		".response_format.json_schema.schema==$closed" \
		".format==$closed" ".text.format|.schema==$closed and .strict"
	sends "$(params "\"schema\":$open")" \
		'.response_format.json_schema.strict==false' ".system|$told" \
		".system[0].text|$told" ".response_format.json_schema==$open" \
		".generationConfig.responseJsonSchema==$open" \
		'.response_format.json_schema.strict==false' ".format==$open" \
		'.text.format.strict==false'
}

@test "pictures: files, addresses, and in which detail" {
	local b64 url='https://e.example/a.png' low
	b64=$(base64 -w0 a.png)
	sends '{"prompt":"q","images":["a.png"]}' \
		".messages[0].content[1].image_url.url==\"data:image/png;base64,$b64\"" \
		".messages[0].content[1].source.data==\"$b64\"" \
		".messages[0].content[1].image.source.bytes==\"$b64\"" \
		".messages[0].content[1].image_url.url==\"data:image/png;base64,$b64\"" \
		".contents[0].parts[1].inlineData.data==\"$b64\"" \
		".messages[0].content[1].image_url.url==\"data:image/png;base64,$b64\"" \
		".messages[0].images==[\"$b64\"]" \
		".input[0].content[1].image_url==\"data:image/png;base64,$b64\""
	sends "{\"prompt\":\"q\",\"images\":[\"$url\"]}" \
		".messages[0].content[1].image_url.url==\"$url\"" \
		".messages[0].content[1].source.url==\"$url\"" \
		'!not by their address' \
		".messages[0].content[1].image_url.url==\"$url\"" \
		".contents[0].parts[1].fileData.fileUri==\"$url\"" \
		".messages[0].content[1].image_url.url==\"$url\"" \
		'!fetches no pictures' ".input[0].content[1].image_url==\"$url\""
	low=$(messages '{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}}]}')
	sends "$low" '.messages[0].content[0].image_url.detail=="low"' \
		'!knows no detail' '!knows no detail' \
		'.messages[0].content[0].image_url.detail=="low"' \
		'!knows no detail' \
		'.messages[0].content[0].image_url.detail=="low"' \
		'!knows no detail' '.input[0].content[0].detail=="low"'
	sends "${low/low/high}" '.messages[0].content[0].image_url.detail=="high"' \
		'.messages|length==1' '.messages|length==1' \
		'.messages[0].content[0].image_url.detail=="high"' \
		'.contents|length==1' \
		'.messages[0].content[0].image_url.detail=="high"' \
		'.messages|length==1' '.input[0].content[0].detail=="high"'
}

@test "what a tool has answered" {
	local turn='{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"look_up","arguments":"{\"x\":1}"}}]},{"role":"tool","tool_call_id":"c1","content":'
	sends "$(messages "$turn\"RES\"}")" '.messages[2].content=="RES"' \
		'.messages[2].content[0]|.tool_use_id=="c1" and .content=="RES"' \
		'.messages[2].content[0].toolResult|.toolUseId=="c1" and .content==[{text:"RES"}]' \
		'.messages[2]|.tool_call_id=="c1" and .content=="RES"' \
		'.contents[2].parts[0].functionResponse|.name=="look_up" and .response.output=="RES"' \
		'.messages[2].content=="RES"' \
		'.messages[2]|.tool_name=="look_up" and .content=="RES"' \
		'.input[2]|.call_id=="c1" and .output=="RES"'
	# OpenAI's own format goes as it is; the provider says what is wrong.
	local no='!messages.2: a tool'
	sends "$(messages "$turn"'42}')" '.messages[2].content==42' "$no" "$no" "$no" \
		"$no" '.messages[2].content==42' "$no" "$no"
	sends "$(messages "$turn"'[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}')" \
		'.messages[2].content[0].type=="image_url"' "$no" "$no" "$no" "$no" \
		'.messages[2].content[0].type=="image_url"' "$no" "$no"
}

@test "messages that only OpenAI's format can say" {
	local no part
	for part in '"content":"x","name":"Bob"' \
		'"content":[{"type":"input_audio","text":"t","input_audio":{"data":"AAAA","format":"wav"}}]' \
		'"content":[{"type":"file","file":{"file_data":"AAAA"}}]'; do
		no='!messages.0: '
		sends "$(messages "{\"role\":\"user\",$part}")" .messages "$no" \
			"$no" "$no" "$no" .messages "$no" "$no"
	done
	# The number is that of the record's message, whatever goes before it.
	sends '{"messages":[{"role":"user","content":"a"},{"role":"robot","content":"b"}],"params":{"system":"s"}}' \
		.messages '!messages.1: ' '!messages.1: ' '!messages.1: ' \
		'!messages.1: ' .messages '!messages.1: ' '!messages.1: '
	sends "$(messages '{"role":"user","content":"q"},{"role":"assistant","content":null,"refusal":"NO"},{"role":"user","content":"why"}')" \
		'.messages[1].refusal=="NO"' '.messages[1].content[0].text=="NO"' \
		'.messages[1].content[0].text=="NO"' '.messages[1].content=="NO"' \
		'.contents[1].parts[0].text=="NO"' '.messages[1].refusal=="NO"' \
		'.messages[1].content=="NO"' '.input[1].content=="NO"'
}

@test "sources stand before what is asked, and never between a call and its answer" {
	local record='{"hits":[{"id":"h","text":"HIT"}],"messages":[{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"R"}]}'
	local roles='[.messages[].role]==["system","user","user","assistant","tool"]'
	sends "$record" "$roles and (.messages[1].content|test(\"HIT\"))" \
		'.messages[0].content|length==2 and (.[0].text|test("HIT"))' \
		'.messages[0].content|length==2 and (.[0].text|test("HIT"))' \
		'[.messages[].role]==["system","user","assistant","tool"] and (.messages[1].content[0].text|test("HIT"))' \
		'.contents[0].parts|length==2 and (.[0].text|test("HIT"))' \
		"$roles and (.messages[1].content|test(\"HIT\"))" \
		'[.messages[].role]==["system","user","assistant","tool"] and (.messages[1].content|test("HIT"))' \
		'.input[0].content|length==2 and (.[0].text|test("HIT"))'
}

@test "Ollama leaves nothing out to make a prompt fit" {
	ai-complete -q --base-url "$STUB_URL" -m m --api ollama --retries 0 hi ||
		true
	assert_eq "$(stub_log '.body | [.truncate, .shift]')" '[false,false]'
}
