#!/usr/bin/env bats
# A batch that is killed with SIGKILL at any moment, and run again until it is
# whole: its output is that of a batch that nobody killed, and nothing is asked
# or paid for twice that was answered once.
# make check-long (AI_TEST_LONG=1): 100,000 lines, killed 20 times.
load helper
load ../stub/stub

JOBS=16

setup_file() {
	stub_start
	unset AI_PRICE
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	need sqlite3
	stub_reset
	total=2000 kills=8
	[ -z "${AI_TEST_LONG-}" ] || total=100000 kills=20
	[ -z "${AI_SANITIZED-}" ] || total=300 kills=4
	ask=(ai-complete --base-url "$STUB_URL" -m x --price '1,2' -j "$JOBS"
		--resume night)
}

# Every tenth asks what the one before it asks.
questions() {
	awk -v n="$1" 'BEGIN {
		for (i = 0; i < n; i++)
			printf "{\"id\":\"%d\",\"prompt\":\"question %d\"}\n", i,
				i - (i % 10 == 9)
	}'
}

# What does not depend on how long the server took.
steady() {
	jq -c 'del(.completion.latency_ms)' "$1"
}

now_ms() {
	date +%s%3N
}

# ended KIND [WHAT]: how many calls ended so, in the ledger's tables: 2 with a
# bill, 3 without having been sent, 4 at their worst case.
ended() {
	sqlite3 state/aiutils/ledger.db \
		"SELECT ${2-count(*)} FROM transfer WHERE kind=$1"
}

# one_kill SECONDS: a run that lives so long, or ends by itself.
one_kill() {
	local pid
	"${ask[@]}" <in >out 2>>messages &
	pid=$!
	sleep "$1"
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	# What it had written is a beginning of the whole.
	head -n "$(($(wc -l <out)))" out >>outs
}

@test "killed at any moment, it is whole in the end, and paid for once" {
	questions "$total" >in
	time_ms=$(now_ms)
	XDG_STATE_HOME=$PWD/unkilled "${ask[@]}" <in >whole
	time_ms=$(($(now_ms) - time_ms))
	steady whole >wanted
	assert_eq "$(wc -l <wanted)" "$total"
	stub_reset
	: >outs
	: >messages
	RANDOM=${AI_TEST_SEED:-7}
	# All together they live as long as the run that was not killed.
	for ((i = 0; i < kills; i++)); do
		one_kill "$(awk -v r="$RANDOM" -v t="$time_ms" -v k="$kills" \
			'BEGIN { print t * 2 / k * r / 32768 / 1000 }')"
	done
	"${ask[@]}" <in >out 2>>messages
	steady out >got
	cmp got wanted
	steady outs | sort -u | comm -23 - <(sort wanted) >strange
	[ ! -s strange ]

	asked=$(stub_requests) lost=$(ended 4)
	echo "# $total lines, $kills kills: $asked requests, $(ended 2) booked," \
		"$lost uncertain, $(ended 3) not sent" >&3
	# Every line has one answer in the books, and every other request is an
	# attempt that nobody knows the end of.
	assert_eq "$(ended 2)" "$total"
	[ "$((asked - total))" -le "$lost" ]
	assert_eq "$(ai-cost report | jq -r '.unanswered // 0')" "$lost"
	# To the cent: what the answers say, and the worst for the others.
	assert_eq "$(ended 2 'sum(amount)')" \
		"$(jq .completion.cost_usd out | awk '{ s += $1 }
			END { printf "%.0f", s * 1e9 }')"
	[ "$lost" -le "$((kills * JOBS))" ]
	# Each is told of, once more if its next attempt did not come to be sent.
	[ "$(grep -c 'it is sent again' messages)" -ge "$lost" ]
	assert_eq "$(ai-cost ledger check | jq -c 'select(.wrong)')" ''
	# All of it once more: from the journal.
	"${ask[@]}" <in >again
	assert_eq "$(stub_requests)" "$asked"
	cmp again out
}
