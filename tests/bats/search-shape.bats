#!/usr/bin/env bats
# ai-search: weights, age, sources, and the passages around a hit.
load helper

# A file of eight passages in three sections, overlapping by a few bytes.
book() {
	local texts=('Intro about nothing.' 'Install with the package manager. Then log in.'
		'Then log in. Configure the zebra daemon.' 'the zebra daemon. It listens on a port of its own.'
		'Usage begins here.' 'Call it with a giraffe.' 'A giraffe has options.' 'The end.')
	local heads=('["Top"]' '["Top","Install"]' '["Top","Install"]' '["Top","Install","More"]'
		'["Top","Use"]' '["Top","Use"]' '["Top","Use"]' '["End"]')
	local from=(0 21 55 78 130 149 173 196) i
	for i in "${!texts[@]}"; do
		jq -nc --arg t "${texts[i]}" --argjson h "${heads[i]}" --argjson f "${from[i]}" --argjson i "$i" --arg u "${1:-book.md}" \
			'{id:"\($u)-p\($i)",text:$t,chunk:{doc:"d",n:$i,of:8,by:"markdown",cut:"x"},
			source:{uri:$u,bytes:[$f,$f + ($t | length)],lines:[$i * 2 + 1,$i * 2 + 2],heading:$h,page:null}}'
	done
}

# ask OPTIONS WORDS: ids and texts
ask() {
	ai-search -i x.idx --mode sparse "$@" | jq -c '.hits[] | [.id, .text]'
}

@test "--expand: passages before and behind, what overlaps once" {
	book | ai-search add -i x.idx
	assert_eq "$(ask --expand 1 configure)" '["book.md-p2","Install with the package manager. Then log in. Configure the zebra daemon. It listens on a port of its own."]'
	run_sh "ai-search -i x.idx --mode sparse --expand 1 configure | jq -c '.hits[0] | [.source.bytes, .source.lines, .source.uri, .expanded]'"
	assert_eq "$output" '[[21,128],[3,8],"book.md",{"parts":[1,3],"ids":["book.md-p1","book.md-p2","book.md-p3"]}]'
	# Those with a gap between them have a blank line there.
	assert_eq "$(ask --expand 1 intro)" '["book.md-p0","Intro about nothing.\n\nInstall with the package manager. Then log in."]'
	# What the first hit holds is no second one.
	assert_eq "$(ask --expand 9 zebra giraffe | jq -s length)" 1
	assert_eq "$(ask -k 9 zebra giraffe | jq -s length)" 4
	assert_eq "$(ask --expand 0 intro)" '["book.md-p0","Intro about nothing."]'
	assert_eq "$(ask --expand 2 --expand-bytes 50 intro)" '["book.md-p0","Intro about nothing."]'
	run_sh "ai-search -i x.idx --expand 1 -r intro"
	assert_eq "${lines[0]}" '1. book.md:1 (1.00)'
	assert_has "$output" '   Install with'
	for bad in x -1 1001 sections ''; do
		run ai-search -i x.idx --expand "$bad" intro
		assert_status 64
	done
}

@test "--expand section: the section and those below it" {
	book | ai-search add -i x.idx
	run_sh "ai-search -i x.idx --mode sparse --expand section configure | jq -c '.hits[0].expanded.parts'"
	assert_eq "$output" '[1,3]'
	run_sh "ai-search -i x.idx --mode sparse --expand section port | jq -c '.hits[0] | [.expanded, .text]'"
	assert_eq "$output" '[null,"the zebra daemon. It listens on a port of its own."]'
	run_sh "ai-search -i x.idx --mode sparse --expand section options | jq -c '.hits[0].expanded.parts'"
	assert_eq "$output" '[4,6]'
	run_sh "ai-search -i x.idx --mode sparse --expand section intro | jq -c '.hits[0].expanded.parts'"
	assert_eq "$output" '[0,6]'
	# No file, no neighbours; a passage that is not there ends it.
	echo '{"id":"bare","text":"A bare okapi."}' | ai-search add -i x.idx
	assert_eq "$(ask --expand section okapi)" '["bare","A bare okapi."]'
	echo '{"id":"book.md-p5"}' | ai-search delete -i x.idx
	run_sh "ai-search -i x.idx --mode sparse --expand 8 options | jq -c '.hits[0].expanded.parts'"
	assert_eq "$output" '[6,7]'
}

@test "--per-source: at most so many of one file, the others move up" {
	for f in a b; do book $f.md; done | ai-search add -i x.idx
	echo '{"id":"bare1","text":"giraffe"}
{"id":"bare2","text":"giraffe"}' | ai-search add -i x.idx
	run_sh "ai-search -i x.idx --mode sparse -k 9 --per-source 1 giraffe | jq -r '[.hits[].id] | sort | join(\" \")'"
	assert_eq "$output" 'a.md-p6 b.md-p6 bare1 bare2'
	run_sh "ai-search -i x.idx --mode sparse -k 3 --per-source 1 giraffe options | jq -r '[.hits[].source.uri] | join(\" \")'"
	assert_eq "$output" 'a.md b.md '
	run_sh "ai-search -i x.idx --mode sparse -k 9 giraffe | jq '.hits | length'"
	assert_eq "$output" 6
	run_sh "ai-search -i x.idx --mode sparse -k 9 --per-source 1 --expand 1 giraffe | jq '.hits | length'"
	assert_eq "$output" 4
}

@test "--decay: half the score a half-life, none without a date" {
	printf '%s\n' '{"id":"new","text":"zebra","d":"2026-11-29"}' '{"id":"month","text":"zebra","d":"2026-10-30"}' \
		'{"id":"epoch","text":"zebra","d":1777420800}' '{"id":"none","text":"zebra"}' \
		'{"id":"future","text":"zebra","d":"2030"}' '{"id":"list","text":"zebra","d":["2020","2026-10-30"]}' |
		ai-search add -i x.idx
	run_sh "ai-search -i x.idx --decay d:30d --now 2026-11-29 -k 9 zebra | jq -c '.hits[0].score as \$s | [.hits[] | [.id, (.score / \$s * 1000 | round)]]'"
	assert_eq "$output" '[["future",1000],["new",1000],["none",1000],["list",500],["month",500],["epoch",7]]'
	for bad in d d: :30d d:30 d:xd d:-1d d:0d; do
		run ai-search -i x.idx --decay "$bad" zebra
		assert_status 64
		assert_has "$output" 'PATH:HALFLIFE'
	done
	run ai-search -i x.idx --decay d:1d --now yesterday zebra
	assert_status 64
}

@test "--weight and --rrf-k" {
	printf '%s\n' '{"id":"words","text":"zebra","embedding":[0,1],"embed":{"model":"m"}}' \
		'{"id":"vector","text":"zebra zebra donkey horse mule","embedding":[1,0.1],"embed":{"model":"m"}}' | ai-search add -i x.idx
	q='{"query":"zebra","embedding":[1,0]}'
	run_sh "echo '$q' | ai-search -i x.idx --fusion minmax --weight 0 | jq -c '[.hits[] | [.id, .score]]'"
	assert_eq "$output" "$(echo "$q" | ai-search -i x.idx --mode sparse |
		jq -c '.hits[0].score as $s | [.hits[] | [.id, (.score / $s * 1000000 | round / 1000000)]]')"
	run_sh "echo '$q' | ai-search -i x.idx --fusion minmax --weight 1 | jq -c '[.hits[0] | .id, .score == .dense.score]'"
	assert_eq "$output" '["vector",true]'
	run_sh "echo '$q' | ai-search -i x.idx --fusion rrf --rrf-k 0 --weight 1 | jq -c '.hits[0] | [.id, .score]'"
	assert_eq "$output" '["vector",1]'
	run_sh "echo '$q' | ai-search -i x.idx --fusion rrf --rrf-k 9 --weight .5 |
		jq -c '.hits[] | select(.id == \"vector\") | (.score - .5 / (9 + .sparse.rank) - .5 / (9 + .dense.rank)) * 100000 | round'"
	assert_eq "$output" 0
	run ai-search -i x.idx --weight 1.5 zebra
	assert_status 64
}
