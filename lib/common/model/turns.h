/*
 * turns.h: a conversation taken apart, for the formats that are not OpenAI's.
 *
 * Messages come in OpenAI's form (a string or parts as content, tool_calls,
 * messages of the role "tool" with a tool_call_id).  Here they are a list of
 * turns, each of parts: text, pictures, calls of tools and their results.
 */
#ifndef AI_MODEL_TURNS_H
#define AI_MODEL_TURNS_H

#include "model/wire.h"

enum ai_role {
	AI_ROLE_SYSTEM, /* "developer" too */
	AI_ROLE_USER,
	AI_ROLE_ASSISTANT,
	AI_ROLE_TOOL,   /* what tools have answered */
};

struct ai_part {
	enum ai_part_kind {
		AI_PART_TEXT,
		AI_PART_IMAGE_DATA, /* type: "image/png"; text: its base64 */
		AI_PART_IMAGE_URL,  /* text: its address */
		AI_PART_CALL,       /* id, name; text: the arguments, an
				     * object as JSON */
		AI_PART_RESULT,     /* id; name if it is known; text */
	} kind;
	struct ai_span text, type, id, name, /* decoded; n 0: not there */
		signature, /* of a call: what its model wants back with it */
		detail;    /* of a picture: "low", "high"; "auto" is none */
};

struct ai_turn {
	enum ai_role role;
	const struct ai_part *parts; /* of the list's */
	size_t n;
};

struct ai_turns {
	struct ai_turn *v;     /* owned */
	size_t n, cap;
	struct ai_part *parts; /* owned */
	size_t n_parts, cap_parts;
	struct ai_buf text;    /* owns what the parts point to */
};

/*
 * Takes the messages apart.  Neighbours of the same role become one turn, the
 * results of several calls too, as most formats want it.  AI_E_RECORD: a
 * role or a part that this cannot say, naming the message of the record
 * ("messages.3").
 * To be released in any case.
 */
int ai_turns_take(struct ai_turns *t, const struct ai_chat_message *messages,
		  size_t n, struct ai_err *err);
void ai_turns_release(struct ai_turns *t);

/*
 * Makes of it what formats with two roles have: texts of the system, with a
 * blank line between them, are appended to system; what tools have answered
 * is the user's, and stands before all else in its turn; neighbours of a
 * role are one turn again.  Texts of no bytes and turns of no parts, which
 * such formats refuse, are left out.  AI_E_RECORD: nothing is left, or a part
 * stands where it cannot.
 */
int ai_turns_pair(struct ai_turns *t, struct ai_buf *system,
		  struct ai_err *err);

/*
 * The messages of a request as most formats have them, appended: a list of
 * turns, each an object with a role and a list of parts.
 */
struct ai_turns_form {
	const char *list;      /* "messages" */
	const char *assistant; /* the role beside "user" */
	const char *parts;     /* "content" */
	/* Writes the i-th part of a turn.  -1: AI_E_RECORD. */
	int (*put)(struct ai_buf *b, const struct ai_chat_request *q,
		   const struct ai_turn *t, size_t i, struct ai_err *err);
	/* Instead of all those: writes the turns. */
	int (*put_all)(struct ai_buf *b, const struct ai_turns *t,
		       struct ai_err *err);
	/* Writes the system's text, if there is one. */
	void (*put_system)(struct ai_buf *b, struct ai_span text);
};
int ai_turns_put(const struct ai_chat_request *q,
		 const struct ai_turns_form *form, struct ai_buf *b,
		 struct ai_err *err);
/* The same for formats with all four roles: "messages", each turn as put()
 * writes it. */
int ai_turns_put_each(const struct ai_chat_request *q,
		      int (*put)(struct ai_buf *b, const struct ai_turn *t,
				 struct ai_err *err),
		      struct ai_buf *b, struct ai_err *err);
/* AI_E_RECORD: a picture is to be looked at in a detail that the format cannot
 * say.  "high" is how the others look at all. */
int ai_part_no_detail(const struct ai_part *p, struct ai_err *err);
/* A picture's address; one that is data has an address too, "data:...". */
void ai_part_put_url(struct ai_buf *b, const char *name,
		     const struct ai_part *p);

/*
 * A list of tools in OpenAI's form, one after the other: *i is 0 before the
 * first.  1: there is one; 0: none is left; -1: AI_E_RECORD.  The values are
 * borrowed; parameters, description and strict may be AI_NONE.
 */
struct ai_tool {
	struct ai_value name, description, parameters, strict;
};
int ai_tool_next(struct ai_value tools, size_t *i, struct ai_tool *tool,
		 struct ai_err *err);
/* AI_E_RECORD: one wants to be strict, which these formats have no word for. */
int ai_tools_no_strict(struct ai_value tools, const char *provider,
		       struct ai_err *err);
/* A member that is a list of them, each as put() writes it; none if there are
 * no tools. */
int ai_tools_put(struct ai_value tools, const char *name,
		 void (*put)(struct ai_buf *b, const struct ai_tool *tool),
		 struct ai_buf *b, struct ai_err *err);
/* A member that is the schema of its parameters: most formats want one, and
 * OpenAI's form lets a tool without parameters do without. */
void ai_tool_put_schema(struct ai_buf *b, const char *name,
			const struct ai_tool *tool);

/* What "tool_choice" says: "auto", "none", "required", or a tool's name. */
struct ai_tool_choice {
	enum { AI_CHOICE_AUTO, AI_CHOICE_NONE, AI_CHOICE_ANY,
	       AI_CHOICE_NAMED } kind;
	struct ai_value name; /* of AI_CHOICE_NAMED */
};
int ai_tool_choice_take(struct ai_value v, struct ai_tool_choice *c,
			struct ai_err *err);

#endif
