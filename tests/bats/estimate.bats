#!/usr/bin/env bats
# ai-cost as a filter: what it would cost to ask a model.
load helper
load ../stub/stub

setup_file() {
	stub_start
	unset AI_PRICE
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	stub_reset
	ask=(ai-complete --base-url "$STUB_URL" --retries 0)
}

cost() { # a record, and options
	local record=$1
	shift
	ai-cost "$@" <<<"$record" | jq -c .cost
}

@test "the member: tokens, dollars, price, what is left" {
	run cost '{"prompt":"Why is the sky blue?"}' -m gpt-4o
	# 13 tokens at 2.50 and 500 at 10 dollars a million.
	assert_eq "$output" '{"model":"openai/gpt-4o","input_tokens":13,"output_tokens":500,"max_tokens":4096,"expected_usd":0.0050325,"worst_usd":0.041365,"price":{"source":"litellm, genai-prices","date":"2026-08-01"},"left_usd":100,"fits":true}'
	assert [ ! -e "$XDG_STATE_HOME" ]
}

@test "of several models the first is meant" {
	one=$(cost '{"prompt":"Hi"}' -m openai/gpt-4o)
	assert_eq "$(cost '{"prompt":"Hi"}' -m ' openai/gpt-4o , mistral/x')" "$one"
	assert_eq "$(cost '{"prompt":"Hi","params":{"model":"openai/gpt-4o,b"}}')" "$one"
	run -78 --separate-stderr ai-cost -m ',a' <<<'{"prompt":"Hi"}'
	assert_has "$stderr" 'which model?'
}

@test "nothing else of a record changes" {
	record='{"n":1.50, "text":"a" ,"text":"Hi","big":123456789012345678901234567890}'
	ai-cost -m gpt-4o <<<"$record" >out
	assert_eq "$(sed 's/,"cost":{.*/}/' out)" "$record"
	ai-cost -m gpt-4o --as price_tag <<<"$record" |
		jq -e '.price_tag.fits and (has("cost") | not)'
}

@test "the worst case is what ai-complete holds for the same" {
	need sqlite3
	for prompt in hi 'Ünï "quoted" \\ and	tab' "$(head -c 3000 "$SRCDIR/README")"; do
		record=$(jq -cn --arg p "$prompt" '{prompt: $p}')
		"${ask[@]}" -m x --price 3,7 <<<"$record" >/dev/null
		held=$(sqlite3 "$XDG_STATE_HOME/aiutils/ledger.db" \
			'SELECT amount FROM transfer WHERE kind=1 ORDER BY seq DESC LIMIT 1')
		assert_eq "$(cost "$record" -m x --price 3,7 |
			jq '.worst_usd * 1e9 | round')" "$held"
	done
}

@test "the worst case of messages and hits is not below what is held" {
	need sqlite3
	for record in \
		'{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}]}' \
		'{"query":"what?","hits":[{"rank":1,"id":"a","text":"The fox.","score":1}]}' \
		'{"query":"what?","hits":[]}'; do
		"${ask[@]}" -m x --price 3,7 <<<"$record" >/dev/null
		held=$(sqlite3 "$XDG_STATE_HOME/aiutils/ledger.db" \
			'SELECT amount FROM transfer WHERE kind=1 ORDER BY seq DESC LIMIT 1')
		assert [ "$(cost "$record" -m x --price 3,7 |
			jq '.worst_usd * 1e9 | round')" -ge "$held" ]
	done
}

@test "the worst case of tools in params is not below what is held" {
	need sqlite3
	record='{"prompt":"Weather?","params":{"tools":[{"type":"function","function":{"name":"weather","description":"Says how the weather is","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}],"temperature":0.5,"stop":["END"]}}'
	"${ask[@]}" -m x --price 3,7 <<<"$record" >/dev/null
	held=$(sqlite3 "$XDG_STATE_HOME/aiutils/ledger.db" \
		'SELECT amount FROM transfer WHERE kind=1 ORDER BY seq DESC LIMIT 1')
	assert [ "$(cost "$record" -m x --price 3,7 |
		jq '.worst_usd * 1e9 | round')" -ge "$held" ]
}

@test "counts are those of ai-tokens, and its bands where it can only estimate" {
	text=$(head -c 3000 "$SRCDIR/README")
	record=$(jq -cn --arg t "$text" '{messages:[{role:"user",content:$t}]}')
	# A text goes as the one message of a chat: they cost the same.
	for model in openai/gpt-4o openai/gpt-4 anthropic/claude-sonnet-4-5 \
		gemini/gemini-2.5-pro; do
		wanted=$(ai-tokens -m "$model" <<<"$record" |
			jq -c '.tokens | [.count, .low, .high]')
		assert_eq "$(cost "$record" -m "$model" |
			jq -c '[.input_tokens, .input_low, .input_high]')" "$wanted"
		assert_eq "$(cost "$(jq -cn --arg t "$text" '{prompt:$t}')" \
			-m "$model" | jq .input_tokens)" "$(jq '.[0]' <<<"$wanted")"
	done
}

@test "more models in turns than are kept: each has its own price" {
	for i in 1 2; do
		for m in openai/gpt-4o openai/gpt-4o-mini openai/gpt-4 openai/gpt-5 \
			openai/gpt-5-mini openai/gpt-5-nano openai/o3 openai/o3-mini \
			openai/o1 openai/gpt-4-turbo openai/gpt-3.5-turbo \
			openai/gpt-4.1 openai/gpt-4.1-mini openai/gpt-4.1-nano \
			anthropic/claude-sonnet-4-5 anthropic/claude-haiku-4-5 \
			gemini/gemini-2.5-pro gemini/gemini-2.5-flash; do
			printf '{"text":"Hi %s","params":{"model":"%s"}}\n' "$i" "$m"
		done
	done >many
	ai-cost <many | jq -r '.cost | "\(.model) \(.expected_usd)"' >got
	while read -r line; do
		ai-cost <<<"$line" | jq -r '.cost | "\(.model) \(.expected_usd)"'
	done <many >wanted
	cmp got wanted
	assert_eq "$(sort -u got | wc -l)" 18
}

@test "what is left: spent, held, and of whom" {
	"${ask[@]}" -m x --price 1000,1000 --max-tokens 20 hi >/dev/null
	spent=$(ai-cost report | jq .spent_usd)
	ai-cost budget set 'user:*' month 2
	ai-cost budget set tenant:acme day 1
	assert_eq "$(cost '{"prompt":"x"}' -m gpt-4o | jq "100 - $spent == .left_usd")" true
	assert_eq "$(cost '{"prompt":"x"}' -m gpt-4o --user ada | jq .left_usd)" 2
	assert_eq "$(AI_TENANT=acme cost '{"prompt":"x"}' -m gpt-4o | jq .left_usd)" 1
	assert_eq "$(cost '{"prompt":"x"}' -m gpt-4o --ledger none 2>/dev/null |
		jq -c '[.left_usd, .fits]')" '[null,true]'
}

@test "what does not fit: -e" {
	ai-cost budget set all day 0.01
	run ai-cost -e -m gpt-4o <<<'{"prompt":"x"}'
	assert_status 1
	assert_eq "$(jq -c '.cost | [.left_usd, .fits]' <<<"$output")" '[0.01,false]'
	run ai-cost -e -m gpt-4o --max-tokens 10 <<<'{"prompt":"x"}'
	assert_status 0
	run ai-cost -m gpt-4o <<<'{"prompt":"x"}'
	assert_status 0
}

@test "a local model is free, and looks at no ledger" {
	run ai-cost --ledger /dev/null/x -m local/extract <<<'{"prompt":"x"}'
	assert_status 0
	assert_eq "$(jq -c '.cost | [.expected_usd, .worst_usd, .left_usd, .fits]' \
		<<<"$output")" '[0,0,null,true]'
}

@test "params and body are heeded, a bare model is not, flags go before" {
	assert_eq "$(cost '{"model":"gpt-4o","params":{"model":"gpt-4o-mini","max_tokens":7},"text":"x"}' |
		jq -c '[.model, .max_tokens, .output_tokens]')" '["openai/gpt-4o-mini",7,7]'
	assert_eq "$(cost '{"custom_id":"1","body":{"model":"gpt-4o","max_completion_tokens":9,"messages":[{"role":"user","content":"Hi"}]}}' |
		jq -c '[.model, .max_tokens, .input_tokens]')" '["openai/gpt-4o",9,8]'
	assert_eq "$(cost '{"params":{"model":"gpt-4o-mini","max_tokens":7},"text":"x"}' \
		-m gpt-4o --max-tokens 8 | jq -c '[.model, .max_tokens]')" '["openai/gpt-4o",8]'
	assert_eq "$(ai-cost <<<'{"model":"gpt-4o","text":"x"}' 2>/dev/null |
		jq -r .error.code)" configuration
	assert_eq "$(cost '{"params":{"max_tokens":0},"text":"x"}' -m gpt-4o 2>/dev/null)" null
}

@test "what cannot be estimated is an error record in its place" {
	run --separate-stderr ai-cost -m gpt-4o <<'END'
{"text":"a"}
{"nothing":1}
{"text":7}
no json
{"text":"b"}
END
	assert_status 2
	assert_eq "$(jq -c '[.cost.fits, .error.code]' <<<"$output")" \
		'[true,null]
[null,"invalid_record"]
[null,"invalid_record"]
[null,"invalid_json"]
[true,null]'
}

@test "a model without a price: refused before anything is read" {
	run --separate-stderr ai-cost -m openai/gpt-4oo <<<'{"text":"a"}'
	assert_status 78
	assert_eq "$output" ''
	assert_has "$stderr" 'gpt-4o'
}

@test "-r: dollars; -R: lines of text; files; as many jobs as one likes" {
	seq 3000 | sed 's/^/the number /' >lines
	ai-cost -R -r -m gpt-4o lines >one
	ai-cost -R -r -m gpt-4o -j 4 <lines >four
	cmp one four
	assert_eq "$(wc -l <one)" 3000
	assert_eq "$(awk '{ s += $1 } END { print (s > 15 && s < 15.2) }' one)" 1
}

@test "a word that is neither a verb nor a file" {
	run ai-cost reprot
	assert_status 64
	assert_has "$output" "'reprot' is neither a verb nor a file; did you mean 'report'?"
	# A verb is one even where a file has its name.
	touch report
	run --separate-stderr ai-cost report
	assert_has "$stderr" 'there is no ledger'
}

@test "AI_USER does not say who is forgotten" {
	"${ask[@]}" -m x --price 1,1 --user ada hi >/dev/null
	AI_USER=ada run ai-cost forget
	assert_status 64
	AI_USER=bob ai-cost export --user ada | grep -q ada
}
