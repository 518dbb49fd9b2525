#include "ctc.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "../autograd/apply.hpp"
#include "../autograd/autocast.hpp"
#include "../autograd/composed.hpp"
#include "../autograd/create.hpp"
#include "../autograd/primitives.hpp"
#include "../kernels/ctc.hpp"
#include "arithmetic.hpp"
#include "comparison.hpp"
#include "extrema.hpp"
#include "gather.hpp"
#include "joining.hpp"
#include "math.hpp"
#include "reduce.hpp"
#include "shape.hpp"
#include "slicing.hpp"

namespace xgrad {

namespace {

struct CTC {
  static constexpr const char* name = "ctc_loss";
  Saved labels, used_states, lengths;  // as in detail::CTCSize
  Saved log_probs = {}, alphas = {}, losses = {};

  Tensor forward(const Tensor& x) {
    const Tensor from = *detail::dense(x), rows = labels;
    log_probs = from;
    const Tensor sums = detail::empty({x.size(1), x.size(0), rows.size(1)}, x.dtype()),
                 out = detail::empty({x.size(1)}, x.dtype());
    dispatch_floating(name, x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      with_size(from, [&](const detail::CTCSize& size) {
        detail::ctc<T>(size, from.data<T>(), sums.data<T>(), out.data<T>());
      });
    });
    alphas = sums, losses = out;
    return out;
  }

  Tensor backward(const Tensor& grad) const {
    const Tensor x = log_probs;
    if (is_grad_enabled())
      return detail::composed_backward([this](const Tensor& input) { return composed(input); },
                                       std::array<Tensor, 1>{x}, grad, Needs())[0];
    const Tensor out = zeros(x.shape(), {.dtype = x.dtype()}), g = *detail::dense(grad), sums = alphas, made = losses;
    dispatch_floating(name, x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      with_size(x, [&](const detail::CTCSize& size) {
        detail::ctc_backward<T>(size, x.data<T>(), sums.data<T>(), made.data<T>(), g.data<T>(), out.data<T>());
      });
    });
    return out;
  }

 private:
  template <class F>
  void with_size(const Tensor& x, const F& f) const {
    const Tensor rows = labels, used = used_states, steps = lengths;
    f(detail::CTCSize{x.size(0), x.size(1), x.size(2), rows.size(1), rows.data<std::int64_t>(),
                      used.data<std::int64_t>(), steps.data<std::int64_t>()});
  }

  /// The same from other operations. What cannot be reached is far away, not infinitely far: its derivatives are 0.
  Tensor composed(const Tensor& x) const {
    constexpr double far = -1e30;
    const Tensor rows = labels, used = used_states, steps = lengths;
    const std::int64_t batch = x.size(1), states = rows.size(1);
    const Tensor seen = gather(maximum(x, full({}, far, {.dtype = x.dtype()})), 2,
                               expand(unsqueeze(rows, 0), {x.size(0), batch, states}).contiguous());
    const Tensor state = unsqueeze(arange(states, {.dtype = int64}), 0);
    Tensor cannot_skip = ones({batch, states}, {.dtype = bool_});
    for (std::int64_t n = 0; n < batch; ++n)
      for (std::int64_t s = 3; s < states; s += 2)
        cannot_skip.data<bool>()[n * states + s] =
            rows.data<std::int64_t>()[n * states + s] == rows.data<std::int64_t>()[n * states + s - 2];
    const auto moved = [&](const Tensor& alpha, std::int64_t by) {
      const std::int64_t kept = std::max<std::int64_t>(states - by, 0);
      return concat({full({batch, states - kept}, far, {.dtype = x.dtype()}), narrow(alpha, 1, 0, kept)}, 1);
    };
    const auto log_sum = [](const std::vector<Tensor>& terms) {
      const Tensor all = stack(terms), most = amax(all.detach(), 0);
      return most + log(sum(exp(all - most), 0));
    };
    // A sequence begins with a blank or its first label; without steps it is of blanks alone.
    const Tensor first = unsqueeze(clamp(steps, {}, 1), 1) + 1;
    Tensor alpha = masked_fill(zeros({batch, states}, {.dtype = x.dtype()}), state >= first, far);
    for (std::int64_t step = 0; step < x.size(0); ++step) {
      const Tensor reached =
          step == 0 ? alpha : log_sum({alpha, moved(alpha, 1), masked_fill(moved(alpha, 2), cannot_skip, far)});
      alpha = where(unsqueeze(steps, 1) > step, reached + select(seen, 0, step), alpha);
    }
    const Tensor ends = logical_or(state == unsqueeze(used, 1) - 1, state == unsqueeze(used, 1) - 2);
    const Tensor last = where(ends, alpha, full({}, far, {.dtype = x.dtype()}));
    const Tensor most = amax(last.detach(), 1, {.keepdim = true});
    return -(squeeze(most, 1) + log(sum(exp(last - most), 1)));
  }
};

std::vector<std::int64_t> lengths_of(const char* what, const Tensor& lengths, std::int64_t batch, std::int64_t most) {
  constexpr const char* op = CTC::name;
  check(detail::kind_of(lengths.dtype()) == detail::Kind::integer && lengths.numel() == batch && lengths.dim() <= 1, op,
        ": ", what, " have shape ", lengths.shape(), " and dtype ", lengths.dtype(), "; (", batch,
        ",) of integers is needed");
  std::vector<std::int64_t> all = lengths.to_vector<std::int64_t>();
  for (const std::int64_t length : all)
    check(length >= 0 && length <= most, op, ": one of the ", what, " is ", length, "; it must lie between 0 and ",
          most);
  return all;
}

}  // namespace

Tensor ctc_loss(Operand input, const Tensor& targets, const Tensor& input_lengths, const Tensor& target_lengths,
                const CTCLossOptions& options) {
  constexpr const char* op = CTC::name;
  const detail::MaybeOwned log_probs = detail::in_float32(*input);
  return detail::with_memory_for(op, [&] {
    check(log_probs->dim() == 2 || log_probs->dim() == 3, op, ": log_probs have shape ", log_probs->shape(),
          "; (steps, batch, classes) or (steps, classes) is needed");
    check(is_floating(log_probs->dtype()), op, ": log_probs are ", log_probs->dtype(),
          "; convert them with .to(float32)");
    const bool batched = log_probs->dim() == 3;
    const Tensor x = batched ? *log_probs : unsqueeze(*log_probs, 1);
    const std::int64_t batch = x.size(1), classes = x.size(2), blank = options.blank;
    check(blank >= 0 && blank < classes, op, ": blank is ", blank, ", and there are ", classes, " classes");
    check(detail::kind_of(targets.dtype()) == detail::Kind::integer, op, ": targets are ", targets.dtype(),
          "; convert them with .to(int64)");
    const bool padded = targets.dim() == 2;
    check(targets.dim() == 1 || (padded && targets.size(0) == batch), op, ": targets have shape ", targets.shape(),
          "; (", batch, ", labels), or all labels one after the other, is needed");
    const std::int64_t most = targets.size(-1);
    const std::vector<std::int64_t> steps = lengths_of("input_lengths", input_lengths, batch, x.size(0)),
                                    counts = lengths_of("target_lengths", target_lengths, batch, most),
                                    all = targets.to_vector<std::int64_t>();
    std::int64_t together = 0;
    for (const std::int64_t count : counts) together += count;
    check(padded || together == most, op, ": target_lengths add up to ", together, ", and there are ", most, " labels");
    const std::int64_t states = 2 * (counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end())) + 1;
    const Tensor labels = full({batch, states}, blank, {.dtype = int64}), used = detail::empty({batch}, int64);
    std::int64_t at = 0;
    for (std::int64_t n = 0; n < batch; ++n) {
      const std::int64_t count = counts[static_cast<std::size_t>(n)], first = padded ? n * most : at;
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t label = all[static_cast<std::size_t>(first + i)];
        check(label >= 0 && label < classes && label != blank, op, ": label ", label, " at ", i, " of target ", n,
              "; it must be one of ", classes, " classes, and not the blank ", blank);
        labels.data<std::int64_t>()[n * states + 2 * i + 1] = label;
      }
      used.data<std::int64_t>()[n] = 2 * count + 1;
      at += count;
    }
    Tensor losses =
        detail::narrowed(apply(CTC{labels, used, tensor(steps, {.dtype = int64})}, detail::widened(x)), x.dtype());
    if (options.zero_infinity) losses = masked_fill(losses, isinf(losses.detach()), 0);
    if (options.reduction == Reduction::none) return batched ? losses : squeeze(losses, 0);
    if (options.reduction == Reduction::sum) return sum(losses);
    std::vector<double> sizes;
    for (const std::int64_t count : counts) sizes.push_back(static_cast<double>(std::max<std::int64_t>(count, 1)));
    return mean(losses / from_values(sizes, {batch}).to(x.dtype()));
  });
}

}  // namespace xgrad
