import { createHash } from 'node:crypto'
import { CorruptFileError, SchemaError } from '../errors.ts'
import { littleEndianBytes, littleEndianFloats, readFloatTensors, safetensorsHeader, type NamedTensor } from './safetensors.ts'
import { elementCount, type Schema } from './schema.ts'

/** What a file says of the adapter in it. */
export interface AdapterMeta {
  readonly round: number
  /** The site's mass in averages. */
  readonly weight: number
  /** Milliseconds since the epoch. */
  readonly savedAt?: number
  /** A site's own notes beside its checkpoint, for nobody else to read. */
  readonly notes?: string
  /** Room for a checksum of the file, eight hexadecimal digits. */
  readonly crc32?: string
}

function nonFiniteTensor (schema: Schema, values: Float32Array): string | undefined {
  // A plain loop: the daemon checks a million numbers at every save, where a callback would cost tens of milliseconds.
  let index = 0
  while (index < values.length && Number.isFinite(values[index])) index++
  let end = 0
  return index === values.length ? undefined : schema.tensors.find(({ shape }) => index < (end += elementCount(shape)))?.name
}

/**
 * The set Γ of one model: finite float32 tensors in schema order.
 * @example
 * ```ts
 * import { Adapter, createSchema } from 'consilium'
 *
 * const schema = createSchema({ model: 'toy', baseHash: '00', tensors: [{ name: 'a', shape: [2], role: 'lora' }] })
 * const adapter = new Adapter(schema, Float32Array.of(1, 2))
 * console.log(adapter.tensors().get('a')?.data.join()) // 1,2
 * ```
 */
export class Adapter {
  /** Keeps `values` (not a copy); SchemaError when they are not exactly the schema's count of finite numbers. */
  constructor (readonly schema: Schema, readonly values: Float32Array) {
    if (values.length !== schema.size) {
      throw new SchemaError(`an adapter of model ${schema.model} has ${schema.size} numbers, not ${values.length}`)
    }
    const name = nonFiniteTensor(schema, values)
    if (name != null) throw new SchemaError(`tensor ${name} of the adapter holds a value that is not finite`)
  }

  /** Views of the values, by name. */
  tensors (): Map<string, NamedTensor> {
    let end = 0
    return new Map(this.schema.tensors.map(({ name, shape }) => {
      const begin = end
      end += elementCount(shape)
      return [name, { shape, data: this.values.subarray(begin, end) }]
    }))
  }

  /** SHA-256 of the encoded bytes, 64 hex digits. */
  digest (): string {
    return createHash('sha256').update(encodeAdapter(this)).digest('hex')
  }
}

/** Gathers exactly the schema's tensors; SchemaError names one that is missing, superfluous or of the wrong length. */
export function adapterFromTensors (schema: Schema, tensors: ReadonlyMap<string, Float32Array>): Adapter {
  const values = new Float32Array(schema.size)
  let offset = 0
  for (const { name, shape } of schema.tensors) {
    const data = tensors.get(name)
    if (data?.length !== elementCount(shape)) {
      throw new SchemaError(
        `tensor ${name} of the adapter needs the shape [${shape.join(', ')}], and ${
          data == null ? 'is missing' : `has ${data.length} numbers`
        }`
      )
    }
    values.set(data, offset)
    offset += data.length
  }
  if (tensors.size !== schema.tensors.length) {
    const names = new Set(schema.tensors.map(({ name }) => name))
    throw new SchemaError(
      `tensor ${[...tensors.keys()].find((name) => !names.has(name))} is not part of the adapter of model ${schema.model}`
    )
  }
  return new Adapter(schema, values)
}

/** Float32 little-endian on every host, schema order, nothing else; a view of the values where the host's byte order allows it. */
export function encodeAdapter (adapter: Adapter): Uint8Array {
  return littleEndianBytes(adapter.values)
}

/** The inverse of encodeAdapter; CorruptFileError for a wrong length or a value that is not finite. */
export function decodeAdapter (schema: Schema, bytes: Uint8Array): Adapter {
  if (bytes.length !== 4 * schema.size) {
    throw new CorruptFileError(`an adapter of model ${schema.model} has ${4 * schema.size} bytes, not ${bytes.length}`)
  }
  return finiteAdapter(schema, littleEndianFloats(bytes))
}

function finiteAdapter (schema: Schema, values: Float32Array): Adapter {
  const name = nonFiniteTensor(schema, values)
  if (name != null) throw new CorruptFileError(`tensor ${name} of the stored adapter holds a value that is not finite`)
  return new Adapter(schema, values)
}

/**
 * An F32 file that `safetensors.torch.load_file` reads.
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises'
 * import { Adapter, adapterToSafetensors, createSchema } from 'consilium'
 *
 * const schema = createSchema({ model: 'toy', baseHash: '00', tensors: [{ name: 'a', shape: [2], role: 'lora' }] })
 * await writeFile('adapter.safetensors', adapterToSafetensors(new Adapter(schema, Float32Array.of(1, 2)), { round: 3, weight: 40 }))
 * ```
 */
export function adapterToSafetensors (adapter: Adapter, meta: AdapterMeta): Uint8Array {
  const [header, numbers] = adapterFileParts(adapter, meta)
  const bytes = new Uint8Array(header.length + numbers.length)
  bytes.set(header)
  bytes.set(numbers, header.length)
  return bytes
}

/** The same file for who writes it piece by piece: its header, and what encodeAdapter says. */
export function adapterFileParts (adapter: Adapter, meta: AdapterMeta): [header: Uint8Array, numbers: Uint8Array] {
  const { hash, model, baseHash } = adapter.schema
  const header = safetensorsHeader(adapter.tensors(), {
    format: 'pt',
    schema_hash: hash,
    model,
    base_hash: baseHash,
    round: String(meta.round),
    weight: String(meta.weight),
    ...(meta.savedAt == null ? {} : { saved_at: String(meta.savedAt) }),
    ...(meta.notes == null ? {} : { notes: meta.notes }),
    ...(meta.crc32 == null ? {} : { crc32: meta.crc32 })
  })
  return [header, encodeAdapter(adapter)]
}

function readNumber (metadata: Record<string, string>, key: string): number {
  const text = metadata[key] ?? ''
  const value = Number(text)
  if (!Number.isFinite(value) || value < 0 || String(value) !== text) {
    throw new CorruptFileError(`the adapter file has no valid ${key} in its metadata`)
  }
  return value
}

/**
 * SchemaError when the file says that it belongs to another schema, CorruptFileError when it contradicts itself.
 * @example
 * ```ts
 * import { Adapter, adapterFromSafetensors, adapterToSafetensors, createSchema } from 'consilium'
 *
 * const schema = createSchema({ model: 'toy', baseHash: '00', tensors: [{ name: 'a', shape: [2], role: 'lora' }] })
 * const file = adapterToSafetensors(new Adapter(schema, Float32Array.of(1, 2)), { round: 3, weight: 40 })
 * const { adapter, round } = adapterFromSafetensors(schema, file)
 * console.log(adapter.values.join(), round) // 1,2 3
 * ```
 */
export function adapterFromSafetensors (schema: Schema, bytes: Uint8Array): AdapterMeta & { adapter: Adapter } {
  const { tensors, metadata } = readFloatTensors(bytes)
  const hash = metadata['schema_hash']
  if (hash == null || !/^[0-9a-f]{64}$/.test(hash)) throw new CorruptFileError('the file does not say which adapter schema it follows')
  if (hash !== schema.hash) {
    throw new SchemaError(
      `the adapter file follows schema ${hash.slice(0, 12)}, this federation ${
        schema.hash.slice(0, 12)
      }; it belongs to another model or federation`
    )
  }
  const values = new Float32Array(schema.size)
  let offset = 0
  for (const { name, shape } of schema.tensors) {
    const stored = tensors.get(name)
    if (stored?.shape.join() !== shape.join()) {
      throw new CorruptFileError(`tensor ${name} of the adapter file is missing or not of shape [${shape.join(', ')}]`)
    }
    values.set(stored.data, offset)
    offset += stored.data.length
  }
  if (tensors.size !== schema.tensors.length) throw new CorruptFileError('the adapter file holds tensors that are not part of its schema')
  const round = readNumber(metadata, 'round')
  if (!Number.isSafeInteger(round)) throw new CorruptFileError('the adapter file has no valid round in its metadata')
  return {
    adapter: finiteAdapter(schema, values),
    round,
    weight: readNumber(metadata, 'weight'),
    ...(metadata['saved_at'] == null ? {} : { savedAt: readNumber(metadata, 'saved_at') }),
    ...(metadata['notes'] == null ? {} : { notes: metadata['notes'] })
  }
}
