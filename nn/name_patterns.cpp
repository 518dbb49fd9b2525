#include "name_patterns.hpp"

namespace xgrad::nn {

bool matches(std::string_view name, std::string_view pattern) {
  std::size_t at = 0, in = 0;                           // in the name, in the pattern
  std::size_t star = std::string_view::npos, from = 0;  // the last `*`, and what it does not stand for yet
  while (at < name.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      from = at;
    } else if (in < pattern.size() && (pattern[in] == '?' || pattern[in] == name[at])) {
      ++in, ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++from;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in) == std::string_view::npos;
}

std::vector<std::string> detail::set_requires_grad(const char* op, const Tree& tree, std::string_view pattern,
                                                   bool value) {
  std::vector<std::string> names;
  std::vector<Tensor> chosen;
  std::string all;
  for (auto& [name, tensor] : named_parameters(tree)) {
    all += (all.empty() ? "" : ", ") + name;
    if (!matches(name, pattern)) continue;
    names.push_back(name);
    chosen.push_back(std::move(tensor));
  }
  check(!names.empty(), op, ": no parameter has a name like `", pattern, "`; there are ", all.empty() ? "none" : all);
  for (Tensor& tensor : chosen) tensor.requires_grad_(value);
  return names;
}

}  // namespace xgrad::nn
