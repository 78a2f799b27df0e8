#include "net/curl.h"

#include <dlfcn.h>
#include <pthread.h>

/* The oldest with all that we were built to use. */
#if LIBCURL_VERSION_NUM >= 0x075500
#define OLDEST 0x075500
#define OLDEST_TEXT "7.85.0"
#else
#define OLDEST 0x074C00
#define OLDEST_TEXT "7.76.0"
#endif

struct ai_curl ai_curl;
static struct ai_err failure; /* code AI_E_NONE: it is open */

static const struct {
	const char *name;
	void **to;
} functions[] = {
#define ROW(name) { "curl_" #name, (void **)&ai_curl.name },
	AI_CURL_FUNCTIONS(ROW)
#undef ROW
};

static int set_up(void)
{
	CURLcode rc = ai_curl.global_init(CURL_GLOBAL_DEFAULT);

	return rc == CURLE_OK ? 0 : ai_err_set(&failure, AI_E_OS,
		"cannot set up libcurl: %s", ai_curl.easy_strerror(rc));
}

static int find_functions(void *lib)
{
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		*functions[i].to = dlsym(lib, functions[i].name);
		if (*functions[i].to == NULL)
			return ai_err_set(&failure, AI_E_OS, "%s is too old: "
					  "it has no %s; install libcurl "
					  OLDEST_TEXT " or newer (package "
					  "libcurl4)", CURL_SONAME,
					  functions[i].name);
	}
	return 0;
}

static int check_version(void)
{
	const curl_version_info_data *v = ai_curl.version_info(CURLVERSION_NOW);

	return v->version_num >= OLDEST ? 0 : ai_err_set(&failure, AI_E_OS,
		"%s is libcurl %s, which is too old: install " OLDEST_TEXT
		" or newer (package libcurl4)", CURL_SONAME, v->version);
}

static void open_once(void)
{
	void *lib = dlopen(CURL_SONAME, RTLD_LAZY | RTLD_LOCAL);

	if (lib == NULL)
		ai_err_set(&failure, AI_E_OS, "cannot open libcurl: %.200s; "
			   "install it (package libcurl4)", dlerror());
	else if (find_functions(lib) == 0 && check_version() == 0)
		set_up();
}

int ai_curl_open(struct ai_err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, open_once);
	if (failure.code == AI_E_NONE)
		return 0;
	*err = failure;
	return -1;
}
