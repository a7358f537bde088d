import { elementCount } from '../../adapter/schema.ts'
import { type Random, seededRandom } from '../../common/random.ts'
import { InputError } from '../../errors.ts'
import type { GlobalGroup } from '../../settings/method.ts'
import type { DecoderMode, ModelSettings } from '../../settings/model.ts'
import { mapsOf, passName, passTensors, type Division } from '../classes/passes.ts'
import { DECODER_DEPTH, type SamConfig } from '../sam/build-sam.ts'
import { encoderPlan } from '../sam/encoder-plan.ts'
import { readShapes } from '../sam/tensor-shapes.ts'
import type { Weights } from '../sam/weights.ts'
import { decays } from '../train/optimiser.ts'
import type { GlobalParameter, ParameterGroup } from './groups.ts'

/** How much narrower a bottleneck is than the encoder (FedMSA, docs/spec/pfedsam.md#baselines). */
const NARROWING = 4
/** Without prompts nothing else of the prompt encoder acts. */
const ENCODERS = /^(image_encoder\.|prompt_encoder\.no_mask_embed)/
/** Classes that maps can tell apart without tokens that are trained. */
const MAPS_WITHOUT_TOKENS = 3
/** Beside the hypernetworks of the maps that classes use. */
const SHARED_HEADS = 'iou_token|mask_tokens|output_upscaling'

/**
 * What of the decoder is trained in full. A map that a class uses depends on all tokens but on no other map's hypernetwork nor on the
 * IoU head; further passes of the decoder have parts of their own (classes/passes.ts).
 */
function wholeOf (decoder: DecoderMode, maps: readonly number[]): RegExp | undefined {
  const mlps = 'output_hypernetworks_mlps\\.'
  const [first, further] = [`${mlps}[${maps.join('')}]`, `passes\\.\\d+\\.(${SHARED_HEADS}|${mlps}[123]`]
  switch (decoder) {
    case 'lora+upscaling': return new RegExp(`^mask_decoder\\.(${SHARED_HEADS}|${first}\\.layers\\.2|${further}\\.layers\\.2))\\b`)
    case 'lora+mask-head': return new RegExp(`^mask_decoder\\.(${SHARED_HEADS}|${first}|${further}))\\b`)
    case 'lora+heads':
      return new RegExp(`^mask_decoder\\.(${SHARED_HEADS}|output_hypernetworks_mlps|iou_prediction_head|${further}))\\b`)
    case 'full': return /^mask_decoder\./
    case 'frozen':
    case 'lora': return undefined
  }
}

/** Nothing learns from the maps that no class uses, so decay alone would wear them down. */
function unusedBy (maps: readonly number[]): RegExp {
  const others = [0, 1, 2, 3].filter((map) => !maps.includes(map))
  return new RegExp(`^mask_decoder\\.output_hypernetworks_mlps\\.[${others.join('')}]|iou_prediction_head`)
}

const NORMS = /^(image_encoder|mask_decoder)\..*(norm\d?|norm_final_attn|neck\.[13]|output_upscaling\.1)\.(weight|bias)$/
const IN_BLOCK = /^image_encoder\..*blocks\./

type Shape = readonly number[]

/** Both factors of a low-rank update of a layer [out, into], A and B being their names. */
function lowRank ([a, b]: readonly [string, string], rank: number, [out, into]: readonly [number, number]): GlobalParameter[] {
  return [
    { name: a, shape: [rank, into], role: 'lora', rate: 'lrLora', decays: true, start: 'seeded' },
    { name: b, shape: [out, rank], role: 'lora', rate: 'lrLora', decays: true, start: 'zero' }
  ]
}

/** Tensors of the base that are trained as they are. */
function whole (
  shapes: ReadonlyMap<string, Shape>,
  which: RegExp,
  role: 'decoder' | 'encoder',
  unused?: RegExp
): GlobalParameter[] {
  return [...shapes].filter(([name]) => which.test(name)).map(([name, shape]) => ({
    name,
    shape,
    role,
    rate: 'lrHeads',
    decays: decays({ name, shape }) && unused?.test(name) !== true,
    start: 'base'
  }))
}

function encoderLora (config: SamConfig, { blocks, rank }: ModelSettings['lora']): GlobalParameter[] {
  const { name, depth } = config
  const plan = encoderPlan(config)
  const beyond = blocks.find((block) => block >= depth)
  if (beyond != null) {
    throw new InputError(`the settings put LoRA into block ${beyond}, but ${name} has ${depth} blocks (from 0): change lora.blocks`)
  }
  return [...new Set(blocks)].flatMap((block) => {
    const prefix = `${plan.block(block)}.attn.qkv.lora`
    const { dim } = plan.tokens(block)
    return ['q', 'v'].flatMap((part) => lowRank([`${prefix}_A_${part}`, `${prefix}_B_${part}`], rank, [dim, dim]))
  })
}

function bottlenecks (config: SamConfig): GlobalParameter[] {
  const plan = encoderPlan(config)
  return Array.from({ length: config.depth }, (_, block) => ['adapter_attn', 'adapter_mlp'].flatMap((kind) => {
    const { dim } = plan.tokens(block)
    const narrow = dim / NARROWING
    const part = (name: string, shape: Shape, start: 'seeded' | 'zero'): GlobalParameter => ({
      name: `${plan.block(block)}.${kind}.${name}`, shape, role: 'encoder', rate: 'lrHeads', decays: shape.length > 1, start
    })
    return [
      part('down.weight', [narrow, dim], 'seeded'),
      part('down.bias', [narrow], 'zero'),
      part('up.weight', [dim, narrow], 'zero'),
      part('up.bias', [dim], 'zero')
    ]
  })).flat()
}

function encoderParameters (
  config: SamConfig,
  { encoder = 'lora', lora }: ModelSettings,
  shapes: ReadonlyMap<string, Shape>
): GlobalParameter[] {
  switch (encoder) {
    case 'lora': return encoderLora(config, lora)
    case 'bottleneck': return bottlenecks(config)
    case 'full': return whole(shapes, ENCODERS, 'encoder')
  }
}

/** On q and v of all seven attentions of the decoder. */
function decoderLora (shapes: ReadonlyMap<string, Shape>, rank: number): GlobalParameter[] {
  const layers = Array.from(
    { length: DECODER_DEPTH },
    (_, l) => ['self_attn', 'cross_attn_token_to_image', 'cross_attn_image_to_token'].map((kind) => `layers.${l}.${kind}`)
  ).flat()
  return [...layers, 'final_attn_token_to_image'].flatMap((attention) =>
    ['q_proj', 'v_proj'].flatMap((part) => {
      const prefix = `mask_decoder.transformer.${attention}.${part}`
      return lowRank([`${prefix}.lora_A`, `${prefix}.lora_B`], rank, shapes.get(`${prefix}.weight`) as [number, number])
    })
  )
}

function decoderParameters (
  decoder: DecoderMode,
  rank: number,
  shapes: ReadonlyMap<string, Shape>,
  division: Division
): GlobalParameter[] {
  const maps = mapsOf(division, 0)
  const pattern = wholeOf(decoder, maps)
  const lora = decoder.startsWith('lora') ? decoderLora(shapes, rank) : []
  const passes = division.apart === true ? Array.from({ length: division.classes - 1 }, (_, i) => i + 1) : []
  return [
    ...lora,
    ...passes.flatMap((pass) => lora.map((each) => ({ ...each, name: passName(pass, each.name.replace('mask_decoder.', '')) }))),
    ...(pattern == null ? [] : whole(shapes, pattern, 'decoder', unusedBy(maps)))
  ]
}

/**
 * The groups of Γ (docs/spec/pfedsam.md#shared-parameters): of encoder and decoder what their modes say; what a method keeps is the
 * site's own. @throws InputError for a block that the model lacks, or classes that nothing of the decoder could tell apart.
 */
export function globalGroups (
  config: SamConfig,
  settings: ModelSettings,
  keeps: readonly GlobalGroup[] = [],
  classes = 1
): ParameterGroup[] {
  const division = { classes, apart: settings.classes === 'apart' && classes > 1 }
  const passes = passTensors(config, division)
  if (classes > MAPS_WITHOUT_TOKENS && wholeOf(settings.decoder, [0]) == null) {
    throw new InputError(`more than three classes need mask tokens that are trained: let model.decoder be more than ${settings.decoder}`)
  }
  const shapes = new Map([...readShapes(config), ...passes.map(({ name, shape }): [string, Shape] => [name, shape])])
  const group = (name: GlobalGroup, parameters: readonly GlobalParameter[]): ParameterGroup =>
    ({ name, owner: keeps.includes(name) ? 'own' : 'shared', phase: 'G', parameters })
  const encoder = encoderParameters(config, settings, shapes)
  const decoder = decoderParameters(settings.decoder, settings.lora.rank, shapes, division)
  return [
    group('encoder', encoder),
    group('decoder', decoder),
    ...(keeps.includes('norms') ? [group('norms', siteNorms(config, settings, shapes, [...encoder, ...decoder]))] : [])
  ]
}

/** The first block of the encoder with LoRA or experts, the depth where there is none; 0 where bottlenecks or all of it are trained. */
export function firstAdaptedBlock ({ depth }: SamConfig, { lora, moe, encoder = 'lora' }: ModelSettings): number {
  return encoder === 'lora' ? Math.min(...lora.blocks, ...moe.blocks, depth) : 0
}

/**
 * Scales and shifts of the layers that nothing frozen comes behind, but those that are trained anyway: FedBN's idea (arXiv 2102.07623) for
 * SAM, which has no batch norms (docs/spec/views.md#site-norms).
 */
function siteNorms (
  config: SamConfig,
  settings: ModelSettings,
  shapes: ReadonlyMap<string, Shape>,
  trained: readonly GlobalParameter[]
): GlobalParameter[] {
  const plan = encoderPlan(config)
  const first = firstAdaptedBlock(config, settings)
  const blocks = Array.from({ length: config.depth - first }, (_, i) => `${plan.block(first + i)}.`)
  const names = new Set(trained.map(({ name }) => name))
  const norms = whole(shapes, NORMS, 'encoder')
  return norms.filter(({ name }) => !names.has(name) && (!IN_BLOCK.test(name) || blocks.some((block) => name.startsWith(block))))
}

/** The tensors of Γ, whoever owns them. @throws InputError for a block that the model lacks. */
export function adapterTensors (config: SamConfig, settings: ModelSettings): GlobalParameter[] {
  return globalGroups(config, settings).flatMap((group) => group.phase === 'G' ? group.parameters : [])
}

/** Uniform within ±1/√fan-in, what PyTorch gives a linear layer. */
export function uniform (count: number, fanIn: number, random: Random): Float32Array {
  const bound = 1 / Math.sqrt(fanIn)
  return Float32Array.from({ length: count }, () => (random() * 2 - 1) * bound)
}

/**
 * Γ at the start: what leads inward random from the seed, what leads outward zero, tensors of the base as they are there, so that the
 * model still equals the base. The seed's streams go by place in `parameters`.
 */
export function initialAdapterTensors (parameters: readonly GlobalParameter[], weights: Weights, seed: number): Map<string, Float32Array> {
  return new Map(parameters.map(({ name, shape, start }, index) => {
    if (start === 'seeded') return [name, uniform(elementCount(shape), shape[1]!, seededRandom(seed, index))]
    return [name, (start === 'base' ? weights[name]?.data : undefined) ?? new Float32Array(elementCount(shape))]
  }))
}
