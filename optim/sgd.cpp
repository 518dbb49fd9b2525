#include "sgd.hpp"

#include "../core/vectorize.hpp"

namespace xgrad::optim {

SGD::SGD(std::vector<Tensor> parameters, const SGDOptions& options)
    : Optimizer(std::move(parameters), options.lr,
                options.momentum == 0 ? std::vector<const char*>{} : std::vector<const char*>{"momentum_buffer"}),
      options_(options) {
  check(options.momentum >= 0, "SGD: momentum is ", options.momentum, "; it must not be negative");
  check(options.weight_decay >= 0, "SGD: weight_decay is ", options.weight_decay, "; it must not be negative");
  check(!options.nesterov || (options.momentum > 0 && options.dampening == 0),
        "SGD: nesterov needs momentum > 0 and dampening 0, they are ", options.momentum, " and ", options.dampening);
}

void SGD::update(const Piece& piece) const {
  dispatch_piece(piece, [&]<class T>(T* p, const T* g) {
    const T rate = static_cast<T>(lr()), decay = static_cast<T>(options_.weight_decay),
            momentum = static_cast<T>(options_.momentum);
    const T fresh = piece.step == 1 ? T(1) : static_cast<T>(1 - options_.dampening);
    const std::int64_t n = piece.size;
    if (options_.momentum == 0) {
      vectorized([=] {
        XGRAD_INDEPENDENT_ITERATIONS
        for (std::int64_t i = 0; i < n; ++i) p[i] -= rate * (g[i] + decay * p[i]);
      });
      return;
    }
    T* const v = static_cast<T*>(piece.buffers[0]);
    // nesterov: d + momentum * v; otherwise: 0 * d + 1 * v
    const T direct = options_.nesterov ? T(1) : T(0), through = options_.nesterov ? momentum : T(1);
    vectorized([=] {
      XGRAD_INDEPENDENT_ITERATIONS
      for (std::int64_t i = 0; i < n; ++i) {
        const T d = g[i] + decay * p[i];
        const T velocity = momentum * v[i] + fresh * d;
        p[i] -= rate * (direct * d + through * velocity);
        v[i] = velocity;
      }
    });
  });
}

}  // namespace xgrad::optim
