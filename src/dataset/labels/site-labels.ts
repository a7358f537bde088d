import { join } from 'node:path'
import { InputError } from '../../errors.ts'
import { readCapped } from '../../formats/file.ts'
import { plainName, type BACKGROUND, type IGNORE } from './label-map.ts'

export const LABELS_FILE = 'labels.json'
const MAX_BYTES = 16 * 2 ** 20
const MOST_VALUES = 100_000

/** What a site says of the values in its masks: by value, the names of what is there, or a federation's value. */
export type SiteLabels = ReadonlyMap<number, readonly (string | number)[]>

export interface StatedLabels {
  readonly source: typeof LABELS_FILE | 'dataset.json'
  readonly labels: SiteLabels
  /** what dataset.json says where labels.json goes above it */
  readonly other?: SiteLabels | undefined
}

/** labels.json of a data folder, or the labels of its dataset.json; undefined where neither says any. @throws InputError naming the file */
export async function readSiteLabels (root: string): Promise<StatedLabels | undefined> {
  const own = await readJson(join(root, LABELS_FILE))
  const shared = await readJson(join(root, 'dataset.json')).catch(() => undefined)
  const other = isRecord(shared) && shared['labels'] != null ? entriesOf(shared['labels']) : undefined
  if (own === undefined) return other == null ? undefined : { source: 'dataset.json', labels: other }
  const labels = entriesOf(isRecord(own) && own['labels'] != null ? own['labels'] : own)
  if (labels == null) {
    throw new InputError(`${join(root, LABELS_FILE)} is not a map of labels: write it as { "1": "liver", "2-5": "vessel", "9": "ignore" }`)
  }
  return { source: LABELS_FILE, labels, ...other == null ? {} : { other } }
}

async function readJson (file: string): Promise<unknown> {
  const bytes = await readCapped(file, MAX_BYTES).catch((error: unknown) => {
    if (error instanceof InputError && error.message === 'it does not exist') return undefined
    throw error instanceof InputError ? new InputError(`${file} cannot be used: ${error.message}`) : error
  })
  if (bytes == null) return undefined
  try {
    return JSON.parse(bytes.toString('utf8').replace(/^\uFEFF/, ''))
  } catch {
    throw new InputError(`${file} is not JSON: mend it or remove it`)
  }
}

/**
 * Names by value, from any of the forms in use: `{ "1": "liver" }` (Decathlon, ours, with ranges), `{ "liver": 1, "whole": [1, 2] }`
 * (nnU-Net), `[{ "name": "liver", "value": 1 }]` (a federation's document); undefined for anything else.
 */
export function entriesOf (stated: unknown): SiteLabels | undefined {
  const found = new Map<number, (string | number)[]>()
  const add = (value: unknown, name: string | number): boolean => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || found.size > MOST_VALUES) return false
    found.set(value, [...found.get(value) ?? [], name])
    return true
  }
  const listed = Array.isArray(stated)
    ? stated.map((each: unknown) => isRecord(each) ? [each['name'], each['values'] ?? each['value']] : [])
    : isRecord(stated) ? Object.entries(stated) : undefined
  return listed?.every(([key, value]) => typeof key === 'string' && addEntry(key, value, add)) === true ? found : undefined
}

function addEntry (key: string, value: unknown, add: (value: unknown, name: string | number) => boolean): boolean {
  const range = /^\s*(\d+)\s*(?:[-–]\s*(\d+)\s*)?$/.exec(key)
  if (range == null) return (Array.isArray(value) ? value : [value]).every((each) => add(each, key))
  const [first, last] = [Number(range[1]), Number(range[2] ?? range[1])]
  const names: unknown[] = Array.isArray(value) ? value : [value]
  if (last < first || last - first > MOST_VALUES) return false
  for (let at = first; at <= last; at++) {
    if (!names.every((name) => (typeof name === 'string' || typeof name === 'number') && add(at, name))) return false
  }
  return true
}

/** Whether one of these names is the reserved one. */
export function isCalled (names: readonly (string | number)[], reserved: typeof IGNORE | typeof BACKGROUND): boolean {
  return names.some((name) => typeof name === 'string' && plainName(name) === reserved)
}

function isRecord (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value != null && !Array.isArray(value)
}
