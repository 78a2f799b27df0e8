#!/usr/bin/env bash
# fit.sh [PASSAGES...]: what it costs to fit a model and to embed with it.
#
# Passages of 260 characters from this machine's manuals and documentation;
# CPU seconds and peak memory of whole processes (measure).
set -euo pipefail
: "${SRCDIR:?run make bench}" "${BUILDDIR:?}"
PATH=$BUILDDIR/bin:$PATH
measure=$BUILDDIR/tests/bench/measure
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- 10000 50000 100000 200000
most=0
for n; do
	((n <= most)) || most=$n
done

{ find /usr/share/doc /usr/share/man /usr/share/perl /usr/lib/python3* \
	/usr/include -type f -size -400k 2>/dev/null | LC_ALL=C sort |
	grep -E '\.(gz|txt|html|p[lmy]|h)$|/(copyright|README[^/]*)$' |
	xargs -d '\n' zcat -f -- 2>/dev/null |
	LC_ALL=C tr -c ' -~' ' ' | LC_ALL=C tr -s ' "\134' '   ' |
	fold -w 260 | head -n "$most" || true; } |
	sed 's/.*/{"text":"&"}/' >"$work/all"

printf '%9s  %12s %8s  %12s %10s\n' passages 'fit, CPU s' 'peak MB' \
	'embed, CPU s' 'a second'
for n; do
	head -n "$n" "$work/all" >"$work/in"
	n=$(wc -l <"$work/in")
	read -r cpu _ < <("$measure" run "$work/in" ai-embed -q fit -o "$work/m")
	read -r kib _ < <("$measure" mem "$work/in" ai-embed -q fit -o "$work/m")
	read -r each _ < <("$measure" run "$work/in" ai-embed -m "$work/m")
	awk -v n="$n" -v cpu="$cpu" -v kib="$kib" -v each="$each" 'BEGIN {
		printf "%9d  %12.2f %8.0f  %12.2f %10.0f\n", n, cpu,
			kib / 1024, each, n / each }'
done
