#pragma once
// System calls that fail, are interrupted or are the last ones of a process.

#include <exception>
#include <string>

enum class Fault { none, error, short_write, kill };

/// What happens to the calls of this thread from arm() to disarm(): openat, write, fsync, rename, renameat, unlink,
/// linkat, flock and fchmod take the place of libc's in the whole test program, and do what libc's do unless armed.
struct Injection {
  Fault fault = Fault::none;
  int at = 0;         // the call, counted from 1, that the fault hits
  int error = 0;      // errno for Fault::error
  int calls = 0;      // so far
  std::string names;  // of the calls so far

  bool armed = false;

  bool hits(const char* name);
};

extern thread_local Injection injection;

/// Calls save() with a fault at call `at`; true where it throws nothing.
template <class Save>
bool with_fault(Fault fault, int at, int error, const Save& save) {
  injection = Injection();
  injection.fault = fault;
  injection.at = at;
  injection.error = error;
  injection.armed = true;
  bool saved = true;
  try {
    save();
  } catch (const std::exception&) {
    saved = false;
  }
  injection.armed = false;
  return saved;
}
