import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes of all objects that somebody still holds. */
export function heldHeap (): number {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

/** Bytes of all arrays that somebody still holds. */
export function heldBytes (): number {
  // Arrays are freed in the background; a second collection waits for that.
  collect()
  collect()
  return process.memoryUsage().arrayBuffers
}
