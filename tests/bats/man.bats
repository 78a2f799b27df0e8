#!/usr/bin/env bats
# The man pages: well-formed, complete, and every example does what it says.
load helper

# The pages of what is built: of each program, and those of the collection.
pages() {
	local p
	for p in $(programs); do
		printf '%s\n' "$SRCDIR/man/$p.1"
	done
	# These show all of them at work.
	[ "$(programs | wc -l)" -lt 5 ] ||
		printf '%s\n' "$SRCDIR"/man/aiutils*.[57]
}

# has_section PAGE NAME...
has_sections() {
	local page=$1 section
	shift
	for section; do
		grep -q "^\.Sh $section" "$page" ||
			printf '%s: no %s\n' "${page##*/}" "$section"
	done
}

@test "every program has a man page" {
	for p in $(programs); do
		assert [ -f "$SRCDIR/man/$p.1" ]
	done
}

@test "mandoc finds nothing to warn about" {
	need mandoc
	run mandoc -T lint -W warning "$SRCDIR"/man/*.[157]
	assert_status 0
	assert_eq "$output" ''
}

@test "every page of a program has the sections people look for" {
	while IFS= read -r page; do
		case $page in
		*.1)
			has_sections "$page" NAME SYNOPSIS DESCRIPTION \
				'EXIT STATUS' EXAMPLES 'SEE ALSO'
			;;
		*) has_sections "$page" NAME DESCRIPTION EXAMPLES 'SEE ALSO' ;;
		esac
	done < <(pages) >found
	assert_eq "$(cat found)" ''
}

@test "the one line of NAME is the summary of --help" {
	for p in $(programs); do
		summary=$("$p" --help | awk '/^$/ { getline; print; exit }')
		name=$(sed -n 's/^\.Nd //p' "$SRCDIR/man/$p.1")
		assert_eq "$p: $summary" "$p: $name"
	done
}

@test "every page's examples do what they say" {
	bad=0
	while IFS= read -r page; do
		mkdir -p "examples/${page##*/}"
		(cd "examples/${page##*/}" &&
			"$SRCDIR/tests/lint/examples" "$page") >out 2>&1 </dev/null || {
			bad=1
			cat out
		}
		grep -Eq '^[1-9][0-9]* examples$' out || {
			printf '%s: no example ran\n' "${page##*/}"
			bad=1
		}
	done < <(pages)
	[ "$bad" -eq 0 ]
}

@test "the README's examples do what they say" {
	[ "$(programs | wc -l)" -ge 5 ] || skip "not all programs are built"
	cp -r "$SRCDIR/README" "$SRCDIR/HACKING" "$SRCDIR/man" \
		"$SRCDIR/contrib" .
	run "$SRCDIR/tests/lint/examples" README
	assert_status 0
	assert_has "$output" ' examples'
	refute_eq "${lines[-1]}" '0 examples'
}

@test "every member that the programs write is in aiutils-records(5)" {
	[ "$(programs | wc -l)" -ge 5 ] || skip "not all programs are built"
	printf '# One\n\nThe fox jumps.\n' >a.md
	{
		ai-chunk --by markdown a.md | ai-tokens --encode | ai-embed | tee all |
			ai-search add -i idx
		ai-search -i idx fox | ai-complete -m local/extract
		echo '{"text":"the fox jumps"}' | ai-tokens --truncate 2
		printf '{"text":3}\nno\n\351\n%*s\n' 70000 x | ai-tokens -q || true
		cat all
	} | jq -r 'paths | .[] | strings' | sort -u >members
	[ "$(wc -l <members)" -gt 40 ]
	while IFS= read -r member; do
		grep -q "^\.\(It \)\?Ql $member\( \|\$\)" \
			"$SRCDIR/man/aiutils-records.5" || echo "$member"
	done <members >found
	assert_eq "$(cat found)" ''
}

@test "the runner of examples finds a difference" {
	cat >x.1 <<'END'
.Sh EXAMPLES
.Bd -literal
$ printf '%s\en' 'a\eb'
.Ed
END
	run -1 "$SRCDIR/tests/lint/examples" x.1
	assert_has "$output" '+a\b'
	cat >x.1 <<'END'
.Sh EXAMPLES
.Bd -literal
$ printf '%s\en' 'a\eb' | \e
	cat
a\eb
.Ed
END
	run -0 "$SRCDIR/tests/lint/examples" x.1
	assert_eq "$output" '1 examples'
	printf 'Text\n\n    $ seq 3\n    1\n    ...\n    4\n' >x
	run -1 "$SRCDIR/tests/lint/examples" x
	printf 'Text\n\n    $ seq 3\n    1\n    ...\n    3\n' >x
	run -0 "$SRCDIR/tests/lint/examples" x
	printf 'Text\n\n    $ false\n' >x
	run -1 "$SRCDIR/tests/lint/examples" x
}
