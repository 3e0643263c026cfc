"""Full-size checkpoints become models that compute what PyTorch does: full_size_checkpoints.py ALEXNET.

Makes the networks of tools/make_checkpoint_fixtures.py in full size, saves them as training programs do, converts them, and compares
logits for two pictures with PyTorch's in float64. Exit code 77 without PyTorch.
"""
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))
import make_checkpoint_fixtures as fixtures

FULL = {"features": 4096, "classes": 1000}
TOLERANCE = 1e-5  # of the largest logit: sums of thousands of products in f32


def networks():
    """Name, network, side of its pictures."""
    try:
        import torchvision

        yield "torchvision", torchvision.models.alexnet(weights=None), 224
    except (ImportError, TypeError):
        yield "torchvision", fixtures.Torchvision(widths=(64, 192, 384, 256, 256), **FULL), 224
    yield "dansuh17", fixtures.Dansuh(widths=(96, 256, 384, 384, 256), **FULL), 227
    yield "batch_norm", fixtures.Torchvision(torch.nn.BatchNorm2d, widths=(64, 192, 384, 256, 256), **FULL), 224


def wrappings(net):
    """File name, what is saved, how."""
    state = net.state_dict()
    parallel = {"module." + key: value for key, value in state.items()}
    yield "plain.pth", state, {}
    yield "legacy.pth", {"epoch": 3, "state_dict": parallel}, {"_use_new_zipfile_serialization": False}
    yield "states_e10.pkl", {"epoch": 10, "total_steps": 2001, "model": parallel, "seed": 1234}, {}
    yield "module.pth", net, {}


def command(*arguments):
    done = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, arguments))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")


def main():
    alexnet = sys.argv[1]
    worst = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for name, net, side in networks():
            net = fixtures.randomised(net, 1)
            images = fixtures.pictures(side)
            np.save(folder / "data.npy", images.numpy().astype(np.float32))
            with torch.no_grad():
                wanted = net.double()(images).numpy()
            net.float()
            for file, value, options in wrappings(net):
                torch.save(value, folder / file, **options)
                command(alexnet, "convert", folder / file, "-o", folder / "model.safetensors")
                command(alexnet, "run", "-m", folder / "model.safetensors", "--input", f"data={folder}/data.npy", "--layer", "fc8", "-o", folder / "out.npz")
                found = np.load(folder / "out.npz")["fc8"]
                difference = np.abs(found - wanted).max() / np.abs(wanted).max()
                print(f"{name}, {file}: {difference:.1e} of the largest logit", flush=True)
                worst = max(worst, difference)
                (folder / file).unlink()
    print(f"PyTorch {torch.__version__}: {worst:.1e} at most, {TOLERANCE:.0e} allowed")
    sys.exit(0 if worst <= TOLERANCE else 1)


main()
