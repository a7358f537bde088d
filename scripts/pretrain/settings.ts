/** What decides the result of a run: the same settings give the same weights. */
export interface PretrainSettings {
  /** A name that samConfig knows. */
  readonly model: string
  readonly seed: number
  /** Length of the schedule. */
  readonly steps: number
  /** Images per step; each is used without prompt, with a point and with a box. */
  readonly batch: number
  /** Learning rate at its height. */
  readonly rate: number
  /** Hash (weightsHash) of the weights that the run starts from; without it they are random. */
  readonly from?: string
}

/** The first of the three runs that made the shipped asset (docs/models/sam-tiny.md). */
export const DEFAULT_SETTINGS: PretrainSettings = { model: 'sam-tiny', seed: 1, steps: 6000, batch: 16, rate: 1e-3 }

export const WARMUP = 150
export const DECAY = 0.02
/** Gradients longer than this (Euclidean norm over all parameters) are shortened to it. */
export const CLIP = 1
/** Weight of the past in the running mean of the parameters. */
export const KEEP = 0.998
