/** Hugging Face names of SAM's parts and original names, tried in order; # is a number (docs/spec/sam.md#names). */
const RULES: readonly (readonly [theirs: string, original: string])[] = [
  ['vision_encoder.patch_embed.projection.', 'image_encoder.patch_embed.proj.'],
  ['vision_encoder.layers.#.layer_norm#.', 'image_encoder.blocks.#.norm#.'],
  ['vision_encoder.layers.', 'image_encoder.blocks.'],
  ['vision_encoder.neck.conv1.', 'image_encoder.neck.0.'],
  ['vision_encoder.neck.layer_norm1.', 'image_encoder.neck.1.'],
  ['vision_encoder.neck.conv2.', 'image_encoder.neck.2.'],
  ['vision_encoder.neck.layer_norm2.', 'image_encoder.neck.3.'],
  ['vision_encoder.', 'image_encoder.'],
  ['prompt_encoder.shared_embedding.positional_embedding', 'prompt_encoder.pe_layer.positional_encoding_gaussian_matrix'],
  ['prompt_encoder.point_embed.', 'prompt_encoder.point_embeddings.'],
  ['prompt_encoder.mask_embed.conv1.', 'prompt_encoder.mask_downscaling.0.'],
  ['prompt_encoder.mask_embed.layer_norm1.', 'prompt_encoder.mask_downscaling.1.'],
  ['prompt_encoder.mask_embed.conv2.', 'prompt_encoder.mask_downscaling.3.'],
  ['prompt_encoder.mask_embed.layer_norm2.', 'prompt_encoder.mask_downscaling.4.'],
  ['prompt_encoder.mask_embed.conv3.', 'prompt_encoder.mask_downscaling.6.'],
  ['mask_decoder.transformer.layers.#.layer_norm#.', 'mask_decoder.transformer.layers.#.norm#.'],
  ['mask_decoder.transformer.layer_norm_final_attn.', 'mask_decoder.transformer.norm_final_attn.'],
  ['mask_decoder.upscale_conv1.', 'mask_decoder.output_upscaling.0.'],
  ['mask_decoder.upscale_layer_norm.', 'mask_decoder.output_upscaling.1.'],
  ['mask_decoder.upscale_conv2.', 'mask_decoder.output_upscaling.3.'],
  // "layers.0" is the first layer in the original and the second here.
  ...['mask_decoder.output_hypernetworks_mlps.#', 'mask_decoder.iou_prediction_head'].flatMap((mlp) => [
    [`${mlp}.layers.0.`, `${mlp}.layers.1.`],
    [`${mlp}.proj_in.`, `${mlp}.layers.0.`],
    [`${mlp}.proj_out.`, `${mlp}.layers.2.`]
  ] as const)
]

function renaming (from: 0 | 1, to: 0 | 1): (name: string) => string {
  const rules = RULES.map((rule): [RegExp, string] => {
    let number = 0
    return [new RegExp(`^${rule[from].replaceAll('.', '\\.').replaceAll('#', '(\\d+)')}`), rule[to].replaceAll('#', () => `$${++number}`)]
  })
  return (name) => {
    const rule = rules.find(([pattern]) => pattern.test(name))
    return rule == null ? name : name.replace(...rule)
  }
}

/** A copy of the Fourier matrix that Hugging Face files hold beside, or instead of, the one of the prompt encoder. */
export const TIED_MATRIX = 'shared_image_embedding.positional_embedding'
export const FOURIER_MATRIX = 'prompt_encoder.pe_layer.positional_encoding_gaussian_matrix'

/** True when the names of a file are Hugging Face's; decided once per file. */
export function isHuggingFace (names: Iterable<string>): boolean {
  return [...names].some((name) => name.startsWith('vision_encoder.'))
}

/** The original name of a tensor with a Hugging Face name; others stay as they are. */
export const originalName = renaming(0, 1)

/** The Hugging Face name of a tensor with an original name. */
export const huggingFaceName = renaming(1, 0)
