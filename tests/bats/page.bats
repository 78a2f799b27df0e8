#!/usr/bin/env bats
# ai-cost report --format html, as a browser shows it.
load helper
load ../stub/stub

setup_file() {
	stub_start
	unset AI_PRICE
	export EVIL='<script>alert(1)</script>"&'\'
	export LONG='0123456789012345678901234567890123456789012345678901234567890ab'
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	stub_reset
	ask=(ai-complete --base-url "$STUB_URL" --retries 0 --price '1,2')
	for run in "$EVIL" "$LONG" $'\u05d0\u05d1\u202eabc' plain; do
		"${ask[@]}" --run "$run" -m m q >/dev/null
	done
	"${ask[@]}" --cache on -m n q >/dev/null
	"${ask[@]}" --cache on -m n q >/dev/null
	ai-cost budget set all day 0.0001
	ai-cost report --format html --by run >page.html
}

browser() {
	timeout 120 chromium --headless --no-sandbox --disable-gpu \
		--hide-scrollbars --user-data-dir="$PWD/profile" "$@" 2>/dev/null
}

@test "the page needs nothing from anywhere" {
	run grep -E 'https?:|src=|url\(|@import|<script|<link|javascript:' page.html
	assert_eq "$output" ''
	assert_has "$(cat page.html)" "default-src 'none'"
	assert_has "$(cat page.html)" \
		'&lt;script&gt;alert(1)&lt;/script&gt;&quot;&amp;&#39;'
	# It ends, and is no larger for many runs.
	assert_eq "$(tail -c 15 page.html)" '</main></html>'
	assert [ "$(wc -c <page.html)" -lt 40000 ]
}

@test "light and dark: both are drawn" {
	need chromium node
	for scheme in 1 0; do
		browser --blink-settings=preferredColorScheme=$scheme \
			--screenshot="$PWD/$scheme.png" --window-size=1200,1800 \
			"file://$PWD/page.html" || :
		node "$SRCDIR/tests/stub/page.mjs" colors $scheme.png >said
		assert [ "$(jq .colors said)" -gt 50 ]
		assert [ "$(jq .blue said)" -gt 500 ]
		jq -r .most said >>backgrounds
	done
	assert_eq "$(cat backgrounds)" $'ffffff\n18212b'
}

@test "on a phone nothing sticks out, and all can be read" {
	need chromium node
	for width in 360 320 1200; do
		node "$SRCDIR/tests/stub/page.mjs" frame page.html $width >frame.html
		browser --virtual-time-budget=5000 --dump-dom \
			"file://$PWD/frame.html" >dom
		grep -o '<pre id="said">.*</pre>' dom | sed 's/<[^>]*>//g' |
			sed 's/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g' >said
		assert_eq "$(jq -c '[.out, .scripts, .untitled, .small]' said)" \
			'[[],0,0,0]'
		assert [ "$(jq .width said)" -le $width ]
		assert [ "$(jq .pictures said)" -ge 2 ]
	done
	# Names as they are, but for what turns a line round.
	assert_eq "$(jq -c --arg e "$EVIL" --arg l "$LONG" \
		'.names | map(select(. == $e or . == $l)) | length' said)" 2
	assert_eq "$(jq -c '.names | map(select(test("\u202e"))) | length' said)" 0
}
