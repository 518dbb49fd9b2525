#pragma once
// TensorBoard's event files: protocol buffers in records, each with the checksums of its length and its bytes.

#include <optional>
#include <string>

#include "../io/append_file.hpp"
#include "protobuf.hpp"

namespace xgrad::train::detail {

/// The bytes of a record of TensorFlow's TFRecord format.
std::string framed(std::string_view bytes);

/// A new file `events.out.tfevents.TIME.HOST.PID.NUMBER` in a directory.
class EventFile {
 public:
  /// What earlier files of the directory say of steps from `purge_step` on is not shown.
  EventFile(const char* op, const std::string& directory, std::optional<std::int64_t> purge_step);

  /// One value of a Summary, at a step.
  void add(double wall_time, std::int64_t step, const Message& summary_value);
  /// A GraphDef.
  void add_graph(double wall_time, const Message& graph);
  void flush() { file_.flush(); }

 private:
  io::AppendFile file_;
};

}  // namespace xgrad::train::detail
