import { createHash } from 'node:crypto'
import { littleEndianBytes } from '../../adapter/safetensors.ts'
import type { HostRecord } from '../../compute/index.ts'

export function vector (data: Float32Array): HostRecord[string] {
  return { shape: [data.length], data }
}

export function scalar (value: number): HostRecord[string] {
  return { shape: [], data: Float32Array.of(value) }
}

export function floats (outputs: HostRecord, name: string): Float32Array {
  return outputs[name]!.data as Float32Array
}

/** SHA-256 (hex) of numbers. */
export function floatsHash (data: Float32Array): string {
  return createHash('sha256').update(littleEndianBytes(data)).digest('hex')
}

/** Lets messages in and out between two steps: a step blocks the event loop. */
export async function breathe (): Promise<void> {
  await new Promise((resolve) => { setImmediate(resolve) })
}
