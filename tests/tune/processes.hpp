#pragma once
// Child processes of a test.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// Starts a program whose standard input and output are connected to this object; killed and waited for when this ends.
/// It is spawned, with the default signal handlers and no signal blocked: there is no moment in which a signal that is
/// sent to it could run a handler of the test's process. Whatever is waited for comes within five minutes, or throws.
class Process {
 public:
  /// What it says on standard error goes to `log`.
  explicit Process(const std::vector<std::string>& command, const std::string& log = "/dev/null") {
    int ends[2];
    demand(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
    socket_ = ends[0];
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    sigset_t all, none;
    ::sigfillset(&all);
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    const int error = ::posix_spawn(&pid_, arguments[0], &actions, &attributes, arguments.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (error != 0) {
      pid_ = 0;
      ::close(socket_);
      throw std::runtime_error("cannot start " + command[0]);
    }
  }
  Process(Process&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), socket_(std::exchange(other.socket_, -1)), read_(other.read_) {}
  ~Process() {
    if (pid_ > 0) {
      send(SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    if (socket_ >= 0) ::close(socket_);
  }

  void send(int signal) const { ::kill(pid_, signal); }
  /// Writes so many bytes to its standard input, if it still reads.
  void give(int count) const {
    const std::string bytes(static_cast<std::size_t>(count), '.');
    [[maybe_unused]] const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  /// Ends its standard input.
  void end_input() const { ::shutdown(socket_, SHUT_WR); }
  /// Waits until it has written so many bytes since it was started; false where it ended before.
  bool wait_for(int count) {
    while (read_ < count)
      if (!read_some()) return false;
    return true;
  }
  /// Waits for its end. Its exit status, or minus the signal that ended it.
  int wait() {
    while (read_some()) {
    }
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  static void demand(int result, const char* what) {
    if (result < 0) throw std::runtime_error(std::string(what) + " failed");
  }

  // False at the end of its output, which is that of the process.
  bool read_some() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(5);
    while (true) {
      pollfd wanted{socket_, POLLIN, 0};
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      const int ready = ::poll(&wanted, 1, static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0)));
      if (ready < 0 && errno == EINTR) continue;
      if (ready <= 0) throw std::runtime_error("a child process gave no sign of life for five minutes");
      char buffer[256];
      const auto got = ::recv(socket_, buffer, sizeof buffer, 0);
      if (got < 0 && errno == EINTR) continue;
      read_ += got > 0 ? static_cast<int>(got) : 0;
      return got > 0;
    }
  }

  pid_t pid_ = 0;
  int socket_ = -1;
  int read_ = 0;
};
