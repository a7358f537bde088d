"""Reads an exported adapter: who it belongs to, its round, and the norm of every tensor."""
import sys

import numpy
from safetensors import safe_open

with safe_open(sys.argv[1], framework="numpy") as adapter:
    meta = adapter.metadata()
    print(f"{meta['model']}, round {meta['round']}, schema {meta['schema_hash'][:12]}")
    for name in adapter.keys():
        tensor = adapter.get_tensor(name)
        print(f"{name}  {tensor.shape}  {numpy.linalg.norm(tensor):.4f}")
