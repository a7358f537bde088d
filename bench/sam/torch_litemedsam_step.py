"""LiteMedSAM in PyTorch after docs/spec/litemedsam.md: one forward pass or one LoRA training step, timed.

Our own code in the manner of torch_sam_step.py: tokens stay [B, H, W, C], batch norms are folded into their convolutions, the joint
projection of every attention is reordered to q | k | v, attention is torch's fused scaled_dot_product_attention with the table of biases as mask.
Weights come from --weights FILE (safetensors, F32 or F16, original names) or, without it, from the hash of docs/spec/sam.md#generated-tensors with the prefix `lite:`;
LoRA from the hash with `ext:`; the image from `lite:input{S}`. So any program that follows the specification prints the same loss.
Trained: LoRA of rank 4 on q and v of the attentions of blocks --first..9 and of the decoder's seven, and in full the decoder's tokens, upscaling
and last layer of hypernetwork 0 (the project's `lora+upscaling`); loss 0.2 BCE + 0.8 Dice on mask 0, no prompt; gradient norm 1, AdamW.
Prints one JSON line: {"torch", "case", "threads", "median_ms", "least_ms", "cpu_ms", "loss", "trained", "peak_rss_mb"}; cpu_ms is the least time of all
cores together, which with --threads 1 hardly depends on what else the machine does.
"""
import argparse
import json
import math
import resource
import statistics
import struct
import time

import torch
import torch.nn.functional as F

from torch_hashed import hashed

WIDTH, RANK = 256, 4
# stage: channels, heads, window, blocks; stage 0 is convolutions alone
STAGES = ((64, 0, 0, 2), (128, 4, 7, 2), (160, 5, 14, 6), (320, 10, 7, 2))
HEAD = 32
# the ten blocks with attention, numbered through: (stage, index within it)
BLOCKS = [(s, i) for s in (1, 2, 3) for i in range(STAGES[s][3])]
UNIT = ('norm.weight', 'norm1.weight', 'norm2.weight', 'norm3.weight', 'norm4.weight', 'norm_final_attn.weight', 'neck.1.weight', 'neck.3.weight',
        'output_upscaling.1.weight', 'mask_downscaling.1.weight', 'mask_downscaling.4.weight', '.bn.weight', '.bn.running_var')
TOKENS = ('iou_token.weight', 'mask_tokens.weight', 'no_mask_embed.weight', 'not_a_point_embed.weight')


# -- weights ---------------------------------------------------------------------------------------------------------------------------------

def parameter(name, shape):
    if name.endswith(UNIT):
        return hashed('lite:' + name, shape, 1 / 4, 1.0)
    if name.endswith(('.bias', '.bn.running_mean')):
        return hashed('lite:' + name, shape, 1 / 8)
    if name.endswith(TOKENS + ('attention_biases',)) or 'point_embeddings' in name:
        return hashed('lite:' + name, shape, 1 / 2)
    if name.endswith('gaussian_matrix'):
        return hashed('lite:' + name, shape, 1.0)
    fan_in = shape[0] if 'output_upscaling' in name else math.prod(shape[1:])
    amplitude = 2.0 ** -math.floor(math.log2(fan_in) / 2)
    if name.startswith('mask_decoder.') or '.attn.' in name:
        amplitude *= 2
    return hashed('lite:' + name, shape, amplitude)


def shapes():
    """Name -> shape of the 408 float tensors of the file (353 parameters, 54 running statistics of batch norms, the Fourier matrix)."""
    out = {}

    def affine(name, *shape):
        out[name + '.weight'] = shape
        out[name + '.bias'] = shape[:1]

    def conv(name, *shape):
        out[name + '.c.weight'] = shape
        for part in ('weight', 'bias', 'running_mean', 'running_var'):
            out[f'{name}.bn.{part}'] = shape[:1]

    def merge(name, into, width):
        conv(name + '.conv1', width, into, 1, 1)
        conv(name + '.conv2', width, 1, 3, 3)
        conv(name + '.conv3', width, width, 1, 1)

    e = 'image_encoder.'
    conv(e + 'patch_embed.seq.0', 32, 3, 1, 1)
    conv(e + 'patch_embed.seq.2', 64, 32, 1, 1)
    for i in range(2):
        conv(f'{e}layers.0.blocks.{i}.conv1', 256, 64, 1, 1)
        conv(f'{e}layers.0.blocks.{i}.conv2', 256, 1, 3, 3)
        conv(f'{e}layers.0.blocks.{i}.conv3', 64, 256, 1, 1)
    merge(e + 'layers.0.downsample', 64, 128)
    for s, i in BLOCKS:
        d, heads, window, depth = STAGES[s]
        p = f'{e}layers.{s}.blocks.{i}.'
        out[p + 'attn.attention_biases'] = (heads, window * window)
        affine(p + 'attn.norm', d)
        affine(p + 'attn.qkv', 3 * d, d)
        affine(p + 'attn.proj', d, d)
        affine(p + 'mlp.norm', d)
        affine(p + 'mlp.fc1', 4 * d, d)
        affine(p + 'mlp.fc2', d, 4 * d)
        conv(p + 'local_conv', d, 1, 3, 3)
        if i == depth - 1 and s < 3:
            merge(f'{e}layers.{s}.downsample', d, STAGES[s + 1][0])
    out[e + 'neck.0.weight'] = (WIDTH, 320, 1, 1)
    affine(e + 'neck.1', WIDTH)
    out[e + 'neck.2.weight'] = (WIDTH, WIDTH, 3, 3)
    affine(e + 'neck.3', WIDTH)
    p = 'prompt_encoder.'
    out[p + 'pe_layer.positional_encoding_gaussian_matrix'] = (2, WIDTH // 2)
    for n in range(4):
        out[f'{p}point_embeddings.{n}.weight'] = (1, WIDTH)
    out[p + 'not_a_point_embed.weight'] = (1, WIDTH)
    affine(p + 'mask_downscaling.0', 4, 1, 2, 2)
    affine(p + 'mask_downscaling.1', 4)
    affine(p + 'mask_downscaling.3', 16, 4, 2, 2)
    affine(p + 'mask_downscaling.4', 16)
    affine(p + 'mask_downscaling.6', WIDTH, 16, 1, 1)
    out[p + 'no_mask_embed.weight'] = (1, WIDTH)
    m = 'mask_decoder.'

    def attention(name, inner):
        for part in 'qkv':
            affine(f'{name}.{part}_proj', inner, WIDTH)
        affine(name + '.out_proj', WIDTH, inner)

    for i in range(2):
        t = f'{m}transformer.layers.{i}.'
        attention(t + 'self_attn', WIDTH)
        attention(t + 'cross_attn_token_to_image', WIDTH // 2)
        attention(t + 'cross_attn_image_to_token', WIDTH // 2)
        for n in range(1, 5):
            affine(f'{t}norm{n}', WIDTH)
        affine(t + 'mlp.lin1', 2048, WIDTH)
        affine(t + 'mlp.lin2', WIDTH, 2048)
    attention(m + 'transformer.final_attn_token_to_image', WIDTH // 2)
    affine(m + 'transformer.norm_final_attn', WIDTH)
    out[m + 'iou_token.weight'] = (1, WIDTH)
    out[m + 'mask_tokens.weight'] = (4, WIDTH)
    for n, (a, b) in ((0, (WIDTH, 64)), (3, (64, 32))):
        out[f'{m}output_upscaling.{n}.weight'] = (a, b, 2, 2)
        out[f'{m}output_upscaling.{n}.bias'] = (b,)
    affine(m + 'output_upscaling.1', 64)
    for h in [f'output_hypernetworks_mlps.{n}' for n in range(4)] + ['iou_prediction_head']:
        affine(f'{m}{h}.layers.0', WIDTH, WIDTH)
        affine(f'{m}{h}.layers.1', WIDTH, WIDTH)
        affine(f'{m}{h}.layers.2', 4 if h.startswith('iou') else 32, WIDTH)
    return out


def read_safetensors(path):
    data = open(path, 'rb').read()
    size = struct.unpack('<Q', data[:8])[0]
    kinds = {'F32': torch.float32, 'F16': torch.float16}
    head = {name: each for name, each in json.loads(data[8:8 + size]).items() if name != '__metadata__'}
    body = bytearray(data[8 + size:])
    return {name: torch.frombuffer(body, dtype=kinds[each['dtype']], count=math.prod(each['shape']), offset=each['data_offsets'][0]).reshape(each['shape']).float()
            for name, each in head.items() if each['dtype'] in kinds}


def load(path=None):
    """All float tensors under their original names, checked against shapes()."""
    want = shapes()
    raw = {name: parameter(name, shape) for name, shape in want.items()} if path is None else read_safetensors(path)
    got = {name: tuple(tensor.shape) for name, tensor in raw.items()}
    assert got == want, sorted(set(got.items()) ^ set(want.items()))[:4]
    return raw


def prepare(raw):
    """Batch norms folded, q | k | v apart, biases of attention as [heads, n, n]."""
    w = {}
    for name, tensor in raw.items():
        if name.endswith('.c.weight'):
            at = name[:-len('.c.weight')]
            gain = raw[at + '.bn.weight'] / torch.sqrt(raw[at + '.bn.running_var'] + 1e-5)
            kernel = tensor * gain[:, None, None, None]
            w[at + '.weight'] = kernel[:, :, 0, 0].contiguous() if kernel.shape[2] == 1 else kernel.contiguous(memory_format=torch.channels_last)
            w[at + '.bias'] = raw[at + '.bn.bias'] - raw[at + '.bn.running_mean'] * gain
        elif '.attn.qkv.' in name:
            heads = tensor.shape[0] // (3 * HEAD)
            w[name] = tensor.reshape(heads, 3, HEAD, *tensor.shape[1:]).transpose(0, 1).reshape(tensor.shape).contiguous()
        elif name.endswith('attention_biases'):
            side = math.isqrt(tensor.shape[1])
            row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing='ij')
            row, column = row.flatten(), column.flatten()
            w[name] = tensor[:, (row[:, None] - row).abs() * side + (column[:, None] - column).abs()].contiguous()
        elif '.bn.' not in name:
            w[name] = tensor
    return w


# -- encoder: tokens [B, H, W, C] ------------------------------------------------------------------------------------------------------------

def linear(w, x, name):
    y = F.linear(x, w[name + '.weight'], w.get(name + '.bias'))
    if name + '.lora_A' in w:
        y = y + F.linear(F.linear(x, w[name + '.lora_A']), w[name + '.lora_B'])
    return y


def norm(w, x, name, eps=1e-5):
    return F.layer_norm(x, x.shape[-1:], w[name + '.weight'], w[name + '.bias'], eps)


def spread(w, x, name, stride=1):
    """3×3, each channel on its own, zero padding 1."""
    y = F.conv2d(x.permute(0, 3, 1, 2), w[name + '.weight'], w[name + '.bias'], stride, 1, groups=x.shape[3])
    return y.permute(0, 2, 3, 1)


def merge(w, x, name, stride):
    x = F.gelu(linear(w, x, name + '.conv1'))
    return linear(w, F.gelu(spread(w, x, name + '.conv2', stride)), name + '.conv3')


def attend(w, x, name, heads):
    """x [windows, n, D], padding included: it is normalised like all else and is not masked."""
    batch, n, d = x.shape
    y = norm(w, x, name + '.norm')
    q, k, v = F.linear(y, w[name + '.qkv.weight'], w[name + '.qkv.bias']).split(d, -1)
    if name + '.qkv.lora_A_q' in w:
        q = q + F.linear(F.linear(y, w[name + '.qkv.lora_A_q']), w[name + '.qkv.lora_B_q'])
        v = v + F.linear(F.linear(y, w[name + '.qkv.lora_A_v']), w[name + '.qkv.lora_B_v'])
    q, k, v = (part.reshape(batch, n, heads, HEAD).transpose(1, 2) for part in (q, k, v))
    mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=w[name + '.attention_biases'].expand(batch, -1, -1, -1))
    return linear(w, mixed.transpose(1, 2).reshape(batch, n, d), name + '.proj')


def windowed(w, x, name, heads, side):
    batch, height, width, d = x.shape
    rows, columns = -(-height // side), -(-width // side)
    y = F.pad(x, (0, 0, 0, columns * side - width, 0, rows * side - height))
    y = y.reshape(batch, rows, side, columns, side, d).transpose(2, 3).reshape(-1, side * side, d)
    y = attend(w, y, name, heads).reshape(batch, rows, columns, side, side, d).transpose(2, 3)
    return y.reshape(batch, rows * side, columns * side, d)[:, :height, :width]


def experts(w, n, name, top=2):
    """docs/spec/pfedsam.md#private-experts: the experts' sum for tokens n."""
    p = F.linear(n, w[name + '.gate.weight']).softmax(-1)
    chosen = torch.zeros_like(p).scatter(-1, p.detach().topk(top, -1).indices, 1.0)
    gates = p * chosen
    gates = gates / gates.sum(-1, keepdim=True)
    hidden = F.gelu(torch.einsum('...d,erd->...er', n, w[name + '.down.weight']) + w[name + '.down.bias']) * gates[..., None]
    return torch.einsum('...er,edr->...d', hidden, w[name + '.up.weight']) + gates @ w[name + '.up.bias']


def block(w, x, number):
    stage, index = BLOCKS[number]
    _, heads, side, depth = STAGES[stage]
    name = f'image_encoder.layers.{stage}.blocks.{index}'
    x = x + windowed(w, x, name + '.attn', heads, side)
    x = spread(w, x, name + '.local_conv')
    n = norm(w, x, name + '.mlp.norm')
    y = linear(w, F.gelu(linear(w, n, name + '.mlp.fc1')), name + '.mlp.fc2')
    if name + '.lmoe.gate.weight' in w:
        y = y + experts(w, n, name + '.lmoe')
    x = x + y
    if index == depth - 1 and stage < 3:
        x = merge(w, x, f'image_encoder.layers.{stage}.downsample', 2 if stage == 1 else 1)
    return x


def stem(w, image):
    """image [B, S, S, 3] in 0..1 -> [B, S/2, S/2, 128]: nothing in it can have LoRA."""
    e = 'image_encoder.'
    x = linear(w, F.gelu(linear(w, image, e + 'patch_embed.seq.0')), e + 'patch_embed.seq.2')
    for i in range(2):
        p = f'{e}layers.0.blocks.{i}.'
        y = F.gelu(linear(w, x, p + 'conv1'))
        y = F.gelu(spread(w, y, p + 'conv2'))
        x = F.gelu(x + linear(w, y, p + 'conv3'))
    return merge(w, x, e + 'layers.0.downsample', 2)


def blocks(w, x, first, last=10):
    for number in range(first, last):
        x = block(w, x, number)
    return x


def neck(w, x):
    e = 'image_encoder.neck.'
    x = norm(w, F.linear(x, w[e + '0.weight'].flatten(1)), e + '1', 1e-6)
    x = F.conv2d(x.permute(0, 3, 1, 2), w[e + '2.weight'], padding=1).permute(0, 2, 3, 1)
    return norm(w, x, e + '3', 1e-6)


def encode(w, image):
    return neck(w, blocks(w, stem(w, image), 0))


# -- decoder: embedding [B, G, G, 256] -------------------------------------------------------------------------------------------------------

def fourier(w, at):
    angle = 2 * math.pi * ((2 * at - 1) @ w['prompt_encoder.pe_layer.positional_encoding_gaussian_matrix'])
    return torch.cat([angle.sin(), angle.cos()], -1)


def box_tokens(w, boxes, side):
    """boxes [P, 4] in pixels of the square of that side -> [P, 2, 256]"""
    corners = fourier(w, (boxes.reshape(-1, 2, 2) + 0.5) / side)
    return corners + torch.stack([w[f'prompt_encoder.point_embeddings.{n}.weight'][0] for n in (2, 3)])


def cross(w, q, k, v, name):
    def heads(x, part):
        y = linear(w, x, f'{name}.{part}_proj')
        return y.reshape(y.shape[0], -1, 8, y.shape[-1] // 8).transpose(1, 2)
    mixed = F.scaled_dot_product_attention(heads(q, 'q'), heads(k, 'k'), heads(v, 'v'))
    return linear(w, mixed.transpose(1, 2).flatten(2), name + '.out_proj')


def decode(w, embedding, sparse=None, maps=(0,)):
    """Logits [B, maps, 4G, 4G] and IoU estimates [B, 4]."""
    batch, grid = embedding.shape[:2]
    m = 'mask_decoder.'
    tokens = torch.cat([w[m + 'iou_token.weight'], w[m + 'mask_tokens.weight']])[None].expand(batch, -1, -1)
    tokens = tokens if sparse is None else torch.cat([tokens, sparse], 1)
    keys = (embedding + w['prompt_encoder.no_mask_embed.weight']).reshape(batch, grid * grid, WIDTH)
    centre = (torch.arange(grid) + 0.5) / grid
    places = fourier(w, torch.stack([centre.repeat(grid), centre.repeat_interleave(grid)], -1).to(embedding.dtype))[None]
    x = tokens
    for i in range(2):
        t = f'{m}transformer.layers.{i}.'
        x = cross(w, x, x, x, t + 'self_attn') if i == 0 else x + cross(w, x + tokens, x + tokens, x, t + 'self_attn')
        x = norm(w, x, t + 'norm1')
        x = norm(w, x + cross(w, x + tokens, keys + places, keys, t + 'cross_attn_token_to_image'), t + 'norm2')
        x = norm(w, x + linear(w, F.relu(linear(w, x, t + 'mlp.lin1')), t + 'mlp.lin2'), t + 'norm3')
        keys = norm(w, keys + cross(w, keys + places, x + tokens, x, t + 'cross_attn_image_to_token'), t + 'norm4')
    t = m + 'transformer.'
    x = norm(w, x + cross(w, x + tokens, keys + places, keys, t + 'final_attn_token_to_image'), t + 'norm_final_attn')
    u = m + 'output_upscaling.'
    up = F.conv_transpose2d(keys.transpose(1, 2).reshape(batch, WIDTH, grid, grid), w[u + '0.weight'], w[u + '0.bias'], stride=2)
    up = F.gelu(norm(w, up.permute(0, 2, 3, 1), u + '1', 1e-6)).permute(0, 3, 1, 2)
    up = F.gelu(F.conv_transpose2d(up, w[u + '3.weight'], w[u + '3.bias'], stride=2))

    def mlp(y, name):
        for layer in range(3):
            y = linear(w, y, f'{m}{name}.layers.{layer}')
            y = F.relu(y) if layer < 2 else y
        return y
    code = torch.stack([mlp(x[:, 1 + n], f'output_hypernetworks_mlps.{n}') for n in maps], 1)
    return torch.einsum('bmc,bchw->bmhw', code, up), mlp(x[:, 0], 'iou_prediction_head')


# -- training --------------------------------------------------------------------------------------------------------------------------------

def loss_of(z, y):
    bce = F.binary_cross_entropy_with_logits(z, y)
    p = z.sigmoid()
    dice = 1 - (2 * (p * y).sum((1, 2)) + 1e-5) / ((p * p).sum((1, 2)) + (y * y).sum((1, 2)) + 1e-5)
    return 0.2 * bce + 0.8 * dice.mean()


def lora_shapes(first=0):
    for number in range(first, 10):
        stage, index = BLOCKS[number]
        d = STAGES[stage][0]
        for part in 'qv':
            yield f'image_encoder.layers.{stage}.blocks.{index}.attn.qkv.lora_A_{part}', (RANK, d)
            yield f'image_encoder.layers.{stage}.blocks.{index}.attn.qkv.lora_B_{part}', (d, RANK)
    kinds = ('self_attn', 'cross_attn_token_to_image', 'cross_attn_image_to_token')
    for attention in [f'layers.{i}.{kind}' for i in range(2) for kind in kinds] + ['final_attn_token_to_image']:
        inner = WIDTH if attention.endswith('self_attn') else WIDTH // 2
        for part in ('q_proj', 'v_proj'):
            yield f'mask_decoder.transformer.{attention}.{part}.lora_A', (RANK, WIDTH)
            yield f'mask_decoder.transformer.{attention}.{part}.lora_B', (inner, RANK)


TRAINED = ('mask_decoder.iou_token.', 'mask_decoder.mask_tokens.', 'mask_decoder.output_upscaling.', 'mask_decoder.output_hypernetworks_mlps.0.layers.2.')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--size', type=int, default=256, help='image side, a multiple of 4')
    parser.add_argument('--batch', type=int, default=2)
    parser.add_argument('--steps', type=int, default=5)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--weights', help='safetensors file; without it the hash')
    parser.add_argument('--first', type=int, default=0, help='first of the ten attention blocks with LoRA: 0 all, 2 stages 2 and 3, 8 stage 3, 10 the decoder alone')
    parser.add_argument('--cached', action='store_true', help='what lies before that block is computed once and not timed')
    parser.add_argument('--forward', action='store_true', help='forward passes only')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    w = prepare(load(args.weights))
    for name, shape in lora_shapes(args.first):
        w[name] = hashed('ext:' + name, shape, 1 / 8 if 'lora_A' in name else 1 / 64)
    image = hashed(f'lite:input{args.size}', (args.batch, args.size, args.size, 3), 0.5, 0.5)
    row, column = torch.meshgrid(torch.arange(args.size), torch.arange(args.size), indexing='ij')
    target = (((row - args.size / 2) ** 2 + (column - args.size / 2) ** 2) < (args.size / 4) ** 2).float().expand(args.batch, -1, -1)

    def frozen():
        with torch.no_grad():
            return blocks(w, stem(w, image), 0, args.first)

    kept = frozen()

    def answer():
        x = kept if args.cached else frozen()
        return decode(w, neck(w, blocks(w, x, args.first)))[0][:, 0]

    with torch.no_grad():
        loss = loss_of(answer(), target).item()
    trained = [name for name in w if 'lora_' in name or name.startswith(TRAINED)]
    if not args.forward:
        for name in trained:
            w[name] = w[name].clone().requires_grad_()
        optimiser = torch.optim.AdamW([w[name] for name in trained], lr=1e-4, weight_decay=0.01)
    times, work = [], []
    for _ in range(args.steps + 1):
        begun, busy = time.perf_counter(), time.process_time()
        if args.forward:
            with torch.no_grad():
                answer()
        else:
            optimiser.zero_grad()
            loss_of(answer(), target).backward()
            torch.nn.utils.clip_grad_norm_([w[name] for name in trained], 1.0)
            optimiser.step()
        times.append(1000 * (time.perf_counter() - begun))
        work.append(1000 * (time.process_time() - busy))
    case = f'{"forward" if args.forward else "step"}, {args.size} px, batch {args.batch}, from block {args.first}{", cached" if args.cached else ""}'
    print(json.dumps({'torch': torch.__version__, 'case': case, 'threads': args.threads, 'median_ms': round(statistics.median(times[1:]), 1), 'least_ms': round(min(times[1:]), 1), 'cpu_ms': round(min(work[1:]), 1), 'loss': loss,
                      'trained': sum(w[name].numel() for name in trained), 'peak_rss_mb': round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)}))


if __name__ == '__main__':
    main()
