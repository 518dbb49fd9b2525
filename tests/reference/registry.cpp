// Prints what is made from the registry of operations:
//   xgrad_registry samples   the samples as JSON, for make_operations.py
//   xgrad_registry table     docs/operations.md
#include <iostream>
#include <string_view>

#include "operation_samples.hpp"
#include "operation_table.hpp"

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "samples") {
    std::cout << reference::samples_as_json().dump() << '\n';
  } else if (what == "table") {
    std::cout << reference::operation_table();
  } else {
    std::cerr << "usage: xgrad_registry samples|table\n";
    return 2;
  }
}
