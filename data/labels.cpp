#include "labels.hpp"

#include <algorithm>

namespace xgrad::data {

Labels::Labels(const Column& column) {
  if (column.is_text) {
    set_text(column);
    return;
  }
  check(!is_floating(column.values.dtype()), "Labels: column ", column.name,
        " has numbers with fractions or missing ones, which are no classes");
  set_numbers(column.values);
}

Labels::Labels(const std::vector<std::string>& texts) {
  set_text(Column::of_text("", std::vector<std::optional<std::string>>(texts.begin(), texts.end())));
}

Labels::Labels(const Tensor& numbers) { set_numbers(numbers); }

void Labels::set_text(const Column& column) {
  const auto values = column.values.span<const std::int64_t>();
  std::vector<std::int64_t> place(column.categories.size(), -1);
  for (const std::int64_t code : values)
    if (code >= 0) place[static_cast<std::size_t>(code)] = 0;
  for (std::size_t i = 0; i < place.size(); ++i)
    if (place[i] == 0) {
      place[i] = static_cast<std::int64_t>(classes_.size());
      classes_.push_back(column.categories[i]);
    }
  for (const std::int64_t code : values) codes_.push_back(code < 0 ? -1 : place[static_cast<std::size_t>(code)]);
}

void Labels::set_numbers(const Tensor& numbers) {
  check(numbers.defined() && numbers.dim() == 1 && !is_floating(numbers.dtype()), "Labels: a tensor of shape ",
        numbers.shape(), " and dtype ", numbers.dtype(), "; whole numbers of shape (N,) are needed");
  codes_ = numbers.to_vector<std::int64_t>();
  std::vector<std::int64_t> sorted = codes_;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  for (const std::int64_t number : sorted) classes_.push_back(std::to_string(number));
  for (std::int64_t& code : codes_) code = std::lower_bound(sorted.begin(), sorted.end(), code) - sorted.begin();
}

}  // namespace xgrad::data
