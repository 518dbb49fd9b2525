#pragma once
// Hyperparameter search. Not part of <xgrad/xgrad.hpp>.

#include "tune/pruners/asha.hpp"
#include "tune/pruners/median.hpp"
#include "tune/pruners/patience.hpp"
#include "tune/pruners/pbt.hpp"
#include "tune/pruners/pruner.hpp"
#include "tune/pruners/threshold.hpp"
#include "tune/report/importance.hpp"
#include "tune/report/results.hpp"
#include "tune/samplers/coarse_to_fine.hpp"
#include "tune/samplers/grid.hpp"
#include "tune/samplers/sampler.hpp"
#include "tune/samplers/sobol.hpp"
#include "tune/samplers/tpe.hpp"
#include "tune/study/study.hpp"
