/** Loaded before any other program: its last words are what it took, as one line of JSON on stderr. */
import { readFileSync } from 'node:fs'

export interface Taken {
  /** the greatest resident memory, in MiB */
  readonly peak: number
  /** seconds of the processor, user and system */
  readonly cpu: number
}

process.on('exit', () => {
  const { user, system } = process.cpuUsage()
  process.stderr.write(`\n${JSON.stringify({ peak: Math.round(peakKib() / 1024), cpu: (user + system) / 1e6 } satisfies Taken)}\n`)
})

/** Linux counts for this program alone; `maxRSS` may be that of the program which started it. */
function peakKib (): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
  } catch {
    return process.resourceUsage().maxRSS
  }
}
