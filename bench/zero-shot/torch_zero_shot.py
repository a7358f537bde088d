"""LiteMedSAM in PyTorch on the objects that the bench asks its own engine for: the Dice of map 0 for each, one JSON line.

--objects has one JSON line per object: {"image", "mask"} are files of raw bytes (height·width·channels, height·width), beside
{"height", "width", "channels", "box"}, the box in pixels of the image. The model is that of ../sam/torch_litemedsam_step.py; what is done
before and after it is docs/spec/litemedsam.md again: longer side to 256 by area, min-max over the picture, zeros below and at the right,
map 0 cropped, scaled bilinearly to the image's size, and cut at 0.
"""
import argparse
import json
import pathlib
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'sam'))
from torch_litemedsam_step import box_tokens, decode, encode, load, prepare  # noqa: E402

SIDE = 256


def area(source, target):
    """[target, source]: which share of each source pixel a target pixel is; bilinear between centres where it is enlarged."""
    step = source / target
    edges = torch.arange(target, dtype=torch.float64)[:, None] * step
    at = torch.arange(source, dtype=torch.float64)[None]
    if step >= 1:
        return (torch.minimum(edges + step, at + 1) - torch.maximum(edges, at)).clamp(min=0) / step
    return (1 - (edges + step / 2 - 0.5).clamp(0, source - 1).sub(at).abs()).clamp(min=0)


def fit(picture):
    """picture [h, w, 3] in 0..255 -> [1, 256, 256, 3], and the height and width that hold it"""
    h, w = picture.shape[:2]
    scale = SIDE / max(h, w)
    height, width = int(h * scale + 0.5), int(w * scale + 0.5)
    lines = torch.einsum('ah,hwc->awc', area(h, height), picture)
    small = torch.einsum('bw,awc->abc', area(w, width), lines).round()
    small = (small - small.min()) / (small.max() - small.min()).clamp(min=1e-8)
    return F.pad(small, (0, 0, 0, SIDE - width, 0, SIDE - height))[None].float(), height, width


def dice(a, b):
    return (2 * (a & b).sum() / (a.sum() + b.sum())).item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--weights', required=True, help='safetensors file')
    parser.add_argument('--objects', required=True, help='file of lines')
    args = parser.parse_args()
    torch.set_num_threads(1)
    w = prepare(load(args.weights))
    found = []
    for line in open(args.objects):
        one = json.loads(line)
        h, width = one['height'], one['width']
        raw = torch.frombuffer(bytearray(open(one['image'], 'rb').read()), dtype=torch.uint8)
        picture = raw.reshape(h, width, one['channels']).double().expand(-1, -1, 3)
        truth = torch.frombuffer(bytearray(open(one['mask'], 'rb').read()), dtype=torch.uint8).reshape(h, width) > 0
        fitted, rows, columns = fit(picture)
        box = torch.tensor([one['box']]) * (SIDE / max(h, width))
        with torch.no_grad():
            logits = decode(w, encode(w, fitted), box_tokens(w, box, SIDE))[0]
        whole = F.interpolate(logits[:, :, :rows, :columns], (h, width), mode='bilinear', align_corners=False)[0, 0]
        found.append(dice(whole > 0, truth))
    print(json.dumps({'torch': torch.__version__, 'dice': found}))


if __name__ == '__main__':
    main()
