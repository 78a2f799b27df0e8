#include "model/catalog.h"

#include "base/buf.h"
#include "base/path.h"
#include "model/price-history.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX ((size_t)4 << 20)
#define TABLE_VERSION 1

/* ---- opening ------------------------------------------------------------ */

/* A table: its text, and the object of its models within. */
struct table {
	char *path;      /* owned; NULL: from text */
	struct ai_buf text;
	struct ai_value models;
};

enum { OWN, INSTALLED, TABLES }; /* the user's comes first */

struct ai_catalog {
	struct table t[TABLES];
	struct ai_history prices;
};

struct ai_catalog_settings ai_catalog_settings;

const struct ai_opt ai_catalog_options[] = {
	{ "prices", 0, AI_OPT_FILE, &ai_catalog_settings.prices, "FILE",
	  "the prices that were imported; none: without", .key = "prices",
	  .env = "AI_PRICES" },
	{ "catalog", 0, AI_OPT_FILE, &ai_catalog_settings.own, "FILE",
	  "models and prices of your own; none: without", .key = "catalog",
	  .env = "AI_CATALOG" },
	{ 0 }
};

const struct ai_history *ai_catalog_history(const struct ai_catalog *c)
{
	return &c->prices;
}

static const char *name_of(const struct table *t)
{
	return t->path != NULL ? t->path : "the catalog";
}

/* In one read, if the file stays as long as it is. */
static int read_all(int fd, const char *path, struct ai_buf *b,
		    struct ai_err *err)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_size > 0 &&
	    st.st_size < (off_t)FILE_MAX)
		ai_buf_reserve(b, (size_t)st.st_size + 2);
	if (ai_buf_read(b, fd) < 0 && b->bad == AI_E_NONE)
		return ai_err_sys(err, AI_E_CONFIG, errno,
				  "cannot read '%.200s'", path);
	return ai_buf_check(b, path, err);
}

static int read_file(const char *path, struct ai_buf *b, struct ai_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return ai_err_sys(err, AI_E_CONFIG, errno,
				  "cannot open '%.200s'", path);
	rc = read_all(fd, path, b, err);
	close(fd);
	return rc;
}

/* The outermost members, seen while the text is checked. */
struct head {
	struct ai_value models, version;
};

static int see_member(void *arg, struct ai_value key, struct ai_value val)
{
	struct head *h = arg;

	if (ai_json_is(key, AI_SPAN("models")))
		h->models = val;
	else if (ai_json_is(key, AI_SPAN("version")))
		h->version = val;
	return 0;
}

static int take_table(struct table *t, const char *p, size_t n,
		      struct ai_err *err)
{
	struct head h = { { AI_NONE, { NULL, 0 } }, { AI_NONE, { NULL, 0 } } };
	int64_t version = 0;
	struct ai_err why;

	if (ai_json_scan(p, n, NULL, see_member, &h, &why) < 0)
		return ai_err_set(err, AI_E_CONFIG, "%.200s: %s", name_of(t),
				  why.msg);
	if (h.models.kind != AI_OBJECT)
		return ai_err_set(err, AI_E_CONFIG,
				  "%.200s: no object 'models' in it",
				  name_of(t));
	if (ai_json_i64(h.version, &version) < 0 || version != TABLE_VERSION)
		return ai_err_set(err, AI_E_CONFIG,
				  "%.200s: 'version' is not %d; another "
				  "release of aiutils may read it",
				  name_of(t), TABLE_VERSION);
	t->models = h.models;
	return 0;
}

/* Takes path over. */
static int load(struct table *t, char *path, struct ai_err *err)
{
	t->path = path;
	if (read_file(path, &t->text, err) < 0)
		return -1;
	return take_table(t, ai_buf_cstr(&t->text), t->text.len, err);
}

static struct ai_catalog *new_catalog(struct ai_err *err)
{
	struct ai_catalog *c = calloc(1, sizeof *c);

	if (c == NULL) {
		ai_err_nomem(err);
		return NULL;
	}
	for (int i = 0; i < TABLES; i++)
		ai_buf_init(&c->t[i].text, FILE_MAX);
	return c;
}

/* What a setting names, copied; NULL for "none". */
static int named(const char *setting, char **path, struct ai_err *err)
{
	*path = NULL;
	if (strcmp(setting, "none") == 0)
		return 0;
	*path = strdup(setting);
	return *path != NULL ? 0 : ai_err_nomem(err);
}

/* Where there is no HOME, there are no files of the user's. */
static int load_own(struct ai_catalog *c, const char *own, struct ai_err *err)
{
	const char *setting = own != NULL ? own : ai_catalog_settings.own;
	char *path = NULL;

	if (setting != NULL && named(setting, &path, err) < 0)
		return -1;
	if (setting == NULL &&
	    (ai_path_config("catalog.json", &path, NULL) < 0 ||
	     access(path, F_OK) < 0)) {
		free(path);
		path = NULL;
	}
	return path == NULL ? 0 : load(&c->t[OWN], path, err);
}

int ai_catalog_prices(char **path, struct ai_err *err)
{
	if (ai_catalog_settings.prices != NULL)
		return named(ai_catalog_settings.prices, path, err);
	return ai_path_home("prices.jsonl", path, err);
}

static int load_prices(struct ai_catalog *c, struct ai_err *err)
{
	bool told = ai_catalog_settings.prices != NULL;
	char *path = NULL;
	int rc;

	if (ai_catalog_prices(&path, told ? err : NULL) < 0)
		return told ? -1 : 0;
	rc = path == NULL ? 0 : ai_history_open(&c->prices, path, !told, err);
	free(path);
	return rc;
}

int ai_catalog_open(struct ai_catalog **out, const char *own,
		    struct ai_err *err)
{
	struct ai_catalog *c = new_catalog(err);
	char *path;

	*out = NULL;
	if (c == NULL)
		return -1;
	if (ai_path_data("catalog.json", &path, err) < 0 ||
	    load(&c->t[INSTALLED], path, err) < 0 ||
	    load_own(c, own, err) < 0 || load_prices(c, err) < 0) {
		ai_catalog_free(c);
		return -1;
	}
	*out = c;
	return 0;
}

int ai_catalog_shared(const struct ai_catalog **out, struct ai_err *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct ai_catalog *shared;
	int rc = 0;

	pthread_mutex_lock(&lock);
	if (shared == NULL)
		rc = ai_catalog_open(&shared, NULL, err);
	*out = shared;
	pthread_mutex_unlock(&lock);
	return rc;
}

int ai_catalog_open_text(struct ai_catalog **out, struct ai_span table,
			 struct ai_span own, struct ai_span prices,
			 struct ai_err *err)
{
	struct ai_catalog *c = new_catalog(err);

	*out = NULL;
	if (c == NULL)
		return -1;
	if ((table.n > 0 && take_table(&c->t[INSTALLED], table.p, table.n,
				       err) < 0) ||
	    (own.n > 0 && take_table(&c->t[OWN], own.p, own.n, err) < 0) ||
	    ai_history_open_text(&c->prices, prices, err) < 0) {
		ai_catalog_free(c);
		return -1;
	}
	*out = c;
	return 0;
}

void ai_catalog_free(struct ai_catalog *c)
{
	if (c == NULL)
		return;
	for (int i = 0; i < TABLES; i++) {
		free(c->t[i].path);
		ai_buf_release(&c->t[i].text);
	}
	ai_history_close(&c->prices);
	free(c);
}

/* ---- names -------------------------------------------------------------- */

static bool has_slash(struct ai_span s)
{
	return s.n > 0 && memchr(s.p, '/', s.n) != NULL;
}

static struct ai_span before_slash(struct ai_span s)
{
	const char *slash = s.n == 0 ? NULL : memchr(s.p, '/', s.n);

	return slash == NULL ? s : (struct ai_span){ s.p,
						     (size_t)(slash - s.p) };
}

static struct ai_span behind_slash(struct ai_span s)
{
	const char *slash = s.n == 0 ? NULL : memrchr(s.p, '/', s.n);

	if (slash == NULL)
		return s;
	return (struct ai_span){ slash + 1, s.n - (size_t)(slash + 1 - s.p) };
}

/*
 * Cuts s where the pattern matches its end: '#' is a digit, '+' behind it
 * one or more.  The patterns are few and short, so that is all they can do.
 */
static bool cut(struct ai_span *s, const char *pattern)
{
	size_t n = s->n;

	for (const char *p = pattern + strlen(pattern); p > pattern;) {
		bool more = *--p == '+';

		p -= more;
		if (n == 0 || (*p == '#' ? s->p[n - 1] < '0' ||
				       s->p[n - 1] > '9'
					 : s->p[n - 1] != *p))
			return false;
		n--;
		while (more && n > 0 && s->p[n - 1] >= '0' &&
		       s->p[n - 1] <= '9')
			n--;
	}
	if (n == 0 || s->p[n - 1] == '/')
		return false;
	s->n = n;
	return true;
}

bool ai_catalog_cut_snapshot(struct ai_span *s)
{
	static const char *const patterns[] = {
		"-latest", ":free", "@default", "@########", "@###",
		"-v#+:#+", "-v#+", "-####-##-##", "-########", "-00#",
	};

	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		if (cut(s, patterns[i]))
			return true;
	return false;
}

const char *const ai_catalog_makers[] = {
	"openai", "anthropic", "gemini", "mistral", "cohere", "deepseek",
	"xai", "voyage", "moonshot", "perplexity", NULL
};

bool ai_catalog_is_maker(struct ai_span name)
{
	struct ai_span provider = before_slash(name);

	for (const char *const *m = ai_catalog_makers; *m != NULL; m++)
		if (ai_span_is(provider, *m))
			return true;
	return false;
}

/* ---- finding ------------------------------------------------------------ */

#define FORMS 4 /* the name as typed, and with up to three cuts */
#define NO_RANK 1000
#define STAR_RANK (NO_RANK - 1)

/* What is looked for, and the best that was found. */
struct search {
	struct ai_span form[FORMS];
	int forms;
	int rank; /* less is better; by form, then by how it matched */
	bool ambiguous;
	struct ai_span key, matched, rival;
	struct ai_value entry;
};

/* Three ranks a form: the name itself, the maker's bare name, another's. */
static int rank_of(const struct search *s, struct ai_span key,
		   struct ai_span candidate)
{
	struct ai_span bare = behind_slash(candidate);
	int how = ai_catalog_is_maker(key) ? 1 : 2;

	for (int i = 0; i < s->forms; i++) {
		if (ai_span_eq(candidate, s->form[i]))
			return 3 * i;
		if (!has_slash(s->form[0]) && ai_span_eq(bare, s->form[i]))
			return 3 * i + how;
	}
	if (candidate.n > 2 && candidate.p[candidate.n - 1] == '*' &&
	    s->form[0].n >= candidate.n &&
	    memcmp(candidate.p, s->form[0].p, candidate.n - 1) == 0)
		return STAR_RANK;
	return NO_RANK;
}

static void offer(struct search *s, struct ai_span key, struct ai_value entry,
		  struct ai_span candidate)
{
	int rank = rank_of(s, key, candidate);

	if (rank > s->rank || rank == NO_RANK)
		return;
	if (rank == s->rank) {
		if (!ai_span_eq(key, s->key) && rank % 3 == 2) {
			s->ambiguous = true;
			s->rival = key;
		}
		return; /* the earlier one stands */
	}
	s->rank = rank;
	s->ambiguous = false;
	s->key = key;
	s->matched = candidate;
	s->entry = entry;
}

static void search_table(struct search *s, struct ai_value models)
{
	struct ai_value key, entry, alias;
	struct ai_json_iter it, al;

	ai_json_iter_init(&it, models);
	while (ai_json_next(&it, &key, &entry)) {
		offer(s, ai_json_inside(key), entry, ai_json_inside(key));
		if (entry.kind != AI_OBJECT)
			continue;
		ai_json_iter_init(&al, ai_json_member(entry,
						      AI_SPAN("aliases")));
		while (ai_json_next(&al, NULL, &alias))
			offer(s, ai_json_inside(key), entry,
			      ai_json_inside(alias));
	}
}

/* The user's entry of this name takes the place of the installed one. */
static void prefer_own(const struct ai_catalog *c, struct search *s)
{
	struct ai_value own;

	if (c->t[OWN].models.kind != AI_OBJECT)
		return;
	own = ai_json_member(c->t[OWN].models, s->key);
	if (own.kind != AI_NONE)
		s->entry = own;
}

/* ---- what to say when nothing is found ---------------------------------- */

#define SUGGESTIONS 100

/* All names, NUL-terminated, for ai_nearest(). */
struct names {
	struct ai_buf text;
	const char *v[20000];
	size_t n;
};

static void add_name(struct names *l, struct ai_span s)
{
	if (s.n == 0 || s.p[s.n - 1] == '*' ||
	    l->n == sizeof l->v / sizeof *l->v)
		return;
	/* Offsets become pointers once the text stands still. */
	l->v[l->n] = (const char *)(uintptr_t)l->text.len;
	if (ai_buf_add(&l->text, s.p, s.n) == 0 &&
	    ai_buf_chr(&l->text, '\0') == 0)
		l->n++;
}

static int collect(void *arg, struct ai_span name)
{
	add_name(arg, name);
	add_name(arg, behind_slash(name));
	return 0;
}

bool ai_catalog_nearest(const struct ai_catalog *c, struct ai_span name,
			char *near, size_t size)
{
	struct names *l;
	const char *found = NULL;
	char typed[64];

	if (name.n >= sizeof typed || (l = calloc(1, sizeof *l)) == NULL)
		return false;
	memcpy(typed, name.p, name.n);
	typed[name.n] = '\0';
	ai_buf_init(&l->text, FILE_MAX);
	ai_catalog_each(c, collect, l);
	for (size_t i = 0; i < l->n; i++)
		l->v[i] = l->text.p + (uintptr_t)l->v[i];
	found = ai_nearest(typed, l->v, l->n);
	for (size_t i = 0; found == NULL && i < l->n; i++)
		if (strcasecmp(typed, l->v[i]) == 0)
			found = l->v[i];
	if (found != NULL)
		snprintf(near, size, "%s", found);
	ai_buf_release(&l->text);
	free(l);
	return found != NULL;
}

static int no_model(const struct ai_catalog *c, struct ai_span name,
		    struct ai_err *err)
{
	static atomic_uint told;
	char near[AI_CATALOG_NAME];
	/* To compare with thousands of names takes milliseconds, and who has
	 * been told so often has a file with other names. */
	bool found = atomic_fetch_add(&told, 1) < SUGGESTIONS &&
		     ai_catalog_nearest(c, name, near, sizeof near);

	return ai_err_set(err, AI_E_CONFIG, found
		   ? "no price is known for the model '%.*s'; did you mean "
		     "'%s'? (--price gives one)"
		   : "no price is known for the model '%.*s'%s: give --price "
		     "IN,OUT in dollars a million tokens, or --price free",
		   name.n > 63 ? 63 : (int)name.n, name.p, found ? near : "");
}

static int ambiguous(const struct search *s, struct ai_err *err)
{
	return ai_err_set(err, AI_E_CONFIG,
			  "'%.*s' is offered by several: say which, as in "
			  "'%.*s' or '%.*s'",
			  (int)s->form[0].n, s->form[0].p,
			  (int)s->key.n, s->key.p,
			  (int)s->rival.n, s->rival.p);
}

/* ---- an entry ----------------------------------------------------------- */

static void copy(struct ai_value v, char *out, size_t size)
{
	struct ai_span s = ai_json_inside(v);

	snprintf(out, size, "%.*s", s.n >= size ? (int)size - 1 : (int)s.n,
		 s.p);
}

static int limit(struct ai_value entry, const char *name, int64_t *out,
		 struct ai_err *err)
{
	struct ai_value v = ai_json_member(entry, ai_span_of(name));

	*out = 0;
	if (v.kind == AI_NONE || v.kind == AI_NULL)
		return 0;
	if (ai_json_i64(v, out) < 0 || *out <= 0)
		return ai_err_set(err, AI_E_CONFIG,
				  "%s: must be a whole number above 0", name);
	return 0;
}

static unsigned modalities(struct ai_value list)
{
	static const char *const names[] = { "text", "image", "file",
					     "audio", "video", "embedding" };
	struct ai_json_iter it;
	struct ai_value v;
	unsigned set = 0;

	ai_json_iter_init(&it, list);
	while (ai_json_next(&it, NULL, &v))
		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			if (ai_json_is(v, ai_span_of(names[i])))
				set |= 1u << i;
	return set;
}

static int read_entry(const struct search *s, struct ai_model *m,
		      struct ai_err *err)
{
	struct ai_value e = s->entry;
	struct ai_span p = before_slash(s->matched);

	memset(m, 0, sizeof *m);
	snprintf(m->name, sizeof m->name, "%.*s", (int)s->key.n, s->key.p);
	snprintf(m->provider, sizeof m->provider, "%.*s",
		 p.n > 31 ? 31 : (int)p.n, p.p);
	copy(ai_json_member(e, AI_SPAN("encoding")), m->encoding,
	     sizeof m->encoding);
	m->takes = modalities(ai_json_member(e, AI_SPAN("input")));
	m->gives = modalities(ai_json_member(e, AI_SPAN("output")));
	if (limit(e, "context", &m->context, err) < 0 ||
	    limit(e, "max_output", &m->max_output, err) < 0 ||
	    ai_price_read(ai_json_member(e, AI_SPAN("price")), &m->price,
			  err) < 0)
		return -1;
	copy(ai_json_member(e, AI_SPAN("source")), m->price.source,
	     sizeof m->price.source);
	copy(ai_json_member(e, AI_SPAN("date")), m->price.date,
	     sizeof m->price.date);
	return 0;
}

/* ---- days --------------------------------------------------------------- */

void ai_catalog_today(char day[AI_CATALOG_DAY])
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	if (strftime(day, AI_CATALOG_DAY, "%Y-%m-%d", &tm) == 0)
		day[0] = '\0';
}

int ai_catalog_check_when(const char *when, struct ai_err *err)
{
	struct tm tm = { 0 };
	char again[20] = "";
	const char *end = strptime(when, strlen(when) == 10 ? "%Y-%m-%d"
				   : "%Y-%m-%dT%H:%M", &tm);

	/* 30 February becomes a day in March. */
	if (end != NULL && *end == '\0' && timegm(&tm) != (time_t)-1)
		strftime(again, sizeof again, "%Y-%m-%dT%H:%M", &tm);
	if ((strlen(when) == 10 || strlen(when) == 16) &&
	    strncmp(again, when, strlen(when)) == 0)
		return 0;
	return ai_err_set(err, AI_E_USAGE, "'%.60s' is no day: give it as "
			  "2026-08-01, or with a time in UTC as "
			  "2026-08-01T16:30", when);
}

/* ---- what was imported ----------------------------------------------------- */

/* Whether somebody else than the maker offers what was found by a bare name. */
static bool is_of_others(const struct ai_history_hit *hit)
{
	return hit->rank < AI_RANK_SNAPSHOT && hit->rank % 3 == 2;
}

/* Its line in the file of prices that holds then, if there is one and it is as
 * near to the name as what the tables have, or nearer.  A bare name that the
 * tables know is none of another provider's. */
static struct ai_span imported(const struct ai_catalog *c, struct search *s,
			       struct ai_span when, struct ai_history_hit *hit)
{
	int limit = s->rank == NO_RANK || s->ambiguous ? NO_RANK : s->rank + 1;

	if (!ai_history_search(&c->prices, s->form, s->forms, limit, hit) ||
	    (limit != NO_RANK && is_of_others(hit))) {
		hit->first.p = NULL;
		if (limit != NO_RANK) /* by the tables' names for it */
			hit->first = ai_history_first(&c->prices, s->matched);
		if (limit != NO_RANK && hit->first.p == NULL)
			hit->first = ai_history_first(&c->prices, s->key);
		if (hit->first.p != NULL && ai_history_is(hit->first).n > 0)
			hit->first = ai_history_first(
				&c->prices, ai_history_is(hit->first));
		hit->rank = s->rank;
		hit->ambiguous = false;
	}
	return hit->first.p == NULL ? hit->first
		: ai_history_at(&c->prices, hit->first, when);
}

/* Whether the price of the tables stands against an imported one that is as
 * near: it is newer, and holds already. */
static bool outdates(const struct ai_price *installed, struct ai_span line,
		     struct ai_span when)
{
	struct ai_span ours = ai_span_of(installed->date),
		theirs = ai_history_date(line);

	if (ours.n != 10 || theirs.n != 10 || when.n < 10 ||
	    memcmp(ours.p, when.p, 10) > 0)
		return false;
	return memcmp(theirs.p, when.p, 10) > 0 ||
		memcmp(ours.p, theirs.p, 10) > 0;
}

/* The price of a line for a model of the tables, which keeps its name. */
static int take_price(struct ai_model *m, struct ai_span line,
		      struct ai_span when, struct ai_err *err)
{
	struct ai_model theirs;

	if (ai_history_read(line, when, &theirs, err) < 0)
		return -1;
	ai_price_fill(&theirs.price, &m->price);
	m->price = theirs.price;
	if (theirs.context > 0)
		m->context = theirs.context;
	if (theirs.max_output > 0)
		m->max_output = theirs.max_output;
	return 0;
}

static int only_imported(const struct search *s,
			 const struct ai_history_hit *hit, struct ai_span line,
			 struct ai_span when, struct ai_model *m,
			 struct ai_err *err)
{
	struct ai_span name = ai_history_name(line);

	if (hit->ambiguous)
		return ambiguous(&(struct search){ .form = { s->form[0] },
			.key = name, .rival = hit->rival }, err);
	return ai_history_read(line, when, m, err);
}

static int of_tables(const struct search *s, struct ai_span name,
		     struct ai_model *m, struct ai_err *err)
{
	struct ai_err why;

	if (s->entry.kind != AI_OBJECT || s->key.n >= AI_CATALOG_NAME)
		return ai_err_set(err, AI_E_CONFIG,
				  "catalog entry '%.*s' is no object",
				  s->key.n > 100 ? 100 : (int)s->key.n,
				  s->key.p);
	if (read_entry(s, m, &why) < 0)
		return ai_err_set(err, why.code, "catalog entry '%.*s': %s",
				  (int)s->key.n, s->key.p, why.msg);
	if (s->rank == STAR_RANK)
		snprintf(m->name, sizeof m->name, "%.*s", (int)name.n, name.p);
	return 0;
}

static bool is_own(const struct ai_catalog *c, const struct search *s)
{
	return c->t[OWN].models.kind == AI_OBJECT &&
		ai_json_member(c->t[OWN].models, s->key).kind != AI_NONE;
}

int ai_catalog_find(const struct ai_catalog *c, struct ai_span name,
		    const char *when, struct ai_model *m, struct ai_err *err)
{
	struct search s = { .rank = NO_RANK };
	struct ai_history_hit hit = { .rank = NO_RANK };
	struct ai_span cut_name = name, day, line;
	char today[AI_CATALOG_DAY];

	if (when == NULL)
		ai_catalog_today(today);
	day = ai_span_of(when == NULL ? today : when);
	do
		s.form[s.forms++] = cut_name;
	while (s.forms < FORMS && ai_catalog_cut_snapshot(&cut_name));
	for (int i = 0; i < TABLES; i++)
		search_table(&s, c->t[i].models);
	if (name.n >= AI_CATALOG_NAME)
		return no_model(c, name, err);
	line = imported(c, &s, day, &hit);
	if (s.rank == NO_RANK && line.p == NULL)
		return no_model(c, name, err);
	if (s.rank == NO_RANK || (s.ambiguous && line.p != NULL))
		return only_imported(&s, &hit, line, day, m, err);
	if (s.ambiguous)
		return ambiguous(&s, err);
	prefer_own(c, &s);
	if (s.entry.kind == AI_NULL)
		return no_model(c, name, err);
	if (of_tables(&s, name, m, err) < 0)
		return -1;
	if (line.p == NULL || s.rank == STAR_RANK ||
	    (hit.rank >= s.rank &&
	     (is_own(c, &s) || outdates(&m->price, line, day))))
		return 0;
	return take_price(m, line, day, err);
}

/* The names of both tables, sorted: each costs a walk through its table. */
struct listed {
	struct ai_span *v;
	size_t n, room;
};

static int by_span(const void *a, const void *b)
{
	const struct ai_span *x = a, *y = b;
	int c = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

	return c != 0 ? c : x->n < y->n ? -1 : x->n > y->n;
}

static int list_tables(const struct ai_catalog *c, struct listed *l)
{
	struct ai_value key, entry;
	struct ai_json_iter it;
	struct ai_span *more;

	*l = (struct listed){ NULL, 0, 0 };
	for (int i = 0; i < TABLES; i++) {
		ai_json_iter_init(&it, c->t[i].models);
		while (ai_json_next(&it, &key, &entry)) {
			if (l->n == l->room) {
				l->room = 2 * l->room + 256;
				more = realloc(l->v, l->room * sizeof *more);
				if (more == NULL)
					return -1;
				l->v = more;
			}
			l->v[l->n++] = ai_json_inside(key);
		}
	}
	if (l->n > 0)
		qsort(l->v, l->n, sizeof *l->v, by_span);
	return 0;
}

/* The names of the file of prices that stand in no table. */
static int each_imported(const struct ai_catalog *c,
			 int (*each)(void *arg, struct ai_span name), void *arg)
{
	struct ai_span line = { NULL, 0 }, name, last = { "", 0 };
	struct listed l;
	int rc = list_tables(c, &l);

	while (rc == 0 &&
	       (line = ai_history_next(&c->prices, line)).p != NULL) {
		name = ai_history_name(line);
		if (name.n == 0 || ai_history_is(line).n > 0 ||
		    ai_span_eq(name, last))
			continue;
		last = name;
		if (l.n == 0 || bsearch(&name, l.v, l.n, sizeof *l.v,
					by_span) == NULL)
			rc = each(arg, name);
	}
	free(l.v);
	return rc;
}

int ai_catalog_each(const struct ai_catalog *c,
		    int (*each)(void *arg, struct ai_span name), void *arg)
{
	struct ai_value key, entry, own;
	struct ai_json_iter it;
	int rc;

	for (int i = 0; i < TABLES; i++) {
		ai_json_iter_init(&it, c->t[i].models);
		while (ai_json_next(&it, &key, &entry)) {
			own = ai_json_member(c->t[OWN].models,
					     ai_json_inside(key));
			if (entry.kind != AI_OBJECT ||
			    (i != OWN && own.kind != AI_NONE))
				continue;
			rc = each(arg, ai_json_inside(key));
			if (rc != 0)
				return rc;
		}
	}
	return each_imported(c, each, arg);
}
