#!/usr/bin/env bats
# ai-cost metrics: what stands in the ledger, for Prometheus.
load helper
load ../stub/stub

setup_file() {
	stub_start
	unset AI_PRICE
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	stub_reset
	ask=(ai-complete --base-url "$STUB_URL" --retries 0 --price '1,2')
}

# value METRIC: of the one sample that is called so, labels included.
value() { # METRIC FILE
	awk -v m="$1" 'substr($0, 1, length(m) + 1) == m " " { print $NF }' "$2"
}

some_calls() {
	"${ask[@]}" -m one --tenant acme --user ada a b >/dev/null
	printf '%s\n' c d e | "${ask[@]}" -R -m two --project x >/dev/null
	"${ask[@]}" -m 'a"b\c' --tenant $'quo"te\\ä' a >/dev/null
	stub_script '{"status":500}' '{"status":400}' '{"status":429}'
	for _ in 1 2 3; do
		"${ask[@]}" -m one --tenant acme x >/dev/null 2>&1 || true
	done
}

@test "promtool finds nothing wrong: without a ledger, with a new one, with calls" {
	need promtool
	ai-cost metrics >none
	promtool check metrics <none
	assert [ ! -e "$XDG_STATE_HOME" ]
	ai-cost limit set '*' --requests 1000000 --tokens 5000000000
	ai-cost budget set 'tenant:"\' total 3
	ai-cost metrics | promtool check metrics
	some_calls
	ai-cost metrics --label user --label run --label key >some
	run promtool check metrics <some
	assert_status 0
	assert_eq "$output" ''
}

@test "the values are those of the report and of a naive recount" {
	some_calls
	ai-cost metrics >some
	# Names of people and runs stand nowhere.
	refute_has "$(cat some)" ada
	ai-cost ledger export >rows
	# A naive recount: each call's amounts, by the label of its reservation.
	jq -sr '(map(.label | values) | map({key: (.n | tostring), value: .model}) |
			from_entries) as $models |
		(map(.transfer | values) | map(select(.kind == 1)) |
			map({key: (.seq | tostring), value: $models[.label | tostring]}) |
			from_entries) as $calls |
		map(.transfer | values) | map(select(.kind > 1)) |
		group_by($calls[.of | tostring])[] |
		"\($calls[.[0].of | tostring]) \(map(.amount) | add)"' rows >recount
	assert [ "$(wc -l <recount)" -ge 3 ]
	while read -r model nano; do
		case $model in *[\\\"]*) continue ;; esac
		got=$(value "aiutils_model_spent_dollars{model=\"$model\"}" some)
		assert_eq "$(jq -n "$got * 1e9 | round")" "$nano"
	done <recount
	for model in one two; do
		wanted=$(ai-cost report --by model |
			jq "select(.model == \"$model\") | .spent_usd")
		got=$(value "aiutils_model_spent_dollars{model=\"$model\"}" some)
		assert_eq "$(jq -n "$got - $wanted | fabs < 1e-12")" true
		calls=$(ai-cost report --by model |
			jq "select(.model == \"$model\") | .calls")
		assert_eq "$(grep "^aiutils_model_calls_total{model=\"$model\"," some |
			awk '{ s += $NF } END { print s }')" "$calls"
	done
	assert_eq "$(value 'aiutils_model_calls_total{model="two",outcome="answered"}' some)" 3
	assert_eq "$(value 'aiutils_model_calls_total{model="one",outcome="failed"}' some)" 1
	assert_eq "$(value 'aiutils_model_calls_total{model="one",outcome="limited"}' some)" 1
	# Each label sums up to the whole.
	for label in model provider tool tenant project experiment; do
		assert_eq "$(grep "^aiutils_${label}_calls_total{" some |
			awk '{ s += $NF } END { print s }')" \
			"$(grep '^aiutils_calls_total{' some |
				awk '{ s += $NF } END { print s }')"
	done
	assert_eq "$(value 'aiutils_budget_cap_dollars{scope="all",name="",period="day"}' some)" 100
	left=$(ai-cost budget show all day | jq .left_usd)
	assert_eq "$(value 'aiutils_budget_left_dollars{scope="all",name="",period="day"}' some)" "$left"
	assert_eq "$(value 'aiutils_budget_reset_timestamp_seconds{scope="all",name="",period="day"}' some)" \
		"$(date -d tomorrow +%s -u -d "$(date -d tomorrow +%F) UTC")"
}

@test "histograms: bounds that grow, +Inf, and a count that is the last" {
	some_calls
	ai-cost metrics >some
	grep '^aiutils_call_duration_seconds_bucket{' some |
		sed 's/.*le="\(.*\)"} /\1 /' >buckets
	assert_eq "$(tail -1 buckets | cut -d' ' -f1)" +Inf
	assert_eq "$(tail -1 buckets | cut -d' ' -f2)" \
		"$(value aiutils_call_duration_seconds_count some)"
	awk '$2 < last { exit 1 } { last = $2 }' buckets
	awk '$1 != "+Inf" { if ($1 <= last) exit 1; last = $1 }' buckets
	assert [ "$(tail -1 buckets | cut -d' ' -f2)" -gt 0 ]
}

@test "hostile names: quotes, newlines, no UTF-8, and one that is called other" {
	need promtool
	"${ask[@]}" -m other a >/dev/null
	"${ask[@]}" -m $'\xff\xfe' a >/dev/null 2>&1 || true
	"${ask[@]}" -m one --tenant "$(printf 'ä%.0s' {1..31})" a >/dev/null
	"${ask[@]}" -m one --tenant '",x="y"} 1 #' a >/dev/null
	ai-cost budget set $'tenant:a\nb"\\' day 3
	ai-cost metrics >some
	run promtool check metrics <some
	assert_status 0
	assert_has "$(cat some)" 'name="a\nb\"\\"'
	assert_has "$(cat some)" 'tenant="\",x=\"y\"} 1 #"'
}

@test "labels are bounded: the dearest, and others; with -o those that were there stay" {
	for i in 1 2 3 4 5; do
		"${ask[@]}" -m "m$i" "$(printf 'x%.0s' $(seq "$i"))" >/dev/null
	done
	ai-cost metrics --top 2 -o m.prom
	assert_eq "$(grep -c '^aiutils_model_spent_dollars{' m.prom)" 3
	sum() { grep '^aiutils_model_calls_total{' "$1" | awk '{ s += $NF } END { print s }'; }
	assert_eq "$(sum m.prom)" 5
	other=$(value 'aiutils_model_calls_total{model="other",outcome="answered"}' m.prom)
	assert_eq "$other" 3
	grep -o '^aiutils_model_spent_dollars{[^}]*}' m.prom >before
	# Another becomes much dearer.
	for i in 1 2 3; do
		"${ask[@]}" --price 100,200 -m new a >/dev/null
	done
	ai-cost metrics --top 2 -o m.prom
	grep -o '^aiutils_model_spent_dollars{[^}]*}' m.prom >after
	cmp before after
	assert_eq "$(value 'aiutils_model_calls_total{model="other",outcome="answered"}' m.prom)" 6
	# Without the file before, it would have its own line.
	assert_has "$(ai-cost metrics --top 2)" 'model="new"'
}

@test "no counter goes back" {
	some_calls
	ai-cost metrics -o m.prom
	cp m.prom before
	id=$(ai-cost ledger export |
		jq -r '.transfer.id | values' | head -n 1)
	ai-cost settle "$id" void >/dev/null
	"${ask[@]}" -m three a >/dev/null
	ai-cost metrics -o m.prom
	awk '/^# TYPE/ { type[$3] = $4; next } /^#/ { next }
		{ name = $1; sub(/{.*/, "", name); base = name
		  sub(/_(bucket|sum|count)$/, "", base)
		  key = $0; sub(/ [^ ]*$/, "", key)
		  if (type[name] == "counter" || type[base] == "histogram") {
			if (FILENAME == "before") was[key] = $NF
			else { now[key] = $NF } } }
		END { for (k in was) { n++
			if (!(k in now) || now[k] + 0 < was[k] + 0) { print k; bad = 1 } }
			exit bad || n < 20 }' before m.prom
}

@test "-o: in one step, readable by others; what fails leaves the old one" {
	some_calls
	(umask 077 && ai-cost metrics -o m.prom)
	assert_eq "$(stat -c %a m.prom)" 644
	assert_eq "$(ls)" "$(printf '%s\n' m.prom state)"
	cp m.prom old
	run ai-cost metrics -o nowhere/m.prom
	assert_status 73
	run bash -c 'ulimit -f 1; trap "" XFSZ; ai-cost metrics -o m.prom'
	assert_status 74
	cmp m.prom old
	assert_eq "$(ls)" "$(printf '%s\n' m.prom old state)"
	run bash -c 'ai-cost metrics >/dev/full'
	assert_status 74
}

@test "a full disk keeps the old file" {
	[ "$(id -u)" -eq 0 ] || skip 'only root can mount'
	some_calls
	ai-cost metrics -o m.prom
	# shellcheck disable=SC2016
	run unshare -m bash -c 'mkdir small && mount -t tmpfs -o size=64k none small || { echo mount; exit; }
		cp m.prom small/ && { cat /dev/zero >small/fill || :; } 2>/dev/null
		ai-cost metrics -o small/m.prom; echo "status $?"; cmp m.prom small/m.prom && ls small' 2>&1
	case $output in *unshare* | *mount*) skip 'may not mount' ;; esac
	assert_has "$output" 'status 7'
	assert_eq "${lines[-1]}" m.prom
}

@test "options that are no verb's, labels that are always there" {
	run ai-cost metrics --label model
	assert_status 64
	run ai-cost metrics --by model
	assert_status 64
	run ai-cost report -o x
	assert_status 64
	run ai-cost metrics x
	assert_status 64
}

# Every metric that an expression names exists.
names_in() { # FILE OF EXPRESSIONS
	grep -o 'aiutils_[a-z_]*' "$1" | sort -u
}

@test "the dashboard and the rules name metrics that exist" {
	need promtool
	some_calls
	ai-cost limit set '*' --requests 1000000 --tokens 5000000000
	"${ask[@]}" -m three --experiment e --project p a >/dev/null
	ai-cost metrics >some
	awk '/^# TYPE/ { print $3; if ($4 == "histogram") {
		print $3 "_bucket"; print $3 "_sum"; print $3 "_count" } }' some |
		sort >exist
	dashboard=$SRCDIR/contrib/grafana/aiutils.json
	jq -r '.. | .expr? // empty' "$dashboard" >exprs
	assert [ "$(wc -l <exprs)" -ge 8 ]
	names_in exprs >named
	names_in "$SRCDIR/contrib/prometheus/aiutils.rules.yml" >>named
	assert_eq "$(sort -u named | comm -23 - exist)" ''
	# And each is an expression that Prometheus can read.
	{
		echo 'groups: [{name: dashboard, rules: ['
		n=0
		while IFS= read -r expr; do
			n=$((n + 1))
			jq -cn --arg e "${expr//\$__rate_interval/5m}" --arg n "r$n" \
				'{record: $n, expr: $e}' | tr '\n' ','
		done <exprs
		echo ']}]'
	} >rules.yml
	run promtool check rules rules.yml
	assert_status 0
	run promtool check rules "$SRCDIR/contrib/prometheus/aiutils.rules.yml"
	assert_status 0
	cp "$SRCDIR"/contrib/prometheus/*.yml .
	run promtool test rules aiutils.test.yml
	assert_status 0
	# Metrics and panels with units, no id of somebody's Grafana.
	assert_eq "$(jq -c '[.id, .uid, (.panels | length > 6)]' "$dashboard")" \
		'[null,"aiutils",true]'
}
