import { crc32, deflateRawSync } from 'node:zlib'
import type { NamedTensor } from '../../../../src/adapter/safetensors.ts'

interface PthOptions {
  /** Views that a pickle may claim of the tensors of these names. */
  readonly views?: ReadonlyMap<string, { readonly shape: readonly number[], readonly strides: readonly number[] }>
  /** Compresses every entry. */
  readonly deflated?: boolean
}

/**
 * What torch.save writes for a state dict of float32 tensors: a zip archive of stored entries with a pickle. For tests; checked against
 * PyTorch by hand.
 */
export function writePth (tensors: ReadonlyMap<string, NamedTensor>, { views = new Map(), deflated = false }: PthOptions = {}): Buffer {
  const entries: [string, Uint8Array][] = [['archive/data.pkl', pickle(tensors, views)], ['archive/byteorder', Buffer.from('little')]]
  let key = 0
  for (const { data } of tensors.values()) {
    entries.push([`archive/data/${key++}`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)])
  }
  return zip([...entries, ['archive/version', Buffer.from('3\n')]], deflated)
}

/** A file with this pickle and no storages. */
export function pickledPth (bytes: Buffer): Buffer {
  return zip([['a/data.pkl', bytes]], false)
}

function u32 (value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function text (value: string): Buffer {
  return Buffer.concat([Buffer.from('X'), u32(Buffer.byteLength(value)), Buffer.from(value)])
}

function integer (value: number): Buffer {
  return Buffer.concat([Buffer.from('J'), u32(value)])
}

function tuple (values: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from('('), ...values.map(integer), Buffer.from('t')])
}

function pickle (tensors: ReadonlyMap<string, NamedTensor>, views: NonNullable<PthOptions['views']>): Buffer {
  const items = [...tensors].map(([name, { shape: own, data }], index) => {
    const { shape, strides: claimed } = views.get(name) ?? { shape: own, strides: undefined }
    const strides = claimed ?? shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * side, 1))
    return Buffer.concat([
      text(name),
      Buffer.from('ctorch._utils\n_rebuild_tensor_v2\n(('),
      text('storage'),
      Buffer.from('ctorch\nFloatStorage\n'),
      text(String(index)),
      text('cpu'),
      integer(data.length),
      Buffer.from('tQ'),
      integer(0),
      tuple(shape),
      tuple(strides),
      Buffer.from('\x89ccollections\nOrderedDict\n)RtR', 'latin1')
    ])
  })
  return Buffer.concat([Buffer.from('\x80\x02}(', 'latin1'), ...items, Buffer.from('u.')])
}

function zip (entries: readonly [string, Uint8Array][], deflated: boolean): Buffer {
  const parts: Uint8Array[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, plain] of entries) {
    const bytes = deflated ? deflateRawSync(plain) : plain
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(deflated ? 8 : 0, 4)
    common.writeUInt32LE(crc32(plain), 10)
    common.writeUInt32LE(bytes.length, 14)
    common.writeUInt32LE(plain.length, 18)
    common.writeUInt16LE(name.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name)])
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, Buffer.alloc(10), u32(offset), Buffer.from(name)]))
    parts.push(local, bytes)
    offset += local.length + bytes.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, central, end])
}
