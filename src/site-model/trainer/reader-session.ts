import { Adapter } from '../../adapter/adapter.ts'
import { createEngine } from '../../compute/index.ts'
import { fitSlice, labelMapOf, loadImages, type Fitted, type LabelMap } from '../../dataset/index.ts'
import type { Learner } from '../../model/train/learner.ts'
import type { TrainerCalls, TrainerReady, TrainerSetup, TrainWork } from '../../rounds/trainer-messages.ts'
import { engineOptions } from '../engine-options.ts'
import { createLearner } from '../learner.ts'
import { patientKey } from '../patient-key.ts'
import { PrivateStore } from '../private-store.ts'
import { keepReading, readingOf } from '../reading.ts'
import { Lineage } from '../withdrawals/lineage.ts'
import { partsOf } from '../withdrawals/parts-of.ts'
import { Withdrawn } from '../withdrawals/withdrawn.ts'
import { pseudoLabelled } from './pseudo-labels.ts'
import { readyOf } from './ready-of.ts'
import { say } from './say.ts'
import type { Progress, Session } from './session.ts'
import { slowedDown } from './slow.ts'

interface ReaderInit {
  readonly ready: TrainerReady
  readonly learner: Learner
  readonly images: readonly Fitted[]
  readonly labels: LabelMap | undefined
  readonly store: PrivateStore
  readonly lineage: Lineage
  readonly parts: ReturnType<typeof partsOf>
  readonly onProgress: Progress
  /** Training is shown where foreground is, by boxes around masks. */
  readonly isPrompted: boolean
}

/** A loaded site without labels: what stays at it is fitted to what the global model is sure of. */
export class ReaderSession implements Session {
  readonly ready: TrainerReady
  readonly #init: ReaderInit
  #privateRound: number
  /** Of one adapter, which teaches all that is fitted to it. */
  #taught: { readonly digest: string, readonly samples: readonly Fitted[] } | undefined

  constructor (init: ReaderInit) {
    this.ready = init.ready
    this.#init = init
    this.#privateRound = init.ready.privateRound
  }

  /** Skips the fit when a crash came after it was saved. */
  async train ({ phase, round, adapter: values, done, share, asRound }: TrainWork): Promise<TrainerCalls['train']['reply']> {
    const { learner, store, onProgress, isPrompted, lineage, parts } = this.#init
    if (phase === 'G' || isPrompted || round <= this.#privateRound) return { loss: NaN, steps: 0 }
    await lineage.note(round, parts, new Set())
    const adapter = new Adapter(learner.schema, values)
    const samples = await this.#samples(adapter)
    if (samples.length === 0) return { loss: NaN, steps: 0 }
    const work = { adapter, samples, round, done, share, ...(asRound == null ? {} : { asRound }), onProgress }
    const { loss, steps } = await learner.train('L', work)
    await store.save({ round, set: await learner.exportPrivate() })
    this.#privateRound = round
    return { loss, steps }
  }

  score (): Promise<never> {
    throw new Error('a site without labels has nothing to score by')
  }

  async #samples (adapter: Adapter): Promise<readonly Fitted[]> {
    const digest = adapter.digest()
    if (this.#taught?.digest !== digest) {
      const { learner, images, labels } = this.#init
      const samples = await pseudoLabelled(learner, adapter, images, labels)
      say(`the common model is sure of something in ${samples.length} of ${images.length} images: this site's own parts are fitted to that`)
      this.#taught = { digest, samples }
    }
    return this.#taught.samples
  }
}

/** Loads base, images and private state. @throws InputError for what the user must mend. */
export async function openReaderSession (setup: TrainerSetup, onProgress: Progress): Promise<ReaderSession> {
  const { data, privateStore, axis, model, training, labels } = setup
  const engine = await createEngine(engineOptions(setup.compute))
  const { withdrawn, idOf } = await Withdrawn.read(privateStore)
  const reading = { ...readingOf(setup, axis), patientKey: patientKey(privateStore), withdrawn }
  const found = await loadImages(data, { ...reading, sides: [model.imageSize] })
  const images: Fitted[] = []
  for (const slice of found.slices) images.push(await fitSlice(slice, model.imageSize))
  const learner = await createLearner({ ...setup, engine })
  const store = new PrivateStore(privateStore, learner.schema.hash)
  const lineage = await Lineage.open(privateStore)
  await keepReading(privateStore, found)
  const saved = await store.load()
  if (saved != null) learner.importPrivate(saved.set)
  const counts = { images: images.length, validationImages: 0 }
  const loaded = { setup, engine, learner, saved: saved?.round ?? 0, problems: found.problems }
  const ready = readyOf({ ...loaded, ...counts, warnings: [...store.warnings, ...lineage.warnings] })
  return new ReaderSession({
    ready,
    learner,
    images,
    labels: labels == null ? undefined : labelMapOf(labels),
    store,
    lineage,
    parts: partsOf({ train: images, validation: [] }, idOf),
    onProgress: setup.slow == null ? onProgress : slowedDown(onProgress, setup.slow),
    isPrompted: training.prompt === 'box'
  })
}
