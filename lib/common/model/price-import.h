/*
 * price-import.h: tables of prices become history.
 *
 * What a table says of a model is an item.  Each is compared with what was
 * imported before, with the same model elsewhere in the table, and with what
 * is possible at all (price-judge.c).  What is insane is refused by name, and
 * the rest is taken.  The file is written anew beside the old one and renamed:
 * whatever happens, one of the two is there.
 */
#ifndef AI_MODEL_PRICE_IMPORT_H
#define AI_MODEL_PRICE_IMPORT_H

#include "base/err.h"
#include "base/opt.h"
#include "model/price-history.h"
#include "model/price-table.h"

enum ai_item_state {
	AI_ITEM_NEW,
	AI_ITEM_CHANGED,
	AI_ITEM_SAME,
	AI_ITEM_REFUSED,  /* insane, and not accepted */
	AI_ITEM_WRONG,    /* cannot be read */
	AI_ITEM_UNPRICED, /* its table has no price for it */
	AI_ITEM_DOUBLE,   /* named twice; the dearer of the two is taken */
	AI_ITEM_ALIAS,    /* another name of a model */
	AI_ITEM_STATES
};
const char *ai_item_state_name(enum ai_item_state state);

struct ai_item {
	enum ai_item_state state;
	char name[AI_CATALOG_NAME], date[16];
	char is[AI_CATALOG_NAME];  /* AI_ITEM_ALIAS: of this one */
	char why[200];             /* refused or wrong: why; odd: what is */
	bool odd;                  /* worth a look, but no more */
	bool chat, local;
	/* Pico-dollars, as completed. */
	int64_t input, output, cached, batch_input, batch_output;
	int64_t band_input;        /* of the highest band */
	int64_t fee;               /* the dearest piece */
	int64_t old_input, old_output; /* in force before; AI_NO_RATE: not */
	int64_t context, max_output;
	size_t price, price_n;     /* texts in ai_import.text */
	size_t hours, hours_n, match, match_n, other, other_n;
	bool extra;                /* the same, and says more of the name */
	size_t order;              /* as it was read: the later one stands */
};

struct ai_import_counts {
	unsigned state[AI_ITEM_STATES];
	unsigned odd, rounded;     /* prices between two pico-dollars */
	unsigned long keys, unknown;
};

struct ai_import;

/* date: from when on what is read holds. */
int ai_import_new(struct ai_import **i, const char *date, struct ai_err *err);
void ai_import_free(struct ai_import *i);
/* Reads a table; may be called for several.  AI_E_DATA as ai_table_read(). */
int ai_import_read(struct ai_import *i, struct ai_span text,
		   struct ai_err *err);
/* Adds what is in force, for ai_import_judge() alone. */
int ai_import_add_model(struct ai_import *i, const struct ai_model *m,
			struct ai_err *err);
/* Names of unknown keys with how often they were met. */
int ai_import_each_key(const struct ai_import *i,
		       int (*each)(void *arg, struct ai_span key, unsigned n),
		       void *arg);
enum ai_table_form ai_import_form(const struct ai_import *i);

/* Compares with what was there, judges, and counts.  Patterns (fnmatch) name
 * what is taken although it is insane. */
int ai_import_judge(struct ai_import *i, const struct ai_history *old,
		    const struct ai_opt_list *accept, struct ai_err *err);
const struct ai_import_counts *ai_import_counts(const struct ai_import *i);
int ai_import_each(const struct ai_import *i,
		   int (*each)(void *arg, const struct ai_item *item),
		   void *arg);
/* An item's text. */
struct ai_span ai_import_text(const struct ai_import *i, size_t at, size_t n);

/* The text of the file that old becomes. */
int ai_import_merge(const struct ai_import *i, const struct ai_history *old,
		    struct ai_buf *b, struct ai_err *err);

/*
 * The file of prices, locked against other imports until it is closed, and what
 * is in it.  It is made if need be, with its folder.
 */
struct ai_price_file {
	char *path; /* owned */
	int fd;
	struct ai_history old;
};
int ai_price_file_open(struct ai_price_file *f, const char *path,
		       struct ai_err *err);
void ai_price_file_close(struct ai_price_file *f);
/* Replaces it by what was there and what was taken.  AI_E_IO: it is as it
 * was. */
int ai_import_write(struct ai_import *i, struct ai_price_file *f,
		    struct ai_err *err);

/* price-judge.c: sets state, why and odd of all items. */
int ai_items_judge(struct ai_item *items, size_t n, struct ai_err *err);

#endif
