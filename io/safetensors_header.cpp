#include "safetensors_header.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

namespace xgrad::io {

namespace {

constexpr std::string_view metadata_key = "__metadata__";

constexpr std::array<SafetensorsDType, 12> dtypes{{{"BOOL", 1, bool_},
                                                   {"U8", 1, uint8},
                                                   {"I8", 1, int8},
                                                   {"U16", 2, int64},
                                                   {"I16", 2, int16},
                                                   {"U32", 4, int64},
                                                   {"I32", 4, int32},
                                                   {"I64", 8, int64},
                                                   {"F16", 2, float16},
                                                   {"BF16", 2, bfloat16},
                                                   {"F32", 4, float32},
                                                   {"F64", 8, float64}}};

const SafetensorsDType* find_dtype(std::string_view name) {
  const auto* found = std::find_if(dtypes.begin(), dtypes.end(), [&](const auto& dtype) { return dtype.name == name; });
  return found == dtypes.end() ? nullptr : found;
}

// The characters of a header, read in pieces. The parser holds a number or a text as a whole, several times over,
// before it looks at it: so their lengths are limited here.
class HeaderText {
 public:
  HeaderText(std::string_view where, const Input& file, std::uint64_t begin, std::uint64_t length)
      : where_(where), file_(file), at_(begin), end_(begin + length) {
    fill();
    check(!piece_.empty() && piece_[0] == '{', where_, ": the header does not begin with '{'");
    look();
  }

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    explicit Iterator(HeaderText* text) : text_(text) {}
    reference operator*() const { return text_->piece_[text_->next_]; }
    Iterator& operator++() {
      text_->advance();
      return *this;
    }
    Iterator operator++(int) = delete;
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.at_end() == b.at_end(); }
    friend bool operator!=(const Iterator& a, const Iterator& b) { return !(a == b); }

   private:
    bool at_end() const { return !text_ || text_->next_ == text_->piece_.size(); }
    HeaderText* text_;
  };

  Iterator begin() { return Iterator(this); }
  Iterator end() { return Iterator(nullptr); }

 private:
  void advance() {
    if (++next_ == piece_.size()) fill();
    if (next_ < piece_.size()) look();
  }

  void fill() {
    piece_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(end_ - at_, std::uint64_t{1} << 16)));
    file_.read(at_, piece_.data(), piece_.size());
    at_ += piece_.size();
    next_ = 0;
  }

  /// Notes the character that comes next.
  void look() {
    constexpr std::uint64_t longest_word = 32;  // any number of 64 bits, true, false, null
    const char c = piece_[next_];
    check(c != '\0', where_, ": the header contains a zero byte");
    if (in_text_) {
      check(++length_ <= max_safetensors_text, where_, ": the header has a text of over ", max_safetensors_text,
            " bytes");
      if (escaped_)
        escaped_ = false;
      else if (c == '\\')
        escaped_ = true;
      else if (c == '"')
        in_text_ = false;
    } else if (c == '"' || c == ',' || c == ':' || c == ' ' || c == '[' || c == ']' || c == '{' || c == '}') {
      in_text_ = c == '"';
      length_ = 0;
    } else {
      check(++length_ <= longest_word, where_, ": the header has a number or a word of over ", longest_word,
            " characters");
    }
  }

  std::string_view where_;
  const Input& file_;
  std::uint64_t at_, end_;  // what of the file is to be read yet
  std::string piece_;
  std::size_t next_ = 0;
  bool in_text_ = false, escaped_ = false;
  std::uint64_t length_ = 0;  // of the text, number or word so far
};

// Receives the header's JSON piece by piece. A DOM would merge duplicate keys, round numbers and nest without limit.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(std::string_view where) : where_(where) {}

  SafetensorsHeader header;

  bool start_object(std::size_t) override {
    if (place_ == Place::start)
      place_ = Place::top;
    else if (place_ == Place::top)
      place_ = in_metadata_ ? Place::metadata : Place::tensor;
    else
      unexpected("an object");
    return true;
  }

  bool end_object() override {
    if (place_ == Place::tensor) finish_tensor();
    if (place_ == Place::metadata) check_unique_metadata();
    place_ = place_ == Place::top ? Place::start : Place::top;
    return true;
  }

  bool key(std::string& name) override {
    if (place_ == Place::top) {
      in_metadata_ = name == metadata_key;
      if (in_metadata_)
        check(!std::exchange(seen_metadata_, true), where_, ": duplicate key ", Quoted{name});
      else
        start_tensor(name);
    } else if (place_ == Place::metadata) {
      metadata_.emplace_back(std::move(name), "");
    } else {
      field_ = name == "dtype" ? Field::dtype : name == "shape" ? Field::shape : Field::offsets;
      require(field_ != Field::offsets || name == "data_offsets", ": unknown key ", Quoted{name});
      bool& seen = seen_[static_cast<std::size_t>(field_)];
      require(!seen, ": duplicate key ", Quoted{name});
      seen = true;
    }
    return true;
  }

  bool string(std::string& text) override {
    if (place_ == Place::metadata) {
      metadata_.back().second = std::move(text);
    } else if (place_ == Place::tensor && field_ == Field::dtype) {
      const SafetensorsDType* dtype = find_dtype(text);
      require(dtype, ": dtype ", Quoted{text},
              " is not supported; BOOL, U8, I8, U16, I16, U32, I32, I64, F16, BF16, F32 and F64 are");
      header.entries.back().dtype = dtype;
    } else {
      unexpected("text");
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::tensor || field_ == Field::dtype) unexpected("an array");
    place_ = field_ == Field::shape ? Place::shape : Place::offsets;
    return true;
  }

  bool end_array() override {
    require(place_ != Place::offsets || offset_count_ == 2, ": data_offsets has ", offset_count_,
            " numbers, expected 2");
    place_ = Place::tensor;
    return true;
  }

  bool number_unsigned(std::uint64_t value) override {
    if (place_ == Place::shape) {
      Shape& shape = header.entries.back().shape;
      require(shape.size() < Shape::max_rank, " has more than the ", Shape::max_rank, " axes that xgrad supports");
      require(value <= std::uint64_t{std::numeric_limits<std::int64_t>::max()}, ": size ", value, " is too large");
      shape.push_back(static_cast<std::int64_t>(value));
    } else if (place_ == Place::offsets) {
      require(++offset_count_ <= 2, ": data_offsets has more than 2 numbers");
      (offset_count_ == 1 ? header.entries.back().begin : header.entries.back().end) = value;
    } else {
      unexpected("a number");
    }
    return true;
  }

  bool number_integer(std::int64_t value) override {
    require(place_ != Place::shape && place_ != Place::offsets, ": negative number ", value);
    unexpected("a number");
  }

  bool number_float(double, const std::string& text) override {
    require(place_ != Place::shape && place_ != Place::offsets, ": ", Quoted{text},
            " is not an integer in the range of 64 bits");
    unexpected("a number");
  }

  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("a boolean"); }
  bool binary(nlohmann::json::binary_t&) override { unexpected("binary data"); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    fail(where_, ": the header is not valid JSON at its byte ", position);
  }

 private:
  enum class Place { start, top, metadata, tensor, shape, offsets };
  enum class Field { dtype, shape, offsets };

  // Checks the tensor being read.
  template <class... Parts>
  void require(bool ok, const Parts&... parts) const {
    if (!ok) fail(where_, ": tensor ", Quoted{header.entries.back().name}, parts...);
  }

  [[noreturn]] void unexpected(const char* what) const {
    switch (place_) {
      case Place::start:
        fail(where_, ": the header is ", what, ", expected an object");
      case Place::top:
        fail(where_, ": the header has ", what, " where a tensor or the metadata should be an object");
      case Place::metadata:
        fail(where_, ": metadata ", Quoted{metadata_.back().first}, " is ", what, ", expected text");
      default:
        fail(where_, ": tensor ", Quoted{header.entries.back().name}, " has ", what, " in a wrong place");
    }
  }

  void start_tensor(std::string& name) {
    header.entries.push_back({std::move(name), nullptr, {}, 0, 0});
    seen_ = {};
    offset_count_ = 0;
  }

  void finish_tensor() {
    const SafetensorsEntry& entry = header.entries.back();
    for (const Field field : {Field::dtype, Field::shape, Field::offsets})
      require(seen_[static_cast<std::size_t>(field)], " has no ",
              field == Field::dtype   ? "dtype"
              : field == Field::shape ? "shape"
                                      : "data_offsets");
    require(entry.begin <= entry.end, " begins at ", entry.begin, ", after its end ", entry.end);

    std::uint64_t bytes = entry.dtype->item_size;
    bool overflow = false, empty = false;
    for (const std::int64_t size : entry.shape) {
      empty = empty || size == 0;
      overflow = __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes) || overflow;
    }
    require(empty || !overflow, ": shape ", entry.shape, " has too many elements");
    if (empty) bytes = 0;
    require(entry.end - entry.begin == bytes, ": ", entry.dtype->name, " ", entry.shape, " needs ", bytes,
            " bytes, its offsets ", entry.begin, " to ", entry.end, " give ", entry.end - entry.begin);
  }

  void check_unique_metadata() {
    for (auto& [name, text] : metadata_)
      check(header.metadata.emplace(name, std::move(text)).second, where_, ": duplicate metadata key ", Quoted{name});
  }

  std::string_view where_;
  Place place_ = Place::start;
  Field field_ = Field::dtype;
  bool in_metadata_ = false, seen_metadata_ = false;
  std::array<bool, 3> seen_ = {};  // by Field, of the current tensor
  int offset_count_ = 0;
  std::vector<std::pair<std::string, std::string>> metadata_;
};

template <class Less>
std::vector<const SafetensorsEntry*> sorted(const std::vector<SafetensorsEntry>& entries, Less less) {
  std::vector<const SafetensorsEntry*> out;
  out.reserve(entries.size());
  for (const SafetensorsEntry& entry : entries) out.push_back(&entry);
  std::sort(out.begin(), out.end(), [&](const auto* a, const auto* b) { return less(*a, *b); });
  return out;
}

void check_unique_names(std::string_view where, const std::vector<SafetensorsEntry>& entries) {
  const auto by_name = sorted(entries, [](const auto& a, const auto& b) { return a.name < b.name; });
  for (std::size_t i = 1; i < by_name.size(); ++i)
    check(by_name[i - 1]->name != by_name[i]->name, where, ": duplicate tensor ", Quoted{by_name[i]->name});
}

void check_coverage(std::string_view where, const std::vector<SafetensorsEntry>& entries, std::uint64_t body_size) {
  const auto by_offset = sorted(
      entries, [](const auto& a, const auto& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::uint64_t covered = 0;
  for (const SafetensorsEntry* entry : by_offset) {
    check(entry->begin == covered, where, ": tensor ", Quoted{entry->name}, " begins at ", entry->begin,
          entry->begin < covered ? ", inside the one before, which ends at " : ", leaving a hole after ", covered);
    covered = entry->end;
  }
  check(covered == body_size, where, ": the tensors end at byte ", covered, " of the body, the file has ", body_size);
}

std::string json_text(std::string_view where, const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::type_error&) {
    fail(where, ": name or metadata ", Quoted{text}, " is not UTF-8");
  }
}

}  // namespace

const SafetensorsDType& safetensors_dtype(DType dtype) {
  switch (dtype) {
    case DType::bool_:
      return *find_dtype("BOOL");
    case DType::uint8:
      return *find_dtype("U8");
    case DType::int8:
      return *find_dtype("I8");
    case DType::int16:
      return *find_dtype("I16");
    case DType::int32:
      return *find_dtype("I32");
    case DType::int64:
      return *find_dtype("I64");
    case DType::bfloat16:
      return *find_dtype("BF16");
    case DType::float16:
      return *find_dtype("F16");
    case DType::float32:
      return *find_dtype("F32");
    case DType::float64:
      return *find_dtype("F64");
  }
  __builtin_unreachable();
}

SafetensorsHeader read_safetensors_header(std::string_view where, const Input& file, std::uint64_t begin,
                                          std::uint64_t length) {
  HeaderText text(where, file, begin, length);
  HeaderReader reader(where);
  nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
  check_unique_names(where, reader.header.entries);
  check_coverage(where, reader.header.entries, file.size() - begin - length);
  return std::move(reader.header);
}

std::string format_safetensors_header(std::string_view where, const SafetensorsHeader& header) {
  check_unique_names(where, header.entries);
  std::string out = "{";
  if (!header.metadata.empty()) {
    out += "\"__metadata__\":{";
    for (const auto& [name, text] : header.metadata) {
      if (out.back() != '{') out += ',';
      out += json_text(where, name) + ':' + json_text(where, text);
    }
    out += '}';
  }
  for (const SafetensorsEntry& entry : header.entries) {
    check(entry.name != metadata_key, where, ": the name ", Quoted{entry.name}, " is reserved");
    if (out.size() > 1) out += ',';
    out += json_text(where, entry.name) + ":{\"dtype\":\"" + std::string(entry.dtype->name) + "\",\"shape\":[";
    for (std::size_t axis = 0; axis < entry.shape.size(); ++axis) {
      if (axis > 0) out += ',';
      out += std::to_string(entry.shape[axis]);
    }
    out += "],\"data_offsets\":[" + std::to_string(entry.begin) + ',' + std::to_string(entry.end) + "]}";
  }
  out += '}';
  out.resize((out.size() + 7) / 8 * 8, ' ');
  check(out.size() <= max_safetensors_header, where, ": the header has ", out.size(), " bytes, more than the ",
        max_safetensors_header, " that the format allows");
  return out;
}

void append(std::string& out, Quoted quoted) {
  constexpr std::size_t longest = 100;
  out += '\'';
  for (const char c : quoted.text.substr(0, longest)) out += static_cast<unsigned char>(c) < 32 || c == 127 ? '?' : c;
  out += quoted.text.size() > longest ? "...'" : "'";
}

}  // namespace xgrad::io
