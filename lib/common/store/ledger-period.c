/* ledger-period.c: hours, days and months of the ledger's time zone. */
#include "store/ledger-int.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HOUR 3600
#define DAY 86400
#define GRID 900 /* s: closer than that no clock is set twice */

/* ---- zones ----------------------------------------------------------------- */

static const char *const folders[] = {
	"/usr/share/zoneinfo/", "/usr/lib/zoneinfo/",
	"/usr/share/lib/zoneinfo/",
};

static bool is_zone_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char magic[4];
	struct stat st;
	bool is;

	if (fd < 0)
		return false;
	is = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		read(fd, magic, sizeof(magic)) == sizeof(magic) &&
		memcmp(magic, "TZif", sizeof(magic)) == 0;
	close(fd);
	return is;
}

/* glibc takes what it does not know for UTC; a budget must not. */
static bool zone_exists(const char *name)
{
	char path[300];
	size_t i;

	if (strcmp(name, "UTC") == 0 || strcmp(name, "UTC0") == 0)
		return true;
	if (name[0] == '/' || name[0] == '\0' || strstr(name, "..") != NULL)
		return false;
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", folders[i], name);
		if (is_zone_file(path))
			return true;
	}
	return false;
}

/* TZ may be written ":Europe/Berlin", and as the name of a file. */
static const char *name_of(const char *tz)
{
	size_t i, n;

	tz += tz[0] == ':';
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		n = strlen(folders[i]);
		if (strncmp(tz, folders[i], n) == 0)
			return tz + n;
	}
	return tz;
}

/* What a link to a zone's file says, or "". */
static void zone_of_link(const char *path, char *out, size_t size)
{
	static const char mark[] = "/zoneinfo/";
	char to[300];
	ssize_t n = readlink(path, to, sizeof(to) - 1);
	const char *name;

	to[n > 0 ? n : 0] = '\0';
	name = strstr(to, mark);
	snprintf(out, size, "%s", name == NULL ? "" : name + strlen(mark));
}

/* The first word of a file, or "". */
static void word_of_file(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[300];
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	snprintf(out, size, "%.*s", (int)strcspn(text, " \t\r\n"), text);
}

static void own_zone(const char *etc, char *out, size_t size)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/localtime", etc);
	zone_of_link(path, out, size);
	if (zone_exists(out))
		return;
	snprintf(path, sizeof(path), "%s/timezone", etc);
	word_of_file(path, out, size);
}

void ledger_zone_new(const char *tz, const char *etc, char *out, size_t size)
{
	/* An empty TZ is UTC for every program. */
	if (tz != NULL)
		snprintf(out, size, "%s", name_of(tz));
	else
		own_zone(etc, out, size);
	/* UTC is there also where no other zone is. */
	if (!zone_exists(out) || (tz == NULL && strcmp(out, "Etc/UTC") == 0))
		snprintf(out, size, "UTC");
}

static int set_zone(const char *name, struct ai_err *err)
{
	static char current[80];
	const char *now = getenv("TZ");
	bool same = now != NULL && strcmp(name_of(now), name) == 0;

	/* Asked in every transaction: another ledger may have been restored. */
	if (same && strcmp(current, name) == 0)
		return 0;
	if (!zone_exists(name))
		return ai_err_set(err, AI_E_CONFIG, "there is no time zone "
				  "'%.60s' on this machine; names are like "
				  "'Europe/Berlin' (package tzdata), or 'UTC'",
				  name);
	if (!same)
		setenv("TZ", name, 1);
	tzset();
	snprintf(current, sizeof(current), "%s", name);
	return 0;
}

int ledger_zone(const char *name, struct ai_err *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	int rc;

	pthread_mutex_lock(&lock);
	rc = set_zone(name, err);
	pthread_mutex_unlock(&lock);
	return rc;
}

/* ---- days and months -------------------------------------------------------- */

/*
 * mktime() must choose where midnight comes twice or not at all, and chooses
 * by what was asked before: one day would have two beginnings, and two
 * accounts.  So what is asked here is only localtime_r(), and each beginning
 * is found from its date alone.
 */

/* Seconds east of UTC. */
static int64_t offset_at(int64_t s)
{
	time_t t = (time_t)s;
	struct tm tm;

	return localtime_r(&t, &tm) == NULL ? 0 : tm.tm_gmtoff;
}

/* Days after 1970-01-01 that the calendar on the wall shows. */
static int64_t date_at(int64_t s)
{
	int64_t wall = s + offset_at(s);

	return wall / DAY - (wall % DAY < 0);
}

/* The first second in (from, to] on this date or a later one; at `to` it is,
 * at `from` it is not. */
static int64_t first_on(int64_t date, int64_t from, int64_t to)
{
	while (to - from > 1) {
		int64_t mid = from + (to - from) / 2;

		if (date_at(mid) >= date)
			to = mid;
		else
			from = mid;
	}
	return to;
}

/* When the calendar first shows this date, or a later one. */
static int64_t begin_of(int64_t date)
{
	/* No place is further from UTC. */
	int64_t from = date * DAY - 16 * HOUR, to = date * DAY + 16 * HOUR, t;

	if (offset_at(from) == offset_at(to))
		return date * DAY - offset_at(from);
	for (t = from + GRID; t < to && date_at(t) < date; t += GRID)
		;
	return first_on(date, t - GRID, t);
}

/* Days before 1970-01-01, or after it (Hinnant's days_from_civil); month from
 * 0 on, also beyond 11. */
static int64_t date_of(int64_t year, int64_t month, int64_t day)
{
	int64_t m, y, era, of_era;

	year += month / 12 - (month % 12 < 0);
	m = (month % 12 + 12) % 12; /* from March on: */
	y = year - (m < 2);
	m = (m + 10) % 12;
	era = y / 400 - (y % 400 < 0);
	of_era = y - era * 400;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
		(153 * m + 2) / 5 + day - 1 - 719468;
}

int64_t ledger_midnight(int64_t year, int64_t month, int64_t day)
{
	return begin_of(date_of(year, month, day)) * 1000;
}

/* A day or a month with its number, one after the other. */
struct count {
	bool months;
	int64_t n;
};

static int64_t begin_of_count(struct count c, int64_t more)
{
	return begin_of(c.months ? date_of(0, c.n + more, 1) : c.n + more);
}

/* Where a clock is set back over midnight, a new day has begun when the old
 * date is shown again: it is over. */
static void around(struct count c, int64_t now, int64_t *start, int64_t *end)
{
	while ((*start = begin_of_count(c, 0)) > now)
		c.n--;
	while ((*end = begin_of_count(c, 1)) <= now) {
		*start = *end;
		c.n++;
	}
}

/* ---- hours -------------------------------------------------------------------- */

/* The first second in (from, to] with the offset that `to` has, and `from`
 * has not. */
static int64_t set_at(int64_t from, int64_t to)
{
	int64_t offset = offset_at(to);

	while (to - from > 1) {
		int64_t mid = from + (to - from) / 2;

		if (offset_at(mid) == offset)
			to = mid;
		else
			from = mid;
	}
	return to;
}

/* An hour that comes twice is two hours.  Where a clock is set by half an
 * hour, one ends there and another begins. */
static void hour_around(int64_t now, int64_t *start, int64_t *end)
{
	int64_t offset = offset_at(now), into = (now + offset) % HOUR;

	*start = now - into - (into < 0 ? HOUR : 0);
	*end = *start + HOUR;
	if ((offset_at(*start) - offset) % HOUR != 0)
		*start = set_at(*start, now);
	if ((offset_at(*end) - offset) % HOUR != 0)
		*end = set_at(now, *end);
}

/* Of a time that no calendar has: that of UTC. */
static void hour_beyond(int64_t ms, int64_t *start, int64_t *end)
{
	int64_t into = ms % (HOUR * 1000);

	*start = ms - into;
	if (into < 0 && __builtin_sub_overflow(*start, HOUR * 1000, start))
		*start = INT64_MIN;
	if (__builtin_add_overflow(*start, HOUR * 1000, end))
		*end = INT64_MAX;
}

void ledger_hour(int64_t ms, int64_t *start, int64_t *end)
{
	int64_t day, over;

	if (!ledger_period("hour", ms, start, end) ||
	    !ledger_period("day", ms, &day, &over)) {
		hour_beyond(ms, start, end);
		return;
	}
	*start = *start > day ? *start : day;
	*end = *end < over ? *end : over;
}

bool ledger_period(const char *period, int64_t ms, int64_t *start,
		   int64_t *end)
{
	int64_t now = ms / 1000 - (ms % 1000 < 0);
	time_t t = (time_t)now;
	struct tm tm;

	*start = 0;
	*end = INT64_MAX;
	if (strcmp(period, "total") == 0)
		return true;
	if (localtime_r(&t, &tm) == NULL)
		return false;
	if (strcmp(period, "hour") == 0)
		hour_around(now, start, end);
	else if (strcmp(period, "day") == 0)
		around((struct count){ false, date_at(now) }, now, start, end);
	else if (strcmp(period, "month") == 0)
		around((struct count){ true, ((int64_t)tm.tm_year + 1900) * 12 +
				       tm.tm_mon }, now, start, end);
	else
		return false;
	*start *= 1000;
	*end *= 1000;
	return true;
}
