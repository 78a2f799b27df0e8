/*
 * opinion.h: a second opinion.  Of a text about which the classifier is not
 * sure, and of no other, a model is asked whether it is an attack.
 *
 * What the model says decides: an attack becomes a finding of its own
 * ("opinion"), and else what the classifier found is cleared.  If it cannot be
 * asked, or says nothing that is understood, the classifier's word stands, its
 * reason says so, and so does a warning at the end of the run.
 */
#ifndef GUARD_OPINION_H
#define GUARD_OPINION_H

#include "guard.h"

struct guard_opinion_settings {
	const char *model; /* --opinion; NULL: nobody is asked */
	const char *band;  /* --opinion-band: "LOW,HIGH", rates */
	const char *usd;   /* --opinion-usd: dollars a run */
	double timeout;    /* --opinion-timeout: seconds an answer may take */
};
extern struct guard_opinion_settings guard_opinion_settings;

/* One worker's. */
struct guard_opinion;

/* Reads the settings; before any worker.  AI_E_USAGE. */
int guard_opinion_start(struct ai_err *err);
/* Warns of texts of which there was no opinion. */
void guard_opinion_end(void);

int guard_opinion_new(struct guard_opinion **o, struct ai_err *err);
void guard_opinion_free(struct guard_opinion *o);

/* The rate up to which the classifier is to find, at least: 0 without
 * --opinion. */
double guard_opinion_rate(void);
/*
 * Asks about a text, whose findings are those from this one on, if the surest
 * finding of the classifier lies in the band.  Those that
 * are rarer than usual, the rate that is found without an opinion, are gone
 * afterwards.  -1: AI_E_MEMORY; that nobody answers is no error.
 */
int guard_opinion_ask(struct guard_opinion *o, enum guard_context context,
		      struct ai_span text, double usual,
		      struct guard_findings *f, size_t from,
		      struct ai_err *err);

#endif
