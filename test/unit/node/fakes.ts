import type { Clock } from '../../../src/rounds/clock.ts'
import { createLogger } from '../../../src/rounds/logger.ts'
import { Notices } from '../../../src/rounds/notices.ts'
import type { Announced } from '../../../src/rounds/peer-table.ts'

/** Time that passes only when somebody sleeps. */
export class FakeClock implements Clock {
  time = 1_000_000
  readonly sleeps: number[] = []
  /** Called after every sleep. */
  onSleep: (ms: number) => void = () => {}

  readonly now = (): number => this.time

  async sleep (ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.time += ms
    this.sleeps.push(ms)
    this.onSleep(ms)
    if (this.sleeps.length > 10_000) throw new Error('it sleeps for ever')
  }
}

export function quietNotices (): Notices {
  return new Notices(createLogger('silent'))
}

export function announced (over: Partial<Announced> = {}): Announced {
  return { round: 1, phase: 'G', schemaHash: 'a', sketch: new Float32Array(64), ...over }
}
