#pragma once

#include <napi.h>

#include <string>

namespace launchwarden {

// A number of an options object within its bounds; throws a TypeError or RangeError that names it.
inline double NumberOption(const Napi::Object& options, const char* name, double fallback, double least, double most) {
  const Napi::Value value = options.Get(name);
  if (value.IsUndefined()) return fallback;
  if (!value.IsNumber()) throw Napi::TypeError::New(options.Env(), std::string(name) + " must be a number");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= least && number <= most))
    throw Napi::RangeError::New(options.Env(), std::string(name) + " is out of range");
  return number;
}

}  // namespace launchwarden
