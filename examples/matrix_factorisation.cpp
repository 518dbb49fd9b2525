// Ratings that were not given: a matrix of users and items, of which a fifth is known, is completed as the product of
// two narrow ones. What each user and item is like is learnt from the known ratings alone; others show how good that
// is.
//   matrix_factorisation [--steps N] [--seed N] [--plot FILE.png]
#include <xgrad/xgrad.hpp>

#include <CLI/CLI.hpp>

#include <cmath>
#include <iostream>

#include "gnuplot.hpp"

using namespace xgrad;

namespace {

constexpr std::int64_t users = 300, items = 200, rank = 3, given = users * items / 5, held_out = 4000;
constexpr double noise = 0.25;

struct Factors {
  Tensor user = 0.3 * randn({users, rank}), item = 0.3 * randn({items, rank});
  Tensor user_bias = zeros({users}), item_bias = zeros({items});

  /// Of pairs of users and items.
  Tensor operator()(const Tensor& u, const Tensor& i) const {
    return sum(index_select(user, 0, u) * index_select(item, 0, i), 1) + index_select(user_bias, 0, u) +
           index_select(item_bias, 0, i);
  }
};

struct Ratings {
  Tensor user, item, value;
};
Ratings part(const Ratings& all, std::int64_t begin, std::int64_t end) {
  return {slice(all.user, 0, begin, end), slice(all.item, 0, begin, end), slice(all.value, 0, begin, end)};
}

double error(const Factors& factors, const Ratings& ratings) {
  const NoGrad no_grad;
  return std::sqrt(mse_loss(factors(ratings.user, ratings.item), ratings.value).item());
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t steps = 400;
  std::uint64_t seed = 5;
  std::string plot = "matrix_factorisation.png";
  CLI::App app("A matrix of ratings completed by factors");
  app.add_option("--steps", steps, "of training")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seed", seed)->capture_default_str();
  app.add_option("--plot", plot, "picture to write, by gnuplot")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  manual_seed(seed);

  const Tensor of_users = randn({users, rank}), of_items = randn({items, rank}), liked = randn({items});
  const Tensor pairs = slice(randperm(users * items), 0, 0, given + held_out);
  Ratings all{floor_divide(pairs, items), remainder(pairs, items), {}};
  all.value = sum(index_select(of_users, 0, all.user) * index_select(of_items, 0, all.item), 1) +
              index_select(liked, 0, all.item) + noise * randn({given + held_out});
  const Ratings known = part(all, 0, given), others = part(all, given, given + held_out);

  Factors factors;
  for (Tensor* parameter : {&factors.user, &factors.item, &factors.user_bias, &factors.item_bias})
    parameter->requires_grad_();
  optim::AdamW optimizer(factors, {.lr = 0.03, .weight_decay = 0.02});
  std::vector<Tensor> course;
  for (std::int64_t step = 0; step < steps; ++step) {
    optimizer.zero_grad();
    mse_loss(factors(known.user, known.item), known.value).backward();
    optimizer.step();
    if (step % 5 == 0)
      course.push_back(tensor({static_cast<double>(step), error(factors, known), error(factors, others)}));
  }
  const double last = error(factors, others);
  std::cout << "root mean square error of ratings that were not known: " << last << "; they spread by "
            << stddev(others.value).item() << ", and " << noise << " of that is noise\n";
  {
    Gnuplot picture(plot, 700, 450);
    picture.define("course", stack(course));
    picture << "set xlabel 'step'\nset ylabel 'root mean square error'\nset yrange [0:*]\nplot $course using 1:2 with "
               "lines "
               "lw 2 lc rgb '#4477aa' title 'known ratings', $course using 1:3 with lines lw 2 lc rgb '#cc3311' title "
               "'other ratings', "
            << noise << " with lines dt 2 lc rgb '#333333' title 'noise'\n";
  }
  return last < 1.5 * noise ? 0 : 1;
}
