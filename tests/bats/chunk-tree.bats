#!/usr/bin/env bats
# ai-chunk with folders: what is found, in which order, what is left alone.
load helper

uris() {
	jq -r .source.uri
}

# nobody COMMAND...: as a user who may not read everything; in a folder of its
# own, as that of the test may be closed to others.
nobody() {
	if [ "$(id -u)" -ne 0 ]; then
		"$@"
		return
	fi
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}
somewhere() {
	[ "$(id -u)" -eq 0 ] || return 0
	cd "$(mktemp -d /tmp/ai-chunk-XXXXXX)" || return
	echo "$PWD" >"$BATS_TEST_TMPDIR/somewhere"
	chmod 755 .
	nobody ai-chunk --version >/dev/null 2>&1 ||
		skip "root reads everything, and nobody cannot run the programs"
}
teardown() {
	[ ! -f "$BATS_TEST_TMPDIR/somewhere" ] ||
		rm -rf "$(cat "$BATS_TEST_TMPDIR/somewhere")"
}

# tree FILE...: each holds its name.
tree() {
	local f
	for f; do
		mkdir -p "$(dirname "$f")"
		printf '%s\n' "$f" >"$f"
	done
}

@test "a folder's files come in the order of their names' bytes" {
	tree d/b.md d/a/z.md d/a.md d/a-b/q.md d/a/b/c.md d/Z.md 'd/e f.md'
	find d -type f | LC_ALL=C sort >wanted
	ai-chunk d | uris >got
	cmp wanted got
	ai-chunk -j 3 d/ | uris >got
	cmp wanted got
	ai-chunk d/b.md d/a// d/b.md | uris >got
	printf 'd/b.md\nd/a/b/c.md\nd/a/z.md\nd/b.md\n' | cmp - got
	cd d && ai-chunk . | uris | sed 's/^\.\//d\//' | cmp - ../wanted
	printf 'd\0' | (cd .. && ai-chunk --files0-from -) | uris |
		cmp - ../wanted
}

@test ".gitignore: what git ls-files finds, in random trees" {
	need git
	need_peer ajv
	run node "$SRCDIR/tests/peer/ignore.mjs" 120 "${AI_SEED:-5}"
	assert_status 0
	assert_has "$output" " 0 differences"
}

@test ".gitignore holds without git too, and --no-ignore lifts it" {
	tree d/a.md d/a.log d/sub/keep.log d/sub/b.md d/out/c.md d/.hid.md
	printf '*.log\n/out/\n' >d/.gitignore
	printf '!keep.log\n' >d/sub/.gitignore
	run ai-chunk d
	assert_eq "$(uris <<<"$output")" "d/a.md
d/sub/b.md
d/sub/keep.log"
	# From below, what stands above the folder holds only within git.
	assert_eq "$(ai-chunk d/out | uris)" d/out/c.md
	run ai-chunk --no-ignore d
	assert_eq "$(uris <<<"$output")" "d/a.log
d/a.md
d/out/c.md
d/sub/b.md
d/sub/keep.log"
	run ai-chunk --hidden d
	assert_eq "$(uris <<<"$output" | grep -c '/\.')" 3
}

@test "a work tree that git keeps elsewhere has its info/exclude" {
	need git
	git init -q main
	tree main/a.md main/b.md
	(cd main && git add . && git -c user.name=n -c user.email=e \
		commit -qm x && git worktree add -q ../side)
	echo b.md >>main/.git/info/exclude
	assert_eq "$(ai-chunk main | uris)" main/a.md
	assert_eq "$(ai-chunk side | uris)" side/a.md
	# A repository in another has its own.
	git init -q main/inner
	tree main/inner/b.md main/inner/c.md
	echo c.md >main/.gitignore
	assert_eq "$(ai-chunk main | uris)" "main/a.md
main/inner/b.md
main/inner/c.md"
}

@test "nothing is taken from a folder whose .gitignore cannot be read" {
	somewhere
	tree d/s/secret.md d/a.md
	echo secret.md >d/s/.gitignore
	chmod 000 d/s/.gitignore
	run --separate-stderr nobody ai-chunk -q d
	assert_status 2
	assert_eq "$(jq -r '.error.code // .text' <<<"$output")" "d/a.md
unreadable_document"
}

@test "--include and --exclude" {
	tree d/a.md d/b.txt d/x/c.md d/x/y/d.md d/x/d.txt
	assert_eq "$(ai-chunk --include '*.md' d | uris)" "d/a.md
d/x/c.md
d/x/y/d.md"
	assert_eq "$(ai-chunk --include '*.md' --exclude y/ d | uris)" "d/a.md
d/x/c.md"
	assert_eq "$(ai-chunk --include 'x/**' --include b.txt \
		--exclude '/x/*.txt' d | uris)" "d/b.txt
d/x/c.md
d/x/y/d.md"
	# What is named is taken.
	assert_eq "$(ai-chunk --include '*.md' d/b.txt | uris)" d/b.txt
}

@test "what is no text is left alone, and named" {
	tree d/a.md
	printf 'PK\3\4\0\0\0\0' >d/b.zip
	head -c 2000 /dev/zero | tr '\0' x >d/large.txt
	run --separate-stderr ai-chunk --max-file 1999 d
	assert_status 0
	assert_eq "$(uris <<<"$output")" d/a.md
	assert_has "$stderr" "left alone: 'd/b.zip': it is binary"
	assert_has "$stderr" "left alone: 'd/large.txt': it is larger than --max-file"
	assert_eq "$(ai-chunk --max-file 2000 d 2>/dev/null | uris | uniq)" "d/a.md
d/large.txt"
	# What is named must be readable.
	run --separate-stderr ai-chunk -q d/b.zip
	assert_status 2
}

@test "of many files that are left alone ten are named, and -v names all" {
	mkdir d
	for i in $(seq 15); do printf '\0' >d/$i; done
	run --separate-stderr ai-chunk d
	assert_status 0
	assert_eq "$(grep -c 'left alone: ' <<<"$stderr")" 10
	assert_has "$stderr" "15 files were left alone"
	run --separate-stderr ai-chunk -v d
	assert_eq "$(grep -c 'left alone: ' <<<"$stderr")" 15
}

@test "a converter that is not installed is told, and the rest goes on" {
	tree d/a.md d/b.rst
	echo '{"converters":{".rst":["no-such-program","{}"]}}' >c.json
	run --separate-stderr ai-chunk --config c.json d
	assert_status 0
	assert_eq "$(uris <<<"$output")" d/a.md
	assert_has "$stderr" "'d/b.rst': it needs 'no-such-program', which is not installed"
	echo '{"converters":{".rst":["false","{}"]}}' >c.json
	run --separate-stderr ai-chunk -q --config c.json d
	assert_status 2
}

@test "links are not followed; --follow follows them, and loops end" {
	tree d/a.md out/x.md
	ln -s ../out d/link
	ln -s ../out/x.md d/x.md
	ln -s .. d/up
	ln -s . d/self
	ln -s nowhere d/dangling
	run --separate-stderr ai-chunk d
	assert_status 0
	assert_eq "$(uris <<<"$output")" d/a.md
	run --separate-stderr timeout 10 ai-chunk --follow d
	assert_status 2
	assert_eq "$(jq -r 'select(.error) | .source.uri' <<<"$output")" d/dangling
	assert_has "$output" '"uri":"d/link/x.md"'
	assert_has "$output" '"uri":"d/x.md"'
	assert_has "$stderr" "left alone: 'd/self': a link leads there a second time"
	# A folder that is named may be a link.
	assert_eq "$(ai-chunk d/link | uris)" d/link/x.md
}

@test "folders that lead to each other by many links end soon" {
	mkdir d
	for i in $(seq 20); do
		mkdir "d/$i"
		ln -s "../$((i % 20 + 1))" "d/$i/l"
		ln -s "../$((i % 20 + 1))" "d/$i/m"
		echo "$i" >"d/$i/f"
	done
	run --separate-stderr timeout 20 ai-chunk --follow d
	assert_status 0
	assert [ "$(uris <<<"$output" | wc -l)" -lt 1000 ]
	assert_eq "$(jq -r .text <<<"$output" | sort -u | wc -l)" 20
}

@test "what is neither file nor folder is passed over, without waiting" {
	tree d/a.md
	mkfifo d/pipe
	run --separate-stderr timeout 10 ai-chunk d
	assert_status 0
	assert_eq "$(uris <<<"$output")" d/a.md
}

@test "a folder that cannot be read is an error record, and the rest goes on" {
	somewhere
	tree d/a.md d/no/b.md d/z.md
	chmod 000 d/no
	run --separate-stderr nobody ai-chunk -q d
	chmod 700 d/no
	assert_status 2
	assert_eq "$(jq -r '.error.message // .text' <<<"$output")" "d/a.md
cannot open 'd/no': Permission denied
d/z.md"
}

@test "patterns that would take others an age" {
	tree "d/$(printf 'a%.0s' $(seq 200))"
	printf '%s\n' "$(printf '*a%.0s' $(seq 60))b" \
		"$(printf '**/a*%.0s/' $(seq 60))b" >d/.gitignore
	run timeout 10 ai-chunk d
	assert_status 0
	assert_eq "$(wc -l <<<"$output")" 1
}

@test "an empty folder, one that is not there, one that is left out" {
	mkdir d
	run --separate-stderr ai-chunk d
	assert_status 0
	assert_eq "$output" ""
	run --separate-stderr ai-chunk -q gone/
	assert_status 2
	assert_has "$output" "cannot open 'gone/': No such file or directory"
}
