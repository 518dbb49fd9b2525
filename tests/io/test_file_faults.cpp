// Every system call of a save fails once, is interrupted once, and is the last one before the process is killed.

#include <xgrad/io/file.hpp>

#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "../catch.hpp"
#include "../forked.hpp"
#include "../temporary_directory.hpp"

namespace {

enum class Fault { none, error, short_write, kill };

struct Injection {
  Fault fault = Fault::none;
  int at = 0;         // the call, counted from 1, that the fault hits
  int error = 0;      // errno for Fault::error
  int calls = 0;      // so far
  std::string names;  // of the calls so far

  bool armed = false;

  bool hits(const char* name) {
    if (!armed) return false;
    names += std::string(name) + ' ';
    if (++calls != at) return false;
    if (fault == Fault::kill) ::kill(::getpid(), SIGKILL);
    errno = error;
    return fault == Fault::error;
  }
};

thread_local Injection injection;

template <class Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

// These take the place of libc's in the whole test program, and do what libc's do unless armed.
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
}

using namespace xgrad;
using Names = std::vector<std::string>;

namespace {

const std::string old_contents(1000, 'o'), new_contents(100'000, 'n');

// Saves in two pieces with a fault at call `at`; true when the save reported success.
bool save(const std::string& path, Fault fault, int at, int error = 0) {
  injection = Injection();
  injection.fault = fault;
  injection.at = at;
  injection.error = error;
  injection.armed = true;
  bool saved = true;
  try {
    io::AtomicFile file("save", path);
    file.write(std::string_view(new_contents).substr(0, 10));
    file.write(std::string_view(new_contents).substr(10));
    file.commit();
  } catch (const Error&) {
    saved = false;
  }
  injection.armed = false;
  return saved;
}

}  // namespace

TEST_CASE("file: whichever system call of a save fails, the old or the new file is whole and no temporary stays") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("file");
  io::atomic_write(path, old_contents);
  REQUIRE(save(path, Fault::none, 0));
  const int calls = injection.calls;
  INFO(injection.names);
  REQUIRE(injection.names == "openat openat flock fchmod write write fsync renameat fsync ");

  for (const int error : {ENOSPC, EIO, EDQUOT, EPERM})
    for (int at = 1; at <= calls; ++at) {
      io::atomic_write(path, old_contents);
      const bool saved = save(path, Fault::error, at, error);
      CAPTURE(error, at, saved, injection.names);
      const bool renamed = injection.names.find("renameat fsync") != std::string::npos;
      CHECK(io::read_file(path) == (saved || renamed ? new_contents : old_contents));
      // Listing stale temporaries, locking and permissions are best effort; everything else is reported.
      CHECK(saved == (at == 1 || at == 3 || at == 4));
      CHECK(directory.names() == Names{"file"});
    }
}

TEST_CASE("file: interrupted and short writes are continued") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("file");
  io::atomic_write(path, old_contents);
  for (int at = 1; at <= 9; ++at) {
    CAPTURE(at);
    const bool saved = save(path, Fault::error, at, EINTR);
    CHECK((saved || injection.names.ends_with("renameat ")));  // rename() is never interrupted
    CHECK(io::read_file(path) == (saved ? new_contents : old_contents));
    io::atomic_write(path, old_contents);
  }
  CHECK(save(path, Fault::short_write, 0));
  CHECK(injection.calls > 10);
  CHECK(io::read_file(path) == new_contents);
  CHECK(directory.names() == Names{"file"});
}

TEST_CASE("file: killed before any system call of a save, the old or the new file is whole") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("file");
  io::atomic_write(path, old_contents);
  int killed = 0;
  for (int at = 1; at <= 9; ++at) {
    killed += run_forked([&] { return save(path, Fault::kill, at) ? 0 : 1; }) == -SIGKILL;
    CAPTURE(at, directory.names());
    CHECK(io::read_file(path) == (at <= 8 ? old_contents : new_contents));
    io::atomic_write(path, old_contents);
    CHECK(directory.names() == Names{"file"});  // what the child left behind is swept
  }
  CHECK(killed == 9);
}
