#!/usr/bin/env bats
# ai-guard: what a text must be before anything is looked for in it.
load helper

# found TEXT: rule, score and the bytes of what is invalid, a line each. TEXT is
# a string of JSON without its quotes.
found() {
	# jq refuses what stands in some of these texts.
	printf '{"text":"%s"}\n' "$1" | ai-guard |
		sed 's/^.*,"guard":/{"guard":/' >out || return
	jq -c '.guard.findings[] | select(.kind == "invalid") |
		[.rule, .score] + .span' out
}

@test "validate: what texts are full of is nothing" {
	assert_eq "$(found 'a\tb\r\nc\n\fd \u00a0\u00ad\u2028\ufffd')" ''
	assert_eq "$(found '\ufeffbyte order mark')" ''
	# heart, family, keycap, rainbow flag, England
	assert_eq "$(found '\u2764\ufe0f \ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67 1\ufe0f\u20e3')" ''
	assert_eq "$(found '\ud83c\udff3\ufe0f\u200d\ud83c\udf08')" ''
	assert_eq "$(found '\ud83c\udff4\udb40\udc67\udb40\udc62\udb40\udc65\udb40\udc6e\udb40\udc67\udb40\udc7f')" ''
	# Hebrew with marks, an embedding and an isolate; Persian with ZWNJ
	assert_eq "$(found '\u05e9\u05dc\u05d5\u05dd\u200f! \u202bC++\u202c \u2067x\u2069')" ''
	assert_eq "$(found '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645')" ''
	# an ideograph's variant, what a quotation mark is in the wrong encoding
	assert_eq "$(found '\u845b\udb40\udd00 \u00e2\u0080\u009cno\u00e2\u0080\u009d \u0092')" ''
	# names in isolates, as translated messages have them; an icon
	assert_eq "$(found 'Hello, \u2068Anna\u2069! \uf0b7')" ''
}

@test "validate: control characters, and lines that overwrite others" {
	assert_eq "$(found 'a\u0000\u0008b')" '["control",0.5,1,3]'
	assert_eq "$(found 'rm -rf /\recho hi')" '["control",0.4,8,9]'
	assert_eq "$(found 'a\r\r\nb\r')" ''
	assert_eq "$(found 'a\u206a\ufffa')" '["control",0.5,1,7]'
	assert_eq "$(found 'a\ufdd0 \ud83f\udffe')" '["noncharacter",0.5,1,4]
["noncharacter",0.5,5,9]'
}

@test "validate: an escape sequence is found from its first to its last byte" {
	assert_eq "$(found 'a\u001b[31mb')" '["escape",0.3,1,6]'
	assert_eq "$(found 'a\u001b[1;8mb')" '["escape",0.9,1,7]'
	assert_eq "$(found 'a\u001b[2Jb\u001b[6n')" '["escape",0.8,1,5]
["escape",0.9,6,10]'
	assert_eq "$(found '\u001b]8;;http://a.example/\u001b\\x\u001b]8;;\u0007')" '["escape",0.8,0,24]
["escape",0.8,25,31]'
	assert_eq "$(found 'a\u001b]52;c;aGk=\u0007b')" '["escape",0.95,1,13]'
	assert_eq "$(found 'a\u001bPq#0\u001b\\b\u001b_x\u0007')" '["escape",0.9,1,8]
["escape",0.9,9,13]'
	# as one character
	assert_eq "$(found 'a\u009b2Jb\u009d52;c;aGk=\u009c')" '["escape",0.8,1,5]
["escape",0.95,6,19]'
	# without an end: what follows is looked at all the same
	assert_eq "$(found '\u001b]52;x\u001b[2J')" '["escape",0.95,0,4]
["escape",0.8,6,10]'
	assert_eq "$(found 'end\u001b')" '["escape",0.6,3,4]'
}

@test "validate: directions that show another order than there is" {
	assert_eq "$(found 'if \u202e x \u202c')" '["bidi",0.9,3,6]'
	assert_eq "$(found '/*\u2067 } if \u2066admin\u2069 begin */\nnext')" '["bidi",0.7,2,5]'
	assert_eq "$(found 'a\u2067b\u2069')" '["bidi",0.6,1,4]'
	assert_eq "$(found '\u2069')" '["bidi",0.3,0,3]'
	# closed in another line is not closed
	assert_eq "$(found '\u05d0\u2067b\n\u2069')" '["bidi",0.3,2,5]
["bidi",0.3,7,10]'
}

@test "validate: what is smuggled in characters that nobody sees" {
	# "ig" in tags; a flag that there is not
	assert_eq "$(found 'a\udb40\udc69\udb40\udc67b')" '["tags",0.95,1,9]'
	assert_eq "$(found '\ud83c\udff4\udb40\udc69\udb40\udc67\udb40\udc7f')" '["tags",0.95,4,16]'
	# bytes in the selectors behind an emoji
	assert_eq "$(found '\ud83d\ude00\udb40\udd10\udb40\udd11\ufe03')" '["selectors",0.9,4,15]'
	assert_eq "$(found 'a\ufe0fb')" '["selectors",0.5,1,4]'
	assert_eq "$(found 'x\u200b\u200c\u200b\u200b\u200c\u200c\u200b\u200c')" '["invisible",0.8,1,25]'
	assert_eq "$(found 'x\ue001\ue002\ue003\ue004')" '["private",0.4,1,13]'
}

@test "validate: half a character is found where it is" {
	assert_eq "$(found '\u00e9\ud800x\n\ud83d\ude00\udc00 \ufffd')" '["surrogate",0.6,2,5]
["surrogate",0.6,11,14]'
	assert_eq "$(found '\\ud800 \ufffd')" ''
}

@test "validate: a line that is not UTF-8 is an error record" {
	run_sh 'printf "{\"text\":\"a\\377\"}\n" | ai-guard'
	assert_status 2
	assert_eq "$(jq -r .error.code <<<"$output")" invalid_utf8
	run_sh 'printf "a\\377\n" | ai-guard -R'
	assert_status 2
}

@test "validate: a text that is too long is a finding" {
	run_sh 'printf "12345\n123456\n" | ai-guard -R --max-text 5 |
		jq -c "[.guard.findings[] | [.rule, .score, .span, .reason]]"'
	assert_status 0
	assert_eq "$output" '[]
[["size",1,[5,6],"6 bytes; at most 5 are wanted"]]'
}

@test "validate: records, and the JSON in their texts, against a schema" {
	echo '{"type":"object","required":["text"],"properties":{"n":{"minimum":1}}}' >record.json
	echo '{"type":"object","properties":{"attack":{"type":"boolean"}},"additionalProperties":false}' >text.json
	run_sh "printf '%s\n' '{\"text\":\"{\\\"attack\\\":true}\",\"n\":1}' \
		'{\"text\":\"{\\\"attack\\\":1}\",\"n\":0}' '{\"text\":\"none\"}' |
		ai-guard --schema record.json --text-schema text.json |
		jq -c '[.guard.findings[] | [.kind, .rule, .view, .span, .reason]]'"
	assert_status 0
	assert_eq "$output" '[]
[["invalid","schema","record",[0,0],"n: 0 is less than the minimum 1"],["invalid","text-schema","text",[0,12],"attack: expected true or false, not 1"]]
[["invalid","text-schema","text",[0,4],"no JSON: a value is expected at byte 1"]]'
}

@test "validate: a schema that is none is told at the start, with its place" {
	echo '{"properties":{"n":{"minimum":"one"}}}' >bad.json
	run --separate-stderr ai-guard --schema bad.json </dev/null
	assert_status 65
	assert_has "$stderr" "'bad.json' is no schema: properties.n.minimum"
	run --separate-stderr ai-guard --text-schema bad.json </dev/null
	assert_status 65
	run --separate-stderr ai-guard --schema none.json </dev/null
	assert_status 66
	echo '{' >bad.json
	run --separate-stderr ai-guard --schema bad.json </dev/null
	assert_status 65
	assert_has "$stderr" 'expected at byte 3'
}

@test "validate: no harmless text of the development sets is invalid" {
	need_shared data/guard/dev
	cat "$AI_SHARED"/data/guard/{dev,train}/*.jsonl | jq -c 'select(.label == 0)' >harmless
	cat "$AI_SHARED"/data/guard/pii/*.jsonl >>harmless
	ai-guard harmless >out
	assert_eq "$(jq -c 'select(any(.guard.findings[]; .kind == "invalid")).source' out)" ''
	[ "$(wc -l <out)" -gt 8000 ]
}

@test "validate: a schema's finding does not quote what is taken out" {
	echo '{"properties":{"text":{"pattern":"^x"}}}' >schema
	echo '{"text":"key AKIA5PKUVQXW7OHT2RZA"}' >in
	run ai-guard --schema schema --redact in
	assert_eq "$(jq -c '.guard.findings[0] | [.rule, .reason]' <<<"$output")" \
		'["schema","the schema'"'"'s properties.text.pattern is violated"]'
	[[ $output != *AKIA5* ]]
	# Of the text, too, whose names are its own as well.
	echo '{"properties":{"a":{"type":"integer"}},"additionalProperties":false}' >schema
	printf '%s\n' '{"text":"{\"a\":\"AKIA5PKUVQXW7OHT2RZA\"}"}' \
		'{"text":"{\"AKIA5PKUVQXW7OHT2RZA\":1}"}' '{"text":"AKIA5PKUVQXW7OHT2RZA"}' >in
	run ai-guard --text-schema schema --redact --action invalid=block in
	assert_eq "$(jq -r '.error.guard.findings[] | select(.kind == "invalid").reason' <<<"$output")" \
		"the schema's properties.a.type is violated
the schema's additionalProperties is violated
no JSON: a value is expected at byte 1"
	[[ $output != *AKIA5* ]]
	# A record without any text at all.
	echo '{"messages":[],"AKIA5PKUVQXW7OHT2RZA":1}' >in
	run --separate-stderr ai-guard --schema schema --redact in
	assert_eq "$(jq -r .error.message <<<"$output")" "the schema's additionalProperties is violated"
	[[ $output$stderr != *AKIA5* ]]
}
