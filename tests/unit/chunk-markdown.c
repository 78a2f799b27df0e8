/*
 * bin/chunk/markdown.h: documents with the events a reader of CommonMark
 * expects: H1 to H6 with the title, F with the bytes of the fence, and
 * (blocks) B with those of a list or table.
 */
#include "../../bin/chunk/markdown.h"

#include "tap.h"

#include <string.h>

static const struct {
	const char *name, *text, *events;
} cases[] = {
	{ "ATX headings", "# One\ntext\n## Two ##\n\n####### seven\n#no\n",
	  "H1(One)H2(Two)" },
	{ "an empty heading", "#\n## \n### ###\n", "H1()H2()H3()" },
	{ "indented headings", "   # in\n    # code\n\t# code\n", "H1(in)" },
	{ "closing marks", "# a # b #\n# c#\n", "H1(a # b)H1(c#)" },
	{ "setext headings", "One\n===\n\nTwo\n---\n", "H1(One)H2(Two)" },
	{ "a rule is no heading", "text\nmore\n---\n\n---\n", "" },
	{ "two rules", "---\n\n---\n---\n", "" },
	{ "CRLF", "# One\r\n\r\nTwo\r\n===\r\n", "H1(One)H1(Two)" },
	{ "no newline at the end", "# One", "H1(One)" },
	{ "a byte order mark", "\xEF\xBB\xBF# One\n", "H1(One)" },
	{ "metadata", "---\ntitle: x\n---\n# One\n", "H1(One)" },
	{ "no metadata", "---\ntitle: x\n\n# One\n", "H1(One)" },
	{ "headings in lists and quotations", "- # a\n> # b\n", "" },
	{ "a fence", "a\n```\n# no\n```\n# b\n", "F(```\n# no\n```\n)H1(b)" },
	{ "a fence of tildes", "~~~ sh\n```\n~~~\n", "F(~~~ sh\n```\n~~~\n)" },
	{ "an info string", "```c {1}\nx\n```\n", "F(```c {1}\nx\n```\n)" },
	{ "longer at its end", "````\n```\n`````\nx\n",
	  "F(````\n```\n`````\n)" },
	{ "not closed by other marks", "```\n~~~\n``` x\n```\n",
	  "F(```\n~~~\n``` x\n```\n)" },
	{ "never closed", "```\n# a\n\nb", "F(```\n# a\n\nb)" },
	{ "code in a line", "```a``` b\n# c\n", "H1(c)" },
	{ "two marks", "``\n# c\n``\n", "H1(c)" },
	{ "an indented fence", "  ```\n  x\n  ```\n", "F(```\n  x\n  ```\n)" },
	{ "indented code", "    ```\n# a\n", "H1(a)" },
	{ "a fence in a list", "1. a\n\n   ```\n   # x\n   ```\n# b\n",
	  "F(```\n   # x\n   ```\n)H1(b)" },
	{ "deep in a list", "- a\n  - b\n\n      ```\n      # x\n      ```\n",
	  "F(```\n      # x\n      ```\n)" },
	{ "behind a list", "- a\n\ntext\n\n    ```\n# b\n", "H1(b)" },
	{ "a fence begins an item", "- ```\n  x\n  ```\n", "F(- ```\n  x\n  ```\n)" },
	{ "a fence in a quotation", "> ```\n> # x\n> ```\n# b\n",
	  "F(> ```\n> # x\n> ```\n)H1(b)" },
	{ "the quotation ends it", "> ```\n> x\n# b\n", "F(> ```\n> x\n)H1(b)" },
	{ "a quoted mark is code", "```\n> ```\n# x\n```\n",
	  "F(```\n> ```\n# x\n```\n)" },
	{ "an item of marks is code", "```\n- ```\n```\n",
	  "F(```\n- ```\n```\n)" },
	{ "nothing", "", "" },
};

static const struct {
	const char *name, *text, *events;
} blocks[] = {
	{ "a list", "a\n\n- b\n- c\n\ntext\n", "B(- b\n- c\n)" },
	{ "items apart, and nested", "1. a\n\n   - b\n\n2. c\n\n# H\n",
	  "B(1. a\n\n   - b\n\n2. c\n)H1(H)" },
	{ "a line that goes on", "- a\nb\n\nc\n", "B(- a\nb\n)" },
	{ "a heading ends it", "- a\n# H\n", "B(- a\n)H1(H)" },
	{ "what is indented is in it", "* a\n\n  b\n\nc\n",
	  "B(* a\n\n  b\n)" },
	{ "a fence in it comes behind it", "- a\n\n  ```\n  b\n\n  c\n  ```\n",
	  "B(- a\n\n  ```\n  b\n\n  c\n  ```\n)F(```\n  b\n\n  c\n  ```\n)" },
	{ "indented", "  - a\n", "B(- a\n)" },
	{ "a table", "x\n\n| a | b |\n|---|:-:|\n| c | d |\n\ny\n",
	  "B(| a | b |\n|---|:-:|\n| c | d |\n)" },
	{ "a table without bars at its sides", "a | b\n--|--\nc | d\ne\n",
	  "B(a | b\n--|--\nc | d\n)" },
	{ "bars are no table", "a | b\nc | d\n", "" },
	{ "two lists", "- a\n\nb\n\n- c\n", "B(- a\n)B(- c\n)" },
};

static void add(char *out, size_t size, const char *s, size_t n)
{
	size_t have = strlen(out);

	snprintf(out + have, size - have, "%.*s", (int)n, s);
}

static void events_of(const char *text, bool all, char *out, size_t size)
{
	struct chunk_md md;

	*out = '\0';
	for (chunk_md_init(&md, text, strlen(text));
	     md.next.kind != CHUNK_MD_END; chunk_md_next(&md)) {
		const struct chunk_md_event *e = &md.next;
		char head[8] = "F(";

		if (e->kind == CHUNK_MD_BLOCK && !all)
			continue;
		if (e->kind == CHUNK_MD_BLOCK)
			head[0] = 'B';
		if (e->kind == CHUNK_MD_HEADING)
			snprintf(head, sizeof head, "H%d(", e->level);
		add(out, size, head, strlen(head));
		if (e->kind == CHUNK_MD_HEADING)
			add(out, size, e->title.p, e->title.n);
		else
			add(out, size, text + e->from, e->to - e->from);
		add(out, size, ")", 1);
	}
}

int main(void)
{
	char got[512];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		events_of(cases[i].text, false, got, sizeof got);
		if (!ok(strcmp(got, cases[i].events) == 0, "%s",
			cases[i].name))
			printf("# got: %s\n", got);
	}
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
		events_of(blocks[i].text, true, got, sizeof got);
		if (!ok(strcmp(got, blocks[i].events) == 0, "%s",
			blocks[i].name))
			printf("# got: %s\n", got);
	}
	return done();
}
