import type { HostRecord } from '../../compute/index.ts'
import { toClassTargets, toTargets, type Fitted, type LabelMap } from '../../dataset/index.ts'

/** `@targets` [B,C,L,L] of a batch; where the federation names its classes, `@known` beside it. */
export function targetFeeds (batch: readonly Fitted[], side: number, labels: LabelMap | undefined): HostRecord {
  if (labels == null) return { '@targets': { shape: [batch.length, 1, side, side], data: toTargets(batch, side) } }
  const shape = [batch.length, labels.names.length, side, side]
  const { targets, known } = toClassTargets(batch, side, labels)
  return { '@targets': { shape, data: targets }, '@known': { shape, data: known } }
}
