import type { Random } from '../../common/random.ts'
import type { HostRecord } from '../../compute/index.ts'
import { viewedSlices, type Fitted, type LabelMap } from '../../dataset/index.ts'
import type { TrainPhase } from '../../settings/method.ts'
import { overlapFeeds, targetFeeds } from '../classes/feeds.ts'
import type { Around } from '../components/component.ts'
import { viewsOf, type Component } from '../components/index.ts'
import { lowResSide } from '../sam/build-sam.ts'
import { maskBoxes } from './box-prompts.ts'
import type { LearnerInit } from './learner-args.ts'

export interface BatchFeeds extends Omit<Around, 'batch'> {
  readonly init: Pick<LearnerInit, 'config' | 'train'>
  readonly components: readonly Component[]
  readonly phase: TrainPhase
  readonly labels: LabelMap | undefined
  /** What the encoder is fed with; altered by these random numbers where they are given. */
  readonly inputs: (shown: readonly Fitted[], altered: Random | undefined) => Promise<HostRecord>
}

/** All that one batch is fed as: images, targets, prompts, and what the method's components add. */
export async function batchFeeds (
  { init: { config, train }, components, phase, labels, inputs, ...around }: BatchFeeds,
  batch: readonly Fitted[],
  random: Random
): Promise<HostRecord> {
  const plain = train.views == null ? batch : viewedSlices(batch, train.views, random)
  const images = components.reduce((seen, { views }) => views?.(phase, seen, random, around) ?? seen, plain)
  const shown = Array.from({ length: viewsOf(train) }, () => images).flat()
  const boxes = train.prompt === 'box' ? maskBoxes(shown, random) : {}
  return {
    ...await inputs(shown, train.augment ? random : undefined),
    ...targetFeeds(images, lowResSide(config), labels),
    ...overlapFeeds(images, around.samples),
    ...boxes,
    ...Object.assign({}, ...components.map((each) => each.feeds?.(phase, shown, random, { ...around, batch: plain }) ?? {})) as HostRecord
  }
}
