// Runs the cases of differential.py and tells what differs from PyTorch.
//   xgrad_differential FILE   (- is the standard input; exit status 1 where a case differs)

#include <fstream>
#include <iostream>
#include <map>

#include "differential_operations.hpp"

using namespace xgrad;

namespace {

using nlohmann::json;
using reference::to_double;

Tensor base_of(const json& data) {
  const json& values = data["values"];
  const bool integers = data["dtype"] == "int64";
  Tensor base = empty({static_cast<std::int64_t>(values.size())}, {.dtype = integers ? int64 : float64});
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (integers)
      base.data<std::int64_t>()[i] = values[i].get<std::int64_t>();
    else
      base.data<double>()[i] = to_double(values[i]);
  }
  base = reshape(base.to(reference::dtype_named(data["dtype"])), reference::shape_of(data["shape"]));
  return base.requires_grad_(data["grad"].get<bool>());
}

Tensor seen(Tensor x, const json& views) {
  for (const json& step : views) {
    const auto number = [&](std::size_t i) { return step[i].get<std::int64_t>(); };
    const std::string kind = step[0];
    const json numbers(step.begin() + 1, step.end());
    if (kind == "transpose")
      x = transpose(x, number(1), number(2));
    else if (kind == "slice")
      x = slice(x, number(1), number(2), number(3), number(4));
    else if (kind == "expand")
      x = expand(x, reference::shape_of(numbers));
    else if (kind == "select")
      x = select(x, number(1), number(2));
    else if (kind == "unsqueeze")
      x = unsqueeze(x, number(1));
    else if (kind == "flip")
      x = flip(x, {number(1)});
    else
      x = reshape(x, reference::shape_of(numbers));
  }
  return x;
}

Tensor upstream(const Tensor& tensor, double (*wave)(double), std::int64_t first) {
  Tensor values = empty(tensor.shape(), {.dtype = float64});
  for (std::int64_t i = 0; i < values.numel(); ++i) values.data<double>()[i] = wave(static_cast<double>(first + i));
  return values.to(tensor.dtype());
}

struct Results {
  std::vector<Tensor> outputs, gradients, second;
};

/// Gradients of `roots` by `wanted` for upstream gradients that differ from element to element; zeros where none came.
std::vector<Tensor> gradients_of(const std::vector<Tensor>& roots, const std::vector<Tensor>& wanted,
                                 double (*wave)(double), bool create_graph) {
  std::vector<Tensor> seeds;
  for (const Tensor& root : roots) seeds.push_back(upstream(root, wave, 1 + static_cast<std::int64_t>(seeds.size())));
  auto found = grad(roots, wanted,
                    {.retain_graph = true, .create_graph = create_graph, .allow_unused = true, .grad_outputs = seeds});
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (!found[i].defined()) found[i] = zeros_like(wanted[i]);
  return found;
}

std::vector<Tensor> differentiable(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> some;
  for (const Tensor& tensor : tensors)
    if (tensor.requires_grad()) some.push_back(tensor);
  return some;
}

Results run(const json& c) {
  const auto& operation = reference::operations().at(c["op"].get<std::string>());
  std::vector<Tensor> bases, operands;
  for (const json& data : c["inputs"]) {
    bases.push_back(base_of(data));
    operands.push_back(seen(bases.back(), data["views"]));
  }
  if (c["op"].get<std::string>().ends_with('_')) operands.push_back(bases[0]);
  Results results;
  results.outputs = operation({operands, c["args"]});
  const auto wanted = differentiable(bases), roots = differentiable(results.outputs);
  if (wanted.empty() || roots.empty()) return results;
  const auto recorded = gradients_of(
      roots, wanted, [](double x) { return std::sin(x); }, true);
  const auto again = differentiable(recorded);
  for (const Tensor& base : wanted) results.second.push_back(zeros_like(base));
  if (!again.empty())
    results.second = gradients_of(
        again, wanted, [](double x) { return std::cos(x); }, false);
  results.gradients = gradients_of(
      roots, wanted, [](double x) { return std::sin(x); }, false);  // by the fused kernels
  for (std::size_t i = 0; i < wanted.size(); ++i) results.gradients.push_back(recorded[i].detach());
  return results;
}

bool close(double actual, double expected, double relative, double absolute) {
  if (std::isnan(expected)) return std::isnan(actual);
  return actual == expected || std::abs(actual - expected) <= relative * std::abs(expected) + absolute;
}

/// What is wrong with a tensor, or nothing.
std::string difference(const Tensor& actual, const json& expected, bool elementwise) {
  const json shape = reference::to_json(actual)["shape"];
  if (shape != expected["shape"]) return "shape " + shape.dump() + ", not " + expected["shape"].dump();
  if (expected["dtype"] != name(actual.dtype()))
    return std::string("dtype ") + name(actual.dtype()) + ", not " + expected["dtype"].get<std::string>();
  const auto values = reference::elements(actual);
  const json& right = expected["values"];
  const bool single = actual.dtype() == float32;
  double largest = 0;  // sums of terms that cancel are as exact as their terms
  for (const json& value : right)
    if (std::isfinite(to_double(value))) largest = std::max(largest, std::abs(to_double(value)));
  const double relative = single ? 2e-5 : 1e-9,
               absolute = elementwise ? 0 : (single ? 2e-6 : 1e-12) * std::max(largest, 1.0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool fits = close(values[i], to_double(right[i]), relative, absolute) ||
                      (expected.contains("truth") &&
                       close(values[i], static_cast<float>(to_double(expected["truth"][i])), relative, absolute));
    if (!fits) {
      std::ostringstream text;
      text.precision(10);
      text << "element " << i << " is " << values[i] << ", not " << right[i];
      return text.str();
    }
  }
  return {};
}

std::string differences(const json& c) {
  Results results;
  try {
    results = run(c);
  } catch (const Error& error) {
    return c.contains("error") ? std::string() : std::string("Error, where PyTorch has none: ") + error.what();
  }
  if (c.contains("error")) return "no Error, where PyTorch has one";
  const bool elementwise = c.contains("elementwise");
  std::string text;
  const auto compare = [&](const std::string& what, const std::vector<Tensor>& actual, const json& expected) {
    for (std::size_t i = 0; i < actual.size(); ++i) {
      if (expected.empty()) break;
      const std::string found = difference(actual[i], expected[i % expected.size()], elementwise && what == "output");
      if (!found.empty()) text += what + " " + std::to_string(i) + ": " + found + "; ";
    }
  };
  if (results.outputs.size() != c["outputs"].size()) return std::to_string(results.outputs.size()) + " outputs";
  if (results.gradients.empty() != c["gradients"].empty())
    return results.gradients.empty() ? "no gradient" : "a gradient, where PyTorch has none";
  compare("output", results.outputs, c["outputs"]);
  compare("gradient", results.gradients, c["gradients"]);
  compare("second derivative", results.second, c["second"]);
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  std::ifstream file;
  if (argc != 2) return std::cerr << "usage: xgrad_differential FILE\n", 2;
  if (std::string(argv[1]) != "-") file.open(argv[1]);
  std::istream& in = file.is_open() ? file : std::cin;
  int cases = 0, differing = 0;
  std::map<std::string, int> explained;
  for (std::string line; std::getline(in, line); ++cases) {
    const json c = json::parse(line);
    const std::string found = differences(c);
    if (found.empty()) continue;
    if (c.contains("explained")) {
      ++explained[c["explained"]];
      continue;
    }
    ++differing;
    std::cout << c["op"].get<std::string>() << ' ' << c["args"] << ' ' << c["inputs"] << "\n    " << found << '\n';
  }
  std::cout << cases << " cases, " << differing << " differ\n";
  for (const auto& [reason, count] : explained) std::cout << count << " differ on purpose: " << reason << '\n';
  return cases == 0 || differing > 0;
}
