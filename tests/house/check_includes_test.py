#!/usr/bin/env python3
"""check_includes.py must accept what the rules allow and name each kind of breach."""
import pathlib
import tempfile
import unittest

import check_includes


def findings(**files):
    """The findings for a tree of these files: NAME=(path, text)."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.values():
            target = pathlib.Path(root, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        return list(check_includes.findings(root))


class Includes(unittest.TestCase):
    def test_allowed(self):
        for path, line in [
            ("src/layers/lrn.h", '#include "layers/window.h"'),
            ("src/layers/lrn.cc", '#include "tensor/tensor.h"'),
            ("src/layers/lrn.cc", "#include <nlohmann/json.hpp>"),
            ("src/tensor/shape.cc", '#include "alexnet/error.h"'),
            ("include/alexnet/error.h", '#include "alexnet/export.h"'),
            ("include/alexnet/error.h", "#include <string_view>"),
            ("src/runtime/onednn/lrn.cc", "#include <dnnl.hpp>"),
            ("src/runtime/simd/sparse.cc", "#include <hwy/highway.h>"),
            ("src/base/log.cc", "#include <spdlog/spdlog.h>"),
            ("src/cli/options.cc", "#include <cxxopts.hpp>"),
        ]:
            with self.subTest(path=path, line=line):
                self.assertEqual(findings(file=(path, line)), [])

    def test_refused(self):
        for path, line, message in [
            ("src/layers/lrn.cc", '#include "graph/graph.h"', "points up: layers is floor 3, graph is floor 4"),
            ("src/layers/lrn.cc", '#include "image/resize.h"', "points sideways: layers is floor 3, image is floor 3"),
            ("src/runtime/plan.cc", '#include "import/importer.h"', "points sideways"),
            ("src/layers/lrn.cc", '#include "lrn.h"', '"lrn.h" must be written with its folder'),
            ("src/layers/lrn.cc", '#include "tests/support.h"', "is in no folder of src/"),
            ("src/layers/lrn.cc", '#include "alexnet/unlisted.h"', "no public header"),
            ("src/attic/old.cc", "", "in no folder"),
            ("include/alexnet/unlisted.h", "", "in no folder"),
            ("include/alexnet/error.h", '#include "base/json.h"', 'must not include "base/json.h"'),
            ("include/alexnet/error.h", "#include <nlohmann/json_fwd.hpp>", "must not include <nlohmann/json_fwd.hpp>"),
            ("include/alexnet/error.h", "#include <dnnl.h>", "must not include <dnnl.h>"),
            ("include/alexnet/error.h", "#define CHECK(x) x", "must not define CHECK"),
            ("src/runtime/plan.cc", "#include <dnnl.hpp>", "only in src/runtime/onednn/"),
            ("src/tasks/bench.cc", '#  include <oneapi/dnnl/dnnl.hpp>', "only in src/runtime/onednn/"),
            ("src/layers/lrn.cc", "#include <hwy/highway.h>", "only in src/runtime/simd/"),
            ("src/tasks/bench.cc", "#include <cxxopts.hpp>", "only in src/cli/"),
            ("src/base/text.cc", "#include <spdlog/spdlog.h>", "only in src/base/log.cc"),
            ("src/base/json.h", "#include <nlohmann/json.hpp>", "a header includes base/json.h"),
        ]:
            with self.subTest(path=path, line=line):
                found = findings(file=(path, line))
                self.assertEqual(len(found), 1, found)
                self.assertIn(message, found[0])


if __name__ == "__main__":
    unittest.main()
