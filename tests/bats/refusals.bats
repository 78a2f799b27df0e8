#!/usr/bin/env bats
# What each provider says when it says no, and what people give that nobody can
# want.
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
	ask=(ai-complete --base-url "$STUB_URL" -m x --price '1,2' --retries 1)
}

sql() {
	sqlite3 "$XDG_STATE_HOME/aiutils/ledger.db" "$1"
}

# refusals: each line of stdin is an answer and what comes of it:
# "API STATUS EXIT CODE ATTEMPTS WORDS | HEADER | BODY".
refusals() {
	local api status exit code attempts words header body n=0
	while IFS='|' read -r line header body; do
		[ -n "$line" ] || continue
		read -r api status exit code attempts words <<<"$line"
		n=$((n + 1))
		XDG_STATE_HOME=$PWD/state$n
		stub_reset
		step=$(jq -nc --argjson s "$status" --argjson h "{$header}" \
			--argjson b "$body" '{status: $s, headers: ($h +
			{"retry-after-ms": "1"}), body: $b}')
		printf '%s\n' "$step" "$step" >"$STUB/script"
		run --separate-stderr "${ask[@]}" --api "$api" hi
		assert_status "$exit"
		assert_eq "$(jq -c '[.error.code, .error.retryable]' <<<"$output")" \
			"[\"$code\",$([ "$attempts" = 1 ] && echo false || echo true)]"
		assert_has "$(jq -r .error.message <<<"$output")" "$words"
		assert_eq "$(stub_requests)" "$attempts"
		# A refusal costs nothing.
		assert_eq "$(sql 'SELECT coalesce(sum(amount), 0) FROM transfer
			WHERE kind<>1')" 0
	done
}

@test "OpenAI, Azure, and those who write as they do" {
	need sqlite3
	refusals <<-'END'
	openai 401 77 not_allowed 1 Incorrect API key||{"error":{"message":"Incorrect API key provided: sk-x.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}
	openai 404 2 request_rejected 1 does not exist||{"error":{"message":"The model `x` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}
	openai 400 2 too_long 1 maximum context length||{"error":{"message":"This model's maximum context length is 8 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}
	openai 400 2 request_rejected 1 safety system||{"error":{"message":"rejected by our safety system","type":"invalid_request_error","param":null,"code":"content_policy_violation"}}
	openai 429 77 not_allowed 1 current quota||{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}
	openai 429 75 try_later 2 Rate limit reached||{"error":{"message":"Rate limit reached for x","type":"tokens","param":null,"code":"rate_limit_exceeded"}}
	openai 401 77 not_allowed 1 subscription key||{"error":{"code":"401","message":"Access denied due to invalid subscription key"}}
	openai 400 2 request_rejected 1 content management policy||{"error":{"message":"filtered by Azure OpenAI's content management policy","type":null,"param":"prompt","code":"content_filter","status":400}}
	openai 402 77 not_allowed 1 Insufficient credits||{"error":{"code":402,"message":"Insufficient credits"}}
	openai 400 77 not_allowed 1 Incorrect API key||{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***."}
	openai 400 2 too_long 1 available context size||{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}
	responses 401 77 not_allowed 1 Incorrect API key||{"error":{"message":"Incorrect API key provided","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}
	responses 404 2 request_rejected 1 does not exist||{"error":{"message":"The model `x` does not exist","type":"invalid_request_error","param":"model","code":"model_not_found"}}
	responses 400 2 too_long 1 context window||{"error":{"message":"Your input exceeds the context window of this model.","type":"invalid_request_error","param":"input","code":"context_length_exceeded"}}
	responses 400 2 request_rejected 1 usage policy||{"error":{"message":"flagged as potentially violating our usage policy","type":"invalid_request_error","param":null,"code":"invalid_prompt"}}
	responses 429 77 not_allowed 1 quota||{"error":{"message":"no quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}
	END
}

@test "Anthropic" {
	need sqlite3
	refusals <<-'END'
	anthropic 401 77 not_allowed 1 invalid x-api-key||{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"},"request_id":"r"}
	anthropic 404 2 request_rejected 1 model: x||{"type":"error","error":{"type":"not_found_error","message":"model: x"}}
	anthropic 400 2 too_long 1 prompt is too long||{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}
	anthropic 413 2 too_long 1 maximum size||{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}
	anthropic 400 2 request_rejected 1 content filtering||{"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}
	anthropic 400 77 not_allowed 1 credit balance||{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}
	anthropic 429 77 not_allowed 1 spend limit||{"type":"error","error":{"type":"rate_limit_error","message":"spend limit","details":{"error_code":"enforced_spend_limit_reached"}}}
	anthropic 429 75 try_later 2 rate limit||{"type":"error","error":{"type":"rate_limit_error","message":"over your rate limit"}}
	anthropic 529 69 unavailable 2 Overloaded||{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}
	END
}

@test "Gemini" {
	need sqlite3
	refusals <<-'END'
	gemini 400 77 not_allowed 1 API key not valid||{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}
	gemini 403 77 not_allowed 1 leaked||{"error":{"code":403,"message":"Your API key was reported as leaked.","status":"PERMISSION_DENIED"}}
	gemini 404 2 request_rejected 1 is not found||{"error":{"code":404,"message":"models/x is not found for API version v1beta","status":"NOT_FOUND"}}
	gemini 400 2 too_long 1 maximum number of tokens||{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}
	gemini 429 75 try_later 2 quota||[{"error":{"code":429,"message":"You exceeded your current quota","status":"RESOURCE_EXHAUSTED"}}]
	gemini 503 69 unavailable 2 overloaded||{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}
	END
	# A prompt that is blocked is an answer, and its reason the text.
	stub_reset
	stub_script '{"status":200,"body":{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3,"totalTokenCount":3}}}'
	run --separate-stderr "${ask[@]}" --api gemini hi
	assert_status 0
	assert_eq "$(jq -r .completion.finish_reason <<<"$output")" \
		content_filter
	assert_has "$output" 'the prompt was blocked: SAFETY'
}

@test "Bedrock" {
	need sqlite3
	refusals <<-'END'
	bedrock 403 77 not_allowed 1 security token|"x-amzn-errortype":"UnrecognizedClientException"|{"message":"The security token included in the request is invalid."}
	bedrock 403 77 not_allowed 1 access to the model|"x-amzn-errortype":"AccessDeniedException:http://internal.amazon.com/coral/"|{"message":"You don't have access to the model with the specified model ID."}
	bedrock 400 2 request_rejected 1 identifier is invalid|"x-amzn-errortype":"ValidationException"|{"message":"The provided model identifier is invalid."}
	bedrock 400 2 too_long 1 Input is too long|"x-amzn-errortype":"ValidationException"|{"message":"Input is too long for requested model."}
	bedrock 400 77 not_allowed 1 quota|"x-amzn-errortype":"ServiceQuotaExceededException"|{"message":"your quota"}
	bedrock 429 75 try_later 2 Too many tokens|"x-amzn-errortype":"ThrottlingException"|{"message":"Too many tokens, please wait before trying again."}
	bedrock 503 69 unavailable 2 busy|"x-amzn-errortype":"ServiceUnavailableException"|{"message":"busy"}
	END
}

@test "Mistral, Cohere, Ollama" {
	need sqlite3
	refusals <<-'END'
	mistral 401 77 not_allowed 1 Unauthorized||{"detail":"Unauthorized"}
	mistral 400 2 request_rejected 1 Invalid model||{"object":"error","message":"Invalid model: x","type":"invalid_model","param":null,"code":"1500"}
	mistral 400 2 too_long 1 maximum context length||{"object":"error","message":"Prompt contains 40000 tokens, too large for model with 32768 maximum context length","type":"invalid_request_error","code":"3051"}
	mistral 422 2 request_rejected 1 Field required||{"detail":[{"loc":["body","messages"],"msg":"Field required","type":"missing"}]}
	mistral 429 75 try_later 2 Requests rate||{"message":"Requests rate limit exceeded"}
	cohere 401 77 not_allowed 1 invalid api token||{"id":"i","message":"invalid api token"}
	cohere 404 2 request_rejected 1 not found||{"message":"model 'x' not found"}
	cohere 400 2 too_long 1 too many tokens||{"message":"too many tokens: size limit exceeded by 11326 tokens."}
	cohere 429 75 try_later 2 per minute||{"message":"You are past the per minute request limit"}
	ollama 404 2 request_rejected 1 not found||{"error":"model 'x' not found"}
	ollama 500 69 unavailable 2 terminated||{"error":"llama runner process has terminated"}
	ollama 500 2 too_long 1 context length||{"error":"the input length exceeds the context length"}
	END
}

# ---- what nobody can want ---------------------------------------------------------

@test "a thousand million tokens" {
	run --separate-stderr "${ask[@]}" <<<'{"prompt":"hi","params":{"max_tokens":1000000000}}'
	assert_status 2
	assert_has "$output" 'params.max_tokens is not a whole number from 1 to 10000000'
	run --separate-stderr "${ask[@]}" --max-tokens 1000000000 hi
	assert_status 64
	# As many as may be asked for: no budget allows that.
	run --separate-stderr "${ask[@]}" <<<'{"prompt":"hi","params":{"max_tokens":10000000}}'
	assert_status 3
	assert_eq "$(jq -r .error.code <<<"$output")" budget_exceeded
	assert_eq "$(stub_requests)" 0
}

@test "stdin that is closed; stdout that is closed, full, or goes away" {
	need sqlite3
	run_sh "${ask[*]@Q} <&-"
	assert_status 74
	run_sh "${ask[*]@Q} hi >&-"
	assert_status 74
	run_sh "${ask[*]@Q} hi >/dev/full"
	assert_status 74
	seq 200 >lines
	run_sh "${ask[*]@Q} -R -j 8 <lines | head -n 1"
	assert_has "$output" '"completion"'
	run_sh "${ask[*]@Q} -R -j 8 <lines >/dev/full"
	assert_status 74
	# Whatever was sent has ended, and nothing is held.
	assert_eq "$(sql 'SELECT count(*) FROM hold')" 0
	assert_eq "$(sql 'SELECT count(*) FROM transfer p WHERE kind=1 AND NOT
		EXISTS (SELECT 1 FROM transfer e WHERE e.of=p.seq)')" 0
	run ai-cost ledger check
	assert_status 0
}

@test "names of models that look like something else" {
	for name in a/b ../../etc/passwd .. '%s%n%00' 'x"y' "x'y" 'a?b#c' \
		'a;b' '$(id)' '{}' 'ü'; do
		stub_reset
		run --separate-stderr "${ask[@]}" -m "$name" hi
		assert_status 0
		assert_eq "$(stub_log .body.model | jq -r .)" "$name"
	done
	# In a path each stays one segment.
	while read -r name path; do
		for api in gemini bedrock; do
			stub_reset
			stub_script '{"status":400}'
			run --separate-stderr "${ask[@]}" --api "$api" -m "$name" hi
			assert_status 2
			assert_has "$(stub_log .path)" "/$path"
		done
	done <<-'END'
		../x ..%2Fx
		a/b a%2Fb
		.. ..
		%2e%2e %252e%252e
		a?b#c a%3Fb%23c
	END
	for name in "$(printf 'x%.0s' {1..300})" $'a\nb' $'a\x7fb' $'a\xffb'; do
		stub_reset
		run --separate-stderr "${ask[@]}" -m "$name" hi
		assert_status 78
		assert_eq "$(stub_requests)" 0
		assert_eq "$(wc -l <<<"$stderr")" 1
		[ "${#stderr}" -lt 200 ]
	done
}
