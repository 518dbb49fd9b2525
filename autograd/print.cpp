#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>
#include <string>
#include <vector>

#include "node.hpp"
#include "primitives.hpp"

namespace xgrad {

namespace {

constexpr std::int64_t abridge_over = 1000, edge_items = 3, line_width = 75;

/// How the floating elements of one tensor are written: NumPy's rule, eight digits at most after the point.
struct Format {
  bool scientific = false;
  int precision = 0;

  std::string operator()(double value) const {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    char buffer[512];
    if (scientific) {
      std::snprintf(buffer, sizeof buffer, "%.*e", precision, value);
      return buffer;
    }
    std::snprintf(buffer, sizeof buffer, "%.*f", std::max(precision, 1), value);
    std::string text = buffer;
    return precision == 0 ? text.substr(0, text.find('.') + 1) : text;
  }
};

int digits_needed(double value, const char* format) {
  char buffer[512];
  std::snprintf(buffer, sizeof buffer, format, value);
  std::string text = buffer;
  text = text.substr(0, text.find('e'));
  const auto point = text.find('.'), last = text.find_last_not_of('0');
  return static_cast<int>(last - point);
}

Format format_for(const std::vector<double>& values) {
  double smallest = INFINITY, largest = 0;
  for (const double value : values) {
    if (!std::isfinite(value) || value == 0) continue;
    smallest = std::min(smallest, std::abs(value));
    largest = std::max(largest, std::abs(value));
  }
  Format format;
  format.scientific = largest > 0 && (largest >= 1e8 || smallest < 1e-4 || largest / smallest > 1000);
  for (const double value : values)
    if (std::isfinite(value))
      format.precision = std::max(format.precision, digits_needed(value, format.scientific ? "%.8e" : "%.8f"));
  return format;
}

class Printer {
 public:
  explicit Printer(const Tensor& tensor) : shape_(tensor.shape()), abridged_(tensor.numel() > abridge_over) {
    const Tensor memory = detail::dense(tensor.to(tensor.dtype()));
    collect(memory, 0, 0);
    pad();
  }

  std::string str() {
    std::string out;
    write(out, 0);
    return out;
  }

 private:
  bool skips(std::size_t axis) const { return abridged_ && shape_[axis] > 2 * edge_items; }

  void collect(const Tensor& memory, std::size_t axis, std::int64_t offset) {
    if (axis == shape_.size()) {
      dispatch(memory.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T value = memory.data<T>()[offset];
        if constexpr (std::is_floating_point_v<T>)
          values_.push_back(static_cast<double>(value));
        else if constexpr (std::is_same_v<T, bool>)
          texts_.push_back(value ? "True" : "False");
        else
          texts_.push_back(std::to_string(value));
      });
      return;
    }
    const std::int64_t step = memory.strides()[axis];
    for (std::int64_t i = 0; i < shape_[axis]; ++i) {
      if (skips(axis) && i == edge_items) i = shape_[axis] - edge_items;
      collect(memory, axis + 1, offset + i * step);
    }
  }

  void pad() {
    if (!values_.empty()) {
      const Format format = format_for(values_);
      for (const double value : values_) texts_.push_back(format(value));
    }
    std::size_t width = 0;
    for (const std::string& text : texts_) width = std::max(width, text.size());
    for (std::string& text : texts_) text.insert(0, width - text.size(), ' ');
  }

  void write(std::string& out, std::size_t axis) {
    if (axis == shape_.size()) {
      out += texts_[next_++];
      return;
    }
    out += '[';
    const bool innermost = axis + 1 == shape_.size();
    std::size_t line = innermost ? axis + 1 : 0;
    for (std::int64_t i = 0; i < shape_[axis]; ++i) {
      if (i > 0) separate(out, axis, innermost);
      if (skips(axis) && i == edge_items) {
        out += "...";
        line += 4;
        i = shape_[axis] - edge_items;
        separate(out, axis, innermost);
      }
      if (innermost) {
        const std::size_t width = texts_[next_].size() + 1;
        if (line + width > static_cast<std::size_t>(line_width) && i > 0) {
          out.back() = '\n';
          out.append(axis + 1, ' ');
          line = axis + 1;
        }
        line += width;
      }
      write(out, axis + 1);
    }
    out += ']';
  }

  void separate(std::string& out, std::size_t axis, bool innermost) {
    if (innermost) {
      out += ' ';
    } else {
      out.append(shape_.size() - axis - 1, '\n');
      out.append(axis + 1, ' ');
    }
  }

  Shape shape_;
  bool abridged_;
  std::vector<double> values_;
  std::vector<std::string> texts_;
  std::size_t next_ = 0;
};

}  // namespace

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) {
  if (!tensor.defined()) return out << "undefined";
  const NoGrad no_grad;
  return out << Printer(tensor).str();
}

}  // namespace xgrad
