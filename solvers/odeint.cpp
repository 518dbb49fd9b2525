#include "odeint.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "../autograd/apply.hpp"
#include "../autograd/create.hpp"
#include "../autograd/derivatives.hpp"
#include "../ops/arithmetic.hpp"
#include "../ops/joining.hpp"
#include "../ops/math.hpp"
#include "../ops/reduce.hpp"
#include "../ops/shape.hpp"
#include "../ops/slicing.hpp"

namespace xgrad {

namespace {

using Field = std::function<Tensor(double t, const Tensor& y)>;

/// The sum of h weights[i] slopes[i], added to y; weights of 0 are left out.
template <std::size_t N>
Tensor moved(const Tensor& y, double h, const std::vector<Tensor>& slopes, const std::array<double, N>& weights) {
  Tensor sum = y;
  for (std::size_t i = 0; i < N; ++i)
    if (weights[i] != 0) sum = sum + (h * weights[i]) * slopes[i];
  return sum;
}

// Dormand and Prince's method; its error estimate, and the interpolation of Shampine, as in SciPy.
constexpr std::array<double, 6> nodes = {0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1};
constexpr std::array<std::array<double, 5>, 6> stages = {
    {{},
     {1.0 / 5},
     {3.0 / 40, 9.0 / 40},
     {44.0 / 45, -56.0 / 15, 32.0 / 9},
     {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
     {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656}}};
constexpr std::array<double, 6> weights = {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84};
constexpr std::array<double, 7> of_error = {-71.0 / 57600,    0,           71.0 / 16695, -71.0 / 1920,
                                            17253.0 / 339200, -22.0 / 525, 1.0 / 40};
constexpr double interpolation[7][4] = {
    {1, -8048581381.0 / 2820520608, 8663915743.0 / 2820520608, -12715105075.0 / 11282082432},
    {0, 0, 0, 0},
    {0, 131558114200.0 / 32700410799, -68118460800.0 / 10900136933, 87487479700.0 / 32700410799},
    {0, -1754552775.0 / 470086768, 14199869525.0 / 1410260304, -10690763975.0 / 1880347072},
    {0, 127303824393.0 / 49829197408, -318862633887.0 / 49829197408, 701980252875.0 / 199316789632},
    {0, -282668133.0 / 205662961, 2019193451.0 / 616988883, -1453857185.0 / 822651844},
    {0, 40617522.0 / 29380423, -110615467.0 / 29380423, 69997945.0 / 29380423}};

/// y, by the part of the step from y0 that has been gone.
Tensor between(const Tensor& y0, double h, const std::vector<Tensor>& slopes, double part) {
  std::array<double, 7> at = {};
  for (std::size_t i = 0; i < 7; ++i)
    for (int power = 4; power > 0; --power) at[i] = (at[i] + interpolation[i][power - 1]) * part;
  return moved(y0, h, slopes, at);
}

double root_mean_square(const Tensor& x) {
  return x.numel() == 0 ? 0 : std::sqrt(mean(square(x.to(float64))).item<double>());
}

/// The options of steps.
struct Steps {
  OdeMethod method;
  double rtol, atol, first_step, max_step;
  std::int64_t max_steps;
};

class Solver {
 public:
  Solver(const Field& f, const std::vector<double>& t, const Steps& options)
      : f_(f), times_(t), options_(options), direction_(t.back() >= t.front() ? 1 : -1) {}

  std::vector<Tensor> solve(const Tensor& y0) {
    return options_.method == OdeMethod::rk4 ? with_equal_steps(y0) : with_chosen_steps(y0);
  }

 private:
  Tensor slope(double t, const Tensor& y) const {
    const Tensor k = f_(t, y);
    check(k.defined() && k.shape() == y.shape() && k.dtype() == y.dtype(), "odeint: f gave a tensor of shape ",
          k.defined() ? k.shape() : Shape(), " and dtype ", k.defined() ? k.dtype() : y.dtype(), " for y of shape ",
          y.shape(), " and dtype ", y.dtype(), "; both must be equal");
    return k;
  }

  std::vector<Tensor> with_equal_steps(const Tensor& y0) const {
    std::vector<Tensor> found = {y0};
    std::int64_t taken = 0;
    Tensor y = y0;
    for (std::size_t i = 1; i < times_.size(); ++i) {
      const double length = times_[i] - times_[i - 1];
      const double parts =
          options_.first_step > 0 ? std::ceil(std::abs(length) / options_.first_step * (1 - 1e-12)) : 1;
      check(parts < static_cast<double>(options_.max_steps - taken), "odeint: more than ", options_.max_steps,
            " steps (max_steps)");
      const double h = length / std::max(parts, 1.0);
      for (std::int64_t step = 0; step < static_cast<std::int64_t>(std::max(parts, 1.0)); ++step, ++taken) {
        const double t = times_[i - 1] + static_cast<double>(step) * h;
        const Tensor k1 = slope(t, y), k2 = slope(t + h / 2, y + (h / 2) * k1), k3 = slope(t + h / 2, y + (h / 2) * k2),
                     k4 = slope(t + h, y + h * k3);
        y = y + (h / 6) * (k1 + 2 * (k2 + k3) + k4);
      }
      found.push_back(y);
    }
    return found;
  }

  /// Hairer, Norsett and Wanner's estimate of a first step, as in SciPy.
  double first_step(double t, const Tensor& y, const Tensor& k) const {
    const NoGrad no_grad;
    const double interval = std::abs(times_.back() - times_.front());
    if (interval == 0) return 0;
    const Tensor scale = options_.atol + options_.rtol * abs(y);
    const double size = root_mean_square(y / scale), rate = root_mean_square(k / scale);
    const double trial = std::min(size < 1e-5 || rate < 1e-5 ? 1e-6 : 0.01 * size / rate, interval);
    const Tensor next = slope(t + trial * direction_, y + (trial * direction_) * k);
    const double change = root_mean_square((next - k) / scale) / trial;
    const double step = rate <= 1e-15 && change <= 1e-15 ? std::max(1e-6, trial * 1e-3)
                                                         : std::pow(0.01 / std::max(rate, change), 1.0 / 5);
    return std::min({100 * trial, step, interval, options_.max_step});
  }

  double error_of(const Tensor& y, const Tensor& next, double h, const std::vector<Tensor>& slopes) const {
    const NoGrad no_grad;
    const Tensor scale = options_.atol + options_.rtol * maximum(abs(y), abs(next));
    return root_mean_square(moved(zeros_like(y), h, slopes, of_error) / scale);
  }

  std::vector<Tensor> with_chosen_steps(const Tensor& y0) const {
    std::vector<Tensor> found = {y0};
    double t = times_.front();
    const double end = times_.back();
    Tensor y = y0, k = slope(t, y);
    double length = options_.first_step > 0 ? options_.first_step : first_step(t, y, k);
    for (std::int64_t step = 0; found.size() < times_.size(); ++step) {
      check(step < options_.max_steps, "odeint: more than ", options_.max_steps, " steps (max_steps), at t = ", t);
      const double shortest =
          10 * std::abs(std::nextafter(t, direction_ * std::numeric_limits<double>::infinity()) - t);
      length = std::clamp(length, shortest, std::max(options_.max_step, shortest));
      Tensor next;
      std::vector<Tensor> slopes;
      double h = 0, arrival = t;
      for (bool rejected = false;; rejected = true) {
        check(length >= shortest, "odeint: the step at t = ", t,
              " would have to be shorter than numbers are apart; the solution may have no value there");
        arrival = t + direction_ * length;
        if (direction_ * (arrival - end) > 0) arrival = end;
        h = arrival - t, length = std::abs(h);
        slopes = {k};
        for (std::size_t stage = 1; stage < 6; ++stage)
          slopes.push_back(slope(t + nodes[stage] * h, moved(y, h, slopes, stages[stage])));
        next = moved(y, h, slopes, weights);
        slopes.push_back(slope(arrival, next));
        const double error = error_of(y, next, h, slopes);
        if (error < 1) {
          const double factor = error == 0 ? 10 : std::min(10.0, 0.9 * std::pow(error, -0.2));
          length *= rejected ? std::min(1.0, factor) : factor;
          break;
        }
        length *= std::isnan(error) ? 0.2 : std::max(0.2, 0.9 * std::pow(error, -0.2));
      }
      for (; found.size() < times_.size() && direction_ * (times_[found.size()] - arrival) <= 0;)
        found.push_back(times_[found.size()] == arrival ? next : between(y, h, slopes, (times_[found.size()] - t) / h));
      t = arrival, y = next, k = slopes.back();
    }
    return found;
  }

  const Field& f_;
  const std::vector<double>& times_;
  const Steps& options_;
  double direction_;
};

/// The solution without the steps' history; backward solves the adjoint equation (Pontryagin; Chen et al. 2018).
struct AdjointOdeint {
  static constexpr const char* name = "odeint";
  static constexpr bool once_differentiable = true;
  Field f;
  std::vector<double> times;
  Steps options;
  Saved solution = {};
  std::vector<Saved> parameters = {};

  Tensor forward(const std::vector<Tensor>& inputs) {
    for (std::size_t i = 1; i < inputs.size(); ++i) parameters.emplace_back(inputs[i]);
    const NoGrad no_grad;
    const Tensor out = stack(Solver(f, times, options).solve(inputs[0].detach()));
    solution = out;
    return out;
  }

  std::vector<Tensor> backward(const Tensor& grad) const {
    std::vector<Tensor> wanted;
    for (const Saved& parameter : parameters) wanted.push_back(parameter);
    const Tensor path = solution;
    const auto row = [](const Tensor& rows, std::size_t i) { return select(rows, 0, static_cast<std::int64_t>(i)); };
    // The state: y, its adjoint, and the gradients of the parameters, one after the other.
    const std::int64_t n = row(path, 0).numel();
    std::vector<std::int64_t> sizes = {n, n};
    for (const Tensor& parameter : wanted) sizes.push_back(parameter.numel());
    const Field augmented = [&](double t, const Tensor& state) {
      const EnableGrad enable_grad;
      const Tensor y = reshape(narrow(state, 0, 0, n), row(path, 0).shape()).detach().requires_grad_();
      const Tensor adjoint = reshape(narrow(state, 0, n, n), y.shape()).detach();
      const Tensor k = f(t, y);
      std::vector<Tensor> inputs = {y};
      inputs.insert(inputs.end(), wanted.begin(), wanted.end());
      std::vector<Tensor> parts = {reshape(k.detach(), {-1})};
      if (k.requires_grad()) {
        std::vector<Tensor> gradients = xgrad::grad({k}, inputs, {.allow_unused = true, .grad_outputs = {adjoint}});
        for (std::size_t i = 0; i < inputs.size(); ++i)
          parts.push_back(reshape(
              gradients[i].defined() ? -gradients[i].to(y.dtype()) : zeros(inputs[i].shape(), {.dtype = y.dtype()}),
              {-1}));
      } else {
        for (const Tensor& input : inputs) parts.push_back(zeros({input.numel()}, {.dtype = y.dtype()}));
      }
      const NoGrad no_grad;
      return concat(parts, 0);
    };
    const NoGrad no_grad;
    std::vector<Tensor> parts = {reshape(row(path, times.size() - 1), {-1}),
                                 reshape(row(grad, times.size() - 1), {-1})};
    for (const Tensor& parameter : wanted) parts.push_back(zeros({parameter.numel()}, {.dtype = path.dtype()}));
    Tensor state = concat(parts, 0);
    for (std::size_t i = times.size() - 1; i > 0; --i) {
      const std::vector<double> back = {times[i], times[i - 1]};
      state = Solver(augmented, back, options).solve(state).back();
      const std::int64_t rest = state.numel() - 2 * n;
      state = concat({reshape(row(path, i - 1), {-1}), narrow(state, 0, n, n) + reshape(row(grad, i - 1), {-1}),
                      narrow(state, 0, 2 * n, rest)},
                     0);
    }
    std::vector<Tensor> gradients = {reshape(narrow(state, 0, n, n), row(path, 0).shape())};
    std::int64_t at = 2 * n;
    for (const Tensor& parameter : wanted) {
      gradients.push_back(reshape(narrow(state, 0, at, parameter.numel()), parameter.shape()));
      at += parameter.numel();
    }
    return gradients;
  }
};

void check_options(const Tensor& y0, const std::vector<double>& t, const OdeintOptions& options) {
  constexpr const char* op = "odeint";
  check(y0.defined() && (y0.dtype() == float32 || y0.dtype() == float64), op, ": y0 is ",
        y0.defined() ? name(y0.dtype()) : "undefined", ", expected a tensor of float32 or float64");
  check(!t.empty(), op, ": there are no times");
  for (std::size_t i = 0; i < t.size(); ++i) {
    check(std::isfinite(t[i]), op, ": time ", i, " is ", t[i]);
    check(i == 0 || (t.back() > t.front() ? t[i] > t[i - 1] : t[i] < t[i - 1]), op, ": time ", t[i], " follows ",
          t[i > 0 ? i - 1 : 0], "; times must increase, or decrease");
  }
  check(options.rtol >= 0 && options.atol >= 0 && options.rtol + options.atol > 0, op, ": rtol is ", options.rtol,
        " and atol ", options.atol, "; neither may be negative, nor both 0");
  check(options.first_step >= 0 && options.max_step > 0 && options.max_steps > 0, op, ": first_step is ",
        options.first_step, ", max_step ", options.max_step, ", max_steps ", options.max_steps,
        "; they must be positive");
}

}  // namespace

Tensor odeint(const Field& f, const Tensor& y0, const std::vector<double>& t, const OdeintOptions& options) {
  check_options(y0, t, options);
  check(options.adjoint || options.adjoint_parameters.empty(),
        "odeint: adjoint_parameters are given, but adjoint is false: their gradients go through the steps");
  const Steps steps{options.method,     options.rtol,     options.atol,
                    options.first_step, options.max_step, options.max_steps};
  if (!options.adjoint) return stack(Solver(f, t, steps).solve(y0));
  std::vector<Tensor> inputs = {y0};
  inputs.insert(inputs.end(), options.adjoint_parameters.begin(), options.adjoint_parameters.end());
  return apply(AdjointOdeint{f, t, steps}, inputs);
}

}  // namespace xgrad
