#include "terminal.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <termios.h>
#include <unistd.h>

static atomic_flag taken = ATOMIC_FLAG_INIT;

int agent_terminal_take(void)
{
	int tty;

	if (atomic_flag_test_and_set(&taken))
		return AGENT_TERMINAL_BUSY;
	tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (tty >= 0)
		tcflush(tty, TCIFLUSH);
	else
		atomic_flag_clear(&taken);
	return tty >= 0 ? tty : AGENT_TERMINAL_NONE;
}

void agent_terminal_give(int tty, bool answered)
{
	ssize_t n;

	if (tty < 0)
		return;
	n = answered ? 0 : write(tty, "\n", 1);
	(void)n; /* nobody is there any more */
	close(tty);
	atomic_flag_clear(&taken);
}

int agent_terminal_say(int tty, struct ai_buf *b)
{
	int rc = ai_buf_write(b, tty);

	ai_buf_clear(b);
	return rc;
}
