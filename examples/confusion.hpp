#pragma once
// How well a classifier of the ten classes of Fashion-MNIST does on each.

#include <xgrad/xgrad.hpp>

#include <array>
#include <cstdio>
#include <string>

/// counts[label][prediction] over a data set.
using Confusion = std::array<std::array<std::int64_t, 10>, 10>;

template <class Net>
Confusion confusion(Net& net, const xgrad::data::Dataset& set) {
  xgrad::nn::eval(net);
  const xgrad::NoGrad no_grad;
  Confusion counts{};
  for (const xgrad::data::Batch& batch : xgrad::data::DataLoader(set, {.batch_size = 1000})) {
    const xgrad::Tensor predicted = argmax(net(batch.x), 1);
    const auto* label = batch.y.data<std::int64_t>();
    for (const std::int64_t one : predicted.span<std::int64_t>()) ++counts.at(*label++).at(one);
  }
  return counts;
}

inline double accuracy(const Confusion& counts) {
  double right = 0, all = 0;
  for (std::size_t label = 0; label < counts.size(); ++label)
    for (std::size_t predicted = 0; predicted < counts.size(); ++predicted) {
      all += static_cast<double>(counts[label][predicted]);
      if (label == predicted) right += static_cast<double>(counts[label][predicted]);
    }
  return right / all;
}

inline void print_classes(const Confusion& counts) {
  constexpr auto& names = xgrad::data::FashionMNIST::classes;
  std::printf("\n%-12s  precision  recall  images  most often taken for\n", "class");
  for (std::size_t label = 0; label < counts.size(); ++label) {
    std::int64_t images = 0, predictions = 0, worst = 0;
    std::size_t confused = label;
    for (std::size_t other = 0; other < counts.size(); ++other) {
      images += counts[label][other];
      predictions += counts[other][label];
      if (other != label && counts[label][other] > worst) worst = counts[label][other], confused = other;
    }
    const auto right = static_cast<double>(counts[label][label]);
    std::printf("%-12s %9.1f%% %6.1f%%  %6lld  ", std::string(names[label]).c_str(),
                predictions ? 100 * right / static_cast<double>(predictions) : 0.0,
                images ? 100 * right / static_cast<double>(images) : 0.0, static_cast<long long>(images));
    if (confused == label)
      std::printf("-\n");
    else
      std::printf("%s (%lld)\n", std::string(names[confused]).c_str(), static_cast<long long>(worst));
  }
}
