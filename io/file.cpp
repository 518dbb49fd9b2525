#include "file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

namespace xgrad::io {

namespace {

constexpr std::string_view temporary_infix = ".tmp.";
constexpr std::size_t random_digits = 16;

// Calls a system call again for as long as a signal interrupts it.
template <class Call>
auto retry(Call&& call) {
  decltype(call()) result;
  do result = call();
  while (result == -1 && errno == EINTR);
  return result;
}

std::string random_name(const char* op, std::string_view path) {
  unsigned char bytes[random_digits / 2];
  if (retry([&] { return ::getrandom(bytes, sizeof bytes, 0); }) != ssize_t{sizeof bytes})
    fail_with_errno(op, path, errno);
  std::string out;
  for (const unsigned char byte : bytes) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

/// What the names of all temporaries of a target begin with: not longer than leaves room for the digits, and not cut
/// within a character.
std::string temporary_prefix(std::string_view name) {
  constexpr std::size_t longest = NAME_MAX - temporary_infix.size() - random_digits;
  if (name.size() > longest) {
    std::size_t end = longest;
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;
    name = name.substr(0, end);
  }
  return std::string(name) += temporary_infix;
}

bool is_temporary(std::string_view entry, std::string_view prefix) {
  return entry.size() == prefix.size() + random_digits && entry.starts_with(prefix) &&
         entry.find_first_not_of("0123456789abcdef", prefix.size()) == std::string_view::npos;
}

// Removes temporaries nobody holds a lock on: their writer is dead. What cannot be removed stays.
void sweep(int directory, std::string_view prefix) {
  const int fd = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(fd), &::closedir);
  if (!listing) {
    ::close(fd);
    return;
  }
  while (const dirent* entry = ::readdir(listing.get())) {
    if (!is_temporary(entry->d_name, prefix)) continue;
    const FileDescriptor stale(::openat(directory, entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (stale.get() >= 0 && ::flock(stale.get(), LOCK_EX | LOCK_NB) == 0) ::unlinkat(directory, entry->d_name, 0);
  }
}

// Where a path leads when it names a symbolic link, whether there is a file or not; otherwise the path itself.
std::string follow_links(const char* op, const std::string& path) {
  std::filesystem::path at = path;
  for (int links = 0; links < 40; ++links) {  // as many as Linux follows
    std::error_code error;
    const std::filesystem::path next = std::filesystem::read_symlink(at, error);
    if (error) return at;  // EINVAL: no link; any other is found again, and reported, by what opens it
    at = at.parent_path() / next;
  }
  fail_with_errno(op, path, ELOOP);
}

}  // namespace

void fail_with_errno(const char* op, std::string_view path, int error) {
  fail(op, ": ", path, ": ", std::generic_category().message(error));
}

void expect_path(const char* op, std::string_view path) {
  const std::size_t zero = path.find('\0');
  check(zero == std::string_view::npos, op, ": the path ", path.substr(0, zero), " has a zero byte after ", zero,
        " characters; a path cannot contain one");
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

InputFile::InputFile(const char* op, std::string path) : op_(op), path_(std::move(path)) {
  expect_path(op_, path_);
  fd_ = FileDescriptor(retry([&] { return ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); }));
  struct stat info;
  if (fd_.get() < 0 || ::fstat(fd_.get(), &info) != 0) fail_with_errno(op_, path_, errno);
  if (S_ISDIR(info.st_mode)) fail_with_errno(op_, path_, EISDIR);
  check(S_ISREG(info.st_mode), op_, ": ", path_, ": not a regular file");
  size_ = static_cast<std::uint64_t>(info.st_size);
}

void InputFile::read(std::uint64_t offset, void* out, std::size_t count) const {
  auto* to = static_cast<char*>(out);
  for (std::size_t done = 0; done < count;) {
    const auto at = static_cast<off_t>(offset + done);
    const ssize_t got = retry([&] { return ::pread(fd_.get(), to + done, count - done, at); });
    if (got < 0) fail_with_errno(op_, path_, errno);
    check(got > 0, op_, ": ", path_, ": ends at byte ", offset + done, ", expected ", offset + count, " bytes");
    done += static_cast<std::size_t>(got);
  }
}

std::string read_file(const std::string& path) {
  const InputFile file("read_file", path);
  std::string contents(file.size(), '\0');
  file.read(0, contents.data(), contents.size());
  return contents;
}

AtomicFile::AtomicFile(const char* op, std::string path) : op_(op), path_(std::move(path)) {
  expect_path(op_, path_);
  const std::string target = follow_links(op_, path_);
  const std::size_t slash = target.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : target.substr(0, std::max<std::size_t>(slash, 1));
  name_ = slash == std::string::npos ? target : target.substr(slash + 1);
  if (name_.empty()) fail_with_errno(op_, path_, path_.empty() ? ENOENT : EISDIR);

  directory_ = FileDescriptor(retry([&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (directory_.get() < 0) fail_with_errno(op_, path_, errno);

  struct stat info;
  const bool exists = ::fstatat(directory_.get(), name_.c_str(), &info, 0) == 0;
  if (!exists && errno != ENOENT) fail_with_errno(op_, path_, errno);
  if (exists && S_ISDIR(info.st_mode)) fail_with_errno(op_, path_, EISDIR);
  if (exists && !S_ISREG(info.st_mode)) {
    fd_ = FileDescriptor(retry([&] { return ::openat(directory_.get(), name_.c_str(), O_WRONLY | O_CLOEXEC); }));
    if (fd_.get() < 0) fail_with_errno(op_, path_, errno);
    return;
  }
  // A rename would replace a write-protected file without asking.
  if (exists && ::faccessat(directory_.get(), name_.c_str(), W_OK, AT_EACCESS) != 0) fail_with_errno(op_, path_, errno);

  sweep(directory_.get(), temporary_prefix(name_));
  open_temporary();
  // Best effort: the file's owner may be somebody else, or the file system may know no permissions.
  if (exists && ::fchmod(fd_.get(), info.st_mode & 0777) != 0) return;
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlinkat(directory_.get(), temporary_.c_str(), 0);
}

void AtomicFile::open_temporary() {
  for (;;) {
    std::string candidate = temporary_prefix(name_) + random_name(op_, path_);
    FileDescriptor fd(retry(
        [&] { return ::openat(directory_.get(), candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); }));
    if (fd.get() < 0 && errno == EEXIST) continue;
    if (fd.get() < 0) fail_with_errno(op_, path_, errno);
    temporary_ = std::move(candidate);
    fd_ = std::move(fd);

    // The lock tells sweepers that the writer lives. One of them may have been faster: then the name is gone.
    struct stat info;
    const bool locked = retry([&] { return ::flock(fd_.get(), LOCK_EX | LOCK_NB); }) == 0;
    if (locked ? ::fstat(fd_.get(), &info) == 0 && info.st_nlink > 0 : errno != EWOULDBLOCK) return;
    ::unlinkat(directory_.get(), temporary_.c_str(), 0);
    temporary_.clear();
  }
}

void AtomicFile::write(const void* data, std::size_t count) {
  const auto* from = static_cast<const char*>(data);
  while (count > 0) {
    const ssize_t written = retry([&] { return ::write(fd_.get(), from, std::min<std::size_t>(count, SSIZE_MAX)); });
    if (written <= 0) {
      const int error = written < 0 ? errno : ENOSPC;
      fd_ = FileDescriptor();  // so that commit() cannot put half a file into place
      fail_with_errno(op_, path_, error);
    }
    from += written;
    count -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  const bool direct = temporary_.empty();
  // EINVAL: a pipe or a device has nothing to flush, and some file systems do not flush directories.
  const auto flush = [](int fd) { return retry([&] { return ::fsync(fd); }) == 0 || errno == EINVAL; };
  if (!flush(fd_.get())) fail_with_errno(op_, path_, errno);
  if (direct) return;
  if (::renameat(directory_.get(), temporary_.c_str(), directory_.get(), name_.c_str()) != 0)
    fail_with_errno(op_, path_, errno);
  temporary_.clear();
  check(flush(directory_.get()), op_, ": ", path_,
        ": written, but its directory could not be flushed to the disk: ", std::generic_category().message(errno));
}

void atomic_write(const std::string& path, std::string_view contents) {
  AtomicFile file("atomic_write", path);
  file.write(contents);
  file.commit();
}

}  // namespace xgrad::io
