#!/usr/bin/env bats
# ai-search add and export in the shapes of other programs.
load helper

# Three documents with ids, metadata and sources in x.idx.
docs() {
	printf '%s\n' '{"id":"a","text":"One wing.","meta":{"lang":"en","tags":["x",1,null,{"y":true}]},"source":{"uri":"f.md","bytes":[0,9],"lines":[1,1],"heading":["H"],"page":null},"chunk":{"doc":"d","n":0,"of":2,"by":"markdown","cut":"c"}}' \
		'{"id":"b","text":"Two \"wings\" \u00e4\u0001.","source":{"uri":"f.md","bytes":[9,20],"lines":[2,2],"heading":["H"],"page":null},"chunk":{"doc":"d","n":1,"of":2,"by":"markdown","cut":"c"}}' \
		'{"id":7,"text":"Three.","meta":{"source":"mine","aiutil":1}}' |
		ai-search add -i x.idx "$@"
}

@test "what is exported for LangChain and LlamaIndex makes the same index again" {
	for model in '' '-m local/hash'; do
		rm -rf x.idx
		# shellcheck disable=SC2086
		docs $model
		ai-search export -i x.idx >want
		for format in langchain llamaindex; do
			ai-search export -i x.idx --format $format >out
			rm -rf y.idx
			# shellcheck disable=SC2086
			ai-search add -i y.idx $model --format $format out
			ai-search export -i y.idx | cmp - want
			ai-search export -i y.idx --format $format | cmp - out
			ai-search verify -i y.idx
		done
	done
}

@test "the shapes are those that LangChain and LlamaIndex read" {
	docs -m local/hash
	ai-search export -i x.idx --format langchain >out
	assert_eq "$(jq -c 'keys' out | sort -u)" '["id","metadata","page_content","type"]'
	assert_eq "$(jq -c '[.id, .type, .metadata.source, .metadata.lang]' out)" '["a","Document","f.md","en"]
["b","Document","f.md",null]
["7","Document","mine",null]'
	ai-search export -i x.idx --format llamaindex >out
	assert_eq "$(jq -c '[.id_, .class_name, (.embedding | length), [.relationships | to_entries[] | [.key, .value.node_id]]]' out)" \
		'["a","TextNode",512,[["1","f.md"],["3","b"]]]
["b","TextNode",512,[["1","f.md"],["2","a"]]]
["7","TextNode",512,[]]'
}

@test "documents that LangChain and LlamaIndex wrote" {
	printf '%s\n' '{"id":null,"metadata":{"source":"a.md","page":3},"page_content":"Alpha wing","type":"Document"}' \
		'{"lc":1,"type":"constructor","id":["langchain","schema","document","Document"],"kwargs":{"page_content":"Beta wing","metadata":{"k":"v"},"type":"Document"}}' \
		'{"pageContent":"Gamma wing","metadata":{},"id":"g"}' >in
	ai-search add -i x.idx --format langchain in
	run_sh "ai-search export -i x.idx | jq -c '[.text, .meta, .source]'"
	assert_eq "$output" '["Alpha wing",{"source":"a.md","page":3},{"uri":"a.md"}]
["Beta wing",{"k":"v"},null]
["Gamma wing",null,null]'
	run_sh "ai-search export -i x.idx --format langchain | jq -c '[.page_content, (.metadata | del(.aiutils))]'"
	assert_eq "$output" '["Alpha wing",{"source":"a.md","page":3}]
["Beta wing",{"k":"v"}]
["Gamma wing",{}]'
	printf '%s\n' '{"id_":"n1","embedding":null,"metadata":{"k":1},"excluded_embed_metadata_keys":[],"relationships":{"1":{"node_id":"doc9","node_type":"4","metadata":{},"hash":"h","class_name":"RelatedNodeInfo"},"5":[{"node_id":"c"}]},"text":"A node","class_name":"TextNode"}' \
		'{"id_":"n2","metadata":{},"relationships":{},"text_resource":{"text":"A document"},"class_name":"Document"}' >in
	ai-search add -i y.idx --format llamaindex in
	run_sh "ai-search export -i y.idx --format llamaindex | jq -c '[.id_, .text, .relationships, .metadata.k]'"
	assert_eq "$output" '["n1","A node",{"1":{"node_id":"doc9","node_type":"4","metadata":{},"hash":"h","class_name":"RelatedNodeInfo"},"5":[{"node_id":"c"}]},1]
["n2","A document",{},null]'
	ai-search export -i y.idx --format llamaindex >out
	ai-search add -i z.idx --format llamaindex out
	ai-search export -i z.idx | cmp - <(ai-search export -i y.idx)
	run_sh "ai-search export -i y.idx --where relationships.1.node_id=doc9 | jq -c '[.id, .source]'"
	assert_eq "$output" '["n1",{"uri":"doc9"}]'
}

@test "records of another shape are errors" {
	for format in langchain llamaindex; do
		for rec in '{"id":"a"}' '{"page_content":5,"text":5}' '{"page_content":"x","text":"x","metadata":[]}'; do
			run_sh "echo '$rec' | ai-search add -i x.idx --format $format | jq -c '[.id, .error.code]'"
			assert_has "$output" '"invalid_record"]'
		done
	done
	run ai-search add -i x.idx --format npy <<<'{"text":"x"}'
	assert_status 64
	run ai-search export -i x.idx --format npy --vectors v.npy
	assert_status 64
	run ai-search -i x.idx --format langchain word
	assert_status 64
}

@test "--vectors: a .npy file beside the records, and back" {
	docs -m local/hash
	ai-search export -i x.idx >want
	for format in jsonl langchain llamaindex; do
		ai-search export -i x.idx --format $format --vectors v.npy >out
		run grep -c '"embedding":["\[]' out
		assert_eq "$output" 0
		assert_eq "$(stat -c %s v.npy)" $((128 + 3 * 512 * 4))
		rm -rf y.idx
		ai-search add -i y.idx --format $format --vectors v.npy out
		ai-search export -i y.idx | cmp - want
	done
	ai-search export -i x.idx --format npy | cmp - v.npy
	assert_eq "$(head -c 128 v.npy | tail -c +11 | tr -s ' ')" "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 512), } "
	# Fewer rows than records, more, and a filter.
	ai-search export -i x.idx --where 'lang=en' --format npy >one.npy
	assert_eq "$(stat -c %s one.npy)" $((128 + 512 * 4))
	run_sh "ai-search add -i z.idx --vectors one.npy out --format llamaindex | jq -r .error.message"
	assert_has "$output" "'one.npy' has 1 rows; this is record 3"
	run ai-search add -i z.idx --vectors v.npy <<<'{"id":"x","text":"t","embed":{"model":"local/hash"}}'
	assert_status 0
	assert_has "$output" 'has 3 rows, but only 1 records came'
}

# npy HEADER BYTES...: a file x.npy
npy() {
	printf '\x93NUMPY\x01\x00' >x.npy
	printf "\\x$(printf %02x ${#1})\\x00%s" "$1" >>x.npy
	shift
	printf "$@" >>x.npy
}

@test "other kinds of .npy, and what is none" {
	npy "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }" '\0\0\0\0\0\0\x08\x40\0\0\0\0\0\0\x10\x40'
	echo '{"id":"a","text":"t"}' | ai-search add -i x.idx --vectors x.npy
	run_sh "echo '{\"embedding\":[0.6,0.8]}' | ai-search -i x.idx | jq -c '.hits[0].dense'"
	assert_eq "$output" '{"score":1,"rank":1}'
	npy "{'descr': '<f2', 'fortran_order': False, 'shape': (2, 2)}" '\x00\x42\x00\x44\0\0\0\0'
	printf '%s\n' '{"id":"a","text":"t"}' '{"id":"b","text":"u"}' | ai-search add -i y.idx --vectors x.npy
	assert_eq "$(ai-search export -i y.idx --where 'NOT x=1' | jq -c '[.id, has("embedding")]')" '["a",true]
["b",false]'
	# A number that is none.
	npy "{'descr': '<f2', 'fortran_order': False, 'shape': (1, 2)}" '\x00\x7c\x00\x44'
	run_sh "echo '{\"id\":\"c\",\"text\":\"t\"}' | ai-search add -i y.idx --vectors x.npy | jq -r .error.code"
	assert_eq "$output" invalid_record
	for head in "{'descr': '<i4', 'fortran_order': False, 'shape': (1, 2)}" "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2)}" \
		"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}" "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3)}" \
		"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 2)}" "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 65537)}" \
		"{'descr': '<f4', 'shape': (1, 2)}" "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 2)}" \
		"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2)}" ""; do
		npy "$head" '\0\0\0\0\0\0\0\0'
		run ai-search add -i z.idx --vectors x.npy <<<'{"text":"t"}'
		assert_status 65
		assert_has "$output" "'x.npy': "
	done
	: >x.npy
	run ai-search add -i z.idx --vectors x.npy </dev/null
	assert_status 65
	run ai-search add -i z.idx --vectors none.npy </dev/null
	assert_status 66
	run ai-search export -i y.idx --vectors /nonexistent/v.npy
	assert_status 73
	run_sh "ai-search export -i y.idx --format npy >/dev/full"
	assert_status 74
	[ ! -w /dev/full ] || {
		run ai-search export -i y.idx --vectors /dev/full
		assert_status 74
	}
}
