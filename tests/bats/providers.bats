#!/usr/bin/env bats
# Every provider's format, against npm's aimock, which is not ours.
load helper

setup_file() {
	local peers=${AI_TEST_PEER:-$SRCDIR/tests/peer}
	[ -d "$peers/node_modules/@copilotkit/aimock" ] || return 0
	MOCK=$BATS_FILE_TMPDIR/mock
	mkdir "$MOCK"
	NODE_PATH=$peers/node_modules node "$peers/aimock.mjs" "$MOCK" 3>&- &
	MOCK_PID=$!
	for ((i = 0; i < 200; i++)); do
		[ -s "$MOCK/port" ] && break
		sleep 0.05
	done
	MOCK_URL=http://127.0.0.1:$(cat "$MOCK/port")
	export MOCK_PID MOCK_URL
}

teardown_file() {
	[ -z "${MOCK_PID-}" ] || kill "$MOCK_PID"
}

setup() {
	ai_setup
	need_peer @copilotkit/aimock
	apis='openai anthropic cohere bedrock gemini mistral ollama responses'
	ask=(ai-complete --base-url "$MOCK_URL" -m some-model --price '1,2'
		--retries 0)
}

@test "each is asked and understood" {
	for api in $apis; do
		stop=(--stop END)
		[ "$api" != responses ] || stop=()
		run --separate-stderr "${ask[@]}" --api "$api" --system 'Be kind.' \
			--max-tokens 50 --temperature 0.5 "${stop[@]}" hello
		assert_status 0
		assert_eq "$(jq -r '.completion | .text, .finish_reason' <<<"$output")" \
			$'Grüß dich, and hello!\nstop'
	done
}

@test "a conversation of many turns" {
	turns='{"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":[{"type":"text","text":"hello"}]}]}'
	for api in $apis; do
		run --separate-stderr "${ask[@]}" --api "$api" <<<"$turns"
		assert_status 0
		assert_has "$output" 'and hello!'
	done
}

@test "too many requests: try later, with the time to wait" {
	for api in $apis; do
		run --separate-stderr "${ask[@]}" --api "$api" limit
		assert_status 75
		assert_eq "$(jq -c '.error | [.message[-9:], .retry_after_s]' \
			<<<"$output")" '["slow down",1]'
		ai-cost breaker reset
	done
}

@test "what a provider cannot do is an error, not left out" {
	for api in anthropic bedrock; do
		run --separate-stderr "${ask[@]}" --api "$api" --seed 7 hello
		assert_status 2
		assert_has "$output" "cannot do 'seed'"
	done
	run --separate-stderr "${ask[@]}" --api bedrock <<<'{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://a.example/b.png"}}]}]}'
	refute_eq "$status" 0
}

@test "the providers' own addresses and keys" {
	run --separate-stderr ai-complete -m anthropic/claude-sonnet-4-5 hello
	assert_status 77
	assert_has "$stderr" 'set ANTHROPIC_API_KEY in the environment'
	run --separate-stderr ai-complete -m bedrock/amazon.nova-lite-v1:0 \
		--price 1,2 hello
	assert_status 77
	assert_has "$stderr" 'AWS_BEARER_TOKEN_BEDROCK'
	# A known provider elsewhere: its variable, and the price by its name.
	ANTHROPIC_BASE_URL=$MOCK_URL ANTHROPIC_API_KEY=k ai-complete \
		-m anthropic/claude-sonnet-4-5 hello | grep -q 'and hello!'
	AWS_ENDPOINT_URL_BEDROCK_RUNTIME=$MOCK_URL AWS_ACCESS_KEY_ID=a \
		AWS_SECRET_ACCESS_KEY=b AWS_REGION=eu-central-1 ai-complete \
		-m bedrock/amazon.nova-lite-v1:0 --price 1,2 hello |
		grep -q 'and hello!'
	run --separate-stderr ai-complete -m nobody/x hello
	assert_status 78
	assert_has "$stderr" 'anthropic, azure, bedrock, cohere'
}

@test "each streams: pieces as they come, then the whole" {
	for api in $apis; do
		"${ask[@]}" --api "$api" --stream <<<'{"id":7,"prompt":"hello"}' >out
		assert_eq "$(jq -rj 'select(.delta) | .delta.text' out)" \
			'Grüß dich, and hello!'
		assert_eq "$(jq -c 'select(.delta) | .id' out | sort -u)" 7
		assert_eq "$(tail -n 1 out | jq -r '.completion | .text, .finish_reason, .ttft_ms >= 0')" \
			$'Grüß dich, and hello!\nstop\ntrue'
		assert_eq "$("${ask[@]}" --api "$api" --stream -r hello)" \
			'Grüß dich, and hello!'
	done
}

@test "pictures, tools and lines made for a batch reach each" {
	need curl
	printf '\x89PNG\r\n\x1a\n1234' >a.png
	tool='{"type":"function","function":{"name":"look_up","description":"d","parameters":{"type":"object","properties":{"x":{"type":"string"}}}}}'
	printf '{"prompt":"hello","images":["a.png"],"params":{"tools":[%s]}}\n' \
		"$tool" >in
	printf '{"custom_id":"b","params":{"model":"some-model","max_tokens":50,"messages":[{"role":"user","content":[{"type":"text","text":"see"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"%s"}}]},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"look_up","input":{"x":"y"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"found"},{"type":"text","text":"hello"}]}],"tools":[{"name":"look_up","input_schema":{"type":"object"}}]}}\n' \
		"$(base64 -w0 a.png)" >>in
	for api in $apis; do
		run --separate-stderr "${ask[@]}" --api "$api" \
			--media-tokens 2000 <in
		assert_status 0
		assert_eq "$(jq -r .completion.text <<<"$output" | sort -u)" \
			'Grüß dich, and hello!'
		curl -sS "$MOCK_URL/__aimock/journal" |
			jq -c '.[-2:][].body' >journal
		assert_eq "$(grep -c look_up journal)" 2
		# Of others' formats the mock keeps no pictures.
		case $api in openai | mistral)
			assert_eq "$(grep -c "$(base64 -w0 a.png)" journal)" 2 ;;
		esac
	done
}

@test "calls of tools come back in one form, whole and in a stream" {
	record='{"prompt":"weather","params":{"tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object"}}}]}}'
	for api in $apis; do
		for o in --no-stream --stream; do
			run --separate-stderr "${ask[@]}" --api "$api" "$o" \
				<<<"$record"
			assert_status 0
			assert_eq "$(tail -n 1 <<<"$output" | jq -c '.completion |
				[.finish_reason, (.tool_calls[] | .type,
				.function, (.id | length > 0))]')" \
				'["tool_calls","function",{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"},true]'
		done
	done
}
