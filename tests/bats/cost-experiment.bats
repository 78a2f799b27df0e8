#!/usr/bin/env bats
# ai-cost experiment: how the arms of an experiment did.
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
	export AI_PRICE=1,2
}

show() {
	run --separate-stderr ai-cost experiment show "$@"
}

# made ARM N YES: N records of an arm, so many of them good.
made() {
	seq "$2" | jq -c --arg arm "$1" --argjson yes "$3" '{id: "\($arm)-\(.)",
		good: (. <= $yes), grade: (. * 0.5),
		completion: {text: "x", cost_usd: (. * 0.001),
			latency_ms: (. * 10 + 5),
			experiment: {name: "e", arm: $arm}}}'
}

@test "what the ledger says, of calls that were made" {
	seq 40 | jq -c '{id: ., prompt: "p"}' >in
	ai-complete --experiment spell --arm m1=1 --arm m2=1 <in >out
	show spell
	assert_status 0
	assert_eq "$(jq -c '[.arm, .ledger.calls, .ledger.spent_usd]' <<<"$output")" \
		"$(ai-cost report --by arm | jq -c '[(.arm | ltrimstr("spell/")), .calls, .spent_usd]')"
	assert_eq "$(jq -s 'map(.ledger.calls) | add' <<<"$output")" 40
	# The records agree with it.
	show spell out
	assert_eq "$(jq -c '[.arm, .records, .cost_usd] == [.arm, .ledger.calls, .ledger.spent_usd]' \
		<<<"$output" | sort -u)" true
	assert_eq "$(jq -c .difference.from <<<"$output" | paste -sd,)" 'null,"m1"'
	assert_has "$(ai-cost experiment show spell -r)" unanswered
	show spell -r out
	assert_eq "${#lines[@]}" 3
}

@test "an experiment has no arms of one whose name goes on after a slash" {
	seq 8 | jq -c '{id: ., prompt: "p"}' >in
	ai-complete --experiment a/b --arm m1=1 --arm m2=1 <in >out
	ai-complete --experiment a --arm m3=1 --arm m4=1 --run r1 <in >>out
	ai-complete --experiment a --arm m3=1 --arm m4=1 --run r2 <in >>out
	show a
	assert_eq "$(jq -r .arm <<<"$output" | paste -sd,)" m3,m4
	assert_eq "$(jq -s 'map(.ledger.calls) | add' <<<"$output")" 16
	show a/b
	assert_eq "$(jq -s 'map(.ledger.calls) | add' <<<"$output")" 8
}

@test "errors are counted for the arm that they were of" {
	stub_script '{"status":400}' '{}' '{"status":400}'
	seq 20 | jq -c '{id: ., prompt: "p"}' >in
	ai-complete --retries 0 --experiment e --arm m1=1 --arm m2=1 <in >out || true
	show e out
	assert_status 0
	assert_eq "$(jq -c '[.arm, .records, .errors]' <<<"$output")" \
		"$(jq -sc 'map((.completion // .error) + {bad: (has("error"))}) |
			group_by(.experiment.arm)[] | [.[0].experiment.arm, length,
				(map(select(.bad)) | length)]' out)"
	assert_eq "$(jq -s 'map(.errors) | add' <<<"$output")" 2
}

@test "proportions: Wilson's interval, and Newcombe's of the difference" {
	# 56 of 70 and 48 of 80: Newcombe's own example.
	made a 80 48 >file
	made b 70 56 >>file
	show e --score good file
	assert_status 0
	assert_eq "$(jq -c 'select(.arm == "b").difference.score |
		[.value, .low, .high] | map(. * 1e4 | round)' <<<"$output")" \
		'[2000,524,3339]'
	assert_eq "$(jq -c '[.score.method, .difference.score.method]' <<<"$output" |
		paste -sd' ')" '["wilson",null] ["wilson","newcombe"]'
	assert_eq "$(jq -c '[.scored, .score.value]' <<<"$output" | paste -sd' ')" \
		'[80,0.6] [70,0.8]'
	# Numbers that are 0 and 1 are the same, from standard input.
	jq -c '.good = (if .good then 1.0 else 0 end)' file >numbers
	assert_eq "$(ai-cost experiment show e --score good <numbers)" "$output"
	# Against another arm it is the other way round.
	assert_eq "$(ai-cost experiment show e --score good --baseline b file |
		jq -c 'select(.arm == "a").difference.score |
		[.value, .low, .high] | map(. * 1e4 | round)')" '[-2000,-3339,-524]'
}

@test "means: Student's interval and Welch's, as counted anew" {
	made a 80 48 >file
	made b 70 56 >>file
	show e --score grade file
	assert_status 0
	assert_eq "$(jq -c '[.score.method, .difference.score.method]' <<<"$output" |
		paste -sd' ')" '["student",null] ["student","welch"]'
	# t(79) = 1.990450 and t(69) = 1.994945; Welch's degrees: 147.9, 1.976.
	for at in grade:score completion.latency_ms:latency_ms \
		completion.cost_usd:usd_per_record; do
		jq -sc --arg from "${at%:*}" 'group_by(.completion.experiment.arm) |
			map(map(getpath($from | split("."))) |
			{n: length, m: (add / length), v: .} |
			.v = (.m as $m | .n as $n | .v | map(. - $m | . * .) | add / ($n - 1))) |
			[.[0].m, .[0].m - 1.990450 * (.[0].v / 80 | sqrt),
			 .[1].m, .[1].m + 1.994945 * (.[1].v / 70 | sqrt),
			 .[1].m - .[0].m] | map(. * 1e3 | round)' file >wanted
		assert_eq "$(jq -sc --arg k "${at#*:}" '[.[0][$k].value, .[0][$k].low,
			.[1][$k].value, .[1][$k].high, .[1].difference[$k].value] |
			map(. * 1e3 | round)' <<<"$output")" "$(cat wanted)"
	done
	assert_eq "$(jq -c 'select(.arm == "b").difference.score |
		(.high - .low) / 2 * 100 | round' <<<"$output")" \
		"$(jq -n '(1.9761 * ((80 * 81 / 12 * 0.25) / 80 + (70 * 71 / 12 * 0.25) / 70 | sqrt)) * 100 | round')"
	# Surer is wider.
	assert_eq "$(jq -n --argjson a "$(head -n 1 <<<"$output")" \
		--argjson b "$(ai-cost experiment show e --score grade \
			--confidence 99 file | head -n 1)" \
		'$b.score.high > $a.score.high and $b.score.value == $a.score.value')" true
}

@test "one number has no interval, none has no value, and no division fails" {
	made a 1 1 >file
	show e --score grade file
	assert_eq "$(jq -c '[.score.value,.score.low,.score.high]' <<<"$output")" \
		'[0.5,null,null]'
	show e --score nothing file
	assert_status 0
	assert_eq "$(jq -c '[.scored,.score.value,.score.low]' <<<"$output")" \
		'[0,null,null]'
	assert_has "$stderr" '1 records have no nothing'
	show e -r --score nothing file
	assert_has "${lines[1]}" ' - '
}

@test "what cannot be used is told, line by line, and the rest is counted" {
	{
		made a 2 1
		echo 'no json'
		echo
		made a 1 1 | jq -c '.good = "yes"'
		made a 1 1 | jq -c '.completion.cost_usd = -1'
		made a 1 1 | jq -c '.completion.experiment.name = "f"'
		echo '{"text":"no completion"}'
		made a 1 1 | sed 's/"good":true/"good":1e999/'
		made "$(printf 'x%.0s' {1..300})" 1 1
	} >file
	show e --score good file
	assert_status 2
	assert_eq "$(jq -c '[.arm,.records,.scored]' <<<"$output")" '["a",2,2]'
	assert_has "$stderr" 'file: line 3: '
	assert_has "$stderr" 'line 5: good is neither a number nor a boolean'
	assert_has "$stderr" 'line 6: cost_usd is no amount'
	assert_has "$stderr" 'line 9: good is neither'
	assert_has "$stderr" "line 10: the arm's name is too long"
	assert_has "$stderr" "2 records are of no arm of 'e'"
}

@test "a sum that cannot be counted is told, not wrong; a refused record is no arm" {
	{
		made b 2 9 | jq -c '.completion.cost_usd = 9000000000'
		made A 1 1 | jq -c '.completion.cost_usd = "much"'
		made c 1 1
	} >file
	show e file
	assert_status 2
	assert_has "$stderr" 'file: line 2: cost_usd: with it the arm costs more than can be counted'
	assert_has "$stderr" 'file: line 3: cost_usd is no amount'
	assert_eq "$(jq -c '[.arm,.records,.cost_usd,.difference.from]' <<<"$output")" \
		'["b",1,9000000000,null]
["c",1,'"$(made c 1 1 | jq .completion.cost_usd)"',"b"]'
}

@test "what is wrong is told" {
	run --separate-stderr ai-cost experiment
	assert_status 64
	run --separate-stderr ai-cost experiment shw e
	assert_has "$stderr" "did you mean 'show'?"
	show
	assert_status 64
	assert_has "$stderr" 'experiment show NAME'
	made a 2 1 >file
	show e --baseline b file
	assert_status 64
	assert_has "$stderr" "no arm 'b'"
	show e no-file
	assert_status 66
	show nothing
	assert_status 0
	assert_has "$stderr" "nothing is known of an experiment 'nothing'"
	show e --score good --confidence 100 file
	assert_status 64
}
