#include "fault_injection.hpp"

#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

thread_local Injection injection;

bool Injection::hits(const char* name) {
  if (!armed) return false;
  names += std::string(name) + ' ';
  if (++calls != at) return false;
  if (fault == Fault::kill) ::kill(::getpid(), SIGKILL);
  errno = error;
  return fault == Fault::error;
}

namespace {

template <class Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int openat(int directory, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const unsigned mode = va_arg(arguments, unsigned);
  va_end(arguments);
  static const auto function = real<int (*)(int, const char*, int, ...)>("openat");
  return injection.hits("openat") ? -1 : function(directory, path, flags, mode);
}

ssize_t write(int fd, const void* data, std::size_t count) {
  static const auto function = real<ssize_t (*)(int, const void*, std::size_t)>("write");
  if (injection.hits("write")) return -1;
  if (injection.armed && injection.fault == Fault::short_write && count > 1) count = (count + 1) / 2;
  return function(fd, data, count);
}

int fsync(int fd) {
  static const auto function = real<int (*)(int)>("fsync");
  return injection.hits("fsync") ? -1 : function(fd);
}

int renameat(int from_directory, const char* from, int to_directory, const char* to) noexcept {
  static const auto function = real<int (*)(int, const char*, int, const char*)>("renameat");
  return injection.hits("renameat") ? -1 : function(from_directory, from, to_directory, to);
}

int flock(int fd, int operation) noexcept {
  static const auto function = real<int (*)(int, int)>("flock");
  return injection.hits("flock") ? -1 : function(fd, operation);
}

int fchmod(int fd, mode_t mode) noexcept {
  static const auto function = real<int (*)(int, mode_t)>("fchmod");
  return injection.hits("fchmod") ? -1 : function(fd, mode);
}

int rename(const char* from, const char* to) noexcept {
  static const auto function = real<int (*)(const char*, const char*)>("rename");
  return injection.hits("rename") ? -1 : function(from, to);
}

int unlink(const char* path) noexcept {
  static const auto function = real<int (*)(const char*)>("unlink");
  return injection.hits("unlink") ? -1 : function(path);
}

int linkat(int from_directory, const char* from, int to_directory, const char* to, int flags) noexcept {
  static const auto function = real<int (*)(int, const char*, int, const char*, int)>("linkat");
  return injection.hits("linkat") ? -1 : function(from_directory, from, to_directory, to, flags);
}
}
