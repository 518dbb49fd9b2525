#pragma once

#include <string>
#include <string_view>

namespace xgrad::io {

/// Bytes as text of 64 letters, as RFC 4648 says.
std::string to_base64(std::string_view bytes);

}  // namespace xgrad::io
