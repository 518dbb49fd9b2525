#include "named_tensors.hpp"

#include <algorithm>
#include <numeric>

namespace xgrad {

namespace {

/// How many characters have to be put in, left out or exchanged to get from one text to the other.
std::size_t edits(std::string_view from, std::string_view to) {
  std::vector<std::size_t> distance(to.size() + 1);  // from the beginning of `from` to each beginning of `to`
  std::iota(distance.begin(), distance.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = distance[0]++;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t exchanged = diagonal + (from[i] != to[j]);
      diagonal = distance[j + 1];
      distance[j + 1] = std::min({exchanged, distance[j] + 1, diagonal + 1});
    }
  }
  return distance.back();
}

}  // namespace

NamedTensors::size_type NamedTensors::position(std::string_view name) const {
  for (size_type i = 0; i < size(); ++i)
    if (data()[i].first == name) return i;
  std::vector<std::pair<std::size_t, std::string_view>> others;
  for (const auto& [other, tensor] : *this) {
    const bool part = !name.empty() && (other.ends_with(name) || name.ends_with(other));  // "weight" for "fc1.weight"
    others.emplace_back(part ? 0 : edits(name, other), other);
  }
  std::stable_sort(others.begin(), others.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string near;
  for (size_type i = 0; i < std::min<size_type>(others.size(), 3); ++i)
    near.append(i > 0 ? ", \"" : " \"").append(others[i].second) += '"';
  fail("named tensors: none of the ", size(), " is called \"", name, "\"",
       near.empty() ? "" : "; the nearest names are", near);
}

}  // namespace xgrad
