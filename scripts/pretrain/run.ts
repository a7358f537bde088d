import type { CompiledStep, Engine, HostRecord } from '../../src/compute/index.ts'
import { SHARED_FILE, writeFileSafely } from '../../src/home/files.ts'
import { flatten, perElement } from '../../src/model/parameters/layout.ts'
import { lowResSide, samConfig } from '../../src/model/sam/build-sam.ts'
import type { SamConfig } from '../../src/model/sam/build-sam.ts'
import { loadWeights, type Weights } from '../../src/model/sam/weights.ts'
import { decays, stepScalars } from '../../src/model/train/optimiser.ts'
import { assetBytes } from './asset.ts'
import { BatchStream } from './batches/batch-stream.ts'
import type { TaskBatch } from './batches/batch.ts'
import type { PretrainProgress } from './progress.ts'
import type { Sample } from './scenes/sample.ts'
import { DECAY, type PretrainSettings } from './settings.ts'
import { readCheckpoint, writeCheckpoint, type TrainingCheckpoint } from './training/checkpoint.ts'
import { curvesSvg, type Mark } from './training/curves.ts'
import { initialWeights } from './training/initial.ts'
import { assemble, partition, type Parameters } from './training/parameters.ts'
import { keepFactor, rateFactor } from './training/schedule.ts'
import { heldOut, score, type Scores } from './training/scores.ts'
import { batchInputs, predictStep, STATE, trainingStep, type State } from './training/step.ts'

export interface RunOptions {
  readonly engine: Engine
  readonly settings: PretrainSettings
  /** Weights to start from, those whose hash the settings name; random ones without it. */
  readonly from?: Weights
  /** File to write the weights to, at every checkpoint. */
  readonly out: string
  readonly checkpoint: string
  /** Picture (SVG) of loss and scores, drawn anew at every checkpoint. */
  readonly curves: string
  /** Whether to go on from the checkpoint when there is one. */
  readonly resume: boolean
  /** Steps between checkpoints. */
  readonly every: number
  /** Held-out images to score on at each checkpoint; a multiple of the batch. */
  readonly heldOut: number
  readonly onProgress?: (progress: PretrainProgress) => void
  /** Ends the run after the step at hand, with a checkpoint. */
  readonly signal?: AbortSignal
}

export interface RunResult {
  /** Steps done, in this run and those before it. */
  readonly step: number
  readonly scores: Scores
}

interface Pretraining {
  readonly options: RunOptions
  readonly config: SamConfig
  readonly parameters: Parameters
  /** Inputs that are the same in every step. */
  readonly constants: HostRecord
  readonly training: CompiledStep
  readonly predict: CompiledStep
  readonly samples: readonly Sample[]
}

/** Trains until the schedule ends or the signal comes; the weights shipped are the running mean of the parameters. */
export async function pretrain (options: RunOptions): Promise<RunResult> {
  const { settings, engine } = options
  const config = samConfig(settings.model)
  const weights = options.from == null ? initialWeights(config, settings.seed) : new Map(Object.entries(options.from))
  const parameters = partition(weights)
  const { layout, fixed } = parameters
  const saved = options.resume ? await readCheckpoint(options.checkpoint, layout.size, settings) : undefined
  const start = saved ?? { state: untrained(flatten(layout, Object.fromEntries(weights))), step: 0, history: [] }
  const session = {
    options,
    config,
    parameters,
    constants: {
      ...fixed,
      decay: vector(perElement(layout, (entry) => decays(entry) ? DECAY : 0)),
      rate: vector(Float32Array.of(settings.rate))
    },
    training: engine.compile(trainingStep(config, layout)),
    predict: engine.compile(predictStep(config)),
    samples: heldOut(options.heldOut, config)
  }
  const stream = new BatchStream({
    seed: settings.seed,
    batch: settings.batch,
    first: start.step,
    side: config.imageSize,
    lowResSide: lowResSide(config)
  })
  try {
    return await train(session, start, stream)
  } finally {
    await stream.close()
    await session.training.dispose()
    await session.predict.dispose()
  }
}

function vector (data: Float32Array): { shape: number[], data: Float32Array } {
  return { shape: [data.length], data }
}

function untrained (value: Float32Array): State {
  return { value, first: new Float32Array(value.length), second: new Float32Array(value.length), mean: value }
}

async function train (session: Pretraining, start: TrainingCheckpoint, stream: BatchStream): Promise<RunResult> {
  const { settings: { steps }, signal, every, onProgress } = session.options
  let { state, step, history } = start
  let loss: number | undefined
  const began = performance.now()
  while (step < steps && signal?.aborted !== true) {
    step++
    const result = await trainStep(session, state, step, await stream.next())
    state = result.state
    loss = loss == null ? result.loss : 0.98 * loss + 0.02 * result.loss
    if (step % every === 0 && step < steps) history = await save(session, { state, step, history }, loss)
    onProgress?.({
      step,
      steps,
      loss,
      millisecondsPerStep: (performance.now() - began) / (step - start.step),
      scores: history.at(-1)?.scores
    })
  }
  const last = await save(session, { state, step, history }, loss ?? history.at(-1)?.loss ?? 0)
  return { step, scores: last.at(-1)!.scores }
}

/** Step `step` (from 1). */
async function trainStep (
  { options: { settings }, config, constants, training }: Pretraining,
  before: State,
  step: number,
  batch: TaskBatch
): Promise<{ state: State, loss: number }> {
  const outputs = await training.run({
    ...constants,
    ...Object.fromEntries(STATE.map((name) => [name, vector(before[name])])),
    scalars: vector(stepScalars(step, rateFactor(step, settings.steps))),
    keep: vector(Float32Array.of(keepFactor(step))),
    ...batchInputs(batch, config)
  })
  const state = Object.fromEntries(STATE.map((name) => [name, outputs[name]!.data])) as State
  return { state, loss: outputs['loss']!.data[0]! }
}

/**
 * Scores exactly the rounded numbers that the weight file will hold, and writes that file, the checkpoint and the curves. Returns the
 * history with this mark.
 */
async function save (
  { options, config, parameters, predict, samples }: Pretraining,
  { state, step, history }: TrainingCheckpoint,
  loss: number
): Promise<readonly Mark[]> {
  const { settings, out, checkpoint, curves } = options
  const weights = assemble(parameters, state.mean)
  const rounded = loadWeights(config, assetBytes(weights, settings, step)).weights
  const scores = await score(predict, rounded, samples, config, settings.batch)
  const marks = [...history.filter((mark) => mark.step < step), { step, loss, scores }]
  await writeCheckpoint(checkpoint, { state, step, history: marks }, settings)
  await writeFileSafely(out, assetBytes(weights, settings, step, scores), SHARED_FILE)
  await writeFileSafely(curves, curvesSvg(marks), SHARED_FILE)
  return marks
}
