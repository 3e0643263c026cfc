#include <cstdio>

int main() { return std::puts("alexnet " ALEXNET_VERSION) < 0 ? 5 : 0; }
