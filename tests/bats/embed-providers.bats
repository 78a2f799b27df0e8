# ai-embed's providers: what each is sent, what becomes of its answers, what is
# kept, and what it costs.
load helper
load ../stub/stub

setup_file() {
	stub_start
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	stub_reset
	ROOT=${STUB_URL%/v1}
	export AI_LEDGER=$PWD/ledger.db
	printf '{"text":"%s"}\n' one 'the second' >in
}

# spent: calls that were sent, and nano-dollars.
spent() {
	ai-cost report --by model | jq -s -c 'map([.calls,
		(.spent_usd * 1e9 | round)]) | add // []'
}

vectors() {
	jq -c '.embedding' "$@"
}

# ---- what each is sent ---------------------------------------------------------

@test "every provider: where, with what key, what body; the same vectors" {
	AI_BASE_URL=$STUB_URL ai-embed -m e-1 --dim 4 --numbers in |
		vectors >want
	export OPENAI_API_KEY=k AZURE_OPENAI_API_KEY=k VOYAGE_API_KEY=k \
		CO_API_KEY=k GEMINI_API_KEY=k MISTRAL_API_KEY=k JINA_API_KEY=k
	export OPENAI_BASE_URL=$STUB_URL VOYAGE_BASE_URL=$STUB_URL \
		MISTRAL_BASE_URL=$STUB_URL JINA_BASE_URL=$STUB_URL \
		CO_API_URL=$ROOT/v2 GOOGLE_GEMINI_BASE_URL=$ROOT/v1beta \
		OLLAMA_BASE_URL=$ROOT/api AZURE_OPENAI_ENDPOINT=$ROOT \
		AZURE_OPENAI_API_VERSION=2024-10-21
	: >"$STUB/log"
	for p in openai azure voyage cohere gemini mistral jina ollama; do
		ai-embed -m "$p/e-1" --dim 4 --numbers in >out
		vectors out | cmp - want
		assert_eq "$p $(jq -c .embed.model out | uniq)" \
			"$p \"$p/e-1\""
	done
	stub_log '[.path, .headers.authorization // .headers["api-key"] //
		.headers["x-goog-api-key"], .body]' >got
	cat >expected <<-'END'
	["/v1/embeddings","Bearer k",{"model":"e-1","input":["one","the second"],"encoding_format":"base64","dimensions":4}]
	["/openai/deployments/e-1/embeddings?api-version=2024-10-21","k",{"model":"e-1","input":["one","the second"],"encoding_format":"base64","dimensions":4}]
	["/v1/embeddings","Bearer k",{"model":"e-1","input":["one","the second"],"input_type":"document","truncation":false,"output_dimension":4,"encoding_format":"base64"}]
	["/v2/embed","Bearer k",{"model":"e-1","texts":["one","the second"],"input_type":"search_document","embedding_types":["float"],"output_dimension":4}]
	["/v1beta/models/e-1:batchEmbedContents","k",{"requests":[{"model":"models/e-1","content":{"parts":[{"text":"one"}]},"taskType":"RETRIEVAL_DOCUMENT","outputDimensionality":4},{"model":"models/e-1","content":{"parts":[{"text":"the second"}]},"taskType":"RETRIEVAL_DOCUMENT","outputDimensionality":4}]}]
	["/v1/embeddings","Bearer k",{"model":"e-1","inputs":["one","the second"],"encoding_format":"base64","output_dimension":4}]
	["/v1/embeddings","Bearer k",{"model":"e-1","input":["one","the second"],"task":"retrieval.passage","dimensions":4,"embedding_type":"base64","truncate":false}]
	["/api/embed",null,{"model":"e-1","input":["one","the second"],"truncate":false,"dimensions":4}]
	END
	diff expected got
}

@test "OpenAI's own description of its API takes what is sent" {
	need_shared data/openapi/openai-openapi.json
	need_peer ajv
	AI_BASE_URL=$STUB_URL ai-embed -m e-1 --dim 4 in >out
	stub_log .body >body
	cat >check.mjs <<-'END'
	import { createRequire } from 'node:module';
	import { readFileSync } from 'node:fs';
	const [, , peer, shared] = process.argv;
	const Ajv = createRequire(peer + '/x')(peer + '/ajv/dist/2020.js').default;
	const api = JSON.parse(readFileSync(shared));
	const ajv = new Ajv({ strict: false, validateFormats: false });
	ajv.addSchema({ $id: 'api', ...api });
	const check = ajv.compile({ $ref:
		'api#/components/schemas/CreateEmbeddingRequest' });
	const body = JSON.parse(readFileSync('body'));
	console.log(check(body), check({ ...body, input_type: 'x' }),
		check({ ...body, input: [] }));
	END
	assert_eq "$(node check.mjs \
		"${AI_TEST_PEER:-$SRCDIR/tests/peer}/node_modules" \
		"$AI_SHARED/data/openapi/openai-openapi.json")" \
		'true false false'
}

@test "providers that only make vectors answer no chats" {
	VOYAGE_API_KEY=k VOYAGE_BASE_URL=$STUB_URL run --separate-stderr \
		ai-complete -q -m voyage/voyage-4 hello
	assert_has "$output$stderr" 'makes vectors'
	assert_eq "$(stub_requests)" 0
	OPENAI_API_KEY=k run --separate-stderr ai-embed \
		--base-url "$STUB_URL" --api anthropic -m x in
	assert_status 78
	assert_has "$stderr" 'makes no vectors'
}

# ---- what a text is ----------------------------------------------------------------

@test "--input-type: from the member's name, or as told; only where it counts" {
	printf '%s\n' '{"text":"a"}' '{"query":"b"}' '{"text":"c"}' >mixed
	ask=(ai-embed --base-url "$STUB_URL" --api voyage -m e)
	"${ask[@]}" mixed >out
	assert_eq "$(stub_log '[.body.input_type, .body.input]' | sort)" \
'["document",["a","c"]]
["query",["b"]]'
	assert_eq "$(jq -c .embed.input_type out)" $'"document"\n"query"\n"document"'
	for type in document query none; do
		: >"$STUB/log"
		"${ask[@]}" --input-type "$type" mixed |
			jq -r '.embed.input_type // "none"' | uniq >told
		assert_eq "$(cat told)" "$type"
		assert_eq "$(stub_log '.body.input_type // "none"')" "\"$type\""
	done
	: >"$STUB/log"
	ai-embed --base-url "$STUB_URL" -m e --input-type query mixed |
		jq -e '.embed | has("input_type") | not' >/dev/null
	assert_eq "$(stub_log '.body | has("input_type")')" false
}

# ---- dimensions ----------------------------------------------------------------------

@test "--dim: a server that ignores it, one that refuses it: cut here" {
	ask=(ai-embed --base-url "$STUB_URL" -m e --numbers)
	"${ask[@]}" in >whole
	jq -c '.embedding[:3] | (map(. * .) | add | sqrt) as $l |
		map(. / $l * 1e5 | round)' whole >want
	no='{"status":400,"body":{"error":{"message":"This model does not support specifying dimensions.","type":"invalid_request_error","param":null,"code":null}}}'
	for script in '{"embed":"wide"}' "$no"; do
		: >"$STUB/log"
		stub_script "$script"
		"${ask[@]}" --dim 3 in >out
		jq -c '.embedding | map(. * 1e5 | round)' out | cmp - want
		assert_eq "$(jq -c '[.embed.dim, .embed.cut_from]' out | uniq)" \
			'[3,8]'
	done
	assert_eq "$(stub_log .body.dimensions)" $'3\nnull'
	# Once it is known, no request is wasted on it.
	: >"$STUB/log"
	stub_script "$no"
	seq 6 | "${ask[@]}" -R --dim 3 --batch 2 >out
	assert_eq "$(wc -l <out) $(stub_requests)" '6 4'
	stub_script "$no"
	run_sh "ai-embed -q --base-url $STUB_URL -m e --dim 9 in |
		jq -r .error.message | uniq"
	assert_has "$output" 'vectors of dimension 8, asked for 9'
}

# ---- batches -------------------------------------------------------------------------

@test "batches end where a provider's limit is: texts, tokens" {
	seq 250 >many
	ai-embed --base-url "$ROOT/v2" --api cohere -m e -R many |
		jq -e '.embed.dim == 8' >/dev/null
	assert_eq "$(stub_log '.body.texts | length')" $'96\n96\n58'
	: >"$STUB/log"
	for i in $(seq 20); do
		printf '{"text":"%d %s"}\n' "$i" "$(seq -s ' ' 1000 1500)"
	done >long
	ai-embed --base-url "$STUB_URL" --api mistral -m e long |
		jq -e '.embed.dim == 8' >/dev/null
	# Of some 1500 tokens each, at most 16,000 at once; nothing is lost.
	stub_log '.body.inputs | length' >sizes
	[ "$(wc -l <sizes)" -gt 1 ]
	[ "$(sort -n sizes | tail -n 1)" -le 16 ]
	assert_eq "$(jq -s add sizes)" 20
}

@test "-j: so many requests at once, no more" {
	echo '{"at_once":3,"delay_ms":100}' >"$STUB/limit"
	seq 60 | ai-embed --base-url "$STUB_URL" -m e -R -j 3 --batch 5 \
		--retries 0 --numbers >out
	jq -c '[.text, (.embedding[0] / .embedding[1] * 100 | floor)]' out |
		wc -l >n
	assert_eq "$(jq -r .text out | tr '\n' ' ')" "$(seq -s ' ' 60) "
	assert_eq "$(stub_requests) $(jq -s 'map(select(.error)) | length' out)" \
		'12 0'
}

@test "a retry, a limit, a breaker: as of every call" {
	stub_script '{"status":429,"headers":{"retry-after-ms":"30"}}' \
		'{"status":503,"headers":{"retry-after-ms":"30"}}'
	ai-embed --base-url "$STUB_URL" -m e --price 1,0 in >out
	assert_eq "$(jq -c .embed.dim out | uniq) $(stub_requests)" '8 3'
	ai-cost limit set '*' --requests 2 >/dev/null
	seq 3 | ai-embed -q --base-url "$STUB_URL" -m e --price 1,0 -R --batch 1 \
		--max-wait 0 >out || true
	jq -s -e 'any(.error.code == "try_later")' out
}

# ---- what is kept ----------------------------------------------------------------------

@test "the same passage is paid for once: in one run, in the next, by another" {
	printf '{"i":%d,"text":"%s"}\n' 1 a 2 b 3 a 4 a 5 c >dup
	ask=(ai-embed --base-url "$STUB_URL" -m e --price '1,0')
	"${ask[@]}" dup >first
	assert_eq "$(stub_log .body.input)" '["a","b","c"]'
	assert_eq "$(jq -c '[.i, .embed.cached]' first)" \
		$'[1,false]\n[2,false]\n[3,true]\n[4,true]\n[5,false]'
	before=$(spent)
	: >"$STUB/log"
	"${ask[@]}" dup >second
	assert_eq "$(stub_requests)" 0
	vectors second | cmp - <(vectors first)
	assert_eq "$(jq -c .embed.cached second | uniq)" true
	assert_eq "$(spent)" "$before"
	# Another model, dimension, tenant or kind of text is another vector.
	for other in '-m f' '--dim 4' '--tenant t' '--api voyage'; do
		: >"$STUB/log"
		# shellcheck disable=SC2086 # two words
		"${ask[@]}" $other dup >/dev/null
		assert_eq "$other $(stub_log '.body.input | length')" "$other 3"
	done
	: >"$STUB/log"
	"${ask[@]}" --cache off dup >/dev/null
	assert_eq "$(stub_requests)" 1
	echo '{"text":"new"}' >new
	run_sh "ai-embed -q --base-url $STUB_URL -m e --price 1,0 \
		--cache only new | jq -r .error.code"
	assert_eq "${lines[0]}" unavailable
}

@test "what costs nothing is kept only if that is asked for" {
	ai-embed --base-url "$STUB_URL" -m e in >/dev/null
	[ ! -e ledger.db ]
	for _ in 1 2; do
		ai-embed --base-url "$STUB_URL" -m e --cache on in >out
	done
	assert_eq "$(stub_requests) $(jq -c .embed.cached out | uniq)" '2 true'
}

@test "the oldest goes where --cache-size is passed, and is asked again" {
	for i in 1 2 3 4 5 6; do
		seq $((i * 100)) $((i * 100 + 99)) | ai-embed -R --dim 2000 \
			--base-url "$STUB_URL" -m e --price 0.001,0 \
			--cache-size 2M >/dev/null
	done
	: >"$STUB/log"
	seq 600 699 | ai-embed -R --dim 2000 --base-url "$STUB_URL" -m e \
		--price 0.001,0 --cache-size 2M >/dev/null
	assert_eq "$(stub_requests)" 0
	seq 100 199 | ai-embed -R --dim 2000 --base-url "$STUB_URL" -m e \
		--price 0.001,0 --cache-size 2M >/dev/null
	assert_eq "$(stub_requests)" 1
}

@test "kill -9, and again: only what was under way is asked twice" {
	echo '{"at_once":100,"delay_ms":60}' >"$STUB/limit"
	seq 200 >texts
	ask=(ai-embed -R --base-url "$STUB_URL" -m e --price '1,0' --batch 5 -j 2)
	for _ in 1 2 3; do
		"${ask[@]}" texts >killed 3>&- &
		pid=$!
		want=$(($(stub_requests) + 7))
		for _ in $(seq 200); do
			[ "$(stub_requests)" -lt "$want" ] || break
			sleep 0.02
		done
		kill -KILL "$pid"
		wait "$pid" || true
	done
	rm "$STUB/limit"
	"${ask[@]}" texts >out
	assert_eq "$(jq -r .text out | cmp - texts && wc -l <out)" 200
	jq -s -e 'all(.embed.dim == 8)' out
	# At most -j requests of 5 texts stood at the server each time.
	stub_log '.body.input[]' | sort | uniq -d | wc -l >twice
	[ "$(cat twice)" -le 30 ]
	[ "$(stub_requests)" -le 46 ]
	# And all is said twice more without a request.
	: >"$STUB/log"
	"${ask[@]}" texts | vectors >again
	vectors out | cmp - again
	assert_eq "$(stub_requests)" 0
}

# ---- money ---------------------------------------------------------------------------

@test "what was billed is booked; a budget refuses before anything is sent" {
	ai-embed --base-url "$STUB_URL" -m e --price 1000,0 in >out
	# The stub counts one token a byte, and a blank between texts.
	assert_eq "$(spent)" '[1,14000000]'
	ai-cost budget set all total 0.02 >/dev/null
	: >"$STUB/log"
	run --separate-stderr ai-embed -q --base-url "$STUB_URL" -m e2 \
		--price 1000,0 in
	assert_status 3
	assert_eq "$(jq -r .error.code <<<"$output" | uniq)" budget_exceeded
	assert_eq "$(stub_requests)" 0
	# What is kept costs nothing, and comes all the same.
	ai-embed --base-url "$STUB_URL" -m e --price 1000,0 in >again
	vectors again | cmp - <(vectors out)
}

# ---- what is written -------------------------------------------------------------------

@test "--encoding: fewer bytes, near the same cosine, the members say it" {
	seq 20 >texts
	ai-embed -m local/hash -R --dim 256 --numbers texts >whole
	for code in f16:512 int8:256 binary:32; do
		bytes=${code#*:} code=${code%:*}
		ai-embed -m local/hash -R --dim 256 --encoding "$code" texts >coded
		assert_eq "$(head -n 1 coded | jq -r .embedding | base64 -d | wc -c)" \
			"$bytes"
		assert_eq "$(jq -c '[.embed.dim, .embed.encoding]' coded | uniq)" \
			"[256,\"$code\"]"
		ai-embed -m local/hash -R --dim 256 --encoding "$code" --numbers texts >numbers
		least=0.99
		[ "$code" != binary ] || least=0.05
		jq -n -e --slurpfile a whole --slurpfile b numbers \
			--argjson least "$least" '
			def dot(x; y): [x, y] | transpose | map(.[0] * .[1]) | add;
			[$a, $b] | transpose | all(map(.embedding) | dot(.[0]; .[1]) /
				(dot(.[0]; .[0]) * dot(.[1]; .[1]) | sqrt) > $least)'
	done
	ai-embed -m local/hash -R --dim 256 --encoding int8 --numbers texts | jq -s -e \
		'all(.embedding | (map(fabs) | max) == 127 and all(floor == .))'
}

# ---- when the input pauses, and when it ends ---------------------------------------------

@test "when the input pauses, what was read is sent and written" {
	mkfifo pipe
	ai-embed -R --base-url "$STUB_URL" -m e <pipe >out 3>&- &
	pid=$!
	exec 7>pipe
	echo first >&7
	for _ in $(seq 100); do
		[ ! -s out ] || break
		sleep 0.05
	done
	assert_eq "$(jq -r .text out)" first
	echo second >&7
	exec 7>&-
	wait "$pid"
	assert_eq "$(jq -r .text out)" $'first\nsecond'
}

@test "SIGINT: what was not sent says so, what was is waited for" {
	echo '{"at_once":9,"delay_ms":700}' >"$STUB/limit"
	seq 40 >texts
	env --default-signal=INT ai-embed -R --base-url "$STUB_URL" -m e \
		--batch 10 --price 1,0 texts >out 2>err 3>&- &
	pid=$!
	for _ in $(seq 100); do
		[ "$(stub_requests)" -eq 0 ] || break
		sleep 0.02
	done
	kill -INT "$pid"
	code=0
	wait "$pid" || code=$?
	rm "$STUB/limit"
	assert_eq "$code $(stub_requests)" '130 1'
	jq -c '[.error.code // "good"]' out | uniq -c >how
	assert_has "$(cat how)" '10 ["good"]'
	assert_has "$(cat how)" '["try_later"]'
	# What came is kept: only the rest is asked.
	: >"$STUB/log"
	ai-embed -R --base-url "$STUB_URL" -m e --price 1,0 texts >again
	assert_eq "$(stub_log '.body.input | length')" 30
}
