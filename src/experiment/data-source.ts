import type { Fitted } from '../dataset/index.ts'
import type { ScoredSample } from '../site-model/split.ts'

/** Images of one hospital, fitted to the model's side. */
export interface SiteData {
  readonly name: string
  readonly train: readonly Fitted[]
  readonly validation: readonly ScoredSample[]
}

/** How much of which data; the same choice gives the same pixels. */
export interface DataChoice {
  readonly name: string
  /** Patients per phantom site, for training and for validation; real data have what they have. */
  readonly train: number
  readonly validation: number
  readonly seed: number
}

/** Draws or reads the images of all sites of a data set, fitted to a square of `side` pixels; the same choice, the same pixels. */
export type DataSource = (choice: DataChoice, side: number) => Promise<SiteData[]>
