import { stat } from 'node:fs/promises'
import { readFloatTensors, writeSafetensors } from '../adapter/safetensors.ts'
import { tensorsDigest } from '../adapter/tensors-digest.ts'
import { parseJson } from '../common/parse-json.ts'
import { InputError } from '../errors.ts'
import { requireChecksum } from '../home/checksum.ts'
import { readIfThere } from '../home/files.ts'
import { sitePaths } from '../home/paths.ts'
import { adapterFile, requireStart, type Tensors } from '../home/start-adapter.ts'
import { requireKnownHome } from '../home/version.ts'
import { sections, type FederationSettings } from '../settings/federation-settings.ts'
import { classNames } from '../settings/labels.ts'
import { differences } from './amendments/changes.ts'
import { checkSettings, readFederation, type FederationBody } from './document.ts'

const SETTINGS = 'settings'

/** An adapter that another federation may start from. */
export interface FormerAdapter {
  readonly file: string
  readonly tensors: Tensors
  readonly digest: string
  readonly round: number
  /** By which it was trained. */
  readonly settings: FederationSettings
}

/** What an adapter's numbers mean: the settings that a federation must have in common with another one to start from them. */
function meaningOf ({ model, method, labels, training }: FederationSettings): Readonly<Record<string, unknown>> {
  const { name, baseHash, imageSize, pixels = 'imagenet', lora, encoder = 'lora', decoder, classes: division = 'together' } = model
  const { aggregation = 'factors', blocks, rank, alpha } = lora
  const classes = Math.max(1, classNames(labels).length)
  return {
    model: {
      name,
      baseHash,
      imageSize,
      pixels,
      lora: { blocks: [...new Set(blocks)].sort((a, b) => a - b), rank, alpha, aggregation },
      encoder,
      decoder,
      ...(classes === 1 ? {} : { classes: division })
    },
    method: { keeps: [...method?.keeps ?? []].sort() },
    labels: classes,
    // The seed makes A, and a site has B alone.
    ...(aggregation === 'ffa' ? { training: { seed: training.seed } } : {})
  }
}

/** The file of a checkpoint as it leaves a site: with the settings of its federation, and without the site's notes. */
export function exportedAdapter (bytes: Uint8Array, document: FederationBody): Uint8Array {
  requireChecksum(bytes)
  const { tensors, metadata: { notes: _, crc32: __, ...metadata } } = readFloatTensors(bytes)
  const settings = Object.fromEntries(Object.entries(document).filter(([name]) => Object.hasOwn(sections, name)))
  return writeSafetensors(tensors, { ...metadata, [SETTINGS]: JSON.stringify(settings) })
}

/**
 * The adapter in a file of "consilium export", or the last one of a home. @throws InputError for what is neither, or does not say what its
 * numbers mean
 */
export async function readFormerAdapter (from: string): Promise<FormerAdapter> {
  const { file, tensors, metadata } = await readTensors(from)
  const settings = file === from ? settingsIn(from, metadata[SETTINGS]) : (await readFederation(sitePaths(from).federation)).document
  return { file, tensors, digest: tensorsDigest(tensors), round: Number(metadata['round']), settings }
}

function settingsIn (file: string, text: string | undefined): FederationSettings {
  if (text != null) return checkSettings(parseJson(text), `what ${file} says of its settings`)
  throw new InputError(`${file} does not say by which settings it was trained: write it again with "consilium export", or name its home`)
}

/** Of a file, or the last of a home. */
async function readTensors (from: string): Promise<{ file: string } & ReturnType<typeof adapterFile>> {
  const isHome = await stat(from).then((found) => found.isDirectory(), () => false)
  if (isHome) await requireKnownHome(from)
  const file = isHome ? sitePaths(from).adapter : from
  const bytes = await readIfThere(file)
  if (bytes == null) throw new InputError(`${file} is not there: name a file of "consilium export", or a home that has trained`)
  return { file, ...adapterFile(file, bytes) }
}

/** @throws InputError naming each setting by which the numbers of the adapter would mean something else */
export function requireSameMeaning ({ file, settings }: FormerAdapter, document: FederationSettings): void {
  const found = differences(meaningOf(settings), meaningOf(document))
  if (found.length === 0) return
  const words = (value: unknown): string => value === undefined ? 'not said' : typeof value === 'string' ? value : JSON.stringify(value)
  const said = found.map(({ name, before, after }) => `${name} is ${words(before)} there and ${words(after)} here`)
  throw new InputError(`${file} is of a federation with other settings: ${said.join('; ')}`)
}

/** What a site that joins was given to start from. @throws InputError where the document names none, or another one */
export async function readStart (from: string, { start }: FederationBody): Promise<Tensors> {
  if (start == null) throw new InputError('this federation starts from its seed, not from an adapter: leave --from out')
  const { file, tensors } = await readTensors(from)
  requireStart(file, tensors, start.adapter)
  return tensors
}
