/*
 * multi.c: the least that a client does with libcurl: posts the lines of a
 * file, so many at once in one thread over connections that are kept, and
 * forgets what is answered.
 *
 *	multi URL AT_ONCE FILE
 *
 * Prints how many were answered by 200 with how many bytes; 1 if any was not.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE_MAX 1024

struct slot {
	CURL *easy;
	char *line;
	size_t size;
};

static size_t bytes, good, bad;

static size_t discard(char *p, size_t size, size_t n, void *arg)
{
	(void)p;
	(void)arg;
	bytes += size * n;
	return size * n;
}

/* false: there is no further line. */
static bool post(CURLM *multi, struct slot *s, FILE *f)
{
	ssize_t n = getline(&s->line, &s->size, f);

	if (n < 0)
		return false;
	if (n > 0 && s->line[n - 1] == '\n')
		n--;
	curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE, (long)n);
	curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, s->line);
	return curl_multi_add_handle(multi, s->easy) == CURLM_OK;
}

/* How many of those that have ended were not followed by another. */
static long collect(CURLM *multi, FILE *f)
{
	struct slot *s;
	CURLMsg *msg;
	long status, over = 0;
	int left;

	while ((msg = curl_multi_info_read(multi, &left)) != NULL) {
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &s);
		curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
		if (msg->data.result == CURLE_OK && status == 200)
			good++;
		else
			bad++;
		curl_multi_remove_handle(multi, s->easy);
		over += !post(multi, s, f);
	}
	return over;
}

static bool slot_init(struct slot *s, const char *url, struct curl_slist *h)
{
	s->easy = curl_easy_init();
	if (s->easy == NULL)
		return false;
	curl_easy_setopt(s->easy, CURLOPT_URL, url);
	curl_easy_setopt(s->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(s->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(s->easy, CURLOPT_HTTP_VERSION,
			 (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, h);
	curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, discard);
	curl_easy_setopt(s->easy, CURLOPT_PRIVATE, s);
	return true;
}

static int run(const char *url, long n, FILE *f)
{
	static struct slot slots[AT_ONCE_MAX];
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
	CURLM *multi = curl_multi_init();
	long flying = 0;
	int running;

	headers = curl_slist_append(headers, "Content-Type: application/json");
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, AT_ONCE_MAX);
	for (long i = 0; i < n; i++)
		if (slot_init(&slots[i], url, headers))
			flying += post(multi, &slots[i], f);
	while (flying > 0) {
		if (curl_multi_perform(multi, &running) != CURLM_OK)
			return 1;
		flying -= collect(multi, f);
		if (flying > 0)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	}
	for (long i = 0; i < n; i++) {
		curl_easy_cleanup(slots[i].easy);
		free(slots[i].line);
	}
	curl_multi_cleanup(multi);
	curl_slist_free_all(headers);
	printf("%zu %zu\n", good, bytes);
	return bad > 0;
}

int main(int argc, char **argv)
{
	FILE *f = argc == 4 ? fopen(argv[3], "r") : NULL;
	long n = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
	int rc;

	if (f == NULL || n < 1 || n > AT_ONCE_MAX) {
		fprintf(stderr, "usage: multi URL AT_ONCE FILE\n");
		return 64;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	rc = run(argv[1], n, f);
	fclose(f);
	curl_global_cleanup();
	return rc;
}
