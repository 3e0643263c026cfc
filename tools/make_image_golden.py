"""Writes tests/golden/image: small generated pictures in every variant that is read, and what Pillow and torchvision make
of them, as SHA-256 of the bytes.

Usage: make_image_golden.py JPEGTRAN [FOLDER] [PHOTOS]
Made with Pillow 13.0.0, torchvision 0.29.2, OpenCV 4 and jpegtran of libjpeg-turbo 2.1.5 (for arithmetic coding). Needs 6 GB of
memory, for torchvision's way with a picture of 20,000 x 1. With PHOTOS, a folder of photographs, photos.json is made as well.
"""

import hashlib
import io
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import PIL
import torch
import torchvision
from PIL import Image
from torchvision import transforms

from image_files import bmps, gifs, jpegs, known, pngs, pnms

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def sha(data):
    return hashlib.sha256(bytes(data)).hexdigest()


def tensor_sha(image, *steps):
    chain = transforms.Compose([*steps, transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
    return sha(chain(image).numpy().tobytes())


def decoded(data):
    image = Image.open(io.BytesIO(data))
    orientation = image.getexif().get(274, 1)
    return image.convert("RGB"), orientation


def decode_cases(folder, jpegtran):
    cases = []
    for name, data in {**jpegs(jpegtran), **pngs(), **gifs(), **bmps(), **pnms()}.items():
        (folder / name).write_bytes(data)
        image, orientation = decoded(data)
        case = {"file": name, "width": image.width, "height": image.height, "rgb": sha(image.tobytes())}
        if orientation != 1:
            case["orientation"] = orientation
        cases.append(case)
    return cases


def damage_cases(folder):
    """Bytes changed inside a file: Pillow's pixels, or null where it refuses."""
    cases = []
    for name in ("420.jpg", "progressive.jpg", "restart.jpg", "grey.jpg", "arithmetic.jpg"):
        data = (folder / name).read_bytes()
        rng = np.random.default_rng(len(data))
        begin = data.index(b"\xff\xda") + 14
        for _ in range(12):
            at, value = int(rng.integers(begin, len(data) - 2)), int(rng.integers(0, 256))
            broken = data[:at] + bytes([value]) + data[at + 1 :]
            try:
                rgb = sha(decoded(broken)[0].tobytes())
            except (OSError, SyntaxError):
                rgb = None
            cases.append({"file": name, "at": at, "value": value, "rgb": rgb})
    return cases


SIZES = [
    (1, 1), (1, 7), (7, 1), (2, 3), (3, 2), (5, 300), (300, 5), (31, 33), (64, 64), (99, 100), (100, 101), (101, 99), (127, 128),
    (223, 225), (224, 224), (225, 226), (226, 227), (227, 227), (228, 500), (255, 255), (255, 400), (256, 256), (256, 300), (256, 600),
    (257, 256), (257, 300), (260, 4000), (300, 257), (300, 600), (300, 601), (333, 217), (341, 256), (375, 500), (400, 255), (500, 331),
    (500, 375), (511, 513), (512, 1024), (513, 1027), (600, 256), (601, 300), (640, 480), (777, 333), (800, 601), (1000, 999), (1023, 767),
    (1200, 300), (3000, 260), (4000, 260),
]  # fmt: skip


def resized_sides(width, height, shorter):
    longer = int(shorter * max(width, height) / min(width, height))
    return (shorter, longer) if width <= height else (longer, shorter)


def one_axis_at_a_time(image, width, height, vertical_first):
    """Each call makes one pass, so this is what an older Pillow does."""
    for vertical in (vertical_first, not vertical_first):
        image = image.resize((image.width, height) if vertical else (width, image.height), Image.Resampling.BILINEAR)
    return image


def chain_cases():
    cases = []
    for width, height in SIZES:
        image = known(width, height)
        resized = transforms.Resize(256)(image)
        assert resized.size == resized_sides(width, height, 256)
        case = {"width": width, "height": height, "resized": [*resized.size], "rgb": sha(resized.tobytes())}
        case["horizontal_first"] = sha(one_axis_at_a_time(image, *resized.size, False).tobytes())
        for crop in (224, 227):
            case[f"tensor{crop}"] = tensor_sha(image, transforms.Resize(256), transforms.CenterCrop(crop))
        case["tensor_resize227"] = tensor_sha(image, transforms.Resize(227), transforms.CenterCrop(227))
        case["squashed"] = sha(transforms.Resize((256, 192))(image).tobytes())
        cases.append(case)
    long = known(20000, 1)
    tensor = tensor_sha(long, transforms.Resize(256), transforms.CenterCrop(224))
    return cases, {"width": 20000, "height": 1, "tensor224": tensor}


def order_cases():
    cases = []
    sizes = ((6, 20), (5, 8)), ((3, 400), (2, 200)), ((3, 301), (5, 100)), ((3, 300), (2, 100)), ((2, 150), (3, 201)), ((90, 40), (30, 9))
    for source, target in sizes:
        image = known(*source)
        tall = source[1] > 100 * source[0] and target[1] < source[1]
        case = {"from": source, "to": target, "pillow13": sha(image.resize(target, Image.Resampling.BILINEAR).tobytes())}
        case["pillow12.2"] = sha(one_axis_at_a_time(image, *target, tall).tobytes())
        case["horizontal_first"] = sha(one_axis_at_a_time(image, *target, False).tobytes())
        cases.append(case)
    return cases


def crop_cases():
    """CenterCrop alone, with its roundings and its padding."""
    cases = []
    for side in (100, 101, 223, 224, 225, 226, 227, 255, 256, 257, 258, 259, 341):
        for width, height in ((side, 240), (240, side), (side, side)):
            image = transforms.CenterCrop(224)(known(width, height))
            cases.append({"width": width, "height": height, "rgb": sha(image.tobytes())})
    return cases


def ten_crop_cases():
    cases = []
    for width, height in ((500, 375), (375, 500), (256, 300), (311, 311), (400, 255)):
        image = transforms.Resize(256)(known(width, height))
        crops = [transforms.Normalize(MEAN, STD)(transforms.ToTensor()(crop)) for crop in transforms.TenCrop(224)(image)]
        cases.append({"width": width, "height": height, "tensors": sha(torch.stack(crops).numpy().tobytes())})
    return cases


def caffe_cases():
    """Squashed to 256 x 256, BGR, mean subtracted (values, or a picture at the crop's place), cropped at 14."""
    means = np.array([104, 117, 123], np.float32)
    c, y, x = np.ogrid[:3, :256, :256]
    mean_picture = ((31 * c + 7 * y + 3 * x) % 251).astype(np.float32) + np.float32(0.25)
    cases = []
    for width, height in ((500, 375), (64, 64), (100, 300)):
        image = known(width, height).resize((256, 256), Image.Resampling.BILINEAR)
        planes = np.asarray(image)[:, :, ::-1].transpose(2, 0, 1).astype(np.float32)
        crop = np.s_[:, 14:241, 14:241]
        values = planes[crop] - means[:, None, None]
        picture = (planes - mean_picture)[crop]
        cases.append({"width": width, "height": height, "values": sha(values.tobytes()), "picture": sha(picture.tobytes())})
    return cases


def two_tap_cases():
    """OpenCV's INTER_LINEAR: pixels in hex, which two taps of Pillow's arithmetic meet within 1. One case halves both sides."""
    cases = []
    for source, target in (((23, 17), (9, 14)), ((8, 6), (13, 11)), ((20, 30), (7, 5)), ((12, 8), (6, 4)), ((12, 8), (6, 8)), ((5, 1), (4, 3))):
        pixels = cv2.resize(np.asarray(known(*source)), target, interpolation=cv2.INTER_LINEAR)
        cases.append({"from": source, "to": target, "rgb": pixels.tobytes().hex()})
    return cases


def photo_cases(folder):
    cases = []
    for path in sorted(folder.iterdir()):
        image = Image.open(path).convert("RGB")
        case = {"file": path.name, "width": image.width, "height": image.height, "rgb": sha(image.tobytes())}
        for crop in (224, 227):
            case[f"tensor{crop}"] = tensor_sha(image, transforms.Resize(256), transforms.CenterCrop(crop))
        cases.append(case)
    return cases


def write(path, value):
    """One case a line."""
    parts = []
    for key, entry in value.items():
        text = json.dumps(entry)
        if isinstance(entry, list):
            text = "[\n" + ",\n".join("    " + json.dumps(case) for case in entry) + "\n  ]"
        parts.append(f"  {json.dumps(key)}: {text}")
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")


def main():
    jpegtran = sys.argv[1]
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent.parent / "tests/golden/image")
    folder.mkdir(parents=True, exist_ok=True)
    made_with = {"pillow": PIL.__version__, "torchvision": torchvision.__version__.split("+")[0], "opencv": cv2.__version__}
    if len(sys.argv) > 3:
        write(folder / "photos.json", {"made_with": made_with, "photos": photo_cases(Path(sys.argv[3]))})
    decode = decode_cases(folder, jpegtran)
    sizes, long = chain_cases()
    write(
        folder / "golden.json",
        {
            "made_with": made_with,
            "decode": decode,
            "damage": damage_cases(folder),
            "sizes": sizes,
            "long": long,
            "orders": order_cases(),
            "crops": crop_cases(),
            "ten_crops": ten_crop_cases(),
            "caffe": caffe_cases(),
            "two_taps": two_tap_cases(),
        },
    )


if __name__ == "__main__":
    main()
