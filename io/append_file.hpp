#pragma once
// Files that grow at their end, record by record.

#include <string>
#include <string_view>

#include "file.hpp"

namespace xgrad::io {

/// What is appended is kept in memory and written by flush(), or once it is 64 KiB. After an error what could not be
/// written is kept for the next flush. Every Error begins with `op`, names the path and says what the system says.
class AppendFile {
 public:
  /// `lines`: of a file that is there, what follows the last line break, the half line of a killed process, is cut off.
  AppendFile(const char* op, std::string path, bool lines);
  AppendFile(AppendFile&&) = default;
  AppendFile& operator=(AppendFile&&) = delete;

  void append(std::string_view record);
  void flush();
  /// Whether the file was empty or missing when it was opened.
  bool is_new() const { return is_new_; }
  const std::string& path() const { return path_; }

 private:
  const char* op_;
  std::string path_, pending_;
  FileDescriptor fd_;
  bool is_new_;
};

}  // namespace xgrad::io
