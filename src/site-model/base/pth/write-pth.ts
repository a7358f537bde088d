import { crc32 } from 'node:zlib'
import { littleEndianBytes, type NamedTensor } from '../../../adapter/safetensors.ts'

const ROOT = 'archive/'
const [LOCAL, CENTRAL, END] = [0x04034b50, 0x02014b50, 0x06054b50]
/** Names are UTF-8; 1 January 1980, the first day that the format knows, so that the same tensors give the same file. */
const [UTF8, DAY, VERSION] = [0x0800, 0x21, 20]

/** A file of tensors as torch.save writes it since PyTorch 1.6, in parts: a zip archive of a pickle and its numbers, less than 4 GiB. */
export function pthParts (tensors: ReadonlyMap<string, NamedTensor>): Uint8Array[] {
  const all = [...tensors.values()]
  return zipParts([
    ['data.pkl', pickleOf(tensors)],
    ['byteorder', Buffer.from('little')],
    ...all.map(({ data }, key): [string, Uint8Array] => [`data/${key}`, littleEndianBytes(data)]),
    ['version', Buffer.from('3\n')]
  ])
}

const DICTIONARY = Buffer.from('ccollections\nOrderedDict\n)R')
const FALSE = Buffer.from([0x89])

/** A state dictionary: contiguous tensors, each with a storage of its own. */
function pickleOf (tensors: ReadonlyMap<string, NamedTensor>): Buffer {
  const items = [...tensors].flatMap(([name, { shape, data }], key) => [
    text(name),
    Buffer.from('ctorch._utils\n_rebuild_tensor_v2\n(('),
    text('storage'), Buffer.from('ctorch\nFloatStorage\n'), text(String(key)), text('cpu'), whole(data.length), Buffer.from('tQ'),
    whole(0), tuple(shape), tuple(stridesOf(shape)), FALSE, DICTIONARY, Buffer.from('tR')
  ])
  return Buffer.concat([Buffer.from([0x80, 2]), DICTIONARY, Buffer.from('('), ...items, Buffer.from('u.')])
}

function stridesOf (shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * side, 1))
}

function text (value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from('X'), u32(bytes.length), bytes])
}

function whole (value: number): Buffer {
  return Buffer.concat([Buffer.from('J'), u32(value)])
}

function tuple (values: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from('('), ...values.map(whole), Buffer.from('t')])
}

function u32 (value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function zipParts (entries: ReadonlyArray<readonly [name: string, bytes: Uint8Array]>): Uint8Array[] {
  const parts: Uint8Array[] = []
  const central: Buffer[] = []
  let at = 0
  for (const [name, bytes] of entries) {
    const path = Buffer.from(ROOT + name)
    const shared = fields([[2, VERSION], [2, UTF8], [2, 0], [2, 0], [2, DAY], [4, crc32(bytes)], [4, bytes.length], [4, bytes.length],
      [2, path.length], [2, 0]])
    central.push(fields([[4, CENTRAL], [2, VERSION]]), shared, fields([[2, 0], [2, 0], [2, 0], [4, 0], [4, at]]), path)
    const local = Buffer.concat([fields([[4, LOCAL]]), shared, path])
    parts.push(local, bytes)
    at += local.length + bytes.length
  }
  const directory = Buffer.concat(central)
  const count = entries.length
  return [...parts, directory, fields([[4, END], [2, 0], [2, 0], [2, count], [2, count], [4, directory.length], [4, at], [2, 0]])]
}

function fields (values: ReadonlyArray<readonly [size: 2 | 4, value: number]>): Buffer {
  return Buffer.concat(values.map(([size, value]) => {
    const bytes = Buffer.alloc(size)
    bytes.writeUIntLE(value, 0, size)
    return bytes
  }))
}
