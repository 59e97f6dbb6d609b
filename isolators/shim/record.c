#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void record_text(struct record* record, const char* text) {
  size_t room = sizeof record->text - 1 - record->size;
  size_t length = strnlen(text, room);
  memcpy(record->text + record->size, text, length);
  record->size += length;
  record->text[record->size] = 0;
}

void record_number(struct record* record, unsigned long long number) {
  char digits[24];
  char* first = digits + sizeof digits - 1;
  *first = 0;
  do {
    *--first = (char)('0' + number % 10);
    number /= 10;
  } while (number);
  record_text(record, first);
}

/* The 22nd field of /proc/PID/stat; the second is a name in parentheses that may hold anything, so counting begins
 * after the last one. */
static void record_start(struct record* record, pid_t pid) {
  struct record path = {.size = 0};
  record_text(&path, "/proc/");
  record_number(&path, (unsigned long long)pid);
  record_text(&path, "/stat");
  char stat[1024];
  int fd = open(path.text, O_RDONLY | O_CLOEXEC);
  ssize_t size = fd < 0 ? -1 : read(fd, stat, sizeof stat - 1);
  if (fd >= 0) close(fd);
  if (size < 0) size = 0;
  stat[size] = 0;
  char* field = strrchr(stat, ')');
  for (int number = 2; field && number < 22; ++number) field = strchr(field + 1, ' ');
  if (!field) {
    record_text(record, "0");
    return;
  }
  field[1 + strspn(field + 1, "0123456789")] = 0;
  record_text(record, field + 1);
}

void record_process(struct record* record, pid_t pid) {
  record_text(record, " ");
  record_number(record, (unsigned long long)pid);
  record_text(record, " ");
  record_start(record, pid);
}

int record_write(const struct record* record, int fd) {
  ssize_t written = write(fd, record->text, record->size);
  if (written < 0) return errno;
  return (size_t)written == record->size ? 0 : ENOSPC;
}

int record_save(const struct record* record, const char* path) {
  struct record temporary = {.size = 0};
  record_text(&temporary, path);
  record_text(&temporary, ".tmp");
  if (temporary.size == sizeof temporary.text - 1) return ENAMETOOLONG;
  int fd = open(temporary.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return errno;
  int error = record_write(record, fd);
  if (close(fd) != 0 && !error) error = errno;
  if (!error && rename(temporary.text, path) != 0) error = errno;
  return error;
}
