#pragma once
// docs/operations.md, from the registry.

#include <algorithm>
#include <string>
#include <vector>

#include "../operations/registry.hpp"

namespace reference {

inline std::string operation_table() {
  std::string text =
      "# Operations\n\n"
      "Each is a function in namespace `xgrad` and is checked by the tests: gradient and second derivative against "
      "central differences,\n"
      "value and gradient against PyTorch, empty and wrong inputs. This page is written from the registry of "
      "operations; the\n"
      "headers in `ops/` say more.\n";
  std::vector<std::string> families;
  for (const xgrad::OpInfo& op : xgrad::registry())
    if (std::find(families.begin(), families.end(), op.family) == families.end()) families.push_back(op.family);
  for (const std::string& family : families) {
    text += "\n## " + family + "\n\n| operation | value | gradient |\n|---|---|---|\n";
    for (const xgrad::OpInfo& op : xgrad::registry()) {
      if (op.family != family) continue;
      std::string formula = op.formula;
      for (std::size_t at = 0; (at = formula.find('|', at)) != std::string::npos; at += 2) formula.insert(at, 1, '\\');
      text += std::string("| `") + op.name + "` | " + formula + " | " + (op.differentiable ? "yes" : "no") + " |\n";
    }
  }
  return text;
}

}  // namespace reference
