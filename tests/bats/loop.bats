# The loop that every program shares, tried through ai-pass, which adds
# nothing of its own.
load helper

setup() {
	ai_setup
	PATH=$BUILDDIR/tests/stub:$PATH
	export AI_DATADIR=$BUILDDIR/share/aiutils
}

# N records of about 60 bytes with numbers that json-c would change.
records() {
	seq -f '{"i":%.0f,"big":123456789012345678901234567890,"t":"\u0000é"}' "$1"
}

@test "what is not touched passes byte for byte, for any number of jobs" {
	records 20000 >in
	for j in 1 2 7; do
		ai-pass -j "$j" <in | cmp - in
		ai-pass -j "$j" --batch 33 <in | cmp - in
	done
}

@test "--unordered writes every record once" {
	records 5000 >in
	ai-pass -j 4 --unordered <in | sort | cmp - <(sort in)
}

@test "order is kept when some records are slow" {
	for i in 1 2 3 4 5 6 7 8; do
		printf '{"i":%d,"slow":%s}\n' "$i" \
			"$([ $((i % 3)) = 0 ] && echo true || echo false)"
	done >in
	ai-pass -j 8 --batch 1 --sleep 100 <in | cmp - in
}

@test "bad lines come out as error records in their place" {
	printf '{"i":1}\n[2]\n\n{"i":3\n{"i":4}\n' >in
	for opts in "-j 1" "-j 3" "--batch 4" "--batch 2 -j 2"; do
		run_sh "ai-pass -q $opts <in | jq -c '[.i,.error.code,.error.line,.raw]'"
		assert_status 2
		assert_eq "$output" '[1,null,null,null]
[null,"invalid_json",2,"[2]"]
[null,"invalid_json",4,"{\"i\":3"]
[4,null,null,null]'
	done
}

@test "an error record passes untouched and is counted" {
	echo '{"a":1,"error":{"tool":"ai-x","code":"budget_exceeded"}}' >in
	run --separate-stderr ai-pass in
	assert_status 3
	assert_eq "$output" "$(cat in)"
	run --separate-stderr ai-pass <(cat in; echo '{}')
	assert_status 2
}

@test "an error member that is data stays data" {
	printf '%s\n' '{"error":null}' '{"error":"x"}' '{"error":{"code":1}}' >in
	ai-pass <in | cmp - in
}

@test "no success and one class of errors: the class is the status" {
	run --separate-stderr ai-pass <<<'{"fail":true}'
	assert_status 75
	run_sh "printf '{\"fail\":true}\n{}\n' | ai-pass"
	assert_status 2
	run_sh "printf '{\"fail\":true}\nx\n' | ai-pass"
	assert_status 2
}

@test "-e exits 1 when the answer is no, but an error weighs more" {
	run --separate-stderr ai-pass -e <<<'{"no":true}'
	assert_status 1
	run --separate-stderr ai-pass <<<'{"no":true}'
	assert_status 0
	run_sh "printf '{\"no\":true}\nx\n' | ai-pass -e"
	assert_status 2
}

@test "what was read is written before reading blocks" {
	for opts in "" "-j 3" "--batch 50" "--batch 50 -j 2"; do
		mkfifo to from
		# shellcheck disable=SC2086
		ai-pass $opts <to >from &
		exec 7>to 8<from
		echo '{"i":1}' >&7
		read -r -t 5 line <&8
		assert_eq "$line" '{"i":1}'
		printf '{"i":2}\n{"i":3' >&7
		read -r -t 5 line <&8
		assert_eq "$line" '{"i":2}'
		echo '}' >&7
		read -r -t 5 line <&8
		assert_eq "$line" '{"i":3}'
		exec 7>&- 8<&-
		wait $!
		rm to from
	done
}

@test "lines longer than --max-line are passed over, not kept" {
	{ echo '{"a":1}'; head -c 300000 /dev/zero | tr '\0' x; echo; echo '{"b":2}'; } >in
	run_sh "ai-pass -q --max-line 100K <in | jq -c '[.a,.b,.error.code,.raw_bytes,.raw_blake2b]'"
	assert_status 2
	want=$(sed -n 2p in | tr -d '\n' | b2sum -l 128 | cut -d' ' -f1)
	assert_eq "$output" "[1,null,null,null,null]
[null,null,\"too_long\",300000,\"$want\"]
[null,2,null,null,null]"
}

@test "-R takes plain lines, -s whole files, and says what is not UTF-8" {
	printf 'one\n\ntwo "2"\nlast\\' >in
	run_sh "ai-pass -R <in"
	assert_eq "$output" '{"text":"one"}
{"text":""}
{"text":"two \"2\""}
{"text":"last\\"}'
	run_sh "ai-pass -R -s in in | jq -c '[.text,.source.uri]'"
	assert_eq "$output" '["one\n\ntwo \"2\"\nlast\\","in"]
["one\n\ntwo \"2\"\nlast\\","in"]'
	run_sh "printf 'a\377b\n' | ai-pass -q -R -p line | jq -r .raw_base64 | base64 -d | od -An -tx1"
	assert_eq "$output" " 61 ff 62"
	run_sh "echo x | ai-pass -R -p line"
	assert_eq "$output" '{"line":"x"}'
}

@test "-r writes text, and errors to stderr with their line" {
	run_sh "printf '{}\nx\n' | ai-pass -r"
	assert_status 2
	assert_eq "$output" passed
	assert_eq "$stderr" "ai-pass: line 2: invalid_json: a value is expected at byte 1"
}

@test "files that cannot be opened are named, the others are read" {
	echo '{"a":1}' >one
	mkdir folder
	run --separate-stderr ai-pass missing one folder
	assert_status 66
	assert_eq "$output" '{"a":1}'
	assert_has "$stderr" "ai-pass: cannot open 'missing': No such file or directory"
	assert_has "$stderr" "ai-pass: cannot open 'folder': Is a directory"
}

@test "a rewritten string leaves all other bytes alone" {
	run_sh "echo '{\"text\" : \"a\\u0041\", \"n\":1.50}' | ai-pass --rewrite 'x\"y'"
	assert_eq "$output" '{"text" : "x\"y", "n":1.50}'
}

@test "layers: flag over environment over profile over file over built in" {
	mkdir -p cfg/aiutils
	export XDG_CONFIG_HOME=$PWD/cfg
	cat >cfg/aiutils/config.json <<-'E'
		{ // comments are allowed
		  "jobs": 3, /* here too */
		  "profiles": {"prod": {"jobs": 4}}
		}
	E
	run_sh "ai-pass --print-config | grep ^jobs"
	assert_eq "$output" "jobs	3	config	jobs"
	run_sh "AI_PROFILE=prod ai-pass --print-config | grep ^jobs"
	assert_eq "$output" "jobs	4	profile	jobs"
	run_sh "AI_JOBS=5 ai-pass --profile prod --print-config | grep ^jobs"
	assert_eq "$output" "jobs	5	environment	AI_JOBS"
	run_sh "AI_JOBS=5 ai-pass -j6 --print-config | grep ^jobs"
	assert_eq "$output" "jobs	6	flag	-"
}

refused() { # CONFIGURATION WORDS: status 78, and stderr has the words
	printf '%s' "$1" >bad
	run --separate-stderr ai-pass --config bad
	assert_status 78
	assert_has "$stderr" "$2"
}

@test "a bad configuration names the file and the place" {
	refused $'{\n"jobs": 1,\n"b" }' \
		"bad:3: ':' is expected"
	refused '{"jobs": 1} x' "something follows the value"
	refused '{"jobs": 0}' jobs
	run --separate-stderr ai-pass --config absent
	assert_status 78
	run --separate-stderr ai-pass --config /dev/null --profile x
	assert_status 78
}

@test "the configuration is checked against its schema" {
	refused '{"chunk": {"siez": 3}}' "bad: chunk.siez"
	assert_has "$stderr" "did you mean 'size'?"
	refused '{"profiles": {"dev": {"chunk": {"size": "big"}}}}' \
		"profiles.dev.chunk.size"
	refused '{"job": 3}' job
}

@test "options: wrong ones are named, the nearest is suggested" {
	run --separate-stderr ai-pass --jbos 3
	assert_status 64
	assert_has "$stderr" "unknown option '--jbos'; did you mean '--jobs'?"
	run --separate-stderr ai-pass -j 0
	assert_status 64
	assert_has "$stderr" "-j: '0' is not a whole number from 1 to 256"
	run --separate-stderr ai-pass -j
	assert_status 64
	run --separate-stderr ai-pass --log-format xml
	assert_has "$stderr" "is not one of text|json"
	run --separate-stderr ai-pass --raw-output=1
	assert_has "$stderr" "takes no value"
}

@test "messages as JSON lines with --log-format json" {
	run_sh "echo x | ai-pass --log-format json 2>&1 >/dev/null | jq -r .\\\"service.name\\\""
	assert_eq "$output" ai-pass
}

@test "a byte order mark is named, not shown as nothing" {
	run_sh "printf '\357\273\277{\"a\":1}\n{\"b\":2}\n' | ai-pass -q | jq -r .error.message"
	assert_status 2
	assert_has "$output" "a byte order mark"
}

@test "--print-config shows no password of an address" {
	run ai-complete --print-config -m x --base-url http://u:secret@127.0.0.1/
	assert_status 0
	assert_has "$output" "http://***@127.0.0.1/"
	case $output in *secret*) false ;; esac
}

@test "--as refuses the names that would break a record" {
	for name in error ''; do
		run --separate-stderr ai-tokens --as "$name" <<<'{"text":"a"}'
		assert_status 64
		assert_has "$stderr" "--as"
	done
}

@test "tasks: byte for byte and in order, however they end" {
	records 20000 >in
	for j in 1 2 64; do
		ai-pass --tasks -j "$j" <in | cmp - in
	done
	awk 'BEGIN { srand(7); for (i = 0; i < 400; i++)
		printf "{\"i\":%d,\"ms\":%d,\"now\":%s}\n", i,
			rand() * 30, rand() < .3 ? "true" : "false" }' >in
	ai-pass --tasks -j 16 <in | cmp - in
	ai-pass --tasks -j 16 --unordered <in | sort | cmp - <(sort in)
	! ai-pass --tasks -j 16 --unordered <in | cmp -s - in || false
}

@test "tasks: bad lines, errors of before, refusals: each in its place" {
	printf '%s\n' '{"i":1,"ms":50}' '[2]' '{"i":3,"refuse":true}' \
		'{"i":4,"fail":true}' '{"i":5,"error":{"tool":"a","code":"b"}}' \
		'{"i":6}' >in
	for j in 1 4; do
		run_sh "ai-pass -q --tasks -j $j <in | jq -c '[.i,.error.code]'"
		assert_status 2
		assert_eq "$output" '[1,null]
[null,"invalid_json"]
[3,"try_later"]
[4,"try_later"]
[5,"b"]
[6,null]'
	done
}

@test "tasks: as many at once as -j allows, and no more" {
	for _ in {1..40}; do echo '{"ms":20}'; done >in
	for j in 1 3 8; do
		run --separate-stderr ai-pass -v --tasks -j "$j" in
		assert_has "$stderr" "at most $j at once"
	done
}

@test "tasks: what is done is written while the reader waits" {
	mkfifo pipe
	ai-pass --tasks -j 4 <pipe >out &
	exec 7>pipe
	echo '{"i":1,"ms":20}' >&7
	for _ in {1..100}; do [ -s out ] && break; sleep .05; done
	assert_eq "$(cat out)" '{"i":1,"ms":20}'
	# A slow one does not keep the reader from reading on.
	printf '%s\n' '{"i":2,"ms":300}' >&7
	echo '{"i":3}' >&7
	for _ in {1..100}; do [ "$(wc -l <out)" = 3 ] && break; sleep .05; done
	assert_eq "$(tail -n 1 out)" '{"i":3}'
	exec 7>&-
	wait
}

@test "tasks: much output of one, and a full disk" {
	text=$(head -c 300000 /dev/zero | tr '\0' x)
	for i in 1 2 3 4 5 6; do
		printf '{"i":%d,"ms":%d,"t":"%s"}\n' "$i" $((60 - i * 10)) "$text"
	done >in
	ai-pass --tasks -j 6 <in | cmp - in
	run_sh 'ai-pass --tasks -j 6 <in >/dev/full'
	assert_status 74
}
