/*
 * launchctl of a tree whose launchd is a stand-in in another process (launchd.ts): hands its arguments over, prints what comes
 * back and ends with its status. The socket's path stands in the file beside it whose name ends in .socket. A program of its
 * own, and alive for LIFETIME_MS, so that a process scan knows it by its name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { LIFETIME_MS = 20, MOST = 1 << 20 };

int main(int count, char **arguments) {
  char name[4200];
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(name, sizeof name, "%s.socket", arguments[0]);
  FILE *file = fopen(name, "r");
  if (file == NULL || fgets(address.sun_path, sizeof address.sun_path, file) == NULL) return 1;
  fclose(file);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) return 1;
  for (int index = 1; index < count; index++)
    if (write(fd, arguments[index], strlen(arguments[index]) + 1) < 0) return 1;
  shutdown(fd, SHUT_WR);
  static char text[MOST];
  size_t length = 0;
  for (ssize_t got; (got = read(fd, text + length, MOST - 1 - length)) > 0;) length += (size_t)got;
  close(fd);
  int status = 1, out = 0, head = 0;
  if (sscanf(text, "%d %d\n%n", &status, &out, &head) < 2) return 1;
  const char *body = strchr(text, '\n') + 1;
  const size_t rest = length - (size_t)(body - text);
  if ((size_t)out > rest) return 1;
  fwrite(body, 1, (size_t)out, stdout);
  fwrite(body + out, 1, rest - (size_t)out, stderr);
  fflush(stdout);
  const struct timespec wait = {0, LIFETIME_MS * 1000000L};
  nanosleep(&wait, NULL);
  return status;
}
