#!/usr/bin/env bats
# Ctrl-C and its kin: what is paid for is finished, and the ledger is settled.
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
	PATH=$BUILDDIR/tests/stub:$PATH
	export AI_DATADIR=$BUILDDIR/share/aiutils
	ledger=$XDG_STATE_HOME/aiutils/ledger.db
	ask=(ai-complete --base-url "$STUB_URL" -m x --price '1,2' --retries 3)
}

# begin COMMAND...: in the background, by a shell that lets it have signals; it
# reads from descriptor 7.
begin() {
	mkfifo in
	env --default-signal=INT,HUP,PIPE "$@" <in >out 2>err &
	pid=$!
	exec 7>in
}

# It has ended, and waits to be waited for.
gone() {
	case $(ps -o stat= -p "$pid") in Z* | '') ;; *) return 1 ;; esac
}

# ended STATUS: that is how it ended.
ended() {
	until_true gone
	status=0
	wait "$pid" || status=$?
	output=$(cat out) stderr=$(cat err)
	assert_status "$1"
}

# until_true COMMAND...: waits for it, but not for ever.
until_true() {
	local i
	for ((i = 0; i < 400; i++)); do
		"$@" && return
		sleep .05
	done
	printf 'never: %s\n' "$*"
	return 1
}

asked() { # N: the stub was asked so often
	[ "$(stub_requests)" -ge "$1" ]
}

# slow MS N: the next N answers take that long.
slow() {
	stub_script "$(for ((i = 0; i < $2; i++)); do
		printf '{"delay_ms":%d}\n' "$1"
	done)"
}

prompts() { # FROM TO
	seq "$1" "$2" | sed 's/.*/{"id":&,"prompt":"p&"}/'
}

# How calls ended, by the ledger: kind, count.  1 reserved, 2 settled,
# 3 given back, 4 lost.
kinds() {
	sqlite3 "$ledger" "SELECT kind, count(*) FROM transfer GROUP BY kind" |
		tr '\n' ' '
}

# Nothing is held any more.
assert_settled() {
	need sqlite3
	assert_eq "$(sqlite3 "$ledger" 'SELECT sum(pending) FROM account')" 0
}

@test "Ctrl-C: what is under way is finished, in order, and nothing more begun" {
	slow 700 8
	begin "${ask[@]}" -j 8
	prompts 1 100 >&7
	until_true asked 8
	kill -INT "$pid"
	ended 130
	assert_eq "$(stub_requests)" 8
	assert_eq "$(jq -c '[.id, .completion.text]' out)" \
		"$(for i in {1..8}; do
			printf '[%d,"{\\"echo\\":\\"p%d\\"}"]\n' "$i" "$i"
		done)"
	assert_has "$stderr" 'SIGINT: nothing more is begun; 8 under way'
	assert_has "$stderr" 'the input is done up to line 8'
	assert_settled
	assert_eq "$(kinds)" '1|8 2|8 '
}

@test "Ctrl-C: what fails then is not tried again" {
	stub_script '{"delay_ms":700,"status":503}' '{"delay_ms":700,"status":429}'
	begin "${ask[@]}" -j 2
	prompts 1 5 >&7
	until_true asked 2
	kill -INT "$pid"
	ended 130
	assert_eq "$(stub_requests)" 2
	assert_eq "$(jq -c '[.id, .error.code]' out)" \
		$'[1,"unavailable"]\n[2,"try_later"]'
	assert_settled
}

@test "twice: at once, and what was sent is booked at its worst case" {
	slow 60000 8
	begin "${ask[@]}" -j 8
	prompts 1 100 >&7
	until_true asked 8
	kill -INT "$pid"
	until_true grep -q 'nothing more is begun' err
	kill -INT "$pid"
	ended 130
	assert_eq "$(stub_requests)" 8
	assert_eq "$(jq -c '[.id, .error.code]' out)" \
		"$(for i in {1..8}; do echo "[$i,\"try_later\"]"; done)"
	assert_has "$output" 'SIGINT came before the answer, which may be billed'
	assert_settled
	assert_eq "$(kinds)" '1|8 4|8 '
}

@test "terminated, or left alone by the terminal: at once" {
	local sig
	for sig in TERM:143 HUP:129; do
		slow 60000 2
		begin "${ask[@]}" -j 2
		prompts 1 5 >&7
		until_true asked 2
		kill -"${sig%:*}" "$pid"
		ended "${sig#*:}"
		assert_eq "$(wc -l <out)" 2
		assert_has "$stderr" "ended by SIG${sig%:*}"
		assert_settled
		rm in
		stub_reset
	done
}

@test "what nobody waited for says nothing of the server: the next run asks it" {
	slow 60000 8
	begin "${ask[@]}" -j 8
	prompts 1 9 >&7
	until_true asked 8
	kill -TERM "$pid"
	ended 143
	assert_eq "$(kinds)" '1|8 4|8 '
	stub_reset
	"${ask[@]}" hi >out
	assert_eq "$(stub_requests)" 1
}

@test "while it waits for another attempt: it is not made" {
	stub_script '{"status":503,"headers":{"retry-after":"60"}}'
	begin "${ask[@]}"
	prompts 1 3 >&7
	until_true asked 1
	until_true eval '[ "$(kinds 2>/dev/null)" = "1|1 2|1 " ]'
	kill -INT "$pid"
	ended 130
	assert_eq "$(stub_requests)" 1
	assert_eq "$(jq -c '[.id, .error.code]' out)" '[1,"unavailable"]'
	assert_has "$output" 'scripted 503'
	assert_settled
}

@test "while it waits for a rate limit: it is given back, and never sent" {
	need sqlite3
	"${ask[@]}" hi >/dev/null
	ai-cost limit set x --requests 1
	"${ask[@]}" hi >/dev/null
	begin "${ask[@]}" -j 4
	prompts 1 9 >&7
	until_true eval '[ "$(sqlite3 "$ledger" \
		"SELECT count(*) FROM transfer WHERE kind = 1")" = 6 ]'
	kill -INT "$pid"
	ended 130
	assert_eq "$(stub_requests)" 2
	assert_eq "$(jq -c '[.id, .error.code]' out)" \
		"$(for i in {1..4}; do echo "[$i,\"try_later\"]"; done)"
	assert_has "$output" 'SIGINT came before this was sent'
	assert_settled
	assert_eq "$(kinds)" '1|6 2|2 3|4 '
}

@test "a batch that was interrupted goes on where it was" {
	need sqlite3
	prompts 1 40 >all
	slow 700 4
	begin "${ask[@]}" -j 4 --resume night
	cat all >&7
	until_true asked 4
	kill -INT "$pid"
	ended 130
	assert_eq "$(jq .id out)" "$(seq 4)"
	run --separate-stderr "${ask[@]}" -j 4 --resume night <all
	assert_status 0
	assert_eq "$(jq .id <<<"$output")" "$(seq 40)"
	assert_eq "$stderr" ''
	assert_eq "$(stub_requests)" 40
	assert_settled
	assert_eq "$(kinds)" '1|40 2|40 '
}

@test "while it waits for input: it ends, and says where" {
	begin "${ask[@]}"
	prompts 1 2 >&7
	until_true eval '[ "$(wc -l <out)" = 2 ]'
	kill -INT "$pid"
	ended 130
	assert_eq "$(wc -l <out)" 2
	assert_has "$stderr" 'the input is done up to line 2'
}

@test "half a line is no record" {
	begin "${ask[@]}"
	printf '{"prompt":"one"}\n{"prom' >&7
	until_true eval '[ "$(wc -l <out)" = 1 ]'
	kill -INT "$pid"
	ended 130
	assert_eq "$(wc -l <out)" 1
}

@test "who has typed the question gets no more of the answer" {
	slow 60000 1
	begin "${ask[@]}" -r hi
	until_true asked 1
	kill -INT "$pid"
	ended 130
	assert_eq "$output" ''
	assert_has "$stderr" 'SIGINT came before the answer, which may be billed'
	assert_settled
	assert_eq "$(kinds)" '1|1 4|1 '
}

@test "who reads an answer as it comes can cut it off" {
	need sqlite3
	jq -nc '{status: 200, fault: "hold", headers: {"content-type":
		"text/event-stream"}, body:
		"data: {\"choices\":[{\"delta\":{\"content\":\"Hello wor\"}}]}\n\n"}' \
		>"$STUB/script"
	begin "${ask[@]}" -r --stream hi
	until_true grep -q 'Hello wor' out
	kill -INT "$pid"
	ended 130
	assert_eq "$output" 'Hello wor'
	assert_eq "$(wc -l <out)" 1
	assert_settled
	assert_eq "$(kinds)" '1|1 4|1 '
}

@test "the reader goes away: settled, and not a word" {
	need sqlite3
	slow 300 1
	printf '{"delay_ms":60000}\n' >>"$STUB/script"
	prompts 1 50 >in
	mkfifo pipe
	env --default-signal=PIPE "${ask[@]}" -j 2 <in >pipe 2>err &
	pid=$!
	exec 7<pipe
	exec 7<&-
	ended 141
	assert_eq "$stderr" ''
	assert_settled
	# What was reserved to come next was not sent.
	assert_eq "$(kinds)" '1|3 2|1 3|1 4|1 '
	assert_eq "$(stub_requests)" 2
}

@test "the reader does not read: a signal still ends it" {
	mkfifo pipe
	text=$(head -c 200000 /dev/zero | tr '\0' x)
	printf '{"t":"%s"}\n' "$text" >in
	exec 7<>pipe
	env --default-signal=INT ai-pass --tasks -j 2 <in >pipe 2>err &
	pid=$!
	# It has filled the pipe, and waits.
	until_true eval '[ "$(ps -o stat= -p "$pid" | cut -c 1)" = S ]'
	kill -INT "$pid"
	sleep .1 # or the second finds the first
	kill -INT "$pid"
	ended 130
}

@test "signals that were ignored stay ignored" {
	slow 500 2
	begin bash -c 'trap "" HUP INT; exec "$@"' - "${ask[@]}"
	prompts 1 2 >&7
	until_true asked 1
	kill -HUP "$pid"
	kill -INT "$pid"
	exec 7>&-
	ended 0
	assert_eq "$(wc -l <out)" 2
	# With SIGPIPE it is an ordinary failure.
	run_sh 'trap "" PIPE; { '"${ask[*]@Q}"' <<<"{\"prompt\":\"a\"}" 2>err; echo $? >status; } | true'
	until_true [ -s status ]
	assert_eq "$(cat status)" 74
	assert_has "$(cat err)" 'cannot write'
}
