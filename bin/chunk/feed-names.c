/* feed-names.c: names that were met in a run. */
#include "feed-int.h"

#include <stdlib.h>
#include <string.h>

int feed_add_name(struct feed_names *names, const char *name, size_t n,
		  struct ai_err *err)
{
	size_t cap = names->cap * 2 + 16;
	char **more, *copy;

	/* Names come sorted, mostly. */
	if (names->n > 0 && strlen(names->v[names->n - 1]) == n &&
	    memcmp(names->v[names->n - 1], name, n) == 0)
		return 0;
	if (names->n == names->cap) {
		more = reallocarray(names->v, cap, sizeof *more);
		if (more == NULL)
			return ai_err_nomem(err);
		names->v = more;
		names->cap = cap;
	}
	copy = strndup(name, n);
	if (copy == NULL)
		return ai_err_nomem(err);
	names->v[names->n++] = copy;
	return 0;
}

void feed_release_names(struct feed_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->v[i]);
	free(names->v);
	*names = (struct feed_names){ NULL, 0, 0 };
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void feed_sort_names(struct feed_names *names)
{
	if (names->n > 1)
		qsort(names->v, names->n, sizeof *names->v, by_text);
}

static int span_first(const void *key, const void *element)
{
	const struct ai_span *s = key;
	const char *name = *(char *const *)element;
	int rc = strncmp(s->p, name, s->n);

	return rc != 0 ? rc : name[s->n] == '\0' ? 0 : -1;
}

bool feed_has_name(const struct feed_names *names, const char *name, size_t n)
{
	const struct ai_span key = { name, n };

	return names->n > 0 && bsearch(&key, names->v, names->n,
				       sizeof *names->v, span_first) != NULL;
}

bool feed_is_below(const struct feed_names *names, const char *path)
{
	for (size_t i = 0;; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		if (feed_has_name(names, path, i) ||
		    (i == 0 && path[0] == '/' && feed_has_name(names, "/", 1)))
			return true;
		if (path[i] == '\0')
			return false;
	}
}

/* ---- each once ----------------------------------------------------------- */

static size_t place_of(const struct feed_set *set, const unsigned char *hash)
{
	size_t i;

	memcpy(&i, hash, sizeof i);
	for (i &= set->cap - 1; set->used[i]; i = (i + 1) & (set->cap - 1))
		if (memcmp(set->v[i], hash, AI_HASH_BYTES) == 0)
			break;
	return i;
}

static int grow(struct feed_set *set, struct ai_err *err)
{
	struct feed_set old = *set;
	size_t at;

	set->cap = old.cap == 0 ? 256 : old.cap * 2;
	set->v = calloc(set->cap, sizeof *set->v);
	set->used = calloc(set->cap, 1);
	if (set->v == NULL || set->used == NULL) {
		feed_release_set(set);
		*set = old;
		return ai_err_nomem(err);
	}
	for (size_t i = 0; i < old.cap; i++)
		if (old.used[i]) {
			at = place_of(set, old.v[i]);
			memcpy(set->v[at], old.v[i], AI_HASH_BYTES);
			set->used[at] = true;
		}
	feed_release_set(&old);
	return 0;
}

int feed_set_add(struct feed_set *set, const char *name, struct ai_err *err)
{
	unsigned char hash[AI_HASH_BYTES];
	char hex[AI_HASH_HEX];
	size_t at;

	if (set->n * 2 >= set->cap && grow(set, err) < 0)
		return -1;
	ai_hash_of(name, strlen(name), hex);
	ai_unhex(hex, AI_HASH_HEX - 1, hash);
	at = place_of(set, hash);
	if (set->used[at])
		return 0;
	memcpy(set->v[at], hash, sizeof hash);
	set->used[at] = true;
	set->n++;
	return 1;
}

void feed_release_set(struct feed_set *set)
{
	free(set->v);
	free(set->used);
	set->v = NULL;
	set->used = NULL;
	set->n = set->cap = 0;
}
