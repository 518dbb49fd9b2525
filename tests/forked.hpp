#pragma once
// Copies of a test's process.

#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

/// Starts a copy of this process that calls work() and ends with the exit status it returns, 99 where it throws; -1
/// where none can be started. No signal finds a handler of this process in the copy, not even in its first moment: the
/// test framework's would wait for ever for locks that other threads held. After a minute the copy is killed, so that
/// whoever waits for it waits no longer.
template <class Work>
pid_t start_forked(Work&& work) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t child = ::fork();
  if (child == 0) {
    for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
    ::alarm(60);
    try {
      ::_exit(work());
    } catch (...) {
      ::_exit(99);
    }
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return child;
}

/// The exit status of a copy, or minus the signal that ended it.
inline int wait_for_forked(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/// Both.
template <class Work>
int run_forked(Work&& work) {
  return wait_for_forked(start_forked(work));
}
