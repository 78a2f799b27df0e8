#!/usr/bin/env bats
# Answers that are kept, and used again.
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
	ask=(ai-complete --base-url "$STUB_URL" -m x --retries 0 --price '1,2')
}

@test "the same request again: the same answer, nothing sent, nothing paid" {
	need sqlite3
	"${ask[@]}" --cache on hi >one
	"${ask[@]}" --cache on hi >two
	assert_eq "$(stub_requests)" 1
	assert_eq "$(jq -c '.completion | [.cached, .cost_usd, .attempts]' two)" \
		'[true,0,0]'
	for member in text model finish_reason usage max_tokens citations; do
		assert_eq "$(jq -c ".completion.$member" one)" \
			"$(jq -c ".completion.$member" two)"
	done
	assert_eq "$(ai-cost report | jq .calls)" 1
}

@test "whatever changes the answer is another request" {
	"${ask[@]}" --cache on hi >/dev/null
	"${ask[@]}" --cache on --temperature 0 hi >/dev/null
	"${ask[@]}" --cache on --max-tokens 7 hi >/dev/null
	"${ask[@]}" --cache on --system s hi >/dev/null
	"${ask[@]}" --cache on -m y hi >/dev/null
	"${ask[@]}" --cache on --tenant t hi >/dev/null
	"${ask[@]}" --cache on --user u hi >/dev/null
	assert_eq "$(stub_requests)" 7
	"${ask[@]}" --cache on --user u hi >/dev/null
	assert_eq "$(stub_requests)" 7
}

@test "read, write, only, off; a record's own wish" {
	run --separate-stderr "${ask[@]}" --cache only hi
	assert_status 69
	assert_has "$output" 'no answer to this is kept'
	"${ask[@]}" --cache read hi >/dev/null
	"${ask[@]}" --cache read hi >/dev/null
	assert_eq "$(stub_requests)" 2
	"${ask[@]}" --cache write hi >/dev/null
	"${ask[@]}" --cache write hi >/dev/null
	assert_eq "$(stub_requests)" 4
	"${ask[@]}" --cache only hi >/dev/null
	AI_CACHE=on "${ask[@]}" hi >/dev/null
	assert_eq "$(stub_requests)" 4
	"${ask[@]}" hi >/dev/null
	assert_eq "$(stub_requests)" 5
	echo '{"prompt":"hi","params":{"cache":"only"}}' | "${ask[@]}" |
		jq -e .completion.cached
	run --separate-stderr "${ask[@]}" <<<'{"prompt":"hi","params":{"cache":"yes"}}'
	assert_status 2
	assert_has "$output" 'params.cache'
}

@test "an answer ends by its age" {
	"${ask[@]}" --cache on --cache-ttl 1 hi >/dev/null
	sleep 1.1
	"${ask[@]}" --cache on hi >/dev/null
	assert_eq "$(stub_requests)" 2
}

@test "with sources: the same hits are the same request" {
	record='{"query":"q","hits":[{"rank":1,"id":"a","text":"The fox.","score":1}]}'
	"${ask[@]}" --cache on <<<"$record" >/dev/null
	"${ask[@]}" --cache on <<<"$record" | jq -e .completion.cached
	"${ask[@]}" --cache on <<<"${record/fox/dog}" >/dev/null
	assert_eq "$(stub_requests)" 2
	# Each has a tag that the text could not know.
	assert_eq "$(stub_log .body | grep -o '<<source [0-9a-f]* 1>>' | sort -u |
		wc -l)" 2
}

@test "errors are not kept" {
	stub_script '{"status":400}'
	run "${ask[@]}" --cache on hi
	"${ask[@]}" --cache on hi | jq -e '.completion.cached | not'
}

@test "the cache stands in the ledger: none, none" {
	run --separate-stderr "${ask[@]}" --cache on --ledger none hi
	assert_status 78
	assert_has "$output" 'answers are kept in the ledger'
}

@test "a cached answer costs no sync of the disk" {
	not_sanitized
	need strace
	strace -o /dev/null true || skip 'strace may not trace here'
	"${ask[@]}" --cache on hi >/dev/null
	strace -f -o trace -e trace=fsync,fdatasync "${ask[@]}" --cache on hi >/dev/null
	assert_eq "$(grep -c sync trace)" 0
	# Keeping one costs no more than booking it.
	strace -f -o trace -e trace=fsync,fdatasync "${ask[@]}" --cache on ho >/dev/null
	assert_eq "$(grep -c sync trace)" 2
}
