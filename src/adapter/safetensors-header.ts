import { parseJson } from '../common/parse-json.ts'
import { CorruptFileError } from '../errors.ts'
import { elementCount, isUnsafeName } from './schema.ts'

/** Kinds of numbers in a safetensors file, by its own names. */
export type Dtype = 'F32' | 'F16' | 'I32' | 'I64' | 'U8'

/** Where one tensor lies; offsets in bytes from the start of the data. */
export interface TensorEntry {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly count: number
  readonly begin: number
  readonly end: number
}

// SAM ViT-B needs 40 KB; the cap keeps a hostile length from costing memory.
export const MAX_HEADER_BYTES = 4 * 1024 * 1024
const ELEMENT_BYTES: ReadonlyMap<unknown, number> = new Map<Dtype, number>([['F32', 4], ['F16', 2], ['I32', 4], ['I64', 8], ['U8', 1]])

function headerText (bytes: Uint8Array, total: number): string {
  if (bytes.length < 8) throw new CorruptFileError('the file is shorter than the header of a safetensors file')
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true)
  if (length > MAX_HEADER_BYTES) {
    throw new CorruptFileError(`the safetensors header claims ${length} bytes; the most is ${MAX_HEADER_BYTES}`)
  }
  if (length > total - 8) throw new CorruptFileError('the file ends within its safetensors header')
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, 8 + Number(length)))
  } catch {
    throw new CorruptFileError('the safetensors header is not UTF-8 text')
  }
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** JSON.parse keeps the last of two equal keys in silence, so they are looked for in the (already valid) text. */
function findRepeatedKey (json: string): string | undefined {
  const open: Set<string>[] = []
  let last = ''
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}:]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (token === ':') {
      const key = JSON.parse(last) as string
      if (open.at(-1)?.has(key) === true) return key
      open.at(-1)?.add(key)
    }
    last = token
  }
  return undefined
}

function parseHeader (text: string): Record<string, unknown> {
  const header = parseJson(text)
  if (header === undefined) throw new CorruptFileError('the safetensors header is not valid JSON')
  if (!isObject(header)) throw new CorruptFileError('the safetensors header is not a JSON object')
  const repeated = findRepeatedKey(text)
  if (repeated != null) throw new CorruptFileError(`"${repeated}" occurs twice in the safetensors header`)
  return header
}

function readMetadata (value: unknown): Record<string, string> {
  if (value === undefined) return {}
  if (!isObject(value) || Object.entries(value).some(([key, text]) => key === '__proto__' || typeof text !== 'string')) {
    throw new CorruptFileError('the __metadata__ of the safetensors file is not a map of strings')
  }
  return value as Record<string, string>
}

function quoted (dtype: unknown): string {
  return typeof dtype === 'string' ? JSON.stringify(dtype.slice(0, 100)) : 'of no name'
}

function readEntry (name: string, value: unknown): TensorEntry {
  const wrong = (what: string): never => { throw new CorruptFileError(`tensor ${name} has ${what}`) }
  if (isUnsafeName(name)) return wrong('a name that is not allowed')
  if (!isObject(value) || Object.keys(value).length !== 3) return wrong('an entry that is not {dtype, shape, data_offsets}')
  const { dtype, shape, data_offsets: offsets } = value
  const width = ELEMENT_BYTES.get(dtype)
  if (width === undefined) return wrong(`the type ${quoted(dtype)}; F32, F16, I32, I64 and U8 can be read`)
  const count = Array.isArray(shape) ? elementCount(shape) : NaN
  if (Number.isNaN(count)) return wrong('an impossible shape')
  if (!Array.isArray(offsets) || offsets.length !== 2 || Number.isNaN(elementCount(offsets.slice(0, 1)) + elementCount(offsets.slice(1)))) {
    return wrong('impossible offsets')
  }
  const [begin, end] = offsets as [number, number]
  if (end - begin !== count * width) return wrong(`${end - begin} bytes where its shape and type need ${count * width}`)
  return { name, dtype: dtype as Dtype, shape: shape as number[], count, begin, end }
}

/**
 * Reads and checks the header of a file of `total` bytes, of which `bytes` are at least that header: every byte of the data belongs to
 * exactly one tensor. `start` is where the data begin.
 */
export function readHeader (
  bytes: Uint8Array,
  total = bytes.length
): { entries: TensorEntry[], metadata: Record<string, string>, start: number } {
  const text = headerText(bytes, total)
  const start = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true))
  const { __metadata__: metadata, ...named } = parseHeader(text)
  const entries = Object.entries(named).map(([name, value]) => readEntry(name, value))
  let expected = 0
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== expected) {
      throw new CorruptFileError(`tensor ${name} begins at byte ${begin} of the data, not at ${expected} where the one before it ends`)
    }
    if (end > total - start) throw new CorruptFileError(`tensor ${name} reaches beyond the end of the file`)
    expected = end
  }
  if (expected !== total - start) throw new CorruptFileError(`the file has ${total - start - expected} bytes after its last tensor`)
  return { entries, metadata: readMetadata(metadata), start }
}
