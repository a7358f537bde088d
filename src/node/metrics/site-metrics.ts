import type { Dice } from '../../home/metrics-log.ts'
import type { SitePhase, SiteStatus } from '../../rounds/status.ts'
import { WARNING_KINDS, type WarningKind } from '../../rounds/warning-kinds.ts'

/** What one scrape reads. */
export interface Reading {
  readonly status: SiteStatus
  /** How many conditions of each kind hold. */
  readonly warnings: Partial<Record<WarningKind, number>>
  readonly peers: { readonly known: number, readonly absent: number, readonly readers: number }
  readonly trainer: { readonly restarts: number, readonly deathsInRow: number, readonly isIsolated: boolean }
  /** Until this site's certificate ends, in seconds; undefined where it has none that ends. */
  readonly certificateSeconds: number | undefined
  /** Bytes that are free where the home is; undefined where the system does not say. */
  readonly diskFreeBytes: number | undefined
  readonly process: { readonly rssBytes: number, readonly cpuSeconds: number, readonly startSeconds: number }
}

/** A value with its labels. */
interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** One metric: its name by Prometheus' conventions, its sentence, and how it is read; nothing while there is no value. */
export interface SiteMetric {
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly labels?: readonly string[]
  readonly read: (reading: Reading) => number | undefined | readonly Sample[]
}

const PHASES: readonly SitePhase[] = ['starting', 'waiting', 'reading', 'G', 'exchange', 'L', 'cool-down', 'done', 'stopped']
const TRAINER: readonly SiteStatus['trainer'][] = ['loading', 'ready', 'restarting']

const counter = (help: string, read: SiteMetric['read'], labels?: readonly string[]): SiteMetric =>
  ({ type: 'counter', help, read, ...(labels == null ? {} : { labels }) })
const gauge = (help: string, read: SiteMetric['read'], labels?: readonly string[]): SiteMetric =>
  ({ type: 'gauge', help, read, ...(labels == null ? {} : { labels }) })

/** What /metrics says of the site, beside libp2p's own. */
export const SITE_METRICS: Readonly<Record<string, SiteMetric>> = {
  consilium_info: gauge('Always 1; which software, site, federation and engine', ({ status }) => {
    const { software, peerId, federation, compute } = status
    const labels = { software, peer: peerId, federation, engine: compute?.engine ?? '', provider: compute?.provider ?? '' }
    return [{ labels, value: 1 }]
  }, ['software', 'peer', 'federation', 'engine', 'provider']),
  consilium_round: gauge('Round that the site is in', ({ status }) => status.round),
  consilium_rounds: gauge('Rounds of the federation', ({ status }) => status.rounds),
  consilium_phase: gauge('1 for the phase that the site is in', ({ status }) => oneOf('phase', PHASES, status.phase), ['phase']),
  consilium_label_free: gauge('1 in a round that looks at no label, 0 in one that does; nothing where a federation has no such rounds', ({
    status: { labelFree }
  }) => labelFree == null ? undefined : Number(labelFree)),
  consilium_pace_ratio: gauge("Part of a round's steps that the site trains", ({ status }) => status.pace),
  consilium_reads: gauge('1 for a site without labels, which reads and has no Dice', ({ status }) => status.reads === true ? 1 : 0),
  consilium_dice_ratio: gauge('Dice on the validation images, by model', ({ status }) => diceSamples(status.dice), ['model']),
  consilium_class_dice_ratio: gauge('Dice on the validation images, by class and model', ({ status: { classes = {} } }) =>
    Object.entries(classes).flatMap(([name, dice]) => diceSamples(dice, { class: name })), ['class', 'model']),
  consilium_consensus_ratio: gauge('Estimated relative consensus distance', ({ status }) => status.consensus),
  consilium_steps_trained_total: counter('Optimiser steps of phase G', ({ status }) => status.steps?.trained),
  consilium_steps_arrived_total: counter('Steps of it that reached another site', ({ status }) => status.steps?.arrived),
  consilium_steps_lost_total: counter('Steps of it that were lost', ({ status }) => status.steps?.lost),
  consilium_images: gauge('Training images', ({ status }) => status.images?.all),
  consilium_images_seen: gauge('Training images that it has gone through at least once', ({ status }) => status.images?.seen),
  consilium_exchanges_total: counter('Committed exchanges, over restarts', ({ status }) => status.exchanges),
  consilium_exchanges_in_doubt: gauge('Exchanges whose end the site could not learn yet', ({ status }) => status.inDoubt),
  consilium_sent_bytes_total: counter('Sent in exchanges, over restarts', ({ status }) => status.bytesSent),
  consilium_received_bytes_total: counter('Received in exchanges, over restarts', ({ status }) => status.bytesReceived),
  consilium_relayed_bytes_total: counter('Passed on for others', ({ status }) => status.relayedBytes),
  consilium_relays: gauge('Members that hold a place for this site', ({ status }) => status.relays.length),
  consilium_peers_known: gauge('Other sites that were heard of since the start', ({ peers }) => peers.known),
  consilium_peers_connected: gauge('Other sites that are connected', ({ status }) => status.peers),
  consilium_peers_absent: gauge('Other sites that trained, said no farewell, and are not there', ({ peers }) => peers.absent),
  consilium_peers_readers: gauge('Other sites without labels, which only read', ({ peers }) => peers.readers),
  consilium_peers_suspect: gauge('Other sites whose adapters were clipped again and again', ({ status }) => status.suspects.length),
  consilium_refused_handshakes_total: counter('Connections that failed the handshake', ({ status }) => status.refusedHandshakes),
  consilium_refused_certificates_total: counter('Connections that ended for a certificate', ({ status }) => status.refusedCertificates),
  consilium_streams_total: counter('Streams that peers opened, by what became of them', ({ status }) =>
    Object.entries(status.streams).flatMap(([protocol, { handled, reset }]) => [
      { labels: { protocol, outcome: 'handled' }, value: handled },
      { labels: { protocol, outcome: 'reset' }, value: reset }
    ]), ['protocol', 'outcome']),
  consilium_trainer: gauge('1 for the state of the trainer process', ({ status }) => oneOf('state', TRAINER, status.trainer), ['state']),
  consilium_trainer_restarts_total: counter('Times that the trainer process ended and was started again', ({ trainer }) =>
    trainer.restarts),
  consilium_trainer_deaths_in_row: gauge('Deaths of the trainer process since it last finished a piece of work', ({ trainer }) =>
    trainer.deathsInRow),
  consilium_trainer_isolated: gauge('1 where the trainer runs without any network', ({ trainer }) => trainer.isIsolated ? 1 : 0),
  consilium_warning: gauge('Conditions that hold, by kind', ({ warnings }) =>
    (Object.keys(WARNING_KINDS) as WarningKind[]).map((kind) => ({ labels: { kind }, value: warnings[kind] ?? 0 })), ['kind']),
  consilium_certificate_remaining_seconds: gauge("Until this site's certificate ends; a founder has none", ({ certificateSeconds }) =>
    certificateSeconds),
  consilium_disk_free_bytes: gauge('Free where the home is', ({ diskFreeBytes }) => diskFreeBytes),
  consilium_event_loop_delay_seconds: gauge('99th percentile of how late timers run, since training began', ({ status }) =>
    status.eventLoopP99Ms / 1_000),
  process_resident_memory_bytes: gauge('Memory of the daemon', ({ process }) => process.rssBytes),
  process_cpu_seconds_total: counter('CPU time of the daemon', ({ process }) => process.cpuSeconds),
  process_start_time_seconds: gauge('When the daemon started, since the epoch', ({ process }) => process.startSeconds)
}

function oneOf (label: string, all: readonly string[], now: string): Sample[] {
  return all.map((each) => ({ labels: { [label]: each }, value: each === now ? 1 : 0 }))
}

function diceSamples (dice: Dice | undefined, labels: Readonly<Record<string, string>> = {}): Sample[] {
  if (dice == null) return []
  const { frozen, global, personal, alone } = dice
  return Object.entries({ frozen, global, personal, alone }).flatMap(([model, value]) =>
    value == null ? [] : [{ labels: { ...labels, model }, value }])
}
