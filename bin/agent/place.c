#include "place.h"

#include "base/err.h"

#include <stdio.h>
#include <string.h>

struct ai_value agent_place_of(struct ai_value v, const char *msg)
{
	char path[sizeof ((struct ai_err *)0)->msg];
	struct ai_value at;
	char *cut = strstr(msg, ": ");

	if (cut == NULL)
		return v;
	snprintf(path, sizeof path, "%.*s", (int)(cut - msg), msg);
	for (;;) {
		at = ai_json_get(v, path);
		if (at.kind != AI_NONE)
			return at;
		cut = strrchr(path, '.');
		if (cut == NULL)
			return v;
		*cut = '\0';
	}
}
