/*
 * A stand-in for launchctl on machines that have none: lives LAUNCHCTL_LIFETIME_MS (20) milliseconds and does nothing.
 * Where its tree has a folder private/var/db/launchd.stand-in it also stands for launchd: `load` and `bootstrap` note the
 * job of a property list in its file `jobs` (domain, label, path; one line each), `unload` and `bootout` take it away, and
 * `print` tells of it in the form of launchctl(1). LAUNCHCTL_LABEL gives the label of a list that it cannot read itself;
 * a domain that stands in the file `missing` does not exist. `print-disabled` shows the file `disabled` (domain, label,
 * `disabled` or `enabled`; one line each, tabs between them).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_TEXT = 8 << 20, MOST_LINE = 1 << 17 };

static char folder[4000];
static char jobs[4096];

static int is_launchd(const char *self) {
  const char *bin = strstr(self, "/bin/launchctl");
  if (bin == NULL) return 0;
  snprintf(folder, sizeof folder, "%.*s/private/var/db/launchd.stand-in", (int)(bin - self), self);
  if (access(folder, W_OK) != 0) return 0;
  snprintf(jobs, sizeof jobs, "%s/jobs", folder);
  return 1;
}

static void domain_of(const char *path, char *domain, size_t size) {
  if (strstr(path, "/Users/") != NULL) snprintf(domain, size, "gui/%u", (unsigned)getuid());
  else snprintf(domain, size, "system");
}

static int is_domain(const char *target) {
  const char *slash = strchr(target, '/');
  if (slash == NULL) return 1;
  if (strncmp(target, "gui/", 4) != 0 && strncmp(target, "user/", 5) != 0) return 0;
  return strchr(slash + 1, '/') == NULL;
}

static int is_missing(const char *target) {
  char name[4096], line[256];
  snprintf(name, sizeof name, "%s/missing", folder);
  FILE *file = fopen(name, "r");
  int found = 0;
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\n")] = 0;
    const size_t length = strlen(line);
    if (length > 0 && strncmp(target, line, length) == 0 && (target[length] == 0 || target[length] == '/')) found = 1;
  }
  if (file != NULL) fclose(file);
  return found;
}

/* A label on one line: its line breaks and tabs stand as control pictures' numbers. */
static void escaped(const char *from, size_t length, char *to, size_t size) {
  size_t at = 0;
  for (size_t i = 0; i < length && at + 3 < size; i++) {
    if (from[i] == '\n' || from[i] == '\t' || from[i] == '%') at += (size_t)snprintf(to + at, size - at, "%%%02x", (unsigned char)from[i]);
    else to[at++] = from[i];
  }
  to[at] = 0;
}

static void unescape(char *text) {
  char *to = text;
  for (const char *from = text; *from != 0; from++) {
    unsigned code;
    if (*from == '%' && sscanf(from + 1, "%2x", &code) == 1) {
      *to++ = (char)code;
      from += 2;
    } else *to++ = *from;
  }
  *to = 0;
}

static void load(const char *given, const char *path) {
  static char text[MOST_TEXT], label[MOST_LINE - 8192], line[MOST_LINE];
  char domain[64];
  FILE *file = fopen(path, "r");
  if (file == NULL) return;
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  const char *told = getenv("LAUNCHCTL_LABEL");
  const char *key = strstr(text, "<key>Label</key>");
  const char *from = key == NULL ? NULL : strstr(key, "<string>");
  const char *to = from == NULL ? NULL : strstr(from, "</string>");
  if (told == NULL && to == NULL) return;
  if (told != NULL) escaped(told, strlen(told), label, sizeof label);
  else escaped(from + 8, (size_t)(to - from - 8), label, sizeof label);
  if (given != NULL) snprintf(domain, sizeof domain, "%s", given);
  else domain_of(path, domain, sizeof domain);
  const int length = snprintf(line, sizeof line, "%s\t%s\t%s\n", domain, label, path);
  const int log = open(jobs, O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (log < 0) return;
  if (length > 0 && length < (int)sizeof line && write(log, line, (size_t)length) < 0) perror("launchctl");
  close(log);
}

/* Takes away the jobs of a property list, or the one that is a service target. */
static void unload(const char *target) {
  static char line[MOST_LINE], copy[MOST_LINE], service[MOST_LINE];
  char name[4200];
  snprintf(name, sizeof name, "%s.%ld", jobs, (long)getpid());
  FILE *file = fopen(jobs, "r"), *rest = fopen(name, "w");
  while (file != NULL && rest != NULL && fgets(line, sizeof line, file) != NULL) {
    strcpy(copy, line);
    char *domain = strtok(copy, "\t"), *label = strtok(NULL, "\t"), *path = strtok(NULL, "\n");
    if (path == NULL) continue;
    unescape(label);
    snprintf(service, sizeof service, "%s/%s", domain, label);
    if (strcmp(path, target) != 0 && strcmp(service, target) != 0) fputs(line, rest);
  }
  if (file != NULL) fclose(file);
  if (rest == NULL) return;
  fclose(rest);
  rename(name, jobs);
}

/* The whole of a domain, or one of its jobs: exit status 112 without the domain, 113 when it has no such job. */
static int print(const char *target) {
  static char line[MOST_LINE], service[MOST_LINE], found[MOST_LINE];
  if (is_missing(target)) {
    fprintf(stderr, "Bad request.\nCould not find domain for %s\n", target);
    return 112;
  }
  FILE *file = fopen(jobs, "r");
  const int whole = is_domain(target);
  if (whole) printf("%s = {\n\ttype = stand-in\n\tservices = {\n", target);
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    char *domain = strtok(line, "\t"), *label = strtok(NULL, "\t"), *path = strtok(NULL, "\n");
    if (path == NULL) continue;
    unescape(label);
    snprintf(service, sizeof service, "%s/%s", domain, label);
    if (whole && strcmp(domain, target) == 0) printf("\t\t       0      - \t%s\n", label);
    /* The last one counts: it was loaded in the place of an earlier one. */
    if (!whole && strcmp(service, target) == 0) snprintf(found, sizeof found, "%s", path);
  }
  if (whole) printf("\t}\n}\n");
  else if (found[0] != 0) printf("%s = {\n\tactive count = 0\n\tpath = %s\n\tstate = not running\n}\n", target, found);
  if (file != NULL) fclose(file);
  return whole || found[0] != 0 ? 0 : 113;
}

/* The table of overrides of one domain, in the form of macOS 13. */
static int print_disabled(const char *target) {
  static char line[MOST_LINE];
  char name[4200];
  snprintf(name, sizeof name, "%s/disabled", folder);
  FILE *file = fopen(name, "r");
  printf("\tdisabled services = {\n");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    char *domain = strtok(line, "\t"), *label = strtok(NULL, "\t"), *word = strtok(NULL, "\n");
    if (word != NULL && strcmp(domain, target) == 0) printf("\t\t\"%s\" => %s\n", label, word);
  }
  printf("\t}\n\tlogin item associations = {\n\t}\n");
  if (file != NULL) fclose(file);
  return 0;
}

int main(int count, char **arguments) {
  if (count > 2 && is_launchd(arguments[0])) {
    const char *verb = arguments[1];
    if (strcmp(verb, "print") == 0) return print(arguments[2]);
    if (strcmp(verb, "print-disabled") == 0) return print_disabled(arguments[2]);
    const int loads = strcmp(verb, "load") == 0 || strcmp(verb, "bootstrap") == 0;
    const int unloads = strcmp(verb, "unload") == 0 || strcmp(verb, "bootout") == 0;
    const char *given = strncmp(verb, "boot", 4) == 0 && is_domain(arguments[2]) && arguments[2][0] != '/' ? arguments[2] : NULL;
    for (int index = 2; index < count; index++) {
      if (loads && arguments[index][0] == '/') load(given, arguments[index]);
      if (unloads) unload(arguments[index]);
    }
  }
  const char *text = getenv("LAUNCHCTL_LIFETIME_MS");
  const long milliseconds = text ? atol(text) : 20;
  struct timespec wait = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
  nanosleep(&wait, NULL);
  return 0;
}
