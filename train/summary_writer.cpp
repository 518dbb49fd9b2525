#include "summary_writer.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "../autograd/node.hpp"
#include "../autograd/sparse_rows.hpp"
#include "../io/base64.hpp"
#include "../kernels/histogram.hpp"
#include "../ops/norm.hpp"
#include "graph_def.hpp"
#include "png.hpp"

namespace xgrad::train {

namespace {

using detail::Message;
using json = nlohmann::ordered_json;

constexpr const char* op = "SummaryWriter";

// Numbers of fields in TensorBoard's Summary.Value, and what else stands in it.
enum ValueField {
  tag_field = 1,
  simple_value_field = 2,
  image_field = 4,
  histogram_field = 5,
  tensor_field = 8,
  metadata_field = 9
};
enum TensorType { float_type = 1, string_type = 7 };

const std::string& existing(const std::string& directory) {
  io::expect_path(op, directory);
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) io::fail_with_errno(op, directory, error.value());
  return directory;
}

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string text_of(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

Message metadata(std::string_view plugin, const Message& content = {}) {
  return Message().message(1, Message().text(1, plugin).message(2, content));
}

Message tensor_shape(std::initializer_list<std::int64_t> sizes) {
  Message shape;
  for (const std::int64_t size : sizes) shape.message(2, Message().integer(1, size));
  return shape;
}

std::vector<double> doubles(const Tensor& tensor) {
  const NoGrad no_grad;
  return tensor.detach().to(float64).contiguous().to_vector<double>();
}

double resident_megabytes() {
  std::ifstream file("/proc/self/statm");
  double total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
}

}  // namespace

SummaryWriter::SummaryWriter(std::string log_dir, const SummaryWriterOptions& options)
    : log_dir_(existing(log_dir)),
      lines_(op, log_dir_ + "/log.jsonl", true),
      table_(op, log_dir_ + "/scalars.csv", true) {
  if (options.events) events_.emplace(op, log_dir_, options.purge_step);
  if (table_.is_new()) table_.append("step,time,tag,value\n");
  if (options.purge_step && !lines_.is_new()) lines_.append(dump({{"purge_step", *options.purge_step}}) + '\n');
}

SummaryWriter::~SummaryWriter() {
  try {
    flush();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
}

void SummaryWriter::flush() {
  flushed_ = Clock::now();
  if (events_) events_->flush();
  lines_.flush();
  table_.flush();
}

double SummaryWriter::time_of_record() {
  if (Clock::now() - flushed_ > std::chrono::seconds(1)) flush();
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(std::chrono::floor<std::chrono::milliseconds>(since)).count();
}

void SummaryWriter::log(double time, std::string_view tag, std::int64_t step, std::string_view key,
                        const std::string& value) {
  lines_.append("{\"step\":" + std::to_string(step) + ",\"time\":" + text_of(time) + ",\"tag\":" + dump(tag) + ",\"" +
                std::string(key) + "\":" + value + "}\n");
  greatest_step_ = std::max(greatest_step_, step);
}

void SummaryWriter::event(double time, std::int64_t step, const Message& value) {
  if (events_) events_->add(time, step, value);
}

void SummaryWriter::add_scalar(std::string_view tag, double value, std::int64_t step) {
  const double time = time_of_record();
  event(time, step, Message().text(tag_field, tag).single(simple_value_field, static_cast<float>(value)));
  log(time, tag, step, "value", dump(value));
  table_.append(std::to_string(step) + ',' + text_of(time) + ',' + csv_field(tag) + ',' + text_of(value) + '\n');
}

void SummaryWriter::add_histogram(std::string_view tag, const Tensor& values, std::int64_t step, std::int64_t bins) {
  check(bins >= 1 && bins <= 10'000, "add_histogram: bins must be from 1 to 10000, not ", bins);
  const std::vector<double> elements = doubles(values);
  const auto histogram = xgrad::detail::histogram(elements.data(), static_cast<std::int64_t>(elements.size()), bins);
  std::vector<double> limits, counts(histogram.counts.begin(), histogram.counts.end());
  for (std::int64_t i = 1; i <= bins; ++i)
    limits.push_back(std::lerp(histogram.low, histogram.high, static_cast<double>(i) / static_cast<double>(bins)));
  const double time = time_of_record();
  event(time, step,
        Message()
            .text(tag_field, tag)
            .message(histogram_field, Message()
                                          .number(1, histogram.low)
                                          .number(2, histogram.high)
                                          .number(3, static_cast<double>(histogram.finite))
                                          .number(4, histogram.sum)
                                          .number(5, histogram.sum_of_squares)
                                          .numbers(6, limits)
                                          .numbers(7, counts)));
  log(time, tag, step, "histogram",
      dump({{"low", histogram.low}, {"high", histogram.high}, {"counts", histogram.counts}}));
}

void SummaryWriter::add_image(std::string_view tag, const Tensor& picture, std::int64_t step) {
  const detail::Png png = detail::to_png("add_image", picture);
  const double time = time_of_record();
  event(
      time, step,
      Message()
          .text(tag_field, tag)
          .message(image_field,
                   Message().integer(1, png.height).integer(2, png.width).integer(3, png.channels).text(4, png.bytes)));
  log(time, tag, step, "image",
      dump({{"height", png.height}, {"width", png.width}, {"png", io::to_base64(png.bytes)}}));
}

void SummaryWriter::add_text(std::string_view tag, std::string_view text, std::int64_t step) {
  const double time = time_of_record();
  event(time, step,
        Message()
            .text(tag_field, tag)
            .message(metadata_field, metadata("text"))
            .message(tensor_field, Message().integer(1, string_type).message(2, tensor_shape({1})).text(8, text)));
  log(time, tag, step, "text", dump(text));
}

void SummaryWriter::add_pr_curve(std::string_view tag, const Tensor& labels, const Tensor& predictions,
                                 std::int64_t step, std::int64_t thresholds) {
  check(thresholds >= 2 && thresholds <= 10'000, "add_pr_curve: thresholds must be from 2 to 10000, not ", thresholds);
  check(labels.numel() == predictions.numel(), "add_pr_curve: ", labels.numel(), " labels and ", predictions.numel(),
        " predictions");
  const std::vector<double> truth = doubles(labels), predicted = doubles(predictions);
  const auto count = static_cast<std::size_t>(thresholds);
  std::vector<double> positive(count), negative(count);  // predictions from each threshold on that are right and wrong
  for (std::size_t i = 0; i < truth.size(); ++i) {
    check(truth[i] == 0 || truth[i] == 1, "add_pr_curve: labels are 0 or 1, not ", truth[i]);
    check(predicted[i] >= 0 && predicted[i] <= 1, "add_pr_curve: predictions are probabilities from 0 to 1, not ",
          predicted[i]);
    const auto bucket = static_cast<std::size_t>(predicted[i] * static_cast<double>(thresholds - 1));
    ++(truth[i] == 1 ? positive : negative)[bucket];
  }
  for (std::size_t i = count - 1; i-- > 0;) {
    positive[i] += positive[i + 1];
    negative[i] += negative[i + 1];
  }
  constexpr double least = 1e-7;  // instead of 0 below a fraction, as in PyTorch
  std::vector<float> rows(6 * count);
  std::vector<double> precision(count), recall(count);
  for (std::size_t i = 0; i < count; ++i) {
    precision[i] = positive[i] / std::max(least, positive[i] + negative[i]);
    recall[i] = positive[i] / std::max(least, positive[0]);
    const double values[] = {positive[i],  negative[i], negative[0] - negative[i], positive[0] - positive[i],
                             precision[i], recall[i]};
    for (std::size_t row = 0; row < 6; ++row) rows[row * count + i] = static_cast<float>(values[row]);
  }
  const double time = time_of_record();
  event(time, step,
        Message()
            .text(tag_field, tag)
            .message(metadata_field, metadata("pr_curves", Message().integer(2, thresholds)))
            .message(tensor_field,
                     Message().integer(1, float_type).message(2, tensor_shape({6, thresholds})).singles(5, rows)));
  log(time, tag, step, "pr_curve", dump({{"precision", precision}, {"recall", recall}}));
}

void SummaryWriter::add_hparams(const std::vector<std::pair<std::string, Hyperparameter>>& hparams,
                                const std::vector<std::pair<std::string, double>>& metrics) {
  enum DataType { string_data = 1, bool_data = 2, number_data = 3 };
  Message experiment, start;
  json config = json::object();
  for (const auto& [name, value] : hparams) {
    Message encoded;  // a google.protobuf.Value
    int type = string_data;
    if (const auto* number = std::get_if<double>(&value)) {
      encoded.number(2, *number);
      type = number_data;
      config[name] = *number;
    } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
      encoded.number(2, static_cast<double>(*whole));
      type = number_data;
      config[name] = *whole;
    } else if (const auto* flag = std::get_if<bool>(&value)) {
      encoded.integer(4, *flag);
      type = bool_data;
      config[name] = *flag;
    } else {
      encoded.text(3, std::get<std::string>(value));
      config[name] = std::get<std::string>(value);
    }
    experiment.message(4, Message().text(1, name).integer(4, type));
    start.message(1, Message().text(1, name).message(2, encoded));
  }
  for (const auto& [name, value] : metrics) experiment.message(5, Message().message(1, Message().text(2, name)));
  const double time = time_of_record();
  start.number(5, time);
  const Message end = Message().integer(1, 1);  // success, as otherwise TensorBoard waits for it
  const auto record = [&](const char* tag, int field, const Message& content) {
    const Message nothing = Message().integer(1, float_type).message(2, tensor_shape({0}));
    event(time, 0,
          Message()
              .text(tag_field, tag)
              .message(metadata_field, metadata("hparams", Message().message(field, content)))
              .message(tensor_field, nothing));
  };
  record("_hparams_/experiment", 2, experiment);
  record("_hparams_/session_start_info", 3, start);
  record("_hparams_/session_end_info", 4, end);
  log(time, "hparams", 0, "hparams", dump(config));
  for (const auto& [name, value] : metrics) add_scalar(name, value, greatest_step_);
}

namespace {

/// The elements of a gradient; of a sparse one, which grad() would make dense, those of its rows.
Tensor gradient_of(const Tensor& tensor) {
  const std::optional<SparseRows> sparse = sparse_grad(tensor);
  return sparse ? sparse->values : tensor.grad();
}

}  // namespace

void SummaryWriter::add_graph(const NamedTensors& parameters, const Tensor& output) {
  check(output.requires_grad(), "add_graph: the tensor of shape ", output.shape(),
        " does not require a gradient, so no operations were recorded that lead to it");
  const double time = time_of_record();
  if (events_) events_->add_graph(time, detail::graph_def(output, parameters));
}

void SummaryWriter::add_norms(const NamedTensors& parameters, std::int64_t step) {
  const NoGrad no_grad;
  for (const auto& [name, tensor] : parameters) {
    add_scalar("weight_norm/" + name, norm(tensor.detach()).item(), step);
    const Tensor gradient = gradient_of(tensor);
    if (gradient.defined()) add_scalar("gradient_norm/" + name, norm(gradient).item(), step);
  }
}

void SummaryWriter::add_histograms(const NamedTensors& parameters, std::int64_t step) {
  for (const auto& [name, tensor] : parameters) {
    add_histogram("weight/" + name, tensor, step);
    if (const Tensor gradient = gradient_of(tensor); gradient.defined())
      add_histogram("gradient/" + name, gradient, step);
  }
}

void SummaryWriter::add_system(std::int64_t step) {
  const Clock::time_point now = Clock::now();
  if (last_step_ && step > last_step_->second) {
    const double milliseconds = std::chrono::duration<double, std::milli>(now - last_step_->first).count();
    add_scalar("system/milliseconds_a_step", milliseconds / static_cast<double>(step - last_step_->second), step);
  }
  last_step_ = {now, step};
  add_scalar("system/memory_MB", resident_megabytes(), step);
}

}  // namespace xgrad::train
