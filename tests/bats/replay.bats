# --record and --replay: a pipeline that runs without key or network.
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
	model=(-m x --price '1,2')
	live=(ai-complete --base-url "$STUB_URL" "${model[@]}")
}

@test "played, it is byte for byte what was recorded" {
	printf '{"id":%s,"prompt":"question"}\n' 1 2 3 >in
	echo '{"prompt":"other"}' >>in
	"${live[@]}" --record tape <in >one
	"${live[@]}" --replay tape <in >two
	cmp one two
	assert_eq "$(stub_requests)" 4
	# What was paid for is said again; nothing is booked again.
	assert_eq "$(ai-cost report | jq .calls)" 4
	assert_eq "$(stat -c %a tape)" 600
	assert_eq "$(jq -c '[.path, .status, .request.model]' tape | sort -u)" \
		'["/chat/completions",200,"x"]'
}

@test "failures, retries and streams are played too, without waiting" {
	stub_script '{"status":429,"headers":{"retry-after":"1"},"body":{"error":{"message":"slow down"}}}' \
		'{}' '{"status":400,"body":{"error":{"message":"never"}}}' \
		'{"fault":"close"}'
	printf '{"prompt":"p%s"}\n' 1 2 >in
	run --separate-stderr "${live[@]}" --retries 1 --record tape <in
	assert_status 2
	one=$output
	echo '{"prompt":"p3"}' |
		"${live[@]}" --retries 0 --record tape >three || true
	run --separate-stderr "${live[@]}" --retries 1 --replay tape <in
	assert_status 2
	assert_eq "$output" "$one"
	run --separate-stderr "${live[@]}" --retries 0 --replay tape \
		<<<'{"prompt":"p3"}'
	assert_status 69
	assert_eq "$(jq -c '.error | [.code, .message, .retryable]' <<<"$output")" \
		"$(jq -c '.error | [.code, .message, .retryable]' three)"
	"${live[@]}" --record tape --stream hello >one
	asked=$(stub_requests)
	"${live[@]}" --replay tape --stream hello >two
	assert_eq "$(stub_requests)" "$asked"
	cmp one two
	assert_eq "$(wc -l <one)" "$(grep -c . two)"
}

@test "no key is needed, and none is in the file" {
	OPENAI_API_KEY=sk-secret-1 OPENAI_BASE_URL=$STUB_URL ai-complete \
		-m openai/gpt-4o-mini --record tape hi >one
	stub_script '{"status":401,"body":{"error":{"message":"bad key sk-secret-1"}}}'
	OPENAI_API_KEY=sk-secret-1 OPENAI_BASE_URL=$STUB_URL ai-complete \
		-m openai/gpt-4o-mini --record tape ho >two || true
	refute_has "$(cat tape)" sk-secret
	AI_REPLAY=tape ai-complete -m openai/gpt-4o-mini hi >again
	cmp one again
}

@test "a pipeline of several programs, one recording" {
	echo '{"text":"a document"}' >in
	embed=(ai-embed -m e --price free)
	"${embed[@]}" --base-url "$STUB_URL" --record tape <in |
		"${live[@]}" --record tape >one
	asked=$(stub_requests)
	"${embed[@]}" --base-url "$STUB_URL" --replay tape <in |
		"${live[@]}" --replay tape >two
	cmp one two
	assert_eq "$(stub_requests)" "$asked"
	assert_eq "$(jq -r .path tape | tr '\n' ' ')" \
		'/embeddings /chat/completions '
}

@test "-j: each of the same questions gets what it got then" {
	stub_script '{"delay_ms":400,"content":"A"}' \
		'{"status":503,"headers":{"retry-after":"0"}}' \
		'{"delay_ms":200,"content":"B"}' '{"delay_ms":100,"content":"C"}'
	yes '{"prompt":"same"}' | head -n 4 >in
	"${live[@]}" -j 4 --record tape <in >one
	stub_reset
	# It did not end as it began, or this would show nothing.
	refute_eq "$(jq .n tape | xargs)" "$(jq .n tape | sort -n | xargs)"
	for j in 1 2 4; do
		"${live[@]}" -j "$j" --replay tape <in >two
		cmp one two
	done
	# A second run behind it: what comes after the first gets the second.
	stub_script '{"content":"D"}' '{"content":"E"}'
	head -n 2 in | "${live[@]}" --record tape >>one
	cat in <(head -n 2 in) | "${live[@]}" -j 3 --replay tape >two
	cmp one two
	# And the last one stands for all that follow.
	assert_eq "$(cat in in | "${live[@]}" --replay tape | tail -n 1 |
		jq -r .completion.text)" E
	assert_eq "$(stub_requests)" 2
}

@test "chains, answers asked for again, counts, pieces, keys in turn" {
	export OPENAI_BASE_URL=$STUB_URL MISTRAL_BASE_URL=$STUB_URL
	a=openai/gpt-4o-mini b=mistral/mistral-small-latest
	seq 9 | jq -c '{id: ., prompt: "p\(. % 2)"}' >in
	echo '{"type":"object","required":["echo"]}' >s.json
	printf 'k1\nk2\n' >keys
	chmod 600 keys
	limited='{"status":429,"headers":{"retry-after":"0"}}'
	down='{"status":503,"delay_ms":100}'
	bad='{"content":"{}","delay_ms":50}'
	for how in "-j 5 -m $a,$b" "-j 5 -m $a,$b --stream" \
		"-j 5 -m $a,$b --schema s.json --fallback-on down,schema" \
		"--count -m $a" "-j 3 --openai-batch -m $a,$b"; do
		stub_reset
		rm -rf tape state
		stub_script "$limited" "$down" '{}' "$bad" "$down" '{}' "$bad" \
			"$limited"
		# shellcheck disable=SC2086 # words
		OPENAI_API_KEY_FILE=keys MISTRAL_API_KEY=k3 ai-complete $how \
			--retries 1 --record tape <in >one || true
		stub_reset
		# shellcheck disable=SC2086
		ai-complete $how --retries 1 --replay tape <in >two || true
		# Whole lines of a batch have an id that is drawn.
		sed -i 's/batch_req_[0-9a-f]*//' one two
		cmp one two
		assert_eq "$(stub_requests)" 0
		assert_eq "$(wc -l <tape | xargs test 9 -lt && echo more)" more
	done
}

@test "what the ledger refused then is refused again" {
	# A dead server: after five failures, nobody is asked.
	seq 8 | jq -c '{prompt: "p\(.)"}' >in
	dead=(ai-complete --base-url http://127.0.0.1:1/v1 -m 'x,y' --price '1,2'
		--retries 0)
	"${dead[@]}" --record tape <in >one 2>/dev/null || true
	assert_has "$(cat one)" 'failed again and again'
	"${dead[@]}" --replay tape <in >two 2>/dev/null || true
	cmp one two
	# A budget, and the limit of an answer that it allows.
	rm tape
	ai-cost breaker reset
	ai-cost budget set all request 0.001 >/dev/null
	"${live[@]}" --record tape hi >one
	[ "$(jq .completion.max_tokens one)" -lt 500 ]
	"${live[@]}" --replay tape hi >two
	cmp one two
	run "${live[@]}" --max-tokens 4000 --record tape hi
	assert_status 3
	one=$output
	run "${live[@]}" --max-tokens 4000 --replay tape hi
	assert_status 3
	assert_eq "$output" "$one"
}

@test "what is not in the recording is no reason to ask another model" {
	hit='{"query":"who is it?","hits":[{"id":"h","text":"It is the fox."}]}'
	"${live[@]}" --record tape hi >/dev/null
	run --separate-stderr "${live[@]}" -m x,local/extract --replay tape <<<"$hit"
	assert_status 69
	assert_has "$output" "'tape' has no answer to this request"
}

@test "a recording into a pipe, from which none can be played" {
	mkfifo pipe
	cat pipe >tape &
	head -c 300000 /dev/zero | tr '\0' x | jq -Rc '{prompt: .}' >in
	"${live[@]}" --record pipe <in >one
	wait "$!"
	"${live[@]}" --replay tape <in >two
	cmp one two
	for f in <(cat tape) . /dev/null; do
		run --separate-stderr "${live[@]}" --replay "$f" hi
		assert_status 66
		assert_has "$stderr" "cannot replay '$f': it must be a file"
	done
}

@test "ai-embed: as many at once as then, and equal texts" {
	seq 40 | jq -c '{text: "t\(. % 4)"}' >in
	embed=(ai-embed -m e --price free --base-url "$STUB_URL" --batch 3 -j 4)
	stub_script '{"status":503,"headers":{"retry-after":"0"}}'
	"${embed[@]}" --record tape <in >one
	stub_reset
	"${embed[@]}" --replay tape <in >two
	cmp one two
	assert_eq "$(stub_requests)" 0
}

@test "recordings that somebody has edited, or that were cut off" {
	"${live[@]}" --record tape hi >one
	play() {
		run --separate-stderr "${live[@]}" --retries 0 --replay bad hi
	}
	for edit in '.status = 1e18' '.status = -5' '.status = 1000' \
		'.status = "x"' 'del(.status)' '.body = 7' 'del(.body)' \
		'.body_base64 = "*" | del(.body)' '.failed = {}' \
		'.failed = {code: "x", message: "\u0000"}' \
		'.failed = {code: "io"}' '.retry_after_s = 1e300 | .status = 429' \
		'.body = "{}"' '.body = ""'; do
		jq -c "$edit" tape >bad
		play
		[ "$status" -ge 2 ]
		[ "$status" -lt 99 ]
		[ -n "$output$stderr" ]
	done
	# What is said beside the answer, and makes no sense, is not said.
	for edit in '.latency_s = 1e300' '.latency_s = "x"' '.created = -1e18' \
		'.n = -1' '.n = 1e15' '.run = {}' 'del(.run, .n)' \
		'.max_tokens = "x"'; do
		jq -c "$edit" tape >bad
		play
		assert_status 0
		assert_eq "$(jq -r .completion.text <<<"$output")" \
			"$(jq -r .completion.text one)"
		[ "$(jq '.completion.latency_ms' <<<"$output")" -lt 1000000000 ]
	done
	for n in 1 40 $(($(wc -c <tape) - 2)); do
		{ cat tape; head -c "$n" tape; } >bad
		play
		assert_status 65
		assert_has "$stderr" "'bad', line 2: this is no line of a recording"
	done
	jq -c '.key |= [., .][0:1]' tape >bad
	play
	assert_status 65
}

@test "what a recording lacks, and files that are none" {
	"${live[@]}" --record tape hi >/dev/null
	run --separate-stderr "${live[@]}" --replay tape ho
	assert_status 69
	assert_has "$output$stderr" "'tape' has no answer to this request"
	run --separate-stderr "${live[@]}" --replay none ho
	assert_status 66
	assert_has "$stderr" "cannot replay 'none'"
	run --separate-stderr "${live[@]}" --replay . ho
	assert_status 66
	assert_has "$stderr" "cannot replay '.': it must be a file"
	echo '{"id":1}' >>tape
	run --separate-stderr "${live[@]}" --replay tape hi
	assert_status 65
	assert_has "$stderr" "'tape', line 2: this is no line of a recording"
	run --separate-stderr "${live[@]}" --replay tape --record tape hi
	assert_status 64
	run --separate-stderr "${live[@]}" --record /dev/full hi
	assert_status 74
	assert_has "$stderr" 'No space left on device'
	run --separate-stderr "${live[@]}" --record none/tape hi
	assert_status 73
}
