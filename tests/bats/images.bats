# ai-complete: pictures in a prompt.
load helper
load ../stub/stub

setup_file() {
	stub_start
	export AI_BASE_URL=$STUB_URL AI_MODEL=m1
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	stub_reset
	printf '\x89PNG\r\n\x1a\n1234' >a.png
	printf '\xff\xd8\xff\xe0jpeg' >b.jpg
	printf 'GIF89a....' >c.gif
	printf 'RIFF....WEBPVP8 ' >d.webp
}

ask() {
	run --separate-stderr ai-complete -q "$@"
}

# image FILE TYPE: the part that it makes.
image() {
	printf '{"type":"image_url","image_url":{"url":"data:image/%s;base64,%s"}}' \
		"$2" "$(base64 -w0 "$1")"
}

# refused IMAGE MESSAGE: as the only one of a record.
refused() {
	ask < <(jq -nc --arg i "$1" '{prompt: "x", images: [$i]}')
	assert_status 2
	assert_has "$(jq -r .error.message <<<"$output")" "$2"
	assert_eq "$(stub_requests)" 0
}

@test "each type by its first bytes, whatever the name; addresses as they are" {
	mv d.webp d.png
	ask <<<'{"prompt":"what is it?","images":["a.png","b.jpg","c.gif","d.png","https://example.org/x?a=\"b\"","data:image/png;base64,QUJD"]}'
	assert_status 0
	assert_eq "$(stub_log .body.messages)" \
		'[{"role":"user","content":[{"type":"text","text":"what is it?"},'"$(
		image a.png png),$(image b.jpg jpeg),$(image c.gif gif),$(
		image d.png webp)"',{"type":"image_url","image_url":{"url":"https://example.org/x?a=\"b\""}},{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}}]}]'
}

@test "--image: before those of the record, with words too" {
	ask --image a.png --image http://example.org/b "what" "is it?"
	assert_status 0
	assert_eq "$(stub_log '.body.messages[0].content')" \
		'[{"type":"text","text":"what is it?"},'"$(image a.png png)"',{"type":"image_url","image_url":{"url":"http://example.org/b"}}]'
	stub_reset
	ask --image a.png <<<'{"prompt":"x","images":["c.gif"]}'
	assert_eq "$(stub_log '.body.messages[0].content[1:]')" \
		"[$(image a.png png),$(image c.gif gif)]"
	ask --image none.png hello
	assert_status 66
	ask --image . hello
	assert_status 66
	echo text >e.png
	ask --image e.png hello
	assert_status 65
	assert_has "$stderr" "'e.png' is no picture"
	ask --image a.png --image-max 11 hello
	assert_status 65
	assert_has "$stderr" "longer than 11 bytes"
}

@test "in a conversation they go to the last message of the user's" {
	ask <<<'{"messages":[{"role":"user","content":"old"},{"name":"me","role":"user","content":[{"type":"text","text":"see"}],"x":1e400},{"role":"assistant","content":"Hm"}],"images":["a.png"]}'
	assert_status 0
	assert_eq "$(grep -o '"messages":\[.*' "$STUB/log" | jq -Rc \
		'capture("(?<m>\\[.*\\]),\"max") | .m | fromjson | map(del(.x))')" \
		'[{"role":"user","content":"old"},{"name":"me","role":"user","content":[{"type":"text","text":"see"},'"$(
		image a.png png)"']},{"role":"assistant","content":"Hm"}]'
	ask <<<'{"messages":[{"role":"system","content":"s"}],"images":["a.png"]}'
	assert_status 2
	assert_has "$output" "no message of the user's"
}

@test "hits stand before the message with the pictures" {
	ask <<<'{"query":"q?","images":["a.png"],"hits":[{"id":"1","text":"Rain."}]}'
	assert_status 0
	assert_eq "$(stub_log '[.body.messages[].role]')" \
		'["system","user","user"]'
	assert_has "$(stub_log '.body.messages[1].content')" "Rain."
	assert_eq "$(stub_log '.body.messages[2].content[0].text')" '"q?"'
}

@test "what is no picture, and what cannot be read" {
	mkdir dir
	echo secret >text.png
	: >empty.png
	mkfifo fifo.png
	refused dir "images.0: cannot read"
	refused dir "Is a directory"
	refused none.png "No such file"
	refused text.png "is no picture"
	refused empty.png "is no picture"
	refused fifo.png "is not a regular file"
	refused "" "is no name of a file"
	refused "file:///etc/passwd" "No such file"
	refused "data:text/plain;base64,QQ==" "is no picture"
	refused "data:image/png,QQ==" "is no picture"
	if [ "$(id -u)" -ne 0 ]; then
		chmod 0 c.gif
		refused c.gif "Permission denied"
	fi
	ask < <(printf '{"prompt":"x","images":["a.png\\u0000b"]}\n')
	assert_has "$output" "is no name of a file"
	ask < <(jq -nc '{prompt: "x", images: ["é" * 9000]}')
	assert_has "$output" "File name too long"
	ask <<<'{"prompt":"x","images":"a.png"}'
	assert_has "$output" "images is not a list"
	ask <<<'{"prompt":"x","images":[7]}'
	assert_has "$output" "images.0 is not a string"
	ask < <(jq -nc '{prompt: "x", images: [range(101) | "a.png"]}')
	assert_has "$output" "more than 100 pictures"
	assert_eq "$(stub_requests)" 0
}

@test "a record reaches no further than --image-dir, links and .. followed" {
	mkdir in out
	cp a.png in/a.png
	cp a.png out/secret.png
	ln -s ../out/secret.png in/link.png
	ln -s a.png in/near.png
	cd in
	for name in "$PWD/../out/secret.png" ../out/secret.png link.png; do
		refused "$name" "is not below the folder"
	done
	refused /dev/zero "is not below the folder"
	ask <<<'{"prompt":"x","images":["near.png"]}'
	assert_status 0
	ask < <(jq -nc --arg i "$PWD/a.png" '{prompt: "x", images: [$i]}')
	assert_status 0
	cd ..
	ask --image-dir out <<<'{"prompt":"x","images":["secret.png"]}'
	assert_status 0
	ask --image-dir / < <(jq -nc --arg i "$PWD/out/secret.png" \
		'{prompt: "x", images: [$i]}')
	assert_status 0
	assert_eq "$(stub_requests)" 4
	# Who stands in / has not said that all may be read.
	jq -nc --arg i "$PWD/a.png" '{prompt: "x", images: [$i]}' >in.jsonl
	here=$PWD
	cd /
	ask "--image-dir=$here" <"$here/in.jsonl"
	assert_status 0
	ask <"$here/in.jsonl"
	cd "$here"
	assert_status 2
	assert_has "$output" "is not below the folder"
	ask --image-dir none hello
	assert_status 66
	assert_has "$stderr" "--image-dir: cannot open 'none'"
}

@test "too large: one, and all together" {
	ask --image-max 12 <<<'{"prompt":"x","images":["a.png"]}'
	assert_status 0
	ask --image-max 11 <<<'{"prompt":"x","images":["a.png"]}'
	assert_status 2
	assert_eq "$(jq -r .error.code <<<"$output")" too_long
	assert_has "$output" "is longer than 11 bytes"
	{ cat a.png; head -c 19000000 /dev/zero; } >large.png
	ask < <(jq -nc '{prompt: "x", images: [range(3) | "large.png"]}')
	assert_status 2
	assert_has "$output" "all pictures of a record together"
	truncate -s 100G sparse.png
	ask <<<'{"prompt":"x","images":["sparse.png"]}'
	assert_has "$output" "is longer than 20971520 bytes"
	assert_eq "$(stub_requests)" 1
}

@test "local/extract sees nothing, and says so" {
	ask -m local/extract <<<'{"query":"x","images":["a.png"],"hits":[{"id":"1","text":"Rain."}]}'
	assert_status 2
	assert_has "$output" "cannot see pictures"
}
