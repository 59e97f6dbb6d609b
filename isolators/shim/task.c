#include "task.h"

#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where the report goes while the descriptors are put in order: just above those of the task. */
enum { first_foreign_fd = 3 };

void task_report_failure(int report_fd, const char* step, int error) {
  struct record record = {.size = 0};
  record_text(&record, "failed ");
  record_text(&record, step);
  record_text(&record, " ");
  record_number(&record, (unsigned long long)error);
  record_text(&record, "\n");
  record_write(&record, report_fd);
}

static void require(int succeeded, const char* step, int report_fd) {
  if (succeeded) return;
  task_report_failure(report_fd, step, errno);
  _exit(127);
}

static void reset_signals(void) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  for (int number = 1; number < NSIG; ++number) sigaction(number, &action, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static int join_group(const char* procs) {
  int fd = open(procs, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  int joined = write(fd, "0", 1) == 1; /* 0 is whoever writes */
  int error = errno;
  close(fd);
  errno = error;
  return joined;
}

static int limit_resource(const char* value) {
  char* rest;
  struct rlimit limit;
  int resource = (int)strtoul(value, &rest, 10);
  limit.rlim_cur = strtoull(rest + 1, &rest, 10);
  limit.rlim_max = strtoull(rest + 1, &rest, 10);
  return setrlimit(resource, &limit) == 0;
}

static int switch_user(const struct plan* plan) {
  const char* uid = plan_next(plan, "uid", NULL);
  const char* gid = plan_next(plan, "gid", NULL);
  if (!uid || !gid) return 1;
  gid_t groups[256];
  size_t count = 0;
  for (const char* value = NULL; (value = plan_next(plan, "group", value));) {
    if (count == sizeof groups / sizeof *groups) {
      errno = E2BIG;
      return 0;
    }
    groups[count++] = (gid_t)strtoul(value, NULL, 10);
  }
  uid_t user = (uid_t)strtoul(uid, NULL, 10);
  gid_t group = (gid_t)strtoul(gid, NULL, 10);
  return setgroups(count, groups) == 0 && setresgid(group, group, group) == 0 && setresuid(user, user, user) == 0;
}

/* Opened after the switch of user, and never through a link: the sandbox is the task's own ground. */
static int open_output(const char* path, int as) {
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0644);
  struct stat info;
  if (fd < 0 || fstat(fd, &info) != 0) return 0;
  if (!S_ISREG(info.st_mode)) {
    errno = EINVAL;
    return 0;
  }
  return fcntl(fd, F_SETFL, O_APPEND) == 0 && dup2(fd, as) == as;
}

_Noreturn void task_become(const struct plan* plan, char** arguments, int report_fd) {
  reset_signals();
  require(setsid() != -1, "session", report_fd);
  for (const char* value = NULL; (value = plan_next(plan, "join", value));) {
    require(join_group(value), "cgroup", report_fd);
  }
  for (const char* value = NULL; (value = plan_next(plan, "rlimit", value));) {
    require(limit_resource(value), "rlimit", report_fd);
  }
  /* The directory is entered with the shim's rights: its parents may be closed to the task's user. */
  require(chdir(plan_next(plan, "cwd", NULL)) == 0, "cwd", report_fd);
  require(switch_user(plan), "user", report_fd);
  require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs", report_fd);
  umask(022);
  require(open_output(plan_next(plan, "stdout", NULL), 1), "stdout", report_fd);
  require(open_output(plan_next(plan, "stderr", NULL), 2), "stderr", report_fd);

  if (report_fd != first_foreign_fd) {
    require(dup3(report_fd, first_foreign_fd, O_CLOEXEC) >= 0, "descriptors", report_fd);
    report_fd = first_foreign_fd;
  }
  require(syscall(SYS_close_range, first_foreign_fd + 1, ~0U, 0) == 0, "descriptors", report_fd);
  execvp(plan_next(plan, "program", NULL), arguments);
  require(0, "program", report_fd);
  abort();
}
