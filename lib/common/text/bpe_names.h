/* bpe_names.h: the table of encodings; for bpe*.c only. */
#ifndef AI_TEXT_BPE_NAMES_H
#define AI_TEXT_BPE_NAMES_H

#include "text/bpe_split.h"

#include <stddef.h>
#include <stdint.h>

struct ai_bpe_special {
	const char *text; /* NULL ends a list */
	uint32_t id;
};

struct ai_bpe_encoding {
	const char *name;  /* NULL ends the table */
	const char *table; /* the file name for ai_path_data() */
	enum ai_bpe_grammar grammar;
	const struct ai_bpe_special *special;
	/* "<|reserved_N|>" is token N for these N, too; 0, 0: none. */
	uint32_t reserved_from, reserved_to;
};

/* By name, or NULL. */
const struct ai_bpe_encoding *ai_bpe_encoding_find(const char *name);

/*
 * If p[0..n) begins with a special token: its length, and the id in *id.
 * Else 0.
 */
size_t ai_bpe_special_at(const struct ai_bpe_encoding *e, const char *p,
			 size_t n, uint32_t *id);

/* Room for the text of any special token. */
#define AI_BPE_SPECIAL_MAX 32

/* The text of special token id, its length in *n; NULL if it is none.  buf
 * has AI_BPE_SPECIAL_MAX bytes and may be what is returned. */
const char *ai_bpe_special_text(const struct ai_bpe_encoding *e, uint32_t id,
				char *buf, size_t *n);

#endif
