#pragma once
// Files: whole reads that notice a short one, and writes that leave either the old file or the new one.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "../core/error.hpp"

namespace xgrad::io {

/// Throws Error `op: path: what the system says about `error``, an errno value.
[[noreturn]] void fail_with_errno(const char* op, std::string_view path, int error);

/// Throws Error for a path that contains a zero byte: the system would take what stands before it as the path.
void expect_path(const char* op, std::string_view path);

/// Owns a file descriptor.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

/// Bytes that can be read at any offset.
class Input {
 public:
  virtual ~Input() = default;
  virtual std::uint64_t size() const = 0;
  /// Reads exactly `count` bytes from byte `offset` on; throws Error where there are fewer.
  virtual void read(std::uint64_t offset, void* out, std::size_t count) const = 0;
};

/// A regular file opened for reading. Errors begin with `op`, name the path and say what the system says.
class InputFile final : public Input {
 public:
  InputFile(const char* op, std::string path);

  const std::string& path() const { return path_; }
  /// Bytes in the file when it was opened.
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, void* out, std::size_t count) const override;

 private:
  const char* op_;
  std::string path_;
  FileDescriptor fd_;
  std::uint64_t size_ = 0;
};

/// The bytes of a regular file.
std::string read_file(const std::string& path);

/// Replaces a file in one step: what is written goes to a temporary `PATH.tmp.<16 hex digits>` in the same directory,
/// (PATH is cut short where the name would be too long), and commit() moves it over the target once it is on the disk.
/// Until then, and after any error, the target is what it was; a destructor without commit() removes the temporary.
/// Temporaries that a killed writer left behind are removed by the next writer of the same target; those of living
/// writers, in this process or another one, are left alone. A symbolic link is followed, to a file that is not there
/// yet as well, the permissions of an existing target are kept, and a target that is no regular file
/// (/dev/stdout, a pipe) is written directly. Every error begins with `op` and names the target.
///
///     AtomicFile file("save_report", "report.html");
///     file.write(html);
///     file.commit();
class AtomicFile {
 public:
  AtomicFile(const char* op, std::string path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(const void* data, std::size_t count);
  void write(std::string_view text) { write(text.data(), text.size()); }

  /// Flushes to the disk and moves the file into place. Nothing may be written afterwards.
  void commit();

 private:
  void open_temporary();

  const char* op_;
  std::string path_;       // as the caller gave it, for messages
  std::string name_;       // of the target in its directory
  std::string temporary_;  // in the same directory; empty when the target is written directly, or after commit()
  FileDescriptor directory_, fd_;
};

/// Writes a whole file through AtomicFile.
void atomic_write(const std::string& path, std::string_view contents);

}  // namespace xgrad::io
