# strip.awk: C source without comments and without what stands in quotes;
# lines keep their numbers. Reads the files given, writes FILE:LINE:text.

FNR == 1 { in_comment = 0 }

{
	out = ""
	rest = $0
	while (rest != "") {
		if (in_comment) {
			i = index(rest, "*/")
			if (i == 0)
				break
			rest = substr(rest, i + 2)
			in_comment = 0
			continue
		}
		# The next thing that could hide code: a comment or a quote.
		if (!match(rest, /\/\*|\/\/|"|'/)) {
			out = out rest
			break
		}
		what = substr(rest, RSTART, RLENGTH)
		out = out substr(rest, 1, RSTART - 1)
		rest = substr(rest, RSTART + RLENGTH)
		if (what == "//")
			break
		if (what == "/*") {
			in_comment = 1
			continue
		}
		out = out what
		while (rest != "") {
			c = substr(rest, 1, 1)
			rest = substr(rest, c == "\\" ? 3 : 2)
			if (c == what)
				break
		}
		out = out what
	}
	print FILENAME ":" FNR ":" out
}
