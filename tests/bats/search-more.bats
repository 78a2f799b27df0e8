#!/usr/bin/env bats
# ai-search: --smooth, --feedback and --phrase-bonus, by their formulas.
load helper

# BM25 of documents with their words, for weighed words; what it needs of those.
bm25='
def near($a; $b): ($a - $b | fabs) < 0.000002;
def bm25($docs; $weights): ($docs | length) as $n
	| ([$docs[].words | length] | add / $n) as $average
	| ($weights | with_entries(.key as $t | .value = {w: .value,
		df: [$docs[] | select(.words | index($t))] | length})) as $terms
	| [$docs[] | . as $d | {id, score: ([$terms | to_entries[] | .key as $t
		| ([$d.words[] | select(. == $t)] | length) as $tf | .value
		| .w * ((1 + ($n - .df + 0.5) / (.df + 0.5)) | log) * $tf * 2.2 /
			($tf + 1.2 * (0.25 + 0.75 * ($d.words | length) / $average))] | add)}
		| select(.score > 0)]
	| sort_by([-.score, .id]);
def same($hits; $wanted): ($hits | length) == ($wanted | length) and
	([$hits, $wanted] | transpose | all(.[0].id == .[1].id and near(.[0].score; .[1].score)));
'

# Fifteen documents around two directions; what is in the query's but alone.
crowd() {
	jq -nc 'range(15) | {id: "d\(10 + .)", text: "zebra\(" pad" * .)",
		embedding: (if . == 3 then [0.9, -0.9, 0.1]
			elif . < 8 then [1, 0.6 + . / 50, . / 9]
			else [1 - . / 30, 0.2, -0.3 - . / 20] end), embed: {model: "m"}}'
}

@test "--smooth: of 0.6 of a hit's own score and 0.4 of the ten nearest" {
	crowd >docs
	ai-search add -i x.idx docs
	echo '{"query":"zebra","embedding":[1,0,0]}' >query
	for options in '--mode sparse' '--mode dense' '--fusion minmax --weight .3' '--fusion rrf'; do
		# shellcheck disable=SC2086
		ai-search -i x.idx -k 99 $options query >plain
		# shellcheck disable=SC2086
		ai-search -i x.idx -k 99 $options --smooth --explain query >smooth
		jq -e --slurpfile docs docs --slurpfile smooth smooth "$bm25"'
			def dot($a; $b): [$a, $b] | transpose | map(.[0] * .[1]) | add;
			($docs | map({(.id): .embedding}) | add) as $v
			| def cosine($a; $b): dot($v[$a]; $v[$b]) /
				(dot($v[$a]; $v[$a]) * dot($v[$b]; $v[$b]) | sqrt);
			.hits as $h | $h[-1].score as $low | ($h[0].score - $low) as $range
			| [$h[] | . as $d | ([$h[] | select(.id != $d.id)
				| {c: cosine(.id; $d.id), z: ((.score - $low) / $range)}
				| select(.c > 0)] | sort_by(-.c)[:10]) as $near
				| (.score - $low) / $range as $z
				| {id, score: ($low + $range * (0.6 * $z + 0.4 *
					(if $near == [] then $z else ([$near[] | .c * .z] | add) / ([$near[].c] | add) end)))}]
			| sort_by([-.score, .id]) as $wanted
			| same($smooth[0].hits; $wanted) and
			([$smooth[0].hits[].id] != [$h[].id]) and
			([$smooth[0].hits[] | .explain.fusion | near(.sparse + .dense + .smoothed; .score)] | all)' plain
	done
}

@test "--smooth: without vectors, alone, with nothing found" {
	printf '%s\n' '{"id":"a","text":"zebra zebra apple"}' '{"id":"b","text":"zebra lion in the savanna of grass"}' \
		'{"id":"c","text":"zebra lion in the savanna of grass now"}' | ai-search add -i x.idx -m none
	run_sh "ai-search -i x.idx --smooth -k 9 zebra | jq -c '[.hits[].id]'"
	assert_eq "$output" '["a","b","c"]'
	run_sh "ai-search -i x.idx --smooth apple | jq -c '.hits[0] | .id, .score' ; ai-search -i x.idx apple | jq .hits[0].score"
	assert_eq "$(sed -n 2p <<<"$output")" "$(sed -n 3p <<<"$output")"
	run_sh "ai-search -i x.idx --smooth nothing | jq -c .hits"
	assert_eq "$output" '[]'
	run ai-search stats -i x.idx --smooth
	assert_status 64
}

# 160 documents of words of which some go together.
topics() {
	jq -nc 'range(160) | . as $i | {id: "d\(100 + .)", text: (
		[if $i % 32 == 0 then "zork", "blip", "kwim" elif $i % 32 == 1 then "blip", "kwim", "blip"
			elif $i % 32 == 2 then "zork" else "hund" end,
		(range($i * 7 % 5 + 5) | "w\(. * 31 + $i * 17 | . % 97)"), "hund", "\(1900 + $i % 32)"] | join(" "))}'
}

@test "--feedback: Bo1 over the best five, twenty terms, and again" {
	topics >docs
	ai-search add -i x.idx -m none docs
	for query in zork 'zork zork w3' 'kwim w5 w7'; do
		ai-search -i x.idx -k 99 "$query" >plain
		ai-search -i x.idx -k 99 --feedback --explain "$query" >fed
		jq -s -e --arg query "$query" --slurpfile plain plain --slurpfile fed fed "$bm25"'
			map(.words = (.text | split(" "))) as $docs
			| ($query | split(" ") | reduce .[] as $t ({}; .[$t] += 1)) as $q
			| ([$q[]] | add) as $length
			| bm25($docs; $q) as $first
			| ([$first[:5][].id] as $ids | [$docs[] | select(.id | IN($ids[])) | .words[]
				| select(test("^[0-9]+$") | not)]
				| group_by(.) | map({t: .[0], tf: length})
				| map(.t as $t | .f = ([$docs[] | select(.words | index($t))] | length) / ($docs | length)
					| select(.f <= 0.1)
					| .w = .tf * ((1 + .f) / .f | log2) + (1 + .f | log2)
					| .w = (.w * 1048576 | round) / 1048576)
				| sort_by([-.w, .t])) as $all_terms | $all_terms[:20] as $terms
			| ([$terms[].w] | add) as $all
			| (reduce $terms[] as $t ($q | map_values(. * 0.7 * 1024 | round);
				.[$t.t] += (0.3 * $length * $t.w / $all * 1024 | round))
				| map_values(. / 1024)) as $weights
			| same($plain[0].hits; $first) and
			same($fed[0].hits; bm25($docs; $weights)) and
			([$fed[0].hits[].id] != [$first[].id]) and
			([$fed[0].hits[] | ([.explain.sparse.clauses[].score] | add) - .sparse.score | fabs < 0.00003] | all) and
			($query != "zork" or ($all_terms | length > 20))' docs
	done
	# What was not asked for is no reason to be sure, nor marked: covered 0.
	run_sh "ai-search -i x.idx -k 99 --feedback --highlight --explain zork | jq -c '.hits[] | select(.text | contains(\"zork\") | not) | [.explain.sparse.covered, .highlights]' | sort -u"
	assert_eq "$output" '[0,[]]'
}

@test "--feedback: with nothing to learn from it changes nothing" {
	topics | ai-search add -i x.idx -m none
	for query in nothing hund '+zork -blip -kwim -zork' 'id:d100'; do
		ai-search -i x.idx "$query" >plain || true
		ai-search -i x.idx --feedback "$query" >fed || true
		jq -e --slurpfile fed fed '[.hits[].id] == [$fed[0].hits[].id]' plain || [ "$query" = hund ]
	done
	# Words that must be there, or must not, still do.
	run_sh "ai-search -i x.idx -k 99 --feedback '+zork -kwim' | jq -c '[.hits[].text | contains(\"zork\"), contains(\"kwim\")] | unique'"
	assert_eq "$output" '[false,true]'
	run_sh "ai-search -i x.idx -k 99 --feedback '+zork -kwim' | jq -c '.hits | length'"
	assert_eq "$output" 5
}

@test "--phrase-bonus: words side by side as in the query" {
	printf '%s\n' '{"id":"a","text":"fox red tail"}' '{"id":"b","text":"red fox tail"}' \
		'{"id":"c","text":"tail and red or fox"}' | ai-search add -i x.idx -m none
	run_sh "ai-search -i x.idx red fox | jq -c '[.hits[].id]'"
	assert_eq "$output" '["a","b","c"]'
	run_sh "ai-search -i x.idx --phrase-bonus .5 red fox | jq -c '[.hits[].id]'"
	assert_eq "$output" '["b","a","c"]'
	# One of three has it, 3 words of 11 / 3.
	run_sh "ai-search -i x.idx --phrase-bonus .5 --explain red fox | jq -c '[.hits[0], .hits[1]] | map(.score) as [\$b, \$a]
		| \$b - \$a - .5 * (1 + 2.5 / 1.5 | log) * 2.2 / (1 + 1.2 * (.25 + .75 * 3 / (11 / 3))) | fabs < 0.000002'"
	assert_eq "$output" true
	run_sh "ai-search -i x.idx --phrase-bonus .5 --explain red fox | jq -c '.hits[0].explain.sparse | [.clauses[].clause], .clauses[2].weight, ([.clauses[].score] | add) - .score < 0.00001'"
	assert_eq "$output" '["red","fox","\"red fox\""]
0.5
true'
	# A stop word stands between them; what is not wanted is no neighbour.
	for query in 'red and fox' 'red' 'fox -tail'; do
		assert_eq "$(ai-search -i x.idx --phrase-bonus 5 "$query" | jq -c '.hits | map([.id, .score])')" \
			"$(ai-search -i x.idx "$query" | jq -c '.hits | map([.id, .score])')"
	done
	for bad in -1 11 x; do
		run ai-search -i x.idx --phrase-bonus "$bad" red
		assert_status 64
	done
}

@test "-j: an index of its own vectors is the same, whatever the threads" {
	local f
	for i in $(seq 1500); do
		printf '{"id":"%s","text":"%s"}\n' "$i" \
			"the $((i * 7 % 91)) word$((i % 83)) stands near term$((i % 57)) and term$((i * i % 47))"
	done >records
	for j in 1 2 5; do
		head -n 700 records | ai-search add -i "$j.idx" -j "$j"
		tail -n +701 records | ai-search add -i "$j.idx" -j "$j"
		# Some go that were there, some of them that came just now.
		{ sed -n '1,200s/near/by/p' records
			sed -n '150,300s/near/at/p' records; } |
			ai-search add -i "$j.idx" -j "$j"
		ai-search verify -i "$j.idx" >/dev/null
	done
	for f in 1.idx/*.f32 1.idx/*.emb 1.idx/*.idx; do
		cmp "$f" "2.idx/${f#*/}"
		cmp "$f" "5.idx/${f#*/}"
	done
}
