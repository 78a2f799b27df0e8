#include "doc.h"

#include "base/temp.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_SIZE ((size_t)256 << 10)
#define NAME_SHOWN 200 /* bytes of a name in a message */

void chunk_doc_init(struct chunk_doc *d)
{
	memset(d, 0, sizeof *d);
	ai_buf_init(&d->buf, CHUNK_DOC_MEMORY + READ_SIZE);
}

/* Forgets the document but keeps the memory of small ones. */
static void forget(struct chunk_doc *d)
{
	if (d->mapped > 0)
		munmap((void *)(uintptr_t)d->p, d->mapped);
	d->mapped = 0;
	d->p = NULL;
	d->n = 0;
	ai_buf_clear(&d->buf);
}

void chunk_doc_release(struct chunk_doc *d)
{
	forget(d);
	ai_buf_release(&d->buf);
}

/* ---- opening ------------------------------------------------------------- */

int chunk_doc_open(const char *path, int *fd, struct ai_err *err)
{
	struct stat st;

	*fd = -1;
	if (strcmp(path, "-") == 0)
		*fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else if (path[0] == '\0')
		errno = ENOENT;
	else
		*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return ai_err_sys(err, AI_E_DOCUMENT, errno,
				  "cannot open '%.*s'", NAME_SHOWN, path);
	if (fstat(*fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(*fd);
		*fd = -1;
		return ai_err_set(err, AI_E_DOCUMENT, "'%.*s' is a directory",
				  NAME_SHOWN, path);
	}
	return 0;
}

/* ---- text or not --------------------------------------------------------- */

static bool is_utf16(const char *p, size_t n)
{
	return n >= 2 && (memcmp(p, "\xFF\xFE", 2) == 0 ||
			  memcmp(p, "\xFE\xFF", 2) == 0);
}

/* n bytes that stand at offset at. */
static int check_nul(const char *p, size_t n, size_t at, const char *what,
		     struct ai_err *err)
{
	const char *nul = n > 0 ? memchr(p, '\0', n) : NULL;

	if (at == 0 && is_utf16(p, n))
		return ai_err_set(err, AI_E_DOCUMENT, "%s is UTF-16 text; "
				  "convert it with iconv -f UTF-16 -t UTF-8",
				  what);
	if (nul == NULL)
		return 0;
	return ai_err_set(err, AI_E_DOCUMENT,
			  "%s is binary: a NUL byte at offset %zu", what,
			  at + (size_t)(nul - p));
}

int chunk_doc_check(const char *p, size_t n, const char *what,
		    struct ai_err *err)
{
	size_t valid;

	if (check_nul(p, n, 0, what, err) < 0)
		return -1;
	valid = ai_utf8_valid(p, n);
	if (valid < n)
		return ai_err_set(err, AI_E_DOCUMENT, "%s is binary or not "
				  "UTF-8: byte 0x%02X at offset %zu (iconv "
				  "converts text)", what,
				  (unsigned char)p[valid], valid);
	return 0;
}

/* ---- reading ------------------------------------------------------------- */

/* What was read so far moves to the copy once it is too much for memory. */
static int spill(struct chunk_doc *d, int *copy, struct ai_err *err)
{
	if ((*copy < 0 && ai_temp_open(copy, err) < 0) ||
	    ai_temp_write(*copy, d->buf.p, d->buf.len, err) < 0) {
		/* It is this document's, not the program's. */
		err->code = AI_E_DOCUMENT;
		return -1;
	}
	ai_buf_clear(&d->buf);
	return 0;
}

static int map_copy(struct chunk_doc *d, int copy, struct ai_err *err)
{
	void *p = mmap(NULL, d->n, PROT_READ, MAP_PRIVATE, copy, 0);

	if (p == MAP_FAILED)
		return ai_err_sys(err, AI_E_DOCUMENT, errno,
				  "cannot map a copy of %zu bytes", d->n);
	madvise(p, d->n, MADV_SEQUENTIAL);
	d->p = p;
	d->mapped = d->n;
	return 0;
}

/* One read behind what is there. 1: more may come, 0: end of file. */
static int read_some(struct chunk_doc *d, int fd, const char *what, bool keep,
		     struct ai_hash *h, struct ai_err *err)
{
	ssize_t got;

	if (ai_buf_reserve(&d->buf, READ_SIZE) < 0)
		return ai_buf_check(&d->buf, "the document", err);
	do
		got = read(fd, d->buf.p + d->buf.len, READ_SIZE);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return ai_err_sys(err, AI_E_DOCUMENT, errno,
				  "cannot read %s", what);
	ai_hash_add(h, d->buf.p + d->buf.len, (size_t)got);
	/* At once: a disk image is not copied only to be refused. */
	if (keep && check_nul(d->buf.p + d->buf.len, (size_t)got, d->n, what,
			      err) < 0)
		return -1;
	d->buf.len += (size_t)got;
	d->n += (size_t)got;
	return got > 0;
}

static int read_all(struct chunk_doc *d, int fd, const char *what, bool keep,
		    int *copy, struct ai_err *err)
{
	struct ai_hash h;
	int more;

	ai_hash_init(&h);
	while ((more = read_some(d, fd, what, keep, &h, err)) > 0) {
		if (!keep)
			ai_buf_clear(&d->buf);
		else if (d->buf.len > CHUNK_DOC_MEMORY &&
			 spill(d, copy, err) < 0)
			return -1;
	}
	if (more < 0)
		return -1;
	ai_hash_hex(&h, d->hash);
	d->p = ai_buf_cstr(&d->buf);
	if (*copy < 0)
		return 0;
	if (spill(d, copy, err) < 0)
		return -1;
	return map_copy(d, *copy, err);
}

int chunk_doc_read(struct chunk_doc *d, int fd, const char *what, bool keep,
		   struct ai_err *err)
{
	int copy = -1, rc;

	forget(d);
	rc = read_all(d, fd, what, keep, &copy, err);
	if (copy >= 0)
		close(copy);
	return rc;
}

