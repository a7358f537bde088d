"""The same SAM ViT-B as bench/sam/measure-worker.ts in PyTorch: forward pass and one LoRA training step, for comparison.

Our own code after docs/spec/sam.md (architecture), docs/spec/pfedsam.md#shared-parameters (LoRA on q and v of every encoder block and of the decoder's seven attentions, decoder
heads trained in full) and #losses (loss 0.2 BCE + 0.8 Dice on mask 0), AdamW. Weights and the image come from the hash of docs/spec/sam.md#generated-tensors, so that both
programs print the same loss. Attention is torch's fused scaled_dot_product_attention with the relative positions as additional columns of
q and k. Prints one JSON line: {"torch", "median_ms", "forward_ms", "loss", "peak_rss_mb"}.
"""
import argparse
import json
import math
import resource
import statistics
import time

import torch
import torch.nn.functional as F

from torch_hashed import hashed

D, DEPTH, HEADS, WINDOW, WIDTH = 768, 12, 12, 14, 256
GLOBAL = (2, 5, 8, 11)
NORMS = ('norm1.weight', 'norm2.weight', 'norm3.weight', 'norm4.weight', 'norm_final_attn.weight', 'neck.1.weight', 'neck.3.weight',
         'output_upscaling.1.weight')
TOKENS = ('iou_token.weight', 'mask_tokens.weight', 'no_mask_embed.weight')


def parameter(name, shape):
    if name.endswith(NORMS):
        return hashed('vitb:' + name, shape, 1 / 4, 1.0)
    if name.endswith('.bias'):
        return hashed('vitb:' + name, shape, 1 / 8)
    if 'rel_pos_' in name:
        return hashed('vitb:' + name, shape, 1 / 4)
    if name.endswith(('pos_embed',) + TOKENS):
        return hashed('vitb:' + name, shape, 1 / 2)
    if name.endswith('gaussian_matrix'):
        return hashed('vitb:' + name, shape, 1.0)
    fan_in = shape[0] if 'output_upscaling' in name else math.prod(shape[1:])
    amplitude = 2.0 ** -math.floor(math.log2(fan_in) / 2)
    if name.startswith('mask_decoder.') or '.attn.' in name:
        amplitude *= 2
    return hashed('vitb:' + name, shape, amplitude)


class Weights(dict):
    """Name -> tensor, made when first asked for."""

    def need(self, name, *shape):
        if name not in self:
            self[name] = parameter(name, shape)
        return self[name]


def resized(weights, grid):
    pos = weights.need('image_encoder.pos_embed', 1, 64, 64, D)
    if grid != 64:
        weights['image_encoder.pos_embed'] = F.interpolate(pos.permute(0, 3, 1, 2), size=(grid, grid), mode='bilinear', align_corners=False).permute(0, 2, 3, 1).contiguous()
    for block in GLOBAL:
        for axis in 'hw':
            name = f'image_encoder.blocks.{block}.attn.rel_pos_{axis}'
            table = weights.need(name, 127, 64)
            if grid != 64:
                weights[name] = F.interpolate(table.T[None], size=2 * grid - 1, mode='linear', align_corners=False)[0].T.contiguous()


def linear(w, x, name, into, out, bias=True):
    y = F.linear(x, w.need(name + '.weight', out, into), w.need(name + '.bias', out) if bias else None)
    if name + '.lora_A' in w:
        y = y + F.linear(F.linear(x, w[name + '.lora_A']), w[name + '.lora_B'])
    return y


def norm(w, x, name, width, eps):
    return F.layer_norm(x, (width,), w.need(name + '.weight', width), w.need(name + '.bias', width), eps)


def attend(w, x, prefix, side):
    batch, n, head = x.shape[0], side * side, D // HEADS
    qkv = linear(w, x.reshape(batch, n, D), prefix + '.qkv', D, 3 * D)
    q, k, v = qkv.split(D, -1)
    flat = x.reshape(batch, n, D)
    q = q + F.linear(F.linear(flat, w[prefix + '.qkv.lora_A_q']), w[prefix + '.qkv.lora_B_q'])
    v = v + F.linear(F.linear(flat, w[prefix + '.qkv.lora_A_v']), w[prefix + '.qkv.lora_B_v'])
    q, k, v = (part.reshape(batch, n, HEADS, head).transpose(1, 2) for part in (q, k, v))
    index = torch.arange(side)[:, None] - torch.arange(side)[None, :] + side - 1
    rows = w.need(prefix + '.rel_pos_h', 27, 64)[index]
    columns = w.need(prefix + '.rel_pos_w', 27, 64)[index]
    grid = q.reshape(batch, HEADS, side, side, head)
    row_bias = torch.einsum('bhrcd,rkd->bhrck', grid, rows).reshape(batch, HEADS, n, side)
    column_bias = torch.einsum('bhrcd,ckd->bhrck', grid, columns).reshape(batch, HEADS, n, side)
    eye = torch.eye(side)
    row_key = eye.repeat_interleave(side, 0).expand(batch, HEADS, n, side)
    column_key = eye.repeat(side, 1).expand(batch, HEADS, n, side)
    query = torch.cat([q * head ** -0.5, row_bias, column_bias], -1)
    key = torch.cat([k, row_key, column_key], -1)
    mixed = F.scaled_dot_product_attention(query, key, v, scale=1.0)
    return linear(w, mixed.transpose(1, 2).reshape(batch, n, D), prefix + '.proj', D, D).reshape(x.shape)


def windowed(w, y, prefix, grid):
    batch, count = y.shape[0], -(-grid // WINDOW)
    more = count * WINDOW - grid
    padded = F.pad(y, (0, 0, 0, more, 0, more))
    cut = padded.reshape(batch, count, WINDOW, count, WINDOW, D).permute(0, 1, 3, 2, 4, 5).reshape(-1, WINDOW, WINDOW, D)
    done = attend(w, cut, prefix, WINDOW).reshape(batch, count, count, WINDOW, WINDOW, D).permute(0, 1, 3, 2, 4, 5)
    return done.reshape(batch, count * WINDOW, count * WINDOW, D)[:, :grid, :grid]


def channel_norm(w, x, name, width):
    return norm(w, x.permute(0, 2, 3, 1), name, width, 1e-6).permute(0, 3, 1, 2)


def encode(w, image, grid):
    kernel = w.need('image_encoder.patch_embed.proj.weight', D, 3, 16, 16)
    x = F.conv2d(image, kernel, w.need('image_encoder.patch_embed.proj.bias', D), stride=16).permute(0, 2, 3, 1)
    x = x + w['image_encoder.pos_embed']
    for i in range(DEPTH):
        prefix = f'image_encoder.blocks.{i}'
        y = norm(w, x, prefix + '.norm1', D, 1e-6)
        x = x + (attend(w, y, prefix + '.attn', grid) if i in GLOBAL else windowed(w, y, prefix + '.attn', grid))
        n = norm(w, x, prefix + '.norm2', D, 1e-6)
        x = x + linear(w, F.gelu(linear(w, n, prefix + '.mlp.lin1', D, 4 * D)), prefix + '.mlp.lin2', 4 * D, D)
    x = F.conv2d(x.permute(0, 3, 1, 2), w.need('image_encoder.neck.0.weight', WIDTH, D, 1, 1))
    x = channel_norm(w, x, 'image_encoder.neck.1', WIDTH)
    x = F.conv2d(x, w.need('image_encoder.neck.2.weight', WIDTH, WIDTH, 3, 3), padding=1)
    return channel_norm(w, x, 'image_encoder.neck.3', WIDTH)


def cross(w, q, k, v, prefix, inner):
    def heads(x, part):
        y = linear(w, x, f'{prefix}.{part}_proj', WIDTH, inner)
        return y.reshape(y.shape[0], -1, 8, inner // 8).transpose(1, 2)
    mixed = F.scaled_dot_product_attention(heads(q, 'q'), heads(k, 'k'), heads(v, 'v'))
    return linear(w, mixed.transpose(1, 2).reshape(q.shape[0], -1, inner), prefix + '.out_proj', inner, WIDTH)


def decode(w, embedding, grid):
    batch, p = embedding.shape[0], 'mask_decoder'
    tokens = torch.cat([w.need(p + '.iou_token.weight', 1, WIDTH), w.need(p + '.mask_tokens.weight', 4, WIDTH)])[None].expand(batch, -1, -1)
    keys = (embedding + w.need('prompt_encoder.no_mask_embed.weight', 1, WIDTH).reshape(1, WIDTH, 1, 1)).flatten(2).transpose(1, 2)
    centre = (torch.arange(grid) + 0.5) / grid
    at = torch.stack([centre[None].expand(grid, grid), centre[:, None].expand(grid, grid)], -1).reshape(-1, 2)
    angle = 2 * math.pi * (2 * at - 1) @ w.need('prompt_encoder.pe_layer.positional_encoding_gaussian_matrix', 2, WIDTH // 2)
    places = torch.cat([angle.sin(), angle.cos()], -1)[None]
    queries = tokens
    for i in range(2):
        name = f'{p}.transformer.layers.{i}'
        if i == 0:
            queries = cross(w, queries, queries, queries, name + '.self_attn', WIDTH)
        else:
            queries = queries + cross(w, queries + tokens, queries + tokens, queries, name + '.self_attn', WIDTH)
        queries = norm(w, queries, name + '.norm1', WIDTH, 1e-5)
        queries = norm(w, queries + cross(w, queries + tokens, keys + places, keys, name + '.cross_attn_token_to_image', WIDTH // 2), name + '.norm2', WIDTH, 1e-5)
        hidden = F.relu(linear(w, queries, name + '.mlp.lin1', WIDTH, 2048))
        queries = norm(w, queries + linear(w, hidden, name + '.mlp.lin2', 2048, WIDTH), name + '.norm3', WIDTH, 1e-5)
        keys = norm(w, keys + cross(w, keys + places, queries + tokens, queries, name + '.cross_attn_image_to_token', WIDTH // 2), name + '.norm4', WIDTH, 1e-5)
    name = p + '.transformer.final_attn_token_to_image'
    queries = norm(w, queries + cross(w, queries + tokens, keys + places, keys, name, WIDTH // 2), p + '.transformer.norm_final_attn', WIDTH, 1e-5)
    up = keys.transpose(1, 2).reshape(batch, WIDTH, grid, grid)
    name = p + '.output_upscaling'
    up = F.conv_transpose2d(up, w.need(name + '.0.weight', WIDTH, 64, 2, 2), w.need(name + '.0.bias', 64), stride=2)
    up = F.gelu(channel_norm(w, up, name + '.1', 64))
    up = F.gelu(F.conv_transpose2d(up, w.need(name + '.3.weight', 64, 32, 2, 2), w.need(name + '.3.bias', 32), stride=2))
    name, code = p + '.output_hypernetworks_mlps.0.layers', queries[:, 1]
    code = F.relu(linear(w, code, name + '.0', WIDTH, WIDTH))
    code = F.relu(linear(w, code, name + '.1', WIDTH, WIDTH))
    code = linear(w, code, name + '.2', WIDTH, 32)
    return torch.einsum('bc,bchw->bhw', code, up)


def loss_of(z, y):
    bce = F.binary_cross_entropy_with_logits(z, y)
    p = z.sigmoid()
    dice = 1 - (2 * (p * y).sum((1, 2)) + 1e-5) / ((p * p).sum((1, 2)) + (y * y).sum((1, 2)) + 1e-5)
    return 0.2 * bce + 0.8 * dice.mean()


def lora_pairs():
    for i in range(DEPTH):
        prefix = f'image_encoder.blocks.{i}.attn.qkv.lora_'
        for part in 'qv':
            yield f'{prefix}A_{part}', (4, D)
            yield f'{prefix}B_{part}', (D, 4)
    kinds = ('self_attn', 'cross_attn_token_to_image', 'cross_attn_image_to_token')
    for attention in [f'layers.{i}.{kind}' for i in range(2) for kind in kinds] + ['final_attn_token_to_image']:
        inner = WIDTH if attention.endswith('self_attn') else WIDTH // 2
        for part in ('q_proj', 'v_proj'):
            yield f'mask_decoder.transformer.{attention}.{part}.lora_A', (4, WIDTH)
            yield f'mask_decoder.transformer.{attention}.{part}.lora_B', (inner, 4)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--size', type=int, default=448)
    parser.add_argument('--steps', type=int, default=5)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--device', default='cpu', choices=('cpu', 'cuda'))
    parser.add_argument('--forward', action='store_true', help='forward passes only')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_default_device(args.device)
    torch.backends.cudnn.allow_tf32 = False
    grid = args.size // 16
    w = Weights()
    resized(w, grid)
    for name, shape in lora_pairs():
        w[name] = hashed('ext:' + name, shape, 1 / 8 if 'lora_A' in name else 1 / 64)
    image = hashed(f'vitb:input{args.size}', (1, 3, args.size, args.size), 2.0)
    side = 4 * grid
    row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing='ij')
    target = (((row - side / 2) ** 2 + (column - side / 2) ** 2) < (side / 4) ** 2).float()[None]
    with torch.no_grad():
        loss = loss_of(decode(w, encode(w, image, grid), grid), target).item()
    heads = ('iou_token', 'mask_tokens', 'output_upscaling', 'output_hypernetworks_mlps.0')
    trained = [name for name in w if 'lora_' in name or name.startswith(tuple(f'mask_decoder.{head}' for head in heads))]
    for name in trained:
        w[name] = w[name].clone().requires_grad_(not args.forward)
    optimiser = None if args.forward else torch.optim.AdamW([w[name] for name in trained], lr=1e-4, weight_decay=0.01)
    times = []
    for _ in range(args.steps + 1):
        begun = time.perf_counter()
        if args.forward:
            with torch.no_grad():
                decode(w, encode(w, image, grid), grid)
        else:
            optimiser.zero_grad()
            loss_of(decode(w, encode(w, image, grid), grid), target).backward()
            torch.nn.utils.clip_grad_norm_([w[name] for name in trained], 1.0)
            optimiser.step()
        if args.device == 'cuda':
            torch.cuda.synchronize()
        times.append(1000 * (time.perf_counter() - begun))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({'torch': torch.__version__, 'median_ms': statistics.median(times[1:]), 'loss': loss, 'peak_rss_mb': peak}))


main()
