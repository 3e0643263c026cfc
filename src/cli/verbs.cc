#include "cli/verb.h"

#include <algorithm>
#include <array>

namespace alexnet::cli {

// One file each.
int bench(const Arguments& arguments);
int classify(const Arguments& arguments);
int compare(const Arguments& arguments);
int completions(const Arguments& arguments);
int convert(const Arguments& arguments);
int evaluate(const Arguments& arguments);
int features(const Arguments& arguments);
int inspect(const Arguments& arguments);
int man(const Arguments& arguments);
int run(const Arguments& arguments);
int show(const Arguments& arguments);
int stats(const Arguments& arguments);

namespace {

constexpr auto kVerbs = std::to_array<Verb>({
    {
        .name = "bench",
        .operands = "",
        .max_operands = 0,
        .summary = "measure how fast a network runs here",
        .description =
            "Runs the network at each precision and batch in turn, round by round, and prints medians, percentiles and rates. GB/s "
            "are the weights' bytes in the form in which they are read; GFLOP/s count two for each multiply-add of the layers as "
            "written, however they are computed. Each row of a batch is the model's golden picture, if it has one, else random "
            "numbers. Measure on an idle machine: the load is printed.\n"
            "\n"
            "--layers gives each step beside its layers' oneDNN primitives alone, and the time that its arithmetic at the peak of "
            "a "
            "large matrix product, or its bytes at the bandwidth measured for where they lie, would take at least.\n"
            "\n"
            "  alexnet bench --arch paper\n"
            "  alexnet bench --arch paper --batch 1 --layers\n"
            "  alexnet bench --pipeline photos/",
        .run = bench,
    },
    {
        .name = "classify",
        .operands = "[IMAGE|DIR|@LIST|-]...",
        .max_operands = -1,
        .summary = "say what photographs show",
        .description =
            "Prints the most probable classes of each picture, in the order given. Pictures are JPEG, PNG, BMP, GIF or PNM files; "
            "of a "
            "folder, those whose names end in jpg, jpeg, png, bmp, gif, ppm or pgm, sorted by path; @LIST is a file of paths, one "
            "a "
            "line, and @- such a list on standard input; - is one picture on standard input.\n"
            "\n"
            "A picture that can't be used does not stop the others: its record holds the error (in text form, a message on "
            "standard "
            "error does), and the exit code is 1.\n"
            "\n"
            "With --resume -o FILE -f jsonl, FILE grows while the job runs; the same command goes on where it ended, however it "
            "ended. Without --resume a job that SIGINT or SIGTERM ends leaves what it had in FILE.part.\n"
            "\n"
            "  alexnet classify photo.jpg\n"
            "  alexnet classify -r -f jsonl --resume -o out.jsonl photos/\n"
            "  find . -name '*.png' -print0 | alexnet classify --null @-",
        .run = classify,
    },
    {
        .name = "compare",
        .operands = "[MODEL]",
        .max_operands = 1,
        .summary = "compare layer by layer with another framework",
        .description =
            "Runs the input that a reference dump holds and compares each layer with what the other framework computed, in two "
            "ways: all the way through this engine, and fed the reference's own values, so that only the layer that differs "
            "stands out. A dump is a NumPy archive with data and arrays named like layers (docs/reference-dump.md); with images "
            "in it preprocessing is compared, too. The exit code is 4 when something is past its tolerance, which follows from "
            "the layers' arithmetic (docs/compare.md). With --diagnose the usual suspects (channel order, means, resizing, "
            "meanings of "
            "alpha, padding and orders of weights) are tried until the difference vanishes, and what to change is said.\n"
            "\n"
            "  alexnet compare --reference dump.npz\n"
            "  alexnet compare -m model.safetensors --reference dump.npz --diagnose",
        .run = compare,
    },
    {
        .name = "completions",
        .operands = "bash|zsh|fish",
        .max_operands = 1,
        .summary = "print the completion script of a shell",
        .description = "Prints a script by which a shell completes verbs, options and values. An installation brings them along; "
                       "otherwise, for bash:\n"
                       "\n"
                       "  alexnet completions bash > ~/.local/share/bash-completion/completions/alexnet",
        .run = completions,
    },
    {
        .name = "convert",
        .operands = "SOURCE [SOURCE]",
        .max_operands = 2,
        .summary = "make a model file of a checkpoint",
        .description =
            "Reads a PyTorch checkpoint, a safetensors file (or the index of several), an ONNX file, a Caffe network (its prototxt "
            "and caffemodel) or a model file, and writes a model file that holds all that is needed to run the network right. What "
            "the source is, is found from its bytes. Nothing in it is executed.\n"
            "\n"
            "The report says what became of each tensor, and what was folded, dropped or chosen. What a source does not say, and "
            "can't be found from names and shapes, is an error that names the option to settle it. A golden picture with its "
            "scores "
            "goes into the file, for inspect --check.\n"
            "\n"
            "--calibrate measures, on pictures such as the network will see, between which numbers its activations lie: without "
            "that "
            "there is no int8. It also measures how often each precision is right (where the folder has a folder for each class, "
            "as "
            "for evaluate; else, how often it answers as f32 does), from which --precision auto chooses.\n"
            "\n"
            "  alexnet convert alexnet.pth --labels imagenet -o alexnet.safetensors\n"
            "  alexnet convert deploy.prototxt bvlc.caffemodel --mean 104,117,123 -o b.st\n"
            "  alexnet convert net.onnx --preprocess torchvision --weights int8 -o small.st",
        .run = convert,
    },
    {
        .name = "evaluate",
        .operands = "DIR|LIST.csv",
        .max_operands = 1,
        .summary = "measure how often a network is right",
        .description =
            "Classifies pictures whose class is known and gives top-1 and top-5 with 95 % intervals, the same for each class, "
            "the classes most often taken for others, and the expected calibration error.\n"
            "\n"
            "DIR holds a folder of pictures for each class, named by the class's id, label or index; LIST.csv has a row "
            "path,label for each picture. Pictures that can't be used are counted apart, and the exit code is 1. SIGINT and "
            "SIGTERM give the results so far.\n"
            "\n"
            "With -o FILE, each picture's record goes there, and --resume goes on with such a file. --against compares with the "
            "records of another engine, model or precision: how often both agree, who is right, McNemar's test, and the "
            "pictures on which they differ.\n"
            "\n"
            "  alexnet evaluate val/\n"
            "  alexnet evaluate --resume -o out.jsonl val/\n"
            "  alexnet evaluate --precision int8 --against out.jsonl val/",
        .run = evaluate,
    },
    {
        .name = "features",
        .operands = "[IMAGE|DIR|@LIST|-]...",
        .max_operands = -1,
        .summary = "write the activations of layers",
        .description =
            "Writes the output of one or several layers for each picture, one row each, in the order given; alexnet inspect lists "
            "the "
            "layers. data is the preprocessed picture; fc7 stands before its ReLU, fc7.relu behind it.\n"
            "\n"
            "Paths are recorded with the rows: in npz as the array paths, beside npy and safetensors in FILE.paths (one a line; "
            "with --null, each ends with NUL), in csv and jsonl in each row. Pictures that can't be used have no row, except in "
            "jsonl, where they have a record with the error; the exit code is then 1. Memory does not grow with the number of "
            "pictures.\n"
            "\n"
            "  alexnet features --layer fc7 -o fc7.npy photos/\n"
            "  alexnet features --layer conv5,fc7.relu -o out.npz photos/",
        .run = features,
    },
    {
        .name = "inspect",
        .operands = "[FILE [FILE]]",
        .max_operands = 2,
        .summary = "show what is in a model",
        .description =
            "Shows layers with shapes, parameters and multiply-adds, preprocessing, labels and provenance of a model file, of "
            "anything that convert reads, or of the default model.\n"
            "\n"
            "  alexnet inspect --plan\n"
            "  alexnet inspect --json model.safetensors",
        .run = inspect,
    },
    {
        .name = "man",
        .operands = "",
        .max_operands = 0,
        .summary = "print the manual page",
        .description = "Prints the manual page in the form that man(1) reads:\n"
                       "\n"
                       "  alexnet man | man -l -",
        .run = man,
    },
    {
        .name = "run",
        .operands = "[MODEL [MODEL]]",
        .max_operands = 2,
        .summary = "run the network on tensors",
        .description = "Runs the network on arrays of your own, without any image work: for tests, and for people with their own "
                       "preprocessing. Arrays hold numbers of any type, which are computed with as 32-bit floats.\n"
                       "\n"
                       "  alexnet run --input data=batch.npy -o out.npz\n"
                       "  alexnet run net.onnx --input input=batch.npy",
        .run = run,
    },
    {
        .name = "show",
        .operands = "data|LAYER|WEIGHT",
        .max_operands = 1,
        .summary = "make pictures of what the network sees",
        .description =
            "Writes a PNG picture. show data is what the network sees of a photograph: resized and cropped as its "
            "preprocessing says. show LAYER is what a layer reads of the photograph and what it makes of it, map by map: "
            "each side from black, its least value, to white, its largest; three maps as colours. show LAYER.weight "
            "needs no photograph: the filters of a convolution, those of three channels in colours, grey where they are "
            "0.\n"
            "\n"
            "  alexnet show data --image photo.jpg -o seen.png\n"
            "  alexnet show norm1 --image photo.jpg -o maps.png\n"
            "  alexnet show conv1.weight -o filters.png",
        .run = show,
    },
    {
        .name = "stats",
        .operands = "",
        .max_operands = 0,
        .summary = "measure layers over many pictures",
        .description =
            "Prints mean and population variance of each channel of the layers named, over all pictures and pixels, in one pass "
            "that "
            "is stable and gives the same bits for any number of threads.\n"
            "\n"
            "--recalibrate writes the model with such statistics in its batch normalisations, measured in the order of the graph, "
            "one "
            "pass each, so that each sees what the ones before it give with theirs. Layers that took statistics from the batch get "
            "stored ones. Accuracy, ranges and the golden picture of the old model are left out.\n"
            "\n"
            "--zca writes the arrays zca.matrix and zca.mean that the preprocessing step zca takes.\n"
            "\n"
            "  alexnet stats --images photos/ --layer data,conv1\n"
            "  alexnet stats --images photos/ -m old.st --recalibrate -o new.st\n"
            "  alexnet stats --images photos/ --zca pixels -o whitening.npz",
        .run = stats,
    },
});

}  // namespace

std::span<const Verb> verbs() { return kVerbs; }

const Verb* find_verb(std::string_view name) {
  const auto found = std::find_if(kVerbs.begin(), kVerbs.end(), [&](const Verb& verb) { return verb.name == name; });
  return found == kVerbs.end() ? nullptr : &*found;
}

}  // namespace alexnet::cli
