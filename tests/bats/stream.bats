#!/usr/bin/env bats
# Answers that come in pieces, and those that break off.
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
	ask=(ai-complete --base-url "$STUB_URL" -m x --stream --retries 2)
}

# events LINE...: the next answer is these events.
events() {
	printf 'data: %s\n\n' "$@" | jq -Rsc '{status: 200, headers: {"content-type":
		"text/event-stream"}, body: .}' >>"$STUB/script"
}

piece() {
	printf '{"choices":[{"delta":{"content":"%s"}}]}' "$1"
}

end='{"choices":[{"delta":{},"finish_reason":"stop"}]}'

@test "pieces, comments, and an end without a mark" {
	events "$(piece 'He')" "$(piece 'llo')" "$end" \
		'{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}'
	"${ask[@]}" hi >out
	assert_eq "$(jq -c .delta.text out)" $'"He"\n"llo"\nnull'
	assert_eq "$(tail -n 1 out | jq -c '.completion | [.text, .usage.input, .attempts]')" \
		'["Hello",3,1]'
	assert_eq "$(stub_log .body.stream)" true
}

@test "a stream that is cut off is an error, and booked at its worst case" {
	need sqlite3
	events "$(piece 'Hello wor')"
	run --separate-stderr "${ask[@]}" --price '1,2' hi
	assert_status 69
	assert_eq "$(jq -c '[.delta.text, .error.code]' <<<"$output")" \
		$'["Hello wor",null]\n[null,"unavailable"]'
	assert_has "$output" 'cut off after 9 bytes'
	# Some of it was written: it is not asked for again.
	assert_eq "$(stub_requests)" 1
	assert_eq "$(sqlite3 "$XDG_STATE_HOME/aiutils/ledger.db" \
		'SELECT e.amount = p.amount FROM transfer e JOIN transfer p
		ON p.seq = e.of WHERE e.kind = 4')" 1
}

@test "what comes behind the end is no part of the answer" {
	events "$(piece 'Hello')" "$end" '[DONE]' "$(piece ' again')"
	assert_eq "$("${ask[@]}" -r hi)" Hello
}

@test "-r: a message stands on a line of its own, behind what came" {
	events "$(piece 'Hello wor')"
	run "${ask[@]}" -q -r hi
	assert_status 69
	assert_eq "${lines[0]}" 'Hello wor'
	assert_has "${lines[1]}" 'cut off after 9 bytes'
}

@test "cut off before the first text: asked again" {
	events '{"choices":[{"delta":{"role":"assistant"}}]}'
	events "$(piece 'Hello')" "$end" '[DONE]'
	"${ask[@]}" hi >out
	assert_eq "$(tail -n 1 out | jq -c '.completion | [.text, .attempts]')" \
		'["Hello",2]'
}

@test "an error within a stream" {
	events "$(piece 'Hel')" '{"error":{"message":"overloaded","code":529}}'
	run --separate-stderr "${ask[@]}" -r hi
	assert_status 69
	assert_eq "$output" Hel
	assert_has "$stderr" 'status 529: overloaded'
	events '{"error":{"message":"no more","code":"insufficient_quota"}}'
	run --separate-stderr "${ask[@]}" hi
	assert_status 77
	assert_eq "$(stub_requests)" 2
}

@test "rubbish within a stream, and an answer that does not stream" {
	events 'no json'
	run --separate-stderr "${ask[@]}" --retries 0 hi
	assert_status 2
	assert_has "$output" 'the answer is not JSON'
	stub_script '{"status":400,"body":{"error":{"message":"bad"}}}'
	run --separate-stderr "${ask[@]}" hi
	assert_status 2
	assert_has "$output" 'status 400: bad'
}

@test "a server that does not stream: its answer in one piece" {
	"${ask[@]}" hi >out
	assert_eq "$(jq -c 'has("delta")' out)" $'true\nfalse'
	assert_eq "$(head -n 1 out | jq -r .delta.text)" \
		"$(tail -n 1 out | jq -r .completion.text)"
}

@test "in order, however many at once; a full disk" {
	for i in 1 2 3 4 5 6; do
		events "$(piece "a$i")" "$(piece "b$i")" "$end"
	done
	seq 6 | "${ask[@]}" -R -j 6 >out
	assert_eq "$(jq -r 'if .delta then .delta.text[:1] else "." end' out |
		tr -d '\n')" 'ab.ab.ab.ab.ab.ab.'
	events "$(piece x)" "$end"
	run_sh 'ai-complete --base-url "$STUB_URL" -m x --stream -r hi >/dev/full'
	assert_status 74
}

@test "with a cache: what streamed is kept, what is kept comes at once" {
	events "$(piece 'Hel')" "$(piece lo)" "$end"
	"${ask[@]}" --cache on -r hi >one
	"${ask[@]}" --cache on -r hi >two
	cmp one two
	assert_eq "$(cat one)" Hello
	assert_eq "$(stub_requests)" 1
}
