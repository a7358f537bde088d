import { EVERYTHING, type LabelMap } from '../dataset/index.ts'

/** The whole image without a prompt, and one slice by points or a box. */
export const MODELS = ['segmentation', 'prompts'] as const
export const STRATEGIES = ['uncertainty', 'first', 'random'] as const

export type Strategy = typeof STRATEGIES[number]

const DESCRIBED: Readonly<Record<Strategy, string>> = {
  uncertainty: 'the image without labels of whose middle slice the model is least sure',
  first: 'the first image without labels',
  random: 'any image without labels'
}

/** The federation's classes, each with the value that masks have for it. */
export function labelsOf (labels: LabelMap = EVERYTHING): Record<string, number> {
  return Object.fromEntries(labels.names.map((name, c) => [name, labels.values.find((_, code) => labels.members[c]![code] === 1)!]))
}

/** What GET /info/ answers. */
export function describeServer (labels: LabelMap | undefined, datastore: object, version: string): object {
  const values = labelsOf(labels)
  const model = { labels: values, config: {} }
  return {
    name: 'Consilium',
    description: 'The segmentation model that this hospital trains together with others',
    version,
    labels: Object.keys(values),
    models: {
      segmentation: { ...model, type: 'segmentation', dimension: 3, description: 'the whole image, without a prompt' },
      prompts: { ...model, type: 'deepgrow', dimension: 2, description: 'one slice, by points and a box' }
    },
    trainers: {},
    strategies: Object.fromEntries(STRATEGIES.map((name) => [name, { description: DESCRIBED[name], config: {} }])),
    scoring: {},
    train_stats: {},
    datastore
  }
}
