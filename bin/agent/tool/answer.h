/* answer.h: what a server answers, as curl -i writes it. */
#ifndef AGENT_ANSWER_H
#define AGENT_ANSWER_H

#include "base/str.h"

#include <stdbool.h>

struct agent_answer {
	int status;
	struct ai_span type, location, body; /* n is 0: not there */
};

/* Takes it apart; 1xx, which come before, are passed over.  false: it is no
 * answer. */
bool agent_answer_read(struct ai_span all, struct agent_answer *a);

#endif
