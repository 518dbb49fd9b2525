#pragma once
// The line of the user's program that called an operation, for error reports.

#include <string>

#include "error.hpp"

namespace xgrad::detail {

/// A line of the user's program.
struct CallSite {
  const char* file = nullptr;  // null when not known
  int line = 0;

  /// As default argument of a function: the line that calls the function.
  static constexpr CallSite here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }

  friend void append(std::string& out, const CallSite& site) {
    out += site.file ? site.file : "an unknown line";
    if (site.file) out.append(1, ':').append(std::to_string(site.line));
  }
};

/// Where the operation that runs in this thread was called.
inline constinit thread_local CallSite call_site{};

/// Adds "; called at main.cpp:13" to an error message, where the line is known.
inline void append_call_site(std::string& message) {
  if (call_site.file) append(message.append("; called at "), call_site);
}

/// Notes, for its lifetime, where an operation was called. Operations called inside others belong to the outermost
/// call.
class CallSiteScope {
 public:
  [[nodiscard]] explicit CallSiteScope(CallSite site) : outermost_(call_site.file == nullptr) {
    if (outermost_) call_site = site;
  }
  ~CallSiteScope() {
    if (outermost_) call_site = {};
  }
  CallSiteScope(const CallSiteScope&) = delete;
  CallSiteScope& operator=(const CallSiteScope&) = delete;

 private:
  const bool outermost_;
};

}  // namespace xgrad::detail
