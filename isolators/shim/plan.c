#include "plan.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static const char first_entry[] = "troupe-plan=1";
static const char last_entry[] = "end=";

int plan_map(struct plan* plan, int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0) return errno;
  size_t size = (size_t)info.st_size;
  if (size < sizeof first_entry + sizeof last_entry) return EINVAL;
  char* text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (text == MAP_FAILED) return errno;
  plan->text = text;
  plan->size = size;
  /* Both comparisons include the NUL, so that a cut-off plan is never taken for a whole one. */
  if (memcmp(text, first_entry, sizeof first_entry) != 0) return EPROTO;
  if (memcmp(text + size - sizeof last_entry, last_entry, sizeof last_entry) != 0) return EPROTO;
  return 0;
}

void plan_unmap(struct plan* plan) {
  munmap((void*)plan->text, plan->size);
  plan->text = NULL;
  plan->size = 0;
}

const char* plan_next(const struct plan* plan, const char* key, const char* previous) {
  const char* end = plan->text + plan->size;
  size_t length = strlen(key);
  const char* entry = previous ? previous + strlen(previous) + 1 : plan->text;
  for (; entry < end; entry += strlen(entry) + 1) {
    if (strncmp(entry, key, length) == 0 && entry[length] == '=') return entry + length + 1;
  }
  return NULL;
}

static size_t list_size(const struct plan* plan, const char* key) {
  size_t count = 1;
  const char* value = NULL;
  while ((value = plan_next(plan, key, value))) ++count;
  return count * sizeof(char*);
}

/* Mapped, not allocated: the pages go back to the system while the task runs. */
char** plan_list(const struct plan* plan, const char* key) {
  char** list = mmap(NULL, list_size(plan, key), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (list == MAP_FAILED) return NULL;
  size_t at = 0;
  for (const char* value = NULL; (value = plan_next(plan, key, value));) list[at++] = (char*)value;
  return list;
}

void plan_free_list(const struct plan* plan, const char* key, char** list) {
  munmap(list, list_size(plan, key));
}
