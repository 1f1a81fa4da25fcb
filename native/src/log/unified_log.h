#pragma once

#include <string>

namespace launchwarden {

// What a line is to the unified log: shown by default, or as a fault that stands out.
enum class LogKind { kDefault = 0, kError = 1, kFault = 2 };

// Writes one line; `text` is UTF-8 without line breaks. Any thread. On other systems than macOS a double keeps it.
void WriteUnifiedLog(const std::string& category, LogKind kind, const std::string& text);

}  // namespace launchwarden
