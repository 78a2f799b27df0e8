/* Queries as people type them: what each becomes, and that it can be typed
 * again. */
#include "analyzers.h"
#include "language.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

static bool is_key(void *arg, struct ai_span key)
{
	(void)arg;
	return ai_span_is(key, "uri") || ai_span_is(key, "a.b") ||
	       ai_span_is(key, "Jahr");
}

/* + - sign, terms joined by _, * of a prefix, xN; pairs as key=value. */
static void describe(const struct search_language *l, struct ai_buf *b)
{
	size_t i, k;

	ai_buf_clear(b);
	for (i = 0; i < l->clauses_n; i++) {
		const struct search_clause *c = &l->clauses[i];

		ai_buf_fmt(b, "%s%s", b->len > 0 ? " " : "",
			   c->not ? "-" : c->must ? "+" : "");
		for (k = 0; k < c->n; k++)
			ai_buf_fmt(b, "%s%.*s", k > 0 ? "_" : "",
				   (int)c->terms[k].n, c->terms[k].p);
		ai_buf_str(b, c->kind == SEARCH_CLAUSE_PREFIX	 ? "*"
			      : c->kind == SEARCH_CLAUSE_PHRASE ? "\""
							 : "");
		if (c->count > 1)
			ai_buf_fmt(b, "x%d", c->count);
	}
	for (i = 0; i < l->pairs_n; i++)
		ai_buf_fmt(b, "%s%s%.*s=%.*s", b->len > 0 ? " " : "",
			   l->pairs[i].not ? "-" : "", (int)l->pairs[i].key.n,
			   l->pairs[i].key.p, (int)l->pairs[i].value.n,
			   l->pairs[i].value.p);
}

static bool read_query(struct ai_span q, const char *analyzer,
		       struct ai_buf *said, struct ai_buf *typed)
{
	struct search_language l;
	struct ai_err err;
	size_t i;
	bool well = search_language_read(&l, ai_analyzer_find(analyzer), q,
					 is_key, NULL, &err) == 0;

	ai_buf_clear(typed);
	describe(&l, said);
	for (i = 0; i < l.clauses_n; i++) {
		search_language_clause(&l, i, typed);
		ai_buf_chr(typed, ' ');
	}
	for (i = 0; i < l.pairs_n; i++) {
		search_language_pair(&l, i, typed);
		ai_buf_chr(typed, ' ');
	}
	search_language_release(&l);
	return well;
}

static struct ai_buf said = AI_BUF_INIT(1 << 24);
static struct ai_buf typed = AI_BUF_INIT(1 << 24);
static struct ai_buf again = AI_BUF_INIT(1 << 24);
static struct ai_buf more = AI_BUF_INIT(1 << 24);

static bool twice(struct ai_span q, const char *analyzer)
{
	struct ai_span t;

	if (!read_query(q, analyzer, &said, &typed))
		return false;
	t = (struct ai_span){ ai_buf_cstr(&typed), typed.len };
	return read_query(t, analyzer, &again, &more) && said.len == again.len &&
	       memcmp(ai_buf_cstr(&said), ai_buf_cstr(&again), said.len) == 0;
}

static void is(const char *q, const char *wanted)
{
	bool same = twice(ai_span_of(q), "english");

	ok(strcmp(ai_buf_cstr(&said), wanted) == 0, "%s: %s (%s)", q, wanted,
	   ai_buf_cstr(&said));
	ok(same, "  and typed again: %s(%s)", ai_buf_cstr(&typed),
	   ai_buf_cstr(&again));
}

static uint64_t seed = 3;

static size_t below(size_t n)
{
	uint64_t z = seed += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return (size_t)((z ^ z >> 31) % n);
}

static void random_queries(void)
{
	static const char *const parts[] = {
		"\"", "\"", "-", "+", "*", " ", " ", " ", "a", "batch", "size",
		"the", "NOT ", "uri:", "a.b:", "x:", "1", "12", "猫", "東京",
		"é", "“", "”", "„", ":", "(", ".", "\xFF", "gas", "happy",
	};
	char q[400];
	size_t i, k, n, bad = 0;

	for (i = 0; i < 20000; i++) {
		for (k = below(14), n = 0; k > 0; k--) {
			const char *p = parts[below(sizeof(parts) /
						    sizeof(parts[0]))];

			memcpy(q + n, p, strlen(p));
			n += strlen(p);
		}
		if (!twice((struct ai_span){ q, n }, "english") && bad++ < 5)
			printf("# '%.*s': %s; typed %s: %s\n", (int)n, q,
			       ai_buf_cstr(&said), ai_buf_cstr(&typed),
			       ai_buf_cstr(&again));
	}
	ok(bad == 0, "%zu made queries can be typed again", i);
}

/* Words of other languages, whose stemmers want accents. */
static void languages(void)
{
	static const struct {
		const char *name, *text, *wanted;
	} all[] = {
		{ "german", "Die Häuser am Fluß", "die haus am fluss" },
		{ "french", "les libertés nationales", "le libert national" },
		{ "spanish", "Las canciones públicas", "las cancion public" },
		{ "russian", "книгами Ёлки", "книг елк" },
		{ "german", "日本語", "日本 本語 語" },
	};
	struct ai_terms t = { NULL, 0, 0, NULL, 0, 0 };
	struct ai_err err;
	size_t i, k;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct ai_analyzer *a = search_analyzer_new(all[i].name, &err);

		if (a == NULL && err.code == AI_E_CONFIG) {
			skip("%s", err.msg);
			continue;
		}
		ai_terms_clear(&t);
		ai_buf_clear(&said);
		if (a != NULL)
			ai_analyze(a, ai_span_of(all[i].text), false, &t, &err);
		for (k = 0; k < t.n; k++)
			ai_buf_fmt(&said, "%s%.*s", k > 0 ? " " : "",
				   (int)t.v[k].n, t.bytes + t.v[k].at);
		ok(strcmp(ai_buf_cstr(&said), all[i].wanted) == 0,
		   "%s: %s: %s (%s)", all[i].name, all[i].text, all[i].wanted,
		   ai_buf_cstr(&said));
		search_analyzer_free(a);
	}
	ok(search_analyzer_new("germn", &err) == NULL &&
	   err.code == AI_E_USAGE && strstr(err.msg, "german") != NULL,
	   "%s", err.msg);
	ai_terms_release(&t);
}

int main(void)
{
	struct ai_buf long_one = AI_BUF_INIT(1 << 24);
	int i;

	is("how do I cap a batch?", "cap batch");
	is("batch batch Batches", "batchx3");
	is("\"Batch sizes\" cap", "+batch_size\" cap");
	is("\"to be or not\"", "+to_be_or_not\"");
	is("\"batch\"", "+batch");
	is("to be or not", "to be or not");
	is("not the", "not the");
	is("cats -dogs", "cat -dog");
	is("cats NOT dogs", "cat -dog");
	is("CATS NOT DOGS", "cat dog");
	is("cats +dogs", "cat +dog");
	is("-\"two words\" x", "-two_word\" x");
	is("-foo-bar x", "-foo_bar\" x");
	is("long-known", "long known");
	is("grep -r --color -1", "grep r color 1");
	is("relational*", "relational_relat*");
	is("cap*", "cap*");
	is("-cap* x", "-cap* x");
	is("* ** a* x", "a* x");
	is("uri:docs cap", "cap uri=docs");
	is("-uri:\"my docs\" a.b:1", "-uri=my docs a.b=1");
	is("std::map http://x.org 12:30 uri: x:y",
	   "std map http xx2 org 12 30 uri y");
	is("5\" disk", "5 disk");
	is("\"ever closed", "close");
	is("say \"\" nothing", "sai");
	is("“curly quotes” here", "+curli_quot\"");
	is("東京都", "東京 京都");
	is("猫", "猫*");
	is("\"東京都\"", "+東京_京都\"");
	is("", "");
	is(" - + \" ", "");
	is("(a OR b) AND c", "b c");
	random_queries();
	languages();
	for (i = 0; i < 100000; i++)
		ai_buf_fmt(&long_one, "w%d ", i);
	ok(twice((struct ai_span){ long_one.p, long_one.len }, "none"),
	   "a query of 100,000 words");
	ai_buf_release(&long_one);
	ai_buf_release(&said);
	ai_buf_release(&typed);
	ai_buf_release(&again);
	ai_buf_release(&more);
	return done();
}
