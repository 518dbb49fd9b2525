#include "recompute.hpp"

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "../array/random.hpp"
#include "../core/parallel.hpp"
#include "autocast.hpp"
#include "captured.hpp"
#include "engine.hpp"
#include "primitives.hpp"

namespace xgrad::detail {

namespace {

// Whether a node was there before f ran; `first` is the last sequence number from before.
bool is_outside(const Node& node, std::uint64_t first) { return node.sequence() <= first; }

/// The places in the graph that f used and did not make: inputs, parameters, whatever it captured.
std::vector<Edge> sources_of(const std::vector<Tensor>& outputs, std::uint64_t first) {
  std::vector<Edge> sources;
  std::vector<const Node*> inside;
  std::unordered_set<const Node*> seen;
  const auto reach = [&](const detail::Reference<Node>& node, std::uint32_t index) {
    if (!node) return;
    if (!is_outside(*node, first)) {
      if (seen.insert(node.get()).second) inside.push_back(node.get());
      return;
    }
    for (const Edge& source : sources)
      if (source.node == node && source.index == index) return;
    sources.push_back({node, index});
  };
  for (const Tensor& output : outputs)
    if (output.requires_grad()) reach(output.impl().node, output.impl().output_index);
  for (std::size_t next = 0; next < inside.size(); ++next)
    for (const Edge& edge : inside[next]->edges()) reach(edge.node, edge.index);
  return sources;
}

/// A number that tells other elements from these, but for one case in 2^64.
std::uint64_t fingerprint(const Tensor& tensor) {
  constexpr std::int64_t block = 1 << 16;  // bytes
  const MaybeOwned memory = dense(tensor);
  const std::byte* const data = memory->impl().data;
  const std::int64_t bytes = memory->numel() * static_cast<std::int64_t>(item_size(memory->dtype()));
  std::vector<std::uint64_t> parts(static_cast<std::size_t>((bytes + block - 1) / block));
  parallel_for(static_cast<std::int64_t>(parts.size()), 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t part = begin; part < end; ++part) {
      std::uint64_t lanes[4] = {1, 2, 3, 4};
      const std::int64_t last = std::min(bytes, (part + 1) * block);
      for (std::int64_t at = part * block; at < last; at += static_cast<std::int64_t>(sizeof lanes)) {
        std::uint64_t words[4] = {};
        std::memcpy(words, data + at, static_cast<std::size_t>(std::min<std::int64_t>(sizeof words, last - at)));
        for (int lane = 0; lane < 4; ++lane) lanes[lane] = (lanes[lane] ^ words[lane]) * 0x9E3779B97F4A7C15u;
        for (int lane = 0; lane < 4; ++lane) lanes[lane] ^= lanes[lane] >> 32;
      }
      for (const std::uint64_t lane : lanes)
        parts[static_cast<std::size_t>(part)] = (parts[static_cast<std::size_t>(part)] ^ lane) * 0xBF58476D1CE4E5B9u;
    }
  });
  std::uint64_t sum = 0;
  for (const std::uint64_t part : parts) sum = (sum ^ part) * 0x94D049BB133111EBu + (sum >> 32);
  return sum;
}

/// Autocast as it is in this thread, or was at first. Weights are cast anew: what was cast outside is not to be found
/// in the second run.
class SameAutocast {
 public:
  [[nodiscard]] explicit SameAutocast(std::optional<DType> dtype)
      : scope_(dtype.value_or(bfloat16), {.enabled = dtype.has_value(), .cache_enabled = false}) {}

 private:
  const Autocast scope_;
};

/// While it lives: the default generator in another state, and no backward pass around.
class Rerun {
 public:
  [[nodiscard]] Rerun(const GeneratorState& state, std::optional<DType> autocast)
      : state_(default_generator().state()), node_(running_node), site_(call_site), autocast_(autocast) {
    default_generator().set_state(state);
    running_node = nullptr;
    call_site = {};
  }
  ~Rerun() {
    default_generator().set_state(state_);
    running_node = node_;
    call_site = site_;
  }
  Rerun(const Rerun&) = delete;
  Rerun& operator=(const Rerun&) = delete;

 private:
  const GeneratorState state_;
  Node* const node_;
  const CallSite site_;
  const SameAutocast autocast_;
  const EnableGrad enable_grad_;
  const CaptureScope::Pause pause_;
};

class CheckpointNode final : public Node {
 public:
  CheckpointNode(TensorsFunction f, std::vector<Saved> inputs, std::vector<Saved> captured, const GeneratorState& state)
      : f_(std::move(f)),
        inputs_(std::move(inputs)),
        captured_(std::move(captured)),
        state_(state),
        autocast_(autocast_dtype()) {}

  const char* name() const override { return "checkpoint"; }
  void release_saved() noexcept override {
    f_ = nullptr;
    inputs_.clear();
    captured_.clear();
  }
  bool released() const noexcept override { return !f_; }
  std::vector<Tensor> saved() const override {
    std::vector<Tensor> tensors;
    const CollectSaved collecting(tensors);
    const std::vector<Saved> copy(inputs_);
    return tensors;
  }

  /// Puts itself in the place of the graph that f recorded from the sources to the outputs.
  void replace(std::vector<Tensor>& outputs, std::vector<Edge> sources, std::uint64_t first) {
    edges_ = std::move(sources);
    outputs_.resize(outputs.size());
    for (const Tensor& output : outputs) fingerprints_.push_back(fingerprint(output));
    enter_graph(edges_, outputs_);
    for (std::uint32_t i = 0; i < outputs.size(); ++i) {
      Tensor& output = outputs[i];
      const bool from_graph = output.requires_grad(),
                 from_outside = from_graph && is_outside(*output.impl().node, first);
      attach(output, Reference<Node>::share(this), outputs_[i], i, from_outside, from_graph);
      outputs_[i].storage = nullptr;  // no output is saved here; and its memory may serve the second run
    }
  }

  void backward(std::span<Tensor> outputs, std::span<Tensor> inputs, Needs needs) override {
    std::vector<Tensor> given(inputs_.begin(), inputs_.end());
    for (const Saved& captured : captured_) static_cast<void>(captured.get());  // an Error where it was changed
    std::vector<Tensor> again;
    std::vector<Edge> sources;
    {
      const Rerun rerun(state_, autocast_);
      const std::uint64_t first = last_sequence();
      again = f_(given);
      sources = sources_of(again, first);
    }
    expect_same(again, sources);
    std::vector<Tensor> roots, seeds;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i].defined() || !again[i].requires_grad()) continue;
      roots.push_back(std::move(again[i]));
      seeds.push_back(std::move(outputs[i]));
    }
    again.clear();
    std::vector<Edge> wanted;
    for (std::size_t i = 0; i < edges_.size(); ++i)
      if (needs[i]) wanted.push_back(edges_[i]);
    std::vector<Tensor> gradients = gradients_within(roots, seeds, wanted, is_grad_enabled());
    for (std::size_t i = 0, next = 0; i < edges_.size(); ++i)
      if (needs[i]) inputs[i] = std::move(gradients[next++]);
  }

 private:
  void expect_same(const std::vector<Tensor>& again, const std::vector<Edge>& sources) const {
    check(again.size() == outputs_.size(), "checkpoint: the function returned ", outputs_.size(),
          " tensors, and run again for backward ", again.size(), "; it must do the same both times");
    for (std::size_t i = 0; i < again.size(); ++i)
      check(again[i].defined() && again[i].shape() == outputs_[i].shape && again[i].dtype() == outputs_[i].dtype,
            "checkpoint: output ", i, " of the function had shape ", outputs_[i].shape, " and dtype ",
            outputs_[i].dtype, ", and run again for backward it ",
            again[i].defined() ? "has shape " + again[i].shape().str() + " and dtype " + xgrad::name(again[i].dtype())
                               : "is undefined",
            "; it must do the same both times");
    bool same = sources.size() == edges_.size();
    for (std::size_t i = 0; same && i < sources.size(); ++i)
      same = sources[i].node == edges_[i].node && sources[i].index == edges_[i].index;
    check(same, "checkpoint: run again for backward, the function used other tensors that require a gradient than at ",
          "first; it must do the same both times");
    for (std::size_t i = 0; i < again.size(); ++i)
      check(fingerprint(again[i]) == fingerprints_[i], "checkpoint: run again for backward, the function gave output ",
            i, " of shape ", again[i].shape(),
            " other values than at first: a tensor that it captured was changed, or it ",
            "draws from a generator of its own; it must do the same both times");
  }

  TensorsFunction f_;
  std::vector<Saved> inputs_;
  std::vector<Saved> captured_;  // what f used beside its inputs: f has that itself, this only tells when it changes
  const GeneratorState state_;
  const std::optional<DType> autocast_;
  std::vector<Edge> edges_;
  std::vector<OutputInfo> outputs_;
  std::vector<std::uint64_t> fingerprints_;  // of the outputs, as they were at first
};

}  // namespace

// The first run is recorded as well, and its graph dropped at once: that tells what f depends on. It takes no more
// memory than the second run will, which has to keep the graph.
std::vector<Tensor> checkpoint(TensorsFunction f, std::vector<Tensor> inputs) {
  if (!is_grad_enabled()) return f(inputs);
  const GeneratorState state = default_generator().state();
  const std::uint64_t first = last_sequence();
  std::vector<Saved> saved(inputs.begin(), inputs.end());
  std::vector<Tensor> outputs;
  std::vector<Saved> captured;
  {
    const CaptureScope scope;
    const SameAutocast autocast(autocast_dtype());
    outputs = f(inputs);
    for (const Tensor& tensor : scope.tensors()) {
      const auto is_tensor = [&](const Tensor& input) { return input.reference() == tensor.reference(); };
      if (std::none_of(inputs.begin(), inputs.end(), is_tensor)) captured.emplace_back(tensor);
    }
  }
  for (std::size_t i = 0; i < outputs.size(); ++i)
    check(outputs[i].defined(), "checkpoint: output ", i, " of the function is undefined; every output needs a value");
  std::vector<Edge> sources = sources_of(outputs, first);
  if (sources.empty()) return outputs;
  auto* node = new CheckpointNode(std::move(f), std::move(saved), std::move(captured), state);
  const auto owner = Reference<Node>::adopt(node);
  node->replace(outputs, std::move(sources), first);
  return outputs;
}

}  // namespace xgrad::detail
