#include <xgrad/io/file.hpp>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "../catch.hpp"
#include "../temporary_directory.hpp"

using namespace xgrad;
using Catch::Contains;
using Names = std::vector<std::string>;

TEST_CASE("file: a whole file is written and read back") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("file");
  const std::string contents("a\0b\n", 4);
  io::atomic_write(path, contents);
  CHECK(io::read_file(path) == contents);
  io::atomic_write(path, "");
  CHECK(io::read_file(path).empty());
  CHECK(directory.names() == Names{"file"});
}

TEST_CASE("file: errors name the path and say what the system says") {
  const TemporaryDirectory directory;
  const std::string missing = directory.path("missing/file");
  CHECK_THROWS_WITH(io::read_file(missing), "read_file: " + missing + ": No such file or directory");
  CHECK_THROWS_WITH(io::atomic_write(missing, "x"), "atomic_write: " + missing + ": No such file or directory");
  CHECK_THROWS_WITH(io::read_file(directory.path("")), Contains("Is a directory"));
  CHECK_THROWS_WITH(io::atomic_write(directory.path(""), "x"), Contains("Is a directory"));
  std::filesystem::create_directory(directory.path("folder"));
  CHECK_THROWS_WITH(io::atomic_write(directory.path("folder"), "x"), Contains("Is a directory"));
  CHECK_THROWS_WITH(io::atomic_write("", "x"), Contains("No such file or directory"));
  CHECK_THROWS_WITH(io::read_file("/dev/null"), Contains("not a regular file"));
  CHECK_THROWS_WITH(io::atomic_write(directory.path(std::string(300, 'n')), "x"), Contains("File name too long"));
}

TEST_CASE("file: a read past the end is an error") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("file");
  io::atomic_write(path, "12345");
  const io::InputFile file("test", path);
  char bytes[8];
  CHECK_THROWS_WITH(file.read(2, bytes, 4), "test: " + path + ": ends at byte 5, expected 6 bytes");
  file.read(2, bytes, 3);
  CHECK(std::string(bytes, 3) == "345");
}

TEST_CASE("file: without commit the old file stays and the temporary goes") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("file");
  io::atomic_write(path, "old");
  {
    io::AtomicFile file("test", path);
    file.write("new");
    CHECK(directory.names().size() == 2);
  }
  CHECK(io::read_file(path) == "old");
  CHECK(directory.names() == Names{"file"});
}

TEST_CASE("file: a full device is reported, and stays a device") {
  CHECK_THROWS_WITH(io::atomic_write("/dev/full", "x"), "atomic_write: /dev/full: No space left on device");
  CHECK(std::filesystem::is_character_file("/dev/full"));
  CHECK_NOTHROW(io::atomic_write("/dev/null", "x"));
  CHECK(std::filesystem::is_character_file("/dev/null"));
}

TEST_CASE("file: after a failed write nothing can be committed") {
  io::AtomicFile file("test", "/dev/full");
  CHECK_THROWS_AS(file.write("x"), Error);
  CHECK_THROWS_AS(file.commit(), Error);
}

TEST_CASE("file: a write cut short by the file size limit leaves the old file") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("file");
  io::atomic_write(path, "old");

  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit saved, limit;
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &saved) == 0);
  limit = saved;
  limit.rlim_cur = 100'000;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  std::string message;
  try {
    io::atomic_write(path, std::string(1'000'000, 'x'));  // a short write of 100,000 bytes, then EFBIG
  } catch (const Error& error) {
    message = error.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &saved);
  ::signal(SIGXFSZ, handler);

  CHECK(message == "atomic_write: " + path + ": File too large");
  CHECK(io::read_file(path) == "old");
  CHECK(directory.names() == Names{"file"});
}

TEST_CASE("file: temporaries of dead writers are swept, others are left alone") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("file"), dead = path + ".tmp.0123456789abcdef";
  const Names others = {"file.tmp.0123", "file.tmp.0123456789abcdeg", "other.tmp.0123456789abcdef"};
  io::atomic_write(dead, "half");
  for (const std::string& name : others) io::atomic_write(directory.path(name), "x");

  io::AtomicFile living("test", path);  // sweeps
  CHECK_FALSE(std::filesystem::exists(dead));
  living.write("first");
  io::atomic_write(path, "second");  // sweeps too, with one writer alive
  living.commit();
  CHECK(io::read_file(path) == "first");
  Names expected = others;
  expected.insert(expected.begin(), "file");
  CHECK(directory.names() == expected);
}

TEST_CASE("file: links are followed, permissions kept and write protection respected") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("file"), link = directory.path("link");
  io::atomic_write(path, "old");
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  std::filesystem::create_symlink("file", link);
  io::atomic_write(link, "new");
  CHECK(std::filesystem::is_symlink(link));
  CHECK(io::read_file(path) == "new");
  struct stat info;
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0640);

  if (::geteuid() != 0) {  // root may write to anything
    REQUIRE(::chmod(path.c_str(), 0440) == 0);
    CHECK_THROWS_WITH(io::atomic_write(path, "x"), Contains("Permission denied"));
    CHECK(io::read_file(path) == "new");
  }
}

TEST_CASE("file: a path with a zero byte is an error, not the path before it") {
  const TemporaryDirectory directory;
  const std::string path = directory.path("file");
  io::atomic_write(path, "old");
  const std::string longer = path + std::string("\0.backup", 8);
  CHECK_THROWS_WITH(io::atomic_write(longer, "new"), Contains("the path " + path + " has a zero byte after"));
  CHECK_THROWS_WITH(io::read_file(longer), Contains("has a zero byte after"));
  CHECK(io::read_file(path) == "old");
  CHECK(directory.names() == Names{"file"});
}

TEST_CASE("file: every name that a file can have can be written") {
  const TemporaryDirectory directory;
  std::string umlauts;
  for (int i = 0; i < 127; ++i) umlauts += "\xc3\xa4";
  for (const std::string& name :
       {std::string(200, 'x'), std::string(234, 'x'), std::string(235, 'x'), std::string(255, 'x'), umlauts}) {
    io::atomic_write(directory.path(name), name);
    CHECK(io::read_file(directory.path(name)) == name);
    CHECK(directory.names() == Names{name});
    std::filesystem::remove(directory.path(name));
  }
  CHECK_THROWS_WITH(io::atomic_write(directory.path(std::string(256, 'x')), ""), Contains("File name too long"));
  CHECK(directory.names().empty());
}

TEST_CASE("file: links that lead to no file yet, through other folders, are followed") {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path("there"));
  std::filesystem::create_symlink("there/second", directory.path("first"));
  std::filesystem::create_symlink("file", directory.path("there/second"));
  io::atomic_write(directory.path("first"), "new");
  CHECK(io::read_file(directory.path("there/file")) == "new");
  CHECK(std::filesystem::is_symlink(directory.path("there/second")));
  std::filesystem::create_symlink("round", directory.path("round"));
  CHECK_THROWS_WITH(io::atomic_write(directory.path("round"), ""), Contains("symbolic links"));
}
