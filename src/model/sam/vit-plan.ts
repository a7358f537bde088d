import { gridSide, MLP_RATIO, type SamConfig, type VitConfig } from './build-sam.ts'
import { affineShapes, type EncoderPlan, type Shapes } from './plan.ts'
import { globalTables, resizeLinear } from './resize.ts'

type Tensors = ReturnType<EncoderPlan['prepare']>

/** SAM's own encoder: files hold what the graph reads, and tables follow the image side. */
export function vitPlan (config: VitConfig): EncoderPlan {
  const shapes = encoderShapes(config)
  return {
    block: (index) => `image_encoder.blocks.${index}`,
    tokens: () => ({ side: gridSide(config), dim: config.dim }),
    stored: shapes,
    read: shapes,
    prepare: (weights, to) => resizeTables(weights, config, to)
  }
}

function encoderShapes (config: VitConfig): Shapes {
  const { dim, patch, depth } = config
  const grid = gridSide(config)
  return [
    ['image_encoder.pos_embed', [1, grid, grid, dim]],
    ['image_encoder.patch_embed.proj.weight', [dim, 3, patch, patch]],
    ['image_encoder.patch_embed.proj.bias', [dim]],
    ...Array.from({ length: depth }, (_, index) => blockShapes(config, index)).flat()
  ]
}

function blockShapes (config: VitConfig, index: number): Shapes {
  const prefix = `image_encoder.blocks.${index}`
  const { dim, heads } = config
  const rows = 2 * attentionSide(config, index) - 1
  return [
    ...affineShapes(`${prefix}.norm1`, dim),
    [`${prefix}.attn.rel_pos_h`, [rows, dim / heads]],
    [`${prefix}.attn.rel_pos_w`, [rows, dim / heads]],
    ...affineShapes(`${prefix}.attn.qkv`, 3 * dim, dim),
    ...affineShapes(`${prefix}.attn.proj`, dim, dim),
    ...affineShapes(`${prefix}.norm2`, dim),
    ...affineShapes(`${prefix}.mlp.lin1`, MLP_RATIO * dim, dim),
    ...affineShapes(`${prefix}.mlp.lin2`, dim, MLP_RATIO * dim)
  ]
}

/** Side of the square over which this block attends, in tokens. */
function attentionSide (config: VitConfig, block: number): number {
  return config.globalBlocks.includes(block) ? gridSide(config) : config.window
}

/** Position embedding and the global blocks' tables for another image side, the rest shared (docs/spec/sam.md#image-sides). */
function resizeTables (weights: Tensors, from: VitConfig, to: SamConfig): Tensors {
  const grid = gridSide(to)
  if (grid === gridSide(from)) return weights
  const resized = { ...weights }
  const position = weights['image_encoder.pos_embed']!
  const wide = resizeLinear(position, 2, grid)
  resized['image_encoder.pos_embed'] = resizeLinear(wide, 1, grid)
  for (const name of globalTables(from)) resized[name] = resizeLinear(weights[name]!, 0, 2 * grid - 1)
  return resized
}
