#!/usr/bin/env bash
# chunk-tree.sh [FILES [MB]]: a tree of so many small files (100000), cut once,
# again with nothing changed, and after changes; beside find, which looks at
# each file too, and git, which reads .gitignore.  Then what --dedup costs over
# so many megabytes (20), and which near copies it finds.
# shellcheck source=tests/bench/common.sh
. "$(dirname "$0")/common.sh"

files=${1:-100000}
mb=${2:-20}

# ---- a tree -------------------------------------------------------------------

awk -v n="$files" 'BEGIN {
	for (i = 0; i < n; i++) {
		dir = "d/" int(i / 1000) "/" int(i / 100) % 10
		if (i % 100 == 0)
			system("mkdir -p " dir)
		file = dir "/file" i ".md"
		printf "# File %d\n\nSome words of number %d, so few that they are one passage.\n", i, i >file
		close(file)
	}
}'
printf '*.log\n/build/\n' >d/.gitignore
git init -q d
find d -name '*.md' -exec touch -d '1 hour ago' {} +
sleep 2.1

of='' # megabytes, if a rate is to be told
row() { # WHAT COMMAND...
	local cpu wall kib
	read -r cpu wall < <("$measure" run /dev/null "${@:2}" 2>/dev/null)
	read -r kib _ < <("$measure" mem /dev/null "${@:2}" 2>/dev/null)
	printf '%-40s %8s %8s %10.1f' "$1" "$cpu" "$wall" "$(calc "$kib / 1024")"
	[ -z "$of" ] || printf ' %6.0f' "$(calc "$of / ($cpu + 0.001)")"
	echo
	last=$cpu last_kib=$kib
}
change() { # EVERY COMMAND...: one file in so many
	find d -name '*.md' | awk -v n="$1" 'NR % n == 0' | tr '\n' '\0' |
		xargs -0 "${@:2}"
}

printf '%d files                             CPU s   wall s RssAnon MB\n' "$files"
row 'find -size +1M' find d -size +1M
find_cpu=$last
row 'git ls-files --others' git -C d ls-files --others --exclude-standard
row 'ai-chunk' ai-chunk d
row 'ai-chunk -j 2' ai-chunk -j 2 d
# Each is measured twice, so that the second would find nothing to do.
row 'ai-chunk --state, new' sh -c 'rm -f s; exec ai-chunk --state s d'
row 'the same again' ai-chunk --state s d
again=$last again_kib=$last_kib
# shellcheck disable=SC2016 # for the other shell
change 100 sh -c 'for f; do echo more >>"$f"; done' -
cp s s0
row 'one in 100 changed' sh -c 'cp s0 s; exec ai-chunk --state s d'
find d -name '*.md' -exec touch {} +
sleep 2.1
cp s s0
row 'all touched' sh -c 'cp s0 s; exec ai-chunk --state s d'
printf 'the state: %.1f MB, %d bytes a file\n' \
	"$(calc "$(stat -c %s s) / 1000000")" "$(($(stat -c %s s) / files))"
must "$again < 6 * $find_cpu + 0.1" "the second run: $(calc "$again / $find_cpu") times find"
must "$again_kib < 4096 + $files / 50" "the second run holds $again_kib KiB"

# ---- copies -------------------------------------------------------------------

mkdir t
awk -v mb="$mb" 'BEGIN {
	srand(1)
	for (i = 0; i < mb; i++) {
		file = "t/" i
		for (n = 0; n < 1e6; n += length(line)) {
			line = ""
			while (length(line) < 900)
				line = line "word" int(rand() * 30000) " "
			print line "\n" >file
		}
		close(file)
	}
}'
printf '\n%d MB of text                          CPU s   wall s RssAnon MB   MB/s\n' "$mb"
of=$mb
plain=(ai-chunk --by paragraph --overlap 0 t)
row 'ai-chunk --by paragraph' "${plain[@]}"
for t in 0.9 0.8 0.5; do
	row "with --dedup $t" "${plain[@]}" --dedup "$t"
	must "$last_kib < $mb * 1024 * 6" "--dedup $t holds $last_kib KiB"
done
mkdir near
(cd near && node "$SRCDIR/tests/bench/dedup.mjs" 3000) || failed=1
exit "$failed"
