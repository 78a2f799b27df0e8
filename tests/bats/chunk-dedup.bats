#!/usr/bin/env bats
# ai-chunk --dedup: near copies are left out or marked, nothing vanishes
# silently, and what they were copies of may change.
load helper

# words FROM TO: so many words.
words() {
	seq -f 'word%g' -s ' ' "$1" "$2"
}

cut=(-q --by paragraph --size 950 --overlap 0)

@test "a near copy is left out, and counted" {
	mkdir d
	{ words 1 100; echo; words 200 300; } >d/a.txt
	{ words 1 100 | sed s/word50/other/; echo; words 400 500; } >d/b.txt
	words 200 300 | tr w W >d/c.txt
	ai-chunk "${cut[@]}" --dedup 0.8 d >out
	assert_eq "$(jq -c '[.source.uri, .chunk.n, .chunk.of, .chunk.copies]' out)" \
		'["d/a.txt",0,2,null]
["d/a.txt",1,2,null]
["d/b.txt",0,1,1]
["d/c.txt",0,0,1]'
	# The place is that of what is left.
	assert_eq "$(jq -r 'select(.source.uri == "d/b.txt") | .text' out)" \
		"$(words 400 500)"
	# Three words of a hundred are changed: 95 of 101.
	ai-chunk "${cut[@]}" --dedup 0.96 d >out
	assert_eq "$(jq -c '[.source.uri, .chunk.of]' out | uniq)" '["d/a.txt",2]
["d/b.txt",2]
["d/c.txt",0]'
}

@test "the same within a document, and with threads" {
	for i in $(seq 40); do
		words $((i % 7)) $((i % 7 + 60)) >"$i.txt"
		{ words 1 50; echo; words 1 50; } >"t$i.md"
	done
	ai-chunk "${cut[@]}" --dedup 0.99 ./*.txt ./*.md >one
	ai-chunk "${cut[@]}" --dedup 0.99 -j 4 ./*.txt ./*.md >four
	cmp one four
	ai-chunk "${cut[@]}" --dedup 0.99 -j 4 --unordered ./*.txt ./*.md >four
	cmp one four
	assert_eq "$(jq -s '[.[] | select(.chunk.of > 0)] | length' one)" 8
}

@test "--copies mark writes all, and says of which it is a copy" {
	words 1 100 >a.txt
	words 1 100 | sed s/word50/other/ >b.txt
	ai-chunk "${cut[@]}" --dedup 0.8 --copies mark a.txt b.txt >out
	assert_eq "$(jq -s -c '[.[1].duplicate_of.id == .[0].id,
		.[0].duplicate_of, .[1].chunk.of, .[1].chunk.copies]' out)" \
		'[true,null,1,null]'
	assert_eq "$(jq -s '.[1].duplicate_of.similarity * 1000 | round' out)" 941
	jq -c 'del(.duplicate_of)' out >bare
	ai-chunk "${cut[@]}" a.txt b.txt | jq -c . | cmp - bare
}

@test "a licence in many files is kept once" {
	[ -f "$SRCDIR/LICENSE" ]
	mkdir d
	for i in $(seq 20); do
		{ sed "s/20[0-9][0-9]/$((1990 + i))/" "$SRCDIR/LICENSE"
		  printf '\n%s\n' "$(words "$((i * 1000))" "$((i * 1000 + 80))")"; } >d/$i
	done
	ai-chunk "${cut[@]}" --dedup 0.8 d >out
	assert_eq "$(jq -r .text out | grep -ci 'permission is hereby granted')" 1
	assert_eq "$(jq -r .text out | grep -c '^word')" 20
}

@test "with a state: copies of what earlier runs wrote, and what comes back" {
	mkdir d
	words 1 100 >d/a.txt
	words 500 600 >d/b.txt
	run_it() {
		ai-chunk "${cut[@]}" --dedup 0.8 --state s "$@" d |
			jq -c '[.source.uri, .chunk.of, .chunk.copies, .chunk.deleted]'
	}
	assert_eq "$(run_it)" '["d/a.txt",1,null,null]
["d/b.txt",1,null,null]'
	words 1 101 >d/0.txt
	words 1 102 >d/z.txt
	assert_eq "$(run_it)" '["d/0.txt",0,1,null]
["d/z.txt",0,1,null]'
	assert_eq "$(run_it)" ""
	# What it was a copy of stays although its document changes.
	{ words 1 100; echo; words 800 900; } >d/a.txt
	assert_eq "$(run_it)" '["d/a.txt",2,null,null]
["d/a.txt",2,null,null]'
	# It goes: the first of the copies takes its place.
	rm d/a.txt
	assert_eq "$(run_it)" '["d/a.txt",0,null,true]
["d/0.txt",1,null,null]
["d/z.txt",0,1,null]'
	words 700 800 >d/0.txt
	assert_eq "$(run_it)" '["d/0.txt",1,null,null]
["d/z.txt",1,null,null]'
	assert_eq "$(run_it -j 3)" ""
	# A rename loses nothing.
	mv d/z.txt d/y.txt
	assert_eq "$(run_it)" '["d/z.txt",0,null,true]
["d/y.txt",1,null,null]'
}

@test "an index has each passage once, and lets go of what became a copy" {
	mkdir d
	{ words 1 100; echo; words 300 400; } >d/b.txt
	{ words 1 90; echo; words 600 700; } >d/c.txt
	feed() {
		run_sh "ai-chunk ${cut[*]} --dedup 0.8 --state s --pending d | ai-embed |
			ai-search add -i x && ai-chunk --state s --commit"
		assert_status 0
		ai-search export -i x | jq -r '"\(.source.uri) \(.text | .[0:7])"' |
			LC_ALL=C sort
	}
	assert_eq "$(feed)" "d/b.txt word1 w
d/b.txt word300
d/c.txt word600"
	rm d/b.txt
	assert_eq "$(feed)" "d/c.txt word1 w
d/c.txt word600"
	words 600 701 >d/a.txt
	assert_eq "$(feed)" "d/c.txt word1 w
d/c.txt word600"
	words 600 699 >d/c.txt
	assert_eq "$(feed)" "d/c.txt word600"
	rm d/c.txt
	assert_eq "$(feed)" "d/a.txt word600"
}

@test "a document that is named twice is no copy of itself" {
	mkdir d
	words 1 100 >d/a.txt
	ai-chunk "${cut[@]}" --dedup 0.8 d d/a.txt d >out
	assert_eq "$(jq -c .chunk.of out)" 1
	assert_eq "$(ai-chunk "${cut[@]}" d d/a.txt | jq -c .chunk.of)" '1
1'
}

@test "another threshold, or another fate of copies, writes all once more" {
	words 1 100 >a.txt
	ai-chunk "${cut[@]}" --state s a.txt >/dev/null
	for o in '--dedup 0.8' '--dedup 0.9' '--dedup 0.9 --copies mark' ''; do
		# shellcheck disable=SC2086 # a list
		assert_eq "$(ai-chunk "${cut[@]}" $o --state s a.txt | wc -l)" 1
		# shellcheck disable=SC2086
		assert_eq "$(ai-chunk "${cut[@]}" $o --state s a.txt | wc -l)" 0
	done
}

@test "records have no copies; thresholds that make no sense" {
	run ai-chunk --dedup 0.8 </dev/null
	assert_status 64
	run ai-chunk --dedup 1.1 a
	assert_status 64
	run ai-chunk --dedup nan a
	assert_status 64
}
