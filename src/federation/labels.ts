import { InputError } from '../errors.ts'
import { readJson } from '../home/files.ts'
import type { Labels } from '../settings/labels.ts'

const ADVICE = 'write the classes of the masks, as [{ "value": 1, "name": "liver" }, { "values": [1, 2], "name": "organ" }]'
/** They are no classes: 0, in one spelling, and what nobody annotated. */
const RESERVED = { background: /^background$/i, ignore: /^ignore$/i }

/**
 * A document's labels: as they are, out of a JSON file of such a list, or out of a dataset.json, whose `labels` name values by name
 * (nnU-Net) or names by value (Decathlon). Not yet checked. @throws InputError for anything else
 */
export async function readLabels (given: Labels | string): Promise<unknown> {
  if (typeof given !== 'string') return given
  const read: unknown = await readJson(given, ADVICE)
  const stated = isRecord(read) && 'labels' in read ? read['labels'] : read
  if (Array.isArray(stated)) return stated
  if (!isRecord(stated)) throw new InputError(`${given} is not a list of labels: ${ADVICE}`)
  return Object.entries(stated).flatMap(([key, value]) => {
    const [name, values] = /^\d+$/.test(key) ? [value, Number(key)] : [key, value]
    if (typeof name !== 'string') throw new InputError(`${given} is not a list of labels: ${ADVICE}`)
    if (RESERVED.background.test(name)) return []
    return [{ name: RESERVED.ignore.test(name) ? 'ignore' : name, ...(Array.isArray(values) ? { values } : { value: values }) }]
  })
}

function isRecord (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value != null && !Array.isArray(value)
}
