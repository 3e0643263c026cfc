#include <iostream>

#include "alexnet/error.h"

int main() {
  try {
    throw alexnet::Error(alexnet::ErrorKind::model, "where", "what");
  } catch (const alexnet::Error& error) {
    std::cout << alexnet::name(error.kind()) << "\n";
  }
}
