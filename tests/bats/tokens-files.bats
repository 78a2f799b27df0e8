#!/usr/bin/env bats
# ai-tokens for people: files as wc counts them, sums, the largest, which part
# of a text is kept, special tokens.
load helper

# ---- files, as wc has them --------------------------------------------------------

@test "files: a count and a name each, aligned as wc aligns, and a total" {
	seq 3000 >numbers
	printf 'one two\nthree' >words
	: >empty
	run_sh 'ai-tokens -R -s -r numbers words empty'
	assert_status 0
	assert_eq "$output" ' 8001 numbers
    4 words
    0 empty
 8005 total'
	# The columns stand where wc has those of bytes.
	wc -c numbers words empty | sed 's/[^ ]* [^ ]*$//' >theirs
	sed 's/[^ ]* [^ ]*$//' <<<"$output" | awk '{ print length }' >ours
	awk '{ print length }' theirs >want
	paste ours want | awk '{ exit $1 > $2 + 5 }'
	run_sh 'ai-tokens -R -s -r words'
	assert_eq "$output" '4 words'
}

@test "files: standard input has no name unless it was called -" {
	assert_eq "$(printf 'one two' | ai-tokens -R -s -r)" 2
	assert_eq "$(printf 'one two' | ai-tokens -R -s -r -)" '2 -'
	echo one >f
	assert_eq "$(printf 'one two' | ai-tokens -R -s -r - f)" \
		$'      2 -\n      2 f\n      4 total'
}

@test "files: what cannot be opened is told, the rest goes on, status 66" {
	echo one >f
	mkdir d
	run_sh 'ai-tokens -R -s -r f nope d f'
	assert_status 66
	assert_eq "$(awk '{ print $1, $2 }' <<<"$output")" $'2 f\n2 f\n4 total'
	assert_has "$stderr" "cannot open 'nope': No such file or directory"
	assert_has "$stderr" "cannot open 'd': Is a directory"
	run_sh 'ai-tokens -R -s -r nope'
	assert_status 66
	assert_eq "$output" ''
	# Also where files are records.
	run_sh 'ai-tokens -R -s f nope'
	assert_status 66
	assert_eq "$(wc -l <<<"$output")" 1
}

@test "files: the same as the text in one piece, in every encoding" {
	local e f
	for f in "$SRCDIR"/HACKING "$SRCDIR"/man/*.1 "$SRCDIR"/lib/common/*/*.c; do
		cat "$f"
	done | head -c 1000000 >all
	# Text without blanks, with few of them, of ideographs, of bytes.
	head -c 1000000 /dev/zero | tr '\0' x >long
	seq -s '' 150000 >digits
	for _ in $(seq 15000); do
		printf '今日は晴れ、明日は雨の予報です。最高気温二十五度、'
	done >cjk
	head -c 900000 all | tr ' \n' '__' >words
	{ cat all cjk; seq -s ' ,.;)' 60000; printf "don't 'tis it's"; } >mixed
	for e in o200k_base cl100k_base p50k_base r50k_base; do
		for f in all long digits cjk words mixed; do
			assert_eq "$e $f $(ai-tokens -R -s -r --encoding "$e" "$f")" \
				"$e $f $(ai-tokens -R -s --max-line 64M --encoding "$e" "$f" |
				jq .tokens.count) $f"
		done
	done
}

@test "files: bytes that are no text are counted, records of them are errors" {
	head -c 300000 /dev/urandom >bytes
	printf 'ab\xff\xfe\x00\x80cd' >few
	run_sh 'ai-tokens -R -s -r bytes few'
	assert_status 0
	# Each is at least a token in no merge: at most as many as bytes.
	awk '{ n[NR] = $1 } END { exit !(n[1] > 150000 && n[1] <= 300000 &&
		n[2] >= 5 && n[2] <= 8) }' <<<"$output"
	# Two texts with a byte that is none between them: the sum, and one.
	printf 'one two\xffthree' >three
	assert_eq "$(ai-tokens -R -s -r three | awk '{ print $1 }')" \
		"$(($(printf 'one two' | ai-tokens -R -s -r) + 1 +
			$(printf three | ai-tokens -R -s -r)))"
	run_sh 'ai-tokens -R -s few'
	assert_status 2
	assert_eq "$(jq -r .error.code <<<"$output")" invalid_utf8
	run_sh 'ai-tokens -R -r few'
	assert_status 2
	run_sh 'printf "{\"text\":\"\\xff\"}\n" | ai-tokens'
	assert_status 2
}

@test "files: in threads, in order, and the same" {
	local i
	for i in $(seq 40); do
		seq "$((i * 100))" >"f$i"
	done
	ai-tokens -R -s -r f* >one
	ai-tokens -R -s -r -j 4 f* | cmp - one
	ai-tokens -R -s -r -j 4 --unordered f* | sort | cmp - <(sort one)
	assert_eq "$(tail -n 1 one | awk '{ print $1 }')" \
		"$(awk '!/ total$/ { n += $1 } END { print n }' one)"
}

@test "files: names from a list; an empty list is no standard input" {
	echo one >'a b'
	printf 'one two' >$'c\nd'
	run_sh 'printf "a b\0c\nd" | ai-tokens -R -s -r --files0-from -'
	assert_status 0
	assert_eq "$output" $' 2 a b\n 2 c\nd\n 4 total'
	run_sh 'ai-tokens -R -s -r --files0-from /dev/null <<<x'
	assert_status 0
	assert_eq "$output" ''
	run_sh 'ai-tokens --total --files0-from /dev/null <<<x'
	assert_status 0
	assert_eq "$output" '{"total":{"files":0,"records":0,"tokens":0,"exact":true}}'
	run_sh 'ai-tokens --files0-from nope'
	assert_status 66
	run_sh 'ai-tokens --files0-from /dev/null f'
	assert_status 64
	# Files of records, too.
	echo '{"text":"x"}' >r
	assert_eq "$(printf 'r\0r\0' | ai-tokens --files0-from - | wc -l)" 2
}

@test "files: a word that is longer than the limit is an error that says how on" {
	head -c 3000000 /dev/zero | tr '\0' x >long
	echo one >f
	run_sh 'ai-tokens -R -s -r --max-line 1M long f'
	assert_status 2
	assert_has "$stderr" "'long' has no place in"
	assert_has "$stderr" '--max-line allows 1048576 at once, and takes up to 1G'
	assert_eq "$(awk '{ print $1, $2 }' <<<"$output")" $'2 f\n2 total'
	# As long, but with places: no matter how small the limit.
	seq -s ' ' 500000 >words
	assert_eq "$(ai-tokens -R -s -r --max-line 100 words)" \
		"$(ai-tokens -R -s -r words)"
	run_sh 'ai-tokens -R -s --max-line 1M long'
	assert_status 2
	assert_has "$output" 'the file has 3000000 bytes; --max-line allows 1048576'
}

@test "files: a full disk is an error" {
	echo one >f
	run_sh 'ai-tokens -R -s -r f f >/dev/full'
	assert_status 74
	run_sh 'ai-tokens --total f >/dev/full </dev/null'
	assert_status 74
}

# ---- sums ---------------------------------------------------------------------------

records() {
	printf '%s\n' '{"id":"a","text":"x y z"}' '{"text":"a b c d","source":{"uri":"u"}}' \
		'{"text":"q"}' '{"t":1}' '{"id":5,"text":"one two three"}'
}

@test "--total: one line at the end, of what was counted" {
	records >r
	run_sh 'ai-tokens --total -q r r'
	assert_status 2
	assert_eq "$(wc -l <<<"$output")" 11
	assert_eq "$(tail -n 1 <<<"$output")" \
		'{"total":{"files":2,"records":8,"tokens":22,"exact":true}}'
	run_sh 'grep -v t.:1 r | ai-tokens --total -r -j 3'
	assert_eq "$output" $'3\n4\n1\n3\n11 total'
	run_sh 'ai-tokens --total </dev/null'
	assert_eq "$output" '{"total":{"files":1,"records":0,"tokens":0,"exact":true}}'
	run_sh 'grep q r | ai-tokens --total -m claude-sonnet-5 | tail -n 1'
	assert_eq "$(jq -c '.total | [.tokens, .exact, .low, .high]' <<<"$output")" \
		'[2,false,1,3]'
}

@test "--top: the largest, largest first, and where they stood" {
	records >r
	run_sh 'ai-tokens --top 3 -q r'
	assert_status 2
	assert_eq "$output" '{"t":1,"error":{"tool":"ai-tokens","code":"invalid_record","message":"the record has no member '\''text'\''","retryable":false,"retry_after_s":null,"line":4}}
{"source":{"uri":"u"},"tokens":{"count":4,"encoding":"o200k_base","exact":true,"method":"bpe","file":"r","line":2}}
{"id":"a","tokens":{"count":3,"encoding":"o200k_base","exact":true,"method":"bpe","file":"r","line":1}}
{"id":5,"tokens":{"count":3,"encoding":"o200k_base","exact":true,"method":"bpe","file":"r","line":5}}'
	run_sh 'grep -v t.:1 r | ai-tokens --top 1 -r'
	assert_eq "$output" '4 -:2'
	run_sh 'grep -v t.:1 r | ai-tokens --top 1 --as n | jq -c .n.file'
	assert_eq "$output" null
}

@test "--top is the head of all, sorted, whatever the order and the threads" {
	local order
	for order in sort 'sort -r' 'sort -R'; do
		seq 3000 | sed 's/.*/printf "%&s" x; echo/' | sh | tr ' ' , | $order >in
		ai-tokens -R -r in | nl | sort -k2,2nr -k1,1n | head -n 50 |
			awk '{ print $2 " in:" $1 }' >want
		ai-tokens -R -r --top 50 in | cmp - want
		ai-tokens -R -r --top 50 -j 4 in | cmp - want
	done
	run_sh 'seq 5 | ai-tokens -R -r --top 100 --total'
	assert_eq "$(tail -n 1 <<<"$output")" '5 total'
	assert_eq "$(wc -l <<<"$output")" 6
}

@test "--top of files: names, no total unless asked" {
	seq 10 >small
	seq 1000 >large
	seq 100 >middle
	assert_eq "$(ai-tokens -R -s -r --top 2 small large middle)" \
		$'2001 large\n 200 middle'
	assert_eq "$(ai-tokens -R -s -r --top 1 --total small large middle)" \
		$'2001 large\n2221 total'
}

@test "--top and --total: what cannot be meant" {
	for options in '--top 1 --encode' '--top 1 --truncate 3' '--total --decode' \
		'--top 0' '--top 10001' '--decode --fit gpt-4o' '--keep tail' \
		'--mark x' '--truncate 3 --mark x' '--truncate 3 --keep tail --mark x'; do
		run_sh "ai-tokens $options </dev/null"
		assert_status 64
	done
}

# ---- which part is kept ----------------------------------------------------------------

@test "--keep: head, tail, both ends with a mark" {
	local text='The quick brown fox jumps over the lazy dog.'
	assert_eq "$(ai-tokens -R -r --truncate 4 <<<"$text")" 'The quick brown fox'
	assert_eq "$(ai-tokens -R -r --truncate 4 --keep tail <<<"$text")" ' the lazy dog.'
	assert_eq "$(ai-tokens -R -r --truncate 5 --keep middle <<<"$text")" \
		'The quick [...] dog.'
	assert_eq "$(ai-tokens -R -r --truncate 5 --keep middle --mark '' <<<"$text")" \
		'The quick brown dog.'
	assert_eq "$(ai-tokens -R -r --truncate 9 --keep middle --mark ' /cut/' <<<"$text")" \
		'The quick brown /cut/ lazy dog.'
	# No room for the mark: the beginning.
	assert_eq "$(ai-tokens -R -r --truncate 1 --keep middle <<<"$text")" The
	assert_eq "$(ai-tokens -R -r --truncate 0 --keep middle <<<"$text")" ''
	# What is short enough stays as it is.
	assert_eq "$(ai-tokens -R -r --truncate 10 --keep middle <<<"$text")" "$text"
	run_sh "ai-tokens -R --truncate 3 --keep tail <<<'$text'"
	assert_eq "$(jq -c '.tokens | [.count, .truncated, .original_count]' <<<"$output")" \
		'[3,true,10]'
}

@test "--truncate -e: the exit status tells whether something was cut" {
	run_sh 'ai-tokens -e <<<{}'
	assert_status 64
	assert_has "$stderr" 'e is for --fit and --truncate'
	run_sh 'printf "a b c\na\n" | ai-tokens -R -r -e --truncate 2'
	assert_status 1
	assert_eq "$output" $'a b\na'
	run_sh 'printf "a b c\na\n" | ai-tokens -R -r -e --truncate 3'
	assert_status 0
	run_sh 'printf "a b c\na\n" | ai-tokens -R -r --truncate 2'
	assert_status 0
}

# ---- special tokens ----------------------------------------------------------------------

@test "--special: text, allow, refuse; alone it allows" {
	local text='a<|endoftext|>b'
	assert_eq "$(ai-tokens -R -r --special <<<"$text")" 3
	assert_eq "$(ai-tokens -R -r --special=allow <<<"$text")" 3
	assert_eq "$(ai-tokens -R -r --special allow <<<"$text")" 3
	assert_eq "$(ai-tokens -R -r --special text <<<"$text")" \
		"$(ai-tokens -R -r <<<"$text")"
	assert_eq "$(ai-tokens -R -r --no-special <<<"$text")" \
		"$(ai-tokens -R -r <<<"$text")"
	echo "$text" >refused
	assert_eq "$(ai-tokens -R -r --special ./refused)" 3
	run_sh 'ai-tokens -R --special refuse refused'
	assert_status 2
	assert_eq "$(jq -r '.error.code, .error.message' <<<"$output")" \
		"invalid_record
the text has the special token '<|endoftext|>' at byte 1; --special=text takes it as text"
	run_sh 'ai-tokens --special=never </dev/null'
	assert_status 64
	assert_has "$stderr" 'text|allow|refuse'
}

# A blank goes with the bracket behind it where that is text.
@test "--special=refuse names the special token, not the blank before it" {
	local token='<|endoftext|>'
	run_sh "echo 'big wide $token world' | ai-tokens -R --special=refuse"
	assert_status 2
	assert_has "$stderr" "the special token '$token' at byte 9;"
	run_sh "printf 'a\\r $token' | ai-tokens -R -s -r --special=refuse"
	assert_has "$stderr" "the special token '$token' at byte 3;"
	echo '{"added_tokens":[{"id":3,"content":"<s>","special":true}],
		"normalizer":{"type":"Replace","pattern":{"String":"x"},"content":"aa"},
		"model":{"vocab":{"a":0,"<":1,"x":2},"merges":[]}}' >refuse.json
	run_sh "echo 'xa<s>' | ai-tokens -R --special=refuse --encoding refuse.json"
	assert_status 2
	assert_has "$stderr" 'the text has a special token; --special=text'
	jq '.normalizer = null | .decoder = {"type":"Fuse"}' refuse.json >t.json
	run_sh "echo 'xa<s>' | ai-tokens -R --special=refuse --encoding t.json"
	assert_status 2
	assert_has "$stderr" "the special token '<s>' at byte 2;"
}

@test "--special=refuse: what only looks like one passes; files are told by name" {
	local e
	printf '%s\n' '<|endoftext|' '|>' '<|nothing|>' '<|start|>' >in
	run_sh 'ai-tokens -R -r --special=refuse in'
	assert_status 0
	run_sh 'ai-tokens -R -r --special=refuse --encoding o200k_harmony in'
	assert_status 2
	assert_has "$stderr" "line 4: invalid_record: the text has the special token '<|start|>' at byte 0"
	{ seq 400000; echo '<|endoftext|>'; } >big
	run_sh 'ai-tokens -R -s -r --special=refuse big in'
	assert_status 2
	assert_has "$stderr" "'big': the text has the special token '<|endoftext|>' at byte $(seq 400000 | wc -c)"
	assert_has "$output" in
	for e in allow text; do
		ai-tokens -R -s -r --special=$e big
	done >counts
	for e in allow text; do
		echo '<|endoftext|>' | ai-tokens -R -s -r --special=$e
	done >alone
	assert_eq "$(awk '{ n = $1 - n } END { print n }' counts)" \
		"$(awk '{ n = $1 - n } END { print n }' alone)"
}
