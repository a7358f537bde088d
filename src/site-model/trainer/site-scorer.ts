import type { Adapter } from '../../adapter/adapter.ts'
import { messageOf } from '../../common/message-of.ts'
import { removePictures, writePictures } from '../../home/pictures.ts'
import type { Evaluation } from '../../model/classes/evaluation.ts'
import { diceInterval } from '../../model/scores/dice-interval.ts'
import type { Learner } from '../../model/train/learner.ts'
import type { TrainerCalls, TrainerSetup } from '../../rounds/trainer-messages.ts'
import type { Mode } from '../../settings/model.ts'
import type { ScoredSample } from '../split.ts'
import { drawSample, shownSamples } from './pictures.ts'
import { say } from './say.ts'

interface SiteScorerInit {
  readonly learner: Pick<Learner, 'evaluate' | 'evaluateAlone' | 'serves'>
  readonly setup: Pick<TrainerSetup, 'training' | 'labels' | 'privateStore' | 'pictures'>
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

type Score = Pick<Evaluation, 'dice' | 'classes' | 'labelFits' | 'perSample'> & {
  /** Of the samples that are shown. */
  readonly masks: readonly Uint8Array[]
}

type Scored = TrainerCalls['score']['reply']

/** Drawing takes as long as a short round: while rounds are shorter than this, some have no pictures. Milliseconds. */
const REDRAWN_MS = 60_000

/** Scores the three models on the validation images, and keeps pictures of a few of them in `private/`. */
export class SiteScorer {
  readonly #init: SiteScorerInit
  #samples: readonly ScoredSample[]
  #shown: readonly number[]
  /** It does not change while the images do not. */
  #frozen: Score | undefined
  #drawnAt = -Infinity

  constructor (init: SiteScorerInit, samples: readonly ScoredSample[]) {
    this.#init = init
    this.#samples = samples
    this.#shown = this.#choose()
  }

  /** From now on by these images. */
  take (samples: readonly ScoredSample[]): void {
    this.#samples = samples
    this.#shown = this.#choose()
    this.#frozen = undefined
    this.#drawnAt = -Infinity
  }

  /** Nothing without images that have masks. */
  async score (adapter: Adapter, round: number): Promise<Scored> {
    if (this.#samples.length === 0) return {}
    const frozen = this.#frozen ??= await this.#evaluate(adapter, 'frozen')
    const [global, personal] = [await this.#evaluate(adapter, 'global'), await this.#evaluate(adapter, 'personal')]
    const alone = await this.#init.learner.evaluateAlone(this.#samples)
    const scores = { frozen, global, personal }
    await this.#keepPictures(scores, round)
    const { serves } = this.#init.learner
    const dice = {
      frozen: frozen.dice,
      global: global.dice,
      personal: personal.dice,
      ...(alone == null ? {} : { alone: alone.dice }),
      ...(serves == null ? {} : { serves })
    }
    const reply = { dice, ...this.#intervals(scores) }
    if (frozen.classes == null) return reply
    const classes = Object.fromEntries(Object.entries(frozen.classes).map(([name, base]) => [name, {
      frozen: base,
      global: global.classes![name]!,
      personal: personal.classes![name]!,
      ...(alone == null ? {} : { alone: alone.classes![name]! })
    }]))
    return { ...reply, classes, ...(global.labelFits == null ? {} : { labelFits: global.labelFits }) }
  }

  async #evaluate (adapter: Adapter, mode: Mode): Promise<Score> {
    let masks: readonly Uint8Array[] = []
    const onMasks = (all: readonly Uint8Array[]): void => { masks = this.#shown.map((index) => all[index]!) }
    return { ...await this.#init.learner.evaluate({ adapter, samples: this.#samples, mode, onMasks }), masks }
  }

  #intervals (scores: Readonly<Record<Mode, Score>>): Pick<Scored, 'intervals'> {
    const patients = this.#samples.map(({ subject }) => subject)
    const of = (mode: Mode): ReturnType<typeof diceInterval> =>
      diceInterval(scores[mode].perSample, patients, this.#init.setup.training.seed)
    const [frozen, global, personal] = [of('frozen'), of('global'), of('personal')]
    return frozen == null || global == null || personal == null ? {} : { intervals: { frozen, global, personal } }
  }

  #choose (): number[] {
    return shownSamples(this.#samples, this.#init.setup.pictures ?? 0)
  }

  /** A site goes on without them. */
  async #keepPictures (scores: Readonly<Record<Mode, Score>>, round: number): Promise<void> {
    const { setup: { privateStore, labels, pictures = 0, training: { rounds } }, now } = this.#init
    if (round < rounds && now() - this.#drawnAt < REDRAWN_MS) return
    this.#drawnAt = now()
    try {
      if (pictures === 0) {
        await removePictures(privateStore)
        return
      }
      const drawnAt = (place: number, index: number, mode: Mode): { mask: Uint8Array, score: Score['perSample'][number] } =>
        ({ mask: scores[mode].masks[place]!, score: scores[mode].perSample[index]! })
      const shots = await Promise.all(this.#shown.map(async (index, place) => await drawSample(this.#samples[index]!, {
        frozen: drawnAt(place, index, 'frozen'),
        global: drawnAt(place, index, 'global'),
        personal: drawnAt(place, index, 'personal')
      }, labels != null)))
      await writePictures(privateStore, { round, t: new Date(now()).toISOString(), shots })
    } catch (error) {
      say(`the pictures for "consilium page" could not be kept: ${messageOf(error)}`)
    }
  }
}
