#!/usr/bin/env bats
# How many are asked at once, and for how long.
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
	ask=(ai-complete --base-url "$STUB_URL" -m x)
}

prompts() { # N
	seq "$1" | sed 's/.*/{"id":&,"prompt":"p&"}/'
}

@test "-j 64, of which a server takes 4: it is hardly refused, and nothing fails" {
	echo '{"at_once":4,"delay_ms":100}' >"$STUB/limit"
	prompts 200 >in
	"${ask[@]}" -j 64 <in >out
	assert_eq "$(jq .id out)" "$(seq 200)"
	assert_eq "$(jq -c 'select(.error)' out)" ''
	refused=$(($(stub_requests) - 200))
	echo "refused: $refused"
	# Of the first 64 most could not know.
	[ "$refused" -ge 30 ]
	[ "$refused" -le 100 ]
}

@test "a slow one keeps back four times -j, and not the whole file" {
	stub_script '{"delay_ms":2000}'
	prompts 200 >in
	"${ask[@]}" -j 4 <in >out
	assert_eq "$(jq .id out)" "$(seq 200)"
	assert_eq "$(jq -s '[.[] | .at_ms] | (min + 2000) as $until |
		map(select(. < $until)) | length' "$STUB/log")" 16
	stub_reset
	stub_script '{"delay_ms":2000}'
	"${ask[@]}" -j 4 --unordered <in >out
	assert_eq "$(tail -n 1 out | jq .id)" 1
	assert_eq "$(jq .id out | sort -n)" "$(seq 200)"
}

@test "--deadline: what is not asked by then is an error, and all is read" {
	stub_script '{}' '{"delay_ms":60000}'
	prompts 500 >in
	run --separate-stderr "${ask[@]}" --deadline 3 <in
	assert_status 2
	assert_eq "$(stub_requests)" 2
	assert_eq "$(jq -c '[.id, .error.code]' <<<"$output")" \
		"$(echo '[1,null]'; seq 2 500 | sed 's/.*/[&,"try_later"]/')"
	assert_has "$output" "the run's 3 s were over before the answer, which may be billed: --deadline"
	assert_has "$output" "the run's 3 s were over before this was sent"
}

@test "--deadline: what it ends is try_later, and no fault of the server" {
	unset AI_PRICE
	ask+=(--price '1,2')
	prompts 8 >in
	# Half of them without a byte, half in the middle of an answer.
	for _ in 1 2 3 4; do
		echo '{"delay_ms":60000}'
		echo '{"fault":"stall"}'
	done >"$STUB/script"
	run --separate-stderr "${ask[@]}" -j 8 --deadline 0.7 <in
	assert_status 75
	assert_eq "$(jq -c .error.code <<<"$output" | sort | uniq -c | xargs)" \
		'8 try_later'
	stub_reset
	"${ask[@]}" hi >/dev/null
	assert_eq "$(stub_requests)" 1
}

@test "--deadline: another attempt that would come behind it is not waited for" {
	stub_script '{"status":503,"headers":{"retry-after":"60"}}'
	run --separate-stderr "${ask[@]}" --deadline 30 hi
	assert_status 69
	assert_has "$output" '"retry_after_s":60'
	assert_eq "$(stub_requests)" 1
}

@test "--deadline: a place at a rate limit behind it is not waited for" {
	unset AI_PRICE
	ask+=(--price '1,2')
	ai-cost limit set x --requests 1
	"${ask[@]}" hi >/dev/null
	run --separate-stderr "${ask[@]}" --deadline 5 hi
	assert_status 75
	assert_has "$stderr$output" '--deadline ends before'
}

@test "--deadline: kept answers are given all the same" {
	unset AI_PRICE
	ask+=(--price '1,2' --cache on)
	prompts 3 >in
	"${ask[@]}" <in >/dev/null
	stub_script '{"delay_ms":60000}'
	{ prompts 3; echo '{"prompt":"new"}'; prompts 3; } >in
	run --separate-stderr "${ask[@]}" --deadline 0.3 <in
	assert_eq "$(jq -c '.completion.cached' <<<"$output" | uniq -c | tr -s ' ')" \
		$' 3 true\n 1 null\n 3 true'
}
