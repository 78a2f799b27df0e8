/* shape.c: age and sources. */
#include "shape.h"

#include "filter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- --decay PATH:HALFLIFE ------------------------------------------------------ */

struct decay {
	struct ai_span path;
	double half; /* seconds */
	double now;
};

/* 30d, 1.5h; the letter says which. */
static bool read_span(const char *text, double *seconds)
{
	static const struct {
		char unit;
		double seconds;
	} units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'w', 7 * 86400 }, { 'y', 365.2425 * 86400 },
	};
	size_t n = strlen(text), i;
	double value;

	if (n < 2 || ai_parse_f64((struct ai_span){ text, n - 1 }, &value) < 0)
		return false;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].unit != text[n - 1])
			continue;
		*seconds = value * units[i].seconds;
		return *seconds > 0 && *seconds < 1e18;
	}
	return false;
}

static int read_now(double *now, struct ai_err *err)
{
	struct search_date d;
	struct timespec t;

	if (search.now == NULL) {
		clock_gettime(CLOCK_REALTIME, &t);
		*now = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
		return 0;
	}
	if (!search_date_read(ai_span_of(search.now), &d))
		return ai_err_set(err, AI_E_USAGE, "--now %.60s: no date as "
				  "2026-11-29T12:00Z", search.now);
	*now = (double)d.s + d.ns / 1e9;
	return 0;
}

static int read_decay(struct decay *d, struct ai_err *err)
{
	const char *colon = strrchr(search.decay, ':');

	if (colon == NULL || colon == search.decay ||
	    !read_span(colon + 1, &d->half))
		return ai_err_set(err, AI_E_USAGE, "--decay %.100s: write "
				  "PATH:HALFLIFE, as in date:30d (s, m, h, d, "
				  "w, y)", search.decay);
	d->path = (struct ai_span){ search.decay,
				    (size_t)(colon - search.decay) };
	if (d->path.n > 5 && memcmp(d->path.p, "meta.", 5) == 0)
		d->path = (struct ai_span){ d->path.p + 5, d->path.n - 5 };
	return read_now(&d->now, err);
}

int search_shape_check(struct ai_err *err)
{
	struct decay d;
	int64_t n;

	if (search.decay != NULL && read_decay(&d, err) < 0)
		return -1;
	if (search.now != NULL && read_now(&d.now, err) < 0)
		return -1;
	if (search.expand == NULL || strcmp(search.expand, "section") == 0 ||
	    (ai_parse_i64(ai_span_of(search.expand), &n) == 0 && n >= 0 &&
	     n <= 1000))
		return 0;
	return ai_err_set(err, AI_E_USAGE, "--expand %.60s: a number from 0 to "
			  "1000, or section", search.expand);
}

struct dated {
	const struct decay *how;
	bool found;
	double at; /* the latest */
};

/* A date, or seconds since 1970. */
static int take_date(void *arg, struct ai_span path, enum search_kind kind,
		     struct ai_span value, struct ai_err *err)
{
	struct dated *d = arg;
	struct search_date date;
	double at;

	(void)err;
	if (!ai_span_eq(path, d->how->path))
		return 0;
	if (kind == SEARCH_IS_STRING && search_date_read(value, &date))
		at = (double)date.s + date.ns / 1e9;
	else if (kind != SEARCH_IS_NUMBER || ai_parse_f64(value, &at) < 0)
		return 0;
	if (!d->found || at > d->at)
		d->at = at;
	d->found = true;
	return 0;
}

static int decay_one(struct search_fused *f, struct search_index *ix,
		     const struct decay *how, struct ai_err *err)
{
	struct dated d = { .how = how };
	sqlite3_stmt *st;
	bool odd;
	int rc;

	if (SEARCH_BIND(ix, SQL_BY_N, err, "i", f->key.n) < 0)
		return -1;
	st = ix->st[SQL_BY_N];
	rc = ai_db_step(&ix->db, st, err);
	if (rc > 0)
		rc = search_values(ai_db_span(st, COL_SOURCE),
				   ai_db_span(st, COL_META), false, take_date,
				   &d, &odd, err);
	sqlite3_reset(st);
	if (rc < 0)
		return -1;
	if (d.found && d.at < how->now)
		f->faded = exp2((d.at - how->now) / how->half);
	/* What is below zero does not become better with age. */
	if (f->key.score > 0)
		f->key.score *= f->faded;
	return 0;
}

int search_decay(struct search_list *l, struct search_index *ix,
		 struct ai_err *err)
{
	struct decay how;
	size_t i;

	if (search.decay == NULL)
		return 0;
	if (read_decay(&how, err) < 0)
		return -1;
	for (i = 0; i < l->n; i++)
		if (decay_one(&l->v[i], ix, &how, err) < 0)
			return -1;
	return 0;
}

/* ---- --per-source N -------------------------------------------------------------- */

struct source {
	char *uri;
	size_t n;
	int64_t count;
};

/* How many of this source there are now; 1 for what has none. */
static int count_source(struct source *v, size_t *n, struct ai_span uri,
			int64_t *count, struct ai_err *err)
{
	size_t i;

	*count = 1;
	if (uri.p == NULL)
		return 0;
	for (i = 0; i < *n; i++) {
		if (!ai_span_eq((struct ai_span){ v[i].uri, v[i].n }, uri))
			continue;
		*count = ++v[i].count;
		return 0;
	}
	v[i] = (struct source){ ai_span_dup(uri), uri.n, 1 };
	if (v[i].uri == NULL)
		return ai_err_nomem(err);
	++*n;
	return 0;
}

static int source_of(struct search_index *ix, int64_t row, struct source *v,
		     size_t *n, int64_t *count, struct ai_err *err)
{
	sqlite3_stmt *st;
	int rc;

	*count = 1;
	if (SEARCH_BIND(ix, SQL_BY_N, err, "i", row) < 0)
		return -1;
	st = ix->st[SQL_BY_N];
	rc = ai_db_step(&ix->db, st, err);
	if (rc > 0)
		rc = count_source(v, n, ai_db_span(st, COL_URI), count, err);
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}

int search_cap_sources(struct search_list *l, struct search_index *ix,
		       size_t k, struct ai_err *err)
{
	struct source *v;
	size_t i, to = 0, n = 0;
	int64_t count;
	int rc = 0;

	if (search.per_source == 0)
		return 0;
	v = calloc(l->n + 1, sizeof(*v));
	if (v == NULL)
		return ai_err_nomem(err);
	for (i = 0; i < l->n && to < k && rc == 0; i++) {
		rc = source_of(ix, l->v[i].key.n, v, &n, &count, err);
		if (count <= search.per_source)
			l->v[to++] = l->v[i];
	}
	l->n = to;
	for (i = 0; i < n; i++)
		free(v[i].uri);
	free(v);
	return rc;
}
