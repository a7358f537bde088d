import * as tf from '@tensorflow/tfjs-core'
import type { HostRecord } from '../../compute/index.ts'
import { isPartial, type Fitted } from '../../dataset/index.ts'
import type { TrainSettings } from '../../settings/training.ts'
import { treeAffinity } from '../objectives/spanning-tree.ts'
import { gatedCrf, halfShifts, treeEnergy, type Shift } from '../objectives/structure.ts'
import { scalar } from '../train/host-records.ts'
import type { Component, Run, Term } from './component.ts'

type Structure = NonNullable<TrainSettings['structure']>

const RGB = 3
/** The authors' images have 256 pixels across. Taken as cells, their five are a sixth of a mask of 32, and levelled whole organs. */
const PARTS = 256

/** Colours of the cells of a mask, 0 to 1, and which cells show anything of the image. */
interface Cells { readonly colours: Float32Array, readonly inside: Uint8Array }

/**
 * In phase G what is not known of an image follows from what is: by paths of alike cells, and by near cells of like colour
 * (docs/spec/weak.md#structure). Images with whole masks take no part; where a site has no others, nothing differs.
 */
export function structure (settings: Structure, maskSide: number): Component {
  const { tree = 0, crf = 0 } = settings
  const shifts = halfShifts(Math.max(1, Math.round(settings.radius * maskSide / PARTS)))
  const terms: Term[] = [
    { name: 'tree energy', weight: '@tree', loss: (run) => treeEnergy(rows(probabilities(run)), treeOf(run)) },
    {
      name: 'gated CRF',
      weight: '@crf',
      loss: (run) => gatedCrf(probabilities(run), { kernels: run.weights['@kernels']!, shifts, cells: run.weights['@cells']! })
    }
  ]
  return {
    name: 'structure',
    terms: { G: terms },
    feeds: (phase, batch, _, { samples }): HostRecord => {
      if (phase !== 'G' || !samples.some(isPartial)) return {}
      const cells = batch.map((each) => isPartial(each) ? cellsOf(each, maskSide) : nothing(maskSide))
      const ofTree = tree === 0 ? {} : treeFeeds(cells, settings, maskSide)
      return { ...ofTree, ...(crf === 0 ? {} : crfFeeds(cells, settings, shifts, maskSide)) }
    }
  }
}

function probabilities ({ student: { masks } }: Run): tf.Tensor {
  return tf.sigmoid(masks)
}

function rows (x: tf.Tensor): tf.Tensor {
  return tf.reshape(x, [x.shape[0], x.shape[1]!, -1])
}

function treeOf ({ known, targets, weights }: Run): Parameters<typeof treeEnergy>[1] {
  const unknown = rows(known == null ? tf.zerosLike(targets) : tf.sub(1, known))
  return { affinity: weights['@affinity']!, unknown: tf.mul(unknown, weights['@inside']!) }
}

function treeFeeds (cells: readonly Cells[], { tree, sigma }: Structure, side: number): HostRecord {
  const count = side ** 2
  const affinity = new Float32Array(cells.length * count ** 2)
  const inside = new Float32Array(cells.length * count)
  cells.forEach((each, i) => {
    if (each.inside.includes(1)) affinity.set(treeAffinity({ side, channels: RGB, features: each.colours }, sigma), i * count ** 2)
    inside.set(each.inside, i * count)
  })
  return {
    '@tree': scalar(tree!),
    '@affinity': { shape: [cells.length, count, count], data: affinity },
    '@inside': { shape: [cells.length, 1, count], data: inside }
  }
}

function crfFeeds (cells: readonly Cells[], { crf, xy, rgb }: Structure, shifts: readonly Shift[], side: number): HostRecord {
  const [count, falloff] = [side ** 2, xy * side / PARTS]
  const kernels = new Float32Array(cells.length * shifts.length * count)
  for (const [i, { colours, inside }] of cells.entries()) {
    for (const [k, [down, right]] of shifts.entries()) {
      const away = (down ** 2 + right ** 2) / falloff ** 2
      for (let cell = 0; cell < count; cell++) {
        const column = cell % side + right
        const other = cell + down * side + right
        if (column < 0 || column >= side || other >= count || inside[cell] === 0 || inside[other] === 0) continue
        let unlike = 0
        for (let c = 0; c < RGB; c++) unlike += (colours[cell * RGB + c]! - colours[other * RGB + c]!) ** 2
        kernels[(i * shifts.length + k) * count + cell] = Math.exp(-(away + unlike / rgb ** 2) / 2)
      }
    }
  }
  const counted = cells.reduce((sum, { inside }) => sum + inside.reduce((all, each) => all + each, 0), 0)
  return {
    '@crf': scalar(crf!),
    '@kernels': { shape: [cells.length, shifts.length, side, side], data: kernels },
    '@cells': scalar(counted)
  }
}

/** Mean colours of the pixels under each cell. */
function cellsOf ({ image, channels, side, fittedHeight, fittedWidth }: Fitted, maskSide: number): Cells {
  const { colours, inside } = nothing(maskSide)
  const pixels = new Uint32Array(maskSide ** 2)
  const cellAt = (at: number): number => Math.floor(at * maskSide / side)
  for (let y = 0; y < fittedHeight; y++) {
    for (let x = 0; x < fittedWidth; x++) {
      const cell = cellAt(y) * maskSide + cellAt(x)
      pixels[cell]!++
      for (let c = 0; c < RGB; c++) colours[cell * RGB + c]! += image[(y * fittedWidth + x) * channels + Math.min(c, channels - 1)]! / 255
    }
  }
  for (const [cell, count] of pixels.entries()) {
    inside[cell] = Number(count > 0)
    for (let c = 0; c < RGB; c++) colours[cell * RGB + c]! /= Math.max(1, count)
  }
  return { colours, inside }
}

function nothing (maskSide: number): Cells {
  return { colours: new Float32Array(RGB * maskSide ** 2), inside: new Uint8Array(maskSide ** 2) }
}
