/* troupe-shim: holds one container. It starts the task that its plan describes, stays as the reaper of all that
 * descends from it, records how the task ended, and leaves nothing behind. It outlives the agent that started it.
 *
 *   descriptor 3   the plan (plan.h)
 *   descriptor 4   the report: `started PID START`, and `failed STEP ERRNO` if the task could not become what the plan
 * says. It is complete when the far end reads the end of file, which is when exec has happened. SIGTERM        ends the
 * task and every descendant at once
 *
 * The pid file (`shim PID START`, `task PID START`, `boot ID`) is there before the report; if it cannot be written,
 * because somebody has taken the container's directory away meanwhile, the task is ended again. The status file
 * (`status RAW`, as from wait(2), then the same lines) is there before the shim ends. */
#include "plan.h"
#include "record.h"
#include "task.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

enum { plan_fd = 3, report_fd = 4 };

struct task {
  pid_t pid;
  int status;
};

/* What is still needed when the plan's memory has been given back. */
static char status_path[PATH_MAX];
static struct record identity;

static void kill_children(void) {
  struct record path = {.size = 0};
  record_text(&path, "/proc/self/task/");
  record_number(&path, (unsigned long long)getpid());
  record_text(&path, "/children");
  int fd = open(path.text, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  char list[4096];
  ssize_t size = read(fd, list, sizeof list - 1);
  close(fd);
  if (size <= 0) return;
  list[size] = 0;
  /* A number that the buffer cuts short would name somebody else: only those that a space ends are taken. */
  for (char* at = list; strchr(at, ' ');) {
    pid_t pid = (pid_t)strtol(at, &at, 10);
    if (pid > 1) kill(pid, SIGKILL);
    if (*at++ != ' ') break;
  }
}

/* Takes one ended child off the list. Returns as waitpid does. */
static pid_t reap_one(struct task* task, int options) {
  int status;
  pid_t pid = waitpid(-1, &status, options);
  if (pid == task->pid) task->status = status;
  return pid;
}

/* Ends everything that descends from the task. Whoever loses its parent becomes our child, so this ends when we have
 * none. The group first and at once, so that nobody in it slips away by forking; the task, dead or not, is not reaped
 * before and keeps the group's number from meaning another. */
static void end_all(struct task* task) {
  kill(-task->pid, SIGKILL);
  for (;;) {
    pid_t pid = reap_one(task, WNOHANG);
    if (pid > 0) continue;
    if (pid < 0) return;
    kill_children();
    if (reap_one(task, 0) < 0) return;
  }
}

/* Reaps whoever else has ended, and leaves the task for end_all. */
static int has_ended(const struct task* task) {
  for (;;) {
    siginfo_t ended = {.si_pid = 0};
    if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0) return 0;
    if (ended.si_pid == task->pid) return 1;
    waitpid(ended.si_pid, NULL, WNOHANG);
  }
}

static void record_end(const struct task* task) {
  struct record record = {.size = 0};
  record_text(&record, "status ");
  record_number(&record, (unsigned long long)(unsigned)task->status);
  record_text(&record, "\n");
  record_text(&record, identity.text);
  record_save(&record, status_path);
}

static void hold(struct task* task) {
  sigset_t awaited;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGCHLD);
  sigaddset(&awaited, SIGTERM);
  while (!has_ended(task)) {
    if (sigwaitinfo(&awaited, NULL) == SIGTERM) break;
  }
  end_all(task);
  record_end(task);
}

static void identify(const struct plan* plan, pid_t task) {
  record_text(&identity, "shim");
  record_process(&identity, getpid());
  record_text(&identity, "\ntask");
  record_process(&identity, task);
  record_text(&identity, "\nboot ");
  record_text(&identity, plan_next(plan, "boot", NULL));
  record_text(&identity, "\n");
}

static void report_start(pid_t task) {
  struct record record = {.size = 0};
  record_text(&record, "started");
  record_process(&record, task);
  record_text(&record, "\n");
  record_write(&record, report_fd);
}

/* A process of its own, with nothing of the agent's but the two descriptors. */
static void detach(void) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  setsid();
  if (chdir("/") != 0) _exit(1);
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  syscall(SYS_close_range, report_fd + 1, ~0U, 0);
  fcntl(plan_fd, F_SETFD, FD_CLOEXEC);
  fcntl(report_fd, F_SETFD, FD_CLOEXEC);
}

static int fail(const char* step, int error) {
  task_report_failure(report_fd, step, error);
  return 1;
}

static int complete(const struct plan* plan) {
  static const char* const once[] = {"program", "argv", "cwd", "stdout", "stderr", "status", "pid", "boot"};
  for (size_t i = 0; i < sizeof once / sizeof *once; ++i) {
    if (!plan_next(plan, once[i], NULL)) return 0;
  }
  return strlen(plan_next(plan, "status", NULL)) < sizeof status_path;
}

/* By vfork: a quarter of a short task's cost goes into copying even so small a process. Returns when the task has been
 * exec'ed, or has failed and said so. */
static pid_t start_task(const struct plan* plan) {
  static char* none[] = {NULL};
  char** arguments = plan_list(plan, "argv");
  environ = plan_list(plan, "env"); /* where exec looks for PATH */
  pid_t pid = -1;
  if (arguments && environ) {
    pid = vfork();
    if (pid == 0) task_become(plan, arguments, report_fd);
  }
  int error = errno;
  if (arguments) plan_free_list(plan, "argv", arguments);
  if (environ) plan_free_list(plan, "env", environ);
  environ = none;
  errno = error;
  return pid;
}

int main(void) {
  detach();
  struct plan plan;
  int error = plan_map(&plan, plan_fd);
  if (error) return fail("plan", error);
  if (!complete(&plan)) return fail("plan", EINVAL);
  strcpy(status_path, plan_next(&plan, "status", NULL));

  struct task task = {.pid = start_task(&plan)};
  if (task.pid < 0) return fail("fork", errno);
  identify(&plan, task.pid);
  error = record_save(&identity, plan_next(&plan, "pid", NULL));
  if (error) {
    end_all(&task);
    return fail("pid", error);
  }
  report_start(task.pid);
  plan_unmap(&plan);
  close(plan_fd);
  close(report_fd);
  hold(&task);
  return 0;
}
