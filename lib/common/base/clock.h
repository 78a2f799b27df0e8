/* clock.h: time that nobody sets back. */
#ifndef AI_BASE_CLOCK_H
#define AI_BASE_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC: it stands while the machine is suspended. */
int64_t ai_clock_ns(void);
double ai_clock_s(void);
/* CLOCK_BOOTTIME: it does not; the same for all processes of the machine. */
int64_t ai_boot_ns(void);

#endif
