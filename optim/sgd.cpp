#include "sgd.hpp"

#include <cmath>

#include "../core/instruction_set.hpp"

namespace xgrad::optim {

using detail::unless_off;

SGD::SGD(Parameters parameters, const SGDOptions& options)
    : Optimizer(std::move(parameters), options.lr,
                options.momentum == 0 ? std::vector<const char*>{} : std::vector<const char*>{"momentum_buffer"}),
      options_(options) {
  detail::check_option("SGD", "momentum", options.momentum);
  detail::check_option("SGD", "weight_decay", options.weight_decay);
  check(std::isfinite(options.dampening), "SGD: dampening is ", options.dampening, "; it must be finite");
  check(!options.nesterov || (options.momentum > 0 && options.dampening == 0),
        "SGD: nesterov needs momentum > 0 and dampening 0, they are ", options.momentum, " and ", options.dampening);
}

void SGD::update(const Piece& piece) const {
  dispatch_piece(piece, [&]<class T>(T* p, const T* g) {
    const T rate = static_cast<T>(lr()), decay = static_cast<T>(options_.weight_decay),
            momentum = static_cast<T>(options_.momentum);
    const T fresh = piece.first ? T(1) : static_cast<T>(1 - options_.dampening);
    const std::int64_t n = piece.size;
    if (options_.momentum == 0) {
      vectorized([=] {
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < n; ++i) p[i] -= unless_off(rate, rate * (g[i] + unless_off(decay, decay * p[i])));
      });
      return;
    }
    T* const v = static_cast<T*>(piece.buffers[0]);
    if (options_.nesterov) {
      vectorized([=] {
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < n; ++i) {
          const T d = g[i] + unless_off(decay, decay * p[i]);
          const T velocity = momentum * v[i] + d;
          p[i] -= unless_off(rate, rate * (d + momentum * velocity));
          v[i] = velocity;
        }
      });
    } else {
      vectorized([=] {
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < n; ++i) {
          const T d = g[i] + unless_off(decay, decay * p[i]);
          const T velocity = momentum * v[i] + unless_off(fresh, fresh * d);
          p[i] -= unless_off(rate, rate * velocity);
          v[i] = velocity;
        }
      });
    }
  });
}

}  // namespace xgrad::optim
