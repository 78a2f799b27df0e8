#!/usr/bin/env bats
# ai-cost: how things stand, for people, and health, for probes.
load helper
load damage
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
	ledger=$XDG_STATE_HOME/aiutils/ledger.db
	ask=(ai-complete --base-url "$STUB_URL" -m some-model --retries 0 --price '1,2')
}

teardown() {
	[ ! -d "${open-}" ] || rm -rf "$open"
}

# at COLUMNS COMMAND: what a terminal of so many columns shows.
at() {
	script -qec "stty cols $1; ${*:2}" /dev/null </dev/null | tr -d '\r'
}

# times DOLLARS N: exact.
times() {
	jq -rn "($1 * 1e9 * $2 | round | tostring) + \"e-9\""
}

health() {
	run --separate-stderr ai-cost health "$@"
}

@test "which budget, how much is left, when it begins anew: in one command" {
	ai-cost budget set all day 20
	ai-cost budget set tenant:acme month 0.01
	"${ask[@]}" --tenant acme a >/dev/null
	run ai-cost budget show tenant:acme -r
	assert_status 0
	assert_eq "${#lines[@]}" 2
	assert_has "${lines[0]}" 'left  used  begins anew'
	spent=$(ai-cost budget show tenant:acme | jq .spent_usd)
	left=$(ai-cost budget show tenant:acme | jq .left_usd)
	assert_has "${lines[1]}" '$0.00998 '
	assert_has "${lines[1]}" " \$0.000022 "
	assert_has "${lines[1]}" "in "
	assert_has "${lines[1]}" "($(ai-cost budget show tenant:acme | jq -r .resets))"
	jq -ne "($spent * 1e9 | round) + ($left * 1e9 | round) == 1e7"
}

@test "show: by scope, name and period, and the budget of each for one" {
	ai-cost budget set 'user:*' day 5
	ai-cost budget set user:eve month 7
	assert_eq "$(ai-cost budget show all | jq -r .period | paste -sd,)" request,day
	assert_eq "$(ai-cost budget show all day | jq .cap_usd)" 100
	assert_eq "$(ai-cost budget show user | jq -c '[.name,.period]' | paste -sd,)" \
		'["*","day"],["eve","month"]'
	assert_eq "$(ai-cost budget show 'user:*' | jq .cap_usd)" 5
	"${ask[@]}" --user bob a >/dev/null
	ai-cost budget show user:bob >bob
	assert_eq "$(jq -c '[.name,.cap_usd,.spent_usd > 0]' bob)" '["bob",5,true]'
	assert_eq "$(ai-cost budget show user:eve | jq -r .period | sort | paste -sd,)" \
		day,month
}

@test "what is not there is told, with what was meant" {
	ai-cost budget set tenant:acme month 50
	ai-cost limit set openai/gpt-5-mini --requests 5
	told() {
		# shellcheck disable=SC2086 # words
		run --separate-stderr ai-cost $1
		assert_status 64
		assert_has "$stderr" "$2"
		assert_eq "$output" ''
	}
	told 'budget show tenant:acm' "did you mean 'tenant:acme'?"
	told 'budget show tennant' "did you mean 'tenant'?"
	told 'budget show all dya' "'dya' is no period; did you mean 'day'?"
	told 'budget show all month' "there is no budget 'all month'"
	told 'budget show zzzzzzzzz' "'ai-cost budget' lists all"
	told 'limit show openai/gpt-5-min' "did you mean 'openai/gpt-5-mini'?"
	told 'budget sow' "did you mean 'show'?"
	told 'settle shw' "did you mean 'show'?"
	told 'reservations shwo' "did you mean 'show'?"
	told 'budget show a b c' 'usage: ai-cost budget show'
	told 'health --check dsk' "there is no check 'dsk'; did you mean 'disk'?"
	told 'health --check zzzzzzz' 'there are ledger, disk,'
	told 'health all' 'no operand is expected'
	told 'health --ledger none' 'no ledger to look at'
	told 'budget --warn 5' '--warn is no option of'
	# A breaker that nothing is known of is closed.
	run ai-cost breaker show some-model
	assert_status 0
	assert_eq "$output" ''
}

@test "a terminal of any width: nothing is wider, nothing is lost" {
	ai-cost budget set all day 20
	ai-cost budget set 'tenant:a company with quite a long name' month 50
	ai-cost limit set some-model --requests 500 --tokens 100000
	"${ask[@]}" --tenant 'a company with quite a long name' a >/dev/null
	for columns in 20 40 79 115; do
		at "$columns" "ai-cost budget -r; ai-cost limit -r" >shown
		assert_eq "$(awk -v n="$columns" 'length > n' shown)" ''
		for word in company '$20.00' 'spent' begins requests; do
			grep -qF -- "$word" shown ||
				assert_eq "$word at $columns" there
		done
		# No escape: what has no colours needs none.
		run grep -c $'\033' shown
		assert_eq "$output" 0
	done
	ai-cost budget set tenant:other total 1
	assert_has "$(at 140 'ai-cost budget -r')" '[..........] never'
	spent=$(ai-cost budget show all day | jq .spent_usd)
	ai-cost budget set all day "$(times "$spent" 2)"
	assert_has "$(at 140 'ai-cost budget -r')" '50%  [#####.....] in '
	# Less than a terminal can be.
	assert_has "$(at 1 'ai-cost budget -r')" all
}

@test "reservations: who holds what, since when, alive or dead" {
	stub_script '{"delay_ms":4000}'
	"${ask[@]}" slow >/dev/null &
	pid=$!
	for ((n = 0; n < 200; n++)); do
		ai-cost reservations >held 2>/dev/null
		[ ! -s held ] || break
		sleep 0.05
	done
	assert_eq "$(jq -c "[.tool,.pid,.alive,.model]" held)" \
		"[\"ai-complete\",$pid,true,\"some-model\"]"
	assert_has "$(ai-cost reservations -r)" "ai-complete  $pid"
	assert_eq "$(ai-cost reservations show some-model)" "$(cat held)"
	assert_eq "$(ai-cost reservations show ai-embed)" ''
	at 20 'ai-cost reservations -r' >shown
	assert_eq "$(awk 'length > 20' shown)" ''
	health --check reservations
	assert_status 0
	kill -KILL "$pid"
	wait "$pid" || true
	assert_has "$(ai-cost reservations -r)" ' dead '
	health --check reservations
	assert_status 1
	assert_eq "$(jq -c '[.healthy,.checks.reservations.dead]' <<<"$output")" \
		'[false,1]'
	assert_eq "$(jq .checks.reservations.held_usd <<<"$output")" \
		"$(jq .held_usd held)"
	health --check reservations --max-dead 1
	assert_status 0
}

@test "health: one object; without a ledger all is well, and none is made" {
	health
	assert_status 0
	assert_eq "$(jq -c '[.healthy, (.checks | keys)]' <<<"$output")" \
		'[true,["breakers","budgets","clock","disk","ledger","reservations"]]'
	assert_eq "${#lines[@]}" 1
	assert_eq "$stderr" ''
	assert [ ! -e "$XDG_STATE_HOME" ]
	health -r
	assert_eq "$(awk '{ print $1 }' <<<"$output" | sort -u)" ok
	health --check disk --check clock
	assert_eq "$(jq -c '.checks | keys' <<<"$output")" '["clock","disk"]'
	health --check disk --min-free 900000G
	assert_status 1
	assert_eq "$(jq -c '[.healthy,.checks.disk.ok]' <<<"$output")" '[false,false]'
}

@test "health: writing is tried, and nothing of it stays" {
	"${ask[@]}" a >/dev/null
	ai-cost ledger export >before
	health --check ledger
	assert_status 0
	ai-cost ledger export | cmp - before
	ai-cost ledger check
}

@test "health: budgets that are used up, or nearly; open breakers" {
	"${ask[@]}" a >/dev/null
	spent=$(ai-cost budget show all day | jq .spent_usd)
	ai-cost budget set all day "$(times "$spent" 1.25)"
	health
	assert_status 0
	health --warn 81
	assert_status 0
	health --warn 80
	assert_status 1
	assert_eq "$(jq -c '.checks.budgets.over[0] | [.scope,.period,.percent]' \
		<<<"$output")" '["all","day",80]'
	ai-cost budget set all day "$spent"
	health -r
	assert_status 1
	assert_has "$output" 'wrong  budgets       all day: 100% are used'
	ai-cost budget set all day 100
	stub_script '{"status":500}' '{"status":500}' '{"status":500}' \
		'{"status":500}' '{"status":500}'
	for n in 1 2 3 4 5; do
		"${ask[@]}" "$n" >/dev/null 2>&1 || true
	done
	health
	assert_status 1
	assert_eq "$(jq -c '.checks.breakers.open[0] | [.model,.state,.failures]' \
		<<<"$output")" '["some-model","open",5]'
	assert_eq "$(jq -c '.checks | map_values(.ok) | to_entries |
		map(select(.value | not).key)' <<<"$output")" '["breakers"]'
}

@test "health: a ledger that is locked, damaged, or may not be written" {
	need sqlite3
	"${ask[@]}" a >/dev/null
	{ echo 'BEGIN IMMEDIATE;'; sleep 5; } | sqlite3 "$ledger" &
	locker=$!
	sleep 0.3
	health --timeout 0.4
	assert_status 1
	assert_eq "$(jq -c '[.healthy,.checks.ledger.ok,.checks.disk.ok]' \
		<<<"$output")" '[false,false,true]'
	assert_has "$(jq -r .checks.ledger.error <<<"$output")" 'another program is writing'
	kill "$locker" 2>/dev/null || true
	wait "$locker" || true
	health
	assert_status 0
	open=$(mktemp -d)
	powerless "$open"
	mkdir "$open/aiutils"
	cp "$ledger" "$open/aiutils"
	chmod -R a+rX "$open"
	run --separate-stderr "${as[@]}" ai-cost health
	assert_status 1
	assert_has "$(jq -r .checks.ledger.error <<<"$output")" written
	assert_eq "$(jq -c '[.checks | to_entries[] | select(.value.ok)] | length' \
		<<<"$output")" 5
	ai-cost ledger backup whole.db
	head -c 20000 whole.db >cut.db
	health --ledger cut.db
	assert_status 1
	assert_eq "$(jq -c '[.healthy,.checks.ledger.ok]' <<<"$output")" '[false,false]'
	head -c 20000 /dev/urandom >noise.db
	health --ledger noise.db
	assert_status 1
	assert_eq "$(jq -c .healthy <<<"$output")" false
}

@test "health: a clock that was set back" {
	need sqlite3
	"${ask[@]}" a >/dev/null
	health --check clock
	assert_status 0
	sqlite3 "$ledger" "SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_master
		WHERE type='trigger' AND tbl_name='transfer'" >drop
	sqlite3 "$ledger" "$(cat drop) UPDATE transfer SET created=created+3600000"
	health --check clock
	assert_status 1
	health --check clock -r
	assert_has "$output" 'was set back'
}

@test "a budget and a limit of a model hold however its name is written" {
	run --separate-stderr ai-cost budget set model:gpt-4o day 0
	assert_status 0
	assert_has "$stderr" "'gpt-4o' is booked as 'openai/gpt-4o'"
	ai-cost limit set gpt-4o-2024-08-06 --requests 5 2>/dev/null
	assert_eq "$(ai-cost limit | jq -c '[.model,.requests]')" '["openai/gpt-4o",5]'
	for name in gpt-4o openai/gpt-4o openai/gpt-4o-2024-08-06; do
		assert_eq "$(ai-cost budget show "model:$name" | jq .cap_usd)" 0
		assert_eq "$(ai-cost limit show "$name" | jq .requests)" 5
		# Who says what it costs does not change whose budget it is.
		for price in "" 1,2; do
			assert_eq "$(echo '{"text":"x"}' |
				ai-cost -m "$name" ${price:+--price "$price"} |
				jq -c '[.cost.model,.cost.fits]')" \
				'["openai/gpt-4o",false]'
		done
		run --separate-stderr ai-complete --base-url "$STUB_URL" -m "$name" \
			--retries 0 --price 1,2 a
		assert_status 3
		assert_has "$stderr" 'of the day budget of model openai/gpt-4o'
	done
	ai-cost budget rm model:gpt-4o day
	ai-cost limit rm gpt-4o
	assert_eq "$(ai-cost budget show | jq -r .scope | sort -u)" all
	assert_eq "$(ai-cost limit)" ''
	"${ask[@]}" -m gpt-4o-2024-08-06 a >/dev/null
	assert_eq "$(ai-cost report --by model | jq -r .model)" openai/gpt-4o
}

@test "a budget or a limit of a model that looks mistyped is doubted, and set" {
	run --separate-stderr ai-cost budget set model:gpt4o day 1
	assert_status 0
	assert_has "$stderr" "no model 'gpt4o' is known; did you mean 'gpt-4o'?"
	run --separate-stderr ai-cost limit set gpt4o --tokens 100
	assert_status 0
	assert_has "$stderr" "did you mean 'gpt-4o'?"
	# None is told by a dash.
	run ai-cost limit -r
	[[ ${lines[1]} =~ ^gpt4o\ +\*\ +-\ +100$ ]]
	run --separate-stderr ai-cost budget set model:zzzzzzzzz day 1
	assert_eq "$stderr" ''
	ai-cost budget rm model:gpt4o day
}

@test "a breaker is shown and reset by any name of its model" {
	for _ in 1 2 3 4 5; do
		ai-complete --base-url http://127.0.0.1:9/v1 -m gpt-4o --retries 0 \
			--price 1,2 a >/dev/null 2>&1 || true
	done
	assert_eq "$(ai-cost breaker show gpt-4o | jq -c '[.model,.state]')" \
		'["openai/gpt-4o","open"]'
	ai-cost breaker reset gpt-4o-2024-08-06
	assert_eq "$(ai-cost breaker show openai/gpt-4o | jq -r 'select(.state != "closed")')" ''
}
