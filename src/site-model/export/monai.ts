import { join } from 'node:path'
import { SOFTWARE } from '../../common/software.ts'
import { pixelScale } from '../../dataset/index.ts'
import { InputError } from '../../errors.ts'
import { writeFileSafely, writeJson, writePartsSafely } from '../../home/files.ts'
import { lowResSide } from '../../model/sam/build-sam.ts'
import { pthParts } from '../base/pth/write-pth.ts'
import { writeOnnx } from './onnx.ts'
import { classesOf, type Taken } from './taken.ts'

/**
 * A MONAI bundle that `python -m monai.bundle run` segments a picture with, by the ONNX files; `model.pt`, SAM's state dictionary, is in it
 * where SAM has a place for all that the federation trains.
 */
export async function writeMonai (taken: Taken, folder: string): Promise<void> {
  const models = join(folder, 'models')
  await writeOnnx(taken, models)
  const hasWeights = await writeWeights(taken, join(models, 'model.pt'))
  await writeJson(join(folder, 'configs', 'metadata.json'), metadata(taken))
  await writeJson(join(folder, 'configs', 'inference.json'), inference(taken))
  await writeFileSafely(join(folder, 'docs', 'README.md'), readme(taken, hasWeights))
  await writeFileSafely(join(folder, 'docs', 'license.txt'), licence(taken))
}

async function writeWeights ({ sam }: Taken, path: string): Promise<boolean> {
  try {
    await writePartsSafely(path, pthParts(new Map(Object.entries(sam.merged()))))
    return true
  } catch (error) {
    if (error instanceof InputError) return false
    throw error
  }
}

const NOT_CLINICAL = 'Research use: not evaluated, reviewed or approved for diagnosis or treatment.'

function metadata (taken: Taken): object {
  const { sam: { config }, federation, round, digest } = taken
  const classes = classesOf(taken)
  const described = { modality: 'n/a', dtype: 'float32', is_patch_data: false }
  return {
    schema: 'https://project-monai.github.io/schema/meta_schema_20240725.json',
    version: `0.0.${round}`,
    changelog: { [`0.0.${round}`]: `round ${round}, adapter ${digest}` },
    monai_version: '1.5.0',
    pytorch_version: '2.5.0',
    numpy_version: '1.26.0',
    required_packages_version: { onnxruntime: '1.17.0', pillow: '10.0.0' },
    name: federation,
    task: `Segmentation of ${classes.join(', ')} in pictures and slices, with or without points and a box`,
    description: `${config.name} (Segment Anything) fine-tuned by the sites of "${federation}" without a server, by consilium ${SOFTWARE}.`,
    authors: `The sites of "${federation}"`,
    copyright: 'That of the base model: see license.txt',
    intended_use: NOT_CLINICAL,
    network_data_format: {
      inputs: {
        image: {
          ...described,
          type: 'image',
          format: 'magnitude',
          num_channels: 3,
          spatial_shape: [config.imageSize, config.imageSize],
          value_range: [],
          channel_def: { 0: 'red', 1: 'green', 2: 'blue' }
        }
      },
      outputs: {
        pred: {
          ...described,
          type: 'image',
          format: 'classes',
          num_channels: classes.length,
          spatial_shape: [lowResSide(config), lowResSide(config)],
          value_range: [],
          channel_def: Object.fromEntries(classes.map((name, c) => [c, `${name}: logits, above 0 inside`]))
        }
      }
    }
  }
}

/** Pixels and masks as docs/spec/sam.md has them. */
function inference (taken: Taken): object {
  const { sam: { config }, pixels } = taken
  const scale = pixelScale(pixels)
  const enlarged = (what: string, size: string): string => `torch.nn.functional.interpolate(${what}, ${size}, mode='bilinear')`
  return {
    imports: ['$import numpy as np', '$import onnxruntime', '$import torch', '$from PIL import Image'],
    bundle_root: '.',
    image: 'image.png',
    output: 'mask.png',
    points: [],
    box: [],
    side: config.imageSize,
    classes: classesOf(taken),
    load: {
      _target_: 'LoadImage',
      image_only: true,
      ensure_channel_first: true,
      reader: 'PILReader',
      reverse_indexing: false,
      converter: "$lambda picture: picture.convert('RGB')"
    },
    picture: '$@load(@image).as_tensor()',
    size: '$list(@picture.shape[1:])',
    fitted: '$[max(1, int(extent * @side / max(@size) + 0.5)) for extent in @size]',
    resize: "$lambda x: torch.nn.functional.interpolate(x[None], @fitted, mode='bilinear', antialias=True)[0].round()",
    preprocessing: {
      _target_: 'Compose',
      transforms: [
        { _target_: 'Lambda', func: '@resize' },
        scale == null
          ? { _target_: 'ScaleIntensity', minv: 0, maxv: 1 }
          : { _target_: 'NormalizeIntensity', subtrahend: scale.mean, divisor: scale.deviation, channel_wise: true },
        { _target_: 'SpatialPad', spatial_size: ['@side', '@side'], method: 'end' }
      ]
    },
    encoder: "$onnxruntime.InferenceSession(@bundle_root + '/models/encoder.onnx')",
    decoder: "$onnxruntime.InferenceSession(@bundle_root + '/models/decoder.onnx')",
    embedding: "$@encoder.run(None, {'image': np.asarray(@preprocessing(@picture), np.float32)[None]})[0]",
    corners: '$[(@box[0], @box[1], 2), (@box[2], @box[3], 3)] if @box else [(0, 0, -1)] if @points else []',
    prompt: '$np.array([*@points, *@corners], np.float32).reshape(1, -1, 3)',
    scale: '$np.array([@fitted[1] / @size[1], @fitted[0] / @size[0]], np.float32)',
    feeds: {
      image_embeddings: '@embedding',
      point_coords: '$@prompt[:, :, :2] * @scale',
      point_labels: '$np.ascontiguousarray(@prompt[:, :, 2])',
      mask_input: `$np.zeros((1, 1, ${lowResSide(config)}, ${lowResSide(config)}), np.float32)`,
      has_mask_input: '$np.zeros(1, np.float32)'
    },
    pred: "$torch.from_numpy(@decoder.run(['low_res_masks'], @feeds)[0][:, :len(@classes)])",
    canvas: `$${enlarged('@pred', '(@side, @side)')}[:, :, :@fitted[0], :@fitted[1]]`,
    logits: `$${enlarged('@canvas', '@size')}[0].numpy()`,
    mask: '$np.where(@logits.max(0) > 0, @logits.argmax(0) + 1, 0).astype(np.uint8)',
    run: ['$Image.fromarray(@mask).save(@output)']
  }
}

function readme (taken: Taken, hasWeights: boolean): string {
  const { sam: { config }, federation, round, digest, pixels } = taken
  const legend = classesOf(taken).map((name, c) => `${c + 1} for ${name}`).join(', ')
  return `# ${federation}

${config.name} for pictures of ${config.imageSize} pixels (normalised: ${pixels}), fine-tuned together by the sites of a federation.
Round ${round}, adapter ${digest}. ${NOT_CLINICAL}

    python -m monai.bundle run --config_file configs/inference.json --image picture.png --output mask.png
    python -m monai.bundle run --config_file configs/inference.json --image picture.png --box "[40,30,120,110]" --points "[[80,70,1]]"

in this folder, with monai, fire, onnxruntime and pillow. \`--bundle_root\` says where it is otherwise. Points are x, y and 1 (inside) or 0;
the box is x0, y0, x1, y1; both in pixels of the picture. The mask holds ${legend} and 0
elsewhere; where classes overlap, the likelier one.

\`models/encoder.onnx\` and \`models/decoder.onnx\` (opset 18, operations of the standard alone) have the inputs and outputs of
segment-anything's own ONNX export. ${hasWeights
    ? '`models/model.pt` is the state dictionary of segment-anything\'s `Sam` at this image side.'
    : 'There is no `models/model.pt`: segment-anything has no place for all that this federation trains.'}
`
}

function licence ({ sam: { config } }: Taken): string {
  return `The weights are those of the base model ${config.name}, changed by training: the terms of that base go on to hold for them.
Segment Anything and LiteMedSAM are under the Apache License, Version 2.0 (http://www.apache.org/licenses/LICENSE-2.0). The sites of the
federation decide what they add to these terms; nothing was added when this bundle was written.
`
}
