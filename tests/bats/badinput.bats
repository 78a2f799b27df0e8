#!/usr/bin/env bats
# Hostile and broken input to every program that reads records: what is wrong
# is said, nothing vanishes, the records around it go on, nobody crashes.
load helper
load damage

setup() {
	ai_setup
	PATH=$BUILDDIR/tests/stub:$PATH
	make_index
}

# A bad line stands between two good ones: those come out without an error,
# the bad one in its place with this code and line number.
between() { # FILTER CODE
	{
		records 1
		cat bad
		records 1
	} >in
	run --separate-stderr bash -c "timeout 60 $1 <in >out"
	assert_status 2
	assert_eq "$(jq -c '[.error.code, .error.line]' out | uniq)" \
		"[null,null]
[\"$2\",2]
[null,null]"
}

@test "a line that is not JSON" {
	printf '{"text": "no end\n' >bad
	each 'between "$f" invalid_json
		assert_eq "$(jq -r "select(.error).raw" out)" "$(cat bad)"'
}

@test "a JSON array" {
	printf '[{"text":"x"}]\n' >bad
	each 'between "$f" invalid_json
		assert_eq "$(jq -r "select(.error).raw" out)" "$(cat bad)"'
}

@test "a line of 20 MiB" {
	{
		printf '{"text":"'
		head -c 20971520 /dev/zero | tr '\0' x
		printf '"}\n'
	} >bad
	each 'between "$f" too_long
		assert [ "$(wc -c <out)" -lt 100000 ]
		assert_has "$(grep too_long out)" 20971531'
}

@test "a line of 20 MiB, allowed" {
	{
		printf '{"text":"","x":"'
		head -c 20971520 /dev/zero | tr '\0' x
		printf '"}\n'
	} >big
	ai-pass --max-line 32M <big | cmp - big
}

@test "bytes that are not UTF-8" {
	printf '{"text":"caf\xe9"}\n' >bad
	each 'between "$f" invalid_utf8
		assert_eq "$(jq -r "select(.error).raw_base64" out)" \
			"$(head -c -1 bad | base64)"'
}

@test "NUL bytes" {
	printf '{"text":"a\0b"}\n' >bad
	export raw='"{\"text\":\"a\u0000b\"}"'
	each 'between "$f" invalid_json
		assert_eq "$(jq -c "select(.error).raw" out)" "$raw"'
	printf '\0\0\0\n' >bad
	each 'between "$f" invalid_json'
}

@test "a NUL as an escape is text like any other" {
	printf '{"query":"a\\u0000b","text":"a\\u0000b","hits":[]}\n' >in
	each '$f <in >out
		assert_has "$(cat out)" "a\\u0000b"'
}

# What each program makes of a text of 0 bytes: its status, and what of its
# answer says so.
of_nothing() {
	case $1 in
	ai-pass*) echo 0 '.text == ""' ;;
	ai-chunk*) echo 0 '.text == "" and .chunk.of == 1' ;;
	ai-tokens*) echo 0 '.tokens.count == 0' ;;
	ai-embed*) echo 0 '.embedding | test("^A+=?$")' ;;
	ai-guard*) echo 0 '.guard.verdict == "pass"' ;;
	ai-search*) echo 0 '.hits == []' ;;
	ai-complete*) echo 2 '.error.code == "invalid_record"' ;;
	*) echo "say here what $1 makes of a text of 0 bytes" ;;
	esac
}

@test "a text of 0 bytes" {
	printf '{"query":"","text":"","hits":[]}\n' >in
	each 'read -r wanted answer <<<"$(of_nothing "$f")"
		run --separate-stderr bash -c "$f <in"
		assert_status "$wanted"
		assert_eq "${#lines[@]}" 1
		assert jq -e "$answer" <<<"$output"'
}

@test "a text that is no string, or absent" {
	printf '%s\n' '{"query":1,"text":1,"hits":1}' '{"query":null}' '{}' \
		'{"text":{"a":1},"query":["x"],"hits":{"a":1}}' >in
	each 'run --separate-stderr bash -c "$f <in"
		assert [ "$status" -eq 0 -o "$status" -eq 2 ]
		[[ $f == ai-chunk* ]] || assert_eq "${#lines[@]}" 4'
}

@test "JSON as deep as memory" {
	{
		printf '{"text":'
		head -c 1000000 /dev/zero | tr '\0' '['
		echo
	} >bad
	each 'between "$f" invalid_json'
}

@test "a file of 100 MB on one line, in little memory" {
	not_sanitized
	head -c 100000000 /dev/zero | tr '\0' x >big
	each 'bash -c "ulimit -v 1000000; timeout 60 $f <big >out" && status=0 || status=$?
		assert_eq "$status" 2
		assert_eq "$(jq -r .error.code out)" too_long'
}

@test "a file of 100 MB of records, in little memory" {
	not_sanitized
	records 1000 >part
	for ((i = 0; i < 500; i++)); do cat part; done >big
	assert [ "$(wc -c <big)" -gt 70000000 ]
	bash -c 'ulimit -v 400000; ai-pass <big' | cmp - big
	bash -c 'ulimit -v 400000; ai-pass -j 3 <big' | cmp - big
}

@test "a document of 100 MB" {
	not_sanitized
	[ -x "$BUILDDIR/bin/ai-chunk" ] || skip "ai-chunk is not built"
	seq 1 13000000 | head -c 100000000 >big.txt
	status=0
	timeout 120 ai-chunk big.txt >out 2>err || status=$?
	case $status in
	0) assert_eq "$(tail -n 1 out | jq '.source.bytes[1]')" 100000000 ;;
	2) assert_has "$(head -n 1 out)" '"error"' ;;
	*) false ;;
	esac
}

# The programs whose operands are files.
readers() {
	filters | grep -E '^ai-(pass|tokens|embed)'
}

@test "a folder instead of a file" {
	mkdir folder
	readers | while IFS= read -r f; do
		run --separate-stderr $f folder
		assert [ "$status" -eq 66 -o "$status" -eq 74 ]
		assert_has "$stderr" folder
		assert_has "$stderr" "s a directory"
	done
}

@test "a file that is not there, between two that are" {
	records 1 >a
	readers | while IFS= read -r f; do
		run --separate-stderr $f a gone a
		assert_status 66
		assert_has "$stderr" "cannot open 'gone': No such file or directory"
	done
}

@test "a file that may not be read" {
	open=$(mktemp -d)
	powerless "$open"
	records 1 >"$open/a"
	cp "$open/a" "$open/locked"
	chmod 0 "$open/locked"
	readers | while IFS= read -r f; do
		run --separate-stderr "${as[@]}" $f "$open/locked"
		assert_status 66
		assert_has "$stderr" "cannot open '$open/locked': Permission denied"
		# It is this file, not the folder, the program or its data.
		run --separate-stderr "${as[@]}" $f "$open/a"
		assert_status 0
	done
}

# open_half_way: $f reads the file r and is held up by a reader that does not
# read on; pid is the program's, pos how far in the file it is.  (With -j it
# reads on all the same.)
open_half_way() {
	local size fd
	size=$(stat -c %s r)
	rm -f fifo
	mkfifo fifo
	$f r >fifo 2>err &
	pid=$!
	exec 8<fifo
	IFS= read -r first <&8
	for fd in "/proc/$pid/fd"/*; do
		[ "$(readlink "$fd")" = "$PWD/r" ] || continue
		pos=$(awk '/^pos:/ { print $2 }' "/proc/$pid/fdinfo/${fd##*/}")
	done
	assert [ "$pos" -gt 0 -a "$pos" -lt "$size" ]
}

# What comes of it in the end, into out.
read_on() {
	{
		printf '%s\n' "$first"
		cat <&8
	} >out
	exec 8<&-
	status=0
	wait "$pid" || status=$?
}

@test "a file of records that is removed while it is read: all of it comes" {
	records 5000 >all
	readers | grep -v -e -j | while IFS= read -r f; do
		cp all r
		open_half_way
		rm r
		read_on
		assert_status 0
		assert_eq "$(jq -r .id out)" "$(seq 5000)"
	done
}

@test "a file of records that is cut short while it is read" {
	records 5000 >all
	readers | grep -v -e -j | while IFS= read -r f; do
		cp all r
		open_half_way
		: >r
		read_on
		# The lines that were read are whole; the cut one is told.
		head -c "$pos" all >begun
		n=$(wc -l <begun)
		assert_eq "$(head -n "$n" out | jq -r .id)" "$(seq "$n")"
		part=$(tail -n +"$((n + 1))" begun)
		assert [ -n "$part" ]
		assert_status 2
		assert_eq "$(tail -n +"$((n + 1))" out | jq -r '[.error.code, .raw] | @tsv')" \
			"invalid_json	$(jq -Rr '[.] | @tsv' <<<"$part")"
	done
}

@test "ai-chunk: a folder, a binary, a file that vanished, among good ones" {
	[ -x "$BUILDDIR/bin/ai-chunk" ] || skip "ai-chunk is not built"
	mkdir folder
	printf 'in a folder\n' >folder/b.txt
	printf 'good text\n' >a.txt
	printf '\177ELF\0\0\1' >binary
	printf '%s\0' a.txt gone folder binary a.txt >list
	run --separate-stderr ai-chunk --files0-from list
	assert_status 2
	assert_eq "${#lines[@]}" 5
	assert_eq "$(jq -r '.error.code // .text' <<<"$output" | tr -d '\n')" \
		"good textunreadable_documentin a folderunreadable_documentgood text"
	for name in gone binary; do
		assert_has "$output" "'$name'"
	done
}

@test "an option out of range, or no number" {
	for p in $(programs) ai-pass; do
		while IFS=$'\t' read -r name _ type _; do
			case $type in int | real) ;; *) continue ;; esac
			for value in -99999999999999999999 abc '' 1e999 0x10; do
				run --separate-stderr "$p" "--$name=$value" </dev/null
				assert_status 64
				assert_has "$stderr" "--$name"
			done
		done < <("$p" --dump-options)
	done
}

@test "a choice that is none names those there are" {
	for p in $(programs); do
		while IFS=$'\t' read -r name _ type _ choices _; do
			[ "$type" = choice ] || continue
			run --separate-stderr "$p" "--$name=nonsense" </dev/null
			assert_status 64
			assert_has "$stderr" "--$name"
			assert_has "$stderr" "${choices%%|*}"
		done < <("$p" --dump-options)
	done
}

@test "an unknown option: the nearest is suggested" {
	for p in $(programs); do
		run --separate-stderr "$p" --verbsoe </dev/null
		assert_status 64
		assert_has "$stderr" "verbsoe"
		assert_has "$stderr" "--verbose"
		run --separate-stderr "$p" --zzzzzzzzzz </dev/null
		assert_status 64
		run --separate-stderr "$p" -Z </dev/null
		assert_status 64
		assert_has "$stderr" "-Z"
	done
}

@test "an option without its value" {
	for p in $(programs); do
		run --separate-stderr "$p" --config </dev/null
		assert_status 64
		assert_has "$stderr" "--config"
		run --separate-stderr "$p" --verbose=yes </dev/null
		assert_status 64
	done
}

# ---- an index in every bad state --------------------------------------------

need_search() {
	[ -x "$BUILDDIR/bin/ai-search" ] || skip "ai-search is not built"
}

search() {
	run --separate-stderr timeout 60 ai-search "$@" </dev/null
}

@test "no index, and a folder that is none" {
	need_search
	search -i nowhere fox
	assert [ "$status" -eq 66 -o "$status" -eq 65 ]
	assert_has "$stderr" "'nowhere'"
	mkdir folder
	: >folder/file
	search -i folder fox
	assert [ "$status" -eq 66 -o "$status" -eq 65 ]
	assert_has "$stderr" "'folder'"
	search -i in fox
	assert [ "$status" -eq 66 -o "$status" -eq 65 ]
}

@test "an index written by another model or dimension" {
	need_search
	records 1 | ai-embed -m local/hash --dim 64 >other
	run --separate-stderr bash -c 'ai-search add -i idx <other'
	assert_status 2
	assert_has "$output" 512
	assert_has "$output" 64
	printf '{"text":"x","embed":{"model":"other/model","dim":512,"norm":"l2"},"embedding":"%s"}\n' \
		"$(head -c 2048 /dev/zero | base64 -w 0)" >other
	run --separate-stderr bash -c 'ai-search add -i idx <other'
	assert_status 2
	assert_has "$output" other/model
	assert_has "$output" local/hash
	run --separate-stderr bash -c "jq -c '{query:\"fox\"} + del(.text)' other | ai-search -i idx"
	assert_status 2
	assert_has "$output" other/model
	assert_has "$output" local/hash
}

# The files of an index, biggest first; there may be folders in it.
index_files() { find idx -type f -size +0 -printf '%s %p\n' | sort -rn | cut -d ' ' -f 2-; }

# What a damaged index may answer: that it is damaged and how to mend it, or
# exactly what it answered before.
sound_or_said() {
	for verb in '' verify stats; do
		if [ -z "$verb" ]; then
			search -i idx fox
		else
			search "$verb" -i idx
		fi
		case $status in
		0)
			[ "$verb" != '' ] || [ "$output" = "$1" ] || {
				echo "another answer, status 0"
				return 1
			}
			;;
		65 | 66 | 74)
			[[ $stderr == *idx* ]] || {
				echo "the message does not name the index: $stderr"
				return 1
			}
			[ "$status" -ne 65 ] || [[ $stderr == *'rebuild it'* ]] || {
				echo "how to rebuild is not said: $stderr"
				return 1
			}
			;;
		2)
			[[ $(jq -r .error.message <<<"$output") == *damaged*rebuild* ]] || {
				echo "how to rebuild is not said: $output"
				return 1
			}
			;;
		*)
			echo "$verb: status $status: $stderr"
			return 1
			;;
		esac
	done
}

@test "a corrupt index: what is wrong is said, and how to rebuild" {
	need_search
	records 300 | ai-search add -i idx
	search -i idx fox
	good=$output
	cp -r idx whole
	seed
	bad=0
	for file in $(index_files); do
		size=$(stat -c %s "$file")
		for damage in "truncate -s 0" "truncate -s $((size / 2))" \
			"truncate -s +1000" "garble 0" "garble 16" "garble 100" \
			"garble $((size / 3))" "garble $((size / 2))" \
			"garble $((size - 30))"; do
			rm -rf idx
			cp -r whole idx
			if [[ $damage == garble* ]]; then
				garble "$file" "${damage#* }" 24
			else
				$damage "$file"
			fi
			sound_or_said "$good" || {
				echo "after: $damage $file"
				bad=1
			}
		done
	done
	[ "$bad" -eq 0 ]
}

@test "a corrupt index: verify finds a changed byte" {
	need_search
	file=$(index_files | head -n 1)
	search verify -i idx
	assert_status 0
	# A letter of a text, where no structure is damaged.
	at=$(grep -abo 'quick brown fox number 3' "$file" | head -n 1 | cut -d : -f 1)
	printf Q | dd of="$file" bs=1 seek="$at" conv=notrunc 2>/dev/null
	search verify -i idx
	refute_eq "$status" 0
	assert [ "$status" -lt 128 ]
	assert_has "$stderr$output" idx
}

@test "a full disk: add says so, and the index stays sound" {
	need_search
	[ "$(id -u)" -eq 0 ] || skip "only root can mount a small disk"
	mkdir disk
	mount -t tmpfs -o size=400k tmpfs disk || skip "cannot mount here"
	records 2000 >many
	added=0
	ai-search add -i disk/idx --ack <many >acks 2>err || added=$?
	search verify -i disk/idx
	verified=$status$stderr
	ai-search export -i disk/idx 2>/dev/null | jq -r .id | sort >kept
	jq -r '.id // empty' acks | sort >acknowledged
	mount -o remount,size=40m disk
	ai-search add -i disk/idx <many 2>>err && again=0 || again=$?
	count=$(ai-search export -i disk/idx | wc -l)
	umount disk
	assert_eq "$added" 74
	assert_has "$(cat err)" 'space'
	assert [ "${verified:0:1}" = 0 -o "${verified#*no index}" != "$verified" ]
	assert_eq "$(comm -13 kept acknowledged | grep -v '"error"' | head -n 3)" ''
	assert_eq "$again" 0
	assert_eq "$count" 2000
}

teardown() {
	[ -z "${open-}" ] || rm -rf "$open"
	mountpoint -q disk 2>/dev/null && umount disk
	true
}
