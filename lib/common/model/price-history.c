#include "model/price-history.h"

#include "model/price-table.h"
#include "text/regex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the file ---------------------------------------------------------------- */

int ai_history_open_text(struct ai_history *h, struct ai_span text,
			 struct ai_err *err)
{
	size_t n = strlen(AI_HISTORY_HEAD);

	*h = (struct ai_history){ "", 0, NULL, 0 };
	if (text.n == 0)
		return 0;
	if (text.n < n || memcmp(text.p, AI_HISTORY_HEAD, n) != 0)
		return ai_err_set(err, AI_E_CONFIG, "its first line is not %.*s:"
				  " no prices that 'ai-cost prices import' has "
				  "written, or of another release",
				  (int)n - 1, AI_HISTORY_HEAD);
	h->p = text.p + n;
	h->n = text.n - n;
	return 0;
}

static int map_it(struct ai_history *h, int fd, const char *path,
		  struct ai_err *err)
{
	struct ai_err why;
	struct stat st;
	void *map;

	if (fstat(fd, &st) < 0)
		return ai_err_sys(err, AI_E_CONFIG, errno,
				  "cannot read '%.200s'", path);
	if (st.st_size == 0)
		return 0;
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)AI_HISTORY_MAX)
		return ai_err_set(err, AI_E_CONFIG, "'%.200s' is no file, or "
				  "too large for prices", path);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return ai_err_sys(err, AI_E_CONFIG, errno,
				  "cannot read '%.200s'", path);
	if (ai_history_open_text(h, (struct ai_span){ map,
				(size_t)st.st_size }, &why) < 0) {
		munmap(map, (size_t)st.st_size);
		return ai_err_set(err, why.code, "'%.200s': %s", path,
				  why.msg);
	}
	h->map = map;
	h->map_n = (size_t)st.st_size;
	return 0;
}

int ai_history_open(struct ai_history *h, const char *path, bool may_miss,
		    struct ai_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	*h = (struct ai_history){ "", 0, NULL, 0 };
	if (fd < 0 && may_miss && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		return ai_err_sys(err, AI_E_CONFIG, errno,
				  "cannot open '%.200s'", path);
	rc = map_it(h, fd, path, err);
	close(fd);
	return rc;
}

void ai_history_close(struct ai_history *h)
{
	if (h->map != NULL)
		munmap(h->map, h->map_n);
	*h = (struct ai_history){ "", 0, NULL, 0 };
}

/* ---- lines -------------------------------------------------------------------- */

static const struct ai_span none = { NULL, 0 };

static struct ai_span line_at(const struct ai_history *h, const char *p)
{
	const char *end = h->p + h->n, *newline;

	if (p >= end)
		return none;
	newline = memchr(p, '\n', (size_t)(end - p));
	return (struct ai_span){ p, (size_t)((newline != NULL ? newline : end)
					     - p) };
}

struct ai_span ai_history_next(const struct ai_history *h,
			       struct ai_span line)
{
	return line_at(h, line.p == NULL ? h->p : line.p + line.n + 1);
}

/* What stands in quotes at the place where s begins with this. */
static struct ai_span quoted(struct ai_span s, const char *before)
{
	size_t n = strlen(before);
	const char *end;

	if (s.n <= n || memcmp(s.p, before, n) != 0)
		return (struct ai_span){ "", 0 };
	end = memchr(s.p + n, '"', s.n - n);
	return end == NULL ? (struct ai_span){ "", 0 }
		: (struct ai_span){ s.p + n, (size_t)(end - s.p) - n };
}

struct ai_span ai_history_name(struct ai_span line)
{
	return quoted(line, "{\"model\":\"");
}

static struct ai_span behind_name(struct ai_span line, const char *before)
{
	struct ai_span name = ai_history_name(line);
	const char *p = name.p + name.n + 1;

	return name.n == 0 ? name
		: quoted((struct ai_span){ p, (size_t)(line.p + line.n - p) },
			 before);
}

struct ai_span ai_history_date(struct ai_span line)
{
	return behind_name(line, ",\"date\":\"");
}

struct ai_span ai_history_is(struct ai_span line)
{
	return behind_name(line, ",\"is\":\"");
}

static int compare(struct ai_span a, struct ai_span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return c != 0 ? c : a.n < b.n ? -1 : a.n > b.n;
}

int ai_history_compare(struct ai_span a, struct ai_span b)
{
	int c = compare(ai_history_name(a), ai_history_name(b));

	return c != 0 ? c : compare(ai_history_date(a), ai_history_date(b));
}

/* The first line whose name is not before this one. */
static const char *lower_bound(const struct ai_history *h, struct ai_span name)
{
	const char *low = h->p, *high = h->p + h->n, *mid, *back;
	struct ai_span line;

	while (low < high) {
		mid = low + (high - low) / 2;
		back = memrchr(low, '\n', (size_t)(mid - low));
		line = line_at(h, back == NULL ? low : back + 1);
		if (compare(ai_history_name(line), name) < 0)
			low = line.p + line.n + 1;
		else
			high = line.p;
	}
	return low;
}

struct ai_span ai_history_first(const struct ai_history *h,
				struct ai_span name)
{
	struct ai_span line;

	if (name.n == 0)
		return none;
	line = line_at(h, lower_bound(h, name));
	return line.p != NULL && ai_span_eq(ai_history_name(line), name)
		? line : none;
}

/* ---- names --------------------------------------------------------------------- */

static bool has_slash(struct ai_span s)
{
	return s.n > 0 && memchr(s.p, '/', s.n) != NULL;
}

/* Its first line, or that of whose other name it is. */
static struct ai_span resolve(const struct ai_history *h, struct ai_span name)
{
	struct ai_span line = ai_history_first(h, name), is;

	if (line.p == NULL)
		return none;
	is = ai_history_is(line);
	return is.n == 0 ? line : ai_history_first(h, is);
}

static bool found(struct ai_history_hit *hit, struct ai_span first, int rank)
{
	if (first.p == NULL || ai_history_is(first).n > 0)
		return false;
	*hit = (struct ai_history_hit){ .rank = rank, .first = first };
	return true;
}

static bool of_maker(const struct ai_history *h, struct ai_span bare,
		     int rank, struct ai_history_hit *hit)
{
	char name[AI_CATALOG_NAME];
	int n;

	for (const char *const *m = ai_catalog_makers; *m != NULL; m++) {
		n = snprintf(name, sizeof name, "%s/%.*s", *m, (int)bare.n,
			     bare.p);
		if (n < (int)sizeof name &&
		    found(hit, resolve(h, (struct ai_span){ name, (size_t)n }),
			  rank))
			return true;
	}
	return false;
}

/* What others offer under this name: "/NAME" at the end of a name. */
static bool of_others(const struct ai_history *h, struct ai_span bare,
		      int rank, struct ai_history_hit *hit)
{
	char needle[AI_CATALOG_NAME + 4];
	const char *p = h->p, *end = h->p + h->n, *at, *back;
	int n = snprintf(needle, sizeof needle, "/%.*s\",\"", (int)bare.n,
			 bare.p);
	struct ai_span line, first;
	bool any = false;

	if (n >= (int)sizeof needle)
		return false;
	for (; (at = memmem(p, (size_t)(end - p), needle, (size_t)n)) != NULL;
	     p = at + 1) {
		back = memrchr(h->p, '\n', (size_t)(at - h->p));
		line = line_at(h, back == NULL ? h->p : back + 1);
		if (ai_history_name(line).p + ai_history_name(line).n !=
		    at + n - 3)
			continue;
		first = resolve(h, ai_history_name(line));
		if (any && first.p != NULL &&
		    !ai_span_eq(ai_history_name(first),
				ai_history_name(hit->first))) {
			hit->ambiguous = true;
			hit->rival = ai_history_name(first);
			return true;
		}
		any |= found(hit, first, rank);
	}
	return any;
}

/* The names that are this one with a snapshot behind it: the last of them. */
static bool with_snapshot(const struct ai_history *h, struct ai_span name,
			  struct ai_history_hit *hit)
{
	struct ai_span line = line_at(h, lower_bound(h, name)), key, cut;
	bool any = false;

	for (; line.p != NULL; line = ai_history_next(h, line)) {
		key = ai_history_name(line);
		if (key.n < name.n || memcmp(key.p, name.p, name.n) != 0)
			break;
		cut = key;
		while (cut.n > name.n && ai_catalog_cut_snapshot(&cut))
			;
		if (key.n > name.n && cut.n == name.n)
			any |= found(hit, resolve(h, key), AI_RANK_SNAPSHOT);
	}
	return any;
}

/* ---- rules for names -------------------------------------------------------------- */

/* Whether text that was found in a name ends a number there, so that "sonnet-4-5"
 * is not found in "sonnet-4-50". */
static bool ends_number(struct ai_span name, const char *found, size_t n)
{
	const char *end = found + n;

	return end == name.p + name.n || end[-1] < '0' || end[-1] > '9' ||
		*end < '0' || *end > '9';
}

/* How many bytes of the name a rule speaks of; 0: it does not fit. */
static size_t fits(struct ai_value rule, struct ai_span name, int depth);

static size_t fits_text(struct ai_value key, struct ai_value v,
			struct ai_span name)
{
	struct ai_span s = ai_json_inside(v);
	struct ai_regex *re = NULL;
	const char *at;
	int rc = 0;

	if (s.n == 0)
		return 0;
	if (ai_json_is(key, AI_SPAN("equals")))
		return ai_span_eq(s, name) ? s.n + 1000 : 0;
	if (ai_json_is(key, AI_SPAN("starts_with")))
		return name.n >= s.n && memcmp(name.p, s.p, s.n) == 0 &&
			ends_number(name, name.p, s.n) ? s.n : 0;
	if (ai_json_is(key, AI_SPAN("ends_with")))
		return name.n >= s.n && memcmp(name.p + name.n - s.n, s.p,
					       s.n) == 0 ? s.n : 0;
	if (ai_json_is(key, AI_SPAN("contains"))) {
		at = memmem(name.p, name.n, s.p, s.n);
		return at != NULL && ends_number(name, at, s.n) ? s.n : 0;
	}
	if (ai_json_is(key, AI_SPAN("regex"))) {
		struct ai_buf text = AI_BUF_INIT(4096);

		if (ai_json_text(v, &text) == 0 &&
		    ai_regex_new(&re, ai_buf_cstr(&text), text.len,
				 AI_REGEX_METERED, NULL) == 0)
			rc = ai_regex_match(re, name, 0, NULL, 0, NULL);
		ai_regex_free(re);
		ai_buf_release(&text);
	}
	return rc > 0 ? 1 : 0;
}

static size_t fits_list(struct ai_value list, bool all, struct ai_span name,
			int depth)
{
	struct ai_json_iter it;
	struct ai_value v;
	size_t best = 0, n;

	ai_json_iter_init(&it, list);
	while (list.kind == AI_ARRAY && ai_json_next(&it, NULL, &v)) {
		n = fits(v, name, depth + 1);
		if (all && n == 0)
			return 0;
		best = n > best ? n : best;
	}
	return best;
}

static size_t fits(struct ai_value rule, struct ai_span name, int depth)
{
	struct ai_json_iter it;
	struct ai_value key, v;
	size_t best = 0, n;

	ai_json_iter_init(&it, rule);
	while (rule.kind == AI_OBJECT && depth < 8 &&
	       ai_json_next(&it, &key, &v)) {
		n = ai_json_is(key, AI_SPAN("or"))
			? fits_list(v, false, name, depth)
			: ai_json_is(key, AI_SPAN("and"))
			? fits_list(v, true, name, depth)
			: fits_text(key, v, name);
		best = n > best ? n : best;
	}
	return best;
}

/* Of all models of the provider (of all makers, for a bare name) the one with
 * the rule that speaks of most of the name. */
static bool by_rule(const struct ai_history *h, struct ai_span typed,
		    struct ai_history_hit *hit)
{
	static const char has_rule[] = ",\"match\":";
	const char *slash = memchr(typed.p, '/', typed.n);
	struct ai_span line = none, name, bare = typed;
	struct ai_value v;
	size_t provider = slash == NULL ? 0 : (size_t)(slash + 1 - typed.p);
	size_t best = 0, n;

	bare.p += provider;
	bare.n -= provider;
	while ((line = ai_history_next(h, line)).p != NULL) {
		name = ai_history_name(line);
		if (provider > 0 ? name.n < provider ||
		    memcmp(name.p, typed.p, provider) != 0
				 : !ai_catalog_is_maker(name))
			continue;
		if (memmem(line.p, line.n, has_rule, strlen(has_rule)) ==
		    NULL || ai_json_check(line.p, line.n, &v, NULL) < 0)
			continue;
		n = fits(ai_json_member(v, AI_SPAN("match")), bare, 0);
		if (n > best && found(hit, ai_history_first(h, name),
				      AI_RANK_MATCH))
			best = n;
	}
	return best > 0;
}

bool ai_history_search(const struct ai_history *h, const struct ai_span *form,
		       int forms, int limit, struct ai_history_hit *hit)
{
	char name[AI_CATALOG_NAME];
	struct ai_span s;

	if (h->n == 0 || form[0].n == 0)
		return false;
	for (int i = 0; i < forms && 3 * i < limit; i++) {
		if (ai_table_canonical(form[i], name) < 0)
			return false;
		s = ai_span_of(name);
		if (has_slash(form[0])) {
			if (found(hit, resolve(h, s), 3 * i))
				return true;
			continue;
		}
		if ((3 * i + 1 < limit &&
		     of_maker(h, s, 3 * i + 1, hit)) ||
		    (3 * i + 2 < limit && of_others(h, s, 3 * i + 2, hit)))
			return true;
	}
	if (limit <= AI_RANK_SNAPSHOT ||
	    ai_table_canonical(form[0], name) < 0)
		return false;
	return with_snapshot(h, ai_span_of(name), hit) ||
		by_rule(h, ai_span_of(name), hit);
}

/* ---- prices ----------------------------------------------------------------------- */

struct ai_span ai_history_at(const struct ai_history *h, struct ai_span first,
			     struct ai_span when)
{
	struct ai_span best = first, line = first,
		name = ai_history_name(first),
		day = { when.p, when.n > 10 ? 10 : when.n };

	while ((line = ai_history_next(h, line)).p != NULL &&
	       ai_span_eq(ai_history_name(line), name))
		if (compare(ai_history_date(line), day) <= 0)
			best = line;
	return best;
}

static void copy(struct ai_value v, char *out, size_t size)
{
	if (v.kind == AI_STRING)
		snprintf(out, size, "%.*s", v.s.n - 2 >= size ? (int)size - 1
			 : (int)v.s.n - 2, v.s.p + 1);
}

/* "16:30", as minutes; -1: none. */
static int minute_of(struct ai_span s)
{
	if (s.n < 5 || s.p[2] != ':' || s.p[0] < '0' || s.p[0] > '2' ||
	    s.p[1] < '0' || s.p[1] > '9' || s.p[3] < '0' || s.p[3] > '5' ||
	    s.p[4] < '0' || s.p[4] > '9')
		return -1;
	return ((s.p[0] - '0') * 10 + s.p[1] - '0') * 60 +
		(s.p[3] - '0') * 10 + s.p[4] - '0';
}

/* What holds in these hours, or may if nobody says when. */
static int read_hours(struct ai_value v, struct ai_span when,
		      struct ai_price *p, struct ai_err *err)
{
	struct ai_price other;
	int from = minute_of(ai_json_inside(ai_json_member(v, AI_SPAN("from")))),
		to = minute_of(ai_json_inside(ai_json_member(v, AI_SPAN("to")))),
		now = when.n < 16 ? -1
			: minute_of((struct ai_span){ when.p + 11, 5 });

	if (from < 0 || to < 0)
		return ai_err_set(err, AI_E_CONFIG, "hours: from and to are "
				  "as in \"16:30\"");
	if (ai_price_read(ai_json_member(v, AI_SPAN("price")), &other,
			  err) < 0)
		return -1;
	if (now < 0)
		ai_price_dearer(p, &other);
	else if (from <= to ? now >= from && now < to
			    : now >= from || now < to)
		*p = other;
	return 0;
}

static int read_limit(struct ai_value v, const char *name, int64_t *out,
		      struct ai_err *err)
{
	if (v.kind == AI_NONE)
		return 0;
	if (ai_json_i64(v, out) < 0 || *out <= 0)
		return ai_err_set(err, AI_E_CONFIG,
				  "%s: must be a whole number above 0", name);
	return 0;
}

static int read_line(struct ai_value v, struct ai_span when,
		     struct ai_model *m, struct ai_err *err)
{
	struct ai_value hours = ai_json_member(v, AI_SPAN("hours"));
	struct ai_span name = ai_json_inside(ai_json_member(v, AI_SPAN("model")));

	memset(m, 0, sizeof *m);
	if (name.n == 0 || name.n >= sizeof m->name || !has_slash(name))
		return ai_err_set(err, AI_E_CONFIG, "model: is no name");
	memcpy(m->name, name.p, name.n);
	snprintf(m->provider, sizeof m->provider, "%.*s",
		 (int)strcspn(m->name, "/"), m->name);
	if (read_limit(ai_json_member(v, AI_SPAN("context")), "context",
		       &m->context, err) < 0 ||
	    read_limit(ai_json_member(v, AI_SPAN("max_output")), "max_output",
		       &m->max_output, err) < 0 ||
	    ai_price_read(ai_json_member(v, AI_SPAN("price")), &m->price,
			  err) < 0 ||
	    (hours.kind != AI_NONE && read_hours(hours, when, &m->price,
						 err) < 0))
		return -1;
	copy(ai_json_member(v, AI_SPAN("source")), m->price.source,
	     sizeof m->price.source);
	copy(ai_json_member(v, AI_SPAN("date")), m->price.date,
	     sizeof m->price.date);
	return 0;
}

int ai_history_read(struct ai_span line, struct ai_span when,
		    struct ai_model *m, struct ai_err *err)
{
	struct ai_span name = ai_history_name(line);
	struct ai_value v;
	struct ai_err why;

	if (ai_json_check(line.p, line.n, &v, &why) == 0 &&
	    read_line(v, when, m, &why) == 0)
		return 0;
	return ai_err_set(err, AI_E_CONFIG, "imported price of '%.*s': %s",
			  name.n > 100 ? 100 : (int)name.n, name.p, why.msg);
}
