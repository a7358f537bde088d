import { measureInARow, type Setting } from './measure.ts'

/** A relay passes 64 MiB of each member on at once, and 8 MiB a second from then on: this is less. */
const SIZE = 1_000_000
const EXCHANGES = 12
const PAIRS = 3
/** Of a direct exchange's rate. */
const LEAST = 1 / 3

interface Relayed {
  /** Both directions, the median of all. */
  readonly directBytesPerSecond: number
  readonly relayedBytesPerSecond: number
  readonly fraction: number
  readonly line: string
}

/** Exchanges of 4 MB between two sites, straight and through a third: alternately, so that both have the same share of a busy machine. */
export async function measureRelayed (setting: Pick<Setting, 'codec' | 'folder'>): Promise<Relayed> {
  const rates: Record<'direct' | 'relayed', number[]> = { direct: [], relayed: [] }
  for (let i = 0; i < PAIRS; i++) {
    for (const way of ['direct', 'relayed'] as const) {
      const { medianMs, vectorBytes } = await measureInARow({ ...setting, size: SIZE, exchanges: EXCHANGES, relayed: way === 'relayed' })
      rates[way].push(2e3 * vectorBytes / medianMs)
    }
  }
  const [direct, relayed] = [median(rates.direct), median(rates.relayed)]
  const fraction = relayed / direct
  const held = `${fraction.toFixed(2)} of it (≥ 0.33: ${fraction >= LEAST ? 'holds' : 'MISSED'})`
  return {
    directBytesPerSecond: direct,
    relayedBytesPerSecond: relayed,
    fraction,
    line: `exchanges of ${4 * SIZE / 1e6} MB: direct ${rate(direct)}, relayed ${rate(relayed)}: ${held}`
  }
}

function median (values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

function rate (bytesPerSecond: number): string {
  return `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`
}
