/*
 * curl.h: libcurl, opened when the first request goes out.
 *
 * It brings some forty libraries, and to load and relocate them takes longer
 * than all that a program does that sends nothing: so no program is linked
 * with it.  What is called of it stands in one table, with the types that its
 * header gives: curl->easy_init() is curl_easy_init().
 */
#ifndef AI_NET_CURL_H
#define AI_NET_CURL_H

#include "base/err.h"

#include <curl/curl.h>

#define AI_CURL_FUNCTIONS(each)                                                \
	each(easy_cleanup) each(easy_getinfo) each(easy_init) each(easy_reset) \
	each(easy_setopt) each(easy_strerror) each(getdate)                    \
	each(global_init) each(multi_add_handle) each(multi_cleanup)           \
	each(multi_info_read) each(multi_init) each(multi_perform)             \
	each(multi_poll) each(multi_remove_handle) each(multi_setopt)          \
	each(multi_socket_action) each(multi_strerror)                         \
	each(slist_append) each(slist_free_all)                                \
	each(version_info)

#define AI_CURL_MEMBER(name) typeof(curl_##name) *name;

struct ai_curl {
	AI_CURL_FUNCTIONS(AI_CURL_MEMBER)
};

#undef AI_CURL_MEMBER

/* Empty until it is open; never closed. */
extern struct ai_curl ai_curl;

/* Opens it and sets it up, once for all threads.  AI_E_OS: it is not there, too
 * old, or cannot be set up. */
int ai_curl_open(struct ai_err *err);

#endif
