import { InputError } from '../../errors.ts'
import { elementCount, type TensorSpec } from '../../adapter/schema.ts'
import { seededRandom, type Random } from '../../dataset/index.ts'
import { DECODER_DEPTH, type SamConfig } from '../sam/build-sam.ts'
import { tensorShapes } from '../sam/tensor-shapes.ts'
import type { Weights } from '../sam/weights.ts'
import type { DecoderMode, ModelSettings } from '../settings.ts'

const HEADS = /^mask_decoder\.(iou_token|mask_tokens|output_upscaling|output_hypernetworks_mlps|iou_prediction_head)\b/

function encoderLora ({ name, depth, dim }: SamConfig, { blocks, rank }: ModelSettings['lora']): TensorSpec[] {
  const beyond = blocks.find((block) => block >= depth)
  if (beyond != null) throw new InputError(`the settings put LoRA into block ${beyond}, but ${name} has ${depth} blocks (from 0): change lora.blocks`)
  return [...new Set(blocks)].flatMap((block) => ['q', 'v'].flatMap((part): TensorSpec[] => [
    { name: `image_encoder.blocks.${block}.attn.qkv.lora_A_${part}`, shape: [rank, dim], role: 'lora' },
    { name: `image_encoder.blocks.${block}.attn.qkv.lora_B_${part}`, shape: [dim, rank], role: 'lora' }
  ]))
}

/** On q and v of all seven attentions of the decoder. */
function decoderLora (shapes: ReadonlyMap<string, readonly number[]>, rank: number): TensorSpec[] {
  const layers = Array.from({ length: DECODER_DEPTH }, (_, l) => ['self_attn', 'cross_attn_token_to_image', 'cross_attn_image_to_token'].map((kind) => `layers.${l}.${kind}`)).flat()
  return [...layers, 'final_attn_token_to_image'].flatMap((attention) => ['q_proj', 'v_proj'].flatMap((part): TensorSpec[] => {
    const prefix = `mask_decoder.transformer.${attention}.${part}`
    const [out, into] = shapes.get(`${prefix}.weight`) as [number, number]
    return [{ name: `${prefix}.lora_A`, shape: [rank, into], role: 'lora' }, { name: `${prefix}.lora_B`, shape: [out, rank], role: 'lora' }]
  }))
}

function trainedDecoder (shapes: ReadonlyMap<string, readonly number[]>, mode: DecoderMode): TensorSpec[] {
  const belongs = (name: string): boolean => mode === 'full' ? name.startsWith('mask_decoder.') : HEADS.test(name)
  return [...shapes].filter(([name]) => belongs(name)).map(([name, shape]) => ({ name, shape, role: 'decoder' }))
}

/** The tensors of Γ (SAM_SPEC §3.2): LoRA in the encoder, and of the decoder what its mode says. @throws InputError for a block that the model lacks. */
export function adapterTensors (config: SamConfig, { lora, decoder }: ModelSettings): TensorSpec[] {
  const shapes = tensorShapes(config)
  return [
    ...encoderLora(config, lora),
    ...(decoder === 'lora+heads' ? decoderLora(shapes, lora.rank) : []),
    ...(decoder === 'frozen' ? [] : trainedDecoder(shapes, decoder))
  ]
}

/** Uniform within ±1/√fan-in, what PyTorch gives a linear layer. */
export function uniform (count: number, fanIn: number, random: Random): Float32Array {
  const bound = 1 / Math.sqrt(fanIn)
  return Float32Array.from({ length: count }, () => (random() * 2 - 1) * bound)
}

/** Γ at the start: A random from the seed, B zero, decoder tensors as in the base, so that the model still equals the base. */
export function initialAdapterTensors (tensors: readonly TensorSpec[], weights: Weights, seed: number): Map<string, Float32Array> {
  return new Map(tensors.map(({ name, shape }, index) => {
    if (name.includes('.lora_A')) return [name, uniform(elementCount(shape), shape[1]!, seededRandom(seed, index))]
    return [name, name.includes('.lora_B') ? new Float32Array(elementCount(shape)) : weights[name]!.data]
  }))
}
