#include "model/price-import.h"

#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)256 << 20)
#define ITEMS_MAX 1000000
#define KEYS_MAX 256

struct ai_import {
	struct ai_item *items;
	size_t n, room;
	struct ai_buf text;
	struct ai_import_counts counts;
	enum ai_table_form form;
	char date[16];
	struct unknown {
		char name[64];
		unsigned n;
	} *keys;
	size_t n_keys;
	struct ai_err failed; /* what made a callback end */
};

const char *ai_item_state_name(enum ai_item_state state)
{
	static const char *const names[] = {
		[AI_ITEM_NEW] = "new", [AI_ITEM_CHANGED] = "changed",
		[AI_ITEM_SAME] = "same", [AI_ITEM_REFUSED] = "refused",
		[AI_ITEM_WRONG] = "wrong", [AI_ITEM_UNPRICED] = "unpriced",
		[AI_ITEM_DOUBLE] = "double", [AI_ITEM_ALIAS] = "alias",
	};

	return names[state];
}

int ai_import_new(struct ai_import **out, const char *date, struct ai_err *err)
{
	struct ai_import *i = calloc(1, sizeof *i);

	*out = i;
	if (i == NULL)
		return ai_err_nomem(err);
	ai_buf_init(&i->text, TEXT_MAX);
	snprintf(i->date, sizeof i->date, "%.10s", date);
	i->keys = calloc(KEYS_MAX, sizeof *i->keys);
	if (i->keys != NULL)
		return 0;
	ai_import_free(i);
	*out = NULL;
	return ai_err_nomem(err);
}

void ai_import_free(struct ai_import *i)
{
	if (i == NULL)
		return;
	ai_buf_release(&i->text);
	free(i->items);
	free(i->keys);
	free(i);
}

enum ai_table_form ai_import_form(const struct ai_import *i)
{
	return i->form;
}

const struct ai_import_counts *ai_import_counts(const struct ai_import *i)
{
	return &i->counts;
}

struct ai_span ai_import_text(const struct ai_import *i, size_t at, size_t n)
{
	return n == 0 ? (struct ai_span){ "", 0 }
		: (struct ai_span){ i->text.p + at, n };
}

int ai_import_each(const struct ai_import *i,
		   int (*each)(void *arg, const struct ai_item *item),
		   void *arg)
{
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < i->n; k++)
		rc = each(arg, &i->items[k]);
	return rc;
}

int ai_import_each_key(const struct ai_import *i,
		       int (*each)(void *arg, struct ai_span key, unsigned n),
		       void *arg)
{
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < i->n_keys; k++)
		rc = each(arg, ai_span_of(i->keys[k].name), i->keys[k].n);
	return rc;
}

/* ---- items -------------------------------------------------------------------- */

static struct ai_item *add_item(struct ai_import *i, struct ai_err *err)
{
	struct ai_item *more;

	if (i->n == i->room) {
		i->room = i->room == 0 ? 1024 : 2 * i->room;
		more = i->n >= ITEMS_MAX ? NULL
			: realloc(i->items, i->room * sizeof *more);
		if (more == NULL) {
			ai_err_nomem(err);
			return NULL;
		}
		i->items = more;
	}
	more = &i->items[i->n];
	memset(more, 0, sizeof *more);
	more->order = i->n++;
	more->old_input = more->old_output = AI_NO_RATE;
	return more;
}

static void weigh(struct ai_item *item, const struct ai_price *p)
{
	const int64_t *row = p->rate[AI_TIER_STANDARD][0],
		*batch = p->rate[AI_TIER_BATCH][0];

	item->input = row[AI_UNIT_INPUT];
	item->output = row[AI_UNIT_OUTPUT];
	item->cached = row[AI_UNIT_CACHED];
	item->batch_input = batch[AI_UNIT_INPUT];
	item->batch_output = batch[AI_UNIT_OUTPUT];
	item->band_input = p->rate[AI_TIER_STANDARD][p->bands - 1]
		[AI_UNIT_INPUT];
	for (int u = AI_UNITS_TOKENS; u < AI_UNITS; u++)
		if (row[u] > item->fee)
			item->fee = row[u];
}

static void keep_key(struct ai_import *i, struct ai_span name)
{
	size_t k = 0, n = name.n > 60 ? 60 : name.n;

	while (k < i->n_keys && (strlen(i->keys[k].name) != n ||
				 memcmp(i->keys[k].name, name.p, n) != 0))
		k++;
	if (k == KEYS_MAX)
		return;
	if (k == i->n_keys)
		memcpy(i->keys[i->n_keys++].name, name.p, n);
	i->keys[k].n++;
}

static void keep_other(struct ai_import *i, struct ai_item *item,
		       const struct ai_offer *o)
{
	struct ai_value v, key, val;
	struct ai_json_iter it;

	if (o->other.len == 0)
		return;
	item->other = i->text.len;
	ai_buf_chr(&i->text, '{');
	ai_buf_add(&i->text, o->other.p, o->other.len);
	ai_buf_chr(&i->text, '}');
	item->other_n = i->text.len - item->other;
	if (i->text.bad != AI_E_NONE ||
	    ai_json_check(i->text.p + item->other, item->other_n, &v,
			  NULL) < 0)
		return;
	ai_json_iter_init(&it, v);
	while (ai_json_next(&it, &key, &val))
		keep_key(i, (struct ai_span){ key.s.p + 1, key.s.n - 2 });
}

/* Whatever is written into the text begins where nothing wants a comma. */
static void put_price(struct ai_import *i, const struct ai_price *given,
		      size_t *at, size_t *n)
{
	struct ai_buf b = AI_BUF_INIT(1 << 20);

	ai_price_put(&b, given);
	*at = i->text.len;
	ai_buf_add(&i->text, ai_buf_cstr(&b), b.len);
	*n = i->text.len - *at;
	if (b.bad != AI_E_NONE)
		i->text.bad = b.bad;
	ai_buf_release(&b);
}

/* [{"from":"00:30","to":"16:30","price":{...}}] */
static void put_hours(struct ai_import *i, struct ai_item *item,
		      const struct ai_offer *o)
{
	size_t at, n;

	if (o->from < 0)
		return;
	item->hours = i->text.len;
	ai_buf_fmt(&i->text, "{\"from\":\"%02d:%02d\",\"to\":\"%02d:%02d\","
		   "\"price\":", o->from / 60, o->from % 60, o->to / 60,
		   o->to % 60);
	put_price(i, &o->hours, &at, &n);
	ai_buf_chr(&i->text, '}');
	item->hours_n = i->text.len - item->hours;
}

static void put_match(struct ai_import *i, struct ai_item *item,
		      struct ai_value match)
{
	if (match.kind != AI_OBJECT || match.s.n > 65536)
		return;
	item->match = i->text.len;
	ai_table_compact(&i->text, match);
	item->match_n = i->text.len - item->match;
}

/* Other names that are told as they are get lines of their own. */
static int add_alias(struct ai_import *i, const char *name, struct ai_value v,
		     struct ai_err *err)
{
	struct ai_offer o;
	struct ai_item *item;

	if (v.kind != AI_STRING ||
	    ai_offer_name(&o, (struct ai_span){ name, strcspn(name, "/") },
			  (struct ai_span){ v.s.p + 1, v.s.n - 2 },
			  NULL) < 0 ||
	    strcmp(o.name, name) == 0)
		return 0;
	item = add_item(i, err);
	if (item == NULL)
		return -1;
	item->state = AI_ITEM_ALIAS;
	snprintf(item->name, sizeof item->name, "%s", o.name);
	snprintf(item->is, sizeof item->is, "%s", name);
	return 0;
}

static int add_aliases(struct ai_import *i, const struct ai_offer *o,
		       struct ai_err *err)
{
	struct ai_value list = ai_json_member(o->match, AI_SPAN("or")), v;
	struct ai_json_iter it;
	int rc = 0;

	if (o->match.kind != AI_OBJECT)
		return 0;
	v = ai_json_member(o->match, AI_SPAN("equals"));
	rc = add_alias(i, o->name, v, err);
	ai_json_iter_init(&it, list);
	while (rc == 0 && list.kind == AI_ARRAY &&
	       ai_json_next(&it, NULL, &v))
		if (v.kind == AI_OBJECT)
			rc = add_alias(i, o->name, ai_json_member(
				v, AI_SPAN("equals")), err);
	return rc;
}

static void take_offer(struct ai_import *i, struct ai_item *item,
		       const struct ai_offer *o)
{
	struct ai_price full = o->given;

	snprintf(item->date, sizeof item->date, "%s", o->date[0] != '\0'
		 ? o->date : i->date);
	/* What held before a first day that is still to come holds today. */
	item->chat = o->chat;
	item->local = o->local;
	item->context = o->context;
	item->max_output = o->max_output;
	ai_price_complete(&full);
	weigh(item, &full);
	put_price(i, &o->given, &item->price, &item->price_n);
	put_hours(i, item, o);
	put_match(i, item, o->match);
	keep_other(i, item, o);
}

static int each_offer(void *arg, const struct ai_offer *o,
		      const struct ai_err *wrong)
{
	struct ai_import *i = arg;
	struct ai_item *item = add_item(i, &i->failed);

	if (item == NULL)
		return -1;
	i->counts.keys += o->keys;
	i->counts.unknown += o->unknown;
	snprintf(item->name, sizeof item->name, "%s", o->name);
	if (wrong != NULL) {
		item->state = AI_ITEM_WRONG;
		snprintf(item->why, sizeof item->why, "%.*s",
			 (int)ai_utf8_floor(wrong->msg, strlen(wrong->msg),
					    sizeof item->why - 1), wrong->msg);
		return 0;
	}
	if (!o->priced) {
		item->state = AI_ITEM_UNPRICED;
		keep_other(i, item, o);
		return 0;
	}
	i->counts.rounded += o->rounded;
	take_offer(i, item, o);
	if (o->past)
		snprintf(item->date, sizeof item->date, AI_HISTORY_PAST);
	if (add_aliases(i, o, &i->failed) < 0)
		return -1;
	return ai_buf_check(&i->text, "the table", &i->failed);
}

int ai_import_read(struct ai_import *i, struct ai_span text,
		   struct ai_err *err)
{
	struct ai_err why = { .code = AI_E_NONE };

	i->failed.code = AI_E_NONE;
	if (ai_table_read(text, &i->form, each_offer, i, &why) == 0)
		return 0;
	if (i->failed.code != AI_E_NONE)
		why = i->failed;
	return ai_err_set(err, why.code, "%s", why.msg);
}

int ai_import_add_model(struct ai_import *i, const struct ai_model *m,
			struct ai_err *err)
{
	struct ai_item *item;

	if (m->price.kind != AI_PRICE_KNOWN)
		return 0;
	item = add_item(i, err);
	if (item == NULL)
		return -1;
	item->state = AI_ITEM_SAME;
	snprintf(item->name, sizeof item->name, "%s", m->name);
	snprintf(item->date, sizeof item->date, "%s", m->price.date);
	item->context = m->context;
	item->max_output = m->max_output;
	weigh(item, &m->price);
	item->chat = item->output > 0;
	return 0;
}

/* ---- comparing ------------------------------------------------------------------ */

/* By name and day; of two for one day the one that was read later comes
 * last. */
static int by_key(const void *a, const void *b)
{
	const struct ai_item *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	if (c == 0)
		c = strcmp(x->date, y->date);
	return c != 0 ? c : x->order < y->order ? -1 : 1;
}

static struct ai_value member(struct ai_span line, const char *name)
{
	struct ai_value v;

	if (ai_json_check(line.p, line.n, &v, NULL) < 0)
		return v;
	return ai_json_member(v, ai_span_of(name));
}

/* What a line says of its price, compared with the item's: the same text, or,
 * from another source, nothing that the line does not say as well.  Tables that
 * know no tiers do not end those that others know. */
static bool is_same(const struct ai_import *i, const struct ai_item *item,
		    struct ai_span line, const struct ai_model *was)
{
	struct ai_span price = ai_import_text(i, item->price, item->price_n),
		hours = ai_import_text(i, item->hours, item->hours_n);
	struct ai_value v = member(line, "price"), w = member(line, "hours");
	struct ai_price now;

	if (v.kind == AI_OBJECT && ai_span_eq(v.s, price))
		return w.kind == AI_NONE ? hours.n == 0
					 : ai_span_eq(w.s, hours);
	if (hours.n > 0 || w.kind != AI_NONE ||
	    strcmp(was->price.source, ai_table_name(i->form)) == 0 ||
	    ai_json_check(price.p, price.n, &v, NULL) < 0 ||
	    ai_price_read(v, &now, NULL) < 0)
		return false;
	for (int t = 1; t < AI_TIERS; t++)
		if (ai_json_member(v, ai_span_of(ai_tier_name(
			(enum ai_tier)t))).kind != AI_NONE)
			return false;
	return ai_price_says_no_more(&now, &was->price);
}

static void compare(const struct ai_import *i, struct ai_item *item,
		    const struct ai_history *old)
{
	struct ai_span first = ai_history_first(old, ai_span_of(item->name)),
		line;
	struct ai_model m;

	item->state = AI_ITEM_NEW;
	if (first.p == NULL || ai_history_is(first).n > 0)
		return;
	line = ai_history_at(old, first, ai_span_of(item->date));
	/* What begins only later says nothing of this day. */
	if (strncmp(ai_history_date(line).p, item->date, 10) <= 0)
		item->state = AI_ITEM_CHANGED;
	if (ai_history_read(line, ai_span_of(item->date), &m, NULL) < 0)
		return;
	if (item->state == AI_ITEM_CHANGED && is_same(i, item, line, &m)) {
		item->state = AI_ITEM_SAME;
		item->extra = item->match_n > 0 &&
			member(line, "match").kind == AI_NONE;
		snprintf(item->date, sizeof item->date, "%s", m.price.date);
	}
	item->old_input = m.price.rate[AI_TIER_STANDARD][0][AI_UNIT_INPUT];
	item->old_output = m.price.rate[AI_TIER_STANDARD][0][AI_UNIT_OUTPUT];
}

/* Of several for one day: the dearer stands, as nobody can say which is
 * meant. */
static void drop_double(struct ai_item *a, struct ai_item *b)
{
	bool first = a->input / 2 + a->output / 2 >
		b->input / 2 + b->output / 2;

	(first ? b : a)->state = AI_ITEM_DOUBLE;
}

/* A name that a model has is no other's. */
static bool is_model(const struct ai_import *i, size_t k,
		     const struct ai_history *old)
{
	const struct ai_item *a = &i->items[k];
	struct ai_span first = ai_history_first(old, ai_span_of(a->name));

	if (first.p != NULL && ai_history_is(first).n == 0)
		return true;
	if (k > 0 && strcmp(a[-1].name, a->name) == 0)
		return true; /* one of the same name came before */
	for (; k + 1 < i->n && strcmp(a[1].name, a->name) == 0; k++, a++)
		if (a[1].state != AI_ITEM_ALIAS)
			return true;
	return false;
}

static void sort_out(struct ai_import *i, const struct ai_history *old)
{
	struct ai_item *a = i->items, *last = NULL;

	if (i->n > 0)
		qsort(a, i->n, sizeof *a, by_key);
	for (size_t k = 0; k < i->n; k++) {
		if (a[k].state > AI_ITEM_SAME)
			continue;
		if (last != NULL && strcmp(last->name, a[k].name) == 0 &&
		    strcmp(last->date, a[k].date) == 0)
			drop_double(last, &a[k]);
		if (a[k].state <= AI_ITEM_SAME)
			last = &a[k];
	}
	for (size_t k = 0; k < i->n; k++)
		if (a[k].state == AI_ITEM_ALIAS && is_model(i, k, old))
			a[k].state = AI_ITEM_STATES;
}

static bool accepted(const struct ai_item *item,
		     const struct ai_opt_list *accept)
{
	for (size_t k = 0; accept != NULL && k < accept->n; k++)
		if (fnmatch(accept->v[k], item->name, 0) == 0)
			return true;
	return false;
}

int ai_import_judge(struct ai_import *i, const struct ai_history *old,
		    const struct ai_opt_list *accept, struct ai_err *err)
{
	enum ai_item_state *was = calloc(i->n + 1, sizeof *was);
	size_t kept = 0;

	if (was == NULL)
		return ai_err_nomem(err);
	if (old != NULL)
		sort_out(i, old);
	for (size_t k = 0; k < i->n; k++)
		if (i->items[k].state != AI_ITEM_STATES)
			i->items[kept++] = i->items[k];
	i->n = kept;
	for (size_t k = 0; k < i->n; k++) {
		if (old != NULL && i->items[k].state <= AI_ITEM_SAME)
			compare(i, &i->items[k], old);
		was[k] = i->items[k].state;
	}
	if (ai_items_judge(i->items, i->n, err) < 0) {
		free(was);
		return -1;
	}
	for (size_t k = 0; k < i->n; k++) {
		/* What is in force was accepted once. */
		if (i->items[k].state == AI_ITEM_REFUSED &&
		    ((was[k] == AI_ITEM_SAME && old != NULL) ||
		     accepted(&i->items[k], accept)))
			i->items[k].state = was[k];
		i->counts.state[i->items[k].state]++;
		i->counts.odd += i->items[k].odd;
	}
	free(was);
	return 0;
}

/* ---- the file --------------------------------------------------------------------- */

/* The folders above it. */
static void make_folders(const char *path)
{
	char *copy = strdup(path), *p = copy;

	while (p != NULL && (p = strchr(p + 1, '/')) != NULL) {
		*p = '\0';
		mkdir(copy, 0700);
		*p = '/';
	}
	free(copy);
}

/* Whoever waited for the lock may have got that of a file that was replaced. */
static int lock(const char *path, int *fd, struct ai_err *err)
{
	struct flock l = { .l_type = F_WRLCK };
	struct stat mine, there;

	for (;;) {
		*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
		if (*fd < 0)
			return ai_err_sys(err, AI_E_CREATE, errno,
					  "cannot open '%.200s'", path);
		if (fcntl(*fd, F_OFD_SETLKW, &l) < 0 ||
		    fstat(*fd, &mine) < 0) {
			ai_err_sys(err, AI_E_IO, errno, "cannot lock '%.200s'",
				   path);
			close(*fd);
			return -1;
		}
		if (stat(path, &there) == 0 && mine.st_ino == there.st_ino &&
		    mine.st_dev == there.st_dev)
			return 0;
		close(*fd);
	}
}

int ai_price_file_open(struct ai_price_file *f, const char *path,
		       struct ai_err *err)
{
	char *real;

	memset(f, 0, sizeof *f);
	f->fd = -1;
	make_folders(path);
	/* A link to a file in somebody's git stays one. */
	real = realpath(path, NULL);
	f->path = real != NULL ? real : strdup(path);
	if (f->path == NULL)
		return ai_err_nomem(err);
	if (lock(f->path, &f->fd, err) < 0 ||
	    ai_history_open(&f->old, f->path, false, err) < 0) {
		ai_price_file_close(f);
		return -1;
	}
	return 0;
}

void ai_price_file_close(struct ai_price_file *f)
{
	ai_history_close(&f->old);
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	memset(f, 0, sizeof *f);
	f->fd = -1;
}

/* ---- writing ------------------------------------------------------------------------ */

static void put_raw(struct ai_buf *b, const char *key, struct ai_span text)
{
	if (text.n == 0)
		return;
	ai_put_key(b, key);
	ai_put_raw(b, text.p, text.n);
}

static struct ai_span or_old(const struct ai_import *i, size_t at, size_t n,
			     struct ai_span line, const char *name)
{
	struct ai_value v;

	if (n > 0 || line.p == NULL)
		return ai_import_text(i, at, n);
	v = member(line, name);
	return v.kind == AI_NONE ? (struct ai_span){ "", 0 } : v.s;
}

/* A member of the old line as it is there. */
static void put_old(struct ai_buf *b, const char *key, struct ai_span line)
{
	struct ai_value v = member(line, key);

	if (v.kind == AI_NONE)
		return;
	ai_put_key(b, key);
	ai_put_value(b, v);
}

static void put_limit(struct ai_buf *b, const char *name, int64_t n,
		      struct ai_span line)
{
	struct ai_value v = { AI_NONE, { NULL, 0 } };

	if (n == 0 && line.p != NULL)
		v = member(line, name);
	if (n > 0 || v.kind == AI_NUMBER)
		ai_put_key(b, name);
	if (n > 0)
		ai_put_i64(b, n);
	else if (v.kind == AI_NUMBER)
		ai_put_value(b, v);
}

/* An item's line; what it does not say is as in the old line. */
static void put_line(const struct ai_import *i, const struct ai_item *item,
		     struct ai_span line, struct ai_buf *b)
{
	struct ai_buf one = AI_BUF_INIT(4 << 20);

	ai_put_open(&one, '{');
	ai_put_key(&one, "model");
	ai_put_cstr(&one, item->name);
	if (item->state == AI_ITEM_ALIAS) {
		ai_put_key(&one, "is");
		ai_put_cstr(&one, item->is);
	} else {
		ai_put_key(&one, "date");
		ai_put_cstr(&one, item->date);
		if (item->state == AI_ITEM_SAME) {
			put_old(&one, "source", line);
		} else {
			ai_put_key(&one, "source");
			ai_put_cstr(&one, ai_table_name(i->form));
		}
		put_limit(&one, "context", item->context, line);
		put_limit(&one, "max_output", item->max_output, line);
		if (item->state == AI_ITEM_SAME) {
			put_old(&one, "price", line);
			put_old(&one, "hours", line);
		} else {
			put_raw(&one, "price", ai_import_text(i, item->price,
							      item->price_n));
			put_raw(&one, "hours", ai_import_text(i, item->hours,
							      item->hours_n));
		}
		put_raw(&one, "match", or_old(i, item->match, item->match_n,
					      line, "match"));
		put_raw(&one, "other", or_old(i, item->other, item->other_n,
					      line, "other"));
	}
	ai_put_close(&one, '}');
	ai_buf_chr(&one, '\n');
	ai_buf_add(b, ai_buf_cstr(&one), one.len);
	if (one.bad != AI_E_NONE)
		b->bad = one.bad;
	ai_buf_release(&one);
}

static int key_of(struct ai_span line, const struct ai_item *item)
{
	struct ai_span name = ai_history_name(line),
		date = ai_history_date(line), theirs = ai_span_of(item->name);
	size_t n = name.n < theirs.n ? name.n : theirs.n;
	int c = n == 0 ? 0 : memcmp(name.p, theirs.p, n);

	if (c == 0)
		c = name.n < theirs.n ? -1 : name.n > theirs.n;
	if (c == 0 && item->state == AI_ITEM_ALIAS)
		return 0;
	/* A model takes the place of a name that meant another. */
	if (c == 0 && ai_history_is(line).n > 0)
		return 0;
	if (c == 0)
		c = strncmp(date.p, item->date, 10);
	return c;
}

static bool is_written(const struct ai_item *item)
{
	return item->state == AI_ITEM_NEW || item->state == AI_ITEM_CHANGED ||
		item->state == AI_ITEM_ALIAS || item->extra;
}

/* Old and new lines in one order; of two with one key the new one. */
int ai_import_merge(const struct ai_import *i, const struct ai_history *old,
		    struct ai_buf *b, struct ai_err *err)
{
	struct ai_span line = ai_history_next(old, (struct ai_span){ NULL, 0 }),
		before;
	int c;

	ai_buf_str(b, AI_HISTORY_HEAD);
	for (size_t k = 0; k < i->n; k++) {
		const struct ai_item *item = &i->items[k];

		if (!is_written(item))
			continue;
		before = ai_history_first(old, ai_span_of(item->name));
		if (before.p != NULL && ai_history_is(before).n == 0)
			before = ai_history_at(old, before,
					       ai_span_of(item->date));
		while (line.p != NULL && (c = key_of(line, item)) <= 0) {
			if (c < 0) {
				ai_buf_add(b, line.p, line.n);
				ai_buf_chr(b, '\n');
			}
			line = ai_history_next(old, line);
		}
		put_line(i, item, before, b);
	}
	for (; line.p != NULL; line = ai_history_next(old, line)) {
		ai_buf_add(b, line.p, line.n);
		ai_buf_chr(b, '\n');
	}
	return ai_buf_check(b, "the file of prices", err);
}

static int write_all(int fd, const char *path, const struct ai_buf *b,
		     struct ai_err *err)
{
	struct stat st;

	if (stat(path, &st) == 0)
		fchmod(fd, st.st_mode & 07777);
	if (ai_buf_write(b, fd) < 0 || fsync(fd) < 0)
		return ai_err_sys(err, AI_E_IO, errno, "cannot write '%.200s'; "
				  "it is as it was", path);
	return 0;
}

static int sync_folder(const char *path, struct ai_err *err)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL ? strdup(".")
		: strndup(path, slash == path ? 1 : (size_t)(slash - path));
	int fd = folder == NULL ? -1
		: open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);

	free(folder);
	if (fd >= 0)
		close(fd);
	return rc == 0 ? 0 : ai_err_sys(err, AI_E_IO, errno, "cannot sync the "
					"folder of '%.200s'", path);
}

/* The lock is held, so nobody else writes the new one. */
static int replace(const char *path, const struct ai_buf *b,
		   struct ai_err *err)
{
	struct ai_buf name = AI_BUF_INIT(8192);
	int fd, rc;

	ai_buf_fmt(&name, "%s.new", path);
	fd = open(ai_buf_cstr(&name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		  0666);
	if (fd < 0) {
		ai_err_sys(err, AI_E_CREATE, errno, "cannot create '%.200s'",
			   ai_buf_cstr(&name));
		ai_buf_release(&name);
		return -1;
	}
	rc = write_all(fd, path, b, err);
	if (close(fd) < 0 && rc == 0)
		rc = ai_err_sys(err, AI_E_IO, errno, "cannot write '%.200s'",
				path);
	if (rc == 0 && rename(ai_buf_cstr(&name), path) < 0)
		rc = ai_err_sys(err, AI_E_IO, errno, "cannot replace '%.200s'",
				path);
	if (rc < 0)
		unlink(ai_buf_cstr(&name));
	ai_buf_release(&name);
	return rc < 0 ? -1 : sync_folder(path, err);
}

int ai_import_write(struct ai_import *i, struct ai_price_file *f,
		    struct ai_err *err)
{
	struct ai_buf b = AI_BUF_INIT(AI_HISTORY_MAX);
	int rc = ai_import_merge(i, &f->old, &b, err);

	if (rc == 0)
		rc = replace(f->path, &b, err);
	ai_buf_release(&b);
	return rc;
}
