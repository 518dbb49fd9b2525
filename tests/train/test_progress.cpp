#include <xgrad/autograd/create.hpp>
#include <xgrad/data/loader.hpp>
#include <xgrad/data/tensor_dataset.hpp>
#include <xgrad/train/progress.hpp>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <optional>
#include <thread>

#include "../catch.hpp"
#include "../forked.hpp"
#include "../locale.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::Contains;
using Catch::EndsWith;
using detail::progress_line;

namespace {

/// The controlling side of a new pseudo-terminal; -1 where there are none.
int open_terminal() {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (terminal < 0 || ::grantpt(terminal) != 0 || ::unlockpt(terminal) != 0) return -1;
  return ::access(::ptsname(terminal), R_OK | W_OK) == 0 ? terminal : -1;
}

bool has_terminals() {
  static const bool has = [] {
    const int terminal = open_terminal();
    if (terminal < 0) WARN("skipped: no pseudo-terminal can be had here, so nothing is drawn");
    return terminal >= 0 && ::close(terminal) == 0;
  }();
  return has;
}

// What `loop` writes to standard error when that is a terminal of `columns` columns.
template <class Loop>
std::string on_terminal(int columns, Loop&& loop) {
  const int terminal = open_terminal();
  REQUIRE(terminal >= 0);
  const std::string name = ::ptsname(terminal);
  const int status = run_forked([&] {
    const int side = ::open(name.c_str(), O_RDWR | O_NOCTTY);
    winsize size{};
    size.ws_col = static_cast<unsigned short>(columns);
    ::ioctl(side, TIOCSWINSZ, &size);
    ::dup2(side, STDERR_FILENO);
    ::setenv("TERM", "xterm", 1);
    ::setenv("LC_ALL", "C", 1);
    loop();
    return 0;
  });  // what is written fits the terminal's buffer
  CHECK(status == 0);
  std::string out, part(1 << 12, '\0');
  for (ssize_t count; (count = ::read(terminal, part.data(), part.size())) > 0;)  // an error once all was read
    out.append(part, 0, static_cast<std::size_t>(count));
  ::close(terminal);
  return out;
}

void wait() { std::this_thread::sleep_for(std::chrono::milliseconds(60)); }

}  // namespace

TEST_CASE("progress: the line has the bar, the count, the time left, the values and the rate") {
  const detail::ProgressState state{.done = 50, .total = 200, .seconds = 2, .values = {{"loss", 0.25}}};
  CHECK(progress_line(state, 100, false) ==
        " 50/200 ##########------------------------------  0:06 left  loss 0.25  25.0 it/s");
  CHECK(progress_line(state, 60, false) == " 50/200 ####---------------  0:06 left  loss 0.25  25.0 it/s");
  CHECK(progress_line(state, 40, false) == " 50/200 ##--------  0:06 left  loss 0.25");
  CHECK(progress_line(state, 16, true) == " 50/200 \u2501\u2501\u2500\u2500\u2500\u2500\u2500\u2500");
  CHECK(progress_line(state, 10, false) == " 50/200");
  CHECK(progress_line(state, 6, false) == "");
}

TEST_CASE("progress: the line never exceeds the width") {
  const detail::ProgressState state{
      .done = 7, .total = 10000, .seconds = 100'000, .values = {{"\u00e4", 1e-9}, {"b", 2}}};
  for (int width = 0; width < 120; ++width) {
    const std::string line = progress_line(state, width, false);
    CAPTURE(width, line);
    CHECK(static_cast<int>(line.size()) <= width + (line.find("\u00e4") != std::string::npos ? 1 : 0));
  }
  CHECK_THAT(progress_line(state, 120, false), Contains("14285.7 s/it") && Contains(" left"));
}

TEST_CASE("progress: edge cases of the count") {
  CHECK(progress_line({}, 20, false) == "0/0 ################");
  CHECK(progress_line({.done = 3, .total = 2, .seconds = 1, .values = {}}, 40, false) ==
        "3/2 ###############  0:00 left  3.0 it/s");
  CHECK_THAT(progress_line({.done = 1, .total = 7201, .seconds = 1, .values = {}}, 60, false),
             Contains("2:00:00 left"));
}

TEST_CASE("progress: nothing is written when standard error is no terminal") {
  const TemporaryDirectory directory;
  const int saved = ::dup(STDERR_FILENO), file = ::open(directory.path("err").c_str(), O_CREAT | O_RDWR, 0600);
  ::dup2(file, STDERR_FILENO);
  int steps = 0;
  for (const int step : progress(std::vector{1, 2, 3})) steps += step;
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
  CHECK(steps == 6);
  CHECK(::lseek(file, 0, SEEK_END) == 0);
  ::close(file);
}

TEST_CASE("progress: the line is drawn, adapts to the terminal and is gone after the loop") {
  if (!has_terminals()) return;
  const std::string out = on_terminal(40, [] {
    for ([[maybe_unused]] const int step : progress(std::array{1, 2, 3})) wait();
  });
  CHECK_THAT(out, Contains("\r0/3 -") && Contains("\r1/3 ") && Contains("it/s\033[K"));
  CHECK_THAT(out, EndsWith("\r\033[K"));

  const std::string broken = on_terminal(40, [] {
    for (const int step : progress(std::array{1, 2, 3}))
      if (step == 2) break;
    (void)!::write(STDERR_FILENO, "after", 5);
  });
  CHECK_THAT(broken, EndsWith("\r\033[Kafter"));

  const std::string thrown = on_terminal(40, [] {
    auto bar = progress(std::array{1, 2, 3});
    try {
      for ([[maybe_unused]] const int step : bar) throw 1;
    } catch (int) {
    }
    (void)!::write(STDERR_FILENO, "after", 5);
  });
  CHECK_THAT(thrown, EndsWith("\r\033[Kafter"));
}

TEST_CASE("progress: it is drawn at most 20 times a second") {
  if (!has_terminals()) return;
  const std::string out = on_terminal(80, [] {
    for ([[maybe_unused]] const int step : progress(std::vector<int>(100'000))) {
    }
  });
  CHECK(std::count(out.begin(), out.end(), '\r') < 10);
}

TEST_CASE("progress: it shows the loss of this loop, and values of your own") {
  if (!has_terminals()) return;
  const std::string out = on_terminal(80, [] {
    full({}, 0.5, {.requires_grad = true}).backward();  // before the loop: not shown
    auto bar = progress(std::array{1, 2});
    for (const int step : bar) {
      wait();
      if (step == 1) full({}, 0.125, {.requires_grad = true}).backward();
      bar.show("accuracy", 0.75);
    }
  });
  CHECK_THAT(out, !Contains("loss 0.5") && Contains("loss 0.125") && Contains("accuracy 0.75"));

  const std::string own = on_terminal(80, [] {
    auto bar = progress(std::array{1});
    for ([[maybe_unused]] const int step : bar) {
      wait();
      full({}, 0.125, {.requires_grad = true}).backward();
      bar.show("loss", 2);
    }
  });
  CHECK_THAT(own, !Contains("loss 0.125") && Contains("loss 2"));
}

TEST_CASE("progress: loops that end in another order than they began, or in another thread, are forgotten") {
  if (!has_terminals()) return;
  const std::string out = on_terminal(80, [] {
    const auto backward = [](double loss) { full({}, loss, {.requires_grad = true}).backward(); };
    const std::array steps{1, 2};
    auto outer = std::make_unique<Progress<const std::array<int, 2>&>>(steps);
    auto inner = progress(steps);
    {
      auto first = std::make_optional(outer->begin());
      auto second = inner.begin();
      backward(0.125);
      first.reset();
      outer.reset();
      backward(0.25);
      wait();
      ++second;
    }
    auto last = progress(steps);
    auto moved = std::make_optional(last.begin());
    std::thread([&] { moved.reset(); }).join();
    backward(0.5);
  });
  CHECK_THAT(out, Contains("loss 0.25") && !Contains("loss 0.5"));
}

TEST_CASE("progress: numbers have a point in every locale") {
  const Locale german("de_DE.UTF-8");
  CHECK(progress_line({.done = 50, .total = 200, .seconds = 2, .values = {{"loss", 0.25}}}, 40, false) ==
        " 50/200 ##--------  0:06 left  loss 0.25");
}

TEST_CASE("progress: a data loader is wrapped, temporary or named") {
  Tensor x = arange(10);
  int batches = 0;
  for (const auto& [a, b] : progress(data::DataLoader(data::TensorDataset(x, x), {.batch_size = 4}))) {
    CHECK(a.shape() == b.shape());
    ++batches;
  }
  data::DataLoader loader(data::TensorDataset(x, x), {.batch_size = 4});
  auto bar = progress(loader);
  for (int epoch = 0; epoch < 2; ++epoch)
    for ([[maybe_unused]] const auto& batch : bar) ++batches;
  CHECK(batches == 9);
  CHECK(loader.epoch() == 2);
}
