/* ledger-period.c: hours, days and months of the ledger's time zone. */
#include "store/ledger-int.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* glibc takes what it does not know for UTC; a budget must not. */
static bool zone_exists(const char *name)
{
	static const char *const folders[] = {
		"/usr/share/zoneinfo", "/usr/lib/zoneinfo",
		"/usr/share/lib/zoneinfo",
	};
	char path[300];
	size_t i;

	if (strcmp(name, "UTC") == 0 || strcmp(name, "UTC0") == 0)
		return true;
	if (name[0] == '/' || name[0] == '\0' || strstr(name, "..") != NULL)
		return false;
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], name);
		if (access(path, R_OK) == 0)
			return true;
	}
	return false;
}

static int set_zone(const char *name, struct ai_err *err)
{
	static char current[80];
	const char *now = getenv("TZ");

	/* Asked in every transaction: another ledger may have been restored. */
	if (now != NULL && strcmp(now, name) == 0 && strcmp(current, name) == 0)
		return 0;
	if (!zone_exists(name))
		return ai_err_set(err, AI_E_CONFIG, "there is no time zone "
				  "'%.60s' on this machine; names are like "
				  "'Europe/Berlin' (package tzdata), or 'UTC'",
				  name);
	if (now == NULL || strcmp(now, name) != 0)
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

bool ledger_period(const char *period, int64_t ms, int64_t *start,
		   int64_t *end)
{
	time_t now = (time_t)(ms / 1000);
	struct tm from, to;

	*start = 0;
	*end = INT64_MAX;
	if (strcmp(period, "total") == 0)
		return true;
	if (localtime_r(&now, &from) == NULL)
		return false;
	from.tm_sec = from.tm_min = 0;
	if (strcmp(period, "hour") == 0) {
		/* By its distance from now: an hour that is set back comes
		 * twice. */
		struct tm t;

		localtime_r(&now, &t);
		*start = ((int64_t)now - t.tm_min * 60 - t.tm_sec) * 1000;
		*end = *start + 3600000;
		return true;
	}
	from.tm_hour = 0;
	if (strcmp(period, "month") == 0)
		from.tm_mday = 1;
	else if (strcmp(period, "day") != 0)
		return false;
	to = from;
	from.tm_isdst = to.tm_isdst = -1;
	if (strcmp(period, "month") == 0)
		to.tm_mon++;
	else
		to.tm_mday++;
	*start = (int64_t)mktime(&from) * 1000;
	*end = (int64_t)mktime(&to) * 1000;
	return true;
}
