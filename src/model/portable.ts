import * as tf from '@tensorflow/tfjs-core'
import type { NamedTensor } from '../adapter/safetensors.ts'
import type { HostRecord, Step } from '../compute/index.ts'
import { InputError } from '../errors.ts'
import { selected } from './blocks/site-selection.ts'
import { classMaps } from './classes/class-maps.ts'
import { mergeWeights } from './parameters/merge-weights.ts'
import { gridSide, lowResSide, type SamConfig } from './sam/build-sam.ts'
import { encodeImage } from './sam/image-encoder.ts'
import { promptMasks } from './sam/sam.ts'
import type { Weights } from './sam/weights.ts'
import type { StepContext } from './steps.ts'

/** One half of a SAM whose inputs and outputs have the names and layouts of segment-anything's own ONNX export (docs/export.md). */
interface PortableHalf {
  readonly step: Step
  /** Shapes of its inputs for so many points. */
  readonly inputs: (points: number) => Readonly<Record<string, readonly number[]>>
}

/** A whole model in two halves, and the tensors that both read beside their inputs. */
export interface PortableSam {
  readonly config: SamConfig
  readonly encoder: PortableHalf
  readonly decoder: PortableHalf
  /** The base with Γ over it, under its names; what has no place in SAM runs beside it. */
  readonly weights: HostRecord
  /** As one SAM without adapters. @throws InputError for what SAM has no place for */
  merged (): Weights
}

interface Parts {
  /** As SAM has it, and as steps read it. */
  readonly base: Weights
  readonly read: HostRecord
  /** Γ as trained, and what of it never changes. */
  readonly gamma: ReadonlyMap<string, NamedTensor>
  readonly fixed: Weights
}

export function portableSam (context: StepContext, { base, read, gamma, fixed }: Parts): PortableSam {
  const { imageSize, width } = context.config
  const [grid, side] = [gridSide(context.config), lowResSide(context.config)]
  return {
    config: context.config,
    encoder: { step: encoderStep(context), inputs: () => ({ image: [1, 3, imageSize, imageSize] }) },
    decoder: {
      step: decoderStep(context),
      inputs: (points) => ({
        image_embeddings: [1, width, grid, grid],
        point_coords: [1, points, 2],
        point_labels: [1, points],
        mask_input: [1, 1, side, side],
        has_mask_input: [1]
      })
    },
    weights: { ...read, ...Object.fromEntries(gamma) },
    merged: () => {
      const { name, encoder } = context.config
      if (encoder !== 'vit') {
        throw new InputError(`${name} goes elsewhere with --format onnx or monai alone: its norms are folded into its convolutions`)
      }
      return mergeWeights(base, new Map([...gamma, ...Object.entries(fixed)]), context.options.loraScale)
    }
  }
}

function encoderStep ({ config, options }: StepContext): Step {
  return (t) => {
    const { embedding } = encodeImage(t, config, tf.transpose(t['image'] as tf.Tensor4D, [0, 2, 3, 1]), options)
    return { image_embeddings: tf.transpose(selected(embedding, t), [0, 3, 1, 2]) }
  }
}

/** Of one class all four maps, of several their own. */
function decoderStep ({ config, options, division = { classes: 1 } }: StepContext): Step {
  return (t) => {
    const embedding = tf.transpose(t['image_embeddings'] as tf.Tensor4D, [0, 2, 3, 1])
    const side = lowResSide(config)
    const prompts = {
      tokens: { coordinates: t['point_coords'] as tf.Tensor3D, labels: t['point_labels'] as tf.Tensor2D },
      mask: tf.reshape<tf.Rank.R3>(t['mask_input']!, [1, side, side]),
      maskWeight: t['has_mask_input'] as tf.Tensor1D
    }
    const { masks, iou } = division.classes === 1
      ? promptMasks(t, config, embedding, prompts, options)
      : classMaps(t, config, embedding, { ...options, division, prompts })
    return { low_res_masks: masks, iou_predictions: iou }
  }
}
