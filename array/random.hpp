#pragma once
// Random numbers that are the same bit for bit with every compiler, processor and number of threads.

#include <cstdint>
#include <span>

namespace xgrad {

/// Everything a Generator is: save it and set it again to continue where it was.
struct GeneratorState {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;
  std::uint64_t position = 0;  ///< 64-bit words used so far

  friend bool operator==(const GeneratorState&, const GeneratorState&) = default;
};

/// A counter-based generator (Philox4x32-10). Generators of different seed or stream are independent; each has 2^64
/// words.
///
/// The functions that fill an array begin at the next multiple of 16 words, and use as many as their numbers need (32
/// bits for a float or a bernoulli, 64 for a double or an integer; a normal counts as a uniform), again up to a
/// multiple of 16. Large arrays are filled by several threads. n <= 0 fills and uses nothing. Not for concurrent use;
/// not for secrets.
class Generator {
 public:
  explicit Generator(std::uint64_t seed = 0, std::uint64_t stream = 0) : state_{seed, stream, 0} {}

  std::uint64_t seed() const { return state_.seed; }
  const GeneratorState& state() const { return state_; }
  void set_state(const GeneratorState& state) { state_ = state; }

  /// 64 random bits.
  std::uint64_t next();

  /// Uniform in [low, high), with 24 random bits for a float and 53 for a double; `low` where low = high.
  /// Throws Error unless low <= high and high - low is finite.
  void uniform(float* out, std::int64_t n, double low = 0, double high = 1);
  void uniform(double* out, std::int64_t n, double low = 0, double high = 1);

  /// Normal with mean and standard deviation. Throws Error unless std >= 0.
  void normal(float* out, std::int64_t n, double mean = 0, double std = 1);
  void normal(double* out, std::int64_t n, double mean = 0, double std = 1);

  /// True (1) with probability p, which is taken to the nearest 2^-32. Throws Error unless 0 <= p <= 1.
  void bernoulli(bool* out, std::int64_t n, double p);
  void bernoulli(float* out, std::int64_t n, double p);

  /// Integers in [low, high), all equally likely. Throws Error unless low < high.
  void integers(std::int64_t* out, std::int64_t n, std::int64_t low, std::int64_t high);

  /// A random order of 0, 1, ..., n - 1.
  void permutation(std::int64_t* out, std::int64_t n);

 private:
  template <class Kernel, class T>
  void fill(const Kernel& kernel, T* out, std::int64_t n);
  std::uint64_t below(std::uint64_t bound);

  GeneratorState state_;
  std::uint64_t second_word_ = 0;  // of the block that next() computed last,
  GeneratorState second_state_;    // and the state in which it is the next word
};

/// Seeds the generator of the calling thread: the same seed gives the same numbers in every thread, the main thread's.
/// Threads that have not used theirs yet get generators of this seed too, each another stream.
void manual_seed(std::uint64_t seed);

/// The generator of the calling thread, which is used wherever none is given. After manual_seed() in this thread it has
/// that seed and stream 0. A thread that has not called it has the seed of the last call in any (0 before), and stream
/// 0 if it is the main thread, else 1, 2, ... in the order of first use since that call: seed a thread whose numbers
/// shall not depend on which is first.
Generator& default_generator();

namespace detail {

/// An array that the calling thread's default_generator() has filled with uniform or normal numbers.
struct Draw {
  void* out;
  std::int64_t n;
  bool is_double, is_normal;
  double a, b;          // low and high, or mean and std
  GeneratorState from;  // the generator before
};
/// The latest of them, oldest first: those since anything else was drawn, none where that was last. At most some
/// thousand.
std::span<const Draw> last_draws();
/// Whether the array still holds these numbers, which must be read as what they are.
bool holds(const Draw& draw);
/// Fills the arrays of the last of last_draws(), given in another order, as if they had been drawn in that order.
void draw_again(std::span<const Draw> draws);

}  // namespace detail

}  // namespace xgrad
