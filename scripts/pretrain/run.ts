import { samConfig, lowResSide } from '../../src/model/sam/build-sam.ts'
import { loadWeights } from '../../src/model/sam/weights.ts'
import { adamw, initialState, rateAt } from './adamw.ts'
import { assetBytes, writeAsset } from './asset.ts'
import { BatchStream } from './batch-stream.ts'
import { readCheckpoint, writeCheckpoint, type Checkpoint } from './checkpoint.ts'
import { initialWeights } from './initial.ts'
import { assemble, decayMask, flatten, layOut, type Layout } from './parameters.ts'
import { heldOut, score, type Scores } from './scores.ts'
import { CLIP, DECAY, KEEP, WARMUP, type PretrainSettings } from './settings.ts'
import { batchInputs, gradientStep, predictStep } from './step.ts'
import type { CompiledStep, Engine } from '../../src/compute/index.ts'
import type { SamConfig } from '../../src/model/sam/build-sam.ts'
import type { Progress } from './progress.ts'
import type { TaskBatch } from './batch.ts'
import type { Sample } from './sample.ts'

export interface RunOptions {
  readonly engine: Engine
  readonly settings: PretrainSettings
  /** File to write the weights to, at every checkpoint. */
  readonly out: string
  readonly checkpoint: string
  /** Whether to go on from the checkpoint when there is one. */
  readonly resume: boolean
  /** Steps between checkpoints. */
  readonly every: number
  /** Held-out images to score on at each checkpoint; a multiple of the batch. */
  readonly heldOut: number
  readonly onProgress?: (progress: Progress) => void
  /** Ends the run after the step at hand, with a checkpoint. */
  readonly signal?: AbortSignal
}

export interface RunResult {
  readonly step: number
  readonly scores: Scores
}

interface Session {
  readonly options: RunOptions
  readonly config: SamConfig
  readonly layout: Layout
  readonly decay: Float32Array
  readonly gradient: CompiledStep
  readonly predict: CompiledStep
  readonly samples: readonly Sample[]
}

/** Trains until the schedule ends or the signal comes; the weights shipped are the running mean of the parameters. */
export async function pretrain (options: RunOptions): Promise<RunResult> {
  const { settings, engine } = options
  const config = samConfig(settings.model)
  const weights = initialWeights(config, settings.seed)
  const layout = layOut(weights)
  const state = (options.resume ? await readCheckpoint(options.checkpoint, layout.length, settings) : undefined) ?? fresh(flatten(layout, (name) => weights.get(name)!.data))
  const session: Session = {
    options,
    config,
    layout,
    decay: decayMask(layout).map((applies) => applies * DECAY),
    gradient: engine.compile(gradientStep(config, layout.places.map(({ name }) => name))),
    predict: engine.compile(predictStep(config)),
    samples: heldOut(options.heldOut, config)
  }
  const stream = new BatchStream({ seed: settings.seed, batch: settings.batch, first: state.step, side: config.imageSize, lowResSide: lowResSide(config) })
  try {
    return await train(session, state, stream)
  } finally {
    await stream.close()
    await session.gradient.dispose()
    await session.predict.dispose()
  }
}

function fresh (parameters: Float32Array): Checkpoint {
  return { parameters, ...initialState(parameters), step: 0 }
}

async function train (session: Session, start: Checkpoint, stream: BatchStream): Promise<RunResult> {
  const { options } = session
  const { settings: { steps }, signal, every, onProgress } = options
  let scores: Scores | undefined
  let loss = NaN
  let step = start.step
  const began = performance.now()
  while (step < steps && signal?.aborted !== true) {
    const last = await trainStep(session, { ...start, step }, await stream.next())
    loss = Number.isNaN(loss) ? last : 0.98 * loss + 0.02 * last
    step++
    if (step % every === 0 && step < steps) scores = await save(session, { ...start, step })
    onProgress?.({ step, steps, loss, millisecondsPerStep: (performance.now() - began) / (step - start.step), scores })
  }
  return { step, scores: await save(session, { ...start, step }) }
}

async function trainStep ({ options: { settings }, config, layout, gradient, decay }: Session, { parameters, step, ...state }: Checkpoint, batch: TaskBatch): Promise<number> {
  // A copy, since an engine may keep what it was given, while the optimiser writes in place.
  const inputs = Object.fromEntries(assemble(layout, parameters.slice()))
  const outputs = await gradient.run({ ...inputs, ...batchInputs(batch, config) })
  const rate = rateAt(step, { rate: settings.rate, warmup: WARMUP, steps: settings.steps })
  adamw(parameters, flatten(layout, (name) => outputs[name]!.data), state, { step, rate, decay, clip: CLIP, keep: KEEP })
  return outputs['loss']!.data[0]!
}

/** Writes checkpoint and weight file, and scores exactly the rounded numbers that the file holds. */
async function save ({ options, config, layout, predict, samples }: Session, checkpoint: Checkpoint): Promise<Scores> {
  const { settings, out } = options
  await writeCheckpoint(options.checkpoint, checkpoint, settings)
  const weights = assemble(layout, checkpoint.mean)
  const rounded = loadWeights(config, assetBytes(weights, settings, checkpoint.step)).weights
  const scores = await score(predict, new Map(Object.entries(rounded)), samples, config, settings.batch)
  await writeAsset(out, assetBytes(weights, settings, checkpoint.step, scores))
  return scores
}
