#!/bin/sh
# agent-crash-tool.sh HOW NAME [TEXT]: tools of agent-crash.mjs.  Those with an
# effect take their time around it, so that a kill comes between; what they say
# does not depend on how often they were begun.
key=$AI_IDEMPOTENCY_KEY

append() {
	sleep 0.002
	printf '%s %s\n' "$key" "$2" >>"$1"
	sleep 0.002
	echo "$2 stands in $1"
}

case $1 in
look)
	cat "$2"
	;;
put)
	printf '%s\n' "$3" >"$2.new"
	sleep 0.002
	mv "$2.new" "$2"
	echo "$2 is $3"
	;;
note | pay)
	append "$2" "$3"
	;;
noted)
	[ -e "$2" ] || exit 1
	grep -q "^$key " "$2" || exit 1
	echo "$3 stands in $2"
	;;
book)
	sqlite3 -bail -cmd '.timeout 5000' "$2" "BEGIN IMMEDIATE;
		INSERT INTO entries VALUES('$3');
		INSERT INTO ai_effects VALUES('$key', '$3 is booked');
		COMMIT" && printf '%s is booked' "$3"
	;;
esac
