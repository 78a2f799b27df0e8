#!/usr/bin/env bash
# guard.sh: what ai-guard's classifier and its phrases find in the development
# sets.
#
#	tests/bench/guard.sh
#
# Recall of each set at four rates of false positives, beside that of the
# reference's best recipe; the rates that the file states, measured; the sets
# written otherwise and hidden in pages; phrases; attacks within documents, by four weights that each have
# not seen a quarter of the documents and requests (GUARD_FOLDS=no: by those in
# the tree, which have seen three quarters); speed.
set -euo pipefail
: "${SRCDIR:?run make eval}" "${BUILDDIR:?}"
shared=${AI_SHARED:-$SRCDIR/../shared}
data=$shared/data/guard
tool=$BUILDDIR/tests/bench/guardtool
hide=$BUILDDIR/tests/bench/guardhide
weights=${GUARD_WEIGHTS:-$SRCDIR/data/guard/weights.bin}
[ -d "$data" ] || {
	echo "guard.sh: there is no $data" >&2
	exit 0
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The recipe as it is, at .1, 1, 2 and 5 % of the same harmless rows. It has
# learned from all training sets, also those whose licence allows no weights to
# be shipped, and from seven eighths of the set that is neuralchemy here.
cat >"$work/recipe" <<'END'
deepset_test attacks 0.0 8.5 10.2 16.9
inthewild_dev attacks 5.6 59.6 77.0 87.0
neuralchemy_dev attacks 37.2 67.0 77.7 85.1
piguard_valid attacks 4.8 19.0 38.1 71.4
tensortrust_extract attacks 3.1 37.5 64.5 77.3
arena_hard_v01 harmless 0.2 3.4 6.0 10.3
deepset_test harmless 0.0 0.0 0.0 0.0
mitre_frr harmless 0.0 0.1 1.1 6.3
mtbench harmless 0.0 0.6 2.6 9.6
neuralchemy_dev harmless 0.0 1.3 1.8 2.0
notinject_expanded_dev harmless 0.0 0.0 0.0 0.0
oktest_safe harmless 0.0 0.0 0.0 0.0
piguard_valid harmless 0.0 0.0 0.0 8.3
END
echo 'found, in percent; behind the bar, by the recipe:'
"$tool" recall "$weights" "$data"/dev/*.jsonl |
	awk -v file="$work/recipe" '
	BEGIN {
		while ((getline line <file) > 0) {
			split(line, f, " ")
			recipe[f[1] " " f[2]] = sprintf("%5.1f %5.1f %5.1f %5.1f",
				f[3], f[4], f[5], f[6])
			at2[f[1] " " f[2]] = f[5]
		}
	}
	{ key = $1 " " $2 }
	key in recipe {
		print $0 " |", recipe[key],
			$2 == "attacks" && $6 < at2[key] ? "(ours is below)" : ""
		next
	}
	{ print }'

# A quarter of that set wants one sentence said that no other set has.  Nothing
# was learned with its last word.
for file in "$data"/dev/*.jsonl; do
	jq -c 'if .source == "neuralchemy_dev" and .label == 1 then .source =
		(if .text | test("p[^a-z]*w[^a-z]*n"; "i") then "that_sentence"
		else "without_it" end) else . end' "$file"
done >"$work/apart"
"$tool" recall "$weights" "$work/apart" | grep -E '^(that_sentence|without_it) '

echo
echo 'harmless rows above the scores that the file has for .1, 1, 2, 5 %,'
echo 'of the sets that it was not measured on:'
apart=
for set in arena_hard_v01 mtbench neuralchemy_dev notinject_expanded_dev \
	oktest_safe piguard_valid; do
	apart="$apart $data/dev/$set.jsonl"
done
# shellcheck disable=SC2086
"$tool" rates "$weights" $apart

echo
echo 'written otherwise, with phrases (diff: of balanced, to the texts as they are):'
"$hide" written "$weights" "$data"/dev/*.jsonl

# Every fourth row was kept out of the training (tools/train-guard).
awk 'NR % 4 == 0' "$data/train/bipia_ctx_train.jsonl" >"$work/documents"
echo
echo 'hidden in a page, attacks of the development sets and pieces of documents:'
cat "$data"/dev/*.jsonl | grep '"label": *1' >"$work/dev"
"$hide" pages "$weights" "$work/dev" "$work/documents"
echo
echo 'phrases (in all sets):'
"$hide" phrases "$weights" "$data"/dev/*.jsonl "$data"/train/*.jsonl

echo
echo 'within documents, at 1, 3 and 5 % of clean ones: found; found at the'
echo 'place; what the span found and the true one share of both together:'
folds=()
if [ "${GUARD_FOLDS-}" != no ]; then
	for fold in 0 1 2 3; do
		AI_GUARD=$BUILDDIR/bin/ai-guard MKGUARD=$BUILDDIR/tools/mkguard \
			"$SRCDIR/tools/train-guard" "$shared" \
			"$work/$fold.bin" "$fold"
		folds+=("$work/$fold.bin")
	done
fi
for set in train/bipia_text_train train/bipia_code_train dev/deepset_test \
	dev/neuralchemy_dev dev/tensortrust_extract; do
	printf '%-20s ' "${set#*/}"
	"$tool" hidden "$weights" "$data/$set.jsonl" \
		"$data/train/bipia_ctx_train.jsonl" ${folds[@]+"${folds[@]}"}
done
echo
echo 'code, tests and manuals of this tree that were not learned from, flagged:'
node "$SRCDIR/tools/make-harmless.mjs" held >"$work/held"
for context in user document; do
	printf '%-10s ' "$context"
	"$BUILDDIR/bin/ai-guard" --context "$context" "$work/held" |
		jq -s -r '[.[].guard.findings | map(select(.rule == "classifier")) |
			length] | "\(map(select(. > 0)) | length) of \(length)"'
done
echo
printf 'speed: '
"$tool" speed "$weights" "$data"/dev/*.jsonl
