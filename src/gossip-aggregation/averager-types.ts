import type { Schema } from '../adapter/schema.ts'
import type { ClipState } from './clip.ts'
import type { Codec } from './codecs/codec.ts'
import type { ExchangeLog } from './exchange/exchange-log.ts'
import type { Range } from './exchange/scope.ts'
import type { SealedDelta } from './groups/sealed-delta.ts'
import type { SealedInit } from './groups/sealing.ts'
import type { InfluenceInit, InfluenceState } from './influence.ts'
import type { Landed, Steps } from './unmixed.ts'

/** What of a federation's averaging settings the averager takes. */
export interface AveragerSettings {
  /** How vectors travel; `auto` begins with q8 and goes up when quantisation is what keeps two sites apart. */
  readonly codec: Codec | 'auto'
  /** No site counts for more than this. */
  readonly maxMass: number
  /** Largest ‖d‖ that one exchange may ever apply; the first learnt radius. */
  readonly clipRadius: number
  /** Largest ‖x‖ that the release gate lets out, or that is taken in. */
  readonly normBound: number
  /** Rounds by which two sites may differ and still exchange. */
  readonly staleness: number
}

/** What a site learnt from its exchanges; kept with the checkpoint. */
export interface Learnt {
  readonly clip: ClipState
  /** Distance of the last exchange, and what training moved since; null before the first. */
  readonly distance: number | null
  /** Of a site that trains. */
  readonly own?: InfluenceState | undefined
}

/** What must be written in one piece: x, and which exchanges are in it. */
export interface AveragerState {
  /** Live, unless it is on hold: copy it before anything else runs. */
  readonly values: Float32Array
  readonly round: number
  readonly mass: number
  /** Exchange ids whose d is in `values` while the log still has it; give them to `saved` once this is durable. */
  readonly included: readonly string[]
  readonly learnt: Learnt
  readonly steps: Steps
  /** What of x no other site has yet. */
  readonly unmixed: readonly Landed[]
  /** What is in no x yet: of a site that seals its training. */
  readonly sealed?: SealedDelta | undefined
}

/**
 * Makes a liar of a site: changes the copy of x that is sent. By then it knows to whom, and the radius that the partner stated.
 */
export type Distort = (copy: Float32Array, to: { readonly partner: string, readonly clipRadius: number }) => void

/** What an averager starts from. */
export interface AveragerInit {
  readonly schema: Schema
  /** The site's global adapter x; copied. */
  readonly values: Float32Array
  readonly round: number
  /** Constant mass w > 0 (see massOf); 0 of a site that only reads. */
  readonly mass: number
  /** A site without labels: it takes over what others average, and nobody takes anything from it. */
  readonly reads?: boolean | undefined
  /** Rounds that the federation trains, read anew for each offer: no site is in a later one. Any when missing. */
  readonly rounds?: number | undefined
  readonly settings: AveragerSettings
  /** What of x is averaged within a cluster alone; nothing when missing. */
  readonly scoped?: readonly Range[] | undefined
  /** In memory when missing: nothing survives this process. */
  readonly log?: ExchangeLog
  readonly learnt?: Learnt | undefined
  /** Of a site that will land training of its own: by it, it then judges what others send (`Influence`). */
  readonly trains?: InfluenceInit | undefined
  /** None yet when missing. */
  readonly steps?: Steps | undefined
  /** What `values` hold that no other site has yet. */
  readonly unmixed?: readonly Landed[] | undefined
  /** Where training waits for a masked group, and is never seen by itself. */
  readonly sealed?: SealedInit | undefined
  /** Makes this site a liar in what it sends: only tests, the simulator and the testnet set it. */
  readonly distort?: Distort | undefined
}
