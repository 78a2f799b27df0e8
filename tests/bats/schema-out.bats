# ai-complete --schema: answers that must satisfy a schema.
load helper
load ../stub/stub

setup_file() {
	stub_start
	unset AI_PRICE
	export AI_BASE_URL=$STUB_URL AI_MODEL=m1 AI_PRICE=1,2
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	stub_reset
	cat >color.json <<-'END'
		{"type": "object", "required": ["name", "hex"],
		 "properties": {"name": {"type": "string"},
			"hex": {"type": "string", "pattern": "^#[0-9a-f]{6}$"}}}
	END
}

ask() {
	run --separate-stderr ai-complete "$@"
}

@test "the provider gets the schema, and an answer that satisfies it is one" {
	stub_script '{"content":"{\"name\":\"red\",\"hex\":\"#ff0000\"}"}'
	ask --schema color.json red
	assert_status 0
	assert_eq "$(jq -r '.completion.text | fromjson | .hex' <<<"$output")" '#ff0000'
	assert_eq "$(jq -c '.completion.attempts' <<<"$output")" 1
	stub_log .body.response_format >format
	assert_eq "$(jq -c '.json_schema.schema' format)" "$(jq -c . color.json)"
	stub_script '{"content":"{\"name\":\"red\",\"hex\":\"#ff0000\"}"}'
	ask -r --schema color.json red
	assert_eq "$output" '{"name":"red","hex":"#ff0000"}'
}

@test "a fence and blanks around it are cut off; other words are not" {
	stub_script '{"content":"\n```json\n{\"name\":\"red\",\n \"hex\":\"#ff0000\"}\n```\n"}'
	ask --schema color.json red
	assert_status 0
	assert_eq "$(jq -r .completion.text <<<"$output")" \
		'{"name":"red",
 "hex":"#ff0000"}'
	stub_script '{"content":"Here: {\"name\":\"red\",\"hex\":\"#ff0000\"}"}'
	ask --schema-retries 0 --schema color.json red
	assert_status 2
	for text in '```' '``````' '```json' '```json\n```' ' ' '```\n{}'; do
		stub_script "{\"content\":\"$text\"}"
		ask --schema-retries 0 --schema color.json red
		assert_status 2
		assert_eq "$(jq -r .error.code <<<"$output")" invalid_answer
	done
}

@test "what violates it is asked again, with the answer and what is wrong; all is paid" {
	stub_script '{"content":"{\"name\":\"red\"}"}' \
		'{"content":"{\"name\":\"red\",\"hex\":\"red\"}"}' \
		'{"content":"{\"name\":\"red\",\"hex\":\"#ff0000\"}"}'
	ask --schema color.json red
	assert_status 0
	assert_eq "$(jq -r .completion.attempts <<<"$output")" 3
	assert_eq "$(stub_requests)" 3
	assert_eq "$(jq .completion.cost_usd <<<"$output")" \
		"$(ai-cost report | jq .spent_usd)"
	# The last answer only, behind what was asked.
	stub_log .body.messages | tail -n 1 >last
	assert_eq "$(jq -c 'map(.role)' last)" '["user","assistant","user"]'
	assert_eq "$(jq -r '.[0].content' last)" red
	assert_eq "$(jq -r '.[1].content' last)" '{"name":"red","hex":"red"}'
	assert_has "$(jq -r '.[2].content' last)" 'This does not satisfy the JSON Schema: hex: '
	assert_has "$(stub_log .body.messages | sed -n 2p | jq -r '.[2].content')" hex
}

@test "then it fails, with the last answer and all errors" {
	stub_script '{"content":"{\"name\":1}"}' '{"content":"no"}' '{"content":"[]"}'
	ask --schema color.json < <(echo '{"prompt":"red","id":7}')
	assert_status 2
	assert_eq "$(stub_requests)" 3
	assert_eq "$(jq -c '.error | [.code, .retryable, .answer, (.errors | length)]' \
		<<<"$output")" '["invalid_answer",false,"[]",3]'
	assert_has "$(jq -r '.error.message' <<<"$output")" \
		'the answer does not satisfy the schema, nor did those before it: '
	assert_has "$(jq -r '.error.errors[1]' <<<"$output")" 'JSON'
	assert_eq "$(jq .error.cost_usd <<<"$output")" \
		"$(ai-cost report | jq .spent_usd)"
	stub_script '{"content":"no"}'
	ask --schema-retries 0 --schema color.json red
	assert_eq "$(stub_requests)" 4
	assert_eq "$(jq -c '.error.errors | length' <<<"$output")" 1
}

@test "an answer that was cut off, or a refusal, is not asked for again" {
	stub_script '{"content":"{\"name\":","finish_reason":"length"}'
	ask --schema color.json red
	assert_status 2
	assert_has "$output" 'give a larger --max-tokens'
	stub_script '{"content":"I must not.","finish_reason":"content_filter"}'
	ask --schema color.json red
	assert_status 2
	assert_eq "$(jq -c '.error | [.code, .answer]' <<<"$output")" \
		'["request_rejected","I must not."]'
	assert_eq "$(stub_requests)" 2
}

@test "the next model of a chain has its turn if --fallback-on says schema" {
	for i in 1 2; do
		stub_script '{"content":"{}"}' '{"content":"{}"}' \
			'{"content":"{\"name\":\"red\",\"hex\":\"#ff0000\"}"}'
		[ "$i" = 1 ] && on=down || on=down,schema
		ask --fallback-on "$on" -m m1,m2 --schema-retries 1 \
			--schema color.json red
		[ "$i" = 2 ] || assert_status 2
	done
	assert_status 0
	assert_eq "$(jq -c '.completion | [.attempts, .fallback[0].code]' <<<"$output")" \
		'[3,"invalid_answer"]'
	# It is not shown what the other one said.
	assert_eq "$(stub_log .body.messages | tail -n 1 | jq -c 'length')" 1
}

@test "a record brings its own; the command line is stronger" {
	echo '{"prompt":"x","params":{"schema":{"type":"integer"}}}' >in
	stub_script '{"content":" 7 "}'
	ask <in
	assert_status 0
	assert_eq "$(jq -c .completion.text <<<"$output")" '"7"'
	stub_script '{"content":"7"}'
	ask --schema-retries 0 --schema color.json <in
	assert_status 2
	ask < <(echo '{"prompt":"x","params":{"schema":{"type":"intger"}}}')
	assert_status 2
	assert_eq "$(jq -r .error.code <<<"$output")" invalid_record
	assert_has "$output" "the record's schema is none: type: "
	ask < <(echo '{"prompt":"x","params":{"schema":"{}"}}')
	assert_has "$output" 'params.schema is not an object'
	jq -n '{complete: {schema: "color.json"}}' >config.json
	stub_script '{"content":"7"}'
	ask --schema-retries 0 --config config.json hello
	assert_status 2
	assert_eq "$(stub_requests)" 3
}

@test "many at once are each checked by their own" {
	seq 40 | jq -c '{prompt: "p\(.)", params: {schema: {type: "object",
		properties: {echo: {const: "p\(.)"}}, required: ["echo"]}}}' >in
	ask -j 8 <in
	assert_status 0
	assert_eq "$(jq -c '.completion.text | fromjson.echo' <<<"$output" | wc -l)" 40
	sed 's/"const":"p\(.\)"/"const":"q"/' in >bad
	ask -j 8 --schema-retries 1 <bad
	assert_status 2
	assert_eq "$(jq -c 'select(.error)' <<<"$output" | wc -l)" 9
}

@test "a schema that is none is told before anything is asked" {
	echo '{"type":"objct"}' >bad.json
	ask --schema bad.json red
	assert_status 65
	assert_has "$stderr" "'bad.json' is no schema: type: "
	echo '{' >bad.json
	ask --schema bad.json red
	assert_status 65
	ask --schema none.json red
	assert_status 66
	ask --schema color.json -m local/extract red
	assert_status 78
	assert_has "$stderr" 'it goes not with --schema'
	ask --schema color.json -m m1,local/extract red
	assert_status 78
	ask < <(echo '{"query":"x","hits":[],"params":{"model":"local/extract","schema":{}}}')
	assert_status 2
	assert_has "$output" 'cannot answer by a schema'
	assert_eq "$(stub_requests)" 0
}

@test "nothing is written before it is checked, --stream or not" {
	stub_script '{"content":"no"}' '{"content":"{\"name\":\"red\",\"hex\":\"#ff0000\"}"}'
	ask --stream -r --schema color.json red
	assert_status 0
	assert_eq "$output" '{"name":"red","hex":"#ff0000"}'
}

@test "where a provider holds no model to it, the model is told" {
	# Anthropic's wants closed objects; the stub does not speak it.
	ask --api anthropic --schema color.json --system 'Be brief.' red
	assert_has "$(stub_log '.body.system')" 'Be brief.\n\nAnswer with one JSON value that satisfies this JSON Schema'
	assert_has "$(stub_log '.body.system')" '#[0-9a-f]{6}'
	assert_eq "$(stub_log '.body | tostring' | grep -c output_format)" 0
	stub_reset
	jq '.additionalProperties = false | del(.properties.hex.pattern)' color.json >closed.json
	ask --api anthropic --schema closed.json red
	assert_eq "$(stub_log '.body.system')" null
	assert_has "$(stub_log '.body')" json_schema
}

@test "--resume, --cache: what was asked again is not asked once more" {
	echo '{"prompt":"red"}' >in
	stub_script '{"content":"no"}' '{"content":"{\"name\":\"red\",\"hex\":\"#ff0000\"}"}'
	ask --schema color.json --resume colors <in
	assert_status 0
	first=$(jq -c .completion.text <<<"$output")
	ask --schema color.json --resume colors <in
	assert_status 0
	assert_eq "$(jq -c .completion.text <<<"$output")" "$first"
	assert_eq "$(stub_requests)" 2
	stub_script '{"content":"no"}' '{"content":"{\"name\":\"red\",\"hex\":\"#ff0000\"}"}'
	ask --schema color.json --cache on <in
	ask --schema color.json --cache on <in
	assert_status 0
	assert_eq "$(jq -c '.completion | [.cached, .cost_usd]' <<<"$output")" '[true,0]'
	assert_eq "$(stub_requests)" 4
}
