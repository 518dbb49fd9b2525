#pragma once
// OpenBLAS in the calling thread alone.

#include <dlfcn.h>

namespace xgrad::detail {

/// An OpenBLAS that was built for OpenMP uses as many threads as OpenMP has for the calling thread; where there is such
/// a number, it is 1 for the lifetime of this.
class OneBlasThread {
 public:
  OneBlasThread() : before_(openmp().get ? openmp().get() : 1) {
    if (before_ != 1) openmp().set(1);
  }
  ~OneBlasThread() {
    if (before_ != 1) openmp().set(before_);
  }
  OneBlasThread(const OneBlasThread&) = delete;
  OneBlasThread& operator=(const OneBlasThread&) = delete;

 private:
  struct OpenMP {
    int (*get)();
    void (*set)(int);
  };
  static const OpenMP& openmp() {
    static const OpenMP found = [] {
      OpenMP functions{reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_max_threads")),
                       reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"))};
      if (!functions.set) functions.get = nullptr;
      return functions;
    }();
    return found;
  }

  int before_;
};

}  // namespace xgrad::detail
