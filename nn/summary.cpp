#include <algorithm>
#include <array>
#include <unordered_set>

#include "input_summary.hpp"
#include "module.hpp"

namespace xgrad::nn::detail {

namespace {

using Row = std::array<std::string, 4>;

std::string bytes(double n) {
  const char* unit = "B";
  for (const char* larger : {"kB", "MB", "GB", "TB"}) {
    if (n < 1000) break;
    n /= 1000, unit = larger;
  }
  std::string text;
  xgrad::detail::append_fixed(text, n, n < 10 && *unit != 'B' ? 1 : 0);
  return text + ' ' + unit;
}

struct Summary {
  std::vector<Row> rows;
  std::unordered_set<const void*> seen;
  std::int64_t trainable = 0, frozen = 0, buffers = 0, bytes = 0;
  bool shared = false;

  void add(const Tree& module, std::size_t depth) {
    std::string shapes;
    std::int64_t count = 0;
    for (const TreeTensor& entry : module.tensors) {
      const Tensor& tensor = *entry.tensor;
      const bool first = seen.insert(&tensor.impl()).second;
      const std::int64_t numel = first ? tensor.numel() : 0;
      shared = shared || !first;
      bytes += numel * static_cast<std::int64_t>(item_size(tensor.dtype()));
      if (!entry.is_parameter) {
        buffers += numel;
        continue;
      }
      (tensor.requires_grad() ? trainable : frozen) += numel;
      count += numel;
      if (!shapes.empty()) shapes += ", ";
      shapes.append(entry.name).append(" ").append(tensor.shape().str());
      if (!first) shapes += " shared";
      if (!tensor.requires_grad()) shapes += " frozen";
    }
    if (depth > 0 || !module.tensors.empty())
      rows.push_back({std::string(depth > 1 ? 2 * (depth - 1) : 0, ' ') + module.name, std::string(module.type), shapes,
                      shapes.empty() ? "" : grouped(count)});
    for (const Tree& child : module.children) add(child, depth + 1);
  }
};

}  // namespace

std::string grouped(std::int64_t n) {
  const std::string digits = std::to_string(n);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string summary(const Tree& tree) {
  Summary summary;
  summary.add(tree, 0);
  if (summary.shared) warn_of_copies(tree);

  const Row titles{"Module", "Type", "Parameters", "Count"};
  std::array<std::size_t, 4> width{};
  for (std::size_t i = 0; i < 4; ++i) width[i] = titles[i].size();
  for (const Row& row : summary.rows)
    for (std::size_t i = 0; i < 4; ++i) width[i] = std::max(width[i], row[i].size());

  std::string text;
  const auto write = [&](const Row& row) {
    for (std::size_t i = 0; i < 4; ++i) {
      const std::string fill(width[i] - row[i].size(), ' ');
      if (i > 0) text += "  ";
      text.append(i == 3 ? fill : row[i]).append(i == 3 ? row[i] : fill);  // the count to the right
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  };
  const std::string line(width[0] + width[1] + width[2] + width[3] + 6, '-');
  text += std::string(tree.type) + '\n';
  write(titles);
  text += line + '\n';
  for (const Row& row : summary.rows) write(row);
  text += line + '\n';

  text += "Parameters: " + grouped(summary.trainable + summary.frozen);
  if (summary.frozen > 0)
    text += " (" + grouped(summary.trainable) + " trainable, " + grouped(summary.frozen) + " frozen)";
  text += "\nBuffers: " + grouped(summary.buffers) + "\nMemory: " + bytes(static_cast<double>(summary.bytes)) + '\n';
  return text;
}

}  // namespace xgrad::nn::detail
