#pragma once

#include <string>
#include <vector>

namespace scripted {

// One line as os_log got it.
struct LogLine {
  // "" for the default log.
  std::string subsystem;
  std::string category;
  int type;
  std::string format;
  std::string argument;
};

std::vector<LogLine> LogLines();
// How many logs were made; each stays for good.
size_t LogsMade();

}  // namespace scripted
