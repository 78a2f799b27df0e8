/* report-range.c: times as people type them. */
#include "report.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOUR_MS ((int64_t)3600000)
#define COUNT_MAX 100000

/* The day that lies so many days from today, as a date; first: of its month,
 * its year. */
static int day_from_today(int64_t days, const char *first, int64_t *ms,
			  struct ai_err *err)
{
	time_t now = time(NULL);
	char date[40];
	struct tm t;

	if (localtime_r(&now, &t) == NULL)
		return ai_err_set(err, AI_E_OS, "there is no date today");
	/* Days are counted in UTC, where all have the same length. */
	t.tm_mday += (int)days;
	if (strcmp(first, "week") == 0)
		t.tm_mday -= (t.tm_wday + 6) % 7;
	if (strcmp(first, "month") == 0 || strcmp(first, "year") == 0)
		t.tm_mday = 1;
	if (strcmp(first, "year") == 0)
		t.tm_mon = 0;
	timegm(&t);
	strftime(date, sizeof(date), "%Y-%m-%d", &t);
	return ai_ledger_date(date, ms, err);
}

/* "7d", "2w", "24h": 1; 0: it is none of these. */
static int ago(const char *text, int64_t *ms, struct ai_err *err)
{
	char *unit;
	long n;

	if (!isdigit((unsigned char)text[0]))
		return 0;
	n = strtol(text, &unit, 10);
	if (unit[0] == '\0' || unit[1] != '\0' ||
	    strchr("hdw", unit[0]) == NULL)
		return 0;
	if (n > COUNT_MAX)
		return ai_err_set(err, AI_E_USAGE, "'%.40s' is longer ago than "
				  "%d hours, days or weeks", text, COUNT_MAX);
	if (unit[0] != 'h')
		return day_from_today(unit[0] == 'w' ? -7 * n : -n, "", ms,
				      err) < 0 ? -1 : 1;
	*ms = ((int64_t)time(NULL) - n * 3600) * 1000;
	return 1;
}

static int read_time(const char *option, const char *text, int64_t *ms,
		     struct ai_err *err)
{
	static const struct { const char *word; int days; const char *first; }
	words[] = {
		{ "today", 0, "" }, { "yesterday", -1, "" },
		{ "tomorrow", 1, "" }, { "week", 0, "week" },
		{ "month", 0, "month" }, { "year", 0, "year" },
	};
	char day[16];
	size_t i;
	int rc;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text, words[i].word) == 0)
			return day_from_today(words[i].days, words[i].first,
					      ms, err);
	rc = ago(text, ms, err);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	/* "2026-11" is its first day. */
	if (strlen(text) == 7 && text[4] == '-') {
		snprintf(day, sizeof(day), "%s-01", text);
		text = day;
	}
	if (ai_ledger_date(text, ms, err) == 0)
		return 0;
	if (strstr(err->msg, "is no date") != NULL)
		ai_err_set(err, AI_E_USAGE, "--%s: '%.40s' is no date like "
			   "2026-11-22, nor 7d, 24h, today, yesterday, week, "
			   "month or year", option, text);
	return -1;
}

int report_range(int64_t *since, int64_t *until, struct ai_err *err)
{
	*since = INT64_MIN;
	*until = INT64_MAX;
	if ((cost.since != NULL &&
	     read_time("since", cost.since, since, err) < 0) ||
	    (cost.until != NULL &&
	     read_time("until", cost.until, until, err) < 0))
		return -1;
	if (*until > *since)
		return 0;
	return ai_err_set(err, AI_E_USAGE, "the range ends before it starts: "
			  "--since %.40s is not before --until %.40s",
			  cost.since, cost.until);
}
