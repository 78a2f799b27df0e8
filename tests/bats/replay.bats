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

@test "what a recording lacks, and files that are none" {
	"${live[@]}" --record tape hi >/dev/null
	run --separate-stderr "${live[@]}" --replay tape ho
	assert_status 69
	assert_has "$output$stderr" "'tape' has no answer to this request"
	run --separate-stderr "${live[@]}" --replay none ho
	assert_status 66
	assert_has "$stderr" "cannot replay 'none'"
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
