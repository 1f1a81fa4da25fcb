/*
 * A stand-in for launchctl on machines that have none: lives LAUNCHCTL_LIFETIME_MS (20) milliseconds and does nothing.
 * Where its tree has a folder private/var/db/launchd.stand-in it also stands for launchd: `load` and `bootstrap` note the
 * job of a property list there, and `print` tells of it in the form of launchctl(1).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char jobs[4096];

static int is_launchd(const char *self) {
  const char *bin = strstr(self, "/bin/launchctl");
  if (bin == NULL) return 0;
  snprintf(jobs, sizeof jobs, "%.*s/private/var/db/launchd.stand-in", (int)(bin - self), self);
  if (access(jobs, W_OK) != 0) return 0;
  strcat(jobs, "/jobs");
  return 1;
}

static void domain_of(const char *path, char *domain, size_t size) {
  if (strstr(path, "/Users/") != NULL) snprintf(domain, size, "gui/%u", (unsigned)getuid());
  else snprintf(domain, size, "system");
}

static void load(const char *path) {
  static char text[65536];
  char domain[64], line[8192];
  FILE *file = fopen(path, "r");
  if (file == NULL) return;
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  const char *key = strstr(text, "<key>Label</key>");
  const char *from = key == NULL ? NULL : strstr(key, "<string>");
  const char *to = from == NULL ? NULL : strstr(from, "</string>");
  if (to == NULL) return;
  domain_of(path, domain, sizeof domain);
  const int length = snprintf(line, sizeof line, "%s\t%.*s\t%s\n", domain, (int)(to - from - 8), from + 8, path);
  const int log = open(jobs, O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (log < 0) return;
  if (length > 0 && length < (int)sizeof line && write(log, line, (size_t)length) < 0) perror("launchctl");
  close(log);
}

/* The whole of a domain, or one of its jobs: exit status 113 when it has no such job. */
static int print(const char *target) {
  char line[8192], service[8192];
  FILE *file = fopen(jobs, "r");
  const char *slash = strchr(target, '/');
  const int whole = slash == NULL || (strncmp(target, "gui/", 4) == 0 && strchr(slash + 1, '/') == NULL);
  int found = 0;
  if (whole) printf("%s = {\n\ttype = stand-in\n\tservices = {\n", target);
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    char *domain = strtok(line, "\t"), *label = strtok(NULL, "\t"), *path = strtok(NULL, "\n");
    if (path == NULL) continue;
    snprintf(service, sizeof service, "%s/%s", domain, label);
    if (whole && strcmp(domain, target) == 0) printf("\t\t       0      - \t%s\n", label);
    if (!whole && !found && strcmp(service, target) == 0) {
      printf("%s = {\n\tactive count = 0\n\tpath = %s\n\tstate = not running\n}\n", target, path);
      found = 1;
    }
  }
  if (whole) printf("\t}\n}\n");
  if (file != NULL) fclose(file);
  return whole || found ? 0 : 113;
}

int main(int count, char **arguments) {
  if (count > 1 && is_launchd(arguments[0])) {
    if (count > 2 && strcmp(arguments[1], "print") == 0) return print(arguments[2]);
    if (strcmp(arguments[1], "load") == 0 || strcmp(arguments[1], "bootstrap") == 0)
      for (int index = 2; index < count; index++)
        if (arguments[index][0] == '/') load(arguments[index]);
  }
  const char *text = getenv("LAUNCHCTL_LIFETIME_MS");
  const long milliseconds = text ? atol(text) : 20;
  struct timespec wait = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
  nanosleep(&wait, NULL);
  return 0;
}
