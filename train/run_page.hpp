#pragma once
// A page about runs.

#include <string>
#include <vector>

namespace xgrad::train {

/// Writes one page about runs, which needs nothing but a browser, from the directories of their SummaryWriters: curves
/// of all scalars, with smoothing, of several runs over each other; norms of weights and gradients by layer; histograms
/// over time; pictures and texts; precision and recall; time and memory; their configurations side by side; and, where
/// a Profile wrote `trace.json` into the directory, a table and a flame chart of it. The runs may still be going on;
/// the file appears in one step, so a page that is open can be loaded anew. Long curves are thinned: to the mean, the
/// least and the largest value of each thousandth. Where a run was stopped and began again at an earlier step, what it
/// wrote the second time counts. Throws Error where a directory has no log, and for a line of it that is not JSON.
void write_run_page(const std::vector<std::string>& log_dirs, const std::string& path);

}  // namespace xgrad::train
