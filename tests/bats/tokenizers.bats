#!/usr/bin/env bats
# ai-tokens with tokenizers from files: what is read, what is refused, and the
# cache. That the ids are right is seen by comparing with HuggingFace's own
# library and with SentencePiece (the last tests of this file).
load helper

setup() {
	ai_setup
	export XDG_CACHE_HOME=$PWD/cache
	tables=$PWD/cache/aiutils/tokenizers
}

# tiny [JQ]: a tokenizer of a few characters, changed by a filter.
tiny() {
	jq -c "${1:-.}" <<'END'
{"added_tokens":[{"id":7,"content":"<s>","special":true},{"id":8,"content":"<t>"}],
"normalizer":null,"pre_tokenizer":{"type":"Split","pattern":{"Regex":"b+|[^b]+"},"behavior":"Isolated"},
"decoder":{"type":"Fuse"},
"model":{"type":"BPE","unk_token":"?","vocab":{"a":0,"b":1,"aa":2,"bb":3,"?":4,"aab":5},
"merges":["a a",["b","b"]]}}
END
}

# ids TEXT FILE [OPTION...]: of a text.
ids() {
	local text=$1 file=$2
	shift 2
	jq -n -c --arg text "$text" '$ARGS.named' |
		ai-tokens -r --encode --encoding "$file" "$@"
}

# refused WORDS [FILE]: it is, with these words and status 65.
refused() {
	run_sh "ai-tokens --encoding '${2:-t.json}' </dev/null"
	assert_status 65
	assert_has "$stderr" "$1"
}

# ---- what is read ----------------------------------------------------------

@test "a file, a folder, and the name in the record" {
	mkdir dir
	tiny >dir/tokenizer.json
	assert_eq "$(ids aaabb dir/tokenizer.json)" '2 0 3'
	assert_eq "$(ids aaabb dir)" '2 0 3'
	cd dir
	assert_eq "$(ids aaabb tokenizer.json)" '2 0 3'
	assert_eq "$(echo '{"text":"aaabb"}' |
		ai-tokens --encoding ./tokenizer.json | jq -c .tokens)" \
		'{"count":3,"encoding":"./tokenizer.json","exact":true,"method":"bpe"}'
}

@test "special tokens need --special, the other added ones do not" {
	tiny >t.json
	assert_eq "$(ids '<s><t>' t.json)" '4 4 4 8'
	assert_eq "$(ids '<s><t>' t.json --special)" '7 8'
}

@test "what is encoded is decoded, but not by a file that a record names" {
	tiny >t.json
	echo '{"text":"aab<t>b"}' | ai-tokens --encode --encoding t.json >coded
	assert_eq "$(ai-tokens --decode --encoding t.json <coded | jq -r .text)" \
		'aab<t>b'
	run_sh 'ai-tokens --decode <coded'
	assert_status 2
	assert_has "$output" 'no encoding'
	run_sh 'echo "{\"tokens\":{\"ids\":[99]}}" | ai-tokens --decode --encoding t.json'
	assert_has "$output" 'has no token 99'
}

@test "truncated texts have at most N tokens, whatever normalises them" {
	local n
	tiny '.normalizer = {"type":"Prepend","prepend":"b"} |
		.added_tokens += [{"id":9,"content":"x","rstrip":true}]' >t.json
	jq -n -c '{text: ("aab" * 9 + "x   aéé" * 5 + "b" * 9)}' >in
	for n in 0 1 2 7 20 30 100; do
		ai-tokens --encoding t.json --truncate "$n" <in >out
		jq -e --argjson n "$n" '.tokens.count <= $n' out
		assert_eq "$(jq .tokens.count out)" \
			"$(ai-tokens -r --encoding t.json <out)"
		jq -e -n --slurpfile a in --slurpfile b out \
			'$b[0].text as $t | $a[0].text | startswith($t)'
	done
}

@test "ai-chunk measures with a file" {
	tiny >t.json
	printf 'aaaa aaaa aaaa aaaa' >text
	ai-chunk --unit tokens --size 4 --overlap 0 --encoding t.json text |
		ai-tokens -r --encoding t.json >counts
	[ "$(wc -l <counts)" -gt 2 ]
	awk '$1 > 4 { exit 1 }' counts
}

# ---- what is refused -------------------------------------------------------

@test "what is not supported is named" {
	tiny '.model.type = "WordLevel"' >t.json
	refused "the model 'WordLevel' is not supported"
	tiny '.model.type = "WordPiece" |
		.model.max_input_chars_per_word = 1000' >t.json
	refused 'max_input_chars_per_word is not from 1 to 256'
	tiny '.model.type = "WordPiece" |
		.model.continuing_subword_prefix = "12345678901234567"' >t.json
	refused 'continuing_subword_prefix is longer than 16 bytes'
	tiny '.model.continuing_subword_prefix = "##"' >t.json
	refused continuing_subword_prefix
	tiny '.model.dropout = 0.1' >t.json
	refused dropout
	tiny '.normalizer = {"type":"NFKC"}' >t.json
	refused "the normalizer 'NFKC' is not supported"
	tiny '.normalizer = {"type":"Sequence","normalizers":[{"type":"Precompiled"}]}' >t.json
	refused Precompiled
	tiny '.pre_tokenizer = {"type":"UnicodeScripts"}' >t.json
	refused UnicodeScripts
	tiny '.pre_tokenizer = {"type":"Split","pattern":{"Regex":"a{1,2}+"},"behavior":"Isolated"}' >t.json
	refused 'different engines'
	tiny '.pre_tokenizer.pattern.Regex = "(a"' >t.json
	refused "the pattern '(a' is not a regular expression"
	tiny '.decoder = {"type":"WordPiece"}' >t.json
	assert_eq "$(ids aa t.json)" 2
	run_sh 'echo "{\"tokens\":{\"ids\":[1]}}" | ai-tokens --decode --encoding t.json'
	assert_has "$output" 'does not say how'
}

@test "what makes no sense is named" {
	tiny '.model.vocab.c = 0' >t.json
	refused 'two tokens have the id 0'
	tiny '.model.vocab.c = 4000000000' >t.json
	refused 'the id 4000000000 is too large'
	tiny '.model.vocab.c = -1' >t.json
	refused 'is no token id'
	tiny '.model.merges += ["a z"]' >t.json
	refused "a merge has 'z'"
	tiny '.model.merges += ["b a"]' >t.json
	refused 'merge 2 makes nothing'
	tiny '.model.merges += [["a"]]' >t.json
	refused 'merge 2 is not two tokens'
	tiny '.model.unk_token = "nothing"' >t.json
	refused 'unknown token'
	tiny '.added_tokens += [{"id":9,"content":"aa"}]' >t.json
	refused "'aa' has the id 9, and 2 in the vocabulary"
	tiny '.added_tokens += [{"id":3,"content":"x"}]' >t.json
	refused 'two tokens have the id 3'
	tiny . | sed 's/"aab":5/"\\ud800":5/' >t.json
	refused 'surrogate'
	tiny . | sed 's/"aab":5/"a":5/' >t.json
	refused 'are the same'
	tiny 'del(.model)' >t.json
	refused "no 'model'"
	echo '[]' >t.json
	refused 'neither'
	: >t.json
	refused 'neither'
	head -c 100 /dev/urandom >t.json
	refused ''
	tiny >whole.json
	head -c 300 whole.json >t.json
	refused ''
	run_sh 'ai-tokens --encoding nowhere/t.json </dev/null'
	assert_status 66
	run_sh 'ai-tokens --encoding . </dev/null'
	assert_status 66
	assert_has "$stderr" 'no tokenizer.json'
}

@test "hostile files end, soon and without harm" {
	# A million added tokens.
	tiny '.added_tokens = [range(1000000) | {id: (. + 10), content: "<\(.)>"}]' >t.json
	assert_eq "$(ids 'a<999999>a' t.json)" '0 1000009 0'
	# A pattern that backtracks, and a text for it.
	tiny '.pre_tokenizer.pattern.Regex = "(a+)+$"' >t.json
	run_sh 'jq -n -c "{text: (\"a\" * 5000 + \"b\")}" |
		ai-tokens --encoding t.json'
	assert_status 2
	assert_has "$output" "pattern '(a+)+\$' needs too many steps"
	# Merges that lead to each other.
	tiny '.model.vocab += {"aaa":9,"aaaa":10} |
		.model.merges = ["a a","aa a","a aa","aa aa","aaa a","a a"]' >t.json
	assert_eq "$(ids aaaaa t.json)" '10 0'
}

# ---- the cache -------------------------------------------------------------

@test "a table is made once, and again when it is damaged or another version's" {
	tiny >t.json
	assert_eq "$(ids aaabb t.json)" '2 0 3'
	local table
	table=$(echo "$tables"/*.tok)
	assert_eq "$(stat -c %a "$table")" 600
	cp "$table" whole
	assert_eq "$(ids aaabb t.json)" '2 0 3'

	local at
	for at in 0 12 40 1500 2000; do
		printf '\377' | dd of="$table" bs=1 seek="$at" conv=notrunc 2>/dev/null
		assert_eq "$(ids aaabb t.json)" '2 0 3'
		cmp "$table" whole
	done
	for at in 0 100 2000; do
		head -c "$at" whole >"$table"
		assert_eq "$(ids aaabb t.json)" '2 0 3'
		cmp "$table" whole
	done
	# The table of another file, under this one's name.
	tiny '.model.vocab.a = 6' >u.json
	assert_eq "$(ids aaabb u.json)" '2 6 3'
	cp "$(find "$tables" -name '*.tok' -newer t.json ! -samefile "$table")" "$table"
	assert_eq "$(ids aaabb t.json)" '2 0 3'
	cmp "$table" whole
}

@test "where a file is, is remembered; what changed is not taken for it" {
	tiny >t.json
	sleep 3
	assert_eq "$(ids a t.json)" 0
	local link table
	link=$(echo "$tables"/*.at)
	[ -L "$link" ]
	# The link is believed: the file is not read again.
	table=$(readlink "$link")
	tiny '.model.vocab.a = 9' >v.json
	assert_eq "$(ids a v.json)" 9
	ln -sf "$(cd "$tables" && echo *.tok | tr ' ' '\n' | grep -v "$table")" "$link"
	assert_eq "$(ids a t.json)" 9
	ln -sf "$table" "$link"
	assert_eq "$(ids a t.json)" 0
	# It leads to tables, and nowhere else.
	cp "$tables/$table" elsewhere
	ln -sf "$PWD/elsewhere" "$link"
	assert_eq "$(ids a t.json)" 0
	assert_eq "$(readlink "$link")" "$table"
	# The same length and the same time of change, but not the same file.
	tiny '.model.vocab.a = 6' >u.json
	touch -r t.json u.json
	cat u.json >t.json
	touch -r u.json t.json
	assert_eq "$(ids a t.json)" 6
}

@test "without a place for tables it works all the same" {
	tiny >t.json
	XDG_CACHE_HOME=/dev/null run_sh 'echo "{\"text\":\"aaabb\"}" |
		ai-tokens -r --encoding t.json'
	assert_status 0
	assert_eq "$output" 3
	assert_eq "$stderr" ''
	XDG_CACHE_HOME='' HOME='' run_sh 'echo "{\"text\":\"aaabb\"}" |
		ai-tokens -r --encoding t.json'
	assert_eq "$output" 3
	# A full disk leaves nothing behind.
	run_sh 'trap "" XFSZ; ulimit -f 1; echo "{\"text\":\"aaabb\"}" |
		ai-tokens -r --encoding t.json'
	assert_eq "$output" 3
	assert_eq "$(find cache -type f)" ''
	# Nor does a pipe need a place.
	assert_eq "$(ids aaabb <(cat t.json))" '2 0 3'
}

@test "several at once make one table" {
	local i
	tiny >t.json
	for i in 1 2 3 4 5 6; do
		ids aaabb t.json >"$i" &
	done
	wait
	assert_eq "$(sort -u 1 2 3 4 5 6)" '2 0 3'
	assert_eq "$(find "$tables" -name '*.tok' | wc -l)" 1
	assert_eq "$(find "$tables" -name '*.new' | wc -l)" 0
}

# ---- the peers -------------------------------------------------------------

@test "the same ids and texts as HuggingFace's library, published tokenizers" {
	not_sanitized
	need_peer tokenizers
	local megabytes=0.1
	[ -z "${AI_TEST_LONG-}" ] || megabytes=5
	timeout 3000 node \
		"$SRCDIR/tests/peer/tokenizers.mjs" text "$megabytes"
}

@test "the same ids and texts as HuggingFace's library, all that is read" {
	need_peer tokenizers
	timeout 900 node "$SRCDIR/tests/peer/tokenizers.mjs" made
}

@test "the same ids as SentencePiece" {
	need_peer @agnai/sentencepiece-js
	timeout 600 node "$SRCDIR/tests/peer/sentencepiece.mjs"
}
