# ai-embed: its own models, and a provider that behaves or does not.
load helper
load ../stub/stub

setup_file() {
	stub_start
	export AI_BASE_URL=$STUB_URL
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	stub_reset
}

texts() {
	seq "$1" | while read -r i; do
		printf '{"i":%d,"text":"%s"}\n' "$i" \
			"$(printf 'x%.0s' $(seq "$i"))"
	done
}

# ---- local/hash ----------------------------------------------------------------

@test "local/hash: members, dimension, base64 and numbers agree" {
	echo '{"id":"a","text":"the quick brown fox"}' >in
	ai-embed -m local/hash in >out
	assert_eq "$(jq -c .embed out)" \
		'{"model":"local/hash","dim":512,"norm":"l2","cached":false}'
	assert_eq "$(jq -r .embedding out | base64 -d | wc -c)" 2048
	ai-embed -m local/hash --dim 64 in | jq -r .embedding | base64 -d |
		od -An -v -t f4 -w4 | jq -s -c . >floats
	ai-embed -m local/hash --dim 64 --numbers in | jq -c .embedding >numbers
	jq -n -e --slurpfile a floats --slurpfile b numbers \
		'[$a[0], $b[0]] | transpose | length == 64 and
		 all(.[0] - .[1] | fabs < 1e-6)'
}

@test "local/hash: deterministic, of length 1, nearer to what is near" {
	printf '{"text":"%s"}\n' 'copy a file to another place' \
		'how a file is copied elsewhere: copy the file' \
		'rain is expected over the northern hills' >in
	ai-embed -m local/hash --numbers in >a
	ai-embed -m local/hash --numbers -j 3 in | cmp - a
	jq -s -e 'def dot(a; b): [a, b] | transpose | map(.[0] * .[1]) | add;
		map(.embedding) | (dot(.[0]; .[0]) - 1 | fabs < 1e-5) and
		dot(.[0]; .[1]) > dot(.[0]; .[2]) + 0.1' a
}

# ---- models that are fitted -------------------------------------------------------

@test "local/words is the default: members, determinism, what is near" {
	printf '{"text":"%s"}\n' 'a car on the road' 'the automobile and its engine' \
		'a file is copied to a folder' '' 'zzxqj' >in
	ai-embed --numbers in >a
	assert_eq "$(head -n 1 a | jq -c .embed)" \
		'{"model":"local/words","dim":512,"norm":"l2","cached":false}'
	ai-embed -m local/words --numbers -j 3 in | cmp - a
	jq -s -e 'def dot(a; b): [a, b] | transpose | map(.[0] * .[1]) | add;
		map(.embedding) | (dot(.[0]; .[0]) - 1 | fabs < 1e-5) and
		dot(.[0]; .[1]) > dot(.[0]; .[2]) + 0.05 and
		(.[3] | unique == [0]) and (dot(.[4]; .[4]) - 1 | fabs < 1e-5)' a
	run --separate-stderr ai-embed --dim 64 in
	assert_status 64
	assert_has "$stderr" "512 dimensions"
}

@test "the data file of local/words is the one that data/WORDS describes" {
	run sha256sum "$SRCDIR/data/words.emb"
	assert_has "$(<"$SRCDIR/data/WORDS")" "${output%% *}"
	(($(stat -c %s "$SRCDIR/data/words.emb") <= 5000000))
}

# texts N: about two things, of words of their own
fit_texts() {
	local i
	for ((i = 0; i < $1; i++)); do
		if ((i % 2)); then
			echo "{\"text\":\"the boat sails over water number n$i to the harbour with wind\"}"
		else
			echo "{\"text\":\"the cook bakes bread number n$i in the oven with flour\"}"
		fi
	done
}

@test "fit makes a model, the same each time; -m uses it" {
	unset AI_BASE_URL
	fit_texts 400 >in
	run --separate-stderr ai-embed fit -o x.emb in
	assert_status 0
	assert_eq "$output$stderr" ''
	assert_eq "$(find . -name 'x.emb*')" ./x.emb
	ai-embed fit -j 4 -o y.emb <in
	cmp x.emb y.emb
	printf '{"text":"%s"}\n' 'oven' 'bread and flour' 'harbour' >q
	ai-embed -m x.emb --numbers q >out
	assert_eq "$(jq -c .embed out | sort -u)" \
		'{"model":"x.emb","dim":192,"norm":"l2","cached":false}'
	jq -s -e 'def dot(a; b): [a, b] | transpose | map(.[0] * .[1]) | add;
		map(.embedding) | dot(.[0]; .[1]) > 0.4 and
		dot(.[0]; .[2]) < 0.1' out
	ai-embed fit --dim 32 -o small.emb in
	assert_eq "$(ai-embed -m small.emb q | jq -r .embed.dim | sort -u)" 32
}

@test "fit: links are followed, pipes written to, two at once do not mix" {
	fit_texts 400 >in
	ai-embed fit -o x.emb in
	mkfifo pipe
	cat pipe >through &
	ai-embed fit -o pipe in
	wait
	[ -p pipe ]
	cmp x.emb through
	ai-embed fit -o /dev/stdout in | cmp - x.emb
	[ -L /dev/stdout ]
	mkdir -p else
	echo old >else/y.emb
	ln -s else/y.emb link
	for i in 1 2 3; do
		ai-embed fit -o link in 3>&- &
	done
	wait
	[ -L link ]
	cmp x.emb else/y.emb
	assert_eq "$(ls else)" y.emb
	run ai-embed fit -o else in
	assert_status 73
}

@test "fit: what it refuses, and what it warns of" {
	run --separate-stderr ai-embed fit /dev/null
	assert_status 64
	assert_has "$stderr" "-o FILE"
	run --separate-stderr ai-embed fit -o x.emb /dev/null
	assert_status 65
	assert_eq "$(find . -name 'x.emb*')" ''
	run --separate-stderr ai-embed fit --dim 33 -o x.emb /dev/null
	assert_status 64
	run --separate-stderr ai-embed -o x.emb /dev/null
	assert_status 64
	assert_has "$stderr" "ai-embed fit"
	fit_texts 20 >in
	run --separate-stderr ai-embed fit -o no/x.emb in
	assert_status 73
	run --separate-stderr ai-embed fit -o x.emb in
	assert_status 0
	assert_has "$stderr" "local/words"
	(echo '{"text":7}'; cat in) >odd
	run --separate-stderr ai-embed fit -q -o y.emb odd
	assert_status 2
	assert_eq "$(jq -r .error.code <<<"$output")" invalid_record
	cmp x.emb y.emb
}

@test "a damaged model is an error, never another vector" {
	unset AI_BASE_URL
	fit_texts 20 >in
	ai-embed -q fit -o x.emb in
	ai-embed -m x.emb in >good
	for at in 8 60 100 300 2000 "$(($(stat -c %s x.emb) - 2))"; do
		cp x.emb bad.emb
		printf '\x55' | dd of=bad.emb bs=1 seek="$at" conv=notrunc status=none
		cmp -s x.emb bad.emb && continue
		run_sh 'ai-embed -q -m bad.emb in | jq -c "[.embedding, .error.code]"'
		[[ $status -eq 65 || $output != *'["'* ]] || {
			jq -c '[.embedding, .error.code]' good >want
			while read -r line; do
				[[ $line == '[null,"unusable_input"]' ]] ||
					grep -qxF "$line" want
			done <<<"$output"
		}
	done
	head -c 100 x.emb >cut.emb
	run --separate-stderr ai-embed -m cut.emb in
	assert_status 65
	assert_has "$stderr" "cut.emb"
}

@test "the text: -p, query where text is absent, else an error record" {
	printf '%s\n' '{"text":"a b","query":"q"}' '{"query":"a b"}' \
		'{"completion":{"text":"a b"}}' '{"text":7}' '{}' >in
	run_sh 'ai-embed -q in | jq -c "[.error.code, .embedding == null]"'
	assert_status 2
	assert_eq "$output" '[null,false]
[null,false]
["invalid_record",true]
["invalid_record",true]
["invalid_record",true]'
	run_sh 'ai-embed -q -p completion.text in | jq -c "[.error.code]"'
	assert_eq "$output" '["invalid_record"]
["invalid_record"]
[null]
["invalid_record"]
["invalid_record"]'
}

@test "records pass byte for byte but for the members added" {
	echo '{ "n": 123456789012345678901234567890, "text":"\u0000a", "n":1 }' >in
	ai-embed in | sed 's/,"embed":.*//' >out
	assert_eq "$(cat out)" "$(sed 's/}$//' in)"
	ai-embed in | ai-embed -m local/hash --dim 64 | jq -s -e \
		'length == 1 and .[0].embed.dim == 64'
}

@test "dimensions out of range, no such local model, no such option" {
	run --separate-stderr ai-embed -m local/hash --dim 63 /dev/null
	assert_status 64
	assert_has "$stderr" "from 64 to 4096"
	run --separate-stderr ai-embed --dim 0 /dev/null
	assert_status 64
	AI_BASE_URL='' run --separate-stderr ai-embed -m local/nope /dev/null
	assert_status 78
	assert_has "$stderr" "local/hash"
	run --separate-stderr ai-embed --numbres /dev/null
	assert_status 64
	assert_has "$stderr" "--numbers"
}

@test "an empty text has a vector of zeros with local/hash" {
	run_sh "echo '{\"text\":\"\"}' | ai-embed -m local/hash --numbers --dim 64 | \
		jq -c '[.error, (.embedding | unique)]'"
	assert_status 0
	assert_eq "$output" '[null,[0]]'
}

# ---- a provider ----------------------------------------------------------------

@test "a request: base64 asked for, batched, order kept" {
	texts 10 >in
	ai-embed -m emb-1 --batch 4 --numbers in >out
	assert_eq "$(stub_log '[.method, .path, .body.model,
		.body.encoding_format, (.body.input | length),
		.body.dimensions]')" \
'["POST","/v1/embeddings","emb-1","base64",4,null]
["POST","/v1/embeddings","emb-1","base64",4,null]
["POST","/v1/embeddings","emb-1","base64",2,null]'
	jq -c '[.i, (.embedding[0] / .embedding[1] * 120 | round)]' out >got
	seq 10 | jq -c '[., .]' | cmp - got
	assert_eq "$(jq -c .embed out | uniq)" \
		'{"model":"emb-1","dim":8,"norm":"l2","cached":false}'
	jq -e '(.embedding | map(. * .) | add) - 1 | fabs < 1e-6' out
}

@test "floats, both forms mixed, shuffled, without index: the same vectors" {
	texts 7 >in
	ai-embed -m e --numbers in >want
	for how in floats mixed shuffle noindex; do
		stub_script "{\"embed\":\"$how\"}"
		ai-embed -m e --numbers in >got
		if ! cmp want got; then
			echo "$how"
			return 1
		fi
	done
}

@test "--dim is sent, and answered" {
	texts 1 >in
	ai-embed -m e --dim 3 in | jq -e '.embed.dim == 3'
	assert_eq "$(stub_log .body.dimensions)" 3
	stub_script '{"merge":{"data":[{"index":0,"embedding":[1,2]}]}}'
	run_sh "ai-embed -q -m e --dim 3 in | jq -r .error.code"
	assert_status 2
	assert_eq "$output" invalid_answer
}

@test "with -j each thread asks, the order stays" {
	texts 40 >in
	for _ in $(seq 5); do echo '{"delay_ms":150}'; echo '{}'; done \
		>"$STUB/script"
	ai-embed -m e -j 4 --batch 3 --numbers in |
		jq -c '[.i, (.embedding[0] / .embedding[1] * 120 | round)]' >got
	seq 40 | jq -c '[., .]' | cmp - got
	assert_eq "$(stub_requests)" 14
}

@test "texts are cut into requests by their bytes" {
	head -c 200000 /dev/zero | tr '\0' a >long
	for i in 1 2 3 4 5; do jq -c -R "{text: (. + \"$i\")}" <long; done >in
	ai-embed -m e in | jq -e '.embed.dim == 8'
	assert_eq "$(stub_log '.body.input | length')" $'2\n2\n1'
}

@test "one bad text fails alone" {
	printf '{"i":%d,"text":"%s"}\n' 1 one 2 two 3 BAD 4 four 5 five \
		6 BAD 7 seven >in
	run_sh "ai-embed -q -m e in | jq -c '[.i, .error.code,
		(.error.message // \"\" | test(\"input.0. is not acceptable\")),
		.embed.dim]'"
	assert_status 2
	assert_eq "$output" '[1,null,false,8]
[2,null,false,8]
[3,"request_rejected",true,null]
[4,null,false,8]
[5,null,false,8]
[6,"request_rejected",true,null]
[7,null,false,8]'
}

@test "when all is refused, few requests are made" {
	for i in $(seq 64); do echo "{\"i\":$i,\"text\":\"BAD\"}"; done >in
	run_sh "ai-embed -q -m e in | jq -r .error.code | sort | uniq -c"
	assert_status 2
	assert_has "$output" "64 request_rejected"
	[ "$(stub_requests)" -le 16 ]
	stub_reset
	stub_script '{"status":400,"body":{"error":{"message":"no such dimension","type":"invalid_request_error","param":"dimensions","code":null}}}'
	run_sh "ai-embed -q -m e in | jq -r .error.message | uniq -c"
	assert_has "$output" "64 127.0.0.1"
	assert_has "$output" "no such dimension"
	assert_eq "$(stub_requests)" 1
}

@test "an empty text is an error record, and not sent" {
	printf '{"text":"%s"}\n' a '' b >in
	run_sh "ai-embed -q -m e in | jq -c '[.error.code, .error.message]'"
	assert_status 2
	assert_eq "$output" '[null,null]
["invalid_record","the text is empty"]
[null,null]'
	assert_eq "$(stub_log '.body.input')" '["a","b"]'
}

@test "counts, indexes, dimensions and numbers that do not fit" {
	texts 3 >in
	for how in fewer more twice nan dims; do
		stub_script "{\"embed\":\"$how\"}"
		run_sh "ai-embed -q -m e in | jq -r .error.code | uniq -c"
		assert_status 2
		assert_has "$output" "3 invalid_answer"
	done
}

@test "broken answers: half a JSON, not JSON, an error that says 200" {
	texts 1 >in
	stub_script '{"fault":"half"}' '{"status":200,"body":"<html>"}' \
		'{"status":200,"body":{"error":{"message":"boom","code":400}}}'
	run_sh "ai-embed -q -m e in | jq -r .error.code"
	assert_eq "$output" invalid_answer
	run_sh "ai-embed -q -m e in | jq -r .error.code"
	assert_eq "$output" invalid_answer
	run_sh "ai-embed -q -m e in | jq -r '.error.code, .error.message'"
	assert_eq "${lines[0]}" request_rejected
	assert_has "$output" boom
	assert_eq "$(stub_requests)" 3
}

@test "an answer that is none of a model: from where, of what type" {
	texts 1 >in
	stub_script '{"status":200,"headers":{"content-type":"text/html"},"body":"<html>"}'
	run_sh "ai-embed -q -m e in | jq -r .error.message"
	assert_has "$output" "the answer of $STUB_URL/embeddings cannot be used: the answer is not JSON"
	assert_has "$output" "it begins '<html>'"
}

@test "--as: both members within one of that name; the others stay" {
	echo '{"text":"a fox","title":"foxes","embed":{"model":"x"}}' >in
	for model in local/hash e; do
		ai-embed --numbers in -m "$model" | jq -c '[.embed, .embedding]' \
			>want
		ai-embed --numbers -m "$model" --as v in >out
		jq -c '[.v.embed, .v.embedding]' out | cmp - want
		assert_eq "$(jq -c 'del(.v)' out)" "$(cat in)"
	done
	ai-embed -m local/hash in | ai-embed -m local/hash -p title --as t | jq -e \
		'.t.embed.dim == .embed.dim and .t.embedding != .embedding'
	run --separate-stderr ai-embed --as error in
	assert_status 64
}

@test "ai-search takes every encoding, as base64 and as numbers" {
	printf '{"id":"%s","text":"%s"}\n' a 'copy a file to another place' \
		b 'rain is expected over the northern hills' \
		c 'a recipe of bread, flour and water' >in
	for code in f32 f16 int8 binary; do
		for how in '' --numbers; do
			# shellcheck disable=SC2086 # an option or none
			ai-embed --encoding "$code" $how in |
				ai-search add -i "$code$how.idx" -q
			# shellcheck disable=SC2086 # the same
			echo '{"text":"rain over hills"}' |
				ai-embed --encoding "$code" $how |
				ai-search -i "$code$how.idx" --mode dense -k 1 |
				jq -e '.hits[0].id == "b"'
		done
	done
	echo '{"id":"d","text":"x","embed":{"model":"local/hash","dim":512,"encoding":"int4"},"embedding":"AAAA"}' >odd
	run_sh "ai-search add -i f32.idx odd 2>&1"
	assert_has "$output" 'encoding that is not known'
}

@test "error records pass, bad lines become them, in their places" {
	{
		texts 2
		echo '{"text":"x","error":{"tool":"ai-x","code":"try_later"}}'
		echo '{"text":'
		texts 1
	} >in
	run_sh "ai-embed -q -m e in | jq -c '[.i, .error.code, .embed.dim]'"
	assert_status 2
	assert_eq "$output" '[1,null,8]
[2,null,8]
[null,"try_later",null]
[null,"invalid_json",null]
[1,null,8]'
}

@test "no key, a key refused, nobody there: exit statuses" {
	texts 1 >in
	AI_BASE_URL='' run --separate-stderr ai-embed -m openai/x in
	assert_status 77
	assert_has "$stderr" OPENAI_API_KEY
	stub_script '{"status":401}'
	run --separate-stderr ai-embed -m e in
	assert_status 77
	AI_BASE_URL=http://127.0.0.1:1 run --separate-stderr \
		ai-embed -q --retries 0 -m e in
	assert_status 69
	assert_eq "$(jq -r .error.code <<<"$output")" unavailable
}

# ---- Gemini --------------------------------------------------------------------

@test "Gemini's own vectors: a hundred texts at once, and what they cost" {
	export AI_BASE_URL=${STUB_URL%/v1}
	jq -nc '{status: 200, body: {embeddings: [range(100) |
		{values: [3, 4]}], usageMetadata: {promptTokenCount: 50}}},
		{status: 200, body: {embeddings: [{values: [0, 2]}]}}' \
		>"$STUB/script"
	texts 101 >in
	AI_LEDGER=$PWD/ledger.db AI_PRICE=1,0 ai-embed --api gemini -m e-1 \
		--dim 2 --batch 200 --numbers in >out
	assert_eq "$(head -n 1 out | jq -c .embedding)" '[0.6,0.8]'
	assert_eq "$(tail -n 1 out | jq -c .embedding)" '[0,1]'
	assert_eq "$(wc -l <out)" 101
	assert_eq "$(stub_log '[.path, (.body.requests | length), .body.requests[0]]')" \
		'["/v1beta/models/e-1:batchEmbedContents",100,{"model":"models/e-1","content":{"parts":[{"text":"x"}]},"taskType":"RETRIEVAL_DOCUMENT","outputDimensionality":2}]
["/v1beta/models/e-1:batchEmbedContents",1,{"model":"models/e-1","content":{"parts":[{"text":"'"$(printf 'x%.0s' $(seq 101))"'"}]},"taskType":"RETRIEVAL_DOCUMENT","outputDimensionality":2}]'
	# The first tells what it counted; the second costs at most its bytes.
	assert_eq "$(AI_LEDGER=$PWD/ledger.db ai-cost report --by model |
		jq -c '[.calls, .spent_usd > 0.00005, .spent_usd < 0.0006]')" '[2,true,true]'
}

@test "a path to what is no model, or cannot be read, is told as that" {
	echo '{"text":"wing"}' >in
	echo nothing >m.emb
	for path in ./in m.emb "$PWD/m.emb"; do
		run --separate-stderr env -u AI_BASE_URL ai-embed -m "$path" in
		assert_status 65
		assert_has "$stderr" "'$path' is no embedding model"
	done
	run --separate-stderr env -u AI_BASE_URL ai-embed -m in/m.emb in
	assert_status 66
	assert_has "$stderr" "cannot open 'in/m.emb': Not a directory"
	run --separate-stderr env -u AI_BASE_URL ai-embed -m ./nothing in
	assert_status 78
}
