import { join } from 'node:path'
import { littleEndianBytes, safetensorsHeader } from '../../adapter/safetensors.ts'
import { pixelScale } from '../../dataset/index.ts'
import { writeJson, writePartsSafely } from '../../home/files.ts'
import { DECODER_EPS, ENCODER_EPS, gridSide, type VitConfig } from '../../model/sam/build-sam.ts'
import { FOURIER_MATRIX, huggingFaceName, TIED_MATRIX } from '../../model/sam/naming.ts'
import type { Taken } from './taken.ts'

/** A folder that transformers' `SamModel` and `SamProcessor` load. @throws InputError for what SAM has no place for */
export async function writeTransformers ({ sam, pixels }: Taken, folder: string): Promise<void> {
  const merged = sam.merged()
  const tensors = new Map(Object.entries(merged).map(([name, tensor]) => [huggingFaceName(name), tensor]))
  // The same matrix twice, as in the public files.
  tensors.set(TIED_MATRIX, merged[FOURIER_MATRIX]!)
  const header = safetensorsHeader(tensors, { format: 'pt' })
  const numbers = [...tensors.values()].map(({ data }) => littleEndianBytes(data))
  // merged() has refused every other encoder.
  const config = sam.config as VitConfig
  await writePartsSafely(join(folder, 'model.safetensors'), [header, ...numbers])
  await writeJson(join(folder, 'config.json'), samConfigJson(config))
  await writeJson(join(folder, 'preprocessor_config.json'), preprocessing(config, pixels))
}

function samConfigJson (config: VitConfig): object {
  const { imageSize, patch, dim, depth, heads, globalBlocks, window, width, decoderMlp, iouHidden } = config
  return {
    architectures: ['SamModel'],
    model_type: 'sam',
    vision_config: {
      hidden_size: dim,
      num_hidden_layers: depth,
      num_attention_heads: heads,
      image_size: imageSize,
      patch_size: patch,
      window_size: window,
      global_attn_indexes: globalBlocks,
      layer_norm_eps: ENCODER_EPS,
      output_channels: width,
      num_pos_feats: width / 2
    },
    prompt_encoder_config: { hidden_size: width, image_size: imageSize, patch_size: patch },
    mask_decoder_config: { hidden_size: width, mlp_dim: decoderMlp, iou_head_hidden_dim: iouHidden, layer_norm_eps: DECODER_EPS }
  }
}

function preprocessing (config: VitConfig, pixels: Taken['pixels']): object {
  const scale = pixelScale(pixels)
  const [side, lowRes] = [config.imageSize, 4 * gridSide(config)]
  return {
    processor_class: 'SamProcessor',
    image_processor_type: 'SamImageProcessor',
    do_convert_rgb: true,
    do_resize: true,
    size: { longest_edge: side },
    resample: 2,
    do_rescale: scale != null,
    rescale_factor: 1 / 255,
    do_normalize: scale != null,
    image_mean: scale?.mean.map((mean) => mean / 255),
    image_std: scale?.deviation.map((deviation) => deviation / 255),
    do_pad: true,
    pad_size: { height: side, width: side },
    mask_size: { longest_edge: lowRes },
    mask_pad_size: { height: lowRes, width: lowRes }
  }
}
