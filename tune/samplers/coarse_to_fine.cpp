#include "coarse_to_fine.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "../../core/error.hpp"
#include "../importance/importance.hpp"
#include "../trials/encoding.hpp"
#include "../trials/ranking.hpp"
#include "../trials/space.hpp"
#include "sobol.hpp"

namespace xgrad::tune {
namespace {

struct Side {
  double low = 0, high = 1;
  double width() const { return high - low; }
};

using Box = std::map<std::string, Side>;  // parameters that are not in it have the whole range

double volume(const Box& box) {
  double product = 1;
  for (const auto& [name, side] : box) product *= side.width();
  return product;
}

struct Round {
  std::int64_t since = 0;  // the round that started anew last
  Box box = {};
};

// The u of the trials, best first, in a parameter that is not a choice and that all ended trials have alike.
struct Column {
  double importance;
  std::vector<double> top;
};

Side narrowed(const std::vector<double>& best_first, Side old) {
  std::vector<std::pair<double, double>> points;  // u, weight
  double weight = static_cast<double>(best_first.size()), all = 0;
  for (const double u : best_first) {
    points.emplace_back(u, weight);
    all += weight--;
  }
  std::sort(points.begin(), points.end());
  std::size_t low = 0, high = 0;
  double sum = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (sum < 0.1 * all) low = i;
    if (sum < 0.9 * all) high = i;
    sum += points[i].second;
  }
  const std::size_t n = points.size();
  const double least = old.width() / std::min(100.0, static_cast<double>(n) + 2);
  const auto bandwidth = [&](std::size_t i, std::size_t inner) {
    return std::clamp(std::abs(points[i].first - points[inner].first), least, old.width());
  };
  return {std::max(0.0, points[low].first - bandwidth(low, std::min(low + 1, n - 1))),
          std::min(1.0, points[high].first + bandwidth(high, high > 0 ? high - 1 : 0))};
}

// Twice as wide for factor 2, about its middle, within [0, 1].
Side widened(Side side, double factor) {
  const double width = std::min(1.0, factor * side.width());
  const double low = std::clamp(0.5 * (side.low + side.high - width), 0.0, 1 - width);
  return {low, low + width};
}

// A point next to a face moves it out.
Side follow(Side side, double u) {
  const double width = side.width();
  if (u < side.low + 0.05 * width) side.low = std::max(0.0, std::min(u, side.low) - 0.25 * width);
  if (u > side.high - 0.05 * width) side.high = std::min(1.0, std::max(u, side.high) + 0.25 * width);
  return side;
}

// The attribute "zoom"; nothing if somebody else wrote something else there.
std::optional<Round> parsed(const std::string& attribute) {
  if (!is_json(attribute)) return std::nullopt;
  const auto json = nlohmann::json::parse(attribute, nullptr, false);
  if (!json.is_object() || !json.contains("since") || !json["since"].is_number_unsigned()) return std::nullopt;
  if (!json.contains("box") || !json["box"].is_object()) return std::nullopt;
  if (json["since"].get<std::uint64_t>() > std::uint64_t{1} << 53) return std::nullopt;
  Round round{json["since"].get<std::int64_t>(), {}};
  for (const auto& [name, side] : json["box"].items()) {
    if (!side.is_array() || side.size() != 2 || !side[0].is_number() || !side[1].is_number()) return std::nullopt;
    const Side ends{side[0].get<double>(), side[1].get<double>()};
    if (!(ends.low >= 0 && ends.low < ends.high && ends.high <= 1)) return std::nullopt;
    round.box[name] = ends;
  }
  return round;
}

class CoarseToFineSampler final : public Sampler {
 public:
  CoarseToFineSampler(const CoarseToFine& options, std::uint64_t seed)
      : options_(options), sequence_(seed), random_(Random{}.make(seed)) {}

  std::map<std::string, std::string> begin(const History& history, const TrialRecord& trial) override {
    const Round& round = round_of(history, trial.number);
    nlohmann::json box = nlohmann::json::object();
    for (const auto& [name, side] : round.box) box[name] = {side.low, side.high};
    return {{"zoom", nlohmann::json{{"round", trial.number / options_.points},
                                    {"since", round.since},
                                    {"global", global(trial.number)},
                                    {"box", box}}
                         .dump()}};
  }

  double suggest(const History& history, const TrialRecord& trial, const std::string& name,
                 const Distribution& distribution) override {
    const std::size_t dimension = trial.parameters.size();
    if (dimension >= SobolSequence::dimensions) return random_->suggest(history, trial, name, distribution);
    const double u = sequence_(trial.number, dimension);
    const Box& box = round_of(history, trial.number).box;
    const auto side = box.find(name);
    const bool whole =
        side == box.end() || global(trial.number) || std::holds_alternative<CategoricalDistribution>(distribution);
    return unwarp(distribution, whole ? u : side->second.low + u * side->second.width());
  }

 private:
  bool global(std::int64_t number) const {  // evenly among the numbers
    const auto n = static_cast<double>(number);
    return std::floor((n + 1) * options_.global) > std::floor(n * options_.global);
  }

  const Round& round_of(const History& history, std::int64_t number) {
    const std::int64_t round = number / options_.points;
    while (static_cast<std::int64_t>(rounds_.size()) <= round) {
      const auto next = static_cast<std::int64_t>(rounds_.size());
      auto known = logged(history, next);
      rounds_.push_back(known ? *known : next == 0 ? Round{} : after(history, rounds_.back(), next));
    }
    return rounds_[static_cast<std::size_t>(round)];
  }

  // What a trial of this round has as its attribute, from before a restart or from another worker.
  std::optional<Round> logged(const History& history, std::int64_t round) const {
    const std::int64_t end = std::min(history.size(), (round + 1) * options_.points);
    for (std::int64_t i = round * options_.points; i < end; ++i) {
      const auto found = history[i].attributes.find("zoom");
      if (found == history[i].attributes.end()) continue;
      if (auto result = parsed(found->second); result && result->since <= round) return result;
    }
    return std::nullopt;
  }

  Round after(const History& history, const Round& last, std::int64_t round) const {
    std::vector<Rank> ended;
    for (std::int64_t i = last.since * options_.points; i < std::min(history.size(), round * options_.points); ++i)
      if (const auto s = rank_of(history[i], history.directions()[0])) ended.push_back(*s);
    std::sort(ended.begin(), ended.end());
    const auto bad = std::find_if(ended.begin(), ended.end(), [](const Rank& s) { return s.diverged(); });
    const std::size_t good = static_cast<std::size_t>(bad - ended.begin()), n = ended.size();
    if (good < 5) return last;
    if (volume(last.box) <= 1.0 / 64 && round - ended[0].number / options_.points > 2) return {round, {}};
    const auto wanted = static_cast<std::size_t>(std::ceil(options_.top * static_cast<double>(n)));
    const auto columns = important(history, ended, std::min(good, std::max<std::size_t>(5, wanted)));

    Round next{last.since, last.box};
    Box sides;
    double shrunk = 1;
    for (const auto& [name, column] : columns) {
      const auto found = last.box.find(name);
      const Side old = found == last.box.end() ? Side{} : found->second;
      sides[name] = narrowed(column.top, old);
      shrunk *= sides[name].width() / old.width();
    }
    const double factor = shrunk < 0.25 ? std::pow(0.25 / shrunk, 1 / static_cast<double>(sides.size())) : 1;
    for (const auto& [name, side] : sides) next.box[name] = follow(widened(side, factor), columns.at(name).top[0]);
    return next;
  }

  // The parameters to narrow.
  std::map<std::string, Column> important(const History& history, const std::vector<Rank>& ended,
                                          std::size_t top) const {
    std::map<std::string, Column> columns;
    double all = 0, parameters = 0;
    for (const Parameter& parameter : history[ended[0].number].parameters) {
      std::vector<double> values, coordinates;
      for (const Rank& s : ended) {
        const auto& others = history[s.number].parameters;
        const auto found = std::find_if(others.begin(), others.end(), [&](const Parameter& p) {
          return p.name == parameter.name && p.distribution == parameter.distribution;
        });
        if (found == others.end()) break;
        values.push_back(found->value);
        coordinates.push_back(warp(parameter.distribution, found->value));
      }
      if (values.size() < ended.size() || count(parameter.distribution) == 1) continue;
      const std::vector<double> best(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(top));
      coordinates.resize(top);
      const double importance = pearson_divergence(parameter.distribution, best, values);
      all += importance;
      ++parameters;
      if (!std::holds_alternative<CategoricalDistribution>(parameter.distribution))
        columns[parameter.name] = {importance, std::move(coordinates)};
    }
    std::erase_if(columns, [&](const auto& column) { return column.second.importance <= all / (2 * parameters); });
    return columns;
  }

  CoarseToFine options_;
  SobolSequence sequence_;
  std::unique_ptr<Sampler> random_;
  std::vector<Round> rounds_;
};

}  // namespace

std::unique_ptr<Sampler> CoarseToFine::make(std::uint64_t seed) const {
  check(points >= 1 && std::has_single_bit(static_cast<unsigned>(points)), "CoarseToFine: points ", points,
        " is not a power of 2");
  check(top > 0 && top <= 1, "CoarseToFine: top ", top, " is not in (0, 1]");
  check(global >= 0 && global <= 1, "CoarseToFine: global ", global, " is not in [0, 1]");
  return std::make_unique<CoarseToFineSampler>(*this, seed);
}

}  // namespace xgrad::tune
