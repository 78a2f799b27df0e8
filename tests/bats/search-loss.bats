#!/usr/bin/env bats
# ai-search: files that are gone, readers while writers replace them, and what
# an index that makes its vectors itself does with those of others.
load helper
load damage

# passages FROM TO: records that share words, the same ones each time.
passages() {
	seq "$1" "$2" | awk '{
		s = $1
		t = ""
		for (i = 0; i < 24; i++) {
			s = (s * 16807 + i) % 2147483647
			t = t " word" (s % 97) "x" (s % 5 == 0 ? $1 % 9 : "")
		}
		printf "{\"id\":\"d%d\",\"text\":\"every%s\"}\n", $1, t
	}'
}

# broken FILE...: y.idx is x.idx without these files.
broken() {
	rm -rf y.idx
	cp -r x.idx y.idx
	local f
	for f; do
		rm y.idx/$f
	done
}

@test "a file that is gone: a query says so, export gives all that there is" {
	passages 1 400 | ai-search add -i x.idx
	ai-search export -i x.idx >all
	assert_eq "$(wc -l <all)" 400
	for f in 'words-*' 'rows-*' 'model-*'; do
		broken "$f"
		run --separate-stderr ai-search -i y.idx --mode hybrid every word5x
		assert_status 2
		assert_has "$output" "${f%-*}-"
		assert_has "$output" 'is not there; rebuild it from what can be read'
		run --separate-stderr ai-search verify -i y.idx
		assert_status 65
		# What it advises works.
		ai-search export -i y.idx | cmp - all
		ai-search export -i y.idx | ai-search add -i new.idx
		ai-search verify -i new.idx
		rm -r new.idx
	done
}

@test "vectors of a model: export says which are gone, and gives the others" {
	passages 1 40 | ai-search add -i x.idx -m local/hash
	broken 'words-*'
	ai-search export -i y.idx | cmp - <(ai-search export -i x.idx)
	broken 'rows-*'
	run_sh "ai-search export -i y.idx | jq -r 'has(\"error\")' | sort | uniq -c | tr -s ' '"
	assert_status 65
	assert_eq "$output" ' 40 true'
	run --separate-stderr ai-search -i y.idx --mode dense every
	assert_status 2
	assert_has "$output" 'is not there'
	# Cut in the middle of row 10: rows 1 to 9 are whole.
	broken
	truncate -s $((10 * 512 * 4 + 700)) y.idx/rows-*
	run_sh "ai-search export -i y.idx | jq -r 'has(\"error\")' | sort | uniq -c | tr -s ' '"
	assert_status 65
	assert_eq "$output" ' 9 false
 31 true'
	run --separate-stderr ai-search -i y.idx --mode dense every
	assert_status 2
	assert_has "$output" 'is too short'
}

@test "a model that is damaged: what it says names the index and the way out" {
	passages 1 400 | ai-search add -i x.idx
	broken

	for f in y.idx/model-*; do
		echo no model >"$f"
	done
	run --separate-stderr ai-search -i y.idx every
	assert_status 2
	assert_has "$output" "index 'y.idx' is damaged: model-"
	assert_has "$output" 'ai-search export -i OLD'
	ai-search export -i y.idx | cmp - <(ai-search export -i x.idx)
}

@test "a number of a document that none can have is found by verify" {
	passages 1 20 | ai-search add -i x.idx
	echo '{"id":"d3"}' | ai-search delete -i x.idx
	for n in 900000000 -900000000 21 0; do
		broken
		sqlite3 y.idx/index.db "UPDATE docs SET n=$n WHERE id='d7'"
		run --separate-stderr ai-search verify -i y.idx
		assert_status 65
		assert_has "$stderr" "document $n: no document can have this number"
	done
}

# Queries and checks as long as ./go is there; what fails is kept.
ask() {
	local n=0
	while [ -e go ]; do
		ai-search "$@" -i x.idx >"out.$BASHPID" 2>&1 || {
			cat "out.$BASHPID"
			return 1
		}
		n=$((n + 1))
	done
	echo "$n"
}

dense() {
	local n=0
	while [ -e go ]; do
		ai-search -i x.idx --mode dense -k 3 every word5x >dense.out 2>&1 &&
			jq -e '.hits | length == 3' dense.out >hits.out || {
			cat dense.out
			return 1
		}
		n=$((n + 1))
	done
	echo "$n"
}

@test "queries and verify while a model is fitted, files merged and compacted" {
	passages 1 320 | ai-search add -i x.idx
	: >go
	dense >a.log 3>&- &
	ask verify >b.log 3>&- &
	ask stats >c.log 3>&- &
	for round in 1 2 3 4 5; do
		passages $((round * 700)) $((round * 700 + 699)) |
			ai-search add -i x.idx --wait 60
		passages $((round * 700)) $((round * 700 + 599)) | jq -c '{id}' |
			ai-search delete -i x.idx --wait 60
		ai-search compact -i x.idx --wait 60
		passages $((round * 700)) $((round * 700 + 599)) |
			ai-search add -i x.idx --wait 60
	done
	rm go
	wait
	for f in a.log b.log c.log; do
		assert_eq "$(grep -cx '[1-9][0-9]*' $f)" 1 || {
			cat $f
			false
		}
	done
	ai-search verify -i x.idx
}

@test "an index that makes its vectors itself, or has none, takes no others" {
	passages 1 10 | ai-search add -i own.idx
	passages 1 10 | ai-search add -i none.idx -m none
	ai-search export -i own.idx >before
	for v in "$(jq -nc '[range(512) | 1]')" '[1,0,0]'; do
		for index in own.idx none.idx; do
			for name in '' ',"embed":{"model":"m"}'; do
				run_sh "echo '{\"text\":\"t\",\"embedding\":$v$name}' | ai-search add -q -i $index | jq -r .error.message"
				assert_has "$output" 'leave out ai-embed'
			done
			ai-search verify -i $index
		done
	done
	run_sh "ai-embed before | ai-search add -q -i own.idx | jq -r .error.message | sort -u"
	assert_eq "$output" "the index 'own.idx' makes its vectors itself, and this record has one of local/words: leave out ai-embed and the member 'embedding', or make another index"
	ai-search export -i own.idx | cmp - before
	# A new one, too, that is to be such an index.
	for m in local/own none; do
		echo '{"text":"t","embedding":[1,0,0]}' | ai-search add -q -i "n-${m#*/}" -m $m && false
		ai-search verify -i "n-${m#*/}"
		run_sh "echo '{\"text\":\"t\",\"embedding\":[1,0,0],\"embed\":{\"model\":\"$m\"}}' | ai-search add -q -i new.idx | jq -r .error.code"
		assert_eq "$output" invalid_record
	done
}

@test "texts that give no model: none is tried again until there are twice as many" {
	seq 400 | jq -c '{id:.,text:"only\(.) one\(. * 7)"}' | ai-search add -i x.idx
	assert_eq "$(ai-search stats -i x.idx | jq -c '[.dim,.vectors]')" '[512,400]'
	run ls x.idx
	refute_has "$output" model-
	rows=$(echo x.idx/rows-*)
	echo '{"id":"more","text":"wing"}' | ai-search add -i x.idx
	assert_eq "$(echo x.idx/rows-*)" "$rows"
	passages 1 500 | ai-search add -i x.idx
	refute_eq "$(echo x.idx/rows-*)" "$rows"
	assert_eq "$(ai-search stats -i x.idx | jq -c '[.dim,.vectors]')" '[192,500]'
	ai-search verify -i x.idx
}

@test "a word that the index's model does not know is told where it matters" {
	passages 1 400 | ai-search add -i x.idx
	echo '{"id":"rare","text":"A zeppelin."}' | ai-search add -i x.idx
	run --separate-stderr ai-search -i x.idx zeppelin
	assert_eq "$stderr" ''
	assert_eq "$(jq -r '.hits[0].id' <<<"$output")" rare
	run --separate-stderr ai-search -i x.idx --mode dense zeppelin
	assert_status 0
	assert_eq "$stderr" "ai-search: the index's model knows no word of the query, so its vector is zero and finds nothing"
}

@test "export --format npy has the vectors that an index made itself" {
	passages 1 30 | ai-search add -i x.idx
	echo '{"id":"none","text":"..."}' | ai-search add -i x.idx
	ai-search export -i x.idx --format npy >all.npy
	# What ai-embed makes of the same texts, and zeros.
	passages 1 30 | ai-embed | jq -r .embedding |
		while read -r v; do base64 -d <<<"$v"; done >want
	head -c $((512 * 4)) /dev/zero >>want
	tail -c +129 all.npy | cmp - want
	# Beside records they are left out: who adds those makes them anew.
	ai-search export -i x.idx --vectors v.npy >records
	ai-search add -i y.idx --vectors v.npy records
	ai-search verify -i y.idx
	ai-search export -i y.idx --format npy | cmp - all.npy
}

@test "a vector that is damaged: delete and compact say so and change nothing" {
	passages 1 40 | ai-search add -i x.idx -m local/hash
	echo '{"id":"d1"}' | ai-search delete -i x.idx
	broken
	# Components of row 5: not a number, too long, and not of length 1.
	for bytes in '\x00\x00\xc0\x7f' '\xff\xff\x7f\x7f' '\x00\x00\x80\x3f\x00\x00\x80\x3f'; do
		printf '%b' "$bytes" | dd of="$(echo y.idx/rows-*)" bs=1 seek=$((5 * 512 * 4 + 64)) conv=notrunc status=none
		run_sh "echo '{\"id\":\"d5\"}' | ai-search delete -i y.idx"
		assert_status 65
		assert_has "$stderr" 'row 5 is no vector of length 1; rebuild it'
		run --separate-stderr ai-search compact -i y.idx
		assert_status 65
		assert_has "$stderr" 'row 5 is no vector of length 1; rebuild it'
		run_sh "ai-search export -i y.idx | jq -r 'has(\"error\")' | sort | uniq -c | tr -s ' '"
		assert_eq "$output" ' 38 false
 1 true'
		run --separate-stderr ai-search verify -i y.idx
		assert_status 65
	done
}

@test "a folder whose name is no UTF-8: what is written of it is" {
	d=$'x\xff y\xc3\xa4\xc3'
	passages 1 3 | ai-search add -i "$d"
	ai-search stats -i "$d" >out
	ai-search verify -i "$d" >>out
	ai-search -i "$d" every >>out
	iconv -f UTF-8 -t UTF-8 out >/dev/null
	assert_eq "$(jq -r '.search.index // .index' out | sort -u)" $'x\xef\xbf\xbd y\xc3\xa4\xef\xbf\xbd'
}
