#!/usr/bin/env bats
# Counts that the provider makes: ai-complete --count, ai-tokens --exact; and
# ai-complete models, which lists what the keys can see.
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
	unset AI_PRICE
	base=${STUB_URL%/v1}
	count=(ai-complete --count --base-url "$base" --retries 0)
}

# Answers as a provider writes them.
say() {
	local body
	for body; do
		printf '{"status":200,"body":%s}\n' "$body"
	done >>"$STUB/script"
}

# ---- --count ----

@test "each provider's count, asked where and as it wants it" {
	say '{"input_tokens":11}' '{"input_tokens":12,"object":"response.input_tokens"}' \
		'{"totalTokens":13}' '{"inputTokens":14}'
	for api in anthropic responses gemini bedrock; do
		"${count[@]}" --api "$api" -m m --system s <<<'{"id":1,"prompt":"q"}'
	done >out
	assert_eq "$(jq -c . out)" '{"id":1,"prompt":"q","tokens":{"count":11,"encoding":null,"exact":true,"method":"provider"}}
{"id":1,"prompt":"q","tokens":{"count":12,"encoding":null,"exact":true,"method":"provider"}}
{"id":1,"prompt":"q","tokens":{"count":13,"encoding":null,"exact":true,"method":"provider"}}
{"id":1,"prompt":"q","tokens":{"count":14,"encoding":null,"exact":true,"method":"provider"}}'
	assert_eq "$(stub_log '[.method, .path, (.body | tostring)]')" \
		'["POST","/v1/messages/count_tokens","{\"model\":\"m\",\"system\":\"s\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"q\"}]}]}"]
["POST","/v1/responses/input_tokens","{\"model\":\"m\",\"instructions\":\"s\",\"input\":[{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"q\"}]}]}"]
["POST","/v1beta/models/m:countTokens","{\"generateContentRequest\":{\"model\":\"models/m\",\"systemInstruction\":{\"parts\":[{\"text\":\"s\"}]},\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"q\"}]}]}}"]
["POST","/model/m/count-tokens","{\"input\":{\"converse\":{\"system\":[{\"text\":\"s\"}],\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"q\"}]}]}}}"]'
}

@test "OpenAI counts for its chats where it counts for its responses" {
	say '{"input_tokens":7}'
	run --separate-stderr env OPENAI_BASE_URL="$STUB_URL" ai-complete \
		--count -m openai/gpt-5-mini --seed 1 --stop x -r hello
	assert_status 0
	assert_eq "$output" 7
	assert_eq "$(stub_log .path)" '"/v1/responses/input_tokens"'
}

@test "it costs nothing: no ledger, no price, no budget" {
	say '{"input_tokens":7}'
	run --separate-stderr "${count[@]}" --api anthropic -m nobody-knows-it \
		--ledger "$PWD/ledger.db" hello
	assert_status 0
	assert [ ! -e ledger.db ]
	assert_eq "$(jq .tokens.count <<<"$output")" 7
}

@test "many at once, in order; hits and tools are counted too" {
	for ((i = 1; i <= 40; i++)); do say "{\"input_tokens\":$i}"; done
	seq 40 | ai-complete --count --base-url "$base" --api anthropic \
		-m m -R -j 8 >out
	assert_eq "$(jq -r .prompt out)" "$(seq 40)"
	assert_eq "$(jq .tokens.count out | sort -n)" "$(seq 40)"
	stub_reset
	say '{"input_tokens":3}'
	"${count[@]}" --api anthropic -m m \
		<<<'{"query":"q","hits":[{"text":"a source"}]}' >out
	assert_has "$(stub_log .body)" 'a source'
}

@test "what does not tell is a clear error, for every record" {
	run --separate-stderr "${count[@]}" -m m <<<$'{"prompt":"a"}\n{"prompt":"b"}'
	assert_status 78
	assert_eq "$(jq -r .error.code <<<"$output")" $'configuration\nconfiguration'
	assert_has "$output" 'does not tell how many tokens'
	run --separate-stderr "${count[@]}" --api cohere -m m a
	assert_status 78
	run --separate-stderr ai-complete --count -m local/extract a
	assert_status 78
	for option in --stream --resume=x; do
		run --separate-stderr "${count[@]}" -m m "$option" a
		assert_status 64
	done
	assert_eq "$(stub_requests)" 0
}

@test "errors and retries are those of a call" {
	stub_script '{"status":503}' '{"status":200,"body":{"input_tokens":5}}' \
		'{"status":401}' '{"status":429,"headers":{"Retry-After":"9"}}' \
		'{"status":200,"body":{"tokens":5}}'
	count+=(--api anthropic -m m)
	run --separate-stderr "${count[@]}" --retries 1 -r a
	assert_status 0
	assert_eq "$output" 5
	run --separate-stderr "${count[@]}" a
	assert_status 77
	run --separate-stderr "${count[@]}" a
	assert_status 75
	assert_eq "$(jq .error.retry_after_s <<<"$output")" 9
	run --separate-stderr "${count[@]}" a
	assert_status 2
	assert_has "$output" 'no count input_tokens'
}

@test "a recorded count is played again, without a server" {
	say '{"input_tokens":5}'
	"${count[@]}" --api anthropic -m m --record tape -r hello >out
	run --separate-stderr "${count[@]}" --api anthropic -m m --replay tape \
		--base-url http://127.0.0.1:1 -r hello
	assert_status 0
	assert_eq "$output" "$(cat out)"
	assert_eq "$(stub_requests)" 1
}

# ---- models ----

@test "models: what the catalog knows of each" {
	say '{"data":[{"id":"gpt-5-mini"},{"id":"new-one"}]}'
	export OPENAI_API_KEY=k OPENAI_BASE_URL=$STUB_URL
	run --separate-stderr ai-complete models
	assert_status 0
	assert_eq "$(jq -c '[.model, .context > 1000, .max_output > 1000, .price.input]' <<<"$output")" \
		'["openai/gpt-5-mini",true,true,0.25]
["openai/new-one",false,false,null]'
	assert_eq "$(jq -c 'select(.model == "openai/new-one")' <<<"$output")" \
		'{"model":"openai/new-one","context":null,"max_output":null,"price":null}'
	assert_eq "$(stub_log '[.method, .path, .headers.authorization, .body, .headers["content-type"]]')" \
		'["GET","/v1/models","Bearer k","",null]'
	say '{"data":[{"id":"gpt-5-mini"}]}'
	run --separate-stderr ai-complete models -r openai
	assert_status 0
	assert_eq "$(awk '{ print $1, $4, $5 }' <<<"$output")" 'openai/gpt-5-mini 0.25 2'
}

@test "models: what the provider tells of them comes first" {
	say '{"data":[{"id":"gpt-5-mini","context_window":7},{"id":"own","max_model_len":8192,"max_completion_tokens":"x"}]}'
	ai-complete models --base-url "$base" >out
	assert_eq "$(jq -c '[.model, .context, .max_output]' out)" \
		'["gpt-5-mini",7,128000]
["own",8192,null]'
}

@test "models: page by page" {
	say '{"data":[{"id":"a"}],"has_more":true,"last_id":"a/1"}' \
		'{"data":[{"id":"b"}],"has_more":false,"last_id":"b"}'
	ai-complete models --base-url "$base" --api anthropic >out
	assert_eq "$(jq -r .model out)" $'a\nb'
	say '{"models":[{"name":"models/c"}],"nextPageToken":"t&x"}' \
		'{"models":[{"name":"models/d"}]}'
	ai-complete models --base-url "$base" --api gemini >out
	assert_eq "$(jq -r .model out)" $'c\nd'
	assert_eq "$(stub_log .path)" '"/v1/models?limit=1000"
"/v1/models?limit=1000&after_id=a%2F1"
"/v1beta/models?pageSize=1000"
"/v1beta/models?pageSize=1000&pageToken=t%26x"'
}

@test "models: pages without end" {
	for ((i = 0; i < 110; i++)); do
		say '{"data":[],"has_more":true,"last_id":"x"}'
	done
	run --separate-stderr ai-complete models --base-url "$base" --api anthropic
	assert_status 2
	assert_has "$output" 'more than 100 pages'
}

@test "models: one provider that fails does not stop the others" {
	export OPENAI_API_KEY=k OPENAI_BASE_URL=$STUB_URL
	export GROQ_API_KEY=k GROQ_BASE_URL=$STUB_URL
	stub_script '{"status":401}' '{"status":200,"body":{"data":[{"id":"x"}]}}'
	run --separate-stderr ai-complete models --retries 0
	assert_status 2
	assert_eq "$(jq -c '[.model, .error.code, .source.uri]' <<<"$output")" \
		'[null,"not_allowed","openai"]
["groq/x",null,null]'
	stub_script '{"status":401}'
	run --separate-stderr ai-complete models --retries 0 openai
	assert_status 77
	stub_script '{"status":401}'
	run --separate-stderr ai-complete models -r --retries 0 openai
	assert_status 77
	assert_eq "$output" ''
	assert_has "$stderr" 'not_allowed: openai: status 401'
}

@test "models: nobody to be asked, and words that are a prompt" {
	run --separate-stderr ai-complete models
	assert_status 77
	assert_has "$stderr" 'no key of any provider'
	run --separate-stderr ai-complete models bedrock
	assert_status 77
	AWS_BEARER_TOKEN_BEDROCK=k run --separate-stderr ai-complete models bedrock
	assert_status 78
	assert_has "$output" 'cannot be listed'
	run --separate-stderr ai-complete models are cool
	assert_status 64
	assert_has "$stderr" "'are' is no provider"
	for option in -mopenai/x --resume=x --stream --count; do
		run --separate-stderr ai-complete models "$option"
		assert_status 64
	done
	run --separate-stderr ai-complete models --base-url "$base" openai
	assert_status 64
	stub_script '{"content":"yes"}'
	run --separate-stderr ai-complete --base-url "$base" -m m --price free -r \
		'models are cool'
	assert_eq "$output" yes
}

# ---- ai-tokens --exact ----

# A counter of a shell's making beside a copy of ai-tokens: it counts the bytes
# of each line, and notes how it was called.
pretend_complete() {
	mkdir -p bin
	cp "$BUILDDIR/bin/ai-tokens" bin
	cat >bin/ai-complete <<'END'
#!/bin/sh
printf '%s\n' "$*" >>called
[ ! -e refuse ] || exit "$(cat refuse)"
while read -r line; do
	case $line in
	*fail*) echo '{"error":{"tool":"ai-complete","code":"try_later","message":"slow down","retry_after_s":7}}' ;;
	*die*) exit 70 ;;
	*odd*) echo '{"text":"odd"}' ;;
	*) printf '{"tokens":{"count":%d,"encoding":null,"exact":true,"method":"provider"}}\n' "${#line}" ;;
	esac
done
END
	chmod +x bin/ai-complete
}

@test "ai-tokens --exact: the provider's count, in order, through ai-complete" {
	for ((i = 1; i <= 100; i++)); do say "{\"input_tokens\":$i}"; done
	seq 100 | AI_BASE_URL=$base AI_API=anthropic ai-tokens --exact -m m -R >out
	assert_eq "$(jq -r .text out)" "$(seq 100)"
	assert_eq "$(jq -r .tokens.count out)" "$(seq 100)"
	assert_eq "$(head -n 1 out)" \
		'{"text":"1","tokens":{"count":1,"encoding":null,"exact":true,"method":"provider"}}'
	assert_eq "$(stub_log .path | sort -u)" '"/v1/messages/count_tokens"'
	say '{"input_tokens":5}' '{"input_tokens":6}'
	assert_eq "$(printf '%s\n' '{"messages":[{"role":"user","content":"a"}]}' \
		'{"a":{"b":"c"}}' | AI_BASE_URL=$base AI_API=anthropic ai-tokens \
		--exact -m m -r 2>err)" 5
	assert_has "$(cat err)" 'line 2: invalid_record'
}

@test "ai-tokens --exact: in step, while its input stays open" {
	pretend_complete
	mkfifo in
	bin/ai-tokens --exact -m p/m -r <in >out 3>&- &
	exec 4>in
	for n in 1 2 3; do
		echo '{"text":"abc"}' >&4
		for ((i = 0; i < 200; i++)); do
			[ "$(wc -l <out)" -ge "$n" ] && break
			sleep 0.05
		done
		assert_eq "$(wc -l <out)" "$n"
	done
	exec 4>&-
	wait $!
	assert_eq "$(cat out)" $'14\n14\n14'
	assert_eq "$(cat called)" '--count -m p/m --system  -j 1'
}

@test "ai-tokens --exact: what fails, fails by itself" {
	pretend_complete
	printf '{"text":"%s"}\n' a fail b odd c >in
	run --separate-stderr bin/ai-tokens --exact -m p/m -j 5 in
	assert_status 2
	assert_eq "$(jq -c '[.text, .tokens.count, .error.code, .error.retry_after_s]' <<<"$output")" \
		'["a",12,null,null]
["fail",null,"try_later",7]
["b",12,null,null]
["odd",null,"invalid_answer",null]
["c",12,null,null]'
	assert_eq "$(cat called)" '--count -m p/m --system  -j 5'
}

@test "ai-tokens --exact: a co-process that dies, and one that never lives" {
	pretend_complete
	# It is started anew for the next batch.
	{
		printf '{"text":"%s"}\n' a die c
		for ((i = 0; i < 61; i++)); do echo '{"text":"x"}'; done
		printf '{"text":"%s"}\n' last
	} >in
	run --separate-stderr bin/ai-tokens --exact -m p/m in
	assert_status 2
	assert_eq "$(head -n 2 <<<"$output" | jq -c '[.text, .tokens.count, .error.code]')" \
		$'["a",12,null]\n["die",null,"internal"]'
	assert_eq "$(tail -n 1 <<<"$output" | jq -c '[.text, .tokens.count]')" '["last",15]'
	assert_eq "$(wc -l <called)" 2
	# It dies while it is written to: what it has answered counts.
	long=$(printf '%050000d' 0)
	{
		printf '{"text":"%s"}\n' a die
		for ((i = 0; i < 62; i++)); do echo "{\"text\":\"$long\"}"; done
		printf '{"text":"%s"}\n' last
	} >long
	run --separate-stderr bin/ai-tokens --exact -m p/m long
	assert_status 2
	assert_eq "$(jq -c '[.tokens.count, .error.code]' <<<"$output" | uniq -c |
		awk '{ print $1, $2 }')" '1 [12,null]
1 [null,"internal"]
62 [null,"unavailable"]
1 [15,null]'
	for status in 77 78; do
		echo "$status" >refuse
		: >called
		run --separate-stderr bin/ai-tokens --exact -m p/m in
		assert_status "$status"
		assert_has "$stderr" "ai-complete --count -m p/m ended with status $status"
		assert_eq "$(wc -l <called)" 1
	done
	rm bin/ai-complete
	run --separate-stderr env PATH=/nowhere bin/ai-tokens --exact -m p/m in
	assert_status 66
	assert_has "$stderr" 'put it beside ai-tokens or on PATH'
}

@test "ai-tokens --exact: what does not go with it; it links no libcurl" {
	run --separate-stderr ai-tokens --exact </dev/null
	assert_status 64
	for option in --encode --decode --truncate=1 --special --encoding=gpt2; do
		run --separate-stderr ai-tokens --exact -m p/m "$option" </dev/null
		assert_status 64
	done
	run --separate-stderr ai-tokens --exact -m p/m </dev/null
	assert_status 0
	run -1 grep -q libcurl <(ldd "$BUILDDIR/bin/ai-tokens")
}
