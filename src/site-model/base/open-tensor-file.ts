import { open } from 'node:fs/promises'
import { InputError } from '../../errors.ts'
import { openPth } from './pth/pth-file.ts'
import { openSafetensors } from './safetensors-file.ts'
import type { TensorFile } from './tensor-file.ts'

/** Opens a .pth or safetensors file, told apart by their first bytes. @throws InputError, CorruptFileError without the file's name. */
export async function openTensorFile (path: string): Promise<TensorFile> {
  const head = await firstBytes(path, 9)
  if (head.subarray(0, 2).toString('latin1') === 'PK') return await openPth(path)
  if (head[8] === 0x7b) return await openSafetensors(path)
  if (head[0] === 0x80) throw new InputError('it was saved by PyTorch before 1.6: load it there and save it again with a newer PyTorch')
  throw new InputError('it is neither a .pth archive nor a safetensors file')
}

async function firstBytes (path: string, count: number): Promise<Buffer> {
  const handle = await open(path)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(count), 0, count, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}
