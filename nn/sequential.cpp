#include "sequential.hpp"

namespace xgrad::nn::detail {

void add_fields(Tree& tree, AnyModule& module, Walk& walk) {
  tree.type = module.held().type();
  module.held().add_fields(tree, walk);
}

}  // namespace xgrad::nn::detail
