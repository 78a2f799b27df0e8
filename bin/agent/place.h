/* place.h: where in a JSON file of ours a message points. */
#ifndef AGENT_PLACE_H
#define AGENT_PLACE_H

#include "record/json.h"

/* The value that a message "PATH: what" about v is of: as far down as there is
 * something of these names. */
struct ai_value agent_place_of(struct ai_value v, const char *msg);

#endif
