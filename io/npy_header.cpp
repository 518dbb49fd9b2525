#include "npy_header.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "safetensors_header.hpp"  // Quoted

namespace xgrad::io {

namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::uint32_t longest_header = 1 << 16;

constexpr NpyElement elements[] = {{"b1", 1, bool_},   {"u1", 1, uint8},   {"i1", 1, int8},   {"i2", 2, int16},
                                   {"i4", 4, int32},   {"i8", 8, int64},   {"u2", 2, int64},  {"u4", 4, int64},
                                   {"f2", 2, float16}, {"f4", 4, float32}, {"f8", 8, float64}};

/// Reads the dictionary of a header, a Python literal.
class Parser {
 public:
  Parser(std::string_view where, std::string_view text) : where_(where), text_(text) {}

  NpyHeader read() {
    std::optional<std::string_view> descr;
    std::optional<bool> fortran_order;
    std::optional<Shape> shape;
    expect('{');
    while (!take('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr" && !descr) {
        skip_blanks();
        check(at_ < text_.size() && text_[at_] != '[', where_,
              ": an array of records; write its fields as arrays of their own");
        descr = quoted();
      } else if (key == "fortran_order" && !fortran_order) {
        fortran_order = boolean();
      } else if (key == "shape" && !shape) {
        shape = sizes();
      } else {
        fail(where_, ": the header has an entry ", Quoted{key}, " that is unknown or repeats");
      }
      if (take(',')) continue;
      expect('}');
      break;
    }
    skip_blanks();
    check(at_ == text_.size(), where_, ": the header goes on behind its dictionary");
    check(descr && fortran_order && shape, where_, ": the header lacks descr, fortran_order or shape");
    NpyHeader header{nullptr, false, *fortran_order, *shape, 0};
    set_element(header, *descr);
    return header;
  }

 private:
  void set_element(NpyHeader& header, std::string_view descr) const {
    const char order = descr.empty() ? '\0' : descr[0];
    const std::string_view code = descr.substr(std::min<std::size_t>(1, descr.size()));
    for (const NpyElement& element : elements)
      if (element.code == code &&
          (order == '<' || order == '>' || order == '=' || (order == '|' && element.size == 1))) {
        header.element = &element;
        header.swapped = order == '>' && element.size > 1;
      }
    check(header.element, where_, ": no dtype has elements of NumPy's type ", Quoted{descr},
          "; convert the array by .astype() before it is saved");
  }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  bool take(char c) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    check(take(c), where_, ": the header is malformed: ", std::string_view(&c, 1), " expected at its byte ", at_);
  }
  std::string_view quoted() {
    skip_blanks();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    check(quote == '\'' || quote == '"', where_, ": the header is malformed: text expected at its byte ", at_);
    const std::size_t begin = ++at_, end = text_.find(quote, begin);
    check(end != std::string_view::npos, where_, ": the header is malformed: text without an end");
    at_ = end + 1;
    return text_.substr(begin, end - begin);
  }
  bool boolean() {
    skip_blanks();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return value;
      }
    }
    fail(where_, ": the header is malformed: True or False expected at its byte ", at_);
  }
  Shape sizes() {
    Shape shape;
    expect('(');
    while (!take(')')) {
      skip_blanks();
      std::int64_t size = -1;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), size);
      check(error == std::errc() && size >= 0, where_, ": the header is malformed: a size expected at its byte ", at_);
      at_ = static_cast<std::size_t>(end - text_.data());
      if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // as Python 2 wrote them
      check(shape.size() < Shape::max_rank, where_, ": an array of more than ", Shape::max_rank, " axes");
      shape.push_back(size);
      if (take(',')) continue;
      expect(')');
      break;
    }
    return shape;
  }

  std::string_view where_, text_;
  std::size_t at_ = 0;
};

}  // namespace

NpyHeader read_npy_header(std::string_view where, const Input& file) {
  unsigned char start[12] = {};
  const auto there = static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), sizeof start));
  file.read(0, start, there);
  check(there >= 10 && std::equal(magic.begin(), magic.end(), reinterpret_cast<const char*>(start)), where,
        ": this is no NumPy array (.npy)");
  const int version = start[6];
  check(version >= 1 && version <= 3 && start[7] == 0, where, ": version ", version, ".", int{start[7]},
        " of the format is unknown");
  const std::uint32_t length =
      start[8] + 256u * start[9] + (version > 1 ? 65536u * start[10] + 16777216u * start[11] : 0);
  const std::uint64_t begin = version > 1 ? 12 : 10;
  check(length <= longest_header && begin + length <= file.size(), where, ": a header of ", length,
        " bytes in a file of ", file.size());
  std::string text(length, '\0');
  file.read(begin, text.data(), text.size());
  NpyHeader header = Parser(where, text).read();
  header.begin = begin + length;

  // The product may not fit: of sizes beyond the bytes there are none is read.
  const std::uint64_t bytes = file.size() - header.begin;
  std::uint64_t needed = header.element->size;
  bool too_many = false;
  for (const std::int64_t size : header.shape)
    too_many = __builtin_mul_overflow(needed, static_cast<std::uint64_t>(size), &needed) || too_many;
  if (std::find(header.shape.begin(), header.shape.end(), 0) != header.shape.end()) needed = 0, too_many = false;
  check(!too_many && needed <= bytes, where, ": shape ", header.shape, " of elements of ", header.element->size,
        " bytes needs more than the ", bytes, " bytes behind the header: the file is cut short");
  check(header.shape.numel() >= 0, where);
  return header;
}

std::string format_npy_header(std::string_view where, DType dtype, bool fortran_order, const Shape& shape) {
  const auto* element =
      std::find_if(std::begin(elements), std::end(elements), [&](const NpyElement& e) { return e.loaded_as == dtype; });
  // The unsigned types that are loaded as int64 come behind it.
  check(element != std::end(elements), where, ": NumPy has no ", dtype, "; convert the tensor with .to(float32)");
  std::string text = "{'descr': '";
  text += element->size == 1 ? '|' : '<';
  text += element->code;
  text += "', 'fortran_order': ";
  text += fortran_order ? "True" : "False";
  text += ", 'shape': " + shape.str() + ", }";
  constexpr std::size_t prefix = 10, alignment = 64;
  text.append(alignment - 1 - (prefix + text.size()) % alignment, ' ');
  text += '\n';
  std::string out(magic);
  out += {'\1', '\0', static_cast<char>(text.size() % 256), static_cast<char>(text.size() / 256)};
  return out + text;
}

}  // namespace xgrad::io
