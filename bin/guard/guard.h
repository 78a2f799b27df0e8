/*
 * guard.h: what the files of ai-guard share.
 *
 * A text becomes views (text/view.h); detectors look at each view and note what
 * they find; policy.c decides what is done about it.
 */
#ifndef GUARD_H
#define GUARD_H

#include "base/buf.h"
#include "base/opt.h"
#include "record/loop.h"
#include "text/view.h"

#include <stdbool.h>

#define GUARD_TEXT_MAX ((size_t)256 << 20)
#define GUARD_FINDINGS_SHOWN 1000 /* of one record; more are counted only */
#define GUARD_FINDINGS_MAX ((size_t)1 << 22) /* then some are lost */
#define GUARD_REASON 96 /* longest reason, with its NUL */

/* Where the text comes from: what a user may say, a document may not; an
 * answer is a model's, which may leak and lead astray; and a system prompt is
 * of whoever made the record: what it orders is no attack. */
enum guard_context {
	GUARD_USER, GUARD_DOCUMENT, GUARD_TOOL, GUARD_ANSWER, GUARD_SYSTEM,
	GUARD_CONTEXTS
};
#define GUARD_CONTEXT_NAMES "user|document|tool|answer|system"
extern const char *const guard_context_names[GUARD_CONTEXTS];

/* What is done about a finding; of two, the later in this list is done. */
enum guard_action {
	GUARD_PASS, GUARD_FLAG, GUARD_REDACT, GUARD_BLOCK, GUARD_DROP,
	GUARD_ACTIONS
};
extern const char *const guard_action_names[GUARD_ACTIONS];

enum guard_kind {
	GUARD_INVALID,      /* bytes that have no place in a text */
	GUARD_INJECTION,
	GUARD_SECRET,
	GUARD_PERSONAL,
	GUARD_LEAK,
	GUARD_EXFILTRATION,
	GUARD_KINDS
};
/* "invalid", "injection", ... */
extern const char *const guard_kind_names[GUARD_KINDS];

struct guard_finding {
	enum guard_kind kind;
	enum guard_action action; /* by the policy */
	const char *rule;   /* static: "email", "github-pat" */
	const char *view;   /* static: in which it was seen */
	double score;       /* 0 to 1: how sure */
	size_t from, to;    /* bytes of the original text */
	size_t text;        /* in which of the record's texts */
	bool cleared;       /* by a second opinion: nothing is done about it */
	const char *why;    /* the reason, for people; "" */
	const char *by;     /* the policy's rule or entry that decided; NULL */
};

/* Whether its bytes are not to be written, neither in the text nor in a reason;
 * a secret that is blocked is no less one in the error record. */
static inline bool guard_finding_hides(const struct guard_finding *x)
{
	return x->action == GUARD_REDACT ||
		(x->action == GUARD_BLOCK && (x->kind == GUARD_SECRET ||
					      x->kind == GUARD_PERSONAL));
}

struct guard_findings {
	struct guard_finding *v; /* owned */
	size_t n, cap;
	size_t more;             /* that were lost */
	size_t text, first;      /* of the next ones; where its own begin */
	struct guard_index *index; /* owned: what is there already; why */
	/* What the model was told, for answers (told.h); borrowed, or NULL. */
	struct guard_told *told;
};

void guard_findings_release(struct guard_findings *f);
/* Also gives back the memory of very many. */
void guard_findings_clear(struct guard_findings *f);
/* What is noted from now on is of this text of the record; from 0 on. */
void guard_findings_begin(struct guard_findings *f, size_t text);
/* Notes one: from..to are bytes of the view.  The same kind and rule at the
 * same place in another view is no second one.  reason may be NULL; what is
 * longer than GUARD_REASON is cut. */
int guard_find(struct guard_findings *f, const struct ai_view *v,
	       enum guard_kind kind, const char *rule, double score,
	       size_t from, size_t to, const char *reason,
	       struct ai_err *err);
/* Notes what was found elsewhere; its reason is copied. */
int guard_findings_copy(struct guard_findings *f, const struct guard_finding *x,
			struct ai_err *err);
/* Gives the i-th another reason. */
void guard_findings_say(struct guard_findings *f, size_t i, const char *reason);
/* Leaves the first n, which may have been moved together. */
void guard_findings_cut(struct guard_findings *f, size_t n);
/* In the order of the texts and their bytes.  Findings of one rule that overlap
 * and come from different views are the same thing seen twice: one, of all
 * their bytes, with what was seen most surely. */
void guard_findings_sort(struct guard_findings *f);

/* names.c: the name of the i-th rule of all; NULL: there are no more. */
const char *guard_rule_name(size_t i);
bool guard_rule_is_known(const char *name);
/* Whether the scores of the rule are 1 less the rate of harmless texts that
 * reach them, as measured; all others are judgements. */
bool guard_rule_is_calibrated(const char *name);

/* ---- detectors: each looks at one view --------------------------------------- */

typedef int guard_detector(const struct ai_view *v, enum guard_context context,
			   struct guard_findings *f, struct ai_err *err);

/* validate.c: control characters, bidi overrides, escapes; the text only. */
guard_detector guard_validate;
/* secret.c: keys, tokens and passwords, by the rules of rules.h. */
guard_detector guard_secret;
/* phrase.c: phrases of attacks, and signs of chat templates. */
guard_detector guard_phrase;
/* personal.c: addresses of mail, numbers of telephones, cards and people. */
guard_detector guard_personal;
/* classify.c: what reads like an attack, by the weights of ai-guard train. */
guard_detector guard_classify;
/* Opens the weights, which the first text would do. */
int guard_classify_open(struct ai_err *err);
/* exfiltrate.c: addresses that carry data away, or deceive. */
guard_detector guard_exfiltrate;
/* code.c: code in an answer that does harm when it is run or shown. */
guard_detector guard_code;
/* leak.c: canaries, and words of what the model was told; and, when all views
 * were looked at, a canary that should have been there. */
guard_detector guard_leak;
int guard_leak_end(struct ai_span text, enum guard_context context,
		   struct guard_findings *f, struct ai_err *err);

/* ---- the rest ------------------------------------------------------------------- */

#define GUARD_AUTO GUARD_CONTEXTS /* by where the text stands */
struct guard_settings {
	int context; /* enum guard_context, or GUARD_AUTO */
	bool explain;
};
extern struct guard_settings guard_settings;

struct guard_train_settings {
	const char *out;
	struct ai_opt_list calibrate;
};
extern struct guard_train_settings guard_train_settings;

/* Runs the program; for ai_program.run. */
int guard_run(int argc, char **argv, struct ai_err *err);
/* The verb train: argv are files of rows. */
int guard_train(int argc, char **argv, struct ai_err *err);

#endif
