#!/usr/bin/env bats
# The house keeps its rules: tests/lint/* on the tree, and each of them on a
# sample that breaks the rule, for a check that can't fail is none.
load helper

lint() {
	run "$SRCDIR/tests/lint/$1" "${@:2}"
	assert_status 0
	assert_eq "$output" ''
}

# sample FILE: a file in a small tree of its own, from stdin.
sample() {
	mkdir -p "tree/$(dirname "$1")"
	cat >"tree/$1"
}

caught() {
	run "$SRCDIR/tests/lint/$1" "${@:3}"
	assert_status 1
	assert_has "$output" "$2"
}

@test "includes point downwards and libraries stay in their layer" {
	lint layers "$SRCDIR"
}

@test "the check of layers finds what it is for" {
	sample lib/common/base/a.c <<<'#include "record/json.h"'
	caught layers 'base/a.c:1: "record/json.h" points upwards' tree
	sample lib/common/base/a.c <<<'#include <sqlite3.h>'
	caught layers '<sqlite3.h> belongs in lib/common/store' tree
	sample lib/common/base/a.c <<<'#include "cut.h"'
	caught layers '"cut.h" is of no layer' tree
	sample lib/common/base/a.c <<<'#include "base/buf.h"'
	sample bin/chunk/a.c <<<'#include "../search/index.h"'
	caught layers 'reaches outside the program' tree
	sample bin/chunk/a.c <<<'#include <curl/curl.h>'
	caught layers '<curl/curl.h> belongs in lib/common/net' tree
	sample bin/chunk/a.c <<<'#include "config.h"'
	caught layers 'config.h comes by itself' tree
	sample bin/chunk/a.c <<<'#include "cut.h"'
	run -0 "$SRCDIR/tests/lint/layers" tree
}

@test "no banned function, and a library that neither prints nor exits" {
	lint banned "$SRCDIR"
}

@test "the check of banned functions finds what it is for" {
	sample bin/x/a.c <<<'int f(char *b) { return sprintf (b, "x"); }'
	caught banned 'bin/x/a.c:1: sprintf() is banned' tree
	sample bin/x/a.c <<<'/* strcpy( */ // gets(
	const char *s = "atoi(";'
	run -0 "$SRCDIR/tests/lint/banned" tree
	sample lib/common/base/a.c <<<'void f(void) { exit(1); }'
	caught banned 'exit() has no place in the library' tree
}

@test "files and functions that fit the eye" {
	lint sizes "$SRCDIR"
}

@test "the check of sizes finds what it is for" {
	{
		printf 'int f(void)\n{\n'
		seq 101 | sed 's/.*/\t;/'
		printf '}\n'
	} | sample bin/x/a.c
	caught sizes 'bin/x/a.c:2: 101 lines: int f(void)' tree
	seq 901 | sed 's/.*/;/' | sample bin/x/a.c
	caught sizes 'bin/x/a.c: over 900 lines' tree
}

@test "no machine's paths, conflict marks or blanks at line ends" {
	lint paths "$SRCDIR"
}

@test "the check of paths finds what it is for" {
	sample bin/x/a.c <<<"see /wor""k/shared"
	caught paths 'see' tree
	sample bin/x/a.c <<<'int x; '
	caught paths 'int x' tree
}

@test "what is in the tree is built, tested and packed" {
	lint listed "$SRCDIR"
}

@test "the check of what is packed finds what it is for" {
	mkdir -p tree/bin/x tree/tests/fuzz/corpus/a
	printf "# bin/x/c.c\nx = bin/x/a.c tests/fuzz/corpus\n" >tree/Makefile.am
	touch tree/bin/x/a.c tree/tests/fuzz/corpus/a/1
	run -0 "$SRCDIR/tests/lint/listed" tree
	touch tree/bin/x/c.c
	caught listed 'bin/x/c.c is not in Makefile.am' tree
}

@test "every benchmark is run by a rule" {
	lint benches "$SRCDIR"
}

@test "the check of benchmarks finds what it is for" {
	mkdir -p tree/tests/bench
	printf "bench: all\n\tfor b in one two; do \$b; done\n" >tree/Makefile.am
	touch tree/tests/bench/one.sh tree/tests/bench/two.sh
	run -0 "$SRCDIR/tests/lint/benches" tree
	touch tree/tests/bench/three.sh
	caught benches 'tests/bench/three.sh is run by no rule' tree
}

@test "the programs load only the libraries they may" {
	need readelf
	mapfile -t all < <(programs)
	[ "${#all[@]}" -gt 0 ] || skip "no program is built"
	lint linkage "${all[@]/#/$BUILDDIR/bin/}"
}

@test "the check of linkage finds what it is for" {
	need readelf curl
	caught linkage "curl loads libcurl" "$(command -v curl)"
}

@test "the table of errors is that of the man pages" {
	lint statuses "$BUILDDIR/tests/lint/exits" "$SRCDIR/man"
}

@test "the check of statuses finds what it is for" {
	mkdir man
	sed '/^\.It Cm io Ta/d' "$SRCDIR/man/aiutils.7" >man/aiutils.7
	caught statuses 'aiutils.7 lacks: io	74	' "$BUILDDIR/tests/lint/exits" man
	sed 's/^\.It Cm 75$/.It Cm 76/' "$SRCDIR/man/aiutils.7" >man/aiutils.7
	caught statuses 'instead of' "$BUILDDIR/tests/lint/exits" man
	cp "$SRCDIR/man/aiutils.7" man
	printf '.Sh EXIT STATUS\n.It Cm 5\n' >man/ai-x.1
	caught statuses 'ai-x.1 names the unknown status 5' \
		"$BUILDDIR/tests/lint/exits" man
}

@test "shellcheck has nothing to say" {
	not_sanitized
	need shellcheck
	cd "$SRCDIR"
	mapfile -t scripts < <(tests/lint/scripts . | grep -v "[.]bats$")
	[ "${#scripts[@]}" -gt 5 ]
	run shellcheck -x "${scripts[@]}"
	assert_status 0
	# In tests the lesser remarks (SC2094 and the like) are habits.
	run shellcheck -S warning -e SC2154 tests/bats/*.bats
	assert_status 0
}
