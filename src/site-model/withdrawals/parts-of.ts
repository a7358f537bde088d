import type { FittedSplit } from '../split.ts'
import type { Side } from './lineage.ts'

/** Who takes part in training and how, by hash. */
export function partsOf (
  { train, validation }: Pick<FittedSplit, 'train' | 'validation'>,
  idOf: (subject: string) => string
): Map<string, Side> {
  const idsOf = (samples: FittedSplit['train']): Set<string> =>
    new Set([...new Set(samples.map(({ subject }) => subject))].flatMap((subject) => subject == null ? [] : [idOf(subject)]))
  const [trained, scored] = [idsOf(train), idsOf(validation)]
  return new Map([...trained, ...scored].map((id) => [id, !scored.has(id) ? 'train' : trained.has(id) ? 'both' : 'validation']))
}
