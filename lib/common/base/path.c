#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int ai_path_join(const char *dir, const char *name, char **path,
		 struct ai_err *err)
{
	size_t n = strlen(dir) + strlen(name) + 2;

	*path = malloc(n);
	if (*path == NULL)
		return ai_err_nomem(err);
	snprintf(*path, n, "%s/%s", dir, name);
	return 0;
}

/* The folder of the running binary; returns -1 where /proc is not there. */
static int own_folder(char *dir, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", dir, size - 1);
	char *slash;

	if (n <= 0)
		return -1;
	dir[n] = '\0';
	slash = strrchr(dir, '/');
	if (slash == NULL)
		return -1;
	*slash = '\0';
	return 0;
}

int ai_path_data(const char *name, char **path, struct ai_err *err)
{
	const char *set = getenv("AI_DATADIR");
	char own[PATH_MAX + 32] = "";

	if (set != NULL && *set != '\0')
		return ai_path_join(set, name, path, err);
	if (own_folder(own, PATH_MAX) == 0) {
		memcpy(own + strlen(own), "/../share/aiutils", 18);
		if (ai_path_join(own, name, path, err) < 0)
			return -1;
		if (access(*path, R_OK) == 0)
			return 0;
		free(*path);
	}
	if (ai_path_join(AI_PKGDATADIR, name, path, err) < 0)
		return -1;
	if (access(*path, R_OK) == 0)
		return 0;
	free(*path);
	*path = NULL;
	return ai_err_set(err, AI_E_CONFIG,
			  "data file '%s' is neither in '%.120s' nor in '%s'; "
			  "set AI_DATADIR to its folder", name, own,
			  AI_PKGDATADIR);
}

int ai_path_sibling(const char *program, char **path, struct ai_err *err)
{
	char own[PATH_MAX];

	if (own_folder(own, sizeof own) == 0) {
		if (ai_path_join(own, program, path, err) < 0)
			return -1;
		if (access(*path, X_OK) == 0)
			return 0;
		free(*path);
	}
	*path = strdup(program);
	return *path == NULL ? ai_err_nomem(err) : 0;
}

/* $variable/aiutils/name, else ~/folder/aiutils/name. */
static int xdg_path(const char *variable, const char *folder, const char *name,
		    char **path, struct ai_err *err)
{
	const char *xdg = getenv(variable), *home = getenv("HOME");
	char dir[PATH_MAX];

	/* The XDG specification: a relative path is to be ignored. */
	if (xdg != NULL && xdg[0] == '/')
		snprintf(dir, sizeof dir, "%s/aiutils", xdg);
	else if (home != NULL && home[0] == '/')
		snprintf(dir, sizeof dir, "%s/%s/aiutils", home, folder);
	else
		return ai_err_set(err, AI_E_CONFIG,
				  "neither %s nor HOME is set", variable);
	return ai_path_join(dir, name, path, err);
}

int ai_path_config(const char *name, char **path, struct ai_err *err)
{
	return xdg_path("XDG_CONFIG_HOME", ".config", name, path, err);
}

int ai_path_cache(const char *name, char **path, struct ai_err *err)
{
	return xdg_path("XDG_CACHE_HOME", ".cache", name, path, err);
}

int ai_path_home(const char *name, char **path, struct ai_err *err)
{
	return xdg_path("XDG_DATA_HOME", ".local/share", name, path, err);
}

int ai_path_open(const char *path, struct ai_err *err)
{
	struct stat st;
	int fd = strcmp(path, "-") == 0
		? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
		: open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(fd);
		fd = -1;
		errno = EISDIR;
	}
	return fd >= 0 ? fd : ai_err_sys(err, AI_E_OPEN, errno,
					 "cannot open '%.200s'", path);
}
