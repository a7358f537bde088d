"""Tensors of docs/spec/sam.md#generated-tensors, so that programs in any language begin with the same numbers."""
import math

import torch


def hashed(name, shape, amplitude, offset=0.0):
    """A float32 tensor made of its name alone."""
    seed = 0x811C9DC5
    for char in name.encode():
        seed = ((seed ^ char) * 0x01000193) & 0xFFFFFFFF
    count = math.prod(shape)
    x = (torch.arange(count, dtype=torch.int64) * 0x9E3779B1 & 0xFFFFFFFF) ^ seed
    x ^= x >> 16
    x = x * 0x7FEB352D & 0xFFFFFFFF
    x ^= x >> 15
    x = x * 0x846CA68B & 0xFFFFFFFF
    x ^= x >> 16
    return (offset + ((x >> 8) - 2 ** 23).double() / 2 ** 23 * amplitude).float().reshape(shape)
