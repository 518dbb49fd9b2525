#include <xgrad/nn/init.hpp>
#include <xgrad/nn/linear.hpp>
#include <xgrad/train/checkpoint.hpp>

#include <signal.h>

#include <cerrno>

#include "../catch.hpp"
#include "../fault_injection.hpp"
#include "../forked.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;

TEST_CASE("Checkpoint: whichever system call of a save fails or is the last, the file and those kept are whole") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("net");
  nn::Linear net(1, 1, {.bias = false});
  const auto value_in = [&](const std::string& file) {
    nn::Linear other(1, 1, {.bias = false});
    train::load_checkpoint(file, other);
    return other.weight.item();
  };
  train::Checkpoint checkpoint(path, {.keep_last = 3}, net);
  double value = 1;
  const auto next = [&] { nn::init::constant_(net.weight, ++value); };
  for (int i = 0; i < 3; ++i, next()) checkpoint.save();
  REQUIRE(with_fault(Fault::none, 0, 0, [&] { checkpoint.save(); }));
  INFO(injection.names);
  const int calls = injection.calls;
  REQUIRE(injection.names.starts_with("rename unlink linkat openat openat flock fchmod write"));
  REQUIRE(injection.names.ends_with("write fsync renameat fsync "));

  for (const int error : {ENOSPC, EIO})
    for (int at = 1; at <= calls; ++at) {
      const double before = value_in(path);
      next();
      const bool saved = with_fault(Fault::error, at, error, [&] { checkpoint.save(); });
      CAPTURE(error, at, saved, injection.names);
      const bool renamed = injection.names.find("renameat fsync") != std::string::npos;
      CHECK(value_in(path) == (saved || renamed ? value : before));
      checkpoint.save();  // the run goes on
      CHECK(value_in(path) == value);
      CHECK(value_in(path + ".1") <= value);
      CHECK(value_in(path + ".2") <= value);
      CHECK(directory.names() == std::vector<std::string>{"net", "net.1", "net.2"});
    }

  int killed = 0;
  for (int at = 1; at <= calls; ++at) {
    const double before = value_in(path);
    next();
    killed +=
        run_forked([&] { return with_fault(Fault::kill, at, 0, [&] { checkpoint.save(); }) ? 0 : 1; }) == -SIGKILL;
    CAPTURE(at, directory.names());
    CHECK(value_in(path) == (at < calls ? before : value));
    checkpoint.save();
    CHECK(directory.names() == std::vector<std::string>{"net", "net.1", "net.2"});
    CHECK(value_in(path + ".1") <= value);
  }
  CHECK(killed == calls);
}
