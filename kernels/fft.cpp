#include "fft.hpp"

#include "fft_lanes.hpp"

namespace xgrad::detail {

namespace {

constexpr std::int64_t longest_line = 8192, shortest_split = 1024;

/// Memory for lines and for what passes make of them.
template <class T>
class LineMemory {
 public:
  explicit LineMemory(std::int64_t length) : memory_(4 * length * lanes<T>) {
    T* const at = memory_.data();
    const std::int64_t part = length * lanes<T>;
    x = {at, at + part}, other = {at + 2 * part, at + 3 * part};
  }
  void swap_parts() { std::swap(x.re, x.im), std::swap(other.re, other.im); }
  Parts<T> x, other;

 private:
  Scratch<T> memory_;
};

/// Whether lines are so long, or so few, that each is rather cut up than transformed beside others.
template <class T>
bool is_split(std::int64_t n, std::int64_t lines) {
  return n > longest_line || (n >= shortest_split && lines <= lanes<T> / 4);
}

/// f(memory, first line, count) for groups of lines beside each other.
template <class T, class F>
void each_group(const FftPlan<T>& plan, std::int64_t room, std::int64_t lines, const F& f) {
  const std::int64_t groups = (lines + lanes<T> - 1) / lanes<T>;
  parallel_for(groups, 8192 / (plan.n * lanes<T>)+1, [&](std::int64_t begin, std::int64_t end) {
    LineMemory<T> memory(std::max(plan.length(), room));
    for (std::int64_t group = begin; group < end; ++group) {
      const std::int64_t first = group * lanes<T>;
      f(memory, first, std::min(lanes<T>, lines - first));
    }
  });
}

/// The same for the lines along the middle axis. f(memory, outer, inner, count): the group begins at these, and
/// consists of neighbours along the inner axis, or where that has size 1 along the outer one.
template <class T, class F>
void each_group(const FftPlan<T>& plan, std::int64_t room, const ReducedSize& size, const F& f) {
  if (size.inner == 1)
    return each_group(plan, room, size.outer, [&](LineMemory<T>& memory, std::int64_t first, std::int64_t count) {
      f(memory, first, std::int64_t{0}, count);
    });
  const std::int64_t groups = (size.inner + lanes<T> - 1) / lanes<T>;
  parallel_for(size.outer * groups, 8192 / (plan.n * lanes<T>)+1, [&](std::int64_t begin, std::int64_t end) {
    LineMemory<T> memory(std::max(plan.length(), room));
    for (std::int64_t group = begin; group < end; ++group) {
      const std::int64_t inner = group % groups * lanes<T>;
      f(memory, group / groups, inner, std::min(lanes<T>, size.inner - inner));
    }
  });
}

/// One line of neighbours, as a matrix: its columns, a twiddle factor for each element, its rows.
template <class T>
void transform_matrix(const FftPlan<T>& plan, bool inverse, T scale, const T* from, T* to) {
  const std::int64_t rows = plan.rows->n, columns = plan.columns->n;
  const Scratch<T> memory(2 * plan.n);
  T* const middle = memory.data();
  const T* const twiddles = plan.twiddles.data();
  each_group(*plan.rows, 0, columns, [&](LineMemory<T>& group, std::int64_t first, std::int64_t count) {
    load_lines(from + 2 * first, 1, columns, count, rows, group.x);
    if (inverse) group.swap_parts();
    run_plan(*plan.rows, group.x, group.other);
    const Parts<T> x = group.x;
    vectorized([=] {
      for (std::int64_t row = 0; row < rows; ++row) {
        const T* const factor = twiddles + 2 * (row * columns + first);
        T *const re = x.re + row * lanes<T>, *const im = x.im + row * lanes<T>;
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t l = 0; l < count; ++l) {
          const T r = re[l] * factor[2 * l] - im[l] * factor[2 * l + 1],
                  i = re[l] * factor[2 * l + 1] + im[l] * factor[2 * l];
          re[l] = r, im[l] = i;
        }
      }
    });
    store_lines(x, std::int64_t{1}, columns, count, rows, T(1), middle + 2 * first);
  });
  each_group(*plan.columns, 0, rows, [&](LineMemory<T>& group, std::int64_t first, std::int64_t count) {
    load_lines(middle + 2 * first * columns, columns, 1, count, columns, group.x);
    run_plan(*plan.columns, group.x, group.other);
    if (inverse) group.swap_parts();
    store_lines(group.x, 1, rows, count, columns, scale, to + 2 * first);
  });
}

/// to = from * factors, complex, n of them; with `swapped` real and imaginary parts of `from` change places before, or
/// those of `to` afterwards.
template <class T>
void multiply(const T* from, const T* factors, std::int64_t n, bool swap_from, bool swap_to, T scale, T* to) {
  const int from_re = swap_from ? 1 : 0, to_re = swap_to ? 1 : 0;
  parallel_for(n, 8192, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T xr = from[2 * i + from_re], xi = from[2 * i + 1 - from_re], wr = factors[2 * i], wi = factors[2 * i + 1];
      to[2 * i + to_re] = scale * (xr * wr - xi * wi);
      to[2 * i + 1 - to_re] = scale * (xr * wi + xi * wr);
    }
  });
}

template <class T>
void transform_long(const FftPlan<T>& plan, bool inverse, T scale, const T* from, T* to) {
  if (!plan.convolution) return transform_matrix(plan, inverse, scale, from, to);
  const std::int64_t n = plan.n, length = plan.length();
  const Scratch<T> memory(4 * length);
  T *const a = memory.data(), *const b = a + 2 * length;
  multiply(from, plan.chirp.data(), n, inverse, false, T(1), a);
  std::fill(a + 2 * n, a + 2 * length, T(0));
  transform_matrix(*plan.convolution, false, T(1), a, b);
  multiply(b, plan.spectrum.data(), length, false, false, T(1), b);
  transform_matrix(*plan.convolution, true, T(1), b, a);
  multiply(a, plan.chirp.data(), n, false, inverse, scale, to);
}

template <class T>
void copy_line(const T* from, std::int64_t step, std::int64_t n, T* to, std::int64_t to_step) {
  for (std::int64_t j = 0; j < n; ++j) to[j * to_step] = from[j * step];
}

/// f(line from, line to, memory) for every line, each as neighbours: in place, or copied to and fro where they are not.
/// Lines have so many numbers, of `size` each, before and after.
template <class T, class F>
void each_long_line(const ReducedSize& lines, std::int64_t before, std::int64_t after, const T* from, T* to,
                    std::int64_t from_size, std::int64_t to_size, const F& f) {
  parallel_for(lines.outer * lines.inner, 1, [&](std::int64_t begin, std::int64_t end) {
    const bool apart = lines.inner > 1;
    const Scratch<T> memory(apart ? before * from_size + after * to_size : 0);
    for (std::int64_t line = begin; line < end; ++line) {
      const std::int64_t outer = line / lines.inner, inner = line % lines.inner;
      const T* const source = from + (outer * before * lines.inner + inner) * from_size;
      T* const target = to + (outer * after * lines.inner + inner) * to_size;
      if (!apart) {
        f(source, target);
        continue;
      }
      T *const in = memory.data(), *const out = in + before * from_size;
      for (std::int64_t k = 0; k < from_size; ++k)
        copy_line(source + k, lines.inner * from_size, before, in + k, from_size);
      f(static_cast<const T*>(in), out);
      for (std::int64_t k = 0; k < to_size; ++k) copy_line(out + k, to_size, after, target + k, lines.inner * to_size);
    }
  });
}

/// Elements k and half - k of the transform of 2 half real numbers, from those of the transform z of half complex ones,
/// which have their even and odd elements as parts: the transforms of these are (z_k + conj z_(half - k)) / 2 and the
/// same of the difference, divided by i.
template <class T>
struct FromPairs {
  [[gnu::always_inline]] static void apply(T ar, T ai, T br, T bi, T wr, T wi, T& re, T& im) {
    const T er = (ar + br) / 2, ei = (ai - bi) / 2, dr = (ar - br) / 2, di = (ai + bi) / 2;
    re = er + (di * wr + dr * wi);
    im = ei + (di * wi - dr * wr);
  }
};
/// And the inverse, times 2.
template <class T>
struct ToPairs {
  [[gnu::always_inline]] static void apply(T ar, T ai, T br, T bi, T wr, T wi, T& re, T& im) {
    const T er = ar + br, ei = ai - bi, dr = ar - br, di = ai + bi;
    re = er - (di * wr - dr * wi);
    im = ei + (dr * wr + di * wi);
  }
};

/// One line of the above in memory, k from 0 to `last`; z of index half is that of 0.
template <class T>
void finish_real(const T* z, std::int64_t half, const T* roots, T scale, T* to) {
  parallel_for(half + 1, 8192, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      const T *const a = z + 2 * (k < half ? k : 0), *const b = z + 2 * (k > 0 ? half - k : 0);
      T re, im;
      FromPairs<T>::apply(a[0], a[1], b[0], b[1], roots[2 * k], roots[2 * k + 1], re, im);
      to[2 * k] = scale * re, to[2 * k + 1] = scale * im;
    }
  });
}
template <class T>
void prepare_real(const T* x, std::int64_t half, const T* roots, T* z) {
  parallel_for(half, 8192, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      const T *const a = x + 2 * k, *const b = x + 2 * (half - k);
      const T ai = k > 0 ? a[1] : T(0), bi = k > 0 ? b[1] : T(0);
      ToPairs<T>::apply(a[0], ai, b[0], bi, roots[2 * k], roots[2 * k + 1], z[2 * k], z[2 * k + 1]);
    }
  });
}

/// The same of lines beside each other.
template <class T>
void finish_lines(const Parts<T>& z, std::int64_t half, const T* roots, const Parts<T>& to) {
  vectorized([=] {
    for (std::int64_t k = 0; k <= half; ++k) {
      const std::int64_t a = (k < half ? k : 0) * lanes<T>, b = (k > 0 ? half - k : 0) * lanes<T>, at = k * lanes<T>;
      const T wr = roots[2 * k], wi = roots[2 * k + 1];
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t l = 0; l < lanes<T>; ++l)
        FromPairs<T>::apply(z.re[a + l], z.im[a + l], z.re[b + l], z.im[b + l], wr, wi, to.re[at + l], to.im[at + l]);
    }
  });
}
template <class T>
void prepare_lines(const Parts<T>& x, std::int64_t half, const T* roots, const Parts<T>& z) {
  std::fill_n(x.im, lanes<T>, T(0));
  std::fill_n(x.im + half * lanes<T>, lanes<T>, T(0));
  vectorized([=] {
    for (std::int64_t k = 0; k < half; ++k) {
      const std::int64_t a = k * lanes<T>, b = (half - k) * lanes<T>;
      const T wr = roots[2 * k], wi = roots[2 * k + 1];
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t l = 0; l < lanes<T>; ++l)
        ToPairs<T>::apply(x.re[a + l], x.im[a + l], x.re[b + l], x.im[b + l], wr, wi, z.re[a + l], z.im[a + l]);
    }
  });
}

/// Reads or writes real numbers as every second element of the parts: element j is part j % parts of j / parts.
template <class T>
void load_real(const T* from, std::int64_t line, std::int64_t step, std::int64_t count, std::int64_t n,
               const Parts<T>& x, bool pairs) {
  if (pairs && step == 1) return load_lines(from, line / 2, std::int64_t{1}, count, n / 2, x);
  for (std::int64_t j = 0; j < n; ++j) {
    T* const to = pairs ? (j % 2 == 0 ? x.re : x.im) + j / 2 * lanes<T> : x.re + j * lanes<T>;
    for (std::int64_t l = 0; l < count; ++l) to[l] = from[j * step + l * line];
    for (std::int64_t l = count; l < lanes<T>; ++l) to[l] = 0;
  }
  if (!pairs) std::fill_n(x.im, n * lanes<T>, T(0));
}
template <class T>
void store_real(const Parts<T>& x, std::int64_t line, std::int64_t step, std::int64_t count, std::int64_t n, bool pairs,
                T scale, T* to) {
  if (pairs && step == 1) return store_lines(x, line / 2, std::int64_t{1}, count, n / 2, scale, to);
  for (std::int64_t j = 0; j < n; ++j) {
    const T* const from = pairs ? (j % 2 == 0 ? x.re : x.im) + j / 2 * lanes<T> : x.re + j * lanes<T>;
    for (std::int64_t l = 0; l < count; ++l) to[j * step + l * line] = scale * from[l];
  }
}

/// What the transforms of n real numbers need: a complex one, of half the length where n is even.
template <class T>
struct RealPlan {
  RealPlan(std::int64_t n, std::int64_t lines)
      : pairs(n % 2 == 0),
        split(is_split<T>(pairs ? n / 2 : n, lines)),
        complex(fft_plan<T>(pairs ? n / 2 : n, split)),
        half_roots(pairs ? fft_half_roots<T>(n) : nullptr) {}
  const T* roots() const { return pairs ? half_roots->data() : nullptr; }
  bool pairs, split;
  std::shared_ptr<const FftPlan<T>> complex;
  std::shared_ptr<const std::vector<T>> half_roots;
};

}  // namespace

template <class T>
void fft_complex(const ReducedSize& size, bool inverse, double scale, const T* from, T* to) {
  const std::int64_t n = size.reduced, lines = size.outer * size.inner;
  if (lines == 0 || n == 0) return;
  const auto factor = static_cast<T>(scale);
  if (is_split<T>(n, lines)) {
    const auto plan = fft_plan<T>(n, true);
    return each_long_line(size, n, n, from, to, 2, 2,
                          [&](const T* line, T* result) { transform_long(*plan, inverse, factor, line, result); });
  }
  const auto plan = fft_plan<T>(n, false);
  const std::int64_t line = size.inner == 1 ? n : 1, step = size.inner;
  each_group(*plan, 0, size, [&](LineMemory<T>& memory, std::int64_t outer, std::int64_t inner, std::int64_t count) {
    const std::int64_t first = 2 * (outer * n * size.inner + inner);
    load_lines(from + first, line, step, count, n, memory.x);
    if (inverse) memory.swap_parts();
    run_plan(*plan, memory.x, memory.other);
    if (inverse) memory.swap_parts();
    store_lines(memory.x, line, step, count, n, factor, to + first);
  });
}

template <class T>
void fft_real(const ReducedSize& size, double scale, const T* from, T* to) {
  const std::int64_t n = size.reduced, lines = size.outer * size.inner, kept = n / 2 + 1;
  if (lines == 0 || n == 0) return;
  const RealPlan<T> plan(n, lines);
  const bool pairs = plan.pairs;
  const T* const roots = plan.roots();
  const auto factor = static_cast<T>(scale);
  if (plan.split)
    return each_long_line(size, n, kept, from, to, 1, 2, [&](const T* line, T* result) {
      const Scratch<T> memory(pairs ? n : 4 * n);
      T* const z = memory.data();
      if (pairs) {
        transform_long(*plan.complex, false, T(1), line, z);
        return finish_real(z, n / 2, roots, factor, result);
      }
      copy_line(line, 1, n, z, 2);
      for (std::int64_t j = 0; j < n; ++j) z[2 * j + 1] = 0;
      transform_long(*plan.complex, false, factor, z, z + 2 * n);
      std::copy_n(z + 2 * n, 2 * kept, result);
    });
  const bool rows = size.inner == 1;
  each_group(*plan.complex, kept, size,
             [&](LineMemory<T>& memory, std::int64_t outer, std::int64_t inner, std::int64_t count) {
               load_real(from + outer * n * size.inner + inner, rows ? n : 1, size.inner, count, n, memory.x, pairs);
               run_plan(*plan.complex, memory.x, memory.other);
               if (pairs) {
                 finish_lines(memory.x, n / 2, roots, memory.other);
                 std::swap(memory.x, memory.other);
               }
               store_lines(memory.x, rows ? kept : 1, size.inner, count, kept, factor,
                           to + 2 * (outer * kept * size.inner + inner));
             });
}

template <class T>
void fft_half_complex(const ReducedSize& size, double scale, const T* from, T* to) {
  const std::int64_t n = size.reduced, lines = size.outer * size.inner, given = n / 2 + 1;
  if (lines == 0 || n == 0) return;
  const RealPlan<T> plan(n, lines);
  const bool pairs = plan.pairs;
  const T* const roots = plan.roots();
  const auto factor = static_cast<T>(scale);
  if (plan.split)
    return each_long_line(size, given, n, from, to, 2, 1, [&](const T* line, T* result) {
      const Scratch<T> memory(pairs ? n : 4 * n);
      T* const z = memory.data();
      if (pairs) {
        prepare_real(line, n / 2, roots, z);
        return transform_long(*plan.complex, true, factor, z, result);
      }
      std::copy_n(line, 2 * given, z);
      z[1] = 0;
      for (std::int64_t k = 1; k < given; ++k) z[2 * (n - k)] = line[2 * k], z[2 * (n - k) + 1] = -line[2 * k + 1];
      transform_long(*plan.complex, true, factor, z, z + 2 * n);
      copy_line(z + 2 * n, 2, n, result, 1);
    });
  const bool rows = size.inner == 1;
  each_group(*plan.complex, given, size,
             [&](LineMemory<T>& memory, std::int64_t outer, std::int64_t inner, std::int64_t count) {
               load_lines(from + 2 * (outer * given * size.inner + inner), rows ? given : 1, size.inner, count, given,
                          memory.x);
               if (pairs) {
                 prepare_lines(memory.x, n / 2, roots, memory.other);
                 std::swap(memory.x, memory.other);
               } else {
                 std::fill_n(memory.x.im, lanes<T>, T(0));
                 for (std::int64_t k = 1; k < given; ++k)
                   for (std::int64_t l = 0; l < lanes<T>; ++l) {
                     memory.x.re[(n - k) * lanes<T> + l] = memory.x.re[k * lanes<T> + l];
                     memory.x.im[(n - k) * lanes<T> + l] = -memory.x.im[k * lanes<T> + l];
                   }
               }
               memory.swap_parts();
               run_plan(*plan.complex, memory.x, memory.other);
               memory.swap_parts();
               store_real(memory.x, rows ? n : 1, size.inner, count, n, pairs, factor,
                          to + outer * n * size.inner + inner);
             });
}

template void fft_complex(const ReducedSize&, bool, double, const float*, float*);
template void fft_complex(const ReducedSize&, bool, double, const double*, double*);
template void fft_real(const ReducedSize&, double, const float*, float*);
template void fft_real(const ReducedSize&, double, const double*, double*);
template void fft_half_complex(const ReducedSize&, double, const float*, float*);
template void fft_half_complex(const ReducedSize&, double, const double*, double*);

}  // namespace xgrad::detail
