import type { Reading } from '../../../../src/node/metrics/site-metrics.ts'

/** A site that is well. */
export const WELL: Reading = {
  status: {
    software: '1.2.3',
    protocols: [],
    name: 'Mercy',
    peerId: '12D3KooWMDnCnkdDCKNgkgeZcyNNDHiXnMw5ReQbZ2vM28d2fATZ',
    addresses: [],
    federation: 'f'.repeat(64),
    amendment: 0,
    round: 3,
    rounds: 10,
    phase: 'exchange',
    dice: { frozen: 0.5, global: 0.6, personal: 0.7 },
    classes: { tumour: { frozen: 0.1, global: 0.2, personal: 0.3, alone: 0.25 } },
    consensus: 0.01,
    steps: { trained: 30, arrived: 20, lost: 1 },
    images: { seen: 8, all: 10 },
    pace: 0.5,
    exchanges: 6,
    inDoubt: 1,
    suspects: [],
    bytesSent: 1_000,
    bytesReceived: 2_000,
    peers: 2,
    refusedHandshakes: 4,
    refusedCertificates: 5,
    streams: { '/kad/1.0.0': { handled: 7, reset: 1 } },
    relays: ['12D3KooWMDnCnkdDCKNgkgeZcyNNDHiXnMw5ReQbZ2vM28d2fATZ'],
    relayedBytes: 9,
    warnings: [],
    compute: { engine: 'onnx', provider: 'cpu', reason: 'there is no other' },
    trainer: 'ready',
    eventLoopP99Ms: 12
  },
  warnings: {},
  peers: { known: 2, absent: 0, readers: 1 },
  trainer: { restarts: 0, deathsInRow: 0, isIsolated: true },
  certificateSeconds: 31_536_000,
  diskFreeBytes: 5e10,
  process: { rssBytes: 2e8, cpuSeconds: 3.5, startSeconds: 1.7e9 }
}
