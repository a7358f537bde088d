/**
 * Two sites on their own files and trainer processes, through the daemon's own rounds; their exchanges come in a fixed order and
 * without wires.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { PrivateSet } from '../../src/adapter/private-set.ts'
import { readFloatTensors } from '../../src/adapter/safetensors.ts'
import { Auditor } from '../../src/audit/auditor.ts'
import { signFederation, writeFederation, type FederationDocument } from '../../src/federation/document.ts'
import { writeIdentity } from '../../src/federation/identity.ts'
import { turnsPerInitiation } from '../../src/gossip-aggregation/partner-choice.ts'
import { mergeSettings } from '../../src/home/config/load.ts'
import { sitePaths } from '../../src/home/paths.ts'
import { markNewHome } from '../../src/home/version.ts'
import { openAdapter, openSite, trainerSetup, type AdapterState, type Site } from '../../src/node/site.ts'
import { TrainerProcess } from '../../src/node/trainer-process.ts'
import { Arrival } from '../../src/rounds/arrival.ts'
import { systemClock } from '../../src/rounds/clock.ts'
import { LabelVotes } from '../../src/rounds/label-votes.ts'
import { createLogger } from '../../src/rounds/logger.ts'
import { Pace } from '../../src/rounds/pace.ts'
import { roundPlan } from '../../src/rounds/plan.ts'
import { trainRound } from '../../src/rounds/training-round.ts'
import { defaultAveraging } from '../../src/settings/averaging.ts'
import { VirtualClock } from '../../src/simulation/virtual-clock.ts'
import { VirtualNetwork } from '../../src/simulation/virtual-network.ts'
import type { VirtualSite } from '../../src/simulation/virtual-site.ts'
import { modelSection, trainingSection } from '../../src/site-model/fit-settings.ts'
import { floatsDigest, privateDigest } from './hash.ts'

const ROUNDS = 3
const HOSPITALS = ['hospital-a', 'hospital-b'] as const
const CREATED = '2026-01-01T00:00:00.000Z'

interface Running {
  readonly site: Site
  readonly state: AdapterState
  readonly trainer: TrainerProcess
  readonly audit: Auditor
  readonly virtual: VirtualSite
}

interface SiteEnd {
  readonly schema: string
  readonly adapter: string
  readonly experts: string
  readonly dice: readonly unknown[]
}

/** What both sites hold after three rounds. */
export async function daemonDigests (samples = join(process.cwd(), 'samples', 'colin27')): Promise<readonly SiteEnd[]> {
  const folder = await mkdtemp(join(tmpdir(), 'consilium-digests-'))
  const running: Running[] = []
  try {
    const keys = await Promise.all(
      HOSPITALS.map(async (name) => await generateKeyPairFromSeed('Ed25519', createHash('sha256').update(name).digest()))
    )
    const document = await createDocument(folder, keys[0]!)
    for (const [index, name] of HOSPITALS.entries()) {
      running.push(await openRunning(join(folder, name), join(samples, name), { document, key: keys[index]! }))
    }
    await trainAll(running, document)
    return await Promise.all(running.map(async (each) => await endOf(each)))
  } finally {
    for (const { trainer, state, audit } of running) {
      await trainer.stop()
      await state.log.close()
      await audit.close('done')
    }
    await rm(folder, { recursive: true })
  }
}

async function createDocument (folder: string, key: PrivateKey): Promise<FederationDocument> {
  return await signFederation({
    version: 1,
    name: 'digests',
    created: CREATED,
    founders: [peerIdFromPrivateKey(key).toString()],
    quorum: 1,
    model: await modelSection(folder, 'sam-tiny'),
    training: { ...trainingSection({ name: 'sam-tiny' }, { rounds: ROUNDS, seed: 1 }), stepsPerRound: undefined, epochsG: 1, epochsL: 1 },
    averaging: defaultAveraging({ coolDownSeconds: 1 })
  }, key)
}

async function openRunning (
  home: string,
  data: string,
  { document, key }: { readonly document: FederationDocument, readonly key: PrivateKey }
): Promise<Running> {
  const paths = sitePaths(home)
  await markNewHome(home)
  await writeIdentity(paths.identity, key)
  await writeFederation(paths.federation, document)
  const config = { ...mergeSettings({ data, threads: 1, provider: 'cpu', engine: 'onnx' }, {}, {}), data }
  const site = await openSite({ home, config, logger: createLogger('silent') })
  const audit = new Auditor({
    folder: paths.audit,
    key,
    peerId: site.peerId,
    federation: site.federation.id,
    now: Date.now,
    onFailure: () => {}
  })
  await audit.open()
  const trainer = new TrainerProcess({ setup: trainerSetup(site), nice: 0 })
  const state = await openAdapter(site, await trainer.start(), audit)
  return { site, state, trainer, audit, virtual: virtualSite(site, state) }
}

/** The two exchange by the state machine itself: nobody is away, nothing is lost. */
function virtualSite ({ peerId: id }: Site, { averager }: AdapterState): VirtualSite {
  return {
    index: 0,
    id,
    averager,
    gossip: { served: () => {} } as unknown as VirtualSite['gossip'],
    isLiar: false,
    isSlow: false,
    isAway: false,
    bytesSent: 0,
    sketch: undefined
  }
}

/** Both train a round; when both are done with phase G, one asks the other and then the other the one, as often as the federation says. */
async function trainAll (running: readonly Running[], { averaging }: FederationDocument): Promise<void> {
  const network = new VirtualNetwork({ clock: new VirtualClock(), random: () => 0.5, loss: 0, delay: 0 })
  const turnsPerRound = averaging.initiationsPerRound * turnsPerInitiation(averaging.partner)
  for (let round = 1; round <= ROUNDS; round++) {
    const meeting = meet(running.length, async () => {
      const [one, other] = running.map(({ virtual }) => virtual)
      for (let turn = 0; turn < turnsPerRound; turn++) {
        await (turn % 2 === 0 ? network.exchange(one!, other!) : network.exchange(other!, one!))
      }
    })
    await Promise.all(running.map(async ({ site, state, trainer }) => {
      await trainRound({
        ...state,
        trainer,
        plan: roundPlan(site.federation.document),
        rounds: ROUNDS,
        metrics: site.metrics,
        record: site.record,
        notices: site.notices,
        clock: systemClock,
        onPhase: () => {},
        others: {
          gossip: {
            initiate: async () => { await meeting(); return turnsPerRound },
            catchUp: () => Promise.resolve(undefined),
            trouble: undefined
          },
          peers: {
            medianRound: () => undefined,
            medianBelow: () => undefined,
            medianAhead: () => undefined,
            farAhead: () => [],
            onRound: () => () => {},
            finishedForMs: () => 0,
            believedInMs: () => 0,
            areHalfSlow: () => false,
            labelFits: () => new Map()
          },
          pace: new Pace(),
          arrival: new Arrival(site.notices),
          labelVotes: new LabelVotes(site.peerId),
          distance: () => undefined,
          turnsPerRound,
          stayMs: 120_000,
          staleness: averaging.staleness
        }
      }, round, new AbortController().signal)
    }))
  }
}

/** Resolves for all when `count` have come and `work`, begun by the last, is done. */
function meet (count: number, work: () => Promise<void>): () => Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let missing = count
  return async () => {
    if (--missing === 0) work().then(resolve, reject)
    await promise
  }
}

async function endOf ({ site: { paths, metrics }, state: { averager, schema } }: Running): Promise<SiteEnd> {
  const { tensors } = readFloatTensors(await readFile(join(paths.privateStore, 'experts.safetensors')))
  return {
    schema: schema.hash,
    adapter: floatsDigest(averager.snapshot()),
    experts: privateDigest(new PrivateSet(tensors)),
    dice: metrics.records.map(({ dice, lossG, lossL }) => ({ ...dice, lossG, lossL }))
  }
}
