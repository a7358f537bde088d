import type { Fitted } from '../dataset/index.ts'
import type { Choice } from '../model/train/learner-args.ts'
import type { FederationSettings } from '../settings/federation-settings.ts'
import type { ScoredSample } from '../site-model/split.ts'
import type { Labelling } from './annotator.ts'
import type { LabelNoise } from './label-noise.ts'

/** Images of one hospital, fitted to the model's side. */
export interface SiteData {
  readonly name: string
  readonly train: readonly Fitted[]
  readonly validation: readonly ScoredSample[]
  /** Of the training images. */
  readonly choice: Choice
  /** By id, training images with the masks that labels were taken from: for figures alone. */
  readonly hidden?: ReadonlyMap<string, Fitted>
}

/** A folder with one data folder per site. */
export interface DataFolder {
  /** As reports have it: without the path. */
  readonly name: string
  readonly path: string
  /** SHA-256 (hex) of the files' names and bytes. */
  readonly digest: string
  readonly sites: readonly string[]
  /** Per site, about: half of the files. */
  readonly images: number
}

/** How images and masks of files are read. */
interface ReadSettings {
  readonly model: Pick<FederationSettings['model'], 'channels' | 'window'>
  readonly train: Pick<FederationSettings['training'], 'emptyShare' | 'targets'>
  readonly labels?: FederationSettings['labels']
}

/** How much of which data; the same choice gives the same pixels. */
export interface DataChoice {
  readonly name: string
  /** Patients per phantom site, for training and for validation; real data have what they have. */
  readonly train: number
  readonly validation: number
  readonly seed: number
  /** Where the data are those of a folder. */
  readonly folder?: DataFolder | undefined
  readonly settings?: ReadSettings
  /** What of the training images has labels; all of them masks if not given. */
  readonly labelling?: Labelling | undefined
  /** Which of their masks are wrong on purpose; none if not given. */
  readonly noise?: LabelNoise | undefined
}

/** Draws or reads the images of all sites of a data set, fitted to a square of `side` pixels; the same choice, the same pixels. */
export type DataSource = (choice: DataChoice, side: number) => Promise<SiteData[]>
