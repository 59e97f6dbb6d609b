#ifndef TROUPE_SHIM_TASK_H
#define TROUPE_SHIM_TASK_H

#include "plan.h"

/* Turns this process, just made by vfork, into the task, with `environ` as its environment. Never returns: either exec
 * succeeds, or `failed STEP ERRNO` is written to `report_fd` and the process exits with 127. Descriptors above 2 do not
 * reach the task. The memory that is shared with the parent meanwhile stays as it was. */
_Noreturn void task_become(const struct plan* plan, char** arguments, int report_fd);

/* Writes `failed STEP ERRNO` to `report_fd`. */
void task_report_failure(int report_fd, const char* step, int error);

#endif
