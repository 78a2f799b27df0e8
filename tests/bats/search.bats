#!/usr/bin/env bats
# ai-search: what goes in, what is found, what is refused.
load helper
load damage

teardown() {
	[ -z "${open-}" ] || {
		chmod -R u+w "$open"
		rm -r "$open"
	}
}

# Three records in x.idx with local vectors.
# shellcheck disable=SC2120 # run passes the option
three() {
	printf '%s\n' \
		'{"id":"wing","text":"The lift of a wing in a slipstream.","lang":"en","meta":{"tags":["air","old"],"n":1}}' \
		'{"id":"heat","text":"Heat transfer in boundary layers.","lang":"en"}' \
		'{"id":"tube","text":"Elektronenröhren und Wellen","lang":"de"}' |
		ai-search add -i x.idx -m local/hash "$@"
}

# chunks URI DOC TEXT...: records as ai-chunk makes them.
chunks() {
	local uri=$1 doc=$2 n=0 of=$(($# - 2)) text
	shift 2
	for text; do
		jq -nc --arg u "$uri" --arg d "$doc" --arg t "$text" \
			--argjson n $n --argjson of $of \
			'{text:$t,chunk:{doc:$d,n:$n,of:$of,by:"markdown"},
			source:{uri:$u,bytes:[0,9],lines:[1,2],heading:["A","B"],page:null}}'
		n=$((n + 1))
	done
}

ids() {
	jq -r '[.hits[].id] | join(" ")'
}

stat_of() {
	ai-search stats -i "$1" | jq -c ".$2"
}

# ---- adding ----------------------------------------------------------------

@test "add is silent, --ack writes the ids" {
	run three
	assert_status 0
	assert_eq "$output" ''
	run three --ack
	assert_status 0
	assert_eq "$output" '{"id":"wing"}
{"id":"heat"}
{"id":"tube"}'
}

@test "without an id a record gets one, with its source another" {
	run_sh "printf '%s\n' '{\"text\":\"same\"}' '{\"text\":\"same\",\"source\":{\"uri\":\"a\"}}' \
		'{\"text\":\"same\",\"source\":{\"uri\":\"b\"}}' '{\"custom_id\":\"c\",\"text\":\"same\"}' '{\"id\":7,\"text\":\"same\"}' |
		ai-search add -i x.idx --ack | jq -r .id | sort -u | grep -c ."
	assert_eq "$output" 5
	assert_eq "$(stat_of x.idx documents)" 5
	run_sh "ai-search -i x.idx -k 9 same | jq -c '[.hits[].id | select(length == 32)] | length'"
	assert_eq "$output" 3
}

@test "adding the same again changes nothing, something else replaces it" {
	three
	ai-search export -i x.idx >before
	cp x.idx/index.db before.db
	three
	ai-search export -i x.idx | cmp - before
	cmp x.idx/index.db before.db
	echo '{"id":"wing","text":"A propeller."}' | ai-search add -i x.idx
	assert_eq "$(stat_of x.idx documents)" 3
	run_sh "ai-search -i x.idx --mode sparse slipstream | jq -c .hits"
	assert_eq "$output" '[]'
	run_sh "ai-search -i x.idx --mode sparse propeller | jq -c '.hits[0].id'"
	assert_eq "$output" '"wing"'
	ai-search verify -i x.idx
}

@test "a changed file replaces its old chunks, and only those" {
	chunks a.md d1 'alpha one' 'alpha two' 'alpha three' >a1
	chunks b.md d2 'beta one' 'beta two' >b
	cat a1 b | ai-search add -i x.idx
	assert_eq "$(stat_of x.idx documents)" 5
	chunks a.md d3 'alpha one' 'gamma' | ai-search add -i x.idx
	assert_eq "$(stat_of x.idx documents)" 4
	run_sh "ai-search export -i x.idx | jq -r '.source.uri + \" \" + .chunk.doc + \" \" + .text' | sort"
	assert_eq "$output" 'a.md d3 alpha one
a.md d3 gamma
b.md d2 beta one
b.md d2 beta two'
	ai-search verify -i x.idx
}

# texts: those of x.idx, in their order.
texts() {
	ai-search export -i x.idx | jq -r .text | sort | paste -sd,
}

@test "passages that did not come: the old ones stay, the file is named, 65" {
	chunks a.md d1 old1 old2 old3 | ai-search add -i x.idx
	chunks a.md d2 new1 new2 new3 new4 >new
	chunks b.md d1 other >>new
	# The end is missing, the middle, the beginning.
	for lost in 3,4 2 1,3; do
		run --separate-stderr ai-search add -i x.idx <<<"$(sed "${lost}d" new)"
		assert_status 65
		assert_eq "$output" ''
		assert_has "$stderr" "'a.md': "
		assert_has "$stderr" 'of its 4 passages did not come: its old ones stay'
		refute_has "$stderr" b.md
		assert_has "$(texts)" 'old1,old2,old3,other'
		ai-search delete -i x.idx <<<"$(ai-search export -i x.idx | grep new)"
	done
	# -q is quiet, and no success all the same.
	run --separate-stderr ai-search add -q -i x.idx <<<"$(head -n 2 new)"
	assert_status 65
	assert_eq "$stderr" ''
	# An error record is told by 2; its passage did not come either.
	run --separate-stderr ai-search add -i x.idx <<<"$(sed '2s/"text"/"txet"/' new)"
	assert_status 2
	assert_has "$stderr" "'a.md': 1 of its 4 passages did not come"
	assert_has "$(texts)" 'old1,old2,old3'
	# The whole file, in any order, each passage twice.
	run ai-search add -i x.idx <<<"$(cat new new | sort)"
	assert_status 0
	assert_eq "$(texts)" new1,new2,new3,new4,other
	ai-search verify -i x.idx
}

@test "a program that dies in the pipe takes no passages away" {
	seq 5000 >g.txt
	ai-chunk g.txt | ai-search add -i x.idx
	ai-search export -i x.idx | jq -r .text | sort >before
	echo y >>g.txt
	run_sh "ai-chunk g.txt | head -n 3 | ai-search add -i x.idx"
	assert_status 65
	assert_has "$stderr" "'g.txt'"
	ai-search export -i x.idx | jq -r .text | sort | cmp - before
	run ai-search verify -i x.idx
	assert_status 0
	# In two runs it is whole too.
	run_sh "ai-chunk g.txt | tail -n +4 | ai-search add -i x.idx"
	assert_status 0
	assert_eq "$(ai-search export -i x.idx | jq -r .chunk.doc | uniq)" \
		"$(b2sum -l 128 g.txt | cut -d' ' -f1)"
	# A file that the index never had is no less than it was.
	run_sh "seq 5000 >h.txt; ai-chunk h.txt | head -n 3 | ai-search add -i x.idx"
	assert_status 0
	# Nor is one that has not changed.
	run_sh "ai-chunk g.txt | head -n 3 | ai-search add -i x.idx"
	assert_status 0
}

@test "--partial: what comes of a file is all there is" {
	chunks a.md d1 keep drop keep2 >a1
	ai-search add -i x.idx a1
	chunks a.md d2 kept drop kept2 | grep -v drop | ai-search add -i x.idx --partial
	assert_eq "$(texts)" kept,kept2
	ai-search add -i x.idx a1
	# The file is the same, what is dropped of it is not.
	for drop in drop keep2 nothing; do
		grep -v "$drop" a1 | jq -c '.chunk.cut = "c"' | ai-search add -i x.idx --partial
		assert_eq "$(texts)" "$(grep -v "$drop" a1 | jq -r .text | sort | paste -sd,)"
	done
	ai-search add -i x.idx a1
	assert_eq "$(texts)" drop,keep,keep2
	run ai-search export -i x.idx --partial
	assert_status 64
	ai-search verify -i x.idx
}

@test "a file of an unknown number of passages keeps its old ones" {
	strip() { jq -c 'del(.chunk.of, .chunk.n)'; }
	chunks a.md d1 one two | strip | ai-search add -i x.idx
	chunks a.md d2 three | strip >new
	run --separate-stderr ai-search add -i x.idx new
	assert_status 65
	assert_has "$stderr" "'a.md' does not say how many passages it has"
	assert_eq "$(texts)" one,three,two
	ai-search add -i x.idx --partial new
	assert_eq "$(texts)" three
}

@test "more files at once than would be remembered: all are replaced" {
	for version in 1 2; do
		for n in 0 1; do
			for i in $(seq 3000); do
				echo "{\"text\":\"v$version $n $i\",\"source\":{\"uri\":\"$i\"},\"chunk\":{\"doc\":\"d$version\",\"n\":$n,\"of\":2,\"by\":\"x\",\"cut\":\"y\"}}"
			done
		done | ai-search add -i x.idx
	done
	assert_eq "$(ai-search export -i x.idx | jq -r .chunk.doc | uniq -c | tr -s ' ')" ' 6000 d2'
	# And named, but not all of them.
	for i in $(seq 30); do
		echo "{\"text\":\"v3\",\"source\":{\"uri\":\"$i\"},\"chunk\":{\"doc\":\"d3\",\"n\":0,\"of\":2}}"
	done >part
	run --separate-stderr ai-search add -i x.idx part
	assert_status 65
	assert_eq "${#stderr_lines[@]}" 11
	assert_has "$stderr" '20 more files are incomplete too'
}

@test "a file cut otherwise replaces its chunks too" {
	chunks a.md d1 one two three | ai-search add -i x.idx
	chunks a.md d1 'one two' three | ai-search add -i x.idx
	run_sh "ai-search export -i x.idx | jq -r .text | sort | paste -sd,"
	assert_eq "$output" 'one two,three'
	chunks a.md d1 'one two' three | jq -c '.chunk.by = "fixed" | .id = "f" + (.chunk.n | tostring)' |
		ai-search add -i x.idx
	run_sh "ai-search export -i x.idx | jq -r .id | sort | paste -sd,"
	assert_eq "$output" f0,f1
}

@test "a file cut otherwise into as many: its old passages go" {
	seq -s " " 1 1150 >s.txt
	ai-chunk s.txt | ai-search add -i x.idx
	before=$(stat_of x.idx documents)
	for how in '--size 950 --overlap 200' '--size 990 --overlap 100' '--by fixed' \
		'--unit tokens --size 900'; do
		# shellcheck disable=SC2086 # several words
		ai-chunk $how s.txt >recut
		ai-search add -i x.idx recut
		assert_eq "$how: $(texts)" "$how: $(jq -r .text recut | sort | paste -sd,)"
	done
	ai-chunk --size 950 s.txt >recut
	assert_eq "$(wc -l <recut)" "$before"
	ai-chunk s.txt | ai-search add -i x.idx
	ai-search add -i x.idx recut
	assert_eq "$(stat_of x.idx documents)" "$before"
	# Cut short it takes nothing away.
	run_sh "ai-chunk s.txt | head -n 2 | ai-search add -i x.idx"
	assert_status 65
	assert_eq "$(stat_of x.idx documents)" $((before + 2))
	ai-search add -i x.idx recut
	assert_eq "$(stat_of x.idx documents)" "$before"
	ai-search verify -i x.idx
	# Options that cut alike make the same passages: nothing to do.
	echo short >t.txt
	ai-chunk t.txt | ai-search add -i x.idx
	cp x.idx/index.db before.db
	ai-chunk --size 500 t.txt | ai-search add -i x.idx
	cmp x.idx/index.db before.db
}

@test "another chunker's file cut otherwise into as many: the old ones go" {
	chunks a.md d1 'one' 'two three' 'four' | ai-search add -i x.idx
	chunks a.md d1 'one two' 'three' 'four' >recut
	run ai-search add -i x.idx <<<"$(head -n 2 recut)"
	assert_status 65
	assert_eq "$(texts)" 'four,one,one two,three,two three'
	ai-search add -i x.idx recut
	assert_eq "$(texts)" 'four,one two,three'
	# The same in one input: the later stays, as far as it can be told.
	chunks a.md d1 'one' 'two three' 'four' | jq -c '.chunk.cut = "1"' >one
	jq -c '.chunk.cut = "2"' recut >two
	cat one two | ai-search add -i x.idx
	assert_eq "$(texts)" 'four,one two,three'
	ai-search verify -i x.idx
}

@test "files mixed with each other replace their chunks too" {
	{ chunks a d1 a1 a2 a3; chunks b d1 b1 b2 b3; } | ai-search add -i x.idx
	{ chunks a d2 A1 A2; chunks b d2 B1 B2; } | sort -R --random-source=/dev/zero |
		ai-search add -i x.idx
	run_sh "ai-search export -i x.idx | jq -r .text | sort | paste -sd,"
	assert_eq "$output" A1,A2,B1,B2
}

@test "what cannot be added comes out as an error; the rest is added" {
	run_sh "printf '%s\n' '{\"text\":\"one\"}' '{\"no\":1}' 'junk' '{\"text\":2}' '[1]' '{\"text\":\"two\",\"embedding\":[]}' \
		'{\"text\":\"three\"}' '{\"text\":\"x\",\"error\":{\"tool\":\"ai-chunk\",\"code\":\"io\",\"message\":\"m\"}}' | ai-search add -i x.idx"
	assert_status 2
	run_sh "jq -r .error.code <<<'$output' | paste -sd' '"
	assert_eq "$output" 'invalid_record invalid_json invalid_record invalid_json invalid_record io'
	assert_eq "$(stat_of x.idx documents)" 2
}

@test "an empty text, a text of blanks, NUL characters" {
	printf '%s\n' '{"id":"e","text":""}' '{"id":"b","text":"  "}' \
		'{"id":"n","text":"nul\u0000byte zanzibar"}' |
		ai-search add -i x.idx -m local/hash
	ai-search verify -i x.idx
	run_sh "ai-search -i x.idx zanzibar | jq -c '.hits[0].text'"
	assert_eq "$output" '"nul\u0000byte zanzibar"'
	run_sh "ai-search export -i x.idx | ai-search add -i y.idx; ai-search verify -i y.idx | jq -c .documents"
	assert_eq "$output" 3
}

@test "a long line is refused, a long text within the limit is not" {
	run_sh "printf '{\"text\":\"%0200d\"}\n' 1 | ai-search add -i x.idx --max-line 100 | jq -r .error.code"
	assert_eq "$output" too_long
	{ printf '{"id":"big","text":"'; seq -s ' ' 400000; } | tr -d '\n' >big
	echo ' needle"}' >>big
	ai-search add -i x.idx -m local/hash big
	run_sh "ai-search -i x.idx needle | jq -r '.hits[0].id'"
	assert_eq "$output" big
	ai-search verify -i x.idx
}

@test "-p names the payload, everything else becomes metadata" {
	echo '{"id":"a","body":"the needle","lang":"en","meta":{"x":{"y":[1,2.50,true]}},"tokens":{"count":3}}' |
		ai-search add -i x.idx -p body
	run ai-search -i x.idx needle
	assert_has "$output" '"meta":{"x":{"y":[1,2.50,true]},"lang":"en"}}'
	assert_has "$output" '"text":"the needle"'
}

@test "ids keep their kind: 5 and \"5\" are two" {
	printf '%s\n' '{"id":5,"text":"wing five"}' '{"id":"5","text":"wing cinq"}' \
		'{"custom_id":18446744073709551616,"text":"wing big"}' >in
	run_sh "ai-search add -i x.idx --ack in"
	assert_eq "$output" '{"id":5}
{"id":"5"}
{"id":18446744073709551616}'
	run_sh "ai-search export -i x.idx | sed 's/,.*//'"
	assert_eq "$output" '{"id":5
{"id":"5"
{"id":18446744073709551616'
	run_sh "ai-search -i x.idx cinq | jq -c '.hits[0].id'"
	assert_eq "$output" '"5"'
	run_sh "ai-search -i x.idx five | jq -c '.hits[0].id'"
	assert_eq "$output" 5
	# The same in another order, and from an export.
	tac in | ai-search add -i y.idx
	ai-search export -i x.idx | ai-search add -i z.idx
	for i in y z; do
		assert_eq "$(ai-search -i $i.idx wing | jq -c '[.hits[].id]')" \
			"$(ai-search -i x.idx wing | jq -c '[.hits[].id]')"
	done
	ai-search add -i x.idx in
	assert_eq "$(stat_of x.idx documents)" 3
	run_sh "echo '{\"id\":5}' | ai-search delete -i x.idx --ack"
	assert_eq "$output" '{"id":5}'
	run_sh "ai-search export -i x.idx | jq -r .text"
	assert_eq "$output" 'wing cinq
wing big'
	ai-search verify -i x.idx
	# What is no id is none.
	run_sh "printf '%s\n' '{\"id\":null}' '{\"id\":[5]}' | ai-search delete -i x.idx | jq -r .error.message"
	assert_eq "$output" "the record has no 'id'
the record has no 'id'"
	for uri in a b; do
		echo '{"id":null,"text":"same","source":{"uri":"'$uri'"}}'
	done | ai-search add -i n.idx
	assert_eq "$(stat_of n.idx documents)" 2
}

@test "an embedding of zeros is an error; local/hash makes some of no words" {
	run_sh "printf '%s\n' '{\"text\":\"a\",\"embedding\":[0,0]}' \
		'{\"text\":\"b\",\"embedding\":[0,-0.0],\"embed\":{\"model\":\"other/m\"}}' \
		'{\"text\":\"c\",\"embedding\":[0,1],\"embed\":{\"model\":\"other/m\"}}' |
		ai-search add -i o.idx | jq -r '[.text, .error.code, .error.message] | @tsv'"
	assert_status 2
	why='the embedding is all zeros; no cosine can be taken of it'
	assert_eq "$output" "a	invalid_record	$why
b	invalid_record	$why"
	run_sh "echo '{\"query\":\"c\",\"embedding\":\"AAAAAAAAAAA=\"}' | ai-search -i o.idx | jq -r .error.message"
	assert_status 2
	assert_eq "$output" "$why"
	three
	echo '{"id":"none","text":"..."}' | ai-search add -i x.idx
	assert_eq "$(stat_of x.idx vectors)" 3
	ai-search export -i x.idx | ai-search add -i y.idx
	assert_eq "$(stat_of y.idx vectors)" 3
	run --separate-stderr ai-search -i x.idx --mode dense -r '???'
	assert_status 0
	assert_eq "$stderr" 'ai-search: the query has no word, so its vector is zero and finds nothing'
	run_sh "printf 'wing\n...\n' | ai-search -R -i x.idx | jq -c '.hits | length > 0'"
	assert_eq "$output" 'true
false'
	assert_eq "$stderr" 'ai-search: line 2: the query has no word, so its vector is zero and finds nothing'
}

@test "a file that became empty takes its passages away" {
	printf '# A\n\nalpha one\n\n# B\n\nalpha two\n' >a.md
	echo 'beta' >b.txt
	into() { ai-chunk "$@" | ai-embed -m local/hash | ai-tokens | ai-search add -i x.idx --ack; }
	run into a.md b.txt
	assert_status 0
	assert_eq "${#lines[@]}" 3
	: >a.md
	run into a.md b.txt
	assert_status 0
	assert_eq "${#lines[@]}" 2
	run_sh "ai-search export -i x.idx | jq -r .text"
	assert_eq "$output" beta
	assert_eq "$(stat_of x.idx documents)" 1
	# Again, and for an index that never saw it: nothing to do.
	into a.md b.txt
	ai-chunk a.md | ai-search add -i new.idx
	assert_eq "$(stat_of new.idx documents)" 0
	# Blanks are empty too; a model that needs a vector asks none of it.
	printf '{"text":"x","embed":{"model":"other/m"},"embedding":[1,0],%s}\n' \
		'"source":{"uri":"c.txt"},"chunk":{"doc":"d","n":0,"of":1}' |
		ai-search add -i o.idx
	printf ' \n\t\n' >c.txt
	run_sh "ai-chunk c.txt | ai-search add -i o.idx"
	assert_status 0
	assert_eq "$output" ''
	assert_eq "$(stat_of o.idx documents)" 0
	# Full again.
	echo gamma >a.md
	into a.md b.txt
	assert_eq "$(ai-search export -i x.idx | jq -r .text | sort | paste -sd,)" beta,gamma
	ai-search verify -i x.idx
}

@test "of several versions of a file in one batch the last stays" {
	chunks a d1 'one a' 'one b' >v1
	chunks a d2 'two a' 'two b' >v2
	chunks a d3 'three a' >v3
	echo '{"text":"","source":{"uri":"a"},"chunk":{"doc":"d0","n":0,"of":0}}' >v0
	for versions in 'v1 v2 v3' 'v3 v2 v1' 'v2 v0 v1' 'v0 v3 v2' 'v3 v0' 'v2 v1 v0'; do
		ai-search add -i x.idx v1
		# shellcheck disable=SC2086 # several files
		cat $versions | ai-search add -i x.idx
		assert_eq "$versions: $(ai-search export -i x.idx | jq -r .text)" \
			"$versions: $(jq -r 'select(.text != "").text' "${versions##* }")"
		ai-search verify -i x.idx
	done
}

# ---- searching -------------------------------------------------------------

@test "a hit has its scores, ranks, provenance and metadata" {
	chunks a.md d1 'the slipstream of a propeller' 'other words' |
		jq -c '.meta = {"k": "v"}' | ai-search add -i x.idx -m local/hash
	run_sh "ai-search -i x.idx slipstreams | jq -c '.hits[0] | [keys_unsorted, .rank, .source.uri, .source.heading, .meta.k, .dense.rank, .sparse.rank, .confidence > .5]'"
	assert_eq "$output" '[["rank","id","text","score","confidence","dense","sparse","source","meta"],1,"a.md",["A","B"],"v",1,1,true]'
	run_sh "ai-search -i x.idx slipstreams | jq -c '[keys_unsorted, .query, (.search | .confidence |= round)]'"
	assert_eq "$output" '[["query","search","hits"],"slipstreams",{"mode":"hybrid","fusion":"minmax","confident":true,"confidence":1,"index":"x.idx"}]'
}

@test "queries come from records, their other bytes untouched" {
	three
	printf '%s\n' '{"a": 1.0,  "query":"wing"}' '{"prompt":"heat"}' '{"text":"wellen"}' \
		'{"q":{"x":"wing"}}' >q
	run_sh "ai-search -i x.idx q.missing 2>&1 | head -c 0; ai-search -i x.idx <q | cut -c1-27 | head -n1"
	assert_eq "$output" '{"a": 1.0,  "query":"wing",'
	run_sh "ai-search -i x.idx <q | jq -r '.hits[0].id // .error.code' | paste -sd' '"
	assert_eq "$output" 'wing heat tube invalid_record'
	run_sh "tail -n1 q | ai-search -i x.idx -p q.x --as found | jq -r '.found[0].id'"
	assert_eq "$output" wing
	run_sh "printf 'wing\nheat\n' | ai-search -i x.idx -R -j 3 | jq -r '.query + \" \" + .hits[0].id' | paste -sd,"
	assert_eq "$output" 'wing wing,heat heat'
}

@test "the verb query searches for words that are verbs" {
	echo '{"id":"v","text":"how to add and delete"}' | ai-search add -i x.idx
	run_sh "ai-search query -i x.idx delete | jq -r '.hits[0].id'"
	assert_eq "$output" v
}

@test "a mistyped verb is no query" {
	three
	echo '{"text":"x"}' >new
	while read -r word verb rest; do
		# shellcheck disable=SC2086 # several words
		run ai-search "$word" -i x.idx $rest </dev/null
		assert_status 64
		assert_eq "$output" "ai-search: '$word' is no verb; did you mean '$verb'? (to search for it: ai-search query $word)"
	done <<'END'
stat stats
ad add
ad add new
dad add -
Stats stats
delte delete --where a=b
expotr export
verfy verify
quary query
END
	# Words that are to be found are found.
	for q in 'query stat' 'wing' 'stat of a wing' 'how' 'exports of wings'; do
		# shellcheck disable=SC2086 # several words
		run ai-search $q -i x.idx
		assert_status 0
	done
	run ai-search -i x.idx stat
	assert_status 0
	run ai-search -i x.idx -- stat
	assert_status 0
}

@test "an option that a verb would pass over is refused" {
	three
	run ai-search -k 1 add -i x.idx </dev/null
	assert_status 64
	assert_eq "$output" "ai-search: --hits is no option of 'add'; to search for the word: ai-search query add ..."
	run ai-search query -k 1 -i x.idx add
	assert_status 0
	for args in 'stats --where lang=en' 'verify --mode dense' 'export --ack' \
		'add --where lang=en' 'delete -m x' '--ack wing' 'query -m x wing'; do
		# shellcheck disable=SC2086 # several words
		run ai-search -i x.idx $args </dev/null
		assert_status 64
		assert_has "$output" 'is no option of'
	done
	# Set for good it is none of theirs.
	AI_CONFIG=c.json
	export AI_CONFIG
	echo '{"search":{"k":2,"mode":"sparse"}}' >c.json
	run ai-search stats -i x.idx
	assert_status 0
}

@test "modes" {
	three
	for mode in hybrid dense sparse; do
		run_sh "ai-search -i x.idx --mode $mode slipstream wing | jq -c '[.search.mode, .hits[0].id, .hits[0].dense != null, .hits[0].sparse != null]'"
		case $mode in
		hybrid) assert_eq "$output" '["hybrid","wing",true,true]' ;;
		dense) assert_eq "$output" '["dense","wing",true,false]' ;;
		sparse) assert_eq "$output" '["sparse","wing",false,true]' ;;
		esac
	done
	# Without vectors hybrid is sparse; dense is refused.
	echo '{"text":"bare words"}' | ai-search add -i bare.idx -m none
	run_sh "ai-search -i bare.idx words | jq -r .search.mode"
	assert_eq "$output" sparse
	run ai-search -i bare.idx --mode dense -r words
	assert_status 2
	assert_has "$output" 'has no vectors'
}

@test "fusion: the index's own rule, and the other" {
	three
	run_sh "ai-search -i x.idx wing | jq -c '[.search.fusion, (.hits[0] | .score - .8 - .2 * .dense.score | fabs < 1e-5)]'"
	assert_eq "$output" '["minmax",true]'
	run_sh "ai-search -i x.idx --fusion rrf wing | jq -c '[.search.fusion, .hits[0].score]'"
	assert_eq "$output" '["rrf",0.032787]'
	printf '%s\n' '{"id":"a","text":"a","embed":{"model":"other/m"},"embedding":[1,0]}' |
		ai-search add -i o.idx
	assert_eq "$(stat_of o.idx fusion)" '{"rule":"rrf","sparse":1,"dense":1}'
	assert_eq "$(stat_of x.idx fusion)" '{"rule":"minmax","sparse":0.8,"dense":0.2}'
}

@test "-k, and equal scores in the order of ids" {
	for i in 5 3 9 1 7; do
		echo "{\"id\":\"t$i\",\"text\":\"same words here\"}"
	done | ai-search add -i x.idx -m local/hash
	run_sh "ai-search -i x.idx -k 3 words | jq -r '[.hits[].id] | join(\" \")'"
	assert_eq "$output" 't1 t3 t5'
	run_sh "ai-search -i x.idx words | jq '.hits | length'"
	assert_eq "$output" 4
	run ai-search -i x.idx -k 0 words
	assert_status 64
}

@test "thresholds on each leg" {
	three
	run_sh "ai-search -i x.idx --min-dense .99 --min-sparse 1000 wing | jq -c '[.hits, .search.confident]'"
	assert_eq "$output" '[[],false]'
	run_sh "ai-search -i x.idx --min-dense .99 wing | jq -c '.hits | map([.id, .dense])'"
	assert_eq "$output" '[["wing",null]]'
	run_sh "ai-search -i x.idx --mode dense --min-dense -1 -k 9 wing | jq -c '.hits | length'"
	assert_eq "$output" 3
}

@test "no confident match is said, and -e exits 1" {
	three
	run_sh "ai-search -i x.idx banana bread | jq -c .search.confident"
	assert_eq "$output" false
	run ai-search -i x.idx -e banana bread
	assert_status 1
	run ai-search -i x.idx -e wing
	assert_status 0
	run ai-search -i x.idx -r banana bread
	assert_status 0
	assert_eq "${lines[0]}" 'no confident match'
	# Half of the query's words, weighed by rarity.
	run_sh "ai-search -i x.idx --mode sparse --min-confidence .9 wing banana | jq -c '[.search.confident, .hits[0].confidence < .9]'"
	assert_eq "$output" '[false,true]'
}

@test "a query of stop words alone, of nothing, of operators" {
	echo '{"id":"h","text":"to be or not to be"}' | ai-search add -i x.idx
	run_sh "ai-search -i x.idx to be or not | jq -r '.hits[0].id'"
	assert_eq "$output" h
	for q in '' '"' '*' 'a AND NOT (' '^x' 'text:be' '-' "'; DROP TABLE docs"; do
		run_sh "jq -nc --arg q \"\$1\" '{query:\$q}' | ai-search -i x.idx | jq -r .search.mode" _ "$q"
		assert_status 0
		assert_eq "$output" sparse
	done
}

@test "--where looks into metadata and sources" {
	three
	chunks a/b.md d1 'wing in a file' | ai-search add -i x.idx
	for case in 'lang=en wing' 'lang=de ' 'tags=old wing' 'tags=new ' 'n=1 wing' \
		'meta.lang=en wing' 'source.heading=B file' 'source.uri=a/b.md file'; do
		run_sh "ai-search -i x.idx --where ${case% *} --mode sparse wing | jq -r '.hits[0] | .id // empty | if length > 4 then \"file\" else . end'"
		assert_eq "$case: $output" "$case: ${case#* }"
	done
	run_sh "ai-search -i x.idx --where lang=en --where tags=air --mode dense -k 9 --min-dense -1 heat | jq -r '[.hits[].id] | join(\",\")'"
	assert_eq "$output" wing
	run ai-search -i x.idx --where lang wing
	assert_status 64
	assert_has "$output" 'KEY=VALUE'
	# The filter comes before the cut at -k: no eligible record is lost.
	for i in $(seq 50); do echo "{\"text\":\"wing wing $i\"}"; done | ai-search add -i x.idx
	run_sh "ai-search -i x.idx --where lang=en -k 1 wing | jq -r '.hits[0].id'"
	assert_eq "$output" wing
}

@test "--mmr puts different texts first" {
	printf '%s\n' '{"id":"1","text":"zebra stripes on the savanna"}' \
		'{"id":"2","text":"zebra stripes on the savanna again"}' \
		'{"id":"3","text":"zebra stripes: a pedestrian law in the city of today"}' |
		ai-search add -i x.idx -m local/hash
	run_sh "ai-search -i x.idx zebra stripes savanna | jq -r '[.hits[].id] | join(\" \")'"
	assert_eq "$output" '1 2 3'
	run_sh "ai-search -i x.idx --mmr .3 zebra stripes savanna | jq -r '[.hits[].id] | join(\" \")'"
	assert_eq "$output" '1 3 2'
	run ai-search -i x.idx --mmr 1.5 zebra
	assert_status 64
}

@test "-r is for people" {
	chunks docs/a.md d1 'first line about wings
second line' | ai-search add -i x.idx
	run ai-search -i x.idx -r wings
	assert_eq "$output" '1. docs/a.md:1 (0.99)
   first line about wings
   second line'
}

# ---- models ----------------------------------------------------------------

@test "another model or dimension is an error that names both" {
	three
	run_sh "echo '{\"text\":\"x\",\"embed\":{\"model\":\"other/m\"},\"embedding\":[1,0]}' | ai-search add -i x.idx | jq -r .error.message"
	assert_status 2
	assert_has "$output" "the index 'x.idx' was built with local/hash, 512 dimensions; this embedding is from other/m, 2 dimensions"
	run_sh "echo '{\"query\":\"x\",\"embed\":{\"model\":\"local/hash\"},\"embedding\":[1,0]}' | ai-search -i x.idx | jq -r .error.message"
	assert_has "$output" "512 dimensions; this embedding is from local/hash, 2 dimensions"
	run ai-search add -i x.idx -m other/m <<<'{"text":"x"}'
	assert_status 65
	assert_has "$output" "was built with local/hash, not with other/m"
}

@test "records without a vector do not slip into an index of another model" {
	echo '{"text":"a","embed":{"model":"other/m"},"embedding":[3,4]}' | ai-search add -i o.idx
	run_sh "echo '{\"text\":\"b\"}' | ai-search add -i o.idx | jq -r .error.message"
	assert_has "$output" 'put ai-embed -m other/m before ai-search'
	run_sh "echo '{\"query\":\"b\",\"embedding\":[0.6,0.8]}' | ai-search -i o.idx | jq -c '.hits[0].dense'"
	assert_eq "$output" '{"score":1,"rank":1}'
}

@test "vectors that ai-embed made, and made here, are the same" {
	[ -x "$BUILDDIR/bin/ai-embed" ] || skip "ai-embed is not built"
	jq -nc '{id:"a",text:"The lift of a wing."}' >r
	ai-embed -m local/hash r | ai-search add -i a.idx
	ai-search add -i b.idx -m local/hash r
	assert_eq "$(ai-search export -i a.idx)" "$(ai-search export -i b.idx)"
	run_sh "echo '{\"query\":\"wing lift\"}' | ai-embed -m local/hash -p query | ai-search -i b.idx | jq -c .hits"
	assert_eq "$output" "$(echo '{"query":"wing lift"}' | ai-search -i b.idx | jq -c .hits)"
}

@test "a query for another model is sent through ai-embed" {
	mkdir bin
	cat >bin/ai-embed <<'END'
#!/bin/sh
# Stands in for the real one: the model is its second argument.
while read -r line; do
	case $line in
	*fail*) echo '{"error":{"tool":"ai-embed","code":"not_allowed","message":"no key"}}' ;;
	*) echo "{\"embed\":{\"model\":\"$2\",\"dim\":2},\"embedding\":[0,1]}" ;;
	esac
done
END
	chmod +x bin/ai-embed
	cp "$BUILDDIR/bin/ai-search" bin/
	printf '%s\n' '{"id":"x","text":"one","embed":{"model":"other/m"},"embedding":[1,0]}' \
		'{"id":"y","text":"two","embed":{"model":"other/m"},"embedding":[0,1]}' |
		bin/ai-search add -i o.idx
	run_sh "printf 'q\nfail\nr\n' | bin/ai-search -i o.idx -R --mode dense | jq -c '[.hits[0].id, .error.code, .error.message]'"
	assert_eq "$output" '["y",null,null]
[null,"not_allowed","the query could not be embedded: no key"]
["y",null,null]'
	# It cannot be started, or gives up at once.
	rm bin/ai-embed
	run --separate-stderr env PATH=/nowhere "$PWD/bin/ai-search" -i o.idx one
	assert_status 2
	assert_eq "$(jq -r .error.message <<<"$output")" "the query needs a vector of other/m, which ai-embed makes: program 'ai-embed' not found; put it beside ai-search or on PATH, or use --mode sparse"
	run bin/ai-search -i o.idx --mode sparse -r one
	assert_status 0
	printf '#!/bin/sh\nexit 77\n' >bin/ai-embed
	chmod +x bin/ai-embed
	run --separate-stderr bin/ai-search -i o.idx one
	assert_status 77
	assert_has "$output" 'ended with status 77'
	assert_has "$output" '--mode sparse needs no vector'
}

# ---- the other verbs ---------------------------------------------------------

@test "delete takes ids, or --where" {
	three
	run_sh "printf '%s\n' '{\"id\":\"heat\"}' '{\"id\":\"none\"}' | ai-search delete -i x.idx --ack"
	assert_eq "$output" '{"id":"heat"}'
	assert_eq "$(stat_of x.idx documents)" 2
	run ai-search delete -i x.idx --where lang=de
	assert_status 0
	assert_eq "$output" ''
	assert_eq "$(stat_of x.idx documents)" 1
	run ai-search delete -i x.idx -e --where lang=de
	assert_status 1
	run_sh "echo '{\"id\":\"none\"}' | ai-search delete -i x.idx -e"
	assert_status 1
	run_sh "echo '{\"text\":\"x\"}' | ai-search delete -i x.idx | jq -r .error.code"
	assert_eq "$output" invalid_record
	ai-search verify -i x.idx
	run ai-search delete -i x.idx -e --where "lang=$(printf %0300d 1)"
	assert_status 1
	printf '%s\n' '{"id":6,"text":"x","lang":"fr"}' '{"id":"y","text":"y","lang":"fr"}' |
		ai-search add -i x.idx
	run ai-search delete -i x.idx --ack --where lang=fr
	assert_eq "$output" '{"id":6}
{"id":"y"}'
	echo '{"id":"wing"}' | ai-search delete -i x.idx
	ai-search verify -i x.idx
	run_sh "ai-search -i x.idx wing | jq -c '[.hits, .search.confident]'"
	assert_eq "$output" '[[],false]'
}

@test "stats says what is in the index" {
	three
	run_sh "ai-search stats -i x.idx | jq -c '[.documents, .vectors, .model, .dim, .format, .ranking.k1, .bytes > 0]'"
	assert_eq "$output" '[3,3,"local/hash",512,4,1.2,true]'
	assert_eq "$(stat_of x.idx mode)" '"hybrid"'
	# Nothing is fused where there is one leg.
	echo '{"text":"bare words"}' | ai-search add -i bare.idx -m none
	run_sh "ai-search stats -i bare.idx | jq -c '[.mode, has(\"fusion\")]'"
	assert_eq "$output" '["sparse",false]'
	run_sh "ai-search -i bare.idx words | jq -r .search.mode"
	assert_eq "$output" sparse
}

@test "export --where" {
	three
	run_sh "ai-search export -i x.idx --where lang=en | jq -r .id"
	assert_eq "$output" 'wing
heat'
	run ai-search export -i x.idx --where lang
	assert_status 64
}

@test "export and add make the same index again" {
	three
	chunks a.md d1 'one wing' 'two' | ai-search add -i x.idx
	ai-search export -i x.idx >e1
	ai-search add -i y.idx e1
	ai-search export -i y.idx | cmp - e1
	ai-search add -i y.idx e1
	ai-search export -i y.idx | cmp - e1
	for q in wing 'heat transfer' wellen; do
		assert_eq "$(ai-search -i x.idx "$q" | jq -c .hits)" \
			"$(ai-search -i y.idx "$q" | jq -c .hits)"
	done
	# The order of adding does not matter.
	tac e1 | ai-search add -i z.idx
	for q in wing 'heat transfer' wellen; do
		assert_eq "$(ai-search -i x.idx "$q" | jq -c .hits)" \
			"$(ai-search -i z.idx "$q" | jq -c .hits)"
	done
}

# ---- what goes wrong -----------------------------------------------------------

@test "no index, no folder, someone else's folder" {
	run ai-search -i none word
	assert_status 66
	assert_eq "$output" "ai-search: there is no index at 'none'; make one with: ai-search add -i 'none'"
	for verb in stats verify export delete; do
		run ai-search $verb -i none </dev/null
		assert_status 66
	done
	[ ! -e none ]
	run ai-search word
	assert_status 64
	assert_has "$output" '-i FOLDER'
	mkdir full && touch full/file
	run ai-search add -i full <<<'{"text":"x"}'
	assert_status 73
	assert_has "$output" 'holds other things'
	run ai-search add -i full/file <<<'{"text":"x"}'
	assert_status 73
	run ai-search add -i no/such <<<'{"text":"x"}'
	assert_status 73
	mkdir empty
	run ai-search -i empty word
	assert_status 66
	run ai-search add -i empty <<<'{"text":"x"}'
	assert_status 0
	# Killed before the index had its name.
	mkdir killed && echo part >killed/index.db.new-1-2 && : >killed/index.db.new-1-2-wal
	run ai-search -i killed word
	assert_status 66
	run ai-search add -i killed <<<'{"text":"x"}'
	assert_status 0
	assert_eq "$(stat_of killed documents)" 1
	[ -f killed/index.db ]
	assert_eq "$(find killed -name '*new*')" ""
}

@test "an index cut to no bytes is damaged, and nothing writes over it" {
	three
	cp x.idx/index.db whole
	: >x.idx/index.db
	echo 'what can be saved' >x.idx/index.db-wal
	for verb in add query stats verify export delete; do
		run ai-search $verb -i x.idx <<<'{"id":"a","text":"x"}'
		assert_status 65
		assert_eq "$output" "ai-search: index 'x.idx' is damaged: index.db has no bytes; remove the folder and rebuild it from the documents"
		[ ! -s x.idx/index.db ]
		assert_eq "$(cat x.idx/index.db-wal)" 'what can be saved'
	done
	# Cut behind its first pages it is no new one either.
	for size in 1 512 16384 32768; do
		rm -f x.idx/*
		head -c "$size" whole >x.idx/index.db
		run ai-search add -i x.idx <<<'{"id":"a","text":"x"}'
		assert_status 65
		assert_has "$output" 'is damaged'
	done
}

@test "an index of a newer format is refused" {
	three
	sqlite3 x.idx/index.db 'PRAGMA user_version=5' || skip "no sqlite3"
	for verb in query add stats verify export; do
		run ai-search $verb -i x.idx </dev/null
		assert_status 65
		assert_has "$output" 'has format 5; this ai-search reads up to 4'
	done
	# And one of an older one, with the way out of it.
	sqlite3 x.idx/index.db 'PRAGMA user_version=1'
	for verb in query add stats verify export; do
		run ai-search $verb -i x.idx </dev/null
		assert_status 65
		assert_has "$output" 'has the old format 1; this ai-search reads 4: rebuild it'
	done
}

@test "another writer is waited for, then it is 75" {
	need sqlite3
	three
	mkfifo go
	sqlite3 x.idx/index.db <go >locked &
	exec 9>go
	echo "BEGIN IMMEDIATE; SELECT 'yes';" >&9
	until grep -q yes locked; do sleep .05; done
	run ai-search add -i x.idx --wait .2 <<<'{"text":"x"}'
	assert_status 75
	assert_has "$output" "index 'x.idx': another program is writing to it"
	# Readers do not care.
	run ai-search -i x.idx -r wing
	assert_status 0
	exec 9>&-
	wait
	run ai-search add -i x.idx --wait 5 <<<'{"text":"x"}'
	assert_status 0
}

@test "several may add at once" {
	for w in 1 2 3; do
		for i in $(seq 40); do echo "{\"id\":\"$w-$i\",\"text\":\"word$w number $i\"}"; done |
			ai-search add -i x.idx -m local/hash &
	done
	wait
	assert_eq "$(stat_of x.idx documents)" 120
	ai-search verify -i x.idx
}

@test "a writer that has much to do lets others in" {
	: >go
	# Three transactions at least of two seconds.
	{ n=0
	while [ -e go ]; do
		for _ in $(seq 500); do
			echo "{\"id\":\"many $((n++))\",\"text\":\"of many number $n\"}"
		done
	done; } | ai-search add -i x.idx -m none &
	until [ "$(stat_of x.idx documents 2>/dev/null || echo 0)" -gt 0 ]; do
		sleep .05
	done
	for i in 1 2 3; do
		run ai-search add -i x.idx -m none <<<"{\"id\":$i,\"text\":\"another\"}"
		assert_status 0
	done
	rm go
	wait
	run_sh "ai-search -i x.idx another | jq '.hits | length'"
	assert_eq "$output" 3
}

@test "an index that cannot be written can be read" {
	three
	open=$(mktemp -d)
	powerless "$open"
	cp -r x.idx "$open"
	chmod -R a+rX,a-w "$open"
	run "${as[@]}" ai-search -i "$open/x.idx" -r wing
	assert_status 0
	assert_has "$output" 'lift of a wing'
	for verb in verify stats export; do
		run "${as[@]}" ai-search $verb -i "$open/x.idx"
		assert_status 0
	done
	for verb in add delete; do
		run "${as[@]}" ai-search $verb -i "$open/x.idx" <<<'{"id":"a","text":"x"}'
		assert_status 73
		assert_eq "$output" "ai-search: index '$open/x.idx': cannot write to '$open/x.idx/index.db': Permission denied"
	done
	chmod a+w "$open/x.idx/index.db"
	run "${as[@]}" ai-search add -i "$open/x.idx" <<<'{"id":"a","text":"x"}'
	assert_status 73
	assert_eq "$output" "ai-search: index '$open/x.idx': cannot write to the folder '$open/x.idx': Permission denied"
	# Nor can one be made, and the reason is the one there is.
	run "${as[@]}" ai-search add -i "$open/new.idx" <<<'{"id":"a","text":"x"}'
	assert_status 73
	assert_eq "$output" "ai-search: cannot create the folder '$open/new.idx': Permission denied"
}

@test "verify finds damage in what it may only read, beside a writer" {
	need sqlite3
	spoil "DELETE FROM segment"
	open=$(mktemp -d)
	powerless "$open"
	cp -r x.idx "$open"
	chmod -R a+rX,a-w "$open"
	run "${as[@]}" ai-search verify -i "$open/x.idx"
	assert_status 65
	assert_has "$output" "is damaged"
	rm -r x.idx
	three
	cp x.idx/index.db before.db
	mkfifo go
	sqlite3 x.idx/index.db <go >locked &
	exec 9>go
	echo "BEGIN IMMEDIATE; SELECT 'yes';" >&9
	until grep -q yes locked; do sleep .05; done
	run ai-search verify -i x.idx --wait 0
	exec 9>&-
	wait
	assert_status 0
	cmp x.idx/index.db before.db
}

@test "no file of a database: clear words, no crash" {
	three
	echo 'this is not a database at all, but long enough to be taken for one until read' >x.idx/index.db
	rm -f x.idx/index.db-*
	for verb in query add stats verify export delete; do
		run ai-search $verb -i x.idx </dev/null
		assert_status 65
		assert_has "$output" "index 'x.idx' is damaged: file is not a database; rebuild it"
	done
}

@test "verify finds what does not agree" {
	need sqlite3
	for sql in "UPDATE docs SET text='other words' WHERE id='wing'" \
		"DELETE FROM docs WHERE id='heat'" \
		"UPDATE segment SET dead=X'0102'" \
		"UPDATE segment SET last=last+1" \
		"UPDATE info SET gone=1; INSERT INTO gone VALUES(0,
			CAST(X'02' || zeroblob(8191) AS BLOB))" \
		"UPDATE mean SET sum=zeroblob(length(sum))" \
		"UPDATE info SET tokens=tokens+1" \
		"UPDATE docs SET meta='{}' WHERE id='tube'" \
		"UPDATE docs SET id='Wing' WHERE id='wing'" \
		"UPDATE docs SET id=CAST('wing' AS BLOB) WHERE id='wing'" \
		"UPDATE docs SET uri='other' WHERE id='wing'" \
		"UPDATE docs SET doc='other' WHERE id='wing'" \
		"UPDATE docs SET part=7 WHERE id='wing'" \
		"UPDATE docs SET source='{}' WHERE id='wing'" \
		"UPDATE docs SET text=CAST(text AS BLOB) WHERE id='wing'" \
		"DELETE FROM tags WHERE at=(SELECT max(at) FROM tags)" \
		"INSERT INTO tags SELECT at+1, data FROM tags WHERE at < 1 << 33" \
		"UPDATE tags SET data=(SELECT data FROM tags ORDER BY at LIMIT 1)" \
		"UPDATE tags SET data=substr(data, 1, length(data) - 1) || X'07'" \
		"UPDATE paths SET path='speech' WHERE path='lang'" \
		"DELETE FROM paths" \
		"UPDATE info SET documents=4" \
		"DELETE FROM segment" \
		"DROP TABLE segment" \
		"UPDATE info SET next=3" \
		"UPDATE info SET analyzer='none'" \
		"UPDATE info SET dim=13"; do
		rm -rf x.idx
		three
		ai-search verify -i x.idx >/dev/null
		sqlite3 -cmd '.dbconfig defensive off' x.idx/index.db "$sql"
		run ai-search verify -i x.idx
		[ "$status" -eq 65 ] || echo "not found: $sql"
		assert_status 65
		assert_has "$output" "index 'x.idx' is damaged"
		assert_has "$output" 'rebuild it'
		# Searching may find nothing wrong, but never crashes.
		run ai-search -i x.idx wing
		[ "$status" -eq 0 ] || [ "$status" -eq 2 ] || [ "$status" -eq 65 ]
	done
}

# spoil SQL: x.idx with one thing changed that SQLite does not notice.
spoil() {
	rm -rf x.idx
	three
	sqlite3 -cmd '.dbconfig defensive off' x.idx/index.db "$1"
}

@test "a hit that is damaged is no answer" {
	need sqlite3
	for sql in "UPDATE docs SET text=CAST(X'6c696674ff20612077696e67' AS TEXT) WHERE id='wing'" \
		"UPDATE docs SET text='the lift of another wing' WHERE id='wing'" \
		"UPDATE docs SET id='Wing' WHERE id='wing'" \
		"UPDATE docs SET id=CAST(X'ff' AS TEXT) WHERE id='wing'" \
		"UPDATE docs SET source='{\"uri\":\"x\"}' WHERE id='wing'" \
		"UPDATE docs SET meta='{\"tags\":[\"ai' WHERE id='wing'" \
		"UPDATE docs SET meta=NULL WHERE id='wing'" \
		"UPDATE docs SET hash=zeroblob(16) WHERE id='wing'" \
		"UPDATE docs SET uri='x', doc='y' WHERE id='wing'"; do
		spoil "$sql"
		for mode in hybrid sparse dense; do
			run --separate-stderr ai-search -i x.idx --mode $mode wing
			[ "$status" -eq 2 ] || echo "not found: $sql"
			assert_status 2
			jq -e 'has("hits") | not' <<<"$output"
			assert_eq "$(jq -r .error.code <<<"$output")" unusable_input
			assert_has "$(jq -r .error.message <<<"$output")" \
				"index 'x.idx' is damaged: document 1: its checksum is wrong; rebuild it"
		done
		run --separate-stderr ai-search -i x.idx -r wing
		assert_status 2
		assert_eq "$output" ''
		# What it does not touch is answered.
		run ai-search -i x.idx -k 1 --mode sparse wellen
		assert_status 0
	done
	spoil "UPDATE docs SET run=run"
	printf 'abcd' | dd of="$(echo x.idx/rows-*.f32)" bs=1 seek=2060 \
		conv=notrunc status=none
	run --separate-stderr ai-search -i x.idx wing
	assert_status 2
}

# flip FILE AT: one bit of a file.
flip() {
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf '%b' "\\x$(printf %x $((byte ^ 1 << RANDOM % 8)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

@test "a bit that flips in any file is found by verify, and no query crashes" {
	local file at size
	three
	cp -r x.idx whole.idx
	RANDOM=3
	for file in words rows; do
		for at in $(seq 0 40); do
			rm -rf x.idx
			cp -r whole.idx x.idx
			name=$(echo x.idx/$file-*)
			size=$(stat -c %s "$name")
			# Row 0 is nobody's.
			[ $file = words ] && at=$((size * at / 41)) ||
				at=$((2048 + (size - 2048) * at / 41))
			flip "$name" "$at"
			run ai-search verify -i x.idx
			[ "$status" -eq 65 ] || echo "# not found: $name $at" >&3
			assert_status 65
			assert_has "$output" "is damaged"
			assert_has "$output" "rebuild it"
			run ai-search -i x.idx wing lift
			[ "$status" -eq 0 ] || [ "$status" -eq 2 ] ||
				[ "$status" -eq 65 ]
		done
	done
	for file in words rows; do
		rm -rf x.idx
		cp -r whole.idx x.idx
		rm x.idx/$file-*
		run ai-search -i x.idx wing lift
		[ "$status" -eq 2 ] || [ "$status" -eq 65 ]
	done
}

@test "export puts an error in the place of a damaged document, and goes on" {
	need sqlite3
	for sql in "UPDATE docs SET text=CAST(X'6c696674ff' AS TEXT) WHERE id='heat'" \
		"UPDATE docs SET chunk='{' WHERE id='heat'" \
		"UPDATE docs SET hash='x' WHERE id='heat'"; do
		spoil "$sql"
		run --separate-stderr ai-search export -i x.idx
		assert_status 65
		assert_has "$stderr" "index 'x.idx' is damaged: 1 of 3 documents are not what was added; rebuild it"
		assert_eq "$(jq -c '[.id, .error.tool, .error.code]' <<<"$output")" '["wing",null,null]
["heat","ai-search","unusable_input"]
["tube",null,null]'
		assert_has "${lines[1]}" 'document 2: its checksum is wrong'
		# The advice holds: what can be read makes an index again.
		rm -rf new.idx
		run_sh "ai-search export -i x.idx | ai-search add -i new.idx >rest; ai-search verify -i new.idx | jq .documents"
		assert_eq "$output" 2
		assert_eq "$(jq -r .id rest)" heat
	done
	spoil "UPDATE docs SET id=CAST(X'ff' AS TEXT) WHERE id='heat'"
	run --separate-stderr ai-search export -i x.idx
	assert_status 65
	assert_eq "$(jq -c 'keys' <<<"${lines[1]}")" '["error"]'
	run ai-search export -i x.idx --where lang=de
	assert_status 0
}

@test "bytes overwritten anywhere: an answer or an error, never a crash" {
	three
	chunks a.md d1 'one wing' 'two wings' 'three' | ai-search add -i x.idx
	ai-search export -i x.idx | sed 's/"id":"/&z/' | ai-search add -i x.idx
	size=$(stat -c %s x.idx/index.db)
	cp x.idx/index.db whole
	seed
	for i in $(seq "${DAMAGES:-15}"); do
		rm -f x.idx/*
		cp whole x.idx/index.db
		at=$(((RANDOM * 32768 + RANDOM) % size))
		case $((i % 3)) in
		0) truncate -s "$at" x.idx/index.db ;;
		1) garble x.idx/index.db "$at" 64 ;;
		2) head -c 4096 /dev/zero | dd of=x.idx/index.db bs=1 seek="$at" conv=notrunc status=none ;;
		esac
		for verb in query verify export stats add; do
			run ai-search $verb -i x.idx -R <<<'wing heat two'
			case $status in
			0 | 2 | 65 | 66) ;;
			*)
				echo "damage $i at $at: $verb"
				assert_status 0
				;;
			esac
		done
	done
}

@test "a full disk is an error, and nothing acknowledged is lost" {
	three
	: >limit
	run_sh "ulimit -f 600; trap '' XFSZ; for i in \$(seq 3000); do echo \"{\\\"id\\\":\\\"f\$i\\\",\\\"text\\\":\\\"word\$i some other text\\\"}\"; done |
		ai-search add -i x.idx --ack"
	assert_status 74
	run_sh "jq -r .id <<<'$output' | sort >acked; ai-search export -i x.idx | jq -r .id | sort >there; comm -23 acked there"
	assert_eq "$output" ''
	ai-search verify -i x.idx
}

@test "retrieval quality: the sparse leg reaches its figures, hybrid is not below" {
	not_sanitized
	need_shared data/retrieval/cranfield
	[ -x "$BUILDDIR/bin/ai-embed" ] || skip "ai-embed is not built"
	EVAL_MODES='sparse hybrid' run "$SRCDIR/tests/bench/eval.sh" cranfield
	printf '# %s\n' "${lines[@]:1}" >&3
	assert_status 0
}

# anonymous COMMAND...: its peak of anonymous memory, in kB, into peak.
anonymous() {
	local pid kb
	peak=0
	"$@" &
	pid=$!
	while kb=$(awk '/^RssAnon/ { print $2 }' "/proc/$pid/status" 2>/dev/null) &&
		[ -n "$kb" ]; do
		[ "$kb" -le "$peak" ] || peak=$kb
		sleep 0.05
	done
	wait "$pid"
}

@test "memory stays flat: 20 MB of records in, then searched" {
	not_sanitized
	awk 'BEGIN { for (i = 0; i < 30000; i++) {
		s = ""
		for (k = 0; k < 130; k++) s = s " w" (i * k) % 9973
		printf "{\"id\":\"m%d\",\"text\":\"%s\"}\n", i, s
	} }' >records
	[ "$(wc -c <records)" -gt 18000000 ]
	anonymous ai-search add -i x.idx -m local/hash records
	[ "$peak" -gt 500 ]
	[ "$peak" -lt 65536 ]
	awk 'BEGIN { for (i = 0; i < 60; i++) printf "{\"query\":\"w%d w%d\"}\n", i * 7, i * 31 }' >q
	search() { exec ai-search -i x.idx <q >hits; }
	anonymous search
	[ "$peak" -lt 65536 ]
	[ "$(wc -l <hits)" -eq 60 ]
	echo "# a peak of $peak kB while searching" >&3
}

@test "one line of 16 MiB is added in less than 96 MB" {
	not_sanitized
	awk 'BEGIN { printf "{\"id\":\"a\",\"text\":\"needle"
		for (n = 0; n < 16776000; n += length(w)) {
			w = " w" i++ * 7919 % 99991
			printf "%s", w
		}
		print "\"}" }' >line
	[ "$(wc -c <line)" -gt 16770000 ]
	anonymous ai-search add -i x.idx line
	echo "# a peak of $peak kB for $(wc -c <line) bytes" >&3
	[ "$peak" -gt 16384 ]
	[ "$peak" -lt 98304 ]
	run_sh "ai-search -i x.idx needle | jq -r '.hits[0].id'"
	assert_eq "$output" a
}

@test "parts that were cut by themselves do not replace each other" {
	for i in 1 2 3 4 5 6; do
		printf 'Paragraph %d is about the fox number %d and its den.\n\n' $i $i
	done >a.txt
	ai-chunk --size 120 --overlap 0 a.txt |
		ai-chunk --size 60 --overlap 0 >twice
	n=$(wc -l <twice)
	assert [ "$n" -gt 4 ]
	ai-search add -i idx <twice
	assert_eq "$(ai-search stats -i idx | jq .documents)" "$n"
	ai-search add -i idx <twice
	assert_eq "$(ai-search stats -i idx | jq .documents)" "$n"
	# Pages of one document, as other programs write them.
	for i in 1 2 3; do
		printf '{"text":"Page %d of the book.","source":{"uri":"b.pdf","page":%d}}\n' $i $i
	done | ai-chunk | ai-search add -i idx
	assert_eq "$(ai-search export -i idx --where source.uri=b.pdf |
		jq -c .source.page | sort)" $'1\n2\n3'
	# A record that is all of its document is replaced as ever.
	echo '{"text":"old words","source":{"uri":"c"}}' | ai-chunk |
		ai-search add -i idx
	echo '{"text":"new words","source":{"uri":"c"}}' | ai-chunk |
		ai-search add -i idx
	assert_eq "$(ai-search export -i idx --where source.uri=c | jq -r .text)" \
		'new words'
}

@test "--analyzer: the words of another language; it stays the index's own" {
	ldconfig -p | grep -q libstemmer || skip "no libstemmer"
	printf '{"id":"a","text":"Die Häuser am Meer"}\n{"id":"b","text":"Das Bergwerk"}\n' |
		ai-search add -i de.idx -m none --analyzer german
	run_sh "ai-search -i de.idx Haus | jq -c '[.hits[].id]'"
	assert_eq "$output" '["a"]'
	run_sh "ai-search stats -i de.idx | jq -c .ranking.analyzer"
	assert_eq "$output" '"german"'
	ai-search verify -i de.idx
	# Words are deleted as they were read.
	echo '{"id":"a"}' | ai-search delete -i de.idx
	run_sh "ai-search -i de.idx Haus | jq -c '[.hits[].id]'"
	assert_eq "$output" '[]'
	run ai-search add -i de.idx --analyzer english <<<'{"text":"x"}'
	assert_status 65
	assert_has "$output" 'was built with the analyzer german, not with english'
	run ai-search add -i no.idx --analyzer germna <<<'{"text":"x"}'
	assert_status 64
	assert_has "$output" "did you mean 'german'?"
	[ ! -e no.idx ]
}

@test "titles and headings count more; --title-weight says how much" {
	title() {
		rm -rf t.idx
		printf '{"id":"%s","text":"%s","meta":{"title":"%s"}}\n' \
			a "pumps and pumps in it" wells b "wells here" pumps |
			ai-search add -i t.idx -m none "$@"
		ai-search verify -i t.idx >/dev/null
		run_sh "ai-search -i t.idx pumps | jq -r '[.hits[].id] | join(\" \")'"
	}
	title
	assert_eq "$output" 'b a'
	title --title-weight 0
	assert_eq "$output" a
	run ai-search add -i t.idx --title-weight 2 <<<'{"text":"x"}'
	assert_status 65
	assert_has "$output" 'the title weight 0, not with 2'
	# The default, too, if it is said.
	run ai-search add -i t.idx --title-weight 3 <<<'{"text":"x"}'
	assert_status 65
	assert_has "$output" 'the title weight 0, not with 3'
	ai-search add -i t.idx <<<'{"text":"x"}'
}
