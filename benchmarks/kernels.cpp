// Single kernels, and what this machine gives at most: the peak of fused multiply-adds and the bandwidth of memory.
// Names are `group/what/contestant`; benchmarks/compare makes the roofline table of them.
#include <xgrad/xgrad.hpp>

#include <benchmark/benchmark.h>
#include <cblas.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <chrono>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace {

using namespace xgrad;
using benchmark::Counter;
using benchmark::State;

constexpr std::int64_t million = 1 << 20, large = 32 * million;  // 128 MB, more than caches hold

/// Runs `f` again and again; `amount` is what one call does, in flops or bytes, reported per second.
void measure(const std::string& name, const char* unit, double amount, int threads, std::function<void()> f) {
  benchmark::RegisterBenchmark((name + "/" + std::to_string(threads)).c_str(), [=](State& state) {
    set_num_threads(threads);
    const NoGrad no_grad;
    f();
    for (auto _ : state) f();
    state.counters[unit] = Counter(amount, Counter::kIsIterationInvariantRate);
  })->UseRealTime();
}

// Limits of the machine.

/// Chains of fused multiply-adds in registers, as many as hide the latency of each.
template <class Vector, int chains>
[[gnu::always_inline]] inline double multiply_add(std::int64_t rounds) {
  constexpr int lanes = sizeof(Vector) / sizeof(float);
  volatile float start = 1;  // read anew for each chain, for chains that are known to be alike are computed once
  Vector sums[chains], sum = {}, factor = Vector{} + 0.999f, term = Vector{} + 0.001f;
  for (int j = 0; j < chains; ++j) sums[j] = Vector{} + start;
  for (std::int64_t i = 0; i < rounds; ++i)
    for (int j = 0; j < chains; ++j) sums[j] = sums[j] * factor + term;
  for (int j = 0; j < chains; ++j) sum += sums[j];
  float total = 0;
  for (int j = 0; j < lanes; ++j) total += sum[j];
  benchmark::DoNotOptimize(total);
  return static_cast<double>(rounds) * chains * lanes * 2;
}

using Vector4 [[gnu::vector_size(16)]] = float;
using Vector8 [[gnu::vector_size(32)]] = float;
using Vector16 [[gnu::vector_size(64)]] = float;
constexpr std::int64_t rounds = 100'000;
double multiply_add_baseline() { return multiply_add<Vector4, 8>(rounds); }
#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] double multiply_add_avx2() { return multiply_add<Vector8, 12>(rounds); }
[[gnu::target("avx512f")]] double multiply_add_avx512() { return multiply_add<Vector16, 16>(rounds); }
#endif

/// Works on elements begin to end of four arrays.
using StreamLoop = void (*)(float* a, float* b, float* c, float* d, std::int64_t begin, std::int64_t end);

/// f(i) for i from begin to end; with `ahead`, lines of memory that are so many elements further are asked for before.
template <std::int64_t ahead, class F, class... Pointers>
void for_each(std::int64_t begin, std::int64_t end, F f, Pointers... asked_for) {
  vectorized([=] {
    if constexpr (ahead == 0) {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = begin; i < end; ++i) f(i);
    } else {
      for (std::int64_t at = begin; at < end; at += 16) {
        (__builtin_prefetch(asked_for + at + ahead, 0, 2), ...);
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = at; i < at + 16; ++i) f(i);
      }
    }
  });
}

template <std::int64_t ahead>
void copy(float* a, float* b, float*, float*, std::int64_t begin, std::int64_t end) {
  for_each<ahead>(
      begin, end, [=](std::int64_t i) { a[i] = b[i]; }, a, b);
}
template <std::int64_t ahead>
void triad(float* a, float* b, float* c, float*, std::int64_t begin, std::int64_t end) {
  for_each<ahead>(
      begin, end, [=](std::int64_t i) { a[i] = b[i] + 0.5f * c[i]; }, a, b, c);
}
/// What an optimizer with two buffers does to memory: three arrays changed by a fourth.
template <std::int64_t ahead>
void update(float* a, float* b, float* c, float* d, std::int64_t begin, std::int64_t end) {
  for_each<ahead>(
      begin, end,
      [=](std::int64_t i) {
        a[i] += d[i];
        b[i] += d[i];
        c[i] += d[i];
      },
      a, b, c, d);
}
/// The same, with one of the three at a time.
void update_in_turn(float* a, float* b, float* c, float* d, std::int64_t begin, std::int64_t end) {
  constexpr std::int64_t piece = 256;
  for (; begin < end; begin += piece)
    for (float* const x : {a, b, c}) for_each<0>(begin, begin + piece, [=](std::int64_t i) { x[i] += d[i]; });
}
/// Ahead, and from four places at once, which keeps more lines on their way than one would.
template <std::int64_t ahead>
void read(float* a, float*, float*, float*, std::int64_t begin, std::int64_t end) {
  constexpr std::int64_t places = 4, lanes = 32;
  const std::int64_t part = (end - begin) / places;
  float total = 0;
  vectorized([=, &total] {
    float sums[places][lanes] = {};
    for (std::int64_t i = begin; i < begin + part; i += lanes)
      for (std::int64_t k = 0; k < places; ++k) {
        const float* const from = a + k * part + i;
        if (ahead > 0)
          for (std::int64_t line = 0; line < lanes; line += 16) __builtin_prefetch(from + ahead + line, 0, 2);
        for (std::int64_t lane = 0; lane < lanes; ++lane) sums[k][lane] += from[lane];
      }
    for (const auto& row : sums)
      for (const float sum : row) total += sum;
  });
  benchmark::DoNotOptimize(total);
}
#if defined(__x86_64__)
[[gnu::target("avx2")]] void copy_non_temporal(float* a, float* b, float*, float*, std::int64_t begin,
                                               std::int64_t end) {
  for (std::int64_t i = begin; i < end; i += 8) _mm256_stream_ps(a + i, _mm256_load_ps(b + i));
}
[[gnu::target("avx2")]] void triad_non_temporal(float* a, float* b, float* c, float*, std::int64_t begin,
                                                std::int64_t end) {
  const __m256 half = _mm256_set1_ps(0.5f);
  for (std::int64_t i = begin; i < end; i += 8)
    _mm256_stream_ps(a + i, _mm256_add_ps(_mm256_load_ps(b + i), _mm256_mul_ps(half, _mm256_load_ps(c + i))));
}
#endif

/// The loops of multiply-adds this processor has, the widest last; each returns its flops.
std::vector<std::pair<const char*, double (*)()>> multiply_adds() {
  std::vector<std::pair<const char*, double (*)()>> peaks = {{"baseline", multiply_add_baseline}};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) peaks.emplace_back("avx2", multiply_add_avx2);
  if (__builtin_cpu_supports("avx512f")) peaks.emplace_back("avx512", multiply_add_avx512);
#endif
  return peaks;
}

void limits(int threads) {
  const auto on_each_thread = [threads](auto f) { parallel_for(threads, 1, [f](auto, auto) { f(); }); };
  for (const auto& [name, peak] : multiply_adds())
    measure(std::string("limit/fma/") + name, "flops", peak() * threads, threads,
            [on_each_thread, peak = peak] { on_each_thread(peak); });

  constexpr std::int64_t distance =
      large + 272;  // not a multiple of a page, where loads would wait for stores to the same place of another
  const Tensor arrays = full({4, distance}, 1);
  const auto stream = [&](const std::string& name, double bytes_an_element, StreamLoop loop, std::int64_t n = large) {
    measure("limit/" + name, "bytes", bytes_an_element * static_cast<double>(n), threads, [=] {
      float* a = arrays.data<float>();
      parallel_for(n, n / threads, [a, loop](std::int64_t begin, std::int64_t end) {
        loop(a, a + distance, a + 2 * distance, a + 3 * distance, begin, end);
      });
    });
  };
  stream("copy/plain", 8, copy<0>);
  stream("copy/ahead", 8, copy<512>);
  stream("triad/plain", 12, triad<0>);
  stream("triad/ahead", 12, triad<512>);
  stream("update/plain", 28, update<0>, 10 * million);  // as many as Adam gets below
  stream("update/ahead", 28, update<256>, 10 * million);
  stream("update/in turn", 28, update_in_turn, 10 * million);
  stream("read/plain", 4, read<0>);
  stream("read/ahead", 4, read<512>);
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2")) return;
  stream("copy/non-temporal", 8, copy_non_temporal);
  stream("triad/non-temporal", 12, triad_non_temporal);
#endif
}

// Matrix products, through the library's interface and by OpenBLAS as it comes.

template <class F>
double seconds(const F& f) {
  const auto begin = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Products for a millisecond and multiply-adds for a quarter of one by turns: a processor may lower its clock for
/// products, and does not raise it so soon. "fma" is what it gives at that clock, "flops" what the products reach.
void measure_by_turns(const std::string& name, double flops, std::function<void()> product) {
  benchmark::RegisterBenchmark((name + "/1").c_str(), [=](State& state) {
    set_num_threads(1);
    const NoGrad no_grad;
    product();
    const auto calls = static_cast<int>(1e-3 / seconds(product)) + 1;
    const auto peak = multiply_adds().back().second;
    double peak_seconds = 0, peak_flops = 0;
    for (auto _ : state) {
      state.SetIterationTime(seconds([&] {
        for (int i = 0; i < calls; ++i) product();
      }));
      peak_seconds += seconds([&] { peak_flops += peak(); });
    }
    state.counters["flops"] = Counter(flops * calls, Counter::kIsIterationInvariantRate);
    state.counters["fma"] = peak_flops / peak_seconds;
  })->UseManualTime();
}

void gemm(const std::string& group, std::int64_t m, std::int64_t n, std::int64_t k, bool transpose_a,
          bool transpose_b) {
  const std::string name = "gemm/" + group + " " + std::to_string(m) + "x" + std::to_string(n) + "x" +
                           std::to_string(k) + (transpose_a ? " T" : " N") + (transpose_b ? "T" : "N") + "/";
  const Tensor a = transpose_a ? randn({k, m}) : randn({m, k}), b = transpose_b ? randn({n, k}) : randn({k, n}),
               c = zeros({m, n});
  const double flops = 2. * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  measure_by_turns(name + "xgrad", flops, [=] {
    benchmark::DoNotOptimize(matmul(transpose_a ? transpose(a, 0, 1) : a, transpose_b ? transpose(b, 0, 1) : b));
  });
  measure_by_turns(name + "cblas", flops, [=] {
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans,
                static_cast<blasint>(m), static_cast<blasint>(n), static_cast<blasint>(k), 1, a.data<float>(),
                static_cast<blasint>(a.size(1)), b.data<float>(), static_cast<blasint>(b.size(1)), 0, c.data<float>(),
                static_cast<blasint>(n));
  });
}

/// What a layer of (outputs, inputs) does in a step: forward, gradient of the weight, gradient of the input.
void layer(const std::string& group, std::int64_t rows, std::int64_t inputs, std::int64_t outputs, bool first = false) {
  gemm(group, rows, outputs, inputs, false, true);
  gemm(group, outputs, inputs, rows, true, false);
  if (!first) gemm(group, rows, inputs, outputs, false, false);
}

constexpr auto formula = elementwise("formula", [](auto v) { return v * sigmoid(v) + 0.5 * tanh(v); });

// What is bound by memory: `bytes` are those that must be read and written, each once.

void streams(int threads) {
  constexpr std::int64_t n = large;
  const Tensor x = randn({n}), y = randn({n}), matrix = reshape(x, {4096, 8192}), rows = reshape(x, {32768, 1024});
  const auto map = [&](const std::string& name, const char* like, double numbers, std::function<Tensor()> f) {
    measure("memory/" + name + "/" + like, "bytes", 4 * numbers * n, threads, [f] { benchmark::DoNotOptimize(f()); });
  };
  map("relu", "copy", 2, [=] { return relu(x); });
  map("add", "triad", 3, [=] { return x + y; });
  map("multiply by a row", "copy", 2, [=, row = randn({1024})] { return rows * row; });
  map("exp", "copy", 2, [=] { return exp(x); });
  map("tanh", "copy", 2, [=] { return tanh(x); });
  map("gelu", "copy", 2, [=] { return gelu(x); });
  map("x sigmoid(x) + tanh(x) / 2, a lambda", "copy", 2, [=] { return formula(x); });
  map("sum", "read", 1, [=] { return sum(x); });
  map("sum over rows", "read", 1, [=] { return sum(matrix, {0}); });
  map("sum along rows", "read", 1, [=] { return sum(matrix, {1}); });
  map("variance along rows", "read", 1, [=] { return var(rows, {1}); });
  map("argmax along rows", "read", 1, [=] { return argmax(rows, 1); });
  map("softmax", "copy", 2, [=] { return softmax(rows, 1); });

  std::vector<Tensor> parameters;
  for (int i = 0; i < 10; ++i) {
    parameters.push_back(randn({million}, {.requires_grad = true}));
    parameters.back().set_grad(randn({million}));
  }
  auto adam = std::make_shared<optim::Adam>(parameters);
  measure("memory/Adam/update", "bytes", 7. * 4 * 10 * million, threads, [adam] { adam->step(); });
}

// Transcendental functions on numbers that lie in the second-level cache.

void transcendental(const char* name, Tensor (*f)(Operand), double (*exact)(double), double low, double high) {
  constexpr std::int64_t n = 16384;
  benchmark::RegisterBenchmark((std::string("function/") + name + "/xgrad/1").c_str(), [=](State& state) {
    set_num_threads(1);
    const NoGrad no_grad;
    const Tensor x = low + rand({n}) * (high - low), y = f(x);
    double worst = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const double right = exact(x.data<float>()[i]), got = y.data<float>()[i];
      const float nearest = std::abs(static_cast<float>(right));
      worst = std::max(worst, std::abs(got - right) / (std::nextafter(nearest, INFINITY) - nearest));
    }
    for (auto _ : state) benchmark::DoNotOptimize(f(x));
    state.counters["elements"] = Counter(n, Counter::kIsIterationInvariantRate);
    state.counters["max_ulp"] = worst;
  })->UseRealTime();
}

void transcendentals() {
  transcendental("exp", exp, std::exp, -80, 80);
  transcendental("log", log, std::log, 1e-3, 1e3);
  transcendental("tanh", tanh, std::tanh, -8, 8);
  transcendental(
      "sigmoid", sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, -30, 30);
  transcendental("erf", erf, std::erf, -4, 4);
  transcendental("sin", sin, std::sin, -30, 30);
  transcendental("cos", cos, std::cos, -30, 30);
  transcendental("sqrt", sqrt, std::sqrt, 0, 1e3);
  transcendental(
      "gelu", [](Operand x) { return gelu(*x); }, [](double x) { return x * std::erfc(-x * M_SQRT1_2) / 2; }, -4, 4);
  transcendental(
      "x sigmoid(x) + tanh(x) / 2, a lambda", [](Operand x) { return formula(*x); },
      [](double x) { return x / (1 + std::exp(-x)) + std::tanh(x) / 2; }, -4, 4);
}

// What every operation pays.

void overheads() {
  const auto time = [](const std::string& name, auto f) {
    benchmark::RegisterBenchmark(("overhead/" + name + "/xgrad/1").c_str(), [f](State& state) {
      set_num_threads(1);
      for (auto _ : state) f();
    })->UseRealTime();
  };
  for (const std::size_t bytes : {64, 4096, 1 << 20})
    time("allocate and give back " + std::to_string(bytes) + " bytes", [bytes] {
      void* block = allocate(bytes);
      benchmark::DoNotOptimize(block);
      deallocate(block, bytes);
    });
  const Tensor a = randn({8}, {.requires_grad = true}), b = randn({8}, {.requires_grad = true}), upstream = randn({8});
  const Tensor weight = randn({16, 16}, {.requires_grad = true}), rows = randn({8, 16});
  time("add 8 numbers, not recorded", [=] {
    const NoGrad no_grad;
    benchmark::DoNotOptimize(a + b);
  });
  time("add 8 numbers, recorded", [=] { benchmark::DoNotOptimize(a + b); });
  time("add 8 numbers, and backward", [=] {
    a.zero_grad();
    b.zero_grad();
    (a + b).backward(upstream);
  });
  time("linear 8x16x16, recorded", [=] { benchmark::DoNotOptimize(linear(rows, weight)); });
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  set_num_threads(1);  // and OpenBLAS's to 1
  manual_seed(0);
  for (const int threads : {1, 2}) {
    limits(threads);
    streams(threads);
  }
  for (const std::int64_t batch : {64, 512}) {
    const std::string group = "W1-" + std::to_string(batch);
    layer(group, batch, 784, 256, true);
    layer(group, batch, 256, 128);
    layer(group, batch, 128, 10);
  }
  layer("W7", 1024, 128, 384);
  layer("W7", 1024, 128, 128);
  layer("W7", 1024, 128, 512);
  layer("W7", 1024, 512, 128);
  gemm("attention", 128, 128, 32, false, true);
  gemm("attention", 128, 32, 128, false, false);
  gemm("skinny", 16, 784, 9, false, false);
  gemm("skinny", 8, 16, 16, false, true);
  transcendentals();
  overheads();
  benchmark::RunSpecifiedBenchmarks();
}
