#!/usr/bin/env bats
# One table of options a program: help, completions and man page agree with it.
load helper

@test "options and man pages agree" {
	not_sanitized
	bad=0
	for p in $(programs); do
		"$SRCDIR/tests/lint/options" "$BUILDDIR/bin/$p" "$SRCDIR/man" ||
			bad=1
	done
	[ "$bad" -eq 0 ]
}

# A program of a shell's making, for the check of the check.
pretend() {
	mkdir -p bin man
	cp "$SRCDIR/man/aiutils.7" man
	{
		printf '#!/bin/sh\n# AI_SIZE\ncat <<"END"\n'
		"$BUILDDIR/bin/$(programs | head -n 1)" --dump-options |
			grep -E '^(config|profile|log-format|quiet|verbose|print-config|dump-options|help|version)'
		printf 'size\tS\tint\tN\t-\tx.size\tAI_SIZE\t10\tthe size\n'
		printf 'how\t-\tchoice\tHOW\tfast|slow\t-\t-\tfast\thow\n'
		printf 'END\n'
	} >bin/ai-x
	chmod +x bin/ai-x
	cat >man/ai-x.1
}

page() {
	cat <<'END'
.Sh DESCRIPTION
.Bl -tag
.It Fl S , Fl Fl size Ar N
The size, 10 if not given; key
.Va x.size .
.It Fl Fl how Cm fast | slow
How,
.Cm fast
if not given.
.El
.Sh ENVIRONMENT
.Bl -tag
.It Ev AI_SIZE
The size.
.El
.Sh SEE ALSO
.Xr aiutils 7
END
}

@test "the check of options finds what it is for" {
	[ -n "$(programs)" ] || skip "no program is built"
	check=("$SRCDIR/tests/lint/options" bin/ai-x man)
	pretend < <(page)
	run -0 "${check[@]}"
	for change in 's/Fl Fl size/Fl Fl sizes/' 's/Fl S ,/Fl s ,/' \
		's/ | slow//' 's/x.size/x.sized/' 's/AI_SIZE/AI_SIZES/' \
		's/10 if/11 if/' 's/aiutils 7/aiutils 5/' 's/Ar N/Ar M/'; do
		pretend < <(page | sed "$change")
		run -1 "${check[@]}"
		assert_has "$output" 'ai-x: '
	done
}

@test "--help names every option" {
	for p in $(programs); do
		help=$("$p" --help)
		while IFS=$'\t' read -r name _ type _; do
			[ "$type" = verb ] || name=--$name
			assert_has "$help" "$name"
		done < <("$p" --dump-options)
	done
}

@test "--version says program and version" {
	for p in $(programs); do
		run -0 "$p" --version
		[[ $output =~ ^"$p"\ \(aiutils\)\ [0-9]+\.[0-9]+ ]]
	done
}

@test "--help and --version to a full disk are errors" {
	for p in $(programs); do
		for option in --help --version --dump-options --print-config; do
			run -74 bash -c "$p $option >/dev/full"
		done
	done
}

@test "letters mean one thing everywhere" {
	for p in $(programs); do
		"$p" --dump-options | awk -F '\t' '$2 != "-" && $3 != "verb" {
			print $2, $1 }'
	done | LC_ALL=C sort -u >letters
	run awk '$1 == last { print last, name, $2 } { last = $1; name = $2 }' \
		letters
	assert_eq "$output" ''
	# These are spoken for (DESIGN of the records and operands).
	for pair in 'R raw-input' 's slurp' 'r raw-output' 'e exit-status' \
		'p path' 'j jobs' 'm model' 'i index' 'q quiet' 'v verbose'; do
		letter=${pair% *}
		found=$(grep "^$letter " letters || true)
		assert [ -z "$found" -o "$found" = "$pair" ]
	done
}

@test "an unknown key of the configuration is an error that names it" {
	printf '{"jbos": 2}' >config.json
	for p in $(programs); do
		run --separate-stderr "$p" --config config.json --print-config
		assert_status 78
		assert_has "$stderr" jbos
	done
}
