/* codes-recall.h: how many of the ten nearest a segment finds. */
#ifndef SEARCH_CODES_RECALL_H
#define SEARCH_CODES_RECALL_H

#include "codes.h"

#define CODES_RECALL_K 10

struct codes_recall {
	double recall;    /* 0 to 1; NAN: there is nothing to measure with */
	int64_t sample;   /* vectors asked about */
	int64_t rescored; /* candidates that each scored, on average */
};

/*
 * Takes some of the segment's own vectors as queries, about sample of them (-1:
 * as many as the work allows), and compares what codes and rescoring find, the
 * vector itself left out, with an exact scan.  A row as near as the tenth
 * counts as found: equal ones stand for each other.
 */
int codes_recall(const char *path, const struct search_rows *rows,
		 int64_t sample, struct codes_recall *out, struct ai_err *err);

#endif
