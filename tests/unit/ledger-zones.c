/*
 * The hours, days and months of every time zone of this machine, 2020 to 2030.
 *
 *	ledger-zones [all]
 *
 * Asked around each time that a clock is set, once for all zones that set
 * theirs alike; with "all" every half hour.
 */
#include "help.h"
#include "store/ledger-int.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FIRST 1577836800 /* 2020-01-01 */
#define LAST 1924992000  /* 2031-01-01 */
#define DAY 86400
#define HALF_HOUR 1800
#define ZONES_MAX 1000
#define SET_MAX 100 /* times that a clock is set */

static const char folder[] = "/usr/share/zoneinfo";
static char *zone[ZONES_MAX];
static int zones, broken;

static int add_zone(const char *name, const struct stat *st, int type,
		    struct FTW *ftw)
{
	const char *short_name = name + sizeof(folder);

	(void)st;
	(void)ftw;
	if (type == FTW_F && zones < ZONES_MAX &&
	    strncmp(short_name, "posix/", 6) != 0 &&
	    strncmp(short_name, "right/", 6) != 0 &&
	    ledger_zone(short_name, NULL) == 0)
		zone[zones++] = strdup(short_name);
	return 0;
}

/* ---- one zone ---------------------------------------------------------------- */

static int64_t offset_at(int64_t s)
{
	time_t t = (time_t)s;
	struct tm tm;

	localtime_r(&t, &tm);
	return tm.tm_gmtoff;
}

/* What others ask for; glibc's mktime() guesses by what it was asked last. */
static void ask_mktime(int64_t s)
{
	struct tm t = { .tm_year = 126, .tm_mday = 5, .tm_isdst = -1,
			.tm_mon = s / HALF_HOUR % 2 == 0 ? 0 : 6 };

	(void)mktime(&t);
}

static void complain_at(const char *period, int64_t s, const char *what)
{
	if (broken++ < 20)
		printf("# %s, %s at %lld: %s\n", getenv("TZ"), period,
		       (long long)s, what);
}

struct period {
	const char *name;
	int64_t start, end; /* of the instant before; end 0: none */
};

/* At s: it is inside, nothing overlaps, and asking again changes nothing. */
static void look(struct period *p, int64_t s)
{
	int64_t ms = s * 1000 + 7, start, end, again, next;

	if (!ledger_period(p->name, ms, &start, &end) || start > ms ||
	    end <= ms)
		complain_at(p->name, s, "it is not in its period");
	if (p->end != 0 && (ms < p->end ? start != p->start || end != p->end
					: start < p->end))
		complain_at(p->name, s, "it is not as before");
	ask_mktime(s);
	if (!ledger_period(p->name, ms, &again, &next) || again != start ||
	    next != end)
		complain_at(p->name, s, "asked again it is another");
	if (!ledger_period(p->name, end, &again, &next) || again != end)
		complain_at(p->name, s, "its end is not the next one's start");
	p->start = start;
	p->end = end;
}

/* The hour of the sums has this second, is the same from its first one to its
 * last, and lies within one hour, day and month. */
static void look_at_sums(int64_t s)
{
	static const char *const periods[] = { "hour", "day", "month" };
	int64_t start, end, from, to, a, b;
	size_t i;

	ledger_hour(s * 1000, &start, &end);
	if (s * 1000 < start || s * 1000 >= end)
		complain_at("sums", s, "it is not in its hour");
	ledger_hour(start, &a, &b);
	ledger_hour(end - 1, &from, &to);
	if (a != start || b != end || from != start || to != end)
		complain_at("sums", s, "its hour is two");
	for (i = 0; i < sizeof(periods) / sizeof(periods[0]); i++)
		if (!ledger_period(periods[i], s * 1000, &from, &to) ||
		    start < from || end > to)
			complain_at("sums", s, "its hour lies in two periods");
}

static void look_between(int64_t from, int64_t to)
{
	struct period p[] = { { "hour", 0, 0 }, { "day", 0, 0 },
			      { "month", 0, 0 } };
	int64_t s;
	size_t i;

	for (s = from; s <= to; s += HALF_HOUR) {
		for (i = 0; i < sizeof(p) / sizeof(p[0]); i++)
			look(&p[i], s);
		look_at_sums(s);
	}
}

/* One day after the other, as their ends say. */
static void walk(void)
{
	int64_t at = FIRST * 1000ll, start, end;

	for (; at < LAST * 1000ll; at = end)
		if (!ledger_period("day", at, &start, &end) || end <= at ||
		    end - start < 20 * 3600000 || end - start > 28 * 3600000) {
			complain_at("day", at / 1000, "it is no day");
			return;
		}
}

/* ---- all of them --------------------------------------------------------------- */

/* When the clocks are set, and to what: two zones with the same are one for
 * us. */
struct set_times {
	int64_t at[SET_MAX], offset[SET_MAX];
	int n;
};

/* In (from, to]. */
static int64_t set_time(int64_t from, int64_t to)
{
	int64_t before = offset_at(from);

	while (to - from > 1) {
		int64_t mid = from + (to - from) / 2;

		if (offset_at(mid) == before)
			from = mid;
		else
			to = mid;
	}
	return to;
}

static void find_set_times(struct set_times *f)
{
	int64_t s, last = offset_at(FIRST), now;

	memset(f, 0, sizeof(*f));
	f->offset[f->n++] = last;
	for (s = FIRST; s < LAST && f->n < SET_MAX; s += DAY, last = now) {
		now = offset_at(s);
		if (now == last)
			continue;
		f->at[f->n] = set_time(s - DAY, s);
		f->offset[f->n++] = now;
	}
}

static bool is_new(const struct set_times *f)
{
	static struct set_times known[ZONES_MAX];
	static int n;
	int i;

	for (i = 0; i < n; i++)
		if (memcmp(&known[i], f, sizeof(*f)) == 0)
			return false;
	known[n++] = *f;
	return true;
}

static void test_zones(bool all)
{
	struct set_times f;
	int i, j, kinds = 0, times = 0;

	for (i = 0; i < zones; i++) {
		ledger_zone(zone[i], NULL);
		find_set_times(&f);
		if (!is_new(&f))
			continue;
		kinds++;
		times += f.n - 1;
		walk();
		if (all)
			look_between(FIRST, LAST);
		for (j = 1; j < f.n && !all; j++)
			look_between(f.at[j] - 25 * 3600, f.at[j] + 25 * 3600);
	}
	ok(broken == 0, "%d zones, of %d kinds, %s %d times that a clock is "
	   "set", zones, kinds, all ? "each half hour between" : "around",
	   times);
}

/* The days that showed it, which are 25 hours with midnight twice, and 23
 * with none. */
static void test_midnights(void)
{
	static const struct {
		const char *zone;
		int64_t s, start, hours;
	} days[] = {
		{ "America/Havana", 1793552400, 1793505600, 25 },
		{ "Atlantic/Azores", 1792935000, 1792886400, 25 },
		{ "America/Havana", 1772985600, 1772946000, 23 },
		{ "Asia/Beirut", 1774785600, 1774735200, 23 },
	};
	size_t i;

	for (i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		int64_t start = 0, end = 0;

		ask_mktime((int64_t)i * HALF_HOUR);
		ok(ledger_zone(days[i].zone, NULL) == 0 &&
		   ledger_period("day", days[i].s * 1000, &start, &end) &&
		   start == days[i].start * 1000 &&
		   end - start == days[i].hours * 3600000 &&
		   ledger_period("day", start, &start, &end) &&
		   start == days[i].start * 1000, "%s: a day of %d hours",
		   days[i].zone, (int)days[i].hours);
	}
}

/* ---- which zone ------------------------------------------------------------------ */

static char etc[] = "/tmp/ai-zones-test-XXXXXX";

static bool is_zone(const char *tz, const char *wanted)
{
	char got[80];

	ledger_zone_new(tz, etc, got, sizeof(got));
	if (strcmp(got, wanted) == 0)
		return true;
	printf("# '%s', not '%s'\n", got, wanted);
	return false;
}

static void put_file(const char *name, const char *text)
{
	char path[100];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", etc, name);
	f = fopen(path, "w");
	if (f == NULL)
		exit(1);
	fputs(text, f);
	fclose(f);
}

static void test_names(void)
{
	struct ai_err err;
	char path[100];

	ok(is_zone("Europe/Berlin", "Europe/Berlin") &&
	   is_zone(":Europe/Berlin", "Europe/Berlin") &&
	   is_zone("/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin") &&
	   is_zone("UTC0", "UTC0"), "TZ as people write it");
	ok(is_zone("Europe", "UTC") && is_zone("Etc", "UTC") &&
	   is_zone("zone.tab", "UTC") && is_zone("../../etc/passwd", "UTC") &&
	   is_zone(":Mars/Phobos", "UTC") && is_zone("", "UTC"),
	   "and what is none");
	ok(ledger_zone("Europe", &err) < 0 && err.code == AI_E_CONFIG &&
	   ledger_zone("zone.tab", &err) < 0, "a ledger that has such is told");
	setenv("TZ", ":Europe/Berlin", 1);
	ok(ledger_zone("Europe/Berlin", &err) == 0 &&
	   strcmp(getenv("TZ"), ":Europe/Berlin") == 0 &&
	   offset_at(FIRST) == 3600, "TZ stays as it is written");
	ok(is_zone(NULL, "UTC"), "a machine that does not say where it is");
	put_file("timezone", "Europe/Lisbon\n");
	ok(is_zone(NULL, "Europe/Lisbon"), "that says it in etc/timezone");
	snprintf(path, sizeof(path), "%s/localtime", etc);
	ok(symlink("../usr/share/zoneinfo/Asia/Tokyo", path) == 0 &&
	   is_zone(NULL, "Asia/Tokyo"), "with a link to the zone's file");
	ok(unlink(path) == 0 && symlink("/usr/share/zoneinfo/Etc/UTC", path) ==
	   0 && is_zone(NULL, "UTC"), "UTC");
}

int main(int argc, char **argv)
{
	struct ai_err err;

	setenv("TZ", "UTC", 1);
	if (mkdtemp(etc) == NULL)
		return 1;
	if (ledger_zone("Europe/Berlin", &err) < 0 ||
	    nftw(folder, add_zone, 8, 0) != 0) {
		skip("no time zones here");
	} else {
		test_names();
		test_midnights();
		test_zones(argc > 1 && strcmp(argv[1], "all") == 0);
	}
	while (zones > 0)
		free(zone[--zones]);
	remove_folder(etc);
	return done();
}
