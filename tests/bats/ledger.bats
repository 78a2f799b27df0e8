#!/usr/bin/env bats
# What ai-complete and ai-embed book, and what they are refused.
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
	ledger=$XDG_STATE_HOME/aiutils/ledger.db
	ask=(ai-complete --base-url "$STUB_URL" -m some-model --retries 0)
}

# cost FILE: as it is written; jq would turn it into a double.
cost() {
	grep -o '"cost_usd":[0-9.]*' "$1"
}

# sql STATEMENT: asks the ledger.
sql() {
	sqlite3 "$ledger" "$1"
}

@test "a model without a price is refused, before anything is sent" {
	run --separate-stderr "${ask[@]}" hi
	assert_status 78
	assert_has "$stderr" "no price is known for the model 'some-model'"
	assert_has "$stderr" '--price'
	assert_eq "$(stub_requests)" 0
}

@test "what is free opens no ledger" {
	"${ask[@]}" --price free hi >out
	assert_eq "$(cost out)" '"cost_usd":0'
	assert [ ! -e "$XDG_STATE_HOME" ]
}

@test "a call is reserved at its worst case and booked at its bill" {
	need sqlite3
	"${ask[@]}" --price 1,2 hi >out
	# The stub counts 12 tokens of input and 5 of output.
	assert_eq "$(cost out)" '"cost_usd":0.000022'
	assert_eq "$(sql 'SELECT kind, amount FROM transfer WHERE kind<>1')" \
		'2|22000'
	assert_eq "$(sql 'SELECT amount > 22000 FROM transfer WHERE kind=1')" 1
	assert_eq "$(sql 'SELECT pending, posted FROM account')" '0|22000'
	assert_eq "$(stat -c %a "$ledger")" 600
}

@test "a price of the catalog: the model as people name it" {
	ai-complete --base-url "$STUB_URL" -m gpt-4o hi >out
	# 2.50 and 10 dollars a million, 8 of the 12 read from a cache at 1.25.
	assert_eq "$(cost out)" '"cost_usd":0.00007'
}

@test "a request that may cost too much is not sent" {
	run --separate-stderr "${ask[@]}" --price 1000,2000 --max-tokens 1K hi
	assert_status 3
	assert_eq "$(jq -r .error.code <<<"$output")" budget_exceeded
	assert_has "$output" 'the budget of a request is $0.50'
	assert_eq "$(stub_requests)" 0
	"${ask[@]}" --price 1000,2000 --max-tokens 10 hi >out
	assert_eq "$(stub_requests)" 1
}

@test "without --max-tokens: as much as the budget of a request allows" {
	"${ask[@]}" --price 1000,2000 hi >out
	n=$(stub_log .body | jq .max_tokens)
	assert_eq "$(jq .completion.max_tokens out)" "$n"
	# Not a token more would do, and each byte counts as one of input.
	bytes=$(stub_log .body | tr -d '\n' | wc -c)
	assert [ "$n" -ge $(((500 - bytes - 64 - 1) / 2)) ]
	assert [ "$n" -le $(((500 - bytes - 64 + 4) / 2)) ]
	# A budget that allows no answer worth the name refuses it.
	ai-cost budget set all request 0.2
	run --separate-stderr "${ask[@]}" --price 1000,2000 hi
	assert_status 3
	assert_eq "$(stub_requests)" 1
	# What the price does not lower is the usual limit, or the model's.
	"${ask[@]}" --price 1,2 hi >out
	assert_eq "$(jq .completion.max_tokens out)" 4096
}

@test "a request that breaks off stays booked at its worst case" {
	need sqlite3
	stub_script '{"fault":"short"}'
	run --separate-stderr "${ask[@]}" --price 1,2 hi
	[ "$status" -ne 0 ]
	assert_eq "$(sql 'SELECT p.amount = e.amount FROM transfer e
		JOIN transfer p ON p.seq = e.of WHERE e.kind=4')" 1
}

@test "a ledger that is removed, or replaced, is noticed" {
	need sqlite3
	seq 3 | jq -c '{prompt: "p\(.)"}' >in
	for how in 'rm -r state/aiutils' 'mv state/aiutils state/other' \
		'cp state/aiutils/ledger.db x && mv x state/aiutils/ledger.db'; do
		rm -rf state
		stub_script '{}' '{"delay_ms":1000}'
		"${ask[@]}" --price 1,2 <in >out 2>err &
		local pid=$!
		places 2
		eval "$how"
		status=0
		wait "$pid" || status=$?
		assert_status 74
		assert_has "$(cat err)" \
			"ledger.db' was removed or replaced while it was in use"
		assert_eq "$(wc -l <out)" 1
	done
}

@test "what a program's own calls hold of a budget is waited for" {
	need sqlite3
	seq 40 | jq -c '{id: ., prompt: "p\(.)"}' >in
	local with=(--price '1,2' --max-tokens 1000 --retries 0)
	# A call may cost 0.00214 dollars, and costs 0.000022: the budget has room
	# for one at its worst, and for seventeen at what they cost.
	for how in '-j 1' '-j 3' '-j 16' '-j 16 --unordered'; do
		rm -rf state
		ai-cost budget set all day 0.0025 >/dev/null
		stub_reset
		# shellcheck disable=SC2086 # two words, or three
		run --separate-stderr "${ask[@]}" "${with[@]}" $how <in
		assert_status 2
		jq -c '[.id, .error.code]' <<<"$output" | sort -n -t[ -k2 >"got$how"
		cmp "got$how" 'got-j 1'
		assert_eq "$(sql 'SELECT sum(pending) FROM account')" 0
	done
	assert_eq "$(grep -c null 'got-j 1')" "$(stub_requests)"
	[ "$(stub_requests)" -gt 10 ]
	assert_has "$output" 'so that $0.0000'
	assert_has "$output" 'are missing; it begins anew in'
	# Of one that fails and is tried again, too; and nobody waits for those
	# that wait.
	rm -rf state
	ai-cost budget set all day 0.0025 >/dev/null
	stub_script '{"status":503,"delay_ms":300}'
	head -n 3 in >few
	run --separate-stderr "${ask[@]}" --price 1,2 --max-tokens 1000 \
		--retries 1 -j 3 <few
	assert_status 0
	# Interrupted, they are given up.
	rm -rf state
	ai-cost budget set all day 0.0025 >/dev/null
	stub_script '{"delay_ms":60000}'
	env --default-signal=TERM "${ask[@]}" "${with[@]}" -j 8 <in >out 2>err &
	local pid=$!
	places 1
	kill "$pid"
	status=0
	wait "$pid" || status=$?
	assert_status 143
	assert_has "$(sed -n 2p out)" 'SIGTERM came before this was sent'
}

@test "an answer that a gateway did not wait for is not free" {
	need sqlite3
	for status in 408 499 502 504 520 524; do
		stub_script "{\"status\":$status}"
		run "${ask[@]}" --price 1,2 hi
		ai-cost breaker reset
	done
	# Each at its worst case, until somebody knows better.
	assert_eq "$(sql 'SELECT count(*), min(e.amount = p.amount) FROM
		transfer e JOIN transfer p ON p.seq = e.of WHERE e.kind=4')" '6|1'
	# What a provider refuses, or cannot do, costs nothing.
	for status in 400 401 404 413 422 429 500 503; do
		stub_script "{\"status\":$status}"
		run "${ask[@]}" --price 1,2 hi
		ai-cost breaker reset
	done
	assert_eq "$(sql 'SELECT count(*), sum(amount) FROM transfer
		WHERE kind=2')" '8|0'
}

# places N: waits until N calls have been reserved.
places() {
	local i
	for ((i = 0; i < 200; i++)); do
		[ "$(sql 'SELECT count(*) FROM transfer WHERE kind=1')" = "$1" ] &&
			return
		sleep 0.02
	done
	echo "no $1 calls are reserved"
	return 1
}

@test "a Retry-After holds those that have their places already" {
	need sqlite3
	ai-cost limit set some-model --requests 15
	stub_script '{"delay_ms":1500,"status":429,"headers":{"retry-after":"6"}}'
	local pids=() i
	for i in 1 2; do
		"${ask[@]}" --price 1,2 "q$i" >"out$i" 2>"err$i" 3>&- &
		pids+=("$!")
		places "$i"
	done
	# Its place is four seconds behind the first.
	wait "${pids[0]}" || :
	assert_eq "$(sql 'SELECT kind, count(*) FROM transfer GROUP BY kind')" \
		$'1|2\n2|1'
	wait "${pids[1]}"
	# It has given it back and taken another.
	assert_eq "$(sql 'SELECT kind, count(*) FROM transfer GROUP BY kind')" \
		$'1|3\n2|2\n3|1'
	assert_eq "$(sql 'SELECT max(created) - min(created) > 5900 FROM
		transfer WHERE kind=2')" 1
	assert_eq "$(stub_requests)" 2
}

@test "who may not wait for a Retry-After gives the reservation back" {
	need sqlite3
	ai-cost limit set some-model --requests 15
	stub_script '{"delay_ms":1500,"status":429,"headers":{"retry-after":"60"}}'
	"${ask[@]}" --price 1,2 first >/dev/null 2>&1 3>&- &
	local first=$!
	places 1
	run --separate-stderr "${ask[@]}" --price 1,2 --max-wait 9 second
	wait "$first" || :
	assert_status 75
	assert_has "$stderr" 'the limit of some-model has a place in'
	assert_eq "$(sql 'SELECT kind, count(*) FROM transfer GROUP BY kind')" \
		$'1|2\n2|1\n3|1'
	assert_eq "$(sql 'SELECT count(*) FROM hold')" 0
	assert_eq "$(stub_requests)" 1
}

@test "a request that is at fault closes the breaker that it tries, 429 does not" {
	need sqlite3
	stub_script '{"status":500}' '{"status":500}' '{"status":500}' \
		'{"status":500}' '{"status":500}' '{"status":429}' '{"status":400}'
	local i
	for i in 1 2 3 4 5; do
		run "${ask[@]}" --price 1,2 hi
	done
	assert_eq "$(ai-cost breaker | jq -r .state)" open
	sql 'UPDATE breaker SET opened=opened-31000000000'
	assert_eq "$(ai-cost breaker | jq -r .state)" half-open
	run "${ask[@]}" --price 1,2 hi
	assert_eq "$(ai-cost breaker | jq -r .state)" half-open
	run "${ask[@]}" --price 1,2 hi
	assert_eq "$(ai-cost breaker)" ''
	assert_eq "$(stub_requests)" 7
}

@test "usage that cannot be read: the worst case, to be settled" {
	need sqlite3
	for usage in null '"x"' '[]' '{}' '{"prompt_tokens":-5,"completion_tokens":1}' \
		'{"prompt_tokens":1e400,"completion_tokens":1}' \
		'{"prompt_tokens":1.5,"completion_tokens":1}'; do
		stub_script "{\"merge\":{\"usage\":$usage}}"
		"${ask[@]}" --price 1,2 hi >out
		assert_eq "$(jq -r .completion.text out | head -c 1)" '{'
	done
	assert_eq "$(sql 'SELECT count(*), min(e.amount = p.amount) FROM
		transfer e JOIN transfer p ON p.seq = e.of WHERE e.kind=4')" '7|1'
	assert_eq "$(ai-cost settle | wc -l)" 7
	assert_eq "$(sql "SELECT usage FROM transfer WHERE kind=4 ORDER BY seq
		LIMIT 1 OFFSET 4")" '{"prompt_tokens":-5,"completion_tokens":1}'
	# The provider answered, so that no breaker minds.
	assert_eq "$(ai-cost breaker)" ''
}

@test "a bill beyond all sense is not booked; the answer is not lost" {
	need sqlite3
	stub_script '{"usage":{"prompt_tokens":1000000000000,"completion_tokens":1000000000000,"total_tokens":2000000000000}}'
	"${ask[@]}" --price 1000,1000 --max-tokens 9 hi >out
	assert_eq "$(jq -r .completion.finish_reason out)" stop
	assert_eq "$(sql 'SELECT count(*) FROM transfer e JOIN transfer p ON
		p.seq = e.of WHERE e.kind=4 AND e.amount = p.amount')" 1
	assert_eq "$(sql 'SELECT count(*) FROM hold')" 0
}

@test "usage that is too long for a row: its counts" {
	need sqlite3
	pad=$(printf '%700s' '')
	stub_script "{\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":5,\"pad\":\"$pad\"}}"
	"${ask[@]}" --price 1,2 hi >out
	assert_eq "$(sql 'SELECT amount, usage FROM transfer WHERE kind=2')" \
		'22000|{"input":12,"output":5,"request":1}'
}

@test "a picture may be as large as the model can take in" {
	need sqlite3
	picture='{"messages":[{"role":"user","content":[{"type":"text","text":"What is it?"},{"type":"image_url","image_url":{"url":"https://a.example/b.png"}}]}]}'
	# gpt-4o-mini: 128000 tokens at 0.15, 16 at 0.60 dollars a million.
	ai-complete --base-url "$STUB_URL" -m gpt-4o-mini --max-tokens 16 \
		<<<"$picture" >out
	assert_eq "$(sql 'SELECT amount FROM transfer WHERE kind=1')" 19209600
	# Nobody knows: refused, and nothing is sent.
	stub_reset
	run --separate-stderr "${ask[@]}" --price 1,2 <<<"$picture"
	assert_status 78
	assert_has "$output" 'media-tokens'
	assert_eq "$(stub_requests)" 0
	"${ask[@]}" --price 1,2 --media-tokens 1500 --max-tokens 16 \
		<<<"$picture" >out
	held=$(sql 'SELECT amount FROM transfer WHERE kind=1 ORDER BY seq DESC LIMIT 1')
	bytes=$(stub_log .body | tr -d '\n' | wc -c)
	assert_eq "$held" $(((bytes + 64 + 1500) * 1000 + 16 * 2000))
	# What is free needs no bound.
	"${ask[@]}" --price free <<<"$picture" >out
	# An estimate says the same.
	assert_eq "$(ai-cost -m gpt-4o-mini --max-tokens 16 <<<"$picture" |
		jq .cost.worst_usd)" 0.0192096
}

@test "what was never sent costs nothing" {
	need sqlite3
	run --separate-stderr ai-complete --base-url http://127.0.0.1:1/v1 \
		-m x --price 1,2 --retries 0 hi
	assert_status 69
	assert_eq "$(sql 'SELECT kind, amount FROM transfer WHERE kind<>1')" \
		'3|0'
}

@test "each attempt is a row of its own" {
	need sqlite3
	stub_script '{"status":500}'
	ai-complete --base-url "$STUB_URL" -m x --price 1,2 --retries 1 hi >out
	assert_eq "$(sql 'SELECT count(*) FROM transfer WHERE kind=1')" 2
	assert_eq "$(sql 'SELECT amount FROM transfer WHERE kind=2')" \
		$'0\n22000'
}

@test "ai-embed books too" {
	need sqlite3
	echo '{"text":"the fox"}' | ai-embed --base-url "$STUB_URL" -m e \
		--price 1,0 >out
	# The stub counts a token a letter.
	assert_eq "$(sql 'SELECT count(*), sum(amount) FROM transfer
		WHERE kind=2')" '1|7000'
	assert_eq "$(sql 'SELECT tool FROM label')" ai-embed
}

@test "labels and a ledger of one's own" {
	need sqlite3
	ledger=$PWD/mine/l.db
	AI_TENANT=acme "${ask[@]}" --price 1,2 --ledger "$ledger" --user ann \
		--project p --experiment e --run r1 hi >out
	assert_eq "$(sql 'SELECT tool, model, tenant, project, experiment, run
		FROM label')" 'ai-complete|some-model|acme|p|e|r1'
	assert_eq "$(sql "SELECT name FROM person JOIN label ON token=user")" ann
	assert [ ! -e "$XDG_STATE_HOME" ]
}

@test "without a ledger: asked for, done, and told" {
	run --separate-stderr "${ask[@]}" --price 1,2 --ledger none hi
	assert_status 0
	assert_has "$stderr" 'no ledger'
	assert [ ! -e "$XDG_STATE_HOME" ]
}

@test "a ledger that cannot be written: no call goes out" {
	mkdir -p "$XDG_STATE_HOME/aiutils"
	echo 'this is no database, but long enough to be taken for one' >"$ledger"
	run --separate-stderr "${ask[@]}" --price 1,2 hi
	refute_eq "$status" 0
	assert_has "$output$stderr" 'the ledger'
	# Told once, before anything is read.
	printf '%s\n' '{"prompt":"a"}' '{"prompt":"b"}' >in
	run --separate-stderr "${ask[@]}" --price 1,2 <in
	assert_status 65
	assert_eq "$output" ''
	assert_eq "$(wc -l <<<"$stderr")" 1
	assert_eq "$(stub_requests)" 0
}

@test "eight at once: one ledger, and no cent missing" {
	need sqlite3
	seq 40 | ai-complete -R -j 8 --base-url "$STUB_URL" -m x --price 1,2 >out
	assert_eq "$(wc -l <out)" 40
	assert_eq "$(sql 'SELECT pending, posted FROM account')" '0|880000'
}

@test "a place in a rate limit that was slept through is asked for again" {
	need sqlite3
	ai-cost limit set some-model --requests 20
	seq 2 >two
	"${ask[@]}" -R --price 1,2 <two >out 3>&- &
	local asker=$! n
	# The second has its place, in three seconds.
	for ((n = 0; n < 100; n++)); do
		[ "$(sql 'SELECT count(*) FROM transfer WHERE kind=1')" = 2 ] &&
			break
		sleep 0.02
	done
	kill -STOP "$asker"
	sleep 4.5
	kill -CONT "$asker"
	wait "$asker"
	assert_eq "$(sql 'SELECT group_concat(kind || n) FROM (SELECT kind,
		count(*) AS n FROM transfer GROUP BY kind)')" '13,22,31'
	assert_eq "$(stub_requests)" 2
}

@test "a call is two syncs of the disk, what is free none" {
	# LeakSanitizer does not work under strace.
	not_sanitized
	need sqlite3 strace
	strace -o /dev/null true || skip 'strace may not trace here'
	"${ask[@]}" --price 1,2 hi >out
	strace -f -o trace -e trace=fsync,fdatasync "${ask[@]}" --price 1,2 hi >out
	assert_eq "$(grep -c sync trace)" 2
	strace -f -o trace -e trace=fsync,fdatasync "${ask[@]}" --price free hi >out
	assert_eq "$(grep -c sync trace)" 0
}
