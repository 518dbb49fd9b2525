#pragma once
// Hyperparameter search. Not part of <xgrad/xgrad.hpp>.

#include "tune/asha.hpp"
#include "tune/grid.hpp"
#include "tune/importance.hpp"
#include "tune/pbt.hpp"
#include "tune/pruner.hpp"
#include "tune/results.hpp"
#include "tune/sampler.hpp"
#include "tune/sobol.hpp"
#include "tune/stopping.hpp"
#include "tune/study.hpp"
#include "tune/tpe.hpp"
#include "tune/zoom.hpp"
