#!/usr/bin/env bats
# libcurl is opened when something is sent, and not before.
# shellcheck disable=SC2154 # stderr is run's
load helper
load ../stub/stub

setup_file() {
	stub_start
	unset AI_PRICE
}

teardown_file() {
	stub_stop
}

setup() {
	ai_setup
	stub_reset
	ask=(ai-complete --base-url "$STUB_URL" -m x --retries 0 --price '1,2')
}

soname() { sed -n 's/^#define CURL_SONAME "\(.*\)"/\1/p' "$BUILDDIR/config.h"; }

# The libraries that a command opens, as the dynamic linker tells.
opened() { # COMMAND...
	LD_DEBUG=files LD_DEBUG_OUTPUT=$PWD/opened "$@" >out
	cat opened.*
	rm opened.*
}

# A folder with something else by the name of libcurl.
another() { # FILE
	mkdir -p lib
	cp -L "$1" "lib/$(soname)"
	export LD_LIBRARY_PATH=$PWD/lib
}

@test "no program is linked with it, not even through another library" {
	need ldd
	for program in "$BUILDDIR"/bin/ai-*; do
		run -1 grep libcurl <(ldd "$program")
	done
}

@test "ai-complete and ai-embed open it to ask, and both are answered" {
	opened "${ask[@]}" hi </dev/null >files
	grep -q "file=$(soname)" files
	assert_eq "$(jq -r .completion.attempts out)" 1
	echo '{"text":"a fox"}' >in
	opened ai-embed --base-url "$STUB_URL" -m x --price 1,1 in >files
	grep -q "file=$(soname)" files
	assert_eq "$(jq -r .embed.cached out)" false
	assert_eq "$(stub_requests)" 2
}

@test "what is sent nowhere does not open it" {
	"${ask[@]}" --cache on hi >one
	opened "${ask[@]}" --cache on hi </dev/null >files
	assert_eq "$(jq -r .completion.cached out)" true
	run -1 grep libcurl files
	echo '{"query":"a fox","hits":[{"id":"a","text":"A fox."}]}' >in
	opened ai-complete -m local/extract <in >files
	grep -q 'A fox' out
	run -1 grep libcurl files
	echo '{"text":"a fox"}' >in
	opened ai-embed -m local/hash in >files
	run -1 grep libcurl files
}

@test "one that cannot be opened is named, nothing is booked, no breaker opens" {
	"${ask[@]}" --cache on hi >one
	another /dev/null
	for _ in 1 2 3 4 5 6; do
		run --separate-stderr "${ask[@]}" there
		assert_status 71
		assert_has "$stderr" 'cannot open libcurl: '
		assert_has "$stderr" 'install it (package libcurl4)'
	done
	run --separate-stderr ai-embed --base-url "$STUB_URL" -m x --price 1,1 \
		<<<'{"text":"a fox"}'
	assert_has "$output$stderr" 'cannot open libcurl: '
	# What is kept needs none.
	"${ask[@]}" --cache on hi | jq -e .completion.cached
	unset LD_LIBRARY_PATH
	assert_eq "$(ai-cost report | jq .calls)" 1
	"${ask[@]}" there
	assert_eq "$(stub_requests)" 2
}

@test "one that is too old is refused" {
	need ldd
	another "$(ldd "$BUILDDIR/bin/ai-cost" | awk '/libjson-c/ { print $3 }')"
	run --separate-stderr "${ask[@]}" hi
	assert_status 71
	assert_has "$stderr" 'is too old: it has no curl_'
}

@test "its version is looked at, too" {
	need cc
	# All its functions, and the version of 2010.
	sed -n '/define AI_CURL_FUNCTIONS/,/^$/p' \
		"$SRCDIR/lib/common/net/curl.h" | grep -o 'each([a-z_]*)' |
		sed 's/each(\(.*\))/void curl_\1(void);void curl_\1(void){}/' |
		grep -v version_info >old.c
	cat >>old.c <<-'END'
		struct { int age; const char *version; unsigned num; }
			info = { 1, "7.20.0", 0x071400 };
		void *curl_version_info(int now) { return now < 0 ? 0 : &info; }
	END
	cc -shared -fPIC -o old.so old.c
	another old.so
	run --separate-stderr "${ask[@]}" hi
	assert_status 71
	assert_has "$stderr" 'is libcurl 7.20.0, which is too old: install 7.'
}
