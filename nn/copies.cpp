// Modules that were copied, and share their parameters unnoticed.
#include <iostream>
#include <mutex>
#include <set>

#include "module.hpp"

namespace xgrad::nn::detail {

namespace {

struct Entry {
  std::string name;
  const Tree* module;
  std::vector<const TreeTensor*> tensors;  // all in it
};

void add_tensors(const Tree& tree, std::vector<const TreeTensor*>& tensors) {
  for (const TreeTensor& entry : tree.tensors) tensors.push_back(&entry);
  for (const Tree& child : tree.children) add_tensors(child, tensors);
}

void add_entries(const Tree& tree, const std::string& prefix, std::vector<Entry>& entries) {
  for (const Tree& child : tree.children) {
    Entry entry{prefix + child.name, &child, {}};
    add_tensors(child, entry.tensors);
    if (!entry.tensors.empty()) entries.push_back(std::move(entry));
    add_entries(child, prefix + child.name + '.', entries);
  }
}

bool is_number(std::string_view name) { return name.find_first_not_of("0123456789") == std::string_view::npos; }

// Two objects, all tensors of which are the same.
bool are_copies(const Entry& a, const Entry& b) {
  if (a.module->type != b.module->type || a.tensors.size() != b.tensors.size()) return false;
  for (std::size_t i = 0; i < a.tensors.size(); ++i)
    if (a.tensors[i]->name != b.tensors[i]->name || a.tensors[i]->tensor == b.tensors[i]->tensor ||
        &a.tensors[i]->tensor->impl() != &b.tensors[i]->tensor->impl())
      return false;
  // A single tensor may have been assigned: that ties weights on purpose. Elements of a container are more likely
  // copies.
  return a.tensors.size() > 1 || (is_number(a.module->name) && is_number(b.module->name));
}

bool is_inside(const std::string& name, const std::string& module) { return name.starts_with(module + '.'); }

}  // namespace

void warn_of_copies(const Tree& tree) {
  std::vector<Entry> entries;
  add_entries(tree, "", entries);
  std::vector<std::pair<const Entry*, const Entry*>> found;
  for (std::size_t j = 1; j < entries.size(); ++j)
    for (std::size_t i = 0; i < j; ++i) {
      if (!are_copies(entries[i], entries[j])) continue;
      bool told = false;  // by the modules around both
      for (const auto& [a, b] : found)
        told = told || (is_inside(entries[i].name, a->name) && is_inside(entries[j].name, b->name));
      if (!told) found.emplace_back(&entries[i], &entries[j]);
      break;
    }

  static std::mutex mutex;
  static std::set<std::pair<const void*, std::string>> said;
  for (const auto& [a, b] : found) {
    const std::string pair = a->name + " and " + b->name;
    {
      const std::lock_guard lock(mutex);
      if (!said.emplace(&a->tensors[0]->tensor->impl(), pair).second) continue;
    }
    std::cerr
        << "xgrad: " + pair + " (" + std::string(a->module->type) +
               ") are copies that share their parameters, as copied modules do. Make each anew or with nn::clone; to "
               "share one on purpose, hold it by std::shared_ptr.\n";
  }
}

}  // namespace xgrad::nn::detail
