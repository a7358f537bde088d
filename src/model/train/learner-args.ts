import type { Adapter } from '../../adapter/adapter.ts'
import type { Engine } from '../../compute/index.ts'
import type { Fitted, LabelMap, Scored } from '../../dataset/index.ts'
import type { Mechanism } from '../../privacy/mechanism.ts'
import type { MethodSettings } from '../../settings/method.ts'
import type { Mode, ModelSettings } from '../../settings/model.ts'
import type { TrainSettings } from '../../settings/training.ts'
import type { Received } from '../components/component.ts'
import type { OnMade, PoolStore } from '../pseudo/pool.ts'
import type { SamConfig } from '../sam/build-sam.ts'
import type { Weights } from '../sam/weights.ts'
import type { CacheLimits } from './frozen-features.ts'
import type { Masses } from './tailored.ts'

export interface LearnerInit {
  readonly engine: Engine
  readonly config: SamConfig
  readonly weights: Weights
  readonly baseHash: string
  readonly model: ModelSettings
  readonly train: TrainSettings
  /** What of the model stays at the site; experts alone if not given. */
  readonly method?: MethodSettings | undefined
  /** The federation's classes; one, everything above 0, if not given. */
  readonly labels?: LabelMap | undefined
  /** Where phase G is private to each patient: by what. */
  readonly privacy?: Mechanism | undefined
  /** Of the whole training, for a schedule that falls; no end if not given. */
  readonly rounds?: number
  /** The federation's: Γ and Λ at the start. */
  readonly seed: number
  /** Γ at the start as it travels, in place of what the seed makes. */
  readonly start?: ReadonlyMap<string, Float32Array> | undefined
  /** This site's: order and augmentation of its images. */
  readonly siteSeed: number
  /** Where the features that frozen blocks make of unaltered images are kept; by default 256 MiB of memory. */
  readonly cache?: CacheLimits
}

export interface PhaseArgs {
  readonly adapter: Adapter
  readonly samples: readonly Fitted[]
  /** Images among them by which a site chooses what it serves, and the others, on which it trains until it has chosen. */
  readonly choice?: Choice | undefined
  /** From 1. */
  readonly round: number
  /** Whose learning rate it has; that of `round` if not given. */
  readonly asRound?: number
  /** Where one learner serves several sites in turn: whose order and augmentation; its own if not given. */
  readonly siteSeed?: number
  /** Stands for this many sites, whose images it has together: a round of `stepsPerRound` has as many steps as theirs. 1 if not given. */
  readonly sites?: number
  /** Steps of phase G that this site has trained before; by default as many as its earlier rounds had. */
  readonly done?: number
  /** Part of the round's steps that is trained, above 0 to 1; all of them if not given. */
  readonly share?: number
  /** Asked after each step: a phase that has trained enough ends, though not before `LEAST_SHARE` of its steps. */
  readonly isEnough?: () => boolean
  /** What other sites show; nothing if not given. */
  readonly received?: readonly Received[] | undefined
  /** What the site and all sites together count for, where the method asks it. */
  readonly masses?: Masses | undefined
  /** Of other sites, in an order that does not change, where the method asks it. */
  readonly siteVectors?: readonly Float32Array[] | undefined
  /** How unsure, in nats, teachers of a site without labels may be, where other sites say it. */
  readonly threshold?: number | undefined
  /** Where the site keeps pseudo-masks, where the method makes them; in the learner's memory if not given. */
  readonly pool?: PoolStore | undefined
  /** Sees each pseudo-mask as it is made. */
  readonly onMade?: OnMade | undefined
  readonly onProgress?: (progress: { readonly step: number, readonly steps: number }) => void
  /** Checked before every step; a phase that ends early changes nothing. */
  readonly signal?: AbortSignal
}

/** Sees the masks that are scored, one for each sample at its original size. */
export type OnMasks = (masks: readonly Uint8Array[]) => void

export interface EvaluateArgs {
  readonly adapter: Adapter
  readonly samples: readonly Scored[]
  readonly mode: Mode
  readonly onMasks?: OnMasks
}

/** A split of training images. */
export interface Choice {
  readonly train: readonly Fitted[]
  readonly held: readonly Scored[]
}

/** What became of a phase. */
export interface PhaseResult {
  readonly adapter: Adapter
  /** Mean over its steps. */
  readonly loss: number
  readonly steps: number
  /** What the site may announce, where its method asks it: of the adapter that phase G began with, or of what became of it. */
  readonly facts?: Readonly<Record<string, Float32Array>>
  /** How far apart images are to the model at the end of a label-free round: 0 where it tells none from another (objectives/looks.ts). */
  readonly spread?: number
  /** Of which other sites what they show is too far off to be used; only where the method mixes it. */
  readonly unused?: readonly string[]
}
