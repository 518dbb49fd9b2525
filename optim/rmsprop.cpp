#include "rmsprop.hpp"

#include <cmath>

#include "../core/instruction_set.hpp"

namespace xgrad::optim {

using detail::unless_off;

RMSprop::RMSprop(Parameters parameters, const RMSpropOptions& options)
    : Optimizer(std::move(parameters), options.lr,
                options.momentum == 0 ? std::vector<const char*>{"square_avg"}
                                      : std::vector<const char*>{"square_avg", "momentum_buffer"}),
      options_(options) {
  check(options.alpha >= 0 && options.alpha <= 1, "RMSprop: alpha is ", options.alpha, "; it must lie between 0 and 1");
  detail::check_option("RMSprop", "eps", options.eps);
  detail::check_option("RMSprop", "weight_decay", options.weight_decay);
  detail::check_option("RMSprop", "momentum", options.momentum);
}

void RMSprop::update(const Piece& piece) const {
  dispatch_piece(piece, [&]<class T>(T* p, const T* g) {
    const T rate = static_cast<T>(lr()), alpha = static_cast<T>(options_.alpha),
            fresh = static_cast<T>(1 - options_.alpha);
    const T eps = static_cast<T>(options_.eps), decay = static_cast<T>(options_.weight_decay);
    const T momentum = static_cast<T>(options_.momentum);
    const std::int64_t n = piece.size;
    T* const s = static_cast<T*>(piece.buffers[0]);
    T* const v = static_cast<T*>(piece.buffers[1]);
    if (v) {
      vectorized([=] {
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < n; ++i) {
          const T d = g[i] + unless_off(decay, decay * p[i]);
          const T square = unless_off(alpha, alpha * s[i]) + unless_off(fresh, fresh * d * d);
          const T velocity = momentum * v[i] + d / (std::sqrt(square) + eps);
          p[i] -= unless_off(rate, rate * velocity);
          s[i] = square;
          v[i] = velocity;
        }
      });
    } else {
      vectorized([=] {
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < n; ++i) {
          const T d = g[i] + unless_off(decay, decay * p[i]);
          const T square = unless_off(alpha, alpha * s[i]) + unless_off(fresh, fresh * d * d);
          p[i] -= unless_off(rate, rate * d / (std::sqrt(square) + eps));
          s[i] = square;
        }
      });
    }
  });
}

}  // namespace xgrad::optim
