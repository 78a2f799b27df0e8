# ai-complete -c: what was said before, kept in the ledger.
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
	export AI_PRICE=1,2
}

ask() {
	run --separate-stderr ai-complete "$@"
}

# The messages of the last request, as "role: content" lines.
sent() {
	stub_log .body.messages | tail -n 1 | jq -r '.[] | "\(.role): \(.content)"'
}

show() {
	ai-complete conversation show "$@" | jq -r '"\(.role): \(.content)"'
}

@test "a turn follows what was said before, also in another process" {
	stub_script '{"content":"Hello Ann."}' '{"content":"Ann."}'
	ask -c chat --system 'Be brief.' 'I am Ann.'
	assert_status 0
	ask -c chat --system 'Be kind.' 'Who am I?'
	assert_status 0
	assert_eq "$(sent)" 'system: Be kind.
user: I am Ann.
assistant: Hello Ann.
user: Who am I?'
	assert_eq "$(show chat)" 'user: I am Ann.
assistant: Hello Ann.
user: Who am I?
assistant: Ann.'
	assert_eq "$(ai-complete conversation list | jq -c '[.name, .messages]')" \
		'["chat",4]'
	assert_eq "$(ai-complete conversation list | jq .cost_usd)" \
		"$(ai-cost report | jq .spent_usd)"
	assert_eq "$(stat -c %a state/aiutils/ledger.db)" 600
	# Nothing of another one.
	ask -c other 'Who am I?'
	assert_eq "$(sent)" 'user: Who am I?'
}

@test "records on standard input are turns, whatever else fails" {
	stub_script '{"content":"A"}' '{"status":400}' '{"content":"C"}'
	seq 3 | jq -c '{prompt: "p\(.)"}' >in
	ask -c chat <in
	assert_status 2
	assert_eq "$(sent)" 'user: p1
assistant: A
user: p3'
	assert_eq "$(show chat | wc -l)" 4
	ask -c chat -j 2 <in
	assert_status 64
	assert_has "$stderr" 'its turns come one after the other'
	AI_RETRIES=0 ask -c chat --config <(echo '{"jobs": 4}') <in
	assert_status 0
	assert_eq "$(sent | wc -l)" 9
}

@test "messages of a record are turns, too; what cannot be kept is told" {
	ask -c chat < <(echo '{"messages":[{"role":"user","content":"a\u00e9\n"},{"role":"assistant","content":"b"},{"role":"user","content":[{"type":"text","text":"c"}]}]}')
	assert_status 0
	assert_eq "$(ai-complete conversation show chat | jq -c '[.role, .content]' | head -n 3)" \
		'["user","aé\n"]
["assistant","b"]
["user",[{"type":"text","text":"c"}]]'
	ask -c chat next
	assert_eq "$(stub_log .body.messages | tail -n 1 | jq -c '[length, .[2].content[0].text]')" '[5,"c"]'
	for bad in '{"role":"tool","content":"x","tool_call_id":"1"}' \
		'{"role":"user","content":"x","name":"n"}' \
		'{"role":"user"}' '{"role":"user","content":null}'; do
		ask -c chat < <(echo "{\"messages\":[$bad]}")
		assert_status 2
		assert_eq "$(jq -r .error.code <<<"$output")" invalid_record
	done
	assert_eq "$(stub_requests)" 2
}

@test "sources are asked with, not kept" {
	stub_script '{"content":"It [1]."}'
	ask -c chat < <(echo '{"query":"who?","hits":[{"text":"The fox."}]}')
	assert_status 0
	assert_has "$(sent)" 'The fox.'
	assert_eq "$(show chat | head -n 1)" 'user: who?'
	ask -c chat more
	refute_has "$(sent)" 'The fox.'
}

@test "--history says how many go along; the oldest are left out" {
	for i in 1 2 3; do
		ask -c chat "p$i"
	done
	ask -c chat --history 4 p4
	assert_eq "$(sent | cut -c 1-8)" 'user: p2
assistan
user: p3
assistan
user: p4'
	# An answer is not sent without its question.
	ask -c chat --history 3 p5
	assert_eq "$(sent | grep -c .)" 3
	ask -c chat --history 0 p6
	assert_eq "$(sent)" 'user: p6'
	assert_eq "$(show chat | wc -l)" 12
	seq 300 | jq -c '{prompt: "q\(.)"}' | ask -c long
	ai-complete -c long --history 6 last >/dev/null
	assert_eq "$(sent | cut -c 1-10 | head -n 1)" 'user: q298'
}

@test "what does not fit into the context is left out, the oldest first" {
	unset AI_BASE_URL AI_PRICE
	export OPENAI_API_KEY=k OPENAI_BASE_URL=$STUB_URL
	ai-cost budget set all request 5 >/dev/null
	for i in 1 2 3; do
		jq -nc --arg i "$i" '{prompt: ("p\($i)" + " word" * 3000)}' >in
		ask -m openai/gpt-4 -c chat <in
		assert_status 0
	done
	# Each echoes what it was asked, so that one turn has 6000 tokens.
	assert_eq "$(sent | cut -c 1-8)" 'user: p3'
	assert_eq "$(stub_log .body.messages | sed -n 2p | jq length)" 1
	assert_eq "$(show chat | wc -l)" 6
	ask -m openai/gpt-4 -c chat small
	assert_eq "$(sent | cut -c 1-8)" 'user: p3
assistan
user: sm'
}

@test "it belongs to its tenant and user, and goes with him" {
	ask -c chat --user ann 'I am Ann.'
	ask -c chat --user bob 'Who am I?'
	assert_eq "$(sent)" 'user: Who am I?'
	ask -c chat --user ann --tenant t 'Who am I?'
	assert_eq "$(sent)" 'user: Who am I?'
	assert_eq "$(AI_USER=ann show chat | head -n 1)" 'user: I am Ann.'
	assert_eq "$(ai-complete conversation list)" ''
	assert_eq "$(ai-complete conversation list --user bob | jq -r .name)" chat
	ai-cost forget --user ann >/dev/null
	assert_eq "$(ai-complete conversation list --user ann)" ''
	run --separate-stderr ai-complete conversation show chat --user ann
	assert_status 64
	assert_has "$stderr" "no conversation 'chat' of this user and tenant"
}

@test "whoever went on meanwhile is not overtaken: 75, and the answer in the error" {
	stub_script '{"delay_ms":4000,"content":"slow"}' '{"content":"fast"}' '{}'
	printf '{"prompt":"a"}\n{"prompt":"c"}\n' >in
	ai-complete -c chat <in >slow 3>&- &
	pid=$!
	for _ in $(seq 200); do
		[ "$(stub_requests)" -ge 1 ] && break
		sleep 0.02
	done
	ask -c chat b
	assert_status 0
	wait "$pid" || true
	assert_eq "$(jq -c '.error | [.code, .answer]' slow | head -n 1)" \
		'["try_later","slow"]'
	assert_eq "$(show chat | head -n 3)" 'user: b
assistant: fast
user: c'
	# The next record has seen it.
	assert_eq "$(sent | head -n 2)" 'user: b
assistant: fast'
}

@test "show writes what can be asked again; delete deletes; words are words" {
	ask -c chat one
	ai-complete conversation show chat |
		jq -sc '{messages: (map({role, content}) + [{role: "user", content: "two"}])}' >in
	ask <in
	assert_status 0
	assert_eq "$(sent | wc -l)" 3
	ai-complete conversation delete chat
	assert_eq "$(ai-complete conversation list)" ''
	for wrong in 'conversation delete chat' 'conversation show chat' \
		'conversation' 'conversation lst' 'conversation list x' \
		'conversation show' 'conversation list -c x' \
		'conversation list --ledger none'; do
		# shellcheck disable=SC2086
		ask $wrong
		assert_status 64
	done
	n=$(stub_requests)
	ask 'conversation list'
	assert_status 0
	assert_eq "$(stub_requests)" $((n + 1))
	rm -r state
	assert_eq "$(ai-complete conversation list)" ''
	run ai-complete conversation show x
	assert_status 64
	assert [ ! -e state ]
}

@test "what -c does not go with is told" {
	for with in '--resume x' '--ledger none' '--openai-batch'; do
		# shellcheck disable=SC2086
		ask -c chat $with hello
		assert_status 64
		assert_has "$stderr" 'goes not with'
	done
	ask -c '' hello
	assert_status 64
	ask -c $'\xff' hello
	assert_status 64
	ask -c "$(printf 'x%.0s' {1..200})" hello
	[ "$status" -ne 0 ]
	assert_eq "$(stub_requests)" 0
}

@test "a full conversation says so; free models and chains have one, too" {
	export AI_PRICE=free
	stub_script '{"status":503}' '{"content":"B"}'
	ask --retries 0 -m m1,m2 -c chat x
	assert_status 0
	assert_eq "$(show chat)" 'user: x
assistant: B'
	ask -m local/extract -c chat < <(echo '{"query":"who?","hits":[{"text":"Who is the fox."}]}')
	assert_status 0
	assert_eq "$(show chat | wc -l)" 4
	jq -nc '{messages: [range(5000) | {role: "user", content: "x"}, {role: "assistant", content: "y"}][:9999]}' >in
	ask -c full <in
	assert_status 0
	ask -c full more
	assert_eq "$(jq -c '.error | [.code, .answer]' <<<"$output")" \
		'["too_long","{\"echo\":\"more\"}"]'
}

@test "a schema's answers that were refused are not kept" {
	echo '{"type":"integer"}' >int.json
	stub_script '{"content":"no"}' '{"content":"7"}'
	ask -c chat --schema int.json x
	assert_status 0
	assert_eq "$(show chat)" 'user: x
assistant: 7'
	# What both have cost.
	assert_eq "$(ai-complete conversation show chat | jq -s '.[1].cost_usd')" \
		"$(ai-cost report | jq .spent_usd)"
}
