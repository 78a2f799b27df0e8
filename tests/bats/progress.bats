#!/usr/bin/env bats
# The line that shows how far a program is, on a real terminal.
load helper
load ../stub/stub

setup_file() {
	need script
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
	export AI_DATADIR=$BUILDDIR/share/aiutils TERM=xterm
	ask="ai-complete --base-url $STUB_URL -m x --price 1,2"
}

# terminal COMMAND: in a terminal of 60 columns; what it got is in typed.
terminal() {
	script -qec "stty cols 60; $1" typed </dev/null >/dev/null || true
	sed -i -e '1d' -e '$d' typed # script's own
}

# What can be seen in the end, by what carriage returns do.
screen() {
	LC_ALL=C awk '{
		sub(/\r$/, "")
		line = ""
		n = split($0, part, "\r")
		for (i = 1; i <= n; i++)
			line = part[i] substr(line, length(part[i]) + 1)
		sub(/ +$/, "", line)
		print line
	}' typed
}

# shown PATTERN: one of the lines that were shown, for a while, is like that.
shown() {
	tr '\r' '\n' <typed >lines
	grep -qE -- "$1" lines
}

waiting() { # N MS
	for ((i = 1; i <= $1; i++)); do
		printf '{"id":%d,"prompt":"p","ms":%d}\n' "$i" "$2"
	done
}

@test "done, failed, rates, dollars and what is left" {
	for _ in 1 2 3 4 5 6 7 8; do
		echo '{"delay_ms":300}'
	done >"$STUB/script"
	waiting 7 0 >in
	echo '{}' >>in
	terminal "$ask <in >out"
	assert_eq "$(wc -l <out)" 8
	shown 'ai-complete: [0-9]+ done, [0-9.]+/s, \$0\.0000?[0-9]+, 0:0[0-9] left'
	# Nothing but a carriage return and printable bytes, and within 59 columns.
	assert_eq "$(LC_ALL=C tr -d '\r\n -~' <typed | wc -c)" 0
	assert_eq "$(grep ' done' lines | awk 'length > 59')" ''
	# It is gone in the end.
	assert_eq "$(screen)" 'ai-complete: 1 of 8 records failed; the first: line 8: the record has no prompt, query, text or messages'
}

@test "a terminal that has the output too: both whole" {
	waiting 20 150 >in
	terminal 'ai-pass --tasks -j 2 <in'
	shown '^ai-pass: [0-9]+ done'
	assert_eq "$(screen)" "$(cat in)"
	# Text without an end is not written over.
	printf '{"delay_ms":700,"content":"a"}\n%.0s' 1 2 3 >"$STUB/script"
	waiting 3 0 >in
	terminal "$ask -r <in"
	shown '^ai-complete: [0-9]+ done'
	assert_eq "$(screen)" $'a\na\na'
}

@test "messages: the line goes first" {
	{ waiting 8 300; echo '{"fail":true}'; waiting 4 300; } >in
	terminal 'ai-pass --tasks -r -j 1 <in >out'
	shown ', 1 failed'
	assert_eq "$(screen)" 'ai-pass: line 9: try_later: asked to fail'
}

@test "no line where nobody wants it" {
	waiting 4 400 >in
	for how in '-q <in' '--no-progress <in' '--log-format json <in' \
		'<in 2>err'; do
		terminal "ai-pass --tasks $how >out"
		assert_eq "$(cat typed)" ''
	done
	assert_eq "$(cat err)" ''
	AI_PROGRESS=false terminal 'ai-pass --tasks <in >out'
	assert_eq "$(cat typed)" ''
	TERM=dumb terminal 'ai-pass --tasks <in >out'
	assert_eq "$(cat typed)" ''
	waiting 1 1500 >in
	terminal 'ai-pass --tasks <in >out'
	assert_eq "$(cat typed)" ''
	printf '{"delay_ms":1500}\n' >"$STUB/script"
	terminal "$ask -r hello you >out"
	assert_eq "$(cat typed)" ''
}

@test "--progress shows it where nobody would look" {
	waiting 4 400 >in
	TERM=dumb ai-pass --tasks --progress <in >out 2>typed
	shown '^ai-pass: [0-9]+ done'
	assert_eq "$(screen)" ''
}

@test "interrupted: the line is gone before anything is said" {
	waiting 100 200 >in
	terminal 'env --default-signal=INT timeout --foreground -s INT 2 ai-pass --tasks <in >out'
	shown '^ai-pass: [0-9]+ done'
	assert_has "$(screen)" 'ai-pass: ended by SIGINT'
	assert_eq "$(screen | grep -c ' done, ')" 0
}
