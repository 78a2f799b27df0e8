/* postings-read.c: a mapped file of postings, and its dictionary. */
#include "crypt/hash.h"
#include "postings-int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(struct words_header) == 512, "the header's size");
_Static_assert(sizeof(struct words_skip) == 16, "a skip's size");

int words_damaged(const struct search_words *w, const char *what,
		  struct ai_err *err)
{
	return ai_err_set(err, AI_E_DATA, "'%s' is damaged: %s", w->path, what);
}

/* ---- the header -------------------------------------------------------------- */

static bool hash_is_right(const struct words_header *h)
{
	unsigned char hash[WORDS_HASH];
	struct words_header copy = *h;

	memset(copy.hash, 0, sizeof(copy.hash));
	crypto_generichash(hash, sizeof(hash), (const unsigned char *)&copy,
			   sizeof(copy), NULL, 0);
	return memcmp(hash, h->hash, sizeof(hash)) == 0;
}

/* What the sizes of the sections must be; NULL: all is well. */
static const char *sections_are_wrong(struct search_words *w)
{
	const struct words_header *h = w->h;
	size_t i, count = (size_t)h->count;

	for (i = 0; i < WORDS_SECTIONS; i++) {
		if (h->section[i].at > w->bytes ||
		    h->section[i].n > w->bytes - h->section[i].at)
			return "a section lies outside";
		w->at[i] = w->map + h->section[i].at;
		w->n[i] = (size_t)h->section[i].n;
	}
	w->groups = w->n[WORDS_KEYS] / 8;
	if (h->terms > 0xFFFFFFFFu || w->n[WORDS_TERMS] > 0xFFFFFFFFu ||
	    w->n[WORDS_KEYS] != (h->terms + WORDS_GROUP - 1) / WORDS_GROUP * 8 ||
	    w->n[WORDS_PLACES] != (w->groups + 1) * 4)
		return "the dictionary has another size";
	if ((h->width != 2 && h->width != 4) ||
	    w->n[WORDS_LENGTHS] != count * h->width ||
	    w->n[WORDS_CHECKS] !=
		    (count + WORDS_CHUNK - 1) / WORDS_CHUNK * 4)
		return "the lengths have another size";
	if (w->n[WORDS_ROWS] != (count == h->to - h->from ? 0 : count * 4))
		return "the rows have another size";
	return NULL;
}

static const char *header_is_wrong(struct search_words *w)
{
	const struct words_header *h = w->h;

	if (w->bytes < sizeof(*h) ||
	    memcmp(h->magic, WORDS_MAGIC, sizeof(h->magic)) != 0)
		return "it is no file of postings";
	if (h->order != WORDS_ORDER)
		return "it was written by a machine of another kind";
	if (h->version != WORDS_VERSION)
		return "it has another version";
	if (!hash_is_right(h) || h->bytes != w->bytes)
		return "its header or its size is wrong";
	if (h->from > h->to || h->to > SEARCH_ROW_MAX + 1 ||
	    h->count > h->to - h->from || h->count > WORDS_SLOTS ||
	    memchr(h->analyzer, '\0', sizeof(h->analyzer)) == NULL ||
	    !(h->average >= 0) || h->tokens > INT64_MAX)
		return "its header makes no sense";
	return sections_are_wrong(w);
}

static void fill_info(struct search_words *w)
{
	w->info = (struct search_words_info){
		.from = (int64_t)w->h->from, .to = (int64_t)w->h->to,
		.count = (int64_t)w->h->count,
		.tokens = (int64_t)w->h->tokens,
		.terms = (int64_t)w->h->terms, .bytes = (int64_t)w->bytes,
	};
	memcpy(w->info.analyzer, w->h->analyzer, sizeof(w->info.analyzer));
}

static int map_file(struct search_words *w, struct ai_err *err)
{
	int fd = open(w->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	const char *wrong;
	void *map;

	if (fd < 0)
		return ai_err_sys(err, AI_E_OPEN, errno, "cannot open '%s'",
				  w->path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0) {
		close(fd);
		return words_damaged(w, "it is empty or no file", err);
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return ai_err_sys(err, AI_E_OS, errno, "cannot map '%s'",
				  w->path);
	w->map = map;
	w->bytes = (size_t)st.st_size;
	w->h = map;
	wrong = header_is_wrong(w);
	if (wrong != NULL)
		return words_damaged(w, wrong, err);
	w->checked = calloc(w->n[WORDS_CHECKS] / 32 + 1, 1);
	if (w->checked == NULL)
		return ai_err_nomem(err);
	fill_info(w);
	return 0;
}

struct search_words *search_words_open(const char *path, struct ai_err *err)
{
	struct search_words *w = calloc(1, sizeof(*w));

	if (w == NULL || (w->path = strdup(path)) == NULL) {
		free(w);
		ai_err_nomem(err);
		return NULL;
	}
	if (map_file(w, err) < 0) {
		search_words_close(w);
		return NULL;
	}
	return w;
}

void search_words_close(struct search_words *w)
{
	if (w == NULL)
		return;
	if (w->map != NULL)
		munmap((void *)w->map, w->bytes);
	free(w->checked);
	free(w->path);
	free(w);
}

const struct search_words_info *search_words_info(const struct search_words *w)
{
	return &w->info;
}

/* ---- rows ---------------------------------------------------------------------- */

int64_t words_slot(const struct search_words *w, int64_t n)
{
	size_t low = 0, high = (size_t)w->info.count, mid;

	if (n < w->info.from || n >= w->info.to)
		return -1;
	if (w->n[WORDS_ROWS] == 0)
		return n - w->info.from;
	while (low < high) {
		mid = (low + high) / 2;
		if (words_row(w, (uint32_t)mid) < n)
			low = mid + 1;
		else
			high = mid;
	}
	return low < (size_t)w->info.count &&
			       words_row(w, (uint32_t)low) == n
		       ? (int64_t)low
		       : -1;
}

/* A chunk of a section with so many bytes a slot. */
static struct ai_span part_of(const struct search_words *w,
			      enum words_section section, size_t width,
			      size_t chunk)
{
	size_t size = WORDS_CHUNK * width, at = chunk * size;
	size_t n = w->n[section] > at ? w->n[section] - at : 0;

	return (struct ai_span){ (const char *)w->at[section] + (n > 0 ? at : 0),
				 n < size ? n : size };
}

int words_lengths_check(const struct search_words *w, uint32_t from,
			uint32_t to, struct ai_err *err)
{
	size_t chunk;
	uint32_t check;

	for (chunk = from / WORDS_CHUNK; chunk * WORDS_CHUNK < to; chunk++) {
		unsigned char bit = (unsigned char)(1u << chunk % 8);

		if (w->checked[chunk / 8] & bit)
			continue;
		memcpy(&check, w->at[WORDS_CHECKS] + chunk * 4, 4);
		if (words_chunk_check(part_of(w, WORDS_LENGTHS, w->h->width,
					      chunk),
				      part_of(w, WORDS_ROWS, 4, chunk)) !=
		    check)
			return words_damaged(w, "lengths or rows", err);
		w->checked[chunk / 8] |= bit;
	}
	return 0;
}

int64_t search_words_length(const struct search_words *w, int64_t n)
{
	int64_t slot = words_slot(w, n);

	return slot < 0 ? -1 : (int64_t)words_length(w, (uint32_t)slot);
}

/* ---- the dictionary -------------------------------------------------------------- */

static uint64_t key_at(const struct search_words *w, size_t group)
{
	uint64_t key;

	memcpy(&key, w->at[WORDS_KEYS] + group * 8, 8);
	return key;
}

static uint32_t place_at(const struct search_words *w, size_t group)
{
	uint32_t place;

	memcpy(&place, w->at[WORDS_PLACES] + group * 4, 4);
	return place;
}

int words_walk_begin(struct words_walk *walk, const struct search_words *w,
		     size_t group, struct ai_err *err)
{
	uint32_t from, to, check;

	walk->w = w;
	walk->group = group;
	walk->left = 0;
	if (group >= w->groups)
		return 0;
	from = place_at(w, group);
	to = place_at(w, group + 1);
	if (from > to || to > w->n[WORDS_TERMS] || to - from < 4)
		return words_damaged(w, "the dictionary's places", err);
	walk->p = w->at[WORDS_TERMS] + from;
	walk->end = w->at[WORDS_TERMS] + to;
	memcpy(&check, walk->p, 4);
	walk->p += 4;
	if (words_check(walk->p, (size_t)(walk->end - walk->p)) != check)
		return words_damaged(w, "the dictionary", err);
	walk->p = words_get(walk->p, walk->end, &walk->next_postings);
	walk->p = words_get(walk->p, walk->end, &walk->next_positions);
	if (walk->p == NULL)
		return words_damaged(w, "the dictionary", err);
	walk->left = group + 1 < w->groups
			     ? WORDS_GROUP
			     : (unsigned)((w->h->terms - 1) % WORDS_GROUP + 1);
	walk->n = 0;
	return 0;
}

/* The bytes of the next term. */
static bool read_term(struct words_walk *walk)
{
	size_t common, more;

	if (walk->end - walk->p < 2)
		return false;
	common = walk->p[0];
	more = walk->p[1];
	walk->p += 2;
	if (common > walk->n || common + more > sizeof(walk->term) ||
	    (size_t)(walk->end - walk->p) < more + 2)
		return false;
	memcpy(walk->term + common, walk->p, more);
	walk->n = common + more;
	walk->p += more;
	return true;
}

int words_walk_next(struct words_walk *walk, struct ai_err *err)
{
	const struct search_words *w = walk->w;
	struct words_entry *e = &walk->entry;
	uint64_t df;

	if (walk->left == 0) {
		if (walk->group + 1 >= w->groups)
			return 0;
		if (words_walk_begin(walk, w, walk->group + 1, err) < 0)
			return -1;
	}
	if (!read_term(walk))
		return words_damaged(w, "the dictionary", err);
	memcpy(&e->impact, walk->p, 2);
	walk->p = words_get(walk->p + 2, walk->end, &df);
	walk->p = words_get(walk->p, walk->end, &e->postings_n);
	walk->p = words_get(walk->p, walk->end, &e->positions_n);
	e->postings = walk->next_postings;
	e->positions = walk->next_positions;
	if (walk->p == NULL || df == 0 || df > w->h->count ||
	    e->postings > w->n[WORDS_POSTINGS] ||
	    e->postings_n > w->n[WORDS_POSTINGS] - e->postings ||
	    e->positions > w->n[WORDS_POSITIONS] ||
	    e->positions_n > w->n[WORDS_POSITIONS] - e->positions)
		return words_damaged(w, "an entry of the dictionary", err);
	e->df = (uint32_t)df;
	walk->left--;
	e->place = (uint32_t)(walk->group * WORDS_GROUP +
			      (walk->group + 1 < w->groups
				       ? WORDS_GROUP
				       : (w->h->terms - 1) % WORDS_GROUP + 1) -
			      walk->left - 1);
	walk->next_postings += e->postings_n;
	walk->next_positions += e->positions_n;
	return 1;
}

static int compare(const unsigned char *a, size_t an, struct ai_span b)
{
	int c = memcmp(a, b.p, an < b.n ? an : b.n);

	return c != 0 ? c : an < b.n ? -1 : an > b.n;
}

/* The first group whose key is at least (or, with above, above) this. */
static size_t find_key(const struct search_words *w, uint64_t key, bool above)
{
	size_t low = 0, high = w->groups, mid;

	while (low < high) {
		uint64_t k;

		mid = (low + high) / 2;
		k = key_at(w, mid);
		if (k < key || (above && k == key))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The last group that begins with no more than the term; 0 if none does. */
static int find_group(struct words_walk *walk, const struct search_words *w,
		      struct ai_span term, size_t *group, struct ai_err *err)
{
	size_t low, high, mid;
	uint64_t key = 0;
	size_t i;

	for (i = 0; i < 8; i++)
		key = key << 8 | (i < term.n ? (unsigned char)term.p[i] : 0);
	low = find_key(w, key, false);
	high = find_key(w, key, true);
	while (low < high) {
		mid = (low + high) / 2;
		if (words_walk_begin(walk, w, mid, err) < 0 ||
		    words_walk_next(walk, err) < 0)
			return -1;
		if (compare(walk->term, walk->n, term) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	*group = low > 0 ? low - 1 : 0;
	return 0;
}

/* Whether the group's first term is above this one; group may be the end. */
static int group_is_above(const struct search_words *w, size_t group,
			  struct ai_span term, struct ai_err *err)
{
	struct words_walk walk;

	if (group >= w->groups)
		return 1;
	if (words_walk_begin(&walk, w, group, err) < 0 ||
	    words_walk_next(&walk, err) < 0)
		return -1;
	return compare(walk.term, walk.n, term) > 0;
}

/* A term that is not there might be elsewhere, if the keys are damaged. */
static int is_between(const struct search_words *w, size_t group,
		      struct ai_span term, struct ai_err *err)
{
	int below = group == 0 ? 0 : group_is_above(w, group, term, err);
	int above = group_is_above(w, group + 1, term, err);

	if (below < 0 || above < 0)
		return -1;
	return below == 0 && above == 1
		       ? 0
		       : words_damaged(w, "the dictionary's keys", err);
}

int words_seek(struct words_walk *walk, const struct search_words *w,
	       struct ai_span term, bool *end, struct ai_err *err)
{
	size_t group;
	int rc, c;

	*end = true;
	if (find_group(walk, w, term, &group, err) < 0 ||
	    words_walk_begin(walk, w, group, err) < 0)
		return -1;
	while ((rc = words_walk_next(walk, err)) > 0) {
		c = compare(walk->term, walk->n, term);
		if (c < 0)
			continue;
		*end = false;
		return c == 0 ? 1 : is_between(w, group, term, err);
	}
	return rc < 0 || w->groups == 0 ? rc : is_between(w, group, term, err);
}

/* ---- postings ------------------------------------------------------------------------ */

int words_list_open(struct words_list *l, const struct search_words *w,
		    const struct words_entry *e, struct ai_err *err)
{
	size_t n = (size_t)e->postings_n, skips;
	uint32_t check;

	l->w = w;
	l->entry = *e;
	l->data = w->at[WORDS_POSTINGS] + e->postings;
	l->blocks = (e->df + WORDS_BLOCK - 1) / WORDS_BLOCK;
	l->have = l->blocks;
	l->n = 0;
	l->skips = NULL;
	skips = l->blocks > 1 ? l->blocks * sizeof(struct words_skip) + 4 : 2;
	if (n < skips)
		return words_damaged(w, "postings", err);
	l->data_n = n - skips;
	if (l->blocks == 1)
		return 0;
	l->skips = (const void *)(l->data + l->data_n);
	memcpy(&check, l->data + n - 4, 4);
	if (words_check(l->skips, skips - 4) != check)
		return words_damaged(w, "postings", err);
	return 0;
}

/* A block of varints: the last one, or the only one. */
static bool read_tail(struct words_list *l, const unsigned char *p,
		      const unsigned char *end, uint32_t before)
{
	size_t i, n = (l->entry.df - 1) % WORDS_BLOCK + 1;
	uint64_t slot = (uint32_t)(before + 1), gap, tf;

	for (i = 0; i < n; i++, slot++) {
		p = words_get(p, end, &gap);
		p = words_get(p, end, &tf);
		if (p == NULL || gap > WORDS_SLOTS || tf >= WORDS_TF_MAX)
			return false;
		slot += gap;
		if (slot >= l->w->h->count)
			return false;
		l->slots[i] = (uint32_t)slot;
		l->tf[i] = (uint32_t)tf + 1;
	}
	l->n = n;
	return p == end;
}

static bool read_packed(struct words_list *l, const unsigned char *p, size_t n,
			uint32_t before, const struct words_skip *s)
{
	size_t i;

	if (s->gap_bits > 31 || s->tf_bits > 31 ||
	    n != 16u * (s->gap_bits + s->tf_bits))
		return false;
	words_unpack_slots(p, s->gap_bits, before, l->slots);
	words_unpack_tf(p + 16u * s->gap_bits, s->tf_bits, l->tf);
	l->n = WORDS_BLOCK;
	/* Less than 24 bits cannot overflow. */
	for (i = 1; s->gap_bits >= 24 && i < WORDS_BLOCK; i++)
		if (l->slots[i] <= l->slots[i - 1])
			return false;
	return l->slots[0] > before || before == UINT32_MAX;
}

static bool read_block(struct words_list *l, size_t block)
{
	struct words_skip s, b = { .last = UINT32_MAX, .end = 0 };
	bool full = (block + 1) * WORDS_BLOCK <= l->entry.df;
	const unsigned char *p = l->data;
	uint16_t check;

	if (l->blocks == 1) {
		memcpy(&check, p + l->data_n, 2);
		return check == (uint16_t)words_check(p, l->data_n) &&
		       read_tail(l, p, p + l->data_n, UINT32_MAX);
	}
	s = words_skip_at(l, block);
	if (block > 0)
		b = words_skip_at(l, block - 1);
	if (s.last >= l->w->h->count || s.end > l->data_n || b.end > s.end ||
	    (block > 0 && b.last >= s.last) ||
	    words_check(p + b.end, s.end - b.end) != s.check)
		return false;
	if (full ? !read_packed(l, p + b.end, s.end - b.end, b.last, &s)
		 : !read_tail(l, p + b.end, p + s.end, b.last))
		return false;
	return l->slots[l->n - 1] == s.last;
}

int words_list_load(struct words_list *l, size_t block, struct ai_err *err)
{
	if (l->have == block)
		return 0;
	l->have = l->blocks;
	if (block >= l->blocks || !read_block(l, block))
		return words_damaged(l->w, "postings", err);
	l->have = block;
	return 0;
}

/* ---- positions ------------------------------------------------------------------------- */

int words_spots_open(struct words_spots *s, const struct words_list *l,
		     struct ai_err *err)
{
	const struct search_words *w = l->w;
	size_t n = (size_t)l->entry.positions_n, places;
	uint32_t check;

	places = l->blocks > 1 ? l->blocks * sizeof(struct words_place) + 4 : 2;
	if (n < places)
		return words_damaged(w, "positions", err);
	s->l = l;
	s->data = w->at[WORDS_POSITIONS] + l->entry.positions;
	s->end = s->data + n - places;
	s->places = s->end;
	s->block = l->blocks;
	s->at = 0;
	if (l->blocks == 1)
		return 0;
	memcpy(&check, s->data + n - 4, 4);
	if (words_check(s->places, places - 4) != check)
		return words_damaged(w, "positions", err);
	return 0;
}

static bool spots_load(struct words_spots *s, size_t block)
{
	struct words_place here, before = { 0, 0 };
	size_t n = (size_t)(s->end - s->data);
	uint16_t check;

	if (s->l->blocks == 1) {
		memcpy(&check, s->places, 2);
		here.end = (uint32_t)n;
		if (check != (uint16_t)words_check(s->data, n))
			return false;
	} else {
		memcpy(&here, s->places + block * sizeof(here), sizeof(here));
		if (block > 0)
			memcpy(&before, s->places + (block - 1) * sizeof(here),
			       sizeof(here));
		if (before.end > here.end || here.end > n ||
		    words_check(s->data + before.end, here.end - before.end) !=
			    here.check)
			return false;
	}
	s->p = s->data + before.end;
	s->stop = s->data + here.end;
	s->block = block;
	s->at = 0;
	return true;
}

/* Behind the varints of one posting; NULL: damaged. */
static const unsigned char *spots_skip(const unsigned char *p,
				       const unsigned char *end,
				       const unsigned char **first,
				       uint32_t *count)
{
	uint64_t left;

	p = words_get(p, end, &left);
	if (p == NULL || left > WORDS_TF_MAX)
		return NULL;
	*count = (uint32_t)left;
	*first = p;
	for (; left > 0; p++) {
		if (p >= end)
			return NULL;
		left -= *p < 0x80;
	}
	return p;
}

int words_spots_seek(struct words_spots *s, size_t block, size_t i,
		     const unsigned char **p, const unsigned char **end,
		     uint32_t *count, struct ai_err *err)
{
	if (s->block != block && !spots_load(s, block))
		return words_damaged(s->l->w, "positions", err);
	do {
		*end = spots_skip(s->p, s->stop, p, count);
		if (*end == NULL)
			return words_damaged(s->l->w, "positions", err);
		s->p = *end;
	} while (s->at++ < i);
	return 0;
}
