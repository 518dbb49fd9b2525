#include "adagrad.hpp"

#include <cmath>

#include "../core/instruction_set.hpp"

namespace xgrad::optim {

using detail::unless_off;

Adagrad::Adagrad(Parameters parameters, const AdagradOptions& options)
    : Optimizer(std::move(parameters), options.lr, {"sum"}), options_(options) {
  detail::check_option("Adagrad", "lr_decay", options.lr_decay);
  detail::check_option("Adagrad", "weight_decay", options.weight_decay);
  detail::check_option("Adagrad", "initial_accumulator_value", options.initial_accumulator_value);
  detail::check_option("Adagrad", "eps", options.eps);
}

void Adagrad::update(const Piece& piece) const {
  dispatch_piece(piece, [&]<class T>(T* p, const T* g) {
    const T rate = static_cast<T>(lr() / (1 + static_cast<double>(piece.step - 1) * options_.lr_decay));
    const T eps = static_cast<T>(options_.eps), decay = static_cast<T>(options_.weight_decay);
    const std::int64_t n = piece.size;
    T* const s = static_cast<T*>(piece.buffers[0]);
    vectorized([=] {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < n; ++i) {
        const T d = g[i] + unless_off(decay, decay * p[i]);
        const T square = s[i] + d * d;
        p[i] -= unless_off(rate, rate * d / (std::sqrt(square) + eps));
        s[i] = square;
      }
    });
  });
}

}  // namespace xgrad::optim
