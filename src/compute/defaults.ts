import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

const FEW = 8
const MOST_THREADS = 32

/**
 * All cores up to 8; above that one thread per physical core (two on one core share its arithmetic units) and at most 32 (the matrix
 * products of one image have no work for more).
 */
export function defaultThreads (logical = availableParallelism(), sharesCores = hasHyperThreads()): number {
  if (logical <= FEW) return logical
  return Math.min(MOST_THREADS, Math.max(FEW, sharesCores ? Math.floor(logical / 2) : logical))
}

function hasHyperThreads (): boolean {
  try {
    return readFileSync('/sys/devices/system/cpu/smt/active', 'utf8').trim() === '1'
  } catch {
    return false
  }
}

/** An arena is worth its memory unless the machine has little to spare. */
export function defaultMemory (available = process.availableMemory()): 'low' | 'fast' {
  return available < 4 * 2 ** 30 ? 'low' : 'fast'
}
