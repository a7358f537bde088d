import { availableParallelism, cpus } from 'node:os'
import type { Average, Baseline, InARow } from './measure.ts'

interface Measured {
  readonly sites: number
  readonly size: number
  readonly codec: string
  readonly average: Average
  /** In Node as it comes, with nothing else in the process. */
  readonly libp2p: Baseline
  /** The same with the daemon's settings of the garbage collector. */
  readonly libp2pFitted: Baseline
  readonly tcp: Baseline
  readonly inARow: readonly InARow[]
}

/** With f32, against one bare libp2p stream per pair (docs/spec/gossip.md#targets). */
const LEAST_OF_LIBP2P = 0.6
const NEAR = 1e-3

export type BenchReport = Measured & {
  readonly machine: { readonly cores: number, readonly cpu: string, readonly node: string }
  readonly ofLibp2p: number
  readonly ofLibp2pFitted: number
  readonly ofTcp: number
  readonly targets: { readonly near: boolean, readonly throughput: boolean, readonly memory: boolean }
}

export function reportOf (measured: Measured): BenchReport {
  const { average, libp2p, libp2pFitted, tcp } = measured
  const ofLibp2p = average.bytesPerSecond / libp2p.bytesPerSecond
  return {
    machine: { cores: availableParallelism(), cpu: cpus()[0]?.model ?? 'unknown', node: process.version },
    ...measured,
    ofLibp2p,
    ofLibp2pFitted: average.bytesPerSecond / libp2pFitted.bytesPerSecond,
    ofTcp: average.bytesPerSecond / tcp.bytesPerSecond,
    targets: {
      near: average.farthest <= NEAR,
      throughput: ofLibp2p >= LEAST_OF_LIBP2P,
      memory: average.peakBytesPerSite <= average.allowedBytesPerSite
    }
  }
}

export function describe (
  { machine, sites, size, codec, average, libp2p, libp2pFitted, tcp, ofLibp2p, ofLibp2pFitted, ofTcp, targets, inARow }: BenchReport
): string {
  const pairs = sites / 2
  const said = (holds: boolean): string => holds ? 'holds' : 'MISSED'
  return [
    `${sites} sites × ${(size / 1e6).toFixed(1)} M parameters, ${codec}, ${machine.cores} cores (${machine.cpu}), node ${machine.node}`,
    `average            ${average.seconds.toFixed(2)} s: ${average.steps} steps, ${average.exchanges} exchanges, ${
      megabytes(average.bytes)
    }, CPU ${average.cpuSeconds.toFixed(2)} s`,
    `farthest site      ${average.farthest.toExponential(2)} of the true mean's norm (≤ ${NEAR}: ${said(targets.near)})`,
    `exchanges          ${
      megabytes(average.bytesPerSecond)
    }/s, ${pairs} pairs at once, both directions, records and checkpoints on disk included`,
    `bare libp2p        ${megabytes(libp2p.bytesPerSecond)}/s the same pairs and bytes, one stream each, both directions, CPU ${
      libp2p.cpuSeconds.toFixed(2)
    } s; one pair alone ${megabytes(libp2p.soloBytesPerSecond)}/s`,
    `  fitted           ${megabytes(libp2pFitted.bytesPerSecond)}/s with the collector set as in the daemon, CPU ${
      libp2pFitted.cpuSeconds.toFixed(2)
    } s`,
    `raw TCP            ${megabytes(tcp.bytesPerSecond)}/s likewise, CPU ${tcp.cpuSeconds.toFixed(2)} s; one pair alone ${
      megabytes(tcp.soloBytesPerSecond)
    }/s`,
    `fraction           ${ofLibp2p.toFixed(2)} of bare libp2p (≥ ${LEAST_OF_LIBP2P} with f32: ${said(targets.throughput)}), ${
      ofLibp2pFitted.toFixed(2)
    } of fitted, ${ofTcp.toFixed(3)} of raw TCP`,
    `peak memory        ${megabytes(average.peakBytesPerSite)} per site (≤ ${megabytes(average.allowedBytesPerSite)}: ${
      said(targets.memory)
    })`,
    ...inARow.map(({ exchanges, vectorBytes, seconds, medianMs, longestMs }) =>
      `in a row           ${exchanges} × ${megabytes(vectorBytes)}: ${seconds.toFixed(1)} s, median ${medianMs.toFixed(0)} ms, longest ${
        longestMs.toFixed(0)
      } ms`
    ),
    ''
  ].join('\n')
}

function megabytes (bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`
}
