/* The table of errors: names lead back, statuses are known ones. */
#include "base/err.h"
#include "tap.h"

#include <string.h>

static bool known(enum ai_exit status)
{
	static const enum ai_exit all[] = {
		AI_EXIT_RECORD, AI_EXIT_BUDGET, AI_EXIT_PARKED, AI_EXIT_USAGE,
		AI_EXIT_DATA, AI_EXIT_OPEN, AI_EXIT_UNAVAILABLE, AI_EXIT_BUG,
		AI_EXIT_OS, AI_EXIT_CREATE, AI_EXIT_IO, AI_EXIT_TEMPFAIL,
		AI_EXIT_NOPERM, AI_EXIT_CONFIG,
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i] == status)
			return true;
	return false;
}

static void test_table(void)
{
	for (int i = 1; i < AI_E_COUNT; i++) {
		enum ai_code code = (enum ai_code)i;
		const char *name = ai_code_name(code);

		ok(ai_code_from_name(name, strlen(name)) == code,
		   "the name %s leads back", name);
		ok(known(ai_code_exit(code)), "%s ends with a known status",
		   name);
		ok(*ai_code_text(code) != '\0', "%s has a text", name);
	}
	ok(ai_code_from_name("jso", 3) == AI_E_NONE, "no code by half a name");
	ok(ai_code_exit((enum ai_code)999) == AI_EXIT_BUG,
	   "an unknown code is a mistake of ours");
}

static void test_set(void)
{
	struct ai_err err;

	ok(ai_err_set(&err, AI_E_OPEN, "cannot open '%s'", "x") == -1 &&
	   err.code == AI_E_OPEN && err.retry_after_s < 0 &&
	   strcmp(err.msg, "cannot open 'x'") == 0, "ai_err_set fills");
	ok(ai_err_sys(&err, AI_E_OPEN, 2, "cannot open '%s'", "x") == -1 &&
	   strcmp(err.msg, "cannot open 'x': No such file or directory") == 0,
	   "ai_err_sys says why");
	ok(ai_err_set(NULL, AI_E_OPEN, "x") == -1, "no err, same result");
	ok(ai_err_set(&err, AI_E_IO, "%0999d", 1) == -1 &&
	   strlen(err.msg) == sizeof err.msg - 1, "a long message is cut");
	ok(ai_err_sys(&err, AI_E_IO, 2, "%0999d", 1) == -1 &&
	   strlen(err.msg) == sizeof err.msg - 1, "and no reason behind it");
}

int main(void)
{
	test_table();
	test_set();
	return done();
}
