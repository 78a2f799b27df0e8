/*
 * map.h: which placeholder stands for which value, in memory and in a file.
 *
 * A map is a session: all programs that have it open give the same value the
 * same number.  It holds two kinds of facts, and never forgets one: a number
 * that stands for a value, and a number that was seen in somebody's own text
 * and so will never stand for a value ("taken").
 */
#ifndef GUARD_MAP_H
#define GUARD_MAP_H

#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

struct guard_map;

enum guard_map_use {
	GUARD_MAP_WRITE, /* gives numbers; does not keep the values */
	GUARD_MAP_READ,  /* gives values back */
};

/* One without a file. NULL: no memory. */
struct guard_map *guard_map_new(enum guard_map_use use);
/*
 * The map in this file; to be written, it is made if it is not there.  NULL:
 * AI_E_OPEN, AI_E_CREATE, AI_E_NOT_ALLOWED (others may use it; the wrong key),
 * AI_E_DATA (no map, damaged, shorter than it was), AI_E_CONFIG (newer), and
 * those of ai_keyfile_read().
 */
struct guard_map *guard_map_open(const char *path, const char *key,
				 enum guard_map_use use, struct ai_err *err);
/* May be NULL.  Wipes all it knew. */
void guard_map_free(struct guard_map *m);

/* ---- threads may call these at any time ---------------------------------------- */

/* The number of a value, as far as is known here; 0: none yet. */
uint32_t guard_map_find(struct guard_map *m, const char *label,
			struct ai_span value);

enum guard_map_state {
	GUARD_MAP_FREE, GUARD_MAP_VALUE, GUARD_MAP_TAKEN
};
/* What LABEL_1 is, as far as is known here.  value, which may be NULL, becomes
 * that of a map to be read; it stays until the map goes. */
enum guard_map_state guard_map_get(struct guard_map *m, const char *body,
				   struct ai_span *value);
/* Reads what other programs have added. */
int guard_map_refresh(struct guard_map *m, struct ai_err *err);
/* Whether more bytes may make LABEL_1 of a known label out of this. */
bool guard_map_prefix(struct guard_map *m, const char *body);
/* What was added, here or by others and seen here, is on the disk then. */
int guard_map_sync(struct guard_map *m, struct ai_err *err);

/* ---- adding: between begin and end, in one thread at a time --------------------- */

/* Waits for other threads and programs, and reads what these have added. */
int guard_map_begin(struct guard_map *m, struct ai_err *err);
/* The number of a value: a new one if it has none.  0: see err. */
uint32_t guard_map_add(struct guard_map *m, const char *label,
		       struct ai_span value, struct ai_err *err);
/* Takes LABEL_1 if it is free. What it is then; GUARD_MAP_FREE: see err. */
enum guard_map_state guard_map_take(struct guard_map *m, const char *body,
				    struct ai_err *err);
/* Writes what was added.  Must follow begin, also if something failed. */
int guard_map_end(struct guard_map *m, struct ai_err *err);

#endif
