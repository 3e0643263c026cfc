#!/usr/bin/env python3
"""Writes models/imagenet.txt: the WordNet ids and names of ImageNet's 1000 classes, in the order of networks' outputs.

Needs timm and torchvision (both installed; of neither is more than its lists used). Stops unless the names in torchvision's list,
which are the first ones of each class, are in the same order.
"""
import pathlib

import timm.data
from torchvision.models._meta import _IMAGENET_CATEGORIES as SHORT_NAMES

# torchvision tells these apart from a class of the same name.
RENAMED = {"crane bird": "crane", "maillot tank suit": "maillot"}
ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    info = pathlib.Path(timm.data.__file__).parent / "_info"
    ids = (info / "imagenet_synsets.txt").read_text().split()
    names = dict(line.split("\t", 1) for line in (info / "imagenet_synset_to_lemma.txt").read_text().splitlines())
    assert len(ids) == len(SHORT_NAMES) == 1000
    for word_net_id, short in zip(ids, SHORT_NAMES):
        assert RENAMED.get(short, short) in names[word_net_id].split(", "), (word_net_id, short)
    (ROOT / "models/imagenet.txt").write_text("".join(f"{i}\t{names[i]}\n" for i in ids))


if __name__ == "__main__":
    main()
