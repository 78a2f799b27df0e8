# ai-complete --template: a prompt made of a record.
load helper
load ../stub/stub

setup_file() {
	stub_start
	export AI_BASE_URL=$STUB_URL AI_MODEL=m1
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	stub_reset
}

# ask TEMPLATE: the records of stdin, with this template.
ask() {
	printf '%s' "$1" >t
	shift
	run --separate-stderr ai-complete -q --template t "$@"
}

# asked: what the model was asked, as JSON.
asked() {
	stub_log '.body.messages[-1].content'
}

# bad TEMPLATE MESSAGE: it is refused before anything is read.
bad() {
	ask "$1" <<<'{"text":"x"}'
	assert_status 65
	assert_eq "$output" ""
	assert_has "$stderr" "$2"
	assert_eq "$(stub_requests)" 0
}

@test "fields: strings as they read, other values as JSON, dots go inside" {
	ask '{{ query }}|{{n}}|{{a.b.1}}|{{a}}|{{f}}|{{z}}
' <<<'{"query":"say \"é\"\n","n":1e400,"a":{"b":[1,"two"]},"f":false,"z":null}'
	assert_status 0
	assert_eq "$(asked)" \
		'"say \"é\"\n|1e400|two|{\"b\":[1,\"two\"]}|false|null"'
	# A dot in a name is written as for -p.
	stub_reset
	ask '{{a\.b}}' <<<'{"a.b":"dot"}'
	assert_eq "$(asked)" '"dot"'
}

@test "|json is the value as JSON; ?text stands in for what is not there" {
	ask '{"t":{{text|json}},"n":{{n|json?0}}} {{a?}}{{b? none, {really} }}{{z?null}}{{z|json?x}}' \
		<<<'{"text":"a\"b\n\u00e9","z":null}'
	assert_status 0
	assert_eq "$(jq -r .body.messages[0].content "$STUB/log")" \
		'{"t":"a\"b\n\u00e9","n":0}  none, {really} nullx'
}

@test "braces: four are two, three are one and a field" {
	ask '{{{{x}} {x} {{{x}}} {{{{{{x}}}} {{{{{x}} }} {' <<<'{"x":"v"}'
	assert_status 0
	assert_eq "$(asked)" '"{{x}} {x} {v} {{v}} {{{x}} }} {"'
}

@test "what is inserted is data: no field in it, no instruction to us" {
	ask '{{a}}{{b}}' <<<'{"a":"{{b}}{{{{","b":"{{a}} {{nothing}} {{"}'
	assert_status 0
	assert_eq "$(asked)" '"{{b}}{{{{{{a}} {{nothing}} {{"'
}

@test "a record needs no prompt; text, words and hits have their places" {
	ask 'Q {{n}}' <<<'{"n":1,"messages":7,"prompt":""}'
	assert_status 0
	assert_eq "$(asked)" '"Q 1"'
	stub_reset
	ask 'T {{prompt}}' -R <<<'one
two'
	assert_eq "$(asked | xargs)" "T one T two"
	stub_reset
	ask 'W {{prompt}}' a b
	assert_eq "$(asked)" '"W a b"'
	stub_reset
	ask 'H {{x}}' <<<'{"x":"y","hits":[{"id":"1","text":"Rain."}]}'
	assert_has "$(asked)" "Rain."
	assert_has "$(asked)" 'Question: H y'
}

@test "a field that the record lacks is an error with its name and the line" {
	ask 'one
{{x}}
three {{a.b}}' < <(printf '%s\n' '{"x":1}' '{"x":1,"a":{"b":2}}' '{}')
	assert_status 2
	assert_eq "$(jq -c '[.error.code, .completion.text // .error.message]' \
		<<<"$output")" \
		'["invalid_record","the record has no member '"'a.b'"', which line 3 of the template asks for"]
[null,"{\"echo\":\"one\\n1\\nthree 2\"}"]
["invalid_record","the record has no member '"'x'"', which line 2 of the template asks for"]'
}

@test "what a template makes must not be blank, nor too long" {
	ask '{{a?}} ' <<<'{"b":1}'
	assert_status 2
	assert_has "$output" "what the template makes is empty"
	# 2000 times 10 KB are more than 16 MB.
	for _ in $(seq 2000); do printf '{{a}}'; done >big
	head -c 10000 /dev/zero | tr '\0' x | jq -Rc '{a: .}' >in
	run --separate-stderr ai-complete -q --template big <in
	assert_status 2
	assert_eq "$(jq -r .error.code <<<"$output")" too_long
	assert_eq "$(stub_requests)" 0
}

@test "what is no template: refused at once, with line and column" {
	bad 'one
zwölf {{x' 't:2:7: this {{ has no }}'
	bad '{{x
}}' 't:1:1: this {{ has no }}'
	bad 'a {{}}' 't:1:5: the name of a member is missing'
	bad '{{ ?x}}' 't:1:3: the name of a member is missing'
	bad '{{ a{b }}' 't:1:4: a name with a {'
	bad '{{a|upper}}' "t:1:4: what stands behind | is not 'json'"
	bad '' 't: the template is empty'
	printf 'a\n\0' >t
	run --separate-stderr ai-complete --template t x
	assert_status 65
	assert_has "$stderr" "t:2:1: a NUL byte"
	printf 'a\377' >t
	run --separate-stderr ai-complete --template t x
	assert_status 65
	assert_has "$stderr" "t:1:2: the template is not UTF-8"
	head -c 5000000 /dev/zero | tr '\0' x >t
	run --separate-stderr ai-complete --template t x
	assert_status 65
	assert_has "$stderr" "is longer than 4194304 bytes"
	run --separate-stderr ai-complete --template none x
	assert_status 66
	run --separate-stderr ai-complete --template . x
	assert_status 66
	assert_has "$stderr" "directory"
	echo '{{a}}' >t
	run --separate-stderr ai-complete --template t -p a x
	assert_status 64
	assert_has "$stderr" "--template and -p"
}

@test "a template of a great many fields is read in one go" {
	yes '{{x}}' | head -n 600000 | tr -d '\n' >t
	run --separate-stderr timeout 60 ai-complete -q --template t \
		<<<'{"x":"1"}'
	assert_status 0
	assert_eq "$(jq '.body.messages[0].content | length' "$STUB/log")" \
		600000
}

@test "from the configuration" {
	printf 'C {{text}}' >t
	mkdir -p "$PWD/conf/aiutils"
	jq -n --arg t "$PWD/t" '{complete: {template: $t}}' \
		>conf/aiutils/config.json
	XDG_CONFIG_HOME=$PWD/conf run ai-complete -q <<<'{"text":"x"}'
	assert_status 0
	assert_eq "$(asked)" '"C x"'
}
