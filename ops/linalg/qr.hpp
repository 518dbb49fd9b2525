#pragma once
// The QR decomposition.

#include "../../autograd/operand.hpp"

namespace xgrad::linalg {

enum class QRMode {
  reduced,   // Q (..., m, k) and R (..., k, n), with k = min(m, n)
  complete,  // Q (..., m, m) and R (..., m, n)
  r          // R as of reduced, and an undefined Q
};

struct QR {
  Tensor Q, R;
};

struct QROptions {
  QRMode mode = QRMode::reduced;
};

/// A = Q R for matrices (..., m, n), with orthonormal columns of Q and an upper triangular R, whose diagonal may have
/// either sign. The gradient exists where the first k columns of A are independent, and in mode complete for m <= n;
/// elsewhere it throws Error. Throws Error for integers and less than two axes.
QR qr(Operand A, const QROptions& options = {});

/// The first n columns of H_1 H_2 ... H_k, for the reflectors H_i = I - tau_i v_i v_i^T that LAPACK's geqrf keeps: v_i
/// has zeros above element i, 1 there, and below it what column i of A (..., m, n) has there; tau (..., k) with
/// k <= n <= m. Throws Error for other shapes, and integers.
Tensor householder_product(Operand A, Operand tau);

}  // namespace xgrad::linalg
