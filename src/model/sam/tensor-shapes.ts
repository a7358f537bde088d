import { elementCount } from '../../adapter/schema.ts'
import {
  CROSS_DOWNSAMPLE, DECODER_DEPTH, MASK_CHANNELS, MASK_TOKENS, UPSCALE_DOWNSAMPLE, type SamConfig
} from './build-sam.ts'
import { encoderPlan } from './encoder-plan.ts'
import { FOURIER_MATRIX } from './naming.ts'
import { affineShapes as affine, type Shapes } from './plan.ts'

function encoder (config: SamConfig, of: 'stored' | 'read'): Shapes {
  const { width, depth } = config
  const plan = encoderPlan(config)
  return [
    ...plan[of],
    ['image_encoder.neck.0.weight', [width, plan.tokens(depth).dim, 1, 1]],
    ...affine('image_encoder.neck.1', width),
    ['image_encoder.neck.2.weight', [width, width, 3, 3]],
    ...affine('image_encoder.neck.3', width)
  ]
}

function promptEncoder ({ width }: SamConfig): Shapes {
  const prefix = 'prompt_encoder'
  const [first, second] = MASK_CHANNELS
  return [
    [`${prefix}.pe_layer.positional_encoding_gaussian_matrix`, [2, width / 2]],
    ...[0, 1, 2, 3].map((n): Shapes[number] => [`${prefix}.point_embeddings.${n}.weight`, [1, width]]),
    [`${prefix}.not_a_point_embed.weight`, [1, width]],
    [`${prefix}.no_mask_embed.weight`, [1, width]],
    ...affine(`${prefix}.mask_downscaling.0`, first, 1, 2, 2),
    ...affine(`${prefix}.mask_downscaling.1`, first),
    ...affine(`${prefix}.mask_downscaling.3`, second, first, 2, 2),
    ...affine(`${prefix}.mask_downscaling.4`, second),
    ...affine(`${prefix}.mask_downscaling.6`, width, second, 1, 1)
  ]
}

function attention (prefix: string, width: number, inner: number): Shapes {
  return [
    ...affine(`${prefix}.q_proj`, inner, width),
    ...affine(`${prefix}.k_proj`, inner, width),
    ...affine(`${prefix}.v_proj`, inner, width),
    ...affine(`${prefix}.out_proj`, width, inner)
  ]
}

function transformer ({ width, decoderMlp }: SamConfig): Shapes {
  const prefix = 'mask_decoder.transformer'
  const inner = width / CROSS_DOWNSAMPLE
  const layer = (l: number): Shapes => [
    ...attention(`${prefix}.layers.${l}.self_attn`, width, width),
    ...attention(`${prefix}.layers.${l}.cross_attn_token_to_image`, width, inner),
    ...attention(`${prefix}.layers.${l}.cross_attn_image_to_token`, width, inner),
    ...[1, 2, 3, 4].flatMap((n) => affine(`${prefix}.layers.${l}.norm${n}`, width)),
    ...affine(`${prefix}.layers.${l}.mlp.lin1`, decoderMlp, width),
    ...affine(`${prefix}.layers.${l}.mlp.lin2`, width, decoderMlp)
  ]
  return [
    ...Array.from({ length: DECODER_DEPTH }, (_, l) => layer(l)).flat(),
    ...attention(`${prefix}.final_attn_token_to_image`, width, inner),
    ...affine(`${prefix}.norm_final_attn`, width)
  ]
}

function mlp3 (prefix: string, input: number, hidden: number, output: number): Shapes {
  return [
    ...affine(`${prefix}.layers.0`, hidden, input),
    ...affine(`${prefix}.layers.1`, hidden, hidden),
    ...affine(`${prefix}.layers.2`, output, hidden)
  ]
}

/** ConvTranspose kernels are stored [in, out, 2, 2]. */
function upscaling (prefix: string, input: number, output: number): Shapes {
  return [[`${prefix}.weight`, [input, output, 2, 2]], [`${prefix}.bias`, [output]]]
}

function maskDecoder (config: SamConfig): Shapes {
  const { width, iouHidden } = config
  const middle = width / 4
  const last = width / UPSCALE_DOWNSAMPLE
  return [
    ['mask_decoder.iou_token.weight', [1, width]],
    ['mask_decoder.mask_tokens.weight', [MASK_TOKENS, width]],
    ...transformer(config),
    ...upscaling('mask_decoder.output_upscaling.0', width, middle),
    ...affine('mask_decoder.output_upscaling.1', middle),
    ...upscaling('mask_decoder.output_upscaling.3', middle, last),
    ...Array.from({ length: MASK_TOKENS }, (_, m) => mlp3(`mask_decoder.output_hypernetworks_mlps.${m}`, width, width, last)).flat(),
    ...mlp3('mask_decoder.iou_prediction_head', width, iouHidden, MASK_TOKENS)
  ]
}

/** Name → shape of every tensor of a weight file, original naming (docs/spec/sam.md#names). */
export function tensorShapes (config: SamConfig): Map<string, readonly number[]> {
  return new Map([...encoder(config, 'stored'), ...promptEncoder(config), ...maskDecoder(config)])
}

/** Name → shape of every tensor that the graph reads: those of a file, unless the encoder is stored otherwise. */
export function readShapes (config: SamConfig): Map<string, readonly number[]> {
  return new Map([...encoder(config, 'read'), ...promptEncoder(config), ...maskDecoder(config)])
}

/** Parameters of the base: all that the graph reads but the Fourier matrix, which is a buffer (docs/spec/sam.md#parameter-counts). */
export function parameterCount (config: SamConfig): number {
  return [...readShapes(config)].reduce((sum, [name, shape]) => name === FOURIER_MATRIX ? sum : sum + elementCount(shape), 0)
}
