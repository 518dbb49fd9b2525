#pragma once
// Child processes of a test.

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>

#include <stdexcept>
#include <string>
#include <vector>

/// Starts a program; killed and waited for when this ends.
class Process {
 public:
  /// `max_file_size` in bytes: writes beyond it fail. What it says on standard error goes to `log`.
  explicit Process(const std::vector<std::string>& command, const std::string& log = "/dev/null",
                   rlim_t max_file_size = RLIM_INFINITY) {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ > 0) return;
    const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(fd, STDERR_FILENO);
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{max_file_size, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  Process(Process&& other) noexcept : pid_(other.pid_) { other.pid_ = 0; }
  ~Process() {
    if (pid_ <= 0) return;
    send(SIGKILL);
    wait();
  }

  void send(int signal) const { ::kill(pid_, signal); }
  /// Its exit status, or minus the signal that ended it.
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t pid_;
};
