#!/usr/bin/env bats
# What goes wrong between here and a model: how the program ends, whether it
# asked again, and what the ledger says of each attempt.
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
	need sqlite3
	n=0
	fresh
	ask=(ai-complete --base-url "$STUB_URL" -m x --price '1,2' --retries 1)
}

# A ledger and a server that know of nothing.
fresh() {
	n=$((n + 1))
	XDG_STATE_HOME=$PWD/state$n
	stub_reset
}

# How the attempts ended, in order: "free" is an end that cost nothing, "cost"
# is booked at what was used, "worst" at the worst case since nobody knows,
# "void" was never sent; "open" has not ended.
ledger() {
	sqlite3 "$XDG_STATE_HOME/aiutils/ledger.db" "SELECT
		group_concat(how, ' ') FROM (SELECT CASE e.kind
		WHEN 2 THEN iif(e.amount=0, 'free', 'cost')
		WHEN 3 THEN iif(e.amount=0, 'void', '?')
		WHEN 4 THEN iif(e.amount=p.amount, 'worst', '?')
		ELSE 'open' END AS how FROM transfer p LEFT JOIN transfer e ON
		e.of=p.seq AND e.kind<5 WHERE p.kind=1 ORDER BY p.seq)"
}

# told CODE RETRYABLE ATTEMPTS LEDGER: of the last run, which failed.
told() {
	assert_eq "$(tail -n 1 <<<"$output" |
		jq -c '[.error.code, .error.retryable]')" "[\"$1\",$2]"
	assert_eq "$(stub_requests)" "$3"
	assert_eq "$(ledger)" "$4"
	[[ $4 != *worst* ]] ||
		assert_eq "$(ai-cost report --by model | jq -s 'map(.unanswered // 0) | add')" \
			"$(wc -w <<<"${4//[!w ]/}")"
}

# answered ATTEMPTS LEDGER: the last run, which did not fail.
answered() {
	assert_status 0
	assert_eq "$(tail -n 1 <<<"$output" | jq -c '[.completion.attempts,
		(.completion.text | length > 0)]')" "[$1,true]"
	assert_eq "$(stub_requests)" "$1"
	assert_eq "$(ledger)" "$2"
}

ask() {
	run --separate-stderr "${ask[@]}" "$@"
}

# Milliseconds between the first two requests.
between() {
	stub_log .at_ms | jq -s '.[1] - .[0] | floor'
}

# A stream: its type, and events.
events() {
	printf 'data: %s\n\n' "$@" | jq -Rsc '{status: 200, headers: {"content-type":
		"text/event-stream"}, body: .}' >>"$STUB/script"
}

piece='{"choices":[{"delta":{"content":"Hel"}}]}'
end='{"choices":[{"delta":{"content":"lo"},"finish_reason":"stop"}]}'

# ---- statuses ---------------------------------------------------------------

@test "429: Retry-After in seconds, as a date, in milliseconds, and without" {
	stub_script '{"status":429,"headers":{"retry-after":"1"}}'
	ask hi
	answered 2 'free cost'
	[ "$(between)" -ge 1000 ]
	fresh
	stub_script "$(jq -nc --arg d "$(LC_ALL=C date -u -d '2 seconds' \
		'+%a, %d %b %Y %H:%M:%S GMT')" \
		'{status: 429, headers: {"retry-after": $d}}')"
	ask hi
	answered 2 'free cost'
	[ "$(between)" -ge 900 ]
	fresh
	stub_script '{"status":429,"headers":{"retry-after-ms":"300","retry-after":"60"}}'
	ask hi
	answered 2 'free cost'
	[ "$(between)" -ge 300 ]
	fresh
	stub_script '{"status":429}'
	ask hi
	answered 2 'free cost'
	[ "$(between)" -ge 1000 ]
}

@test "429 to the end: try later, with the time that was asked for" {
	stub_script '{"status":429,"headers":{"retry-after-ms":"10"}}' \
		'{"status":429,"headers":{"retry-after":"7"}}'
	ask hi
	assert_status 75
	told try_later true 2 'free free'
	assert_eq "$(jq -c .error.retry_after_s <<<"$output")" 7
}

@test "500, 529, 503, and then an answer" {
	stub_script '{"status":500,"headers":{"retry-after-ms":"10"}}' \
		'{"status":529,"headers":{"retry-after-ms":"10"}}' \
		'{"status":503,"headers":{"retry-after-ms":"10"}}'
	ask --retries 3 hi
	answered 4 'free free free cost'
}

@test "each status: asked again or not, and what it costs" {
	while read -r status code retryable attempts ledger; do
		fresh
		step="{\"status\":$status,\"headers\":{\"retry-after-ms\":\"1\"}}"
		stub_script "$step" "$step"
		ask hi
		told "$code" "$retryable" "$attempts" "$ledger"
	done <<-'END'
		400 request_rejected false 1 free
		401 not_allowed false 1 free
		402 not_allowed false 1 free
		403 not_allowed false 1 free
		404 request_rejected false 1 free
		408 unavailable true 2 worst worst
		409 unavailable true 2 free free
		413 too_long false 1 free
		422 request_rejected false 1 free
		500 unavailable true 2 free free
		501 unavailable true 1 free
		502 unavailable true 2 worst worst
		503 unavailable true 2 free free
		504 unavailable true 2 worst worst
		529 unavailable true 2 free free
	END
}

@test "x-should-retry has the last word, but not on what no waiting cures" {
	stub_script '{"status":503,"headers":{"x-should-retry":"false"}}'
	ask hi
	told unavailable true 1 free
	fresh
	stub_script '{"status":400,"headers":{"x-should-retry":"true","retry-after-ms":"1"}}'
	ask hi
	answered 2 'free cost'
	for code in insufficient_quota billing_hard_limit_reached; do
		fresh
		stub_script "{\"status\":429,\"headers\":{\"x-should-retry\":\"true\"},\"body\":{\"error\":{\"message\":\"no\",\"code\":\"$code\"}}}"
		ask hi
		assert_status 77
		told not_allowed false 1 free
	done
}

@test "a redirect is not followed, with the key or without" {
	for status in 301 302 307 308; do
		fresh
		stub_script "{\"status\":$status,\"headers\":{\"location\":\"$STUB_URL/chat/completions\"},\"body\":\"\"}"
		ask hi
		assert_status 2
		told request_rejected false 1 free
		assert_has "$output" 'redirects are not followed'
	done
}

# ---- connections --------------------------------------------------------------

@test "nobody there: nothing was sent, so nothing is booked" {
	free=$(node -e 'const s = require("net").createServer();
		s.listen(0, "127.0.0.1", () => { console.log(s.address().port);
		s.close(); })')
	ask --base-url "http://127.0.0.1:$free/v1" hi
	assert_status 69
	told unavailable true 0 'void void'
	assert_has "$output" 'Connection refused'
	fresh
	AI_API_KEY=k ask --base-url https://nobody.invalid/v1 \
		--connect-timeout 2 hi
	assert_status 69
	told unavailable true 0 'void void'
	fresh
	# No TLS there.
	ask --base-url "https${STUB_URL#http}" hi
	assert_status 69
	told unavailable true 0 'void void'
}

@test "who accepts and says nothing: the time for a connection, and for all" {
	node -e 'const s = require("net").createServer((c) => c.on("error",
		() => {})); s.listen(0, "127.0.0.1", () =>
		console.log(s.address().port)); setTimeout(() => process.exit(),
		60000)' >mute 3>&- &
	mute=$!
	for ((i = 0; i < 200; i++)); do [ -s mute ] && break; sleep 0.05; done
	# While TLS is not up nothing is sent.
	ask --base-url "https://127.0.0.1:$(cat mute)/v1" \
		--connect-timeout 0.3 --retries 0 hi
	assert_status 69
	told unavailable true 0 void
	fresh
	ask --base-url "http://127.0.0.1:$(cat mute)/v1" --timeout 0.5 hi
	kill "$mute"
	assert_status 69
	told unavailable true 0 worst
}

@test "slow headers, a body that stalls, a body that trickles" {
	stub_script '{"delay_ms":20000}'
	ask --timeout 0.5 hi
	assert_status 69
	# There is no time left to ask again.
	told unavailable true 1 worst
	fresh
	stub_script '{"fault":"stall"}'
	ask --idle-timeout 1 hi
	answered 2 'worst cost'
	fresh
	stub_script "$(jq -nc --arg b '{"choices":[{"message":{"content":"slow"}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}' \
		'{raw: (["HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \($b | length)\r\n\r\n"]
		+ [$b | [match(".{1,20}"; "g").string][] | ., 60])}')"
	ask --idle-timeout 1 hi
	answered 1 cost
}

@test "no answer, half a header, half a body: maybe paid for, so asked again as such" {
	for fault in close reset headers short chunks; do
		fresh
		stub_script "{\"fault\":\"$fault\"}"
		ask hi
		answered 2 'worst cost'
		fresh
		stub_script "{\"fault\":\"$fault\"}"
		ask --retries 0 hi
		assert_status 69
		told unavailable true 1 worst
	done
}

@test "a chunk that is cut, and a size that is none" {
	head='HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
	for rest in '1f4\r\n{\"choices\":[{\"mess' 'zz\r\n{}\r\n' \
		'fffffffffffffffffff\r\n{}\r\n'; do
		fresh
		stub_script "{\"raw\":[\"$head$rest\"]}"
		ask --retries 0 hi
		assert_status 69
		told unavailable true 1 worst
	done
}

@test "HTTP/1.0 without a length, and gzip that nobody asked for" {
	stub_script "$(jq -nc '{raw: ["HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n",
		"{\"choices\":[{\"message\":{\"content\":\"old\"}}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}"]}')"
	ask hi
	answered 1 cost
	assert_eq "$(jq -r .completion.text <<<"$output")" old
	fresh
	stub_script '{"fault":"gzip"}'
	ask hi
	answered 1 cost
	assert_eq "$(stub_log '.headers["accept-encoding"]')" '"identity"'
}

@test "what answers does not speak HTTP" {
	stub_script '{"raw":["220 mail.example ESMTP\r\n"]}'
	ask hi
	refute_eq "$status" 0
	told invalid_answer false 1 worst
}

# ---- answers that are none ------------------------------------------------------

@test "a page of a captive portal, an empty body, and rubbish" {
	stub_script '{"status":200,"headers":{"content-type":"text/html"},"body":"<html><title>Log in to FreeWifi</title>"}'
	ask hi
	assert_status 2
	told invalid_answer false 1 worst
	assert_has "$output" 'text/html'
	assert_has "$output" 'Log in to FreeWifi'
	for body in '""' '"{"' '"[]"' '"null"' '{"choices":[]}' '{"choices":[{"message":7}]}' '"\u0000\u0001"'; do
		fresh
		stub_script "{\"status\":200,\"body\":$body}"
		ask hi
		assert_status 2
		told invalid_answer false 1 worst
	done
	fresh
	stub_script '{"fault":"half"}'
	ask hi
	assert_status 2
	told invalid_answer false 1 worst
	# The right thing under a wrong name will do.
	fresh
	stub_script '{"headers":{"content-type":"text/plain"}}'
	ask hi
	answered 1 cost
}

@test "200 with an error in it" {
	stub_script '{"status":200,"headers":{"retry-after-ms":"1"},"body":{"error":{"message":"overloaded","code":529}}}'
	ask hi
	answered 2 'worst cost'
	fresh
	stub_script '{"status":200,"body":{"error":{"message":"This model'"'"'s maximum context length is 8 tokens"}}}'
	ask hi
	assert_status 2
	told too_long false 1 worst
}

@test "an answer without end: the maximum, and the time" {
	stub_script '{"fault":"huge","bytes":1e12}'
	ask hi
	assert_status 2
	told too_long false 1 worst
	fresh
	stub_script '{"fault":"endless"}'
	ask --stream --timeout 1 hi
	assert_status 69
	told unavailable true 1 worst
	fresh
	# Comments are no answer, but they are no silence either.
	stub_script '{"fault":"endless"}'
	ask --stream --timeout 2 --idle-timeout 1 --retries 0 hi
	told unavailable true 1 worst
}

@test "an answer without a count of tokens is booked at its worst case" {
	for usage in null '{}' '{"prompt_tokens":-1,"completion_tokens":1}' \
		'{"prompt_tokens":1e30,"completion_tokens":1}' '"many"'; do
		fresh
		stub_script "{\"merge\":{\"usage\":$usage}}"
		ask hi
		assert_status 0
		assert_eq "$(sqlite3 "$XDG_STATE_HOME/aiutils/ledger.db" \
			'SELECT e.amount=p.amount FROM transfer e JOIN transfer p ON
			p.seq=e.of')" 1
	done
}

# ---- streams ----------------------------------------------------------------------

@test "a stream: never asked again after a byte of it was written" {
	for last in '{"error":{"message":"overloaded","code":529}}' \
		'{"error":{"message":"slow down","code":"rate_limit_exceeded"}}' \
		'no json' '{"choices":[{"delta":{"content":7}}]}'; do
		fresh
		events "$piece" "$last"
		ask --stream -r hi
		refute_eq "$status" 0
		assert_eq "$output" Hel
		assert_eq "$(stub_requests)" 1
		assert_eq "$(ledger)" worst
	done
	for rest in 'data: {\"cho' ''; do
		fresh
		stub_script "$(jq -nc --arg p "$piece" '{raw: ["HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
			"\($p | length + 8 | [. / 16 | floor, . % 16] | map("0123456789abcdef"[.:.+1]) | add)\r\ndata: \($p)\n\n\r\n"]}')"
		ask --stream -r hi
		assert_status 69
		assert_eq "$output" Hel
		assert_eq "$(stub_requests)" 1
		assert_eq "$(ledger)" worst
	done
}

@test "a stream that fails before its first text is asked for again" {
	events '{"choices":[{"delta":{"role":"assistant"}}]}' \
		'{"error":{"message":"overloaded","code":529}}'
	events "$piece" "$end" '{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}'
	ask --stream hi
	answered 2 'worst cost'
	# But not what would be the same again.
	for code in context_length_exceeded content_policy_violation \
		insufficient_quota invalid_api_key; do
		fresh
		events "{\"error\":{\"message\":\"no\",\"code\":\"$code\"}}"
		ask --stream hi
		assert_eq "$(stub_requests)" 1
		assert_eq "$(ledger)" worst
	done
}

@test "rubbish in a stream: bytes, no events, another type" {
	stub_script '{"status":200,"headers":{"content-type":"text/event-stream"},"body":"\u0000\u0001\u0002 nonsense\n\n\n: \n\n"}'
	ask --stream --retries 0 hi
	assert_status 69
	told unavailable true 1 worst
	fresh
	stub_script '{"status":200,"headers":{"content-type":"text/html"},"body":"<html><title>Log in</title></html>"}'
	ask --stream --retries 0 hi
	refute_eq "$status" 0
	assert_eq "$(stub_requests) $(ledger)" '1 worst'
	fresh
	events '[1,2' "$end"
	ask --stream hi
	assert_status 2
	told invalid_answer false 1 worst
}
