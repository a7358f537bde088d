import type * as tf from '@tensorflow/tfjs-core'
import type { Random } from '../../common/random.ts'
import type { HostRecord, TensorRecord } from '../../compute/index.ts'
import type { Fitted } from '../../dataset/index.ts'
import type { TrainPhase } from '../../settings/method.ts'
import type { PublicationKind } from '../../settings/publication-kinds.ts'
import type { ParameterGroup } from '../parameters/groups.ts'
import type { StepOutput } from '../steps.ts'

/** A piece that methods are made of: what it trains, what it minimises, and what its terms are fed with. */
export interface Component {
  readonly name: string
  /** Parameters that it brings. */
  readonly groups?: readonly ParameterGroup[]
  /** What it adds to the loss of a phase; terms are summed in the order of components. */
  readonly terms?: Readonly<Partial<Record<TrainPhase, readonly Term[]>>>
  /** Fed with every step of a phase, from how things stand when the phase begins. */
  readonly inputs?: (phase: TrainPhase, start: PhaseStart) => HostRecord
  /** How the student sees a batch, where that is otherwise than as it is. */
  readonly views?: (phase: TrainPhase, batch: readonly Fitted[], random: Random, around: Omit<Around, 'batch'>) => readonly Fitted[]
  /** Fed with one step: made of its batch, of the phase's random numbers and of what is around. */
  readonly feeds?: (phase: TrainPhase, batch: readonly Fitted[], random: Random, around: Around) => HostRecord
}

/** What a step may be made of beside its batch. */
export interface Around {
  /** The images of the step before any component has altered them. */
  readonly batch: readonly Fitted[]
  /** All images that the phase trains on. */
  readonly samples: readonly Fitted[]
  /** What other sites show, in the order of a ring of all sites, from the one after this site on. */
  readonly received: readonly Received[]
  /** How much of the phase's steps is done with this one, up to 1; 1 if not given. */
  readonly part?: number
}

/** What another site shows (docs/spec/publications.md). */
export interface Received {
  readonly kind: PublicationKind
  /** Whose it is; the same from round to round. */
  readonly peer: string
  readonly values: Float32Array
}

/** A term of a loss: pure, so that it can be part of a compiled step. */
export interface Term {
  readonly name: string
  /** A number, or a fed scalar; where that is not fed the term is not in the graph. 1 if not given. */
  readonly weight?: number | `@${string}`
  /** It looks at the images in another look, which a trial step comes before. */
  readonly isOfLook?: true
  readonly loss: (run: Run) => tf.Scalar
}

/** What a term looks at. */
export interface Run {
  readonly student: StepOutput
  /** The model that teaches in this phase, without gradient; only for terms whose weight is fed beside it. */
  readonly teacher: () => StepOutput
  /** Mask logits of each teacher for the last images of the batch as they were, [n,C,4G,4G], without gradient; only where they are fed. */
  readonly taught: () => readonly tf.Tensor[]
  /** What the decoder being trained makes of an embedding of the batch: the features [B,4G,4G,d/8] before the masks. */
  readonly pictureOf: (embedding: tf.Tensor) => tf.Tensor
  /** The student after the trial step, on the images in another look; only for terms that are of it. */
  readonly inLook: () => StepOutput
  /** Tensors by name: the base, and over it what is trained. */
  readonly weights: TensorRecord
  /** The embedding [B,G,G,d] that the model to align with makes of the images, without gradient; only for terms that it is fed for. */
  readonly aligned: () => tf.Tensor
  /** What is learnt of whom to learn from, flat; only where the method has relations. */
  readonly relations: () => tf.Tensor
  /** Share of each class, [B,C,4G,4G]. */
  readonly targets: tf.Tensor
  /** Share that is known of each class, in the same shape; all of it if not given. */
  readonly known?: tf.Tensor | undefined
  /** 1 for images whose Dice counts, [B,1]; all of them if not given. */
  readonly overlap?: tf.Tensor | undefined
}

/** How things stand when a phase begins. */
export interface PhaseStart {
  /** From 1. */
  readonly round: number
  /** The global parameters with what the method keeps of them, flat. */
  readonly gamma: Float32Array
  /** The experts, flat; none of them where the method has none. */
  readonly experts: Float32Array
  /** What other sites show, as around a step. */
  readonly received: readonly Received[]
  /** Shared parameters as they travel, with what the method keeps, flat. */
  readonly joined: (values: Float32Array) => Float32Array
  /** Of other sites, where they announce vectors, in the same order at each time; none if not given. */
  readonly siteVectors?: readonly Float32Array[] | undefined
}
