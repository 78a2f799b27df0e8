#!/usr/bin/env bats
# ai-cost report: its forms, its times, and figures that agree with an export.
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
	ask=(ai-complete --base-url "$STUB_URL" --retries 0 --price '1,2')
}

# The sums, counted anew from what is exported, with nothing but jq.
recount() {
	ai-cost ledger export | jq -s '
		(map(.transfer // empty)) as $t
		| ($t | map(select(.kind == 1)) | INDEX(.seq)) as $calls
		| ($t | map(select(.kind >= 2 and .kind <= 4))) as $ends
		| {calls: ($calls | length),
		   nano: ($t | map(select(.kind != 1).amount) | add // 0),
		   input: ($ends | map(.input) | add // 0),
		   output: ($ends | map(.output) | add // 0),
		   timed: ($ends | map(select(.time_us > 0)) | length)}'
}

@test "tokens, times and answers from the cache stand in the books" {
	for q in one two one one; do
		"${ask[@]}" --cache on -m m "$q" >>answers
	done
	run ai-cost report --by model
	assert_status 0
	assert_eq "$(jq -c '[.model,.calls,.cache_hits]' <<<"$output")" \
		'["m",2,2]'
	# What was saved is what the first answer had cost, twice.
	first=$(ai-cost ledger export | jq -s 'map(.transfer // empty |
		select(.kind == 2).amount)[0]')
	assert_eq "$(jq '.saved_usd * 1e9 | round' <<<"$output")" \
		"$((2 * first))"
	assert_eq "$(jq -c '[.calls, .input_tokens, .output_tokens]' <<<"$output")" \
		"$(recount | jq -c '[.calls, .input, .output]')"
	assert_eq "$(recount | jq .timed)" 2
	run ai-cost ledger check
	assert_status 0
	# The same after a move to another file.
	ai-cost ledger export >all
	ai-cost --ledger new.db ledger import <all
	assert_eq "$(ai-cost --ledger new.db report --by model)" \
		"$(ai-cost report --by model)"
}

@test "what failed is told by how it failed" {
	for status in 500 429 400; do
		stub_script "{\"status\":$status}"
		"${ask[@]}" -m m q || :
	done
	assert_eq "$(ai-cost report | jq -c '[.calls,.failed]')" '[3,3]'
	assert_eq "$(sqlite3 "$XDG_STATE_HOME/aiutils/ledger.db" \
		'SELECT sum(failed), sum(limited), sum(refused) FROM rollup')" '1|1|1'
}

@test "times as people type them" {
	"${ask[@]}" -m m q
	for since in today 7d 2w 24h week month year yesterday "$(date +%F)" \
		"$(date +%Y-%m)"; do
		assert_eq "$(ai-cost report --since "$since" | jq .calls)" 1
	done
	for until in today yesterday 7d month; do
		assert_eq "$(ai-cost report --until "$until")" ''
	done
	assert_eq "$(ai-cost report --since today --until tomorrow | jq .calls)" 1
	for word in 5y 7 d7 '' 7dd 999999999d today2 2026-13; do
		run --separate-stderr ai-cost report --since "$word"
		assert_status 64
	done
	run --separate-stderr ai-cost report --since today --until 7d
	assert_status 64
	assert_has "$stderr" 'the range ends before it starts'
	run --separate-stderr ai-cost report --since 2026-01-02 --until 2026-01-02
	assert_status 64
}

@test "by hour, day and month: the same calls" {
	"${ask[@]}" -m m q
	assert_eq "$(ai-cost report --by hour | jq -r .hour)" \
		"$(date +%FT%H:00:00%z)"
	for by in hour day month model; do
		assert_eq "$(ai-cost report --by $by | jq .spent_usd)" \
			"$(ai-cost report --by tool | jq .spent_usd)"
	done
}

@test "CSV: what is in a name stays in its cell, and is no formula" {
	for run in '=1+1' 'a,b' 'say "x"' '-x' '@x' 'plain'; do
		"${ask[@]}" --run "$run" -m m q
	done
	ai-cost report --by run --format csv >csv
	assert_eq "$(head -n 1 csv | tr -d '\r')" \
		'run,calls,spent_usd,held_usd,unanswered,failed,retries,input_tokens,cached_tokens,cache_write_tokens,output_tokens,reasoning_tokens,cache_hits,saved_usd'
	# Every line ends with CRLF, and there are as many as rows.
	assert_eq "$(grep -c $'\r$' csv)" 7
	assert_eq "$(wc -l <csv)" 7
	node - <<'END'
const text = require('fs').readFileSync('csv', 'utf8');
const cell = /("((?:[^"]|"")*)"|[^",\r\n]*)(,|\r\n)/gy;
const rows = [[]];
for (let m; (m = cell.exec(text)) !== null && m[0] !== '';) {
	rows.at(-1).push(m[2] === undefined ? m[1] : m[2].replaceAll('""', '"'));
	if (m[3] !== ',')
		rows.push([]);
}
require('assert').deepEqual(rows.pop(), []);
require('assert')(rows.every((r) => r.length === 14));
require('assert').deepEqual(rows.slice(1).map((r) => r[0]).sort(),
	["'=1+1", "'-x", "'@x", 'a,b', 'plain', 'say "x"'].sort());
END
}

@test "another currency is shown, exactly, and the dollars stay" {
	"${ask[@]}" -m m q
	nano=$(ai-cost ledger export | jq -s 'map(.transfer // empty |
		select(.kind == 2).amount) | add')
	ai-cost report --currency eur --rate 0.92 >line
	assert_eq "$(jq -c '.spent_usd * 1e9 | round' line)" "$nano"
	assert_eq "$(grep -o '"spent_eur":[^,]*' line)" \
		"\"spent_eur\":$(node -p "
		const n = String($nano * 92).padStart(12, '0');
		(n.slice(0, -11) + '.' + n.slice(-11)).replace(/0+\$/, '').replace(/\.\$/, '')")"
	assert_has "$(ai-cost report --currency EUR --rate 0.92 -r)" EUR
	for bad in '--currency EUR' '--rate 2' '--currency EURO --rate 1' \
		'--currency E2R --rate 1' '--currency EUR --rate 0' \
		'--currency EUR --rate -1' '--currency EUR --rate 1e9' \
		'--currency EUR --rate 1000000.1'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr ai-cost report $bad
		[ "$status" -eq 64 ] || [ "$status" -eq 65 ]
	done
}

# What a terminal of so many columns gets, without the line ends.
on_terminal() {
	local columns=$1
	shift
	script -qec "stty cols $columns; $*" /dev/null | tr -d '\r'
}

@test "a table with bars, as wide as the terminal" {
	command -v script >/dev/null || skip 'no script(1)'
	"${ask[@]}" --run 'a rather long name of a run that does not fit' -m m q
	"${ask[@]}" --run $'\e[31mred\u202e' -m m q q q
	export LC_ALL=C.UTF-8 TERM=xterm NO_COLOR=1
	for columns in 20 30 60 80 200; do
		on_terminal $columns ai-cost report --by run >table
		run node -e "
for (const l of require('fs').readFileSync('table', 'utf8').split('\n'))
	if ([...l].length > $columns || /\p{C}/u.test(l))
		throw new Error(JSON.stringify(l));
"
		assert_status 0
		grep -q '\$' table
	done
	grep -q '█' table
	LC_ALL=C on_terminal 80 ai-cost report --by run >table
	grep -q '##' table
	assert_eq "$(grep -c '█' table)" 0
}

@test "colors: only where they are wanted" {
	"${ask[@]}" -m m q
	export LC_ALL=C.UTF-8 TERM=xterm
	unset NO_COLOR
	assert_eq "$(ai-cost report --format table | grep -c $'\e')" 0
	grep -q $'\e' <(ai-cost report --format table --color always)
	command -v script >/dev/null || skip 'no script(1)'
	grep -q $'\e' <(on_terminal 80 ai-cost report)
	assert_eq "$(NO_COLOR=1 on_terminal 80 ai-cost report | grep -c $'\e')" 0
	assert_eq "$(TERM=dumb on_terminal 80 ai-cost report | grep -c $'\e')" 0
	assert_eq "$(on_terminal 80 ai-cost report --color never | grep -c $'\e')" 0
}

@test "a full disk is an error in every form" {
	"${ask[@]}" -m m q
	for form in table json csv html; do
		run bash -c "ai-cost report --format $form >/dev/full"
		assert_status 74
	done
}

@test "a zone that is not there, and a damaged ledger" {
	"${ask[@]}" -m m q
	db=$XDG_STATE_HOME/aiutils/ledger.db
	sqlite3 "$db" "UPDATE state SET zone='Mars/Olympus'"
	run --separate-stderr ai-cost report
	assert_status 78
	assert_has "$stderr" 'Mars/Olympus'
	sqlite3 "$db" "UPDATE state SET zone='UTC'; DELETE FROM label"
	run --separate-stderr ai-cost report --by model
	assert_status 65
	assert_has "$stderr" 'label 1'
	sqlite3 "$db" 'UPDATE rollup SET posted=posted+1'
	run --separate-stderr ai-cost ledger check
	assert [ "$status" -ne 0 ]
	assert_has "$output$stderr" 'posted is'
}
