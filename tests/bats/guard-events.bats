#!/usr/bin/env bats
# ai-guard: what is told of findings, and where.
load helper

attack='{"id":"q1","text":"see\u202e this"}'

@test "events: a line for each finding, without a word of the text" {
	printf '%s\n' "$attack" '{"text":"harmless"}' |
		ai-guard --events events >out
	assert_eq "$(jq -c '[.program, .record_blake2b, .line, .path, .context, .kind, .rule, .action, .view, .span, .score]' events)" \
		'["ai-guard","'"$(printf q1 | b2sum -l 128 | cut -d ' ' -f 1)"'",1,"text","user","invalid","bidi","flag","text",[3,6],0.9]'
	assert_eq "$(jq -r '.time | fromdateiso8601? // sub("\\.[0-9]+Z$"; "Z") | type' events)" string
	assert_eq "$(stat -c %a events)" 600
	refute_has "$(cat events)" this
	# appended
	printf '%s\n' "$attack" | AI_GUARD_EVENTS=events ai-guard >out
	assert_eq "$(wc -l <events)" 2
	assert_eq "$(jq -r .run events | sort -u | wc -l)" 2
	assert_eq "$(jq -r .value events | sort -u | wc -l)" 2
}

@test "events: neither an id nor a name in a path tells who somebody is" {
	id=jo@acme-widgets.com
	printf '%s\n' "{\"id\":\"$id\",\"text\":\"see\\u202e $id\"}" \
		"{\"custom_id\":\"$id\",\"text\":{\"$id\":\"see\\u202e this\"}}" >in
	ai-guard --redact --action invalid=block --events events in >out || true
	ai-cost ledger events >>events
	refute_has "$(cat events)" acme
	refute_has "$(cat events)" jo@
	assert_eq "$(jq -r '.record_blake2b // .detail.record_blake2b' events | sort -u)" \
		"$(printf %s "$id" | b2sum -l 128 | cut -d ' ' -f 1)"
	assert_eq "$(jq -r '.path // .detail.path' events | sort -u)" 'text
text.*.*'
	# What the caller names is no secret.
	rm events
	ai-guard -p "text.jo@acme-widgets\\.com" --action invalid=flag --events events in >out || true
	echo '{"mine":{"x":"see\u202e"}}' | ai-guard -p mine.x --events events >out
	assert_eq "$(tail -n 1 events | jq -r .path)" mine.x
}

@test "events: the trace of the environment goes along, if it is one" {
	t=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
	printf '%s\n' "$attack" | TRACEPARENT=$t ai-guard --events events >out
	assert_eq "$(jq -r .traceparent events)" "$t"
	for bad in '00-"' "${t/0af/0AF}" "${t}1"; do
		rm events
		printf '%s\n' "$attack" | TRACEPARENT=$bad ai-guard --events events >out
		assert_eq "$(jq -r .traceparent events)" null
	done
}

@test "events: workers write whole lines" {
	seq 2000 | sed 's/.*/{"id":&,"text":"see\\u202e this"}/' >in
	ai-guard -j 4 --events events in >out
	assert_eq "$(jq -r .line events | sort -n | md5sum)" "$(seq 2000 | md5sum)"
	assert_eq "$(jq -r .record_blake2b events | sort -u | wc -l)" 2000
}

@test "events: a write that fails is never silent" {
	run_sh "printf '%s\n' '$attack' | ai-guard --events /dev/full"
	assert_status 74
	assert_has "$stderr" "cannot write events to '/dev/full': No space left"
	run_sh "printf '%s\n' '$attack' | ai-guard --events no/where"
	assert_status 73
}

@test "events: without events no ledger is made" {
	printf '%s\n' "$attack" '{"text":"harmless"}' | ai-guard >out
	assert_eq "$(ls -A)" out
}

@test "events: what is blocked or dropped goes into the ledger's chain" {
	printf '%s\n' "$attack" '{"text":"harmless"}' '{"id":"q3","text":"\u202e"}' >in
	for action in block drop; do
		ai-guard --action invalid=$action in >out || true
	done
	ai-cost ledger check
	ai-cost ledger events >events
	assert_eq "$(jq -c '[.kind, .detail.program, .detail.action, .detail.line, .detail.rules[0]]' events)" \
		'["guard","ai-guard","block",1,"invalid/bidi"]
["guard","ai-guard","block",3,"invalid/bidi"]
["guard","ai-guard","drop",1,"invalid/bidi"]
["guard","ai-guard","drop",3,"invalid/bidi"]'
	# a record is found by the hash of its id, which is not in the file
	assert_eq "$(jq -r 'select(.detail.line == 3).detail.record_blake2b' events | sort -u)" \
		"$(printf q3 | b2sum -l 128 | cut -d ' ' -f 1)"
	ai-guard --action invalid=block --no-audit in >out || true
	ai-guard --action invalid=block --ledger none in >out || true
	assert_eq "$(ai-cost ledger events | wc -l)" 4
}

@test "events: an event that was removed or changed is seen" {
	need sqlite3
	printf '%s\n' "$attack" | ai-guard --action invalid=block >out || true
	db=$XDG_STATE_HOME/aiutils/ledger.db
	# not by SQL
	run sqlite3 "$db" "UPDATE event SET detail = '{}' WHERE kind = 'guard'"
	[ "$status" -ne 0 ]
	sqlite3 "$db" 'PRAGMA wal_checkpoint(TRUNCATE)'
	sed -i 's/"action":"block"/"action":"bl0ck"/' "$db"
	run ai-cost ledger check
	[ "$status" -ne 0 ]
}

@test "events: each text of a record has its own, with its path" {
	echo '{"messages":[{"role":"user","content":"a"},{"role":"user","content":"\u202e"},{"role":"tool","content":"\u202e"}]}' |
		ai-guard --context auto --action invalid=block --events events >out || true
	assert_eq "$(jq -c '[.path, .context, .action]' events)" \
		'["messages.1.content","user","block"]
["messages.2.content","tool","block"]'
	assert_eq "$(ai-cost ledger events | jq -c '[.detail.path, .detail.context]')" \
		'["messages.1.content","user"]
["messages.2.content","tool"]'
	ai-cost ledger check
}

@test "events: a ledger that cannot be written ends the program" {
	mkdir -p state/aiutils
	echo 'no ledger at all, but a text file' >state/aiutils/ledger.db
	run_sh "printf '%s\n' '$attack' | ai-guard --action invalid=block"
	[ "$status" -ne 0 ] && [ "$status" -ne 2 ]
	assert_eq "$output" ''
	run_sh "printf '%s\n' '$attack' | env -u XDG_STATE_HOME -u HOME ai-guard --action invalid=block"
	assert_status 78
	assert_has "$stderr" 'ledger'
	assert_has "$stderr" 'note nothing with --no-audit or --ledger none'
	run_sh "printf '%s\n' '$attack' | XDG_STATE_HOME=/proc/none ai-guard -q --action invalid=block"
	assert_has "$stderr" 'note nothing with --no-audit or --ledger none'
	run_sh "printf '%s\n' '$attack' | XDG_STATE_HOME=/proc/none ai-guard -q --action invalid=block --no-audit"
	assert_status 2
	# without anything to note it is not asked for
	run_sh "echo '{\"text\":\"a\"}' | env -u XDG_STATE_HOME -u HOME ai-guard --action invalid=block"
	assert_status 0
}
