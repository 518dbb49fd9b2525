#include "adam.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "../core/instruction_set.hpp"

namespace xgrad::optim {

using detail::unless_off;

Adam::Adam(Parameters parameters, const AdamOptions& options) : Adam(std::move(parameters), options, false) {}

Adam::Adam(Parameters parameters, const AdamOptions& options, bool decoupled)
    : Optimizer(std::move(parameters), options.lr, {"exp_avg", "exp_avg_sq"}),
      options_(options),
      decoupled_(decoupled) {
  check(options.beta1 >= 0 && options.beta1 < 1 && options.beta2 >= 0 && options.beta2 < 1,
        "Adam: beta1 and beta2 are ", options.beta1, " and ", options.beta2, "; they must lie in [0, 1)");
  detail::check_option("Adam", "eps", options.eps);
  detail::check_option("Adam", "weight_decay", options.weight_decay);
}

AdamW::AdamW(Parameters parameters, const AdamWOptions& options)
    : Adam(std::move(parameters), {options.lr, options.beta1, options.beta2, options.eps, options.weight_decay}, true) {
}

void Adam::update(const Piece& piece) const {
  const auto t = static_cast<double>(piece.step);
  const double correction1 = 1 - std::pow(options_.beta1, t), correction2 = std::sqrt(1 - std::pow(options_.beta2, t));
  dispatch_piece(piece, [&]<class T>(T* p, const T* g) {
    const T beta1 = static_cast<T>(options_.beta1), beta2 = static_cast<T>(options_.beta2);
    const T fresh1 = static_cast<T>(1 - options_.beta1), fresh2 = static_cast<T>(1 - options_.beta2);
    const T rate = static_cast<T>(lr() / correction1), root = static_cast<T>(1 / correction2),
            eps = static_cast<T>(options_.eps);
    const T decay = decoupled_ ? T(0) : static_cast<T>(options_.weight_decay);
    const T keep = decoupled_ ? static_cast<T>(1 - lr() * options_.weight_decay) : T(1);
    const std::int64_t n = piece.size;
    T* const m = static_cast<T*>(piece.buffers[0]);
    T* const v = static_cast<T*>(piece.buffers[1]);
    // An average that keeps nothing has nothing, not 0 * infinity, of what was.
    if (beta1 == 0) std::fill_n(m, n, T(0));
    if (beta2 == 0) std::fill_n(v, n, T(0));
    const auto run = [&]<bool decays>(std::bool_constant<decays>) {
      vectorized([=] {
        const auto element = [=](std::int64_t i) __attribute__((always_inline)) {
          T d = g[i];
          if constexpr (decays) d += decay * p[i];
          const T first = beta1 * m[i] + fresh1 * d, second = beta2 * v[i] + fresh2 * d * d;
          p[i] = keep * p[i] - unless_off(rate, rate * first / (std::sqrt(second) * root + eps));
          m[i] = first;
          v[i] = second;
        };
        for_each_streaming(n, element, p, g, m, v);
      });
    };
    decay == 0 ? run(std::false_type()) : run(std::true_type());
  });
}

}  // namespace xgrad::optim
