#!/usr/bin/env bats
# ai-cost: budgets, limits and reports of the one ledger.
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

@test "looking makes no ledger" {
	for verb in budget limit breaker reservations report 'ledger check' \
		'ledger export' 'ledger vacuum' 'settle 1 1' \
		'forget --user x' 'export --user x'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr ai-cost $verb
		assert_status 0
		assert_has "$stderr" 'there is no ledger'
		[ "$verb" = budget ] || assert_eq "$output" ''
	done
	assert [ ! -e "$XDG_STATE_HOME" ]
}

@test "without a ledger: the budgets that a new one has" {
	ai-cost budget 2>/dev/null >none
	assert [ ! -e "$XDG_STATE_HOME" ]
	ai-cost budget set all day 100
	ai-cost budget >new
	assert_eq "$(cat none)" "$(cat new)"
	assert_eq "$(wc -l <new)" 2
}

@test "what is removed and was not there: a note, and no ledger" {
	run --separate-stderr ai-cost budget rm tenant:acme day
	assert_status 0
	assert_has "$stderr" "no budget 'tenant:acme' for 'day'"
	run --separate-stderr ai-cost limit rm x
	assert_status 0
	assert_has "$stderr" "no limit of 'x'"
	assert [ ! -e "$XDG_STATE_HOME" ]
	# But the budgets of a new ledger can be removed before it is there.
	ai-cost budget rm all day
	assert_eq "$(ai-cost budget | jq -r .period)" request
	run --separate-stderr ai-cost budget rm all day
	assert_has "$stderr" "no budget 'all' for 'day'"
}

@test "only what is not there is no ledger yet" {
	touch file
	for at in "$PWD/file/ledger.db" "$PWD/$(printf 'x%.0s' {1..300})"; do
		for verb in budget report 'budget rm all day'; do
			# shellcheck disable=SC2086
			run --separate-stderr ai-cost $verb --ledger "$at"
			assert_status 66
			assert_eq "$output" ''
			assert_has "$stderr" 'cannot look at the ledger'
		done
	done
}

@test "a ledger on a read-only disk can be looked at" {
	[ "$(id -u)" -eq 0 ] || skip "only root can mount a read-only disk"
	"${ask[@]}" -m one a >/dev/null
	ai-cost limit set x --requests 1
	ledger=$PWD/fixed/aiutils/ledger.db
	mkdir fixed
	# shellcheck disable=SC2016
	run unshare -m bash -ec 'mount --bind state fixed
		mount -o remount,ro,bind fixed
		for verb in budget limit report reservations "ledger check"; do
			ai-cost $verb --ledger "$0"
		done >read
		ai-cost budget set all day 1 --ledger "$0" 2>set || echo $?
		ai-cost budget rm all day --ledger "$0" 2>rm || echo $?' "$ledger"
	case $output in *unshare* | *mount*) skip 'may not mount' ;; esac
	assert_status 0
	assert_eq "$output" $'73\n73'
	assert_has "$(cat set rm)" 'cannot write'
	assert_has "$(cat rm)" 'cannot be written'
	assert_eq "$(cat read)" "$(ai-cost budget; ai-cost limit; ai-cost report)"
}

@test "budgets that let nothing out say so" {
	run --separate-stderr ai-cost budget set tenant:acme day 0
	assert_status 0
	assert_has "$stderr" 'tenant:acme day: with nothing to spend, no call'
	"${ask[@]}" -m x --tenant acme a >/dev/null || status=$?
	assert_eq "$status" 3
	"${ask[@]}" -m x a >/dev/null
	run --separate-stderr ai-cost budget set all day 0.00001
	assert_status 0
	assert_has "$stderr" 'all day: $0.000012 more than that is spent or held already: no call goes out until 2'
	run --separate-stderr ai-cost budget set all total 0.00002
	assert_has "$stderr" 'until it is raised'
	run --separate-stderr ai-cost budget set all total 5
	assert_eq "$stderr" ''
}

@test "a time zone that does not exist is told of when the ledger is made" {
	TZ=Mars/Phobos run --separate-stderr ai-cost budget set all day 5
	assert_status 0
	assert_has "$stderr" "no time zone 'Mars/Phobos'"
	assert_has "$stderr" 'those of UTC'
	TZ=Mars/Phobos run --separate-stderr ai-cost budget set all day 6
	assert_eq "$stderr" ''
}

@test "a folder or a list is no time zone, and a colon before one is none of its name" {
	local tz
	for tz in Europe Etc zone.tab; do
		export AI_LEDGER=$PWD/$tz.db
		TZ=$tz run --separate-stderr ai-cost budget set all day 5
		assert_status 0
		assert_has "$stderr" "no time zone '$tz'"
	done
	[ -e /usr/share/zoneinfo/Europe/Berlin ] || skip 'no time zones here'
	export AI_LEDGER=$PWD/colon.db
	TZ=:Europe/Berlin run --separate-stderr ai-cost budget set all day 5
	assert_status 0
	assert_eq "$stderr" ''
	run ai-cost ledger export
	assert_has "$output" Europe/Berlin
}

@test "budgets: set, listed, replaced, removed" {
	ai-cost budget set all day 20
	ai-cost budget set tenant:acme month 0.05
	run ai-cost budget
	assert_eq "${#lines[@]}" 3
	assert_has "$output" '{"scope":"all","period":"request","cap_usd":0.5}'
	assert_has "$output" '"period":"day","cap_usd":20,"spent_usd":0,"held_usd":0,"left_usd":20,"resets":"'
	assert_has "$output" '"scope":"tenant","name":"acme","period":"month","cap_usd":0.05,'
	ai-cost budget set tenant:acme month 1e-9
	assert_has "$(ai-cost budget)" '"cap_usd":0.000000001'
	ai-cost budget rm tenant:acme month
	assert_eq "$(ai-cost budget | wc -l)" 2
}

@test "a budget refuses, and another amount lets through" {
	ai-cost budget set tenant:acme total 0.00003
	"${ask[@]}" -m x --tenant acme --max-tokens 1 a >/dev/null || status=$?
	assert_eq "$status" 3
	ai-cost budget set tenant:acme total 1
	"${ask[@]}" -m x --tenant acme b >/dev/null
	assert_has "$(ai-cost budget)" '"cap_usd":1,"spent_usd":0.000022,"held_usd":0,"left_usd":0.999978}'
}

@test "what is no amount, no period, no scope" {
	for bad in -1 abc '' 1,5 99999999999 0x10 nan; do
		run --separate-stderr ai-cost budget set all day -- "$bad"
		assert_status 64
		assert_has "$stderr" "'$bad'"
	done
	run --separate-stderr ai-cost budget set all day -5
	assert_status 64
	assert_has "$stderr" "'-5' is negative"
	run --separate-stderr ai-cost budget sett all day 5
	assert_status 64
	assert_has "$stderr" "'sett' is no verb of budget; did you mean 'set'?"
	run --separate-stderr ai-cost budget set all week 5
	assert_status 64
	assert_has "$stderr" "not 'week'"
	run --separate-stderr ai-cost budget set team:x day 5
	assert_status 64
	assert_has "$stderr" "'team'"
	run --separate-stderr ai-cost budget set tenant day 5
	assert_status 64
	run --separate-stderr ai-cost budgte
	assert_status 64
	assert_has "$stderr" "did you mean 'budget'?"
	run --separate-stderr ai-cost ledger chek
	assert_status 64
	assert_has "$stderr" "'chek' is no verb of ledger; did you mean 'check'?"
	run --separate-stderr ai-cost ledger
	assert_status 64
	assert_has "$stderr" check
}

@test "limits: set, heeded, removed" {
	ai-cost limit set x --requests 1
	assert_eq "$(ai-cost limit)" '{"model":"x","requests":1}'
	"${ask[@]}" -m x a >/dev/null
	run --separate-stderr "${ask[@]}" -m x --max-wait 0 b
	assert_status 75
	assert_has "$output" try_later
	ai-cost limit rm x
	assert_eq "$(ai-cost limit)" ''
	"${ask[@]}" -m x --max-wait 0 c >/dev/null
	run --separate-stderr ai-cost limit set x
	assert_status 64
}

@test "a report by model, tool and day; the table and the lines agree" {
	"${ask[@]}" -m one a >/dev/null
	printf '%s\n' b c | "${ask[@]}" -R -m two >/dev/null
	echo '{"text":"fox"}' | ai-embed --base-url "$STUB_URL" -m e --price 1,0 >/dev/null
	run ai-cost report --by model
	assert_has "$output" '{"model":"one","calls":1,"spent_usd":0.000022,"held_usd":0,"input_tokens":'
	assert_has "$output" '{"model":"two","calls":2,"spent_usd":0.000044,"held_usd":0,"input_tokens":'
	assert_eq "$(ai-cost report --by tool | jq -r .tool)" $'ai-complete\nai-embed'
	assert_eq "$(ai-cost report | jq -r .day)" "$(date +%F)"
	assert_eq "$(ai-cost report | jq .calls)" 4
	assert_eq "$(ai-cost report --since 2099-01-01)" ''
	assert_eq "$(ai-cost report --until 2000-01-01)" ''
	assert_has "$(ai-cost report --by model -r)" 'all                                     4'
	run --separate-stderr ai-cost report --since eventually
	assert_status 64
}

@test "a call under way is listed, and what the dead left is settled" {
	stub_script '{"delay_ms":3000}'
	"${ask[@]}" -m x a >/dev/null &
	pid=$!
	for ((i = 0; i < 100; i++)); do
		[ "$(ai-cost reservations 2>/dev/null | jq .sent)" != true ] || break
		sleep 0.05
	done
	assert_eq "$(ai-cost reservations | jq -c '[.pid,.alive,.sent,.model]')" \
		"[$pid,true,true,\"x\"]"
	kill -KILL "$pid"
	wait "$pid" || true
	assert_eq "$(ai-cost reservations | jq -c '[.alive,.sent]')" '[false,true]'
	ai-cost budget set all total 0.0001
	run "${ask[@]}" -m x --max-tokens 1 b
	assert_eq "$(ai-cost reservations)" ''
	assert_eq "$(ai-cost report --by model | jq .unanswered)" 1
}

@test "check: a ledger that was edited" {
	need sqlite3
	"${ask[@]}" -m x a >/dev/null
	run ai-cost ledger check
	assert_status 0
	assert_eq "$output" ''
	sqlite3 "$XDG_STATE_HOME/aiutils/ledger.db" \
		'DROP TRIGGER no_update; UPDATE transfer SET amount=1 WHERE kind=2'
	run --separate-stderr ai-cost ledger check
	assert_status 65
	assert_has "$output" 'seal is broken'
	assert_has "$stderr" 'contradicts itself'
}

@test "limits of one key: by its name in the ledger, or by its variable" {
	AI_API_KEY=one "${ask[@]}" -m x hi >/dev/null
	name=$(ai-cost report --by key | jq -r .key)
	AI_API_KEY=one ai-cost limit set x --key-env AI_API_KEY --requests 1
	assert_eq "$(ai-cost limit | jq -r .key)" "$name"
	ai-cost limit set x --key other --tokens 5
	assert_eq "$(ai-cost limit | jq -r .key | sort)" \
		"$(printf '%s\n' "$name" other | sort)"
	AI_API_KEY=one "${ask[@]}" -m x hi >/dev/null
	AI_API_KEY=one run "${ask[@]}" -m x --max-wait 0 hi
	assert_status 75
	AI_API_KEY=two "${ask[@]}" -m x --max-wait 0 hi >/dev/null
	AI_API_KEY=two "${ask[@]}" -m x --max-wait 0 hi >/dev/null
	ai-cost limit rm x --key "$name"
	AI_API_KEY=one "${ask[@]}" -m x --max-wait 0 hi >/dev/null
	run ai-cost limit set x --key-env NO_SUCH_NAME --requests 1
	assert_status 64
	assert_has "$output" "no key in the environment variable 'NO_SUCH_NAME'"
	run ai-cost limit set '' --requests 1
	assert_status 64
}

@test "an option that the verb does not heed is not ignored" {
	for line in 'report --requests 5' 'report --user bob' 'budget --force' \
		'limit --by day' 'reservations -p x' 'settle -m x'; do
		# shellcheck disable=SC2086 # words
		run ai-cost $line
		assert_status 64
		assert_has "$output" 'is no option of'
	done
	run ai-cost --by model <<<'{"text":"x"}'
	assert_status 64
	assert_has "$output" 'goes with a verb'
}
