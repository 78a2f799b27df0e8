#!/usr/bin/env bats
# ai-search --highlight and --explain: what the query found, what made a score.
load helper

texts() {
	printf '%s\n' '{"id":"a","text":"Wings lift. The winged horse has a wing, and Ärger über wings."}' \
		'{"id":"b","text":"A new york minute is no minute in New   York; york, new."}' \
		'{"id":"c","text":"東京都に住む人"}' '{"id":"d","text":"other words entirely, to be or not to be"}' |
		ai-search add -i x.idx "$@"
}

# marked OPTIONS WORDS: the highlighted pieces of the first hit
marked() {
	ai-search -i x.idx --mode sparse --highlight "$@" >answer
	jq -r '.hits[0] | .highlights[] | "\(.[0]) \(.[1])"' answer >places
	jq -j '.hits[0].text' answer >text
	while read -r from to; do
		tail -c +$((from + 1)) text | head -c $((to - from))
		printf '|'
	done <places
}

@test "--highlight: bytes of the text, after stemming, without stop words" {
	texts
	assert_eq "$(marked the wing)" 'Wings|winged|wing|wings|'
	assert_eq "$(marked arger)" 'Ärger|'
	assert_eq "$(marked 'new york')" 'new|york|New|York|york|new|'
	assert_eq "$(marked '"new york"')" 'new york|New   York|'
	assert_eq "$(marked '"new york" minutes')" 'new york|minute|minute|New   York|'
	assert_eq "$(marked '"york')" 'york|York|york|'
	# Nothing but stop words.
	assert_eq "$(marked to be or not)" 'to|be|or|not|to|be|'
	run_sh "ai-search -i x.idx wing | jq -c '.hits[0] | has(\"highlights\"), has(\"explain\")'"
	assert_eq "$output" 'false
false'
}

@test "--highlight: a hit that only its vector found, a query without a text" {
	printf '%s\n' '{"id":"a","text":"alpha","embedding":[1,0],"embed":{"model":"m"}}' | ai-search add -i x.idx
	run_sh "echo '{\"query\":\"beta\",\"embedding\":[1,0]}' | ai-search -i x.idx --highlight --explain | jq -c '.hits[0] | [.highlights, .explain.sparse, .explain.dense.cosine]'"
	assert_eq "$output" '[[],null,1]'
	run_sh "echo '{\"embedding\":[1,0]}' | ai-search -i x.idx --highlight --explain | jq -c '.hits[0] | [.highlights, .explain.fusion.rule]'"
	assert_eq "$output" '[[],"dense"]'
}

@test "--explain: the parts add up to the score, by the formula" {
	texts -m local/hash
	for options in '--mode sparse' '--mode dense' '--fusion minmax' '--fusion rrf' '--fusion rrf --weight .3 --rrf-k 5'; do
		# shellcheck disable=SC2086
		ai-search -i x.idx -k 9 $options --explain 'wing wings minute york lift' >answer
		jq -e '.hits | length > 1' answer
		jq -e 'def near($a; $b): ($a - $b | fabs) < 0.00001;
			[.hits[] | .explain as $e | near($e.fusion.score; .score) and
			near($e.fusion.sparse + $e.fusion.dense; .score) and
			(if .sparse then near($e.sparse.score; .sparse.score) and
				near([$e.sparse.clauses[].score] | add; .sparse.score) and
				([$e.sparse.clauses[] | select(.tf > 0) | near(.score; .count * .idf * .tf * 2.2 / (.tf + 1.2 * (0.25 + 0.75 * $e.sparse.length / $e.sparse.average))) and
				near(.idf; 1 + ($e.sparse.documents - .df + 0.5) / (.df + 0.5) | log)] | all)
			else $e.sparse == null end) and
			(if .dense then near($e.dense.cosine; .dense.score) else $e.dense == null end)] | all' answer
	done
	run_sh "ai-search -i x.idx --mode sparse --explain wing | jq -c '.hits[0].explain.sparse.clauses'"
	assert_has "$output" '{"clause":"wing","count":1,"df":1,"idf":1.203973,"tf":4,'
}

@test "--explain -r: lines for people" {
	texts -m none
	run ai-search -i x.idx -r --explain wing lift
	assert_has "${lines[2]}" '   sparse 3.08'
	assert_has "${lines[2]}" '= wing '
	assert_has "${lines[2]}" '(4 here, in 1 of 4, idf 1.204)'
	assert_has "${lines[2]}" '+ lift '
	assert_has "${lines[3]}" ' sparse + 0.0000 dense'
}

@test "confidence: of each hit, of the best one, and no confident match" {
	texts -m local/hash
	run_sh "ai-search -i x.idx wings lift | jq -c '.search.confidence == .hits[0].confidence, .search.confident, .search.confidence > .9'"
	assert_eq "$output" 'true
true
true'
	run_sh "ai-search -i x.idx wing submarine battery | jq -c '.search.confident, (.search.confidence | . > 0 and . < .5)'"
	assert_eq "$output" 'false
true'
	run_sh "ai-search -i x.idx --mode sparse submarine | jq -c '.search | [.confident, .confidence]'"
	assert_eq "$output" '[false,0]'
	# Not even what asks for nothing is confident without a hit.
	run_sh "ai-search -i x.idx --mode sparse --min-confidence 0 submarine | jq -c .search.confident"
	assert_eq "$output" false
	run_sh "ai-search -i x.idx --min-confidence 0 wing submarine battery | jq -c .search.confident"
	assert_eq "$output" true
	run ai-search -i x.idx -r submarine battery
	assert_eq "${lines[0]}" 'no confident match'
}

@test "--explain: how many of the nearest the dense leg is known to find" {
	texts -m local/hash
	for mode in hybrid dense; do
		run_sh "echo '{\"query\":\"wing\"}' | ai-search -i x.idx --mode $mode --explain | jq -c .search.recall"
		assert_eq "$output" 1
	done
	run_sh "echo '{\"query\":\"wing\"}' | ai-search -i x.idx --mode sparse --explain | jq -c '.search | has(\"recall\")'"
	assert_eq "$output" false
	run_sh "echo '{\"query\":\"wing\"}' | ai-search -i x.idx | jq -c '.search | has(\"recall\")'"
	assert_eq "$output" false
}
