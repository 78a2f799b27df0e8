#!/usr/bin/env bats
# ai-search add, killed with SIGKILL at any moment: the index is sound, every
# acknowledged record is in it, and the same command again finishes the work.
# make check-long (AI_TEST_LONG=1) kills it many more times.
load helper

# records N FROM: numbered records with ids.
records() {
	awk -v n="$1" -v from="$2" 'BEGIN {
		for (i = from; i < from + n; i++)
			printf "{\"id\":\"r%d\",\"text\":\"record number %d of run word%d\",\"meta\":{\"i\":%d}}\n",
				i, i, i % 17, i
	}'
}

# kill_one FROM: starts an add, kills it after a random time; what it
# acknowledged is appended to acked.
kill_one() {
	local pid
	# A pause now and then makes batches of many sizes.
	{
		records 40 "$1"
		sleep 0.02
		records 300 "$(($1 + 40))"
		sleep 0.02
		records 1500 "$(($1 + 340))"
	} 2>/dev/null >pipe &
	ai-search add -i x.idx -m local/hash --ack <pipe >out &
	pid=$!
	sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
	kill -KILL "$pid" 2>/dev/null || true
	wait 2>/dev/null || true
	# A line that was cut by the kill was not acknowledged.
	grep -E '^\{"id":"r[0-9]+"\}$' out >>acked || true
}

nothing_lost() {
	ai-search export -i x.idx | grep -o '^{"id":"r[0-9]*"' | sort -u >there
	sed 's/}$//' acked | sort -u >wanted
	comm -23 wanted there >lost
	[ ! -s lost ] || {
		head lost
		return 1
	}
}

@test "killed at any moment: nothing acknowledged is lost, verify passes" {
	rounds=50
	[ -z "${AI_TEST_LONG-}" ] || rounds=400
	[ -z "${AI_SANITIZED-}" ] || rounds=15
	: >acked
	mkfifo pipe
	RANDOM=11
	for i in $(seq "$rounds"); do
		kill_one $((i * 100))
		# Killed before there was an index: nothing to check.
		[ -s acked ] || [ -f x.idx/index.db ] || continue
		run ai-search verify -i x.idx
		[ "$status" -eq 0 ] || [ "$status" -eq 66 ] || assert_status 0
		[ "$status" -eq 66 ] || nothing_lost
	done
	echo "# $rounds kills, $(sort -u acked | wc -l) records acknowledged" >&3
	[ "$(wc -l <acked)" -gt 0 ]
	# The same again, not killed.
	records 1840 100 | ai-search add -i x.idx -m local/hash --ack >>acked
	nothing_lost
	ai-search verify -i x.idx
}

@test "killed while it is made: no index or a whole one, and add goes on" {
	rounds=60
	[ -z "${AI_TEST_LONG-}" ] || rounds=1000
	none=0
	for i in $(seq "$rounds"); do
		rm -rf new.idx
		ai-search add -i new.idx <<<'{"id":"a","text":"x"}' &
		pid=$!
		sleep "0.0$(printf %02d $((i % 25)))"
		kill -KILL "$pid" 2>/dev/null || true
		wait 2>/dev/null || true
		run ai-search stats -i new.idx
		[ "$status" -eq 66 ] || assert_status 0
		none=$((none + (status == 66)))
		run ai-search add -i new.idx --ack <<<'{"id":"b","text":"x"}'
		assert_status 0
		assert_eq "$output" '{"id":"b"}'
		ai-search verify -i new.idx >/dev/null
		# Whoever makes an index clears away what others left.
		[ -z "$(find new.idx -name 'index.db.new-*')" ]
	done
	echo "# $rounds kills, $none of them before there was an index" >&3
}

@test "many make one index at once" {
	for i in $(seq 12); do
		rm -rf new.idx
		for w in 1 2 3 4; do
			ai-search add -i new.idx <<<"{\"id\":\"$w\",\"text\":\"x\"}" &
		done
		wait
		assert_eq "$(ai-search export -i new.idx | jq -r .id | sort | paste -sd,)" 1,2,3,4
		ai-search verify -i new.idx >/dev/null
		assert_eq "$(find new.idx -name '*.new-*')" ""
	done
}

# version N WORD: a file's chunks as ai-chunk cuts them.
version() {
	awk -v n="$1" -v word="$2" 'BEGIN {
		for (i = 0; i < n; i++)
			printf "{\"text\":\"%s chunk %d\",\"source\":{\"uri\":\"a.md\"},\"chunk\":{\"doc\":\"%s\",\"n\":%d,\"of\":%d}}\n",
				word, i, word, i, n
	}'
}

@test "killed while a file is replaced: one of its versions is whole" {
	rounds=8
	[ -z "${AI_TEST_LONG-}" ] || rounds=200
	version 1200 old | ai-search add -i x.idx
	RANDOM=3
	for i in $(seq "$rounds"); do
		version 1200 "new$i" >new
		ai-search add -i x.idx new &
		pid=$!
		sleep "0.$((RANDOM % 2))$((RANDOM % 10))"
		kill -KILL "$pid" 2>/dev/null || true
		wait 2>/dev/null || true
		ai-search verify -i x.idx >/dev/null
		ai-search export -i x.idx | jq -r .chunk.doc | sort |
			uniq -c | sort -n >versions
		[ "$(awk '{ n = $1 } END { print n }' versions)" -eq 1200 ]
		# Again, and only the new one is there.
		ai-search add -i x.idx new
		assert_eq "$(ai-search export -i x.idx | jq -r .chunk.doc | uniq -c | tr -s ' ')" " 1200 new$i"
	done
}

@test "two at once, one of them killed" {
	for i in 1 2 3; do
		records 2000 0 | ai-search add -i x.idx --ack >/dev/null &
		victim=$!
		records 2000 5000 | ai-search add -i x.idx --ack >acked &
		other=$!
		sleep "0.$((RANDOM % 3))"
		kill -KILL "$victim" 2>/dev/null || true
		wait "$other"
		wait 2>/dev/null || true
		ai-search verify -i x.idx >/dev/null
		nothing_lost
		[ "$(wc -l <acked)" -eq 2000 ]
	done
}

# ---- at every system call -------------------------------------------------------------

# LeakSanitizer traces the process itself, which only one can.
# Threads would make its calls others each time.
killat() {
	AI_JOBS=1 ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0" \
		"$BUILDDIR/tests/stub/ai-killat" "$@"
}

# The documents of an index, and what queries find in it, with their scores.
state() {
	ai-search export -i "$1" | sort
	ai-search query -i "$1" -k 50 <queries | jq -c '[.hits[] |
		[.id, .score, .confidence, .dense, .sparse]]'
}

# every COMMAND...: kills it before each of its system calls.  What is there
# then is the state before or the one after; a rebuilt index answers the same;
# and the command run again brings the state after, leaving no file behind.
every() {
	local calls i step=1 kept=0 done=0
	state base.idx >before
	cp -r base.idx x.idx
	killat 0 "$@" 3>calls >/dev/null
	state x.idx >after
	ls x.idx | sed 's/[0-9]*//g' | sort >names
	calls=$(cat calls)
	[ -n "${AI_TEST_LONG-}" ] || step=$((calls / ${AI_TEST_POINTS:-40} + 1))
	for ((i = 1 + RANDOM % step; i <= calls; i += step)); do
		rm -rf x.idx
		cp -r base.idx x.idx
		run killat "$i" "$@"
		assert_status 137
		ai-search verify -i x.idx >/dev/null
		state x.idx >now
		if cmp -s now before; then
			kept=$((kept + 1))
		else
			cmp now after
			done=$((done + 1))
		fi
		"$@" >/dev/null
		state x.idx >now
		cmp now after
		ls x.idx | sed 's/[0-9]*//g' | sort | cmp - names
	done
	# A model of its own would be fitted to what is there now.
	if [ "$(ai-search stats -i x.idx | jq -r .model)" != local/own ]; then
		rm -rf new.idx
		ai-search export -i x.idx | ai-search add -i new.idx -m local/hash
		state new.idx >now
		cmp now after
	fi
	echo "# ${*:1:3}: $calls system calls, $((kept + done)) kills," \
		"$kept before and $done after its commit" >&3
	[ "$kept" -gt 0 ]
}

base() {
	records "${2:-400}" 1 >records
	printf '{"query":"%s"}\n' 'record of run word3' word5 'number 17' >queries
	ai-search add -i base.idx -m "$1" records
	records 30 390 | sed 's/record/other record/' | ai-search add -i base.idx
	head -n 60 records | ai-search delete -i base.idx
	records 200 380 | sed 's/number/new number/' >more.jsonl
	sed -n '100,220p' records >gone
	RANDOM=5
}

@test "killed at every system call of add" {
	base local/hash
	every ai-search add -i x.idx more.jsonl
}

@test "killed at every system call of add, with a model of its own" {
	base local/own
	every ai-search add -i x.idx more.jsonl
}

@test "killed at every system call of compact, with a model of its own" {
	base local/own
	every ai-search compact -i x.idx
}

# The documents come first and the vectors with the second transaction: what is
# between the two is sound as well.
@test "killed while a model is fitted: no document is lost, and it goes on" {
	local calls i
	base local/own
	records 900 1000 >more.jsonl
	cp -r base.idx x.idx
	killat 0 ai-search add -i x.idx more.jsonl 3>calls
	state x.idx >after
	assert_eq "$(ai-search stats -i x.idx | jq .documents)" 1259
	calls=$(cat calls)
	for ((i = 1 + RANDOM % 40; i <= calls; i += calls / 25 + 1)); do
		rm -rf x.idx
		cp -r base.idx x.idx
		run killat "$i" ai-search add -i x.idx more.jsonl
		assert_status 137
		ai-search verify -i x.idx >there
		[ "$(jq .documents there)" -eq 359 ] ||
			[ "$(jq .documents there)" -eq 1259 ]
		ai-search add -i x.idx more.jsonl
		state x.idx >now
		cmp now after
	done
}

@test "killed at every system call of delete" {
	base local/hash
	every ai-search delete -i x.idx gone
}

@test "killed at every system call of compact" {
	base local/hash
	every ai-search compact -i x.idx
}
