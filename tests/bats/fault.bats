#!/usr/bin/env bats
# One call fails at a time: the first, the second, ... of each kind, through a
# preloaded library. Whatever fails, no program may end 0 with data missing,
# die by a signal, or hang.
#
# A scenario is three functions: NAME_prepare makes the files in an empty
# folder, NAME_run runs the program, NAME_result prints what must be there
# when it ended 0.
#
# The network fails too: a server of our own breaks off at each stage of an
# answer.
load helper
load ../stub/stub

setup_file() {
	if command -v node >/dev/null; then
		stub_start
	fi
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	PATH=$BUILDDIR/tests/stub:$PATH
	# LD_PRELOAD is a list with blanks: no folder's name may have one.
	cp "$BUILDDIR/tests/fault/shim.so" shim.so
	shim=$PWD/shim.so
}

# Points of failure tried for one kind of call; beyond that they are spread
# evenly over all of them. make check-long tries more.
points_max=${AI_TEST_POINTS:-10}

points() {
	awk -v n="$1" -v max="$points_max" 'BEGIN {
		step = n > max ? n / max : 1
		for (i = 1; i <= n; i += step)
			print int(i)
	}'
}

# fresh NAME: the scenario's files, in a folder of their own.
fresh() {
	if [ ! -d "$1.files" ]; then
		mkdir "$1.files"
		(cd "$1.files" && "$1_prepare") || return
	fi
	rm -rf work
	cp -r "$1.files" work
}

# faulty NAME FAULT: runs the scenario with the fault; its status.
faulty() {
	(
		cd work || exit
		export AI_TEST_FAULT=$2 LD_PRELOAD=$shim
		"$1_run" timeout 20
	) 2>work/err
}

# try NAME CALL ERROR: the scenario with each of these calls failing in turn.
try() {
	local name=$1 call=$2 error=$3 n plus='' status wanted count bad=0 got
	fresh "$name" || return
	export AI_TEST_PROGRAM=$program
	(cd work && AI_TEST_COUNT=$PWD/count "$name"_run env LD_PRELOAD="$shim")
	wanted=$(cd work && "$name"_result)
	if [ -z "$wanted" ]; then
		echo "$name gives no result even without a fault"
		return 1
	fi
	count=$(awk -v call="$call" '$1 == call { print $2 }' work/count)
	[ -n "$count" ] || return
	for n in $(points "$count"); do
		# Now this one alone, now all from this one on.
		[ "$plus" = + ] && plus= || plus=+
		fresh "$name"
		status=0
		faulty "$name" "$call:$n$plus:$error" || status=$?
		if [ "$status" -eq 0 ]; then
			got=$(cd work && "$name"_result) || true
			[ "$got" != "$wanted" ] || continue
			echo "$name, $call:$n$plus:$error: status 0, data missing"
		elif [ "$status" -ge 99 ]; then
			echo "$name, $call:$n$plus:$error: status $status"
		elif [ "$status" -ne 2 ] && [ ! -s work/err ]; then
			echo "$name, $call:$n$plus:$error: status $status, no message"
		elif ! (cd work && "$name"_after "$wanted" 2>&1); then
			echo "$name, $call:$n$plus:$error: not sound afterwards"
		else
			continue
		fi
		bad=$((bad + 1))
		head -c 500 work/err
		[ "$bad" -lt 5 ] || return
	done
	printf '%s: %s calls of %s\n' "$name" "$count" "$call"
	[ "$bad" -eq 0 ]
}

# torture PROGRAM NAME [FAULTS]: every kind of call and error, or these.
torture() {
	local bad=0
	not_sanitized
	program=$1
	[ -x "$BUILDDIR/bin/$1" ] || [ -x "$BUILDDIR/tests/stub/$1" ] ||
		skip "$1 is not built"
	declare -F "$2_after" >/dev/null || eval "$2_after() { :; }"
	for fault in ${3-write:ENOSPC write:EIO write:short read:EIO read:short \
		open:EMFILE malloc:ENOMEM fsync:EIO mmap:ENOMEM thread:EAGAIN}; do
		try "$2" "${fault%:*}" "${fault#*:}" || bad=1
	done
	[ "$bad" -eq 0 ]
}


@test "the shim makes a call fail, and counts" {
	not_sanitized
	records 3 >in
	LD_PRELOAD=$shim AI_TEST_COUNT=$PWD/count ai-pass <in | cmp - in
	grep -q '^read [1-9]' count
	run -74 env LD_PRELOAD="$shim" AI_TEST_FAULT=write:1:ENOSPC ai-pass in
	assert_has "$output" 'No space left on device'
	run -74 env LD_PRELOAD="$shim" AI_TEST_FAULT=read:1:EIO ai-pass in
	run -71 env LD_PRELOAD="$shim" AI_TEST_FAULT=malloc:1+:ENOMEM ai-pass in
	run -99 env LD_PRELOAD="$shim" AI_TEST_FAULT=nonsense ai-pass in
	AI_TEST_PROGRAM=ai-other LD_PRELOAD=$shim \
		AI_TEST_FAULT=write:1:ENOSPC ai-pass in | cmp - in
}

pass_prepare() { records 2500 >in; }
pass_run() { "$@" ai-pass <in >out; }
pass_result() { [ -s out ] && cksum <out; }

@test "ai-pass: nothing is lost whatever fails" {
	torture ai-pass pass
}

threads_prepare() { records 2500 >in; }
threads_run() { "$@" ai-pass -j 3 --set 'x={"y":1}' <in >out; }
threads_result() { pass_result; }

@test "ai-pass -j 3: nothing is lost whatever fails" {
	torture ai-pass threads
}

tokens_prepare() { records 200 >in; }
tokens_run() { "$@" ai-tokens <in >out; }
tokens_result() { pass_result; }

@test "ai-tokens: nothing is lost whatever fails" {
	torture ai-tokens tokens
}

chunk_prepare() {
	{
		printf '# One\n\n'
		seq -f 'Sentence number %.0f of the first part. ' 600
		printf '\n## Two\n\n'
		seq -f 'Sentence number %.0f of the second part. ' 600
	} >doc.md
}
chunk_run() { "$@" ai-chunk doc.md >out; }
chunk_result() { pass_result; }

@test "ai-chunk: nothing is lost whatever fails" {
	torture ai-chunk chunk
}

embed_prepare() { records 60 >in; }
embed_run() { "$@" ai-embed <in >out; }
embed_result() { pass_result; }

@test "ai-embed: nothing is lost whatever fails" {
	torture ai-embed embed
}

# An index that a failed program leaves is sound, if there is one, and the same
# program run again completes it.
add_prepare() { records 25 | ai-embed >in; }
add_run() { "$@" ai-search add -i idx <in; }
add_result() { ai-search export -i idx | jq -cS '[.id, .text]' | sort; }
add_after() {
	ai-search verify -i idx >/dev/null 2>verify ||
		grep -q 'there is no index' verify || { cat verify; return 1; }
	ai-search add -i idx <in && [ "$(add_result)" = "$1" ]
}

@test "ai-search add: nothing is lost whatever fails" {
	torture ai-search add
}

query_prepare() {
	records 25 | ai-embed | ai-search add -i idx &&
		ai-search verify -i idx >/dev/null
	printf '{"query":"quick fox number %d"}\n' 3 7 >in
}
query_run() { "$@" ai-search -i idx <in >out; }
query_result() { jq -c '[.hits[].id]' out; }

@test "ai-search query: nothing is lost whatever fails" {
	torture ai-search query
}

complete_prepare() {
	cat >in <<'END'
{"query":"what jumps over the dog?","hits":[{"rank":1,"id":"a","text":"The quick brown fox jumps over the lazy dog. It rains.","score":1,"confidence":0.9}]}
END
}
complete_run() { "$@" ai-complete -m local/extract <in >out; }
complete_result() { jq -c .completion.text out; }

@test "ai-complete -m local/extract: nothing is lost whatever fails" {
	torture ai-complete complete
}

# ---- the network -------------------------------------------------------------

# broken STATUS CODE WORDS [STEP]: both programs, asking once at $url (the stub,
# if not set), which answers as STEP says, end so within a few seconds; the
# record is there, its error names the host.
broken() {
	local p message at=${url-$STUB_URL}
	need node
	echo '{"id":"a","text":"hello"}' >in
	for p in ai-complete ai-embed; do
		stub_reset
		[ -z "${4-}" ] || stub_script "$4"
		run --separate-stderr timeout 20 "$p" -m m --base-url "$at" \
			--timeout 1.5 --retries 0 <in
		assert_status "$1"
		assert_eq "$(jq -c '[.id, .error.tool, .error.code]' \
			<<<"$output")" "[\"a\",\"$p\",\"$2\"]"
		message=$(jq -r .error.message <<<"$output")
		assert_has "$message" "$3"
		at=${at#*//}
		assert_has "$message" "${at%/v1}"
		at=${url-$STUB_URL}
	done
}

@test "network: connection refused" {
	# A port that was free a moment ago.
	need node
	url=http://$(node -e 'const s = require("net").createServer();
		s.listen(0, "127.0.0.1", () => {
			console.log("127.0.0.1:" + s.address().port);
			s.close(); });')/v1
	broken 69 unavailable 'Connection refused'
}

@test "network: closed without a word, reset" {
	broken 69 unavailable 'without an answer' '{"fault":"close"}'
	broken 69 unavailable 'no answer from' '{"fault":"reset"}'
}

@test "network: closed within the headers" {
	broken 69 unavailable 'the answer was cut off' '{"fault":"headers"}'
}

@test "network: closed within the body" {
	broken 69 unavailable 'the answer was cut off' '{"fault":"short"}'
}

@test "network: closed before the last chunk" {
	broken 69 unavailable 'no answer from' '{"fault":"chunks"}'
}

@test "network: a body half as long that says it is whole" {
	broken 2 invalid_answer 'the answer is not JSON' '{"fault":"half"}'
}

@test "network: a server that stalls, before the answer or within it" {
	broken 69 unavailable 'timed out' '{"delay_ms":4000}'
	broken 69 unavailable 'timed out' '{"fault":"stall"}'
}

@test "network: TLS with a port that speaks none" {
	need node
	url=https${STUB_URL#http}
	broken 69 unavailable 'no answer from'
	assert_eq "$(stub_requests)" 0
}

@test "network: 100 MB are not kept" {
	not_sanitized
	ulimit -v 400000
	broken 2 too_long 'the answer of' '{"fault":"huge","bytes":100000000}'
}

@test "network: whatever passes is tried again; all records come in order" {
	need node
	records 6 >in
	for fault in '{"status":500,"headers":{"retry-after-ms":"5"}}' \
		'{"fault":"headers"}' '{"fault":"chunks"}'; do
		for p in ai-complete 'ai-embed --batch 2'; do
			stub_reset
			stub_script '{}' "$fault" '{}'
			# shellcheck disable=SC2086 # a program and its options
			run --separate-stderr timeout 20 $p -m m \
				--base-url "$STUB_URL" <in
			assert_status 0
			assert_eq "$(jq -c 'select(.completion.text // .embedding)
				| .id' <<<"$output" | xargs)" '1 2 3 4 5 6'
		done
	done
}

ask_prepare() {
	stub_reset
	records 3 | jq -c 'del(.hits)' >in
}
ask_run() {
	"$@" ai-complete -m m --base-url "$STUB_URL" --retries 0 <in >out
}
ask_result() { jq -c .completion.text out; }

@test "ai-complete and a server: nothing is lost whatever fails" {
	need node
	torture ai-complete ask 'malloc:ENOMEM read:EIO write:ENOSPC write:short'
}

vectors_prepare() {
	stub_reset
	records 3 >in
}
vectors_run() {
	"$@" ai-embed -m m --base-url "$STUB_URL" --retries 0 <in >out
}
vectors_result() { jq -c .embedding out; }

@test "ai-embed and a server: nothing is lost whatever fails" {
	need node
	torture ai-embed vectors 'malloc:ENOMEM read:EIO write:ENOSPC write:short'
}
