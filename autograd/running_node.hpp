#pragma once
// What holds while a recorded operation is differentiated.

#include "node.hpp"

namespace xgrad::detail {

/// While it lives, what `node` saved is unpacked for it in this thread, and operations belong to its call site.
class RunningNode {
 public:
  explicit RunningNode(Node* node) : before_(running_node), site_(call_site) {
    running_node = node;
    call_site = node->call_site();  // operations of a recorded derivative belong to the forward's line
  }
  ~RunningNode() {
    running_node = before_;
    call_site = site_;
  }
  RunningNode(const RunningNode&) = delete;
  RunningNode& operator=(const RunningNode&) = delete;

 private:
  Node* before_;
  CallSite site_;
};

/// Throws Error where what the node saved was freed.
inline void expect_saved(const Node& node) {
  check(!node.released(), node.name(),
        ": backward ran through this graph before and freed what it saved; give the first ",
        "backward {.retain_graph = true}");
}

}  // namespace xgrad::detail
