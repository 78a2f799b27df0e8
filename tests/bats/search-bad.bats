#!/usr/bin/env bats
# ai-search: input that one does not hope for.
load helper

@test "an id of 64 KiB is kept, a longer one is an error" {
	id=$(printf '%065535d' 1)
	printf '{"id":"%s","text":"one wing"}\n{"id":"%sxx","text":"two wings"}\n' "$id" "$id" >in
	run_sh "ai-search add -i x.idx --ack <in | jq -r 'if .error then .error.code else (.id | length) end'"
	assert_eq "$output" 'too_long
65535'
	run_sh "ai-search -i x.idx wing | jq -r '.hits[0].id | length'"
	assert_eq "$output" 65535
	ai-search export -i x.idx | ai-search add -i y.idx
	ai-search export -i x.idx | cmp - <(ai-search export -i y.idx)
	head -n 1 in | ai-search delete -i x.idx -e
	assert_eq "$(ai-search stats -i x.idx | jq .documents)" 0
	ai-search verify -i y.idx
}

@test "metadata of every type, and metadata that is none" {
	for v in null true '[]' '{}' '""' 0 -0.0 1e400 '[[[[1]]]]' '{"":{"":1}}' '"\u0000"' '{"a":1,"a":2}'; do
		echo "{\"id\":\"i\",\"text\":\"wing\",\"meta\":{\"v\":$v}}" | ai-search add -i x.idx
		assert_eq "$(ai-search export -i x.idx | jq -c '.meta.v')" "$(jq -c . <<<"$v")"
		assert_eq "$(ai-search export -i x.idx --where 'v=*' | jq -r .id)" i
		ai-search verify -i x.idx
	done
	for v in '[]' '"x"' 5 true; do
		run_sh "echo '{\"text\":\"t\",\"meta\":$v}' | ai-search add -i x.idx | jq -r .error.code"
		assert_eq "$output" invalid_record
	done
	echo '{"id":"n","text":"wing","meta":null}' | ai-search add -i x.idx
	deep=$(printf '[%.0s' {1..120})1$(printf ']%.0s' {1..120})
	echo "{\"id\":\"d\",\"text\":\"wing\",\"meta\":{\"v\":$deep}}" | ai-search add -i x.idx
	assert_eq "$(ai-search export -i x.idx --where v=1 | jq -r .id)" d
	ai-search verify -i x.idx
}

@test "k larger than the index, an empty index, a query of stop words" {
	ai-search add -i x.idx -m local/hash </dev/null
	for mode in hybrid sparse dense; do
		for more in '' '--expand 2' '--per-source 1' '--decay d:1d' '--mmr .5' '--where a=1' '--explain --highlight'; do
			# shellcheck disable=SC2086
			run_sh "ai-search -i x.idx --mode $mode -k 100000 $more wing | jq -c '[.hits, .search.confident, .search.confidence]'"
			assert_eq "$output" '[[],false,0]'
		done
	done
	for format in jsonl langchain llamaindex; do
		assert_eq "$(ai-search export -i x.idx --format $format)" ''
	done
	assert_eq "$(ai-search export -i x.idx --format npy | wc -c)" 128
	ai-search verify -i x.idx
	printf '%s\n' '{"id":"a","text":"the wing"}' '{"id":"b","text":"of the and"}' | ai-search add -i x.idx
	run_sh "ai-search -i x.idx -k 100000 --mode sparse --explain --highlight of the | jq -c '[.hits[] | [.id, (.highlights | length)]] | sort'"
	assert_eq "$output" '[["a",1],["b",2]]'
	run_sh "ai-search -i x.idx -k 100000 wing | jq '.hits | length <= 2'"
	assert_eq "$output" true
	run ai-search -i x.idx -k 100001 wing
	assert_status 64
}

@test "vectors: no numbers, no length, another dimension, too many, zeros" {
	printf '{"id":"a","text":"t","embedding":[3,4],"embed":{"model":"m"}}\n' | ai-search add -i x.idx
	for e in '[1e999,1]' '[1e39,1]' '["x",1]' '[null,1]' '[]' '[0,0]' '[1,2,3]' '"AADAfwAAgD8="' '"AACAfwAAgD8="' '"!!"' '{}' 5; do
		run_sh "echo '{\"id\":\"b\",\"text\":\"u\",\"embedding\":$e}' | ai-search add -i x.idx | jq -r '.error.code'"
		[ "$output" = invalid_record ] || [ "$output" = unusable_input ] || echo "$e"
		assert_has 'invalid_record unusable_input' "$output"
		run_sh "echo '{\"query\":\"t\",\"embedding\":$e}' | ai-search -i x.idx | jq -r '.error.code'"
		assert_has 'invalid_record unusable_input' "$output"
	done
	for n in 65536 65537 100000; do
		jq -nc --argjson n $n '{id:"w",text:"t",embedding:[range($n)|1]}' >wide
		rm -rf w.idx
		run_sh "ai-search add -i w.idx <wide | jq -r .error.code"
		if [ $n = 65536 ]; then
			assert_eq "$output" ''
			assert_eq "$(ai-search stats -i w.idx | jq .dim)" 65536
			run_sh "jq -c '.query = .text | del(.text)' wide | ai-search -i w.idx | jq -c '.hits[0].dense.score'"
			assert_eq "$output" 1
		else
			assert_eq "$output" invalid_record
		fi
	done
	assert_eq "$(ai-search stats -i x.idx | jq -c '[.documents, .dim]')" '[1,2]'
	ai-search verify -i x.idx
}

@test "the same id again and again in one batch: the last one stays" {
	for i in $(seq 300); do
		echo "{\"id\":\"same\",\"text\":\"wing $i\",\"n\":$i,\"tags\":[\"t$((i % 7))\"]}"
	done | ai-search add -i x.idx -m local/hash
	assert_eq "$(ai-search stats -i x.idx | jq -c '[.documents, .vectors]')" '[1,1]'
	assert_eq "$(ai-search export -i x.idx | jq -r .text)" 'wing 300'
	assert_eq "$(ai-search export -i x.idx --where 'n<300' | wc -l)" 0
	assert_eq "$(ai-search export -i x.idx --where 'n=300 AND tags=t6' | wc -l)" 1
	run_sh "ai-search -i x.idx -k 9 wing | jq '.hits | length'"
	assert_eq "$output" 1
	ai-search verify -i x.idx
}

@test "who may not write in the folder sees what others add to it" {
	[ "$(id -u)" -eq 0 ] || skip "only root can lose a right here"
	setpriv --bounding-set -dac_override true || skip "no setpriv"
	echo '{"id":"a","text":"one wing"}' | ai-search add -i x.idx -m none
	chmod 500 x.idx
	mkfifo in
	setpriv --bounding-set -dac_override ai-search -i x.idx <in >out 3>&- &
	exec 7>in
	echo '{"query":"wing"}' >&7
	until [ -s out ]; do sleep 0.02; done
	echo '{"id":"b","text":"wing wing"}' | ai-search add -i x.idx
	ai-search compact -i x.idx
	echo '{"query":"wing"}' >&7
	exec 7>&-
	wait $!
	assert_eq "$(jq -c '[.hits[].id]' out)" '["a"]
["b","a"]'
}

@test "a slow writer: what came is there, though the pipe stays open" {
	ai-search add -i x.idx -m none </dev/null
	mkfifo in
	for ack in '' --ack; do
		ai-search add -i x.idx $ack <in >out 3>&- &
		exec 7>in
		for i in 1 2 3; do
			# A line and a half.
			printf '{"id":"%s"%s"}\n{"text":' "$ack$i" ',"text":"wing' >&7
			until ai-search export -i x.idx | grep -q "\"$ack$i\""; do
				sleep 0.02
			done
			printf '"x"}\n' >&7
		done
		exec 7>&-
		wait $!
	done
	assert_eq "$(jq -r .id out | grep -c ack)" 3
}

@test "an index that is replaced: a query asks the new one" {
	seq 500 | jq -c '{id:.,text:"wing \(. % 9) and tail \(. % 7)"}' |
		ai-search add -i x.idx
	seq 501 1000 | jq -c '{id:.,text:"wing \(. % 7) and tail \(. % 5)"}' |
		ai-search add -i y.idx
	mkfifo in
	ai-search -i x.idx -k 1 <in >out 3>&- &
	exec 7>in
	for lines in 1 2 3; do
		echo '{"query":"wing tail"}' >&7
		until [ "$(wc -l <out)" = $lines ]; do sleep 0.02; done
		[ $lines != 1 ] || mv x.idx old.idx
		[ $lines != 2 ] || mv y.idx x.idx
	done
	exec 7>&-
	wait $! || status=$?
	assert_eq "$status" 2
	assert_eq "$(jq -c '.error.code // (.hits[0].id > 500)' out)" 'false
"cannot_open"
true'
	assert_has "$(jq -r '.error.message // empty' out)" 'x.idx'
	assert_eq "$(sed -n 3p out)" "$(echo '{"query":"wing tail"}' | ai-search -i x.idx -k 1)"
}

@test "an index that is replaced: add does not write into the new one" {
	seq 500 | jq -c '{id:.,text:"wing \(. % 9) and tail \(. % 7)"}' >records
	ai-search add -i x.idx records
	ai-search add -i y.idx records
	mkfifo in out
	ai-search add -i x.idx --ack <in >out 2>err 3>&- &
	exec 7>in 8<out
	echo '{"id":"a","text":"one more"}' >&7
	read -r ack <&8
	assert_eq "$ack" '{"id":"a"}'
	mv x.idx old.idx
	mv y.idx x.idx
	echo '{"id":"b","text":"and one"}' >&7
	exec 7>&-
	wait $! || status=$?
	assert_eq "$status $(cat <&8)" '73 '
	assert_has "$(cat err)" "x.idx' was removed or replaced"
	assert_eq "$(ai-search verify -i x.idx | jq .documents)" 500
	assert_eq "$(ai-search verify -i old.idx | jq .documents)" 501
}

@test "a pipe in the place of a file of the index is told, not waited for" {
	seq 500 | jq -c '{id:.,text:"wing \(. % 9) and tail \(. % 7)"}' |
		ai-search add -i x.idx
	for file in rows-*.f32 model-*.emb words-*.idx; do
		rm -rf y.idx
		cp -r x.idx y.idx
		file=$(cd y.idx && echo $file)
		rm "y.idx/$file"
		mkfifo "y.idx/$file"
		for verb in verify stats 'query wing' export; do
			run_sh "timeout 20 ai-search $verb -i y.idx"
			assert [ "$status" != 124 ]
			if [ "$status" != 0 ]; then
				assert_has "$stderr" 'y.idx'
			fi
		done
		run -65 --separate-stderr ai-search verify -i y.idx
		assert_has "$stderr" "$file"
		assert_has "$stderr" 'ai-search export'
	done
}

@test "on a full disk an index can be read" {
	[ "$(id -u)" -eq 0 ] || skip "only root can mount a small disk"
	mkdir disk
	mount -t tmpfs -o size=1m tmpfs disk || skip "cannot mount here"
	seq 300 | jq -c '{id:"w\(.)",text:"wing \(.)"}' |
		ai-search add -i disk/x.idx -m none
	head -c 2M /dev/zero >disk/rest || true
	run_sh "ai-search -i disk/x.idx 'wing 7' -k 1 | jq -r '.hits[].id'
		ai-search verify -i disk/x.idx | jq .documents
		ai-search stats -i disk/x.idx | jq .documents
		ai-search export -i disk/x.idx | wc -l"
	assert_eq "$output$stderr" 'w7
300
300
300'
	run -74 ai-search delete -i disk/x.idx <<<'{"id":"w1"}'
	rm disk/rest
	ai-search delete -i disk/x.idx <<<'{"id":"w1"}'
	assert_eq "$(ai-search verify -i disk/x.idx | jq .documents)" 299
}

teardown() {
	mountpoint -q disk 2>/dev/null && umount disk
	true
}
