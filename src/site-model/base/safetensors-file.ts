import { open, type FileHandle } from 'node:fs/promises'
import { readHeader, MAX_HEADER_BYTES, type TensorEntry } from '../../adapter/safetensors-header.ts'
import { readFloats } from '../../adapter/safetensors.ts'
import { CorruptFileError } from '../../errors.ts'
import type { TensorFile } from './tensor-file.ts'

/** Opens a safetensors file and checks its header; tensors are read when asked for. @throws CorruptFileError */
export async function openSafetensors (path: string): Promise<TensorFile & { readonly metadata: Readonly<Record<string, string>> }> {
  const handle = await open(path)
  try {
    const { size } = await handle.stat()
    const length = Math.min(size, 8 + headerLength(await readAt(handle, 0, Math.min(size, 8))))
    const { entries, metadata, start } = readHeader(await readAt(handle, 0, length), size)
    const byName = new Map(entries.map((entry) => [entry.name, entry]))
    return {
      metadata,
      shapes: new Map(entries.map(({ name, shape }) => [name, shape])),
      read: async (name) => await readTensor(handle, start, name, byName.get(name)),
      close: async () => { await handle.close() }
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

function headerLength (bytes: Buffer): number {
  return bytes.length < 8 ? 0 : Math.min(MAX_HEADER_BYTES, Number(bytes.readBigUInt64LE(0)))
}

async function readTensor (handle: FileHandle, start: number, name: string, entry: TensorEntry | undefined): Promise<Float32Array> {
  if (entry == null) throw new CorruptFileError(`there is no tensor ${name}`)
  return readFloats(await readAt(handle, start + entry.begin, entry.end - entry.begin), entry)
}

async function readAt (handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.from(new ArrayBuffer(length))
  let at = 0
  while (at < length) {
    const { bytesRead } = await handle.read(buffer, at, Math.min(length - at, 2 ** 30), position + at)
    if (bytesRead === 0) throw new CorruptFileError('the file ends early')
    at += bytesRead
  }
  return buffer
}
