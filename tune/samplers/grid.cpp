#include "grid.hpp"

#include <algorithm>
#include <optional>

#include "../../core/error.hpp"
#include "../trials/space.hpp"

namespace xgrad::tune {
namespace {

struct Text {
  std::string operator()(std::monostate) const { return "None"; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(const std::string& value) const { return "\"" + value + "\""; }
  std::string operator()(const JsonChoice& value) const { return value.json; }
  template <class T>
  std::string operator()(T value) const {
    std::string text;
    xgrad::detail::append(text, value);
    return text;
  }
};

class GridSampler final : public Sampler {
 public:
  GridSampler(const Grid& grid, std::uint64_t seed) : grid_(grid), random_(Random{}.make(seed)) {}

  double suggest(const History& history, const TrialRecord& trial, const std::string& name,
                 const Distribution& distribution) override {
    std::int64_t stride = 1;
    for (auto axis = grid_.axes.rbegin(); axis != grid_.axes.rend(); ++axis) {
      const auto values = static_cast<std::int64_t>(axis->values.size());
      if (axis->name == name) {
        const Choice& choice = axis->values[static_cast<std::size_t>(trial.number / stride % values)];
        const auto value = value_in(distribution, choice);
        check(value.has_value(), "Grid: \"", name, "\": ", std::visit(Text{}, choice),
              " is not a value of its distribution");
        return *value;
      }
      stride *= values;
    }
    return random_->suggest(history, trial, name, distribution);
  }

 private:
  Grid grid_;
  std::unique_ptr<Sampler> random_;
};

}  // namespace

std::int64_t Grid::size() const {
  std::int64_t product = 1;
  for (const Axis& axis : axes) {
    const auto values = static_cast<std::int64_t>(axis.values.size());
    check(values == 0 || product <= (std::int64_t{1} << 53) / values, "Grid: more than 2^53 combinations");
    product *= values;
  }
  return product;
}

std::unique_ptr<Sampler> Grid::make(std::uint64_t seed) const {
  check(!axes.empty(), "Grid: no axes");
  for (std::size_t i = 0; i < axes.size(); ++i) {
    check(!axes[i].values.empty(), "Grid: \"", axes[i].name, "\" has no values");
    for (std::size_t j = 0; j < i; ++j)
      check(axes[i].name != axes[j].name, "Grid: \"", axes[i].name, "\" is given twice");
  }
  size();
  return std::make_unique<GridSampler>(*this, seed);
}

}  // namespace xgrad::tune
