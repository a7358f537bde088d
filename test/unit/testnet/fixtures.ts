import type { FederationDocument } from '../../../src/federation/document.ts'
import type { RoundRecord } from '../../../src/home/metrics-log.ts'
import type { Conditions } from '../../../scripts/testnet/conditions.ts'
import type { SiteOutcome } from '../../../scripts/testnet/report/build-report.ts'
import { buildReport } from '../../../scripts/testnet/report/build-report.ts'
import type { HomeResult, SavedSummary } from '../../../scripts/testnet/hospitals/homes.ts'
import type { Report } from '../../../scripts/testnet/report/report.ts'

export const NONE: Conditions = { loss: 0, slow: new Map(), images: new Map(), liars: new Set(), swapped: new Set(), partitions: [] }

export const START = 1_700_000_000_000

export function vector (...values: number[]): Float32Array {
  return Float32Array.from(values)
}

export function round (number: number, personal = 0.9): RoundRecord {
  return {
    t: new Date(START + 10_000 * number).toISOString(),
    round: number,
    dice: { frozen: 0.6, global: personal - 0.01, personal },
    lossG: 1,
    lossL: 1,
    exchanges: 2,
    bytesSent: 10,
    bytesReceived: 10
  }
}

export function summary (name: string, change: Partial<SavedSummary> = {}): SavedSummary {
  return {
    name,
    peerId: `peer-of-${name}`,
    rounds: 2,
    images: 30,
    validationImages: 9,
    imagesSeen: 30,
    steps: { trained: 32, arrived: 32, lost: 0 },
    pace: 1,
    engine: 'onnx',
    provider: 'cpu',
    exchanges: 6,
    inDoubt: 0,
    exchangesByRound: [2, 3],
    bytesSent: 3e5,
    bytesReceived: 3e6,
    dice: { frozen: 0.6, global: 0.89, personal: 0.9 },
    eventLoopP99Ms: 12,
    warnings: [],
    ...change
  }
}

export function homeResult (name: string, change: Partial<HomeResult> = {}): HomeResult {
  return {
    summary: summary(name),
    rounds: [round(1), round(2)],
    initial: vector(0, 0),
    byRound: new Map([[1, vector(1, 1)], [2, vector(2, 2)]]),
    final: vector(2, 2),
    ...change
  }
}

export function outcome (
  index: number,
  name: string,
  change: Partial<SiteOutcome> = {},
  process: Partial<SiteOutcome['process']> = {}
): SiteOutcome {
  return {
    process: {
      hospital: { index, name, data: `/data/${name}`, from: `/data/${name}`, home: `/home/${name}`, log: `/home/${name}.log` },
      status: undefined,
      exitCode: 0,
      signal: null,
      restarts: 0,
      ...process
    },
    result: homeResult(name),
    local: null,
    ...change
  }
}

/** What a federation of `sites` would report. */
export function facts (
  sites: readonly SiteOutcome[],
  change: Partial<Report> = {},
  conditions: Partial<Conditions> = {}
): Omit<Report, 'checks'> {
  const training = { seed: 7, stepsPerRound: 16 }
  const document = { training, model: { name: 'sam-tiny', baseHash: 'ab'.repeat(32) } } as unknown as FederationDocument
  return {
    ...buildReport({
      id: 'f'.repeat(64),
      document,
      data: 'bundled sample',
      sites,
      conditions: { ...NONE, ...conditions },
      crossSite: null,
      startedAt: START,
      federationSeconds: 60,
      wallSeconds: 70
    }),
    ...change
  }
}
