# --resume: a batch that goes on where it was ended, and pays only for what is
# missing.
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
	ask=(ai-complete --base-url "$STUB_URL" -m x --retries 0 --price '1,2'
		--resume night)
}

lines() {
	local i
	for ((i = 0; i < $1; i++)); do
		printf '{"id":"%s","prompt":"question %s"}\n' "$i" "$((i % 25))"
	done
}

@test "the same command again writes everything and asks nothing" {
	lines 40 >in
	"${ask[@]}" -j 4 <in >one
	assert_eq "$(stub_requests)" 40
	"${ask[@]}" -j 4 <in >two
	assert_eq "$(stub_requests)" 40
	cmp one two
	# What it cost is what it cost then: it is paid once.
	assert_eq "$(ai-cost report | jq .calls)" 40
	# Another order, fewer and more lines: only what is new is asked.
	{ tac in | tail -30; lines 41 | tail -1; } >other
	"${ask[@]}" -j 4 <other >three
	assert_eq "$(stub_requests)" 41
	# Another batch, model, user: all of it.
	"${ask[@]}" --resume day <other >three
	assert_eq "$(stub_requests)" 72
	head -1 in | "${ask[@]}" -m y >three
	head -1 in | "${ask[@]}" --user u >three
	assert_eq "$(stub_requests)" 74
}

@test "lines of a batch come out the same too, whenever it goes on" {
	lines 3 >in
	"${ask[@]}" --openai-batch <in >one
	sleep 1.1
	"${ask[@]}" --openai-batch <in >two
	cmp one two
	assert_eq "$(stub_requests)" 3
}

@test "what failed is asked again; what was answered is not" {
	lines 6 >in
	stub_script '{}' '{"status":400,"body":{"error":{"message":"no"}}}' '{}' \
		'{"status":503,"body":{"error":{"message":"down"}}}' '{}' '{}'
	run --separate-stderr "${ask[@]}" <in
	assert_status 2
	assert_eq "$(grep -c '"error"' <<<"$output")" 2
	run --separate-stderr "${ask[@]}" <in
	assert_status 0
	assert_eq "$stderr" ""
	assert_eq "$(stub_requests)" 8
	assert_eq "$(jq -c '[.id,.completion.text]' <<<"$output" | tail -1)" \
		'["5","{\"echo\":\"question 5\"}"]'
}

@test "a streamed answer is told again, and so is one from the cache" {
	"${ask[@]}" -r --stream hello >one
	"${ask[@]}" -r --stream hello >two
	cmp one two
	assert_eq "$(stub_requests)" 1
	"${ask[@]}" --stream --resume s hello >one
	"${ask[@]}" --stream --resume s hello >two
	assert_eq "$(tail -1 two)" "$(tail -1 one)"
	stub_reset
	"${ask[@]}" --cache on --resume a hi >one
	"${ask[@]}" --cache on --resume b hi >two
	# Not in the cache any more: the batch has it.
	sqlite3 state/aiutils/ledger.db 'DELETE FROM cache'
	"${ask[@]}" --cache on --resume b hi >three
	assert_eq "$(stub_requests)" 1
	cmp two three
	assert_eq "$(jq .completion.cached three)" true
}

# kill_in_flight: the batch dies while the server thinks about line 3 of 4.
kill_in_flight() {
	lines 4 >in
	stub_script '{}' '{}' '{"delay_ms":60000}'
	"${ask[@]}" <in >killed 2>/dev/null &
	local pid=$! i
	for ((i = 0; i < 200; i++)); do
		[ "$(stub_requests)" = 3 ] && break
		sleep 0.05
	done
	kill -9 "$pid"
	wait "$pid" || true
	: >"$STUB/script"
}

@test "a line that was in flight at kill -9 is sent again, and said to be" {
	kill_in_flight
	run --separate-stderr "${ask[@]}" <in
	assert_status 0
	assert_has "$stderr" 'line 3: it was under way when the last run ended'
	assert_eq "$(wc -l <<<"$output")" 4
	# The lines that were written before are the same.
	assert_eq "$(head -2 <<<"$output")" "$(cat killed)"
	assert_eq "$(stub_requests)" 5
	# Two attempts of line 3 are booked, the first as one that nobody knows.
	assert_eq "$(ai-cost report | jq -c '[.calls,.unanswered]')" '[5,1]'
	run --separate-stderr "${ask[@]}" <in
	assert_eq "$stderr" ""
	assert_eq "$(stub_requests)" 5
}

@test "unless it must not be sent again" {
	kill_in_flight
	run --separate-stderr "${ask[@]}" --no-retry-uncertain <in
	assert_status 2
	assert_eq "$(jq -c 'select(.error) | [.id, .error.code]' <<<"$output")" \
		'["2","unavailable"]'
	assert_has "$output" 'may have been paid for'
	assert_eq "$(stub_requests)" 4
	# Somebody looked at the bill: it was not paid for, so it may be sent.
	id=$(ai-cost settle | jq -r .id)
	ai-cost settle "$id" 0 >/dev/null
	"${ask[@]}" --no-retry-uncertain <in >two
	assert_eq "$(stub_requests)" 5
}

@test "one process at a time" {
	lines 1 >in
	stub_script '{"delay_ms":5000}'
	"${ask[@]}" <in >one &
	pid=$!
	for ((i = 0; i < 200; i++)); do
		[ "$(stub_requests)" = 1 ] && break
		sleep 0.05
	done
	run --separate-stderr "${ask[@]}" <in
	assert_status 75
	assert_has "$stderr" "process $pid works on the batch 'night'"
	kill "$pid"
	wait "$pid" || true
}

@test "a budget that changes between two runs asks nothing anew" {
	ai-cost budget set all request 0.002 >/dev/null
	lines 2 >in
	"${ask[@]}" <in >one
	# It has shortened the answers, which are 4096 tokens else.
	assert_eq "$(jq -s 'all(.completion.max_tokens < 4096)' one)" true
	ai-cost budget set all request 1 >/dev/null
	"${ask[@]}" <in >two
	cmp one two
	assert_eq "$(stub_requests)" 2
}

@test "it needs a ledger, and a name" {
	run --separate-stderr "${ask[@]}" --ledger none hi
	assert_status 64
	assert_has "$stderr" '--ledger none'
	run --separate-stderr "${ask[@]}" --resume '' hi
	assert_status 64
	assert_has "$stderr" 'the name of a batch'
}

@test "batches and the cache are listed, and removed" {
	lines 3 >in
	"${ask[@]}" --cache on <in >one
	assert_eq "$(ai-cost batch | jq -c '[.batch,.answered,.open,.pid]')" \
		'["night",3,0,null]'
	assert_eq "$(ai-cost cache | jq .answers)" 3
	ai-cost cache empty
	assert_eq "$(ai-cost cache | jq -c .)" '{"answers":0,"bytes":0}'
	"${ask[@]}" <in >two
	assert_eq "$(stub_requests)" 3
	run --separate-stderr ai-cost batch rm nights
	assert_status 64
	assert_has "$stderr" "there is no batch 'nights'"
	ai-cost batch rm night
	assert_eq "$(ai-cost batch)" ''
	"${ask[@]}" <in >two
	assert_eq "$(stub_requests)" 6
	assert_eq "$(ai-cost report | jq .calls)" 6
}

@test "--resume-by: each record says of which batch it is" {
	local i by=(ai-complete --base-url "$STUB_URL" -m x --retries 0
		--price '1,2' --resume-by meta.batch)
	for ((i = 0; i < 30; i++)); do
		printf '{"id":%d,"prompt":"question %d","meta":{"batch":"b%d"}}\n' \
			"$i" "$((i % 10))" "$((i % 3))"
	done >in
	"${by[@]}" -j 4 <in | jq -c '[.id, .completion.text]' >one
	assert_eq "$(stub_requests)" 30
	"${by[@]}" -j 4 <in | jq -c '[.id, .completion.text]' >two
	assert_eq "$(stub_requests)" 30
	cmp one two
	assert_eq "$(ai-cost report | jq .calls)" 30
	# It is the batch of that name, and nobody's now.
	assert_eq "$(ai-cost batch | jq -sc 'map([.batch, .answered, .pid])')" \
		'[["b0",10,null],["b1",10,null],["b2",10,null]]'
	head -n 1 in | ai-complete --base-url "$STUB_URL" -m x --retries 0 \
		--price '1,2' --resume b0 >three
	assert_eq "$(stub_requests)" 30
	# One that names none is told, and not paid for.
	run_sh "echo '{\"prompt\":\"x\"}' | ${by[*]} -q | jq -r .error.message"
	assert_eq "$output" "the record has no member 'meta.batch'"
	run --separate-stderr "${by[@]}" --resume b0 x
	assert_status 64
	assert_has "$stderr" "--resume and --resume-by: give one"
	run --separate-stderr "${by[@]}" --ledger none x
	assert_status 64
	assert_eq "$(stub_requests)" 30
}
