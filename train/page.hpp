#pragma once

#include <string>
#include <string_view>

namespace xgrad::train::detail {

/// Writes a page with `json` in the place of its {data}, such that no text in it ends the script element around it. The
/// file appears in one step, so a page that is open can be loaded anew while it is written again.
void write_page(std::string page, std::string_view json, const std::string& path);

}  // namespace xgrad::train::detail
