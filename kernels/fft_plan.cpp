#include "fft_plan.hpp"

#include <cmath>
#include <map>
#include <mutex>

#include "fft.hpp"

namespace xgrad::detail {

namespace {

/// The factors of n as passes have them; what is left of n when it has others is not 1.
std::int64_t factorize(std::int64_t n, std::vector<int>& radices) {
  for (const int radix : {4, 2, 3, 5, 7})
    for (; n % radix == 0; n /= radix) radices.push_back(radix);
  return n;
}

template <class T>
void append(std::vector<T>& roots, const Root& root) {
  roots.push_back(static_cast<T>(root.re));
  roots.push_back(static_cast<T>(root.im));
}

template <class T>
void add_passes(FftPlan<T>& plan, const std::vector<int>& radices) {
  std::int64_t left = plan.n, width = 1;
  for (const int radix : radices) {
    const std::int64_t blocks = left / radix;
    plan.passes.push_back({radix, blocks, width, static_cast<std::int64_t>(plan.roots.size())});
    for (std::int64_t block = 0; block < blocks; ++block)
      for (int k = 1; k < radix; ++k) append(plan.roots, root_of_unity(block * k, left));
    left = blocks;
    width *= radix;
  }
}

/// jk = (j^2 + k^2 - (k - j)^2) / 2 makes a convolution of the transform.
template <class T>
void add_chirp(FftPlan<T>& plan, bool split) {
  const std::int64_t n = plan.n;
  std::int64_t length = 1;
  while (length < 2 * n - 1) length *= 2;
  plan.convolution = fft_plan<T>(length, split);
  std::vector<double> filter(static_cast<std::size_t>(2 * length));
  const auto set = [&](std::int64_t at, const Root& root) {
    filter[static_cast<std::size_t>(2 * at)] = root.re;
    filter[static_cast<std::size_t>(2 * at + 1)] = -root.im;
  };
  std::int64_t square = 0;  // k^2 modulo 2 n
  for (std::int64_t k = 0; k < n; ++k) {
    const Root root = root_of_unity(square, 2 * n);
    append(plan.chirp, root);
    set(k, root);
    if (k > 0) set(length - k, root);
    square = (square + 2 * k + 1) % (2 * n);
  }
  fft_complex<double>({1, length, 1}, false, 1.0 / static_cast<double>(length), filter.data(), filter.data());
  plan.spectrum.assign(filter.begin(), filter.end());
}

template <class T>
void add_matrix(FftPlan<T>& plan) {
  auto rows = static_cast<std::int64_t>(std::sqrt(static_cast<double>(plan.n)));
  while (plan.n % rows != 0) --rows;
  const std::int64_t columns = plan.n / rows;
  plan.rows = fft_plan<T>(rows, false);
  plan.columns = fft_plan<T>(columns, false);
  plan.twiddles.reserve(static_cast<std::size_t>(2 * plan.n));
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < columns; ++column)
      append(plan.twiddles, root_of_unity(row * column, plan.n));
}

template <class T>
std::shared_ptr<const FftPlan<T>> make_plan(std::int64_t n, bool split) {
  FftPlan<T> plan{n, {}, {}};
  std::vector<int> radices;
  if (factorize(n, radices) != 1)
    add_chirp(plan, split);
  else if (split)
    add_matrix(plan);
  else
    add_passes(plan, radices);
  return std::make_shared<const FftPlan<T>>(std::move(plan));
}

/// What was made for the last lengths that were asked for.
template <class Key, class Value>
class Kept {
 public:
  template <class F>
  std::shared_ptr<const Value> get(const Key& key, const F& make) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = values_.find(key); found != values_.end()) return found->second;
    }
    std::shared_ptr<const Value> value = make();
    const std::lock_guard lock(mutex_);
    if (values_.size() >= most) values_.clear();
    values_.emplace(key, value);
    return value;
  }

 private:
  static constexpr std::size_t most = 64;
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<const Value>> values_;
};

}  // namespace

Root root_of_unity(std::int64_t k, std::int64_t n) {
  // By symmetry from the first eighth of the circle, where sine and cosine are right to the last bit or so.
  const std::int64_t eighths = 8 * (k % n), octant = eighths / n;
  const std::int64_t rest = eighths - octant * n;
  const std::int64_t folded = octant % 2 == 0 ? rest : n - rest;
  const double angle = M_PI_4 * static_cast<double>(folded) / static_cast<double>(n);
  const double c = std::cos(angle), s = std::sin(angle);
  switch (octant) {
    case 0:
      return {c, -s};
    case 1:
      return {s, -c};
    case 2:
      return {-s, -c};
    case 3:
      return {-c, -s};
    case 4:
      return {-c, s};
    case 5:
      return {-s, c};
    case 6:
      return {s, c};
    default:
      return {c, s};
  }
}

// What is kept is never destroyed: operations may run at the end of the program.

template <class T>
std::shared_ptr<const FftPlan<T>> fft_plan(std::int64_t n, bool split) {
  static auto& kept = *new Kept<std::pair<std::int64_t, bool>, FftPlan<T>>;
  return kept.get({n, split}, [=] { return make_plan<T>(n, split); });
}

template <class T>
std::shared_ptr<const std::vector<T>> fft_half_roots(std::int64_t n) {
  static auto& kept = *new Kept<std::int64_t, std::vector<T>>;
  return kept.get(n, [=] {
    std::vector<T> roots;
    roots.reserve(static_cast<std::size_t>(n + 2));
    for (std::int64_t k = 0; k <= n / 2; ++k) append(roots, root_of_unity(k, n));
    return std::make_shared<const std::vector<T>>(std::move(roots));
  });
}

template std::shared_ptr<const FftPlan<float>> fft_plan(std::int64_t, bool);
template std::shared_ptr<const FftPlan<double>> fft_plan(std::int64_t, bool);
template std::shared_ptr<const std::vector<float>> fft_half_roots(std::int64_t);
template std::shared_ptr<const std::vector<double>> fft_half_roots(std::int64_t);

}  // namespace xgrad::detail
