#!/usr/bin/env bats
# Where keys come from, whose turn it is, and that nobody sees them.
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
	rm -f "$STUB/keys"
	AI_CONFIG=$PWD/config.json
	OPENAI_BASE_URL=$STUB_URL
	export AI_CONFIG OPENAI_BASE_URL
	printf 'k-one\nk-two\n' >keys
	chmod 600 keys
	echo '{}' >config.json
}

# provider JSON: what the configuration says of openai.
provider() {
	printf '{"providers":{"openai":%s}}\n' "$1" >config.json
}

# ask [OPTION...]: as run has it.
ask() {
	run --separate-stderr ai-complete -m openai/some-model "$@"
}

# asked: the keys that came, sorted, with how often.
asked() {
	stub_log .headers.authorization | sed 's/.*Bearer \(.*\)"/\1/' |
		sort | uniq -c | awk '{ printf "%s%s:%s", s, $2, $1; s = " " }'
}

lines() {
	seq "$1" | sed 's/.*/{"id":&,"prompt":"&"}/'
}

# refused TEXT...: 77, nothing was sent, and no key is in what was said.
refused() {
	assert_status 77
	for part; do
		assert_has "$stderr$output" "$part"
	done
	refute_has "$stderr$output" k-one
	assert_eq "$(stub_requests)" 0
}

@test "a key file: by a variable, or as configured; the variable goes first" {
	echo k-file >f && chmod 600 f
	OPENAI_API_KEY_FILE=f ask hi
	assert_status 0
	provider '{"key_file":"f"}'
	ask hi
	assert_status 0
	OPENAI_API_KEY=k-env ask hi
	assert_status 0
	mkdir -p "$HOME" && cp f "$HOME/f" && chmod 400 "$HOME/f"
	provider '{"key_file":"~/f"}'
	ask hi
	rm -f "$HOME/f"
	assert_status 0
	assert_eq "$(asked)" 'k-env:1 k-file:3'
	# The key of --base-url has one, too.
	AI_API_KEY_FILE=keys run ai-complete --base-url "$STUB_URL" -m x hi
	assert_status 0
}

@test "a key file that others can read is refused, with what to do" {
	for mode in 0644 0640 0604 0620 0666; do
		chmod "$mode" keys
		OPENAI_API_KEY_FILE=keys ask hi
		refused "mode $mode" "chmod 600 'keys'"
	done
}

@test "a key file that is none" {
	mkdir dir && : >empty && mkfifo fifo && printf '\n# mine\n\n' >comment
	chmod 600 empty fifo comment
	OPENAI_API_KEY_FILE=dir ask hi
	refused "the key file 'dir' is no file"
	OPENAI_API_KEY_FILE=fifo ask hi
	refused "the key file 'fifo' is no file"
	OPENAI_API_KEY_FILE=nowhere ask hi
	refused "cannot open the key file 'nowhere': No such file"
	for f in empty comment; do
		OPENAI_API_KEY_FILE=$f ask hi
		refused "there is no key in the key file '$f': one a line"
	done
	seq 20000 >large && chmod 600 large
	OPENAI_API_KEY_FILE=large ask hi
	refused "the key file 'large' is too large"
	seq 65 >many && chmod 600 many
	OPENAI_API_KEY_FILE=many ask hi
	refused 'more than 64 keys'
}

@test "a key with a newline, a blank or a carriage return in it" {
	for key in $'k-one\nX-Evil: 1' 'k-one ' $'k-one\r' $'k-\e[31mone' k-öne; do
		OPENAI_API_KEY=$key ask hi
		refused 'the key in OPENAI_API_KEY has a blank or control character'
	done
	printf 'good\nk-one \n' >keys
	OPENAI_API_KEY_FILE=keys ask hi
	refused "the key in line 2 of the key file 'keys' has a blank"
	printf 'k-one\r\n' >keys
	OPENAI_API_KEY_FILE=keys ask hi
	refused 'the key in line 1 of'
	OPENAI_API_KEY=$(printf 'k%05000d' 1) ask hi
	refused 'longer than 4000 bytes'
}

@test "key_command: for a shell, or a program and its arguments" {
	provider '{"key_command":"echo k-shell | tr a-z A-Z; echo seen >&2"}'
	ask hi
	assert_status 0
	assert_eq "$stderr" seen
	provider '{"key_command":["printf","%s\\n","k-$HOME;x"]}'
	ask hi
	assert_status 0
	# shellcheck disable=SC2016 # as it is
	assert_eq "$(asked)" 'K-SHELL:1 k-$HOME;x:1'
	provider '{"key_command":["cat"]}'
	stub_reset
	ask hi < <(echo k-stdin)
	refused 'there is no key in what the key_command of openai wrote'
}

@test "key_command is run when a key is needed, and once" {
	provider '{"key_command":"echo ran >>runs; echo k-one"}'
	lines 6 >in
	for option in --help --version --print-config; do
		ai-complete -m openai/x "$option" >out
		refute_has "$(cat out)" k-one
	done
	ai-complete -m openai/x </dev/null
	ai-complete -m local/extract <<<'{"query":"a","hits":[]}' >out
	assert [ ! -e runs ]
	ask -j 4 <in
	assert_status 0
	ask --cache on hi
	assert_eq "$(wc -l <runs)" 2
	ask --cache on hi
	assert_status 0
	assert_has "$output" '"cached":true'
	assert_eq "$(wc -l <runs)" 2
	# Records with models of their own share what it has said.
	rm runs
	seq 5 | sed 's/.*/{"prompt":"&","params":{"model":"openai\/m&"}}/' |
		ai-complete >out
	assert_eq "$(wc -l <runs)" 1
	# What it said once it says for all.
	rm runs
	provider '{"key_command":"echo ran >>runs; exit 3"}'
	ask <in
	assert_status 77
	assert_eq "$(grep -c 'failed (exit status 3)' <<<"$output")" 6
	assert_eq "$(wc -l <runs)" 1
}

@test "key_command: fails, says nothing, hangs, says too much, is not there" {
	local bad
	while IFS=$'\t' read -r command bad; do
		provider "{\"key_command\":$command}"
		ask --timeout 0.5 hi
		refused "$bad"
	done <<-'END'
	"echo k-one; exit 1"	the key_command of openai failed (exit status 1)
	"kill -9 $$"	failed (exit status 137)
	"true"	there is no key in what the key_command of openai wrote
	"echo k-one; sleep 60"	took too long and was stopped
	"head -c 1000000 /dev/zero | tr '\\0' x"	exceeds 65536 bytes
	"printf 'k-one\\0k-two\\n'"	line 1 of what the key_command of openai wrote has a blank or control
	["no-such-program"]	program 'no-such-program' not found
	END
	provider '{"key_command":["echo","k"],"key_file":"keys"}'
	ask hi
	assert_status 78
	assert_has "$stderr" 'has a key_file and a key_command: one of them'
	for command in '""' '[]' 5 '[1]'; do
		provider "{\"key_command\":$command}"
		ask hi
		assert_status 78
		assert_has "$stderr" 'providers.openai.key_command'
	done
}

@test "no key at all: what to do" {
	unset OPENAI_BASE_URL
	ask hi
	refused 'set OPENAI_API_KEY in the environment'
}

@test "several keys take turns" {
	provider '{"key_file":"keys"}'
	lines 8 | ai-complete -m openai/m >out
	assert_eq "$(asked)" 'k-one:4 k-two:4'
	stub_reset
	lines 8 | ai-complete -m openai/m -j 4 >out
	assert_eq "$(asked)" 'k-one:4 k-two:4'
	stub_reset
	# The same key twice is one.
	printf 'k-one\nk-one\n# k-three\n\nk-two\n' >keys
	lines 8 | ai-complete -m openai/m >out
	assert_eq "$(asked)" 'k-one:4 k-two:4'
	stub_reset
	lines 8 | ai-embed -p prompt -m openai/m --batch 1 >out
	assert_eq "$(asked)" 'k-one:4 k-two:4'
}

@test "a key that is refused is set aside, and the others do its work" {
	provider '{"key_file":"keys"}'
	for step in '{"status":401}' '{"status":403}' '{"status":402}' \
		'{"status":429,"body":{"error":{"message":"m","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}}' \
		'{"status":429,"headers":{"retry-after":"3600"}}'; do
		stub_reset
		echo "{\"k-one\":$step}" >"$STUB/keys"
		# Not even a retry is needed for that.
		lines 6 | ai-complete -m openai/m --retries 0 >out
		assert_eq "$(jq -r .completion.text out | grep -c echo)" 6
		assert_eq "$(jq -s 'map(.completion.attempts) | add' out)" 7
		assert_eq "$(asked)" 'k-one:1 k-two:6'
	done
	# What is no matter of the key is none for the next.
	for status in 400 404 500; do
		stub_reset
		stub_script "{\"status\":$status}"
		ask --retries 0 hi
		refute_eq "$status" 0
		assert_eq "$(stub_requests)" 1
	done
}

@test "all keys refused: each is asked once, and the last says why" {
	provider '{"key_file":"keys"}'
	echo '{"k-one":{"status":401},"k-two":{"status":401}}' >"$STUB/keys"
	ask hi
	assert_status 77
	assert_has "$output" 'openai: status 401'
	assert_eq "$(asked)" 'k-one:1 k-two:1'
}

@test "all keys limited: the call waits for the first that may go" {
	provider '{"key_file":"keys"}'
	echo '{"k-one":{"status":429,"headers":{"retry-after":"3600"}},"k-two":{"status":429,"headers":{"retry-after":"600"}}}' >"$STUB/keys"
	ask --timeout 30 hi
	assert_status 75
	assert_eq "$(jq '.error.retry_after_s | . > 590 and . <= 600' \
		<<<"$output")" true
	assert_eq "$(asked)" 'k-one:1 k-two:1'
	stub_reset
	rm "$STUB/keys"
	stub_script '{"status":429,"headers":{"retry-after":"1"}}' \
		'{"status":429,"headers":{"retry-after":"1"}}'
	ask --timeout 30 hi
	assert_status 0
	assert_eq "$(jq .completion.attempts <<<"$output")" 3
}

@test "each attempt is booked under its own key, and limits are a key's" {
	need sqlite3
	unset AI_PRICE
	provider '{"key_file":"keys"}'
	echo '{"k-one":{"status":401}}' >"$STUB/keys"
	lines 4 | ai-complete -m openai/m --price 1,2 >out
	ai-cost report --by key >report
	assert_eq "$(jq -sc 'map(.calls) | sort' report)" '[1,4]'
	assert_eq "$(jq -sc 'map(.spent_usd) | sort' report)" '[0,8.8e-05]'
	bad=$(jq -r 'select(.spent_usd == 0).key' report)
	good=$(jq -r 'select(.spent_usd > 0).key' report)
	refute_eq "$bad" "$good"
	# A key that may not spend any more is not asked.
	rm "$STUB/keys"
	stub_reset
	ai-cost budget set "key:$bad" day 0
	lines 4 | ai-complete -m openai/m --price 1,2 >out
	assert_eq "$(asked)" k-two:4
	ai-cost budget set "key:$good" day 0
	ask --price 1,2 hi
	assert_status 3
}

@test "a stream: the next key, unless some of the answer was written" {
	provider '{"key_file":"keys"}'
	echo '{"k-one":{"status":401}}' >"$STUB/keys"
	for _ in 1 2 3; do
		ask --stream -r hi
		assert_status 0
		assert_eq "$output" '{"echo":"hi"}'
	done
	stub_reset
	stub_script '{"status":200,"headers":{"content-type":"text/event-stream"},"body":"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"some\"}}]}\n\ndata: {\"error\":{\"message\":\"slow down\",\"type\":\"x\",\"param\":null,\"code\":\"rate_limit_exceeded\"},\"status\":429}\n\n"}'
	ask --stream -r hi
	refute_eq "$status" 0
	assert_eq "$output" some
	assert_eq "$(stub_requests)" 1
}

@test "keys are nowhere: not in messages, records, ledger, configuration" {
	unset AI_PRICE
	printf 'sk-secret-one-111111\nsk-secret-two-222222\n' >keys
	provider '{"key_file":"keys"}'
	# An error that names them both, whole and masked, and a page with one.
	stub_script '{"status":401,"body":{"error":{"message":"wrong: sk-secret-one-111111, not sk-secret-two-222222 or sk-sec***2222","type":"x","param":null,"code":null}}}' \
		'{"status":200,"body":"<p>Bearer sk-secret-two-222222 and sk-secret-one-111111</p>"}'
	ask --price 1,2 --cache on -v hi
	assert_status 2
	refute_has "$output$stderr" sk-sec
	assert_has "$output" 'a key is in it'
	run --separate-stderr ai-complete -m openai/m --print-config
	refute_has "$output" sk-sec
	ask --price 1,2 --cache on hi
	assert_status 0
	refute_has "$output$stderr" sk-sec
	if grep -r sk-sec "$XDG_STATE_HOME"; then
		false
	fi
}

@test "a key that comes back in headers, or as JSON escapes it" {
	unset AI_PRICE
	printf 'sk-sec/ret-333333\n' >keys
	provider '{"key_file":"keys"}'
	stub_script \
		'{"status":200,"headers":{"content-type":"text/sk-sec/ret-333333","x-request-id":"sk-sec/ret-333333"},"body":"<p>"}' \
		'{"headers":{"x-request-id":"r sk-sec/ret-333333"}}' \
		'{"status":200,"body":"{\"a\": \"sk-sec\\/ret-333333\"}"}' \
		'{"status":400,"body":{"error":{"message":"m","type":"t","param":"sk-sec/ret-333333","code":"sk-sec/ret-333333"}}}'
	for word in one two three four; do
		ask --price 1,2 --retries 0 --cache on --record tape \
			--openai-batch "$word"
		refute_has "$output$stderr" ret-333333
	done
	assert_eq "$(stub_requests)" 4
	assert_eq "$(wc -l <tape)" 4
	if grep -r ret-333333 "$XDG_STATE_HOME" tape; then
		false
	fi
}

@test "what is lent of AWS's is hidden like a key" {
	export AWS_ENDPOINT_URL_BEDROCK_RUNTIME=${STUB_URL%/v1}
	export AWS_ACCESS_KEY_ID=AKID111111 AWS_SECRET_ACCESS_KEY=s
	export AWS_SESSION_TOKEN=session-444444
	stub_script '{"status":403,"body":{"message":"bad token session-444444 of AKID111111"}}'
	run --separate-stderr ai-complete -m bedrock/x --record tape hi
	assert_status 77
	assert_eq "$(stub_log '.headers["x-amz-security-token"]')" \
		'"session-444444"'
	assert_has "$stderr" 'bad token *** of ***'
	refute_has "$(cat tape)" session-444444
}

@test "a recording: the keys that were tried are no matter when it is played" {
	provider '{"key_file":"keys"}'
	echo '{"k-one":{"status":401,"body":{"error":{"message":"k-one is wrong, not k-two","type":"x","param":null,"code":null}}}}' >"$STUB/keys"
	lines 3 >in
	ai-complete -m openai/m --retries 0 --record tape <in >out
	assert_eq "$(wc -l <tape)" 4
	refute_has "$(cat tape)" k-one
	refute_has "$(cat tape)" k-two
	rm keys config.json
	unset AI_CONFIG
	ai-complete -m openai/m --retries 0 --replay tape <in >again
	assert_eq "$(cat again)" "$(cat out)"
	assert_eq "$(stub_requests)" 4
}
