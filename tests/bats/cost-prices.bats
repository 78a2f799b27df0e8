#!/usr/bin/env bats
# ai-cost prices: tables are imported, compared, checked; and everybody bills
# by them.
load helper
load ../stub/stub

setup() {
	ai_setup
	export XDG_DATA_HOME=$PWD/data XDG_CONFIG_HOME=$PWD/config
	LITELLM=$AI_SHARED/data/prices/litellm_model_prices.json
	GENAI=$AI_SHARED/data/prices/genai_prices.json
}

need_tables() {
	if [ -e "$LITELLM" ] && [ -e "$GENAI" ]; then return; fi
	[ -z "${AI_REQUIRE_SHARED-}" ] || return 1
	skip "no tables in $AI_SHARED"
}

PRICES=data/aiutils/prices.jsonl

# A table of one provider: table NAME INPUT OUTPUT [MORE]
table() {
	printf '{"%s":{"litellm_provider":"acme","mode":"chat",' "$1"
	printf '"input_cost_per_token":%s,"output_cost_per_token":%s%s}}' \
		"$2" "$3" "${4-}"
}

import() {
	run --separate-stderr ai-cost prices import "$@"
}

# ---- the real tables ---------------------------------------------------------

@test "every key of both tables is understood, and a second import changes nothing" {
	need jq
	need_tables
	for t in "$LITELLM" "$GENAI"; do
		import "$t"
		assert_eq "$(jq -s '.[-1].unknown' <<<"$output")" 0
		assert_eq "$(jq -s '.[-1].keys > 7000' <<<"$output")" true
		cp $PRICES before
		import "$t"
		assert_eq "$(jq -cs '.[-1] | [.new, .changed]' <<<"$output")" \
			'[0,0]'
		cmp before $PRICES
	done
	LC_ALL=C sort -c <(cut -d, -f1 $PRICES | tail -n +2)
}

@test "13 prices that are 100000 times too dear are refused by name; --accept takes them" {
	need jq
	need_tables
	import "$LITELLM"
	assert_status 2
	assert_eq "$(jq -r 'select(.state == "refused").model' <<<"$output" |
		grep -c ^wandb/)" 13
	run grep -c '"model":"wandb/' $PRICES
	assert_eq "$output" 3
	import --accept 'wandb/*' "$LITELLM"
	refute_has "$output" wandb/
	run grep -c '"model":"wandb/' $PRICES
	assert_eq "$output" 16
	# They were accepted: nobody asks again.
	import "$LITELLM"
	refute_has "$output" wandb/
}

@test "10000 bills over all models of both tables are the exact rationals" {
	need node jq
	need_tables
	for t in "$LITELLM" "$GENAI"; do
		rm -rf data
		import --accept '*' --date 2026-08-01 "$t"
		assert_status 0
		AI_DATADIR=$BUILDDIR/share/aiutils run --separate-stderr node \
			"$SRCDIR/tests/stub/tables.mjs" \
			"$BUILDDIR/tests/stub/ai-prices" "$t" 2026-08-01 \
			"${AI_TEST_SEED:-1}" "${AI_TEST_COUNT:-10000}"
		echo "# $output" >&3
		assert_status 0
		assert_has "$output" ': 0 wrong'
	done
	# And it can fail: a millionth of a cent, in one of 1292.
	sed -i 's/"input":"3"/"input":"3.000001"/' $PRICES
	AI_DATADIR=$BUILDDIR/share/aiutils run --separate-stderr node \
		"$SRCDIR/tests/stub/tables.mjs" \
		"$BUILDDIR/tests/stub/ai-prices" "$t" 2026-08-01 1 10000
	assert_status 1
}

@test "names are found as people type them" {
	need jq
	need_tables
	import --date 2026-08-01 "$LITELLM"
	import --date 2026-08-02 "$GENAI"
	while read -r typed input; do
		run --separate-stderr ai-cost prices show "$typed"
		assert_status 0
		assert_eq "$typed $(jq -r '.rates.standard[0].input' \
			<<<"$output")" "$typed $input"
	done <<-'END'
		gpt-4o 2.5
		openai/gpt-4o-2024-08-06 2.5
		azure/gpt-4o 2.5
		gpt-4o-2024-05-13 5
		gemini-2.5-pro-latest 1.25
		google/gemini-2.5-pro 1.25
		vertex_ai/gemini-2.5-pro 1.25
		vertex_ai/claude-sonnet-4-5@20250929 3
		us.anthropic.claude-sonnet-4-5-20250929-v1:0 3.3
		bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0 3.3
		together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo 0.88
		fireworks_ai/accounts/fireworks/models/deepseek-v3 0.9
		llama-3.3-70b-versatile 0.59
		openrouter/anthropic/claude-sonnet-4.5:free 3
		anthropic/claude-3-haiku-of-some-day 0.25
	END
	run --separate-stderr ai-cost prices show gpt-4oo
	assert_status 78
	assert_has "$stderr" "did you mean 'gpt-4o'"
	run --separate-stderr ai-cost prices show Qwen3-235B-A22B-Thinking-2507
	assert_status 78
	assert_has "$stderr" 'say which'
}

# ---- history -------------------------------------------------------------------

@test "a bill of last month uses the prices of last month" {
	need jq
	for p in '2026-05-01 1e-6' '2026-06-01 2e-6' '2026-07-01 3e-6'; do
		table acme/m "${p#* }" 1e-5 | ai-cost prices import -q \
			--date "${p% *}" >/dev/null
	done
	for p in '2026-04-30 0.000001' '2026-05-31 0.000001' \
		'2026-06-01 0.000002' '2026-06-30 0.000002' \
		'2026-07-01 0.000003'; do
		run --separate-stderr ai-cost -m acme/m --expect 0 \
			--date "${p% *}" <<<'{"prompt":""}'
		assert_status 0
		# Seven tokens are around a message.
		assert_eq "$(jq -r '.cost.expected_usd / 7 * 1e6 | round' \
			<<<"$output")" "${p#*0.00000}"
	done
	run --separate-stderr ai-cost -m acme/m --date 2026-02-30 \
		<<<'{"prompt":""}'
	assert_status 64
	assert_has "$stderr" 'is no day'
	run --separate-stderr ai-cost prices show acme/m
	assert_eq "$(jq -c '[.history[].date]' <<<"$output")" \
		'["2026-05-01","2026-06-01","2026-07-01"]'
}

@test "a random history of imports is what a model in memory says it is" {
	need node
	run --separate-stderr node "$SRCDIR/tests/stub/prices-history.mjs" \
		"${AI_TEST_SEED:-1}" "${AI_TEST_COUNT:-60}"
	echo "# $output" >&3
	assert_status 0
	assert_has "$output" ': 0 wrong'
}

@test "prices by day and by hour, as genai-prices tells them" {
	need jq
	cat >g.json <<-'END'
		[{"id":"acme","models":[
		{"id":"dated","match":{"equals":"dated-v2"},"prices":[
		 {"prices":{"input_mtok":2,"output_mtok":4}},
		 {"constraint":{"start_date":"2026-09-01"},
		  "prices":{"input_mtok":3,"output_mtok":5}}]},
		{"id":"hourly","match":{"starts_with":"hourly-"},"prices":[
		 {"prices":{"input_mtok":1,"output_mtok":4}},
		 {"constraint":{"start_time":"00:30:00Z","end_time":"16:30:00Z"},
		  "prices":{"input_mtok":2,"output_mtok":8}}]}]}]
	END
	import --date 2026-08-01 g.json
	assert_status 0
	while read -r model when input; do
		run --separate-stderr ai-cost prices show "acme/$model" \
			--date "$when"
		assert_eq "$model $when $(jq .rates.standard[0].input \
			<<<"$output")" "$model $when $input"
	done <<-'END'
		dated 2026-08-31 2
		dated 2026-09-01 3
		dated-v2 2026-09-01 3
		hourly 2026-08-02 2
		hourly 2026-08-02T00:29 1
		hourly 2026-08-02T00:30 2
		hourly 2026-08-02T16:29 2
		hourly 2026-08-02T16:30 1
		hourly-x 2026-08-02T16:30 1
	END
}

@test "one's own entry stands before an import, and an import before what is installed" {
	need jq
	show() {
		ai-cost prices show "$@" | jq -c '[.model, .source,
			.rates.standard[0].input]'
	}
	assert_has "$(show gpt-4o)" '2.5]'
	printf '{"gpt-4o":{"litellm_provider":"openai","mode":"chat",%s}}' \
		'"input_cost_per_token":7e-6,"output_cost_per_token":8e-6' |
		ai-cost prices import >/dev/null
	assert_eq "$(show gpt-4o)" '["openai/gpt-4o","litellm",7]'
	assert_eq "$(show azure/gpt-4o)" '["openai/gpt-4o","litellm",7]'
	assert_has "$(show gpt-4o --prices none)" '2.5]'
	mkdir -p config/aiutils
	cat >config/aiutils/catalog.json <<-'END'
		{"version":1,"models":{"openai/gpt-4o":{"price":
		{"input":"9","output":"9"},"source":"me","date":"2020-01-01"}}}
	END
	assert_eq "$(show gpt-4o)" '["openai/gpt-4o","me",9]'
	assert_eq "$(show gpt-4o --catalog none)" '["openai/gpt-4o","litellm",7]'
	# All programs see it: 1 token in, at $9 a million.
	echo '{"prompt":"x"}' | ai-cost -m gpt-4o --expect 0 |
		jq -e '.cost.price.source == "me"'
}

@test "ai-complete pays what was imported" {
	need jq
	table m1 1e-4 1e-3 ',"input_cost_per_request":0.01' |
		sed 's/"acme"/"openai"/' | ai-cost prices import >/dev/null
	stub_start
	unset AI_PRICE
	run --separate-stderr ai-complete -m m1 --base-url "$STUB_URL" hello
	stub_stop
	assert_status 0
	# The stub counts 12 tokens of input and 5 of output, and 8 are cached,
	# of which the table says nothing.
	assert_eq "$(ai-cost report --by model | jq -c '[.model, .spent_usd]')" \
		'["openai/m1",0.0162]'
}

# ---- bad input -------------------------------------------------------------------

# bad INPUT OUTPUT MORE WHY
bad() {
	table acme/m "$1" "$2" "$3" >bad.json
	import bad.json
	assert_status 2
	assert_has "$output" acme/m
	assert_has "$output" "$4"
}

@test "what is no price is refused by model and key" {
	bad 1e-400 1e-6 '' "input_cost_per_token: '1e-400' is less than anyone"
	bad -1e-6 1e-6 '' "input_cost_per_token: '-1e-6' is negative"
	bad 1000000000 1e-6 '' "'1000000000' is more than anyone"
	bad '"x"' 1e-6 '' "'x' is not a number"
	bad true 1e-6 '' "input_cost_per_token: is not a number"
	bad 1e-6 1e-6 ',"max_input_tokens":8192.5' \
		"\"why\":\"max_input_tokens: '8192.5' is not a whole number"
	bad 1e-6 1e-6 ',"max_output_tokens":-1' \
		'"why":"max_output_tokens: is negative'
	bad 1e-6 1e-6 ',"tiered_pricing":7' 'tiered_pricing: is no list'
	bad 1e-6 1e-6 ',"provider_specific_entry":{"us":0.5}' \
		"'0.5' multiplies nothing"
	bad 2e-3 1e-3 '' 'more than anybody asks'
	bad 1e-5 1e-7 '' 'less than a tenth of input'
	bad 0 0 '' 'cost nothing'
	run cat $PRICES
	assert_eq "$output" '{"aiutils":"prices","version":1}'
	# A whole number with a point is one.
	table acme/m 1e-6 1e-6 ',"max_input_tokens":8192.0' >good.json
	import good.json
	assert_status 0
}

@test "a slip of the point is seen by what it was before and elsewhere" {
	table acme/m 1e-6 2e-6 | ai-cost prices import >/dev/null
	bad 1e-4 2e-4 '' 'before it was $1 a million'
	bad 1e-8 2e-6 '' 'before it was $1 a million'
	{
		printf '{'
		for p in a b c; do
			printf '"%s/n":{"litellm_provider":"%s","mode":"chat",' $p $p
			printf '"input_cost_per_token":1e-6,'
			printf '"output_cost_per_token":1e-6},'
		done
		printf '"d/n":{"litellm_provider":"d","mode":"chat",'
		printf '"input_cost_per_token":1e-4,"output_cost_per_token":1e-4}}'
	} >elsewhere.json
	import elsewhere.json
	assert_status 2
	assert_has "$output" '"model":"d/n","state":"refused"'
	assert_has "$output" 'elsewhere it is $1'
	assert_has "$output" '"new":3'
}

@test "a table that is no JSON is refused with line, model and key, and nothing changes" {
	table acme/m 1e-6 2e-6 | ai-cost prices import >/dev/null
	cp $PRICES before
	printf '{\n"acme/a": {"input_cost_per_token": 1e-6},\n"acme/b": {\n%s' \
		'"x":1, "input_cost_per_token": NaN}}' >nan.json
	import nan.json
	assert_status 65
	assert_has "$stderr" "line 4 in acme/b, input_cost_per_token"
	head -c 60 nan.json >cut.json
	import cut.json
	assert_status 65
	assert_has "$stderr" "line 4 in acme/b"
	import /dev/null
	assert_status 65
	echo 7 >7.json
	import 7.json
	assert_status 65
	assert_has "$stderr" neither
	import none.json
	assert_status 66
	cmp before $PRICES
}

@test "unknown keys are kept and told" {
	need jq
	table acme/m 1e-6 2e-6 ',"cost_per_smile":0.5' >odd.json
	import odd.json
	assert_status 0
	assert_eq "$(jq -c '[.unknown, .unknown_keys]' <<<"$output")" \
		'[1,{"cost_per_smile":1}]'
	assert_has "$(cat $PRICES)" '"other":{"cost_per_smile":0.5}'
}

@test "float noise is rounded up and counted" {
	need jq
	table acme/m 1.0000000000000001e-6 2e-6 >noise.json
	import noise.json
	assert_eq "$(jq .rounded <<<"$output")" 1
	assert_has "$(cat $PRICES)" '"input":"1.000001"'
}

# ---- the file ----------------------------------------------------------------------

@test "kill -9 and a full disk leave the old prices or the new ones" {
	need_tables
	table acme/m 1e-6 2e-6 | ai-cost prices import >/dev/null
	cp $PRICES old
	ai-cost prices import "$LITELLM" >/dev/null || true
	cp $PRICES new
	for n in $(seq 40); do
		cp old $PRICES
		ai-cost prices import "$LITELLM" >/dev/null &
		sleep "0.0$((n % 10))$((n % 7))"
		kill -9 $! 2>/dev/null || true
		wait $! 2>/dev/null || true
		cmp -s old $PRICES || cmp new $PRICES
		ai-cost prices show acme/m >/dev/null
	done
	cp old $PRICES
	(
		ulimit -f 64
		trap '' XFSZ
		ai-cost prices import "$LITELLM"
	) >/dev/null 2>said && return 1
	assert_has "$(cat said)" 'it is as it was'
	cmp old $PRICES
	assert [ ! -e $PRICES.new ]
}

@test "imports at once lose nothing" {
	for n in 1 2 3 4 5 6 7 8; do
		table "acme/m$n" 1e-6 2e-6 | ai-cost prices import >/dev/null &
	done
	wait
	for n in 1 2 3 4 5 6 7 8; do
		ai-cost prices show "acme/m$n" >/dev/null
	done
}

@test "a file that is none of ours is not read and not replaced" {
	mkdir -p data/aiutils
	echo '{"my":"notes"}' >$PRICES
	table acme/m 1e-6 2e-6 >t.json
	import t.json
	assert_status 78
	run cat $PRICES
	assert_eq "$output" '{"my":"notes"}'
	run --separate-stderr ai-cost prices show gpt-4o
	assert_status 78
	assert_has "$stderr" 'its first line is not'
}

# ---- list, diff, check ------------------------------------------------------------

@test "diff says what becomes dearer, cheaper, is added and removed, and writes nothing" {
	need jq
	{
		printf '{'
		for m in a b c; do
			printf '"acme/%s":{"litellm_provider":"acme","mode":"chat",' $m
			printf '"input_cost_per_token":1e-6,'
			printf '"output_cost_per_token":2e-6},'
		done
		printf '"z":{}}'
	} | ai-cost prices import --date 2026-01-01 >/dev/null
	cp $PRICES before
	cat >t.json <<-'END'
		{"acme/a":{"litellm_provider":"acme","input_cost_per_token":1.5e-6,
		"output_cost_per_token":2e-6},
		"acme/b":{"litellm_provider":"acme","input_cost_per_token":1e-6,
		"output_cost_per_token":1e-6},
		"acme/d":{"litellm_provider":"acme","input_cost_per_token":1e-6,
		"output_cost_per_token":1e-6}}
	END
	run --separate-stderr ai-cost prices diff t.json
	assert_eq "$(jq -cs 'map([.model, .state, .input.percent // null,
		.output.percent // null])' <<<"$output")" \
		'[["acme/a","dearer",50,0],["acme/b","cheaper",0,-50],["acme/d","added",0,0],["acme/c","removed",null,null]]'
	run --separate-stderr ai-cost prices diff -r t.json
	assert_has "$output" 'input 1 -> 1.5 (+50.0 %)'
	cmp before $PRICES
}

@test "check says what is odd, and -e makes it the status" {
	table acme/m 1e-6 2e-6 ',"cache_read_input_token_cost":2e-6' >t.json
	run --separate-stderr ai-cost prices check t.json
	assert_status 0
	assert_has "$output" 'cached input costs $2 a million, more than input'
	run --separate-stderr ai-cost prices check -e t.json
	assert_status 1
	table acme/m 1e-6 2e-6 >t.json
	run --separate-stderr ai-cost prices check -e t.json
	assert_status 0
	assert_eq "$output" ''
	run --separate-stderr ai-cost prices check -e
	assert_status 0
}

@test "check sees a file that was edited or merged" {
	need jq
	for n in a b c; do
		table "acme/$n" 1e-6 2e-6 |
			ai-cost prices import --date 2026-01-01 >/dev/null
	done
	run --separate-stderr ai-cost prices check -e
	assert_status 0
	for n in 1 3 2 4 4; do
		sed -n "${n}p" $PRICES
	done >$PRICES.2
	echo '<<<<<<< HEAD' >>$PRICES.2
	echo '{"model":"acme/z","date":"2026-01-01","price":7}' >>$PRICES.2
	mv $PRICES.2 $PRICES
	run --separate-stderr ai-cost prices check -e
	assert_status 1
	assert_eq "$(jq -c '[.model, .why[:14]]' <<<"$output" | tr '\n' ' ')" \
		'["acme/a","it is not sort"] ["acme/c","the same day s"] ["","it is no line "] ["acme/z","imported price"] '
}

@test "list takes a word or a pattern" {
	need jq
	table acme/model-one 1e-6 2e-6 | ai-cost prices import >/dev/null
	run --separate-stderr ai-cost prices list MODEL-ONE
	assert_eq "$(jq -c '[.model, .input, .output]' <<<"$output")" \
		'["acme/model-one",1,2]'
	run --separate-stderr ai-cost prices list 'acme/*'
	assert_has "$output" acme/model-one
	# The name that people type has no provider.
	run --separate-stderr ai-cost prices list 'model-*'
	assert_has "$output" acme/model-one
	run --separate-stderr ai-cost prices list -r acme
	assert_has "$output" 'acme/model-one'
	run --separate-stderr ai-cost prices list gpt4o
	assert_status 0
	assert_eq "$output" ''
	assert_has "$stderr" "no model is like 'gpt4o'; did you mean 'gpt-4o'?"
	run --separate-stderr ai-cost prices show GPT-4O
	assert_has "$stderr" "did you mean 'gpt-4o'?"
	run --separate-stderr ai-cost prices list
	assert_has "$output" '"openai/gpt-4o"'
}
