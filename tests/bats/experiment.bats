# ai-complete --experiment --arm: each model on its share of the records.
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
	export AI_PRICE=1,2
}

ask() {
	run --separate-stderr ai-complete "$@"
}

# arms FILE OPTION...: "id arm" of each record; nobody is asked: the models
# quote from no hits.
arms() {
	local in=$1
	shift
	ai-complete -q --experiment e --arm local/extract=1 \
		--arm 'local/extract,local/extract=3' "$@" <"$in" |
		jq -r '[.id, .completion.experiment.arm] | @tsv'
}

@test "what a record has, says its completion; the ledger sums it up" {
	seq 40 | jq -c '{id: ., prompt: "p"}' >in
	ask --experiment spell --arm m1=1 --arm m2=1 <in
	assert_status 0
	assert_eq "$(jq -c '.completion | .experiment.name == "spell" and
		.model == .experiment.arm + "-2026-11-22"' <<<"$output" |
		sort -u)" true
	n=$(jq -r .completion.experiment.arm <<<"$output" | grep -c m1)
	[ "$n" -gt 5 ] && [ "$n" -lt 35 ]
	assert_eq "$(ai-cost report --by experiment | jq -c '[.experiment, .calls]')" \
		'["spell",40]'
	assert_eq "$(ai-cost report --by arm | jq -sc 'map([.arm, .calls])')" \
		'[["spell/m1",'"$n"'],["spell/m2",'"$((40 - n))"']]'
	# One budget for all of it.
	ai-cost budget set experiment:spell day 0 >/dev/null
	ask --experiment spell --arm m1=1 --arm m2=1 <in
	assert_status 3
	assert_eq "$(jq -c '.error.experiment.name' <<<"$output" | sort -u)" '"spell"'
}

@test "shares are as wide as their weights, over ten thousand ids" {
	seq 10000 | jq -c '{id: "doc-\(.)", query: "x", hits: []}' >in
	arms in >out
	assert_eq "$(wc -l <out)" 10000
	# Chi-square of one degree of freedom: above 15 once in 10,000 times.
	awk -F '\t' '$2 == "local/extract" { a++ } END {
		x = (a - 2500)^2 / 2500 + (a - 2500)^2 / 7500
		print a, x; exit x > 15 }' out
}

@test "a rerun agrees, in any order, with any -j, and with other records between" {
	seq 500 | jq -c '{id: ., query: "x", hits: []}' >in
	arms in | sort >first
	shuf --random-source=<(yes) in >mixed
	arms mixed -j 7 --unordered | sort | cmp - first
	sed -n '100,200p' in >some
	arms some | sort >part
	assert_eq "$(comm -23 part first)" ''
	# Another experiment shares them out anew.
	ai-complete -q --experiment f --arm local/extract=1 \
		--arm 'local/extract,local/extract=3' <in |
		jq -r '[.id, .completion.experiment.arm] | @tsv' | sort >other
	run cmp -s other first
	assert_status 1
}

@test "without an id it is what is asked that counts; numbers and strings are ids" {
	echo '{"query":"what is it?","hits":[]}' >in
	arms in | cut -f 2 >a
	echo '{"n":7,"query":"what is it?","hits":[],"x":1}' >in
	arms in | cut -f 2 | cmp - a
	seq 300 | jq -c '{query: "q\(.)", hits: []}' >in
	assert_eq "$(arms in | cut -f 2 | sort -u | wc -l)" 2
	seq 300 | jq -c '{custom_id: "\(.)", query: "x", hits: []}' >in
	assert_eq "$(arms in | cut -f 2 | sort -u | wc -l)" 2
}

@test "an arm may be a chain; a record's own model is not heeded" {
	stub_script '{"status":400}'
	ask --retries 0 --fallback-on other --experiment e --arm m1,m2=1 --arm m1,m3=1 \
		< <(echo '{"id":1,"prompt":"x","params":{"model":"m9"}}')
	assert_status 0
	assert_eq "$(jq -c '.completion | [.experiment.arm, .fallback[0].model]' \
		<<<"$output" | sed 's/m[23]/mX/')" '["m1,mX","m1"]'
	# The environment and the configuration say what is asked otherwise.
	AI_MODEL=m9 ask --experiment e --arm m1=1 --arm m2=1 x
	assert_status 0
	refute_has "$output" m9
}

@test "what is wrong is told" {
	usage() {
		ask "${@:2}" x
		assert_status 64
		assert_has "$stderr" "$1"
	}
	usage 'give the experiment a name' --arm m1=1 --arm m2=1
	usage 'two of them at least' --experiment e --arm m1=1
	usage "'m2=0' is not MODEL=WEIGHT" --experiment e --arm m1=1 --arm m2=0
	usage "'m2=-1'" --experiment e --arm m1=1 --arm m2=-1
	usage "'m2=inf'" --experiment e --arm m1=1 --arm m2=inf
	usage "'m2'" --experiment e --arm m1=1 --arm m2
	usage "'=1'" --experiment e --arm m1=1 --arm =1
	usage "'m1' is there twice" --experiment e --arm m1=1 --arm m1=2
	usage 'goes not with -m or --route' --experiment e --arm m1=1 --arm m2=1 -m m3
	ask --experiment e --arm m1=1 --arm m2,=1 x
	assert_status 78
	usage 'the name is not UTF-8' --experiment $'\xff' --arm m1=1 --arm m2=1
	AI_PRICE='' ask --experiment e --arm m1=1 --arm m2=1 x
	assert_status 78
	assert_eq "$(stub_requests)" 0
}
