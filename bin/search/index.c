#include "search.h"

#include "base/utf8.h"
#include "text/vector.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

struct search_settings search = { .weight = -1, .rrf_k = 60 };

#define FILE_NAME "index.db"
#define DRAFT_NAME "index.db.new-" /* of one that is being made */
#define PAGE_SIZE 16384 /* texts are long: fewer reads of one */
/* What a writer keeps of the file in memory: ids come in any order, and their
 * index is a thirtieth of all. */
#define CACHE_MIN (8 << 20)
#define CACHE_MAX (96 << 20)
#define CACHE_SHARE 16
#define ADVICE "rebuild it from what can be read (ai-search export -i OLD | " \
	"ai-search add -i NEW) or from the documents"

/*
 * doc and run are the version of a passage's file, part its number in there;
 * the hash covers all of a row but run, and its vector.  segment is
 * the list of files (segments.h): what of each is dead, as postings.h has it.
 * gone: 65,536 rows each, a bit for one that was deleted.
 */
static const char schema[] =
	"CREATE TABLE info(one INTEGER PRIMARY KEY CHECK(one = 1),"
	" documents INTEGER, vectors INTEGER, tokens INTEGER,"
	" model TEXT, dim INTEGER, rule INTEGER,"
	" sparse_weight REAL, dense_weight REAL,"
	" next INTEGER, gone INTEGER, generation INTEGER,"
	" files INTEGER, rows INTEGER, boost INTEGER, analyzer TEXT,"
	" own INTEGER, fit INTEGER, fitted INTEGER);"
	"INSERT INTO info VALUES(1, 0, 0, 0, '', 0, 2, 1, 1, 1, 0, 1, 1, 0, 3,"
	" 'english', 0, 0, 0);"
	"CREATE TABLE docs(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
	" uri TEXT, doc TEXT, run INTEGER NOT NULL, part INTEGER NOT NULL,"
	" hash BLOB NOT NULL,"
	" vector INTEGER NOT NULL, source TEXT, chunk TEXT, meta TEXT,"
	" text TEXT NOT NULL);"
	"CREATE INDEX docs_uri ON docs(uri, doc, run, part)"
	" WHERE uri IS NOT NULL;"
	/* tags.h; the first two stand for no path. */
	"CREATE TABLE paths(p INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);"
	"INSERT INTO paths VALUES(1, X'01'), (2, X'02');"
	"CREATE TABLE tags(at INTEGER PRIMARY KEY, data BLOB NOT NULL);"
	"CREATE TABLE segment(number INTEGER PRIMARY KEY,"
	" kind INTEGER NOT NULL, first INTEGER NOT NULL,"
	" last INTEGER NOT NULL, dead BLOB);"
	"CREATE TABLE gone(block INTEGER PRIMARY KEY, bits BLOB NOT NULL);"
	"CREATE TABLE mean(one INTEGER PRIMARY KEY CHECK(one = 1),"
	" sum BLOB NOT NULL);"
	"PRAGMA application_id=1634296952;" /* "aidx" */
	"PRAGMA user_version=4;";

/* As enum search_column has them. */
#define ROW "id, vector, source, chunk, meta, text, n, hash, uri, doc," \
	" part"

const char *const search_sql[SQL_COUNT] = {
	[SQL_INFO] = "SELECT documents, vectors, tokens, model, dim, rule,"
		     " sparse_weight, dense_weight, next, gone,"
		     " generation, files, rows, boost, analyzer, own, fit,"
		     " fitted FROM info",
	[SQL_SET_INFO] = "UPDATE info SET documents=?, vectors=?, tokens=?,"
			 " model=?, dim=?, rule=?, sparse_weight=?,"
			 " dense_weight=?, next=?, gone=?, generation=?,"
			 " files=?, rows=?, boost=?, analyzer=?, own=?,"
			 " fit=?, fitted=?",
	[SQL_BY_ID] = "SELECT n, hash, run FROM docs WHERE id=?",
	[SQL_BY_N] = "SELECT " ROW " FROM docs WHERE n=?",
	[SQL_INSERT] = "INSERT INTO docs(n, id, uri, doc, run, part, hash,"
		       " vector, source, chunk, meta, text) VALUES"
		       "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_SET_RUN] = "UPDATE docs SET run=? WHERE n=?",
	[SQL_DELETE] = "DELETE FROM docs WHERE n=?",
	[SQL_ALL] = "SELECT " ROW " FROM docs ORDER BY n",
	/* Ranges of the index: with <>, or with rows of values, all passages
	 * of the file would be looked at, for each of them. */
	[SQL_STALE] = "SELECT n FROM docs WHERE uri=?1 AND doc<?2 UNION ALL "
		      "SELECT n FROM docs WHERE uri=?1 AND doc>?2 UNION ALL "
		      "SELECT n FROM docs WHERE uri=?1 AND doc=?2 AND run<?3"
		      " UNION ALL "
		      "SELECT n FROM docs WHERE uri=?1 AND doc=?2 AND run>?3"
		      " LIMIT 1",
	[SQL_PARTS] = "SELECT count(DISTINCT part) FROM docs WHERE uri=?"
		      " AND doc=? AND run=? AND part>=0 AND part<?",
	[SQL_PART] = "SELECT " ROW " FROM docs WHERE uri=? AND doc IS ?"
		     " AND part=? ORDER BY n DESC LIMIT 1",
	[SQL_ID_OF] = "SELECT id FROM docs WHERE n=?",
	/* One of so many; any rows, as every second may be of another kind. */
	[SQL_TEXTS] = "SELECT n, text FROM docs"
		      " WHERE (n * 2654435761 >> 16) % ? = 0 ORDER BY n",
	[SQL_TEXT_OF] = "SELECT text FROM docs WHERE n=?",
	[SQL_PATH_FIND] = "SELECT p FROM paths WHERE path=?",
	[SQL_PATH_INSERT] = "INSERT INTO paths(path) VALUES(?)",
	[SQL_TAGS_GET] = "SELECT data FROM tags WHERE at=?",
	[SQL_TAGS_SET] = "INSERT OR REPLACE INTO tags VALUES(?, ?)",
	[SQL_TAGS_DELETE] = "DELETE FROM tags WHERE at=?",
	[SQL_TAGS_SCAN] = "SELECT at, data FROM tags WHERE at>=? AND at<=?",
	[SQL_TAGS_COUNT] = "SELECT count(*) FROM tags",
	[SQL_SEGMENTS] = "SELECT number, kind, first, last, dead FROM segment"
			 " ORDER BY kind, first",
	[SQL_SEGMENT_PUT] = "INSERT OR REPLACE INTO segment"
			    " VALUES(?, ?, ?, ?, ?)",
	[SQL_SEGMENT_DROP] = "DELETE FROM segment WHERE number=?",
	[SQL_GONE_ALL] = "SELECT block, bits FROM gone",
	[SQL_GONE_GET] = "SELECT bits FROM gone WHERE block=?",
	[SQL_GONE_PUT] = "INSERT OR REPLACE INTO gone VALUES(?, ?)",
	[SQL_MEAN] = "SELECT sum FROM mean",
	[SQL_MEAN_PUT] = "INSERT OR REPLACE INTO mean VALUES(1, ?)",
};

/* ---- the folder ----------------------------------------------------------- */

static bool is_draft(const char *name)
{
	return strncmp(name, DRAFT_NAME, strlen(DRAFT_NAME)) == 0;
}

/* The index and its log, which another program may have made just now. */
static bool is_index(const char *name)
{
	return strncmp(name, FILE_NAME, strlen(FILE_NAME)) == 0;
}

/* But for what a program killed while it made the index left behind, and one
 * that is making it now. */
static bool is_empty(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	bool empty = true;

	if (d == NULL)
		return false;
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0 && !is_draft(e->d_name) &&
		    !is_index(e->d_name))
			empty = false;
	closedir(d);
	return empty;
}

static int no_index(const char *folder, struct ai_err *err)
{
	return ai_err_set(err, AI_E_OPEN, "there is no index at '%.150s'; "
			  "make one with: ai-search add -i '%.150s'", folder,
			  folder);
}

static int make_folder(const char *folder, struct ai_err *err)
{
	struct stat st;
	int why;

	if (mkdir(folder, 0777) == 0)
		return 0;
	why = errno;
	if (stat(folder, &st) < 0)
		return ai_err_sys(err, AI_E_CREATE, why,
				  "cannot create the folder '%.200s'", folder);
	if (!S_ISDIR(st.st_mode))
		return ai_err_set(err, AI_E_CREATE, "'%.200s' is a file, "
				  "not the folder of an index", folder);
	if (!is_empty(folder))
		return ai_err_set(err, AI_E_CREATE, "the folder '%.200s' holds "
				  "other things; name a new one", folder);
	return 0;
}

/* ---- making ---------------------------------------------------------------- */

static struct ai_db_wish wish_of(const struct search_index *ix,
				 enum ai_db_mode mode, char name[200])
{
	snprintf(name, 200, "index '%.180s'", ix->folder);
	return (struct ai_db_wish){ name, ADVICE, (int)(search.wait_s * 1000),
				    PAGE_SIZE, mode == AI_DB_READ ? 0 : CACHE_MIN };
}

/* The whole index without documents, in one file and on the disk. */
static int write_draft(struct search_index *ix, const char *draft,
		       struct ai_err *err)
{
	char name[200];
	struct ai_db_wish wish = wish_of(ix, AI_DB_CREATE, name);
	int64_t busy = 0;
	int rc;

	if (ai_db_open(&ix->db, draft, AI_DB_CREATE, &wish, err) < 0)
		return -1;
	rc = ai_db_begin(&ix->db, true, err);
	if (rc == 0)
		rc = ai_db_exec(&ix->db, schema, err);
	if (rc == 0)
		rc = ai_db_commit(&ix->db, err);
	/* Its -wal would not follow it to its new name. */
	if (rc == 0)
		rc = ai_db_int(&ix->db, "PRAGMA wal_checkpoint(TRUNCATE)",
			       &busy, err);
	if (rc == 0 && busy != 0)
		rc = ai_err_set(err, AI_E_TRY_LATER,
				"%s: another program uses it", name);
	ai_db_rollback(&ix->db);
	ai_db_close(&ix->db);
	return rc;
}

/* Gives the draft its name, unless another program was first: EEXIST, or
 * ENOENT where that one has cleared ours away. */
static int name_draft(const char *draft, const char *file, struct ai_err *err)
{
	/* Moved, and not linked and removed: a kill -9 in between would leave
	 * the draft for ever. */
	if (renameat2(AT_FDCWD, draft, AT_FDCWD, file, RENAME_NOREPLACE) == 0 ||
	    errno == EEXIST || errno == ENOENT)
		return 0;
	if (link(draft, file) == 0 || errno == EEXIST)
		return 0;
	/* Some file systems have neither. */
	if (access(file, F_OK) == 0 || rename(draft, file) == 0)
		return 0;
	return ai_err_sys(err, AI_E_CREATE, errno, "cannot create '%.200s'",
			  file);
}

/* Once there is an index, nobody's draft is of use. */
static void remove_drafts(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (is_draft(e->d_name))
			unlinkat(dirfd(d), e->d_name, 0);
	fsync(dirfd(d));
	closedir(d);
}

/*
 * An index gets its name when it is whole: killed before that, there is
 * none, and of several programs that make it one wins.
 */
static int make_index(struct search_index *ix, const char *file,
		      struct ai_err *err)
{
	char *draft = NULL;
	unsigned salt = 0;
	int rc;

	if (make_folder(ix->folder, err) < 0)
		return -1;
	if (getrandom(&salt, sizeof(salt), 0) < 0)
		return ai_err_sys(err, AI_E_OS, errno, "no random numbers");
	if (asprintf(&draft, "%s/" DRAFT_NAME "%ld-%08x", ix->folder,
		     (long)getpid(), salt) < 0)
		return ai_err_nomem(err);
	rc = write_draft(ix, draft, err);
	if (rc == 0)
		rc = name_draft(draft, file, err);
	/* One that was first may have cleared away what we were writing. */
	if (rc < 0 && access(file, F_OK) == 0)
		rc = 0;
	if (rc == 0)
		remove_drafts(ix->folder);
	else
		unlink(draft);
	free(draft);
	return rc;
}

/* ---- opening --------------------------------------------------------------- */

static int check_format(struct search_index *ix, struct ai_err *err)
{
	int64_t version;

	if (ai_db_int(&ix->db, "PRAGMA user_version", &version, err) < 0)
		return -1;
	if (version > SEARCH_FORMAT)
		return ai_err_set(err, AI_E_DATA, "%s has format %lld; this "
				  "ai-search reads up to %d: install a newer "
				  "one", ix->db.name, (long long)version,
				  SEARCH_FORMAT);
	if (version > 0 && version < SEARCH_FORMAT)
		return ai_err_set(err, AI_E_DATA, "%s has the old format %lld; "
				  "this ai-search reads %d: rebuild it with "
				  "the ai-search that made it (OLD export -i "
				  "INDEX | ai-search add -i NEW) or from the "
				  "documents", ix->db.name, (long long)version,
				  SEARCH_FORMAT);
	if (version < 1)
		return ai_db_damaged(&ix->db, err, "no format number");
	return 0;
}

static int open_file(struct search_index *ix, const char *file,
		     enum ai_db_mode mode, struct ai_err *err)
{
	char name[200];
	struct ai_db_wish wish = wish_of(ix, mode, name);

	if (ai_db_open(&ix->db, file, mode, &wish, err) < 0 ||
	    check_format(ix, err) < 0)
		return -1;
	return 0;
}

static void close_file(struct search_index *ix)
{
	for (int i = 0; i < SQL_COUNT; i++)
		ai_db_finish(&ix->st[i]);
	search_tags_release(ix);
	ai_db_close(&ix->db);
}

/* A file of no bytes was cut short, since ours have their schema before
 * they have their name.  SQLite would take it for a new one. */
static int find_or_make(struct search_index *ix, const char *file,
			enum ai_db_mode mode, struct ai_err *err)
{
	struct stat st;

	if (stat(file, &st) == 0)
		return st.st_size > 0 ? 0 :
			ai_err_set(err, AI_E_DATA, "index '%.150s' is damaged: "
				   FILE_NAME " has no bytes; remove the folder "
				   "and rebuild it from the documents",
				   ix->folder);
	if (errno == ENOENT && mode != AI_DB_CREATE)
		return no_index(ix->folder, err);
	if (errno == ENOENT || (errno == ENOTDIR && mode == AI_DB_CREATE))
		return make_index(ix, file, err);
	return ai_err_sys(err, AI_E_OPEN, errno,
			  "cannot open the index '%.200s'", ix->folder);
}

/* Nothing that is known of the old file holds for the new one. */
static int open_anew(struct search_index *ix, struct ai_err *err)
{
	char *file;
	int rc;

	ai_proc_stop(&ix->embedder, NULL, NULL);
	close_file(ix);
	search_files_release(&ix->files);
	search_own_forget(&ix->own);
	if (asprintf(&file, "%s/%s", ix->folder, FILE_NAME) < 0)
		return ai_err_nomem(err);
	rc = find_or_make(ix, file, AI_DB_READ, err);
	if (rc == 0)
		rc = open_file(ix, file, AI_DB_READ, err);
	free(file);
	return rc;
}

/* Who may not write in the folder sees what others have written when the file
 * is opened anew. */
static int begin_reading(struct search_index *ix, struct ai_err *err)
{
	if ((ix->db.h == NULL || ai_db_is_stale(&ix->db) ||
	     ai_db_is_gone(&ix->db)) && open_anew(ix, err) < 0)
		return -1;
	return ai_db_begin(&ix->db, false, err);
}

/* Whoever waits for a transaction has a lock on the folder meanwhile, beside
 * others; it says so to who has one. */
static int hold_folder(const struct search_index *ix, int how)
{
	int fd = open(ix->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && flock(fd, how | LOCK_NB) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

bool search_index_is_wanted(const struct search_index *ix)
{
	int fd = hold_folder(ix, LOCK_EX), why = errno;

	if (fd >= 0)
		close(fd);
	return fd < 0 && why == EWOULDBLOCK;
}

/* With another index in the place of ours, our files would be written into
 * its folder. */
static int begin_writing(struct search_index *ix, struct ai_err *err)
{
	int fd = hold_folder(ix, LOCK_SH);
	int rc = ai_db_begin(&ix->db, true, err);

	if (fd >= 0)
		close(fd);
	if (rc < 0)
		return -1;
	if (!ai_db_is_gone(&ix->db))
		return 0;
	ai_db_rollback(&ix->db);
	return ai_err_set(err, AI_E_CREATE, "%s was removed or replaced while "
			  "we wrote to it; what is behind that is in no index: "
			  "add it again", ix->db.name);
}

int search_index_open(struct search_index *ix, enum ai_db_mode mode,
		      struct ai_err *err)
{
	char *file = NULL;
	size_t n;
	int rc;

	memset(ix, 0, sizeof(*ix));
	ix->embedder = (struct ai_proc)AI_PROC_INIT;
	search_own_init(&ix->own);
	if (search.index == NULL || search.index[0] == '\0')
		return ai_err_set(err, AI_E_USAGE,
				  "name the index with -i FOLDER");
	ix->folder = strdup(search.index);
	n = ix->folder == NULL ? 0 : strlen(ix->folder);
	if (n == 0 || asprintf(&file, "%s/%s", ix->folder, FILE_NAME) < 0) {
		free(ix->folder);
		return ai_err_nomem(err);
	}
	rc = find_or_make(ix, file, mode, err);
	if (rc == 0)
		rc = open_file(ix, file, mode == AI_DB_CREATE ? AI_DB_WRITE
							      : mode, err);
	free(file);
	if (rc < 0)
		search_index_close(ix);
	return rc;
}

void search_index_close(struct search_index *ix)
{
	ai_proc_stop(&ix->embedder, NULL, NULL);
	search_index_rollback(ix);
	search_pending_release(ix);
	search_files_release(&ix->files);
	search_own_release(&ix->own);
	search_analyzer_free(ix->analyzer);
	ix->analyzer = NULL;
	search_mean_forget(ix);
	close_file(ix);
	free(ix->folder);
	ix->folder = NULL;
}

/* ---- the row info ----------------------------------------------------------- */

int search_index_analyzer(struct search_index *ix, struct ai_err *err)
{
	const char *name = ix->info.analyzer;
	struct ai_err why;

	if (ix->analyzer != NULL && strcmp(ix->analyzer->name, name) == 0)
		return 0;
	search_analyzer_free(ix->analyzer);
	ix->analyzer = search_analyzer_new(name, &why);
	if (ix->analyzer != NULL)
		return 0;
	return ai_err_set(err, why.code == AI_E_USAGE ? AI_E_DATA : why.code,
			  "%s was made with the analyzer '%s': %.200s",
			  ix->db.name, name, why.msg);
}

static int check_info(struct search_index *ix, struct ai_err *err)
{
	const struct search_info *i = &ix->info;

	if (i->documents < 0 || i->tokens < 0 || i->vectors < 0 || i->dim < 0 ||
	    i->dim > AI_VECTOR_DIM_MAX || i->next < 1 ||
	    i->next > SEARCH_ROW_MAX || i->gone < 0 || i->gone >= i->next ||
	    i->generation < 1 || i->files < 1 || i->rows < 0 || i->boost < 0 ||
	    i->boost > SEARCH_WEIGHT_MAX || i->own < SEARCH_OWN_NONE ||
	    i->own > SEARCH_OWN_FITTED || i->fit < 0 ||
	    (i->own == SEARCH_OWN_FITTED && i->fit == 0) || i->fitted < 0)
		return ai_db_damaged(&ix->db, err, "its numbers make no sense");
	return search_index_analyzer(ix, err);
}

static int load_info(struct search_index *ix, struct ai_err *err)
{
	struct search_info *info = &ix->info;
	struct ai_span model, analyzer;
	sqlite3_stmt *st;
	int rc;

	if (SEARCH_BIND(ix, SQL_INFO, err, "") < 0)
		return -1;
	st = ix->st[SQL_INFO];
	rc = ai_db_step(&ix->db, st, err);
	if (rc <= 0)
		return rc < 0 ? -1 : ai_db_damaged(&ix->db, err, "no info");
	info->documents = sqlite3_column_int64(st, 0);
	info->vectors = sqlite3_column_int64(st, 1);
	info->tokens = sqlite3_column_int64(st, 2);
	model = ai_db_span(st, 3);
	snprintf(info->model, sizeof(info->model), "%.*s", (int)model.n,
		 model.p == NULL ? "" : model.p);
	info->dim = sqlite3_column_int64(st, 4);
	info->rule = (enum search_rule)sqlite3_column_int(st, 5);
	info->sparse_weight = sqlite3_column_double(st, 6);
	info->dense_weight = sqlite3_column_double(st, 7);
	info->next = sqlite3_column_int64(st, 8);
	info->gone = sqlite3_column_int64(st, 9);
	info->generation = sqlite3_column_int64(st, 10);
	info->files = sqlite3_column_int64(st, 11);
	info->rows = sqlite3_column_int64(st, 12);
	info->boost = sqlite3_column_int64(st, 13);
	analyzer = ai_db_span(st, 14);
	snprintf(info->analyzer, sizeof(info->analyzer), "%.*s",
		 (int)analyzer.n, analyzer.p == NULL ? "" : analyzer.p);
	info->own = sqlite3_column_int64(st, 15);
	info->fit = sqlite3_column_int64(st, 16);
	info->fitted = sqlite3_column_int64(st, 17);
	sqlite3_reset(st);
	return check_info(ix, err);
}

/* What is wrong with a file beside index.db, in the words that tell how to get
 * out of it. */
int search_damaged(struct search_index *ix, struct ai_err *err)
{
	struct ai_err why = *err;

	if (why.code != AI_E_DATA || strstr(why.msg, "is damaged") == NULL ||
	    strstr(why.msg, ADVICE) != NULL)
		return -1;
	return ai_db_damaged(&ix->db, err, "%.150s", why.msg);
}

/*
 * A file that the snapshot names may be gone when a writer has replaced it in
 * the meantime: the next snapshot names others.  What needs a model that stays
 * unusable will be told so; export, for one, needs none, nor all vectors.
 */
static int load_all(struct search_index *ix, struct ai_err *err)
{
	int64_t before = 0;
	int files;

	for (;;) {
		if (load_info(ix, err) < 0)
			return -1;
		files = search_files_load(ix, err);
		if (files == 0 && search_own_open(ix, err) == 0)
			return 0;
		search_damaged(ix, err);
		if (err->code != AI_E_DATA || ix->info.generation == before)
			return ix->rescue ? 0 : files;
		before = ix->info.generation;
		ai_db_rollback(&ix->db);
		if (begin_reading(ix, err) < 0)
			return -1;
	}
}

static int grow_cache(struct search_index *ix, struct ai_err *err)
{
	char sql[60];
	int64_t pages, cache;

	if (ai_db_int(&ix->db, "PRAGMA page_count", &pages, err) < 0)
		return -1;
	cache = pages * PAGE_SIZE / CACHE_SHARE;
	if (cache > CACHE_MAX)
		cache = CACHE_MAX;
	if (cache <= CACHE_MIN)
		return 0;
	snprintf(sql, sizeof(sql), "PRAGMA cache_size=-%lld",
		 (long long)cache / 1024);
	return ai_db_exec(&ix->db, sql, err);
}

int search_index_begin(struct search_index *ix, bool write, struct ai_err *err)
{
	search_tags_forget(ix);
	if ((write ? begin_writing(ix, err) : begin_reading(ix, err)) < 0)
		return -1;
	search_mean_forget(ix); /* another may have written meanwhile */
	if (write ? grow_cache(ix, err) == 0 && load_info(ix, err) == 0 &&
		    search_files_load(ix, err) == 0
		  : load_all(ix, err) == 0) {
		ix->pending.base = ix->info.next;
		ix->writing = write;
		if (write && !ix->swept)
			search_remove_orphans(ix);
		ix->swept |= write;
		ix->untidy = write && search_wants_tidying(ix);
		return 0;
	}
	search_damaged(ix, err);
	ai_db_rollback(&ix->db);
	return -1;
}

void search_put_path(struct ai_buf *b, const char *path)
{
	size_t n = strlen(path), ok;
	struct ai_buf text = AI_BUF_INIT((size_t)1 << 20);

	while ((ok = ai_utf8_valid(path, n)) < n) {
		ai_buf_add(&text, path, ok);
		ai_buf_str(&text, "\xEF\xBF\xBD");
		path += ok + 1;
		n -= ok + 1;
	}
	ai_buf_add(&text, path, n);
	ai_put_str(b, ai_buf_cstr(&text), text.len);
	ai_buf_release(&text);
}

void search_index_rollback(struct search_index *ix)
{
	ai_db_rollback(&ix->db);
	if (ix->writing)
		search_unpublish(ix);
	ix->writing = false;
}

static int save_info(struct search_index *ix, struct ai_err *err)
{
	const struct search_info *i = &ix->info;

	if (SEARCH_BIND(ix, SQL_SET_INFO, err, "iiitiiddiiiiiitiii", i->documents,
			i->vectors, i->tokens, ai_span_of(i->model), i->dim,
			(int64_t)i->rule, i->sparse_weight, i->dense_weight,
			i->next, i->gone, i->generation, i->files, i->rows,
			i->boost, ai_span_of(i->analyzer), i->own, i->fit,
			i->fitted) < 0)
		return -1;
	return ai_db_run(&ix->db, ix->st[SQL_SET_INFO], err);
}

int search_index_commit(struct search_index *ix, bool last,
			struct ai_err *err)
{
	if (search_publish(ix, last, err) < 0 ||
	    search_tags_flush(ix, err) < 0 || save_info(ix, err) < 0 ||
	    ai_db_commit(&ix->db, err) < 0) {
		search_damaged(ix, err);
		search_index_rollback(ix);
		return -1;
	}
	ix->writing = false;
	search_published(ix);
	return 0;
}
