#!/usr/bin/env bats
# ai-search --where: which documents, and what is no expression.
load helper

# Documents with metadata of every JSON type in x.idx.
kinds() {
	printf '%s\n' '{"id":"int","text":"t","v":1}' '{"id":"real","text":"t","v":1.50}' \
		'{"id":"big","text":"t","v":9007199254740993}' '{"id":"neg","text":"t","v":-1e3}' \
		'{"id":"str","text":"t","v":"one word"}' '{"id":"num","text":"t","v":"1"}' \
		'{"id":"yes","text":"t","v":true}' '{"id":"nil","text":"t","v":null}' \
		'{"id":"list","text":"t","v":[5,"x",[6]]}' '{"id":"obj","text":"t","v":{"a":{"b":7}}}' \
		'{"id":"nolist","text":"t","v":[]}' '{"id":"none","text":"t"}' \
		'{"id":"day","text":"t","v":"2026-11-29"}' '{"id":"time","text":"t","v":"2026-11-29T23:30:00-02:00"}' |
		ai-search add -i x.idx
}

# found EXPRESSION IDS
found() {
	assert_eq "$1: $(ai-search export -i x.idx --where "$1" | jq -r .id | xargs)" "$1: $2"
}

@test "every type of JSON is found, and compared as what it is" {
	kinds
	found 'v=1' 'int num'
	found 'v=1.0' int
	found 'v="1"' num
	found 'v==1e0' int
	found 'v=1.5' real
	found 'v=9007199254740993' big
	found 'v=9007199254740992' ''
	found 'v>9007199254740992' big
	found 'v>=9007199254740993 AND v<9007199254740994' big
	found 'v<0' neg
	found 'v<=1' 'int neg num'
	found 'v=true' yes
	found 'v="true"' ''
	found 'v=null' nil
	found 'v=*' 'int real big neg str num yes nil list obj nolist day time'
	found 'v!=*' none
	found 'NOT v=*' none
	found 'v.a=*' obj
	found 'v.a.b=7' obj
	found 'meta.v.a.b>6' obj
	found 'v=5' list
	found 'v>5' 'big list'
	found 'v=6 AND v=x' list
	found 'v=one*' str
	found 'v=one word' str
	found 'v="one word"' str
	found 'v=2026-*' 'day time'
	found 'v>=2026-11-29' 'day time'
	found 'v>2026-11-29' time
	found 'v<=2026-11-29' day
	found 'v<2026-11-30T01:30:01Z AND v>=2026-11-30T01:30Z' time
	found 'v>=2026' 'big day time'
	found 'v=int OR id=int' ''
	found '(v=1 OR v=true) AND NOT v="1"' 'int yes'
	found 'v=1 OR v=true AND v=x' 'int num'
	ai-search verify -i x.idx
}

@test "a long value, a document of many values, odd names" {
	long=$(printf '%0300d' 7)
	{
		jq -nc --arg l "$long" '{id:"long",text:"t",v:$l,a:1}'
		jq -nc --arg l "$long" '{id:"longer",text:"t",v:($l + "x"),a:1}'
		jq -nc '{id:"many",text:"t",v:[range(3000)],a:2}'
		jq -nc --arg l "$long" '{id:"name",text:"t",a:3,meta:{"x y":1,"p.q":{"r":2},"a=b":3,($l):4}}'
		jq -nc '{id:"wide",text:"t",a:4,v:[range(400)|tostring|. + ("y" * 200)]}'
		jq -nc '{id:"digits",text:"t",a:5,v:("1" * 5000 | . + "e-4999" | fromjson? // 1)}'
		printf '{"id":"digits","text":"t","a":5,"v":%s}\n' "1.$(printf '%0400d' 0)1"
	} | ai-search add -i x.idx
	found "v=$long" long
	found "v=${long}x" longer
	found "v=0000*" 'long longer'
	found "v=\"0000\"*" 'long longer'
	found 'v=2999' many
	found 'v>=2999' many
	found 'v=2999 OR a=1' 'long longer many'
	found 'NOT v=2999 AND NOT a=1' 'name wide digits'
	found 'v=*' 'long longer many wide digits'
	found 'v=399yy*' wide
	found 'v>1 AND v<1.1 AND NOT v=2999' digits
	found 'x y=1' name
	found '"x y"=1' name
	found 'p.q.r=2' name
	found '"a=b"=3' name
	run ai-search export -i x.idx --where "$long=4"
	assert_status 64
	assert_has "$output" 'more than 256 bytes'
	run ai-search export -i x.idx --where "v=$long*"
	assert_status 64
	ai-search verify -i x.idx
	# They go as they came.
	ai-search delete -i x.idx --where 'v=*'
	found 'a=*' name
	echo '{"id":"name","text":"t"}' | ai-search add -i x.idx
	found 'a=*' ''
	found 'NOT a=*' name
	ai-search verify -i x.idx
}

@test "what is no expression: the place, 64" {
	kinds
	for case in '3|v<x|a number or a date' '1|(v=1|not closed' '5|v=1 and x=2|capitals' \
		'9|v=1 AND |KEY=VALUE' '3|v="1|not closed' '1|v|KEY=VALUE' '1|=1|no key' \
		'7|v="1" 2|AND, OR or the end'; do
		IFS='|' read -r byte text why <<<"$case"
		for verb in query export delete; do
			run ai-search $verb -i x.idx --where "$text" </dev/null
			assert_status 64
			assert_has "$output" "byte $byte"
			assert_has "$output" "$why"
		done
	done
	run ai-search -i x.idx --where "$(printf 'v=1 OR %.0s' {1..300})v=2" t
	assert_status 64
	assert_has "$output" 'more than 256 tests'
	assert_eq "$(ai-search stats -i x.idx | jq .documents)" 14
}

@test "the best of a filter are the best of all, filtered: no hit is lost" {
	jq -nc 'range(600) | {id:"d\(.)",n:.,text:("word " * (1 + . * 7 % 5) + "w\(. * 31 % 17) v\(. * 13 % 29) and some more")}' |
		ai-search add -i x.idx -m local/hash
	for mode in sparse dense; do
		for q in 'word w3' 'v7 w1 more' 'w5 v11'; do
			ai-search -i x.idx --mode $mode -k 1000 "$q" >all
			for from in 0 300 590; do
				for k in 1 5 40; do
					jq -c --argjson f $from --argjson k $k \
						'[.hits[] | select(.meta.n >= $f and .meta.n % 2 == 0) | [.id, .score]][:$k]' all >want
					# n % 2 == 0, as a filter would have it
					evens=$(seq -f 'n=%g' -s ' OR ' $((from < 590 ? 0 : 590)) 2 $((from < 590 ? 400 : 598)))
					[ $from = 590 ] || {
						jq -c --argjson f $from --argjson k $k '[.hits[] | select(.meta.n >= $f) | [.id, .score]][:$k]' all >want
						evens='n=*'
					}
					ai-search -i x.idx --mode $mode -k $k --where "n>=$from AND ($evens)" "$q" |
						jq -c '[.hits[] | [.id, .score]]' >got
					cmp want got
				done
			done
		done
	done
}

@test "a filter of nothing, over nothing" {
	kinds
	run_sh "ai-search -i x.idx --where v=nothing t | jq -c '[.hits, .search.confident]'"
	assert_eq "$output" '[[],false]'
	ai-search delete -i x.idx --where 'v=* OR v!=*'
	assert_eq "$(ai-search stats -i x.idx | jq .documents)" 0
	run_sh "ai-search -i x.idx --where v=1 t | jq -c .hits"
	assert_eq "$output" '[]'
	found 'NOT v=1' ''
	ai-search verify -i x.idx
}
