#include "module_paths.hpp"

namespace xgrad::nn::detail {

namespace {

void add(const Tree& tree, const std::string& path, ModulePaths& paths) {
  const std::string name = path.empty() ? std::string(tree.type) : path;
  if (tree.layer) paths[tree.layer] = name;
  for (const TreeTensor& entry : tree.tensors) paths[entry.tensor] = name;
  for (const Tree& child : tree.children) add(child, path.empty() ? child.name : path + '.' + child.name, paths);
}

}  // namespace

ModulePaths module_paths(const Tree& tree) {
  ModulePaths paths;
  add(tree, "", paths);
  return paths;
}

}  // namespace xgrad::nn::detail
