# The main job, whole: documents in, a cited answer out, without a key and
# without the network.
load helper

# Real documents: this toolkit's pages, and those of what it is built with.
documents() {
	local p
	mkdir docs
	cp "$SRCDIR/README" "$SRCDIR/HACKING" docs/
	for p in "$SRCDIR"/man/*.[157]; do
		mandoc -T utf8 "$p" | col -bx >"docs/$(basename "$p").txt"
	done
	for p in bash grep jq tar find; do
		man -w "$p" >/dev/null 2>&1 || continue
		MANWIDTH=80 man "$p" 2>/dev/null | col -bx >"docs/$p.txt"
	done
}

make_index() {
	documents
	ai-chunk docs/* >chunks
	ai-embed <chunks | ai-search add -i docs.idx
}

# Each hit's source, cut out of its file, is the hit's text.
slices_hold() {
	local n=0 uri from to
	while IFS=$'\t' read -r i uri from to; do
		jq -j ".hits[$i].text" "$1" >text
		tail -c "+$((from + 1))" "$uri" | head -c "$((to - from))" |
			cmp - text || return 1
		n=$((n + 1))
	done < <(jq -r '.hits | to_entries[] | [.key, .value.source.uri,
		.value.source.bytes[]] | @tsv' "$1")
	[ "$n" -gt 0 ]
}

@test "documents in, a cited answer out; every citation's bytes check out" {
	make_index
	for q in "how do I set the size of a chunk and its overlap" \
		"which exit status means that writing failed" \
		"how do I count tokens of a text"; do
		jq -nc --arg q "$q" '{query: $q}' | ai-search -i docs.idx >hits
		slices_hold hits
		ai-complete -m local/extract <hits >answer
		jq -e '.completion.extractive == true' answer
		jq -e '.completion.citations | length > 0' answer
		# Each citation is one of the hits, with its source.
		jq -e '. as $r | all(.completion.citations[];
			. as $c | any($r.hits[]; .id == $c.id and
				.source == $c.source))' answer
		# What is quoted stands in the cited text.
		jq -e '.completion.text | test("\\[[0-9]+\\]")' answer
	done
}

@test "what the documents do not say is not answered" {
	make_index
	echo '{"query":"recipe for banana bread with walnuts"}' |
		ai-search -i docs.idx | ai-complete -m local/extract >answer
	jq -e '.completion.citations == []' answer
	run_sh "jq -r .completion.text answer"
	assert_has "$output" "documents do not say"
}

@test "the README's order: any program can be left out" {
	documents
	ai-chunk docs/README | ai-search add -i sparse.idx
	run ai-search -i sparse.idx -r "bootstrap check"
	assert_status 0
	assert_has "$output" bootstrap
}

@test "adding the same documents again changes nothing" {
	make_index
	ai-search export -i docs.idx | sort >before
	ai-chunk docs/* | ai-embed | ai-search add -i docs.idx
	ai-search export -i docs.idx | sort | cmp - before
	# A changed file replaces its chunks, and only those.
	echo "The zanzibar option." >>docs/README
	ai-chunk docs/README | ai-embed | ai-search add -i docs.idx
	run_sh "echo '{\"query\":\"zanzibar\"}' | ai-search -i docs.idx | jq -r '.hits[0].source.uri'"
	assert_eq "$output" docs/README
	run_sh "ai-search export -i docs.idx | jq -r 'select(.source.uri != \"docs/README\") | .id' | sort | md5sum"
	assert_eq "$output" "$(jq -r 'select(.source.uri != "docs/README") | .id' before | sort | md5sum)"
}

@test "an error record travels through the whole pipeline" {
	documents
	printf 'a\0b' >docs/binary
	run_sh "ai-chunk docs/binary docs/README 2>/dev/null | ai-embed 2>/dev/null | ai-search add -i e.idx 2>/dev/null"
	assert_status 2
	run_sh "jq -r .error.tool <<<'$output'"
	assert_eq "$output" ai-chunk
	run ai-search -i e.idx -r "bootstrap"
	assert_status 0
}
