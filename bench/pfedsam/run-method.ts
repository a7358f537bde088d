import { Adapter } from '../../src/adapter/adapter.ts'
import type { Engine } from '../../src/compute/index.ts'
import { massOf } from '../../src/gossip-aggregation/averager.ts'
import { Learner } from '../../src/model/train/learner.ts'
import type { Mode, ModelSettings, TrainSettings } from '../../src/model/settings.ts'
import type { FederationDocument } from '../../src/node/federation/document.ts'
import type { BaseModel } from '../../src/node/offline/base-model.ts'
import { GossipMixer } from './gossip-mixer.ts'
import type { Method } from './methods.ts'
import { NoMixer, ServerMixer, sharedCount, type Mixer } from './mixers.ts'
import type { SiteData } from './sites.ts'

/** What decides the result of a run beside method and data. */
export interface RunSettings {
  readonly rounds: number
  readonly seed: number
  readonly model: ModelSettings
  readonly train: TrainSettings
  readonly averaging: FederationDocument['averaging']
  /** Rounds between two scores on the way. */
  readonly scoreEvery: number
}

export interface Trained {
  /** Each site's learner with its experts, and the adapter that it serves. */
  readonly learners: readonly Learner[]
  readonly adapters: readonly Adapter[]
  /** Mean Dice of every site after some rounds; the first is before training. */
  readonly curve: readonly { readonly round: number, readonly dice: readonly number[] }[]
  readonly bytesSent: readonly number[]
  /** Numbers of the adapter that travel. */
  readonly size: number
  /** Of the training alone, without scores. */
  readonly trainSeconds: number
}

export interface MethodRun {
  readonly engine: Engine
  readonly base: BaseModel
  readonly method: Method
  readonly sites: readonly SiteData[]
  readonly settings: RunSettings
  readonly onProgress?: (doneRounds: number) => void
  readonly signal?: AbortSignal
}

/** One that trains: a site, or all of them pooled. */
interface Trainer {
  readonly learner: Learner
  readonly samples: SiteData['train']
  adapter: Adapter
}

/** Trains by one method and scores on the way; dispose of the learners when done with them. */
export async function runMethod (run: MethodRun): Promise<Trained> {
  const { method, sites, settings: { rounds, scoreEvery } } = run
  const pooled = method.mixing === 'pooled'
  const trainers = (pooled ? [sites.flatMap(({ train }) => train)] : sites.map(({ train }) => train)).map((samples, index) => createTrainer(run, samples, index))
  const mixer = createMixer(run, trainers)
  const served = (): Trainer[] => sites.map((_, index) => trainers[pooled ? 0 : index]!)
  const score = async (round: number): Promise<Trained['curve'][number]> => ({ round, dice: await diceOf(served(), sites, method.mode) })
  const curve = [await score(0)]
  const last = method.mixing === 'nothing' ? 0 : rounds
  let trainSeconds = 0
  for (let round = 1; round <= last; round++) {
    const began = performance.now()
    await trainRound(run, trainers, mixer, round, round === last)
    trainSeconds += (performance.now() - began) / 1_000
    if (round % scoreEvery === 0 || round === last) curve.push(await score(round))
    run.onProgress?.(round)
  }
  const trained = served()
  return {
    learners: trained.map(({ learner }) => learner),
    adapters: trained.map(({ adapter }) => adapter),
    curve,
    bytesSent: mixer.bytesSent,
    size: sharedCount(trainers[0]!.learner.schema, method.keeps),
    trainSeconds
  }
}

/** SAM_SPEC §3.4: phase G everywhere, the adapters mix, phase L everywhere against what came of it. */
async function trainRound ({ signal }: MethodRun, trainers: readonly Trainer[], mixer: Mixer, round: number, isLast: boolean): Promise<void> {
  const abort = signal == null ? {} : { signal }
  const trained: Float32Array[] = []
  for (const { learner, adapter, samples } of trainers) trained.push((await learner.phaseG({ adapter, samples, round, ...abort })).adapter.values)
  const mixed = await mixer.mix(round, trained)
  const values = isLast ? await mixer.finish() ?? mixed : mixed
  for (const [index, trainer] of trainers.entries()) {
    trainer.adapter = new Adapter(trainer.learner.schema, values[index]!)
    await trainer.learner.phaseL({ adapter: trainer.adapter, samples: trainer.samples, round, ...abort })
  }
}

function createTrainer (run: MethodRun, samples: SiteData['train'], index: number): Trainer {
  const learner = createLearner(run, index)
  return { learner, samples, adapter: learner.initialAdapter() }
}

/** The learner of site `index` under this method's settings. */
export function createLearner ({ engine, base, method, settings: { model, train, seed } }: Pick<MethodRun, 'engine' | 'base' | 'method' | 'settings'>, index: number): Learner {
  return Learner.create({
    engine,
    config: base.config,
    weights: base.weights,
    baseHash: base.hash,
    model: method.model?.(model) ?? model,
    train: method.train?.(train) ?? train,
    seed,
    siteSeed: seed * 1_000 + index
  })
}

function createMixer ({ method, settings: { averaging, seed } }: MethodRun, trainers: readonly Trainer[]): Mixer {
  const { schema } = trainers[0]!.learner
  const masses = trainers.map(({ samples }) => massOf(samples.length, averaging))
  switch (method.mixing) {
    case 'server': return new ServerMixer({ schema, masses, keeps: method.keeps })
    case 'gossip': return new GossipMixer({ schema, initial: trainers[0]!.adapter.values, masses, averaging, seed })
    case 'nothing': case 'alone': case 'pooled': return new NoMixer(trainers.length)
  }
}

async function diceOf (served: readonly Trainer[], sites: readonly SiteData[], mode: Mode): Promise<number[]> {
  const dice: number[] = []
  for (const [index, { validation }] of sites.entries()) {
    const { learner, adapter } = served[index]!
    dice.push((await learner.evaluate({ adapter, samples: validation, mode })).dice)
  }
  return dice
}
