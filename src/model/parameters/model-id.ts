import { createHash } from 'node:crypto'
import { toPlanes } from '../../dataset/index.ts'
import type { ModelSettings, OneWindow, WindowSetting } from '../../settings/model.ts'
import type { SamConfig } from '../sam/build-sam.ts'

/**
 * Names the model in the schema: architecture, image side, and a digest of where LoRA and experts sit, so that adapters of other
 * settings never meet. Settings that came later count where they are not the default.
 */
export function modelId (
  { name, imageSize }: SamConfig,
  { lora, decoder, encoder = 'lora', classes: division = 'together', moe, pixels = 'imagenet', channels, window }: ModelSettings,
  seed: number,
  keeps: readonly string[] = [],
  classes = 1
): string {
  const { aggregation = 'factors' } = lora
  const settings = [
    lora.blocks,
    lora.rank,
    lora.alpha,
    decoder,
    moe.blocks,
    moe.experts,
    moe.topK,
    moe.bottleneck,
    moe.gate,
    moe.expert,
    ...unless(encoder === 'lora', encoder),
    ...unless(aggregation === 'factors', aggregation),
    ...unless(aggregation !== 'ffa', seed),
    ...unless(moe.noise == null || moe.noise === 0, moe.noise),
    ...unless(pixels === 'imagenet', pixels),
    ...wordsOf(window),
    ...channels == null ? [] : [{ channels: toPlanes(channels) }],
    ...unless(keeps.length === 0, keeps),
    ...unless(classes === 1, { classes }),
    ...unless(classes === 1 || division === 'together', division)
  ]
  return `${name}/${imageSize}/${createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 16)}`
}

function unless<T> (isDefault: boolean, value: T): T[] {
  return isDefault ? [] : [value]
}

/** A window of the same numbers is the same window, in whatever order they are written. */
function wordsOf (window: WindowSetting | undefined): unknown[] {
  if (window == null) return []
  return Array.isArray(window) ? [{ windows: toPlanes(window).map(wordsOfOne) }] : [wordsOfOne(window)]
}

function wordsOfOne (window: OneWindow): unknown {
  if (window === 'auto') return window
  return 'centre' in window ? ['window', window.centre, window.width] : ['percentiles', ...window.percentiles]
}
