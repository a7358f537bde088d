import type { AveragerInit, AveragerSettings, Learnt } from './averager-types.ts'
import { ClipRadius } from './clip.ts'
import { CodecChoice, noiseOf } from './codecs/codec-choice.ts'
import type { Felt } from './exchange/exchange.ts'
import { Influence } from './influence.ts'

/** What a site learns of its exchanges: how far one may move it, how finely vectors must travel, and by how much each partner moves it. */
export class Experience {
  readonly radius: ClipRadius
  readonly codecs: CodecChoice
  /** Of a site that trains. */
  readonly influence: Influence | undefined

  constructor ({ clipRadius, codec }: AveragerSettings, trains: AveragerInit['trains'], learnt: Learnt | undefined) {
    this.radius = new ClipRadius(clipRadius, learnt?.clip)
    if (trains != null) this.influence = new Influence(trains, learnt?.own)
    this.codecs = new CodecChoice(codec, learnt?.distance ?? Infinity)
  }

  get state (): Learnt {
    const { distance } = this.codecs
    return { clip: this.radius.state, distance: Number.isFinite(distance) ? distance : null, own: this.influence?.state }
  }

  /** How far a vector may be from this site's to be believed at all. */
  get reach (): number {
    return this.influence?.reach ?? Infinity
  }

  /** What so many rounds of the others may have moved them away from this site, which took no part. */
  reachAfter (rounds: number): number {
    return Math.min(this.radius.after(rounds), this.reach * (1 + Math.max(0, rounds)))
  }

  moved (norm: number): void {
    for (const each of [this.radius, this.codecs]) each.moved(norm)
  }

  learn ({ partner, distance, clippedDistance, codec, noise, sketch }: Felt, isSettling: boolean): void {
    this.influence?.moved(partner, { distance: clippedDistance, sketch, isSettling })
    this.radius.accepted(partner, distance, noiseOf(codec, noise))
    this.codecs.observed(distance, noise)
  }
}
