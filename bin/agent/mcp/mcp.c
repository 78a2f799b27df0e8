/* mcp.c: all MCP servers of a process. */
#include "mcp/int.h"

#include "net/http.h"

#include "base/clock.h"
#include "base/msg.h"
#include "base/sig.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int agent_mcp_new(struct agent_mcp **m, struct agent_sandbox *sandbox, int hold,
		  struct ai_err *err)
{
	*m = calloc(1, sizeof **m);
	if (*m == NULL)
		return ai_err_nomem(err);
	(*m)->sandbox = sandbox;
	(*m)->hold = hold;
	return 0;
}

void agent_mcp_free(struct agent_mcp *m)
{
	if (m == NULL)
		return;
	mcp_stdio_bye(m);
	mcp_http_bye(m);
	for (size_t i = 0; i < m->n; i++) {
		mcp_server_release(m->v[i]);
		free(m->v[i]);
	}
	free(m->v);
	mcp_tools_free(m);
	ai_http_free(m->http);
	free(m->answers);
	free(m);
}

/* ---- entries ------------------------------------------------------------------ */

static int add_one(struct agent_mcp *m, const struct agent_server *from,
		   struct ai_err *err)
{
	struct mcp_server **more, *s;
	int rc;

	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i]->entry.name, from->name) == 0)
			return ai_err_set(err, AI_E_CONFIG, "%.200s: there is "
					  "already a server with the name "
					  "'%.64s'; rename one", from->where,
					  from->name);
	more = reallocarray(m->v, m->n + 1, sizeof *more);
	if (more == NULL)
		return ai_err_nomem(err);
	m->v = more;
	s = malloc(sizeof *s);
	if (s == NULL)
		return ai_err_nomem(err);
	mcp_server_init(s, m);
	rc = mcp_entry_read(&s->entry, from, m->sandbox, err);
	if (rc != 0) {
		mcp_server_release(s);
		free(s);
		return rc < 0 ? -1 : 0;
	}
	m->v[m->n++] = s;
	return 0;
}

int agent_mcp_add(struct agent_mcp *m, const struct agent_servers *servers,
		  struct ai_err *err)
{
	for (size_t i = 0; i < servers->n; i++)
		if (add_one(m, &servers->v[i], err) < 0)
			return -1;
	return 0;
}

int agent_mcp_asks(struct agent_mcp *m, const char *answers, struct ai_err *err)
{
	m->asks = true;
	if (answers == NULL)
		return 0;
	free(m->answers);
	m->answers = strdup(answers);
	return m->answers == NULL ? ai_err_nomem(err) : 0;
}

bool agent_mcp_asking(const struct agent_mcp *m)
{
	return m->questions != NULL;
}

/* ---- waiting for all of them ---------------------------------------------------- */

void agent_mcp_wait(struct agent_mcp *m, struct agent_poll *p)
{
	for (size_t i = 0; i < m->n; i++)
		mcp_server_wait(m->v[i], p);
}

void agent_mcp_turn(struct agent_mcp *m)
{
	for (size_t i = 0; i < m->n; i++)
		mcp_server_turn(m->v[i]);
}

/* Whether a server has still something to say to what it was asked. */
static bool is_busy(const struct mcp_server *s)
{
	return (mcp_server_runs(s) && s->state < MCP_READY) ||
	       (s->state == MCP_READY && s->list > 0);
}

/* Until then at the latest. */
static int settle(struct agent_mcp *m, double until, struct ai_err *err)
{
	struct agent_poll p = { 0 };
	bool busy = true;
	int rc = 0;

	while (busy && rc == 0 && ai_clock_s() < until) {
		if (ai_sig_asked() != AI_SIG_NO) {
			rc = ai_err_set(err, AI_E_UNAVAILABLE, "interrupted "
					"while MCP servers were asked");
			break;
		}
		agent_poll_clear(&p, 1);
		agent_poll_by(&p, until);
		busy = false;
		for (size_t i = 0; i < m->n; i++)
			if (is_busy(m->v[i])) {
				busy = true;
				mcp_server_wait(m->v[i], &p);
			}
		if (busy)
			rc = agent_poll_wait(&p, err);
		agent_mcp_turn(m);
	}
	agent_poll_release(&p);
	return rc;
}

/* ---- start, and between turns ----------------------------------------------------- */

int agent_mcp_start(struct agent_mcp *m, struct agent_tools *tools,
		    struct ai_err *err)
{
	for (size_t i = 0; i < m->n; i++)
		mcp_server_start(m->v[i]);
	if (settle(m, INFINITY, err) < 0)
		return -1;
	for (size_t i = 0; i < m->n; i++) {
		struct mcp_server *s = m->v[i];

		if (s->state == MCP_READY) {
			if (mcp_tools_take(s, tools, err) < 0)
				return -1;
		} else if (s->entry.optional) {
			ai_msg(AI_MSG_WARN, "%s; its entry says that it is "
			       "optional, and it is left out", s->why.msg);
		} else {
			*err = s->why;
			return -1;
		}
	}
	return 0;
}

/* Whether its list has been good for as long as it said. */
static bool is_old(const struct mcp_server *s)
{
	return s->stale > 0 && ai_clock_s() >= s->stale;
}

int agent_mcp_refresh(struct agent_mcp *m, struct agent_tools *tools,
		      double seconds, struct ai_err *err)
{
	bool any = false;

	agent_mcp_turn(m);
	for (size_t i = 0; i < m->n; i++)
		if ((m->v[i]->changed || is_old(m->v[i])) && m->v[i]->state == MCP_READY &&
		    m->v[i]->list == 0) {
			mcp_server_list(m->v[i]);
			any = true;
		}
	/* After a signal the caller ends the run as it likes; what has not come
	 * by then is taken the next time. */
	if (any && settle(m, ai_clock_s() + seconds, err) < 0 &&
	    ai_sig_asked() == AI_SIG_NO)
		return -1;
	for (size_t i = 0; i < m->n; i++) {
		struct mcp_server *s = m->v[i];

		if (s->listed && mcp_tools_take(s, tools, err) < 0)
			return -1;
	}
	return 0;
}
