import { elementCount, type TensorSpec } from '../../adapter/schema.ts'
import { type Random, seededRandom } from '../../common/random.ts'
import { InputError } from '../../errors.ts'
import type { DecoderMode, ModelSettings } from '../../settings/model.ts'
import { DECODER_DEPTH, type SamConfig } from '../sam/build-sam.ts'
import { tensorShapes } from '../sam/tensor-shapes.ts'
import type { Weights } from '../sam/weights.ts'

/** How much narrower a bottleneck is than the encoder (FedMSA, docs/spec/pfedsam.md#baselines). */
const NARROWING = 4
/** Without prompts nothing else of the prompt encoder acts. */
const ENCODERS = /^(image_encoder\.|prompt_encoder\.no_mask_embed)/
const INWARD = /\.lora_A|\.adapter_\w+\.down\.weight$/
/**
 * What of the decoder is trained in full. Map 0, the one that a class uses, depends on all tokens but on no other map's hypernetwork
 * nor on the IoU head.
 */
const WHOLE: Readonly<Partial<Record<DecoderMode, RegExp>>> = {
  'lora+upscaling': /^mask_decoder\.(iou_token|mask_tokens|output_upscaling|output_hypernetworks_mlps\.0\.layers\.2)\b/,
  'lora+mask-head': /^mask_decoder\.(iou_token|mask_tokens|output_upscaling|output_hypernetworks_mlps\.0)\b/,
  'lora+heads': /^mask_decoder\.(iou_token|mask_tokens|output_upscaling|output_hypernetworks_mlps|iou_prediction_head)\b/,
  full: /^mask_decoder\./
}

function encoderLora ({ name, depth, dim }: SamConfig, { blocks, rank }: ModelSettings['lora']): TensorSpec[] {
  const beyond = blocks.find((block) => block >= depth)
  if (beyond != null) {
    throw new InputError(`the settings put LoRA into block ${beyond}, but ${name} has ${depth} blocks (from 0): change lora.blocks`)
  }
  return [...new Set(blocks)].flatMap((block) =>
    ['q', 'v'].flatMap((part): TensorSpec[] => [
      { name: `image_encoder.blocks.${block}.attn.qkv.lora_A_${part}`, shape: [rank, dim], role: 'lora' },
      { name: `image_encoder.blocks.${block}.attn.qkv.lora_B_${part}`, shape: [dim, rank], role: 'lora' }
    ])
  )
}

function bottlenecks ({ depth, dim }: SamConfig): TensorSpec[] {
  const narrow = dim / NARROWING
  return Array.from({ length: depth }, (_, block) => ['adapter_attn', 'adapter_mlp'].flatMap((kind): TensorSpec[] => {
    const prefix = `image_encoder.blocks.${block}.${kind}`
    return [
      { name: `${prefix}.down.weight`, shape: [narrow, dim], role: 'encoder' },
      { name: `${prefix}.down.bias`, shape: [narrow], role: 'encoder' },
      { name: `${prefix}.up.weight`, shape: [dim, narrow], role: 'encoder' },
      { name: `${prefix}.up.bias`, shape: [dim], role: 'encoder' }
    ]
  })).flat()
}

function encoderTensors (
  config: SamConfig,
  { encoder = 'lora', lora }: ModelSettings,
  shapes: ReadonlyMap<string, readonly number[]>
): TensorSpec[] {
  switch (encoder) {
    case 'lora': return encoderLora(config, lora)
    case 'bottleneck': return bottlenecks(config)
    case 'full': return [...shapes].filter(([name]) => ENCODERS.test(name)).map(([name, shape]) => ({ name, shape, role: 'encoder' }))
  }
}

/** On q and v of all seven attentions of the decoder. */
function decoderLora (shapes: ReadonlyMap<string, readonly number[]>, rank: number): TensorSpec[] {
  const layers = Array.from(
    { length: DECODER_DEPTH },
    (_, l) => ['self_attn', 'cross_attn_token_to_image', 'cross_attn_image_to_token'].map((kind) => `layers.${l}.${kind}`)
  ).flat()
  return [...layers, 'final_attn_token_to_image'].flatMap((attention) =>
    ['q_proj', 'v_proj'].flatMap((part): TensorSpec[] => {
      const prefix = `mask_decoder.transformer.${attention}.${part}`
      const [out, into] = shapes.get(`${prefix}.weight`) as [number, number]
      return [{ name: `${prefix}.lora_A`, shape: [rank, into], role: 'lora' }, {
        name: `${prefix}.lora_B`,
        shape: [out, rank],
        role: 'lora'
      }]
    })
  )
}

function trainedDecoder (shapes: ReadonlyMap<string, readonly number[]>, mode: DecoderMode): TensorSpec[] {
  return [...shapes].filter(([name]) => WHOLE[mode]?.test(name) === true).map(([name, shape]) => ({ name, shape, role: 'decoder' }))
}

/**
 * The tensors of Γ (docs/spec/pfedsam.md#shared-parameters): of encoder and decoder what their modes say. @throws InputError for a
 * block that the model lacks.
 */
export function adapterTensors (config: SamConfig, settings: ModelSettings): TensorSpec[] {
  const { lora, decoder } = settings
  const shapes = tensorShapes(config)
  return [
    ...encoderTensors(config, settings, shapes),
    ...(decoder.startsWith('lora') ? decoderLora(shapes, lora.rank) : []),
    ...trainedDecoder(shapes, decoder)
  ]
}

/** Uniform within ±1/√fan-in, what PyTorch gives a linear layer. */
export function uniform (count: number, fanIn: number, random: Random): Float32Array {
  const bound = 1 / Math.sqrt(fanIn)
  return Float32Array.from({ length: count }, () => (random() * 2 - 1) * bound)
}

/**
 * Γ at the start: what leads inward random from the seed, what leads outward zero, tensors of the base as they are there, so that the
 * model still equals the base.
 */
export function initialAdapterTensors (tensors: readonly TensorSpec[], weights: Weights, seed: number): Map<string, Float32Array> {
  return new Map(tensors.map(({ name, shape }, index) => {
    if (INWARD.test(name)) return [name, uniform(elementCount(shape), shape[1]!, seededRandom(seed, index))]
    return [name, weights[name]?.data ?? new Float32Array(elementCount(shape))]
  }))
}
