// What counts of right and wrong answers say (docs/evaluate.md).
#pragma once

#include <cstdint>

namespace alexnet {

struct Interval {
  double low = 0;
  double high = 1;
};

// The 95 % score interval of a share that was seen `hits` times in `trials` (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927). It
// stays within 0 to 1 and holds for small counts, too. 0 to 1 without trials.
Interval wilson_interval(std::uint64_t hits, std::uint64_t trials);

struct McNemar {
  double p_value = 1;
  bool exact = true;  // else by the chi-squared distribution
};

// Whether two that answered the same questions are equally often right (Q. McNemar, Psychometrika 12, 1947): the
// probability, if they are, of counts as unequal as these of what only the first, or only the second, had right. By the
// binomial distribution below 25 such answers, else by chi-squared with the continuity correction of A. L. Edwards (1948).
McNemar mcnemar(std::uint64_t only_first, std::uint64_t only_second);

}  // namespace alexnet
