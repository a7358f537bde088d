import { setFlagsFromString } from 'node:v8'

/**
 * Fits V8's garbage collector to a process that moves vectors; call it before anything large is loaded. It counts buffers against a
 * limit made for its own small heap, and so marked all of that after every 24 MB that came.
 */
export function tuneGc (): void {
  // The heap, buffers included, may grow to three times what is alive.
  setFlagsFromString('--heap-growing-percent=200')
  // Young objects stay in one megabyte: buffers that nobody reads any more go sooner.
  setFlagsFromString('--semi-space-growth-factor=1')
}
