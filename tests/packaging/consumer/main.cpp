#include <xgrad/array/shape.hpp>

int main() { return xgrad::broadcast_shapes("main", {2, 1}, {3}) == xgrad::Shape{2, 3} ? 0 : 1; }
