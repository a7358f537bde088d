/**
 * What daemon and trainer say to each other over IPC. Only the global adapter, counts and scores: experts, optimiser
 * state, pixels and file names stay in the trainer (docs/spec/network.md#processes).
 */
import type { TensorSpec } from '../adapter/schema.ts'
import type { Facts } from '../gossip-aggregation/facts.ts'
import type { Scores } from '../home/metrics-log.ts'
import type { StartAdapter } from '../home/start-adapter.ts'
import type { Mechanism } from '../privacy/mechanism.ts'
import type { FederationSettings } from '../settings/federation-settings.ts'
import type { LabelFits } from '../settings/labels.ts'
import type { MethodSettings, TrainPhase } from '../settings/method.ts'
import type { PublicationKind } from '../settings/publication-kinds.ts'
import type { ComputeSettings } from '../settings/site/compute.ts'
import type { SiteConfig } from '../settings/site/site-config.ts'

export interface TrainerSetup {
  readonly model: FederationSettings['model']
  readonly training: FederationSettings['training']
  readonly method?: MethodSettings | undefined
  /** What masks mean; one class, everything above 0, if not given. */
  readonly labels?: FederationSettings['labels']
  /** Where phase G is to be private to each patient. */
  readonly privacy?: Mechanism | undefined
  readonly data: string
  /** Its images have no masks: nothing is trained but what stays at the site, by what the global model is sure of. */
  readonly withoutLabels?: boolean
  readonly axis: SiteConfig['axis']
  /** The adapter that the federation starts from, where it is not made by the seed. */
  readonly start?: StartAdapter | undefined
  /** How often a corrected slice is trained on while the others are once; 1 if not given. */
  readonly correctionWeight?: number
  readonly privateStore: string
  /** Folder of imported base models. */
  readonly models: string
  readonly compute: ComputeSettings
  /** Differs between sites: drives batches and augmentation. */
  readonly siteSeed: number
  /** Rounds that came to their end, while there are more to train: what was fitted after a former end is no round's own. */
  readonly finished?: number | undefined
  /** Publications that the site's policy lets leave; none if not given. */
  readonly publish?: readonly PublicationKind[] | undefined
  /** Validation images of which pictures are kept in the private store; none if not given. */
  readonly pictures?: number | undefined
  /** Test fault: every step takes this many times as long. */
  readonly slow?: number
}

export interface TrainerReady {
  readonly model: string
  readonly baseHash: string
  readonly tensors: readonly TensorSpec[]
  /** Γ0, flat in schema order: the same at every site. */
  readonly initial: Float32Array
  readonly images: number
  readonly validationImages: number
  /** How many files were skipped, by reason. */
  readonly skipped: Readonly<Record<string, number>>
  readonly engine: string
  /** Where the engine runs: cpu, webgpu or cuda. */
  readonly provider: string
  /** Why this engine and provider, and why not the others. */
  readonly engineReason: string
  /** Rounds whose phase L is already in the private store. */
  readonly privateRound: number
  /** Said when the newest private checkpoint was damaged and the previous one serves. */
  readonly warnings: readonly string[]
  /** What the site may tell of its images before any training; only where the method asks it. */
  readonly facts?: Facts | undefined
}

/** The adapter to start from or to score, flat in schema order. */
export interface Work {
  readonly round: number
  readonly adapter: Float32Array
}

/** What another site shows. */
export interface Received {
  readonly kind: PublicationKind
  /** Its peer id. */
  readonly peer: string
  readonly values: Float32Array
}

export interface TrainWork extends Work {
  readonly phase: TrainPhase
  /** Steps of phase G that this site has trained before. */
  readonly done: number
  /** Part of the round's steps that is to be trained, above 0 to 1. */
  readonly share: number
  /** Made up for, beside the round's own phase: it has the learning rate of this round. */
  readonly asRound?: number
  /** What other sites show, in order of peer ids from the one after this site's own on; nothing if not given. */
  readonly received?: readonly Received[] | undefined
  /** What the site and all sites together count for, where the method asks it and others are there. */
  readonly masses?: { readonly own: number, readonly all: number } | undefined
  /** Of other sites, in order of peer ids, where the method asks it. */
  readonly siteVectors?: readonly Float32Array[] | undefined
  /** Entropy, in nats, up to which other sites' teachers count, where the method asks it and any has announced one. */
  readonly threshold?: number | undefined
}

interface TrainReply {
  /** From phases that change it. */
  readonly adapter?: Float32Array
  readonly loss: number
  readonly steps: number
  /** What the federation lets the site announce of it. */
  readonly facts?: Facts
  /** After a label-free round: how far apart images are to the model. */
  readonly spread?: number
  /** Of which other sites what they show is too far off to be used, where the method mixes it. */
  readonly unused?: readonly string[]
}

export interface TrainerCalls {
  setup: { request: TrainerSetup, reply: TrainerReady }
  /**
   * Trains one phase and saves durably what stays at the site; loss NaN when that was done already: before a crash, or before the
   * exchange.
   */
  train: { request: TrainWork, reply: TrainReply }
  /** Scores the validation split; a site without whole masks has none. */
  score: { request: Work, reply: Partial<Scores> & { labelFits?: LabelFits } }
  /** Makes what the site may show; without values where both consents are not given, or there is nothing yet to make it of. */
  publish: { request: { readonly kind: PublicationKind }, reply: { values?: Float32Array } }
}

export type CallName = keyof TrainerCalls

export interface CallMessage<N extends CallName = CallName> {
  readonly id: number
  readonly call: N
  readonly request: TrainerCalls[N]['request']
}

/** The call under way, if it is this one, is to end soon: the others wait for nobody. */
export interface ShortenMessage {
  readonly shorten: number
}

/** `userFault`: the person can mend it (bad data, wrong base file); restarting the trainer would not help. */
interface TrainerFault {
  readonly message: string
  readonly userFault: boolean
}

export type TrainerMessage =
  | { readonly kind: 'reply', readonly id: number, readonly reply: TrainerCalls[CallName]['reply'] }
  | { readonly kind: 'fault', readonly id: number, readonly fault: TrainerFault }
  | { readonly kind: 'progress', readonly step: number, readonly steps: number }
