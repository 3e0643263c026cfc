#!/usr/bin/env python3
"""Measures this engine beside OpenVINO, ONNX Runtime, OpenCV and PyTorch: the same network, weights, inputs and number of
threads, in one run. In each round every engine has its turn; a ratio is taken within a round, and the median over the rounds is
printed with the smallest and largest. Before anything is timed, outputs must agree. tools/bench_peers.sh installs what it needs.

Every peer is a process of its own, stopped while it is not its turn, so that threads that wait by spinning take nothing from
the others. Times are medians of single runs within a turn; loading and compiling are not counted, except in the row "whole
process".
"""
import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
ALEXNET = ROOT / "build/release/bin/alexnet"
PHOTOGRAPHS = sorted((ROOT / "data").glob("*.[jp][pn]g"))
# Largest difference of the logits, as part of the largest one. f32 engines sum in other orders; bf16 has 8 bits, int8 7, and both
# lose more on random weights, whose logits lie close together, than on trained ones.
AGREE = {"f32": 1e-4, "bf16": 0.1, "int8": 0.5}


# -- peers: load(model, batch, threads) returns a function of the data --


def open_vino(precision):
    def load(path, batch, threads):
        import openvino

        core = openvino.Core()
        model = core.read_model(path)
        sample = [extent.get_length() for extent in list(model.input(0).partial_shape)[1:]]
        model.reshape([batch, *sample])
        options = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
        if precision:
            options["INFERENCE_PRECISION_HINT"] = precision
        request = core.compile_model(model, "CPU", options).create_infer_request()
        return lambda data: request.infer([data], share_inputs=True, share_outputs=True)[0]

    return load


def onnx_runtime(path, batch, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda data: session.run(None, {name: data})[0]


def open_cv(path, batch, threads):
    import cv2

    cv2.setNumThreads(threads)
    network = cv2.dnn.readNetFromONNX(path)

    def run(data):
        network.setInput(data)
        return network.forward()

    return run


def pytorch(path, batch, threads):
    import torch

    import model_file

    torch.set_num_threads(threads)
    network = model_file.Model(path).network(torch.float32)

    @torch.inference_mode()
    def run(data):
        return network(torch.from_numpy(data))[network.scores].numpy()

    return run


PEERS = {
    "OpenVINO f32": open_vino("f32"),
    "OpenVINO default": open_vino(None),
    "OpenVINO int8": open_vino(None),
    "ONNX Runtime f32": onnx_runtime,
    "OpenCV f32": open_cv,
    "PyTorch f32": pytorch,
}


def serve(name, path, data_path, output_path, threads):
    """The other end of Peer: writes the output and says so; then a line "seconds" gives a line with the median milliseconds of
    the runs in that time."""
    data = np.load(data_path)
    run = PEERS[name](path, len(data), threads)
    np.save(output_path, np.array(run(data), np.float32))
    print("ready", flush=True)
    for line in sys.stdin:
        print(median_run(lambda: run(data), float(line)), flush=True)


def median_run(run, seconds):
    run()
    times = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        begin = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(times)


class Peer:
    """A peer in a process of its own."""

    def __init__(self, name, path, data_path, threads):
        output_path = pathlib.Path(data_path).with_suffix(".output.npy")
        command = [sys.executable, __file__, "--serve", name, str(path), str(data_path), str(output_path), "--threads", str(threads)]
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.process.stdout.readline() != b"ready\n":
            sys.exit(f"{name} failed:\n{self.process.stderr.read().decode()}")
        self.output = np.load(output_path)
        self.process.send_signal(signal.SIGSTOP)

    def milliseconds(self, seconds):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(f"{seconds}\n".encode())
        self.process.stdin.flush()
        result = float(self.process.stdout.readline())
        self.process.send_signal(signal.SIGSTOP)
        return result

    def close(self):
        self.process.kill()
        self.process.wait()


class Ours:
    """`alexnet bench`, a process for each turn."""

    def __init__(self, model, precision, scores, data_path, threads, folder):
        self.name = f"ours {precision}"
        self.batch = len(np.load(data_path))
        self.options = ["-m", str(model), "--threads", str(threads), "--precision", precision]
        out = folder / "ours.npz"
        alexnet("run", "--input", f"data={data_path}", "--layer", scores, "-o", str(out), *self.options)
        self.output = np.load(out)[scores]

    def milliseconds(self, seconds):
        found = json.loads(alexnet("bench", "--json", "--batch", str(self.batch), "--seconds", str(max(1, round(seconds))), *self.options))
        return found["cases"][0]["median_ms"]

    def close(self):
        pass


def alexnet(*words):
    return subprocess.run([ALEXNET, *words], check=True, stdout=subprocess.PIPE, text=True).stdout


# -- networks --


class Network:
    """One network in all the forms that the engines read, made in a folder."""

    def __init__(self, name, folder):
        import onnx

        import model_file
        import onnx_network
        import torch

        self.name, self.folder = name, folder / name
        self.folder.mkdir(parents=True)
        if name == "default":
            self.model = ROOT / "models/alexnet-tiny200.safetensors"
        else:
            self.model = self.folder / "f32.safetensors"
            write_random(name, self.model)
        source = model_file.Model(self.model)
        self.shape = source.graph["inputs"][0]["shape"]
        network = source.network(torch.float32)
        self.scores = network.scores
        with torch.inference_mode():
            shapes = {key: tuple(value.shape) for key, value in network(torch.zeros(1, *self.shape)).items()}
        exported = onnx_network.exported(source.graph, network.parameter, shapes)
        kept = [output for output in exported.graph.output if output.name == network.scores]
        del exported.graph.output[:]
        exported.graph.output.extend(kept)
        self.onnx = self.folder / "network.onnx"
        onnx.save(exported, self.onnx)

    def data(self, batch):
        path = self.folder / f"data{batch}.npy"
        if not path.exists() and self.name == "default":
            # Photographs: what is zero in between, and need not be multiplied, depends on the input.
            pictures = (PHOTOGRAPHS * batch)[:batch]
            alexnet("features", "--layer", "data", "-m", str(self.model), "-o", str(path), *map(str, pictures))
        elif not path.exists():
            np.save(path, np.random.default_rng(batch).normal(0, 1, (batch, *self.shape)).astype(np.float32))
        return path

    def stored(self, storage, *options):
        """Our model file with weights stored so, made by `alexnet convert`."""
        path = self.folder / f"{storage}.safetensors"
        if not path.exists():
            alexnet("convert", str(self.model), "--weights", storage, "-o", str(path), *options)
        return path

    def calibrated(self):
        if self.name == "default":
            return self.model
        path = self.folder / "calibrated.safetensors"
        if not path.exists():
            alexnet("convert", str(self.model), "--calibrate", str(ROOT / "data"), "-o", str(path))
        return path

    def open_vino(self, form):
        path = self.folder / f"{form}.xml"
        if not path.exists():
            import openvino

            model = openvino.Core().read_model(self.onnx)
            if form == "int8":
                import nncf

                pictures = list(np.load(self.data(8))[:, None])
                model = nncf.quantize(model, nncf.Dataset(pictures), subset_size=len(pictures))
            openvino.save_model(model, path, compress_to_fp16=form == "f16")
        return path


def write_random(name, path):
    """models/NAME.json with weights that keep the size of activations (He et al. 2015), as a model file."""
    import safetensors.numpy
    import torch
    import torch_network

    description = json.loads((ROOT / f"models/{name}.json").read_text())
    random = np.random.default_rng(1)
    tensors = {}

    def parameter(key, shape):
        if key not in tensors:
            limit = (6 / np.prod(shape[1:])) ** 0.5 if len(shape) > 1 else 0.1
            tensors[key] = random.uniform(-limit, limit, shape).astype(np.float32)
        return torch.from_numpy(tensors[key])

    network = torch_network.Network(description["graph"], parameter)
    with torch.inference_mode():
        network(torch.zeros(1, *description["graph"]["inputs"][0]["shape"]))
    metadata = {"alexnet.format": "1", "alexnet.graph": json.dumps(description["graph"]),
                "alexnet.preprocess": json.dumps(description["preprocess"])}
    safetensors.numpy.save_file(tensors, path, metadata)


# -- rows of the table --


def difference(a, b):
    return float(np.abs(a - b).max() / np.abs(b).max())


def compared(title, ours, peers, precision, options):
    """One row for each peer; ours and the peers take turns."""
    engines = [ours, *peers]
    for peer in peers:
        off = difference(ours.output, peer.output)
        if off > AGREE[precision]:
            sys.exit(f"{title}: {ours.name} and {peer.name} disagree by {off:.2g} of the largest logit")
    times = [[engine.milliseconds(options.seconds) for engine in engines] for _ in range(options.rounds)]
    rows = []
    for i, peer in enumerate(peers, start=1):
        ratios = [row[i] / row[0] for row in times]
        rows.append({"case": title, "peer": peer.name, "ours_ms": statistics.median(row[0] for row in times),
                     "peer_ms": statistics.median(row[i] for row in times), "ratio": statistics.median(ratios),
                     "least": min(ratios), "most": max(ratios), "difference": difference(ours.output, peer.output)})
        show(rows[-1])
    for engine in engines:
        engine.close()
    return rows


def show(row):
    difference = "" if row["difference"] is None else f"{row['difference']:.0e}"
    print(f"| {row['case']} | {row['peer']} | {row['ours_ms']:.2f} | {row['peer_ms']:.2f} | {row['ratio']:.2f} "
          f"| {row['least']:.2f} to {row['most']:.2f} | {difference} |", flush=True)


def networks(options, folder):
    rows = []
    for name in options.networks:
        network = Network(name, folder)
        for batch in options.batches:
            data = network.data(batch)

            def ours(model, precision):
                return Ours(model, precision, network.scores, data, options.threads, folder)

            def peer(engine, path):
                return Peer(engine, path, data, options.threads)

            if "f32" in options.precisions:
                peers = [peer("OpenVINO f32", network.onnx)]
                if not options.quick:
                    peers += [peer("ONNX Runtime f32", network.onnx), peer("OpenCV f32", network.onnx), peer("PyTorch f32", network.model)]
                rows += compared(f"{name} f32, batch {batch}", ours(network.model, "f32"), peers, "f32", options)
            if "f16" in options.precisions and name != "default":
                rows += compared(f"{name} f32, weights stored as f16, batch {batch}", ours(network.stored("f16"), "f32"),
                                 [peer("OpenVINO f32", network.open_vino("f16"))], "f32", options)
            if "bf16" in options.precisions:
                rows += compared(f"{name} bf16, batch {batch}", ours(network.model, "bf16"),
                                 [peer("OpenVINO default", network.onnx)], "bf16", options)
            if "int8" in options.precisions:
                rows += compared(f"{name} int8, batch {batch}", ours(network.calibrated(), "int8"),
                                 [peer("OpenVINO int8", network.open_vino("int8"))], "int8", options)
    return rows


def timed(command):
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return 1e3 * (time.perf_counter() - begin)


def whole_commands(title, ours, theirs, rounds):
    timed(ours), timed(theirs)
    pairs = [(timed(ours), timed(theirs)) for _ in range(rounds)]
    ratios = [b / a for a, b in pairs]
    row = {"case": title, "peer": "Python with OpenVINO int8", "ours_ms": statistics.median(a for a, _ in pairs),
           "peer_ms": statistics.median(b for _, b in pairs), "ratio": statistics.median(ratios), "least": min(ratios),
           "most": max(ratios), "difference": None}
    show(row)
    return row


def whole(options, folder):
    network = Network("default", folder / "whole")
    script = [sys.executable, str(ROOT / "tools/bench_peers_classify.py"), str(network.open_vino("int8")), "--threads", str(options.threads)]
    ours = [str(ALEXNET), "classify", "--threads", str(options.threads), "-f", "jsonl"]
    rows = [whole_commands("whole process, one photograph", [*ours, str(PHOTOGRAPHS[0])], [*script, str(PHOTOGRAPHS[0])], options.rounds)]
    photographs = sorted(options.photographs.glob("*")) if options.photographs else PHOTOGRAPHS
    listed = folder / "photographs.txt"
    listed.write_text("".join(f"{(photographs * 200)[i]}\n" for i in range(200)))
    rows.append(whole_commands("200 photographs to labels", [*ours, "--precision", "auto", f"@{listed}"],
                               [*script, "--workers", "2", f"@{listed}"], options.rounds))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute: bvlc in f32 at batch 1 and 8 beside OpenVINO, whole processes")
    parser.add_argument("--networks", type=lambda text: text.split(","), default=["paper", "bvlc", "default"])
    parser.add_argument("--batches", type=lambda text: [int(word) for word in text.split(",")], default=[1, 8, 32])
    parser.add_argument("--precisions", type=lambda text: text.split(","), default=["f32", "f16", "bf16", "int8"])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1, help="of one engine's turn")
    parser.add_argument("--photographs", type=pathlib.Path, help="a folder, for the row with 200 of them (default: data/)")
    parser.add_argument("--busy", action="store_true", help="measure although the load is above 0.3")
    parser.add_argument("--json", type=pathlib.Path, help="write the rows there, too")
    parser.add_argument("--serve", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(*options.serve, options.threads)
        return
    if options.quick:
        options.networks, options.batches, options.precisions, options.rounds = ["bvlc"], [1, 8], ["f32"], 3
    load = os.getloadavg()[0]
    if load > 0.3 and not options.busy:
        sys.exit(f"the load is {load:.2f}: ratios measured beside other work are wrong, not only times (--busy measures all the same)")
    version = alexnet("--version").splitlines()
    print(f"{version[0]}; {version[1]}; {options.threads} threads; load {load:.2f} before; {options.rounds} rounds\n")
    print("| case | against | ours, ms | theirs, ms | ours is faster by | from round to round | difference |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rows = networks(options, folder) + whole(options, folder)
    if options.json:
        options.json.write_text(json.dumps({"version": version, "threads": options.threads, "load": load, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
