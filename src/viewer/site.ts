import type { Corrections } from '../site-model/corrections/corrections.ts'
import type { Catalogue } from './catalogue.ts'
import type { OneAtATime } from './one-at-a-time.ts'
import type { OpenedImages } from './opened-images.ts'

/** What the routes share. */
export interface ServedSite {
  /** The data folder. */
  readonly data: string
  readonly catalogue: Catalogue
  readonly images: OpenedImages
  readonly corrections: Corrections
  /** Only one thing at a time is computed. */
  readonly queue: OneAtATime
  /** Aborted when the server ends. */
  readonly stopping: AbortSignal
}
