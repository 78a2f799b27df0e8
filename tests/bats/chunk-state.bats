#!/usr/bin/env bats
# ai-chunk --state: a second run writes what has changed and what is gone, and
# an index that is fed so is the one that would be made afresh.
load helper

tree() {
	local f
	for f; do
		mkdir -p "$(dirname "$f")"
		printf 'this is %s\n' "$f" >"$f"
	done
}

# chunks [OPTION...]: what a run over d writes, in short.
chunks() {
	ai-chunk -q --state s "$@" d | jq -r '"\(if .error then "error"
		elif .chunk.deleted then "deleted" else "n\(.chunk.of)" end
		) \(.source.uri)"'
}

# Stamps as old as they must be to be trusted, without waiting.
age() {
	find d -type f -exec touch -d '1 hour ago' {} +
	sleep 2.1
}

@test "a second run writes nothing, then only what has changed" {
	tree d/a.md d/b.md d/x/c.md
	assert_eq "$(chunks)" "n1 d/a.md
n1 d/b.md
n1 d/x/c.md"
	assert_eq "$(chunks)" ""
	echo more >>d/b.md
	rm d/x/c.md
	tree d/0.md
	assert_eq "$(chunks)" "deleted d/x/c.md
n1 d/0.md
n1 d/b.md"
	mv d/a.md d/z.md
	assert_eq "$(chunks)" "deleted d/a.md
n1 d/z.md"
	: >d/z.md
	assert_eq "$(chunks)" "n0 d/z.md"
	assert_eq "$(chunks -j 3)" ""
	assert_eq "$(ls)" "d
s"
}

@test "what is unchanged is not opened" {
	not_sanitized
	cp "$BUILDDIR/tests/fault/shim.so" shim.so
	opened() {
		chunks >/dev/null
		ai-chunk -q --state s d >/dev/null
		AI_TEST_COUNT=$PWD/count LD_PRELOAD=$PWD/shim.so \
			ai-chunk -q --state s d
		awk '$1 == "open" { print $2 }' count
	}
	tree d/1.md
	age
	n=$(opened)
	tree d/{2..60}.md
	age
	assert_eq "$(opened)" "$n"
}

@test "what may have changed is read" {
	tree d/a.md d/b.md
	age
	chunks >/dev/null
	# The same length, and both times set back: only the inode's own change
	# is left, or if that is too young, the bytes.
	printf 'that is d/a.md\n' >d/a.md
	touch -r d/b.md d/a.md
	assert_eq "$(chunks)" "n1 d/a.md"
	# Touched only: read, and the same.
	touch d/b.md
	cp s before
	assert_eq "$(chunks)" ""
	refute_eq "$(cat s)" "$(cat before)"
}

@test "a change in the moment of the first run is not missed" {
	tree d/a.md
	for i in $(seq 30); do
		printf 'version %02d\n' "$i" >d/a.md
		assert_eq "$(ai-chunk -q --state s d | jq -r .text)" \
			"version $(printf %02d "$i")"
	done
}

@test "options that cut otherwise write all once more; others do not" {
	tree d/a.md d/b.txt
	chunks >/dev/null
	assert_eq "$(chunks --max-file 100 --exclude '*.x' -j 2)" ""
	assert_eq "$(chunks --size 500 | wc -l)" 2
	assert_eq "$(chunks --size 500)" ""
	assert_eq "$(chunks --by sentence | wc -l)" 2
	# A converter is one of them, for its files.
	chunks >/dev/null
	echo '{"converters":{".txt":["cat"]}}' >c.json
	assert_eq "$(chunks --config c.json)" "n1 d/b.txt"
	assert_eq "$(chunks --config c.json)" ""
}

@test "another tokenizer behind the same name writes all once more" {
	export XDG_CACHE_HOME=$PWD/cache
	mkdir d
	printf 'aabb aabb aabb' >d/a.txt
	tokenizer='{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"b+|[^b]+"},"behavior":"Isolated"},
"model":{"type":"BPE","unk_token":"?","vocab":{"a":0,"b":1,"aa":2,"?":3},"merges":["a a"]},"decoder":{"type":"Fuse"}}'
	echo "$tokenizer" >t.json
	again() {
		ai-chunk --state s --by tokens --size 2 --overlap 0 --encoding t.json d | wc -l
	}
	assert [ "$(again)" -gt 1 ]
	assert_eq "$(again)" 0
	touch t.json
	assert_eq "$(again)" 0
	jq -c '.model.merges = []' <<<"$tokenizer" >t.json
	assert [ "$(again)" -gt 1 ]
	assert_eq "$(again)" 0
}

@test "gone is what was looked for, and nothing else" {
	tree d/a.md d/x/b.md e/c.md f/d.md f/e.md
	ai-chunk --state s d e f/*.md >/dev/null
	rm d/x/b.md e/c.md f/e.md
	# e and f are not asked about.
	assert_eq "$(chunks)" "deleted d/x/b.md"
	# Of a folder of which files were named, what is not there any more.
	run ai-chunk --state s f/*.md
	assert_eq "$(jq -c '[.source.uri, .chunk.deleted]' <<<"$output")" '["f/e.md",true]'
	# A file that is named, known and not there is no error.
	run ai-chunk --state s e/c.md
	assert_status 0
	assert_eq "$(jq -c '[.source.uri, .chunk.deleted]' <<<"$output")" '["e/c.md",true]'
	run ai-chunk -q --state s e/c.md
	assert_status 2
	# What a pattern leaves out is gone for who asks.
	echo a.md >d/.gitignore
	assert_eq "$(chunks)" "deleted d/a.md"
	assert_eq "$(chunks --no-ignore)" "n1 d/a.md"
}

@test "a folder that is not there, or cannot be read, deletes nothing" {
	tree d/a.md d/x/b.md
	chunks >/dev/null
	mv d away
	run ai-chunk -q --state s d
	assert_status 2
	assert_eq "$(jq -r .error.code <<<"$output")" unreadable_document
	mv away d
	assert_eq "$(chunks)" ""
	[ "$(id -u)" -ne 0 ] || return 0
	chmod 000 d/x
	run ai-chunk -q --state s d
	chmod 700 d/x
	assert_status 2
	assert_eq "$(jq -c .chunk.deleted <<<"$output")" null
	assert_eq "$(chunks)" ""
}

@test "what failed is tried again; what became binary is gone" {
	tree d/a.md d/b.md
	chunks >/dev/null
	printf 'Latin-1: \344\n' >d/a.md
	assert_eq "$(chunks)" "error d/a.md"
	assert_eq "$(chunks)" "error d/a.md"
	tree d/a.md
	assert_eq "$(chunks)" "n1 d/a.md"
	printf 'a\0b' >d/b.md
	assert_eq "$(chunks)" "deleted d/b.md"
	assert_eq "$(chunks)" ""
	tree d/b.md
	assert_eq "$(chunks)" "n1 d/b.md"
}

@test "the names of files may be anything" {
	tree 'd/a b' "d/quote\"\\" $'d/new\nline' d/é 'd/!x' $'d/\x01' d/-
	run ai-chunk --state s d
	assert_eq "$(jq -r '.source.uri | length' <<<"$output" | wc -l)" 7
	assert_eq "$(chunks)" ""
	rm d/*
	assert_eq "$(ai-chunk --state s d | jq -r .chunk.deleted | sort | uniq -c |
		tr -s ' ')" " 7 true"
	# What is not UTF-8 cannot be named in a record.
	printf x >$'d/\xff'
	run ai-chunk -q --state s d
	assert_status 2
}

@test "the same file named twice is written once" {
	tree d/a.md
	assert_eq "$(chunks d/a.md d/a.md)" "n1 d/a.md"
	assert_eq "$(chunks d d/a.md)" ""
	[ "$(jq -c .uri s | grep -c a.md)" -eq 1 ]
}

@test "what the run itself writes is none of its documents" {
	tree d/a.md
	cd d
	for i in 1 2 3; do
		ai-chunk -q --state s --pending . >out
		assert_eq "$(jq -r .source.uri out)" ./a.md
	done
	ai-chunk -q --state s --commit
	echo '{"uri":"a document"}' >s.txt
	ai-chunk -q --state s . >out
	assert_eq "$(jq -r .source.uri out)" ./s.txt
}

@test "two runs at once: the second says so and ends" {
	tree d/a.md
	mkfifo p q
	ai-chunk --state s - <p >q &
	exec 8>p 9<q
	# It has the lock before it reads.
	for _ in $(seq 200); do [ ! -e s.lock ] || break; sleep 0.02; done
	run --separate-stderr ai-chunk --state s d
	assert_status 75
	assert_eq "$output" ""
	assert_has "$stderr" "another ai-chunk works with the state 's'"
	exec 8>&- 9<&-
	wait
	# What kill -9 leaves over stops nobody.
	: >s.lock
	assert_eq "$(chunks)" "n1 d/a.md"
	[ ! -e s.lock ]
}

@test "a state that is damaged, cut short, empty or newer is an error" {
	tree d/a.md d/b.md d/c.md
	chunks >/dev/null
	cp s good
	for size in $(seq 0 37 "$(($(stat -c %s good) - 1))"); do
		head -c "$size" good >s
		run --separate-stderr ai-chunk --state s d
		assert_status 65
		assert_eq "$output" ""
		assert_has "$stderr" "remove it"
	done
	for at in $(seq 0 41 "$(($(stat -c %s good) - 1))"); do
		cp good s
		printf '\377' | dd of=s bs=1 seek="$at" conv=notrunc 2>/dev/null
		run --separate-stderr ai-chunk --state s d
		assert_status 65
		assert_has "$stderr" "the state 's' is damaged"
	done
	rm s
	make_state() {
		printf '%s\n' "$@" >s
		printf '{"documents":%d,"blake2b":"%s"}\n' $(($# - 1)) \
			"$(b2sum -l 128 s | cut -d' ' -f1)" >>s
	}
	make_state '{"ai-chunk-state":2,"what":"is new"}'
	run --separate-stderr ai-chunk --state s d
	assert_status 65
	assert_has "$stderr" "is of version 2, and this ai-chunk knows only 1"
	make_state '{"ai-chunk-state":1,"seed":"0123456789abcdef","on":""}' \
		'{"uri":"d/a.md","doc":7}'
	run --separate-stderr ai-chunk --state s d
	assert_status 65
	printf 'hello\n' >s
	run --separate-stderr ai-chunk --state s d
	assert_status 65
	rm s && mkdir s
	run --separate-stderr ai-chunk --state s d
	assert_status 66
}

@test "a full disk, or a reader that goes, leaves the state so that all comes again" {
	tree d/a.md d/b.md
	run_sh 'ai-chunk --state s d >/dev/full'
	assert_status 74
	assert_eq "$(chunks | wc -l)" 2
	echo more >>d/a.md
	# Not taken by the reader: what stands in the pipe is not read.
	run_sh 'ai-chunk --state s d | sleep 0.3'
	assert_status 141
	assert_eq "$(chunks)" "n1 d/a.md"
	# A place where no state can be written is told before all else.
	run --separate-stderr ai-chunk --state gone/s d
	assert_status 73
	assert_eq "$output" ""
}

@test "--pending and --commit: the state changes when the whole pipe has ended well" {
	tree d/a.md
	pipe() {
		ai-chunk --state s --pending d | "$@" &&
			ai-chunk --state s --commit
	}
	set -o pipefail
	run ! pipe false
	assert_eq "$(pipe cat | wc -l)" 1
	assert_eq "$(pipe cat | wc -l)" 0
	echo more >>d/a.md
	pipe sh -c 'cat >/dev/null; exit 3' && return 1
	assert_eq "$(pipe cat | jq -r .text)" "this is d/a.md
more"
	assert_eq "$(pipe cat)" ""
	# Nothing is pending: nothing to be done.
	ai-chunk --state s --commit
	# What is pending of another state is not taken.
	echo more >>d/a.md
	cp s old
	ai-chunk --state s --pending d >/dev/null
	cp old s
	run --separate-stderr ai-chunk --state s --commit
	assert_status 65
	run ai-chunk --commit
	assert_status 64
	run ai-chunk --pending d
	assert_status 64
}

@test "records have no state" {
	run --separate-stderr ai-chunk --state s </dev/null
	assert_status 64
	assert_has "$stderr" "--state is for documents"
}

# what_is_in INDEX: its documents, without what depends on when they came.
what_is_in() {
	ai-search export -i "$1" | jq -c '[.source.uri, .chunk.n, .chunk.of, .text]' |
		LC_ALL=C sort
}

@test "an index that is fed with changes is the one made afresh" {
	mkdir -p d/x
	feed() {
		run_sh "ai-chunk -q $* --state s --pending d | ai-embed |
			ai-search add -i a.idx && ai-chunk --state s --commit"
		assert_status 0
		rm -rf b.idx
		run_sh "ai-chunk -q $* d | ai-embed | ai-search add -i b.idx"
		assert_status 0
		what_is_in a.idx >a
		what_is_in b.idx >b
		cmp a b
		[ "$(wc -l <a)" -ge "$wanted" ]
	}
	wanted=9
	for i in 1 2 3; do
		seq -s ' ' "$((i * 100))" >d/$i.md
		seq -s '. ' "$((i * 300))" >d/x/$i.txt
	done
	feed
	seq -s ' ' 900 >d/2.md
	echo new >d/new.md
	feed
	rm d/1.md d/x/3.txt
	mv d/3.md d/x/three.md
	wanted=5
	feed
	mv d/x d/y
	: >d/2.md
	feed
	feed --size 300
	[ "$(ai-search verify -i a.idx >/dev/null; echo $?)" -eq 0 ]
}
