/* ledger-int.h: what the parts of the ledger share. */
#ifndef AI_STORE_LEDGER_INT_H
#define AI_STORE_LEDGER_INT_H

#include "base/str.h"
#include "crypt/hash.h"
#include "store/batch.h"
#include "store/db.h"
#include "store/ledger.h"
#include "store/owner.h"
#include "store/queue.h"
#include "store/rollup.h"

#include <sys/types.h>

#define LEDGER_VERSION 7
#define LEDGER_APPLICATION 1634296940 /* "ailg" */
#define LEDGER_HASH 32 /* bytes of a link of the chain */
#define LEDGER_ACCOUNTS_MAX 64 /* that one call may fall under */
/* The budgets of a new ledger, nano-dollars: of a request and of a day, as
 * ledger-schema.c has them. */
#define LEDGER_NEW_REQUEST 500000000
#define LEDGER_NEW_DAY 100000000000

enum ledger_sql {
	SQL_STATE, SQL_SET_STATE,
	SQL_TRANSFER, SQL_TRANSFER_AT, SQL_INSERT_TRANSFER, SQL_BOOKED, SQL_IDS,
	SQL_LABEL, SQL_LABEL_ROW, SQL_SEAL_LABEL, SQL_LABEL_RATE, SQL_INSERT_LABEL,
	SQL_INSERT_EVENT, SQL_PERSON, SQL_INSERT_PERSON,
	SQL_BUDGETS, SQL_USED, SQL_HAS_BUDGET, SQL_SET_BUDGET, SQL_REMOVE_BUDGET,
	SQL_ACCOUNT, SQL_DELETE_ENTRIES, SQL_DELETE_ACCOUNTS, SQL_INSERT_ACCOUNT, SQL_FILL_ENTRIES, SQL_SUM_ACCOUNT,
	SQL_MOVE_SUMS, SQL_ENTRIES, SQL_INSERT_ENTRY,
	SQL_INSERT_HOLD, SQL_HOLDER, SQL_SET_SENT, SQL_DELETE_HOLD, SQL_HOLDS,
	SQL_ROLL_UP, SQL_ROLL_UP_ALL, SQL_ROLL_ON, SQL_SET_ROLLED, SQL_INSERT_HIT, SQL_IS_LOST,
	SQL_LIMITS, SQL_SET_LIMIT, SQL_REMOVE_LIMIT, SQL_BUCKET, SQL_SET_BUCKET,
	SQL_BREAKER, SQL_SET_BREAKER, SQL_RESET_BREAKER,
	SQL_CACHED, SQL_CACHE_DELETE, SQL_CACHE_INSERT, SQL_CACHE_EXPIRE, SQL_CACHE_OLDEST,
	SQL_CONVERSATION, SQL_CONVERSATIONS, SQL_ADD_CONVERSATION, SQL_REMOVE_CONVERSATION, SQL_SET_CHANGED,
	SQL_ADD_MESSAGE, SQL_MESSAGES, SQL_REMOVE_MESSAGES,
	SQL_BATCH, SQL_ADD_BATCH, SQL_OWN_BATCH, SQL_REMOVE_BATCH,
	SQL_LINE, SQL_START_LINE, SQL_ANSWER_LINE, SQL_ANSWERED, SQL_REMOVE_ANSWERS,
	SQL_RUN, SQL_RUNS_LIKE, SQL_ADD_RUN, SQL_OWN_RUN, SQL_SET_RUN, SQL_SET_CAP, SQL_REMOVE_RUN,
	SQL_PUT_STEP, SQL_COPY_STEPS, SQL_DECIDE, SQL_REMOVE_STEPS,
	SQL_NOTE, SQL_NOTES, SQL_NOTE_OF, SQL_ADD_NOTE, SQL_EMPTY_NOTES, SQL_COPY_NOTES, SQL_REMOVE_NOTES,
	SQL_SHARE, SQL_SET_SHARE, SQL_SHARES_HELD, SQL_REMOVE_SHARES,
	SQL_COUNT
};

/* As they stand in the file: never renumbered. */
enum ledger_kind {
	LEDGER_PENDING = 1,
	LEDGER_POST = 2,
	LEDGER_VOID = 3,
	LEDGER_EXPIRE = 4,
	LEDGER_CORRECT = 5,
};

#define LEDGER_MEMO_ACCOUNTS 16
#define LEDGER_MEMO_ROLLUPS 8
#define LEDGER_BREAKER_NAME 180

/* What a transaction has read, and the sums that it moves (ledger-memo.c).
 * Nothing is valid unless it is open. */
struct ledger_memo {
	bool open, has_budgets, has_limit;
	struct ai_labels labels; /* of label; 0: of none */
	int64_t label;
	char person[64], token[64]; /* "": nobody */
	struct ai_budget *budget;
	size_t n_budgets, max_budgets;
	struct ledger_sums {
		struct ai_budget of; /* if it was read */
		int64_t start, end;  /* of its period, ms */
		int64_t n;           /* its number */
		bool read;
		int64_t pending, posted;           /* if it was read */
		int64_t more_pending, more_posted; /* to be written */
	} account[LEDGER_MEMO_ACCOUNTS];
	size_t n_accounts;
	struct ledger_rollup {
		int64_t hour, label;
		int64_t v[AI_ROLLUP_COUNT]; /* to be added */
	} rollup[LEDGER_MEMO_ROLLUPS];
	size_t n_rollups;
	struct ai_limit limit; /* for just this key and model */
	/* A breaker of which there is nothing to tell; and the name of that of
	 * a label. "", 0: none. */
	char healthy[LEDGER_BREAKER_NAME];
	int64_t rate_label;
	char rate_key[40], rate_model[128];
};

struct ai_ledger {
	struct ai_db db;
	sqlite3_stmt *st[SQL_COUNT];
	struct ai_queue queue;
	struct ai_owner owner;
	pid_t pid;          /* of the process that opened it */
	bool full;          /* synchronous=FULL is in force */
	bool fixed;         /* it can only be read */
	bool no_sync;       /* tests: nothing has to survive */
	int64_t cache_limit; /* bytes (store/cache.h); 0: the usual */
	int64_t uid;        /* of the user */
	struct ledger_memo memo;
	/* Where reservations of this handle stand, by the last byte of their
	 * ids; a hint that may be wrong. */
	struct {
		unsigned char id[AI_LEDGER_ID];
		int64_t seq;
	} booked[256];
	int64_t seq;        /* of the last transfer, in this transaction */
	int64_t event_seq;  /* of the last event */
	char zone[80];      /* of its calendar */
	int64_t hour_start, hour_end; /* the last one that was asked for, in
			     * this zone: it holds beyond a transaction */
	int64_t rolled;     /* totals are of the hours before this one, ms */
	unsigned char head[LEDGER_HASH], event_head[LEDGER_HASH],
		      key[LEDGER_HASH];
	int64_t (*wall_ms)(void), (*boot_ns)(void); /* tests set their own */
};

extern const char *const ledger_sql[SQL_COUNT];

/* Binds statement s (an enum ledger_sql), by the letters of ai_db_bind(). */
#define LEDGER_BIND(l, s, err, ...) \
	ai_db_bind(&(l)->db, &(l)->st[s], ledger_sql[s], err, __VA_ARGS__)
/* The same, and runs it. */
#define LEDGER_RUN(l, s, err, ...) \
	(LEDGER_BIND(l, s, err, __VA_ARGS__) < 0 ? -1 : \
	 ai_db_run(&(l)->db, (l)->st[s], err))

/* A handle without a file yet. */
struct ai_ledger *ledger_new(struct ai_err *err);

/* A span of bytes to bind. */
#define LEDGER_BYTES(p, n) ((struct ai_span){ (const char *)(p), (n) })

/* The owner in columns from c on (pid, start, space, boot), and its pid if it
 * lives or nobody can tell; else 0. */
int64_t ledger_living(sqlite3_stmt *st, int c, struct ai_owner *o);
/* Text of a column, cut to fit. */
void ledger_copy_column(char *to, size_t size, sqlite3_stmt *st, int column);

/* ---- one request on its way through the queue ----------------------------- */

enum ledger_what {
	LEDGER_DO_RESERVE, LEDGER_DO_SENT, LEDGER_DO_POST, LEDGER_DO_VOID,
	LEDGER_DO_SWEEP, LEDGER_DO_BUDGET, LEDGER_DO_LIMIT, LEDGER_DO_SETTLE,
	LEDGER_DO_RESET, LEDGER_DO_START, LEDGER_DO_ANSWER,
	LEDGER_DO_HIT,
};

struct ledger_item {
	enum ledger_what what;
	int64_t now_ms, now_ns, uid;
	struct ai_owner owner;
	union {
		struct ai_reserve reserve;
		struct ai_post post;
		unsigned char id[AI_LEDGER_ID];
		struct ai_budget budget;
		struct ai_limit limit;
		struct ledger_settle {
			unsigned char id[AI_LEDGER_ID];
			enum ai_booking how;
			int64_t amount;
			bool force;
		} settle;
		char model[128];
		const struct ai_batch_step *step; /* only in its own process:
						   * see ledger-many.c */
		const struct ai_hit *hit;         /* likewise */
	} in;
	/* The answer: nothing above is ever written by who runs it; all zero
	 * before it is run for the first time. */
	enum ai_code code; /* AI_E_NONE, or why it was refused */
	char why[240];
	struct ai_reserved out;
};

_Static_assert(sizeof(struct ledger_item) <= AI_QUEUE_ITEM, "fits a slot");

/* Refuses this one request; the others of the transaction go on. */
int ledger_refuse(struct ledger_item *it, enum ai_code code, const char *fmt,
		  ...) __attribute__((format(printf, 3, 4)));

/* One transaction for all of them: the ai_queue_run of the ledger arg. */
int ledger_run(void *arg, void *const *items, size_t n, struct ai_err *err);

/*
 * A transaction of this handle alone, in this process, with the others
 * waiting: for what fits into no slot, or must not be run elsewhere.  Not
 * durable: it is with the next one that is.
 */
typedef int ledger_step(struct ai_ledger *l, void *arg, struct ai_err *err);
int ledger_alone(struct ai_ledger *l, bool durable, ledger_step *step,
		 void *arg, struct ai_err *err);

/* These items as one transaction of this handle alone. */
int ledger_together(struct ai_ledger *l, void *const *items, size_t n,
		    struct ai_err *err);
/* ai_ledger_sweep(); *n: how many reservations it ended. */
int ledger_swept(struct ai_ledger *l, int64_t *n, struct ai_err *err);

/* Each runs inside a transaction; -1 undoes all of it. */
int ledger_reserve(struct ai_ledger *l, struct ledger_item *it,
		   struct ai_err *err);
int ledger_sent(struct ai_ledger *l, struct ledger_item *it,
		struct ai_err *err);
int ledger_post(struct ai_ledger *l, struct ledger_item *it,
		struct ai_err *err);
int ledger_void(struct ai_ledger *l, struct ledger_item *it,
		struct ai_err *err);
int ledger_sweep(struct ai_ledger *l, struct ledger_item *it,
		 struct ai_err *err);
int ledger_budget(struct ai_ledger *l, struct ledger_item *it,
		  struct ai_err *err);
int ledger_limit(struct ai_ledger *l, struct ledger_item *it,
		 struct ai_err *err);
int ledger_settle(struct ai_ledger *l, struct ledger_item *it,
		  struct ai_err *err);
int ledger_reset(struct ai_ledger *l, struct ledger_item *it,
		 struct ai_err *err);
int ledger_start(struct ai_ledger *l, struct ledger_item *it,
		 struct ai_err *err);
int ledger_answer(struct ai_ledger *l, struct ledger_item *it,
		  struct ai_err *err);
int ledger_hit(struct ai_ledger *l, struct ledger_item *it,
	       struct ai_err *err);

/* ---- the file (ledger-file.c) ----------------------------------------------- */

int ledger_file_open(struct ai_ledger *l, const char *path, struct ai_err *err);
/* The same for one that is there, and perhaps can only be read. */
int ledger_file_read(struct ai_ledger *l, const char *path, struct ai_err *err);
void ledger_queue_path(const char *path, int version, char *out, size_t size);
/* Its tables, of this version, made or brought forward (ledger-schema.c). */
int ledger_schema(struct ai_ledger *l, const char *path, struct ai_err *err);
/* The ends of both chains, read at a transaction's begin and written at its
 * end. */
int ledger_state_load(struct ai_ledger *l, struct ai_err *err);
int ledger_state_save(struct ai_ledger *l, struct ai_err *err);

/* ---- copies (ledger-backup.c) -------------------------------------------------- */

/* Removes the copy beside the ledger that a killed restore left; not that of
 * one that is under way. */
int ledger_drop_draft(struct ai_ledger *l, bool *in_use, struct ai_err *err);

/* ---- a reservation (ledger-flow.c) -------------------------------------------- */

/* As it stands. */
struct ledger_reserved {
	int64_t seq, amount, label, created;
	bool open, sent;
};

/* 1: it is there, 0: not. */
int ledger_find(struct ai_ledger *l, const unsigned char *id,
		struct ledger_reserved *r, struct ai_err *err);
/* The accounts it falls under have so much less pending, and more posted. */
int ledger_shift(struct ai_ledger *l, int64_t seq, int64_t pending,
		 int64_t posted, struct ai_err *err);
/* How an open one ends; usage is "" or JSON. */
struct ledger_ending {
	enum ledger_kind kind;
	int64_t amount; /* that it has cost */
	const char *usage;
	struct ai_facts facts;
};
int ledger_end(struct ai_ledger *l, const struct ledger_reserved *r,
	       const struct ledger_ending *e, int64_t now_ms,
	       struct ai_err *err);

/* ---- transfers and their chain (ledger-transfer.c) -------------------------- */

struct ledger_transfer {
	enum ledger_kind kind;
	const unsigned char *id; /* NULL, except for LEDGER_PENDING */
	int64_t of;              /* the reservation; 0 for LEDGER_PENDING */
	int64_t amount, created, label;
	const char *usage;       /* "" or JSON */
	struct ai_facts facts;   /* of its end */
};

/* Appends it: 1, and its number is l->seq then; 0: a reservation of that id is
 * there already. */
int ledger_append(struct ai_ledger *l, const struct ledger_transfer *t,
		  struct ai_err *err);
/* The link that follows `from`. */
void ledger_link(const struct ai_ledger *l, const unsigned char *from,
		 int64_t seq, const struct ledger_transfer *t,
		 unsigned char out[LEDGER_HASH]);

/* Into a seal: eight bytes; or the length, and the text. */
void ledger_seal_int(struct ai_seal *s, int64_t v);
void ledger_seal_text(struct ai_seal *s, struct ai_span text);

/* ---- sums by hour and label (ledger-rollup.c) ------------------------------- */

/* What is not told follows from the booking; no number is absurd, so that no
 * sum overflows. */
void ledger_facts(struct ai_facts *f, enum ledger_kind kind, bool usage);
/* Reservation r has ended; corrections: how many came with it. */
int ledger_rollup_end(struct ai_ledger *l, const struct ledger_reserved *r,
		      const struct ledger_ending *e, int64_t corrections,
		      struct ai_err *err);
/* What it costs is corrected by so much; lost: it stood at its worst case, and
 * this is the first correction. */
int ledger_rollup_correct(struct ai_ledger *l, const struct ledger_reserved *r,
			  int64_t delta, bool lost, struct ai_err *err);
/* Writes what the transaction has counted. */
int ledger_rollup_write(struct ai_ledger *l, struct ai_err *err);
/* What SQL calls the columns of a rollup. */
extern const char *const ledger_column[AI_ROLLUP_COUNT];
/* The hour that ms lies in, as a rollup has it: [*start, *end). */
void ledger_hour(int64_t ms, int64_t *start, int64_t *end);
/* All of them anew, from the transfers. */
int ledger_rollup_make(struct ai_ledger *l, struct ai_err *err);
/* Calls tell() with each that is not what the transfers say. */
int ledger_rollup_check(struct ai_ledger *l,
			void (*tell)(void *arg, const char *what), void *arg,
			struct ai_err *err);
/* The seal of a row of answers from the cache. */
void ledger_hit_seal(const struct ai_ledger *l, int64_t seq, int64_t created,
		     int64_t label, int64_t hits, int64_t saved,
		     unsigned char out[LEDGER_HASH]);

/* ---- events: what people did (ledger-event.c) --------------------------------- */

/* Who does something by hand, and when. */
struct ledger_who {
	int64_t uid, now_ms;
};

/* Appends one. Its detail is an object with the user's number and a member
 * for each letter of types, which is followed by its name and value: i
 * int64_t, t text, m int64_t as dollars.  Names of people are not in it. */
int ledger_tell(struct ai_ledger *l, const struct ledger_who *who,
		struct ai_err *err, const char *kind, const char *types, ...);
/* The same with a detail that is written already. */
int ledger_event(struct ai_ledger *l, const char *kind, const char *detail,
		 int64_t now_ms, struct ai_err *err);
void ledger_event_link(const struct ai_ledger *l, const unsigned char *from,
		       int64_t seq, int64_t created, struct ai_span kind,
		       struct ai_span detail, unsigned char out[LEDGER_HASH]);

/* ---- budgets and accounts (ledger-account.c) --------------------------------- */

/* The accounts a call falls under; a refusal is in it->out. Returns 1 when
 * all have room, 0 when one has not. */
struct ledger_accounts {
	int64_t id[LEDGER_ACCOUNTS_MAX];
	size_t n;
};
int ledger_accounts_find(struct ai_ledger *l, struct ledger_item *it,
			 const struct ai_labels *labels,
			 struct ledger_accounts *a, struct ai_err *err);
/* The number of this set of labels, made if it is new. */
int ledger_label(struct ai_ledger *l, const struct ai_labels *labels,
		 int64_t *n, struct ai_err *err);
/* The seal of row n: what it says, and that it is row n. */
int ledger_label_seal(struct ai_ledger *l, int64_t n, struct ai_err *err);
/* 1: the seal is right, 0: it is not. */
int ledger_label_check(struct ai_ledger *l, int64_t n, struct ai_err *err);
/* Removes all runs of a person, within a transaction; *n grows by their
 * number. */
int ledger_forget_runs(struct ai_ledger *l, const char *token, int64_t *n,
		       struct ai_err *err);
/* The token that stands for a person's name, made if it is new. */
int ledger_person(struct ai_ledger *l, char name[64], struct ai_err *err);
/* The same, but nothing is made: 0: nobody knows the name. */
int ledger_known_person(struct ai_ledger *l, char name[64],
			struct ai_err *err);
/* A name that a caller gave (NULL: "") in its place; what: "a user's name". */
int ledger_name(char to[64], const char *name, const char *what,
		struct ai_err *err);

/* What the budget b has used in the period of now, from the rollups;
 * name: as the labels have it. */
int ledger_used(struct ai_ledger *l, const char *name,
		struct ai_budget_state *b, struct ai_err *err);

/* The SQL condition that label row l is of scope ?4 and name ?5. */
#define LEDGER_MATCHES \
	"CASE ?4 WHEN 'all' THEN 1 WHEN 'tool' THEN l.tool=?5" \
	" WHEN 'provider' THEN l.provider=?5 WHEN 'model' THEN l.model=?5" \
	" WHEN 'key' THEN l.key=?5 WHEN 'tenant' THEN l.tenant=?5" \
	" WHEN 'user' THEN l.user=?5 WHEN 'project' THEN l.project=?5" \
	" WHEN 'experiment' THEN l.experiment=?5 WHEN 'run' THEN l.run=?5 END"

/* ---- what a transaction knows (ledger-memo.c) ----------------------------------- */

void ledger_memo_begin(struct ai_ledger *l);
void ledger_memo_end(struct ai_ledger *l);
void ledger_memo_free(struct ai_ledger *l);
/* The number of these labels; 0: not known here. */
int64_t ledger_memo_label(const struct ai_ledger *l, const struct ai_labels *a);
void ledger_memo_set_label(struct ai_ledger *l, const struct ai_labels *a,
			   int64_t n);
/* Puts the token in the place of the name, if it is known here. */
bool ledger_memo_person(const struct ai_ledger *l, char name[64]);
void ledger_memo_set_person(struct ai_ledger *l, const char *name,
			    const char token[64]);
/* From now on l->memo.budget[] has all of them, in the order of the table. */
int ledger_memo_budgets(struct ai_ledger *l, struct ai_err *err);
/* The account of this budget in whose period ms lies, as the transaction sees
 * it; NULL: it is to be read. */
struct ledger_sums *ledger_memo_account(struct ai_ledger *l,
					const struct ai_budget *b, int64_t ms);
/* It was read, and its period ends at sums->resets_ms; what the transaction has moved so far is added to sums. */
void ledger_memo_set_account(struct ai_ledger *l, const struct ai_budget *b,
			     int64_t start, int64_t n,
			     struct ai_reserved *sums);
/* Account n has so much more pending and posted. */
int ledger_move_sums(struct ai_ledger *l, int64_t n, int64_t pending,
		     int64_t posted, struct ai_err *err);
/* Writes all sums: before the commit, and before anything else looks at the
 * table or at the budgets, or changes them. */
int ledger_memo_write(struct ai_ledger *l, struct ai_err *err);
/* What is asked of calls with this key and model; NULL: not known here. */
struct ai_limit *ledger_memo_limit(struct ai_ledger *l, const char *key,
				   const char *model);
void ledger_memo_set_limit(struct ai_ledger *l, const struct ai_limit *limit);
/* Whether there is nothing to tell of this breaker. */
bool ledger_memo_healthy(const struct ai_ledger *l, const char *name);
void ledger_memo_set_healthy(struct ai_ledger *l, const char *name);
/* A limit or a breaker is changed. */
void ledger_memo_forget_rates(struct ai_ledger *l);

/* ---- the calendar (ledger-period.c) ------------------------------------------- */

/* The zone of this ledger, for the process. AI_E_CONFIG: no such zone. */
int ledger_zone(const char *name, struct ai_err *err);
/* The hour, day, month or all of time that ms lies in: [*start, *end).
 * false: no such period. */
bool ledger_period(const char *period, int64_t ms, int64_t *start,
		   int64_t *end);
/* When this day begins, ms; month from 0 on. */
int64_t ledger_midnight(int64_t year, int64_t month, int64_t day);
/* The zone of a new ledger: tz, which is that of TZ; without it (NULL) the
 * machine's, by the folder etc; UTC if there is no such. */
void ledger_zone_new(const char *tz, const char *etc, char *out, size_t size);

/* ---- checking (ledger-check.c) ---------------------------------------------------- */

/* ai_ledger_check(), within a transaction. */
int ledger_check(struct ai_ledger *l,
		 void (*each)(void *arg, const char *what), void *arg,
		 struct ai_err *err);

/* ---- rates and breakers (ledger-rate.c) ----------------------------------------- */

/* 1: it may go at *start_ns; 0: refused, see it->out. Nothing is written. */
struct ledger_rate {
	int64_t start_ns;
	int64_t lease; /* it is a probe, and over by then, ns; 0: it is none */
	struct ledger_bucket {
		char name[200];
		int64_t tat, burst, last; /* ns, units, ns */
		int64_t limit, units;     /* a minute, of this call */
	} bucket[2];
	size_t n;
};
int ledger_rate_find(struct ai_ledger *l, struct ledger_item *it,
		     struct ledger_rate *r, struct ai_err *err);
int ledger_rate_take(struct ai_ledger *l, struct ledger_item *it,
		     const struct ledger_rate *r, struct ai_err *err);
/* Whether what was granted may still go out: 1; or 0 and it->out.verdict. */
int ledger_rate_look(struct ai_ledger *l, struct ledger_item *it,
		     const struct ledger_reserved *r, struct ai_err *err);
/* What a call's end means for its provider. */
int ledger_rate_end(struct ai_ledger *l, const struct ledger_item *it,
		    const struct ledger_reserved *r, struct ai_err *err);

#endif
