/* The limit that a process scanner is measured against on Linux: the kernel's own exec events (cn_proc). Prints the
   number of programs named NAME that were executed, when its input ends. Exit 1: not allowed, or not built in. */
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **arguments) {
  if (count < 2) return 2;
  int link = socket(PF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR);
  struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC, .nl_pid = getpid()};
  int room = 4 << 20;
  setsockopt(link, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  if (link < 0 || bind(link, (struct sockaddr *)&address, sizeof address) != 0) return 1;
  struct __attribute__((packed)) {
    struct nlmsghdr header;
    struct cn_msg message;
    enum proc_cn_mcast_op operation;
  } listen = {.header = {.nlmsg_len = sizeof listen, .nlmsg_type = NLMSG_DONE, .nlmsg_pid = getpid()},
              .message = {.id = {CN_IDX_PROC, CN_VAL_PROC}, .len = sizeof(enum proc_cn_mcast_op)},
              .operation = PROC_CN_MCAST_LISTEN};
  if (send(link, &listen, sizeof listen, 0) < 0) return 1;
  unsigned seen = 0, any = 0;
  struct pollfd wait[2] = {{.fd = link, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
  puts("ready");
  fflush(stdout);
  for (;;) {
    poll(wait, 2, -1);
    if (wait[0].revents != 0) {
      char buffer[8192];
      ssize_t length = recv(link, buffer, sizeof buffer, 0);
      for (struct nlmsghdr *one = (struct nlmsghdr *)buffer; length > 0 && NLMSG_OK(one, (size_t)length);
           one = NLMSG_NEXT(one, length)) {
        struct proc_event *event = (struct proc_event *)((struct cn_msg *)NLMSG_DATA(one))->data;
        any++;
        if (event->what != PROC_EVENT_EXEC) continue;
        char path[64], name[32] = "";
        snprintf(path, sizeof path, "/proc/%d/comm", event->event_data.exec.process_pid);
        FILE *file = fopen(path, "r");
        if (file == NULL) continue;
        if (fgets(name, sizeof name, file) != NULL) {
          name[strcspn(name, "\n")] = 0;
          seen += strcmp(name, arguments[1]) == 0;
        }
        fclose(file);
      }
      continue;
    }
    if (wait[1].revents != 0) break;
  }
  printf("%u %u\n", seen, any);
  return 0;
}
