/*
 * bin/chunk/page.h: what a page shows, what it hides, and where it stands;
 * bin/chunk/meta.h: metadata as JSON.
 */
#include "../../bin/chunk/meta.h"
#include "../../bin/chunk/page.h"

#include "tap.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *html, *text, *hidden; /* hidden: each followed by | */
} cases[] = {
	{ "blocks", "<div>a</div><div>b<p>c<p>d<br>e</div>f", "a\nb\n\nc\n\nd\ne\nf", "" },
	{ "blanks", "  a \n b<b> c</b> <i>d</i>e  ", "a b c de", "" },
	{ "references", "&lt;b&gt; &#65;&#x42; &eacute;&amp;amp; &copy 1 &notin; &nope; &#128; &#0; &",
	  "<b> AB \xC3\xA9&amp; \xC2\xA9 1 \xE2\x88\x89 &nope; \xE2\x82\xAC \xEF\xBF\xBD &", "" },
	{ "two characters of one name", "&NotEqualTilde;", "\xE2\x89\x82\xCC\xB8", "" },
	{ "no tags", "a < b <3 <", "a < b <3 <", "" },
	{ "script and style", "a<script>if (x < 1) '</p>' + \"<b>\"</script>b<style>c{}</style>d", "abd", "" },
	{ "pre", "<p>a<pre>\n x\n  y </pre>b", "a\n\n x\n  y \n\nb", "" },
	{ "a table", "<table><tr><th>a<th>b<tr><td>c<td>d</table>", "a\tb\nc\td", "" },
	{ "comments", "a<!-- b > c -->d<!doctype x><?php e ?>f", "adf", "b > c|" },
	{ "hidden", "a<p hidden>b<p>c<div style='display : none'>d<div>e</div>f</div>g", "a\n\nc\ng", "b|d|e|f|" },
	{ "a class that hides", "<style>.x, #y { font-size: 0 }</style><b class='z x'>a</b>b<b id=y>c</b>", "b", "a|c|" },
	{ "what a browser does not show", "a<noscript>b</noscript><template><p>c</p></template>d", "a d", "b|c|" },
	{ "a quote holds >", "<a title='>' href=\"x>y\">a</a>", "a", "" },
	{ "unclosed tag", "a<b class=", "a", "" },
	{ "unclosed comment", "a<!-- b", "a", "b|" },
	{ "unclosed script", "a<script>b", "a", "" },
	{ "unclosed hidden", "a<b hidden>c", "a", "c|" },
	{ "stray ends", "</div></p></pre></h1></a>a</table>b", "a\n\nb", "" },
	{ "a byte order mark", "\xEF\xBB\xBF<p>a", "a", "" },
	{ "upper case", "<P>a<SCRIPT>b</Script><BR>c", "a\nc", "" },
	{ "CRLF", "a\r\nb<pre>c\r\nd</pre>", "a b\n\nc\r\nd", "" },
	{ "nothing", "", "", "" },
};

static bool slices(const struct chunk_page *g)
{
	struct chunk_page part;
	size_t from, to;
	struct ai_err err;
	bool good = true;

	/* Each character of the text that is no gap, read alone, is itself. */
	for (size_t i = 0; i < g->text.len; i++) {
		if (g->text.p[i] <= ' ' || g->text.p[i] & 0x80)
			continue;
		chunk_page_span(g, i, i + 1, &from, &to);
		chunk_page_init(&part);
		good = good && chunk_page_read(&part, g->of.p + from,
					       to - from, &err) == 0 &&
			part.text.len == 1 && part.text.p[0] == g->text.p[i];
		chunk_page_release(&part);
	}
	return good;
}

static void test_cases(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ai_buf hidden = AI_BUF_INIT(4096);
		const char *html = cases[i].html;
		struct chunk_page g;
		struct ai_err err;

		chunk_page_init(&g);
		chunk_page_read(&g, html, strlen(html), &err);
		for (size_t k = 0; k < g.hidden.n; k++) {
			chunk_page_decode(&hidden, html + g.hidden.v[k].from,
					  g.hidden.v[k].to - g.hidden.v[k].from);
			ai_buf_chr(&hidden, '|');
		}
		if (!ok(strcmp(ai_buf_cstr(&g.text), cases[i].text) == 0 &&
				strcmp(ai_buf_cstr(&hidden), cases[i].hidden) == 0 &&
				slices(&g), "%s", cases[i].name))
			printf("# got: %s\n# hidden: %s\n",
			       ai_buf_cstr(&g.text), ai_buf_cstr(&hidden));
		ai_buf_release(&hidden);
		chunk_page_release(&g);
	}
}

/* A hundred thousand open elements are no tree. */
static void test_deep(void)
{
	struct ai_buf html = AI_BUF_INIT(1 << 22);
	struct chunk_page g;
	struct ai_err err;

	for (int i = 0; i < 100000; i++)
		ai_buf_str(&html, i % 2 ? "<div>" : "<ul><li>");
	ai_buf_str(&html, "x");
	chunk_page_init(&g);
	ok(chunk_page_read(&g, html.p, html.len, &err) == 0 &&
		   strcmp(ai_buf_cstr(&g.text), "x") == 0,
	   "deep nesting");
	chunk_page_release(&g);
	ai_buf_release(&html);
}

static const struct {
	const char *yaml, *json, *title;
} metas[] = {
	{ "---\ntitle: A b\n---\n", "{\"title\":\"A b\"}", "A b" },
	{ "---\ntitle: \"A \\\"b\\\"\"\nn: 7\nz: 07\nd: 2026-01-02\nb: true\n---\n",
	  "{\"title\":\"A \\\"b\\\"\",\"n\":7,\"z\":\"07\",\"d\":\"2026-01-02\",\"b\":true}",
	  "A \"b\"" },
	{ "---\na: [x, 'y, z', 2]\nb: []\nc:\n  - p\n  - \"q\"\n---\n",
	  "{\"a\":[\"x\",\"y, z\",2],\"b\":[],\"c\":[\"p\",\"q\"]}", "" },
	{ "---\na: |\n  x\n  y\nb:\n# no\nc: it's: x\n---\n",
	  "{\"a\":\"x\\n  y\",\"b\":null,\"c\":\"it's: x\"}", "" },
	{ "---\r\na: b\r\n---\r\n", "{\"a\":\"b\"}", "" },
	{ "---\n---\n", "{}", "" },
	{ "---\nno key\n: x\n---\n", "{}", "" },
};

static void test_meta(void)
{
	for (size_t i = 0; i < sizeof metas / sizeof *metas; i++) {
		struct ai_buf out = AI_BUF_INIT(4096);
		struct ai_buf title = AI_BUF_INIT(4096);

		chunk_meta_put(&out, &title, metas[i].yaml,
			       strlen(metas[i].yaml));
		if (!ok(strcmp(ai_buf_cstr(&out), metas[i].json) == 0 &&
				strcmp(ai_buf_cstr(&title), metas[i].title) == 0,
			"metadata %zu", i))
			printf("# got: %s, %s\n", ai_buf_cstr(&out),
			       ai_buf_cstr(&title));
		ai_buf_release(&out);
		ai_buf_release(&title);
	}
}

int main(void)
{
	test_cases();
	test_deep();
	test_meta();
	return done();
}
