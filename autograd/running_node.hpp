#pragma once
// What holds while a recorded operation is differentiated.

#include "node.hpp"

namespace xgrad::detail {

/// While it lives, what `node` saved is unpacked for it in this thread, and operations belong to its call site. Where
/// the pass will free what the node saved, it says so.
class RunningNode {
 public:
  [[nodiscard]] explicit RunningNode(Node* node, bool will_be_freed = false)
      : before_(running_node), freed_before_(running_node_will_be_freed), site_(call_site) {
    running_node = node;
    running_node_will_be_freed = will_be_freed;
    call_site = node->call_site();  // operations of a recorded derivative belong to the forward's line
  }
  ~RunningNode() {
    running_node = before_;
    running_node_will_be_freed = freed_before_;
    call_site = site_;
  }
  RunningNode(const RunningNode&) = delete;
  RunningNode& operator=(const RunningNode&) = delete;

 private:
  Node* before_;
  bool freed_before_;
  CallSite site_;
};

/// Throws Error where what the node saved was freed.
inline void expect_saved(const Node& node) {
  if (!node.released()) return;
  const CallSiteScope scope(node.call_site());
  fail(node.name(), ": backward ran through this graph before and freed what it saved; give the first ",
       "backward {.retain_graph = true}");
}

}  // namespace xgrad::detail
