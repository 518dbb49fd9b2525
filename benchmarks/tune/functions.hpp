#pragma once
// The functions that samplers are compared on.

#include <functional>
#include <string>
#include <vector>

#include "search.hpp"

/// An objective to be minimised, or several with the reference point of their hypervolume.
struct Function {
  std::string name;
  std::function<std::vector<double>(Search&)> evaluate;
  double minimum = 0;                  ///< of one objective
  std::vector<double> reference = {};  ///< of several
  std::size_t objectives() const { return reference.empty() ? 1 : reference.size(); }
};

/// One objective: of 2 to 20 floats, mixed kinds of parameters, and conditional ones; and several objectives.
const std::vector<Function>& functions();
