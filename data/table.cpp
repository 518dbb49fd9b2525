#include "table.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "dataset.hpp"

namespace xgrad::data {

std::int64_t Column::missing() const {
  if (is_text) {
    const auto all = values.span<const std::int64_t>();
    return std::count(all.begin(), all.end(), -1);
  }
  if (values.dtype() != float64) return 0;
  const auto all = values.span<const double>();
  return std::count_if(all.begin(), all.end(), [](double value) { return std::isnan(value); });
}

std::optional<std::string_view> Column::text(std::int64_t row) const {
  check(is_text, "Column: ", name, " is a column of ", values.dtype(), ", not of text");
  check(row >= 0 && row < size(), "Column: row ", row, " is out of range for ", size(), " rows");
  const std::int64_t category = values.data<std::int64_t>()[row];
  if (category < 0) return {};
  return categories[static_cast<std::size_t>(category)];
}

Column Column::of_text(std::string name, const std::vector<std::optional<std::string>>& rows) {
  std::set<std::string_view> texts;
  for (const auto& text : rows)
    if (text) texts.insert(*text);
  Column column{std::move(name),
                xgrad::detail::empty({static_cast<std::int64_t>(rows.size())}, int64),
                {texts.begin(), texts.end()},
                true};
  std::int64_t* to = column.values.data<std::int64_t>();
  for (const auto& text : rows)
    *to++ =
        text ? std::lower_bound(column.categories.begin(), column.categories.end(), *text) - column.categories.begin()
             : -1;
  return column;
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  std::set<std::string_view> names;
  for (const Column& column : columns_) {
    check(column.values.defined() && column.values.dim() == 1, "Table: column ", column.name, " has no shape (N,)");
    check(column.size() == size(), "Table: column ", column.name, " has ", column.size(), " rows, column ",
          columns_[0].name, " ", size());
    check(names.insert(column.name).second, "Table: the name ", column.name, " repeats");
  }
}

std::vector<std::string> Table::names() const {
  std::vector<std::string> all;
  for (const Column& column : columns_) all.push_back(column.name);
  return all;
}

const Column& Table::operator[](std::string_view name) const {
  for (const Column& column : columns_)
    if (column.name == name) return column;
  std::string all;
  for (const Column& column : columns_) all += (all.empty() ? "" : ", ") + column.name;
  fail("Table: there is no column ", name, "; there are: ", all);
}

Tensor Table::numbers(const std::vector<std::string>& names, DType dtype) const {
  check(!names.empty(), "Table: numbers() of no columns");
  const auto width = static_cast<std::int64_t>(names.size());
  Tensor out = xgrad::detail::empty({size(), width}, float64);
  for (std::int64_t j = 0; j < width; ++j) {
    const Column& column = (*this)[names[static_cast<std::size_t>(j)]];
    check(!column.is_text, "Table: column ", column.name,
          " is text, not numbers; OneHotEncoder or LabelEncoder make numbers of it");
    check(is_floating(dtype) || column.missing() == 0, "Table: column ", column.name, " has ", column.missing(),
          " missing values, which ", dtype, " has no number for");
    const Tensor values = column.values.to(float64);
    const double* from = values.data<double>();
    double* to = out.data<double>() + j;
    for (std::int64_t i = 0; i < size(); ++i) to[i * width] = from[i];
  }
  return out.to(dtype);
}

Table Table::rows(const std::vector<std::int64_t>& indices) const {
  check_indices("Table", indices, size());
  std::vector<Column> columns;
  for (const Column& column : columns_) {
    Column chosen = column;
    chosen.values = xgrad::detail::empty({static_cast<std::int64_t>(indices.size())}, column.values.dtype());
    dispatch(column.values.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T* from = column.values.data<T>();
      std::transform(indices.begin(), indices.end(), chosen.values.data<T>(),
                     [&](std::int64_t index) { return from[index]; });
    });
    columns.push_back(std::move(chosen));
  }
  return Table(std::move(columns));
}

}  // namespace xgrad::data
