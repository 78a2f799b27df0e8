#!/usr/bin/env bats
# ai-cost ledger, settle, breaker, export and forget: what is done by hand.
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
	ledger=$XDG_STATE_HOME/aiutils/ledger.db
	export AI_PRICE='1,2'
	ask=(ai-complete --base-url "$STUB_URL" -m some-model --retries 0)
}

# kinds: of all events, in one line.
kinds() {
	ai-cost ledger events | jq -r .kind | paste -sd,
}

# orphan: a call that was sent and whose process was killed; prints its id.
orphan() {
	local pid i

	stub_script '{"delay_ms":3000}'
	"${ask[@]}" lost >/dev/null &
	pid=$!
	for ((i = 0; i < 200; i++)); do
		[ "$(ai-cost reservations 2>/dev/null | jq .sent)" != true ] || break
		sleep 0.05
	done
	kill -KILL "$pid"
	wait "$pid" || true
	ai-cost reservations | jq -r .id
}

@test "settle: a lost call, by hand, twice, and again otherwise" {
	id=$(orphan)
	assert_eq "$(ai-cost settle "${id:0:16}" 0.25 | jq -c .is_usd)" 0.25
	assert_eq "$(ai-cost reservations)" ''
	assert_eq "$(ai-cost settle "$id" 0.25)" '{"was_usd":0.25,"is_usd":0.25}'
	assert_eq "$(ai-cost settle "$id" 0)" '{"was_usd":0.25,"is_usd":0}'
	assert_eq "$(ai-cost report --by model)" \
		'{"model":"some-model","calls":1,"spent_usd":0,"held_usd":0}'
	ai-cost ledger check
	assert_eq "$(kinds)" 'settle,settle'
}

@test "settle: what nobody knows is listed, at its worst case and as nothing" {
	id=$(orphan)
	run ai-cost settle
	assert_eq "$(jq -r .id <<<"$output")" "$id"
	held=$(jq .held_usd <<<"$output")
	assert_eq "$(ai-cost settle "$id" worst | jq -c '[.held_usd,.is_usd]')" \
		"[$held,$held]"
	assert_eq "$(ai-cost settle | jq -c '[.id,.booked_usd]')" "[\"$id\",$held]"
	assert_has "$(ai-cost settle -r)" "booked ai-complete"
	assert_eq "$(ai-cost report --by model | jq .unanswered)" 1
	assert_eq "$(ai-cost settle "$id" void | jq -c '[.was_usd,.is_usd]')" \
		"[$held,0]"
	assert_eq "$(ai-cost settle)" ''
	assert_eq "$(ai-cost report --by model)" \
		'{"model":"some-model","calls":1,"spent_usd":0,"held_usd":0,"failed":1}'
	assert_eq "$(ai-cost settle "$id" worst | jq .is_usd)" "$held"
	ai-cost ledger check
	assert_eq "$(kinds)" 'settle,settle,settle'
}

@test "settle: a living process keeps its call, unless by force" {
	stub_script '{"delay_ms":2500}'
	"${ask[@]}" slow >/dev/null &
	pid=$!
	for ((i = 0; i < 200; i++)); do
		id=$(ai-cost reservations 2>/dev/null | jq -r .id)
		[ -z "$id" ] || break
		sleep 0.05
	done
	run --separate-stderr ai-cost settle "$id" 1
	assert_status 75
	assert_has "$stderr" "process $pid (ai-complete), which may still live"
	assert_eq "$(ai-cost settle --force "$id" 1 | jq .is_usd)" 1
	wait "$pid"
	assert_eq "$(ai-cost report --by model | jq -c '[.calls,.spent_usd]')" '[1,1]'
	ai-cost ledger check
}

@test "settle: what is no id and no amount" {
	"${ask[@]}" a >/dev/null
	"${ask[@]}" b >/dev/null
	for bad in zz '' 123456789012345678901234567890123 ffff; do
		run --separate-stderr ai-cost settle "$bad" 1
		assert_status 64
	done
	run --separate-stderr ai-cost settle 0 1
	assert_status 64
	assert_has "$stderr" "several calls"
	for bad in -1 x 99999999; do
		run --separate-stderr ai-cost settle -- 0 "$bad"
		assert_status 64
	done
	run --separate-stderr ai-cost settle 0
	assert_status 64
	assert_has "$stderr" 'settle ID DOLLARS|worst|void'
}

@test "breaker: open after failures, listed, reset" {
	stub_script '{"status":500}' '{"status":500}' '{"status":500}' \
		'{"status":500}' '{"status":500}'
	for i in 1 2 3 4 5; do
		"${ask[@]}" "$i" >/dev/null 2>&1 || true
	done
	assert_eq "$(ai-cost breaker | jq -c '[.model,.state,.failures]')" \
		'["some-model","open",5]'
	assert_has "$(ai-cost breaker -r)" open
	run "${ask[@]}" refused
	assert_has "$output" '"error"'
	assert_eq "$(stub_requests)" 5
	ai-cost breaker reset another-model
	assert_eq "$(ai-cost breaker | jq -r .state)" open
	ai-cost breaker reset
	assert_eq "$(ai-cost breaker)" ''
	ai-cost breaker reset some-model
	"${ask[@]}" goes >/dev/null
	assert_eq "$(kinds)" 'breaker reset'
}

@test "backup: a copy that opens by itself, and is not replaced unasked" {
	"${ask[@]}" a >/dev/null
	ai-cost ledger backup copy.db
	assert_eq "$(stat -c %a copy.db)" 600
	assert_eq "$(echo copy.db*)" copy.db
	cp copy.db opened.db
	assert_eq "$(ai-cost --ledger opened.db report | jq .calls)" 1
	run --separate-stderr ai-cost ledger backup copy.db
	assert_status 73
	assert_has "$stderr" '--force'
	"${ask[@]}" b >/dev/null
	ai-cost ledger backup copy.db --force
	assert_eq "$(ai-cost --ledger copy.db report | jq .calls)" 2
	run --separate-stderr ai-cost ledger backup no/such/folder
	assert_status 73
	run --separate-stderr ai-cost ledger backup -
	assert_status 64
}

@test "backup: a full disk leaves nothing behind" {
	need unshare
	unshare -rm true || skip 'may not mount'
	"${ask[@]}" a >/dev/null
	mkdir small
	# shellcheck disable=SC2016 # the inner shell's
	run unshare -rm sh -c 'mount -t tmpfs -o size=64k none small &&
		ai-cost ledger backup small/copy.db; echo "status $?"; ls small'
	assert_has "$output" 'status 74'
	assert_has "$output" 'no space left'
	refute_has "$output" 'copy.db.new'
}

@test "restore: nothing newer is dropped unasked, and all comes back" {
	"${ask[@]}" a >/dev/null
	ai-cost budget set tenant:acme day 5
	ai-cost ledger backup copy.db
	ai-cost ledger restore copy.db
	"${ask[@]}" b >/dev/null
	ai-cost budget rm tenant:acme day
	run --separate-stderr ai-cost ledger restore copy.db
	assert_status 73
	assert_has "$stderr" '2 transfers ($0.000022 spent) and 1 changes by hand'
	assert_eq "$(ai-cost report | jq .calls)" 2
	run --separate-stderr ai-cost ledger restore copy.db --force
	assert_status 0
	assert_has "$stderr" 'gone: 2 transfers of $0.000022 and 1 events'
	assert_eq "$(ai-cost report | jq .calls)" 1
	assert_has "$(ai-cost budget)" '"name":"acme"'
	assert_eq "$(kinds)" 'budget,restore'
	ai-cost ledger check
	"${ask[@]}" c >/dev/null
	assert_eq "$(find "$XDG_STATE_HOME" -name '*.new-*')" ''
}

@test "restore: what is no good copy changes nothing" {
	need sqlite3
	"${ask[@]}" a >/dev/null
	ai-cost ledger backup copy.db
	before=$(ai-cost ledger export | sha256sum)
	echo rubbish >rubbish.db
	: >empty.db
	sqlite3 other.db 'CREATE TABLE t(a); PRAGMA user_version=1'
	cp copy.db edited.db
	sqlite3 edited.db 'DROP TRIGGER no_update; UPDATE transfer SET amount=1'
	cp copy.db newer.db
	sqlite3 newer.db 'PRAGMA user_version=99'
	head -c 40000 copy.db >half.db
	for bad in rubbish empty other edited newer half missing; do
		run --separate-stderr ai-cost ledger restore --force "$bad.db"
		[ "$status" -ne 0 ] || fail "$bad was restored"
		refute_has "$stderr" internal
		assert_eq "$bad $(ai-cost ledger export | sha256sum)" "$bad $before"
	done
	assert_eq "$(find "$XDG_STATE_HOME" -name '*.new-*')" ''
}

@test "restore: a damaged ledger is kept, and the copy takes its place" {
	"${ask[@]}" a >/dev/null
	ai-cost ledger backup copy.db
	ai-cost ledger vacuum # or all of it would be in the log
	head -c 5000 /dev/urandom >"$ledger"
	run --separate-stderr ai-cost report
	assert_status 65
	assert_has "$stderr" 'ai-cost ledger restore'
	run --separate-stderr ai-cost ledger restore copy.db
	assert_status 0
	assert_has "$stderr" 'damaged-'
	assert_eq "$(ai-cost report | jq .calls)" 1
	ai-cost ledger check
	assert_eq "$(find "$XDG_STATE_HOME" -name '*.damaged-*Z' | wc -l)" 1
}

@test "restore: a copy of version 1, as it was kept" {
	ai-cost ledger restore "$SRCDIR/tests/unit/ledger-1.db"
	assert_eq "$(ai-cost report --by user | jq -r .user | sort | paste -sd,)" \
		'Ada Lovelace,Grace Hopper,null'
	ai-cost ledger check
}

@test "vacuum gives space back" {
	"${ask[@]}" a >/dev/null
	assert_has "$(ai-cost ledger vacuum)" '"bytes":'
	assert_eq "$(stat -c %s "$ledger-wal")" 0
	ai-cost ledger check
}

@test "export and import: another ledger that is the same" {
	orphan >/dev/null
	"${ask[@]}" --user Ada --tenant acme a >/dev/null
	ai-cost budget set user:Ada day 5
	ai-cost limit set some-model --requests 100
	ai-cost ledger export >lines
	ai-cost --ledger new/ledger.db ledger import <lines
	ai-cost --ledger new/ledger.db ledger check
	ai-cost --ledger new/ledger.db ledger export | cmp - lines
	assert_eq "$(ai-cost --ledger new/ledger.db report --by user)" \
		"$(ai-cost report --by user)"
	assert_eq "$(ai-cost --ledger new/ledger.db budget)" "$(ai-cost budget)"
	run --separate-stderr ai-cost --ledger new/ledger.db ledger import <lines
	assert_status 64
	assert_has "$stderr" 'in use already'
}

# calls SECONDS FILE: as many as can be made.
calls() {
	"$BUILDDIR/tests/bench/ledger" queue 1 "$1" "$2" >/dev/null
}

@test "export: a reader that takes his time does not let the log grow" {
	calls 1 w.db
	ai-cost --ledger w.db ledger export > >(sleep 4) &
	sleep 1
	calls 2 w.db
	size=$(stat -c %s w.db-wal)
	assert [ "$size" -lt 8000000 ]
	wait
}

@test "export: what does not fit into memory comes from a nameless file" {
	mkdir tmp
	for ((i = 0; i < 30; i++)); do
		calls 1 w.db
		TMPDIR=$PWD/tmp ai-cost --ledger w.db ledger export >lines
		[ "$(stat -c %s lines)" -lt 1100000 ] || break
	done
	assert_eq "$(ls tmp)" ''
	assert_eq "$(jq -c '.state.seq // empty' lines)" \
		"$(grep -c '^{"transfer"' lines)"
	TMPDIR=$PWD/none run -74 --separate-stderr ai-cost --ledger w.db ledger export
	assert_has "$stderr" 'set TMPDIR'
	# Through a pipe, it is imported from such a file.
	# shellcheck disable=SC2002 # a pipe is meant
	cat lines | TMPDIR=$PWD/tmp ai-cost --ledger n.db ledger import
	ai-cost --ledger n.db ledger export | cmp - lines
}

@test "import: nobody waits for who writes the lines" {
	"${ask[@]}" a >/dev/null
	ai-cost ledger export >lines
	{ sleep 4; cat lines; } | ai-cost --ledger i.db ledger import &
	sleep 0.5
	run timeout 2 ai-cost --ledger i.db budget set all day 5
	assert_status 0
	wait $! || true
	{ sleep 1; cat lines; } | ai-cost --ledger k.db ledger import
	ai-cost --ledger k.db ledger export | cmp - lines
}

@test "import: not from a terminal" {
	need script
	run timeout 5 script -qec 'ai-cost --ledger i.db ledger import' /dev/null
	assert_status 64
	assert_has "$output" 'ledger import <FILE'
	[ ! -e i.db ]
}

@test "tables: a name does not drive the terminal" {
	name=$'a\e[2J\rx\x7f\u009bz'
	ai-cost budget set "user:$name"$'\ny' day 5
	"${ask[@]}" --user "$name" a >/dev/null
	ai-cost budget -r >table
	ai-cost report --by user -r >>table
	assert_has "$(cat table)" 'a?[2J?x??z?y'
	run grep -cP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' table
	assert_eq "$output" 0
	assert_eq "$(wc -l <table)" 7
	# As data it is what it was.
	assert_eq "$(ai-cost report --by user | jq -r .user)" "$name"
}

@test "a ledger without a name, and a day that does not exist" {
	for verb in report 'budget set all day 5' 'ledger restore x'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr ai-cost $verb --ledger ''
		assert_status 64
		assert_has "$stderr" 'the ledger has no name'
	done
	ai-cost budget set all day 5
	for day in 2026-02-31 2026-02-29 2026-04-31; do
		run --separate-stderr ai-cost report --since "$day"
		assert_status 64
		assert_has "$stderr" "there is no day '$day'"
	done
	ai-cost report --since 2028-02-29 --until 2028-03-31
}

@test "import: bad lines import nothing" {
	"${ask[@]}" --user Ada a >/dev/null
	ai-cost ledger export >lines
	try() {
		run --separate-stderr ai-cost --ledger "$1.db" ledger import <bad
		assert_status 65
		assert_has "$stderr" "$2"
		assert_eq "$(ai-cost --ledger "$1.db" report)" ''
		ai-cost --ledger "$1.db" ledger check
	}
	: >bad
	try 1 'nothing to import'
	echo '{"transfer":{"seq":1}}' >bad
	try 2 'the state is the first line'
	sed 's/"amount":[0-9]*/"amount":7/' lines >bad
	try 3 'seal is broken'
	head -n -1 lines | grep -v '"kind":2' >bad
	try 4 'nothing was imported'
	{ cat lines; echo '{"sqlite_master":{"a":1}}'; } >bad
	try 5 'no row of a ledger'
	{ cat lines; echo '{"budget":{"scope) SELECT 1; --":1}}'; } >bad
	try 6 'a member that no ledger has'
	{ cat lines; echo '{"budget":{"scope":1,"name":2,"period":3,"cap":-4}}'; } >bad
	try 7 'cannot have such a row'
	{ cat lines; tail -n 1 lines; } >bad
	try 8 'has it already'
	{ cat lines; echo 'no JSON'; } >bad
	try 9 "line $(($(wc -l <lines) + 1)):"
}

@test "export --user and forget --user: all of it, and then nothing" {
	"${ask[@]}" --user 'Ada Lovelace' --tenant acme a >/dev/null
	"${ask[@]}" --user 'Grace Hopper' b >/dev/null
	ai-cost budget set 'user:Ada Lovelace' day 5
	ai-cost export --user 'Ada Lovelace' >mine
	assert_eq "$(jq -r 'keys[0]' mine | paste -sd,)" 'user,budget,call'
	assert_eq "$(jq -r '.call.cost // empty' mine)" 22000
	refute_has "$(cat mine)" Grace
	spent=$(ai-cost budget | jq -c 'select(.scope=="all")')
	assert_has "$(cat "$ledger" "$ledger-wal")" 'Ada Lovelace'
	ai-cost forget --user 'Ada Lovelace'
	run grep -l 'Ada Lovelace' "$XDG_STATE_HOME"/aiutils/*
	assert_eq "$output" ''
	assert_eq "$(ai-cost budget | jq -c 'select(.scope=="all")')" "$spent"
	assert_eq "$(ai-cost budget | grep -c user)" 0
	assert_eq "$(ai-cost report --by tenant | jq -c '[.tenant,.calls]' | paste -sd,)" \
		'[null,1],["acme",1]'
	ai-cost ledger check
	for verb in forget export; do
		run --separate-stderr ai-cost "$verb" --user 'Ada Lovelace'
		assert_status 64
		assert_has "$stderr" 'knows no user'
		run --separate-stderr ai-cost "$verb"
		assert_status 64
	done
	assert_eq "$(kinds)" 'budget,forget'
}

@test "forget: copies that lie about are removed, or named" {
	"${ask[@]}" --user Bob a >/dev/null
	ai-cost ledger backup "$ledger.copy"
	# As a restore leaves it that is killed.
	cp "$ledger.copy" "$ledger.restore"
	cp "$ledger.copy" "$ledger.damaged-20260101T000000Z"
	run --separate-stderr ai-cost forget --user Bob
	assert_status 0
	assert_has "$stderr" "ledger.db.damaged-20260101T000000Z' is not the ledger"
	assert_has "$stderr" "ledger.db.copy' is not the ledger"
	run grep -l Bob "$ledger"*
	refute_has "$output" restore
	assert_eq "$(wc -l <<<"$output")" 2
}

@test "a stopped program holds up nobody for ever" {
	"${ask[@]}" a >/dev/null
	"$BUILDDIR/tests/bench/ledger" queue 1 30 "$ledger" >/dev/null 2>&1 &
	bench=$!
	sleep 1
	pid=$(pgrep -P "$bench")
	kill -STOP "$pid"
	# By chance it has not got the lock just then, or not yet said that it
	# is the one that has.
	for ((i = 0; i < 20; i++)); do
		run --separate-stderr timeout 30 ai-cost budget set all day 5
		[[ $stderr != *"process $pid "* ]] || break
		kill -CONT "$pid"
		sleep 0.1
		kill -STOP "$pid"
	done
	kill -KILL "$pid" "$bench"
	assert_status 75
	assert_has "$stderr" "process $pid (stopped) holds the ledger's lock"
	ai-cost budget set all day 5
}

@test "a verb that is not there is named with the nearest" {
	run --separate-stderr ai-cost ledger chekc
	assert_status 64
	assert_has "$stderr" "did you mean 'check'?"
	run --separate-stderr ai-cost ledger
	assert_status 64
	assert_has "$stderr" 'check, events, backup'
	run --separate-stderr ai-cost budget sett all day 5
	assert_status 64
	assert_has "$stderr" "did you mean 'set'?"
}
