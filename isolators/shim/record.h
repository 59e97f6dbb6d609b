#ifndef TROUPE_SHIM_RECORD_H
#define TROUPE_SHIM_RECORD_H

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

/* A short text under construction, always ended by a NUL; what does not fit is cut off. */
struct record {
  char text[PATH_MAX];
  size_t size;
};

void record_text(struct record* record, const char* text);
void record_number(struct record* record, unsigned long long number);

/* ` PID START`: a process that cannot be mistaken for a later one of the same number. START is in clock ticks since
 * boot, 0 if unknown. */
void record_process(struct record* record, pid_t pid);

/* Writes the whole record to a descriptor in one call. Returns 0, or an errno value. */
int record_write(const struct record* record, int fd);

/* Makes the record the content of a file, at once or not at all. Returns 0, or an errno value. */
int record_save(const struct record* record, const char* path);

#endif
