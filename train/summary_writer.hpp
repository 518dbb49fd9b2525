#pragma once
// What happens in a training, in files: for TensorBoard, as a log in lines, for a page.

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "../nn/module.hpp"
#include "event_file.hpp"

namespace xgrad::train {

struct SummaryWriterOptions {
  /// Of a training that was stopped and goes on from this step: what was written of it and of later steps is not shown.
  std::optional<std::int64_t> purge_step = {};
  bool events = true;  // event files for TensorBoard
};

/// A hyperparameter: a number, a switch, or text.
using Hyperparameter = std::variant<double, std::int64_t, bool, std::string>;

/// Writes to a directory, which is made where it is not there:
///  - `events.out.tfevents.*`, which `tensorboard --logdir DIRECTORY` shows;
///  - `log.jsonl`, a JSON object a line, from which write_run_page() makes a page: `{"step":3,"time":1700000000.25,
///    "tag":"loss","value":0.5}`, with `histogram`, `image`, `text`, `pr_curve` or `hparams` in the place of `value`;
///  - `scalars.csv`, with the columns step, time, tag and value.
/// A directory that has files is continued. A slash in a tag makes groups: "loss/train", "loss/test".
///
///     train::SummaryWriter writer("runs/first");
///     writer.add_hparams({{"lr", 1e-3}, {"optimizer", "adam"}});
///     for (...) {
///       ...
///       writer.add_scalar("loss/train", loss.item(), step);
///       if (step % 100 == 0) writer.add_norms(net, step);
///     }
///
/// It is written at least every second that something is added, by flush(), and at the end. For use by one thread.
/// Every function throws Error where writing fails, saying what the system said: what was not written is kept and tried
/// again. The names of the functions are those of torch.utils.tensorboard.SummaryWriter.
class SummaryWriter {
 public:
  explicit SummaryWriter(std::string log_dir, const SummaryWriterOptions& options = {});
  SummaryWriter(SummaryWriter&&) = default;
  SummaryWriter& operator=(SummaryWriter&&) = delete;
  /// flush(), but what it would throw is written to standard error.
  ~SummaryWriter();

  void add_scalar(std::string_view tag, double value, std::int64_t step);
  /// How the elements of a tensor of any dtype are spread: counts in `bins` intervals of equal width from the smallest
  /// to the largest. NaN and infinities are not counted. Throws Error for fewer than 1 or more than 10,000 bins.
  void add_histogram(std::string_view tag, const Tensor& values, std::int64_t step, std::int64_t bins = 64);
  /// A picture (C, H, W) or (H, W), or pictures (N, C, H, W) in rows of 8, with 1 or 3 channels: uint8, bool, or floats
  /// from 0 (black) to 1. Throws Error for other shapes and dtypes.
  void add_image(std::string_view tag, const Tensor& picture, std::int64_t step);
  /// Text, which TensorBoard shows as Markdown.
  void add_text(std::string_view tag, std::string_view text, std::int64_t step);
  /// Precision and recall of a classifier of two classes at `thresholds` thresholds from 0 to 1. `labels` are true or
  /// false, `predictions` the probabilities of true; both of the same number of elements. Throws Error for other
  /// labels than 0 and 1, for predictions beyond [0, 1] and for fewer than 2 thresholds.
  void add_pr_curve(std::string_view tag, const Tensor& labels, const Tensor& predictions, std::int64_t step,
                    std::int64_t thresholds = 127);
  /// The configuration of the run, and the scalars by which it is compared with others, which are added at the greatest
  /// step so far: they may have the tags of curves. Of several calls the last one counts.
  void add_hparams(const std::vector<std::pair<std::string, Hyperparameter>>& hparams,
                   const std::vector<std::pair<std::string, double>>& metrics = {});
  /// The recorded operations that lead to a tensor, for TensorBoard's tab of graphs, grouped by the modules whose
  /// parameters they use: `writer.add_graph(net, net(x))`. Of several calls the last one counts. Throws Error for a
  /// tensor that does not require a gradient.
  template <nn::Module M>
  void add_graph(const M& module, const Tensor& output) {
    add_graph(nn::named_parameters(module), output);
  }
  void add_graph(const NamedTensors& parameters, const Tensor& output);

  /// The 2-norm of each parameter and of its gradient, where it has one, as scalars `weight_norm/NAME` and
  /// `gradient_norm/NAME`. A sparse gradient stays one.
  template <nn::Module M>
  void add_norms(const M& module, std::int64_t step) {
    add_norms(nn::named_parameters(module), step);
  }
  void add_norms(const NamedTensors& parameters, std::int64_t step);
  /// Histograms of each parameter, `weight/NAME`, and of its gradient, `gradient/NAME`: of a sparse one, of its rows.
  template <nn::Module M>
  void add_histograms(const M& module, std::int64_t step) {
    add_histograms(nn::named_parameters(module), step);
  }
  void add_histograms(const NamedTensors& parameters, std::int64_t step);
  /// Milliseconds a step since the last call, and the memory that the process has, in MB: scalars
  /// `system/milliseconds_a_step` and `system/memory_MB`.
  void add_system(std::int64_t step);

  void flush();
  const std::string& log_dir() const { return log_dir_; }

 private:
  using Clock = std::chrono::steady_clock;

  double time_of_record();  // seconds since 1970; writes what is pending where a second has passed
  void log(double time, std::string_view tag, std::int64_t step, std::string_view key, const std::string& json);
  void event(double time, std::int64_t step, const detail::Message& value);

  std::string log_dir_;
  std::optional<detail::EventFile> events_;
  io::AppendFile lines_, table_;
  Clock::time_point flushed_ = Clock::now();
  std::optional<std::pair<Clock::time_point, std::int64_t>> last_step_;  // of add_system()
  std::int64_t greatest_step_ = 0;
};

}  // namespace xgrad::train
