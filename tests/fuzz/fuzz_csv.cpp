// parse_csv takes any bytes: it reads a table with columns of one length or throws Error.

#include <xgrad/data/csv.hpp>

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool header : {true, false}) try {
      const xgrad::data::Table table = xgrad::data::parse_csv(text, {.header = header});
      for (const xgrad::data::Column& column : table.columns())
        if (column.size() != table.size() || column.missing() > table.size()) std::abort();
    } catch (const xgrad::Error&) {
    }
  return 0;
}
