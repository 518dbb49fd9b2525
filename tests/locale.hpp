#pragma once
// Another locale for a test.

#include <clocale>
#include <locale>
#include <stdexcept>

#include "catch.hpp"

/// Sets the locale of C and of C++ while it lives. Where the machine lacks it, that is said, and the test runs in the
/// one there is.
class Locale {
 public:
  explicit Locale(const char* name) {
    if (!std::setlocale(LC_ALL, name)) {
      WARN("there is no locale " << name << " here (localedef -i de_DE -f UTF-8 de_DE.UTF-8 makes that one)");
      return;
    }
    std::locale::global(std::locale(name));
  }
  ~Locale() {
    std::locale::global(before_);
    std::setlocale(LC_ALL, "C");
  }
  Locale(const Locale&) = delete;
  Locale& operator=(const Locale&) = delete;

 private:
  const std::locale before_;
};
