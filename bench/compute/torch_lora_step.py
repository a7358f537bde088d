#!/usr/bin/env python3
"""Reference time of one LoRA training step of a ViT-B-like block stack in PyTorch (CPU), for side-by-side benchmarks.

Needs PyTorch 2.13 or newer (pip install torch in a virtual environment). Prints one JSON line:
{"depth","tokens","median_ms","peak_rss_mb","torch","threads"}.
The maths: pre-norm blocks, dim 768, 12 heads, qkv with rank-4 LoRA on q and v, exact GELU MLP 3072, residuals,
mean-squared loss against a random target, Adam on the LoRA factors only (or --all: on everything).
"""
import argparse, json, math, resource, statistics, time
import torch
import torch.nn.functional as F

p = argparse.ArgumentParser()
p.add_argument('--depth', type=int, default=2)
p.add_argument('--tokens', type=int, default=1024)
p.add_argument('--steps', type=int, default=8)
p.add_argument('--threads', type=int, default=2)
p.add_argument('--all', action='store_true')
a = p.parse_args()
torch.set_num_threads(a.threads)
torch.manual_seed(0)
D, H, N, R = 768, 12, a.tokens, 4
hd = D // H


def rnd(*s, scale=None):
    return torch.randn(*s) * (scale if scale is not None else s[0] ** -0.5)


blocks, trainable = [], []
for _ in range(a.depth):
    b = dict(n1w=torch.ones(D), n1b=torch.zeros(D), n2w=torch.ones(D), n2b=torch.zeros(D),
             wqkv=rnd(D, 3 * D), bqkv=torch.zeros(3 * D), wp=rnd(D, D), bp=torch.zeros(D),
             w1=rnd(D, 4 * D), b1=torch.zeros(4 * D), w2=rnd(4 * D, D), b2=torch.zeros(D),
             qA=rnd(D, R), qB=rnd(R, D, scale=0.02), vA=rnd(D, R), vB=rnd(R, D, scale=0.02))
    names = list(b) if a.all else ['qA', 'qB', 'vA', 'vB']
    for n in names:
        b[n].requires_grad_(True)
        trainable.append(b[n])
    blocks.append(b)
x0, y = rnd(N, D, scale=1.0), rnd(N, D, scale=1.0)


def heads(t):
    return t.reshape(N, H, hd).transpose(0, 1)


def forward(x):
    for b in blocks:
        h = F.layer_norm(x, (D,), b['n1w'], b['n1b'], 1e-6)
        q, k, v = torch.addmm(b['bqkv'], h, b['wqkv']).split(D, 1)
        q, v = q + (h @ b['qA']) @ b['qB'], v + (h @ b['vA']) @ b['vB']
        w = torch.softmax(heads(q) @ heads(k).transpose(1, 2) / math.sqrt(hd), -1)
        x = x + torch.addmm(b['bp'], (w @ heads(v)).transpose(0, 1).reshape(N, D), b['wp'])
        h = F.layer_norm(x, (D,), b['n2w'], b['n2b'], 1e-6)
        x = x + torch.addmm(b['b2'], F.gelu(torch.addmm(b['b1'], h, b['w1'])), b['w2'])
    return x


opt = torch.optim.Adam(trainable, 1e-3, eps=1e-7)
times = []
for _ in range(a.steps):
    t = time.perf_counter()
    opt.zero_grad()
    loss = ((forward(x0) - y) ** 2).mean()
    loss.backward()
    opt.step()
    loss.item()
    times.append((time.perf_counter() - t) * 1e3)
print(json.dumps(dict(depth=a.depth, tokens=N, median_ms=round(statistics.median(times[2:]), 1),
                      peak_rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                      torch=torch.__version__, threads=a.threads, all=a.all)))
