#pragma once
// Pictures by gnuplot, which need not be there.

#include <xgrad/xgrad.hpp>

#include <cstdio>
#include <iostream>
#include <string>

/// A running gnuplot that takes commands and data, and draws to a PNG file when this goes out of scope.
class Gnuplot {
 public:
  Gnuplot(const std::string& file, int width, int height) : file_(file) {
    if (std::system("gnuplot --version > /dev/null 2>&1") != 0) {
      std::cout << "no picture: install gnuplot (Debian's gnuplot-nox) to have one\n";
      return;
    }
    pipe_ = popen("gnuplot", "w");
    *this << "set terminal pngcairo size " << std::to_string(width) << "," << std::to_string(height)
          << " font 'sans,11'\nset output '" << file << "'\n";
  }
  ~Gnuplot() {
    if (pipe_ && pclose(pipe_) == 0) std::cout << "picture: " << file_ << '\n';
  }
  Gnuplot(const Gnuplot&) = delete;
  Gnuplot& operator=(const Gnuplot&) = delete;

  Gnuplot& operator<<(const std::string& text) {
    if (pipe_) std::fwrite(text.data(), 1, text.size(), pipe_);
    return *this;
  }
  Gnuplot& operator<<(double number) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", number);
    return *this << std::string(text);
  }

  /// Names the rows of a matrix `$name`, for `plot $name`.
  void define(const std::string& name, const xgrad::Tensor& matrix) {
    const xgrad::Tensor rows = matrix.detach().to(xgrad::float64).contiguous();
    *this << "$" << name << " << EOD\n";
    for (std::int64_t i = 0; i < rows.size(0); ++i) {
      for (std::int64_t j = 0; j < rows.size(1); ++j) *this << rows.data<double>()[i * rows.size(1) + j] << " ";
      *this << "\n";
    }
    *this << "EOD\n";
  }

 private:
  std::string file_;
  std::FILE* pipe_ = nullptr;
};
