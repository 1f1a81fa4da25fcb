#pragma once

#include <functional>

#include "darwin/kernel.h"

// A kernel with launchd, and what `script` adds.
void Boot(const std::function<void(scripted::Kernel&)>& script = [](scripted::Kernel&) {});

// check_darwin_scanner.cc, check_darwin_files.cc, check_darwin_open_files.cc, check_darwin_es.cc,
// check_darwin_log.cc.
void ScannerChecks();
void FileEventChecks();
void OpenFileChecks();
void EndpointSecurityChecks();
void UnifiedLogChecks();
