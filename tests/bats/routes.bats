# ai-complete: which model is asked, and which one then; whether it fits.
load helper
load ../stub/stub

setup_file() {
	stub_start
	# Two providers at one stub, and a real ledger.
	unset AI_PRICE
	export OPENAI_BASE_URL=$STUB_URL OPENAI_API_KEY=k1
	export MISTRAL_BASE_URL=$STUB_URL MISTRAL_API_KEY=k2
	export AI_RETRIES=0
	a=openai/gpt-4o-mini b=mistral/mistral-small-latest c=openai/gpt-4
	export a b c
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	stub_reset
}

ask() {
	run --separate-stderr ai-complete "$@"
}

one_hit='{"query":"who is it?","hits":[{"id":"h","text":"It is the fox who is it."}]}'

# ---- chains --------------------------------------------------------------------

@test "one after the other: what failed is told, and what it cost" {
	stub_script '{"status":503}' '{}'
	ask -m "$a, $b" hello
	assert_status 0
	assert_eq "$(jq -c '.completion | [.provider, .attempts]' <<<"$output")" \
		'["mistral",2]'
	assert_eq "$(jq -c '.completion.fallback | map([.model, .code])' \
		<<<"$output")" '[["openai/gpt-4o-mini","unavailable"]]'
	assert_has "$(jq -r '.completion.fallback[0].message' <<<"$output")" \
		'status 503: scripted 503'
	assert_eq "$(stub_log .body.model | xargs)" \
		'gpt-4o-mini mistral-small-latest'
	# Nothing failed: nothing is said.
	ask -m "$a,$b" hello
	assert_eq "$(jq -c '.completion.fallback' <<<"$output")" null
}

@test "-r says on standard error that another model was asked" {
	stub_script '{"status":503}' '{}'
	ask -r -m "$a,$b" hello
	assert_status 0
	assert_eq "$output" '{"echo":"hello"}'
	assert_has "$stderr" "ai-complete: openai: status 503: scripted 503; now $b is asked"
	stub_script '{"status":503}' '{}'
	ask -r -m "$a,$b" < <(echo '{"prompt":"x"}')
	assert_has "$stderr" "line 1: openai: status 503"
	stub_script '{"status":503}' '{}'
	ask -q -r -m "$a,$b" hello
	assert_eq "$stderr" ''
}

@test "a chain that is used up names every model, in the message and one by one" {
	stub_script '{"status":400}' '{"status":429,"headers":{"retry-after":"7"}}' \
		'{"status":503}'
	ask --fallback-on other,limited -m "$a,$b,$c" hello
	assert_status 75
	message=$(jq -r .error.message <<<"$output")
	assert_has "$message" "none of 3 models answered: $a: openai: status 400"
	assert_has "$message" "; $b: mistral: status 429"
	assert_has "$message" "; $c: openai: status 503"
	assert_eq "$(jq -c '.error.fallback | map([.model, .code])' <<<"$output")" \
		'[["openai/gpt-4o-mini","request_rejected"],["mistral/mistral-small-latest","try_later"],["openai/gpt-4","unavailable"]]'
	# That of the first that may work later, and when.
	assert_eq "$(jq -c '.error | [.code, .retryable, .retry_after_s]' \
		<<<"$output")" '["try_later",true,7]'
}

@test "which failures lead on is said by --fallback-on" {
	# Each as "reason: what the first model answers".
	while IFS=' ' read -r reason step; do
		stub_script "$step" '{}'
		ask --fallback-on "$reason" -m "$a,$b" hello
		assert_status 0
		assert_eq "$reason $(jq -r .completion.provider <<<"$output")" \
			"$reason mistral"
		stub_script "$step" '{}'
		stub_log . >/dev/null
		: >"$STUB/log"
		ask --fallback-on none -m "$a,$b" hello
		assert_eq "$(stub_requests)" 1
	done <<-'END'
		down {"status":500}
		limited {"status":429,"headers":{"retry-after":"0"}}
		too_long {"status":400,"body":{"error":{"message":"too long","type":"x","param":"messages","code":"context_length_exceeded"}}}
		key {"status":401,"body":{"error":{"message":"no","type":"x","param":null,"code":"invalid_api_key"}}}
		other {"status":400,"body":{"error":{"message":"bad thing","type":"x","param":null,"code":null}}}
		policy {"content":"I must not.","finish_reason":"content_filter"}
		policy {"status":400,"body":{"error":{"message":"no","type":"x","param":null,"code":"content_policy_violation"}}}
	END
}

@test "if not given: down, limited and too long; a refusal is an answer" {
	for step in '{"status":500}' '{"status":429}' \
		'{"status":413}'; do
		stub_script "$step" '{}'
		ask -m "$a,$b" hello
		assert_status 0
		# A limit of the provider holds all calls: begin anew.
		rm -rf state
	done
	stub_script '{"status":401}' '{}'
	ask -m "$a,$b" hello
	assert_status 77
	stub_script '{"content":"I must not.","finish_reason":"content_filter"}' '{}'
	ask -m "$a,$b" hello
	assert_status 0
	assert_eq "$(jq -r .completion.text <<<"$output")" 'I must not.'
	# The last one's refusal is the answer, too; the first one was paid.
	stub_script '{"content":"I must not.","finish_reason":"content_filter"}' \
		'{"content":"Nor I.","finish_reason":"content_filter"}'
	ask --fallback-on policy -m "$a,$b" hello
	assert_status 0
	assert_eq "$(jq -c '.completion | [.text, .fallback[0].code]' \
		<<<"$output")" '["Nor I.","request_rejected"]'
	total=$(ai-cost report --by model | jq -s '[.[] |
		select(.calls > 0) | .spent_usd] | add')
	[ "$(jq -n --argjson t "$total" --argjson c \
		"$(jq .completion.cost_usd <<<"$output")" '$t >= $c')" = true ]
}

@test "costs of models that failed count: the sum is the ledger's" {
	stub_script '{"content":"I must not.","finish_reason":"content_filter"}' '{}'
	ask --fallback-on policy -m "$a,$b" hello
	assert_eq "$(jq .completion.cost_usd <<<"$output")" \
		"$(ai-cost report --by day | jq .spent_usd)"
	[ "$(jq '.completion.cost_usd > 0' <<<"$output")" = true ]
	rm -rf state
	# And in the error, where nobody answered well.
	stub_script '{"content":""}' '{"content":""}'
	ask -m "$a,$b" hello
	assert_status 2
	assert_eq "$(jq .error.cost_usd <<<"$output")" \
		"$(ai-cost report --by day | jq .spent_usd)"
}

@test "a budget that is used up leads on only if it may: down to local/extract" {
	ai-cost budget set all day 0 >/dev/null
	ask -m "$a,local/extract" < <(echo "$one_hit")
	assert_status 3
	ask --fallback-on budget -m "$a,local/extract" < <(echo "$one_hit")
	assert_status 0
	assert_eq "$(jq -c '.completion | [.extractive, .fallback[0].code]' \
		<<<"$output")" '[true,"budget_exceeded"]'
	assert_eq "$(stub_requests)" 0
	# It quotes from hits, and says so without any.
	ask --fallback-on budget,other -m "local/extract,$a" hello
	assert_status 3
	assert_has "$output" "local/extract quotes from hits"
}

# piece TEXT...: the next answer is a stream of these, and then breaks off.
pieces() {
	local text
	for text; do
		printf 'data: {"choices":[{"delta":{"content":"%s"}}]}\n\n' "$text"
	done | jq -Rsc '{status: 200, headers: {"content-type":
		"text/event-stream"}, body: .}' >>"$STUB/script"
}

@test "never after a byte was streamed" {
	stub_script '{"status":503}' '{}'
	ask -r --stream -m "$a,$b" hello
	assert_status 0
	assert_eq "$output" '{"echo":"hello"}'
	stub_reset
	pieces 'Hello wor'
	ask --stream -m "$a,$b" hello
	assert_status 69
	assert_eq "$(jq -c '[.delta.text, .error.code]' <<<"$output")" \
		$'["Hello wor",null]\n[null,"unavailable"]'
	assert_eq "$(stub_requests)" 1
	# Without a word of it written it is as any other failure.
	stub_reset
	pieces ''
	ask --stream -m "$a,$b" hello
	assert_status 0
	assert_eq "$(stub_log .body.model | xargs)" \
		'gpt-4o-mini mistral-small-latest'
}

@test "what is wrong with a chain is told before anything is read" {
	ask -m "$a,,$b" hello
	assert_status 78
	assert_has "$stderr" "a model without a name in '$a,,$b'"
	ask -m "$a,local/abstract" hello
	assert_status 78
	ask -m "$a,"$'x\xff' hello
	assert_status 78
	assert_has "$stderr" 'not UTF-8'
	ask -m "$a,nobody/x" hello
	assert_status 78
	ask --fallback-on down,often -m "$a" hello
	assert_status 64
	assert_has "$stderr" "'often' is none of down, limited, too_long, policy, key, budget, schema, other"
	ask -m "$(printf 'x%.0s,' {1..16})x" hello
	assert_status 78
	assert_has "$stderr" "more than 16 models"
	# A key that is missing is a mistake; unless it leads on anyway.
	MISTRAL_API_KEY='' MISTRAL_BASE_URL='' ask -m "$b,$a" hello
	assert_status 77
	assert_has "$stderr" "set MISTRAL_API_KEY"
	MISTRAL_API_KEY='' MISTRAL_BASE_URL='' ask --fallback-on key -m "$b,$a" hello
	assert_status 0
	assert_has "$stderr" "$b is passed over: no key for "
	assert_eq "$(jq -c '.completion.fallback | map(.code)' <<<"$output")" \
		'["not_allowed"]'
	MISTRAL_API_KEY='' MISTRAL_BASE_URL='' ask --fallback-on key -m "$b" hello
	assert_status 77
	assert_eq "$output" ''
}

@test "a record's params and the configuration may have a chain" {
	stub_script '{"status":503}' '{}'
	ask < <(echo "{\"prompt\":\"x\",\"params\":{\"model\":\"$a,$b\"}}")
	assert_status 0
	assert_eq "$(jq -r .completion.provider <<<"$output")" mistral
	ask < <(echo "{\"prompt\":\"x\",\"params\":{\"model\":\"$a,\"}}")
	assert_status 78
	assert_eq "$(jq -r .error.code <<<"$output")" configuration
	jq -n --arg m "$a,$b" '{complete: {model: $m, fallback_on: "other"}}' \
		>config.json
	stub_script '{"status":400}' '{}'
	ask --config config.json hello
	assert_status 0
	assert_eq "$(jq -r .completion.provider <<<"$output")" mistral
}

@test "-j: each record goes its own way, in order" {
	seq 20 | jq -c '{i: ., prompt: "p\(.)"}' >in
	# Nobody is there; after five of them nobody is asked either.
	OPENAI_BASE_URL=http://127.0.0.1:1/v1 ask -j 8 -m "$a,$b" <in
	assert_status 0
	assert_eq "$(jq -c .i <<<"$output" | xargs)" "$(seq 20 | xargs)"
	assert_eq "$(jq -c .completion.text <<<"$output" | grep -c echo)" 20
}

@test "--resume: a chain is paid for once, whoever answered" {
	seq 4 | jq -c '{prompt: "p\(.)"}' >in
	stub_script '{"status":503}' '{}' '{}' '{"status":503}' '{}' '{}'
	ask -m "$a,$b" --resume job <in
	assert_status 0
	one=$output
	assert_eq "$(jq -c '.completion.fallback | length' <<<"$one" | xargs)" \
		'1 0 1 0'
	n=$(stub_requests)
	# The first model is up again, and is not asked what the second has
	# answered; nor is it forgotten why.
	ask -m "$a,$b" --resume job <in
	assert_status 0
	assert_eq "$output" "$one"
	assert_eq "$(stub_requests)" "$n"
	# The same without the key of the first, and in a hurry.
	OPENAI_API_KEY='' ask --fallback-on down,key -m "$a,$b" --resume job -j 4 <in
	assert_eq "$output" "$one"
	assert_eq "$(stub_requests)" "$n"
	# What it has not answered is asked of the first again.
	ask -m "$a,$b" --resume job <<<'{"prompt":"p5"}'
	assert_eq "$(jq -c '.completion | [.provider, .fallback]' <<<"$output")" \
		'["openai",null]'
}

@test "--resume: what a chain answered by the schema at last stays so" {
	good='{"content":"{\"n\":1}"}' bad='{"content":"{}"}'
	echo '{"required":["n"],"type":"object"}' >s.json
	with=(--schema s.json --schema-retries 1 --fallback-on "down,schema"
		-m "$a,$b" --resume job)
	echo '{"prompt":"x"}' >in
	# Twice of the first, of which the second try fails; the second of the
	# other one is good.
	stub_script "$bad" '{"status":503}' "$bad" "$good"
	ask "${with[@]}" <in
	assert_status 0
	one=$output
	assert_eq "$(jq -c '.completion | [.attempts, .fallback[0].code]' \
		<<<"$one")" '[4,"unavailable"]'
	ask "${with[@]}" <in
	assert_eq "$output" "$one"
	assert_eq "$(stub_requests)" 4
	assert_eq "$(jq .completion.cost_usd <<<"$one")" \
		"$(ai-cost report | jq .spent_usd)"
}

# in_flight: killed while the server thinks about the only line, of the n-th
# model.
in_flight() {
	echo '{"prompt":"x"}' >in
	ai-complete -m "$a,$b" --resume job <in >out 2>err &
	local pid=$! i
	for ((i = 0; i < 400; i++)); do
		[ "$(stub_requests)" = "$1" ] && break
		sleep 0.05
	done
	kill -9 "$pid"
	wait "$pid" || true
	: >"$STUB/script"
}

@test "--resume: a line that was under way at a kill is no reason to pay another model" {
	stub_script '{"delay_ms":60000}'
	in_flight 1
	ask -m "$a,$b" --resume job --no-retry-uncertain --fallback-on \
		down,limited,other <in
	assert_status 69
	assert_has "$output" 'may have been paid for'
	assert_has "$output" "ai-cost settle"
	assert_eq "$(stub_requests)" 1
	# Under way at the second: the first is not asked either.
	stub_reset
	rm -r state
	stub_script '{"status":503}' '{"delay_ms":60000}'
	in_flight 2
	ask -m "$a,$b" --resume job --no-retry-uncertain <in
	assert_status 69
	assert_eq "$(stub_requests)" 2
	# If it may be sent again, that is said once.
	stub_script '{"status":503}'
	ask -m "$a,$b" --resume job <in
	assert_status 0
	assert_eq "$(grep -c 'it is sent again' <<<"$stderr")" 1
	assert_eq "$(stub_requests)" 4
}

# ---- length --------------------------------------------------------------------

@test "what cannot fit is not sent; both numbers are told" {
	jq -nc '{prompt: ("word " * 9000)}' >in
	ask -m "$c" <in
	assert_status 2
	assert_eq "$(jq -r .error.code <<<"$output")" too_long
	assert_has "$output" "openai/gpt-4 takes 8192 tokens in all; the request has 900"
	assert_has "$output" "and 64 are for the answer"
	assert_eq "$(stub_requests)" 0
	# The count is that of ai-tokens.
	n=$(jq -c '{messages: [{role: "user", content: .prompt}]}' in |
		ai-tokens -p messages -m gpt-4 | jq .tokens.count)
	assert_has "$output" "the request has $n,"
	# The next one may have more room.
	ask -m "$c,$a" <in
	assert_status 0
	assert_eq "$(jq -c '.completion.fallback | map(.code)' <<<"$output")" \
		'["too_long"]'
}

@test "nobody's output limit is shortened to fit; the user's is not" {
	ai-cost budget set all request 5 >/dev/null
	jq -nc '{prompt: ("word " * 7000)}' >in
	ask -m "$c" <in
	assert_status 0
	n=$(stub_log '.body | .max_tokens // .max_completion_tokens')
	tokens=$(jq -c '{messages: [{role: "user", content: .prompt}]}' in |
		ai-tokens -p messages -m gpt-4 | jq .tokens.count)
	assert_eq "$((n + tokens))" 8192
	ask -m "$c" --max-tokens 2000 <in
	assert_status 2
	assert_has "$output" "and 2000 are for the answer"
	# Bytes beyond the context are no tokens: this is one word in eight.
	jq -nc '{prompt: (" international" * 1000)}' >in
	ask -m "$c" <in
	assert_status 0
}

@test "tools take room in the context as well" {
	ai-cost budget set all request 5 >/dev/null
	tools='{type: "function", function: {name: "f",
		description: ("word " * $n), parameters: {type: "object"}}}'
	jq -nc --argjson n 200 "{prompt: (\"word \" * 5000),
		params: {tools: [$tools]}}" >in
	ask -m "$c" --max-tokens 2000 <in
	assert_status 0
	jq -nc --argjson n 4000 "{prompt: (\"word \" * 5000),
		params: {tools: [$tools]}}" >in
	ask -m "$c" --max-tokens 2000 <in
	assert_status 2
	assert_has "$output" "8192 tokens in all"
}

@test "without a public encoding only what is too long by far is refused" {
	context=$(jq '.models["mistral/mistral-small-latest"].context //
		(.models | to_entries[] | select((.value.aliases // []) |
		index("mistral/mistral-small-latest")) | .value.context)' \
		"$SRCDIR/data/catalog.json")
	# One word is one token, in any encoding.
	jq -nc --argjson n "$((context * 11 / 10))" '{prompt: ("word " * $n)}' >in
	ask -m "$b" <in
	assert_status 0
	jq -nc --argjson n "$((context * 2))" '{prompt: ("word " * $n)}' >in
	ask -m "$b" <in
	assert_status 2
	assert_has "$output" "the request has about"
}

# ---- routes --------------------------------------------------------------------

# routes RULE...: the configuration with these rules.
routes() {
	printf '%s\n' "$@" | jq -s '{complete: {routes: .}}' >config.json
}

@test "the first rule that holds chooses the model" {
	routes '{"when":{"longer_than":100},"model":"'"$c"'"}' \
		'{"when":{"field":"lang","equals":"de"},"model":"'"$b"'"}' \
		'{"when":[{"field":"guard.score","at_least":0.5},{"field":"n","at_most":3}],"model":"'"$b"'"}' \
		'{"when":{"field":"prompt","matches":"^(?i)urgent\\b"},"model":"'"$c"'"}' \
		'{"when":{"field":"vip","exists":true},"model":"'"$b"'"}' \
		'{"when":{"shorter_than":3},"model":"'"$c"'"}'
	{
		jq -nc '{prompt: ("x" * 101)}'
		jq -nc '{prompt: ("x" * 100)}'
		echo '{"prompt":"hello","lang":"d\u0065"}'
		echo '{"prompt":"hello","lang":"en"}'
		echo '{"prompt":"hello","guard":{"score":0.5},"n":3.0}'
		echo '{"prompt":"hello","guard":{"score":0.5},"n":4}'
		echo '{"prompt":"hello","guard":{"score":"high"},"n":1}'
		echo '{"prompt":"Urgent: hello"}'
		echo '{"prompt":"Urgently"}'
		echo '{"prompt":"hello","vip":null}'
		echo '{"prompt":"hi"}'
		jq -nc '{query: "x", hits: [{text: ("y" * 100)}]}'
	} >in
	ask --config config.json -m "" <in || true
	AI_MODEL='' ask --config config.json -j 1 <in
	jq --arg m "$a" '.complete.model = $m' config.json >more.json
	stub_reset
	ask --config more.json <in
	assert_status 0
	stub_log .body.model | sed 's/gpt-4o-mini/a/; s/mistral-small-latest/b/; s/gpt-4"/c"/' |
		xargs >got
	assert_eq "$(cat got)" 'c a b a b a a c a b c c'
}

@test "a rule stands for the model of its layer and of weaker ones" {
	routes '{"model":"'"$b"'"}'
	provider() {
		ask --config config.json "$@" < <(echo "${record:-{\"prompt\":\"x\"\}}")
		jq -r .completion.provider <<<"$output"
	}
	assert_eq "$(provider)" mistral
	assert_eq "$(provider -m "$a")" openai
	assert_eq "$(AI_MODEL=$a provider)" openai
	record='{"prompt":"x","params":{"model":"'$a'"}}'
	assert_eq "$(provider)" openai
	# A rule on the command line is stronger than all of them.
	assert_eq "$(provider -m "$a" --route '{"model":"'"$b"'"}')" mistral
	record=''
	ask --config config.json --print-config
	assert_has "$output" $'route\t{"model":"'"$b"$'"}\tconfig\tcomplete.routes'
}

@test "a rule may name a chain; what is wrong in one is named with its place" {
	routes '{"model":"'"$a,$b"'"}'
	stub_script '{"status":503}' '{}'
	ask --config config.json hello
	assert_status 0
	assert_eq "$(jq -r .completion.provider <<<"$output")" mistral
	bad() {
		routes "$1"
		ask --config config.json hello
		assert_status 78
		assert_has "$stderr" "$2"
	}
	bad '{"when":{"longer_then":1},"model":"x"}' \
		"complete.routes.0.when.longer_then: not a known key; did you mean 'longer_than'?"
	bad '{"when":{"longer_than":"1"},"model":"x"}' 'complete.routes.0.when.longer_than'
	bad '{"when":{"longer_than":1}}' 'complete.routes.0'
	bad '{"when":{"field":"a","matches":"("},"model":"'"$a"'"}' 'complete.routes.0.matches: '
	bad '{"when":{"field":"a"},"model":"'"$a"'"}' 'nothing is asked of it'
	bad '{"when":{"equals":1},"model":"'"$a"'"}' 'which field?'
	bad '{"when":{},"model":"'"$a"'"}' 'a condition asks nothing'
	bad '{"model":"nobody/x"}' "no model 'nobody/x'"
	ask --route 'x' hello
	assert_status 78
	assert_has "$stderr" "'x' is no rule like"
}
