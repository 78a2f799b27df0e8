#!/usr/bin/env bats
# ai-tokens: what is counted, what is changed, what is refused.  That the ids
# are right is seen by comparing with tiktoken (the last tests of this file)
# and in tests/unit/bpe.c.
load helper

encodings='o200k_base o200k_harmony cl100k_base p50k_base p50k_edit r50k_base gpt2'

# count TEXT [OPTION...]: of a text, as a number.
count() {
	local text=$1
	shift
	jq -n -c --arg text "$text" '$ARGS.named' | ai-tokens -r "$@"
}

# Texts that are easy to get wrong, one record a line.
nasty() {
	cat <<'END'
{"text":""}
{"text":" "}
{"text":"a\u0000b\u0000"}
{"text":"don't  stop\r\n\r\n  now\t\t12345 \u00a0x\u3000y\u2028z"}
{"text":"\ud83d\ude00\ud83d\udc69\u200d\ud83d\udc67 na\u0308ive \u4e2d\u6587 \u0e20\u0e32\u0e29\u0e32"}
{"text":"   \n \n   "}
{"text":"<|endoftext|> is text"}
{"text":"\"quoted\\\" \/slashed\/"}
END
}

# ---- counting --------------------------------------------------------------

@test "the member says count, encoding, exactness and method" {
	run_sh 'echo "{\"text\":\"one two\"}" | ai-tokens'
	assert_status 0
	assert_eq "$output" '{"text":"one two","tokens":{"count":2,"encoding":"o200k_base","exact":true,"method":"bpe"}}'
}

@test "every encoding opens and names itself" {
	local e
	for e in $encodings; do
		assert_eq "$(echo '{"text":"hello world"}' |
			ai-tokens --encoding "$e" | jq -c .tokens)" \
			"{\"count\":2,\"encoding\":\"$e\",\"exact\":true,\"method\":\"bpe\"}"
	done
}

@test "encodings differ where they should" {
	# A run of blanks is one token since p50k; digits go in threes since
	# cl100k; o200k knows more languages.
	assert_eq "$(count 'x          y' --encoding r50k_base)" 11
	assert_eq "$(count 'x          y' --encoding p50k_base)" 3
	assert_eq "$(count 123456 --encoding cl100k_base)" 2
	[ "$(count 'Как дела, друзья?' --encoding cl100k_base)" -gt \
		"$(count 'Как дела, друзья?')" ]
}

@test "-m takes the model's encoding, --encoding is stronger" {
	local m
	for m in gpt-4 openai/gpt-3.5-turbo text-embedding-3-small; do
		assert_eq "$(echo '{"text":"x"}' | ai-tokens -m "$m" |
			jq -r .tokens.encoding)" cl100k_base
	done
	assert_eq "$(echo '{"text":"x"}' | ai-tokens -m gpt-oss-20b |
		jq -r .tokens.encoding)" o200k_harmony
	assert_eq "$(echo '{"text":"x"}' |
		ai-tokens -m gpt-oss-20b --encoding gpt2 |
		jq -r .tokens.encoding)" gpt2
	assert_eq "$(echo '{"text":"x"}' |
		AI_TOKENS_ENCODING=gpt2 ai-tokens -m gpt-4 |
		jq -r .tokens.encoding)" cl100k_base
}

@test "an unknown model is refused with a way out" {
	run_sh 'echo "{\"text\":\"x\"}" | ai-tokens -m no-such-model'
	assert_status 78
	assert_eq "$output" ''
	assert_has "$stderr" "'no-such-model'"
	assert_has "$stderr" '--encoding'
}

@test "an unknown encoding is refused with those there are" {
	run_sh 'ai-tokens --encoding o300k </dev/null'
	assert_status 64
	assert_has "$stderr" cl100k_base
}

@test "-p reads another member, --as adds under another name" {
	run_sh 'echo "{\"completion\":{\"text\":\"one two\"}}" |
		ai-tokens -p completion.text --as answer_tokens | jq -c "[keys, .answer_tokens.count]"'
	assert_eq "$output" '[["answer_tokens","completion"],2]'
}

@test "everything else passes byte for byte, an older member is replaced" {
	run_sh 'printf "%s\n" "{ \"n\" : 123456789012345678901234567890, \"tokens\":7,\"n\":1e400, \"text\":\"a\\u0062\" }" | ai-tokens'
	assert_eq "$output" '{ "n" : 123456789012345678901234567890,"n":1e400, "text":"a\u0062" ,"tokens":{"count":1,"encoding":"o200k_base","exact":true,"method":"bpe"}}'
}

@test "a text of 0 bytes has no tokens" {
	assert_eq "$(count '')" 0
	assert_eq "$(echo '{"text":""}' | ai-tokens --encode | jq -c .tokens.ids)" '[]'
	assert_eq "$(printf '' | ai-tokens -R -s -r)" 0
}

@test "a record without text, or with something else there, fails alone" {
	run_sh 'printf "%s\n" "{\"a\":1}" "{\"text\":[1]}" "{\"text\":\"x\"}" | ai-tokens'
	assert_status 2
	assert_eq "$(jq -r '.error.code // .tokens.count' <<<"$output" | paste -sd' ')" \
		'invalid_record invalid_record 1'
	assert_has "$(head -n 1 <<<"$output")" "'text'"
}

@test "plain text in and out: lines, and whole files as wc has them" {
	printf 'one two\nthree\n\n' >f
	assert_eq "$(ai-tokens -R -r f | paste -sd' ')" '2 1 0'
	assert_eq "$(ai-tokens -R -s f f | jq -r .tokens.count | paste -sd' ')" \
		"$(count $'one two\nthree\n\n') $(count $'one two\nthree\n\n')"
}

@test "threads and readers of odd sizes change nothing" {
	local i
	for i in $(seq 100); do
		nasty | sed "s/\"text\":\"/&$i /"
	done >in
	ai-tokens --encode in >one
	ai-tokens --encode -j 4 in >four
	cmp one four
	ai-tokens --encode -j 4 --unordered in | sort >five
	sort one | cmp - five
	dd if=in bs=61 status=none | ai-tokens --encode | cmp - one
}

# ---- chat ------------------------------------------------------------------

@test "messages: 3 each, their values, 1 a name, 3 for the answer" {
	local sum
	sum=$((3 + 3 + $(count system) + $(count 'Be brief, please.') + 3 +
		$(count user) + $(count 'What is a tokenizer?') + $(count Ann) + 1))
	run_sh 'echo "{\"messages\":[{\"role\":\"system\",\"content\":\"Be brief, please.\"},{\"role\":\"user\",\"name\":\"Ann\",\"content\":\"What is a tokenizer?\"}]}" | ai-tokens | jq -c .tokens'
	assert_eq "$output" "{\"count\":$sum,\"encoding\":\"o200k_base\",\"exact\":false,\"method\":\"bpe+chat\"}"
}

@test "messages: parts of content count their text, null nothing" {
	local sum=$((3 + 3 + $(count user) + $(count one) + $(count 'two three') +
		85 + 3 + $(count assistant)))
	run_sh 'echo "{\"m\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"one\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"x\",\"detail\":\"low\"}},{\"type\":\"text\",\"text\":\"two three\"}]},{\"role\":\"assistant\",\"content\":null}]}" | ai-tokens -r -p m'
	assert_eq "$output" "$sum"
}

@test "text is preferred to messages; messages cannot be encoded" {
	assert_eq "$(echo '{"text":"x","messages":[]}' | ai-tokens -r)" 1
	assert_eq "$(echo '{"messages":[]}' | ai-tokens -r)" 3
	run_sh 'printf "%s\n" "{\"messages\":[]}" "{\"messages\":[7]}" | ai-tokens --encode'
	assert_status 2
	assert_has "$output" 'messages.0.content'
	run_sh 'echo "{\"messages\":[7]}" | ai-tokens'
	assert_has "$output" 'message 0 is no object'
}

# ---- special tokens --------------------------------------------------------

@test "special tokens are text unless --special says otherwise" {
	[ "$(count 'a<|endoftext|>b')" -gt 3 ]
	assert_eq "$(count 'a<|endoftext|>b' --special)" 3
	assert_eq "$(echo '{"text":"<|start|><|reserved_200100|>"}' |
		ai-tokens --special --encoding o200k_harmony --encode |
		jq -c .tokens.ids)" '[200006,200100]'
}

# ---- encode and decode -----------------------------------------------------

@test "what is encoded is decoded to the same text" {
	local e
	nasty | jq -c .text >want
	for e in $encodings; do
		nasty | ai-tokens --encode --encoding "$e" |
			jq -c 'del(.text)' | ai-tokens --decode | jq -c .text |
			cmp - want
	done
}

@test "decode believes the record's encoding unless told otherwise" {
	echo '{"text":"hello, tokenizers"}' | ai-tokens --encode --encoding gpt2 >r
	assert_eq "$(ai-tokens --decode r | jq -r .text)" 'hello, tokenizers'
	[ "$(ai-tokens --decode --encoding o200k_base r | jq -r .text)" != \
		'hello, tokenizers' ]
	jq -c '.tokens.encoding = "elvish"' r >bad
	run_sh 'ai-tokens --decode bad'
	assert_status 2
	assert_has "$output" "'elvish'"
	# What names none is no reason to take the one that is usual.
	local other
	for other in 5 '{}' '"gpt2\u0000x"'; do
		jq -c --argjson e "$other" '.tokens.encoding = $e' r >bad
		run_sh 'ai-tokens --decode bad'
		assert_status 2
		assert_has "$output" "the member 'tokens.encoding' names no encoding"
		assert_eq "$(ai-tokens --decode --encoding gpt2 bad | jq -r .text)" \
			'hello, tokenizers'
	done
}

@test "decode reads ids anywhere, and plain text" {
	echo '{"text":"hello, tokenizers"}' | ai-tokens --encode --as t >r
	assert_eq "$(ai-tokens --decode --as t r | jq -r .text)" 'hello, tokenizers'
	assert_eq "$(jq -c '{a:[.t.ids]}' r | ai-tokens --decode -p a.0 -r)" \
		'hello, tokenizers'
	assert_eq "$(ai-tokens --encode -r r | ai-tokens -R --decode -r)" \
		'hello, tokenizers'
	assert_eq "$(echo ' 24912,	2375 ' | ai-tokens -R --decode -r)" 'hello world'
}

@test "ids that are none are named" {
	local bad
	for bad in 999999 -1 4294967296 1.5 '"x"' '[1]' 99999999999999999999; do
		echo "{\"tokens\":{\"ids\":[1,$bad]}}" >r
		run_sh 'ai-tokens --decode r'
		assert_status 2
		assert_eq "$(jq -r .error.code <<<"$output")" invalid_record
	done
	run_sh 'echo "{\"tokens\":{\"ids\":[1,999999]}}" | ai-tokens --decode'
	assert_has "$output" 'o200k_base has no token 999999'
	run_sh 'echo "{\"tokens\":{}}" | ai-tokens --decode'
	assert_has "$output" "'tokens.ids'"
}

@test "half a character becomes U+FFFD in a record, and stays bytes with -r" {
	# The first token of an emoji that has several.
	printf '{"text":"\xf0\x9f\xab\xa8"}' | ai-tokens --encode |
		jq -c '.tokens.ids |= .[:1]' >r
	assert_eq "$(jq '.tokens.ids | length' r)" 1
	assert_eq "$(ai-tokens --decode r | jq -r .text)" $'\xef\xbf\xbd'
	ai-tokens --decode -r r | head -c -1 >got
	printf '\xf0\x9f\xab\xa8' | head -c "$(wc -c <got)" | cmp - got
}

# ---- truncate --------------------------------------------------------------

@test "truncate rewrites that string and nothing else" {
	run_sh 'echo "{ \"x\":1e2, \"a\":{\"t\":\"one two three four\" , \"y\":[ ]},\"z\":\"\\u00e9\"}" | ai-tokens --truncate 2 -p a.t'
	assert_eq "$output" '{ "x":1e2, "a":{"t":"one two" , "y":[ ]},"z":"\u00e9","tokens":{"count":2,"encoding":"o200k_base","exact":true,"method":"bpe","truncated":true,"original_count":4}}'
}

@test "truncate leaves what is short enough as it is written" {
	run_sh 'echo "{\"text\":\"\\u006fne two\"}" | ai-tokens --truncate 2'
	assert_eq "$output" '{"text":"\u006fne two","tokens":{"count":2,"encoding":"o200k_base","exact":true,"method":"bpe","truncated":false,"original_count":2}}'
}

@test "truncated texts have at most N tokens and are beginnings" {
	local n e
	for e in o200k_base cl100k_base r50k_base; do
		for n in 0 1 2 3 5 8; do
			nasty | ai-tokens --truncate "$n" --encoding "$e" >less
			nasty | jq -s -e --argjson n "$n" \
				--slurpfile less less '
				[., $less] | transpose | length == 8 and
				all(.[0].text as $whole | .[1] |
				.text as $text | .tokens |
				($whole | startswith($text)) and .count <= $n
				and .truncated == ($text != $whole))' >/dev/null
			ai-tokens --encoding "$e" -r less >again
			jq .tokens.count less | cmp - again
		done
	done
}

@test "truncate with --encode gives the ids of what is left; with -r the text" {
	run_sh 'echo "{\"text\":\"one two three\"}" | ai-tokens --truncate 2 --encode | jq -c "[.tokens.count, (.tokens.ids | length)]"'
	assert_eq "$output" '[2,2]'
	assert_eq "$(echo 'one two three' | ai-tokens -R -r --truncate 2)" 'one two'
}

@test "options that contradict each other or are out of range" {
	run_sh 'ai-tokens --decode --encode </dev/null'
	assert_status 64
	run_sh 'ai-tokens --decode --truncate 3 </dev/null'
	assert_status 64
	run_sh 'ai-tokens --truncate -1 </dev/null'
	assert_status 64
	run_sh 'ai-tokens --truncat 1 </dev/null'
	assert_status 64
	assert_has "$stderr" '--truncate'
}

# ---- tables and hostile input ----------------------------------------------

@test "a missing or damaged table is named, with the way out" {
	mkdir empty cut
	AI_DATADIR=$PWD/empty run_sh 'echo "{\"text\":\"x\"}" | ai-tokens'
	[ "$status" -eq 66 ] || assert_status 78
	assert_has "$stderr" o200k_base.bpe
	head -c 100000 "$BUILDDIR/share/aiutils/o200k_base.bpe" >cut/o200k_base.bpe
	AI_DATADIR=$PWD/cut run_sh 'echo "{\"text\":\"x\"}" | ai-tokens'
	assert_status 65
	assert_has "$stderr" 'length is wrong'
	assert_has "$stderr" 'install it again'
	: >cut/o200k_base.bpe
	AI_DATADIR=$PWD/cut run_sh 'echo "{\"text\":\"x\"}" | ai-tokens'
	assert_status 65
}

@test "words of megabytes end" {
	head -c 4000000 /dev/zero | tr '\0' a >a
	assert_eq "$(timeout 120 ai-tokens -R -r a)" 500000
	seq -s '' 500000 | head -c 2000000 | tr 0-9 a-j >b
	timeout 120 ai-tokens -R -r --encode b >ids
	timeout 120 ai-tokens -R -r --decode ids | cmp - <(cat b; echo)
	timeout 120 ai-tokens -R --truncate 1000 b |
		jq -e '.tokens.count == 1000 and .tokens.truncated'
	head -c 4000000 /dev/zero | tr '\0' ' ' >c
	timeout 120 ai-tokens -R -r c >/dev/null
}

# ---- the peer --------------------------------------------------------------

@test "the same classes of all code points as tiktoken" {
	need_peer tiktoken
	"$BUILDDIR/tests/unit/bpe" classes |
		node "$SRCDIR/tests/peer/tiktoken.mjs" classes
}

@test "the same ids as tiktoken on 4 MB of this machine's text" {
	need_peer tiktoken
	# A sanitizer makes it ten times as slow, and looks for other things.
	local megabytes=4
	[ -z "${AI_SANITIZED-}" ] || megabytes=0.5
	timeout 600 node "$SRCDIR/tests/peer/tiktoken.mjs" text "$megabytes"
}

@test "the same ids as tiktoken on hostile text" {
	need_peer tiktoken
	timeout 300 node "$SRCDIR/tests/peer/tiktoken.mjs" hostile
}

@test "the same special tokens as tiktoken" {
	need_peer tiktoken
	timeout 300 node "$SRCDIR/tests/peer/tiktoken.mjs" special
}
