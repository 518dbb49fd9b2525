#include "append_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace xgrad::io {

namespace {

constexpr std::size_t most_pending = 65536;

/// Bytes up to the last line break.
off_t whole_lines(const char* op, const std::string& path, int fd, off_t size) {
  char block[4096];
  for (off_t end = size; end > 0;) {
    const off_t begin = end > off_t{sizeof block} ? end - off_t{sizeof block} : 0;
    const ssize_t got = ::pread(fd, block, static_cast<std::size_t>(end - begin), begin);
    if (got != end - begin) fail_with_errno(op, path, got < 0 ? errno : EIO);
    for (ssize_t i = got; i > 0; --i)
      if (block[i - 1] == '\n') return begin + i;
    end = begin;
  }
  return 0;
}

}  // namespace

AppendFile::AppendFile(const char* op, std::string path, bool lines) : op_(op), path_(std::move(path)) {
  expect_path(op_, path_);
  fd_ = FileDescriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  struct stat info;
  if (fd_.get() < 0 || ::fstat(fd_.get(), &info) != 0) fail_with_errno(op_, path_, errno);
  off_t size = info.st_size;
  if (lines && size > 0) {
    size = whole_lines(op_, path_, fd_.get(), info.st_size);
    if (size < info.st_size && ::ftruncate(fd_.get(), size) != 0) fail_with_errno(op_, path_, errno);
  }
  is_new_ = size == 0;
}

void AppendFile::append(std::string_view record) {
  pending_ += record;
  if (pending_.size() >= most_pending) flush();
}

void AppendFile::flush() {
  std::size_t done = 0;
  int error = 0;
  while (done < pending_.size() && error == 0) {
    const ssize_t written = ::write(fd_.get(), pending_.data() + done, pending_.size() - done);
    if (written > 0)
      done += static_cast<std::size_t>(written);
    else if (written == 0 || errno != EINTR)
      error = written == 0 ? ENOSPC : errno;
  }
  pending_.erase(0, done);
  if (error != 0) fail_with_errno(op_, path_, error);
}

}  // namespace xgrad::io
