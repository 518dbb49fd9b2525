// What users read after a plausible mistake, word for word: which operation, which shapes and values, and what to do.
#include <xgrad/xgrad.hpp>

#include <functional>
#include <regex>

#include "../catch.hpp"

using namespace xgrad;

namespace {

constexpr TensorOptions leaf{.requires_grad = true};

struct Halve {  // returns one gradient for two inputs
  Tensor forward(const Tensor& x, const Tensor& y) { return 0.5 * (x + y); }
  std::vector<Tensor> backward(const Tensor& grad) const { return {0.5 * grad}; }
};
struct Shrink {  // returns a gradient of another shape
  Tensor forward(const Tensor& x) { return x * 1.0; }
  Tensor backward(const Tensor& grad) const { return slice(grad, 0, 1); }
};
struct Forget {  // returns nothing
  Tensor forward(const Tensor&) { return {}; }
  Tensor backward(const Tensor& grad) const { return grad; }
};
struct Counted {  // has no derivative of second order
  static constexpr bool once_differentiable = true;
  Tensor forward(const Tensor& x) { return x * 1.0; }
  Tensor backward(const Tensor& grad) const { return grad; }
};

struct Scale {  // is given a factor that it gives no gradient
  Saved factor;
  Tensor forward(const Tensor& x) { return x * factor; }
  Tensor backward(const Tensor& grad) const { return grad * factor; }
};

struct Mistake {
  std::function<void()> make;
  std::string message;  // with "<line>" for every line of a source file
};

const std::vector<Mistake>& mistakes() {
  static const std::vector<Mistake> all = {
      // Shapes.
      {[] {
         matmul(ones({3, 4}), ones({5, 6}));
       },
       "matmul: (3, 4) x (5, 6): inner sizes 4 and 5 differ; transpose or reshape one so that they agree; called at "
       "<line>"},
      {[] {
         ones({2, 3}) + ones({2});
       },
       "add: shapes (2, 3) and (2,) do not broadcast: sizes 3 and 2 at axis 1; counted from the last axis, sizes must "
       "be equal or one of them 1; called at <line>"},
      {[] {
         sum(ones({2, 3}), 2);
       },
       "sum: axis 2 is out of range for a tensor with 2 axes; the last is 1 or -1; called at <line>"},
      {[] {
         reshape(ones({2, 3}), {4});
       },
       "reshape: (2, 3) has 6 elements, which do not fill (4,); the product of the sizes must be the same, and one of "
       "them may be -1 to stand for the rest; called at <line>"},
      {[] {
         nn::Linear(784, 10)(ones({32, 28, 28}));
       },
       "linear: input (32, 28, 28) and weight (10, 784): the last size of the input must be 784; called at <line>"},
      {[] {
         concat({ones({2, 3}), ones({2, 4})});
       },
       "concat: shapes (2, 3) and (2, 4) differ, not only along axis 0; called at <line>"},
      // Elements and dtypes.
      {[] {
         ones({2, 3}).item();
       },
       "item: a tensor of one element is needed, this has shape (2, 3); reduce it first, with sum() or mean(), or "
       "select() an element; called at <line>"},
      {[] { ones({2}).data<double>(); }, "tensor: elements are float32, not float64; convert with .to(float64)"},
      {[] {
         linear(ones({2, 2}, {.dtype = int64}), ones({2, 2}, {.dtype = int64}));
       },
       "linear: (2, 2) of int64 x (2, 2) of int64: there is no such product; convert one with .to(float32); called at "
       "<line>"},
      {[] { Tensor().shape(); }, "tensor: used before it was given a value; this Tensor is undefined"},
      {[] {
         tensor({{1, 2}, {3}});
       },
       "tensor: the lists do not form a rectangle of shape (2, 2)"},
      // Asking for a gradient.
      {[] { sum(ones({2})).backward(); },
       "backward: the tensor of shape () does not require a gradient: no operation on a tensor with requires_grad made "
       "it, or NoGrad was in force; called at <line>"},
      {[] { (ones({2}, leaf) * 2.0).backward(); },
       "backward: a tensor of shape (2,) has no gradient of its own; reduce it to one element, or give the gradient as "
       "a seed of this shape; called at <line>"},
      {[] { (ones({2}, leaf) * 2.0).backward(ones({3})); },
       "backward: the seed has shape (3,), the tensor (2,); it is the gradient of the tensor, so it has its shape; "
       "called at <line>"},
      {[] {
         const Tensor x = ones({2}, leaf), y = sum(x * x);
         y.backward();
         y.backward();
       },
       "mul: backward ran through this graph before and freed what it saved; give the first backward {.retain_graph = "
       "true}; called at <line>"},
      {[] { ones({2}, {.dtype = int64, .requires_grad = true}); },
       "full: a tensor of dtype int64 cannot require a gradient; use float32 or float64"},
      {[] { ones({2}, {.dtype = int64}).requires_grad_(); },
       "requires_grad_: a tensor of dtype int64 cannot require a gradient; convert it with .to(float32)"},
      {[] { (ones({2}, leaf) * 2.0).requires_grad_(false); },
       "requires_grad_: only a leaf can be told to require a gradient or not; this tensor of shape (2,) comes from "
       "mul; "
       "use detach(); called at <line>"},
      {[] { grad(sum(ones({2}, leaf)), {ones({3}, leaf)}); },
       "grad: no output depends on input 0 of shape (3,); {.allow_unused = true} gives an undefined gradient for it; "
       "called at <line>"},
      {[] { grad(sum(ones({2}, leaf)), {ones({3})}); },
       "grad: input 0 of shape (3,) does not require a gradient; make it with {.requires_grad = true}, or call "
       "requires_grad_(), before the outputs are computed; called at <line>"},
      // Changes in place.
      {[] {
         Tensor h = ones({2}, leaf) * 1.0;
         const Tensor y = sum(h * h);
         h.add_(1);
         y.backward();
       },
       "mul: a tensor of shape (2,) saved for backward was changed in place by add_ at <line>: it has version 1, it "
       "was "
       "saved at 0; clone it before the change, or change a copy; called at <line>"},
      {[] { ones({2}, leaf).add_(1); },
       "add_: a leaf of shape (2,) that requires a gradient cannot change while operations are recorded; change it "
       "under NoGrad; called at <line>"},
      {[] {
         Tensor h = ones({4}, leaf) * 1.0;
         const Tensor part = slice(h, 0, 0, 2);
         h.add_(1);
         part * 2.0;
       },
       "mul: a tensor of shape (2,) was changed through another Tensor of the same memory by add_ at <line>: it has "
       "version 1, this Tensor is of 0; use the Tensor that was changed, or take the view again; called at <line>"},
      {[] {
         expand(ones({2}), {3, 2}).add_(1);
       },
       "add_: a tensor of shape (3, 2) repeats its elements along axis 0 (it was expanded); clone it first; called at "
       "<line>"},
      // Training.
      {[] {
         cross_entropy(ones({2, 10}), tensor({3, 10}, {.dtype = int64}));
       },
       "cross_entropy: target 10 at position 1 of the targets is none of the 10 classes; classes are numbered from 0, "
       "and of them and -100 (ignore_index) a target must be one; called at <line>"},
      {[] {
         cross_entropy(ones({2, 10}), tensor({3, 1, 4}, {.dtype = int64}));
       },
       "cross_entropy: target has shape (3,); input of shape (2, 10) needs class indices of shape (2,); called at "
       "<line>"},
      {[] {
         nn::BatchNorm1d(8)(ones({1, 8}));
       },
       "batch_norm: training needs more than one value a channel, input of shape (1, 8) has 1; use a larger batch, or "
       "evaluate with nn::eval(); called at <line>"},
      {[] { optim::SGD({ones({2})}, {.lr = 0.1}); },
       "optimizer: no parameter requires a gradient, so there is nothing to train; make parameters with "
       "{.requires_grad = true}, or call requires_grad_()"},
      {[] { optim::SGD({ones({2}, leaf) * 2.0}, {.lr = 0.1}); },
       "optimizer: parameter 0 of shape (2,) and dtype float32 is no floating leaf; only tensors made by the user, not "
       "by an operation, can be trained; called at <line>"},
      {[] {
         nn::Linear layer(3, 2);
         nn::load_state_dict(layer, {{"weight", ones({2, 4})}, {"scale", ones({2})}});
       },
       "load_state_dict: the values do not fit the module; nothing was changed\n"
       "  missing: bias\n"
       "  unexpected: scale\n"
       "  of another shape: weight is (2, 3) in the module, (2, 4) in the values\n"
       "  {.strict = false} leaves missing and unexpected names aside"},
      {[] { nn::Dropout(1.5); }, "Dropout: p is 1.5; it must lie between 0 and 1"},
      // Operations of one's own.
      {[] {
         const Tensor x = ones({3}, leaf);
         sum(apply(Halve{}, x, x)).backward();
       },
       "Halve: backward returned 1 gradients for 2 inputs; it must return one for each input of forward, an undefined "
       "Tensor for one that has none; called at <line>"},
      {[] { sum(apply(Shrink{}, ones({3}, leaf))).backward(); },
       "Shrink: backward gave a gradient of shape (2,) for input 0 of shape (3,); a gradient has the shape of its "
       "input, or one that the input broadcasts to; called at <line>"},
      {[] { apply(Scale{ones({2}, leaf)}, ones({2})); },
       "Scale: the tensor of shape (2,) in its member factor requires a gradient and would get none, for it is no "
       "input "
       "of the operation; give it to apply(), or detach() it; called at <line>"},
      {[] {
         batch_norm(ones({2, 3}), ones({3}, leaf), ones({3}), {}, {}, {.training = true});
       },
       "batch_norm: running_mean requires a gradient, and training overwrites it; detach() it, or evaluate; called at "
       "<line>"},
      {[] { apply(Forget{}, ones({3}, leaf)); },
       "Forget: forward returned an undefined tensor as output 0; every output needs a value; called at <line>"},
      {[] { apply(Shrink{}, Tensor()); },
       "Shrink: input 0 is undefined and forward used it; give the Tensor a value; called at <line>"},
      {[] {
         const Tensor x = ones({3}, leaf);
         grad(sum(apply(Counted{}, x)), {x}, {.create_graph = true});
       },
       "Counted: its backward is not made of differentiable operations (once_differentiable), so the gradients of a "
       "pass with create_graph would be wrong; leave create_graph out, or write backward with differentiable "
       "operations; called at <line>"},
      {[] {
         const Tensor x = ones({3}, leaf);
         const auto hook = x.register_hook([](const Tensor& g) { return sum(g); });
         sum(x).backward();
       },
       "hook: a gradient of shape (3,) and dtype float32 was replaced by one of shape () and dtype float32; a hook "
       "returns a gradient like the one it is given, or an undefined Tensor to leave that as it is; called at <line>"},
      {[] { gradcheck([](const Tensor& x) { return x * x; }, {ones({3}, leaf)}); },
       "gradcheck: input 0 is float32; central differences need float64, so make it with {.dtype = float64}"},
      // Numbers.
      {[] {
         const AnomalyMode anomaly;
         log(tensor({1.0, -1.0}, leaf));
       },
       "log: output 0 of shape (2,) has nan at (1,); called at <line>"},
  };
  return all;
}

}  // namespace

TEST_CASE("messages: what plausible mistakes say, word for word") {
  const std::regex line("[^ ]*test_messages\\.cpp:[0-9]+");
  REQUIRE(mistakes().size() >= 20);
  for (const Mistake& mistake : mistakes()) {
    std::string message = "nothing was thrown";
    try {
      mistake.make();
    } catch (const Error& error) {
      message = std::regex_replace(error.what(), line, "<line>");
    }
    CHECK(message == mistake.message);
  }
}
