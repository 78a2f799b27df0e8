#!/usr/bin/env bats
# The configuration file: every key works, every mistake is named.
load helper

schema=$SRCDIR/data/schema/config.json

# config TEXT...: writes config.json.
config() {
	printf '%s\n' "$*" >config.json
}

# "program key type choices initial" of every option that has a key.
keys() {
	local p
	for p in $(programs); do
		"$BUILDDIR/bin/$p" --dump-options |
			awk -F '\t' -v p="$p" -v OFS='\t' \
				'$6 != "-" { print p, $6, $3, $5, $8 }'
	done
}

# The schema of a key, as compact JSON; nothing if it is not in there.
schema_of() {
	jq -c --arg key "$1" 'reduce ($key / ".")[] as $k (.; .properties[$k])
		| values' "$schema"
}

@test "every key of an option is in the schema with its type" {
	[ -n "$(programs)" ] || skip "no program is built"
	keys >all
	[ "$(wc -l <all)" -gt 100 ]
	jq -Rr --slurpfile schema "$schema" '
		{int: "integer", real: "number", flag: "boolean",
		 text: "string", file: "string", list: "array"} as $of
		| split("\t") as [$p, $key, $type, $choices]
		| (reduce ($key / ".")[] as $k ($schema[0]; .properties[$k]?)) as $s
		| select(if $s == null then true
			elif $s.enum then
				$choices != "-" and ($choices / "|" | sort) !=
					($s.enum | sort)
			else [$s.type] | flatten | index($of[$type]) == null
			end)
		| "\($p): \($key) (\($type), \($choices)) does not agree with \($s)"
		' all >bad
	assert_eq "$(cat bad)" ''
}

@test "every key in the schema is that of an option" {
	for p in chunk tokens embed search complete; do
		[ -x "$BUILDDIR/bin/ai-$p" ] || skip "ai-$p is not built"
	done
	jq -r '.properties | to_entries[]
		| select(.key | IN("converters", "profiles", "providers") | not)
		| .key as $k
		| if .value.properties then .value.properties | keys[] | "\($k).\(.)"
		else $k end | select(. != "guard.policies")' "$schema" | sort >in-schema
	keys | cut -f 2 | sort -u >in-options
	diff in-schema in-options
}

# A value that an option of this type takes, which is not its default, as JSON.
value_for() {
	local value=$3
	case $1 in
	flag) value=true ;;
	choice) value=\"${2##*|}\" ;;
	text | file) value='"some text"' ;;
	list) value='["a","b"]' ;;
	esac
	case $value in -) value=1 ;; *[KMG]) value=\"$value\" ;; esac
	case $4 in
	tokens.encoding) value='"gpt2"' ;;
	chunk.encoding) value='"cl100k_base"' ;;
	esac
	printf '%s\n' "$value"
}

@test "every key reaches its option from the file and from a profile" {
	not_sanitized
	[ -n "$(programs)" ] || skip "no program is built"
	for p in $(programs); do
		keys | awk -F '\t' -v p="$p" '$1 == p' >its
		while IFS=$'\t' read -r _ key type choices initial; do
			printf '%s\t%s\n' "$key" \
				"$(value_for "$type" "$choices" "$initial" "$key")"
		done <its | jq -Rn 'reduce (inputs | split("\t")) as [$k, $v]
			({}; setpath($k / "."; $v | fromjson))' >config.json
		run -0 --separate-stderr "$p" --config config.json --print-config
		while IFS=$'\t' read -r _ key _; do
			assert_line_for "$key" config
		done <its
		jq -c '{profiles: {p: .}}' config.json >profile.json
		run -0 --separate-stderr "$p" --config profile.json --profile p \
			--print-config
		while IFS=$'\t' read -r _ key _; do
			assert_line_for "$key" profile
		done <its
	done
}

# --print-config says that the value of a key comes from there.
assert_line_for() {
	awk -F '\t' -v key="$1" -v from="$2" \
		'$4 == key && $3 == from { n++ } END { exit n != 1 }' \
		<<<"$output" && return
	echo "$1 does not come from the $2"
	ai_show
	return 1
}

# refuses TEXT MESSAGE: with status 78.
refuses() {
	local p
	p=$(programs | head -n 1)
	config "$1"
	run -78 --separate-stderr "$p" --config config.json </dev/null
	assert_eq "$stderr" "$p: config.json: $2"
}

@test "a mistake is named with its place" {
	[ -n "$(programs)" ] || skip "no program is built"
	refuses '{"chunk":{"siez":5}}' \
		"chunk.siez: not a known key; did you mean 'size'?"
	refuses '{"chnuk":{}}' "chnuk: not a known key; did you mean 'chunk'?"
	refuses '{"chunk":{"size":"big"}}' \
		'chunk.size: expected a whole number, not "big"'
	refuses '{"search":{"mode":"hybird"}}' \
		"search.mode: \"hybird\" is not one of \"hybrid\", \"dense\", \"sparse\"; did you mean 'hybrid'?"
	refuses '{"profiles":{"dev":{"embed":{"modle":"x"}}}}' \
		"profiles.dev.embed.modle: not a known key; did you mean 'model'?"
	refuses '{"profiles":{"dev":{"profiles":{}}}}' \
		'profiles.dev.profiles: not allowed'
	refuses '{"converters":{".pdf":"pdftotext {} -"}}' \
		'converters.\.pdf: expected an array or null, not "pdftotext {} -"'
	refuses '{"converters":{"pdf":["pdftotext"]}}' \
		'converters.pdf: "pdf" does not match the pattern "^\.[^/.]+$"'
	refuses '{"converters":{".pdf":[]}}' \
		'converters.\.pdf: 0 elements, not less than 1 are allowed'
	refuses '{"converters":{".pdf":["a",5]}}' \
		'converters.\.pdf.1: expected a string, not 5'
	refuses '[]' 'expected an object, not []'
}

@test "a key in the wrong place: where it belongs" {
	[ -n "$(programs)" ] || skip "no program is built"
	refuses '{"size":5}' \
		"size: not a known key; did you mean 'chunk.size'?"
	refuses '{"chunk":{"jobs":5}}' \
		"chunk.jobs: not a known key; did you mean 'jobs'?"
	refuses '{"model":"x"}' \
		"model: not a known key; did you mean 'embed.model' or 'agent.model' or 'complete.model'?"
	refuses '{"search":{"size":5}}' \
		"search.size: not a known key; did you mean 'chunk.size'?"
	refuses '{"profiles":{"dev":{"timeout":5}}}' \
		"profiles.dev.timeout: not a known key; did you mean 'profiles.dev.http.timeout'?"
	refuses '{"nonsense":5}' "nonsense: not a known key"
	refuses '{"a\": not a known key":5}' 'a": not a known key: not a known key'
}

@test "a profile without a file, or that is not in it" {
	p=$(programs | head -n 1)
	[ -n "$p" ] || skip "no program is built"
	mkdir conf
	XDG_CONFIG_HOME=$PWD/conf run -78 --separate-stderr \
		"$p" --profile dev </dev/null
	assert_eq "$stderr" "$p: profile 'dev': the configuration file '$PWD/conf/aiutils/config.json' does not exist; write it, name another with --config, or leave the profile out"
	XDG_CONFIG_HOME=$PWD/conf AI_PROFILE=dev run -78 --separate-stderr \
		"$p" </dev/null
	assert_has "$stderr" "profile 'dev'"
	XDG_CONFIG_HOME='' HOME='' run -78 --separate-stderr \
		"$p" --profile dev </dev/null
	assert_has "$stderr" "profile 'dev': no configuration file: neither"
	config '{"profiles":{"prod":{}}}'
	run -78 --separate-stderr "$p" --config config.json --profile dev \
		</dev/null
	assert_eq "$stderr" "$p: config.json has no profile 'dev'"
	run -0 "$p" --config config.json --profile prod --print-config
}

@test "comments are allowed" {
	[ -n "$(programs)" ] || skip "no program is built"
	p=$(programs | head -n 1)
	config '// one
	{ /* two { */ "jobs": 2 // "three
	}'
	run -0 --separate-stderr "$p" --config config.json --print-config
	assert_line_for jobs config
}

@test "comments apart it is strict JSON, and each name stands once" {
	p=$(programs | head -n 1)
	config '{"jobs":2,}'
	run -78 --separate-stderr "$p" --config config.json --print-config
	assert_has "$stderr" 'config.json:1: '
	config '{
		"jobs": 2, // one
		"jobs": 3 }'
	run -78 --separate-stderr "$p" --config config.json --print-config
	assert_has "$stderr" 'config.json:3: "jobs" stands there twice'
	for text in '{} /' '{"jobs":2}}' "{'jobs':2}" '{"ledger":"/* no comment */"'; do
		config "$text"
		run -78 --separate-stderr "$p" --config config.json --print-config
		assert_has "$stderr" 'config.json:'
	done
	config '{"ledger":"// no comment /* neither"}'
	run -0 ai-cost --config config.json --print-config
	assert_has "$output" '// no comment /* neither'
}
