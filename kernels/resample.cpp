#include "resample.hpp"

#include <algorithm>

#include "../core/parallel.hpp"
#include "vectors.hpp"

namespace xgrad::detail {

bool Resampling::is_identity() const {
  if (inputs != outputs()) return false;
  for (std::int64_t i = 0; i < inputs; ++i) {
    const auto row = static_cast<std::size_t>(i);
    for (std::int64_t k = begin[row]; k < begin[row + 1]; ++k)
      if (weights[static_cast<std::size_t>(k)] != (first[row] + k - begin[row] == i ? 1 : 0)) return false;
  }
  return true;
}

Resampling transposed(const Resampling& matrix) {
  const auto inputs = static_cast<std::size_t>(matrix.inputs), outputs = matrix.first.size();
  const auto each_weight = [&](const auto& f) {  // f(row, column, weight)
    for (std::size_t row = 0; row < outputs; ++row)
      for (std::int64_t k = matrix.begin[row]; k < matrix.begin[row + 1]; ++k)
        f(row, static_cast<std::size_t>(matrix.first[row] + k - matrix.begin[row]),
          matrix.weights[static_cast<std::size_t>(k)]);
  };
  Resampling turned;
  turned.inputs = matrix.outputs();
  turned.first.assign(inputs, 0);
  std::vector<std::int64_t> end(inputs, 0);  // of the rows that a column has weights in
  each_weight([&](std::size_t row, std::size_t column, double) {
    if (end[column] == 0) turned.first[column] = static_cast<std::int64_t>(row);
    end[column] = static_cast<std::int64_t>(row) + 1;
  });
  turned.begin.reserve(inputs + 1);
  for (std::size_t column = 0; column < inputs; ++column)
    turned.begin.push_back(turned.begin.back() + std::max<std::int64_t>(0, end[column] - turned.first[column]));
  turned.weights.assign(static_cast<std::size_t>(turned.begin.back()), 0);
  each_weight([&](std::size_t row, std::size_t column, double weight) {
    turned.weights[static_cast<std::size_t>(turned.begin[column] + static_cast<std::int64_t>(row) -
                                            turned.first[column])] = weight;
  });
  return turned;
}

template <class T>
void resample(const Resampling& matrix, std::int64_t outer, std::int64_t inner, const T* from, T* to) {
  const std::vector<T> converted(matrix.weights.begin(), matrix.weights.end());
  const std::int64_t inputs = matrix.inputs, outputs = matrix.outputs(),
                     taps = matrix.begin.back() / std::max<std::int64_t>(outputs, 1) + 1;
  const auto run = [=, first = matrix.first.data(), tap = matrix.begin.data(), weights = converted.data()](
                       std::int64_t begin, std::int64_t end) {
    run_with_vectors([=](auto bytes) {
      std::int64_t row = begin % outputs;
      const T* before = from + begin / outputs * inputs * inner;  // the part of `from` that the rows are of
      for (std::int64_t i = begin; i < end; ++i) {
        const T* const source = before + first[row] * inner;
        for_each_vector<T>(inner, bytes, [&](std::int64_t c, auto how_wide) {
          using V = Vectors<T, decltype(how_wide)::value>;
          typename V::Vector sum = {}, value;
          const T* at = source + c;
          for (std::int64_t k = tap[row]; k < tap[row + 1]; ++k, at += inner) {
            V::load(value, at);
            sum += value * weights[k];
          }
          V::store(to + i * inner + c, sum);
        });
        if (++row < outputs) continue;
        row = 0;
        before += inputs * inner;
      }
    });
  };
  parallel_for(outer * outputs, 16384 / (inner * taps) + 1, run);
}

template void resample(const Resampling&, std::int64_t, std::int64_t, const float*, float*);
template void resample(const Resampling&, std::int64_t, std::int64_t, const double*, double*);

}  // namespace xgrad::detail
