#ifndef TROUPE_SHIM_PLAN_H
#define TROUPE_SHIM_PLAN_H

#include <stddef.h>

/* The plan: all that the shim is told. One flat text of entries `key=value`, each ended by a NUL byte, so that
 * arguments and environment can be handed to exec as they lie there. It begins with `troupe-plan=1` and ends with
 * `end=`. The number rises whenever a plan may hold an entry that an older shim would wrongly pass over.
 * isolators/launch_plan.cpp writes it.
 *
 *   program=NAME     looked up in the task's PATH unless it holds a slash
 *   argv=TEXT        once for each argument, the zeroth included
 *   env=NAME=VALUE   once for each variable; nothing else is in the task's environment
 *   cwd=DIRECTORY
 *   stdout=PATH stderr=PATH   opened for appending, as the task's user, from cwd
 *   uid=N gid=N      absent: as the shim;  group=N  once for each supplementary group
 *   rlimit=RESOURCE:SOFT:HARD   numbers as in setrlimit(2)
 *   join=PATH        once for each `tasks` file of a group that the task, and not the shim, is written into
 *   status=PATH pid=PATH boot=TEXT   where to record what, and the boot to name there
 */
struct plan {
  const char* text;
  size_t size;
};

/* Maps the plan that descriptor `fd` holds. Returns 0, or an errno value. */
int plan_map(struct plan* plan, int fd);
void plan_unmap(struct plan* plan);

/* The value of the next entry of that key after the value `previous`; of the first one if `previous` is null. Null: no
 * more. */
const char* plan_next(const struct plan* plan, const char* key, const char* previous);

/* All values of a key, as the null-terminated array that exec wants. Null: no memory, as errno says. */
char** plan_list(const struct plan* plan, const char* key);
void plan_free_list(const struct plan* plan, const char* key, char** list);

#endif
