import * as tf from '@tensorflow/tfjs-core'
import type { CompiledStep, Engine, HostRecord } from '../../src/compute/index.ts'
import { toImages, type Fitted } from '../../src/dataset/index.ts'
import type { RunSettings } from '../../src/experiment/run-method.ts'
import { targetFeeds } from '../../src/model/classes/feeds.ts'
import { componentsOf } from '../../src/model/components/index.ts'
import { GlobalVector } from '../../src/model/parameters/global-vector.ts'
import { trainedIn } from '../../src/model/parameters/groups.ts'
import { createLayout } from '../../src/model/parameters/layout.ts'
import { lowResSide } from '../../src/model/sam/build-sam.ts'
import { gradientStep } from '../../src/model/train/phase-step.ts'
import { contextOf } from '../../src/model/train/step-context.ts'
import type { BaseModel } from '../../src/site-model/base/base-model.ts'

export interface AttackerInit {
  readonly engine: Engine
  readonly base: BaseModel
  readonly settings: RunSettings
}

/** What an image with its mask does to the model, as whoever holds model and image can reckon it: every member has code and base. */
export class AttackerSteps {
  readonly #init: AttackerInit
  readonly #byAdapter: CompiledStep
  readonly #byPixels: CompiledStep

  constructor (init: AttackerInit) {
    const { engine, base: { config, weights, hash }, settings: { model, train, seed } } = this.#init = init
    const all = { engine, config, weights, baseHash: hash, model, train, seed, siteSeed: 0 }
    const components = componentsOf(all)
    const groups = components.flatMap((component) => component.groups ?? [])
    const global = new GlobalVector({ ...all, groups })
    const experts = createLayout(trainedIn('L', groups))
    const context = { ...contextOf(all, { adapter: global.layout, experts }), division: { classes: 1 } }
    const step = gradientStep(context, components.flatMap((component) => component.terms?.G ?? []))
    const known = { ...weights, ...global.fixed }
    this.#byAdapter = engine.compile(step, known)
    this.#byPixels = engine.compile((t) => ({
      gradient: tf.grad((images) => tf.sum(step({ ...t, '@images': images })['loss']!))(t['@images']!)
    }), known)
  }

  /** Loss and flat gradient of the adapter. */
  async byAdapter (adapter: Float32Array, fed: HostRecord): Promise<{ readonly loss: number, readonly gradient: Float32Array }> {
    const { loss, gradient } = await this.#byAdapter.run({ ...fed, '@gamma': { shape: [adapter.length], data: adapter } })
    return { loss: loss!.data[0]!, gradient: gradient!.data as Float32Array }
  }

  /** Gradient of the loss by the image's own numbers. */
  async byPixels (adapter: Float32Array, fed: HostRecord): Promise<Float32Array> {
    const { gradient } = await this.#byPixels.run({ ...fed, '@gamma': { shape: [adapter.length], data: adapter } })
    return gradient!.data as Float32Array
  }

  /** An image with its mask, as a step is fed with them. */
  fed (sample: Fitted): HostRecord {
    const { config, config: { imageSize } } = this.#init.base
    return {
      '@images': { shape: [1, imageSize, imageSize, 3], data: toImages([sample], this.#init.settings.model.pixels) },
      ...targetFeeds([sample], lowResSide(config), undefined)
    }
  }

  async dispose (): Promise<void> {
    await Promise.all([this.#byAdapter.dispose(), this.#byPixels.dispose()])
  }
}
