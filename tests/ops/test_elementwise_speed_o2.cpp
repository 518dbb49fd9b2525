#define LEVEL "-O2"
#include "test_elementwise_speed.cpp"
