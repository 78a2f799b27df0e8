#!/bin/sh
# agent-tool.sh DIR HOW...: a tool for tests; where it has an effect, its
# arguments, JSON, are read from standard input.
#   agent-tool.sh DIR effect NAME   appends {"tool":NAME,"args":...} to DIR/effects
#   agent-tool.sh DIR fetch NAME KEY   does that and the next
#   agent-tool.sh DIR read KEY      prints the file of DIR/data that KEY names
effect() {
	args=$(cat)
	# Whoever was to write it was killed.
	case $args in *'}') ;; *) return 1 ;; esac
	printf '{"tool":"%s","args":%s}\n' "$2" "$args" >>"$1/effects"
}

# Each character of the key that is no letter or digit is a _ in its file's name.
read_data() {
	key=$2 name=
	while [ -n "$key" ]; do
		rest=${key#?}
		c=${key%"$rest"}
		case $c in
		[a-zA-Z0-9]) name=$name$c ;;
		*) name=${name}_ ;;
		esac
		key=$rest
	done
	cat "$1/data/$name"
}

case $2 in
effect) effect "$1" "$3" && echo 'done' ;;
fetch) effect "$1" "$3" && read_data "$1" "$4" ;;
read) read_data "$1" "$3" ;;
esac
