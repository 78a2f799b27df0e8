/* mark.c: how a text is marked, and the other way round. */
#include "mark.h"

#include "crypt/base64.h"
#include "text/view-build.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- signs of chat templates -------------------------------------------------------- */

/* What makes a bracket one; a slash may stand before the name. */
static const struct {
	char open, close;
	const char *name;
} signs[] = {
	{ '<', '>', "s" }, { '<', '>', "bos" }, { '<', '>', "eos" },
	{ '<', '>', "start_of_turn" }, { '<', '>', "end_of_turn" },
	{ '<', '>', "system" }, { '<', '>', "user" },
	{ '<', '>', "assistant" }, { '<', '>', "tool_call" },
	{ '<', '>', "tool_response" }, { '[', ']', "INST" },
	{ '[', ']', "SYSTEM_PROMPT" }, { '[', ']', "AVAILABLE_TOOLS" },
	{ '[', ']', "TOOL_CALLS" }, { '[', ']', "TOOL_RESULTS" },
};

/* Who speaks, at the beginning of a line and with a colon. */
static const char *const roles[] = {
	"human", "assistant", "system", "user", "instruction", "response",
};
#define ROLE_MAX 24 /* bytes of it, with what may stand before it */

static bool begins(const char *p, size_t n, const char *word)
{
	size_t len = strlen(word);

	return n > len && strncasecmp(p, word, len) == 0;
}

static bool is_sign(const char *p, size_t n)
{
	size_t i = 1;

	/* "<|", also with the wide stroke that some have, and "<<SYS". */
	if (*p == '<' &&
	    ((n > 1 && p[1] == '|') ||
	     (n > 3 && memcmp(p + 1, "\357\275\234", 3) == 0) ||
	     (n > 2 && p[1] == '<' && (p[2] == '/' || ai_view_alpha(p[2])))))
		return true;
	i += n > 1 && p[1] == '/';
	for (size_t k = 0; k < sizeof signs / sizeof *signs; k++)
		if (*p == signs[k].open &&
		    begins(p + i, n - i, signs[k].name) &&
		    p[i + strlen(signs[k].name)] == signs[k].close)
			return true;
	return false;
}

/* The length of "### System" before a colon, at the beginning of a line; 0. */
static size_t role_at(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && i < 8 && (p[i] == '#' || p[i] == ' '))
		i++;
	for (size_t k = 0; k < sizeof roles / sizeof *roles; k++)
		if (begins(p + i, n - i, roles[k]) &&
		    p[i + strlen(roles[k])] == ':')
			return i + strlen(roles[k]);
	return 0;
}

struct breaker {
	struct ai_buf *out;
	const char *p;
	size_t done; /* bytes that were put */
	size_t n;    /* blanks */
};

static void put_blank(struct breaker *b, size_t at)
{
	ai_buf_add(b->out, b->p + b->done, at - b->done);
	ai_buf_chr(b->out, ' ');
	b->done = at;
	b->n++;
}

/* Appends p[0..n) with blanks where signs or the marker would be; how many. */
static size_t put_broken(struct ai_buf *out, const char *p, size_t n,
			 const char *marker)
{
	struct breaker b = { .out = out, .p = p };
	size_t len = strlen(marker), line = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n')
			line = i + 1;
		if (p[i] == ':' && i > line && i - line <= ROLE_MAX &&
		    role_at(p + line, n - line) == i - line)
			put_blank(&b, i);
		if ((p[i] == '<' || p[i] == '[') && is_sign(p + i, n - i)) {
			put_blank(&b, i + 1);
		} else if (p[i] == *marker && n - i >= len &&
			   memcmp(p + i, marker, len) == 0) {
			put_blank(&b, i + len / 2);
			i += len / 2 - 1;
		}
	}
	ai_buf_add(out, p + b.done, n - b.done);
	return b.n;
}

/* ---- delimit ------------------------------------------------------------------------- */

/* As the sources of ai-complete are. */
static size_t put_delimited(struct ai_buf *out, const char *marker,
			    size_t number, struct ai_span text)
{
	size_t broken;

	ai_buf_fmt(out, "<<source %s", marker);
	if (number > 0)
		ai_buf_fmt(out, " %zu", number);
	ai_buf_str(out, ">>\n");
	broken = put_broken(out, text.p, text.n, marker);
	ai_buf_fmt(out, "\n<<end %s>>", marker);
	return broken;
}

static int undo_delimited(struct ai_buf *out, const char *marker,
			  struct ai_span text)
{
	struct ai_buf edge = AI_BUF_INIT(4096);
	const char *nl;
	size_t head;
	int rc = -1;

	ai_buf_fmt(&edge, "<<source %s", marker);
	nl = memchr(text.p, '\n', text.n);
	if (nl == NULL || (size_t)(nl - text.p) < edge.len + 2 ||
	    memcmp(text.p, edge.p, edge.len) != 0 || nl[-1] != '>')
		goto done;
	head = (size_t)(nl - text.p) + 1;
	ai_buf_clear(&edge);
	ai_buf_fmt(&edge, "\n<<end %s>>", marker);
	if (text.n - head < edge.len ||
	    memcmp(text.p + text.n - edge.len, edge.p, edge.len) != 0)
		goto done;
	rc = ai_buf_add(out, text.p + head, text.n - head - edge.len);
done:
	ai_buf_release(&edge);
	return rc;
}

/* ---- datamark ------------------------------------------------------------------------ */

/* A marker for each blank, and one before each end of a line. */
static size_t put_datamarked(struct ai_buf *out, const char *marker,
			     struct ai_span text)
{
	struct ai_buf b = AI_BUF_INIT(2 * text.n + 64);
	size_t broken = put_broken(&b, text.p, text.n, marker), done = 0;

	for (size_t i = 0; i < b.len; i++) {
		if (b.p[i] != ' ' && b.p[i] != '\n')
			continue;
		ai_buf_add(out, b.p + done, i - done);
		ai_buf_str(out, marker);
		done = i + (b.p[i] == ' ');
	}
	ai_buf_add(out, b.p + done, b.len - done);
	if (b.bad != AI_E_NONE)
		out->bad = b.bad;
	ai_buf_release(&b);
	return broken;
}

/* Nothing of the text can look like a marker: it has none in it, and no marker
 * ends as it begins. */
static int undo_datamarked(struct ai_buf *out, const char *marker,
			   struct ai_span text)
{
	size_t len = strlen(marker), done = 0;

	while (done < text.n) {
		const char *m = memmem(text.p + done, text.n - done, marker,
				       len);
		size_t at = m != NULL ? (size_t)(m - text.p) : text.n;

		ai_buf_add(out, text.p + done, at - done);
		done = at + (m != NULL ? len : 0);
		if (m != NULL && (done == text.n || text.p[done] != '\n'))
			ai_buf_chr(out, ' ');
	}
	return out->bad == AI_E_NONE ? 0 : -1;
}

/* ---- encode -------------------------------------------------------------------------- */

static int undo_encoded(struct ai_buf *out, struct ai_span text)
{
	size_t n = text.n;

	while (n > 0 && text.p[n - 1] == '=')
		n--;
	if (ai_base64_bytes(n) == SIZE_MAX ||
	    ai_buf_reserve(out, ai_base64_bytes(n) + 1) < 0 ||
	    ai_base64_decode(text.p, n, out->p + out->len) < 0)
		return -1;
	out->len += ai_base64_bytes(n);
	return 0;
}

size_t guard_mark_put(struct ai_buf *out, enum guard_mark_mode mode,
		      const char *marker, size_t number, struct ai_span text)
{
	if (mode == GUARD_MARK_DELIMIT)
		return put_delimited(out, marker, number, text);
	if (mode == GUARD_MARK_DATAMARK)
		return put_datamarked(out, marker, text);
	ai_base64_encode(out, text.p, text.n);
	return 0;
}

int guard_mark_undo(struct ai_buf *out, enum guard_mark_mode mode,
		    const char *marker, struct ai_span text)
{
	if (mode == GUARD_MARK_DELIMIT)
		return undo_delimited(out, marker, text);
	if (mode == GUARD_MARK_DATAMARK)
		return undo_datamarked(out, marker, text);
	return undo_encoded(out, text);
}
