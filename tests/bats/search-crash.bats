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
		assert_eq "$(find new.idx -type f)" new.idx/index.db
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
