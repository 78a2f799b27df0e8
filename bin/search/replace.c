/*
 * replace.c: files that came in another version than the index has.
 *
 * The old passages go in the transaction that brings the last one missing of
 * the new ones.  Whether all have come is asked of the index, not remembered:
 * they may come in any order, between those of other files, in several runs.
 * A file that stays incomplete keeps its old passages: what came may be all
 * that a program before us in the pipe wrote before it died.
 */
#include "search.h"

#include "base/msg.h"

#include <stdlib.h>
#include <string.h>

#define NAMED_MAX 10 /* files that messages name */

/* A file whose old passages are still there. */
struct search_replacement {
	struct ai_span uri, doc; /* owned */
	int64_t run;
	int64_t of;      /* the passages of the new version; -1: not known */
	int64_t missing; /* at least so many of them */
	struct search_replacement *next;
};

static struct ai_span span_of(const struct ai_buf *b)
{
	return (struct ai_span){ ai_buf_cstr(b), b->len };
}

static bool same(struct ai_span a, struct ai_span b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static struct search_version version_of(const struct search_replacement *r)
{
	return (struct search_version){ r->uri, r->doc, r->run };
}

/* Where the file's entry is or would be linked in. */
static struct search_replacement **find(struct search_replacements *all,
					struct ai_span uri)
{
	struct search_replacement **at;
	uint32_t hash = 2166136261U;
	size_t i;

	for (i = 0; i < uri.n; i++)
		hash = (hash ^ (unsigned char)uri.p[i]) * 16777619U;
	for (at = &all->v[hash % SEARCH_BUCKETS]; *at != NULL;
	     at = &(*at)->next)
		if (same((*at)->uri, uri))
			break;
	return at;
}

static void drop(struct search_replacement **at)
{
	struct search_replacement *r = *at;

	*at = r->next;
	free((void *)(uintptr_t)r->uri.p);
	free((void *)(uintptr_t)r->doc.p);
	free(r);
}

static int add(struct search_replacement **at, const struct search_document *d,
	       struct ai_err *err)
{
	struct search_replacement *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return ai_err_nomem(err);
	*at = r;
	r->uri = (struct ai_span){ ai_span_dup(span_of(&d->uri)), d->uri.len };
	r->doc = (struct ai_span){ ai_span_dup(span_of(&d->doc)), d->doc.len };
	r->run = d->run;
	r->of = d->empty ? 0 : d->of > 0 ? d->of : -1;
	if (r->uri.p != NULL && r->doc.p != NULL)
		return 0;
	drop(at);
	return ai_err_nomem(err);
}

/* Looks what the index has of the new version. */
static int count(struct search_index *ix, struct search_replacement *r,
		 struct ai_err *err)
{
	int64_t there = 0;

	if (r->of > 0 &&
	    search_count_parts(ix, version_of(r), r->of, &there, err) < 0)
		return -1;
	r->missing = r->of < 0 ? INT64_MAX : r->of - there;
	return 0;
}

/* The old passages go if nothing is missing, and the entry with them. */
static int settle(struct search_index *ix, struct search_replacement **at,
		  bool partial, struct ai_err *err)
{
	if (count(ix, *at, err) < 0)
		return -1;
	if ((*at)->missing > 0 && !partial)
		return 0;
	if (search_remove_stale(ix, version_of(*at), err) < 0)
		return -1;
	drop(at);
	return 0;
}

int search_replace_before(struct search_replacements *all,
			  struct search_index *ix,
			  const struct search_document *d, struct ai_err *err)
{
	struct search_replacement **at = find(all, span_of(&d->uri)), *r = *at;

	if (r == NULL ||
	    (r->run == d->run && same(r->doc, span_of(&d->doc))))
		return 0;
	if (settle(ix, at, search.partial, err) < 0)
		return -1;
	if (*at == r)
		drop(at);
	return 0;
}

int search_replace_after(struct search_replacements *all,
			 struct search_index *ix,
			 const struct search_document *d, struct ai_err *err)
{
	struct search_version v = { span_of(&d->uri), span_of(&d->doc),
				    d->run };
	struct search_replacement **at;
	int64_t stale;

	if (v.uri.n == 0 || v.doc.n == 0)
		return 0;
	at = find(all, v.uri);
	if (*at != NULL) {
		if ((*at)->missing != INT64_MAX)
			(*at)->missing--;
		return 0;
	}
	if (search_find_stale(ix, v, &stale, err) < 0)
		return -1;
	if (stale == 0)
		return 0;
	return add(at, d, err) < 0 ? -1 : count(ix, *at, err);
}

int search_replace_ready(struct search_replacements *all,
			 struct search_index *ix, struct ai_err *err)
{
	struct search_replacement **at, *r;
	size_t i;

	for (i = 0; i < SEARCH_BUCKETS; i++)
		for (at = &all->v[i]; (r = *at) != NULL;) {
			if (r->missing <= 0 && settle(ix, at, false, err) < 0)
				return -1;
			if (*at == r)
				at = &r->next;
		}
	return 0;
}

bool search_replace_any(const struct search_replacements *all)
{
	size_t i;

	for (i = 0; i < SEARCH_BUCKETS; i++)
		if (all->v[i] != NULL)
			return true;
	return false;
}

/* ---- the end of the input ------------------------------------------------------ */

static void name_file(const struct search_replacement *r)
{
	int n = r->uri.n > 200 ? 200 : (int)r->uri.n;

	if (r->of < 0)
		ai_msg(AI_MSG_WARN, "'%.*s' does not say how many passages it "
		       "has: its old ones stay, beside the new ones; if all "
		       "have come, add it with --partial", n, r->uri.p);
	else
		ai_msg(AI_MSG_WARN, "'%.*s': %lld of its %lld passages did "
		       "not come: its old ones stay, beside the new ones; add "
		       "it again, or with --partial if they were left out on "
		       "purpose", n, r->uri.p, (long long)r->missing,
		       (long long)r->of);
}

/* One file is finished, or counted among those that are not. */
static int end_one(struct search_index *ix, struct search_replacement **at,
		   int64_t *incomplete, struct ai_err *err)
{
	struct search_replacement *r = *at;
	int64_t stale;

	if (settle(ix, at, search.partial, err) < 0)
		return -1;
	if (*at != r)
		return 0;
	if (search_find_stale(ix, version_of(r), &stale, err) < 0)
		return -1;
	if (stale != 0 && ++*incomplete <= NAMED_MAX)
		name_file(r);
	drop(at);
	return 0;
}

int search_replace_end(struct search_replacements *all,
		       struct search_index *ix, int64_t *incomplete,
		       struct ai_err *err)
{
	size_t i;

	*incomplete = 0;
	for (i = 0; i < SEARCH_BUCKETS; i++)
		while (all->v[i] != NULL)
			if (end_one(ix, &all->v[i], incomplete, err) < 0)
				return -1;
	if (*incomplete > NAMED_MAX)
		ai_msg(AI_MSG_WARN, "%lld more files are incomplete too",
		       (long long)*incomplete - NAMED_MAX);
	return 0;
}

void search_replace_release(struct search_replacements *all)
{
	size_t i;

	for (i = 0; i < SEARCH_BUCKETS; i++)
		while (all->v[i] != NULL)
			drop(&all->v[i]);
}
