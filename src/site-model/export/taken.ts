import type { LabelMap, Pixels } from '../../dataset/index.ts'
import type { PortableSam } from '../../model/portable.ts'

/** A global model that is taken elsewhere, and what a reader of it must know. */
export interface Taken {
  readonly sam: PortableSam
  /** The name of its federation. */
  readonly federation: string
  readonly pixels: Pixels
  readonly labels: LabelMap | undefined
  readonly round: number
  /** SHA-256 of the adapter. */
  readonly digest: string
}

/** Names of the classes, one for each map that counts. */
export function classesOf ({ labels }: Taken): readonly string[] {
  return labels?.names ?? ['foreground']
}
