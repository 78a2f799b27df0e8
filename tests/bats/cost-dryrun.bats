#!/usr/bin/env bats
# ai-cost --dry-run: what a whole file costs, and whether it may.
load helper

setup() {
	ai_setup
	unset AI_PRICE AI_MODEL OPENAI_API_KEY
	dry=(ai-cost --dry-run)
}

texts() { # N
	seq "$1" | sed 's/.*/{"id":"&","text":"the number & and some words more"}/'
}

@test "the sums are those of the records" {
	texts 300 >file
	ai-cost -m gpt-4o file >each
	"${dry[@]}" -m gpt-4o file >sum
	assert [ ! -e "$XDG_STATE_HOME" ]
	for pair in input_tokens:input_tokens output_tokens:output_tokens \
		max_tokens:max_tokens; do
		assert_eq "$(jq ".${pair%:*}" sum)" \
			"$(jq -s "map(.cost.${pair#*:}) | add" each)"
	done
	# In nano-dollars, so that nothing is rounded.
	for key in expected_usd worst_usd; do
		assert_eq "$(jq ".$key * 1e9 | round" sum)" \
			"$(jq -s "map(.cost.$key * 1e9 | round) | add" each)"
	done
	assert_eq "$(jq -c '[.records,.failed,.minutes,.limit,.fits,.missing_usd,.expected_fits,.too_dear]' sum)" \
		'[300,0,null,null,true,0,true,0]'
	assert_eq "$(jq -c '[.budget.scope,.budget.period,.budget.left_usd]' sum)" \
		'["all","day",100]'
	assert_eq "$(wc -l <sum)" 1
}

@test "as many jobs as one likes: the same sums" {
	texts 5000 >file
	assert_eq "$("${dry[@]}" -m gpt-4o -j 4 file)" \
		"$("${dry[@]}" -m gpt-4o -j 1 <file)"
}

@test "3 if the shared budget cannot hold the worst case, and by how much" {
	texts 10 >file
	worst=$("${dry[@]}" -m gpt-4o file | jq .worst_usd)
	ai-cost budget set all day "$worst"
	"${dry[@]}" -m gpt-4o file >/dev/null
	ai-cost budget set all day "$(jq -n "$worst - 0.00001" )"
	run "${dry[@]}" -m gpt-4o file
	assert_status 3
	assert_eq "$(jq -c '[.fits,.missing_usd,.expected_fits]' <<<"$output")" \
		'[false,1e-05,true]'
	ai-cost budget set all day 0.01
	run "${dry[@]}" -m gpt-4o file
	assert_status 3
	assert_eq "$(jq -c '[.fits,.expected_fits]' <<<"$output")" '[false,false]'
	run "${dry[@]}" -r -m gpt-4o file
	assert_status 3
	assert_has "$output" 'budget    all day: $0.01 left of $0.01, which begins anew in '
	assert_has "$output" 'It does not fit: at worst, '
	assert_has "$output" '; as expected, '
	# Nothing was sent, nothing booked.
	assert_eq "$(ai-cost report)" ''
	assert_eq "$(ai-cost reservations)" ''
}

@test "the budget that binds first is that of which most is needed" {
	texts 10 >file
	ai-cost budget set all day 1000
	ai-cost budget set 'user:*' month 5
	ai-cost budget set user:bob month 7
	ai-cost budget set tenant:acme day 3
	ai-cost budget set model:openai/gpt-4o day 4
	ai-cost budget set model:openai/gpt-4 total 0
	first() { "${dry[@]}" -m gpt-4o "$@" file | jq -r .budget.cap_usd; }
	assert_eq "$(first)" 4
	assert_eq "$(first --tenant acme)" 3
	assert_eq "$(first --user ada)" 4
	assert_eq "$("${dry[@]}" -m gpt-4o-mini --user ada file |
		jq -c '.budget | [.scope,.name,.cap_usd]')" '["user","ada",5]'
	assert_eq "$("${dry[@]}" -m gpt-4o-mini --user bob file |
		jq -c '.budget | [.scope,.name,.cap_usd]')" '["user","bob",7]'
	# Only a part of the records falls under it.
	texts 3 | sed 's/^{/{"params":{"model":"gpt-4o-mini"},/' >two
	echo '{"text":"x","params":{"model":"openai/gpt-4"}}' >>two
	run "${dry[@]}" two
	assert_status 3
	assert_eq "$(jq -c '[.budget.name,.budget.cap_usd,.records]' <<<"$output")" \
		'["openai/gpt-4",0,4]'
	assert_eq "$(jq -c '[.models[] | [.model,.records]]' <<<"$output")" \
		'[["openai/gpt-4o-mini",3],["openai/gpt-4",1]]'
}

@test "budgets of ai-complete count, not those of ai-cost" {
	texts 3 >file
	ai-cost budget set tool:ai-cost day 0
	"${dry[@]}" -m gpt-4o file >/dev/null
	ai-cost budget set tool:ai-complete day 0
	run "${dry[@]}" -m gpt-4o file
	assert_status 3
}

@test "a record over the budget of a request is refused, whatever is left" {
	run "${dry[@]}" -m gpt-4 --max-tokens 30000 <<<'{"text":"x"}'
	assert_status 0
	ai-cost budget set all request 0.1
	run "${dry[@]}" -m gpt-4 --max-tokens 8000 <<<'{"text":"x"}'
	assert_status 3
	assert_eq "$(jq -c '[.too_dear,.fits,.missing_usd]' <<<"$output")" '[1,false,0]'
	run "${dry[@]}" -r -m gpt-4 --max-tokens 8000 <<<'{"text":"x"}'
	assert_has "$output" 'refused   1 records'
}

@test "minutes: requests or tokens, whichever takes longer" {
	texts 1200 >file
	wait() { "${dry[@]}" -m gpt-4o --ledger "$XDG_STATE_HOME/aiutils/ledger.db" "$@" file |
		jq -c '[.limit.of,.limit.per_minute,(.minutes|floor)]'; }
	ai-cost budget set all day 1000
	ai-cost limit set '*' --requests 600
	# 12 at once, then 588 in 61 seconds.
	assert_eq "$(wait)" '["requests",600,2]'
	assert_eq "$("${dry[@]}" -m gpt-4o file | jq .minutes)" 2.06
	ai-cost limit set openai/gpt-4o --requests 600 --tokens 60000
	assert_eq "$(wait --max-tokens 10)" '["tokens",60000,3]'
	ai-cost limit set openai/gpt-4o --requests 10 --tokens 60000
	assert_eq "$(wait --max-tokens 10)" '["requests",10,135]'
	# A limit of 0 is none.
	ai-cost limit set openai/gpt-4o --requests 0 --tokens 60000
	assert_eq "$(wait --max-tokens 10)" '["tokens",60000,3]'
	run "${dry[@]}" -r -m gpt-4o --max-tokens 10 file
	assert_has "$output" 'time      4 minutes at least: 60,000 tokens a minute of openai/gpt-4o'
}

@test "a limit of one key is that of the key in the environment" {
	texts 100 >file
	ai-cost limit set '*' --requests 1000
	OPENAI_API_KEY=one ai-cost limit set '*' --key-env OPENAI_API_KEY --requests 10
	minutes() { "${dry[@]}" -m openai/gpt-4o "$@" file | jq '.minutes | floor'; }
	assert_eq "$(minutes)" 0
	assert_eq "$(OPENAI_API_KEY=one minutes)" 11
	assert_eq "$(OPENAI_API_KEY=two minutes)" 0
	assert_eq "$(MY_KEY=one minutes --key-env MY_KEY)" 11
	# Not every provider's variable is its name.
	minutes() { "${dry[@]}" -m "$1" --price 1,2 file | jq '.minutes | floor'; }
	assert_eq "$(CO_API_KEY=one minutes cohere/command-a)" 11
	assert_eq "$(AZURE_OPENAI_API_KEY=one minutes azure/mine)" 11
	assert_eq "$(GOOGLE_API_KEY=one minutes gemini/gemini-2.5-pro)" 11
	assert_eq "$(AZURE_API_KEY=one minutes azure/mine)" 0
}

@test "a record larger than a minute's tokens is told" {
	ai-cost limit set '*' --tokens 100
	run --separate-stderr "${dry[@]}" -m gpt-4o <<<'{"text":"x"}'
	assert_status 0
	assert_has "$stderr" 'more than its limit of a minute'
}

@test "what cannot be used is told line by line, counted, and 2" {
	run --separate-stderr "${dry[@]}" -m gpt-4o <<'END'
{"text":"a"}
{"nothing":1}
no json
{"text":"b","params":{"model":7}}
{"text":"c","params":{"max_tokens":-1}}
END
	assert_status 2
	assert_eq "$(jq -c '[.records,.failed]' <<<"$output")" '[2,3]'
	assert_has "$stderr" 'line 2: invalid_record: '
	assert_has "$stderr" 'line 3: invalid_json: '
	assert_eq "$(wc -l <<<"$output")" 1
}

@test "records without a model, an empty input, a free model" {
	run --separate-stderr "${dry[@]}" <<<'{"text":"a"}'
	assert_status 78
	assert_has "$stderr" 'which model?'
	run "${dry[@]}" -m gpt-4o </dev/null
	assert_status 0
	assert_eq "$(jq -c '[.records,.worst_usd,.budget]' <<<"$output")" '[0,0,null]'
	run "${dry[@]}" -m local/extract --ledger /dev/null/x <<<'{"text":"a"}'
	assert_status 66
	run "${dry[@]}" -m local/extract --ledger none <<<'{"text":"a"}'
	assert_status 0
}

@test "sums beyond what 64 bits hold do not turn around" {
	ai-cost budget set all request 9000000000
	# A billion dollars a record, 1200 times.
	texts 1200 >file
	run "${dry[@]}" -m x --price 100000000,100000000 --max-tokens 10000000 \
		--expect 10000000 file
	assert_status 3
	assert_eq "$(jq -c '[.worst_usd > 9e9, .missing_usd > 9e9]' <<<"$output")" '[true,true]'
}

@test "more models than are kept apart are refused, not remembered" {
	seq 1200 | sed 's/.*/{"text":"x","params":{"model":"m&"}}/' >file
	run --separate-stderr "${dry[@]}" --price 1,1 file
	assert_status 2
	assert_eq "$(jq -c '[.records,.failed]' <<<"$output")" '[1000,200]'
}

@test "--dry-run writes no records: --as and -e have no place there" {
	run "${dry[@]}" --as x -m gpt-4o </dev/null
	assert_status 64
	run "${dry[@]}" -e -m gpt-4o </dev/null
	assert_status 64
	run ai-cost budget --dry-run
	assert_status 64
}
