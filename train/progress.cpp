#include "progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "../autograd/engine.hpp"

namespace xgrad::detail {

namespace {

constexpr double least_interval = 0.05;  // seconds between two drawings
constexpr int widest_bar = 40, narrowest_bar = 8;

double now_in_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string fixed(double value, int digits) {
  std::string out;
  append_fixed(out, value, digits);
  return out;
}

/// Four significant digits.
std::string brief(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, 4).ptr};
}

std::string two_digits(long long value) { return std::string(value < 10, '0') += std::to_string(value); }

std::string duration(double seconds) {
  const auto total = static_cast<long long>(std::min(std::ceil(seconds), 1e9));
  const long long hours = total / 3600, minutes = total / 60 % 60, rest = total % 60;
  const std::string start = hours > 0 ? std::to_string(hours) + ':' + two_digits(minutes) : std::to_string(minutes);
  return start + ':' + two_digits(rest);
}

// Columns of UTF-8 text, one for each character.
int columns(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xc0) != 0x80; }));
}

std::string repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

}  // namespace

bool is_terminal() {
  const char* term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && term && std::string_view(term) != "dumb";
}

int terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool terminal_shows_unicode() {
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"})
    if (const char* value = std::getenv(variable); value && *value) {
      const std::string_view locale = value;
      return locale.find("UTF-8") != std::string_view::npos || locale.find("utf8") != std::string_view::npos;
    }
  return false;
}

std::string progress_line(const ProgressState& state, int width, bool unicode) {
  const std::string total = std::to_string(state.total), done = std::to_string(state.done);
  const std::string count = std::string(total.size() - std::min(total.size(), done.size()), ' ') + done + '/' + total;

  std::vector<std::string> pieces;  // the most important first
  const std::int64_t done_now = state.done - state.done_before;
  const bool known = done_now > 0 && state.seconds > 0;
  const double rate = known ? static_cast<double>(done_now) / state.seconds : 0;
  if (known)
    pieces.push_back(duration(static_cast<double>(std::max<std::int64_t>(state.total - state.done, 0)) / rate) +
                     " left");
  for (const auto& [name, value] : state.values) pieces.push_back(name + ' ' + brief(value));
  if (known) pieces.push_back(rate >= 1 ? fixed(rate, rate < 100 ? 1 : 0) + " it/s" : fixed(1 / rate, 1) + " s/it");

  std::string tail;
  for (const std::string& piece : pieces)
    if (columns(count) + 1 + narrowest_bar + columns(tail) + 2 + columns(piece) <= width) tail += "  " + piece;

  std::string line = columns(count) <= width ? count : std::string();
  const int bar = std::min(widest_bar, width - columns(line) - columns(tail) - 1);
  if (!line.empty() && bar >= narrowest_bar) {
    const double fraction = state.total > 0 ? static_cast<double>(state.done) / static_cast<double>(state.total) : 1;
    const int filled = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * bar);
    line += ' ' + repeated(unicode ? "\u2501" : "#", filled) + repeated(unicode ? "\u2500" : "-", bar - filled);
  }
  return line + tail;
}

void ProgressBar::start(std::int64_t total) {
  state_.done = 0;
  state_.total = total;
  drawing_ = is_terminal();
  if (!drawing_) return;
  loss_ = std::numeric_limits<double>::quiet_NaN();
  observe();
  started_ = now_in_seconds();
  draw(started_);
}

void ProgressBar::advance() {
  ++state_.done;
  if (!drawing_) return;
  const double now = now_in_seconds();
  if (now - drawn_ >= least_interval) draw(now);
}

void ProgressBar::finish() noexcept {
  if (!drawing_) return;
  drawing_ = false;
  leave();
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
}

void ProgressBar::show(std::string_view name, double value) {
  for (auto& [shown, last] : state_.values)
    if (shown == name) {
      last = value;
      return;
    }
  state_.values.emplace_back(name, value);
}

void ProgressBar::saw_backward(const Tensor& root) {
  if (root.numel() == 1) loss_ = root.item();
}

void ProgressBar::draw(double now) {
  drawn_ = now;
  ProgressState shown = state_;
  shown.seconds = now - started_;
  const bool own_loss =
      std::any_of(shown.values.begin(), shown.values.end(), [](const auto& v) { return v.first == "loss"; });
  if (!own_loss && !std::isnan(loss_)) shown.values.insert(shown.values.begin(), {"loss", loss_});
  // The last column stays free: a terminal may wrap when it is written to.
  const std::string line = '\r' + progress_line(shown, terminal_width() - 1, terminal_shows_unicode()) + "\033[K";
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

}  // namespace xgrad::detail
