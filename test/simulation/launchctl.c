/* A stand-in for launchctl on machines that have none: does nothing, and lives LAUNCHCTL_LIFETIME_MS (20) milliseconds. */
#include <stdlib.h>
#include <time.h>

int main(void) {
  const char *text = getenv("LAUNCHCTL_LIFETIME_MS");
  long milliseconds = text ? atol(text) : 20;
  struct timespec wait = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
  nanosleep(&wait, NULL);
  return 0;
}
