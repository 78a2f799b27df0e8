#!/usr/bin/env bats
# Completions: made from the option tables, tried in the real shells.
load helper

setup() {
	ai_setup
	PATH=$BUILDDIR/tests/stub:$PATH
}

# The completions of ai-pass, with a verb and a list that it lacks.
made() {
	{
		ai-pass --dump-options
		printf 'add\t-\tverb\t-\t-\t-\t-\t-\tadd: to [the] index\n'
		printf "where\tw\tlist\tK=V\t-\t-\t-\t-\tthat it's\n"
	} >table
	for s in bash zsh fish; do
		"$SRCDIR/tools/completions" "$s" ai-pass <table >"$s"
	done
	mkdir -p zshdir
	mv zsh zshdir/_ai-pass
}

# in_bash FILE WORD...: what bash offers for the last word.
in_bash() {
	local file=$1
	shift
	bash -c '
		compopt() { :; }
		source "$0"
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		"_${1//-/_}" "$1" "${!#}"
		printf "%s\n" "${COMPREPLY[@]}"' "$file" "$@"
}

in_fish() {
	fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$1" "$2" |
		cut -f 1
}

in_zsh() {
	timeout 60 zsh -f "$SRCDIR/tests/lint/zsh-complete" "$1" "$2"
}

@test "bash offers options, choices, verbs, and leaves files to readline" {
	made
	assert_eq "$(in_bash ./bash ai-pass --log)" --log-format
	assert_eq "$(in_bash ./bash ai-pass --log-format '')" $'text\njson'
	assert_eq "$(in_bash ./bash ai-pass --log-format = j)" json
	assert_eq "$(in_bash ./bash ai-pass a)" add
	assert_eq "$(in_bash ./bash ai-pass -j 2 a)" add
	assert_eq "$(in_bash ./bash ai-pass --jobs = 2 a)" add
	assert_eq "$(in_bash ./bash ai-pass add a)" ''
	assert_eq "$(in_bash ./bash ai-pass --config a)" ''
	assert_eq "$(in_bash ./bash ai-pass -- --log)" ''
	run bash -ic 'source ./bash; complete -p ai-pass'
	assert_has "$output" '-o default'
}

@test "fish offers options, choices, verbs and files" {
	need fish
	made
	assert_eq "$(in_fish fish 'ai-pass --log-f')" --log-format
	assert_eq "$(in_fish fish 'ai-pass --log-format ')" $'json\ntext'
	assert_eq "$(in_fish fish 'ai-pass ad')" add
	: >adfile
	assert_has "$(in_fish fish 'ai-pass --config ./ad')" adfile
	assert_eq "$(in_fish fish 'ai-pass --jobs ad')" ''
}

@test "zsh completes options, choices, verbs and files" {
	need zsh
	made
	: >adfile
	assert_eq "$(in_zsh zshdir 'ai-pass --log-f')" 'ai-pass --log-format='
	assert_eq "$(in_zsh zshdir 'ai-pass --log-format=j')" \
		'ai-pass --log-format=json '
	assert_eq "$(in_zsh zshdir 'ai-pass -j 2 add ./adf')" \
		'ai-pass -j 2 add ./adfile '
	assert_eq "$(in_zsh zshdir 'ai-pass --where x=1 --max')" \
		'ai-pass --where x=1 --max-line='
}

@test "every program's completions are made and offer all of its options" {
	not_sanitized
	need zsh fish
	for p in $(programs); do
		made=$BUILDDIR/completions
		bash -n "$made/$p"
		zsh -n "$made/_$p"
		fish -n "$made/$p.fish"
		in_bash "$made/$p" "$p" - >bash
		in_fish "$made/$p.fish" "$p --" >fish
		while IFS=$'\t' read -r name _ type _; do
			if [ "$type" = verb ]; then
				in_bash "$made/$p" "$p" '' | grep -qx -- "$name"
				in_fish "$made/$p.fish" "$p " |
					grep -qx -- "$name"
			else
				grep -qx -- "--$name" bash
				grep -qx -- "--$name" fish
				grep -q -- "--${name}[=}\[]" "$made/_$p"
			fi
		done < <("$p" --dump-options)
	done
}

@test "what is no option table is refused" {
	run -65 "$SRCDIR/tools/completions" bash x </dev/null
	run -65 "$SRCDIR/tools/completions" bash x <<<'size int N'
	run -64 "$SRCDIR/tools/completions" tcsh x <<<'size int N'
}
