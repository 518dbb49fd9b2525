#include <algorithm>
#include <charconv>
#include <cmath>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "node.hpp"
#include "primitives.hpp"

namespace xgrad {

namespace {

constexpr std::int64_t abridge_over = 1000, edge_items = 3, line_width = 75;
constexpr std::size_t most_digits = 8;  // after the point

/// A number's text in parts: "-12", "5", "" or "1", "25", "-07"; all in `whole` where it is not finite.
struct Digits {
  std::string whole, fraction, exponent;
};

/// Writes the fewest digits that tell `value` from its neighbours in T.
template <class T>
std::string_view write_shortest(char* begin, char* end, T value, std::chars_format format) {
  if constexpr (std::is_floating_point_v<T>) {
    return {begin, std::to_chars(begin, end, value, format).ptr};
  } else {  // all digits of a number of 16 bits are few
    const float exact = value;
    for (int precision = 0;; ++precision) {
      const char* const last = std::to_chars(begin, end, exact, format, precision).ptr;
      float read = 0;
      std::from_chars(begin, last, read, format);
      if (T(read).bits() == value.bits()) return {begin, last};
    }
  }
}

/// The fewest digits that tell `value` from its neighbours in T, eight at most after the point.
template <class T>
Digits digits_of(T value, bool scientific) {
  if (std::isnan(value)) return {"nan", "", ""};
  if (std::isinf(value)) return {value > 0 ? "inf" : "-inf", "", ""};
  const auto format = scientific ? std::chars_format::scientific : std::chars_format::fixed;
  char buffer[512];
  Digits digits;
  const auto split = [&](std::string_view text) {
    const auto e = std::min(text.find('e'), text.size()), point = std::min(text.find('.'), e);
    digits.whole = text.substr(0, point);
    digits.fraction = text.substr(std::min(point + 1, e), e - std::min(point + 1, e));
    digits.exponent = text.substr(std::min(e + 1, text.size()));
  };
  split(write_shortest(buffer, std::end(buffer), value, format));
  if (digits.fraction.size() > most_digits)
    split({buffer, std::to_chars(buffer, std::end(buffer), static_cast<typename detail::ElementRow<T>::Compute>(value),
                                 format, static_cast<int>(most_digits))
                       .ptr});
  digits.fraction.erase(digits.fraction.find_last_not_of('0') + 1);
  return digits;
}

/// Texts of one width for all values: NumPy's rule.
template <class T>
std::vector<std::string> format(const std::vector<T>& values) {
  double smallest = INFINITY, largest = 0;
  for (const T value : values) {
    if (!std::isfinite(value) || value == 0) continue;
    smallest = std::min(smallest, std::abs(static_cast<double>(value)));
    largest = std::max(largest, std::abs(static_cast<double>(value)));
  }
  const bool scientific = largest > 0 && (largest >= 1e8 || smallest < 1e-4 || largest / smallest > 1000);
  std::vector<Digits> numbers;
  std::size_t whole = 0, fraction = 0, exponent = 0;
  for (const T value : values) {
    numbers.push_back(digits_of(value, scientific));
    if (!std::isfinite(value)) continue;
    whole = std::max(whole, numbers.back().whole.size());
    fraction = std::max(fraction, numbers.back().fraction.size());
    exponent = std::max(exponent, numbers.back().exponent.size());
  }
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < values.size(); ++i) {
    Digits& number = numbers[i];
    if (!std::isfinite(values[i])) {
      texts.push_back(std::move(number.whole));
    } else {
      number.fraction.resize(fraction, scientific ? '0' : ' ');
      if (scientific) number.exponent.insert(1, exponent - number.exponent.size(), '0');
      texts.push_back(number.whole + '.' + number.fraction + (scientific ? "e" : "") + number.exponent);
    }
  }
  return texts;
}

/// A single number, as Python writes it.
template <class T>
std::string scalar_text(T value) {
  if (!std::isfinite(value)) return digits_of(value, false).whole;
  const double size = std::abs(static_cast<double>(value));
  char buffer[512];
  const bool scientific = size != 0 && (size < 1e-4 || size >= 1e16);
  const auto format = scientific ? std::chars_format::scientific : std::chars_format::fixed;
  const std::string text(write_shortest(buffer, std::end(buffer), value, format));
  return scientific || text.find('.') != std::string::npos ? text : text + ".0";
}

class Printer {
 public:
  explicit Printer(const Tensor& tensor) : shape_(tensor.shape()), abridged_(tensor.numel() > abridge_over) {
    if (tensor.numel() == 0) return;  // its other sizes may be any
    const Tensor memory = detail::dense(tensor);
    dispatch(memory.dtype(), [&](auto zero) {
      using T = decltype(zero);
      std::vector<T> values;
      collect(memory.data<T>(), memory.strides(), 0, values);
      if constexpr (std::is_integral_v<T>)
        for (const T value : values)
          texts_.push_back(std::is_same_v<T, bool> ? (value ? "True" : "False") : std::to_string(value));
      else if (shape_.empty())
        texts_.push_back(scalar_text(values[0]));
      else
        texts_ = format(values);
    });
    align();
  }

  std::string str() {
    if (texts_.empty()) return "[]";
    std::string out;
    write(out, 0);
    return out;
  }

 private:
  bool skips(std::size_t axis) const { return abridged_ && shape_[axis] > 2 * edge_items; }

  template <class T>
  void collect(const T* from, const Shape& strides, std::size_t axis, std::vector<T>& values) {
    if (axis == shape_.size()) return values.push_back(*from);
    for (std::int64_t i = 0; i < shape_[axis]; ++i) {
      if (skips(axis) && i == edge_items) i = shape_[axis] - edge_items;
      collect(from + i * strides[axis], strides, axis + 1, values);
    }
  }

  void align() {
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
          out.erase(out.find_last_not_of(' ') + 1);
          out += '\n';
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
