#include "profile.hpp"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <mutex>
#include <vector>

#include "array.hpp"

namespace xgrad {

namespace {

using Clock = std::chrono::steady_clock;

double microseconds(Clock::duration duration) { return std::chrono::duration<double, std::micro>(duration).count(); }

void append_quoted(std::string& out, const std::string& text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      out.append("\\u00").append(1, "01"[c >> 4]).append(1, "0123456789abcdef"[c & 15]);
    } else {
      out += c;
    }
  }
  out += '"';
}

int this_thread() {
  static std::atomic<int> threads{0};
  static thread_local const int number = threads.fetch_add(1) + 1;
  return number;
}

// What the running Profile has collected. Events that end after it are dropped.
struct Log {
  std::mutex mutex;
  bool open = false;
  std::uint64_t profile = 0;  // number of the Profile
  Clock::time_point start;
  std::vector<std::string> lines;  // one JSON object each
  ModulePaths modules;
  std::unordered_map<const void*, const void*> module_of_node;  // of those recorded since the start
};

Log& log() {
  static Log* log = new Log;  // lives on while other threads end
  return *log;
}

thread_local const void* current_module = nullptr;  // its place, or null

}  // namespace

void detail::ModuleScope::begin(const void* place) {
  outer_ = current_module;
  begun_ = true;
  const std::lock_guard lock(log().mutex);
  if (log().modules.contains(place)) current_module = place;
}
void detail::ModuleScope::end() noexcept { current_module = outer_; }

void detail::profile_recorded(const void* node) noexcept {
  const std::lock_guard lock(log().mutex);
  log().module_of_node.erase(node);  // another one was there before
  try {
    if (current_module) log().module_of_node.emplace(node, current_module);
  } catch (const std::bad_alloc&) {  // its backward is shown outside of modules
  }
}

struct detail::ProfileEvent::Bar {
  const char* name;
  const char* category;
  CallSite site;
  const void* module;
  std::uint64_t profile;
  std::int64_t bytes = 0;  // of the outputs
  std::string inputs, outputs;
  Clock::time_point start;
};

void detail::ProfileEvent::begin(const char* name, const char* category) {
  std::uint64_t profile = 0;
  {
    const std::lock_guard lock(log().mutex);
    profile = log().profile;
  }
  bar_ = new Bar{name, category, call_site, current_module, profile, 0, {}, {}, Clock::now()};
}

void detail::ProfileEvent::end() noexcept {
  const auto end = Clock::now();
  const std::unique_ptr<Bar> bar(bar_);
  try {
    const bool backward = std::strcmp(bar->category, "backward") == 0;
    const std::lock_guard lock(log().mutex);
    if (!log().open || log().profile != bar->profile) return;
    std::string line = "{\"name\":";
    append_quoted(line, std::string(bar->name) + (backward ? " backward" : ""));
    line += ",\"cat\":";
    append_quoted(line, bar->category);
    append_fixed(line += ",\"ph\":\"X\",\"ts\":", microseconds(bar->start - log().start), 3);
    append_fixed(line += ",\"dur\":", microseconds(end - bar->start), 3);
    append(line += ",\"pid\":", getpid());
    append(line += ",\"tid\":", this_thread());
    line += backward ? ",\"args\":{\"gradients of outputs\":" : ",\"args\":{\"inputs\":";
    append_quoted(line, bar->inputs);
    line += backward ? ",\"gradients of inputs\":" : ",\"outputs\":";
    append_quoted(line, bar->outputs);
    append(line += ",\"bytes\":", bar->bytes);
    if (const auto module = log().modules.find(bar->module); module != log().modules.end()) {
      line += ",\"module\":";
      append_quoted(line, module->second);
    }
    if (bar->site.file) {
      std::string site;
      append(site, bar->site);
      line += ",\"called at\":";
      append_quoted(line, site);
    }
    log().lines.push_back(line + "}}");
  } catch (const std::bad_alloc&) {  // the bar is missing from the trace
  }
}

namespace {

void append_shape(std::string& text, const detail::Array* array) {
  if (!text.empty()) text += ", ";
  text += array ? array->shape.str() : "none";
}

}  // namespace

void detail::ProfileEvent::add_input(const Array* array) { append_shape(bar_->inputs, array); }
void detail::ProfileEvent::add_output(const Array* array) {
  append_shape(bar_->outputs, array);
  if (array) bar_->bytes += array->shape.numel() * static_cast<std::int64_t>(item_size(array->dtype));
}
void detail::ProfileEvent::set_node(const void* node) {
  const std::lock_guard lock(log().mutex);
  const auto module = log().module_of_node.find(node);
  bar_->module = module == log().module_of_node.end() ? nullptr : module->second;
}

struct Profile::Output {
  std::string path;
  std::ofstream file;
};

Profile::Profile(const std::string& path, ModulePaths modules) : output_(std::make_unique<Output>()) {
  const std::lock_guard lock(log().mutex);
  check(!log().open, "Profile: another Profile is running; only one can at a time");
  check(path.find('\0') == std::string::npos, "Profile: the path ", path.c_str(), " has a zero byte in it");
  output_->path = path;
  output_->file.open(path);
  check(output_->file.is_open(), "Profile: cannot write ", path, ": ", std::strerror(errno));
  log().lines.clear();
  log().modules = std::move(modules);
  log().module_of_node.clear();
  log().start = Clock::now();
  log().open = true;
  ++log().profile;
  detail::profiling.store(true, std::memory_order_relaxed);
}

void Profile::finish() {
  if (!output_) return;
  detail::profiling.store(false, std::memory_order_relaxed);
  const std::unique_ptr<Output> output = std::move(output_);
  std::vector<std::string> lines;
  {
    const std::lock_guard lock(log().mutex);
    log().open = false;
    lines.swap(log().lines);
  }
  output->file << "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
  for (std::size_t i = 0; i < lines.size(); ++i) output->file << (i == 0 ? "\n" : ",\n") << lines[i];
  output->file << "\n]}\n";
  output->file.close();
  check(output->file.good(), "Profile: writing ", output->path, " failed: ", std::strerror(errno));
}

Profile::~Profile() {
  try {
    finish();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
}

}  // namespace xgrad
