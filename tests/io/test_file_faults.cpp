// Every system call of a save fails once, is interrupted once, and is the last one before the process is killed.

#include <xgrad/io/file.hpp>

#include <signal.h>

#include <cerrno>
#include <string>

#include "../catch.hpp"
#include "../fault_injection.hpp"
#include "../forked.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Names = std::vector<std::string>;

namespace {

const std::string old_contents(1000, 'o'), new_contents(100'000, 'n');

// Saves in two pieces with a fault at call `at`; true when the save reported success.
bool save(const std::string& path, Fault fault, int at, int error = 0) {
  return with_fault(fault, at, error, [&] {
    io::AtomicFile file("save", path);
    file.write(std::string_view(new_contents).substr(0, 10));
    file.write(std::string_view(new_contents).substr(10));
    file.commit();
  });
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
