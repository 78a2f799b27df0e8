#!/usr/bin/env bats
# bootstrap: what it does about what is missing, with an apt-get that only
# pretends; and the demo, for real.
load helper

# A copy of bootstrap in an empty tree, and a PATH without xz whose apt-get
# brings it back. The build itself ends at a pretended autoreconf.
setup() {
	ai_setup
	[ -f "$SRCDIR/bootstrap" ] || skip "no bootstrap here"
	mkdir 'a tree' bin
	cp "$SRCDIR/bootstrap" 'a tree'
	cp -rs /usr/bin/. bin/ 2>/dev/null || true
	rm -f bin/xz bin/sudo bin/autoreconf bin/apt-get
	fake autoreconf 'echo pretended >&2; exit 3'
	xz=$(command -v xz)
	fake apt-get "echo \"\$*\" >>'$PWD/apt.log'
		case \$* in *' install '*) ln -s '$xz' '$PWD/bin/xz' ;; esac"
}

fake() {
	rm -f "bin/$1"
	printf '#!/bin/sh\n%s\n' "$2" >"bin/$1"
	chmod +x "bin/$1"
}

bootstrap() {
	run env PATH="$PWD/bin" 'a tree/bootstrap' "$@" </dev/null
}

@test "what is missing is installed, with apt's lists renewed first" {
	[ "$(id -u)" -eq 0 ] || fake id 'echo 0'
	bootstrap
	assert_has "$output" 'missing packages: xz-utils'
	assert_has "$output" 'preparing configure'
	assert_status 3
	assert_has "$(head -n 1 apt.log)" 'update'
	assert_has "$(tail -n 1 apt.log)" 'install --no-install-recommends xz-utils'
	# The second time nothing is missing.
	rm apt.log
	bootstrap
	assert [ ! -e apt.log ]
}

@test "without apt-get it names what is missing, and stops" {
	rm bin/apt-get
	bootstrap
	assert_status 69
	assert_has "$output" 'no apt-get'
	assert_has "$output" 'xz-utils'
}

@test "neither root nor sudo: the command to run, and 77" {
	fake id 'echo 1000'
	bootstrap
	assert_status 77
	assert_has "$output" 'apt-get install xz-utils'
	assert [ ! -e apt.log ]
}

@test "a user with sudo" {
	fake id 'echo 1000'
	fake sudo "echo \"\$*\" >>'$PWD/sudo.log'; [ \"\$1\" != -n ] || shift; exec \"\$@\""
	bootstrap
	assert_has "$(cat sudo.log)" 'apt-get'
	assert_has "$output" 'preparing configure'
}

@test "apt-get that fails: its words, and the command" {
	[ "$(id -u)" -eq 0 ] || fake id 'echo 0'
	fake apt-get 'echo "E: no such luck" >&2; exit 100'
	bootstrap
	assert_status 69
	assert_has "$output" 'E: no such luck'
	assert_has "$output" 'apt-get install --no-install-recommends xz-utils'
}

@test "a package that does not serve is not success" {
	[ "$(id -u)" -eq 0 ] || fake id 'echo 0'
	fake apt-get 'exit 0'
	bootstrap
	assert_status 69
	assert_has "$output" 'do not serve: xz-utils'
}

@test "on a terminal it asks once, and takes no for an answer" {
	need script
	[ "$(id -u)" -eq 0 ] || fake id 'echo 0'
	run bash -c "(sleep 1; echo n) | PATH='$PWD/bin' script -qec \"'a tree/bootstrap'\" /dev/null"
	assert_has "$output" '[Y/n]'
	assert_has "$output" 'nothing installed'
	assert [ ! -e apt.log ]
	run bash -c "PATH='$PWD/bin' script -qec \"'a tree/bootstrap' -y\" /dev/null </dev/null"
	refute_has "$output" '[Y/n]'
	assert [ -e apt.log ]
}

@test "wrong words: usage, and 64" {
	bootstrap nonsense
	assert_status 64
	assert_has "$output" 'usage:'
	bootstrap --nonsense
	assert_status 64
	bootstrap --help
	assert_status 0
}

@test "HOME need not be set" {
	fake id 'echo 1000'
	run env -u HOME PATH="$PWD/bin" 'a tree/bootstrap' </dev/null
	assert_status 77
}

# ---- the demo -----------------------------------------------------------------

demo() {
	[ "$(programs | wc -l)" -ge 5 ] || skip "not all programs are built"
	run sh "$SRCDIR/contrib/demo" "$PWD/a demo" "$@" </dev/null
}

@test "the demo answers a question about the toolkit, with citations" {
	demo
	assert_status 0
	assert_has "$output" '$ ai-chunk docs/* | ai-search add -i index'
	assert_has "$output" 'an error record comes out in its place'
	[[ $output =~ \[[0-9]+\]\ docs/[a-z0-9.-]+:[0-9]+-[0-9]+ ]]
	# What it says to type works as it stands.
	run sh -c "${output##*something else:}"
	assert_status 0
	assert_has "$output" 'quoted from:'
}

@test "the demo with one's own documents" {
	mkdir -p "my notes/.git" "my notes/it's"
	printf 'The lease ends in May. It can be renewed.\n' \
		>"my notes/it's/lease.txt"
	printf 'The cat sleeps all day.\n' >'my notes/cat.txt'
	printf 'The lease ends in a hidden file.\n' >'my notes/.git/x'
	printf '\177ELF\0lease' >'my notes/binary'
	demo "$PWD/my notes" "When does the 'lease' end?"
	assert_status 0
	assert_has "$output" '2 documents below'
	assert_has "$output" 'The lease ends in May.'
	assert_has "$output" "it's/lease.txt:1"
}

@test "the demo of an empty folder says so" {
	mkdir empty
	demo "$PWD/empty" 'what?'
	assert_status 66
	assert_has "$output" '0 documents'
}

@test "bootstrap: what takes no operand refuses one" {
	for line in 'check extra' 'install --junk' ' x'; do
		# shellcheck disable=SC2086 # words
		run "$SRCDIR/bootstrap" $line
		assert_status 64
	done
}

@test "demo: a linked or hidden folder, a question that looks like an option" {
	mkdir -p .hidden
	echo 'The lease ends in May.' >.hidden/a.txt
	ln -s .hidden link
	for dir in .hidden link "$PWD/link/"; do
		run sh "$SRCDIR/contrib/demo" "$PWD/work" "$PWD/${dir##"$PWD/"}" \
			'--when does the lease end?'
		assert_status 0
		assert_has "$output" '1 documents below'
		assert_has "$output" 'The lease ends in May. [1]'
	done
}
